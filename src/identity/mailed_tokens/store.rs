//! The table `mailed_tokens`.

use chrono::{DateTime, Utc};
use sea_orm::FromQueryResult;
use uuid::Uuid;

use super::{NewToken, Purpose};
use crate::platform::database::{Database, DatabaseError, Tx, execute, fetch_one};

/// Good still, and the account has the address that it was mailed to; for a change, that is still to come. Who leaves may need a new
/// password to take the account back by.
const ALIVE: &str = "t.used_at IS NULL AND t.expires_at > $2 AND EXISTS (SELECT 1 FROM users u WHERE u.id = t.user_id \
                     AND (u.disabled_at IS NULL OR u.disabled_at = u.leaving_since) AND (t.purpose = 'change_email' OR u.email_canonical = t.address_canonical))";

/// Puts a link in the place of the last one of its purpose, which is void from now on. Nobody has the nil id and a disabled
/// person is not written to: then nothing happens, at the same cost.
pub(in crate::identity) async fn put(tx: &Tx, new: &NewToken) -> Result<bool, DatabaseError> {
    let sql = "INSERT INTO mailed_tokens \
               (user_id, purpose, token_hash, address, address_canonical, interaction, created_at, expires_at) \
               SELECT u.id, $2, $3, $4, $5, $6, $7, $8 FROM users u WHERE u.id = $1 AND (u.disabled_at IS NULL OR u.disabled_at = u.leaving_since) \
               ON CONFLICT (user_id, purpose) DO UPDATE SET token_hash = $3, address = $4, address_canonical = $5, \
               interaction = $6, created_at = $7, expires_at = $8, used_at = NULL";
    let values = [
        new.user_id.into(),
        new.purpose.name().into(),
        new.hash().into(),
        new.address.typed.clone().into(),
        new.address.canonical.clone().into(),
        new.interaction.clone().into(),
        new.now.timestamp_millis().into(),
        new.expires_at.timestamp_millis().into(),
    ];
    Ok(execute(tx, sql, values).await? == 1)
}

/// A link that is good, with whose it is.
#[derive(Clone, Debug, FromQueryResult)]
pub(in crate::identity) struct Found {
    pub(in crate::identity) purpose: String,
    pub(in crate::identity) address: String,
    pub(in crate::identity) email: Option<String>,
    pub(in crate::identity) username: Option<String>,
    pub(in crate::identity) name: Option<String>,
}

/// Looks at a link without using it.
pub(in crate::identity) async fn find(
    database: &Database,
    hash: Vec<u8>,
    now: DateTime<Utc>,
) -> Result<Option<Found>, DatabaseError> {
    let sql = format!(
        "SELECT t.purpose, t.address, o.email, o.username, o.name \
         FROM mailed_tokens t JOIN users o ON o.id = t.user_id WHERE t.token_hash = $1 AND {ALIVE}"
    );
    database.find_one(database.statement(&sql, [hash.into(), now.timestamp_millis().into()])).await
}

/// A link that was just used.
#[derive(Clone, Debug, FromQueryResult)]
pub(in crate::identity) struct Taken {
    pub(in crate::identity) user_id: Uuid,
    pub(in crate::identity) address: String,
    pub(in crate::identity) interaction: Option<String>,
}

/// Uses a link. Of two who try, one succeeds.
pub(in crate::identity) async fn take(
    tx: &Tx,
    hash: Vec<u8>,
    purpose: Purpose,
    now: DateTime<Utc>,
) -> Result<Option<Taken>, DatabaseError> {
    let sql = format!(
        "UPDATE mailed_tokens AS t SET used_at = $2 WHERE t.token_hash = $1 AND t.purpose = $3 AND {ALIVE} \
         RETURNING user_id, address, interaction"
    );
    fetch_one(tx, &sql, [hash.into(), now.timestamp_millis().into(), purpose.name().into()]).await
}

/// Makes a person's other links worthless.
pub(in crate::identity) async fn void(tx: &Tx, user: Uuid, now: DateTime<Utc>) -> Result<u64, DatabaseError> {
    let sql = "UPDATE mailed_tokens SET used_at = $2 WHERE user_id = $1 AND used_at IS NULL";
    execute(tx, sql, [user.into(), now.timestamp_millis().into()]).await
}

/// Removes at most `batch` links that are over; answers how many.
pub(in crate::identity) async fn sweep(
    database: &Database,
    now: DateTime<Utc>,
    batch: i64,
) -> Result<u64, DatabaseError> {
    let now = now.timestamp_millis();
    database
        .write(move |tx| {
            Box::pin(async move {
                let sql = "DELETE FROM mailed_tokens WHERE token_hash IN \
                           (SELECT token_hash FROM mailed_tokens WHERE expires_at < $1 ORDER BY expires_at LIMIT $2)";
                execute(tx, sql, [now.into(), batch.into()]).await
            })
        })
        .await
}
