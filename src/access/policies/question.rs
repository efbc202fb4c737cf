//! What is asked, what is known besides, and what is decided.

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use super::Uid;

/// May this subject do this to this resource? In the shape of `AuthZEN`, whose unknown members mean nothing.
#[derive(Clone, Debug, PartialEq, Hash, Serialize, Deserialize)]
pub struct Question {
    pub subject: Object,
    pub action: Action,
    pub resource: Object,
    #[serde(default)]
    pub context: Map<String, Value>,
}

/// A subject or a resource, with what the caller says of it.
#[derive(Clone, Debug, PartialEq, Hash, Serialize, Deserialize)]
pub struct Object {
    #[serde(rename = "type")]
    pub kind: String,
    pub id: String,
    #[serde(default)]
    pub properties: Map<String, Value>,
}

impl Object {
    pub fn uid(&self) -> Uid {
        Uid { kind: self.kind.clone(), id: self.id.clone() }
    }
}

#[derive(Clone, Debug, PartialEq, Hash, Serialize, Deserialize)]
pub struct Action {
    pub name: String,
    #[serde(default)]
    pub properties: Map<String, Value>,
}

/// What the house knows of a subject: it counts whatever is said.
#[derive(Clone, Debug, Default, PartialEq, Hash, Serialize, Deserialize)]
pub struct Known {
    pub attrs: Map<String, Value>,
    pub parents: Vec<Uid>,
    /// Nothing is allowed to them.
    #[serde(default)]
    pub disabled: bool,
}

/// What comes of a question.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Decision {
    pub allowed: bool,
    /// The ids of the policies that decided, sorted.
    pub policies: Vec<String>,
    /// Why nothing could be decided; then nothing is allowed.
    pub error: Option<Trouble>,
}

/// Why there is no answer but no.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Trouble {
    /// The question does not fit the schema; says which member.
    #[error("{0}")]
    Question(String),
    /// A policy that could have counted could not be evaluated: its id, and what was wrong.
    #[error("policy {policy}: {message}")]
    Policy { policy: String, message: String },
}
