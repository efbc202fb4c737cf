//! From what a mail is about to what is read: subject, text and HTML, in the reader's language.

use std::time::{Duration, SystemTime};

use askama::Template;
use lettre::message::header::{HeaderName, HeaderValue};
use lettre::message::{Mailbox, MultiPart};
use uuid::Uuid;

use super::{Letter, Topic};
use crate::platform::agent;
use crate::platform::clock::from_millis;
use crate::platform::settings::Settings;
use crate::platform::words::{Catalogues, Words};

/// Whose mails these are.
#[derive(Clone)]
pub(crate) struct Letterhead {
    catalogues: Catalogues,
    brand: String,
    issuer: String,
    host: String,
    verify: String,
    reset: String,
    verify_hours: String,
    reset_hours: String,
    from: Mailbox,
}

/// A mail that can be read.
pub(crate) struct Rendered {
    pub(crate) subject: String,
    pub(crate) text: String,
    pub(crate) html: String,
}

/// The one thing to do.
struct Action {
    label: String,
    href: String,
    /// How long and how often.
    good: Option<String>,
}

#[derive(Template)]
#[template(path = "mail/letter.html")]
struct HtmlPart<'a> {
    sheet: &'a Sheet,
}

#[derive(Template)]
#[template(path = "mail/letter.txt")]
struct TextPart<'a> {
    sheet: &'a Sheet,
}

/// Everything that stands in a mail; both parts lay it out.
struct Sheet {
    words: Words,
    brand: String,
    subject: String,
    lead: String,
    action: Option<Action>,
    /// Who asked: time, place, device.
    facts: Vec<(String, String)>,
    /// What to do if it was not you.
    otherwise: String,
}

impl Letterhead {
    pub(crate) fn new(catalogues: Catalogues, settings: &Settings) -> Result<Self, String> {
        let or = |own: &str, page: &str| {
            if own.is_empty() { format!("{}{page}", settings.issuer) } else { own.to_owned() }
        };
        let hours = |millis: i64| ((millis + 3_599_999) / 3_600_000).to_string();
        Ok(Self {
            catalogues,
            brand: settings.branding.name.clone(),
            issuer: settings.issuer.clone(),
            host: settings.host(),
            verify: or(&settings.mail.links.verify, "/verify-email"),
            reset: or(&settings.mail.links.reset, "/reset-password"),
            verify_hours: hours(settings.mail.verify_lifetime.get()),
            reset_hours: hours(settings.mail.reset_lifetime.get()),
            from: settings.mail.sender()?,
        })
    }

    pub(crate) fn from(&self) -> String {
        self.from.to_string()
    }

    /// The mail as the relay takes it. Headers are typed: none of them can hold a line break.
    pub(crate) fn message(&self, letter: &Letter, id: Uuid) -> Result<lettre::Message, String> {
        let Rendered { subject, text, html } = self.render(letter).map_err(|error| error.to_string())?;
        let to = Mailbox::new(None, letter.to.parse().map_err(|_| "not an address".to_owned())?);
        let automatic = HeaderValue::new(HeaderName::new_from_ascii_str("Auto-Submitted"), "auto-generated".to_owned());
        let millis = Duration::from_millis(letter.at.unsigned_abs());
        lettre::Message::builder()
            .from(self.from.clone())
            .to(to)
            .subject(subject)
            .date(SystemTime::UNIX_EPOCH + millis)
            // The same at every attempt, so that a mail that was taken twice is shown once.
            .message_id(Some(format!("<{id}@{}>", self.host)))
            .raw_header(automatic)
            .multipart(MultiPart::alternative_plain_html(text, html))
            .map_err(|error| error.to_string())
    }

    pub(crate) fn render(&self, letter: &Letter) -> Result<Rendered, askama::Error> {
        let sheet = self.sheet(letter);
        let (text, html) = (TextPart { sheet: &sheet }.render()?, HtmlPart { sheet: &sheet }.render()?);
        Ok(Rendered { subject: sheet.subject, text, html })
    }

