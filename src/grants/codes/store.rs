//! The table `codes`, what comes with one (consents) and what comes of one (a grant).

use chrono::{DateTime, Utc};
use sea_orm::{ConnectionTrait as _, FromQueryResult, Statement};
use uuid::Uuid;

use super::super::store::NewGrant;
use super::super::{Authentication, Consumed, Grant};
use super::{Exchange, NewCode};
use crate::identity::Person;
use crate::oauth::claims_request::Requested;
use crate::platform::database::{Database, DatabaseError, Tx, execute, fetch_one};

pub(super) fn insert_code(database: &Database, code: &NewCode) -> Statement {
    database.statement(
        "INSERT INTO codes (hash, grant_id, client_id, user_id, session_id, redirect_uri, challenge, scope, audience, nonce, \
         auth_time, acr, amr, issued_at, expires_at, claims) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16)",
        [
            code.hash.clone().into(),
            code.grant_id.into(),
            code.request.client_id.clone().into(),
            code.user_id.into(),
            code.session_id.into(),
            code.request.redirect_uri.clone().into(),
            code.request.challenge.clone().into(),
            code.request.scope.clone().into(),
            code.request.audience.clone().into(),
            code.request.nonce.clone().into(),
            code.auth_time.into(),
            code.acr.clone().into(),
            code.amr.clone().into(),
            code.issued_at.timestamp_millis().into(),
            code.expires_at.timestamp_millis().into(),
            code.request.claims.clone().into(),
        ],
    )
}

/// Stores a code inside an action.
pub(super) async fn write_code(tx: &Tx, insert: Statement) -> Result<(), DatabaseError> {
    tx.execute_raw(insert).await?;
    Ok(())
}

/// A code that has just been used, with the person and the session it was given for.
#[derive(FromQueryResult)]
pub(super) struct UsedCode {
    pub(super) grant_id: Uuid,
    session_id: Uuid,
    pub(super) scope: String,
    audience: Option<String>,
    nonce: Option<String>,
    claims: Option<String>,
    #[sea_orm(nested)]
    authentication: Authentication,
    #[sea_orm(nested)]
    pub(super) person: Person,
}

impl UsedCode {
    pub(super) fn into_grant(self) -> Grant {
        Grant {
            id: self.grant_id,
            scope: self.scope,
            audience: self.audience,
            authentication: self.authentication,
            person: self.person,
            nonce: self.nonce,
            claims: Requested::stored(self.claims.as_deref()),
            consumed: Consumed,
        }
    }
}

/// Uses a code, if everything about it is right and it has not been used: one conditional statement, so one winner.
pub(super) async fn use_code(
    tx: &Tx,
    hash: &[u8],
    client_id: &str,
    exchange: &Exchange,
    now: DateTime<Utc>,
) -> Result<Option<UsedCode>, DatabaseError> {
    let sql = concat!(
        "UPDATE codes SET used_at = $2 \
         WHERE hash = $1 AND used_at IS NULL AND expires_at > $2 AND client_id = $3 AND redirect_uri = $4 \
         AND challenge IS NOT DISTINCT FROM $5 \
         AND EXISTS (SELECT 1 FROM users u WHERE u.id = codes.user_id AND u.disabled_at IS NULL) \
         AND EXISTS (SELECT 1 FROM browser_sessions s WHERE s.id = codes.session_id AND s.ended_at IS NULL AND s.expires_at > $2) \
         RETURNING grant_id, session_id, scope, audience, nonce, claims, auth_time, acr, amr, \
         (SELECT s.sid FROM browser_sessions s WHERE s.id = codes.session_id) AS sid, user_id, \
         (SELECT u.name FROM users u WHERE u.id = codes.user_id) AS name, \
         (SELECT u.username FROM users u WHERE u.id = codes.user_id) AS username, \
         (SELECT u.email FROM users u WHERE u.id = codes.user_id) AS email, \
         (SELECT u.email_verified_at FROM users u WHERE u.id = codes.user_id) AS email_verified_at, \
         (SELECT u.updated_at FROM users u WHERE u.id = codes.user_id) AS updated_at, \
         (SELECT u.profile FROM users u WHERE u.id = codes.user_id) AS profile, \
         (SELECT u.attributes FROM users u WHERE u.id = codes.user_id) AS attributes, ",
        standing!("codes.scope", "codes.user_id")
    );
    let values = [
        hash.into(),
        now.timestamp_millis().into(),
        client_id.into(),
        exchange.redirect_uri.clone().unwrap_or_default().into(),
        exchange.challenge.clone().into(),
    ];
    fetch_one(tx, sql, values).await
}

