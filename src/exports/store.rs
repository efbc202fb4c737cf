//! The tables `exports` and `export_parts`.

use chrono::{DateTime, Utc};
use sea_orm::FromQueryResult;
use uuid::Uuid;

use super::{Export, ExportError};
use crate::platform::database::{Database, DatabaseError, Tx, execute, fetch_all, fetch_one, hold_row};
use crate::platform::random::Random;
use crate::platform::secrets::SealingKey;

const COLUMNS: &str = "id, asked_at, ready_at, failed_at, expires_at, bytes";

/// The most that are shown of a person's.
const MOST: i64 = 100;

pub(super) async fn of(database: &Database, user: Uuid) -> Result<Vec<Export>, DatabaseError> {
    let sql = format!("SELECT {COLUMNS} FROM exports WHERE user_id = $1 ORDER BY asked_at DESC, id DESC LIMIT {MOST}");
    database.find_all(database.statement(&sql, [user.into()])).await
}

pub(super) async fn one(database: &Database, user: Uuid, id: Uuid) -> Result<Option<Export>, DatabaseError> {
    let sql = format!("SELECT {COLUMNS} FROM exports WHERE id = $1 AND user_id = $2");
    database.find_one(database.statement(&sql, [id.into(), user.into()])).await
}

/// What somebody has asked for of late.
#[derive(FromQueryResult)]
pub(super) struct Recent {
    pub(super) running: i64,
    pub(super) asked: i64,
    pub(super) oldest: Option<i64>,
}

/// The same; whoever asks for this person at the same time waits. `None`: they are gone.
pub(super) async fn hold_recent(tx: &Tx, user: Uuid, since: DateTime<Utc>) -> Result<Option<Recent>, DatabaseError> {
    #[derive(FromQueryResult)]
    #[expect(dead_code, reason = "that there is a row is the answer")]
    struct Row {
        id: Uuid,
    }
    let sql = format!("SELECT id FROM users WHERE id = $1{}", hold_row(tx, true));
    if fetch_one::<Row, 1>(tx, &sql, [user.into()]).await?.is_none() {
        return Ok(None);
    }
    let sql = "SELECT count(CASE WHEN ready_at IS NULL AND failed_at IS NULL THEN 1 END) AS running, \
               count(CASE WHEN asked_at > $2 THEN 1 END) AS asked, \
               min(CASE WHEN asked_at > $2 THEN asked_at END) AS oldest FROM exports WHERE user_id = $1";
    fetch_one(tx, sql, [user.into(), since.timestamp_millis().into()]).await
}

pub(super) struct New {
    pub(super) id: Uuid,
    pub(super) user_id: Uuid,
    pub(super) sealed_secret: Vec<u8>,
    pub(super) announce: bool,
    pub(super) attempts: i32,
    pub(super) leased_until: DateTime<Utc>,
    pub(super) now: DateTime<Utc>,
}

pub(super) async fn insert(tx: &Tx, new: &New) -> Result<(), DatabaseError> {
    let sql = "INSERT INTO exports (id, user_id, sealed_secret, announce, asked_at, attempts, leased_until, parts, bytes) \
               VALUES ($1, $2, $3, $4, $5, $6, $7, 0, 0)";
    let values = [
        new.id.into(),
        new.user_id.into(),
        new.sealed_secret.clone().into(),
        new.announce.into(),
        new.now.timestamp_millis().into(),
        new.attempts.into(),
        new.leased_until.timestamp_millis().into(),
    ];
    execute(tx, sql, values).await?;
    Ok(())
}

/// A document that we write.
#[derive(Clone)]
pub(super) struct Taken {
    pub(super) id: Uuid,
    pub(super) user_id: Uuid,
    /// Ours only as long as it is this attempt.
    pub(super) attempts: i32,
    pub(super) secret: String,
    pub(super) announce: bool,
}

/// Takes the document that has waited longest, and what another attempt has left of it.
pub(super) async fn claim(
    database: &Database,
    now: DateTime<Utc>,
    until: DateTime<Utc>,
    sealing: &SealingKey,
) -> Result<Option<Taken>, ExportError> {
    #[derive(FromQueryResult)]
    struct Row {
        id: Uuid,
        user_id: Uuid,
        attempts: i32,
        sealed_secret: Vec<u8>,
        announce: bool,
    }
    let waits = "SELECT id FROM exports WHERE ready_at IS NULL AND failed_at IS NULL AND leased_until <= $1 LIMIT 1";
    // Most of the time nothing waits, and nothing is to be written to find that out.
    if database.query_one(database.statement(waits, [now.timestamp_millis().into()])).await?.is_none() {
        return Ok(None);
    }
    let sql = format!(
        "WITH due AS (SELECT id FROM exports WHERE ready_at IS NULL AND failed_at IS NULL AND leased_until <= $1 \
         ORDER BY asked_at LIMIT 1{}) \
         UPDATE exports SET attempts = attempts + 1, leased_until = $2 WHERE id IN (SELECT id FROM due) AND leased_until <= $1 \
         RETURNING id, user_id, attempts, sealed_secret, announce",
        database.skip_locked()
    );
    let values = [now.timestamp_millis().into(), until.timestamp_millis().into()];
    let action = database.write(move |tx| {
        Box::pin(async move {
            let row: Option<Row> = fetch_one(tx, &sql, values).await?;
            if let Some(row) = &row {
                execute(tx, "DELETE FROM export_parts WHERE export_id = $1", [row.id.into()]).await?;
            }
            Ok::<_, DatabaseError>(row)
        })
    });
    let Some(row) = action.await? else { return Ok(None) };
    let secret = opened(&row.sealed_secret, sealing)?;
    let Row { id, user_id, attempts, announce, .. } = row;
    Ok(Some(Taken { id, user_id, attempts, secret, announce }))
}

