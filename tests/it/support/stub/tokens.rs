//! The stub's keys, and what it signs with them or pretends to.

use std::sync::LazyLock;

use base64::{Engine as _, prelude::BASE64_URL_SAFE_NO_PAD};
use josekit::{
    jwk::{
        Jwk,
        alg::{ec::EcCurve, ed::EdCurve, rsa::RsaKeyPair},
    },
    jws::{ES256, EdDSA, HS256, JwsHeader, JwsSigner, PS256, RS256, serialize_compact},
};
use serde_json::{Value, json};
use sha2::{Digest as _, Sha256, Sha512};

use super::{Fault, LogoutFault, Shared, State, random};

/// What somebody else signs with.
static ANOTHER: LazyLock<Key> = LazyLock::new(|| Key::new("RS256"));

/// What an ID token says where userinfo says the rest.
const BARE: [&str; 5] = ["sub", "sid", "auth_time", "acr", "amr"];

const EVENT: &str = "http://schemas.openid.net/event/backchannel-logout";

/// A key pair with an id of its own.
pub(super) struct Key {
    id: String,
    alg: &'static str,
    pair: Jwk,
}

impl Key {
    pub(super) fn new(alg: &'static str) -> Self {
        let pair = match alg {
            "RS256" | "PS256" => Jwk::generate_rsa_key(2048),
            "ES256" => Jwk::generate_ec_key(EcCurve::P256),
            "EdDSA" => Jwk::generate_ed_key(EdCurve::Ed25519),
            other => panic!("{other} is not known here"),
        };
        Self { id: random(), alg, pair: pair.expect("a key") }
    }

    /// As a member of a published key set.
    pub(super) fn published(&self) -> Value {
        let mut key = self.pair.to_public_key().expect("a public key");
        key.set_key_id(&self.id);
        key.set_algorithm(self.alg);
        key.set_key_use("sig");
        Value::Object(key.into())
    }

    fn signer(&self) -> Box<dyn JwsSigner> {
        match self.alg {
            "PS256" => Box::new(PS256.signer_from_jwk(&self.pair).expect("a signer")),
            "ES256" => Box::new(ES256.signer_from_jwk(&self.pair).expect("a signer")),
            "EdDSA" => Box::new(EdDSA.signer_from_jwk(&self.pair).expect("a signer")),
            _ => Box::new(RS256.signer_from_jwk(&self.pair).expect("a signer")),
        }
    }
}

/// What an ID token is to say besides what all say.
pub(super) struct IdToken<'a> {
    pub(super) audience: &'a str,
    pub(super) claims: &'a Value,
    pub(super) nonce: Option<&'a str>,
    pub(super) access_token: Option<&'a str>,
}

pub(super) fn id_token(shared: &Shared, state: &State, token: &IdToken<'_>) -> String {
    let mut claims = json!({
        "iss": shared.issuer,
        "aud": token.audience,
        "iat": state.in_seconds(0),
        "exp": state.in_seconds(3600),
    });
    let members = claims.as_object_mut().expect("an object");
    let told = token.claims.as_object().expect("claims").clone();
    members.extend(told.into_iter().filter(|(name, _)| !state.reserved || BARE.contains(&name.as_str())));
    if let Some(nonce) = token.nonce {
        members.insert("nonce".to_owned(), nonce.into());
    }
    if let Some(access_token) = token.access_token {
        members.insert("at_hash".to_owned(), half_hash(state, access_token).into());
    }
    match state.fault {
        Some(Fault::WrongIssuer) => claims["iss"] = "https://other.example".into(),
        Some(Fault::WrongAudience) => claims["aud"] = "somebody-else".into(),
        Some(Fault::SecondAudience) => claims["aud"] = json!([token.audience, "somebody-else"]),
        Some(Fault::ForeignAzp) => claims["azp"] = "somebody-else".into(),
        Some(Fault::WrongNonce) => claims["nonce"] = random().into(),
        Some(Fault::NoNonce) => forget(&mut claims, "nonce"),
        Some(Fault::Expired) => {
            claims["iat"] = state.in_seconds(-7200).into();
            claims["exp"] = state.in_seconds(-3600).into();
        }
        Some(Fault::NoExpiry) => forget(&mut claims, "exp"),
        Some(Fault::NoSubject) => forget(&mut claims, "sub"),
        Some(Fault::EmptySubject) => claims["sub"] = "".into(),
        Some(Fault::WrongAccessTokenHash) => claims["at_hash"] = half_hash(state, "another").into(),
        _ => {}
    }
    let signature = match state.fault {
        Some(Fault::Unsigned) => Signature::Missing,
        Some(Fault::SignedWithSecret) => Signature::Secret,
        Some(Fault::SignedWithPublicKey) => Signature::PublicKey,
        Some(Fault::SignedByAnother) => Signature::Another,
        Some(Fault::UnknownKey) => Signature::Unknown,
        _ => Signature::Honest,
    };
    let signed = sign(shared, state, "JWT", &claims, signature);
    if state.has(Fault::Tampered) {
        claims["sub"] = "somebody-else".into();
        let parts: Vec<_> = signed.split('.').collect();
        return [parts[0], &encode(claims.to_string()), parts[2]].join(".");
    }
    signed
}

