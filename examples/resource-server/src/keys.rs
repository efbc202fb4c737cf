//! The provider's published keys. Fetched in the background, so that no request waits for them; asked for once more
//! when a token names a key that is not known yet; and kept while the provider is away.

use std::collections::HashMap;
use std::error::Error;
use std::sync::Arc;
use std::time::{Duration, Instant};

use axum::http::{HeaderMap, header};
use jsonwebtoken::jwk::{Jwk, KeyAlgorithm, PublicKeyUse};
use jsonwebtoken::{Algorithm, DecodingKey};
use reqwest::Client;
use serde::Deserialize;
use serde_json::Value;
use tokio::sync::{Mutex, RwLock};
use tokio::time::sleep;

/// How long keys are good where the provider does not say, and the bounds of what it can say.
const USUAL: Duration = Duration::from_mins(5);
const SHORTEST: Duration = Duration::from_mins(1);
const LONGEST: Duration = Duration::from_hours(1);

/// Between two attempts after one that failed, and between two for keys that are not known: anybody can make up names
/// of keys, and the provider is not to be asked for each.
const AGAIN: Duration = Duration::from_secs(30);

/// A key, with the one algorithm it is for.
pub(crate) struct Key {
    pub(crate) algorithm: Algorithm,
    pub(crate) key: DecodingKey,
}

/// Why there is no key of a name.
#[derive(Debug)]
pub(crate) enum NoKey {
    /// The provider has none.
    Unknown,
    /// The provider was not reached yet.
    Unavailable,
}

type Named = HashMap<String, Arc<Key>>;

pub(crate) struct Keys {
    http: Client,
    issuer: String,
    published: RwLock<Named>,
    /// When a key was last asked for that was not known.
    asked: Mutex<Option<Instant>>,
}

/// What is read of the discovery document.
#[derive(Deserialize)]
struct Metadata {
    issuer: String,
    jwks_uri: String,
}

/// Keys one by one, because kinds that are not known here are no fault of the others (RFC 7517 section 5).
#[derive(Deserialize)]
struct KeySet {
    keys: Vec<Value>,
}

impl Keys {
    pub(crate) fn new(http: Client, issuer: String) -> Self {
        Self { http, issuer, published: RwLock::default(), asked: Mutex::default() }
    }

    /// The key of this name.
    pub(crate) async fn find(&self, kid: &str) -> Result<Arc<Key>, NoKey> {
        if let Some(key) = self.known(kid).await {
            return Ok(key);
        }
        self.ask_again(kid).await;
        match self.known(kid).await {
            Some(key) => Ok(key),
            None if self.published.read().await.is_empty() => Err(NoKey::Unavailable),
            None => Err(NoKey::Unknown),
        }
    }

    /// Fetches the keys, or keeps those that there are. How long to wait before the next time.
    pub(crate) async fn refresh(&self) -> Duration {
        match self.fetch().await {
            Ok((keys, lifetime)) => {
                *self.published.write().await = keys;
                lifetime
            }
            Err(error) => {
                eprintln!("the provider's keys: {error}");
                AGAIN
            }
        }
    }

    /// Never ends.
    pub(crate) async fn keep_fresh(self: Arc<Self>, mut next: Duration) {
        loop {
            sleep(next).await;
            next = self.refresh().await;
        }
    }

    async fn known(&self, kid: &str) -> Option<Arc<Key>> {
        self.published.read().await.get(kid).cloned()
    }

    async fn ask_again(&self, kid: &str) {
        // Those who come while one asks wait for its answer.
        let mut asked = self.asked.lock().await;
        if asked.is_some_and(|at| at.elapsed() < AGAIN) || self.known(kid).await.is_some() {
            return;
        }
        *asked = Some(Instant::now());
        self.refresh().await;
    }

    async fn fetch(&self) -> Result<(Named, Duration), Box<dyn Error + Send + Sync>> {
        let metadata = format!("{}/.well-known/openid-configuration", self.issuer);
        let metadata: Metadata = self.http.get(metadata).send().await?.error_for_status()?.json().await?;
        if metadata.issuer != self.issuer {
            return Err(format!("{} calls itself {}", self.issuer, metadata.issuer).into());
        }
        let answer = self.http.get(metadata.jwks_uri).send().await?.error_for_status()?;
        let lifetime = lifetime(answer.headers());
        let set: KeySet = answer.json().await?;
        let keys: Named = set.keys.into_iter().filter_map(usable).collect();
        if keys.is_empty() {
            return Err("none of them can verify a token".into());
        }
        Ok((keys, lifetime))
    }
}

/// The key with its name, if it is one for signatures that are believed here.
fn usable(key: Value) -> Option<(String, Arc<Key>)> {
    let key: Jwk = serde_json::from_value(key).ok()?;
    if key.common.public_key_use.as_ref().is_some_and(|meant| *meant != PublicKeyUse::Signature) {
        return None;
    }
    // The key says which algorithm it is for, so that a token has no choice (RFC 8725 section 3.1).
    let algorithm = match key.common.key_algorithm? {
        KeyAlgorithm::RS256 => Algorithm::RS256,
        KeyAlgorithm::PS256 => Algorithm::PS256,
        KeyAlgorithm::ES256 => Algorithm::ES256,
        KeyAlgorithm::EdDSA => Algorithm::EdDSA,
        _ => return None,
    };
    let decoding = DecodingKey::from_jwk(&key).ok()?;
    Some((key.common.key_id?, Arc::new(Key { algorithm, key: decoding })))
}

fn lifetime(headers: &HeaderMap) -> Duration {
    let said = headers.get(header::CACHE_CONTROL).and_then(|value| value.to_str().ok()).unwrap_or_default();
    let seconds = said.split(',').find_map(|part| part.trim().strip_prefix("max-age=")?.parse().ok());
    seconds.map_or(USUAL, Duration::from_secs).clamp(SHORTEST, LONGEST)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_provider_says_how_long_within_bounds() {
        let told = |said: &'static str| {
            let headers = HeaderMap::from_iter([(header::CACHE_CONTROL, said.parse().unwrap())]);
            lifetime(&headers).as_secs()
        };
        assert_eq!(lifetime(&HeaderMap::new()), USUAL);
        assert_eq!(told("public, max-age=600"), 600);
        assert_eq!(told("no-store, max-age=0"), 60);
        assert_eq!(told("max-age=31536000"), 3600);
        assert_eq!(told("max-age=soon"), 300);
    }

    #[test]
    fn only_keys_for_signatures_that_are_believed_count() {
        let key = |alg: &str, meant: &str| {
            usable(serde_json::json!({
                "kty": "RSA", "kid": "one", "alg": alg, "use": meant, "n": "sXch", "e": "AQAB",
            }))
        };
        assert!(key("RS256", "sig").is_some());
        for (alg, meant) in [("RS256", "enc"), ("HS256", "sig"), ("RSA-OAEP", "sig"), ("unheard-of", "sig")] {
            assert!(key(alg, meant).is_none(), "{alg} {meant}");
        }
        assert!(usable(serde_json::json!({"kty": "oct", "kid": "one", "alg": "HS256", "k": "c2VjcmV0"})).is_none());
        assert!(usable(serde_json::json!({"kty": "of tomorrow", "kid": "one"})).is_none());
    }
}
