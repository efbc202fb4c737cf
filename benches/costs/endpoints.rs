//! The endpoints of OAuth and OpenID Connect, the start, memory, and tokens beside a storm of sign-ins.

use std::{
    net::TcpStream,
    sync::atomic::{AtomicBool, Ordering},
    thread,
    time::Duration,
};

use base64::{Engine as _, prelude::BASE64_STANDARD, prelude::BASE64_URL_SAFE_NO_PAD};
use serde_json::Value;
use sha2::{Digest as _, Sha256};

use super::clocks::rss_mib;
use super::floor::floor_ms;
use super::http::{Connection, cookies, get, hidden, post};
use super::load::{CONNECTIONS, closed_loop};
use super::provider::{PASSWORD, Place, drop_database};
use super::report::{Row, print_table};

const STORM: usize = 64;
const REDIRECT: &str = "http://127.0.0.1:9/callback";

/// What one connection goes on from.
struct User {
    connection: Connection,
    cookie: String,
    codes: Vec<String>,
    access_token: String,
    refresh_token: String,
}

/// What the requests are made of.
struct App {
    basic: String,
    verifier: String,
    authorize: String,
}

impl App {
    fn new(client: &Value) -> Self {
        let id = client["client_id"].as_str().expect("an id");
        let secret = client["client_secret"].as_str().expect("a secret");
        let verifier = "v".repeat(43);
        let challenge = BASE64_URL_SAFE_NO_PAD.encode(Sha256::digest(&verifier));
        let query = form_urlencoded::Serializer::new(String::new())
            .extend_pairs([
                ("response_type", "code"),
                ("client_id", id),
                ("redirect_uri", REDIRECT),
                ("scope", "openid profile email offline_access"),
                ("state", "0123456789abcdef0123456789abcdef"),
                ("nonce", "0123456789abcdef0123456789abcdef"),
                ("code_challenge", &challenge),
                ("code_challenge_method", "S256"),
            ])
            .finish();
        let credentials = BASE64_STANDARD.encode(format!("{id}:{secret}"));
        Self {
            basic: format!("authorization: Basic {credentials}\r\n"),
            verifier,
            authorize: format!("/authorize?{query}"),
        }
    }

    fn code(&self, user: &mut User) -> String {
        let reply = user.connection.send(&get(&self.authorize, &user.cookie)).expect(303);
        let location = reply.header("location").expect("a location");
        let code = location.split(['?', '&']).find_map(|pair| pair.strip_prefix("code="));
        code.unwrap_or_else(|| panic!("no code: {location}")).to_owned()
    }

    fn exchange(&self, user: &mut User, code: &str) {
        let fields = [
            ("grant_type", "authorization_code"),
            ("code", code),
            ("redirect_uri", REDIRECT),
            ("code_verifier", &self.verifier),
        ];
        let reply = user.connection.send(&post("/token", &self.basic, &fields)).expect(200);
        user.access_token = reply.member("access_token");
        user.refresh_token = reply.member("refresh_token");
    }

    fn refresh(&self, user: &mut User) {
        let fields = [("grant_type", "refresh_token"), ("refresh_token", user.refresh_token.as_str())];
        user.refresh_token =
            user.connection.send(&post("/token", &self.basic, &fields)).expect(200).member("refresh_token");
    }
}

/// Signs in on the page by itself; the session's cookie.
fn sign_in(connection: &mut Connection, origin: &str) -> String {
    let page = connection.send(&get("/sign-in", "")).expect(200);
    let cookie = cookies(&page, "");
    let html = String::from_utf8_lossy(&page.body).into_owned();
    let mut fields = vec![("username", "ada"), ("password", PASSWORD)];
    fields.extend(["csrf", "interaction"].iter().filter_map(|name| Some((*name, hidden(&html, name)?))));
    let headers = format!("{cookie}origin: {origin}\r\nsec-fetch-site: same-origin\r\n");
    let reply = connection.send(&post("/sign-in", &headers, &fields)).expect(303);
    cookies(&reply, &cookie)
}

