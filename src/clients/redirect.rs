//! Which redirect URIs may be registered, and which one a request may name (RFC 9700 section 2.1, RFC 8252).

use url::{Host, Url};

/// Names that we add to a redirect URI ourselves: with one of them registered, an application would see two.
const RESPONSE_PARAMETERS: [&str; 9] =
    ["code", "state", "iss", "error", "error_description", "error_uri", "id_token", "access_token", "response"];

/// Schemes that browsers run or that read local files.
const DANGEROUS: [&str; 9] =
    ["javascript", "data", "vbscript", "file", "blob", "about", "filesystem", "view-source", "ws"];

/// Says why a URI cannot be registered for answers to authorization requests or after signing out.
pub fn validate(uri: &str) -> Result<(), &'static str> {
    if uri.len() > 2048 {
        return Err("is longer than 2048 characters");
    }
    if !uri.bytes().all(|byte| byte.is_ascii_graphic()) || uri.contains(['\\', '"', '<', '>', '`', '{', '}', '|', '^'])
    {
        return Err("has characters that a URI does not have (write them percent-encoded, host names in punycode)");
    }
    let url = Url::parse(uri).map_err(|_| "is not an absolute URI")?;
    if uri.contains('#') {
        return Err("must not have a fragment (RFC 6749 section 3.1.2)");
    }
    if DANGEROUS.contains(&url.scheme()) {
        return Err("has a scheme that a browser would run");
    }
    if url.query_pairs().any(|(name, _)| RESPONSE_PARAMETERS.contains(&name.as_ref())) {
        return Err("must not have a query parameter of an authorization response");
    }
    match url.scheme() {
        "https" | "http" => validate_web(uri, &url),
        scheme if scheme.contains('.') => Ok(()),
        _ => Err(
            "has a private-use scheme without a dot; use a reversed domain name like com.example.app (RFC 8252 section 7.1)",
        ),
    }
}

fn validate_web(uri: &str, url: &Url) -> Result<(), &'static str> {
    if !url.username().is_empty() || url.password().is_some() || uri.contains('@') && authority(uri).contains('@') {
        return Err("must not have a user name");
    }
    if !uri.starts_with("https://") && !uri.starts_with("http://") {
        return Err("must be written https://HOST/PATH");
    }
    // The host as it was written must be the host as browsers read it: no 0x7f.1, no upper case, no trailing dot.
    let written = authority(uri);
    let host = url.host_str().unwrap_or_default();
    let written_host = written.strip_suffix(&format!(":{}", port_of(written))).unwrap_or(written);
    if written_host != host || host.ends_with('.') {
        return Err("has a host that browsers write differently");
    }
    if url.scheme() == "http" && !is_loopback(url) {
        return Err("may use http only for localhost, 127.0.0.1 and [::1]");
    }
    Ok(())
}

/// Whether a request's redirect URI is a registered one: the same string; or, for a registered loopback address of a
/// native application, the same but for the port (RFC 8252 section 7.3).
pub fn matches(registered: &str, asked: &str) -> bool {
    registered == asked
        || loopback_but_for_port(registered).is_some_and(|known| loopback_but_for_port(asked) == Some(known))
}

/// `(host, rest)` of `http://HOST[:PORT]REST` where HOST is a loopback address written out. By text, not by URL: what a
/// parser would tidy up is not the same.
fn loopback_but_for_port(uri: &str) -> Option<(&'static str, &str)> {
    let rest = uri.strip_prefix("http://")?;
    let (host, rest) = ["127.0.0.1", "[::1]"].into_iter().find_map(|host| Some((host, rest.strip_prefix(host)?)))?;
    let rest = match rest.strip_prefix(':') {
        None => rest,
        Some(with_port) => {
            let digits = with_port.bytes().take_while(u8::is_ascii_digit).count();
            let (port, rest) = with_port.split_at_checked(digits)?;
            port.parse::<u16>().ok().filter(|port| *port > 0)?;
            rest
        }
    };
    (rest.is_empty() || rest.starts_with('/') || rest.starts_with('?')).then_some((host, rest))
}

/// The origin of a web redirect URI, for CORS; others have none.
pub fn origin_of(uri: &str) -> Option<String> {
    let url = Url::parse(uri).ok()?;
    matches!(url.scheme(), "http" | "https").then(|| url.origin().ascii_serialization())
}

/// Whether the query has a parameter of this name.
pub(super) fn has_parameter(uri: &str, name: &str) -> bool {
    Url::parse(uri).is_ok_and(|url| url.query_pairs().any(|(given, _)| given == name))
}

