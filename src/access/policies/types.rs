//! What the schema declares, read once, so that what is said in JSON becomes what Cedar reckons with.

use std::collections::{BTreeMap, HashMap, HashSet};

use cedar_policy::{Context, EntityId, EntityTypeName, EntityUid, RestrictedExpression, Schema};
use serde_json::{Map, Value};

use super::Uid;

/// The declared types of entities, and the actions.
pub(super) struct Types {
    entities: HashMap<String, EntityType>,
    actions: HashMap<String, ActionType>,
}

pub(super) struct EntityType {
    name: EntityTypeName,
    pub(super) shape: Shape,
    /// What it may be in.
    pub(super) parents: HashSet<String>,
    /// The only ids, where they are listed.
    ids: Option<HashSet<String>>,
}

pub(super) struct ActionType {
    pub(super) uid: EntityUid,
    pub(super) subjects: HashSet<String>,
    pub(super) resources: HashSet<String>,
    pub(super) context: Shape,
    /// The same number for actions that want to know the same of the circumstances.
    pub(super) wants: usize,
}

/// A record's members.
pub(super) type Shape = BTreeMap<String, Member>;

pub(super) struct Member {
    pub(super) kind: Type,
    pub(super) required: bool,
}

pub(super) enum Type {
    String,
    Long,
    Bool,
    Set(Box<Type>),
    Record(Shape),
    Entity(String),
    Extension(Extension),
}

#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Extension {
    Ip,
    Decimal,
    Datetime,
    Duration,
}

impl Extension {
    fn parse(name: &str) -> Option<Self> {
        Some(match name {
            "ipaddr" => Self::Ip,
            "decimal" => Self::Decimal,
            "datetime" => Self::Datetime,
            "duration" => Self::Duration,
            _ => return None,
        })
    }

    const fn name(self) -> &'static str {
        match self {
            Self::Ip => "ipaddr",
            Self::Decimal => "decimal",
            Self::Datetime => "datetime",
            Self::Duration => "duration",
        }
    }

    /// The value, if the text is one.
    fn value(self, text: &str) -> Option<RestrictedExpression> {
        let value = match self {
            Self::Ip => RestrictedExpression::new_ip(text),
            Self::Decimal => RestrictedExpression::new_decimal(text),
            Self::Datetime => RestrictedExpression::new_datetime(text),
            Self::Duration => RestrictedExpression::new_duration(text),
        };
        Context::from_pairs([(String::new(), value.clone())]).ok().map(|_| value)
    }
}

impl Types {
    /// Reads the schema's JSON, whose names are resolved. What is not understood is said.
    pub(super) fn read(schema: &Schema, json: &Value) -> Result<Self, String> {
        let names: HashMap<String, EntityTypeName> =
            schema.entity_types().map(|name| (name.to_string(), name.clone())).collect();
        let actions: HashMap<String, EntityUid> = schema
            .actions()
            .filter(|uid| uid.type_name().to_string() == "Action")
            .map(|uid| (uid.id().unescaped().to_owned(), uid.clone()))
            .collect();
        let reader = Reader::new(json);
        let mut types = Self { entities: HashMap::new(), actions: HashMap::new() };
        for (space, declared) in json.as_object().into_iter().flatten() {
            for (name, declared) in members(declared, "entityTypes") {
                let full = qualified(space, name);
                if let Some(name) = names.get(&full) {
                    types.entities.insert(full, reader.entity_type(name, declared)?);
                }
            }
        }
        let mut contexts: Vec<Option<&Value>> = Vec::new();
        for (name, declared) in json.get("").into_iter().flat_map(|space| members(space, "actions")) {
            let Some(uid) = actions.get(name) else { continue };
            let context = declared.pointer("/appliesTo/context");
            let wants = contexts.iter().position(|other| *other == context).unwrap_or(contexts.len());
            if wants == contexts.len() {
                contexts.push(context);
            }
            let strings = |types: Vec<&EntityTypeName>| types.into_iter().map(ToString::to_string).collect();
            types.actions.insert(
                name.clone(),
                ActionType {
                    subjects: schema
                        .principals_for_action(uid)
                        .map(|types| strings(types.collect()))
                        .unwrap_or_default(),
                    resources: schema
                        .resources_for_action(uid)
                        .map(|types| strings(types.collect()))
                        .unwrap_or_default(),
                    context: context.map(|kind| reader.shape(kind)).transpose()?.unwrap_or_default(),
                    wants,
                    uid: uid.clone(),
                },
            );
        }
        Ok(types)
    }

