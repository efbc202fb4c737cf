//! Accounts on their way out, and people who are gone: what the tables `users` and `departures` say of them.

use chrono::{DateTime, Utc};
use sea_orm::FromQueryResult;
use uuid::Uuid;

use crate::platform::database::{Database, DatabaseError, Tx, execute, fetch_one, hold_row};

/// Puts an account on its way out, and keeps everybody out of it. Answers whether it was not there already.
pub(super) async fn leave(
    tx: &Tx,
    id: Uuid,
    leaves_at: DateTime<Utc>,
    now: DateTime<Utc>,
) -> Result<bool, DatabaseError> {
    let sql = "UPDATE users SET leaves_at = $2, leaving_since = CASE WHEN disabled_at = $3 THEN $3 + 1 ELSE $3 END, \
               disabled_at = COALESCE(disabled_at, $3), updated_at = $3 \
               WHERE id = $1 AND leaves_at IS NULL";
    let values = [id.into(), leaves_at.timestamp_millis().into(), now.timestamp_millis().into()];
    Ok(execute(tx, sql, values).await? == 1)
}

/// Takes an account back; `since`: only if it was on its way out since then. Somebody who is kept out otherwise stays so.
pub(super) async fn stay(tx: &Tx, id: Uuid, since: Option<i64>, now: DateTime<Utc>) -> Result<bool, DatabaseError> {
    let sql = "UPDATE users SET disabled_at = CASE WHEN disabled_at = leaving_since THEN NULL ELSE disabled_at END, \
               leaving_since = NULL, leaves_at = NULL, updated_at = $3 \
               WHERE id = $1 AND leaves_at IS NOT NULL AND leaving_since = COALESCE($2, leaving_since)";
    Ok(execute(tx, sql, [id.into(), since.into(), now.timestamp_millis().into()]).await? == 1)
}

/// So many of those whose time has come.
pub(super) async fn due(database: &Database, now: DateTime<Utc>, most: i64) -> Result<Vec<Uuid>, DatabaseError> {
    #[derive(FromQueryResult)]
    struct Row {
        id: Uuid,
    }
    let sql = "SELECT id FROM users WHERE leaves_at <= $1 ORDER BY leaves_at LIMIT $2";
    let rows: Vec<Row> =
        database.find_all(database.statement(sql, [now.timestamp_millis().into(), most.into()])).await?;
    Ok(rows.into_iter().map(|row| row.id).collect())
}

/// Holds somebody whose time has come, if it still has: whoever takes the account back at this moment waits, or was quicker.
pub(super) async fn hold_due(tx: &Tx, id: Uuid, now: DateTime<Utc>) -> Result<bool, DatabaseError> {
    #[derive(FromQueryResult)]
    #[expect(dead_code, reason = "that there is a row is the answer")]
    struct Row {
        id: Uuid,
    }
    let sql = format!("SELECT id FROM users WHERE id = $1 AND leaves_at <= $2{}", hold_row(tx, true));
    Ok(fetch_one::<Row, 2>(tx, &sql, [id.into(), now.timestamp_millis().into()]).await?.is_some())
}

/// Since when somebody is on their way out whom nobody keeps out otherwise, and when they are gone.
pub(super) async fn leaving(database: &Database, id: Uuid) -> Result<Option<(i64, i64)>, DatabaseError> {
    #[derive(FromQueryResult)]
    struct Row {
        leaving_since: i64,
        leaves_at: i64,
    }
    let sql = "SELECT leaving_since, leaves_at FROM users WHERE id = $1 AND leaves_at IS NOT NULL AND disabled_at = leaving_since";
    let row: Option<Row> = database.find_one(database.statement(sql, [id.into()])).await?;
    Ok(row.map(|row| (row.leaving_since, row.leaves_at)))
}

/// People who are gone and of whom traces may be left, so many at most.
pub(crate) async fn departed(database: &Database, most: i64) -> Result<Vec<Uuid>, DatabaseError> {
    #[derive(FromQueryResult)]
    struct Row {
        user_id: Uuid,
    }
    let sql = "SELECT user_id FROM departures ORDER BY departed_at LIMIT $1";
    let rows: Vec<Row> = database.find_all(database.statement(sql, [most.into()])).await?;
    Ok(rows.into_iter().map(|row| row.user_id).collect())
}

/// Nothing is left of somebody who has gone before an instant.
pub(crate) async fn forget_departed(
    database: &Database,
    user: Uuid,
    before: DateTime<Utc>,
) -> Result<(), DatabaseError> {
    let sql = "DELETE FROM departures WHERE user_id = $1 AND departed_at < $2";
    database.run(database.statement(sql, [user.into(), before.timestamp_millis().into()])).await?;
    Ok(())
}
