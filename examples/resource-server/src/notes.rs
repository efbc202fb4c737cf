//! The API itself. Notes are kept in memory: this is about who may read and write them.

use std::collections::BTreeMap;
use std::sync::Arc;

use axum::extract::rejection::{JsonRejection, PathRejection};
use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::{Extension, Json};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use tokio::sync::RwLock;

use crate::decisions::Decisions;
use crate::refusal::Refusal;
use crate::token::{Claims, Subject};

pub(crate) struct App {
    pub(crate) notes: Notes,
    pub(crate) decisions: Decisions,
}

#[derive(Default)]
pub(crate) struct Notes(RwLock<BTreeMap<u64, Note>>);

#[derive(Clone, Serialize)]
pub(crate) struct Note {
    id: u64,
    owner: Subject,
    text: String,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Written {
    text: String,
}

type Body = Result<Json<Written>, JsonRejection>;

/// `GET /notes`: the caller's own.
pub(crate) async fn own(State(app): State<Arc<App>>, Extension(caller): Extension<Claims>) -> Json<Vec<Note>> {
    let (notes, owner) = (app.notes.0.read().await, caller.subject());
    Json(notes.values().filter(|note| note.owner == owner).cloned().collect())
}

/// `GET /admin/notes`: everybody's.
pub(crate) async fn all(State(app): State<Arc<App>>) -> Json<Vec<Note>> {
    Json(app.notes.0.read().await.values().cloned().collect())
}

/// `POST /notes`. Whose it is says the token, never the body.
pub(crate) async fn create(
    State(app): State<Arc<App>>,
    Extension(caller): Extension<Claims>,
    body: Body,
) -> Result<(StatusCode, Json<Note>), Refusal> {
    let Json(written) = body.map_err(|_| Refusal::Malformed)?;
    let mut notes = app.notes.0.write().await;
    let id = notes.last_key_value().map_or(1, |(last, _)| last + 1);
    let note = Note { id, owner: caller.subject(), text: written.text };
    notes.insert(id, note.clone());
    Ok((StatusCode::CREATED, Json(note)))
}

/// `PUT /notes/{id}`: whoever the policies let.
pub(crate) async fn update(
    State(app): State<Arc<App>>,
    Extension(caller): Extension<Claims>,
    id: Result<Path<u64>, PathRejection>,
    body: Body,
) -> Result<Json<Note>, Refusal> {
    let Path(id) = id.map_err(|_| Refusal::NotFound)?;
    let resource = app.notes.0.read().await.get(&id).map(Note::as_resource).ok_or(Refusal::NotFound)?;
    app.decisions.check(&caller.subject(), "update", resource).await?;
    let Json(written) = body.map_err(|_| Refusal::Malformed)?;
    let mut notes = app.notes.0.write().await;
    let note = notes.get_mut(&id).ok_or(Refusal::NotFound)?;
    note.text = written.text;
    Ok(Json(note.clone()))
}

impl Note {
    /// What policies see of it: `policies/notes.cedarschema` says the same. Its owner is a person, or nobody to them.
    fn as_resource(&self) -> Value {
        let owner = (self.owner.kind == "user").then_some(&self.owner);
        json!({"type": "note", "id": self.id.to_string(), "properties": {"owner": owner}})
    }
}
