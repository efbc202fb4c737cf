//! Proof Key for Code Exchange (RFC 7636). S256 only: `plain` protects nothing that a redirect URI does not.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use sha2::{Digest as _, Sha256};

/// Whether this can be an S256 challenge: base64url of 32 bytes (section 4.2).
pub fn is_challenge(text: &str) -> bool {
    text.len() == 43 && URL_SAFE_NO_PAD.decode(text).is_ok()
}

/// Whether this can be a verifier (section 4.1).
pub fn is_verifier(text: &str) -> bool {
    (43..=128).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-._~".contains(&byte))
}

/// The challenge of a verifier.
pub fn challenge(verifier: &str) -> String {
    URL_SAFE_NO_PAD.encode(Sha256::digest(verifier.as_bytes()))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn the_example_of_the_standard() {
        // RFC 7636 appendix B.
        assert_eq!(
            challenge("dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk"),
            "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM"
        );
    }

    #[test]
    fn ac_11_syntax() {
        let long = |n: usize| "a".repeat(n);
        assert!(is_verifier(&long(43)) && is_verifier(&long(128)));
        assert!(!is_verifier(&long(42)) && !is_verifier(&long(129)) && !is_verifier(&format!("{} ", long(42))));
        assert!(!is_challenge(&long(42)) && !is_challenge(&long(44)) && !is_challenge(&format!("{}=", long(42))));
    }

    proptest! {
        /// f_pkce: two verifiers have the same challenge only if they are the same.
        #[test]
        fn challenges_tell_verifiers_apart(a in "[A-Za-z0-9._~-]{43,128}", b in "[A-Za-z0-9._~-]{43,128}") {
            prop_assert!(is_verifier(&a) && is_challenge(&challenge(&a)));
            prop_assert_eq!(challenge(&a) == challenge(&b), a == b);
        }
    }
}
