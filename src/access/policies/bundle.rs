//! What an operator writes.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

/// Policies with what they are about: published together, validated together, in force together.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Bundle {
    /// The policies' texts in Cedar, by name: a file's name without its ending.
    pub documents: BTreeMap<String, String>,
    /// In Cedar's own language.
    pub schema: String,
    /// Entities that decisions know without being told, in Cedar's JSON.
    #[serde(default)]
    pub entities: Vec<EntityJson>,
}

/// An entity with its attributes and what it is in.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct EntityJson {
    pub uid: Uid,
    #[serde(default)]
    pub attrs: Map<String, Value>,
    #[serde(default)]
    pub parents: Vec<Uid>,
}

/// What an entity is called by: a type, and an id within it.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Uid {
    #[serde(rename = "type")]
    pub kind: String,
    pub id: String,
}
