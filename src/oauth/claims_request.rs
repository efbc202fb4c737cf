//! The parameter `claims` (OpenID Connect Core section 5.5): single claims, asked for by name.

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use super::{claims, scope};
use crate::platform::settings::Attributes;

/// Longer than a request for every claim that we know.
const LONGEST: usize = 8192;

/// What of a request for claims matters to us. What we cannot give is not in it: unknown claims are no error (section 5.5.1).
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ClaimsRequest {
    pub names: Requested,
    /// The person that the application means (`sub` with a value).
    pub subject: Option<String>,
    /// The only `acr` values that will do: asked for as essential (section 5.5.1.1).
    pub essential_acr: Option<Vec<String>>,
}

/// Claims about the person, by where they are wanted; this is what a grant remembers.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Requested {
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub userinfo: Vec<String>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub id_token: Vec<String>,
}

impl Requested {
    /// Reads what the database keeps.
    pub fn stored(json: Option<&str>) -> Self {
        json.and_then(|json| serde_json::from_str(json).ok()).unwrap_or_default()
    }

    /// What the database keeps; nothing where nothing was asked for.
    pub fn to_stored(&self) -> Option<String> {
        if *self == Self::default() { None } else { serde_json::to_string(self).ok() }
    }

    /// Only claims of which the predicate allows the scope that gives them too.
    fn retain(&mut self, declared: &Attributes, may_ask_for: impl Fn(&str) -> bool) {
        let mut allowed = |name: &String| claims::scope_of(name, declared).is_some_and(&may_ask_for);
        self.userinfo.retain(&mut allowed);
        self.id_token.retain(allowed);
    }

    /// The scopes that would give these claims: what the person is asked to allow.
    pub fn scopes<'a>(&'a self, declared: &'a Attributes) -> impl Iterator<Item = &'a str> {
        let given = |scope: &&str| {
            self.userinfo.iter().chain(&self.id_token).any(|name| claims::scope_of(name, declared) == Some(*scope))
        };
        scope::STANDARD.into_iter().chain(declared.scopes()).filter(given)
    }
}

impl ClaimsRequest {
    /// Reads the parameter. `may_ask_for` says which scopes the client is registered with: a claim needs no scope in the request,
    /// but a client that may not have the scope cannot have its claims by another way either.
    pub fn parse(text: &str, declared: &Attributes, may_ask_for: impl Fn(&str) -> bool) -> Result<Self, &'static str> {
        const MALFORMED: &str = "claims is not a JSON object of the members userinfo and id_token";
        if text.len() > LONGEST {
            return Err("claims is too long");
        }
        let Ok(Value::Object(all)) = serde_json::from_str(text) else { return Err(MALFORMED) };
        let (empty, mut request) = (Map::new(), Self::default());
        let section = |name: &str| match all.get(name) {
            None | Some(Value::Null) => Ok(&empty),
            Some(Value::Object(section)) => Ok(section),
            Some(_) => Err(MALFORMED),
        };
        let (userinfo, id_token) = (section("userinfo")?, section("id_token")?);
        for (name, wanted) in userinfo.iter().chain(id_token) {
            if !matches!(wanted, Value::Null | Value::Object(_)) {
                return Err("a claim in claims is asked for by null or an object");
            }
            if name == "sub"
                && let Some(subject) = wanted.get("value")
            {
                request.subject = Some(subject.as_str().ok_or("the value of sub is no text")?.to_owned());
            }
        }
        if let Some(acr) = id_token.get("acr")
            && acr.get("essential") == Some(&Value::Bool(true))
        {
            let values: Vec<String> = acr
                .get("value")
                .into_iter()
                .chain(acr.get("values").and_then(Value::as_array).into_iter().flatten())
                .filter_map(|value| value.as_str().map(str::to_owned))
                .collect();
            request.essential_acr = Some(values).filter(|values| !values.is_empty());
        }
        request.names = Requested { userinfo: known(userinfo, declared), id_token: known(id_token, declared) };
        request.names.retain(declared, may_ask_for);
        Ok(request)
    }
}

/// The claims of a section that some scope gives.
fn known(section: &Map<String, Value>, declared: &Attributes) -> Vec<String> {
    let mut known: Vec<String> =
        section.keys().filter(|name| claims::scope_of(name, declared).is_some()).cloned().collect();
    known.sort_unstable();
    known
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn parse(text: &str) -> Result<ClaimsRequest, &'static str> {
        ClaimsRequest::parse(text, &Attributes::default(), |scope| scope != "phone")
    }

    #[test]
    fn known_claims_go_where_they_are_wanted() {
        let request = parse(
            r#"{"userinfo":{"name":{"essential":true},"phone_number":null,"colour":null,"address":null},
                "id_token":{"email":null,"acr":{"essential":true,"values":["a","b"]},"sub":{"value":"me"},"auth_time":{"essential":true}}}"#,
        )
        .unwrap();
        assert_eq!(request.names.userinfo, ["address", "name"]);
        assert_eq!(request.names.id_token, ["email"]);
        assert_eq!(request.subject.as_deref(), Some("me"));
        assert_eq!(request.essential_acr, Some(vec!["a".to_owned(), "b".to_owned()]));
        assert_eq!(request.names.scopes(&Attributes::default()).collect::<Vec<_>>(), ["profile", "email", "address"]);
        let stored = request.names.to_stored();
        assert_eq!(Requested::stored(stored.as_deref()), request.names);
    }

    #[test]
    fn nothing_asked_is_nothing_kept() {
        for text in ["{}", r#"{"userinfo":null}"#, r#"{"id_token":{"sub":null}}"#, r#"{"other":1}"#] {
            assert_eq!(parse(text), Ok(ClaimsRequest::default()), "{text}");
        }
        assert_eq!(Requested::default().to_stored(), None);
    }

    #[test]
    fn what_is_no_request_is_refused() {
        for text in [
            "",
            "[]",
            "null",
            "{",
            r#"{"userinfo":[]}"#,
            r#"{"id_token":{"name":true}}"#,
            r#"{"id_token":{"sub":{"value":1}}}"#,
        ] {
            assert!(parse(text).is_err(), "{text}");
        }
        assert!(parse(&format!("{{\"x\":\"{}\"}}", "y".repeat(LONGEST))).is_err());
    }

    proptest! {
        /// f_claims_param: no input panics, and only claims that we know come out.
        #[test]
        fn anything_is_read_or_refused(text in "\\PC{0,300}") {
            if let Ok(request) = parse(&text) {
                prop_assert!(request.names.userinfo.iter().all(|name| claims::scope_of(name, &Attributes::default()).is_some()));
            }
        }
    }
}
