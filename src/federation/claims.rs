//! What is taken of what a provider says of somebody, by the rules of its declaration.

use std::collections::BTreeMap;

use chrono::{DateTime, Utc};
use serde_json::{Map, Value};

use super::registry::Provider;
use super::{FederationError, LEEWAY};
use crate::identity::Arrival;
use crate::platform::settings::{self, AssuranceBy, Mapping, TrustEmail};

/// The longest subject that the standard allows (OpenID Connect Core 1.0 section 2).
const LONGEST_SUBJECT: usize = 255;
/// The longest address that mail can have.
const LONGEST_ADDRESS: usize = 254;
/// What our own tokens say of a sign-in elsewhere that no rule speaks of: no assurance.
const NO_ASSURANCE: &str = "0";

/// Whether a provider has spoken of groups.
pub(super) fn says_groups(declared: &settings::Provider, claims: &Map<String, Value>) -> bool {
    at(claims, &declared.groups_claim).is_some()
}

/// The claim at a path. A name with dots in it comes before the path: `https://id.example/groups`.
fn at<'c>(claims: &'c Map<String, Value>, path: &str) -> Option<&'c Value> {
    if let Some(value) = claims.get(path) {
        return Some(value);
    }
    let (first, rest) = path.split_once('.')?;
    match claims.get(first)? {
        Value::Object(members) => at(members, rest),
        _ => None,
    }
}

fn text(value: Option<&Value>) -> Option<String> {
    match value? {
        Value::String(text) => Some(text.clone()).filter(|text| !text.is_empty()),
        Value::Number(number) => Some(number.to_string()),
        _ => None,
    }
}

/// A list of texts, or one.
fn texts(value: Option<&Value>) -> Vec<String> {
    match value {
        Some(Value::Array(list)) => list.iter().filter_map(|one| text(Some(one))).collect(),
        one => text(one).into_iter().collect(),
    }
}

/// Whether userinfo need not be asked.
pub(super) fn are_enough(declared: &settings::Provider, claims: &Map<String, Value>) -> bool {
    let groups = declared.roles.is_empty() || says_groups(declared, claims);
    let proven = declared.trust_email != TrustEmail::Verified || at(claims, &declared.email_verified_claim).is_some();
    let name = declared.profile_at_creation.iter().chain(&declared.profile_always).find(|rule| rule.target == "name");
    let address = at(claims, &declared.email_claim).is_some();
    groups && proven && address && name.is_none_or(|rule| at(claims, &rule.path).is_some())
}

/// The address of a list like GitHub's: the primary one, which a verified one comes before.
pub(super) fn choose_address(declared: &settings::Provider, claims: &mut Map<String, Value>, list: &Value) {
    let is = |one: &Value, member: &str| one.get(member).and_then(Value::as_bool) == Some(true);
    let addresses: Vec<&Value> = list.as_array().into_iter().flatten().collect();
    let chosen = addresses
        .iter()
        .find(|one| is(one, "primary") && is(one, "verified"))
        .or_else(|| addresses.iter().find(|one| is(one, "primary")));
    if let Some(address) = chosen {
        let email = address.get("email").cloned().unwrap_or_default();
        claims.insert(declared.email_claim.clone(), email);
        claims.insert(declared.email_verified_claim.clone(), is(address, "verified").into());
    }
}

/// Somebody as our rules have them. `asked` is when they were sent there; nothing of a token that a program has brought.
pub(super) fn arrival(
    provider: &Provider,
    claims: &Map<String, Value>,
    asked: Option<DateTime<Utc>>,
    now: DateTime<Utc>,
) -> Result<Arrival, FederationError> {
    let declared = &provider.declared;
    let subject = text(at(claims, &declared.subject_claim))
        .filter(|subject| subject.len() <= LONGEST_SUBJECT && !subject.chars().any(char::is_control))
        .ok_or_else(|| FederationError::Unbelievable("it does not say who this is".to_owned()))?;
    let email = match at(claims, &declared.email_claim) {
        Some(Value::String(email)) if !email.is_empty() && email.len() <= LONGEST_ADDRESS => Some(email.clone()),
        _ => None,
    };
    let email_proven = email.is_some()
        && match declared.trust_email {
            TrustEmail::Always => true,
            TrustEmail::Never => false,
            // Exactly true: a text that says so is a provider that does not know its own types.
            TrustEmail::Verified => at(claims, &declared.email_verified_claim) == Some(&Value::Bool(true)),
        };
    let groups = texts(at(claims, &declared.groups_claim));
    let mut roles: Vec<String> =
        declared.roles.iter().filter(|rule| groups.contains(&rule.group)).map(|rule| rule.role.clone()).collect();
    roles.sort();
    roles.dedup();
    // Plain OAuth 2 proves nothing of how and when somebody signed in.
    let proven = if provider.is_openid() { claims } else { &Map::new() };
    let (acr, amr) = assurance(declared, proven);
    let auth_time = proven.get("auth_time").and_then(Value::as_i64).and_then(DateTime::from_timestamp_secs);
    Ok(Arrival {
        provider: provider.name.clone(),
        issuer: provider.identity.clone(),
        subject,
        kind: if provider.is_openid() { "oidc" } else { "oauth" }.to_owned(),
        email,
        email_proven,
        at_creation: mapped(claims, declared.profile_at_creation.iter().chain(&declared.profile_always)),
        always: mapped(claims, &declared.profile_always),
        roles: Some(roles),
        acr,
        amr,
        auth_time: proven_time(auth_time, asked, now),
        sid: text(proven.get("sid")).filter(|sid| sid.len() <= LONGEST_SUBJECT),
        id_token: None,
    })
}

