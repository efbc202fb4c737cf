//! What can be wrong with keys.

use super::Alg;
use crate::platform::database::{DatabaseError, MigrateError};
use crate::platform::secrets::SecretsError;

#[derive(Debug, thiserror::Error)]
pub enum KeyError {
    #[error("{0}")]
    Database(#[from] DatabaseError),
    #[error("{0}")]
    Migrate(#[from] MigrateError),
    #[error(
        "the signing keys do not open with the master key in keys.dir: {0}. Bring the master key back that they were sealed under"
    )]
    Sealed(#[from] SecretsError),
    #[error("the key cannot be read: {0}")]
    Malformed(String),
    #[error("an RSA key needs 2048 bits at least, this one has {0}")]
    Short(usize),
    #[error("the key does not do: {0}")]
    Unfit(String),
    #[error(
        "the next key was published {0} ago; clients that cache keys need {1}. Wait, or rotate with --now if the current key has leaked"
    )]
    TooSoon(String, String),
    #[error("there is no {0} key called {1}: `bonafide key list` shows them")]
    Unknown(&'static str, String),
    #[error("{0} signs tokens now or next: run `bonafide key rotate --now` until it is a previous one")]
    InUse(String),
    #[error("a key called {0} is there already")]
    Present(String),
    #[error("there is no {0} key to promote")]
    NoNext(Alg),
    #[error("no {0} key signs")]
    NoCurrent(Alg),
    #[error("signing failed: {0}")]
    Signing(String),
}

pub(super) fn malformed(error: impl std::fmt::Display) -> KeyError {
    KeyError::Malformed(error.to_string())
}
