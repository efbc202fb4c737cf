//! Types of settings that TOML does not have.

use std::fmt;
use std::net::{Ipv4Addr, Ipv6Addr, SocketAddr};

use serde::{Deserialize, Deserializer, de::Error as _};
use subtle::ConstantTimeEq as _;
use zeroize::Zeroizing;

/// A duration in milliseconds, written `60s`, `15m`, `30d`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Millis(i64);

impl Millis {
    pub const fn new(millis: i64) -> Self {
        Self(millis)
    }

    pub const fn get(self) -> i64 {
        self.0
    }

    pub const fn seconds(self) -> i64 {
        self.0 / 1000
    }

    pub fn duration(self) -> std::time::Duration {
        std::time::Duration::from_millis(self.0.unsigned_abs())
    }

    /// Reads `60s`, `15m`, `1h 30m`. The error is a sentence for the person who wrote it.
    pub fn parse(text: &str) -> Result<Self, String> {
        let duration = humantime::parse_duration(text.trim())
            .map_err(|error| format!("{text:?} is not a duration like 60s, 15m or 30d: {error}"))?;
        i64::try_from(duration.as_millis())
            .ok()
            .filter(|millis| *millis <= 100 * 365 * 86_400_000)
            .map(Self)
            .ok_or_else(|| format!("{text:?} is longer than a hundred years"))
    }
}

impl fmt::Display for Millis {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        humantime::format_duration(self.duration()).fmt(f)
    }
}

impl<'de> Deserialize<'de> for Millis {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Self::parse(&String::deserialize(deserializer)?).map_err(D::Error::custom)
    }
}

/// A setting that must not be shown; wiped from memory when it goes.
#[derive(Clone, Default)]
pub struct Secret(Zeroizing<String>);

impl Secret {
    pub fn expose(&self) -> &str {
        &self.0
    }
}

impl From<String> for Secret {
    fn from(text: String) -> Self {
        Self(Zeroizing::new(text))
    }
}

/// In constant time.
impl PartialEq for Secret {
    fn eq(&self, other: &Self) -> bool {
        self.0.as_bytes().ct_eq(other.0.as_bytes()).into()
    }
}

impl Eq for Secret {}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("[hidden]")
    }
}

impl<'de> Deserialize<'de> for Secret {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer).map(Self::from)
    }
}

/// Where to listen: `localhost:PORT` (both loopback addresses), `ADDRESS:PORT` or `[ADDRESS]:PORT`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Listen(pub(super) Vec<SocketAddr>);

impl Listen {
    pub fn is_loopback(&self) -> bool {
        self.0.iter().all(|address| address.ip().is_loopback())
    }

    fn parse(text: &str) -> Result<Self, String> {
        if let Some(port) = text.strip_prefix("localhost:") {
            let port = port.parse().map_err(|_| format!("{port:?} is not a port"))?;
            return Ok(Self(vec![(Ipv4Addr::LOCALHOST, port).into(), (Ipv6Addr::LOCALHOST, port).into()]));
        }
        let address =
            text.parse().map_err(|_| format!("{text:?} is not localhost:PORT, ADDRESS:PORT or [ADDRESS]:PORT"))?;
        Ok(Self(vec![address]))
    }
}

impl<'de> Deserialize<'de> for Listen {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Self::parse(&String::deserialize(deserializer)?).map_err(D::Error::custom)
    }
}

/// Whether a text is the domain of e-mail addresses, in the one spelling that is compared.
pub(super) fn is_domain(text: &str) -> bool {
    let is_label = |label: &str| {
        (1..=63).contains(&label.len())
            && label.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-')
            && !label.starts_with('-')
            && !label.ends_with('-')
    };
    text.len() <= 253 && text.contains('.') && text.split('.').all(is_label)
}
