//! What OpenID Connect says about a person besides name, username and email (OpenID Connect Core section 5.1): typed, so
//! that every claim leaves with the type that the standard gives it.

use chrono::NaiveDate;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use unic_langid::LanguageIdentifier;

/// The standard claims that are kept as they were given. What is unknown is left out, never empty.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
#[expect(clippy::struct_field_names, reason = "the standard names the claims")]
pub struct Profile {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub given_name: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub family_name: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub middle_name: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub nickname: Option<String>,
    /// A page about the person.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub profile: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub picture: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub website: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub gender: Option<String>,
    /// `YYYY-MM-DD`, `0000-MM-DD` where the year is nobody's business, or `YYYY`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub birthdate: Option<String>,
    /// A name of the IANA time zone database.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub zoneinfo: Option<String>,
    /// A BCP 47 tag.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub locale: Option<String>,
    /// E.164, with `+`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub phone_number: Option<String>,
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub phone_number_verified: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub address: Option<Address>,
}

/// A postal address (OpenID Connect Core section 5.1.1).
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
#[expect(clippy::struct_field_names, reason = "the standard names the claims")]
pub struct Address {
    /// As on an envelope; lines end in a line feed.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub formatted: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub street_address: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub locality: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub region: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub postal_code: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub country: Option<String>,
}

/// A claim that cannot be kept as it was given.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{claim}: {reason}")]
pub struct ProfileFault {
    pub claim: String,
    pub reason: String,
}

impl ProfileFault {
    fn new(claim: &str, reason: impl Into<String>) -> Self {
        Self { claim: claim.to_owned(), reason: reason.into() }
    }
}

/// Longest claim, in characters.
const LONGEST: usize = 200;
/// Longest URL, and longest formatted address.
const LONGEST_TEXT: usize = 1000;

impl Profile {
    /// Reads what the database keeps.
    pub fn stored(json: Option<&str>) -> Self {
        json.and_then(|json| match serde_json::from_str(json) {
            Ok(profile) => Some(profile),
            Err(error) => {
                tracing::error!(%error, "a person's profile in the database cannot be read; it is left out");
                None
            }
        })
        .unwrap_or_default()
    }

    /// What the database keeps; nothing where nothing is known.
    pub fn to_stored(&self) -> Option<String> {
        if *self == Self::default() {
            return None;
        }
        serde_json::to_string(self).ok()
    }

    /// The claims as JSON.
    pub fn to_claims(&self) -> Map<String, Value> {
        match serde_json::to_value(self) {
            Ok(Value::Object(claims)) => claims,
            _ => Map::new(),
        }
    }

    /// With claims put in, by name; those of the address are `address.country`. An empty text or a null takes one away.
    pub fn with<'c>(&self, changes: impl IntoIterator<Item = (&'c str, Value)>) -> Result<Self, ProfileFault> {
        let mut claims = self.to_claims();
        for (name, value) in changes {
            let (members, member) = match name.split_once('.') {
                Some(("address", member)) => {
                    let address = claims.entry("address").or_insert_with(|| Value::Object(Map::new()));
                    (address.as_object_mut().ok_or_else(|| ProfileFault::new(name, "is no member"))?, member)
                }
                _ => (&mut claims, name),
            };
            if value.is_null() || value.as_str().is_some_and(str::is_empty) {
                members.remove(member);
            } else {
                members.insert(member.to_owned(), value);
            }
            // Each by itself, so that a fault names its claim.
            typed(claims.clone()).map_err(|reason| ProfileFault::new(name, reason))?;
        }
        let mut profile = typed(claims).map_err(|reason| ProfileFault::new("profile", reason))?;
        profile.address = profile.address.filter(|address| *address != Address::default());
        profile.check()?;
        Ok(profile)
    }

    /// The rules of each claim's type.
    fn check(&self) -> Result<(), ProfileFault> {
        let address = self.address.clone().unwrap_or_default();
        for (claim, value) in [
            ("given_name", &self.given_name),
            ("family_name", &self.family_name),
            ("middle_name", &self.middle_name),
            ("nickname", &self.nickname),
            ("gender", &self.gender),
            ("address.locality", &address.locality),
            ("address.region", &address.region),
            ("address.postal_code", &address.postal_code),
            ("address.country", &address.country),
        ] {
            require(claim, value.as_deref(), "has 1 to 200 printable characters", |text| {
                is_text(text, LONGEST, false)
            })?;
        }
        for (claim, value) in
            [("address.formatted", &address.formatted), ("address.street_address", &address.street_address)]
        {
            require(claim, value.as_deref(), "has 1 to 1000 characters", |text| is_text(text, LONGEST_TEXT, true))?;
        }
        for (claim, value) in [("profile", &self.profile), ("picture", &self.picture), ("website", &self.website)] {
            require(claim, value.as_deref(), "is an http or https URL", is_url)?;
        }
        require("birthdate", self.birthdate.as_deref(), "is YYYY-MM-DD, 0000-MM-DD or YYYY", is_birthdate)?;
        require("zoneinfo", self.zoneinfo.as_deref(), "is a time zone like Europe/Paris", is_zone)?;
        require("locale", self.locale.as_deref(), "is a language tag like en-GB", is_locale)?;
        require("phone_number", self.phone_number.as_deref(), "is like +442079460000 (E.164)", is_phone)?;
        if self.phone_number_verified && self.phone_number.is_none() {
            return Err(ProfileFault::new("phone_number_verified", "needs a phone_number"));
        }
        Ok(())
    }
}

