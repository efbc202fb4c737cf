//! The table `outbox`.

use ::entity::outbox;
use chrono::{DateTime, Utc};
use sea_orm::{ActiveModelTrait as _, EntityTrait as _, FromQueryResult, IntoActiveModel as _};
use uuid::Uuid;

use super::NewMessage;
use crate::audit::{self, About, Event, Source};
use crate::platform::database::{Database, DatabaseError, Tx, execute, fetch_all};

/// Rows of one INSERT at the most: engines bound how many values a statement may have.
const INSERT_BATCH: usize = 100;

/// A message on its way.
#[derive(Clone, Debug, PartialEq, Eq, FromQueryResult)]
pub struct Message {
    pub id: Uuid,
    pub recipient: String,
    /// A JSON object.
    pub payload: String,
    /// With the one under way.
    pub attempts: i32,
}

/// Writes messages in the caller's transaction; they are due at once. After it, ring the [`super::Bell`].
pub async fn write(tx: &Tx, messages: Vec<NewMessage>, now: DateTime<Utc>) -> Result<(), DatabaseError> {
    let now = now.timestamp_millis();
    let rows: Vec<_> = messages
        .into_iter()
        .map(|message| outbox::Model {
            id: message.id,
            kind: message.kind.into_owned(),
            payload: message.payload,
            attempts: 0,
            last_error: None,
            created_at: now,
            due_at: now,
            recipient: message.recipient,
        })
        .map(|row| row.into_active_model().reset_all())
        .collect();
    for batch in rows.chunks(INSERT_BATCH) {
        outbox::Entity::insert_many(batch.to_vec()).exec_without_returning(tx).await?;
    }
    Ok(())
}

/// Writes a message that brings a mailed token, if the token is there: the same statement whether it is or not.
pub async fn write_with_token(
    tx: &Tx,
    message: NewMessage,
    token_hash: &[u8],
    now: DateTime<Utc>,
) -> Result<bool, DatabaseError> {
    let sql = "INSERT INTO outbox (id, kind, payload, attempts, created_at, due_at, recipient) \
               SELECT $1, $2, $3, 0, $4, $4, $5 WHERE EXISTS (SELECT 1 FROM mailed_tokens WHERE token_hash = $6)";
    let values = [
        message.id.into(),
        message.kind.into_owned().into(),
        message.payload.into(),
        now.timestamp_millis().into(),
        message.recipient.into(),
        token_hash.into(),
    ];
    Ok(execute(tx, sql, values).await? == 1)
}

/// Whom messages of a kind are due for.
pub(super) async fn waiting(
    database: &Database,
    kind: &'static str,
    now: DateTime<Utc>,
) -> Result<Vec<String>, DatabaseError> {
    #[derive(FromQueryResult)]
    struct Row {
        recipient: String,
    }
    let sql = "SELECT DISTINCT recipient FROM outbox WHERE kind = $1 AND due_at <= $2";
    let rows: Vec<Row> =
        database.find_all(database.statement(sql, [kind.into(), now.timestamp_millis().into()])).await?;
    Ok(rows.into_iter().map(|row| row.recipient).collect())
}

/// Takes messages to one recipient that are due, and counts the attempt. Until `until` they are nobody else's; should we
/// die meanwhile, they are due again then.
pub(super) async fn claim(
    database: &Database,
    kind: &'static str,
    recipient: &str,
    most: u64,
    now: DateTime<Utc>,
    until: DateTime<Utc>,
) -> Result<Vec<Message>, DatabaseError> {
    let sql = format!(
        "WITH due AS (SELECT id FROM outbox WHERE kind = $1 AND recipient = $2 AND due_at <= $3 ORDER BY due_at, id LIMIT {most}{}) \
         UPDATE outbox SET attempts = attempts + 1, due_at = $4 WHERE id IN (SELECT id FROM due) AND due_at <= $3 \
         RETURNING id, recipient, payload, attempts",
        database.skip_locked()
    );
    let values = [kind.into(), recipient.into(), now.timestamp_millis().into(), until.timestamp_millis().into()];
    database.write(move |tx| Box::pin(async move { fetch_all(tx, &sql, values).await })).await
}

