//! The table `pictures`, and the picture in a person's profile.

use chrono::{DateTime, Utc};
use sea_orm::FromQueryResult;
use uuid::Uuid;

use crate::identity::Profile;
use crate::platform::database::{Database, DatabaseError, Tx, execute, fetch_one};

#[derive(FromQueryResult)]
struct Named {
    name: String,
}

/// Notes a name before the store gets the picture, so that nothing lies there that nobody knows of.
pub(super) async fn announce(
    tx: &Tx,
    name: &str,
    kept_until: DateTime<Utc>,
    now: DateTime<Utc>,
) -> Result<(), DatabaseError> {
    let sql = "INSERT INTO pictures (name, user_id, created_at, kept_until) VALUES ($1, NULL, $2, $3)";
    execute(tx, sql, [name.into(), now.timestamp_millis().into(), kept_until.timestamp_millis().into()]).await?;
    Ok(())
}

/// Gives a person a picture that was announced: from now on it can be seen. Answers whether it was still there.
pub(super) async fn give(tx: &Tx, name: &str, user: Uuid, now: DateTime<Utc>) -> Result<bool, DatabaseError> {
    let sql = "UPDATE pictures SET user_id = $2 WHERE name = $1 AND user_id IS NULL AND kept_until > $3";
    Ok(execute(tx, sql, [name.into(), user.into(), now.timestamp_millis().into()]).await? == 1)
}

/// Takes every picture from a person but the one of this name, if any.
pub(in crate::identity) async fn take_others(
    tx: &Tx,
    user: Uuid,
    name: Option<&str>,
    now: DateTime<Utc>,
) -> Result<u64, DatabaseError> {
    let sql = "UPDATE pictures SET user_id = NULL, kept_until = $3 WHERE user_id = $1 AND name <> $2";
    execute(tx, sql, [user.into(), name.unwrap_or_default().into(), now.timestamp_millis().into()]).await
}

/// Puts the address of a picture into a profile, or takes the one that is there, whatever else is changed in it meanwhile.
/// Answers whether there is this person.
pub(super) async fn show(
    tx: &Tx,
    user: Uuid,
    address: Option<&str>,
    now: DateTime<Utc>,
) -> Result<bool, DatabaseError> {
    #[derive(FromQueryResult)]
    struct Row {
        profile: Option<String>,
    }
    // Written first: the row is ours from here to the end.
    let sql = "UPDATE users SET updated_at = $2, revision = revision + 1 WHERE id = $1 RETURNING profile";
    let row = fetch_one::<Row, 2>(tx, sql, [user.into(), now.timestamp_millis().into()]).await?;
    let Some(Row { profile }) = row else { return Ok(false) };
    let profile = Profile { picture: address.map(str::to_owned), ..Profile::stored(profile.as_deref()) };
    execute(tx, "UPDATE users SET profile = $2 WHERE id = $1", [user.into(), profile.to_stored().into()]).await?;
    Ok(true)
}

/// Whether somebody has a picture of this name.
pub(super) async fn is_in_use(database: &Database, name: &str) -> Result<bool, DatabaseError> {
    let sql = "SELECT name FROM pictures WHERE name = $1 AND user_id IS NOT NULL";
    Ok(database.query_one(database.statement(sql, [name.into()])).await?.is_some())
}

/// So many names of pictures that are nobody's any more.
pub(super) async fn unused(database: &Database, now: DateTime<Utc>, most: i64) -> Result<Vec<String>, DatabaseError> {
    let sql = "SELECT name FROM pictures WHERE user_id IS NULL AND kept_until <= $1 ORDER BY kept_until LIMIT $2";
    let statement = database.statement(sql, [now.timestamp_millis().into(), most.into()]);
    Ok(database.find_all::<Named>(statement).await?.into_iter().map(|row| row.name).collect())
}

/// Forgets a picture that the store has given up.
pub(super) async fn forget(tx: &Tx, name: &str) -> Result<u64, DatabaseError> {
    execute(tx, "DELETE FROM pictures WHERE name = $1 AND user_id IS NULL", [name.into()]).await
}
