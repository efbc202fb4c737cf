//! Public keys as they are published (RFC 7517, RFC 7518 section 6, RFC 8037 section 2).

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::{Map, Value};
use sha2::{Digest as _, Sha256};

use super::Alg;

/// A published key: its id and its JSON.
pub(super) struct PublicJwk {
    /// The thumbprint of RFC 7638.
    pub(super) kid: String,
    pub(super) json: String,
}

pub(super) fn rsa(alg: Alg, n: &[u8], e: &[u8]) -> PublicJwk {
    let (n, e) = (URL_SAFE_NO_PAD.encode(n), URL_SAFE_NO_PAD.encode(e));
    published(alg, &[("e", &e), ("kty", "RSA"), ("n", &n)])
}

/// Coordinates have the width of the curve's field, leading zeros and all (RFC 7518 section 6.2.1.2).
pub(super) fn p256(alg: Alg, x: &[u8], y: &[u8]) -> PublicJwk {
    let (x, y) = (URL_SAFE_NO_PAD.encode(x), URL_SAFE_NO_PAD.encode(y));
    published(alg, &[("crv", "P-256"), ("kty", "EC"), ("x", &x), ("y", &y)])
}

pub(super) fn ed25519(alg: Alg, x: &[u8]) -> PublicJwk {
    published(alg, &[("crv", "Ed25519"), ("kty", "OKP"), ("x", &URL_SAFE_NO_PAD.encode(x))])
}

/// `required` are the members that the thumbprint is made of, by their names in order (RFC 7638 section 3.2).
fn published(alg: Alg, required: &[(&str, &str)]) -> PublicJwk {
    // Names and base64url need no escapes, so this is what section 3.3 wants: in order, without white space.
    let members: Vec<String> = required.iter().map(|(name, value)| format!(r#""{name}":"{value}""#)).collect();
    let kid = URL_SAFE_NO_PAD.encode(Sha256::digest(format!("{{{}}}", members.join(","))));
    let ours = [("use", "sig"), ("alg", alg.name()), ("kid", &kid)];
    let jwk: Map<String, Value> =
        required.iter().chain(&ours).map(|(name, value)| ((*name).to_owned(), (*value).into())).collect();
    PublicJwk { json: Value::Object(jwk).to_string(), kid }
}
