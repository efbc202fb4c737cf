//! The table `audit_events`.

use ::entity::audit_events;
use chrono::{DateTime, Utc};
use sea_orm::{ColumnTrait as _, Condition, EntityTrait as _, QueryFilter as _, QueryOrder as _, QuerySelect as _};
use serde::Serialize;
use serde_json::Value as Json;
use uuid::Uuid;

use super::{About, Event, Source};
use crate::platform::clock::from_millis;
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
    let (kind, detail) = describe(event, source);
    execute(
        tx,
        "INSERT INTO audit_events (id, at, kind, user_id, client_id, address, request_id, detail, actor_id) \
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)",
        [
            id.into(),
            now.timestamp_millis().into(),
            kind.into(),
            about.user_id.into(),
            about.client_id.clone().into(),
            source.address.clone().into(),
            source.request_id.clone().into(),
            detail.into(),
            source.actor.into(),
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

/// Which events to show; what is not said does not matter.
#[derive(Clone, Debug, Default)]
pub struct Filter {
    /// Any of these.
    pub kinds: Vec<String>,
    pub user_id: Option<Uuid>,
    pub actor_id: Option<Uuid>,
    pub client_id: Option<String>,
    pub address: Option<String>,
    pub request_id: Option<String>,
    /// Not before.
    pub since: Option<DateTime<Utc>>,
    /// Before.
    pub until: Option<DateTime<Utc>>,
    pub limit: u32,
}

/// An event as it is in the record.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Recorded {
    pub id: Uuid,
    pub at: DateTime<Utc>,
    pub kind: String,
    pub user_id: Option<Uuid>,
    /// Who did it, where that is somebody who was signed in.
    pub actor_id: Option<Uuid>,
    pub client_id: Option<String>,
    pub address: Option<String>,
    pub request_id: Option<String>,
    pub detail: Json,
}

/// Events, newest first.
pub async fn list(database: &Database, filter: &Filter) -> Result<Vec<Recorded>, DatabaseError> {
    use audit_events::Column;
    let text = |column: Column, wanted: &Option<String>| wanted.as_ref().map(|wanted| column.eq(wanted.as_str()));
    let conditions = [
        (!filter.kinds.is_empty()).then(|| Column::Kind.is_in(filter.kinds.iter().map(String::as_str))),
        filter.user_id.map(|id| Column::UserId.eq(id)),
        filter.actor_id.map(|id| Column::ActorId.eq(id)),
        text(Column::ClientId, &filter.client_id),
        text(Column::Address, &filter.address),
        text(Column::RequestId, &filter.request_id),
        filter.since.map(|since| Column::At.gte(since.timestamp_millis())),
        filter.until.map(|until| Column::At.lt(until.timestamp_millis())),
    ];
    let wanted = conditions.into_iter().flatten().fold(Condition::all(), Condition::add);
    let rows = audit_events::Entity::find()
        .filter(wanted)
        .order_by_desc(Column::At)
        .order_by_desc(Column::Id)
        .limit(u64::from(filter.limit))
        .all(database.reader())
        .await?;
    Ok(rows.into_iter().map(recorded).collect())
}

fn recorded(row: audit_events::Model) -> Recorded {
    Recorded {
        id: row.id,
        at: from_millis(row.at),
        kind: row.kind,
        user_id: row.user_id,
        actor_id: row.actor_id,
        client_id: row.client_id,
        address: row.address,
        request_id: row.request_id,
        detail: serde_json::from_str(&row.detail).unwrap_or_default(),
    }
}

/// Takes from events, so many at most, what tells where somebody was who is gone. What another program has said of a message that it
/// did not take may hold their address. Answers how many they were.
pub async fn wipe(database: &Database, user: Uuid, batch: i64) -> Result<u64, DatabaseError> {
    let of =
        |whose: &str, what: &str| format!("SELECT id FROM audit_events WHERE {whose} = $1 AND {what} LIMIT {batch}");
    let (address, said) = ("address IS NOT NULL", "kind = 'message_given_up' AND detail <> '{}'");
    let statements = [
        format!("UPDATE audit_events SET address = NULL WHERE id IN ({})", of("user_id", address)),
        format!("UPDATE audit_events SET address = NULL WHERE id IN ({})", of("actor_id", address)),
        format!("UPDATE audit_events SET detail = '{{}}' WHERE id IN ({})", of("user_id", said)),
    ];
    let action = database.write(move |tx| {
        Box::pin(async move {
            let mut wiped = 0;
            for sql in &statements {
                wiped += execute(tx, sql, [user.into()]).await?;
            }
            Ok(wiped)
        })
    });
    action.await
}

/// Removes at most `batch` events from before an instant; answers how many went.
pub async fn sweep(database: &Database, before: DateTime<Utc>, batch: i64) -> Result<u64, DatabaseError> {
    let sql = "DELETE FROM audit_events WHERE id IN (SELECT id FROM audit_events WHERE at < $1 ORDER BY at LIMIT $2)";
    let values = [before.timestamp_millis().into(), batch.into()];
    database.write(move |tx| Box::pin(async move { execute(tx, sql, values).await })).await
}

/// An event's name, and the rest of it as a JSON object, with the client that did it where no person did.
fn describe(event: &Event, source: &Source) -> (String, String) {
    let Ok(Json::Object(mut members)) = serde_json::to_value(event) else { return (String::new(), "{}".to_owned()) };
    let kind = match members.remove("kind") {
        Some(Json::String(kind)) => kind,
        _ => String::new(),
    };
    if let Some(client) = &source.actor_client {
        members.insert("actor_client".to_owned(), client.clone().into());
    }
    (kind, Json::Object(members).to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_event_is_a_name_and_its_details() {
        let (kind, detail) = describe(
            &Event::SignedIn { amr: "pwd".to_owned(), reauthenticated: false, provider: None },
            &Source::default(),
        );
        assert_eq!(kind, "signed_in");
        let detail: Json = serde_json::from_str(&detail).unwrap();
        assert_eq!(detail, serde_json::json!({"amr": "pwd", "reauthenticated": false}));
        assert_eq!(describe(&Event::SignedUp, &Source::default()), ("signed_up".to_owned(), "{}".to_owned()));
    }
}
