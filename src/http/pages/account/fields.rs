//! The fields of the profile's form: which there are, how each is filled in, and what was typed as what it means.

use serde_json::Value;

use super::Here;
use crate::http::views::account::{Choice, Control, Field, Group};
use crate::http::views::{Fault, Frame};
use crate::identity::{AccountChange, AttributeValues, Profile, User, attributes};
use crate::oauth::parameters::Parameters;
use crate::platform::settings::{Attribute, Kind, Party};

/// A standard claim as a field.
struct Claim {
    name: &'static str,
    label: &'static str,
    hint: Option<&'static str>,
    autocomplete: &'static str,
    shape: Shape,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Shape {
    Text,
    Lines,
    Phone,
    Url,
    Birthdate,
    Language,
    /// Offered only to whoever has one: another program has set it.
    Leftover,
}

const fn text(name: &'static str, label: &'static str, autocomplete: &'static str) -> Claim {
    Claim { name, label, hint: None, autocomplete, shape: Shape::Text }
}

const fn shaped(name: &'static str, label: &'static str, autocomplete: &'static str, shape: Shape) -> Claim {
    Claim { name, label, hint: None, autocomplete, shape }
}

const fn hinted(claim: &Claim, hint: &'static str) -> Claim {
    Claim {
        name: claim.name,
        label: claim.label,
        hint: Some(hint),
        autocomplete: claim.autocomplete,
        shape: claim.shape,
    }
}

const NAMES: &[Claim] = &[
    hinted(&text("name", "name", "name"), "name-hint"),
    text("given_name", "account-given-name", "given-name"),
    text("middle_name", "account-middle-name", "additional-name"),
    text("family_name", "account-family-name", "family-name"),
    text("nickname", "account-nickname", "nickname"),
];

const CONTACT: &[Claim] = &[
    hinted(&shaped("phone_number", "account-phone", "tel", Shape::Phone), "account-phone-hint"),
    shaped("website", "account-website", "url", Shape::Url),
    hinted(&shaped("profile", "account-profile-page", "off", Shape::Url), "account-profile-page-hint"),
];

const ABOUT: &[Claim] = &[
    shaped("birthdate", "account-birthdate", "bday", Shape::Birthdate),
    text("gender", "account-gender", "sex"),
    hinted(&shaped("locale", "account-language", "language", Shape::Language), "account-language-hint"),
    hinted(&text("zoneinfo", "account-zone", "off"), "account-zone-hint"),
];

const ADDRESS: &[Claim] = &[
    shaped("address.street_address", "account-street", "street-address", Shape::Lines),
    text("address.postal_code", "account-postal-code", "postal-code"),
    text("address.locality", "account-locality", "address-level2"),
    text("address.region", "account-region", "address-level1"),
    text("address.country", "account-country", "country-name"),
    shaped("address.formatted", "account-address-whole", "off", Shape::Leftover),
];

const GROUPS: [(&str, &[Claim]); 4] = [
    ("account-group-names", NAMES),
    ("account-group-contact", CONTACT),
    ("account-group-about", ABOUT),
    ("account-group-address", ADDRESS),
];

/// What a field of an attribute begins with.
const OF_ATTRIBUTES: &str = "attributes.";

/// The form, with what is known of somebody, or with what they have typed. `overtaken`: what was saved meanwhile is said beside it.
pub(super) fn groups(
    here: &Here,
    frame: &Frame,
    user: &User,
    typed: Option<&Parameters>,
    overtaken: bool,
) -> Vec<Group> {
    let words = &frame.words;
    let shown = |name: &str, saved: &str, read: fn(&str) -> String| {
        let value = typed.filter(|form| form.has(name)).map(|form| form.get(name).unwrap_or_default().to_owned());
        let value = value.unwrap_or_else(|| saved.to_owned());
        let differs = overtaken && read(&value) != read(saved);
        let meanwhile = differs.then(|| if saved.is_empty() { "–".to_owned() } else { saved.to_owned() });
        (value, meanwhile)
    };
    let mut groups: Vec<Group> = GROUPS
        .iter()
        .map(|(title, claims)| {
            let fields = claims.iter().filter_map(|claim| {
                let saved = saved(user, claim.name);
                if claim.shape == Shape::Leftover && saved.is_empty() {
                    return None;
                }
                let (value, meanwhile) = shown(claim.name, &saved, tidy);
                Some(Field {
                    name: claim.name.to_owned(),
                    label: words.say(claim.label),
                    hint: claim.hint.map(|hint| words.say(hint)),
                    control: control(here, claim.shape, &value, frame),
                    autocomplete: claim.autocomplete,
                    value,
                    meanwhile,
                })
            });
            Group { title: words.say(title), fields: fields.collect() }
        })
        .collect();
    let declared = here.web.app.settings.attributes.iter();
    let more = declared.filter(|(_, attribute)| attribute.may_read(Party::User)).filter_map(|(name, attribute)| {
        let saved = user.attributes.get(name).map(text_of).unwrap_or_default();
        let may_write = attribute.may_write(Party::User);
        if !may_write && saved.is_empty() {
            return None;
        }
        let field = format!("{OF_ATTRIBUTES}{name}");
        let (value, meanwhile) = if may_write { shown(&field, &saved, tidy) } else { (saved, None) };
        let lines = attribute.kind == Kind::Strings;
        Some(Field {
            name: field,
            label: capitalised(&attribute.label(name)),
            hint: lines.then(|| words.say("account-lines-hint")),
            control: if may_write { attribute_control(attribute, &value, frame) } else { Control::Shown },
            autocomplete: "off",
            value,
            meanwhile,
        })
    });
    let more: Vec<Field> = more.collect();
    if !more.is_empty() {
        groups.push(Group { title: words.say("account-group-more"), fields: more });
    }
    groups
}

fn control(here: &Here, shape: Shape, value: &str, frame: &Frame) -> Control {
    match shape {
        Shape::Text => Control::Input("text"),
        Shape::Lines | Shape::Leftover => Control::Lines,
        Shape::Phone => Control::Input("tel"),
        Shape::Url => Control::Input("url"),
        // Some say the day without the year, or the year alone, which this type of field does not know.
        Shape::Birthdate => Control::Input(if value.is_empty() || is_day(value) { "date" } else { "text" }),
        Shape::Language => Control::Choice(languages(here, value, frame)),
    }
}

/// The languages there are, by their own names. A wish for another one stays.
fn languages(here: &Here, value: &str, frame: &Frame) -> Vec<Choice> {
    let mut choices = vec![Choice { value: String::new(), label: frame.words.say("account-language-browser") }];
    choices.extend(
        here.web
            .catalogues
            .all()
            .map(|words| Choice { value: words.lang().to_owned(), label: words.say("language-name") }),
    );
    if !choices.iter().any(|choice| choice.value == value) {
        choices.push(Choice { value: value.to_owned(), label: value.to_owned() });
    }
    choices
}

fn attribute_control(attribute: &Attribute, value: &str, frame: &Frame) -> Control {
    let choice = |value: &str, key: &str| Choice { value: value.to_owned(), label: frame.words.say(key) };
    match attribute.kind {
        Kind::String if attribute.max_length > 200 => Control::Lines,
        Kind::String | Kind::Integer | Kind::Number => Control::Input("text"),
        Kind::Strings => Control::Lines,
        Kind::Date => Control::Input(if value.is_empty() || is_day(value) { "date" } else { "text" }),
        Kind::Boolean => Control::Choice(vec![
            choice("", "account-unsaid"),
            choice("true", "account-yes"),
            choice("false", "account-no"),
        ]),
    }
}

fn is_day(text: &str) -> bool {
    text.len() == 10 && !text.starts_with("0000")
}

fn capitalised(text: &str) -> String {
    let mut letters = text.chars();
    letters.next().map(|first| first.to_uppercase().chain(letters).collect()).unwrap_or_default()
}

/// What is known of a claim, as text.
fn saved(user: &User, claim: &str) -> String {
    if claim == "name" {
        return user.name.clone().unwrap_or_default();
    }
    let claims = user.profile.to_claims();
    let value = match claim.split_once('.') {
        Some((whole, part)) => claims.get(whole).and_then(|whole| whole.get(part)),
        None => claims.get(claim),
    };
    value.and_then(Value::as_str).unwrap_or_default().to_owned()
}

/// A value of an attribute as its field has it.
fn text_of(value: &Value) -> String {
    match value {
        Value::Null => String::new(),
        Value::String(text) => text.clone(),
        Value::Array(list) => list.iter().filter_map(Value::as_str).collect::<Vec<_>>().join("\n"),
        other => other.to_string(),
    }
}

/// What the form changes of an account, or each field that does not do. What somebody has not touched stays as it is, be it odd.
pub(super) fn change(here: &Here, frame: &Frame, user: &User, form: &Parameters) -> Result<AccountChange, Vec<Fault>> {
    let mut change = AccountChange::default();
    let mut faults = Vec::new();
    for claim in GROUPS.iter().flat_map(|(_, claims)| claims.iter()) {
        let Some(typed) = touched(form, claim.name, &saved(user, claim.name)) else { continue };
        let value = meant(claim.shape, &typed);
        if claim.name == "name" {
            if value.chars().count() > 200 || value.chars().any(char::is_control) {
                faults.push(fault(frame, claim, Fault::new("name", "name-too-long").with("max", "200")));
            }
            change.name = Some(value);
            continue;
        }
        let value = Value::from(value);
        if Profile::default().with([(claim.name, value.clone())]).is_err() {
            faults.push(fault(frame, claim, unfit(claim)));
        }
        if claim.shape == Shape::Phone {
            // A new number is nobody's until it is verified.
            change.claims.push(("phone_number_verified".to_owned(), Value::Null));
        }
        change.claims.push((claim.name.to_owned(), value));
    }
    let declared = &here.web.app.settings.attributes;
    for (name, attribute) in declared.iter().filter(|(_, attribute)| attribute.may_write(Party::User)) {
        let field = format!("{OF_ATTRIBUTES}{name}");
        let saved = user.attributes.get(name).map(text_of).unwrap_or_default();
        let Some(typed) = touched(form, &field, &saved) else { continue };
        let (name, value) = (name.to_owned(), typed_value(attribute.kind, &typed));
        if attributes::with(&AttributeValues::new(), [(&name, &value)], declared).is_err() {
            let label = Some(capitalised(&attribute.label(&name)));
            faults.push(Fault { label, field: field.into(), ..unfit_attribute(attribute) });
        }
        change.attributes.insert(name, value);
    }
    if attributes::with(&user.attributes, &change.attributes, declared).is_err() && faults.is_empty() {
        faults.push(Fault::new("", "account-too-much"));
    }
    if faults.is_empty() { Ok(change) } else { Err(faults) }
}

/// What was typed into a field that has changed.
fn touched(form: &Parameters, name: &str, saved: &str) -> Option<String> {
    let typed = form.has(name).then(|| tidy(form.get(name).unwrap_or_default()))?;
    (typed != tidy(saved)).then_some(typed)
}

/// Without what a browser or a hurry adds: lines end in a line feed, and nothing stands around a text.
fn tidy(text: &str) -> String {
    text.replace("\r\n", "\n").trim().to_owned()
}

/// What somebody means who types as people do.
fn meant(shape: Shape, typed: &str) -> String {
    match shape {
        Shape::Phone => typed.chars().filter(|letter| !" -–./()\u{a0}".contains(*letter)).collect(),
        Shape::Url if !typed.is_empty() && !typed.contains("://") => format!("https://{typed}"),
        _ => typed.to_owned(),
    }
}

fn typed_value(kind: Kind, typed: &str) -> Value {
    let read = match kind {
        _ if typed.is_empty() => Some(Value::Null),
        Kind::String | Kind::Date => None,
        Kind::Integer => typed.parse::<i64>().ok().map(Value::from),
        Kind::Number => typed.replace(',', ".").parse::<f64>().ok().map(Value::from),
        Kind::Boolean => typed.parse::<bool>().ok().map(Value::from),
        Kind::Strings => Some(typed.lines().map(str::trim).filter(|line| !line.is_empty()).map(Value::from).collect()),
    };
    // What is no value of its type is refused as such.
    read.unwrap_or_else(|| typed.into())
}

fn fault(frame: &Frame, claim: &Claim, fault: Fault) -> Fault {
    Fault { label: Some(frame.words.say(claim.label)), ..fault }
}

fn unfit(claim: &Claim) -> Fault {
    match (claim.shape, claim.name) {
        (Shape::Phone, _) => Fault::new(claim.name, "account-phone-malformed"),
        (Shape::Url, _) => Fault::new(claim.name, "account-url-malformed"),
        (Shape::Birthdate, _) => Fault::new(claim.name, "account-birthdate-malformed"),
        (_, "zoneinfo") => Fault::new(claim.name, "account-zone-malformed"),
        (Shape::Language, _) => Fault::new(claim.name, "account-language-malformed"),
        (Shape::Lines | Shape::Leftover, _) => Fault::new(claim.name, "field-too-long").with("max", "1000"),
        (Shape::Text, _) => Fault::new(claim.name, "field-too-long").with("max", "200"),
    }
}

fn unfit_attribute(attribute: &Attribute) -> Fault {
    let longest = attribute.max_length.to_string();
    match attribute.kind {
        Kind::String => Fault::new("", "field-too-long").with("max", longest),
        Kind::Integer => Fault::new("", "account-whole-number"),
        Kind::Number => Fault::new("", "account-number"),
        Kind::Boolean => Fault::new("", "account-yes-or-no"),
        Kind::Date => Fault::new("", "account-date-malformed"),
        Kind::Strings => Fault::new("", "account-lines-many").with("max", longest),
    }
}
