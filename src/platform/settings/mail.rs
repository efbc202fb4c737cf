//! Where mail goes, and what it says of itself.

use lettre::message::Mailbox;
use serde::Deserialize;
use url::{Host, Url};

use super::{Millis, Secret};

#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Mail {
    pub url: String,
    pub password: Secret,
    pub from: String,
    pub verify_lifetime: Millis,
    pub reset_lifetime: Millis,
    pub new_device_notice: bool,
    pub links: MailLinks,
    /// Mail is written but kept, for development to look at. No setting: `serve --dev` says so.
    #[serde(skip)]
    pub captured: bool,
}

/// Pages of a front end; empty: ours.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct MailLinks {
    pub verify: String,
    pub reset: String,
}

/// A mail relay, by its URL.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Relay {
    pub host: String,
    pub port: u16,
    pub user: Option<String>,
    /// TLS from the first byte.
    pub wrapped: bool,
    /// The host is this machine by its very name: what is sent there in the clear is read by nobody else.
    pub loopback: bool,
}

impl Mail {
    /// Whether mail is written at all.
    pub fn is_on(&self) -> bool {
        self.captured || !self.url.is_empty()
    }

    /// The relay, if there is one.
    pub fn relay(&self) -> Result<Option<Relay>, String> {
        if self.url.is_empty() { Ok(None) } else { Relay::parse(&self.url).map(Some) }
    }

    /// Who mails are from. Development need not say.
    pub fn sender(&self) -> Result<Mailbox, String> {
        let from = if self.captured && self.from.is_empty() { "no-reply@bonafide.example" } else { &self.from };
        from.parse().map_err(|_| "must be an address, or Name <address>".to_owned())
    }

    pub(super) fn check(&self) -> Result<(), (&'static str, String)> {
        let relay = self.relay().map_err(|why| ("mail.url", why))?;
        match (&relay, self.from.is_empty()) {
            (None, true) => {}
            _ => self.sender().map(drop).map_err(|why| ("mail.from", why))?,
        }
        if !self.password.expose().is_empty() && relay.is_some_and(|relay| relay.user.is_none()) {
            return Err(("mail.url", "must name the user, since mail.password is set: smtp://USER@HOST".to_owned()));
        }
        for (name, link) in [("mail.links.verify", &self.links.verify), ("mail.links.reset", &self.links.reset)] {
            let is_web = |url: Url| matches!(url.scheme(), "http" | "https");
            let plain = link.bytes().all(|byte| byte.is_ascii_graphic());
            if !(link.is_empty() || plain && Url::parse(link).is_ok_and(is_web)) {
                return Err((name, "must be an http or https URL".to_owned()));
            }
        }
        Ok(())
    }
}

impl Relay {
    fn parse(text: &str) -> Result<Self, String> {
        let url = Url::parse(text).map_err(|error| format!("is not a URL: {error}"))?;
        let (wrapped, usual) = match url.scheme() {
            "smtp" => (false, 587),
            "smtps" => (true, 465),
            other => return Err(format!("must begin with smtp:// or smtps://, not {other}://")),
        };
        if url.password().is_some() {
            return Err("must not hold the password: it belongs into mail.password".to_owned());
        }
        if !matches!(url.path(), "" | "/") || url.query().is_some() || url.fragment().is_some() {
            return Err("must end with the port".to_owned());
        }
        let host = url.host_str().filter(|host| !host.is_empty()).ok_or("must name a host")?;
        let host = host.trim_matches(['[', ']']).to_lowercase();
        // A host of other schemes than the web's is not parsed as an address.
        let loopback = match Host::parse(&host) {
            Ok(Host::Ipv4(ip)) => ip.is_loopback(),
            Ok(Host::Domain(name)) => name == "localhost",
            _ => host.parse::<std::net::Ipv6Addr>().is_ok_and(|ip| ip.is_loopback()),
        };
        let user = percent_encoding::percent_decode_str(url.username()).decode_utf8_lossy().into_owned();
        let user = Some(user).filter(|user| !user.is_empty());
        Ok(Self { host, port: url.port().unwrap_or(usual), user, wrapped, loopback })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn relays() {
        let relay = Relay::parse("smtp://me%40example.org@Mail.Example.org").unwrap();
        assert_eq!((relay.host.as_str(), relay.port), ("mail.example.org", 587));
        assert_eq!(relay.user.as_deref(), Some("me@example.org"));
        assert!(!relay.wrapped && !relay.loopback);
        let relay = Relay::parse("smtps://mail.example.org").unwrap();
        assert!(relay.wrapped && relay.port == 465 && relay.user.is_none());
        for here in ["smtp://localhost:25", "smtp://127.0.0.1", "smtp://[::1]:2525"] {
            assert!(Relay::parse(here).unwrap().loopback, "{here}");
        }
        for elsewhere in ["smtp://localhost.example.org", "smtp://10.0.0.1", "smtp://[fe80::1]"] {
            assert!(!Relay::parse(elsewhere).unwrap().loopback, "{elsewhere}");
        }
        for bad in [
            "mail.example.org:25",
            "http://mail.example.org",
            "smtp://me:secret@x.org",
            "smtp://x.org/?tls=none",
            "smtp://",
        ] {
            assert!(Relay::parse(bad).is_err(), "{bad}");
        }
    }
}
