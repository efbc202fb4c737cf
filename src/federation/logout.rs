//! The end of a session, told to the provider it began at (OpenID Connect RP-Initiated Logout 1.0), and heard from it (OpenID
//! Connect Back-Channel Logout 1.0).

use std::sync::Arc;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use chrono::{DateTime, Duration, Utc};
use josekit::jwk::Jwk;
use josekit::jws::{ES256, ES384, EdDSA, JwsVerifier, PS256, PS384, PS512, RS256, RS384, RS512};
use serde::Deserialize;
use serde_json::{Map, Value};

use super::registry::Provider;
use super::store::{self, NewRequest};
use super::upstream::Metadata;
use super::{Federation, FederationError, LEEWAY};
use crate::platform::clock::from_millis;
use crate::platform::secrets;
use crate::sessions::{Named, Upstream};

/// What makes a token one that ends sessions (section 2.4).
const EVENT: &str = "http://schemas.openid.net/event/backchannel-logout";
/// How long a browser may take to come back.
const LIFETIME: Duration = Duration::minutes(15);

#[derive(Deserialize)]
struct Header {
    alg: String,
    kid: Option<String>,
    typ: Option<String>,
    crit: Option<Value>,
}

impl Federation {
    /// The provider at which a session is ended too, as long as it offers that.
    pub fn to_sign_out(&self, upstream: &Upstream) -> Option<Arc<Provider>> {
        let provider = self.providers.usable(&upstream.provider)?;
        (provider.is_openid() && provider.declared.sign_out).then_some(provider)
    }

    async fn end_session_endpoint(&self, provider: &Provider) -> Option<url::Url> {
        let metadata = self.metadata(provider).await.ok()?;
        url::Url::parse(metadata.additional_metadata().end_session_endpoint.as_deref()?).ok()
    }

    /// Where a browser goes to end its session there too, from where it comes back and goes on to `onward`.
    pub async fn sign_out_url(
        &self,
        upstream: &Upstream,
        browser: &str,
        onward: Option<&str>,
    ) -> Result<Option<String>, FederationError> {
        let Some(provider) = self.to_sign_out(upstream) else { return Ok(None) };
        let Some(mut url) = self.end_session_endpoint(&provider).await else { return Ok(None) };
        let (state, now) = (self.random.token(""), self.clock.now());
        let mut pairs = vec![
            ("client_id", provider.declared.client_id.clone()),
            ("post_logout_redirect_uri", format!("{}/providers/signed-out", self.settings.issuer)),
            ("state", state.clone()),
        ];
        let hint = upstream.id_token.as_deref().and_then(|sealed| self.sealing.open(sealed).ok());
        if let Some(hint) = hint.and_then(|hint| String::from_utf8(hint.to_vec()).ok()) {
            pairs.insert(0, ("id_token_hint", hint));
        }
        let new = NewRequest {
            state_hash: secrets::hash(&state),
            provider: provider.name.clone(),
            browser_hash: secrets::hash(browser),
            purpose: store::SIGN_OUT,
            user_id: None,
            onward: onward.map(str::to_owned),
            now,
            expires_at: now + LIFETIME,
        };
        let action = self.database.write(move |tx| Box::pin(async move { store::insert_request(tx, &new).await }));
        action.await?;
        url.query_pairs_mut().extend_pairs(pairs);
        Ok(Some(url.into()))
    }

    /// A browser is back from signing out there: where it goes on to, if anywhere.
    pub async fn signed_out(&self, state: &str, browser: &str) -> Result<Option<String>, FederationError> {
        let (state, browser, now) = (secrets::hash(state), secrets::hash(browser), self.clock.now());
        let action =
            self.database.write(move |tx| Box::pin(async move { store::take_sign_out(tx, state, browser, now).await }));
        Ok(action.await?.ok_or(FederationError::State)?.onward)
    }

    /// Which sessions a logout token ends.
    pub async fn logout_token(&self, name: &str, token: &str) -> Result<Named, FederationError> {
        // One that is switched off is believed when it ends sessions: they go on without it.
        let provider = self.providers.get(name).ok_or(FederationError::Unknown)?;
        if !provider.is_openid() {
            return Err(FederationError::Unknown);
        }
        let (metadata, now) = (self.metadata(&provider).await?, self.clock.now());
        let claims = match signed(&metadata, token) {
            Ok(claims) => claims,
            Err(first) => match provider.upstream.look_for_keys(&metadata, &self.outgoing, now).await {
                Some(metadata) => signed(&metadata, token).map_err(unbelievable)?,
                None => return Err(unbelievable(first)),
            },
        };
        named(&provider, &claims, now).map_err(unbelievable)
    }
}

