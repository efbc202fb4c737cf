//! What happened.

use serde_json::{Value, json};

use super::operation::{Operation, get};
use super::schemas::{list_of, of};
use crate::audit::Recorded;
use crate::http::api::audit::{ActivityShown, FILTERS};

const AFTER: &str = "The id of the last event of the page before.";

pub(super) fn operations() -> Vec<Operation> {
    let id = json!({"type": "string", "format": "uuid"});
    vec![
        filtered(get("/audit", "List events, newest first").paged("after", AFTER, &id)).gives(list_of::<Recorded>),
        filtered(get("/audit/export", "Export events as JSON lines, oldest first").query("after", &id))
            .gives(of::<Recorded>)
            .in_lines()
            .refuses(&[400]),
        get("/auth/{id}/activity", "List what happened to an account, newest first")
            .uuid("id")
            .paged("after", AFTER, &id)
            .gives(list_of::<ActivityShown>)
            .refuses(&[404]),
    ]
}

fn filtered(operation: Operation) -> Operation {
    FILTERS.into_iter().fold(operation, |operation, name| operation.query(name, &shape(name)))
}

fn shape(name: &str) -> Value {
    match name {
        "kind" => json!({"type": "array", "items": {"type": "string", "minLength": 1}}),
        "user" | "actor" => json!({"type": "string", "format": "uuid"}),
        "since" | "until" => json!({"type": "string", "format": "date-time"}),
        _ => json!({"type": "string", "minLength": 1}),
    }
}
