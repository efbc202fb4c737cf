//! The table `devices`.

use chrono::{DateTime, Utc};
use sea_orm::FromQueryResult;
use uuid::Uuid;

use crate::platform::database::{DatabaseError, Tx, execute, fetch_all, fetch_one};

/// People of one browser that go along when its secret changes, those seen last. Others are strangers on it again.
const PEOPLE: i64 = 8;

/// Devices of one person that are remembered, those seen last.
const MOST: i64 = 20;

/// Gives a device that is known its next secret. Answers whether it is known for this person.
pub(super) async fn move_on(
    tx: &Tx,
    user: Uuid,
    shown: &[u8],
    next: &[u8],
    now: DateTime<Utc>,
) -> Result<bool, DatabaseError> {
    #[derive(FromQueryResult)]
    struct Row {
        user_id: Uuid,
    }
    if shown == next {
        let sql = "UPDATE devices SET seen_at = $3 WHERE user_id = $1 AND key_hash = $2";
        return Ok(execute(tx, sql, [user.into(), shown.into(), now.timestamp_millis().into()]).await? > 0);
    }
    let sql = "UPDATE devices SET key_hash = $2, seen_at = CASE WHEN user_id = $3 THEN $4 ELSE seen_at END \
               WHERE id IN (SELECT id FROM devices WHERE key_hash = $1 ORDER BY seen_at DESC LIMIT $5) RETURNING user_id";
    let values = [shown.into(), next.into(), user.into(), now.timestamp_millis().into(), PEOPLE.into()];
    let people: Vec<Row> = fetch_all(tx, sql, values).await?;
    Ok(people.iter().any(|row| row.user_id == user))
}

/// Answers whether it was new for the person.
pub(super) async fn insert(
    tx: &Tx,
    id: Uuid,
    user: Uuid,
    key_hash: &[u8],
    now: DateTime<Utc>,
) -> Result<bool, DatabaseError> {
    let sql = "INSERT INTO devices (id, user_id, key_hash, created_at, seen_at) VALUES ($1, $2, $3, $4, $4) \
               ON CONFLICT (user_id, key_hash) DO NOTHING";
    let values = [id.into(), user.into(), key_hash.into(), now.timestamp_millis().into()];
    Ok(execute(tx, sql, values).await? == 1)
}

/// Whether the person was ever seen on another device.
pub(super) async fn has_others(tx: &Tx, user: Uuid, id: Uuid) -> Result<bool, DatabaseError> {
    #[derive(FromQueryResult)]
    struct Row {
        #[expect(dead_code, reason = "that there is a row is the answer")]
        id: Uuid,
    }
    let sql = "SELECT id FROM devices WHERE user_id = $1 AND id <> $2 LIMIT 1";
    Ok(fetch_one::<Row, 2>(tx, sql, [user.into(), id.into()]).await?.is_some())
}

/// Keeps the table small, however many devices somebody goes through.
pub(super) async fn forget_oldest(tx: &Tx, user: Uuid) -> Result<(), DatabaseError> {
    let sql = "DELETE FROM devices WHERE user_id = $1 AND id NOT IN \
               (SELECT id FROM devices WHERE user_id = $1 ORDER BY seen_at DESC, id DESC LIMIT $2)";
    execute(tx, sql, [user.into(), MOST.into()]).await?;
    Ok(())
}
