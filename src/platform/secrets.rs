//! Secrets at rest: hashes of bearer secrets, and keys that seal what must be read again.

use std::path::PathBuf;
use std::sync::Arc;

use arc_swap::ArcSwap;
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use hmac::{Hmac, Mac as _};
use openssl::symm::{Cipher, decrypt_aead, encrypt_aead};
use sha2::{Digest as _, Sha256};
use subtle::ConstantTimeEq as _;
use zeroize::Zeroizing;

pub use super::master::MasterKey;
use super::random::Random;

/// SHA-256 of a bearer secret: enough for 256 random bits, and what the database holds of them.
pub fn hash(secret: &str) -> Vec<u8> {
    Sha256::digest(secret.as_bytes()).to_vec()
}

/// Compares without telling by its time where the two differ.
pub fn equal(a: &[u8], b: &[u8]) -> bool {
    a.ct_eq(b).into()
}

#[derive(Debug, thiserror::Error)]
pub enum SecretsError {
    #[error("keys.dir: {path}: {source}", path = path.display())]
    Io { path: PathBuf, source: std::io::Error },
    #[error("keys.dir: {path} is readable by others (mode {mode:o}): run `chmod 600 {path}`", path = path.display())]
    Exposed { path: PathBuf, mode: u32 },
    #[error("keys.dir: {path} does not hold 32 bytes", path = path.display())]
    Malformed { path: PathBuf },
    #[error(
        "keys.dir: there is no {path}, but the database holds keys sealed under a master key: bring that file back from \
         a backup or another node, or let keys.dir name its folder. If it is lost for good, empty the table signing_keys: \
         the next start makes new ones", path = path.display()
    )]
    Missing { path: PathBuf },
    #[error("sealed data does not open: it was sealed under another key, or it was altered")]
    Unsealable,
}

/// 256 bits as base64url that only whoever has the secret can make of these parts.
pub fn derived(secret: &str, parts: &[&str]) -> String {
    let parts: Vec<&[u8]> = parts.iter().map(|part| part.as_bytes()).collect();
    URL_SAFE_NO_PAD.encode(mac(secret.as_bytes(), &parts))
}

/// A key for AES-256-GCM, wiped from memory when it goes. Clones are the same key, also after it was replaced.
#[derive(Clone)]
pub struct SealingKey(Arc<ArcSwap<Zeroizing<[u8; 32]>>>);

const NONCE: usize = 12;
const TAG: usize = 16;

impl SealingKey {
    /// A key that only who holds `secret` can make again; `label` separates uses.
    pub fn derive(secret: &[u8], label: &str) -> Self {
        Self(Arc::new(ArcSwap::from_pointee(Zeroizing::new(mac(secret, &[label.as_bytes()])))))
    }

    /// Makes all clones of this key another key.
    pub(super) fn replace(&self, by: &Self) {
        self.0.store(by.0.load_full());
    }

    /// Encrypts and authenticates: nonce, ciphertext and tag in one piece.
    pub fn seal(&self, plain: &[u8], random: &dyn Random) -> Result<Vec<u8>, SecretsError> {
        let nonce = random.bytes::<NONCE>();
        let mut tag = [0; TAG];
        let cipher = encrypt_aead(Cipher::aes_256_gcm(), self.0.load().as_slice(), Some(&nonce), &[], plain, &mut tag)
            .map_err(|_| SecretsError::Unsealable)?;
        Ok([nonce.as_slice(), &cipher, &tag].concat())
    }

    pub fn open(&self, sealed: &[u8]) -> Result<Zeroizing<Vec<u8>>, SecretsError> {
        let (nonce, rest) = sealed.split_at_checked(NONCE).ok_or(SecretsError::Unsealable)?;
        let body = rest.len().checked_sub(TAG).ok_or(SecretsError::Unsealable)?;
        let (cipher, tag) = rest.split_at_checked(body).ok_or(SecretsError::Unsealable)?;
        decrypt_aead(Cipher::aes_256_gcm(), self.0.load().as_slice(), Some(nonce), &[], cipher, tag)
            .map(Zeroizing::new)
            .map_err(|_| SecretsError::Unsealable)
    }
}

#[expect(clippy::expect_used, reason = "HMAC takes keys of any length (RFC 2104 section 2)")]
pub(super) fn mac(key: &[u8], parts: &[&[u8]]) -> [u8; 32] {
    let mut mac = Hmac::<Sha256>::new_from_slice(key).expect("HMAC takes keys of any length");
    for part in parts {
        mac.update(&u64::try_from(part.len()).unwrap_or(u64::MAX).to_be_bytes());
        mac.update(part);
    }
    mac.finalize().into_bytes().into()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::platform::random::SystemRandom;

    #[test]
    fn opens_what_it_sealed_and_nothing_else() {
        let key = SealingKey::derive(b"token", "test");
        let mut sealed = key.seal(b"successor", &SystemRandom).unwrap();
        assert_eq!(key.open(&sealed).unwrap().as_slice(), b"successor");
        assert!(SealingKey::derive(b"token", "other").open(&sealed).is_err());
        *sealed.last_mut().unwrap() ^= 1;
        assert!(key.open(&sealed).is_err());
        assert!(key.open(b"short").is_err());
    }
}
