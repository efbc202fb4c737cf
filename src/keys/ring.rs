//! The keys in memory: parsed once, because parsing a key costs four times what signing with it does.

use std::sync::Arc;

use arc_swap::ArcSwap;
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use chrono::{DateTime, Utc};
use josekit::jws::JwsSigner;
use serde_json::json;
use tokio::sync::Mutex;

use super::error::malformed;
use super::signature::{PublicKey, signer};
use super::{Alg, KeyError, State, store};
use crate::platform::clock::from_millis;
use crate::platform::database::Database;
use crate::platform::measure::Step;
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

/// A published key: the current one of its algorithm signs, all of them verify.
pub struct Key {
    pub public: PublicKey,
    pub state: State,
    signer: Option<Box<dyn JwsSigner>>,
    access_token_header: String,
    jwt_header: String,
    logout_token_header: String,
}

impl Key {
    fn open(public: PublicKey, state: State, pem: &[u8]) -> Result<Self, KeyError> {
        let alg = public.alg;
        let header =
            |typ: &str| URL_SAFE_NO_PAD.encode(json!({"alg": alg.name(), "typ": typ, "kid": public.kid}).to_string());
        Ok(Self {
            access_token_header: header("at+jwt"),
            jwt_header: header("JWT"),
            logout_token_header: header("logout+jwt"),
            signer: if state == State::Current { Some(signer(alg, pem)?) } else { None },
            state,
            public,
        })
    }

    /// Signs a JSON payload to a JWS in compact form (RFC 7515 section 7.1).
    pub fn sign(&self, typ: TokenType, payload: &[u8]) -> Result<String, KeyError> {
        let header = match typ {
            TokenType::AccessToken => &self.access_token_header,
            TokenType::Jwt => &self.jwt_header,
            TokenType::LogoutToken => &self.logout_token_header,
        };
        let signer = self.signer.as_ref().ok_or(KeyError::NoCurrent(self.public.alg))?;
        let mut token = String::with_capacity(header.len() + payload.len() * 4 / 3 + 360);
        token.push_str(header);
        token.push('.');
        URL_SAFE_NO_PAD.encode_string(payload, &mut token);
        let signature = Step::Signature.during(|| signer.sign(token.as_bytes()));
        let signature = signature.map_err(|error| KeyError::Signing(error.to_string()))?;
        token.push('.');
        URL_SAFE_NO_PAD.encode_string(signature, &mut token);
        Ok(token)
    }
}

/// The keys at one moment.
pub struct KeySet {
    keys: Vec<Key>,
    /// ID tokens that they signed are still told from others'.
    expired: Vec<PublicKey>,
    since: Vec<(Alg, DateTime<Utc>)>,
    /// The body of the JWKS endpoint.
    pub jwks: String,
}

impl KeySet {
    /// A set of one key that signs, for the tests of rules.
    #[cfg(test)]
    pub(crate) fn of(key: &super::NewKey) -> Self {
        let public = PublicKey::read(key.alg, key.kid.clone(), &key.public_jwk).unwrap();
        let key = Key::open(public, State::Current, key.private_pem.as_bytes()).unwrap();
        Self { keys: vec![key], expired: Vec::new(), since: Vec::new(), jwks: String::new() }
    }

    /// The key that signs now.
    pub fn signing(&self, alg: Alg) -> Option<&Key> {
        self.keys.iter().find(|key| key.public.alg == alg && key.state == State::Current)
    }

    /// Since when the key of each algorithm signs.
    pub fn signing_since(&self) -> impl Iterator<Item = (Alg, DateTime<Utc>)> {
        self.since.iter().copied()
    }

    /// A published key by its id.
    pub fn find(&self, kid: &str) -> Option<&PublicKey> {
        self.keys.iter().map(|key| &key.public).find(|key| key.kid == kid)
    }

    /// A key by its id, published or expired, for what is no credential (`id_token_hint`).
    pub fn find_for_hint(&self, kid: &str) -> Option<&PublicKey> {
        self.find(kid).or_else(|| self.expired.iter().find(|key| key.kid == kid))
    }

    /// How many keys are published.
    pub fn len(&self) -> usize {
        self.keys.len()
    }

    pub fn is_empty(&self) -> bool {
        self.keys.is_empty()
    }

    /// Whether every algorithm has a key that signs and one that is published ahead.
    pub fn is_complete(&self) -> bool {
        let has = |alg, state| self.keys.iter().any(|key| key.public.alg == alg && key.state == state);
        Alg::ALL.into_iter().all(|alg| has(alg, State::Current) && has(alg, State::Next))
    }

    /// Algorithms that there is a signing key for.
    pub fn algorithms(&self) -> Vec<Alg> {
        Alg::ALL.into_iter().filter(|alg| self.signing(*alg).is_some()).collect()
    }
}

/// The keys, swapped whole when they change.
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
    let (mut keys, mut expired, mut since, mut published) = (Vec::new(), Vec::new(), Vec::new(), Vec::new());
    for row in store::known(database).await? {
        let (Some(alg), Some(state)) = (Alg::parse(&row.alg), State::parse(&row.state)) else {
            // A newer version's algorithm: published by it, not by us.
            tracing::warn!(kid = row.kid, alg = row.alg, "a signing key of a kind that this version does not know");
            continue;
        };
        let public = PublicKey::read(alg, row.kid.clone(), &row.public_jwk)?;
        if state == State::Expired {
            expired.push(public);
            continue;
        }
        published.push(serde_json::from_str::<serde_json::Value>(&row.public_jwk).map_err(malformed)?);
        if let (State::Current, Some(at)) = (state, row.activated_at) {
            since.push((alg, from_millis(at)));
        }
        keys.push(Key::open(public, state, &sealing.open(&row.sealed_private)?)?);
    }
    Ok(KeySet { keys, expired, since, jwks: json!({ "keys": published }).to_string() })
}
