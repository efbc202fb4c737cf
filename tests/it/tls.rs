//! TLS served directly: which versions and ciphers, what travels inside, limits, and new certificates while it runs.

use std::{
    fs,
    io::{Read as _, Write as _},
    net::{Shutdown, TcpStream},
    sync::Arc,
    time::{Duration, Instant},
};

use openssl::ssl::{SslConnector, SslConnectorBuilder, SslMethod, SslStream, SslVersion};
use serde_json::Value;

use crate::{
    engines::{client_credentials, service},
    support::{
        Binary, Browser, Engine, Flow, Place, Wire,
        authority::{Authority, Pair, p256, serial},
        free_port, web_application,
    },
};

/// A provider that speaks https itself, with a certificate of its own authority.
struct Secure {
    binary: Binary,
    authority: Authority,
}

impl Secure {
    async fn start(engine: Engine, more: &[(&str, &str)]) -> Self {
        Self::with(engine, more, Authority::issue).await
    }

    async fn with(engine: Engine, more: &[(&str, &str)], issue: impl Fn(&Authority) -> Pair) -> Self {
        let authority = Authority::new();
        let place = place(engine, more).await;
        issue(&authority).write_to(place.path());
        Self { binary: Binary::at(Arc::new(place)).await, authority }
    }

    fn wire(&self) -> Wire {
        Wire::secure(self.binary.issuer(), self.binary.setting("listen"), &self.authority.pem())
    }

    /// Shakes hands as this client would; what went wrong as text.
    fn shake(&self, adjust: impl FnOnce(&mut SslConnectorBuilder)) -> Result<SslStream<TcpStream>, String> {
        let mut builder = SslConnector::builder(SslMethod::tls_client()).expect("a client");
        builder.cert_store_mut().add_cert(self.authority.certificate().clone()).expect("trusting");
        adjust(&mut builder);
        builder.build().connect("localhost", self.connect()).map_err(|error| error.to_string())
    }

    fn connect(&self) -> TcpStream {
        let stream = TcpStream::connect(self.binary.setting("listen")).expect("a connection");
        stream.set_read_timeout(Some(Duration::from_secs(10))).expect("a limit");
        stream
    }

    /// The serial number of the certificate that is shown now.
    fn shown(&self) -> String {
        let stream = self.shake(|_| {}).expect("a handshake");
        serial(&stream.ssl().peer_certificate().expect("a certificate"))
    }