fn is_loopback(url: &Url) -> bool {
    match url.host() {
        Some(Host::Domain(name)) => name == "localhost",
        Some(Host::Ipv4(ip)) => ip == std::net::Ipv4Addr::LOCALHOST,
        Some(Host::Ipv6(ip)) => ip.is_loopback(),
        None => false,
    }
}

/// What stands between `//` and the path.
fn authority(uri: &str) -> &str {
    let rest = uri.split_once("://").map_or(uri, |(_, rest)| rest);
    rest.split(['/', '?', '#']).next().unwrap_or(rest)
}

fn port_of(authority: &str) -> &str {
    match authority.rsplit_once(':') {
        Some((_, port)) if !port.is_empty() && port.bytes().all(|byte| byte.is_ascii_digit()) => port,
        _ => "",
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn ru_07_ru_08_ru_10_what_may_be_registered() {
        for good in [
            "https://app.example.com/cb",
            "https://app.example.com",
            "https://app.example.com:8443/cb?tenant=a",
            "http://localhost:3000/api/auth/callback/bonafide",
            "http://127.0.0.1/cb",
            "http://[::1]:7777/cb",
            "com.example.app:/cb",
        ] {
            assert_eq!(validate(good), Ok(()), "{good}");
        }
        for bad in [
            "http://app.example.com/cb",
            "javascript:alert(1)",
            "JaVaScRiPt:alert(1)",
            "\tjavascript:alert(1)",
            "data:text/html,x",
            "vbscript:x",
            "file:///etc/passwd",
            "blob:https://x/y",
            "http:javascript",
            "https:evil",
            "/cb",
            "",
            "myapp://cb",
            "https://app.example.com/cb#x",
            "https://app.example.com/cb?code=x",
            "https://app.example.com/cb?state=",
            "https://a/?iss=",
            "https://user@app.example.com/",
            "https://APP.example.com/",
            "https://app.example.com./",
            "http://0x7f.1/cb",
            "http://2130706433/cb",
            "https://аpp.example.com/",
            "http://127.0.0.2/cb",
            "http://localhost.evil.tld/cb",
            "https://a.example/\r\nSet-Cookie:x",
        ] {
            assert!(validate(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn ru_09_ports_of_loopback_addresses_are_free() {
        assert!(matches("http://127.0.0.1/cb", "http://127.0.0.1:51004/cb"));
        assert!(matches("http://[::1]:1/cb?a=1", "http://[::1]:51004/cb?a=1"));
        for bad in [
            "http://127.0.0.1:51004/other",
            "http://127.0.0.2:51004/cb",
            "http://localhost:51004/cb",
            "https://127.0.0.1:51004/cb",
            "http://127.0.0.1.evil.tld/cb",
            "http://127.0.0.1:80@evil/cb",
            "http://2130706433/cb",
            "http://0x7f.1/cb",
            "http://[::1]:51004/cb",
            "http://127.0.0.1:/cb",
            "http://127.0.0.1:99999/cb",
            "http://127.0.0.1:0/cb",
            "http://127.0.0.1:51004/cb#x",
        ] {
            assert!(!matches("http://127.0.0.1/cb", bad), "{bad}");
        }
        // Only addresses: a name may resolve to anything.
        assert!(!matches("http://localhost/cb", "http://localhost:51004/cb"));
    }

    proptest! {
        /// f_redirect_match: equal, or differing in the port of a loopback address only.
        #[test]
        fn a_match_is_equality_or_a_loopback_port(registered in "(http|https)://(app\\.example\\.com|127\\.0\\.0\\.1|\\[::1\\])(:[1-9][0-9]{0,3})?(/[a-z]{0,4})?", asked in "\\PC{0,40}") {
            prop_assert!(matches(&registered, &registered));
            if matches(&registered, &asked) && registered != asked {
                let (a, b) = (Url::parse(&registered).unwrap(), Url::parse(&asked).unwrap());
                prop_assert!(a.scheme() == "http" && a.host() == b.host() && a.path() == b.path() && a.query() == b.query());
            }
        }

        #[test]
        fn a_suffix_is_never_a_match(registered in "https://[a-z]{1,8}\\.example(/[a-z]{1,4})?", more in "[a-z/.?@;%]{1,6}") {
            let asked = format!("{registered}{more}");
            prop_assert!(!matches(&registered, &asked));
        }

        #[test]
        fn another_port_of_a_loopback_address_matches(first in 1u16.., second in 1u16.., path in "(/[a-z]{0,5})?") {
            let (first, second) = (format!("http://127.0.0.1:{first}{path}"), format!("http://127.0.0.1:{second}{path}"));
            prop_assert!(matches(&first, &second));
        }
    }
}
