//! The bundle's own entities, and those that are made of what is said and known.

use std::collections::{HashMap, HashSet};

use cedar_policy::{Entities, Entity, EntityUid, EvalResult, RestrictedExpression};
use cedar_policy_core::entities::{Entities as CoreEntities, NoEntitiesSchema, TCComputation};
use cedar_policy_core::extensions::Extensions;
use serde_json::{Map, Value};

use super::types::{Path, Types};
use super::{Known, Object};

/// An entity with what it leads to.
#[derive(Clone)]
pub(super) struct Made {
    pub(super) uid: EntityUid,
    entity: Entity,
    /// All that it is in, at whatever distance.
    pub(super) ancestors: Vec<EntityUid>,
    /// What its attributes name.
    refs: Vec<EntityUid>,
}

impl Made {
    /// Whether two are the same in all that a policy could ask.
    pub(super) fn is_like(&self, other: &Self) -> bool {
        self.entity.deep_eq(&other.entity)
    }
}

/// What is known without being told.
pub(super) struct Own(HashMap<EntityUid, Made>);

impl Own {
    pub(super) fn new(entities: &Entities) -> Self {
        // Cedar puts the schema's actions among them.
        let things = entities.iter().filter(|entity| entity.uid().type_name().basename() != "Action");
        let made = things.map(|entity| {
            let uid = entity.uid();
            let ancestors: Vec<EntityUid> = entities.ancestors(&uid).into_iter().flatten().cloned().collect();
            let mut refs = Vec::new();
            for (_, value) in entity.attrs().chain(entity.tags()) {
                if let Ok(value) = value {
                    named(&value, &mut refs);
                }
            }
            (uid.clone(), Made { uid, entity: entity.clone(), ancestors, refs })
        });
        Self(made.collect())
    }

    pub(super) fn get(&self, uid: &EntityUid) -> Option<&Made> {
        self.0.get(uid)
    }

    /// The ancestors that these parents mean.
    fn above(&self, parents: impl IntoIterator<Item = EntityUid>) -> HashSet<EntityUid> {
        let mut above = HashSet::new();
        for parent in parents {
            above.extend(self.get(&parent).into_iter().flat_map(|parent| parent.ancestors.iter().cloned()));
            above.insert(parent);
        }
        above
    }

    /// The entity that a question means. What the house knows of the person counts most, then the bundle, then what is said.
    pub(super) fn make(&self, types: &Types, side: &str, said: &Object, known: Option<&Known>) -> Result<Made, String> {
        let kind = types.entity(&said.kind).ok_or_else(|| format!("{side}.type: the schema declares no such type"))?;
        let uid = types.uid(&said.uid()).ok_or_else(|| format!("{side}.id: the schema lists no such id"))?;
        let own = self.get(&uid);
        let adds = known.is_some()
            || own.is_none_or(|own| {
                kind.shape.keys().any(|name| said.properties.contains_key(name) && own.entity.attr(name).is_none())
            });
        if let Some(own) = own.filter(|_| !adds) {
            return Ok(own.clone());
        }
        let (mut refs, mut attrs) = (own.map(|own| own.refs.clone()).unwrap_or_default(), HashMap::new());
        let mut above: HashSet<EntityUid> = HashSet::new();
        if let Some(own) = own {
            let (_, of_bundle, _) = own.entity.clone().into_inner();
            attrs = of_bundle;
            above.extend(own.ancestors.iter().cloned());
        }
        let (nothing, none) = (Map::new(), Value::Array(Vec::new()));
        let known_attrs = known.map_or(&nothing, |known| &known.attrs);
        let mut path = Path::new(&[side, "properties"]);
        for (name, member) in &kind.shape {
            let known = known_attrs.get(name).filter(|value| !value.is_null());
            let value = match known {
                Some(value) => Some(value),
                None if attrs.contains_key(name) => continue,
                None => said.properties.get(name).filter(|value| !value.is_null()),
            };
            // Whoever nobody speaks of holds nothing.
            let value = value.or_else(|| holds(&said.kind, name).then_some(&none));
            let converted: Option<RestrictedExpression> = path.within(name, |path| match value {
                Some(value) => types.convert(&member.kind, value, path, &mut refs).map(Some),
                None if member.required => Err(format!("{path} is missing")),
                None => Ok(None),
            })?;
            if let Some(value) = converted {
                attrs.insert(name.clone(), value);
            }
        }
        let parents = known.into_iter().flat_map(|known| &known.parents);
        let parents = parents.filter(|parent| kind.parents.contains(&parent.kind)).filter_map(|uid| types.uid(uid));
        above.extend(self.above(parents));
        let ancestors: Vec<EntityUid> = above.iter().cloned().collect();
        let entity = match own.filter(|own| own.entity.tags().next().is_some()) {
            Some(own) => with_tags_of(&own.entity, uid.clone(), attrs, above),
            None => Entity::new(uid.clone(), attrs, above).map_err(|error| error.to_string()),
        };
        Ok(Made { uid, entity: entity.map_err(|error| format!("{side}: {error}"))?, ancestors, refs })
    }

