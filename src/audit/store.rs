//! The table `audit_events`.

use chrono::{DateTime, Utc};
use serde_json::Value as Json;
use uuid::Uuid;

use super::{About, Event, Source};
use crate::platform::database::{Database, DatabaseError, Tx, execute};

/// Writes an event in the caller's transaction.
pub async fn record(
    tx: &Tx,
    id: Uuid,
    now: DateTime<Utc>,
    event: &Event,
    about: &About,
    source: &Source,
) -> Result<(), DatabaseError> {
    let (kind, detail) = describe(event);
    execute(
        tx,
        "INSERT INTO audit_events (id, at, kind, user_id, client_id, address, request_id, detail) \
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8)",
        [
            id.into(),
            now.timestamp_millis().into(),
            kind.into(),
            about.user_id.into(),
            about.client_id.clone().into(),
            source.address.clone().into(),
            source.request_id.clone().into(),
            detail.into(),
        ],
    )
    .await?;
    Ok(())
}

/// When the newest event happened, in milliseconds since 1970.
pub async fn newest(database: &Database) -> Result<Option<i64>, DatabaseError> {
    let row = database.query_one(database.statement("SELECT max(at) AS newest FROM audit_events", [])).await?;
    Ok(row.map(|row| row.try_get("", "newest")).transpose()?.flatten())
}

/// An event's name, and the rest of it as a JSON object.
fn describe(event: &Event) -> (String, String) {
    let Ok(Json::Object(mut members)) = serde_json::to_value(event) else { return (String::new(), "{}".to_owned()) };
    let kind = match members.remove("kind") {
        Some(Json::String(kind)) => kind,
        _ => String::new(),
    };
    (kind, Json::Object(members).to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_event_is_a_name_and_its_details() {
        let (kind, detail) = describe(&Event::SignedIn { amr: "pwd".to_owned(), reauthenticated: false });
        assert_eq!(kind, "signed_in");
        let detail: Json = serde_json::from_str(&detail).unwrap();
        assert_eq!(detail, serde_json::json!({"amr": "pwd", "reauthenticated": false}));
        assert_eq!(describe(&Event::SignedUp), ("signed_up".to_owned(), "{}".to_owned()));
    }
}
