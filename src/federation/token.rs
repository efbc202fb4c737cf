//! ID tokens of other providers (OpenID Connect Core 1.0 section 3.1.3.7). `openidconnect` judges; which algorithms count, the
//! authorized party and the access token's hash are looked at here.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use chrono::{DateTime, Utc};
use openidconnect::core::{CoreIdToken, CoreIdTokenVerifier, CoreJwsSigningAlgorithm as Algorithm};
use openidconnect::{
    AccessToken, AccessTokenHash, ClaimsVerificationError, ClientId, Nonce, SignatureVerificationError,
};
use serde_json::{Map, Value};

use super::registry::Provider;
use super::upstream::Metadata;
use super::{Federation, FederationError, LEEWAY};

/// Signatures that only the provider can make. Never those by a shared secret, and never none.
const ALGORITHMS: [Algorithm; 9] = [
    Algorithm::RsaSsaPkcs1V15Sha256,
    Algorithm::RsaSsaPkcs1V15Sha384,
    Algorithm::RsaSsaPkcs1V15Sha512,
    Algorithm::RsaSsaPssSha256,
    Algorithm::RsaSsaPssSha384,
    Algorithm::RsaSsaPssSha512,
    Algorithm::EcdsaP256Sha256,
    Algorithm::EcdsaP384Sha384,
    Algorithm::EdDsa,
];

/// What a token has to fit.
pub(super) struct Expected<'e> {
    /// One of these is its audience.
    pub(super) audiences: Vec<&'e str>,
    /// Who may have asked for it.
    pub(super) parties: Vec<&'e str>,
    /// The one that was sent; none, where none was.
    pub(super) nonce: Option<&'e Nonce>,
    pub(super) access_token: Option<&'e AccessToken>,
}

enum Fault {
    /// No key that we know made it: perhaps there is a new one.
    Key(String),
    Claims(String),
}

impl Federation {
    /// The claims of an ID token that holds.
    pub(super) async fn id_token(
        &self,
        provider: &Provider,
        token: &CoreIdToken,
        expected: &Expected<'_>,
    ) -> Result<Map<String, Value>, FederationError> {
        let (metadata, now) = (self.metadata(provider).await?, self.clock.now());
        let refused = |why: String| FederationError::Unbelievable(why);
        match verify(&metadata, token, expected, now) {
            Ok(claims) => Ok(claims),
            Err(Fault::Claims(why)) => Err(refused(why)),
            Err(Fault::Key(why)) => match provider.upstream.look_for_keys(&metadata, &self.outgoing, now).await {
                None => Err(refused(why)),
                Some(metadata) => verify(&metadata, token, expected, now)
                    .map_err(|(Fault::Key(why) | Fault::Claims(why))| refused(why)),
            },
        }
    }
}

fn verify(
    metadata: &Metadata,
    token: &CoreIdToken,
    expected: &Expected<'_>,
    now: DateTime<Utc>,
) -> Result<Map<String, Value>, Fault> {
    let mut fault = Fault::Claims("no audience is ours".to_owned());
    for audience in &expected.audiences {
        let verifier = CoreIdTokenVerifier::new_public_client(
            ClientId::new((*audience).to_owned()),
            metadata.issuer().clone(),
            metadata.jwks().clone(),
        )
        .set_allowed_algs(ALGORITHMS)
        .set_time_fn(move || now - LEEWAY)
        .set_issue_time_verifier_fn(move |issued| {
            if issued <= now + LEEWAY { Ok(()) } else { Err("it is of the future".to_owned()) }
        });
        let nonce = |said: Option<&Nonce>| match (expected.nonce, said) {
            // One with a nonce belongs to whoever has sent it: nobody else brings it here.
            (None, None) => Ok(()),
            (Some(sent), Some(said)) if sent.secret() == said.secret() => Ok(()),
            _ => Err("it is of another request".to_owned()),
        };
        match token.claims(&verifier, nonce) {
            Ok(claims) => {
                let party = claims.authorized_party().map(|party| party.as_str().to_owned());
                if party.is_some_and(|party| !expected.parties.contains(&party.as_str())) {
                    return Err(Fault::Claims("it was made for another party".to_owned()));
                }
                if let (Some(access_token), Some(said)) = (expected.access_token, claims.access_token_hash()) {
                    let unjudged = |_| Fault::Claims("its at_hash cannot be judged".to_owned());
                    let (alg, key) = (token.signing_alg(), token.signing_key(&verifier));
                    let (alg, key) = (alg.map_err(unjudged)?, key.map_err(unjudged)?);
                    let own = AccessTokenHash::from_token(access_token, alg, key);
                    if own.map_err(|_| Fault::Claims("its at_hash cannot be judged".to_owned()))? != *said {
                        return Err(Fault::Claims("it belongs to another access token".to_owned()));
                    }
                }
                return payload(&token.to_string());
            }
            Err(ClaimsVerificationError::InvalidAudience(why)) => fault = Fault::Claims(why),
            Err(ClaimsVerificationError::SignatureVerification(error)) => {
                let unknown = matches!(
                    error,
                    SignatureVerificationError::NoMatchingKey
                        | SignatureVerificationError::AmbiguousKeyId(_)
                        | SignatureVerificationError::CryptoError(_)
                );
                let why = error.to_string();
                return Err(if unknown { Fault::Key(why) } else { Fault::Claims(why) });
            }
            Err(error) => return Err(Fault::Claims(error.to_string())),
        }
    }
    Err(fault)
}

/// The claims as they stand there, of a token that was judged.
fn payload(token: &str) -> Result<Map<String, Value>, Fault> {
    let unreadable = || Fault::Claims("it cannot be read".to_owned());
    let part = token.split('.').nth(1).ok_or_else(unreadable)?;
    let bytes = URL_SAFE_NO_PAD.decode(part).map_err(|_| unreadable())?;
    serde_json::from_slice(&bytes).map_err(|_| unreadable())
}
