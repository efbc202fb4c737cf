//! The table `audit_events`.

use std::collections::BTreeSet;

use ::entity::audit_events;
use chrono::{DateTime, Utc};
use sea_orm::sea_query::{Expr, ExprTrait as _};
use sea_orm::{ColumnTrait as _, Condition, EntityTrait as _, QueryFilter as _, QueryOrder as _, QuerySelect as _};
use serde::Serialize;
use serde_json::Value as Json;
use utoipa::ToSchema;
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

/// Which way to read the record.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Order {
    #[default]
    NewestFirst,
    OldestFirst,
}

/// Where an event stands in the record: new ones change nothing about it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Place {
    at: i64,
    id: Uuid,
}

impl From<&Recorded> for Place {
    fn from(event: &Recorded) -> Self {
        Self { at: event.at.timestamp_millis(), id: event.id }
    }
}

/// The place of the event with this id.
pub async fn place(database: &Database, id: Uuid) -> Result<Option<Place>, DatabaseError> {
    let row = database.query_one(database.statement("SELECT at FROM audit_events WHERE id = $1", [id.into()])).await?;
    let at: Option<i64> = row.map(|row| row.try_get("", "at")).transpose()?;
    Ok(at.map(|at| Place { at, id }))
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
    /// Behind this one, in the order.
    pub after: Option<Place>,
    pub order: Order,
    pub limit: u64,
}

/// An event as it is in the record, and as everybody is shown it who may read the record: `docs/audit.md` explains it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
pub struct Recorded {
    pub id: Uuid,
    pub at: DateTime<Utc>,
    /// What happened.
    pub kind: String,
    /// Whom it is about.
    pub user_id: Option<Uuid>,
    /// Who did it, where that is somebody who was signed in.
    pub actor_id: Option<Uuid>,
    pub client_id: Option<String>,
    pub address: Option<String>,
    /// The reference that the answer to the request had.
    pub request_id: Option<String>,
    /// What else is known of this kind.
    #[schema(value_type = Object)]
    pub detail: Json,
}

/// Events, in the order of the filter.
pub async fn list(database: &Database, filter: &Filter) -> Result<Vec<Recorded>, DatabaseError> {
    let kinds: BTreeSet<&String> = filter.kinds.iter().collect();
    let is_narrow = filter.user_id.is_some() || filter.actor_id.is_some() || filter.request_id.is_some();
    if kinds.len() < 2 || is_narrow {
        return find(database, filter).await;
    }
    // Each kind is in order in its index, all of them together are not: the first of each hold the first of all.
    let mut found = Vec::new();
    for kind in kinds {
        found.extend(find(database, &Filter { kinds: vec![kind.clone()], ..filter.clone() }).await?);
    }
    found.sort_by_key(|event| (event.at, event.id));
    if filter.order == Order::NewestFirst {
        found.reverse();
    }
    found.truncate(usize::try_from(filter.limit).unwrap_or(usize::MAX));
    Ok(found)
}

async fn find(database: &Database, filter: &Filter) -> Result<Vec<Recorded>, DatabaseError> {
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
    // Compared as a pair, which engines look up in an index at once.
    let behind = filter.after.map(|place| {
        let (here, there) = (place_of_row(), Expr::tuple([place.at.into(), place.id.into()]));
        if filter.order == Order::NewestFirst { here.lt(there) } else { here.gt(there) }
    });
    let wanted = conditions.into_iter().flatten().chain(behind).fold(Condition::all(), Condition::add);
    let order = if filter.order == Order::NewestFirst { sea_orm::Order::Desc } else { sea_orm::Order::Asc };
    let rows = audit_events::Entity::find()
        .filter(wanted)
        .order_by(Column::At, order.clone())
        .order_by(Column::Id, order)
        .limit(filter.limit)
        .all(database.reader())
        .await?;
    Ok(rows.into_iter().map(recorded).collect())
}

fn place_of_row() -> Expr {
    use audit_events::Column;
    Expr::tuple([Expr::col(Column::At), Expr::col(Column::Id)])
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
