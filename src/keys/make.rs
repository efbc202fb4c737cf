//! Makes keys and reads imported ones. The `rsa` crate makes them and reads their public parts; nothing here signs.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use rsa::pkcs1::DecodeRsaPrivateKey as _;
use rsa::pkcs8::{DecodePrivateKey as _, EncodePrivateKey as _, LineEnding};
use rsa::traits::PublicKeyParts as _;
use rsa::{RsaPrivateKey, rand_core};
use serde_json::json;
use sha2::{Digest as _, Sha256};
use zeroize::Zeroizing;

use super::Alg;
use crate::platform::database::{DatabaseError, MigrateError};
use crate::platform::random::Random;
use crate::platform::secrets::SecretsError;

/// NIST SP 800-57: good until 2030 and beyond; RFC 7518 section 3.3 demands it as the least.
const RSA_BITS: usize = 2048;

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
    #[error("signing failed: {0}")]
    Signing(String),
}

/// A key that is not yet stored.
pub struct NewKey {
    /// The thumbprint of RFC 7638.
    pub kid: String,
    pub alg: Alg,
    /// A public JWK with `kid`, `use` and `alg` (RFC 7517).
    pub public_jwk: String,
    /// PKCS#8 in PEM.
    pub private_pem: Zeroizing<String>,
}

impl NewKey {
    /// Makes a key. Takes a second of CPU: call it where blocking is allowed.
    pub fn make(alg: Alg, random: &dyn Random) -> Result<Self, KeyError> {
        match alg {
            Alg::Rs256 => {
                let key = RsaPrivateKey::new(&mut Adapter(random), RSA_BITS).map_err(malformed)?;
                Self::from_rsa(&key)
            }
        }
    }

    /// Reads a PEM key (PKCS#8 or PKCS#1).
    pub fn from_pem(pem: &str) -> Result<Self, KeyError> {
        let key =
            RsaPrivateKey::from_pkcs8_pem(pem).or_else(|_| RsaPrivateKey::from_pkcs1_pem(pem)).map_err(malformed)?;
        key.validate().map_err(malformed)?;
        Self::from_rsa(&key)
    }

    fn from_rsa(key: &RsaPrivateKey) -> Result<Self, KeyError> {
        let bits = key.n().bits();
        if bits < RSA_BITS {
            return Err(KeyError::Short(bits));
        }
        let (n, e) = (URL_SAFE_NO_PAD.encode(key.n().to_bytes_be()), URL_SAFE_NO_PAD.encode(key.e().to_bytes_be()));
        // RFC 7638 section 3.2: these members, in this order, without white space.
        let kid = URL_SAFE_NO_PAD.encode(Sha256::digest(format!(r#"{{"e":"{e}","kty":"RSA","n":"{n}"}}"#)));
        let public_jwk = json!({"kty": "RSA", "use": "sig", "alg": "RS256", "kid": kid, "n": n, "e": e}).to_string();
        let private_pem = key.to_pkcs8_pem(LineEnding::LF).map_err(malformed)?;
        Ok(Self { kid, alg: Alg::Rs256, public_jwk, private_pem })
    }
}

fn malformed(error: impl std::fmt::Display) -> KeyError {
    KeyError::Malformed(error.to_string())
}

/// The `rsa` crate draws from its own kind of generator.
struct Adapter<'a>(&'a dyn Random);

impl rand_core::RngCore for Adapter<'_> {
    fn next_u32(&mut self) -> u32 {
        u32::from_le_bytes(self.0.bytes())
    }

    fn next_u64(&mut self) -> u64 {
        u64::from_le_bytes(self.0.bytes())
    }

    fn fill_bytes(&mut self, bytes: &mut [u8]) {
        self.0.fill(bytes);
    }

    fn try_fill_bytes(&mut self, bytes: &mut [u8]) -> Result<(), rand_core::Error> {
        self.0.fill(bytes);
        Ok(())
    }
}

impl rand_core::CryptoRng for Adapter<'_> {}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::platform::random::SystemRandom;

    #[test]
    fn the_kid_is_the_thumbprint_of_rfc_7638() {
        let key = NewKey::make(Alg::Rs256, &SystemRandom).unwrap();
        let again = NewKey::from_pem(&key.private_pem).unwrap();
        assert_eq!(key.kid, again.kid);
        let jwk: serde_json::Value = serde_json::from_str(&key.public_jwk).unwrap();
        let canonical = format!(r#"{{"e":{},"kty":"RSA","n":{}}}"#, jwk["e"], jwk["n"]);
        assert_eq!(key.kid, URL_SAFE_NO_PAD.encode(Sha256::digest(canonical)));
        assert!(jwk.get("d").is_none());
    }

    #[test]
    fn short_keys_are_refused() {
        let key = RsaPrivateKey::new(&mut Adapter(&SystemRandom), 1024).unwrap();
        let pem = key.to_pkcs8_pem(LineEnding::LF).unwrap();
        assert!(matches!(NewKey::from_pem(&pem), Err(KeyError::Short(1024))));
        assert!(matches!(NewKey::from_pem("nonsense"), Err(KeyError::Malformed(_))));
    }
}
