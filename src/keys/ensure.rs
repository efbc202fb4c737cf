//! Makes the keys that are missing: what a server cannot answer without before it answers, the rest beside it.

use std::sync::Arc;

use chrono::{DateTime, Utc};

use super::{Alg, KeyError, State, rotate, store};
use crate::platform::database::{Database, bump_epoch};
use crate::platform::random::Random;
use crate::platform::secrets::SealingKey;

/// For each algorithm a key that signs and one that is published ahead. The costly ones come last.
const ALL: [(Alg, State); 8] = [
    (Alg::Rs256, State::Current),
    (Alg::Es256, State::Current),
    (Alg::Es256, State::Next),
    (Alg::EdDsa, State::Current),
    (Alg::EdDsa, State::Next),
    (Alg::Rs256, State::Next),
    (Alg::Ps256, State::Current),
    (Alg::Ps256, State::Next),
];

/// How many of them a first start waits for: an RSA key takes as long as everything else that it does.
const AT_ONCE: usize = 5;

/// Makes those of the keys that nobody can be served without.
pub async fn ensure(
    database: &Database,
    sealing: &SealingKey,
    random: &Arc<dyn Random>,
    now: DateTime<Utc>,
) -> Result<(), KeyError> {
    make_missing(database, sealing, random, ALL.iter().take(AT_ONCE), now).await
}

/// Makes every key that is missing, or every one of an algorithm.
pub async fn complete(
    database: &Database,
    sealing: &SealingKey,
    random: &Arc<dyn Random>,
    only: Option<Alg>,
    now: DateTime<Utc>,
) -> Result<(), KeyError> {
    let wanted = ALL.iter().filter(|(alg, _)| only.is_none_or(|only| only == *alg));
    make_missing(database, sealing, random, wanted, now).await
}

async fn make_missing(
    database: &Database,
    sealing: &SealingKey,
    random: &Arc<dyn Random>,
    wanted: impl Iterator<Item = &(Alg, State)>,
    now: DateTime<Utc>,
) -> Result<(), KeyError> {
    let present = store::published(database).await?;
    for (alg, state) in wanted {
        if !present.iter().any(|key| key.alg == alg.name() && key.state == state.name()) {
            make(database, sealing, random, (*alg, *state), now).await?;
        }
    }
    Ok(())
}

async fn make(
    database: &Database,
    sealing: &SealingKey,
    random: &Arc<dyn Random>,
    (alg, state): (Alg, State),
    now: DateTime<Utc>,
) -> Result<(), KeyError> {
    let key = rotate::make(alg, random.clone()).await?;
    let (sealing, random) = (sealing.clone(), random.clone());
    let kid = key.kid.clone();
    let action = database.write(move |tx| {
        Box::pin(async move {
            bump_epoch(tx).await?;
            // Another node may have started at the same time and been quicker.
            if store::in_state(tx, alg, state).await?.is_some() {
                return Ok(false);
            }
            store::insert(tx, &key, state, &sealing, random.as_ref(), now).await.map(|()| true)
        })
    });
    let made: Result<bool, KeyError> = action.await;
    if made? {
        tracing::info!(kid, alg = alg.name(), state = state.name(), "made a signing key");
    }
    Ok(())
}