/// Milliseconds since 1970 of what a provider proves of when somebody authenticated; 0: nothing. In whole seconds and by another
/// clock, so whoever authenticated while we waited for them did it when we sent them at the earliest.
fn proven_time(said: Option<DateTime<Utc>>, asked: Option<DateTime<Utc>>, now: DateTime<Utc>) -> i64 {
    let Some(said) = said else { return 0 };
    let since = asked.filter(|asked| said >= *asked - LEEWAY).map_or(said, |asked| said.max(asked));
    since.min(now).timestamp_millis().max(0)
}

/// What the sign-in is worth here: the first rule that fits says it.
fn assurance(declared: &settings::Provider, claims: &Map<String, Value>) -> (String, String) {
    let (acr, amr) = (text(claims.get("acr")), texts(claims.get("amr")));
    let fits = |rule: &&settings::AssuranceRule| match rule.by {
        AssuranceBy::Acr => acr.as_deref() == Some(rule.value.as_str()),
        AssuranceBy::Amr => amr.contains(&rule.value),
    };
    let Some(rule) = declared.assurance.iter().find(fits) else {
        return (NO_ASSURANCE.to_owned(), "fed".to_owned());
    };
    // Only what a rule speaks of is believed.
    let method = match rule.by {
        AssuranceBy::Amr if !rule.value.contains(char::is_whitespace) => format!("fed {}", rule.value),
        _ => "fed".to_owned(),
    };
    (rule.acr.clone(), method)
}

fn mapped<'r>(claims: &Map<String, Value>, rules: impl IntoIterator<Item = &'r Mapping>) -> BTreeMap<String, Value> {
    let taken = rules.into_iter().filter_map(|rule| {
        let value = at(claims, &rule.path).filter(|value| !value.is_null())?;
        Some((rule.target.clone(), value.clone()))
    });
    taken.collect()
}

#[cfg(test)]
mod tests {
    use chrono::Duration;
    use serde_json::json;

    use super::*;

    fn map(value: Value) -> Map<String, Value> {
        match value {
            Value::Object(members) => members,
            other => panic!("{other}"),
        }
    }

    #[test]
    fn paths_reach_into_objects_and_names_may_have_dots() {
        let claims = map(json!({"a": {"b": {"c": 1}}, "https://id.example/groups": ["x"], "a.b": 2}));
        assert_eq!(at(&claims, "a.b.c"), Some(&json!(1)));
        assert_eq!(at(&claims, "a.b"), Some(&json!(2)));
        assert_eq!(texts(at(&claims, "https://id.example/groups")), ["x"]);
        assert_eq!(at(&claims, "a.x.c"), None);
    }

    #[test]
    fn when_somebody_authenticated_is_what_is_proven() {
        let at = |seconds| DateTime::from_timestamp_secs(seconds).unwrap();
        let (asked, now) = (at(1_000) + Duration::milliseconds(500), at(1_030));
        assert_eq!(proven_time(None, Some(asked), now), 0);
        assert_eq!(proven_time(Some(at(1_010)), Some(asked), now), 1_010_000);
        // In the second in which they were sent, or by a clock that is behind.
        assert_eq!(proven_time(Some(at(1_000)), Some(asked), now), 1_000_500);
        assert_eq!(proven_time(Some(at(950)), Some(asked), now), 1_000_500);
        assert_eq!(proven_time(Some(at(900)), Some(asked), now), 900_000);
        assert_eq!(proven_time(Some(at(2_000)), Some(asked), now), now.timestamp_millis());
        assert_eq!(proven_time(Some(at(950)), None, now), 950_000);
    }

    #[test]
    fn the_address_of_a_list_is_the_primary_one_and_rather_a_verified_one() {
        let declared = settings::Provider { preset: settings::Preset::GitHub, ..Default::default() }.with_preset();
        let of = |list: Value| {
            let mut claims = map(json!({"email": "public@example.com"}));
            choose_address(&declared, &mut claims, &list);
            (claims["email"].clone(), claims.get("email_verified").cloned())
        };
        let primary = json!([{"email": "a@x", "primary": false, "verified": true},
                             {"email": "b@x", "primary": true, "verified": true}]);
        assert_eq!(of(primary), (json!("b@x"), Some(json!(true))));
        let unverified = json!([{"email": "b@x", "primary": true, "verified": false}]);
        assert_eq!(of(unverified), (json!("b@x"), Some(json!(false))));
        assert_eq!(of(json!([])), (json!("public@example.com"), None));
    }

    #[test]
    fn al_17_only_a_true_is_a_true() {
        let declared = settings::Provider {
            issuer: "https://op.example".to_owned(),
            client_id: "a".to_owned(),
            ..Default::default()
        };
        let provider = Provider::of_settings("op", &declared);
        for (said, proven) in [
            (json!(true), true),
            (json!("true"), false),
            (json!("false"), false),
            (json!(1), false),
            (json!(null), false),
        ] {
            let claims = map(json!({"sub": "s", "email": "a@example.com", "email_verified": said}));
            let arrival = arrival(&provider, &claims, None, DateTime::UNIX_EPOCH).ok().unwrap();
            assert_eq!(arrival.email_proven, proven, "{said}");
        }
    }
}
