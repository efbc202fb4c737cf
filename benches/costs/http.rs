//! HTTP as cheap as it gets: what a client costs would disturb what the provider costs.

use std::{
    collections::BTreeMap,
    io::{BufRead as _, BufReader, Read as _, Write as _},
    net::{SocketAddr, TcpStream},
    time::Duration,
};

use serde_json::Value;

/// One keep-alive connection, one request at a time.
pub(crate) struct Connection {
    pub(crate) stream: BufReader<TcpStream>,
}

pub(crate) struct Reply {
    pub(crate) status: u16,
    pub(crate) head: String,
    pub(crate) body: Vec<u8>,
}

impl Connection {
    pub(crate) fn open(address: SocketAddr) -> Self {
        let stream = TcpStream::connect(address).expect("a connection");
        stream.set_nodelay(true).expect("no delay");
        stream.set_read_timeout(Some(Duration::from_mins(1))).expect("a timeout");
        Self { stream: BufReader::new(stream) }
    }

    pub(crate) fn send(&mut self, request: &[u8]) -> Reply {
        self.stream.get_mut().write_all(request).expect("writing");
        let mut head = String::new();
        let mut length = 0;
        loop {
            let start = head.len();
            assert!(self.stream.read_line(&mut head).expect("reading") > 0, "the server hung up: {head}");
            let line = &head[start..];
            if line == "\r\n" {
                break;
            }
            if let Some((name, value)) = line.split_once(':')
                && name.eq_ignore_ascii_case("content-length")
            {
                length = value.trim().parse().expect("a length");
            }
        }
        let mut body = vec![0; length];
        self.stream.read_exact(&mut body).expect("the body");
        Reply { status: head[9..12].parse().expect("a status"), head, body }
    }
}

impl Reply {
    pub(crate) fn expect(self, status: u16) -> Self {
        assert_eq!(self.status, status, "{}\n{}", self.head, String::from_utf8_lossy(&self.body));
        self
    }

    pub(crate) fn json(&self) -> Value {
        serde_json::from_slice(&self.body).expect("JSON")
    }

    pub(crate) fn header(&self, wanted: &str) -> Option<&str> {
        self.head.lines().find_map(|line| {
            let (name, value) = line.split_once(':')?;
            name.eq_ignore_ascii_case(wanted).then(|| value.trim())
        })
    }

    pub(crate) fn member(&self, name: &str) -> String {
        self.json()[name].as_str().unwrap_or_else(|| panic!("no {name}: {}", self.head)).to_owned()
    }
}

pub(crate) fn get(path: &str, headers: &str) -> Vec<u8> {
    format!("GET {path} HTTP/1.1\r\nhost: localhost\r\n{headers}\r\n").into_bytes()
}

pub(crate) fn post(path: &str, headers: &str, fields: &[(&str, &str)]) -> Vec<u8> {
    let body = form_urlencoded::Serializer::new(String::new()).extend_pairs(fields).finish();
    format!(
        "POST {path} HTTP/1.1\r\nhost: localhost\r\n{headers}content-type: application/x-www-form-urlencoded\r\n\
         content-length: {}\r\n\r\n{body}",
        body.len()
    )
    .into_bytes()
}

pub(crate) fn post_json(path: &str, headers: &str, value: &Value) -> Vec<u8> {
    let body = value.to_string();
    format!(
        "POST {path} HTTP/1.1\r\nhost: localhost\r\n{headers}content-type: application/json\r\ncontent-length: {}\r\n\r\n{body}",
        body.len()
    )
    .into_bytes()
}

/// Cookies that an answer sets, as a request's header.
pub(crate) fn cookies(reply: &Reply, earlier: &str) -> String {
    let mut all: BTreeMap<String, String> = BTreeMap::new();
    let pairs = earlier.trim_end().trim_start_matches("cookie: ").split("; ").map(str::to_owned);
    let fresh = reply.head.lines().filter_map(|line| {
        let (name, value) = line.split_once(':')?;
        name.eq_ignore_ascii_case("set-cookie").then(|| value.trim().split(';').next().unwrap_or_default().to_owned())
    });
    for pair in pairs.chain(fresh) {
        if let Some((name, value)) = pair.split_once('=') {
            all.insert(name.to_owned(), value.to_owned());
        }
    }
    let pairs: Vec<_> = all.iter().map(|(name, value)| format!("{name}={value}")).collect();
    format!("cookie: {}\r\n", pairs.join("; "))
}

/// The initial value of a hidden field.
pub(crate) fn hidden<'p>(page: &'p str, name: &str) -> Option<&'p str> {
    let at = page.find(&format!("name=\"{name}\""))?;
    let tag = &page[page[..at].rfind('<')?..];
    let tag = &tag[..tag.find('>')?];
    tag.split("value=\"").nth(1)?.split('"').next()
}
