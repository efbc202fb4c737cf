//! Refresh tokens: the hashes in `grants`, and `spent_refresh_tokens`.

use chrono::{DateTime, Utc};
use sea_orm::FromQueryResult;
use uuid::Uuid;

use super::super::{Authentication, Consumed, Grant};
use crate::identity::Person;
use crate::oauth::claims_request::Requested;
use crate::platform::database::{DatabaseError, Tx, execute, fetch_one};

/// One use of a refresh token.
pub(super) struct Step {
    pub(super) presented: Vec<u8>,
    pub(super) successor: Vec<u8>,
    pub(super) sealed: Vec<u8>,
    pub(super) client_id: String,
    pub(super) now: DateTime<Utc>,
    pub(super) expires_at: DateTime<Utc>,
    /// A predecessor that was replaced after this still gets its successor.
    pub(super) rotated_after: DateTime<Utc>,
}

#[derive(FromQueryResult)]
struct GrantRow {
    id: Uuid,
    scope: String,
    audience: Option<String>,
    claims: Option<String>,
    sealed_successor: Option<Vec<u8>>,
    #[sea_orm(nested)]
    authentication: Authentication,
    #[sea_orm(nested)]
    person: Person,
}

impl GrantRow {
    fn into_grant(self) -> Grant {
        Grant {
            id: self.id,
            scope: self.scope,
            audience: self.audience,
            authentication: self.authentication,
            person: self.person,
            nonce: None,
            claims: Requested::stored(self.claims.as_deref()),
            consumed: Consumed,
        }
    }
}

/// Replaces the token that is good now, if it is the one presented and the family is alive: one conditional statement.
pub(super) async fn rotate(tx: &Tx, step: &Step) -> Result<Option<Grant>, DatabaseError> {
    let sql = concat!(
        "UPDATE grants SET previous_hash = token_hash, token_hash = $2, sealed_successor = $3, rotated_at = $4, \
         expires_at = CASE WHEN ends_at < $5 THEN ends_at ELSE $5 END \
         WHERE token_hash = $1 AND client_id = $6 AND ended_at IS NULL AND expires_at > $4 \
         AND EXISTS (SELECT 1 FROM users u WHERE u.id = grants.user_id AND u.disabled_at IS NULL) \
         AND (offline OR EXISTS (SELECT 1 FROM browser_sessions s \
              WHERE s.id = grants.session_id AND s.ended_at IS NULL AND s.expires_at > $4)) \
         RETURNING id, scope, audience, claims, sealed_successor, auth_time, acr, amr, sid, user_id, \
         (SELECT u.name FROM users u WHERE u.id = grants.user_id) AS name, \
         (SELECT u.username FROM users u WHERE u.id = grants.user_id) AS username, \
         (SELECT u.email FROM users u WHERE u.id = grants.user_id) AS email, \
         (SELECT u.email_verified_at FROM users u WHERE u.id = grants.user_id) AS email_verified_at, \
         (SELECT u.updated_at FROM users u WHERE u.id = grants.user_id) AS updated_at, \
         (SELECT u.profile FROM users u WHERE u.id = grants.user_id) AS profile, \
         (SELECT u.attributes FROM users u WHERE u.id = grants.user_id) AS attributes, ",
        standing!("grants.scope", "grants.user_id")
    );
    let values = [
        step.presented.clone().into(),
        step.successor.clone().into(),
        step.sealed.clone().into(),
        step.now.timestamp_millis().into(),
        step.expires_at.timestamp_millis().into(),
        step.client_id.clone().into(),
    ];
    Ok(fetch_one::<GrantRow, 6>(tx, sql, values).await?.map(GrantRow::into_grant))
}

/// The family whose direct predecessor was presented within the grace, with the sealed token that is good now.
pub(super) async fn just_rotated(tx: &Tx, step: &Step) -> Result<Option<(Grant, Vec<u8>)>, DatabaseError> {
    let sql = concat!(
        "SELECT g.id, g.scope, g.audience, g.claims, g.sealed_successor, g.auth_time, g.acr, g.amr, g.sid, g.user_id, \
         u.name, u.username, u.email, u.email_verified_at, u.updated_at, u.profile, u.attributes, ",
        standing!("g.scope", "g.user_id"),
        " FROM grants g JOIN users u ON u.id = g.user_id LEFT JOIN browser_sessions s ON s.id = g.session_id \
         WHERE g.previous_hash = $1 AND g.client_id = $2 AND g.ended_at IS NULL AND g.expires_at > $3 AND g.rotated_at > $4 \
         AND g.sealed_successor IS NOT NULL AND u.disabled_at IS NULL \
         AND (g.offline OR (s.ended_at IS NULL AND s.expires_at > $3))"
    );
    let values = [
        step.presented.clone().into(),
        step.client_id.clone().into(),
        step.now.timestamp_millis().into(),
        step.rotated_after.timestamp_millis().into(),
    ];
    let row: Option<GrantRow> = fetch_one(tx, sql, values).await?;
    Ok(row.and_then(|mut row| row.sealed_successor.take().map(|sealed| (row.into_grant(), sealed))))
}

/// A refresh token that was not used, and its family.
#[derive(Clone, Debug, FromQueryResult)]
pub struct RefreshState {
    pub(super) id: Uuid,
    pub user_id: Uuid,
    pub client_id: String,
    pub expires_at: i64,
    pub end_reason: Option<String>,
    /// Of its person.
    pub disabled_at: Option<i64>,
    /// 1: it was used before.
    pub spent: i32,
}

/// What is known of a refresh token that was not used.
pub(super) async fn refresh_state(tx: &Tx, step: &Step) -> Result<Option<RefreshState>, DatabaseError> {
    let sql = "SELECT g.id, g.user_id, g.client_id, g.expires_at, g.end_reason, u.disabled_at, 1 AS spent \
               FROM spent_refresh_tokens t JOIN grants g ON g.id = t.grant_id JOIN users u ON u.id = g.user_id \
               WHERE t.hash = $1 \
               UNION ALL SELECT g.id, g.user_id, g.client_id, g.expires_at, g.end_reason, u.disabled_at, 0 AS spent \
               FROM grants g JOIN users u ON u.id = g.user_id WHERE g.token_hash = $1";
    fetch_one(tx, sql, [step.presented.clone().into()]).await
}

/// Keeps a used token's hash, to know it again.
pub(super) async fn spend(tx: &Tx, hash: Vec<u8>, grant: Uuid, now: DateTime<Utc>) -> Result<(), DatabaseError> {
    let sql = "INSERT INTO spent_refresh_tokens (hash, grant_id, spent_at) VALUES ($1, $2, $3)";
    execute(tx, sql, [hash.into(), grant.into(), now.timestamp_millis().into()]).await?;
    Ok(())
}