    pub(super) fn entity(&self, name: &str) -> Option<&EntityType> {
        self.entities.get(name)
    }

    pub(super) fn action(&self, name: &str) -> Option<&ActionType> {
        self.actions.get(name)
    }

    /// What Cedar calls an entity; none for a type that is not declared.
    pub(super) fn uid(&self, uid: &Uid) -> Option<EntityUid> {
        let kind = self.entities.get(&uid.kind)?;
        kind.ids.as_ref().is_none_or(|ids| ids.contains(&uid.id)).then(|| kind.uid(&uid.id))
    }

    /// A value of this type. Members that are not declared are dropped: no policy can refer to them. `refs` gets the entities that are named.
    pub(super) fn convert(
        &self,
        kind: &Type,
        value: &Value,
        path: &mut Path,
        refs: &mut Vec<EntityUid>,
    ) -> Result<RestrictedExpression, String> {
        let converted = match (kind, value) {
            (Type::String, Value::String(text)) => Some(RestrictedExpression::new_string(text.clone())),
            (Type::Bool, Value::Bool(flag)) => Some(RestrictedExpression::new_bool(*flag)),
            (Type::Long, Value::Number(number)) => number.as_i64().map(RestrictedExpression::new_long),
            (Type::Set(kind), Value::Array(items)) => {
                let mut set = Vec::with_capacity(items.len());
                for (number, item) in items.iter().enumerate() {
                    set.push(path.within(&number.to_string(), |path| self.convert(kind, item, path, refs))?);
                }
                Some(RestrictedExpression::new_set(set))
            }
            (Type::Record(shape), Value::Object(members)) => {
                let record = self.record(shape, members, path, refs)?;
                RestrictedExpression::new_record(record).ok()
            }
            (Type::Entity(wanted), Value::Object(members)) => {
                let named = match members.get("__entity") {
                    Some(inner) => inner.as_object(),
                    None => Some(members),
                };
                let named = named.and_then(|named| {
                    let kind = named.get("type")?.as_str().filter(|kind| kind == wanted)?;
                    self.uid(&Uid { kind: kind.to_owned(), id: named.get("id")?.as_str()?.to_owned() })
                });
                if let Some(uid) = &named {
                    refs.push(uid.clone());
                }
                named.map(RestrictedExpression::new_entity_uid)
            }
            (Type::Extension(kind), Value::String(text)) => kind.value(text),
            (Type::Extension(kind), Value::Object(members)) => {
                let call = members.get("__extn").and_then(Value::as_object).unwrap_or(members);
                call.get("arg").and_then(Value::as_str).and_then(|text| kind.value(text))
            }
            _ => None,
        };
        converted.ok_or_else(|| format!("{path} is not {}", kind.article()))
    }

    /// A record's members. Null is as good as nothing.
    pub(super) fn record(
        &self,
        shape: &Shape,
        said: &Map<String, Value>,
        path: &mut Path,
        refs: &mut Vec<EntityUid>,
    ) -> Result<Vec<(String, RestrictedExpression)>, String> {
        let mut record = Vec::with_capacity(shape.len());
        for (name, member) in shape {
            match said.get(name).filter(|value| !value.is_null()) {
                Some(value) => {
                    let value = path.within(name, |path| self.convert(&member.kind, value, path, refs))?;
                    record.push((name.clone(), value));
                }
                None if member.required => return path.within(name, |path| Err(format!("{path} is missing"))),
                None => {}
            }
        }
        Ok(record)
    }
}

impl EntityType {
    fn uid(&self, id: &str) -> EntityUid {
        EntityUid::from_type_name_and_id(self.name.clone(), EntityId::new(id))
    }
}

