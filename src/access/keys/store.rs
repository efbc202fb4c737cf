//! The table `api_keys`, and what bounds keys in those of their owners.

use chrono::{DateTime, Duration, Utc};
use sea_orm::{FromQueryResult, Statement, Value};
use uuid::Uuid;

use super::Owner;
use super::live::{Limits, LiveKey, Means};
use super::uses::Batch;
use crate::platform::database::{Database, DatabaseError, Tx, execute, fetch_all, fetch_one};

/// A key as its owner sees it: everything but its secrets.
#[derive(Clone, Debug, PartialEq, Eq, FromQueryResult)]
pub struct ApiKey {
    pub id: Uuid,
    pub name: String,
    /// The beginning of the secret, to be recognised by.
    pub hint: String,
    pub user_id: Option<Uuid>,
    pub client_id: Option<String>,
    /// Space-separated.
    pub(super) scope: String,
    /// `None`: for ourselves.
    pub audience: Option<String>,
    /// Milliseconds since 1970, as all times here.
    pub created_at: i64,
    pub expires_at: i64,
    pub previous_expires_at: Option<i64>,
    pub last_used_at: Option<i64>,
}

impl ApiKey {
    pub fn owner(&self) -> Owner {
        match self.user_id {
            Some(id) => Owner::Person(id),
            None => Owner::ServiceAccount(self.client_id.clone().unwrap_or_default()),
        }
    }

    /// As it is shown in lists.
    pub fn shown(&self) -> String {
        format!("{}{}\u{2026}", super::PREFIX, self.hint)
    }

    pub fn scopes(&self) -> impl Iterator<Item = &str> {
        self.scope.split(' ').filter(|scope| !scope.is_empty())
    }
}

const COLUMNS: &str = "id, name, hint, user_id, client_id, scope, audience, created_at, expires_at, \
                       previous_expires_at, last_used_at";

/// What bounds keys: `{user}`, `{client}` and `{audience}` stand for whose they are and what for, `{scope}` for what is asked.
/// Roles and permissions may come twice: SQLite refuses DISTINCT beside a separator.
const LIMITS: &str = "\
    COALESCE((SELECT string_agg(r.role, '\n') FROM user_roles r WHERE r.user_id = {user}), \
             (SELECT string_agg(r.role, '\n') FROM client_roles r WHERE r.client_id = {client})) AS roles, \
    COALESCE((SELECT string_agg(p.permission, '\n') FROM user_roles r JOIN role_permissions p ON p.role = r.role \
              WHERE r.user_id = {user}), \
             (SELECT string_agg(p.permission, '\n') FROM client_roles r JOIN role_permissions p ON p.role = r.role \
              WHERE r.client_id = {client})) AS permissions, \
    (SELECT string_agg(s.scope, '\n') FROM api_scopes s WHERE s.audience = {audience}) AS api_scopes, \
    (SELECT string_agg(s.scope, '\n') FROM client_scopes s WHERE s.client_id = {client} AND {audience} IS NOT NULL) \
     AS registered, \
    (SELECT string_agg(s.scope, '\n') FROM api_scopes s JOIN permissions p ON p.name = s.scope \
     WHERE s.audience = {audience}) AS guarded, \
    (SELECT a.audience FROM apis a WHERE a.audience = {audience}) AS api";

fn limits(user: &str, client: &str, audience: &str) -> String {
    LIMITS.replace("{user}", user).replace("{client}", client).replace("{audience}", audience)
}

const IS_SERVICE_ACCOUNT: &str =
    "EXISTS (SELECT 1 FROM client_grant_types g WHERE g.client_id = c.id AND g.grant_type = 'client_credentials')";

#[derive(FromQueryResult)]
struct Bounds {
    keys: i64,
    #[sea_orm(nested)]
    limits: Limits,
}

