//! Scopes (RFC 6749 section 3.3, OpenID Connect Core section 5.4).

/// The scopes that every client may ask for unless it is registered with fewer.
pub const STANDARD: [&str; 6] = ["openid", "profile", "email", "address", "phone", "offline_access"];

/// The person's account at our own endpoints.
pub const ACCOUNT: &str = "account";

/// What somebody's roles are, and what these give: claims in tokens for any API, for clients that are registered with them.
pub const ROLES: &str = "roles";
pub const PERMISSIONS: &str = "permissions";

/// Scopes with a meaning of ours, which no API can have.
pub const RESERVED: [&str; 3] = [ACCOUNT, ROLES, PERMISSIONS];

/// Whether a scope tells what somebody may do.
pub fn is_standing(scope: &str) -> bool {
    [ROLES, PERMISSIONS].contains(&scope)
}

/// More than any honest request has.
const MOST: usize = 64;

/// Whether this is one `scope-token`.
pub fn is_token(text: &str) -> bool {
    !text.is_empty() && text.len() <= 128 && text.bytes().all(|byte| matches!(byte, 0x21 | 0x23..=0x5b | 0x5d..=0x7e))
}

/// Splits a `scope` parameter, each token once, in the order they came. `None`: not a list of scope tokens.
pub fn parse(text: &str) -> Option<Vec<String>> {
    let mut scopes: Vec<String> = Vec::new();
    for token in text.split(' ').filter(|token| !token.is_empty()) {
        if !is_token(token) || scopes.len() >= MOST {
            return None;
        }
        if !scopes.iter().any(|known| known == token) {
            scopes.push(token.to_owned());
        }
    }
    Some(scopes)
}

/// Whether a granted scope string holds a token.
pub fn has(granted: &str, token: &str) -> bool {
    granted.split(' ').any(|held| held == token)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        /// f_scope: what comes out is what went in, each once, and only scope tokens.
        #[test]
        fn parsing_keeps_order_and_drops_repeats(text in "[ -~]{0,200}") {
            if let Some(scopes) = parse(&text) {
                let mut seen: Vec<&str> = Vec::new();
                for token in text.split(' ').filter(|token| !token.is_empty()) {
                    if !seen.contains(&token) { seen.push(token); }
                }
                prop_assert_eq!(scopes.iter().map(String::as_str).collect::<Vec<_>>(), seen);
                prop_assert!(scopes.iter().all(|scope| is_token(scope)));
                let joined = scopes.join(" ");
                prop_assert_eq!(parse(&joined), Some(scopes));
            } else {
                prop_assert!(text.contains(['"', '\\']) || text.split(' ').any(|token| token.len() > 128));
            }
        }

        #[test]
        fn other_characters_are_refused(text in "[a-z ]{0,10}[^ -~][a-z ]{0,10}") {
            prop_assert_eq!(parse(&text), None);
        }
    }

    #[test]
    fn long_lists_are_refused() {
        let many: Vec<String> = (0..65).map(|n| format!("s{n}")).collect();
        assert_eq!(parse(&many.join(" ")), None);
    }
}
