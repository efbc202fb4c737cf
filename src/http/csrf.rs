//! Forms that only our own pages can send: a token that is a MAC over the browser's secret (before sign-in) or the session
//! (after it) and what the form is for; and before that a look at what the browser says of where the request comes from.

use axum::http::{HeaderMap, header};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use tower_sessions::Session;

use crate::platform::secrets::{self, MasterKey};
use crate::trace::{self, Rule, Why};

/// The token of a form. `bound_to` is the browser's secret or the session's id, `purpose` the page, `about` the interaction.
pub(super) fn token(master: &MasterKey, bound_to: &str, purpose: &str, about: &str) -> String {
    URL_SAFE_NO_PAD.encode(master.form_mac(&[bound_to.as_bytes(), purpose.as_bytes(), about.as_bytes()]))
}

/// What the form of somebody who is signed in is bound to.
pub(super) fn bound_to(session: &Session) -> String {
    session.id().map(|id| id.to_string()).unwrap_or_default()
}

/// Whether a form brought the token it was given.
pub(super) fn holds(master: &MasterKey, bound_to: &str, purpose: &str, about: &str, presented: Option<&str>) -> bool {
    let holds = presented.is_some_and(|presented| {
        secrets::equal(token(master, bound_to, purpose, about).as_bytes(), presented.as_bytes())
    });
    if !holds {
        trace::fail(Rule::FormOurs, || {
            let given =
                if presented.is_some() { "a form token of another browser, session or page" } else { "no form token" };
            Why::new(given, "the token that our page put into its form, in the browser that got it", AGAIN)
        });
    }
    holds
}

const AGAIN: &str = "Open the page again in this browser, with its cookies, and send its form from there.";

/// Whether the browser says that the request comes from another site, for the trace too.
pub(super) fn is_foreign(headers: &HeaderMap, issuer: &str) -> bool {
    let foreign = comes_from_elsewhere(headers, issuer);
    if foreign {
        let expected = "Sec-Fetch-Site: same-origin, or the Origin of this server";
        trace::fail(Rule::FormOurs, || Why::new("a request that another site has sent", expected, AGAIN));
    }
    foreign
}

/// Old browsers say nothing; `Origin: null` says nothing.
fn comes_from_elsewhere(headers: &HeaderMap, issuer: &str) -> bool {
    let text = |name: header::HeaderName| headers.get(name).and_then(|value| value.to_str().ok());
    if let Some(site) = text(header::HeaderName::from_static("sec-fetch-site")) {
        return !matches!(site, "same-origin" | "none");
    }
    let Some(origin) = text(header::ORIGIN) else { return false };
    if origin == "null" || origin == issuer {
        return false;
    }
    // We are served under whatever name the browser used.
    let host = text(header::HOST).unwrap_or_default();
    origin.split_once("://").is_none_or(|(_, authority)| authority != host)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn where_a_form_comes_from() {
        let of = |pairs: &[(&'static str, &'static str)]| {
            let mut headers = HeaderMap::new();
            for (name, value) in pairs {
                headers.insert(*name, value.parse().unwrap());
            }
            is_foreign(&headers, "https://id.example")
        };
        assert!(!of(&[]));
        assert!(!of(&[("origin", "https://id.example")]));
        assert!(!of(&[("origin", "null")]));
        assert!(!of(&[("sec-fetch-site", "same-origin"), ("origin", "https://evil.example")]));
        assert!(!of(&[("origin", "http://127.0.0.1:8080"), ("host", "127.0.0.1:8080")]));
        assert!(of(&[("origin", "https://evil.example"), ("host", "id.example")]));
        assert!(of(&[("sec-fetch-site", "cross-site")]));
        assert!(of(&[("sec-fetch-site", "same-site")]));
    }
}