pub(super) fn logout_token(shared: &Shared, state: &State, about: &Value, fault: Option<LogoutFault>) -> String {
    let mut claims = json!({
        "iss": shared.issuer,
        "aud": shared.client_id,
        "iat": state.in_seconds(0),
        "exp": state.in_seconds(120),
        "jti": random(),
        "events": { EVENT: {} },
    });
    let members = claims.as_object_mut().expect("an object");
    members.extend(about.as_object().expect("claims").clone());
    match fault {
        Some(LogoutFault::NoEvents) => forget(&mut claims, "events"),
        Some(LogoutFault::OtherEvent) => claims["events"] = json!({ "http://schemas.openid.net/event/other": {} }),
        Some(LogoutFault::WithNonce) => claims["nonce"] = random().into(),
        Some(LogoutFault::WrongIssuer) => claims["iss"] = "https://other.example".into(),
        Some(LogoutFault::WrongAudience) => claims["aud"] = "somebody-else".into(),
        Some(LogoutFault::Expired) => {
            claims["iat"] = state.in_seconds(-7200).into();
            claims["exp"] = state.in_seconds(-3600).into();
        }
        Some(LogoutFault::NoTokenId) => forget(&mut claims, "jti"),
        _ => {}
    }
    let signature = match fault {
        Some(LogoutFault::Unsigned) => Signature::Missing,
        Some(LogoutFault::SignedWithSecret) => Signature::Secret,
        Some(LogoutFault::SignedWithPublicKey) => Signature::PublicKey,
        Some(LogoutFault::SignedByAnother) => Signature::Another,
        Some(LogoutFault::UnknownKey) => Signature::Unknown,
        _ => Signature::Honest,
    };
    sign(shared, state, "logout+jwt", &claims, signature)
}

#[derive(Clone, Copy)]
enum Signature {
    Honest,
    Missing,
    Secret,
    PublicKey,
    Another,
    Unknown,
}

fn sign(shared: &Shared, state: &State, typ: &str, claims: &Value, signature: Signature) -> String {
    let payload = claims.to_string();
    if matches!(signature, Signature::Missing) {
        let header = json!({ "alg": "none", "typ": typ, "kid": state.key.id }).to_string();
        return format!("{}.{}.", encode(header), encode(payload));
    }
    let mut header = JwsHeader::new();
    header.set_token_type(typ);
    header.set_key_id(match signature {
        Signature::Unknown => &ANOTHER.id,
        _ => &state.key.id,
    });
    let signer: Box<dyn JwsSigner> = match signature {
        Signature::Another | Signature::Unknown => ANOTHER.signer(),
        Signature::Secret => Box::new(HS256.signer_from_bytes(&shared.client_secret).expect("a signer")),
        Signature::PublicKey => {
            let pem = RsaKeyPair::from_jwk(&state.key.pair).expect("an RSA key").to_pem_public_key();
            Box::new(HS256.signer_from_bytes(pem).expect("a signer"))
        }
        Signature::Honest | Signature::Missing => state.key.signer(),
    };
    serialize_compact(payload.as_bytes(), &header, &*signer).expect("a token")
}

/// `at_hash` (OpenID Connect Core §3.1.3.6): by the hash of the signature's algorithm, which with Ed25519 is SHA-512.
fn half_hash(state: &State, token: &str) -> String {
    match state.key.alg {
        "EdDSA" => encode(&Sha512::digest(token)[..32]),
        _ => encode(&Sha256::digest(token)[..16]),
    }
}

fn encode(bytes: impl AsRef<[u8]>) -> String {
    BASE64_URL_SAFE_NO_PAD.encode(bytes)
}

fn forget(claims: &mut Value, name: &str) {
    claims.as_object_mut().expect("an object").remove(name);
}
