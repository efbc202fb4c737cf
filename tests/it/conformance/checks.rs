//! What the suite checks of every answer, warnings counted as failures.

use std::collections::{BTreeMap, BTreeSet};

use base64::{Engine as _, prelude::BASE64_URL_SAFE_NO_PAD};
use jsonwebtoken::{Algorithm, DecodingKey, Validation, jwk::JwkSet};
use serde_json::Value;
use sha2::{Digest as _, Sha256};
use url::Url;

use crate::support::Answer;

/// Claims that an ID token may have without anybody's asking.
const ID_TOKEN_CLAIMS: [&str; 17] = [
    "iss",
    "sub",
    "aud",
    "exp",
    "iat",
    "auth_time",
    "nonce",
    "acr",
    "amr",
    "azp",
    "at_hash",
    "c_hash",
    "nbf",
    "jti",
    "sid",
    "s_hash",
    "txn",
];

/// How much is in a text by the frequency of its characters: Shannon's entropy, times its length.
pub(super) fn bits(text: &str) -> f64 {
    let length = count(text.chars().count());
    let mut counts = BTreeMap::<char, usize>::new();
    for c in text.chars() {
        *counts.entry(c).or_default() += 1;
    }
    let each = counts.values().map(|n| {
        let part = count(*n) / length;
        -part * part.log2()
    });
    each.sum::<f64>() * length
}

fn count(n: usize) -> f64 {
    f64::from(u32::try_from(n).expect("not that long"))
}

/// A secret: 128 bits long, more than 96 bits of entropy.
pub(super) fn expect_entropy(secret: &str) {
    assert!(secret.len() * 8 >= 128 && bits(secret) > 96.0, "{secret}: {} bits", bits(secret));
}

/// A word of ours to programmers: %x20-21, 23-5B, 5D-7E (RFC 6749 §5.2), no line break, no tab.
pub(super) fn expect_description(text: &str) {
    assert!(text.bytes().all(|b| matches!(b, 0x20..=0x21 | 0x23..=0x5b | 0x5d..=0x7e)), "{text:?}");
}

/// JSON, and nothing else by its type.
pub(super) fn expect_json(answer: &Answer) -> Value {
    let mut parts = answer.header("content-type").split(';');
    assert_eq!(parts.next(), Some("application/json"), "{answer:#?}");
    answer.json()
}

/// An error of the token endpoint.
pub(super) fn expect_token_error(answer: &Answer, status: u16, error: &str) {
    assert_eq!(answer.status.as_u16(), status, "{answer:#?}");
    let body = expect_json(answer);
    assert_eq!(body["error"], error, "{answer:#?}");
    expect_description(body["error_description"].as_str().unwrap_or_default());
    if let Some(uri) = body.get("error_uri") {
        Url::parse(uri.as_str().expect("text")).expect("a URL");
    }
}

/// A success of the token endpoint.
pub(super) fn expect_tokens(answer: &Answer) -> Value {
    assert_eq!(answer.status, 200, "{answer:#?}");
    let body = expect_json(answer);
    assert_eq!(answer.header("cache-control"), "no-store", "{answer:#?}");
    assert_eq!(body["token_type"], "Bearer", "{answer:#?}");
    expect_entropy(body["access_token"].as_str().expect("an access token"));
    let seconds = body["expires_in"].as_u64().expect("a lifetime");
    assert!((1..=31_536_000).contains(&seconds), "{answer:#?}");
    if let Some(token) = body.get("refresh_token") {
        expect_entropy(token.as_str().expect("text"));
    }
    body
}

/// Public keys only, each with a name of its own, all of kinds that the suite knows.
pub(super) fn expect_keys(set: &Value) {
    let keys = set["keys"].as_array().expect("keys");
    assert!(!keys.is_empty());
    let mut names = BTreeSet::new();
    for key in keys {
        assert!(names.insert(key["kid"].as_str().expect("a kid")), "a kid comes twice: {set:#}");
        for private in ["d", "p", "q", "dp", "dq", "qi", "oth", "k"] {
            assert_eq!(key.get(private), None, "{key:#}");
        }
        let (parts, algorithms) = match key["kty"].as_str().expect("a kind") {
            "RSA" => (&["n", "e"][..], &["RS256", "PS256"][..]),
            "EC" => (&["x", "y"][..], &["ES256"][..]),
            "OKP" => (&["x"][..], &["EdDSA"][..]),
            other => panic!("the suite does not know {other}"),
        };
        for part in parts {
            let bytes = BASE64_URL_SAFE_NO_PAD.decode(key[part].as_str().expect("a part")).expect("base64url");
            assert!(*part != "n" || bytes.len() >= 256, "fewer than 2048 bits: {key:#}");
        }
        assert!(algorithms.contains(&key["alg"].as_str().expect("an algorithm")), "{key:#}");
        match key["kty"].as_str() {
            Some("EC") => assert_eq!(key["crv"], "P-256"),
            Some("OKP") => assert_eq!(key["crv"], "Ed25519"),
            _ => {}
        }
        assert_eq!(key["use"], "sig");
        let parsed: jsonwebtoken::jwk::Jwk = serde_json::from_value(key.clone()).expect("a key");
        DecodingKey::from_jwk(&parsed).expect("a key");
    }
}