/// Begins the grant that a code stood for.
pub(super) async fn insert_grant(
    tx: &Tx,
    code: &UsedCode,
    client_id: &str,
    offline: bool,
    new: NewGrant,
) -> Result<(), DatabaseError> {
    let sql = "INSERT INTO grants (id, client_id, user_id, session_id, sid, scope, audience, auth_time, acr, amr, offline, \
               token_hash, created_at, expires_at, ends_at, claims) \
               VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16)";
    execute(
        tx,
        sql,
        [
            code.grant_id.into(),
            client_id.into(),
            code.person.user_id.into(),
            code.session_id.into(),
            code.authentication.sid.clone().into(),
            code.scope.clone().into(),
            code.audience.clone().into(),
            code.authentication.auth_time.into(),
            code.authentication.acr.clone().into(),
            code.authentication.amr.clone().into(),
            offline.into(),
            new.token_hash.into(),
            new.now.timestamp_millis().into(),
            new.expires_at.timestamp_millis().into(),
            new.ends_at.timestamp_millis().into(),
            code.claims.clone().into(),
        ],
    )
    .await?;
    Ok(())
}

/// A code that was not used, as it is.
#[derive(Clone, Debug, FromQueryResult)]
pub struct CodeState {
    pub(super) grant_id: Uuid,
    pub user_id: Uuid,
    pub client_id: String,
    pub redirect_uri: String,
    pub challenge: Option<String>,
    pub used_at: Option<i64>,
    pub expires_at: i64,
    /// Of its person.
    pub disabled_at: Option<i64>,
    pub session_ended_at: Option<i64>,
}

impl CodeState {
    /// Whether it was used before and its holder shows everything right.
    pub(super) fn is_replayed_by(&self, client_id: &str, exchange: &Exchange) -> bool {
        self.used_at.is_some()
            && self.client_id == client_id
            && Some(&self.redirect_uri) == exchange.redirect_uri.as_ref()
            && self.challenge == exchange.challenge
    }
}

/// What is known of a code that was not used.
pub(super) async fn code_state(tx: &Tx, hash: &[u8]) -> Result<Option<CodeState>, DatabaseError> {
    let sql = "SELECT c.grant_id, c.user_id, c.client_id, c.redirect_uri, c.challenge, c.used_at, c.expires_at, u.disabled_at, \
               s.ended_at AS session_ended_at FROM codes c JOIN users u ON u.id = c.user_id \
               LEFT JOIN browser_sessions s ON s.id = c.session_id WHERE c.hash = $1";
    fetch_one(tx, sql, [hash.into()]).await
}

/// Ends every code of a person that could still become a grant, used ones too: an exchange under way holds its code's row,
/// so this waits for it to commit, and the statement after it sees the grant that it made. An exchange that comes later
/// finds its code expired.
pub async fn expire_codes(tx: &Tx, user: Uuid, now: DateTime<Utc>) -> Result<(), DatabaseError> {
    let sql = "UPDATE codes SET expires_at = $2 WHERE user_id = $1 AND expires_at > $2";
    execute(tx, sql, [user.into(), now.timestamp_millis().into()]).await?;
    Ok(())
}

/// The same but for the codes of one browser session, if any.
pub async fn expire_codes_but(
    tx: &Tx,
    user: Uuid,
    keep: Option<Uuid>,
    now: DateTime<Utc>,
) -> Result<(), DatabaseError> {
    let sql = "UPDATE codes SET expires_at = $2 WHERE user_id = $1 AND expires_at > $2 AND session_id <> $3";
    execute(tx, sql, [user.into(), now.timestamp_millis().into(), keep.unwrap_or_default().into()]).await?;
    Ok(())
}

/// The same for the codes of one browser session.
pub async fn expire_codes_of_session(tx: &Tx, session: Uuid, now: DateTime<Utc>) -> Result<(), DatabaseError> {
    let sql = "UPDATE codes SET expires_at = $2 WHERE session_id = $1 AND expires_at > $2";
    execute(tx, sql, [session.into(), now.timestamp_millis().into()]).await?;
    Ok(())
}

pub(super) async fn remember_consent(
    tx: &Tx,
    user: Uuid,
    client_id: &str,
    scope: &str,
    now: DateTime<Utc>,
) -> Result<(), DatabaseError> {
    let sql =
        "INSERT INTO consents (user_id, client_id, scope, granted_at) VALUES ($1, $2, $3, $4) ON CONFLICT DO NOTHING";
    execute(tx, sql, [user.into(), client_id.into(), scope.into(), now.timestamp_millis().into()]).await?;
    Ok(())
}
