//! Running it: health, metrics, logs, stopping, and callers that send slowly, endlessly or nonsense.

use std::time::{Duration, Instant};

use serde_json::Value;
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::TcpStream,
    time::{sleep, timeout},
};

use crate::{
    engines::{client_credentials, service, with_service},
    support::{Application, Binary, Engine, TestServer},
};

/// A connection to where a program listens.
async fn connection(binary: &Binary, setting: &str) -> TcpStream {
    TcpStream::connect(binary.setting(setting)).await.expect("a connection")
}

/// Everything that comes until the connection ends, and how long that took; five seconds at most.
async fn until_closed(mut connection: TcpStream) -> (String, Duration) {
    let (began, mut said) = (Instant::now(), Vec::new());
    let end = timeout(Duration::from_secs(5), connection.read_to_end(&mut said)).await;
    assert!(end.is_ok(), "the connection stays open: {}", String::from_utf8_lossy(&said));
    (String::from_utf8_lossy(&said).into_owned(), began.elapsed())
}

/// A token request of this client, as it goes over the wire: head and body.
fn token_request(client: &Application) -> (String, String) {
    let body = format!("grant_type=client_credentials&client_id={}&client_secret={}", client.id, client.secret());
    let head = format!(
        "POST /token HTTP/1.1\r\nhost: localhost\r\ncontent-type: application/x-www-form-urlencoded\r\n\
         content-length: {}\r\n\r\n",
        body.len()
    );
    (head, body)
}

