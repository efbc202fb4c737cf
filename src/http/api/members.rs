//! A body whose members are partly declared by the installation: its attributes are taken out, the rest is read by type.

use std::fmt;

use serde::de::{Error, MapAccess, SeqAccess, Visitor};
use serde::{Deserialize, Deserializer};
use serde_json::{Map, Number, Value};

use super::Problem;
use crate::identity::AttributeValues;
use crate::platform::settings::{Attribute, Attributes, Party};

/// JSON in which no object has a member twice: of two, each reader would take another.
pub(super) struct Strict(Value);

impl Strict {
    /// The declared attributes, and what is left.
    pub(super) fn split(self, declared: &Attributes) -> (AttributeValues, Value) {
        match self.0 {
            Value::Object(members) => {
                let (attributes, rest): (Map<_, _>, Map<_, _>) =
                    members.into_iter().partition(|(name, _)| declared.get(name).is_some());
                (attributes, Value::Object(rest))
            }
            other => (Map::new(), other),
        }
    }
}

/// Refuses attributes that somebody may not set; those that they may not even read are as unknown as any.
pub(super) fn require_settable(
    given: &AttributeValues,
    declared: &Attributes,
    parties: &[Party],
    may_set: impl Fn(&Attribute) -> bool,
) -> Result<(), Problem> {
    for (name, attribute) in given.keys().filter_map(|name| Some((name, declared.get(name)?))) {
        if may_set(attribute) {
            continue;
        }
        let is_seen = parties.iter().any(|party| attribute.may_read(*party));
        let key = if is_seen { "api-field-forbidden" } else { "api-field-unknown" };
        return Err(Problem::bad_request("api-fields").field(name, key));
    }
    Ok(())
}

impl<'de> Deserialize<'de> for Strict {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(Reader)
    }
}

struct Reader;

impl<'de> Visitor<'de> for Reader {
    type Value = Strict;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("JSON")
    }

    fn visit_unit<E>(self) -> Result<Strict, E> {
        Ok(Strict(Value::Null))
    }

    fn visit_bool<E>(self, value: bool) -> Result<Strict, E> {
        Ok(Strict(value.into()))
    }

    fn visit_i64<E>(self, value: i64) -> Result<Strict, E> {
        Ok(Strict(value.into()))
    }

    fn visit_u64<E>(self, value: u64) -> Result<Strict, E> {
        Ok(Strict(value.into()))
    }

    fn visit_f64<E>(self, value: f64) -> Result<Strict, E> {
        Ok(Strict(Number::from_f64(value).map_or(Value::Null, Value::Number)))
    }

    fn visit_str<E>(self, value: &str) -> Result<Strict, E> {
        Ok(Strict(value.into()))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<Strict, A::Error> {
        let mut list = Vec::new();
        while let Some(Strict(item)) = items.next_element()? {
            list.push(item);
        }
        Ok(Strict(Value::Array(list)))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut members: A) -> Result<Strict, A::Error> {
        let mut object = Map::new();
        while let Some((name, Strict(value))) = members.next_entry::<String, Strict>()? {
            if object.contains_key(&name) {
                return Err(A::Error::custom(format_args!("duplicate field `{name}`")));
            }
            object.insert(name, value);
        }
        Ok(Strict(Value::Object(object)))
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn attributes_are_taken_out_and_nothing_is_there_twice() {
        let declared: Attributes = serde_json::from_value(json!({"shoeSize": {"type": "integer"}})).unwrap();
        let text = r#"{"name":"Ada","shoeSize":38,"address":{"country":"GB","lines":[1,-2,1.5,null,true]}}"#;
        let (attributes, rest) = serde_json::from_str::<Strict>(text).unwrap().split(&declared);
        assert_eq!(Value::Object(attributes), json!({"shoeSize": 38}));
        assert_eq!(rest, json!({"name": "Ada", "address": {"country": "GB", "lines": [1, -2, 1.5, null, true]}}));
        for twice in [r#"{"shoeSize":1,"shoeSize":2}"#, r#"{"address":{"a":1,"a":1}}"#, r#"[{"a":1,"a":1}]"#] {
            let said = serde_json::from_str::<Strict>(twice).err().unwrap().to_string();
            assert!(said.starts_with("duplicate field `"), "{said}");
        }
    }
}
