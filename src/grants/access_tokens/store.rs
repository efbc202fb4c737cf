//! The tables `access_tokens` and `revoked_access_tokens`, and what keeps an access token alive.

use chrono::{DateTime, Utc};
use sea_orm::{FromQueryResult, Statement, Value};
use uuid::Uuid;

use super::{Account, AccountToken, Holder, NewAccessToken, OpaqueToken, RefreshToken};
use crate::identity::Standing;
use crate::platform::database::{Database, DatabaseError, Tx, execute, fetch_one};
use crate::platform::secrets;

const INSERT: &str = "INSERT INTO access_tokens (hash, grant_id, client_id, scope, audience, issued_at, expires_at) \
                      VALUES ($1, $2, $3, $4, $5, $6, $7)";

/// A token with all that its row says.
pub(super) struct Row<'r> {
    pub(super) token: &'r str,
    pub(super) new: &'r NewAccessToken,
    pub(super) grant: Option<Uuid>,
    pub(super) client_id: &'r str,
    pub(super) audience: Option<&'r str>,
    pub(super) now: DateTime<Utc>,
}

impl Row<'_> {
    fn values(&self) -> [Value; 7] {
        [
            secrets::hash(self.token).into(),
            self.grant.into(),
            self.client_id.into(),
            self.new.scope.clone().into(),
            self.audience.map(str::to_owned).into(),
            self.now.timestamp_millis().into(),
            (self.now + self.new.lifetime).timestamp_millis().into(),
        ]
    }
}

/// Stores a token by itself.
pub(super) fn insert(database: &Database, row: &Row<'_>) -> Statement {
    database.statement(INSERT, row.values())
}

/// Stores a token inside an action.
pub(super) async fn write(tx: &Tx, row: &Row<'_>) -> Result<(), DatabaseError> {
    execute(tx, INSERT, row.values()).await?;
    Ok(())
}

/// What is read of a live token's holder.
pub(super) trait Holding: FromQueryResult {
    const COLUMNS: &str;
}

macro_rules! holder_columns {
    () => {
        concat!(
            "g.auth_time, g.acr, g.amr, g.sid, g.claims, g.user_id, u.name, u.username, u.email, \
             u.email_verified_at, u.updated_at, u.profile, u.attributes, ",
            standing!("g.scope", "u.id")
        )
    };
}

impl Holding for Holder {
    const COLUMNS: &str = holder_columns!();
}

impl Holding for OpaqueToken {
    const COLUMNS: &str = concat!(
        holder_columns!(),
        ", CASE WHEN ' ' || t.scope || ' ' LIKE '% roles %' AND t.grant_id IS NULL THEN \
         (SELECT string_agg(r.role, '\n') FROM client_roles r WHERE r.client_id = t.client_id) END AS service_roles, \
         CASE WHEN ' ' || t.scope || ' ' LIKE '% permissions %' AND t.grant_id IS NULL THEN \
         (SELECT string_agg(p.permission, '\n') FROM client_roles r JOIN role_permissions p ON p.role = r.role \
          WHERE r.client_id = t.client_id) END AS service_permissions"
    );
}

macro_rules! account_columns {
    () => {
        "g.id AS grant_id, g.session_id, g.auth_time, \
         CASE WHEN s.id IS NOT NULL THEN s.signed_in_at WHEN g.sid IS NULL THEN g.created_at END AS signed_in_at, \
         g.user_id, u.name, u.username, u.email, u.email_verified_at, u.updated_at, u.profile, u.attributes, u.created_at, \
         (SELECT string_agg(r.role, '\n') FROM user_roles r WHERE r.user_id = u.id) AS roles, \
         (SELECT string_agg(p.permission, '\n') FROM user_roles r JOIN role_permissions p ON p.role = r.role \
          WHERE r.user_id = u.id) AS permissions"
    };
}

impl Holding for Account {
    const COLUMNS: &str = account_columns!();
}

impl Holding for AccountToken {
    const COLUMNS: &str = concat!(
        account_columns!(),
        ", (SELECT string_agg(r.role, '\n') FROM client_roles r WHERE r.client_id = t.client_id AND t.grant_id IS NULL) \
         AS service_roles, \
         (SELECT string_agg(p.permission, '\n') FROM client_roles r JOIN role_permissions p ON p.role = r.role \
          WHERE r.client_id = t.client_id AND t.grant_id IS NULL) AS service_permissions"
    );
}

pub(super) async fn opaque_token<T: Holding>(
    database: &Database,
    hash: &[u8],
    now: DateTime<Utc>,
) -> Result<Option<T>, DatabaseError> {
    let sql = format!(
        "SELECT t.client_id, t.scope, t.audience, t.issued_at, t.expires_at, {} \
         FROM access_tokens t JOIN clients c ON c.id = t.client_id LEFT JOIN grants g ON g.id = t.grant_id \
         LEFT JOIN users u ON u.id = g.user_id LEFT JOIN browser_sessions s ON s.id = g.session_id \
         WHERE t.hash = $1 AND t.expires_at > $2 AND c.disabled_at IS NULL \
         AND (t.grant_id IS NULL OR (g.ended_at IS NULL AND u.disabled_at IS NULL \
              AND (g.offline OR (s.ended_at IS NULL AND s.expires_at > $2))))",
        T::COLUMNS
    );
    database.find_one(database.statement(&sql, [hash.into(), now.timestamp_millis().into()])).await
}

