//! Settings: one documented file of defaults, over it a file of the operator's, the environment and flags.
//!
//! `config/bonafide.toml` is the documentation, the defaults and the schema in one: a setting that is not in it does not
//! exist, and its default says its type.

mod attributes;
mod free_named;
mod layers;
mod mail;
mod providers;
mod storage;
mod values;

use std::net::SocketAddr;
use std::path::PathBuf;

use serde::Deserialize;

pub use attributes::{Attribute, Attributes, Kind, Party};
pub use layers::{Layers, Origin, Setting, SettingsError, Sources};
pub use mail::{Mail, MailLinks, Relay};
pub use providers::{
    AssuranceBy, AssuranceRule, ClientAuth, Mapping, Preset, Provider, Providers, RoleRule, TrustEmail,
};
pub use storage::{Place, Storage};
use values::is_domain;
pub use values::{Listen, Millis, Secret};

/// The effective settings, checked.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Settings {
    pub issuer: String,
    pub listen: Listen,
    pub allow_insecure_issuer: bool,
    pub management: Management,
    pub database: Database,
    pub keys: Keys,
    pub bootstrap: Bootstrap,
    pub tokens: Tokens,
    pub sessions: Sessions,
    pub accounts: Accounts,
    pub exports: Exports,
    pub audit: Audit,
    /// None are declared where a file says so by an empty table.
    #[serde(default)]
    pub attributes: Attributes,
    pub providers: Providers,
    pub credentials: Credentials,
    pub adapter: Adapter,
    pub passwords: Passwords,
    pub mail: Mail,
    pub storage: Storage,
    pub policies: Policies,
    pub limits: Limits,
    pub traces: Traces,
    pub branding: Branding,
    pub http: Http,
    pub tls: Tls,
    pub proxies: Proxies,
    pub outgoing: Outgoing,
    pub log: Log,
    pub telemetry: Telemetry,
}

#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Management {
    pub listen: Listen,
}

#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Database {
    pub url: Secret,
    pub max_connections: u32,
}

#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Keys {
    pub dir: PathBuf,
    pub keep_previous: Millis,
}

#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Bootstrap {
    pub admin_email: String,
    pub admin_password: Secret,
}

#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Tokens {
    pub access_lifetime: Millis,
    pub id_lifetime: Millis,
    pub code_lifetime: Millis,
    pub refresh_lifetime: Millis,
    pub refresh_max_lifetime: Millis,
    pub refresh_grace: Millis,
}

#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Sessions {
    pub idle: Millis,
    pub lifetime: Millis,
    pub remember_lifetime: Millis,
    pub interaction_lifetime: Millis,
}

#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Accounts {
    pub sign_up: bool,
    pub sign_up_domains: Vec<String>,
    pub reveal_existing: bool,
    pub require_verified_email: bool,
    pub deletion_grace: Millis,
}

#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Exports {
    pub at_once: u32,
    pub kept: Millis,
    pub a_day: u32,
}

impl Exports {
    fn check(&self) -> Result<(), (&'static str, String)> {
        if self.a_day == 0 {
            return Err((
                "exports.a_day",
                "must be at least 1: people have a right to what is kept of them".to_owned(),
            ));
        }
        if self.kept.seconds() < 60 {
            return Err(("exports.kept", "must be at least a minute, or nobody could fetch one".to_owned()));
        }
        Ok(())
    }
}

#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Audit {
    pub kept: Millis,
}

impl Accounts {
    /// Whether somebody with this address may have an account made, by themselves or through another provider.
    pub fn may_sign_up(&self, address: &str) -> bool {
        let domain = address.rsplit_once('@').map(|(_, domain)| domain.to_ascii_lowercase());
        self.sign_up_domains.is_empty() || domain.is_some_and(|domain| self.sign_up_domains.contains(&domain))
    }

    fn check(&self) -> Result<(), (&'static str, String)> {
        match self.sign_up_domains.iter().find(|domain| !is_domain(domain)) {
            Some(bad) => {
                Err(("accounts.sign_up_domains", format!("{bad:?} is not a domain like example.com, in small letters")))
            }
            None => Ok(()),
        }
    }
}

#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Credentials {
    pub client_id: String,
}

#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Adapter {
    pub secret: Secret,
}

#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Passwords {
    pub memory: u32,
    pub iterations: u32,
    pub parallelism: u32,
    pub threads: usize,
    pub queue: usize,
}

#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Limits {
    pub enabled: bool,
    pub account_failures: i32,
    pub address_failures: i32,
    pub network_failures: i32,
    pub network_ipv4: u8,
    pub network_ipv6: u8,
    pub window: Millis,
    pub longest_window: Millis,
    pub known_device: Millis,
    pub mails_an_hour: i32,
    pub requests_at_once: u32,
    pub requests_a_second: u32,
    pub unthrottled: Vec<ipnet::IpNet>,
}