/// It was delivered.
pub(super) async fn delete(database: &Database, id: Uuid) -> Result<(), DatabaseError> {
    database.run(database.statement("DELETE FROM outbox WHERE id = $1", [id.into()])).await?;
    Ok(())
}

/// Removes what waits of a kind for a recipient, in the caller's transaction.
pub async fn drop_for(tx: &Tx, kind: &'static str, recipient: &str) -> Result<u64, DatabaseError> {
    execute(tx, "DELETE FROM outbox WHERE kind = $1 AND recipient = $2", [kind.into(), recipient.into()]).await
}

/// It was not delivered and is due again at `due`, unless somebody else has taken it meanwhile.
pub(super) async fn postpone(
    database: &Database,
    message: &Message,
    error: &str,
    due: DateTime<Utc>,
) -> Result<(), DatabaseError> {
    let sql = "UPDATE outbox SET last_error = $2, due_at = $3 WHERE id = $1 AND attempts = $4";
    let values = [message.id.into(), error.into(), due.timestamp_millis().into(), message.attempts.into()];
    database.run(database.statement(sql, values)).await?;
    Ok(())
}

/// The recipient takes nothing at the moment: what else is due for it waits, without an attempt being counted.
pub(super) async fn postpone_all(
    database: &Database,
    kind: &'static str,
    recipient: &str,
    now: DateTime<Utc>,
    due: DateTime<Utc>,
) -> Result<(), DatabaseError> {
    let sql = "UPDATE outbox SET due_at = $4 WHERE kind = $1 AND recipient = $2 AND due_at <= $3";
    let values = [kind.into(), recipient.into(), now.timestamp_millis().into(), due.timestamp_millis().into()];
    database.run(database.statement(sql, values)).await?;
    Ok(())
}

/// Nobody has taken it in all the time it was given: it goes, and the record says so.
pub(super) async fn give_up(
    database: &Database,
    id: Uuid,
    event_id: Uuid,
    event: Event,
    about: About,
    now: DateTime<Utc>,
) -> Result<(), DatabaseError> {
    database
        .write(move |tx| {
            Box::pin(async move {
                if execute(tx, "DELETE FROM outbox WHERE id = $1", [id.into()]).await? == 0 {
                    return Ok(());
                }
                audit::record(tx, event_id, now, &event, &about, &Source::default()).await
            })
        })
        .await
}

/// What waits of one kind.
#[derive(Clone, Debug, FromQueryResult)]
pub struct Queue {
    pub kind: String,
    pub messages: i64,
    /// When the oldest was written, in milliseconds since 1970.
    pub oldest_at: i64,
}

/// What waits, by kind.
pub async fn queues(database: &Database) -> Result<Vec<Queue>, DatabaseError> {
    let sql = "SELECT kind, count(*) AS messages, min(created_at) AS oldest_at FROM outbox GROUP BY kind";
    database.find_all(database.statement(sql, [])).await
}

/// A message that is still here.
#[derive(Clone, Debug, FromQueryResult)]
pub struct Kept {
    pub id: Uuid,
    pub payload: String,
    /// Milliseconds since 1970.
    pub created_at: i64,
}

/// The latest messages of a kind, newest first, a hundred at most: what development shows instead of sending.
pub async fn newest(database: &Database, kind: &'static str) -> Result<Vec<Kept>, DatabaseError> {
    let sql = "SELECT id, payload, created_at FROM outbox WHERE kind = $1 ORDER BY created_at DESC, id DESC LIMIT 100";
    database.find_all(database.statement(sql, [kind.into()])).await
}

/// Writes the payloads of a kind anew, in the caller's transaction. Answers how many they were.
pub async fn reword<E: From<DatabaseError>>(
    tx: &Tx,
    kind: &'static str,
    anew: impl Fn(&str) -> Result<String, E>,
) -> Result<u64, E> {
    let sql = "SELECT id, payload, created_at FROM outbox WHERE kind = $1";
    let rows: Vec<Kept> = fetch_all(tx, sql, [kind.into()]).await?;
    let mut reworded = 0;
    for row in rows {
        let payload = anew(&row.payload)?;
        reworded +=
            execute(tx, "UPDATE outbox SET payload = $2 WHERE id = $1", [row.id.into(), payload.into()]).await?;
    }
    Ok(reworded)
}
