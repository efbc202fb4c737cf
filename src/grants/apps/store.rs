//! What a person has given one client, over all tables of the room.

use chrono::{DateTime, Utc};
use sea_orm::FromQueryResult;
use uuid::Uuid;

use super::Row;
use crate::platform::database::{Database, DatabaseError, Tx, execute, fetch_all};

/// The same for the codes of one client. Answers how many they were.
pub(super) async fn expire_codes_of_client(
    tx: &Tx,
    user: Uuid,
    client_id: &str,
    now: DateTime<Utc>,
) -> Result<u64, DatabaseError> {
    let sql = "UPDATE codes SET expires_at = $3 WHERE user_id = $1 AND client_id = $2 AND expires_at > $3";
    execute(tx, sql, [user.into(), client_id.into(), now.timestamp_millis().into()]).await
}

/// A grant that has just ended, and the browser session that it was made in.
#[derive(FromQueryResult)]
pub(super) struct Ended {
    pub(super) id: Uuid,
    pub(super) session_id: Option<Uuid>,
}

/// Ends every grant that a person has given to a client.
pub(super) async fn end_grants_of_client(
    tx: &Tx,
    user: Uuid,
    client_id: &str,
    reason: &'static str,
    now: DateTime<Utc>,
) -> Result<Vec<Ended>, DatabaseError> {
    let sql = "UPDATE grants SET ended_at = $3, end_reason = $4, sealed_successor = NULL \
               WHERE user_id = $1 AND client_id = $2 AND ended_at IS NULL RETURNING id, session_id";
    fetch_all(tx, sql, [user.into(), client_id.into(), now.timestamp_millis().into(), reason.into()]).await
}

/// Forgets what a person has allowed a client. Answers how many scopes they were.
pub(super) async fn forget_consents(tx: &Tx, user: Uuid, client_id: &str) -> Result<u64, DatabaseError> {
    execute(tx, "DELETE FROM consents WHERE user_id = $1 AND client_id = $2", [user.into(), client_id.into()]).await
}

/// The clients with live grants of a person, or that they have allowed something, the one that got tokens last first.
pub(super) async fn apps(
    database: &Database,
    user: Uuid,
    now: DateTime<Utc>,
    most: u64,
) -> Result<Vec<Row>, DatabaseError> {
    // Grouped twice: somebody has one grant for each sign-in, nearly all with the same scopes.
    let sql = "SELECT c.id AS client_id, c.name, a.scopes, a.since, a.last_used_at, a.offline FROM ( \
               SELECT client_id, string_agg(scope, ' ') AS scopes, MIN(since) AS since, MAX(used) AS last_used_at, \
               MAX(offline) AS offline FROM ( \
               SELECT client_id, scope, granted_at AS since, CAST(NULL AS bigint) AS used, 0 AS offline \
               FROM consents WHERE user_id = $1 UNION ALL \
               SELECT g.client_id, g.scope, MIN(g.created_at), MAX(COALESCE(g.rotated_at, g.created_at)), \
               MAX(CASE WHEN g.offline THEN 1 ELSE 0 END) \
               FROM grants g LEFT JOIN browser_sessions s ON s.id = g.session_id \
               WHERE g.user_id = $1 AND g.ended_at IS NULL AND g.expires_at > $2 \
               AND (g.offline OR (s.ended_at IS NULL AND s.expires_at > $2)) GROUP BY g.client_id, g.scope \
               ) each_of_them GROUP BY client_id) a JOIN clients c ON c.id = a.client_id \
               ORDER BY COALESCE(a.last_used_at, a.since) DESC, c.id LIMIT $3";
    let most = i64::try_from(most).unwrap_or(i64::MAX);
    database.find_all(database.statement(sql, [user.into(), now.timestamp_millis().into(), most.into()])).await
}
