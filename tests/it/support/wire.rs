//! Requests as a program sends them, to one node.

use std::{borrow::Cow, sync::LazyLock, time::Duration};

use base64::{Engine as _, prelude::BASE64_STANDARD};
use reqwest::{
    Certificate, Client, ClientBuilder, Method,
    header::{AUTHORIZATION, CONTENT_TYPE, HeaderMap, HeaderName, HeaderValue},
    redirect,
};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
    time::timeout,
};
use url::{Url, form_urlencoded};

use super::answer::Answer;

/// One for all tests: to make one reads the system's certificates, which takes longer than to start a provider. It keeps
/// connections by port, and every node has a port of its own, so no test meets another's.
static CLIENT: LazyLock<Client> = LazyLock::new(|| builder().build().expect("an HTTP client"));

fn builder() -> ClientBuilder {
    // A kept connection may be closed by the server just when it is used again; clients retry, tests would fail.
    let builder = Client::builder().pool_max_idle_per_host(0).redirect(redirect::Policy::none());
    builder.timeout(Duration::from_mins(1)).no_proxy()
}

/// A way to one node: URLs of the issuer, or paths below it, lead to this node's listener. Follows no redirect.
#[derive(Clone, Debug)]
pub(crate) struct Wire {
    issuer: Url,
    /// Where the node really listens.
    base: Url,
    /// Of its own where the node speaks TLS.
    client: Option<Client>,
}

impl Wire {
    pub(crate) fn new(issuer: &str, address: impl std::fmt::Display) -> Self {
        let base = Url::parse(&format!("http://{address}")).expect("an address");
        Self { issuer: Url::parse(issuer).expect("an issuer"), base, client: None }
    }

    /// To a node that speaks TLS itself, with a certificate of this authority (PEM) for its address.
    pub(crate) fn secure(issuer: &str, address: impl std::fmt::Display, authority: &[u8]) -> Self {
        let base = Url::parse(&format!("https://{address}")).expect("an address");
        let authority = Certificate::from_pem(authority).expect("a certificate");
        let client = builder().add_root_certificate(authority).build().expect("an HTTP client");
        Self { issuer: Url::parse(issuer).expect("an issuer"), base, client: Some(client) }
    }

    /// The URL of a path, as the outside spells it.
    #[track_caller]
    pub(crate) fn url(&self, path: &str) -> Url {
        self.issuer.join(path).unwrap_or_else(|error| panic!("{error}: {path}"))
    }

    /// A request to be filled in; `url` may be a path.
    #[track_caller]
    pub(crate) fn call(&self, method: Method, url: &str) -> Call {
        Call { wire: self.clone(), method, url: self.url(url), headers: HeaderMap::new(), body: None }
    }

    pub(crate) async fn get(&self, url: &str) -> Answer {
        self.call(Method::GET, url).send().await
    }

    /// Writes these bytes to the node's listener as they are; what comes back until it closes, ten seconds at most.
    pub(crate) async fn raw(&self, bytes: &[u8]) -> String {
        let address = format!("{}:{}", self.base.host_str().expect("a host"), self.base.port().expect("a port"));
        let mut connection = TcpStream::connect(&address).await.expect("a connection");
        let mut answer = Vec::new();
        // A server that refuses early closes while we write; what it said counts all the same.
        let _ = connection.write_all(bytes).await;
        let _ = timeout(Duration::from_secs(10), connection.read_to_end(&mut answer)).await;
        String::from_utf8_lossy(&answer).into_owned()
    }

    /// Posts a form.
    pub(crate) async fn post(&self, url: &str, fields: &[(&str, &str)]) -> Answer {
        self.call(Method::POST, url).form(fields).send().await
    }
}

/// A request in the making.
#[derive(Debug)]
#[must_use = "send it"]
pub(crate) struct Call {
    wire: Wire,
    pub(crate) method: Method,
    pub(crate) url: Url,
    pub(crate) headers: HeaderMap,
    body: Option<Vec<u8>>,
}

impl Call {
    /// Adds a header; the same name may come again.
    pub(crate) fn header(mut self, name: &str, value: impl AsRef<[u8]>) -> Self {
        let name = HeaderName::from_bytes(name.as_bytes()).expect("a header's name");
        self.headers.append(name, HeaderValue::from_bytes(value.as_ref()).expect("a header's value"));
        self
    }

    /// Adds a header unless it is there.
    pub(crate) fn default_header(self, name: &str, value: impl AsRef<[u8]>) -> Self {
        if self.headers.contains_key(name) { self } else { self.header(name, value) }
    }

    /// `Authorization: Basic`, both parts form-encoded first (RFC 6749 §2.3.1).
    pub(crate) fn basic(self, id: &str, secret: &str) -> Self {
        let encode = |part: &str| form_urlencoded::byte_serialize(part.as_bytes()).collect::<String>();
        let credentials = BASE64_STANDARD.encode(format!("{}:{}", encode(id), encode(secret)));
        self.header(AUTHORIZATION.as_str(), format!("Basic {credentials}"))
    }

    pub(crate) fn bearer(self, token: &str) -> Self {
        self.header(AUTHORIZATION.as_str(), format!("Bearer {token}"))
    }

    /// A form as the body; a name may come twice.
    pub(crate) fn form<K: AsRef<str>, V: AsRef<str>>(self, fields: &[(K, V)]) -> Self {
        let body = form_urlencoded::Serializer::new(String::new()).extend_pairs(fields).finish();
        self.body("application/x-www-form-urlencoded", body)
    }

    pub(crate) fn json(self, value: &serde_json::Value) -> Self {
        self.body("application/json", value.to_string())
    }

    pub(crate) fn body(mut self, content_type: &str, body: impl Into<Vec<u8>>) -> Self {
        self.body = Some(body.into());
        self.default_header(CONTENT_TYPE.as_str(), content_type)
    }

    /// Sends it. Stops when there is no answer: a provider always answers.
    pub(crate) async fn send(self) -> Answer {
        let url = self.url.clone();
        self.try_send().await.unwrap_or_else(|error| panic!("no answer from {url}: {error:?}"))
    }

    /// Sends it to a node that may not be there.
    pub(crate) async fn try_send(self) -> Result<Answer, reqwest::Error> {
        let Self { wire, method, url, headers, body } = self;
        let mut target = Cow::Borrowed(&url);
        if url.origin() == wire.issuer.origin() {
            let real = target.to_mut();
            // An issuer on https stands behind something that ends TLS; the node itself speaks plain http.
            real.set_scheme(wire.base.scheme()).expect("a scheme");
            real.set_host(wire.base.host_str()).expect("a host");
            real.set_port(wire.base.port()).expect("a port");
        }
        let mut request = wire.client.as_ref().unwrap_or(&CLIENT).request(method, target.into_owned()).headers(headers);
        if let Some(body) = body {
            request = request.body(body);
        }
        let response = request.send().await?;
        let (status, headers) = (response.status(), response.headers().clone());
        let body = String::from_utf8_lossy(&response.bytes().await?).into_owned();
        Ok(Answer { url, status, headers, body })
    }
}
