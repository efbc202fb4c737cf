//! The table `attempts`.

use chrono::{DateTime, Utc};
use sea_orm::FromQueryResult;
use uuid::Uuid;

use super::{Charge, closing};
use crate::audit::{self, About, Source};
use crate::platform::database::{Database, DatabaseError, Tx, execute, fetch_all, fetch_one};
use crate::platform::settings::Millis;

/// How long a window without failures has to last until the next one is as short as the first.
const QUIET: i64 = 86_400_000;

/// Batches of one round of the sweeper at the most: whoever fills this table fills it quickly.
const SWEEPS: u32 = 20;

#[derive(Clone, Debug, FromQueryResult)]
struct Counter {
    key_hash: Vec<u8>,
    failures: i32,
    window_ends_at: i64,
}

/// A counter and what it may hold.
#[derive(Clone, Debug)]
pub(super) struct Rule {
    pub(super) key: Vec<u8>,
    /// What closes, for the record.
    pub(super) by: &'static str,
    pub(super) limit: i32,
}

/// What an attempt is charged to.
#[derive(Clone, Debug)]
pub(super) struct Plan {
    /// Where it comes from.
    pub(super) places: Option<[Rule; 2]>,
    /// Whose it is: windows grow.
    pub(super) own: Option<Rule>,
    pub(super) window: Millis,
    pub(super) longest: Millis,
    pub(super) event_id: Uuid,
    pub(super) what: &'static str,
    pub(super) about: About,
    pub(super) source: Source,
}

pub(super) enum Outcome {
    /// The counters, with the end of the window that each was charged in.
    Charged(Vec<(Vec<u8>, i64)>),
    Over {
        by: &'static str,
        window_ends_at: i64,
    },
}

/// Charges an attempt: to its places, and if none is over, to whose it is. Every attempt takes the rows in this order, so that
/// no two of them wait for each other.
pub(super) async fn charge(database: &Database, plan: Plan, now: DateTime<Utc>) -> Result<Outcome, DatabaseError> {
    database
        .write(move |tx| {
            Box::pin(async move {
                let mut charged = Vec::with_capacity(3);
                if let Some([address, network]) = &plan.places {
                    let counters = count_places(tx, [&address.key, &network.key], now, plan.window).await?;
                    let of = |rule: &Rule| counters.iter().find(|counter| counter.key_hash == rule.key).cloned();
                    let counted: Vec<_> =
                        [address, network].into_iter().filter_map(|rule| Some((rule, of(rule)?))).collect();
                    if let Some(over) = judge(tx, &plan, &counted, now).await? {
                        return Ok(over);
                    }
                    charged.extend(counted.into_iter().map(|(_, counter)| (counter.key_hash, counter.window_ends_at)));
                }
                if let Some(own) = &plan.own {
                    let counted = [(own, count_own(tx, own, now, plan.window, plan.longest).await?)];
                    if let Some(over) = judge(tx, &plan, &counted, now).await? {
                        return Ok(over);
                    }
                    charged.extend(counted.map(|(_, row)| (row.key_hash, row.window_ends_at)));
                }
                Ok(Outcome::Charged(charged))
            })
        })
        .await
}

/// The counter that is over its limit for the longest time, if any is. The one attempt that closes a counter is recorded.
async fn judge(
    tx: &Tx,
    plan: &Plan,
    counters: &[(&Rule, Counter)],
    now: DateTime<Utc>,
) -> Result<Option<Outcome>, DatabaseError> {
    let over = counters.iter().filter(|(rule, row)| row.failures > rule.limit);
    let Some((rule, row)) = over.max_by_key(|(_, row)| row.window_ends_at) else { return Ok(None) };
    if row.failures == rule.limit + 1 {
        audit::record(tx, plan.event_id, now, &closing(plan.what, rule.by), &plan.about, &plan.source).await?;
    }
    Ok(Some(Outcome::Over { by: rule.by, window_ends_at: row.window_ends_at }))
}

/// Counts one more for both, starting a new window where the old one is over.
async fn count_places(
    tx: &Tx,
    [address, network]: [&Vec<u8>; 2],
    now: DateTime<Utc>,
    window: Millis,
) -> Result<Vec<Counter>, DatabaseError> {
    let (now, ends) = (now.timestamp_millis(), now.timestamp_millis() + window.get());
    fetch_all(
        tx,
        "INSERT INTO attempts (key_hash, failures, window_ends_at, length, forget_at) \
         VALUES ($1, 1, $4, 0, $4), ($2, 1, $4, 0, $4) \
         ON CONFLICT (key_hash) DO UPDATE SET \
         failures = CASE WHEN attempts.window_ends_at <= $3 THEN 1 ELSE attempts.failures + 1 END, \
         window_ends_at = CASE WHEN attempts.window_ends_at <= $3 THEN $4 ELSE attempts.window_ends_at END, \
         forget_at = CASE WHEN attempts.window_ends_at <= $3 THEN $4 ELSE attempts.window_ends_at END \
         RETURNING key_hash, failures, window_ends_at",
        [address.clone().into(), network.clone().into(), now.into(), ends.into()],
    )
    .await
}

