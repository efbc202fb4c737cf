//! Signing keys under a new master key.

use super::{KeyError, store};
use crate::platform::database::{Database, DatabaseError, Tx};
use crate::platform::random::Random;
use crate::platform::secrets::SealingKey;

/// Something that the database holds sealed under the master key, if it holds anything: tells which master key is the one.
pub async fn sample(database: &Database) -> Result<Option<Vec<u8>>, DatabaseError> {
    store::sample(database).await
}

/// Seals every signing key anew; answers how many. All of them have to open: an action that came too late changes nothing.
pub async fn reseal(tx: &Tx, old: &SealingKey, new: &SealingKey, random: &dyn Random) -> Result<u64, KeyError> {
    let mut sealed = 0;
    for (kid, private) in store::sealed(tx).await? {
        store::reseal(tx, &kid, new.seal(&old.open(&private)?, random)?).await?;
        sealed += 1;
    }
    Ok(sealed)
}
