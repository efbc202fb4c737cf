//! The small rules of a provider's declaration: each one text, `LEFT=RIGHT`.

use serde::{Deserialize, Serialize};

use crate::platform::names;

/// A claim of ours, or a declared attribute, that is taken over from a claim of the provider's: `picture=avatar_url`, or `name`
/// where both are called the same.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Mapping {
    pub target: String,
    /// Dotted.
    pub path: String,
}

impl Mapping {
    pub(super) fn new(target: &str, path: &str) -> Self {
        Self { target: target.to_owned(), path: path.to_owned() }
    }
}

/// A role that members of a group at the provider have here: `GROUP=ROLE`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct RoleRule {
    pub group: String,
    pub role: String,
}

/// The claim by which a provider says how somebody signed in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AssuranceBy {
    Acr,
    Amr,
}

/// What a sign-in at the provider is worth here: `acr:VALUE=ACR` or `amr:VALUE=ACR`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct AssuranceRule {
    pub by: AssuranceBy,
    pub value: String,
    pub acr: String,
}

fn is_plain(text: &str) -> bool {
    !text.is_empty() && text.chars().count() <= 200 && !text.chars().any(char::is_control)
}

/// Whether a text can be the path of a claim: `user.id`.
pub(super) fn is_path(text: &str) -> bool {
    is_plain(text) && text.split('.').all(|member| !member.is_empty())
}

impl TryFrom<String> for Mapping {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        let (target, path) = text.split_once('=').unwrap_or((&text, &text));
        let (target, path) = (target.trim(), path.trim());
        if is_plain(target) && is_path(path) {
            Ok(Self::new(target, path))
        } else {
            Err(format!("{text:?} is not like name, or picture=avatar_url"))
        }
    }
}

impl From<Mapping> for String {
    fn from(mapping: Mapping) -> Self {
        if mapping.target == mapping.path { mapping.target } else { format!("{}={}", mapping.target, mapping.path) }
    }
}

impl TryFrom<String> for RoleRule {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        // Groups of directories hold the sign themselves: cn=admins,ou=people.
        let (group, role) = text.rsplit_once('=').unwrap_or_default();
        let (group, role) = (group.trim(), role.trim());
        if is_plain(group) && names::is_name(role, b"-_") {
            Ok(Self { group: group.to_owned(), role: role.to_owned() })
        } else {
            Err(format!("{text:?} is not like GROUP=ROLE; a role has small letters, digits, - and _, a letter first"))
        }
    }
}

impl From<RoleRule> for String {
    fn from(rule: RoleRule) -> Self {
        format!("{}={}", rule.group, rule.role)
    }
}

impl TryFrom<String> for AssuranceRule {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        let (claim, rest) = text.split_once(':').unwrap_or_default();
        let by = match claim.trim() {
            "acr" => Some(AssuranceBy::Acr),
            "amr" => Some(AssuranceBy::Amr),
            _ => None,
        };
        let (value, acr) = rest.rsplit_once('=').unwrap_or_default();
        let (value, acr) = (value.trim(), acr.trim());
        match by {
            // Applications ask for several, separated by spaces.
            Some(by) if is_plain(value) && is_plain(acr) && !acr.contains(char::is_whitespace) => {
                Ok(Self { by, value: value.to_owned(), acr: acr.to_owned() })
            }
            _ => Err(format!("{text:?} is not like acr:VALUE=ACR, or amr:VALUE=ACR")),
        }
    }
}

impl From<AssuranceRule> for String {
    fn from(rule: AssuranceRule) -> Self {
        let claim = match rule.by {
            AssuranceBy::Acr => "acr",
            AssuranceBy::Amr => "amr",
        };
        format!("{claim}:{}={}", rule.value, rule.acr)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn again<T: TryFrom<String, Error = String> + Into<String>>(text: &str) -> Result<String, String> {
        T::try_from(text.to_owned()).map(Into::into)
    }

    #[test]
    fn rules_are_read_and_written() {
        for text in ["name", "picture=avatar_url", "companyName=org.name"] {
            assert_eq!(again::<Mapping>(text).as_deref(), Ok(text));
        }
        assert_eq!(again::<Mapping>("name = name").as_deref(), Ok("name"));
        for text in ["staff=editor", "cn=admins,ou=people=admin", "Team A=team_a"] {
            assert_eq!(again::<RoleRule>(text).as_deref(), Ok(text));
        }
        for text in ["amr:mfa=urn:bonafide:acr:mfa", "acr:https://op.example.com/?l=2=phr"] {
            assert_eq!(again::<AssuranceRule>(text).as_deref(), Ok(text));
        }
        let rule = RoleRule::try_from("cn=admins,ou=people=admin".to_owned()).unwrap();
        assert_eq!((rule.group.as_str(), rule.role.as_str()), ("cn=admins,ou=people", "admin"));
        let rule = AssuranceRule::try_from("amr:hwk=phr".to_owned()).unwrap();
        assert_eq!((rule.by, rule.value.as_str(), rule.acr.as_str()), (AssuranceBy::Amr, "hwk", "phr"));
    }

    #[test]
    fn what_is_no_rule_is_refused_with_a_sentence() {
        for text in ["", "=", "name=", "=name", "name=a..b", "name=.a", "na\u{7}me"] {
            assert!(again::<Mapping>(text).is_err(), "{text:?}");
        }
        for text in ["", "staff", "=admin", "staff=", "staff=Admin", "staff=two words", "staff=7"] {
            assert!(again::<RoleRule>(text).is_err(), "{text:?}");
        }
        for text in ["", "mfa=x", "amr:mfa", "amr:=x", "amr:mfa=", "amr:mfa=two words", "azp:a=b"] {
            assert!(again::<AssuranceRule>(text).is_err(), "{text:?}");
        }
        assert_eq!(again::<RoleRule>("staff").unwrap_err().split(" is not like").next(), Some("\"staff\""));
    }
}