fn unbelievable(why: &str) -> FederationError {
    FederationError::Unbelievable(why.to_owned())
}

/// The claims of a token that one of the provider's keys has signed.
fn signed(metadata: &Metadata, token: &str) -> Result<Map<String, Value>, &'static str> {
    let head = token.split('.').next().unwrap_or_default();
    let head = URL_SAFE_NO_PAD.decode(head).map_err(|_| "it is no token")?;
    let header: Header = serde_json::from_slice(&head).map_err(|_| "it is no token")?;
    let typ = header.typ.as_deref().unwrap_or("JWT").to_ascii_lowercase();
    if header.crit.is_some() || !matches!(typ.trim_start_matches("application/"), "jwt" | "logout+jwt") {
        return Err("it is no logout token");
    }
    for key in metadata.jwks().keys() {
        let Ok(Value::Object(members)) = serde_json::to_value(key) else { continue };
        let Ok(mut jwk) = Jwk::from_map(members) else { continue };
        if header.kid.as_deref().is_some_and(|kid| jwk.key_id() != Some(kid)) {
            continue;
        }
        // What the key is for was said by its provider; which algorithm is used is the token's, of those that we take.
        jwk.set_key_operations(vec!["verify"]);
        let Some(verifier) = verifier(&header.alg, &jwk) else { continue };
        if let Ok((payload, _)) = josekit::jws::deserialize_compact(token, verifier.as_ref()) {
            return serde_json::from_slice(&payload).map_err(|_| "it cannot be read");
        }
    }
    Err("no key of the provider's made it")
}

/// Signatures that only the provider can make: the key has to be of the algorithm's kind.
fn verifier(alg: &str, jwk: &Jwk) -> Option<Box<dyn JwsVerifier>> {
    fn boxed(verifier: Result<impl JwsVerifier + 'static, josekit::JoseError>) -> Option<Box<dyn JwsVerifier>> {
        verifier.ok().map(|verifier| Box::new(verifier) as Box<dyn JwsVerifier>)
    }
    match (alg, jwk.key_type()) {
        ("RS256", "RSA") => boxed(RS256.verifier_from_jwk(jwk)),
        ("RS384", "RSA") => boxed(RS384.verifier_from_jwk(jwk)),
        ("RS512", "RSA") => boxed(RS512.verifier_from_jwk(jwk)),
        ("PS256", "RSA") => boxed(PS256.verifier_from_jwk(jwk)),
        ("PS384", "RSA") => boxed(PS384.verifier_from_jwk(jwk)),
        ("PS512", "RSA") => boxed(PS512.verifier_from_jwk(jwk)),
        ("ES256", "EC") => boxed(ES256.verifier_from_jwk(jwk)),
        ("ES384", "EC") => boxed(ES384.verifier_from_jwk(jwk)),
        ("EdDSA", "OKP") => boxed(EdDSA.verifier_from_jwk(jwk)),
        _ => None,
    }
}

/// Section 2.6: everything that has to be in it is, and what must not is not.
fn named(provider: &Provider, claims: &Map<String, Value>, now: DateTime<Utc>) -> Result<Named, &'static str> {
    let text = |name: &str| claims.get(name).and_then(Value::as_str).map(str::to_owned);
    let time = |name: &str| {
        let millis = claims.get(name).and_then(Value::as_i64).and_then(|seconds| seconds.checked_mul(1000));
        millis.map(from_millis)
    };
    if text("iss").as_deref() != Some(provider.declared.issuer.as_str()) {
        return Err("it is of another issuer");
    }
    let ours = Some(provider.declared.client_id.as_str());
    let is_ours = match claims.get("aud") {
        Some(Value::Array(list)) => list.iter().any(|one| one.as_str() == ours),
        one => one.and_then(Value::as_str) == ours,
    };
    if !is_ours {
        return Err("it is for somebody else");
    }
    let issued = time("iat").ok_or("it does not say when it was made")?;
    let expires = time("exp").ok_or("it does not say when it expires")?;
    if issued > now + LEEWAY || expires <= now - LEEWAY {
        return Err("it is not of this time");
    }
    if !claims.get("events").and_then(|events| events.get(EVENT)).is_some_and(Value::is_object) {
        return Err("it is about something else");
    }
    if claims.contains_key("nonce") {
        return Err("it holds a nonce");
    }
    if text("jti").is_none() {
        return Err("it has no id");
    }
    let (subject, sid) = (text("sub"), text("sid"));
    if subject.is_none() && sid.is_none() {
        return Err("it does not say whose session it is");
    }
    Ok(Named { issuer: provider.identity.clone(), subject, sid, until: issued + LEEWAY })
}
