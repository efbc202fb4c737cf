//! The attributes that an installation declares (`[attributes]`): typed, bounded, kept as one JSON object a person.

use chrono::NaiveDate;
use serde_json::{Map, Value};

use super::ProfileFault;
use crate::platform::settings::{Attribute, Attributes, Kind, Party};

/// Bytes of all values of a person.
const MOST_BYTES: usize = 65_536;
/// Texts of a list.
const MOST_TEXTS: usize = 50;
/// Whole numbers beyond this are not the same number in every program that reads JSON (RFC 8259 section 6).
const LARGEST: i64 = (1 << 53) - 1;

/// A person's values by name, as the database keeps them.
pub type AttributeValues = Map<String, Value>;

/// Reads what the database keeps.
pub(crate) fn stored(json: Option<&str>) -> AttributeValues {
    json.and_then(|json| match serde_json::from_str(json) {
        Ok(values) => Some(values),
        Err(error) => {
            tracing::error!(%error, "a person's attributes in the database cannot be read; they are left out");
            None
        }
    })
    .unwrap_or_default()
}

/// What the database keeps; nothing where nothing is known.
pub(super) fn to_stored(values: &AttributeValues) -> Option<String> {
    if values.is_empty() { None } else { serde_json::to_string(values).ok() }
}

/// With values put in, by name. Null, an empty text and an empty list take one away. Errors: it is not declared, or no value of
/// its type.
pub(crate) fn with<'v>(
    before: &AttributeValues,
    changes: impl IntoIterator<Item = (&'v String, &'v Value)>,
    declared: &Attributes,
) -> Result<AttributeValues, ProfileFault> {
    let mut values = before.clone();
    for (name, value) in changes {
        let fault = |reason: String| ProfileFault { claim: name.clone(), reason };
        let attribute = declared.get(name).ok_or_else(|| fault("there is no such attribute".to_owned()))?;
        let is_nothing = match value {
            Value::Null => true,
            Value::String(text) => text.is_empty(),
            Value::Array(list) => list.is_empty(),
            _ => false,
        };
        if is_nothing {
            values.remove(name);
        } else if fits(attribute, value) {
            values.insert(name.clone(), value.clone());
        } else {
            return Err(fault(expected(attribute)));
        }
        if to_stored(&values).is_some_and(|json| json.len() > MOST_BYTES) {
            return Err(fault("is too much, together with the other attributes".to_owned()));
        }
    }
    Ok(values)
}

/// What somebody who is all of these may read of the values.
pub(crate) fn readable(values: &AttributeValues, declared: &Attributes, parties: &[Party]) -> AttributeValues {
    let shown = |attribute: &Attribute| parties.iter().any(|party| attribute.may_read(*party));
    declared
        .iter()
        .filter(|(_, attribute)| shown(attribute))
        .filter_map(|(name, attribute)| {
            // A declaration may have changed its type meanwhile.
            let value = values.get(name).filter(|value| fits(attribute, value))?;
            Some((name.to_owned(), value.clone()))
        })
        .collect()
}

/// The value that a text on a command line stands for; the texts of a list are separated by commas.
pub(crate) fn of_text(declared: &Attributes, name: &str, text: &str) -> Value {
    let kind = declared.get(name).map(|attribute| attribute.kind).unwrap_or_default();
    let read = match kind {
        Kind::String | Kind::Date => None,
        Kind::Integer => text.parse::<i64>().ok().map(Value::from),
        Kind::Number => text.parse::<f64>().ok().map(Value::from),
        Kind::Boolean => text.parse::<bool>().ok().map(Value::from),
        Kind::Strings => {
            Some(text.split(',').map(str::trim).filter(|text| !text.is_empty()).map(Value::from).collect())
        }
    };
    read.unwrap_or_else(|| text.into())
}

fn fits(attribute: &Attribute, value: &Value) -> bool {
    let longest = usize::try_from(attribute.max_length).unwrap_or(usize::MAX);
    let is_text = |text: &str| {
        !text.trim().is_empty()
            && text.chars().count() <= longest
            && text.chars().all(|character| !character.is_control() || character == '\n')
    };
    match attribute.kind {
        Kind::String => value.as_str().is_some_and(is_text),
        Kind::Integer => value.as_i64().is_some_and(|number| (-LARGEST..=LARGEST).contains(&number)),
        Kind::Number => value.as_f64().is_some_and(f64::is_finite),
        Kind::Boolean => value.is_boolean(),
        Kind::Date => value.as_str().is_some_and(is_date),
        Kind::Strings => value
            .as_array()
            .is_some_and(|list| list.len() <= MOST_TEXTS && list.iter().all(|text| text.as_str().is_some_and(is_text))),
    }
}

