//! A mail relay that really speaks SMTP (RFC 5321, STARTTLS, AUTH PLAIN), and keeps what it is handed.

use std::{
    pin::Pin,
    sync::{Arc, Mutex},
    time::{Duration, Instant},
};

use base64::{Engine as _, engine::general_purpose::STANDARD};
use openssl::ssl::{Ssl, SslAcceptor, SslMethod};
use tokio::{
    io::{AsyncBufReadExt, AsyncRead, AsyncWrite, AsyncWriteExt, BufReader},
    net::{TcpListener, TcpStream},
    time::sleep,
};
use tokio_openssl::SslStream;

use super::authority::Pair;

/// How the relay talks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Speaks {
    /// Nothing but plain text.
    Plain,
    StartTls,
    /// TLS from the first byte.
    Tls,
}

/// A mail as it came.
#[derive(Clone, Debug)]
pub(crate) struct Received {
    pub(crate) from: String,
    pub(crate) to: Vec<String>,
    /// Header and body.
    pub(crate) data: String,
    pub(crate) encrypted: bool,
    /// User and password.
    pub(crate) login: Option<(String, String)>,
}

#[derive(Default)]
struct Kept {
    mails: Vec<Received>,
    /// How many are still to be refused for now.
    refusals: usize,
    connections: usize,
}

/// Listens as long as the test runs.
#[derive(Clone)]
pub(crate) struct Mailbox {
    pub(crate) port: u16,
    kept: Arc<Mutex<Kept>>,
}

impl Mailbox {
    pub(crate) async fn listen() -> Self {
        Self::with(Speaks::Plain, None).await
    }

    pub(crate) async fn with(speaks: Speaks, pair: Option<Pair>) -> Self {
        let listener = TcpListener::bind("0.0.0.0:0").await.expect("a listener");
        let port = listener.local_addr().expect("an address").port();
        let kept = Arc::new(Mutex::new(Kept::default()));
        let acceptor = pair.map(|pair| {
            let mut builder = SslAcceptor::mozilla_intermediate_v5(SslMethod::tls()).expect("TLS");
            builder.set_certificate(&pair.certificate).expect("a certificate");
            builder.set_private_key(&pair.key).expect("a key");
            builder.build()
        });
        let shared = Arc::clone(&kept);
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                shared.lock().expect("a lock").connections += 1;
                tokio::spawn(serve(stream, speaks, acceptor.clone(), Arc::clone(&shared)));
            }
        });
        Self { port, kept }
    }

    /// The settings that send mail here.
    pub(crate) fn settings(&self) -> Vec<(String, String)> {
        [
            ("mail.url", format!("smtp://127.0.0.1:{}", self.port)),
            ("mail.from", "Acme <no-reply@acme.example>".to_owned()),
        ]
        .map(|(name, value)| (name.to_owned(), value))
        .to_vec()
    }

    /// Refuses so many mails for now (451).
    pub(crate) fn refuse(&self, count: usize) {
        self.kept.lock().expect("a lock").refusals = count;
    }

    pub(crate) fn refusals_left(&self) -> usize {
        self.kept.lock().expect("a lock").refusals
    }

    pub(crate) fn received(&self) -> Vec<Received> {
        self.kept.lock().expect("a lock").mails.clone()
    }

    pub(crate) fn connections(&self) -> usize {
        self.kept.lock().expect("a lock").connections
    }

    /// Waits until so many have come in all; the last one.
    pub(crate) async fn nth(&self, count: usize) -> Received {
        let deadline = Instant::now() + Duration::from_secs(20);
        loop {
            let received = self.received();
            if received.len() >= count {
                assert_eq!(received.len(), count, "{received:#?}");
                return received.last().expect("a mail").clone();
            }
            assert!(Instant::now() < deadline, "{} mails, not {count}: {received:#?}", received.len());
            sleep(Duration::from_millis(10)).await;
        }
    }

    /// Stops if there are more, a moment later.
    pub(crate) async fn expect_no_more_than(&self, count: usize) {
        sleep(Duration::from_millis(1_500)).await;
        let received = self.received();
        assert_eq!(received.len(), count, "{received:#?}");
    }
}

impl Received {
    /// The header fields of this name.
    pub(crate) fn headers(&self, name: &str) -> Vec<String> {
        let head = self.data.split("\r\n\r\n").next().unwrap_or_default().replace("\r\n ", " ").replace("\r\n\t", " ");
        let fields = head.split("\r\n").filter_map(|line| line.split_once(": "));
        fields.filter(|(field, _)| field.eq_ignore_ascii_case(name)).map(|(_, value)| value.to_owned()).collect()
    }

    pub(crate) fn text(&self) -> String {
        self.part("text/plain")
    }

    pub(crate) fn html(&self) -> String {
        self.part("text/html")
    }

    /// The one address in the text.
    pub(crate) fn link(&self) -> String {
        let text = self.text();
        let links: Vec<&str> = text.split_whitespace().filter(|word| word.contains("://")).collect();
        assert_eq!(links.len(), 1, "{text}");
        links[0].to_owned()
    }

    /// What the link has as `token`.
    pub(crate) fn token(&self) -> String {
        self.link().rsplit_once("token=").expect("a token").1.to_owned()
    }