/// What a key of this owner could mean; `None`: nobody there who can have one.
pub(super) async fn means(tx: &Tx, owner: &Owner, audience: Option<&str>) -> Result<Option<Means>, DatabaseError> {
    let bounds: Option<Bounds> = match owner {
        Owner::Person(id) => {
            let sql = format!(
                "SELECT (SELECT count(*) FROM api_keys k WHERE k.user_id = u.id AND k.revoked_at IS NULL) AS keys, {} \
                 FROM users u WHERE u.id = $1",
                limits("u.id", "NULL", "$2")
            );
            fetch_one(tx, &sql, [(*id).into(), audience.map(str::to_owned).into()]).await?
        }
        Owner::ServiceAccount(id) => {
            let sql = format!(
                "SELECT (SELECT count(*) FROM api_keys k WHERE k.client_id = c.id AND k.revoked_at IS NULL) AS keys, {} \
                 FROM clients c WHERE c.id = $1 AND {IS_SERVICE_ACCOUNT}",
                limits("NULL", "c.id", "$2")
            );
            fetch_one(tx, &sql, [id.as_str().into(), audience.map(str::to_owned).into()]).await?
        }
    };
    Ok(bounds.map(|bounds| bounds.limits.means(owner, audience.is_some(), bounds.keys)))
}

pub(super) async fn insert(tx: &Tx, key: &ApiKey, hash: &[u8]) -> Result<(), DatabaseError> {
    let sql = "INSERT INTO api_keys (id, name, hint, hash, user_id, client_id, scope, audience, created_at, expires_at) \
               VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)";
    let values = [
        key.id.into(),
        key.name.clone().into(),
        key.hint.clone().into(),
        hash.into(),
        key.user_id.into(),
        key.client_id.clone().into(),
        key.scope.clone().into(),
        key.audience.clone().into(),
        key.created_at.into(),
        key.expires_at.into(),
    ];
    execute(tx, sql, values).await?;
    Ok(())
}

pub(super) async fn list(database: &Database, owner: Option<&Owner>) -> Result<Vec<ApiKey>, DatabaseError> {
    let all =
        |condition: &str| format!("SELECT {COLUMNS} FROM api_keys WHERE {condition} revoked_at IS NULL ORDER BY id");
    let statement = match owner {
        None => database.statement(&all(""), []),
        Some(Owner::Person(id)) => database.statement(&all("user_id = $1 AND"), [(*id).into()]),
        Some(Owner::ServiceAccount(id)) => database.statement(&all("client_id = $1 AND"), [id.as_str().into()]),
    };
    database.find_all(statement).await
}

/// Another secret for a key.
pub(super) struct Rotation {
    pub(super) id: Uuid,
    pub(super) hash: Vec<u8>,
    pub(super) hint: String,
    /// How long the one that it has goes on; `None`: not at all.
    pub(super) until: Option<i64>,
    pub(super) now: DateTime<Utc>,
}

/// The condition that a key is this owner's, with `$n` for whose.
fn belonging(owner: Option<&Owner>, n: usize) -> (String, Value) {
    match owner {
        None => (format!("CAST(${n} AS TEXT) IS NULL"), None::<String>.into()),
        Some(Owner::Person(id)) => (format!("user_id = ${n}"), (*id).into()),
        Some(Owner::ServiceAccount(id)) => (format!("client_id = ${n}"), id.as_str().into()),
    }
}

/// One conditional statement: of two at once the second finds the first one's secret, and lets that go on.
pub(super) async fn rotate(
    tx: &Tx,
    owner: Option<&Owner>,
    rotation: Rotation,
) -> Result<Option<ApiKey>, DatabaseError> {
    let Rotation { id, hash, hint, until, now } = rotation;
    let before = if until.is_some() { "hash" } else { "NULL" };
    let (theirs, whose) = belonging(owner, 6);
    let sql = format!(
        "UPDATE api_keys SET previous_hash = {before}, previous_expires_at = $4, hash = $2, hint = $3 \
         WHERE id = $1 AND revoked_at IS NULL AND expires_at > $5 AND {theirs} RETURNING {COLUMNS}"
    );
    let values = [id.into(), hash.into(), hint.into(), until.into(), now.timestamp_millis().into(), whose];
    fetch_one(tx, &sql, values).await
}

/// Which key ends.
pub(super) enum Ending {
    /// By its id, where it is this owner's.
    Id(Uuid, Option<Owner>),
    /// By the hash of a secret of it that is still good, where it is this service account's.
    Secret(Vec<u8>, String),
}