#[expect(clippy::too_many_lines, reason = "one operation after the other, as they build on each other")]
pub(crate) fn measure(engine: &str, postgres: Option<&str>, signature: f64, time: Duration) {
    let mut place = Place::new(postgres);
    let issuer = format!("http://localhost:{}", place.settings["LISTEN"].rsplit(':').next().expect("a port"));
    place.settings.insert("ISSUER", issuer.clone());
    let database = place.database.clone();
    let person = ["user", "create", "--username", "ada", "--email", "ada@example.org", "--password-stdin", "--json"];
    place.cli(&person, PASSWORD);
    let client = [
        "client",
        "create",
        "--name",
        "Bench",
        "--first-party",
        "--redirect-uri",
        REDIRECT,
        "--grant",
        "authorization_code",
        "--grant",
        "refresh_token",
        "--grant",
        "client_credentials",
        "--json",
    ];
    let app = App::new(&place.cli(&client, ""));

    let mut starts: Vec<f64> = (0..5).map(|_| place.start().ready_ms).collect();
    starts.sort_by(f64::total_cmp);
    let provider = place.start();
    let id = provider.child.id();
    thread::sleep(Duration::from_secs(1));
    let idle = rss_mib(id);
    let processes = (id, database.as_deref());

    let mut users: Vec<User> = (0..CONNECTIONS)
        .map(|_| {
            let mut connection = Connection::open(provider.address);
            let cookie = sign_in(&mut connection, &issuer);
            let (codes, none) = (Vec::new(), String::new);
            User { connection, cookie, codes, access_token: none(), refresh_token: none() }
        })
        .collect();

    let mut rows = Vec::new();
    let plain = |path: &'static str, users: &mut [User]| {
        let request = get(path, "");
        closed_loop(processes, time, users, |user: &mut User| {
            user.connection.send(&request).expect(200);
            true
        })
    };
    for (what, path) in [("discovery", "/.well-known/openid-configuration"), ("jwks", "/jwks")] {
        let reply = users[0].connection.send(&get(path, "")).expect(200);
        // Interleaved, so that whatever else the machine does hits both alike.
        let floor = floor_ms(place.folder.path(), path, &reply, time);
        let cost = plain(path, &mut users);
        rows.push(Row { what, cost, floor: ("bare axum", floor), gate: Some(1.5), goal: None });
    }
    let credentials = post("/token", &app.basic, &[("grant_type", "client_credentials")]);
    let service = |user: &mut User| {
        user.connection.send(&credentials).expect(200);
        true
    };
    let cost = closed_loop(processes, time, &mut users, service);
    rows.push(Row {
        what: "client_credentials",
        cost,
        floor: ("one signature", signature),
        gate: Some(1.4),
        goal: Some(1.2),
    });
    let cost = closed_loop(processes, time, &mut users, |user: &mut User| {
        let code = app.code(user);
        user.codes.push(code);
        true
    });
    // 0.15 ms where a signature costs 0.25.
    rows.push(Row {
        what: "authorize, live session",
        cost,
        floor: ("one signature", signature),
        gate: None,
        goal: Some(0.6),
    });
    let cost = closed_loop(processes, time, &mut users, |user: &mut User| {
        let Some(code) = user.codes.pop() else { return false };
        app.exchange(user, &code);
        true
    });
    rows.push(Row {
        what: "code exchange",
        cost,
        floor: ("two signatures", signature * 2.0),
        gate: Some(1.7),
        goal: Some(1.4),
    });
    let cost = closed_loop(processes, time, &mut users, |user: &mut User| {
        app.refresh(user);
        true
    });
    rows.push(Row {
        what: "refresh",
        cost,
        floor: ("two signatures", signature * 2.0),
        gate: Some(1.7),
        goal: Some(1.4),
    });
    let cost = closed_loop(processes, time, &mut users, |user: &mut User| {
        let request = get("/userinfo", &format!("authorization: Bearer {}\r\n", user.access_token));
        user.connection.send(&request).expect(200);
        true
    });
    rows.push(Row { what: "userinfo", cost, floor: ("one signature", signature), gate: None, goal: Some(0.32) });
    let loaded = rss_mib(id);

    // The storm: a quarter of the connections, so that what is measured is not the queue of our own making.
    let calm = closed_loop(processes, time, &mut users[..4], service);
    let over = AtomicBool::new(false);
    let (stormy, signed_in) = thread::scope(|threads| {
        let people: Vec<_> = (0..STORM)
            .map(|_| {
                threads.spawn(|| {
                    let (mut connection, mut count) = (Connection::open(provider.address), 0_u32);
                    while !over.load(Ordering::Relaxed) {
                        sign_in(&mut connection, &issuer);
                        count += 1;
                    }
                    count
                })
            })
            .collect();
        thread::sleep(Duration::from_millis(500));
        let stormy = closed_loop(processes, time, &mut users[..4], service);
        over.store(true, Ordering::Relaxed);
        (stormy, people.into_iter().map(|person| person.join().expect("a person")).sum::<u32>())
    });

    print_table(engine, &rows);
    println!("start to ready: {:.0} ms of CPU (gate 150, goal 60)", starts[starts.len() / 2]);
    println!("memory: idle {idle:.1} MiB (gate 40, goal 30), after load {loaded:.1} MiB (gate 60)");
    println!(
        "client_credentials p99: {:.2} ms alone, {:.2} ms under {STORM} parallel sign-ins ({signed_in} done): {:.1} x (gate 2)\n",
        calm.p99_ms,
        stormy.p99_ms,
        stormy.p99_ms / calm.p99_ms
    );
    let management = provider.management;
    drop(provider);
    assert!(TcpStream::connect(management).is_err());
    drop_database(postgres, database.as_deref());
}
