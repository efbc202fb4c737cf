//! Registrations as they are written down: what a file says of a client, and how two states of one differ.

use std::io::Read as _;

use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::{Map, Value};

use super::{Failure, note};
use crate::clients::{Client, Draft};

/// More than any registration has.
const MOST_BYTES: u64 = 1 << 20;

/// Reads a registration in RFC 7591 JSON; `-` is standard input. The standard has us ignore members that we do not know: we
/// say which.
pub(super) fn read(file: &str) -> Result<Draft, Failure> {
    let name = if file == "-" { "standard input" } else { file };
    let failed = |error| Failure::File(name.to_owned(), error);
    let mut text = String::new();
    if file == "-" {
        std::io::stdin().take(MOST_BYTES).read_to_string(&mut text).map_err(failed)?;
    } else {
        std::fs::File::open(file).map_err(failed)?.take(MOST_BYTES).read_to_string(&mut text).map_err(failed)?;
    }
    let (draft, ignored) = parse(&text).map_err(|why| Failure::Other(format!("{name}: {why}")))?;
    for member in ignored {
        note(&format!("bonafide: {name}: {member} is not used and was ignored"));
    }
    Ok(draft)
}

fn parse(text: &str) -> Result<(Draft, Vec<String>), String> {
    let given: Map<String, Value> =
        serde_json::from_str(text).map_err(|error| format!("is no JSON object: {error}"))?;
    // A secret is an answer to a registration, not a part of it: ours are made, and imports take an operator's own.
    let (known, ignored): (Map<_, _>, Map<_, _>) =
        given.into_iter().partition(|(name, _)| name != "client_secret" && is_member::<Draft>(&Map::new(), name));
    Ok((typed(&Map::new(), known)?, ignored.into_iter().map(|(name, _)| name).collect()))
}

/// Whether a type that refuses unknown members has this one; `least` are the members that it cannot be without.
fn is_member<T: DeserializeOwned>(least: &Map<String, Value>, name: &str) -> bool {
    least.contains_key(name) || with::<T>(least, name, Value::Null).is_ok()
}

fn with<T: DeserializeOwned>(least: &Map<String, Value>, name: &str, value: Value) -> Result<T, serde_json::Error> {
    let mut probe = least.clone();
    probe.insert(name.to_owned(), value);
    serde_json::from_value(Value::Object(probe))
}

/// Reads members one by one first, so that what is wrong has a name.
pub(super) fn typed<T: DeserializeOwned>(least: &Map<String, Value>, members: Map<String, Value>) -> Result<T, String> {
    for (name, value) in &members {
        if !is_member::<T>(least, name) {
            return Err(format!("{name}: there is no such member"));
        }
        with::<T>(least, name, value.clone()).map_err(|error| format!("{name}: {error}"))?;
    }
    serde_json::from_value(Value::Object(members)).map_err(|error| error.to_string())
}

/// A registration as a JSON object.
pub(super) fn members(registration: &impl Serialize) -> Result<Map<String, Value>, Failure> {
    match serde_json::to_value(registration) {
        Ok(Value::Object(members)) => Ok(members),
        other => Err(Failure::Other(format!("a registration cannot be written: {other:?}"))),
    }
}

/// The members of a client that differ.
pub(super) fn changed(before: &Client, after: &Client) -> Result<Vec<String>, Failure> {
    let mut changed = differing(&members(&Draft::of(before))?, &members(&Draft::of(after))?);
    if before.secret_hash != after.secret_hash {
        changed.push("client_secret".to_owned());
    }
    Ok(changed)
}

/// The members whose values differ, in the order of the registration.
pub(super) fn differing(before: &Map<String, Value>, after: &Map<String, Value>) -> Vec<String> {
    let gone = before.keys().filter(|name| !after.contains_key(*name));
    after.keys().filter(|name| after.get(*name) != before.get(*name)).chain(gone).cloned().collect()
}

/// What became of something that was there.
pub(super) fn outcome(id: &str, changed: &[String]) -> String {
    if changed.is_empty() { format!("unchanged {id}") } else { format!("updated {id}: {}", changed.join(", ")) }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn rfc_7591_ignores_what_it_does_not_know_and_says_so() {
        let text = r#"{"client_name": "A", "software_id": "x", "scope": null, "client_secret": "s"}"#;
        let (draft, ignored) = parse(text).unwrap();
        assert_eq!(draft, Draft { client_name: Some("A".to_owned()), ..Draft::default() });
        assert_eq!(ignored, ["software_id", "client_secret"]);
    }

    #[test]
    fn what_is_wrong_has_a_name() {
        assert!(parse("[]").unwrap_err().starts_with("is no JSON object"));
        let wrong = parse(r#"{"client_name": "A", "redirect_uris": "https://a.example/"}"#).unwrap_err();
        assert!(wrong.starts_with("redirect_uris: invalid type"), "{wrong}");
    }

    #[test]
    fn differences_name_members_on_either_side() {
        let map = |value: Value| value.as_object().unwrap().clone();
        assert_eq!(differing(&map(json!({"a": 1, "c": 3})), &map(json!({"a": 1, "b": 2}))), ["b", "c"]);
        assert_eq!(outcome("shop", &[]), "unchanged shop");
        assert_eq!(outcome("shop", &["a".to_owned(), "b".to_owned()]), "updated shop: a, b");
    }
}
