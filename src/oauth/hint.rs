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

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::json;

    use super::*;
    use crate::keys::{Alg, NewKey, TokenType};
    use crate::platform::random::SystemRandom;

    const ISSUER: &str = "https://id.example";

    fn keys() -> KeySet {
        KeySet::of(&NewKey::make(Alg::Es256, &SystemRandom).unwrap())
    }

    fn signed(keys: &KeySet, typ: TokenType, claims: &serde_json::Value) -> String {
        keys.signing(Alg::Es256).unwrap().sign(typ, claims.to_string().as_bytes()).unwrap()
    }

    #[test]
    fn only_our_own_id_tokens_are_hints() {
        let ours = keys();
        let claims = json!({"iss": ISSUER, "sub": "ada", "aud": "shop", "sid": "s", "exp": 0});
        let hint = read(&signed(&ours, TokenType::Jwt, &claims), &ours, ISSUER).unwrap();
        assert_eq!((hint.sub.as_str(), hint.aud.as_str(), hint.sid.as_deref()), ("ada", "shop", Some("s")));
        assert_eq!(read(&signed(&keys(), TokenType::Jwt, &claims), &ours, ISSUER), None, "somebody else's key");
        assert_eq!(read(&signed(&ours, TokenType::Jwt, &claims), &ours, "https://other.example"), None);
        for typ in [TokenType::AccessToken, TokenType::LogoutToken] {
            assert_eq!(read(&signed(&ours, typ, &claims), &ours, ISSUER), None, "{typ:?}");
        }
        let older = json!({"iss": ISSUER, "sub": "ada", "aud": "api", "client_id": "shop"});
        assert_eq!(
            read(&signed(&ours, TokenType::Jwt, &older), &ours, ISSUER),
            None,
            "an access token of the older type"
        );
    }

    proptest! {
        /// f_jws_verify: whatever is sent, nothing panics and nothing but our own signature counts.
        #[test]
        fn other_text_is_no_hint(text in "[ -~]{0,200}", parts in proptest::collection::vec("[A-Za-z0-9_-]{0,40}", 0..5)) {
            let ours = keys();
            prop_assert_eq!(read(&text, &ours, ISSUER), None);
            prop_assert_eq!(read(&parts.join("."), &ours, ISSUER), None);
        }

        #[test]
        fn an_altered_token_is_no_hint(sub in "[a-z]{1,20}", at in any::<prop::sample::Index>(), other in "[A-Za-z0-9_-]") {
            let ours = keys();
            let token = signed(&ours, TokenType::Jwt, &json!({"iss": ISSUER, "sub": sub, "aud": "shop"}));
            prop_assert_eq!(read(&token, &ours, ISSUER).map(|hint| hint.sub), Some(sub));
            // The last character of a part may hold bits that nobody reads; leave those.
            let at = at.index(token.len() - 1);
            let mut altered = token.clone();
            altered.replace_range(at..=at, &other);
            let next = token.as_bytes().get(at + 1);
            prop_assume!(altered != token && token.as_bytes().get(at) != Some(&b'.') && next != Some(&b'.'));
            prop_assert_eq!(read(&altered, &ours, ISSUER), None);
        }
    }
}