    fn part(&self, kind: &str) -> String {
        let content_type = self.headers("content-type").remove(0);
        let boundary = content_type.split("boundary=\"").nth(1).and_then(|rest| rest.split('"').next()).expect("parts");
        let border = format!("--{boundary}");
        let parts = self.data.split(&border);
        let part = parts.skip(1).find(|part| part.to_lowercase().contains(&format!("content-type: {kind}")));
        let part = part.unwrap_or_else(|| panic!("no part {kind}: {self:#?}"));
        let (head, body) = part.split_once("\r\n\r\n").expect("a body");
        let head = head.to_lowercase();
        let bytes = if head.contains("quoted-printable") {
            unquoted(body)
        } else if head.contains("base64") {
            STANDARD.decode(body.split_whitespace().collect::<String>()).expect("base64")
        } else {
            body.as_bytes().to_vec()
        };
        String::from_utf8(bytes).expect("UTF-8")
    }
}

fn unquoted(body: &str) -> Vec<u8> {
    let body = body.replace("=\r\n", "");
    let mut bytes = Vec::new();
    let mut rest = body.as_bytes();
    while let Some((first, more)) = rest.split_first() {
        if *first == b'=' {
            let hex = std::str::from_utf8(&more[..2]).expect("two digits");
            bytes.push(u8::from_str_radix(hex, 16).expect("two digits"));
            rest = &more[2..];
        } else {
            bytes.push(*first);
            rest = more;
        }
    }
    bytes
}

async fn serve(stream: TcpStream, speaks: Speaks, acceptor: Option<SslAcceptor>, kept: Arc<Mutex<Kept>>) {
    if speaks == Speaks::Tls {
        let Some(secure) = accept(stream, acceptor.as_ref()).await else { return };
        talk(secure, false, true, true, &kept).await;
    } else if let Some(stream) = talk(stream, speaks == Speaks::StartTls, false, true, &kept).await
        && let Some(secure) = accept(stream, acceptor.as_ref()).await
    {
        talk(secure, false, true, false, &kept).await;
    }
}

async fn accept(stream: TcpStream, acceptor: Option<&SslAcceptor>) -> Option<SslStream<TcpStream>> {
    let acceptor = acceptor.expect("a certificate");
    let mut secure = SslStream::new(Ssl::new(acceptor.context()).expect("TLS"), stream).expect("TLS");
    Pin::new(&mut secure).accept().await.ok()?;
    Some(secure)
}

/// One conversation; gives the stream back where the client asks for STARTTLS.
async fn talk<S: AsyncRead + AsyncWrite + Unpin>(
    stream: S,
    starttls: bool,
    encrypted: bool,
    greets: bool,
    kept: &Arc<Mutex<Kept>>,
) -> Option<S> {
    let mut stream = BufReader::new(stream);
    if greets {
        stream.write_all(b"220 relay.example ESMTP\r\n").await.ok()?;
    }
    let (mut from, mut to, mut login) = (String::new(), Vec::new(), None);
    loop {
        let mut line = String::new();
        if stream.read_line(&mut line).await.ok()? == 0 {
            return None;
        }
        let line = line.trim_end().to_owned();
        let verb = line.split([' ', ':']).next().unwrap_or_default().to_uppercase();
        let answer = match verb.as_str() {
            "EHLO" if starttls => "250-relay.example\r\n250 STARTTLS".to_owned(),
            "EHLO" => "250-relay.example\r\n250-8BITMIME\r\n250 AUTH PLAIN".to_owned(),
            "STARTTLS" if starttls => {
                stream.write_all(b"220 go on\r\n").await.ok()?;
                return Some(stream.into_inner());
            }
            "AUTH" => {
                let secret = STANDARD.decode(line.rsplit(' ').next().unwrap_or_default()).expect("base64");
                let secret = String::from_utf8(secret).expect("UTF-8");
                let mut parts = secret.split('\0').skip(1).map(str::to_owned);
                login = parts.next().zip(parts.next());
                "235 welcome".to_owned()
            }
            "MAIL" => {
                from = address(&line);
                to.clear();
                "250 ok".to_owned()
            }
            "RCPT" => {
                to.push(address(&line));
                "250 ok".to_owned()
            }
            "DATA" => {
                stream.write_all(b"354 go on\r\n").await.ok()?;
                let mut data = String::new();
                loop {
                    let mut line = String::new();
                    if stream.read_line(&mut line).await.ok()? == 0 {
                        return None;
                    }
                    if line == ".\r\n" {
                        break;
                    }
                    data.push_str(line.strip_prefix('.').unwrap_or(&line));
                }
                let mut kept = kept.lock().expect("a lock");
                if kept.refusals > 0 {
                    kept.refusals -= 1;
                    "451 not now".to_owned()
                } else {
                    kept.mails.push(Received {
                        from: from.clone(),
                        to: to.clone(),
                        data,
                        encrypted,
                        login: login.clone(),
                    });
                    "250 taken".to_owned()
                }
            }
            "QUIT" => {
                stream.write_all(b"221 bye\r\n").await.ok()?;
                return None;
            }
            "RSET" | "NOOP" => "250 ok".to_owned(),
            _ => "502 what?".to_owned(),
        };
        stream.write_all(format!("{answer}\r\n").as_bytes()).await.ok()?;
    }
}

fn address(line: &str) -> String {
    line.split('<').nth(1).and_then(|rest| rest.split('>').next()).unwrap_or_default().to_owned()
}
