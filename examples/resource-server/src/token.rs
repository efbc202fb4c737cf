//! What makes an access token good (RFC 9068 section 4), offline: nothing here asks the provider about a token.

use std::sync::Arc;

use jsonwebtoken::errors::ErrorKind;
use jsonwebtoken::{Validation, decode, decode_header};
use serde::{Deserialize, Serialize};

use crate::keys::{Keys, NoKey};
use crate::refusal::Refusal;

/// By how much two clocks may differ, in seconds.
const LEEWAY: u64 = 10;

/// What a good token says of who calls.
#[derive(Clone, Deserialize)]
pub(crate) struct Claims {
    sub: String,
    client_id: String,
    /// What the application may do, separated by spaces.
    #[serde(default)]
    scope: String,
    /// What the person is, where the application asked for the scope `roles`.
    #[serde(default)]
    roles: Vec<String>,
    /// What the person may do, where it asked for the scope `permissions`.
    #[serde(default)]
    permissions: Vec<String>,
}

/// Who somebody is, in words of AuthZEN.
#[derive(Clone, PartialEq, Eq, Serialize)]
pub(crate) struct Subject {
    #[serde(rename = "type")]
    pub(crate) kind: &'static str,
    pub(crate) id: String,
}

impl Claims {
    /// A client that acts for itself has its own id as the subject.
    pub(crate) fn subject(&self) -> Subject {
        let kind = if self.sub == self.client_id { "service_account" } else { "user" };
        Subject { kind, id: self.sub.clone() }
    }

    pub(crate) fn has_scope(&self, scope: &str) -> bool {
        self.scope.split(' ').any(|one| one == scope)
    }

    pub(crate) fn has_role(&self, role: &str) -> bool {
        self.roles.iter().any(|one| one == role)
    }

    pub(crate) fn has_permission(&self, permission: &str) -> bool {
        self.permissions.iter().any(|one| one == permission)
    }
}

pub(crate) struct Verifier {
    keys: Arc<Keys>,
    issuer: String,
    audience: String,
}

impl Verifier {
    pub(crate) fn new(keys: Arc<Keys>, issuer: String, audience: String) -> Self {
        Self { keys, issuer, audience }
    }

    /// What the token says, if all of it holds.
    pub(crate) async fn verify(&self, token: &str) -> Result<Claims, Refusal> {
        let header = decode_header(token).map_err(|_| Refusal::InvalidToken("the token cannot be read"))?;
        // The provider signs ID tokens by the same keys: the type tells them apart.
        if !header.typ.is_some_and(|kind| is_access_token(&kind)) {
            return Err(Refusal::InvalidToken("this is no access token"));
        }
        // Whoever marks something as critical wants it understood or refused (RFC 7515 section 4.1.11).
        if header.crit.is_some() {
            return Err(Refusal::InvalidToken("the token has extensions that are not understood"));
        }
        let kid = header.kid.ok_or(Refusal::InvalidToken("the token names no key"))?;
        let key = self.keys.find(&kid).await.map_err(|reason| match reason {
            NoKey::Unknown => Refusal::InvalidToken("the token's key is not known"),
            NoKey::Unavailable => Refusal::Unavailable,
        })?;
        let mut rules = Validation::new(key.algorithm);
        rules.set_required_spec_claims(&["iss", "aud", "exp", "sub"]);
        rules.set_issuer(&[&self.issuer]);
        rules.set_audience(&[&self.audience]);
        rules.validate_nbf = true;
        rules.leeway = LEEWAY;
        match decode::<Claims>(token, &key.key, &rules) {
            Ok(token) => Ok(token.claims),
            Err(error) => Err(Refusal::InvalidToken(match error.kind() {
                ErrorKind::ExpiredSignature => "the token has expired",
                ErrorKind::InvalidAudience => "the token is for another API",
                _ => "the token is not valid",
            })),
        }
    }
}

fn is_access_token(kind: &str) -> bool {
    kind.eq_ignore_ascii_case("at+jwt") || kind.eq_ignore_ascii_case("application/at+jwt")
}
