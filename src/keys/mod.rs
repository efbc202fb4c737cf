//! Signing keys: made, sealed under the master key, published ahead of their use, rotated, retired.
//!
//! A key is `next` (published, not yet signing), then `current`, then `previous` (published while its tokens live), then
//! `retired`. Relying parties cache key sets, so a key signs only after it has been published for a while.

mod make;
mod ring;
mod rotate;
mod store;

use std::fmt;

pub use make::{KeyError, NewKey};
pub use ring::{Key, KeyRing, KeySet, TokenType};
pub use rotate::{PUBLISH_AHEAD, ensure, import, retire, retire_expired, rotate};
pub use store::{Listed, list};

/// A signature algorithm of RFC 7518. ID tokens and access tokens are RS256 unless a client asks for another.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Alg {
    Rs256,
}

impl Alg {
    /// All that keys are made for.
    pub const ALL: [Self; 1] = [Self::Rs256];

    pub const fn name(self) -> &'static str {
        match self {
            Self::Rs256 => "RS256",
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
    Retired,
}

impl State {
    pub const fn name(self) -> &'static str {
        match self {
            Self::Next => "next",
            Self::Current => "current",
            Self::Previous => "previous",
            Self::Retired => "retired",
        }
    }

    pub fn parse(name: &str) -> Option<Self> {
        [Self::Next, Self::Current, Self::Previous, Self::Retired].into_iter().find(|state| state.name() == name)
    }
}