fn opened(sealed: &[u8], sealing: &SealingKey) -> Result<String, ExportError> {
    Ok(String::from_utf8_lossy(&sealing.open(sealed)?).into_owned())
}

/// Prolongs the lease of an attempt. Answers whether the document is still that attempt's.
pub(super) async fn prolong(tx: &Tx, id: Uuid, attempt: i32, until: DateTime<Utc>) -> Result<bool, DatabaseError> {
    let sql = "UPDATE exports SET leased_until = $3 \
               WHERE id = $1 AND attempts = $2 AND ready_at IS NULL AND failed_at IS NULL";
    Ok(execute(tx, sql, [id.into(), attempt.into(), until.timestamp_millis().into()]).await? == 1)
}

pub(super) async fn put_part(tx: &Tx, id: Uuid, number: i32, sealed: Vec<u8>) -> Result<(), DatabaseError> {
    let sql = "INSERT INTO export_parts (export_id, number, sealed) VALUES ($1, $2, $3)";
    execute(tx, sql, [id.into(), number.into(), sealed.into()]).await?;
    Ok(())
}

pub(super) async fn finish(
    tx: &Tx,
    id: Uuid,
    parts: i32,
    bytes: i64,
    expires_at: DateTime<Utc>,
    now: DateTime<Utc>,
) -> Result<(), DatabaseError> {
    let sql = "UPDATE exports SET ready_at = $2, parts = $3, bytes = $4, expires_at = $5 WHERE id = $1";
    let values =
        [id.into(), now.timestamp_millis().into(), parts.into(), bytes.into(), expires_at.timestamp_millis().into()];
    execute(tx, sql, values).await?;
    Ok(())
}

/// Gives it up. Answers whether it was still to be written.
pub(super) async fn fail(tx: &Tx, id: Uuid, now: DateTime<Utc>) -> Result<bool, DatabaseError> {
    let sql = "UPDATE exports SET failed_at = $2 WHERE id = $1 AND ready_at IS NULL AND failed_at IS NULL";
    Ok(execute(tx, sql, [id.into(), now.timestamp_millis().into()]).await? == 1)
}

/// A document that can be fetched.
pub(super) struct Ready {
    pub(super) id: Uuid,
    pub(super) parts: i32,
    pub(super) secret: String,
}

pub(super) async fn ready(
    database: &Database,
    user: Uuid,
    id: Uuid,
    now: DateTime<Utc>,
    sealing: &SealingKey,
) -> Result<Option<Ready>, ExportError> {
    #[derive(FromQueryResult)]
    struct Row {
        parts: i32,
        sealed_secret: Vec<u8>,
    }
    let sql = "SELECT parts, sealed_secret FROM exports \
               WHERE id = $1 AND user_id = $2 AND ready_at IS NOT NULL AND expires_at > $3";
    let values = [id.into(), user.into(), now.timestamp_millis().into()];
    let row: Option<Row> = database.find_one(database.statement(sql, values)).await?;
    let Some(row) = row else { return Ok(None) };
    Ok(Some(Ready { id, parts: row.parts, secret: opened(&row.sealed_secret, sealing)? }))
}

pub(super) async fn part(database: &Database, id: Uuid, number: i32) -> Result<Option<Vec<u8>>, DatabaseError> {
    let sql = "SELECT sealed FROM export_parts WHERE export_id = $1 AND number = $2";
    let row = database.query_one(database.statement(sql, [id.into(), number.into()])).await?;
    Ok(row.map(|row| row.try_get("", "sealed")).transpose()?)
}

/// Removes the pieces of documents whose time is over, and, once they do not count any more, the documents; at most `batch` of each.
pub(super) async fn sweep(
    database: &Database,
    now: DateTime<Utc>,
    counted_since: DateTime<Utc>,
    batch: i64,
) -> Result<u64, DatabaseError> {
    let (now, since) = (now.timestamp_millis(), counted_since.timestamp_millis());
    let action = database.write(move |tx| {
        Box::pin(async move {
            let pieces = "DELETE FROM export_parts WHERE export_id IN (SELECT id FROM exports WHERE id IN \
                          (SELECT export_id FROM export_parts) AND expires_at <= $1 LIMIT $2)";
            let pieces = execute(tx, pieces, [now.into(), batch.into()]).await?;
            let over = "DELETE FROM exports WHERE id IN (SELECT id FROM exports \
                        WHERE (expires_at <= $1 OR failed_at IS NOT NULL) AND asked_at <= $2 LIMIT $3)";
            Ok(pieces + execute(tx, over, [now.into(), since.into(), batch.into()]).await?)
        })
    });
    action.await
}

/// Seals the secrets of the documents anew, under a new master key. Answers how many.
pub async fn reseal(tx: &Tx, old: &SealingKey, new: &SealingKey, random: &dyn Random) -> Result<u64, ExportError> {
    #[derive(FromQueryResult)]
    struct Row {
        id: Uuid,
        sealed_secret: Vec<u8>,
    }
    let mut sealed = 0;
    for row in fetch_all::<Row, 0>(tx, "SELECT id, sealed_secret FROM exports", []).await? {
        let anew = new.seal(&old.open(&row.sealed_secret)?, random)?;
        let sql = "UPDATE exports SET sealed_secret = $2 WHERE id = $1";
        sealed += execute(tx, sql, [row.id.into(), anew.into()]).await?;
    }
    Ok(sealed)
}
