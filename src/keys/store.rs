//! The table `signing_keys`.

use ::entity::signing_keys::{Column, Entity, Model};
use chrono::{DateTime, Utc};
use sea_orm::{
    ColumnTrait as _, EntityTrait as _, FromQueryResult, QueryFilter as _, QueryOrder as _, QuerySelect as _,
};

use super::{Alg, KeyError, NewKey, State};
use crate::platform::database::{Database, DatabaseError, Tx, execute, fetch_one};
use crate::platform::random::Random;
use crate::platform::secrets::SealingKey;

/// A key as `bonafide key list` shows it.
#[derive(Clone, Debug, serde::Serialize)]
pub struct Listed {
    pub kid: String,
    pub alg: String,
    pub state: String,
    pub published_at: DateTime<Utc>,
    pub activated_at: Option<DateTime<Utc>>,
    pub replaced_at: Option<DateTime<Utc>>,
}

#[derive(FromQueryResult)]
struct Sealed {
    sealed_private: Vec<u8>,
}

/// All keys, newest first.
pub async fn list(database: &Database) -> Result<Vec<Listed>, DatabaseError> {
    use crate::platform::clock::from_millis;
    let rows = Entity::find().order_by_desc(Column::PublishedAt).all(database.reader()).await?;
    Ok(rows
        .into_iter()
        .map(|row| Listed {
            kid: row.kid,
            alg: row.alg,
            state: row.state,
            published_at: from_millis(row.published_at),
            activated_at: row.activated_at.map(from_millis),
            replaced_at: row.replaced_at.map(from_millis),
        })
        .collect())
}

/// The keys that are published.
pub(super) async fn published(database: &Database) -> Result<Vec<Model>, DatabaseError> {
    let rows = Entity::find()
        .filter(Column::State.is_not_in([State::Expired, State::Retired].map(State::name)))
        .order_by_asc(Column::PublishedAt)
        .all(database.reader());
    Ok(rows.await?)
}

/// The keys that are published, and the expired ones.
pub(super) async fn known(database: &Database) -> Result<Vec<Model>, DatabaseError> {
    Ok(Entity::find()
        .filter(Column::State.ne(State::Retired.name()))
        .order_by_asc(Column::PublishedAt)
        .all(database.reader())
        .await?)
}

/// A private key as it is stored.
pub(super) async fn sample(database: &Database) -> Result<Option<Vec<u8>>, DatabaseError> {
    let sealed = Entity::find().select_only().column(Column::SealedPrivate).limit(1).into_tuple();
    Ok(sealed.one(database.reader()).await?)
}

/// Every private key with its id, as it is stored.
pub(super) async fn sealed(tx: &Tx) -> Result<Vec<(String, Vec<u8>)>, DatabaseError> {
    let all = Entity::find().select_only().column(Column::Kid).column(Column::SealedPrivate).into_tuple();
    Ok(all.all(tx).await?)
}

pub(super) async fn reseal(tx: &Tx, kid: &str, sealed: Vec<u8>) -> Result<u64, DatabaseError> {
    execute(tx, "UPDATE signing_keys SET sealed_private = $2 WHERE kid = $1", [kid.into(), sealed.into()]).await
}

/// A key comes under the master key that the others are under, or not at all: a program that has not heard of a new one
/// would leave a key that nobody opens.
pub(super) async fn insert(
    tx: &Tx,
    key: &NewKey,
    state: State,
    sealing: &SealingKey,
    random: &dyn Random,
    now: DateTime<Utc>,
) -> Result<(), KeyError> {
    if let Some(row) = fetch_one::<Sealed, 0>(tx, "SELECT sealed_private FROM signing_keys LIMIT 1", []).await? {
        sealing.open(&row.sealed_private)?;
    }
    let sealed = sealing.seal(key.private_pem.as_bytes(), random)?;
    let activated = (state == State::Current).then(|| now.timestamp_millis());
    let inserted = execute(
        tx,
        "INSERT INTO signing_keys (kid, alg, state, public_jwk, sealed_private, published_at, activated_at) \
         VALUES ($1, $2, $3, $4, $5, $6, $7) ON CONFLICT (kid) DO NOTHING",
        [
            key.kid.clone().into(),
            key.alg.name().into(),
            state.name().into(),
            key.public_jwk.clone().into(),
            sealed.into(),
            now.timestamp_millis().into(),
            activated.into(),
        ],
    )
    .await?;
    if inserted == 1 { Ok(()) } else { Err(KeyError::Present(key.kid.clone())) }
}

pub(super) async fn in_state(tx: &Tx, alg: Alg, state: State) -> Result<Option<Model>, DatabaseError> {
    fetch_one(
        tx,
        "SELECT kid, alg, state, public_jwk, sealed_private, published_at, activated_at, replaced_at \
         FROM signing_keys WHERE alg = $1 AND state = $2",
        [alg.name().into(), state.name().into()],
    )
    .await
}

pub(super) async fn by_kid(tx: &Tx, kid: &str) -> Result<Option<Model>, DatabaseError> {
    fetch_one(
        tx,
        "SELECT kid, alg, state, public_jwk, sealed_private, published_at, activated_at, replaced_at \
         FROM signing_keys WHERE kid = $1",
        [kid.into()],
    )
    .await
}

pub(super) async fn activate(tx: &Tx, kid: &str, now: DateTime<Utc>) -> Result<u64, DatabaseError> {
    let sql = "UPDATE signing_keys SET state = 'current', activated_at = $2 WHERE kid = $1 AND state = 'next'";
    execute(tx, sql, [kid.into(), now.timestamp_millis().into()]).await
}

pub(super) async fn replace_current(tx: &Tx, alg: Alg, now: DateTime<Utc>) -> Result<u64, DatabaseError> {
    let sql = "UPDATE signing_keys SET state = 'previous', replaced_at = $2 WHERE alg = $1 AND state = 'current'";
    execute(tx, sql, [alg.name().into(), now.timestamp_millis().into()]).await
}

pub(super) async fn retire(tx: &Tx, kid: &str) -> Result<u64, DatabaseError> {
    execute(tx, "UPDATE signing_keys SET state = 'retired' WHERE kid = $1 AND state <> 'current'", [kid.into()]).await
}

/// Keys whose last token has long expired; answers how many.
pub(super) async fn expire_replaced_before(tx: &Tx, before: DateTime<Utc>) -> Result<u64, DatabaseError> {
    let sql = "UPDATE signing_keys SET state = 'expired' WHERE state = 'previous' AND replaced_at < $1";
    execute(tx, sql, [before.timestamp_millis().into()]).await
}