/// A JWS that a published key made; the claims in it.
pub(super) fn verified(keys: &Value, token: &str) -> Value {
    let header = jsonwebtoken::decode_header(token).expect("a header");
    assert_eq!(header.alg, Algorithm::RS256);
    let kid = header.kid.expect("a kid");
    let listed = keys["keys"].as_array().expect("keys").iter().find(|key| key["kid"] == kid.as_str());
    let listed = listed.expect("a published key");
    assert_eq!((&listed["alg"], &listed["kty"], &listed["use"]), (&"RS256".into(), &"RSA".into(), &"sig".into()));
    let set: JwkSet = serde_json::from_value(keys.clone()).expect("a key set");
    let key = DecodingKey::from_jwk(set.find(&kid).expect("a published key")).expect("a key");
    let mut validation = Validation::new(Algorithm::RS256);
    // What the claims say is looked at by the callers.
    validation.validate_aud = false;
    validation.validate_exp = false;
    validation.required_spec_claims.clear();
    jsonwebtoken::decode::<Value>(token, &key, &validation).expect("a signature of ours").claims
}

/// An ID token whose signature is good.
pub(super) fn expect_id_token(claims: &Value, issuer: &str, client_id: &str, nonce: Option<&str>, access_token: &str) {
    assert_eq!(claims["iss"], issuer);
    let audience = &claims["aud"];
    assert!(audience == client_id || audience == &serde_json::json!([client_id]), "{claims:#}");
    assert_eq!(claims.get("nonce").and_then(Value::as_str), nonce, "{claims:#}");
    let now = chrono::Utc::now().timestamp();
    let at = |name: &str| claims[name].as_i64().unwrap_or_else(|| panic!("no {name}: {claims:#}"));
    assert!(at("exp") > now && at("exp") < now + 50 * 365 * 86_400, "{claims:#}");
    assert!((at("iat") - now).abs() < 300, "{claims:#}");
    assert!(at("auth_time") <= now + 300 && at("auth_time") > now - 86_400, "{claims:#}");
    let sub = claims["sub"].as_str().expect("a sub");
    assert!((1..=255).contains(&sub.len()) && sub.bytes().all(|byte| byte.is_ascii_graphic()), "{sub}");
    assert!(!claims["acr"].as_str().expect("an acr").trim().is_empty());
    let half = BASE64_URL_SAFE_NO_PAD.encode(&Sha256::digest(access_token)[..16]);
    assert!(claims.get("at_hash").is_none_or(|hash| *hash == half.as_str()), "{claims:#}");
    for name in claims.as_object().expect("claims").keys() {
        assert!(ID_TOKEN_CLAIMS.contains(&name.as_str()), "nobody asked for {name}: {claims:#}");
    }
}

/// Claims about a person have their types (OpenID Connect Core §5.1).
pub(super) fn expect_types(claims: &Value) {
    for (name, value) in claims.as_object().expect("claims") {
        match name.as_str() {
            "email_verified" | "phone_number_verified" => assert!(value.is_boolean(), "{name}: {value}"),
            "updated_at" => {
                let seconds = value.as_i64().expect("seconds");
                assert!(seconds > 631_152_000 && seconds <= chrono::Utc::now().timestamp(), "{seconds}");
            }
            "address" => value.as_object().expect("an address").values().for_each(expect_words),
            "profile" | "picture" | "website" => {
                expect_words(value);
                assert_eq!(Url::parse(value.as_str().expect("text")).expect("a URL").scheme(), "https");
            }
            "birthdate" => {
                let date = value.as_str().expect("text");
                chrono::NaiveDate::parse_from_str(date, "%Y-%m-%d").unwrap_or_else(|error| panic!("{date}: {error}"));
            }
            _ => expect_words(value),
        }
    }
}

fn expect_words(value: &Value) {
    let text = value.as_str().unwrap_or_else(|| panic!("no text: {value}"));
    assert!(!text.trim().is_empty() && text != "null", "{text:?}");
}

#[test]
fn entropy_is_counted_as_the_suite_does() {
    assert!(bits("aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa").abs() < f64::EPSILON);
    assert!((bits("abababab") - 8.0).abs() < f64::EPSILON);
    expect_entropy(&crate::support::random());
}
