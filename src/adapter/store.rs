//! The tables `linked_accounts`, `adapter_sessions`, `adapter_verification_tokens` and `adapter_words`.

use chrono::{DateTime, Duration, Utc};
use sea_orm::{FromQueryResult, Value};
use uuid::Uuid;

use super::{Person, Session};
use crate::identity::ADMIN;
use crate::platform::database::{Database, DatabaseError, Tx, execute, fetch_one};

/// How long after a token's use the adapter may still say whose address it was: NextAuth makes the account after it.
const BELIEVED: Duration = Duration::hours(1);

// ---- people ----

/// What the adapter finds people by; addresses in their canonical form.
pub(super) enum Key {
    Id(Uuid),
    Address(String),
    Account { provider: String, account_id: String },
}

pub(super) async fn person(database: &Database, key: Key) -> Result<Option<Person>, DatabaseError> {
    let select = "SELECT u.id, u.name, u.email, u.profile, COALESCE(w.verified_at, u.email_verified_at) AS verified_at \
                  FROM users u LEFT JOIN adapter_words w ON w.user_id = u.id AND w.address = u.email_canonical WHERE";
    let statement = match key {
        Key::Id(id) => database.statement(&format!("{select} u.id = $1"), [id.into()]),
        Key::Address(address) => database.statement(&format!("{select} u.email_canonical = $1"), [address.into()]),
        Key::Account { provider, account_id } => {
            let linked = "(SELECT user_id FROM linked_accounts WHERE provider = $1 AND account_id = $2)";
            database.statement(&format!("{select} u.id = {linked}"), [provider.into(), account_id.into()])
        }
    };
    database.find_one(statement).await
}

pub(super) async fn is_there(tx: &Tx, user: Uuid) -> Result<bool, DatabaseError> {
    #[derive(FromQueryResult)]
    #[expect(dead_code, reason = "that there is a row is the answer")]
    struct Row {
        id: Uuid,
    }
    Ok(fetch_one::<Row, 1>(tx, "SELECT id FROM users WHERE id = $1", [user.into()]).await?.is_some())
}

/// Whether a person is an administrator.
pub(super) async fn is_guarded(tx: &Tx, user: Uuid) -> Result<bool, DatabaseError> {
    #[derive(FromQueryResult)]
    #[expect(dead_code, reason = "that there is a row is the answer")]
    struct Row {
        role: String,
    }
    let sql = "SELECT role FROM user_roles WHERE user_id = $1 AND role = $2";
    Ok(fetch_one::<Row, 2>(tx, sql, [user.into(), ADMIN.into()]).await?.is_some())
}

/// Keeps the adapter's word on an address.
pub(super) async fn keep_word(tx: &Tx, user: Uuid, address: &str, at: DateTime<Utc>) -> Result<(), DatabaseError> {
    let sql = "INSERT INTO adapter_words (user_id, address, verified_at) VALUES ($1, $2, $3) \
               ON CONFLICT (user_id) DO UPDATE SET address = $2, verified_at = $3";
    execute(tx, sql, [user.into(), address.into(), at.timestamp_millis().into()]).await?;
    Ok(())
}

/// Takes the adapter's word for ours, if a token that went to the address was used a moment ago.
pub(super) async fn believe(tx: &Tx, user: Uuid, now: DateTime<Utc>) -> Result<(), DatabaseError> {
    let sql = "UPDATE users SET email_verified_at = $2, revision = revision + 1 \
               WHERE id = $1 AND email_verified_at IS NULL AND password_hash IS NULL \
               AND NOT EXISTS (SELECT 1 FROM user_roles r WHERE r.user_id = users.id AND r.role = $4) \
               AND EXISTS (SELECT 1 FROM adapter_verification_tokens t \
                           WHERE t.address = users.email_canonical AND t.used_at IS NOT NULL AND t.used_at > $3)";
    let since = (now - BELIEVED).timestamp_millis();
    let values = [user.into(), now.timestamp_millis().into(), since.into(), ADMIN.into()];
    execute(tx, sql, values).await?;
    Ok(())
}

// ---- accounts at other providers ----

/// Whose account this is, if their address is this one and they are no administrator.
pub(super) async fn holder(
    database: &Database,
    provider: &str,
    account_id: &str,
    address: &str,
) -> Result<Option<Uuid>, DatabaseError> {
    let sql = "SELECT u.id AS user_id FROM linked_accounts l JOIN users u ON u.id = l.user_id \
               WHERE l.provider = $1 AND l.account_id = $2 AND u.email_canonical = $3 AND u.disabled_at IS NULL \
               AND NOT EXISTS (SELECT 1 FROM user_roles r WHERE r.user_id = u.id AND r.role = $4)";
    let values = [provider.into(), account_id.into(), address.into(), ADMIN.into()];
    let statement = database.statement(sql, values);
    Ok(database.query_one(statement).await?.map(|row| row.try_get("", "user_id")).transpose()?)
}

// ---- sessions ----

