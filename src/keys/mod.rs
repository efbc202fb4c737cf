//! Signing keys: made, sealed under the master key, published ahead of their use, rotated, retired.
//!
//! A key is `next` (published, not yet signing), then `current`, then `previous` (published while its tokens live), then
//! `expired`: all that it can do is to tell which old ID tokens were ours. One that an operator takes out before that is
//! `retired` and does nothing. Relying parties cache key sets, so a key signs only after it has been published for a while.

mod ensure;
mod error;
mod import;
mod jwk;
mod make;
mod ring;
mod rotate;
mod seal;
mod signature;
mod store;

use std::fmt;

pub use ensure::{complete, ensure};
pub use error::KeyError;
pub use make::NewKey;
pub use ring::{Key, KeyRing, KeySet, TokenType};
pub use rotate::{PUBLISH_AHEAD, import, retire, retire_expired, rotate};
pub use seal::{reseal, sample};
pub use signature::PublicKey;
pub use store::{Listed, list};

/// A signature algorithm (RFC 7518, RFC 8037). ID tokens and access tokens are RS256 unless a client asks for another.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Alg {
    Rs256,
    /// On P-256.
    Es256,
    /// RSA as well, but with a key of its own: a published key names one algorithm.
    Ps256,
    /// Ed25519.
    EdDsa,
}

impl Alg {
    /// All that keys are made for.
    pub const ALL: [Self; 4] = [Self::Rs256, Self::Es256, Self::Ps256, Self::EdDsa];

    pub const fn name(self) -> &'static str {
        match self {
            Self::Rs256 => "RS256",
            Self::Es256 => "ES256",
            Self::Ps256 => "PS256",
            Self::EdDsa => "EdDSA",
        }
    }

    pub fn parse(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|alg| alg.name() == name)
    }
}

impl fmt::Display for Alg {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// Where a key is in its life.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum State {
    Next,
    Current,
    Previous,
    Expired,
    Retired,
}

impl State {
    pub const fn name(self) -> &'static str {
        match self {
            Self::Next => "next",
            Self::Current => "current",
            Self::Previous => "previous",
            Self::Expired => "expired",
            Self::Retired => "retired",
        }
    }

    pub fn parse(name: &str) -> Option<Self> {
        let all = [Self::Next, Self::Current, Self::Previous, Self::Expired, Self::Retired];
        all.into_iter().find(|state| state.name() == name)
    }
}
