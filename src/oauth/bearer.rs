//! Our own access tokens, presented at our own endpoints (RFC 6750, RFC 9068 section 4).

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use chrono::{DateTime, Utc};
use serde::Deserialize;
use uuid::Uuid;

use crate::keys::KeySet;

/// Nothing longer is even decoded.
const LONGEST: usize = 16 * 1024;

/// An access token of ours that is signed, unexpired and meant as one. Whether its grant lives is asked elsewhere.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
pub struct AccessToken {
    pub iss: String,
    pub sub: String,
    pub aud: String,
    pub client_id: String,
    pub exp: i64,
    pub iat: i64,
    /// We set none; a token that has one means it (RFC 7519 section 4.1.5).
    nbf: Option<i64>,
    pub jti: String,
    #[serde(default)]
    pub scope: String,
    /// `None`: a client acts for itself.
    pub grant_id: Option<Uuid>,
}

#[derive(Deserialize)]
struct Header {
    alg: String,
    kid: String,
    typ: String,
    crit: Option<serde_json::Value>,
    b64: Option<serde_json::Value>,
}

/// Signature first, then type, then what it says. Keys come from our own set by the `kid`; what the header says of keys
/// (`jwk`, `jku`, `x5u`) is not looked at.
pub fn verify(token: &str, keys: &KeySet, issuer: &str, now: DateTime<Utc>) -> Option<AccessToken> {
    let (header, payload) = signed_parts(token, keys)?;
    let typ = header.typ.to_ascii_lowercase();
    if !matches!(typ.as_str(), "at+jwt" | "application/at+jwt" | "jwt") {
        return None;
    }
    // An ID token has neither `client_id` nor `jti`, so it does not pass for an access token of the older type.
    let token: AccessToken = serde_json::from_slice(&payload).ok()?;
    let now = now.timestamp();
    let in_time = now < token.exp && token.iat <= token.exp && token.nbf.is_none_or(|nbf| nbf <= now);
    (token.iss == issuer && in_time).then_some(token)
}

/// The payload of a JWS of this type that one of our keys signed, whatever it says.
pub(super) fn signed_payload(token: &str, keys: &KeySet, typ: &str) -> Option<Vec<u8>> {
    let (header, payload) = signed_parts(token, keys)?;
    header.typ.eq_ignore_ascii_case(typ).then_some(payload)
}

fn signed_parts(token: &str, keys: &KeySet) -> Option<(Header, Vec<u8>)> {
    if token.len() > LONGEST {
        return None;
    }
    let (message, signature) = token.rsplit_once('.')?;
    let (header, payload) = message.split_once('.')?;
    let header: Header = serde_json::from_slice(&URL_SAFE_NO_PAD.decode(header).ok()?).ok()?;
    if header.crit.is_some() || header.b64.is_some() {
        return None;
    }
    let key = keys.find(&header.kid)?;
    if header.alg != key.alg.name() {
        return None;
    }
    let signature = URL_SAFE_NO_PAD.decode(signature).ok()?;
    if !key.verifies(message.as_bytes(), &signature) {
        return None;
    }
    Some((header, URL_SAFE_NO_PAD.decode(payload).ok()?))
}
