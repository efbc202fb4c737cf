//! Randomness, passed in: tests repeat what they saw, and every secret comes from one place.

use std::fmt::Debug;
use std::sync::{Mutex, PoisonError};

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use chrono::{DateTime, Utc};
use rand::rngs::{OsRng, StdRng};
use rand::{RngCore as _, SeedableRng as _, TryRngCore as _};
use uuid::Uuid;

/// A source of unpredictable bytes.
pub trait Random: Send + Sync {
    fn fill(&self, bytes: &mut [u8]);
}

/// The operating system's generator.
#[derive(Clone, Copy, Debug, Default)]
pub struct SystemRandom;

impl Random for SystemRandom {
    fn fill(&self, bytes: &mut [u8]) {
        OsRng.unwrap_err().fill_bytes(bytes);
    }
}

/// A generator that always says the same, for tests.
#[derive(Debug)]
pub struct SeededRandom(Mutex<StdRng>);

impl SeededRandom {
    pub fn new(seed: u64) -> Self {
        Self(Mutex::new(StdRng::seed_from_u64(seed)))
    }
}

impl Random for SeededRandom {
    fn fill(&self, bytes: &mut [u8]) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).fill_bytes(bytes);
    }
}

impl Debug for dyn Random + '_ {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Random")
    }
}

impl dyn Random + '_ {
    pub fn bytes<const N: usize>(&self) -> [u8; N] {
        let mut bytes = [0; N];
        self.fill(&mut bytes);
        bytes
    }

    /// 256 random bits as base64url, behind a prefix that tells people and scanners what it is.
    pub fn token(&self, prefix: &str) -> String {
        let mut token = String::with_capacity(prefix.len() + 43);
        token.push_str(prefix);
        URL_SAFE_NO_PAD.encode_string(self.bytes::<32>(), &mut token);
        token
    }

    /// A UUIDv7: ids made later sort later. Not a secret.
    pub fn id(&self, now: DateTime<Utc>) -> Uuid {
        let millis = u64::try_from(now.timestamp_millis()).unwrap_or_default();
        uuid::Builder::from_unix_timestamp_millis(millis, &self.bytes::<10>()).into_uuid()
    }
}

/// Whether a string looks like a `token` with this prefix. Nothing else needs to be looked up.
pub fn is_token(text: &str, prefix: &str) -> bool {
    text.strip_prefix(prefix).is_some_and(|rest| {
        rest.len() == 43 && rest.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-' || byte == b'_')
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tokens_are_told_from_other_strings() {
        let random: &dyn Random = &SeededRandom::new(1);
        let token = random.token("bfa_");
        assert!(is_token(&token, "bfa_"));
        for other in [token.replace("bfa_", "bfr_"), format!("{token}A"), token[..46].to_owned(), "bfa_".to_owned()] {
            assert!(!is_token(&other, "bfa_"), "{other}");
        }
        assert!(!is_token(&format!("bfa_{}", "=".repeat(43)), "bfa_"));
    }
}
