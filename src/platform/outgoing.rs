//! The one way out: every request to another machine passes here, so that nobody can make us call our own network.
//!
//! No proxy from the environment, no redirects, public addresses only unless the operator names others, bounded time and size.

use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

use hyper::body::Bytes;
use reqwest::Certificate;
use reqwest::dns::{Addrs, Name, Resolve, Resolving};
use tokio::sync::OnceCell;
use tracing::Instrument as _;
use url::{Host, Url};

use super::measure::Step;
use super::{settings, spans};

const TIME_LIMIT: Duration = Duration::from_secs(5);
const SIZE_LIMIT: usize = 256 * 1024;

#[derive(Debug, thiserror::Error)]
pub enum OutgoingError {
    #[error("outgoing.ca: {0}")]
    Authorities(String),
    #[error("{0} is not a public address; name it in outgoing.allow if it may be called")]
    Forbidden(String),
    #[error("the answer is larger than {0} bytes")]
    TooLarge(usize),
    #[error("the program is stopping")]
    Stopping,
    #[error(transparent)]
    Request(#[from] reqwest::Error),
}

impl OutgoingError {
    /// What lies at the bottom of it, in a few words that may be kept: an address may hold somebody's secret in its query.
    pub fn cause(&self) -> String {
        let mut cause: &dyn std::error::Error = self;
        if matches!(self, Self::Request(error) if error.is_timeout()) {
            return format!("no answer within {} seconds", TIME_LIMIT.as_secs());
        }
        while let Some(deeper) = cause.source() {
            cause = deeper;
        }
        match cause.downcast_ref::<reqwest::Error>() {
            Some(error) if error.is_builder() => "the request could not be made".to_owned(),
            Some(_) => "the request could not be sent".to_owned(),
            None => cause.to_string().chars().take(200).collect(),
        }
    }
}

/// An HTTP client that only goes where it may.
#[derive(Clone)]
pub struct Outgoing {
    /// Made when it is first needed: it reads the system's authorities, which takes longer than all else of a start.
    client: Arc<OnceCell<reqwest::Client>>,
    /// Trusted besides the system's.
    authority: Option<Certificate>,
    allowed: Arc<[String]>,
    measured: bool,
}

/// An answer that was read whole.
pub struct Answer {
    pub status: hyper::StatusCode,
    pub headers: hyper::HeaderMap,
    pub body: Bytes,
}

impl Outgoing {
    /// `also` are addresses (`host:port`) allowed besides the settings'.
    pub fn new(settings: &settings::Outgoing, also: &[String]) -> Result<Self, OutgoingError> {
        let allowed: Arc<[String]> = settings.allow.iter().chain(also).map(|entry| entry.to_lowercase()).collect();
        let mut authority = None;
        if !settings.ca.is_empty() {
            let refuse =
                |error: &dyn std::fmt::Display| OutgoingError::Authorities(format!("{}: {error}", settings.ca));
            let pem = std::fs::read(&settings.ca).map_err(|error| refuse(&error))?;
            authority = Some(Certificate::from_pem(&pem).map_err(|error| refuse(&error))?);
        }
        Ok(Self { client: Arc::default(), authority, allowed, measured: true })
    }

    async fn client(&self) -> Result<&reqwest::Client, OutgoingError> {
        #[expect(clippy::disallowed_methods, reason = "the guarded client is made here, and only here")]
        let made = self.client.get_or_try_init(async || {
            let mut builder = reqwest::Client::builder()
                .no_proxy()
                .redirect(reqwest::redirect::Policy::none())
                .connect_timeout(TIME_LIMIT)
                .timeout(TIME_LIMIT)
                .user_agent("bonafide")
                .dns_resolver(Arc::new(Guard { allowed: self.allowed.clone() }));
            if let Some(authority) = &self.authority {
                builder = builder.add_root_certificate(authority.clone());
            }
            tokio::task::spawn_blocking(|| builder.build())
                .await
                .map_err(|_| OutgoingError::Stopping)?
                .map_err(Into::into)
        });
        made.await
    }

    /// The same for what telemetry itself sends: a trace of sending traces would have no end.
    #[must_use]
    pub fn unmeasured(self) -> Self {
        Self { measured: false, ..self }
    }

    /// Whether a request to this address is worth a try: over https, or where the operator allows http.
    pub fn may_reach(&self, url: &Url) -> bool {
        let port = url.port_or_known_default().unwrap_or_default();
        let named = || self.allowed.contains(&format!("{}:{port}", url.host_str().unwrap_or_default()));
        url.scheme() == "https" || (url.scheme() == "http" && named())
    }

    /// Sends and reads the whole answer.
    pub async fn send(&self, request: hyper::Request<Vec<u8>>) -> Result<Answer, OutgoingError> {
        self.send_at_most(request, SIZE_LIMIT).await
    }

    /// The same where more than usual is answered, but so many bytes at the most.
    pub async fn send_at_most(&self, request: hyper::Request<Vec<u8>>, most: usize) -> Result<Answer, OutgoingError> {
        let mut response = self.execute(request).await?;
        let (status, headers) = (response.status(), response.headers().clone());
        let mut body = Vec::new();
        while let Some(chunk) = response.chunk().await? {
            if body.len() + chunk.len() > most {
                return Err(OutgoingError::TooLarge(most));
            }
            body.extend_from_slice(&chunk);
        }
        Ok(Answer { status, headers, body: body.into() })
    }

