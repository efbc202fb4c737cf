//! The table `attempts`.

use chrono::{DateTime, Utc};
use sea_orm::FromQueryResult;

use super::Charge;
use crate::platform::database::{Database, DatabaseError, Tx, execute, fetch_one};
use crate::platform::settings::Millis;

#[derive(Clone, Copy, Debug, FromQueryResult)]
pub(super) struct Counter {
    pub(super) failures: i32,
    pub(super) window_ends_at: i64,
}

/// Counts one more for both keys, starting a new window where the old one is over.
pub(super) async fn charge(
    database: &Database,
    keys: &[Vec<u8>; 2],
    now: DateTime<Utc>,
    window: Millis,
) -> Result<[Counter; 2], DatabaseError> {
    let [account, address] = keys.clone();
    let (now, ends) = (now.timestamp_millis(), now.timestamp_millis() + window.get());
    database
        .write(move |tx| {
            Box::pin(async move {
                // Always the account first: two attempts never wait for each other crosswise.
                let account = count(tx, account, now, ends).await?;
                let address = count(tx, address, now, ends).await?;
                Ok([account, address])
            })
        })
        .await
}

/// Counts one more for a single key.
pub(super) async fn count_one(
    database: &Database,
    key: Vec<u8>,
    now: DateTime<Utc>,
    window: Millis,
) -> Result<Counter, DatabaseError> {
    let (now, ends) = (now.timestamp_millis(), now.timestamp_millis() + window.get());
    database.write(move |tx| Box::pin(async move { count(tx, key, now, ends).await })).await
}

async fn count(tx: &Tx, key: Vec<u8>, now: i64, ends: i64) -> Result<Counter, DatabaseError> {
    fetch_one(
        tx,
        "INSERT INTO attempts (key_hash, failures, window_ends_at) VALUES ($1, 1, $3) \
         ON CONFLICT (key_hash) DO UPDATE SET \
         failures = CASE WHEN attempts.window_ends_at <= $2 THEN 1 ELSE attempts.failures + 1 END, \
         window_ends_at = CASE WHEN attempts.window_ends_at <= $2 THEN $3 ELSE attempts.window_ends_at END \
         RETURNING failures, window_ends_at",
        [key.into(), now.into(), ends.into()],
    )
    .await?
    .ok_or_else(|| DatabaseError::Commit("an upsert returned no row".to_owned()))
}

/// Gives an attempt back, in the transaction of the sign-in that succeeded.
pub async fn refund(tx: &Tx, charge: &Charge) -> Result<(), DatabaseError> {
    for key in &charge.keys {
        execute(
            tx,
            "UPDATE attempts SET failures = failures - 1 WHERE key_hash = $1 AND failures > 0",
            [key.clone().into()],
        )
        .await?;
    }
    Ok(())
}

/// Removes at most `batch` windows that are over; answers how many.
pub async fn sweep(database: &Database, now: DateTime<Utc>, batch: i64) -> Result<u64, DatabaseError> {
    let now = now.timestamp_millis();
    database
        .write(move |tx| {
            Box::pin(async move {
                let sql = "DELETE FROM attempts WHERE key_hash IN \
                           (SELECT key_hash FROM attempts WHERE window_ends_at < $1 ORDER BY window_ends_at LIMIT $2)";
                execute(tx, sql, [now.into(), batch.into()]).await
            })
        })
        .await
}
