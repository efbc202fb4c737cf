//! Moves keys from state to state, each move one transaction that also moves the snapshot's epoch.
//!
//! The epoch's row comes first: it is locked until the end, so two rotations at once come one after the other.

use std::sync::Arc;

use chrono::{DateTime, Duration, Utc};
use uuid::Uuid;

use super::{Alg, KeyError, NewKey, State, store};
use crate::audit::{self, About, Event, Source};
use crate::platform::clock::from_millis;
use crate::platform::database::{Database, Tx, bump_epoch};
use crate::platform::random::Random;
use crate::platform::secrets::SealingKey;

/// How long a key is published before it signs: longer than relying parties keep a key set.
pub const PUBLISH_AHEAD: Duration = Duration::minutes(10);

/// Lets the next key sign and makes a new next. Answers the id of the key that signs now.
pub async fn rotate(
    database: &Database,
    sealing: &SealingKey,
    random: &Arc<dyn Random>,
    alg: Alg,
    at_once: bool,
    now: DateTime<Utc>,
) -> Result<String, KeyError> {
    let fresh = make(alg, random.clone()).await?;
    let (sealing, random) = (sealing.clone(), random.clone());
    database
        .write(move |tx| {
            Box::pin(async move {
                bump_epoch(tx).await?;
                let next = store::in_state(tx, alg, State::Next).await?.ok_or(KeyError::NoNext(alg))?;
                let published_for = now - from_millis(next.published_at);
                if published_for < PUBLISH_AHEAD && !at_once {
                    return Err(KeyError::TooSoon(words(published_for), words(PUBLISH_AHEAD)));
                }
                store::replace_current(tx, alg, now).await?;
                store::activate(tx, &next.kid, now).await?;
                store::insert(tx, &fresh, State::Next, &sealing, random.as_ref(), now).await?;
                let event = Event::KeyRotated { kid: next.kid.clone() };
                audit::record(tx, random.id(now), now, &event, &About::default(), &Source::default()).await?;
                Ok(next.kid)
            })
        })
        .await
}

/// Publishes a key of the operator's as the next one. The next one that was there never signed and goes.
pub async fn import(
    database: &Database,
    sealing: &SealingKey,
    random: &Arc<dyn Random>,
    key: NewKey,
    now: DateTime<Utc>,
) -> Result<String, KeyError> {
    let (sealing, random) = (sealing.clone(), random.clone());
    database
        .write(move |tx| {
            Box::pin(async move {
                bump_epoch(tx).await?;
                if let Some(next) = store::in_state(tx, key.alg, State::Next).await? {
                    store::retire(tx, &next.kid).await?;
                }
                store::insert(tx, &key, State::Next, &sealing, random.as_ref(), now).await?;
                changed(tx, random.id(now), &key.kid, "imported", now).await?;
                Ok(key.kid)
            })
        })
        .await
}

/// Takes a key out of the published set at once: nothing that it signed counts any more, not even as a hint.
pub async fn retire(
    database: &Database,
    random: &Arc<dyn Random>,
    kid: String,
    now: DateTime<Utc>,
) -> Result<(), KeyError> {
    let random = random.clone();
    database
        .write(move |tx| {
            Box::pin(async move {
                bump_epoch(tx).await?;
                let key = store::by_kid(tx, &kid).await?.ok_or_else(|| KeyError::Unknown("published", kid.clone()))?;
                if matches!(State::parse(&key.state), Some(State::Current | State::Next)) {
                    return Err(KeyError::InUse(kid));
                }
                store::retire(tx, &kid).await?;
                changed(tx, random.id(now), &kid, "retired", now).await
            })
        })
        .await
}

/// Takes replaced keys out of the published set whose tokens have all expired.
pub async fn retire_expired(database: &Database, keep: Duration, now: DateTime<Utc>) -> Result<u64, KeyError> {
    database
        .write(move |tx| {
            Box::pin(async move {
                let expired = store::expire_replaced_before(tx, now - keep).await?;
                if expired > 0 {
                    bump_epoch(tx).await?;
                }
                Ok(expired)
            })
        })
        .await
}

async fn changed(tx: &Tx, id: Uuid, kid: &str, what: &'static str, now: DateTime<Utc>) -> Result<(), KeyError> {
    let event = Event::KeyChanged { kid: kid.to_owned(), what };
    Ok(audit::record(tx, id, now, &event, &About::default(), &Source::default()).await?)
}

pub(super) async fn make(alg: Alg, random: Arc<dyn Random>) -> Result<NewKey, KeyError> {
    tokio::task::spawn_blocking(move || NewKey::make(alg, random.as_ref()))
        .await
        .map_err(|error| KeyError::Malformed(error.to_string()))?
}

fn words(duration: Duration) -> String {
    humantime::format_duration(std::time::Duration::from_secs(duration.num_seconds().unsigned_abs())).to_string()
}