    fn sheet(&self, letter: &Letter) -> Sheet {
        let words = self.catalogues.choose(letter.language.as_deref(), None);
        let brand @ [named] = [("brand", self.brand.as_str())];
        let action = |label: &str, href: String, hours: Option<&str>| Action {
            label: words.say(label),
            href,
            good: hours.map(|hours| words.say_with("mail-good", &[("hours", hours)])),
        };
        let (subject, lead, otherwise, action) = match &letter.topic {
            Topic::VerifyEmail { token } => (
                "mail-verify-subject",
                "mail-verify-lead",
                "mail-verify-otherwise",
                Some(action("mail-verify-button", with_token(&self.verify, token), Some(&self.verify_hours))),
            ),
            Topic::ResetPassword { token } => (
                "mail-reset-subject",
                "mail-reset-lead",
                "mail-reset-otherwise",
                Some(action("mail-reset-button", with_token(&self.reset, token), Some(&self.reset_hours))),
            ),
            Topic::ChangeEmail { token } => (
                "mail-change-subject",
                "mail-change-lead",
                "mail-change-otherwise",
                Some(action("mail-change-button", with_token(&self.verify, token), Some(&self.verify_hours))),
            ),
            Topic::EmailChangeAsked => ("mail-changing-subject", "mail-changing-lead", "mail-changing-otherwise", None),
            Topic::EmailChanged => ("mail-changed-subject", "mail-changed-lead", "mail-changed-otherwise", None),
            Topic::PasswordChanged => ("mail-password-subject", "mail-password-lead", "mail-password-otherwise", None),
            Topic::AccountExists => (
                "mail-exists-subject",
                "mail-exists-lead",
                "mail-exists-otherwise",
                Some(action("mail-exists-button", format!("{}/sign-in", self.issuer), None)),
            ),
            Topic::NewDevice => (
                "mail-new-device-subject",
                "mail-new-device-lead",
                "mail-new-device-otherwise",
                Some(action("mail-new-device-button", format!("{}/forgot-password", self.issuer), None)),
            ),
            Topic::WayInAdded { .. } => ("mail-way-subject", "mail-way-lead", "mail-way-otherwise", None),
            Topic::LinkCode { .. } => ("mail-code-subject", "mail-code-lead", "mail-code-otherwise", None),
            Topic::AccountLeaves { .. } => (
                "mail-leave-subject",
                "mail-leave-lead",
                "mail-leave-otherwise",
                Some(action("mail-leave-button", format!("{}/sign-in?then=account", self.issuer), None)),
            ),
            Topic::AccountStays => (
                "mail-stay-subject",
                "mail-stay-lead",
                "mail-stay-otherwise",
                Some(action("mail-new-device-button", format!("{}/forgot-password", self.issuer), None)),
            ),
            Topic::ExportReady { .. } => (
                "mail-export-subject",
                "mail-export-lead",
                "mail-export-otherwise",
                Some(action("mail-export-button", format!("{}/account/data", self.issuer), None)),
            ),
        };
        Sheet {
            subject: words.say_with(subject, &brand),
            lead: match &letter.topic {
                // In two halves, as people read and type it.
                Topic::LinkCode { code } => {
                    let (first, second) = code.split_at_checked(4).unwrap_or((code, ""));
                    words.say_with(lead, &[named, ("code", &format!("{first} {second}"))])
                }
                Topic::AccountLeaves { leaves_at: day } | Topic::ExportReady { expires_at: day } => {
                    words.say_with(lead, &[named, ("time", &time(&words, *day))])
                }
                Topic::WayInAdded { provider } => words.say_with(lead, &[named, ("provider", provider)]),
                _ => words.say_with(lead, &brand),
            },
            action,
            facts: facts(&words, letter),
            otherwise: words.say_with(otherwise, &brand),
            brand: self.brand.clone(),
            words,
        }
    }
}

/// A page's address with the token behind it.
fn with_token(page: &str, token: &str) -> String {
    let joint = match page.chars().last() {
        Some('?' | '&' | '#') => "",
        _ if page.contains('?') => "&",
        _ => "?",
    };
    format!("{page}{joint}token={token}")
}

/// A time, given in milliseconds since 1970.
fn time(words: &Words, at: i64) -> String {
    let at = from_millis(at);
    let part = |format: &str| at.format(format).to_string();
    words.say_with(
        "mail-time",
        &[("year", &part("%Y")), ("month", &part("%m")), ("day", &part("%d")), ("time", &part("%H:%M"))],
    )
}

fn facts(words: &Words, letter: &Letter) -> Vec<(String, String)> {
    let mut facts = vec![(words.say("mail-when"), time(words, letter.at))];
    facts.extend(letter.address.clone().map(|address| (words.say("mail-where"), address)));
    facts.extend(letter.user_agent.as_deref().and_then(device).map(|(browser, system)| {
        let device = match system {
            Some(system) => words.say_with("mail-device", &[("browser", browser), ("system", system)]),
            None => browser.to_owned(),
        };
        (words.say("mail-with"), device)
    }));
    facts
}

/// What a browser says of itself, in words of ours: whoever asks for a mail could write anything there.
pub(crate) fn device(user_agent: &str) -> Option<(&'static str, Option<&'static str>)> {
    let device = agent::device(user_agent);
    Some((device.browser?, device.system))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_token_is_appended() {
        for (page, link) in [
            ("https://a.example/verify", "https://a.example/verify?token=t"),
            ("https://a.example/?step=reset", "https://a.example/?step=reset&token=t"),
            ("https://a.example/reset#", "https://a.example/reset#token=t"),
            ("https://a.example/#/reset", "https://a.example/#/reset?token=t"),
        ] {
            assert_eq!(with_token(page, "t"), link);
        }
    }

    #[test]
    fn al_27_devices_are_named_in_our_own_words() {
        let firefox = "Mozilla/5.0 (X11; Linux x86_64; rv:145.0) Gecko/20100101 Firefox/145.0";
        assert_eq!(device(firefox), Some(("Firefox", Some("Linux"))));
        let safari =
            "Mozilla/5.0 (iPhone; CPU iPhone OS 18_0 like Mac OS X) AppleWebKit/605.1.15 Version/18.0 Safari/604.1";
        assert_eq!(device(safari), Some(("Safari", Some("iPhone"))));
        assert_eq!(device("Call https://evil.example at once"), None);
        assert_eq!(device("Firefox/1 https://evil.example"), Some(("Firefox", None)));
    }
}
