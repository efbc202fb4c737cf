//! What a key is asked for with, and why it is not given.

use chrono::Duration;

use crate::oauth::scope;

/// How long a key lives where nobody says.
const USUAL_DAYS: i64 = 90;
/// A year, and a day to change over.
const MOST_DAYS: i64 = 366;

/// A key to be.
#[derive(Clone, Debug, Default)]
pub struct NewApiKey {
    /// For its owner to tell it from others.
    pub name: String,
    pub scopes: Vec<String>,
    /// The API that it is for; none: ourselves.
    pub audience: Option<String>,
    /// 90 days where it is not said.
    pub lifetime: Option<Duration>,
}

/// What is wrong with it.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ApiKeyFault {
    #[error("a name has 1 to 64 characters")]
    Name,
    #[error("say what the key is good for")]
    Scopeless,
    #[error("{0} is not for this key: its owner does not hold it, or there is no such thing")]
    Scope(String),
    #[error("there is no such API")]
    Audience,
    #[error("a key lives 366 days at the most, and a second at least")]
    Lifetime,
    #[error("a secret goes on for 30 days at the most beside its successor")]
    Overlap,
}

impl ApiKeyFault {
    /// What is wrong, by its name in the API.
    pub fn member(&self) -> &'static str {
        match self {
            Self::Name => "name",
            Self::Scopeless | Self::Scope(_) => "scopes",
            Self::Audience => "audience",
            Self::Lifetime => "expiresIn",
            Self::Overlap => "overlap",
        }
    }
}

/// The same with everything filled in and nothing wrong that can be seen without asking the database.
pub(super) struct Checked {
    pub(super) name: String,
    pub(super) scopes: Vec<String>,
    pub(super) audience: Option<String>,
    pub(super) lifetime: Duration,
}

impl NewApiKey {
    pub(super) fn checked(self, issuer: &str) -> Result<Checked, ApiKeyFault> {
        let name = self.name.trim().to_owned();
        if !(1..=64).contains(&name.chars().count()) || name.chars().any(char::is_control) {
            return Err(ApiKeyFault::Name);
        }
        let audience = self.audience.filter(|audience| audience != issuer);
        if audience.as_ref().is_some_and(|audience| audience.contains('\0')) {
            return Err(ApiKeyFault::Audience);
        }
        if let Some(wrong) = self.scopes.iter().find(|text| !scope::is_token(text)) {
            return Err(ApiKeyFault::Scope(wrong.clone()));
        }
        let scopes = scope::parse(&self.scopes.join(" ")).ok_or(ApiKeyFault::Scopeless)?;
        if scopes.is_empty() && audience.is_none() {
            return Err(ApiKeyFault::Scopeless);
        }
        let lifetime = self.lifetime.unwrap_or(Duration::days(USUAL_DAYS));
        if lifetime < Duration::seconds(1) || lifetime > Duration::days(MOST_DAYS) {
            return Err(ApiKeyFault::Lifetime);
        }
        Ok(Checked { name, scopes, audience, lifetime })
    }
}

/// So many seconds as a key's lifetime.
pub fn lifetime_of(seconds: i64) -> Result<Duration, ApiKeyFault> {
    Duration::try_seconds(seconds).ok_or(ApiKeyFault::Lifetime)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn key() -> NewApiKey {
        NewApiKey { name: "ci".to_owned(), scopes: vec!["account".to_owned()], ..NewApiKey::default() }
    }

    #[test]
    fn what_is_asked_for_is_filled_in() {
        let checked = NewApiKey {
            name: "  ci ".to_owned(),
            scopes: vec!["a:b".to_owned(), "a:b".to_owned()],
            audience: Some("https://id.example".to_owned()),
            lifetime: None,
        };
        let checked = checked.checked("https://id.example").unwrap();
        assert_eq!((checked.name.as_str(), checked.audience, checked.lifetime), ("ci", None, Duration::days(90)));
        assert_eq!(checked.scopes, ["a:b"]);
    }

    #[test]
    fn refusals_name_the_member() {
        let member = |new: NewApiKey| new.checked("https://id.example").err().map(|fault| fault.member());
        assert_eq!(member(key()), None);
        for name in ["", "  ", "a\nb", &"x".repeat(65)] {
            assert_eq!(member(NewApiKey { name: name.to_owned(), ..key() }), Some("name"), "{name:?}");
        }
        for scopes in [vec![], vec![String::new()], vec!["a b".to_owned()], vec!["\u{e4}".to_owned()]] {
            assert_eq!(member(NewApiKey { scopes: scopes.clone(), ..key() }), Some("scopes"), "{scopes:?}");
        }
        for seconds in [0, -1, 366 * 86_400 + 1, i64::from(u32::MAX)] {
            let lifetime = Some(Duration::seconds(seconds));
            assert_eq!(member(NewApiKey { lifetime, ..key() }), Some("expiresIn"), "{seconds}");
        }
        assert!(lifetime_of(i64::MAX).is_err());
        assert_eq!(member(NewApiKey { lifetime: Some(Duration::days(366)), ..key() }), None);
        let elsewhere = NewApiKey { scopes: vec![], audience: Some("https://api".to_owned()), ..key() };
        assert_eq!(member(elsewhere), None);
    }
}