pub(super) async fn holder<T: Holding>(
    database: &Database,
    grant: Uuid,
    jti_hash: &[u8],
    now: DateTime<Utc>,
) -> Result<Option<T>, DatabaseError> {
    let sql = format!(
        "SELECT {} \
         FROM grants g JOIN clients c ON c.id = g.client_id JOIN users u ON u.id = g.user_id \
         LEFT JOIN browser_sessions s ON s.id = g.session_id \
         WHERE g.id = $1 AND g.ended_at IS NULL AND u.disabled_at IS NULL AND c.disabled_at IS NULL \
         AND (g.offline OR (s.ended_at IS NULL AND s.expires_at > $2)) \
         AND NOT EXISTS (SELECT 1 FROM revoked_access_tokens r WHERE r.hash = $3)",
        T::COLUMNS
    );
    let values = [grant.into(), now.timestamp_millis().into(), jti_hash.into()];
    database.find_one(database.statement(&sql, values)).await
}

pub(super) async fn service(
    database: &Database,
    client_id: &str,
    jti_hash: &[u8],
) -> Result<Option<Standing>, DatabaseError> {
    let sql = "SELECT (SELECT string_agg(r.role, '\n') FROM client_roles r WHERE r.client_id = c.id) AS roles, \
               (SELECT string_agg(p.permission, '\n') FROM client_roles r JOIN role_permissions p ON p.role = r.role \
                WHERE r.client_id = c.id) AS permissions \
               FROM clients c WHERE c.id = $1 AND c.disabled_at IS NULL \
               AND NOT EXISTS (SELECT 1 FROM revoked_access_tokens r WHERE r.hash = $2)";
    database.find_one(database.statement(sql, [client_id.into(), jti_hash.into()])).await
}

pub(super) async fn refresh_token(
    database: &Database,
    hash: &[u8],
    client_id: &str,
    now: DateTime<Utc>,
) -> Result<Option<RefreshToken>, DatabaseError> {
    let sql = "SELECT g.scope, COALESCE(g.rotated_at, g.created_at) AS issued_at, g.expires_at, \
         g.auth_time, g.acr, g.amr, g.sid, NULL AS roles, NULL AS permissions, \
         g.user_id, u.name, u.username, u.email, u.email_verified_at, u.updated_at, u.profile, u.attributes, g.claims \
         FROM grants g JOIN users u ON u.id = g.user_id LEFT JOIN browser_sessions s ON s.id = g.session_id \
         WHERE g.token_hash = $1 AND g.client_id = $2 AND g.ended_at IS NULL AND g.expires_at > $3 \
         AND u.disabled_at IS NULL AND (g.offline OR (s.ended_at IS NULL AND s.expires_at > $3))";
    let values = [hash.into(), client_id.into(), now.timestamp_millis().into()];
    database.find_one(database.statement(sql, values)).await
}

/// A grant that has just ended, and its person.
#[derive(FromQueryResult)]
pub(super) struct EndedGrant {
    pub(super) id: Uuid,
    pub(super) user_id: Uuid,
}

/// Ends the grant of a refresh token, the one that is good now or any before it, if it is this client's and alive.
pub(super) async fn end_grant_of(
    tx: &Tx,
    hash: &[u8],
    client_id: &str,
    now: DateTime<Utc>,
) -> Result<Option<EndedGrant>, DatabaseError> {
    let sql = "UPDATE grants SET ended_at = $3, end_reason = 'revoked', sealed_successor = NULL \
         WHERE client_id = $2 AND ended_at IS NULL AND id IN (SELECT f.id FROM grants f WHERE f.token_hash = $1 \
              UNION ALL SELECT t.grant_id FROM spent_refresh_tokens t WHERE t.hash = $1) \
         RETURNING id, user_id";
    fetch_one(tx, sql, [hash.into(), client_id.into(), now.timestamp_millis().into()]).await
}

/// Forgets an opaque token, if it is this client's. Answers its grant, if it has one.
pub(super) async fn forget(tx: &Tx, hash: &[u8], client_id: &str) -> Result<Option<Option<Uuid>>, DatabaseError> {
    #[derive(FromQueryResult)]
    struct Row {
        grant_id: Option<Uuid>,
    }
    let sql = "DELETE FROM access_tokens WHERE hash = $1 AND client_id = $2 RETURNING grant_id";
    Ok(fetch_one::<Row, 2>(tx, sql, [hash.into(), client_id.into()]).await?.map(|row| row.grant_id))
}

/// Remembers that a signed token was revoked. Answers whether that is new.
pub(super) async fn remember(tx: &Tx, jti_hash: &[u8], expires_at: DateTime<Utc>) -> Result<bool, DatabaseError> {
    let sql = "INSERT INTO revoked_access_tokens (hash, expires_at) VALUES ($1, $2) ON CONFLICT DO NOTHING";
    Ok(execute(tx, sql, [jti_hash.into(), expires_at.timestamp_millis().into()]).await? == 1)
}
