//! ID tokens that come back to us as hints (`id_token_hint`): signed by us, expired or not.

use serde::Deserialize;

use super::bearer;
use crate::keys::KeySet;

/// What an ID token of ours says of the session it was made in.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
pub struct Hint {
    iss: String,
    pub sub: String,
    /// The client it was made for.
    pub aud: String,
    pub sid: Option<String>,
}

/// Reads a hint. Expired ones do: they are how long ago somebody signed in, not a credential.
pub fn read(token: &str, keys: &KeySet, issuer: &str) -> Option<Hint> {
    // An ID token, and nothing else that we sign: logout tokens name session and client too.
    let payload = bearer::signed_payload(token, keys, "jwt")?;
    let hint: Hint = serde_json::from_slice(&payload).ok()?;
    (hint.iss == issuer).then_some(hint)
}