    /// Sends, and leaves unread what is answered beside the status.
    pub async fn status(&self, request: hyper::Request<Vec<u8>>) -> Result<hyper::StatusCode, OutgoingError> {
        Ok(self.execute(request).await?.status())
    }

    async fn execute(&self, request: hyper::Request<Vec<u8>>) -> Result<reqwest::Response, OutgoingError> {
        let mut request = reqwest::Request::try_from(request)?;
        self.check_literal(request.url())?;
        let client = self.client().await?;
        if !self.measured {
            return Ok(client.execute(request).await?);
        }
        let _timer = Step::OutgoingCall.begin();
        let (method, host) = (request.method().clone(), request.url().host_str().unwrap_or_default().to_owned());
        let span = spans::call(Step::OutgoingCall.name(), &method, &host, request.headers_mut());
        let response = client.execute(request).instrument(span.clone()).await?;
        spans::answered(&span, response.status());
        Ok(response)
    }

    /// Addresses written as such never reach the resolver, so they are looked at here; `localhost` resolves like any name.
    fn check_literal(&self, url: &Url) -> Result<(), OutgoingError> {
        let port = url.port_or_known_default().unwrap_or_default();
        let ip: IpAddr = match url.host() {
            Some(Host::Ipv4(ip)) => ip.into(),
            Some(Host::Ipv6(ip)) => ip.into(),
            Some(Host::Domain(name)) if self.allowed.contains(&format!("{name}:{port}")) => return Ok(()),
            Some(Host::Domain(name)) if name == "localhost" || name.ends_with(".localhost") => {
                return Err(OutgoingError::Forbidden(format!("{name}:{port}")));
            }
            _ => return Ok(()),
        };
        let address = SocketAddr::new(ip, port).to_string();
        if is_public(ip) || self.allowed.contains(&address) { Ok(()) } else { Err(OutgoingError::Forbidden(address)) }
    }
}

/// Hands only addresses to the connection that it may have: the address that was checked is the one that is used.
struct Guard {
    allowed: Arc<[String]>,
}

impl Resolve for Guard {
    fn resolve(&self, name: Name) -> Resolving {
        // The port is not known here; a name is allowed when an entry of the list has it with any port, and
        // `check_literal` has compared the port.
        let host = name.as_str().to_lowercase();
        let named = self.allowed.iter().any(|entry| entry.rsplit_once(':').is_some_and(|(allowed, _)| allowed == host));
        Box::pin(async move {
            let found: Vec<SocketAddr> = tokio::net::lookup_host((host.as_str(), 0)).await?.collect();
            if named || found.iter().all(|address| is_public(address.ip())) {
                Ok(Box::new(found.into_iter()) as Addrs)
            } else {
                Err(Box::new(OutgoingError::Forbidden(host)) as Box<dyn std::error::Error + Send + Sync>)
            }
        })
    }
}

/// Global unicast, by the registries of special-purpose addresses (RFC 6890).
fn is_public(ip: IpAddr) -> bool {
    match ip {
        IpAddr::V4(ip) => {
            let [a, b, c, _] = ip.octets();
            !(ip.is_private()
                || ip.is_loopback()
                || ip.is_link_local()
                || ip.is_broadcast()
                || ip.is_documentation()
                || ip.is_multicast()
                || ip.is_unspecified()
                || a == 0
                || a >= 240
                || (a == 100 && (64..128).contains(&b))
                || (a == 192 && b == 0 && c == 0)
                || (a == 198 && (b == 18 || b == 19)))
        }
        IpAddr::V6(ip) => {
            if let Some(mapped) = ip.to_ipv4_mapped() {
                return is_public(mapped.into());
            }
            let [first, second, ..] = ip.segments();
            // 2000::/3 is what is given out; of it, tunnels (Teredo, 6to4) and documentation are not.
            (first & 0xe000) == 0x2000
                && first != 0x2002
                && !(first == 0x2001 && (second < 0x200 || second == 0xdb8))
                && first != 0x3fff
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_global_unicast_is_public() {
        for public in ["1.1.1.1", "93.184.216.34", "2606:4700::1111", "::ffff:1.1.1.1"] {
            assert!(is_public(public.parse().unwrap()), "{public}");
        }
        for other in [
            "127.0.0.1",
            "10.1.2.3",
            "172.16.0.1",
            "192.168.1.1",
            "169.254.169.254",
            "100.64.0.1",
            "0.0.0.0",
            "224.0.0.1",
            "255.255.255.255",
            "198.18.0.1",
            "192.0.0.8",
            "::1",
            "::",
            "fe80::1",
            "fc00::1",
            "ff02::1",
            "::ffff:127.0.0.1",
            "2001:db8::1",
            "2002:7f00:1::",
            "64:ff9b::7f00:1",
        ] {
            assert!(!is_public(other.parse().unwrap()), "{other}");
        }
    }
}
