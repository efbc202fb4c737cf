//! The two cookies: the session's, which tower-sessions keeps, and the browser's, which binds what happens before sign-in.

use axum::http::{HeaderMap, HeaderValue, header};
use cookie::{Cookie, SameSite};

/// Cookie names of this issuer. Browsers do not separate cookies by port, so under http the port is in the name.
pub struct CookieNames {
    pub session: String,
    pub browser: String,
    secure: bool,
}

impl CookieNames {
    pub fn new(issuer: &str) -> Self {
        let secure = issuer.starts_with("https://");
        let name = |what: &str| {
            if secure {
                return format!("__Host-bonafide-{what}");
            }
            let port = url::Url::parse(issuer).ok().and_then(|url| url.port_or_known_default()).unwrap_or(80);
            format!("bonafide-{what}-{port}")
        };
        Self { session: name("session"), browser: name("browser"), secure }
    }

    pub fn is_secure(&self) -> bool {
        self.secure
    }

    /// The browser's secret, if it has one of ours. One that comes twice is nobody's.
    pub fn browser_secret<'h>(&self, headers: &'h HeaderMap) -> Option<&'h str> {
        let mut found = headers
            .get_all(header::COOKIE)
            .iter()
            .filter_map(|value| value.to_str().ok())
            .flat_map(|value| value.split(';'))
            .filter_map(|pair| pair.trim().split_once('='))
            .filter(|(name, _)| *name == self.browser)
            .map(|(_, value)| value);
        let secret = found.next()?;
        let plausible = secret.len() == 43
            && secret.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-' || byte == b'_');
        (plausible && found.next().is_none()).then_some(secret)
    }

    /// The header that gives the browser its secret, until the browser is closed.
    pub fn set_browser(&self, secret: &str) -> Option<HeaderValue> {
        let cookie = Cookie::build((self.browser.as_str(), secret))
            .path("/")
            .http_only(true)
            .same_site(SameSite::Lax)
            .secure(self.secure)
            .build();
        HeaderValue::from_str(&cookie.to_string()).ok()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn br_09_br_10_names_and_ambiguity() {
        assert_eq!(CookieNames::new("https://id.example").browser, "__Host-bonafide-browser");
        let names = CookieNames::new("http://localhost:8080");
        assert_eq!(names.session, "bonafide-session-8080");
        let secret = "a".repeat(43);
        let mut headers = HeaderMap::new();
        let pair = format!("x=1; bonafide-browser-8080={secret}");
        headers.append(header::COOKIE, pair.parse().unwrap());
        assert_eq!(names.browser_secret(&headers), Some(secret.as_str()));
        headers.append(header::COOKIE, pair.parse().unwrap());
        assert_eq!(names.browser_secret(&headers), None);
        let set = CookieNames::new("https://id.example").set_browser(&secret).unwrap();
        assert_eq!(set, format!("__Host-bonafide-browser={secret}; HttpOnly; SameSite=Lax; Secure; Path=/").as_str());
    }
}