impl Limits {
    fn check(&self) -> Result<(), (&'static str, String)> {
        if self.account_failures < 1 || self.address_failures < 1 {
            return Err((
                "limits.account_failures",
                "limits must be at least 1; use limits.enabled to lift them".into(),
            ));
        }
        for (name, value) in [
            ("limits.network_failures", i64::from(self.network_failures)),
            ("limits.requests_at_once", i64::from(self.requests_at_once)),
            ("limits.requests_a_second", i64::from(self.requests_a_second)),
        ] {
            if value < 1 {
                return Err((name, "must be at least 1; use limits.enabled to lift the limits".to_owned()));
            }
        }
        if !(8..=32).contains(&self.network_ipv4) {
            return Err(("limits.network_ipv4", "must be between 8 and 32".to_owned()));
        }
        if !(16..=64).contains(&self.network_ipv6) {
            return Err(("limits.network_ipv6", "must be between 16 and 64".to_owned()));
        }
        if self.mails_an_hour < 1 {
            return Err(("limits.mails_an_hour", "must be at least 1; without mail.url none is sent".to_owned()));
        }
        Ok(())
    }
}

#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Policies {
    /// Empty: none.
    pub dir: PathBuf,
    pub decisions_kept: Millis,
}

impl Policies {
    /// The folder, where there is one.
    pub fn folder(&self) -> Option<&std::path::Path> {
        Some(self.dir.as_path()).filter(|dir| !dir.as_os_str().is_empty())
    }
}

#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Traces {
    /// Zero: none.
    pub kept: Millis,
    pub most: i64,
    pub a_second: u32,
    pub a_second_from_one: u32,
}

impl Traces {
    fn check(&self) -> Result<(), (&'static str, String)> {
        for (name, value) in [
            ("traces.most", self.most),
            ("traces.a_second", i64::from(self.a_second)),
            ("traces.a_second_from_one", i64::from(self.a_second_from_one)),
        ] {
            if value < 1 {
                return Err((name, "must be at least 1; traces.kept = \"0s\" keeps none".to_owned()));
            }
        }
        Ok(())
    }
}

#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Branding {
    pub name: String,
    pub logo: String,
    pub accent: String,
}

#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Http {
    pub header_timeout: Millis,
    pub body_timeout: Millis,
    pub max_connections: usize,
    pub max_body: usize,
    pub shutdown_grace: Millis,
}

/// PEM files; both empty: plain HTTP.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Tls {
    pub certificate: String,
    pub key: String,
}

impl Tls {
    pub fn is_set(&self) -> bool {
        !self.certificate.is_empty()
    }
}

#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Proxies {
    pub trusted: Vec<ipnet::IpNet>,
}

#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Outgoing {
    pub allow: Vec<String>,
    pub ca: String,
}

#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Log {
    pub level: String,
    pub format: LogFormat,
}

/// Traces for a collector.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Telemetry {
    pub otlp: String,
    pub sample: f64,
    pub trust_incoming: bool,
}

impl Telemetry {
    /// Where the collector is; None where there is none.
    pub fn collector(&self) -> Result<Option<url::Url>, String> {
        if self.otlp.is_empty() {
            return Ok(None);
        }
        let url = url::Url::parse(&self.otlp).ok().filter(|url| ["http", "https"].contains(&url.scheme()));
        let url = url.filter(|url| url.has_host() && url.query().is_none() && url.username().is_empty());
        url.map(Some).ok_or_else(|| "must be an address like http://collector:4318".to_owned())
    }
}

/// How log lines look.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum LogFormat {
    /// Pretty on a terminal, JSON otherwise.
    Auto,
    Pretty,
    Json,
}

/// Nobody guesses a secret of so many characters, unless it is a word.
const SHORTEST_SECRET: usize = 32;

impl Settings {
    /// Gathers all sources and checks them. Errors name the setting, where it came from and why it does not do.
    pub fn load(sources: &Sources) -> Result<Self, SettingsError> {
        Layers::gather(sources)?.settings()
    }

    /// Whether people reach us over https: decides cookie names, HSTS and what a redirect may look like.
    pub fn https(&self) -> bool {
        self.issuer.starts_with("https://")
    }

    /// The issuer's host, as certificates name it.
    pub fn host(&self) -> String {
        url::Url::parse(&self.issuer).ok().and_then(|url| url.host_str().map(str::to_owned)).unwrap_or_default()
    }