fn is_date(text: &str) -> bool {
    let is_bare = text.bytes().all(|byte| byte.is_ascii_digit() || byte == b'-');
    text.len() == 10 && is_bare && NaiveDate::parse_from_str(text, "%Y-%m-%d").is_ok()
}

fn expected(attribute: &Attribute) -> String {
    let longest = attribute.max_length;
    match attribute.kind {
        Kind::String => format!("is a text of 1 to {longest} printable characters"),
        Kind::Integer => format!("is a whole number from -{LARGEST} to {LARGEST}"),
        Kind::Number => "is a number".to_owned(),
        Kind::Boolean => "is true or false".to_owned(),
        Kind::Date => "is a date, YYYY-MM-DD".to_owned(),
        Kind::Strings => format!("is a list of at most {MOST_TEXTS} texts of 1 to {longest} printable characters"),
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::json;

    use super::*;

    fn declared() -> Attributes {
        serde_json::from_value(json!({
            "text": {"max_length": 5},
            "whole": {"type": "integer"},
            "part": {"type": "number", "read": ["admin"]},
            "flag": {"type": "boolean", "read": ["user"]},
            "day": {"type": "date", "read": []},
            "list": {"type": "strings", "max_length": 3},
        }))
        .unwrap()
    }

    fn put(name: &str, value: &Value) -> Result<AttributeValues, String> {
        with(&Map::new(), [(&name.to_owned(), value)], &declared()).map_err(|fault| fault.to_string())
    }

    #[test]
    fn values_have_the_declared_type_and_size() {
        for (name, value) in [
            ("text", json!("a\nb🦀d")),
            ("whole", json!(-9_007_199_254_740_991_i64)),
            ("part", json!(1.5)),
            ("part", json!(2)),
            ("flag", json!(false)),
            ("day", json!("2024-02-29")),
            ("list", json!(["a", "abc"])),
        ] {
            assert_eq!(put(name, &value).unwrap().get(name), Some(&value), "{name}");
        }
        for (name, value) in [
            ("text", json!("abcdef")),
            ("text", json!(" ")),
            ("text", json!("a\u{0}")),
            ("text", json!("a\rb")),
            ("text", json!(7)),
            ("text", json!(["a"])),
            ("whole", json!(9_007_199_254_740_992_i64)),
            ("whole", json!(1.5)),
            ("whole", json!("1")),
            ("part", json!("1.5")),
            ("flag", json!("true")),
            ("flag", json!(1)),
            ("day", json!("2023-02-29")),
            ("day", json!("2024-2-9")),
            ("day", json!("+024-02-29")),
            ("list", json!("a")),
            ("list", json!(["abcd"])),
            ("list", json!(["a", 1])),
            ("list", json!(vec!["a"; 51])),
            ("nope", json!("a")),
        ] {
            let said = put(name, &value).unwrap_err();
            assert!(said.starts_with(&format!("{name}: ")), "{name}={value}: {said}");
        }
    }

    #[test]
    fn nothing_takes_a_value_away() {
        let before = put("text", &json!("abc")).unwrap();
        for nothing in [json!(null), json!(""), json!([])] {
            assert!(with(&before, [(&"text".to_owned(), &nothing)], &declared()).unwrap().is_empty());
        }
        assert_eq!(stored(to_stored(&before).as_deref()), before);
        assert_eq!(to_stored(&Map::new()), None);
    }

    #[test]
    fn everybody_reads_what_is_theirs_to_read() {
        let values =
            json!({"text": "a", "part": 1, "flag": true, "day": "2024-01-01", "gone": "x", "whole": "no number"});
        let values = values.as_object().unwrap();
        let names = |parties: &[Party]| readable(values, &declared(), parties).keys().cloned().collect::<Vec<_>>();
        assert_eq!(names(&[Party::User]), ["flag", "text"]);
        assert_eq!(names(&[Party::Admin]), ["part", "text"]);
        assert_eq!(names(&[Party::User, Party::Admin]), ["flag", "part", "text"]);
        assert!(names(&[]).is_empty());
    }

    #[test]
    fn texts_of_a_command_line_are_read_by_type() {
        let read = |name: &str, text: &str| of_text(&declared(), name, text);
        assert_eq!(read("whole", "7"), json!(7));
        assert_eq!(read("part", "1.5"), json!(1.5));
        assert_eq!(read("flag", "true"), json!(true));
        assert_eq!(read("list", "a, b"), json!(["a", "b"]));
        assert_eq!(read("text", "7"), json!("7"));
        // What is no value of the type is refused by name later.
        assert_eq!(read("whole", "seven"), json!("seven"));
        assert_eq!(read("nope", "x"), json!("x"));
    }

    proptest! {
        #[test]
        fn what_is_kept_can_be_read_again(text in "\\PC{0,8}") {
            if let Ok(values) = put("text", &json!(text)) {
                prop_assert_eq!(stored(to_stored(&values).as_deref()), values);
            }
        }
    }
}