    async fn shows(&self, pair: &Pair) {
        let deadline = Instant::now() + Duration::from_secs(10);
        while self.shown() != pair.serial() {
            assert!(Instant::now() < deadline, "the new certificate is not shown after ten seconds");
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    }
}

/// With an https issuer; the pair's files are yet to be written.
async fn place(engine: Engine, more: &[(&str, &str)]) -> Place {
    let port = free_port();
    let (issuer, listen) = (format!("https://localhost:{port}"), format!("127.0.0.1:{port}"));
    let settings =
        [("issuer", issuer.as_str()), ("listen", &listen), ("tls.certificate", "tls.pem"), ("tls.key", "tls.key")];
    Place::prepared(engine, &[&settings[..], more].concat()).await
}

fn ask(stream: &mut SslStream<TcpStream>) -> String {
    stream.write_all(b"GET /jwks HTTP/1.1\r\nhost: localhost\r\n\r\n").expect("writing");
    let mut said = Vec::new();
    let mut some = [0; 4096];
    while !String::from_utf8_lossy(&said).contains("]}") {
        match stream.read(&mut some).expect("reading") {
            0 => break,
            length => said.extend_from_slice(&some[..length]),
        }
    }
    String::from_utf8_lossy(&said).into_owned()
}

each_engine!(c_01_the_whole_flow_over_https);
/// Requirement 1, BR-09: every URL is https; cookies are `__Host-` and `Secure`; HSTS.
async fn c_01_the_whole_flow_over_https(engine: Engine) {
    let secure = Secure::start(engine, &[]).await;
    let (binary, wire) = (&secure.binary, secure.wire());
    let metadata: Value = wire.get("/.well-known/openid-configuration").await.expect_status(200).json();
    for (name, value) in metadata.as_object().expect("an object") {
        if name == "issuer" || name == "jwks_uri" || name.ends_with("_endpoint") {
            assert!(value.as_str().expect("a URL").starts_with(binary.issuer()), "{name}: {value}");
        }
    }
    let person = crate::support::person_by_cli(binary, "ada").await;
    let application = crate::support::application_by_cli(binary, &web_application()).await;
    let mut browser = Browser::new(wire.clone());
    let page = browser.get("/sign-in").await.expect_status(200);
    assert!(page.header("strict-transport-security").starts_with("max-age="), "{page:#?}");
    let flow = Flow::new(&application);
    let tokens = flow.tokens(&wire, &mut browser, &person).await;
    assert!(browser.cookies().count() > 0);
    for cookie in browser.cookies() {
        assert!(cookie.name().starts_with("__Host-") && cookie.secure() == Some(true), "{cookie}");
    }
    let userinfo = wire.call(reqwest::Method::GET, "/userinfo").bearer(&tokens.access_token()).send().await;
    assert_eq!(userinfo.expect_status(200).json::<Value>()["sub"], person.id.as_str());
    flow.refresh(&wire, &tokens.refresh_token()).await.expect_tokens();

    // The management listener stays plain; the front is nothing but TLS.
    binary.management().get("/health/live").await.expect_status(200);
    let plain = Wire::new(binary.issuer(), binary.setting("listen"));
    assert!(!plain.raw(b"GET /jwks HTTP/1.1\r\nhost: localhost\r\n\r\n").await.contains("HTTP/1.1 200"));
}

/// Requirement 2: nothing below TLS 1.2; 1.3 wherever the other side has it.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn c_02_tls_1_2_and_1_3_only() {
    let secure = Secure::start(Engine::Sqlite, &[]).await;
    assert_eq!(secure.shake(|_| {}).expect("a handshake").ssl().version_str(), "TLSv1.3");
    let only = |version: SslVersion| {
        secure.shake(|client| {
            // Otherwise our own library would refuse before the server does.
            client.set_cipher_list("ALL:@SECLEVEL=0").expect("ciphers");
            client.set_min_proto_version(Some(version)).expect("a version");
            client.set_max_proto_version(Some(version)).expect("a version");
        })
    };
    assert_eq!(only(SslVersion::TLS1_2).expect("a handshake").ssl().version_str(), "TLSv1.2");
    for version in [SslVersion::TLS1, SslVersion::TLS1_1] {
        let refused = only(version).expect_err("an old version");
        assert!(refused.contains("alert protocol version"), "{refused}");
    }
}