    /// What no type can say: relations between settings, and rules that depend on a value.
    fn check(&self) -> Result<(), (&'static str, String)> {
        check_issuer(&self.issuer, self.allow_insecure_issuer).map_err(|why| ("issuer", why))?;
        let url = self.database.url.expose();
        if !(url.starts_with("sqlite:") || url.starts_with("postgres://") || url.starts_with("postgresql://")) {
            return Err(("database.url", "must start with sqlite: or postgres://".to_owned()));
        }
        for (name, value, least) in [
            ("tokens.access_lifetime", self.tokens.access_lifetime, 1_000),
            ("tokens.id_lifetime", self.tokens.id_lifetime, 1_000),
            ("tokens.code_lifetime", self.tokens.code_lifetime, 1_000),
            ("tokens.refresh_lifetime", self.tokens.refresh_lifetime, 1_000),
            ("tokens.refresh_max_lifetime", self.tokens.refresh_max_lifetime, self.tokens.refresh_lifetime.get()),
            ("sessions.idle", self.sessions.idle, 60_000),
            ("sessions.lifetime", self.sessions.lifetime, 60_000),
            ("limits.window", self.limits.window, 1_000),
            ("limits.longest_window", self.limits.longest_window, self.limits.window.get()),
            ("limits.known_device", self.limits.known_device, 60_000),
            ("mail.verify_lifetime", self.mail.verify_lifetime, 60_000),
            ("mail.reset_lifetime", self.mail.reset_lifetime, 60_000),
        ] {
            if value.get() < least {
                return Err((name, format!("must be at least {}", Millis::new(least))));
            }
        }
        self.telemetry.collector().map_err(|why| ("telemetry.otlp", why))?;
        if !(0.0..=1.0).contains(&self.telemetry.sample) {
            return Err(("telemetry.sample", "must be between 0 and 1".to_owned()));
        }
        let secret = self.adapter.secret.expose();
        if !secret.is_empty() && secret.chars().count() < SHORTEST_SECRET {
            return Err(("adapter.secret", format!("must have at least {SHORTEST_SECRET} characters")));
        }
        if self.credentials.client_id.is_empty() {
            return Err(("credentials.client_id", "must name a client".to_owned()));
        }
        match (self.tls.certificate.is_empty(), self.tls.key.is_empty()) {
            (true, false) => return Err(("tls.certificate", "must be set too, since tls.key is".to_owned())),
            (false, true) => return Err(("tls.key", "must be set too, since tls.certificate is".to_owned())),
            (false, false) if !self.https() => {
                return Err(("issuer", "must be an https URL, since tls.certificate is set".to_owned()));
            }
            _ => {}
        }
        if self.tokens.code_lifetime.get() > 600_000 {
            return Err(("tokens.code_lifetime", "must be 10m at most (RFC 6749 section 4.1.2)".to_owned()));
        }
        self.accounts.check()?;
        self.exports.check()?;
        self.limits.check()?;
        self.traces.check()?;
        self.mail.check()?;
        self.storage.check()?;
        argon2::Params::new(self.passwords.memory, self.passwords.iterations, self.passwords.parallelism, None)
            .map_err(|error| ("passwords.memory", format!("Argon2id does not take these parameters: {error}")))?;
        if self.passwords.memory < 19_456 {
            return Err(("passwords.memory", "must be at least 19456 KiB (19 MiB)".to_owned()));
        }
        if self.passwords.queue == 0 {
            return Err(("passwords.queue", "must be at least 1".to_owned()));
        }
        Ok(())
    }
}

/// The issuer is compared byte for byte by every application, so it has exactly one spelling: an origin.
fn check_issuer(issuer: &str, allow_insecure: bool) -> Result<(), String> {
    let url = url::Url::parse(issuer).map_err(|error| format!("is not a URL: {error}"))?;
    let origin = url.origin().ascii_serialization();
    if issuer != origin {
        return Err(format!("must be an origin, without a path or a trailing slash: {origin}"));
    }
    let loopback = match url.host() {
        Some(url::Host::Domain(name)) => name == "localhost" || name.ends_with(".localhost"),
        Some(url::Host::Ipv4(ip)) => ip.is_loopback(),
        Some(url::Host::Ipv6(ip)) => ip.is_loopback(),
        None => false,
    };
    match url.scheme() {
        "https" => Ok(()),
        "http" if loopback || allow_insecure => Ok(()),
        "http" => Err("must be https unless it is loopback (allow_insecure_issuer = true overrides)".to_owned()),
        other => Err(format!("must be https, not {other}")),
    }
}

impl Listen {
    /// The addresses to bind; `localhost` is both loopback addresses.
    pub fn addresses(&self) -> Vec<SocketAddr> {
        self.0.clone()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_issuer_is_an_origin_over_https_or_loopback() {
        for good in [
            "https://id.example.com",
            "https://id.example.com:8443",
            "http://localhost:8080",
            "http://127.0.0.1",
            "http://[::1]:80",
        ] {
            // Default ports are not spelt out by origins.
            let verdict = check_issuer(good, false);
            assert_eq!(verdict.is_ok(), !good.ends_with("[::1]:80"), "{good}: {verdict:?}");
        }
        for bad in [
            "https://id.example.com/",
            "https://id.example.com/auth",
            "http://id.example.com",
            "ftp://x",
            "id.example.com",
            "https://ID.example.com",
        ] {
            assert!(check_issuer(bad, false).is_err(), "{bad}");
        }
        assert!(check_issuer("http://id.example.com", true).is_ok());
    }
}
