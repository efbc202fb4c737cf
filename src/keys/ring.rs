//! The keys in memory: parsed once, because parsing a key costs four times what signing with it does.

use std::sync::Arc;

use arc_swap::ArcSwap;
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use josekit::jwk::Jwk;
use josekit::jws::{JwsSigner, JwsVerifier, RS256};
use serde_json::json;
use tokio::sync::Mutex;

use super::{Alg, KeyError, State, store};
use crate::platform::database::Database;
use crate::platform::secrets::SealingKey;

/// What a token says it is (`typ`, RFC 8725 section 3.11), so that none passes for another.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TokenType {
    /// RFC 9068.
    AccessToken,
    /// An access token for stacks that refuse the newer type, or an ID token.
    Jwt,
    /// OpenID Connect Back-Channel Logout 1.0 section 2.4.
    LogoutToken,
}

/// A key that is ready to sign and to verify.
pub struct Key {
    pub kid: String,
    pub alg: Alg,
    pub state: State,
    signer: Box<dyn JwsSigner>,
    verifier: Box<dyn JwsVerifier>,
    access_token_header: String,
    jwt_header: String,
    logout_token_header: String,
}

impl Key {
    /// Signs a JSON payload to a JWS in compact form (RFC 7515 section 7.1).
    pub fn sign(&self, typ: TokenType, payload: &[u8]) -> Result<String, KeyError> {
        let header = match typ {
            TokenType::AccessToken => &self.access_token_header,
            TokenType::Jwt => &self.jwt_header,
            TokenType::LogoutToken => &self.logout_token_header,
        };
        let mut token = String::with_capacity(header.len() + payload.len() * 4 / 3 + 360);
        token.push_str(header);
        token.push('.');
        URL_SAFE_NO_PAD.encode_string(payload, &mut token);
        let signature = self.signer.sign(token.as_bytes()).map_err(|error| KeyError::Signing(error.to_string()))?;
        token.push('.');
        URL_SAFE_NO_PAD.encode_string(signature, &mut token);
        Ok(token)
    }

    pub fn verifies(&self, message: &[u8], signature: &[u8]) -> bool {
        self.verifier.verify(message, signature).is_ok()
    }
}

/// The published keys at one moment.
pub struct KeySet {
    keys: Vec<Key>,
    /// The body of the JWKS endpoint.
    pub jwks: String,
}

impl KeySet {
    /// The key that signs now.
    pub fn signing(&self, alg: Alg) -> Option<&Key> {
        self.keys.iter().find(|key| key.alg == alg && key.state == State::Current)
    }

    /// A published key by its id.
    pub fn find(&self, kid: &str) -> Option<&Key> {
        self.keys.iter().find(|key| key.kid == kid)
    }

    /// How many keys are published.
    pub fn len(&self) -> usize {
        self.keys.len()
    }

    pub fn is_empty(&self) -> bool {
        self.keys.is_empty()
    }

    /// Algorithms that there is a signing key for.
    pub fn algorithms(&self) -> Vec<Alg> {
        Alg::ALL.into_iter().filter(|alg| self.signing(*alg).is_some()).collect()
    }
}

/// The published keys, swapped whole when they change.
pub struct KeyRing {
    set: ArcSwap<KeySet>,
    /// One reading at a time: of two, the older could be stored last.
    reading: Mutex<()>,
    sealing: SealingKey,
}

impl KeyRing {
    /// Opens the stored keys; fails where the master key is not the one they were sealed under.
    pub async fn load(database: &Database, sealing: SealingKey) -> Result<Self, KeyError> {
        let set = read(database, &sealing).await?;
        Ok(Self { set: ArcSwap::from_pointee(set), reading: Mutex::new(()), sealing })
    }

    pub fn set(&self) -> Arc<KeySet> {
        self.set.load_full()
    }

    pub async fn reload(&self, database: &Database) -> Result<(), KeyError> {
        let _alone = self.reading.lock().await;
        self.set.store(Arc::new(read(database, &self.sealing).await?));
        Ok(())
    }
}

async fn read(database: &Database, sealing: &SealingKey) -> Result<KeySet, KeyError> {
    let mut keys = Vec::new();
    let mut published = Vec::new();
    for row in store::published(database).await? {
        let (Some(alg), Some(state)) = (Alg::parse(&row.alg), State::parse(&row.state)) else {
            // A newer version's algorithm: published by it, not by us.
            tracing::warn!(kid = row.kid, alg = row.alg, "a signing key of a kind that this version does not know");
            continue;
        };
        let pem = sealing.open(&row.sealed_private)?;
        let jwk = Jwk::from_bytes(row.public_jwk.as_bytes()).map_err(malformed)?;
        let (signer, verifier): (Box<dyn JwsSigner>, Box<dyn JwsVerifier>) = match alg {
            Alg::Rs256 => (
                Box::new(RS256.signer_from_pem(pem.as_slice()).map_err(malformed)?),
                Box::new(RS256.verifier_from_jwk(&jwk).map_err(malformed)?),
            ),
        };
        let header =
            |typ: &str| URL_SAFE_NO_PAD.encode(json!({"alg": alg.name(), "typ": typ, "kid": row.kid}).to_string());
        published.push(serde_json::from_str::<serde_json::Value>(&row.public_jwk).map_err(malformed)?);
        keys.push(Key {
            access_token_header: header("at+jwt"),
            jwt_header: header("JWT"),
            logout_token_header: header("logout+jwt"),
            kid: row.kid,
            alg,
            state,
            signer,
            verifier,
        });
    }
    Ok(KeySet { keys, jwks: json!({ "keys": published }).to_string() })
}

fn malformed(error: impl std::fmt::Display) -> KeyError {
    KeyError::Malformed(error.to_string())
}
