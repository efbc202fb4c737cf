//! Which claims a scope gives (OpenID Connect Core section 5.4). What we do not know is left out, never null or empty.

use serde_json::{Map, Value};

use super::scope;
use crate::grants::Person;

/// Claims that some scope gives.
pub const SUPPORTED: [&str; 5] = ["name", "preferred_username", "updated_at", "email", "email_verified"];

/// The claims about a person that a granted scope gives.
pub fn of(person: &Person, granted: &str) -> Map<String, Value> {
    let mut claims = Map::new();
    let mut add = |name: &str, value: Option<Value>| {
        if let Some(value) = value {
            claims.insert(name.to_owned(), value);
        }
    };
    if scope::has(granted, "profile") {
        add("name", person.name.clone().map(Value::from));
        add("preferred_username", person.username.clone().map(Value::from));
        add("updated_at", Some((person.updated_at / 1000).into()));
    }
    if scope::has(granted, "email")
        && let Some(email) = &person.email
    {
        add("email", Some(email.clone().into()));
        add("email_verified", Some(person.email_verified_at.is_some().into()));
    }
    claims
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn claims_follow_scopes_and_have_their_types() {
        let person = Person {
            user_id: uuid::Uuid::nil(),
            name: Some("Ada".to_owned()),
            username: None,
            email: Some("ada@example.com".to_owned()),
            email_verified_at: None,
            updated_at: 1_700_000_000_999,
        };
        assert!(of(&person, "openid").is_empty());
        let all = Value::Object(of(&person, "openid profile email"));
        let expected = serde_json::json!({"name": "Ada", "updated_at": 1_700_000_000, "email": "ada@example.com", "email_verified": false});
        assert_eq!(all, expected);
    }
}
