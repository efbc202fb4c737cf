//! Who calls: the request's id, the address it came from, and the language its sender reads.

use std::net::{IpAddr, SocketAddr};

use axum::extract::FromRequestParts;
use axum::http::request::Parts;
use axum::http::{HeaderMap, HeaderValue, Method, StatusCode, Uri, header};
use ipnet::IpNet;

use super::state::Web;
use super::views::Frame;
use crate::audit::Source;
use crate::platform::random::Random;
use crate::sessions::Live;
use crate::trace::{self, Line, Trace};

/// The peer of the connection, set by the listener.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Peer(pub(crate) SocketAddr);

/// Set once for each request by the outermost layer. Cheap to make and to clone: most requests ask nothing of it.
#[derive(Clone, Debug)]
pub(super) struct Caller {
    pub(super) request_id: RequestId,
    pub(super) address: Option<IpAddr>,
    pub(super) asked: Asked,
    user_agent: Option<HeaderValue>,
    accept_language: Option<HeaderValue>,
}

/// What a trace of the request begins with.
#[derive(Clone, Debug, Default)]
pub(super) struct Asked {
    method: Method,
    uri: Uri,
    /// Of the route.
    template: &'static str,
}

/// Twelve characters: short enough to be read out on the telephone, and no two alike in a log.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct RequestId([u8; 12]);

impl Caller {
    pub(super) fn of(
        headers: &HeaderMap,
        asked: Asked,
        peer: Option<SocketAddr>,
        trusted: &[IpNet],
        random: &dyn Random,
    ) -> Self {
        Self {
            request_id: RequestId::new(random),
            address: peer.map(|peer| address(headers, peer.ip().to_canonical(), trusted)),
            asked,
            user_agent: headers.get(header::USER_AGENT).cloned(),
            accept_language: headers.get(header::ACCEPT_LANGUAGE).cloned(),
        }
    }

    /// For the record.
    pub(super) fn source(&self) -> Source {
        Source {
            actor: None,
            actor_client: None,
            address: self.address.map(|address| address.to_string()),
            user_agent: text(self.user_agent.as_ref(), 256).map(str::to_owned),
            request_id: Some(self.request_id.as_str().to_owned()),
        }
    }

    /// What a page for this caller has around it.
    pub(super) fn frame(&self, web: &Web, ui_locales: Option<&str>) -> Frame {
        self.frame_for(web, ui_locales, None)
    }

    /// The same for somebody who is signed in and may have chosen a language.
    pub(super) fn frame_for(&self, web: &Web, ui_locales: Option<&str>, live: Option<&Live>) -> Frame {
        let chosen = live.and_then(Live::locale);
        Frame {
            words: web.catalogues.choose_for(ui_locales, chosen.as_deref(), text(self.accept_language.as_ref(), 512)),
            brand: web.brand.clone(),
            reference: self.request_id.as_str().to_owned(),
        }
    }
}

impl Asked {
    pub(super) fn of(method: &Method, uri: &Uri, template: &'static str) -> Self {
        Self { method: method.clone(), uri: uri.clone(), template }
    }

    /// The request is answered: its trail ends here.
    pub(super) fn close(&self, status: StatusCode) {
        trace::close(status.as_u16(), &self.line());
    }

    /// The trace of a request that is answered now, where somebody watches.
    pub(super) fn watched(&self, status: StatusCode) -> Option<Trace> {
        trace::watched(status.as_u16(), &self.line())
    }

    fn line(&self) -> Line<'_> {
        Line {
            method: self.method.as_str(),
            template: self.template,
            path: self.uri.path(),
            query: self.uri.query().unwrap_or_default(),
        }
    }
}

impl<S: Sync> FromRequestParts<S> for Caller {
    type Rejection = std::convert::Infallible;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Self::Rejection> {
        // The outermost layer has put it there; a request without one has no id to be found by.
        Ok(parts.extensions.get::<Self>().cloned().unwrap_or(Self {
            request_id: RequestId::default(),
            address: None,
            asked: Asked::default(),
            user_agent: None,
            accept_language: None,
        }))
    }
}

impl RequestId {
    fn new(random: &dyn Random) -> Self {
        const ALPHABET: &[u8; 32] = b"0123456789abcdefghjkmnpqrstvwxyz";
        Self(random.bytes::<12>().map(|byte| ALPHABET.get(usize::from(byte & 31)).copied().unwrap_or(b'0')))
    }

    pub(super) const fn bytes(self) -> [u8; 12] {
        self.0
    }

    /// Empty where no request has given one.
    pub(super) fn as_str(&self) -> &str {
        std::str::from_utf8(&self.0).unwrap_or_default().trim_end_matches('\0')
    }
}

impl std::fmt::Display for RequestId {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.as_str())
    }
}

/// The beginning of a header's text: nobody fills our tables with a header.
fn text(value: Option<&HeaderValue>, most: usize) -> Option<&str> {
    let value = value?.to_str().ok()?;
    Some(value.get(..most).unwrap_or(value))
}

/// The address of the caller: the peer, or behind trusted proxies the last address that none of them is.
fn address(headers: &HeaderMap, peer: IpAddr, trusted: &[IpNet]) -> IpAddr {
    let is_trusted = |ip: IpAddr| trusted.iter().any(|network| network.contains(&ip));
    if !is_trusted(peer) {
        return peer;
    }
    let mut client = peer;
    let hops: Vec<&str> = headers
        .get_all("x-forwarded-for")
        .iter()
        .filter_map(|value| value.to_str().ok())
        .flat_map(|value| value.split(','))
        .collect();
    for hop in hops.iter().rev().take(16) {
        let Ok(ip) = hop.trim().parse::<IpAddr>() else { return client };
        client = ip.to_canonical();
        if !is_trusted(client) {
            return client;
        }
    }
    client
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn of(peer: &str, forwarded: &[&str]) -> String {
        let mut headers = HeaderMap::new();
        for value in forwarded {
            headers.append("x-forwarded-for", value.parse().unwrap());
        }
        let trusted = ["10.0.0.0/8".parse().unwrap()];
        address(&headers, peer.parse().unwrap(), &trusted).to_string()
    }

    #[test]
    fn lg_12_forwarded_addresses_count_from_trusted_proxies_only() {
        assert_eq!(of("192.0.2.7", &["1.2.3.4"]), "192.0.2.7");
        assert_eq!(of("10.0.0.1", &["1.2.3.4"]), "1.2.3.4");
        assert_eq!(of("10.0.0.1", &["6.6.6.6, 1.2.3.4, 10.0.0.2"]), "1.2.3.4");
        assert_eq!(of("10.0.0.1", &["6.6.6.6", "1.2.3.4"]), "1.2.3.4");
        assert_eq!(of("10.0.0.1", &["nonsense"]), "10.0.0.1");
        assert_eq!(of("10.0.0.1", &["::ffff:1.2.3.4"]), "1.2.3.4");
        assert_eq!(of("10.0.0.1", &[]), "10.0.0.1");
    }

    proptest! {
        /// f_ip_extract: an untrusted peer's headers change nothing.
        #[test]
        fn an_untrusted_peer_is_the_address(value in "[ -~]{0,60}") {
            prop_assert_eq!(of("192.0.2.7", &[&value]), "192.0.2.7");
        }
    }
}