impl Type {
    fn article(&self) -> String {
        match self {
            Self::String => "a string".to_owned(),
            Self::Long => "a whole number of 64 bits".to_owned(),
            Self::Bool => "true or false".to_owned(),
            Self::Set(_) => "a list".to_owned(),
            Self::Record(_) => "an object".to_owned(),
            Self::Entity(kind) => format!("an entity of the type {kind}"),
            Self::Extension(kind) => format!("of the type {}", kind.name()),
        }
    }
}

/// Where in a question something stands.
pub(super) struct Path(Vec<String>);

impl Path {
    pub(super) fn new(start: &[&str]) -> Self {
        Self(start.iter().map(|part| (*part).to_owned()).collect())
    }

    pub(super) fn within<T>(&mut self, part: &str, act: impl FnOnce(&mut Self) -> T) -> T {
        self.0.push(part.to_owned());
        let done = act(self);
        self.0.pop();
        done
    }
}

impl std::fmt::Display for Path {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.0.join("."))
    }
}

/// Reads types out of the schema's JSON, common ones by their names.
struct Reader<'a> {
    common: HashMap<String, &'a Value>,
}

impl<'a> Reader<'a> {
    fn new(json: &'a Value) -> Self {
        let spaces = json.as_object().into_iter().flatten();
        let common = spaces.flat_map(|(space, declared)| {
            members(declared, "commonTypes").map(move |(name, kind)| (qualified(space, name), kind))
        });
        Self { common: common.collect() }
    }

    fn entity_type(&self, name: &EntityTypeName, declared: &Value) -> Result<EntityType, String> {
        let strings = |member: &str| {
            let list = declared.get(member).and_then(Value::as_array);
            list.map(|list| list.iter().filter_map(Value::as_str).map(str::to_owned).collect())
        };
        Ok(EntityType {
            name: name.clone(),
            shape: declared.get("shape").map(|kind| self.shape(kind)).transpose()?.unwrap_or_default(),
            parents: strings("memberOfTypes").unwrap_or_default(),
            ids: strings("enum"),
        })
    }

    fn shape(&self, declared: &Value) -> Result<Shape, String> {
        match self.kind(declared)? {
            Type::Record(shape) => Ok(shape),
            _ => Err(format!("{declared} is no record")),
        }
    }

    fn kind(&self, declared: &Value) -> Result<Type, String> {
        let unknown = || format!("{declared} is a type that is not understood");
        let name_of = |member: &str| declared.get(member).and_then(Value::as_str).ok_or_else(unknown);
        Ok(match name_of("type")? {
            "Set" => Type::Set(Box::new(self.kind(declared.get("element").ok_or_else(unknown)?)?)),
            "Record" => {
                let mut shape = Shape::new();
                for (name, member) in members(declared, "attributes") {
                    let required = member.get("required").and_then(Value::as_bool).unwrap_or(true);
                    shape.insert(name.clone(), Member { kind: self.kind(member)?, required });
                }
                Type::Record(shape)
            }
            "Entity" => Type::Entity(name_of("name")?.to_owned()),
            "Extension" => Type::Extension(Extension::parse(name_of("name")?).ok_or_else(unknown)?),
            "EntityOrCommon" => {
                let name = name_of("name")?;
                self.named(name).transpose()?.unwrap_or_else(|| Type::Entity(name.to_owned()))
            }
            name => self.named(name).ok_or_else(unknown)??,
        })
    }

    fn named(&self, name: &str) -> Option<Result<Type, String>> {
        if let Some(common) = self.common.get(name) {
            return Some(self.kind(common));
        }
        Some(Ok(match name.strip_prefix("__cedar::").unwrap_or(name) {
            "String" => Type::String,
            "Long" => Type::Long,
            "Bool" | "Boolean" => Type::Bool,
            other => Type::Extension(Extension::parse(other)?),
        }))
    }
}

fn members<'a>(declared: &'a Value, name: &str) -> impl Iterator<Item = (&'a String, &'a Value)> {
    declared.get(name).and_then(Value::as_object).into_iter().flatten()
}

fn qualified(space: &str, name: &str) -> String {
    if space.is_empty() { name.to_owned() } else { format!("{space}::{name}") }
}
