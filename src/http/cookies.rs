//! The cookies: the session's, which tower-sessions keeps; the browser's, which binds what happens before sign-in; and the
//! device's, by which a browser is known again to people who have signed in with it.

use axum::http::{HeaderMap, HeaderValue, header};
use cookie::time::Duration;
use cookie::{Cookie, SameSite};

/// Cookie names of this issuer. Browsers do not separate cookies by port, so under http the port is in the name.
pub struct CookieNames {
    pub session: String,
    pub browser: String,
    pub device: String,
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
        Self { session: name("session"), browser: name("browser"), device: name("device"), secure }
    }

    pub fn is_secure(&self) -> bool {
        self.secure
    }

    /// Leaves our own cookies in a request and nothing else. The session's only where it comes once: of two nobody can
    /// say which is the browser's. By the name as it is written: the session library would decode `%5F_Host-…`, which any
    /// site of the domain may set, to the name that only we can set.
    pub fn keep_own(&self, headers: &mut HeaderMap) {
        let cookies = headers.get_all(header::COOKIE).iter();
        let pairs: Vec<&str> =
            cookies.filter_map(|value| value.to_str().ok()).flat_map(|value| value.split(';')).map(str::trim).collect();
        let named = |pair: &&str, wanted: &str| pair.split_once('=').is_some_and(|(name, _)| name == wanted);
        let is_clear = pairs.iter().filter(|pair| named(pair, &self.session)).count() == 1;
        let ours = |pair: &&str| {
            named(pair, &self.browser) || named(pair, &self.device) || (is_clear && named(pair, &self.session))
        };
        let kept = pairs.into_iter().filter(ours).collect::<Vec<_>>().join("; ");
        headers.remove(header::COOKIE);
        if let (false, Ok(value)) = (kept.is_empty(), HeaderValue::from_str(&kept)) {
            headers.insert(header::COOKIE, value);
        }
    }

    /// The header that takes the session's cookie back, whole: without `Secure` browsers do not let go of a `__Host-`
    /// cookie. Any other header as it is.
    pub fn whole(&self, set: HeaderValue) -> HeaderValue {
        let Some(text) = set.to_str().ok().filter(|text| text.starts_with(&format!("{}=;", self.session))) else {
            return set;
        };
        let secure = if self.secure { "; Secure" } else { "" };
        HeaderValue::from_str(&format!("{text}; HttpOnly; SameSite=Lax{secure}")).unwrap_or(set)
    }

    /// The browser's secret, if it has one of ours. One that comes twice is nobody's.
    pub fn browser_secret<'h>(&self, headers: &'h HeaderMap) -> Option<&'h str> {
        secret(headers, &self.browser)
    }

    /// The secret by which a browser is known again; of two it is neither.
    pub fn device_secret<'h>(&self, headers: &'h HeaderMap) -> Option<&'h str> {
        secret(headers, &self.device)
    }

    /// The header that gives the browser its secret, until the browser is closed.
    pub fn set_browser(&self, secret: &str) -> Option<HeaderValue> {
        self.set(&self.browser, secret, None)
    }

    /// The header that gives the browser the secret by which it is known again for so long.
    pub fn set_device(&self, secret: &str, seconds: i64) -> Option<HeaderValue> {
        self.set(&self.device, secret, Some(seconds))
    }

    fn set(&self, name: &str, secret: &str, seconds: Option<i64>) -> Option<HeaderValue> {
        let mut cookie = Cookie::build((name, secret))
            .path("/")
            .http_only(true)
            .same_site(SameSite::Lax)
            .secure(self.secure)
            .build();
        cookie.set_max_age(seconds.map(Duration::seconds));
        HeaderValue::from_str(&cookie.to_string()).ok()
    }
}

fn secret<'h>(headers: &'h HeaderMap, wanted: &str) -> Option<&'h str> {
    let mut found = headers
        .get_all(header::COOKIE)
        .iter()
        .filter_map(|value| value.to_str().ok())
        .flat_map(|value| value.split(';'))
        .filter_map(|pair| pair.trim().split_once('='))
        .filter(|(name, _)| *name == wanted)
        .map(|(_, value)| value);
    let secret = found.next()?;
    let plausible =
        secret.len() == 43 && secret.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-' || byte == b'_');
    (plausible && found.next().is_none()).then_some(secret)
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