pub(super) async fn revoke(tx: &Tx, ending: Ending, now: DateTime<Utc>) -> Result<Option<ApiKey>, DatabaseError> {
    let now = now.timestamp_millis();
    match ending {
        Ending::Id(id, owner) => {
            let (theirs, whose) = belonging(owner.as_ref(), 3);
            let sql = format!(
                "UPDATE api_keys SET revoked_at = $2 WHERE id = $1 AND revoked_at IS NULL AND {theirs} RETURNING {COLUMNS}"
            );
            fetch_one(tx, &sql, [id.into(), now.into(), whose]).await
        }
        Ending::Secret(hash, client_id) => {
            let sql = format!(
                "UPDATE api_keys SET revoked_at = $2 WHERE (hash = $1 OR (previous_hash = $1 AND previous_expires_at > $2)) \
                 AND client_id = $3 AND revoked_at IS NULL AND expires_at > $2 RETURNING {COLUMNS}"
            );
            fetch_one(tx, &sql, [hash.into(), now.into(), client_id.into()]).await
        }
    }
}

/// Ends every key of a person, in the caller's transaction. Answers which they were.
pub async fn revoke_all_of(tx: &Tx, user: Uuid, now: DateTime<Utc>) -> Result<Vec<Uuid>, DatabaseError> {
    #[derive(FromQueryResult)]
    struct Row {
        id: Uuid,
    }
    let sql = "UPDATE api_keys SET revoked_at = $2 WHERE user_id = $1 AND revoked_at IS NULL RETURNING id";
    let rows: Vec<Row> = fetch_all(tx, sql, [user.into(), now.timestamp_millis().into()]).await?;
    Ok(rows.into_iter().map(|row| row.id).collect())
}

/// A key by the hash of its secret, with its owner, their roles and permissions: if it is good now, and its owner in use.
pub(super) async fn live(
    database: &Database,
    hash: &[u8],
    now: DateTime<Utc>,
) -> Result<Option<LiveKey>, DatabaseError> {
    let sql = format!(
        "SELECT k.id AS key_id, k.scope AS key_scope, k.audience, k.created_at AS issued_at, k.client_id, \
         CASE WHEN k.hash = $1 OR k.previous_expires_at > k.expires_at THEN k.expires_at \
         ELSE k.previous_expires_at END AS expires_at, \
         k.user_id, u.name, u.username, u.email, u.email_verified_at, u.updated_at, u.profile, u.attributes, u.created_at, \
         NULL AS grant_id, NULL AS session_id, NULL AS auth_time, NULL AS signed_in_at, {} \
         FROM api_keys k LEFT JOIN users u ON u.id = k.user_id LEFT JOIN clients c ON c.id = k.client_id \
         WHERE (k.hash = $1 OR (k.previous_hash = $1 AND k.previous_expires_at > $2)) \
         AND k.expires_at > $2 AND k.revoked_at IS NULL AND u.disabled_at IS NULL AND c.disabled_at IS NULL \
         AND (k.audience IS NULL OR EXISTS (SELECT 1 FROM apis a WHERE a.audience = k.audience)) \
         AND (c.id IS NULL OR {IS_SERVICE_ACCOUNT})",
        limits("k.user_id", "k.client_id", "k.audience")
    );
    database.find_one(database.statement(&sql, [hash.into(), now.timestamp_millis().into()])).await
}

/// Whoever is writing a key's row at this moment knows as well that it was just used: nobody waits for anybody.
pub(super) async fn write_uses(database: &Database, batch: &Batch) -> Result<(), DatabaseError> {
    let places: Vec<String> = (0..batch.keys.len()).map(|n| format!("${}", n + 2)).collect();
    let sql = format!(
        "UPDATE api_keys SET last_used_at = $1 WHERE id IN (SELECT id FROM api_keys WHERE id IN ({}) \
         AND (last_used_at IS NULL OR last_used_at < $1){})",
        places.join(", "),
        database.skip_locked()
    );
    let at: Value = batch.at.timestamp_millis().into();
    let values = std::iter::once(at).chain(batch.keys.iter().map(|key| Value::from(*key)));
    let backend = database.reader().get_database_backend();
    database.run(Statement::from_sql_and_values(backend, sql, values)).await?;
    Ok(())
}

/// Removes at most `batch` keys that expired a month ago; answers how many.
pub async fn sweep(database: &Database, now: DateTime<Utc>, batch: i64) -> Result<u64, DatabaseError> {
    let before = (now - Duration::days(30)).timestamp_millis();
    let action = database.write(move |tx| {
        Box::pin(async move {
            let sql = "DELETE FROM api_keys WHERE id IN \
                       (SELECT id FROM api_keys WHERE expires_at < $1 ORDER BY expires_at LIMIT $2)";
            execute(tx, sql, [before.into(), batch.into()]).await
        })
    });
    action.await
}
