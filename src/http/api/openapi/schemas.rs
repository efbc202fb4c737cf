//! Shapes by reference; what they are made of goes into the components.

use serde_json::{Map, Value, json};
use utoipa::openapi::{RefOr, Schema};
use utoipa::{PartialSchema, ToSchema};

/// The components that operations refer to.
#[derive(Default)]
pub(super) struct Schemas {
    known: Vec<(String, RefOr<Schema>)>,
    /// Those that may have declared attributes besides their own members.
    open: Vec<String>,
}

impl Schemas {
    pub(super) fn components(self) -> Map<String, Value> {
        let known = self.known.into_iter();
        let mut components: Map<String, Value> =
            known.filter_map(|(name, schema)| Some((name, serde_json::to_value(schema).ok()?))).collect();
        let attribute = "An attribute that the installation declares ([attributes] of its settings); no other members.";
        for name in self.open {
            if let Some(schema) = components.get_mut(&name).and_then(Value::as_object_mut) {
                schema.insert("additionalProperties".to_owned(), json!({"description": attribute}));
            }
        }
        components
    }
}

pub(super) fn of<T: ToSchema + PartialSchema>(schemas: &mut Schemas) -> Value {
    schemas.known.push((T::name().into_owned(), T::schema()));
    T::schemas(&mut schemas.known);
    json!({"$ref": format!("#/components/schemas/{}", T::name())})
}

pub(super) fn list_of<T: ToSchema + PartialSchema>(schemas: &mut Schemas) -> Value {
    json!({"type": "array", "items": of::<T>(schemas)})
}

/// Something that may not be there.
pub(super) fn perhaps<T: ToSchema + PartialSchema>(schemas: &mut Schemas) -> Value {
    json!({"oneOf": [of::<T>(schemas), {"type": "null"}]})
}

pub(super) fn with_attributes<T: ToSchema + PartialSchema>(schemas: &mut Schemas) -> Value {
    schemas.open.push(T::name().into_owned());
    of::<T>(schemas)
}