pub(super) async fn open_session(
    tx: &Tx,
    hash: Vec<u8>,
    user: Uuid,
    expires: DateTime<Utc>,
    now: DateTime<Utc>,
) -> Result<bool, DatabaseError> {
    let sql = "INSERT INTO adapter_sessions (token_hash, user_id, created_at, expires_at) \
               SELECT $1, u.id, $3, $4 FROM users u WHERE u.id = $2 AND u.disabled_at IS NULL";
    let values: [Value; 4] =
        [hash.into(), user.into(), now.timestamp_millis().into(), expires.timestamp_millis().into()];
    Ok(execute(tx, sql, values).await? == 1)
}

pub(super) async fn session(
    database: &Database,
    hash: &[u8],
    now: DateTime<Utc>,
) -> Result<Option<Session>, DatabaseError> {
    let sql = "SELECT s.user_id, s.expires_at FROM adapter_sessions s JOIN users u ON u.id = s.user_id \
               WHERE s.token_hash = $1 AND s.expires_at > $2 AND u.disabled_at IS NULL";
    database.find_one(database.statement(sql, [hash.into(), now.timestamp_millis().into()])).await
}

pub(super) async fn move_session(
    tx: &Tx,
    hash: Vec<u8>,
    expires: Option<DateTime<Utc>>,
    now: DateTime<Utc>,
) -> Result<Option<Session>, DatabaseError> {
    let sql = "UPDATE adapter_sessions SET expires_at = COALESCE($3, expires_at) \
               WHERE token_hash = $1 AND expires_at > $2 RETURNING user_id, expires_at";
    let expires = expires.map(|expires| expires.timestamp_millis());
    fetch_one(tx, sql, [hash.into(), now.timestamp_millis().into(), expires.into()]).await
}

pub(super) async fn close_session(tx: &Tx, hash: Vec<u8>) -> Result<Option<Session>, DatabaseError> {
    let sql = "DELETE FROM adapter_sessions WHERE token_hash = $1 RETURNING user_id, expires_at";
    fetch_one(tx, sql, [hash.into()]).await
}

/// Ends every session of a person, in the caller's transaction.
pub async fn end_sessions_of(tx: &Tx, user: Uuid) -> Result<(), DatabaseError> {
    execute(tx, "DELETE FROM adapter_sessions WHERE user_id = $1", [user.into()]).await?;
    Ok(())
}

/// Removes the verification tokens that went to a person's address, in the caller's transaction.
pub async fn forget_addresses_of(tx: &Tx, user: Uuid) -> Result<(), DatabaseError> {
    let sql =
        "DELETE FROM adapter_verification_tokens WHERE address = (SELECT email_canonical FROM users WHERE id = $1)";
    execute(tx, sql, [user.into()]).await?;
    Ok(())
}

// ---- verification tokens ----

pub(super) async fn keep_token(
    tx: &Tx,
    hash: Vec<u8>,
    address: &str,
    expires: DateTime<Utc>,
) -> Result<(), DatabaseError> {
    let sql = "INSERT INTO adapter_verification_tokens (hash, address, expires_at) VALUES ($1, $2, $3)";
    execute(tx, sql, [hash.into(), address.into(), expires.timestamp_millis().into()]).await?;
    Ok(())
}

/// Uses a token, if it is there, unexpired and unused: one conditional statement, so one winner. Answers when it would have expired.
pub(super) async fn use_token(tx: &Tx, hash: Vec<u8>, now: DateTime<Utc>) -> Result<Option<i64>, DatabaseError> {
    #[derive(FromQueryResult)]
    struct Row {
        expires_at: i64,
    }
    let sql = "UPDATE adapter_verification_tokens SET used_at = $2 \
               WHERE hash = $1 AND used_at IS NULL AND expires_at > $2 RETURNING expires_at";
    Ok(fetch_one::<Row, 2>(tx, sql, [hash.into(), now.timestamp_millis().into()]).await?.map(|row| row.expires_at))
}

// ---- sweeping ----

/// Removes at most `batch` rows of each kind that nobody can ask for any more; answers how many went.
pub async fn sweep(database: &Database, now: DateTime<Utc>, batch: i64) -> Result<u64, DatabaseError> {
    let (at, believed) = (now.timestamp_millis(), (now - BELIEVED).timestamp_millis());
    database
        .write(move |tx| {
            Box::pin(async move {
                let sql = "DELETE FROM adapter_sessions WHERE token_hash IN \
                           (SELECT token_hash FROM adapter_sessions WHERE expires_at < $1 ORDER BY expires_at LIMIT $2)";
                let sessions = execute(tx, sql, [at.into(), batch.into()]).await?;
                let sql = "DELETE FROM adapter_verification_tokens WHERE hash IN \
                           (SELECT hash FROM adapter_verification_tokens WHERE expires_at < $1 ORDER BY expires_at LIMIT $2)";
                Ok(sessions + execute(tx, sql, [believed.into(), batch.into()]).await?)
            })
        })
        .await
}