/// Counts one more where windows grow: a new one lasts twice as long as the one before if that was more than half full, and
/// half as long if it was not.
async fn count_own(
    tx: &Tx,
    rule: &Rule,
    now: DateTime<Utc>,
    window: Millis,
    longest: Millis,
) -> Result<Counter, DatabaseError> {
    let next = "CASE WHEN attempts.forget_at <= $2 THEN $3 \
                WHEN attempts.failures * 2 > $5 THEN CASE WHEN attempts.length * 2 > $4 THEN $4 ELSE attempts.length * 2 END \
                WHEN attempts.length < $3 * 2 THEN $3 ELSE attempts.length / 2 END";
    let sql = format!(
        "INSERT INTO attempts (key_hash, failures, window_ends_at, length, forget_at) \
         VALUES ($1, 1, $2 + $3, $3, $2 + $3 + $6) \
         ON CONFLICT (key_hash) DO UPDATE SET \
         failures = CASE WHEN attempts.window_ends_at <= $2 THEN 1 ELSE attempts.failures + 1 END, \
         length = CASE WHEN attempts.window_ends_at <= $2 THEN {next} ELSE attempts.length END, \
         window_ends_at = CASE WHEN attempts.window_ends_at <= $2 THEN $2 + {next} ELSE attempts.window_ends_at END, \
         forget_at = CASE WHEN attempts.window_ends_at <= $2 THEN $2 + {next} + $6 ELSE attempts.forget_at END \
         RETURNING key_hash, failures, window_ends_at"
    );
    let values = [
        rule.key.clone().into(),
        now.timestamp_millis().into(),
        window.get().into(),
        longest.get().max(window.get()).into(),
        rule.limit.into(),
        QUIET.into(),
    ];
    fetch_one(tx, &sql, values).await?.ok_or_else(no_row)
}

/// Counts one more for a single key; answers how many there are in its window.
pub(super) async fn count_one(
    database: &Database,
    key: Vec<u8>,
    now: DateTime<Utc>,
    window: Millis,
) -> Result<i32, DatabaseError> {
    let (now, ends) = (now.timestamp_millis(), now.timestamp_millis() + window.get());
    database
        .write(move |tx| {
            Box::pin(async move {
                let counter: Option<Counter> = fetch_one(
                    tx,
                    "INSERT INTO attempts (key_hash, failures, window_ends_at, length, forget_at) VALUES ($1, 1, $3, 0, $3) \
                     ON CONFLICT (key_hash) DO UPDATE SET \
                     failures = CASE WHEN attempts.window_ends_at <= $2 THEN 1 ELSE attempts.failures + 1 END, \
                     window_ends_at = CASE WHEN attempts.window_ends_at <= $2 THEN $3 ELSE attempts.window_ends_at END, \
                     forget_at = CASE WHEN attempts.window_ends_at <= $2 THEN $3 ELSE attempts.window_ends_at END \
                     RETURNING key_hash, failures, window_ends_at",
                    [key.into(), now.into(), ends.into()],
                )
                .await?;
                counter.map(|counter| counter.failures).ok_or_else(no_row)
            })
        })
        .await
}

fn no_row() -> DatabaseError {
    DatabaseError::Commit("an upsert returned no row".to_owned())
}

/// Gives an attempt back, in the transaction of the sign-in that succeeded. Of a window that is over meanwhile nothing is left to
/// give back to.
pub async fn refund(tx: &Tx, charge: &Charge) -> Result<(), DatabaseError> {
    for charged in &charge.0 {
        execute(
            tx,
            "UPDATE attempts SET failures = failures - 1 WHERE key_hash = $1 AND window_ends_at = $2 AND failures > 0",
            [charged.key.clone().into(), charged.window_ends_at.into()],
        )
        .await?;
    }
    Ok(())
}

/// Removes counters that no longer count, `batch` at a time; answers how many.
pub async fn sweep(database: &Database, now: DateTime<Utc>, batch: i64) -> Result<u64, DatabaseError> {
    let now = now.timestamp_millis();
    let mut gone = 0;
    for _ in 0..SWEEPS {
        let swept: u64 = database
            .write(move |tx| {
                Box::pin(async move {
                    let sql = "DELETE FROM attempts WHERE key_hash IN \
                               (SELECT key_hash FROM attempts WHERE forget_at < $1 ORDER BY forget_at LIMIT $2)";
                    execute::<2>(tx, sql, [now.into(), batch.into()]).await
                })
            })
            .await?;
        gone += swept;
        if swept < batch.unsigned_abs() {
            break;
        }
    }
    Ok(gone)
}