    /// What subject and resource can reach, and the action. What nobody can reach needs not be there: so the size of the bundle
    /// costs nothing.
    pub(super) fn reached<'a>(
        &'a self,
        sides: [&'a Made; 2],
        action: &Entity,
        named: impl IntoIterator<Item = &'a EntityUid>,
    ) -> Result<Entities, String> {
        let mut there: HashSet<&EntityUid> = HashSet::new();
        let mut found: Vec<&Made> = Vec::new();
        let mut open: Vec<&EntityUid> = named.into_iter().collect();
        for made in sides {
            if there.insert(&made.uid) {
                found.push(made);
                open.extend(&made.refs);
            }
        }
        while let Some(uid) = open.pop() {
            if let Some(made) = self.get(uid)
                && there.insert(&made.uid)
            {
                found.push(made);
                open.extend(&made.refs);
            }
        }
        // Each holds all that it is in, unless it is in one of the two, of which more may be known than when it was made.
        let is_closed = found.iter().all(|made| sides.iter().all(|side| !made.ancestors.contains(&side.uid)));
        if !is_closed {
            let all = found.into_iter().map(|made| &made.entity).chain([action]).cloned();
            return Entities::from_entities(all, None).map_err(|error| error.to_string());
        }
        let all = found.into_iter().map(|made| &made.entity).chain([action]).map(|entity| entity.as_ref().clone());
        let (closed, extensions) = (TCComputation::AssumeAlreadyComputed, Extensions::all_available());
        let entities = CoreEntities::from_entities(all, None::<&NoEntitiesSchema>, closed, extensions);
        entities.map(Entities::from).map_err(|error| error.to_string())
    }
}

fn with_tags_of(
    own: &Entity,
    uid: EntityUid,
    attrs: HashMap<String, RestrictedExpression>,
    parents: HashSet<EntityUid>,
) -> Result<Entity, String> {
    // Cedar gives values back and takes expressions: JSON is what both understand.
    let mut json = own.to_json_value().map_err(|error| error.to_string())?;
    let said = Entity::new(uid, attrs, parents).map(|entity| entity.to_json_value());
    let mut said = said.map_err(|error| error.to_string())?.map_err(|error| error.to_string())?;
    if let (Some(said), Some(tags)) = (said.as_object_mut(), json.get_mut("tags")) {
        said.insert("tags".to_owned(), tags.take());
    }
    Entity::from_json_value(said, None).map_err(|error| error.to_string())
}

/// The entities that a value names.
fn named(value: &EvalResult, refs: &mut Vec<EntityUid>) {
    match value {
        EvalResult::EntityUid(uid) => refs.push(uid.clone()),
        EvalResult::Set(set) => set.iter().for_each(|value| named(value, refs)),
        EvalResult::Record(record) => record.iter().for_each(|(_, value)| named(value, refs)),
        _ => {}
    }
}

/// Whether this is what a person or a service account holds.
fn holds(kind: &str, attribute: &str) -> bool {
    matches!(kind, "user" | "service_account") && matches!(attribute, "roles" | "permissions")
}