each_engine!(health_and_metrics_have_their_own_listener);
async fn health_and_metrics_have_their_own_listener(engine: Engine) {
    let binary = Binary::start(engine).await;
    let client = with_service(&binary).await;
    client_credentials(&binary.wire(), &client).await.expect_status(200);
    let management = binary.management();
    for path in ["/health/live", "/health/ready"] {
        management.get(path).await.expect_status(200);
        binary.wire().get(path).await.expect_status(404);
    }
    let metrics = management.get("/metrics").await.expect_status(200);
    assert!(metrics.header("content-type").starts_with("text/plain; version=0.0.4"), "{metrics:#?}");
    assert!(metrics.body.contains(r#"bonafide_tokens_total{grant="client_credentials"} 2"#), "{}", metrics.body);
    assert!(metrics.body.contains(r#"path="/token""#), "{}", metrics.body);
    assert!(!metrics.body.contains(&client.id), "no metric a client: they would grow without bounds");
    binary.wire().get("/metrics").await.expect_status(404);
    management.get("/token").await.expect_status(404);
}

each_engine!(told_to_stop_it_finishes_what_is_in_flight);
async fn told_to_stop_it_finishes_what_is_in_flight(engine: Engine) {
    let mut binary = Binary::start(engine).await;
    let client = with_service(&binary).await;
    let (head, body) = token_request(&client);
    let mut slow = connection(&binary, "listen").await;
    slow.write_all(format!("{head}{}", &body[..10]).as_bytes()).await.expect("writing");
    sleep(Duration::from_millis(200)).await;

    binary.signal("TERM");
    let began = Instant::now();
    while binary.management().get("/health/ready").await.status.as_u16() != 503 {
        assert!(began.elapsed() < Duration::from_secs(2), "still ready");
    }
    binary.management().get("/health/live").await.expect_status(200);
    while TcpStream::connect(binary.setting("listen")).await.is_ok() {
        assert!(began.elapsed() < Duration::from_secs(2), "still takes connections");
    }
    sleep(Duration::from_millis(300)).await;
    slow.write_all(&body.as_bytes()[10..]).await.expect("the request is still read");
    let (said, _) = until_closed(slow).await;
    assert!(said.starts_with("HTTP/1.1 200") && said.contains("access_token"), "{said}");
    let status = binary.wait().await;
    assert_eq!(status.code(), Some(0), "{}", binary.stderr());
    assert!(began.elapsed() < Duration::from_secs(5), "an idle program stops at once");
}

each_engine!(a_server_that_has_just_started_stops_at_once);
/// What watches for changes must not keep the database's connections from closing.
async fn a_server_that_has_just_started_stops_at_once(engine: Engine) {
    let mut server = TestServer::start(engine).await;
    for _ in 0..8 {
        timeout(Duration::from_secs(10), server.restart()).await.expect("it does not stop");
    }
}

each_engine!(ap_18_nobody_writes_lines_of_their_own_into_the_record);
/// AP-18: whatever names, addresses and headers hold, an event is one line of JSON, and no terminal obeys it.
async fn ap_18_nobody_writes_lines_of_their_own_into_the_record(engine: Engine) {
    const FORGED: &str = "x\u{1b}[2K\r\n{\"level\":\"ERROR\",\"fields\":{\"message\":\"forged\"}}\"}";
    let binary = Binary::start(engine).await;
    let body = serde_json::json!({"email": FORGED, "password": FORGED});
    let call = binary.wire().call(reqwest::Method::POST, "/auth/login").json(&body);
    call.header("user-agent", "a\"} \t{\"forged\":1}").send().await.expect_status(400);
    let form = [("grant_type", "client_credentials"), ("client_id", FORGED), ("client_secret", FORGED)];
    binary.wire().post("/token", &form).await.expect_status(401);
    let name = format!("Ada {FORGED}");
    binary
        .cli_with_input(
            &["user", "create", "--email", "ada@example.com", "--name", &name, "--password-stdin"],
            "correct horse battery",
        )
        .await;
    for line in binary.stderr().lines() {
        let event: Value = serde_json::from_str(line).unwrap_or_else(|error| panic!("{error}: {line:?}"));
        assert_ne!(event["message"], "forged", "{line}");
        assert!(!line.contains('\u{1b}'), "{line:?}");
    }
    let listed = binary.cli(&["audit", "list"]).await.expect_success();
    assert!(listed.stdout.contains("sign_in_refused"), "{listed}");
    assert!(
        !listed.stdout.contains('\u{1b}') && !listed.stdout.lines().any(|line| line.starts_with("{\"level\"")),
        "{listed}"
    );
}

each_engine!(logs_are_json_and_every_request_is_found_in_them);
async fn logs_are_json_and_every_request_is_found_in_them(engine: Engine) {
    let binary = Binary::with(engine, &[("log.level", "debug")]).await;
    let wire = binary.wire();
    let mut ids = Vec::new();
    for path in ["/jwks", "/authorize", "/userinfo", "/nowhere", "/sign-in"] {
        let answer = wire.get(path).await;
        let id = answer.header("x-request-id").to_owned();
        assert!(id.len() >= 12, "{answer:#?}");
        ids.push(id);
    }
    let page = wire.get("/authorize?client_id=nobody").await.expect_error_page();
    assert!(page.body.contains(page.header("x-request-id")), "the reference number is the request's: {page:#?}");
    ids.push(page.header("x-request-id").to_owned());
    for id in &ids {
        binary.expect_log(id).await;
    }
    let distinct: std::collections::BTreeSet<_> = ids.iter().collect();
    assert_eq!(distinct.len(), ids.len());
    for line in binary.stderr().lines() {
        let entry: Value = serde_json::from_str(line).unwrap_or_else(|error| panic!("{error}: {line}"));
        for member in ["timestamp", "level", "message"] {
            assert!(entry[member].is_string(), "{member}: {line}");
        }
    }
    assert_eq!(binary.stdout(), "");
}

/// IJ-11: heads and bodies have one deadline each, which drops do not move; health goes on answering.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn ij_11_drop_by_drop_is_cut() {
    let settings = [("http.header_timeout", "1s"), ("http.body_timeout", "1s")];
    let binary = Binary::with(Engine::Sqlite, &settings).await;
    let client = with_service(&binary).await;
    let (head, body) = token_request(&client);
    let slow_head = ("GET /jwks HTTP/1.1\r\nhost: localhost\r\n".to_owned(), "x-drop: 1\r\n".repeat(60));
    for (whole, drops) in [slow_head, (head, body)] {
        let mut slow = connection(&binary, "listen").await;
        slow.write_all(whole.as_bytes()).await.expect("writing");
        let (mut reading, mut writing) = slow.into_split();
        let dripping = tokio::spawn(async move {
            for drop in drops.into_bytes() {
                if writing.write_all(&[drop]).await.is_err() {
                    return;
                }
                sleep(Duration::from_millis(100)).await;
            }
        });
        let began = Instant::now();
        let mut said = Vec::new();
        let end = timeout(Duration::from_secs(4), reading.read_to_end(&mut said));
        let (end, health) = tokio::join!(end, async {
            sleep(Duration::from_millis(500)).await;
            binary.management().get("/health/live").await
        });
        health.expect_status(200);
        let said = String::from_utf8_lossy(&said).into_owned();
        assert!(end.is_ok(), "{whole}: still open after {:?}: {said}", began.elapsed());
        assert!(!said.contains("HTTP/1.1 200"), "{said}");
        assert!(said.is_empty() || said.starts_with("HTTP/1.1 408"), "{said}");
        dripping.abort();
    }
    client_credentials(&binary.wire(), &client).await.expect_status(200);
}

/// IJ-11: idle connections neither keep others out nor stay for ever.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn ij_11_idle_connections_are_dropped() {
    let settings = [("http.header_timeout", "1s"), ("http.max_connections", "32")];
    let binary = Binary::with(Engine::Sqlite, &settings).await;
    let mut idle = Vec::new();
    for _ in 0..64 {
        idle.push(connection(&binary, "listen").await);
    }
    // A part of HTTP/2's first words is no better than silence.
    for silent in &mut idle[..40] {
        silent.write_all(b"PRI * HTTP/2.0").await.expect("writing");
    }
    binary.management().get("/health/live").await.expect_status(200);
    binary.management().get("/health/ready").await.expect_status(200);
    let answer = timeout(Duration::from_secs(5), binary.wire().get("/jwks")).await.expect("nobody gets in");
    answer.expect_status(200);
}

/// IJ-09, IJ-02: a body above the limit is refused, declared or not, and the connection ends.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn ij_09_bodies_have_a_limit() {
    let binary = Binary::start(Engine::Sqlite).await;
    let client = with_service(&binary).await;
    let padded = |length: usize| {
        let (_, body) = token_request(&client);
        let body = format!("{body}&padding=");
        let filled = format!("{body}{}", "x".repeat(length - body.len()));
        binary.wire().call(reqwest::Method::POST, "/token").body("application/x-www-form-urlencoded", filled).send()
    };
    assert_ne!(padded(65_536).await.status.as_u16(), 413);
    padded(65_537).await.expect_error(413, "invalid_request");

    let memory = || {
        let status = std::fs::read_to_string(format!("/proc/{}/status", binary.id())).expect("its status");
        let line = status.lines().find(|line| line.starts_with("VmRSS")).expect("its memory").to_owned();
        line.split_whitespace().nth(1).expect("a number").parse::<u64>().expect("a number")
    };
    let before = memory();
    for path in ["/token", "/sign-in", "/authorize", "/userinfo", "/logout"] {
        let mut endless = connection(&binary, "listen").await;
        let head = format!(
            "POST {path} HTTP/1.1\r\nhost: localhost\r\ncontent-type: application/x-www-form-urlencoded\r\n\
             transfer-encoding: chunked\r\n\r\n"
        );
        endless.write_all(head.as_bytes()).await.expect("writing");
        let (mut reading, mut writing) = endless.into_split();
        let sending = tokio::spawn(async move {
            let chunk = format!("2000\r\n{}\r\n", "x".repeat(0x2000));
            while writing.write_all(chunk.as_bytes()).await.is_ok() {}
        });
        let mut said = [0; 12];
        let read = timeout(Duration::from_secs(5), reading.read_exact(&mut said)).await.expect("an end");
        assert!(read.is_err() || said == *b"HTTP/1.1 413", "{path}: {}", String::from_utf8_lossy(&said));
        let sent = timeout(Duration::from_secs(5), sending).await;
        assert!(sent.is_ok(), "{path}: it goes on reading");
    }
    assert!(memory() < before + 32 * 1024, "{} KiB before, {} now", before, memory());
    client_credentials(&binary.wire(), &client).await.expect_status(200);
}

/// IJ-12: where a body ends is never a matter of opinion: one answer at most, and the connection ends.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn ij_12_requests_cannot_be_smuggled() {
    let binary = Binary::start(Engine::Sqlite).await;
    let second = "GET /jwks HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n\r\n";
    let send = |headers: &str, body: &str| {
        let form = "content-type: application/x-www-form-urlencoded";
        let request = format!("POST /token HTTP/1.1\r\nhost: localhost\r\n{form}\r\n{headers}\r\n\r\n{body}{second}");
        let wire = binary.wire();
        async move { wire.raw(request.as_bytes()).await }
    };
    let answers = |said: &str| said.matches("HTTP/1.1 ").count();
    // The control: two requests, one after the other, are two answers.
    let said = send("content-length: 3", "a=b").await;
    assert_eq!(answers(&said), 2, "{said}");

    let refused = [
        ("content-length: 3\r\ncontent-length: 4", "a=b"),
        ("content-length: +3", "a=b"),
        ("content-length: 3, 4", "a=b"),
        ("transfer-encoding: identity", "a=b"),
        ("transfer-encoding: chunked, identity", "0\r\n\r\n"),
        ("transfer-encoding : chunked", "0\r\n\r\n"),
        ("transfer-encoding: xchunked", "0\r\n\r\n"),
    ];
    for (headers, body) in refused {
        let said = send(headers, body).await;
        assert!(said.starts_with("HTTP/1.1 400") && answers(&said) == 1, "{headers}: {said}");
    }
    // RFC 9112 §6.1: what says both is read as chunked and the connection ended, so that nothing behind it is believed.
    for headers in
        ["content-length: 3\r\ntransfer-encoding: chunked", "transfer-encoding: chunked\r\ncontent-length: 3"]
    {
        let said = send(headers, "0\r\n\r\n").await;
        assert!(said.starts_with("HTTP/1.1 4") && answers(&said) == 1, "{headers}: {said}");
        assert!(said.contains("connection: close"), "{headers}: {said}");
    }
    let old = "POST /token HTTP/1.0\r\nhost: localhost\r\ntransfer-encoding: chunked\r\n\r\n0\r\n\r\n";
    let said = binary.wire().raw(old.as_bytes()).await;
    assert!(said.contains(" 400 ") && said.matches("HTTP/1.").count() == 1, "{said}");
    binary.wire().get("/jwks").await.expect_status(200);
}