fn typed(claims: Map<String, Value>) -> Result<Profile, String> {
    serde_json::from_value(Value::Object(claims)).map_err(|error| error.to_string())
}

fn require(
    claim: &str,
    value: Option<&str>,
    reason: &'static str,
    holds: impl Fn(&str) -> bool,
) -> Result<(), ProfileFault> {
    match value {
        Some(value) if !holds(value) => Err(ProfileFault::new(claim, reason)),
        _ => Ok(()),
    }
}

fn is_text(text: &str, longest: usize, lines: bool) -> bool {
    let printable = |character: char| !character.is_control() || (lines && character == '\n');
    !text.trim().is_empty() && text.chars().count() <= longest && text.chars().all(printable)
}

fn is_url(text: &str) -> bool {
    text.len() <= LONGEST_TEXT
        && url::Url::parse(text).is_ok_and(|url| matches!(url.scheme(), "http" | "https") && url.has_host())
}

fn is_birthdate(text: &str) -> bool {
    let digits = |text: &str, count: usize| text.len() == count && text.bytes().all(|byte| byte.is_ascii_digit());
    match text.split_once('-') {
        None => digits(text, 4),
        // 2000 was a leap year, so that 29 February without a year is a day.
        Some(("0000", day)) => day.len() == 5 && NaiveDate::parse_from_str(&format!("2000-{day}"), "%Y-%m-%d").is_ok(),
        Some((year, day)) => digits(year, 4) && day.len() == 5 && NaiveDate::parse_from_str(text, "%Y-%m-%d").is_ok(),
    }
}

/// The form of a name; which names there are changes several times a year.
fn is_zone(text: &str) -> bool {
    let part = |part: &str| {
        part.starts_with(|first: char| first.is_ascii_uppercase())
            && part.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"_+-".contains(&byte))
    };
    text.len() <= 64 && text.split('/').count() <= 3 && text.split('/').all(part)
}

fn is_locale(text: &str) -> bool {
    // Some write `en_GB`; the standard lets them (OpenID Connect Core section 5.1), and we keep what was given.
    text.len() <= 35 && text.replace('_', "-").parse::<LanguageIdentifier>().is_ok()
}

fn is_phone(text: &str) -> bool {
    text.strip_prefix('+').is_some_and(|digits| {
        (7..=15).contains(&digits.len()) && !digits.starts_with('0') && digits.bytes().all(|byte| byte.is_ascii_digit())
    })
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn with(claim: &str, value: &str) -> Result<Profile, String> {
        Profile::default().with([(claim, value.into())]).map_err(|fault| fault.to_string())
    }

    #[test]
    fn claims_keep_their_types() {
        let changes = [
            ("given_name", "Ada".into()),
            ("birthdate", "1815-12-10".into()),
            ("phone_number", "+442079460000".into()),
            ("phone_number_verified", true.into()),
            ("address.country", "GB".into()),
        ];
        let profile = Profile::default().with(changes).unwrap();
        let expected = json!({"given_name": "Ada", "birthdate": "1815-12-10", "phone_number": "+442079460000",
            "phone_number_verified": true, "address": {"country": "GB"}});
        assert_eq!(Value::Object(profile.to_claims()), expected);
        assert_eq!(Profile::stored(profile.to_stored().as_deref()), profile);
        let none = profile.with([("given_name", "".into()), ("address.country", Value::Null)]).unwrap();
        assert_eq!((none.given_name, none.address), (None, None));
    }

    #[test]
    fn what_is_no_such_claim_is_refused_by_name() {
        for (claim, value) in [
            ("nope", "x"),
            ("sub", "x"),
            ("address.planet", "Mars"),
            ("given_name", " "),
            ("given_name", "a\u{7}b"),
            ("picture", "javascript:alert(1)"),
            ("website", "nowhere"),
            ("birthdate", "10.12.1815"),
            ("birthdate", "1815-13-01"),
            ("birthdate", "0000-02-30"),
            ("zoneinfo", "../etc/passwd"),
            ("locale", "!"),
            ("phone_number", "0123"),
            ("phone_number_verified", "true"),
        ] {
            let said = with(claim, value).unwrap_err();
            assert!(said.starts_with(&format!("{claim}: ")), "{claim}={value}: {said}");
        }
        for (claim, value) in
            [("birthdate", "1815"), ("birthdate", "0000-02-29"), ("zoneinfo", "Europe/London"), ("locale", "en-GB")]
        {
            assert!(with(claim, value).is_ok(), "{claim}={value}");
        }
        assert!(Profile::default().with([("phone_number_verified", true.into())]).is_err());
    }
}
