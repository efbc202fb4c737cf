//! The tables `providers` and `upstream_requests`.

use chrono::{DateTime, Utc};
use sea_orm::FromQueryResult;
use uuid::Uuid;

use crate::platform::database::{Database, DatabaseError, Tx, execute, fetch_all, fetch_one};
use crate::platform::random::Random;
use crate::platform::secrets::SealingKey;
use crate::platform::settings::{Provider, Secret};

// ---- declarations ----

#[derive(FromQueryResult)]
struct Declared {
    name: String,
    declaration: String,
    client_secret: Option<Vec<u8>>,
}

/// Every provider that the database declares. One that cannot be read is left out, and said.
pub(super) async fn all(database: &Database, sealing: &SealingKey) -> Result<Vec<(String, Provider)>, DatabaseError> {
    let sql = "SELECT name, declaration, client_secret FROM providers ORDER BY name";
    let rows = database.find_all::<Declared>(database.statement(sql, [])).await?;
    let read = |row: Declared| {
        let mut declared: Provider = match serde_json::from_str(&row.declaration) {
            Ok(declared) => declared,
            Err(error) => {
                tracing::error!(provider = row.name, %error, "a provider in the database cannot be read; it is left out");
                return None;
            }
        };
        if let Some(sealed) = row.client_secret {
            let secret = sealing.open(&sealed).ok().and_then(|secret| String::from_utf8(secret.to_vec()).ok());
            let Some(secret) = secret else {
                tracing::error!(provider = row.name, "a provider's secret does not open; the provider is left out");
                return None;
            };
            declared.client_secret = Secret::from(secret);
        }
        Some((row.name, declared))
    };
    Ok(rows.into_iter().filter_map(read).collect())
}

/// Puts a declaration in the place of the last one of its name.
pub(super) async fn put(
    tx: &Tx,
    name: &str,
    declaration: &str,
    client_secret: Option<Vec<u8>>,
    now: DateTime<Utc>,
) -> Result<(), DatabaseError> {
    let sql = "INSERT INTO providers (name, declaration, client_secret, created_at, updated_at) VALUES ($1, $2, $3, $4, $4) \
               ON CONFLICT (name) DO UPDATE SET declaration = $2, client_secret = $3, updated_at = $4";
    let values = [name.into(), declaration.into(), client_secret.into(), now.timestamp_millis().into()];
    execute(tx, sql, values).await?;
    Ok(())
}

pub(super) async fn delete(tx: &Tx, name: &str) -> Result<bool, DatabaseError> {
    Ok(execute(tx, "DELETE FROM providers WHERE name = $1", [name.into()]).await? == 1)
}

/// Seals the secrets anew, under a new master key. Answers how many.
pub async fn reseal(
    tx: &Tx,
    old: &SealingKey,
    new: &SealingKey,
    random: &dyn Random,
) -> Result<u64, crate::app::AppError> {
    let sql = "SELECT name, declaration, client_secret FROM providers WHERE client_secret IS NOT NULL";
    let mut sealed = 0;
    for row in fetch_all::<Declared, 0>(tx, sql, []).await? {
        let Some(secret) = row.client_secret else { continue };
        let again = new.seal(&old.open(&secret)?, random)?;
        let sql = "UPDATE providers SET client_secret = $2 WHERE name = $1";
        execute(tx, sql, [row.name.into(), again.into()]).await?;
        sealed += 1;
    }
    Ok(sealed)
}

// ---- browsers that are expected back ----

pub(super) const SIGN_IN: &str = "sign_in";
/// A sign-in on the way to one's account.
pub(super) const VISIT: &str = "visit";
pub(super) const LINK: &str = "link";
pub(super) const CONFIRM: &str = "confirm";
pub(super) const SIGN_OUT: &str = "sign_out";

/// A row to be.
pub(super) struct NewRequest {
    pub(super) state_hash: Vec<u8>,
    pub(super) provider: String,
    pub(super) browser_hash: Vec<u8>,
    pub(super) purpose: &'static str,
    pub(super) user_id: Option<Uuid>,
    pub(super) onward: Option<String>,
    pub(super) now: DateTime<Utc>,
    pub(super) expires_at: DateTime<Utc>,
}

pub(super) async fn insert_request(tx: &Tx, new: &NewRequest) -> Result<(), DatabaseError> {
    let sql = "INSERT INTO upstream_requests \
               (state_hash, provider, browser_hash, purpose, user_id, onward, created_at, expires_at) \
               VALUES ($1, $2, $3, $4, $5, $6, $7, $8)";
    let values = [
        new.state_hash.clone().into(),
        new.provider.clone().into(),
        new.browser_hash.clone().into(),
        new.purpose.into(),
        new.user_id.into(),
        new.onward.clone().into(),
        new.now.timestamp_millis().into(),
        new.expires_at.timestamp_millis().into(),
    ];
    execute(tx, sql, values).await?;
    Ok(())
}

/// What a browser was sent for.
#[derive(FromQueryResult)]
pub(super) struct Request {
    pub(super) purpose: String,
    pub(super) user_id: Option<Uuid>,
    pub(super) onward: Option<String>,
    pub(super) created_at: i64,
}

/// Uses up what is expected of a browser: one conditional statement, so one winner. Another browser's stays as it is.
pub(super) async fn take_request(
    tx: &Tx,
    state_hash: Vec<u8>,
    browser_hash: Vec<u8>,
    provider: &str,
    now: DateTime<Utc>,
) -> Result<Option<Request>, DatabaseError> {
    let sql = "DELETE FROM upstream_requests WHERE state_hash = $1 AND browser_hash = $2 AND provider = $3 \
               AND expires_at > $4 AND purpose <> $5 RETURNING purpose, user_id, onward, created_at";
    let values =
        [state_hash.into(), browser_hash.into(), provider.into(), now.timestamp_millis().into(), SIGN_OUT.into()];
    fetch_one(tx, sql, values).await
}

/// The same for a browser that was sent to sign out.
pub(super) async fn take_sign_out(
    tx: &Tx,
    state_hash: Vec<u8>,
    browser_hash: Vec<u8>,
    now: DateTime<Utc>,
) -> Result<Option<Request>, DatabaseError> {
    let sql = "DELETE FROM upstream_requests WHERE state_hash = $1 AND browser_hash = $2 AND expires_at > $3 AND purpose = $4 \
               RETURNING purpose, user_id, onward, created_at";
    let values = [state_hash.into(), browser_hash.into(), now.timestamp_millis().into(), SIGN_OUT.into()];
    fetch_one(tx, sql, values).await
}

/// Forgets the ways to other providers that somebody who is gone was on.
pub async fn forget(database: &Database, user: Uuid) -> Result<u64, DatabaseError> {
    let sql = "DELETE FROM upstream_requests WHERE user_id = $1";
    database.write(move |tx| Box::pin(async move { execute(tx, sql, [user.into()]).await })).await
}

/// Removes at most `batch` rows of browsers that did not come back; answers how many.
pub async fn sweep(database: &Database, now: DateTime<Utc>, batch: i64) -> Result<u64, DatabaseError> {
    let now = now.timestamp_millis();
    let action = database.write(move |tx| {
        Box::pin(async move {
            let sql = "DELETE FROM upstream_requests WHERE state_hash IN \
                       (SELECT state_hash FROM upstream_requests WHERE expires_at < $1 ORDER BY expires_at LIMIT $2)";
            execute(tx, sql, [now.into(), batch.into()]).await
        })
    });
    action.await
}