both_engines!(ij_14_odd_inputs_are_no_faults with [("limits.requests_at_once", "100000")]);
/// IJ-14: whatever is sent, the answer is not a 5xx, and the server lives.
async fn ij_14_odd_inputs_are_no_faults(server: TestServer) {
    let long = "x".repeat(20_000);
    let odd = [
        "",
        "%00",
        "a%00b",
        "%ff%fe",
        "%C3%28",
        "%F0%9F%92%A9",
        "%E2%80%AE",
        "%0d%0aset-cookie:%20x=y",
        "null",
        "[]",
        "{}",
        "-1",
        "9223372036854775808",
        "1e400",
        "NaN",
        "' OR 1=1--",
        "%27%3B DROP TABLE users--",
        "../../etc/passwd",
        "%",
        "%zz",
        "+",
        "..%2f",
        "%u0000",
        long.as_str(),
    ];
    let paths = [
        "/",
        "/authorize",
        "/authorize/consent",
        "/token",
        "/userinfo",
        "/logout",
        "/sign-in",
        "/sign-up",
        "/jwks",
        "/.well-known/openid-configuration",
        "/assets/x",
        "/nowhere",
    ];
    let names = [
        "client_id",
        "redirect_uri",
        "scope",
        "state",
        "nonce",
        "code_challenge",
        "prompt",
        "max_age",
        "id_token_hint",
        "login_hint",
        "interaction",
        "grant_type",
        "code",
        "refresh_token",
        "client_secret",
        "username",
        "password",
        "csrf",
        "resource",
        "access_token",
        "ui_locales",
        "acr_values",
        "email",
        "name",
    ];
    for value in odd {
        let query = names.map(|name| format!("{name}={value}")).join("&");
        let query = if value.len() > 1000 { format!("client_id={value}") } else { query };
        for path in paths {
            let get = format!(
                "GET {path}?{query} HTTP/1.1\r\nhost: localhost\r\ncookie: bonafide={value}\r\nconnection: close\r\n\r\n"
            );
            let post = |kind: &str, body: &str| {
                format!(
                    "POST {path} HTTP/1.1\r\nhost: localhost\r\ncontent-type: {kind}\r\nauthorization: Basic {value}\r\n\
                     accept-language: {value}\r\ncontent-length: {}\r\nconnection: close\r\n\r\n{body}",
                    body.len()
                )
            };
            let json = format!("{{\"a\": {value}}}");
            let form = "application/x-www-form-urlencoded";
            for request in [get, post(form, &query), post("application/json", &json), post(value, &query)] {
                let said = server.wire().raw(request.as_bytes()).await;
                let status = said.split(' ').nth(1).unwrap_or_default().to_owned();
                assert!(!status.starts_with('5'), "{request:.300}\n{said}");
                for leak in ["panicked", "sqlx", "SELECT ", "src/", "sea_orm"] {
                    assert!(!said.contains(leak), "IJ-20: {leak}: {request:.300}\n{said}");
                }
            }
        }
    }
    server.get("/jwks").await.expect_status(200);
    let client = server.application(&service()).await;
    client_credentials(&server.wire(), &client).await.expect_status(200);
}
