//! What of a request may be kept. Only what is on a list is shown; of everything else, that it was there.

use std::collections::BTreeMap;

use super::clean;

/// Parameters that are no secrets and say nothing of a person, in order.
const SHOWN: [&str; 29] = [
    "acr_values",
    "client_assertion_type",
    "client_id",
    "code_challenge_method",
    "decision",
    "display",
    "error",
    "grant_type",
    "iss",
    "limit",
    "max_age",
    "organisation",
    "permission",
    "permissions",
    "post_logout_redirect_uri",
    "prompt",
    "provider",
    "redirect_uri",
    "remember",
    "resource",
    "response_mode",
    "response_type",
    "role",
    "roles",
    "scope",
    "token_type_hint",
    "type",
    "ui_locales",
    "version",
];

/// Longest value that is kept.
const LONGEST_VALUE: usize = 300;

/// Longest name of a parameter that is kept: nobody's secret is as short.
const LONGEST_NAME: usize = 20;

/// A parameter as it is kept; none where even its name may be a secret.
pub(super) fn parameter(name: &str, value: &str) -> Option<(String, String)> {
    let value = match SHOWN.binary_search(&name) {
        _ if value.is_empty() => "empty".to_owned(),
        Ok(_) => clean(value, LONGEST_VALUE),
        Err(_) => "present".to_owned(),
    };
    let is_known = SHOWN.binary_search(&name).is_ok();
    (is_known || is_name(name)).then(|| (name.to_owned(), value))
}

/// Whether a word that somebody sends as a name is one, and no secret in the place of a name.
pub fn is_name(word: &str) -> bool {
    let is_short = (1..=LONGEST_NAME).contains(&word.len());
    is_short && word.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"_-.".contains(&byte))
}

/// The parameters of a query as they are kept, of so many at the most.
pub(super) fn query(encoded: &str, most: usize) -> BTreeMap<String, String> {
    let pairs = form_urlencoded::parse(encoded.as_bytes()).take(most);
    pairs.filter_map(|(name, value)| parameter(&name, &value)).collect()
}

/// The path as it is kept: segments that may be secrets are left to their names, or to an ellipsis.
pub(super) fn path(template: &str, actual: &str) -> String {
    let mut names = template.split('/');
    let segments = actual.split('/').take(12).map(|segment| {
        let name = names.next().unwrap_or_default();
        match (name.starts_with('{'), is_plain(segment)) {
            (true, _) if name == "{token}" => name,
            (_, true) => segment,
            (true, false) => name,
            (false, false) if name == segment => segment,
            (false, false) => "…",
        }
    });
    segments.collect::<Vec<_>>().join("/")
}

/// Whether a part of a path is a name or an id, too short or too regular for a secret.
fn is_plain(segment: &str) -> bool {
    let is_short =
        segment.len() <= 20 && segment.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-_.:".contains(&byte));
    is_short || uuid::Uuid::parse_str(segment).is_ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_is_on_the_list_is_shown() {
        assert!(SHOWN.is_sorted());
        let kept = |name: &str, value: &str| parameter(name, value).map(|(_, value)| value);
        for name in
            ["code", "state", "nonce", "password", "client_secret", "login_hint", "username", "csrf", "anything"]
        {
            assert_eq!(kept(name, "secret").as_deref(), Some("present"));
        }
        assert_eq!(kept("scope", "").as_deref(), Some("empty"));
        assert_eq!(kept("a name with spaces", "x"), None);
        assert_eq!(kept(&"n".repeat(43), "x"), None);
        assert_eq!(kept("scope", "a\nb\u{1b}[1m").as_deref(), Some("ab[1m"));
        assert!(kept("scope", &"é".repeat(400)).is_some_and(|value| value.chars().count() <= LONGEST_VALUE + 1));
    }

    #[test]
    fn paths_keep_names_and_no_secrets() {
        let secret = "Zm9vYmFyYmF6cXV4Zm9vYmFyYmF6cXV4Zm9vYmFy";
        assert_eq!(
            path("/auth/reset-password/{token}", &format!("/auth/reset-password/{secret}")),
            "/auth/reset-password/{token}"
        );
        assert_eq!(path("/auth/reset-password/{token}", "/auth/reset-password/short"), "/auth/reset-password/{token}");
        assert_eq!(path("/roles/{name}", "/roles/editor"), "/roles/editor");
        assert_eq!(path("/api-keys/{id}", &format!("/api-keys/{secret}")), "/api-keys/{id}");
        assert_eq!(path("(none)", &format!("/reset/{secret}")), "/reset/…");
        assert_eq!(
            path("/.well-known/oauth-authorization-server", "/.well-known/oauth-authorization-server"),
            "/.well-known/oauth-authorization-server"
        );
        let id = "0198c0de-0000-7000-8000-000000000001";
        assert_eq!(path("/auth/{id}", &format!("/auth/{id}")), format!("/auth/{id}"));
    }
}