/// Requirement 2: for TLS 1.2 only ECDHE with AES-GCM or ChaCha20-Poly1305.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn c_02_ciphers_of_tls_1_2() {
    let authenticated = ["AES128-GCM-SHA256", "AES256-GCM-SHA384", "CHACHA20-POLY1305"];
    for (issue, kind) in [(Authority::issue_rsa as fn(&Authority) -> Pair, "RSA"), (Authority::issue, "ECDSA")] {
        let secure = Secure::with(Engine::Sqlite, &[], issue).await;
        let only = |cipher: &str| {
            secure.shake(|client| {
                client.set_cipher_list(&format!("{cipher}:@SECLEVEL=0")).expect("ciphers");
                client.set_max_proto_version(Some(SslVersion::TLS1_2)).expect("a version");
            })
        };
        for name in authenticated {
            let name = format!("ECDHE-{kind}-{name}");
            let stream = only(&name).expect("a handshake");
            assert_eq!(stream.ssl().current_cipher().expect("a cipher").name(), name);
        }
        for name in [
            "AES128-GCM-SHA256".to_owned(),
            "AES256-SHA256".to_owned(),
            "DHE-RSA-AES128-GCM-SHA256".to_owned(),
            format!("ECDHE-{kind}-AES128-SHA256"),
            format!("ECDHE-{kind}-AES256-SHA"),
            format!("ECDHE-{kind}-AES128-CCM").replace("RSA", "ECDSA"),
            "AECDH-AES128-SHA".to_owned(),
        ] {
            let refused = only(&name).expect_err(&name);
            assert!(refused.contains("alert handshake failure"), "{name}: {refused}");
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn http_2_and_1_1_by_alpn() {
    let secure = Secure::start(Engine::Sqlite, &[]).await;
    let chosen = |offered: &'static [u8]| {
        let stream = secure.shake(|client| client.set_alpn_protos(offered).expect("protocols"))?;
        Ok::<_, String>(stream.ssl().selected_alpn_protocol().map(<[u8]>::to_vec))
    };
    assert_eq!(chosen(b"\x02h2\x08http/1.1"), Ok(Some(b"h2".to_vec())));
    assert_eq!(chosen(b"\x08http/1.1\x02h2"), Ok(Some(b"h2".to_vec())));
    assert_eq!(chosen(b"\x08http/1.1"), Ok(Some(b"http/1.1".to_vec())));
    let refused = chosen(b"\x04smtp").expect_err("another protocol");
    assert!(refused.contains("no application protocol"), "{refused}");

    // Both are really spoken; who offers nothing speaks HTTP/1.1.
    let authority = reqwest::Certificate::from_pem(&secure.authority.pem()).expect("a certificate");
    let client = || reqwest::Client::builder().no_proxy().add_root_certificate(authority.clone());
    let url = format!("https://{}/jwks", secure.binary.setting("listen"));
    for (client, version) in [(client(), reqwest::Version::HTTP_2), (client().http1_only(), reqwest::Version::HTTP_11)]
    {
        let client = client.build().expect("a client");
        for _ in 0..2 {
            let answer = client.get(&url).send().await.expect("an answer");
            assert_eq!((answer.status().as_u16(), answer.version()), (200, version));
            assert!(answer.text().await.expect("a body").contains("keys"));
        }
    }
    let mut silent_about_it = secure.shake(|_| {}).expect("a handshake");
    assert!(ask(&mut silent_about_it).starts_with("HTTP/1.1 200"));
    // What was agreed on holds.
    let mut liar = secure.shake(|client| client.set_alpn_protos(b"\x02h2").expect("protocols")).expect("a handshake");
    assert!(!ask(&mut liar).contains("200 OK"));
}

/// IJ-11 with TLS: silence at any stage ends in time, and keeps nobody out.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn ij_11_connections_that_say_nothing_are_closed() {
    let settings = [("http.header_timeout", "1s"), ("http.max_connections", "16")];
    let secure = Secure::start(Engine::Sqlite, &settings).await;
    let open = |protocols: &'static [u8], words: &[u8]| {
        let client = |client: &mut SslConnectorBuilder| client.set_alpn_protos(protocols).expect("protocols");
        let mut stream = secure.shake(client).expect("a handshake");
        stream.write_all(words).expect("writing");
        stream.get_ref().try_clone().expect("the connection")
    };
    let mut idle = vec![
        secure.connect(),
        open(b"\x02h2", b""),
        open(b"\x02h2", b"PRI * HTTP/2.0"),
        open(b"\x08http/1.1", b""),
        open(b"\x08http/1.1", b"GET /jwks HTTP/1.1\r\n"),
    ];
    let mut half = secure.connect();
    half.write_all(b"\x16\x03\x01\x02").expect("writing");
    idle.push(half);
    let began = Instant::now();
    for stream in &mut idle {
        // To the end, whatever is said before it; a reset is an end as well.
        let mut rest = Vec::new();
        let end = stream.read_to_end(&mut rest);
        assert!(end.is_ok() || end.is_err_and(|error| error.kind() == std::io::ErrorKind::ConnectionReset));
        assert!(began.elapsed() < Duration::from_secs(5), "still open after {:?}", began.elapsed());
    }
    let silent: Vec<_> = (0..40).map(|_| secure.connect()).collect();
    let answer = tokio::time::timeout(Duration::from_secs(8), secure.wire().get("/jwks")).await;
    answer.expect("nobody gets in").expect_status(200);
    drop(silent);
}

