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
    /// Only access tokens of the older type have one.
    client_id: Option<String>,
}

/// Reads a hint. Expired ones do, and those of expired keys: they are how long ago somebody signed in, not a
/// credential.
pub fn read(token: &str, keys: &KeySet, issuer: &str) -> Option<Hint> {
    // An ID token, and nothing else that we sign: logout tokens name session and client too.
    let payload = bearer::signed_payload(token, "jwt", |kid| keys.find_for_hint(kid))?;
    let hint: Hint = serde_json::from_slice(&payload).ok()?;
    (hint.client_id.is_none() && hint.iss == issuer).then_some(hint)
}
