//! Which claims about a person a scope gives (OpenID Connect Core section 5.4). What we do not know is left out, never null or
//! empty.

use serde_json::{Map, Value};

use super::scope;
use crate::identity::{Person, Profile, Standing, attributes};
use crate::platform::settings::{Attributes, Party};

/// Every claim about a person, with the scope that gives it.
pub const SUPPORTED: [(&str, &str); 19] = [
    ("name", "profile"),
    ("given_name", "profile"),
    ("family_name", "profile"),
    ("middle_name", "profile"),
    ("nickname", "profile"),
    ("preferred_username", "profile"),
    ("profile", "profile"),
    ("picture", "profile"),
    ("website", "profile"),
    ("gender", "profile"),
    ("birthdate", "profile"),
    ("zoneinfo", "profile"),
    ("locale", "profile"),
    ("updated_at", "profile"),
    ("email", "email"),
    ("email_verified", "email"),
    ("address", "address"),
    ("phone_number", "phone"),
    ("phone_number_verified", "phone"),
];

/// The scope that gives a claim: one of the standard, or of a declared attribute.
pub fn scope_of<'a>(claim: &str, declared: &'a Attributes) -> Option<&'a str> {
    let standard = SUPPORTED.iter().find(|(name, _)| *name == claim).map(|(_, scope)| *scope);
    standard.or_else(|| declared.scope_of(claim))
}

/// The claims about a person that a granted scope gives, and those asked for by name.
pub fn of(person: &Person, granted: &str, named: &[String], declared: &Attributes) -> Map<String, Value> {
    let is_wanted = |claim: &str, scope: &str| scope::has(granted, scope) || named.iter().any(|name| name == claim);
    let mut wanted =
        SUPPORTED.iter().filter(|(claim, scope)| is_wanted(claim, scope)).map(|(claim, _)| *claim).peekable();
    let mut given: Map<String, Value> = Map::new();
    if wanted.peek().is_some() {
        let mut known = all(person);
        given.extend(wanted.filter_map(|claim| known.remove_entry(claim)));
    }
    let mut wanted = declared.claims().filter(|(claim, scope, _)| is_wanted(claim, scope)).peekable();
    if person.attributes.is_some() && wanted.peek().is_some() {
        let mut known =
            attributes::readable(&attributes::stored(person.attributes.as_deref()), declared, &[Party::User]);
        given.extend(wanted.filter_map(|(claim, _, name)| Some((claim.to_owned(), known.remove(name)?))));
    }
    given
}

/// What somebody may do, as far as a granted scope tells it: `roles` and `permissions`, also where there are none.
pub fn of_standing(standing: &Standing, granted: &str) -> Map<String, Value> {
    let mut given = Map::new();
    if scope::has(granted, scope::ROLES) {
        given.insert(scope::ROLES.to_owned(), standing.roles().into());
    }
    if scope::has(granted, scope::PERMISSIONS) {
        given.insert(scope::PERMISSIONS.to_owned(), standing.permissions().into());
    }
    given
}

/// All that we know of a person, by the names of the standard.
fn all(person: &Person) -> Map<String, Value> {
    let profile = Profile::stored(person.profile.as_deref());
    let mut claims = profile.to_claims();
    if profile.phone_number.is_some() {
        claims.insert("phone_number_verified".to_owned(), profile.phone_number_verified.into());
    }
    let mut add = |name: &str, value: Option<&String>| {
        if let Some(value) = value {
            claims.insert(name.to_owned(), value.as_str().into());
        }
    };
    add("name", person.name.as_ref());
    add("preferred_username", person.username.as_ref());
    add("email", person.email.as_ref());
    if person.email.is_some() {
        claims.insert("email_verified".to_owned(), person.email_verified_at.is_some().into());
    }
    claims.insert("updated_at".to_owned(), (person.updated_at / 1000).into());
    claims
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn person(profile: Option<&str>) -> Person {
        Person {
            user_id: uuid::Uuid::nil(),
            name: Some("Ada".to_owned()),
            username: None,
            email: Some("ada@example.com".to_owned()),
            email_verified_at: None,
            updated_at: 1_700_000_000_999,
            profile: profile.map(str::to_owned),
            attributes: None,
            standing: Standing::default(),
        }
    }

    #[test]
    fn claims_follow_scopes_and_have_their_types() {
        let ada = person(None);
        assert!(of(&ada, "openid", &[], &Attributes::default()).is_empty());
        let claims = Value::Object(of(&ada, "openid profile email phone address", &[], &Attributes::default()));
        let expected =
            json!({"name": "Ada", "updated_at": 1_700_000_000, "email": "ada@example.com", "email_verified": false});
        assert_eq!(claims, expected);
    }

    #[test]
    fn a_claim_asked_for_by_name_comes_alone() {
        let ada = person(Some(r#"{"gender":"female","phone_number":"+442079460000","address":{"country":"GB"}}"#));
        let named = ["gender".to_owned(), "phone_number_verified".to_owned()];
        assert_eq!(
            Value::Object(of(&ada, "openid", &named, &Attributes::default())),
            json!({"gender": "female", "phone_number_verified": false})
        );
        assert_eq!(
            Value::Object(of(&ada, "openid address", &[], &Attributes::default())),
            json!({"address": {"country": "GB"}})
        );
    }

    /// TJ-21: a profile's claims are those of the table, whatever the database holds.
    #[test]
    fn tj_21_reserved_claims_never_come_from_a_profile() {
        let ada = person(Some(r#"{"sub":"root","iss":"evil"}"#));
        let everything: Vec<String> = ["sub", "iss", "aud", "exp", "acr", "cnf"].map(str::to_owned).into();
        let claims = of(&ada, "openid profile email", &everything, &Attributes::default());
        assert!(claims.keys().all(|claim| scope_of(claim, &Attributes::default()).is_some()), "{claims:?}");
    }

    #[test]
    fn declared_attributes_come_by_their_scope_and_under_their_claim() {
        let declared: Attributes = serde_json::from_value(json!({
            "companyName": {"scope": "company", "claim": "company_name"},
            "staff": {"type": "integer", "scope": "profile"},
            "note": {},
        }))
        .unwrap();
        let mut ada = person(None);
        ada.attributes = Some(r#"{"companyName":"Engines","staff":3,"note":"n","gone":1}"#.to_owned());
        assert_eq!(Value::Object(of(&ada, "openid company", &[], &declared)), json!({"company_name": "Engines"}));
        let named = ["staff".to_owned(), "companyName".to_owned(), "note".to_owned()];
        assert_eq!(Value::Object(of(&ada, "openid", &named, &declared)), json!({"staff": 3}));
        assert_eq!(of(&ada, "openid profile", &[], &declared).get("staff"), Some(&json!(3)));
        assert!(!of(&ada, "openid profile", &[], &Attributes::default()).contains_key("staff"));
    }
}