/// A new pair is taken over while connections live; one that does not do changes nothing but the log.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn new_certificates_are_taken_over() {
    let secure = Secure::start(Engine::Sqlite, &[]).await;
    let folder = secure.binary.path().to_owned();
    let mut living = secure.shake(|_| {}).expect("a handshake");
    assert!(ask(&mut living).starts_with("HTTP/1.1 200"));
    let before = secure.shown();

    let second = secure.authority.issue_rsa();
    second.write_to(&folder);
    secure.shows(&second).await;
    assert_ne!(second.serial(), before);
    assert!(ask(&mut living).starts_with("HTTP/1.1 200"), "the old connection lives");

    fs::write(folder.join("tls.pem"), "-----BEGIN NONSENSE-----").expect("writing");
    secure.binary.expect_log("the old one stays in force").await;
    secure.binary.expect_log("tls.pem").await;
    assert_eq!(secure.shown(), second.serial());
    // A certificate without its key, as between two renamings.
    let third = secure.authority.issue();
    fs::write(folder.join("tls.pem"), third.certificate.to_pem().expect("PEM")).expect("writing");
    secure.binary.expect_log("is not the key of the certificate").await;
    assert_eq!(secure.shown(), second.serial());
    secure.wire().get("/jwks").await.expect_status(200);
    third.write_to(&folder);
    secure.shows(&third).await;
}

/// Requests in flight finish, idle connections do not hold the stop up.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_stop_lets_requests_finish() {
    let mut secure = Secure::start(Engine::Sqlite, &[]).await;
    let client = crate::support::application_by_cli(&secure.binary, &service()).await;
    let wire = secure.wire();
    let deadline = Instant::now() + Duration::from_secs(1);
    while client_credentials(&wire, &client).await.status != 200 {
        assert!(Instant::now() < deadline, "the client is not known after a second");
    }
    let (mut idle, half_open) = (secure.shake(|_| {}).expect("a handshake"), secure.connect());
    assert!(ask(&mut idle).starts_with("HTTP/1.1 200"));
    let mut slow = secure.shake(|_| {}).expect("a handshake");
    let head = "POST /token HTTP/1.1\r\nhost: localhost\r\ncontent-type: application/x-www-form-urlencoded\r\n";
    slow.write_all(format!("{head}content-length: 12\r\n\r\ngrant_").as_bytes()).expect("writing");
    tokio::time::sleep(Duration::from_millis(300)).await;
    secure.binary.signal("TERM");
    tokio::time::sleep(Duration::from_millis(500)).await;
    slow.write_all(b"type=x").expect("writing");
    let mut said = Vec::new();
    let _ = slow.read_to_end(&mut said);
    assert!(said.starts_with(b"HTTP/1.1 40"), "{}", String::from_utf8_lossy(&said));
    let _ = slow.get_ref().shutdown(Shutdown::Both);
    let began = Instant::now();
    assert!(secure.binary.wait().await.success());
    assert!(began.elapsed() < Duration::from_secs(5), "an idle connection held it up");
    drop(half_open);
}

/// What does not do is refused before anything starts: one line with setting, file and reason, exit code 2.
#[tokio::test]
async fn a_pair_that_does_not_do_refuses_to_start() {
    let authority = Authority::new();
    let good = authority.issue();
    let place = place(Engine::Sqlite, &[]).await;
    let (certificate, key) = (place.path().join("tls.pem"), place.path().join("tls.key"));
    let refused = async |setting: &str, file: &str, reason: &str| {
        let output = place.cli(&["serve"]).await.expect_code(2);
        assert_eq!(output.stderr.trim_end().lines().count(), 1, "{output}");
        for part in [&format!("setting {setting}"), file, reason] {
            assert!(output.stderr.contains(part), "{part:?} is not in: {output}");
        }
    };
    refused("tls.certificate", "tls.pem", "No such file").await;
    good.write_to(place.path());
    fs::remove_file(&key).expect("removing");
    refused("tls.key", "tls.key", "No such file").await;
    for nonsense in ["", "-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n"] {
        fs::write(&key, nonsense).expect("writing");
        refused("tls.key", "tls.key", "no unencrypted private key").await;
    }
    fs::write(&key, p256().private_key_to_pem_pkcs8().expect("PEM")).expect("writing");
    refused("tls.key", "tls.key", "is not the key of the certificate in tls.pem").await;
    let cipher = openssl::symm::Cipher::aes_256_cbc();
    fs::write(&key, good.key.private_key_to_pem_pkcs8_passphrase(cipher, b"secret").expect("PEM")).expect("writing");
    refused("tls.key", "tls.key", "no unencrypted private key").await;
    good.write_to(place.path());
    fs::write(&certificate, "nothing").expect("writing");
    refused("tls.certificate", "tls.pem", "no certificate").await;
    // The control: with everything right it starts.
    good.write_to(place.path());
    drop(Binary::at(Arc::new(place)).await);
}

#[tokio::test]
async fn both_settings_or_neither_and_an_https_issuer() {
    for (settings, setting) in [
        (&[("tls.certificate", "tls.pem"), ("issuer", "https://id.example.com")][..], "tls.key"),
        (&[("tls.key", "tls.key"), ("issuer", "https://id.example.com")], "tls.certificate"),
        (&[("tls.certificate", "tls.pem"), ("tls.key", "tls.key")], "issuer"),
    ] {
        let place = Place::prepared(Engine::Sqlite, settings).await;
        let output = place.cli(&["serve"]).await.expect_code(2);
        assert!(output.stderr.contains(&format!("setting {setting} ")), "{output}");
        assert_eq!(output.stderr.trim_end().lines().count(), 1, "{output}");
    }
    // An https issuer behind a proxy needs neither.
    let place = Place::prepared(Engine::Sqlite, &[("issuer", "https://id.example.com")]).await;
    place.cli(&["user", "list"]).await.expect_success();
}

#[tokio::test]
async fn the_doctor_looks_at_the_certificate() {
    const DAY: i64 = 86_400;
    let authority = Authority::new();
    let place = place(Engine::Sqlite, &[]).await;
    let finding = async || {
        let output = place.cli(&["doctor", "--json"]).await;
        let findings: Vec<Value> = serde_json::from_str(&output.stdout).expect("JSON");
        let found = findings.into_iter().find(|finding| finding["check"] == "tls").expect("a finding");
        (output.status.success(), found["ok"] == true, found["message"].as_str().expect("words").to_owned())
    };
    let with = async |names: &[&str], seconds: i64| {
        authority.issue_for(names, p256(), seconds).write_to(place.path());
        finding().await
    };
    let (_, ok, said) = finding().await;
    assert!(!ok && said.contains("tls.pem"), "{said}");
    let (success, ok, said) = with(&["localhost"], DAY * 30).await;
    assert!(success && ok && said.starts_with("good for localhost"), "{said}");
    let (success, ok, said) = with(&["LOCALHOST", "other.example"], DAY * 13).await;
    assert!(success && ok && said.starts_with("warning: "), "{said}");
    for names in [&["other.example"][..], &["*.localhost"], &["127.0.0.1"], &["localhost.example"]] {
        let (success, ok, said) = with(names, DAY * 30).await;
        assert!(!success && !ok && said.contains("is not good for localhost"), "{said}");
    }
    let (success, ok, said) = with(&["localhost"], -DAY).await;
    assert!(!success && !ok && said.contains("ended on"), "{said}");
    let pair = authority.issue();
    pair.write_to(place.path());
    fs::write(place.path().join("tls.key"), p256().private_key_to_pem_pkcs8().expect("PEM")).expect("writing");
    let (_, ok, said) = finding().await;
    assert!(!ok && said.contains("tls.key"), "{said}");
}
