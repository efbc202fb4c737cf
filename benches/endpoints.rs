//! What an operation costs: CPU of the provider's process, as a ratio to floors measured in the same run.
//!
//! `cargo bench`; with `BONAFIDE_TEST_POSTGRES` set on PostgreSQL too. `BENCH_SECONDS` (3) is the time for each operation.
//! CPU, not latency: on a machine that others use too it is by far the steadiest figure.
#![expect(
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    reason = "a bench stops where something is not as it expects"
)]
#![expect(clippy::disallowed_methods, reason = "a bench measures real time and stands outside")]
#![expect(clippy::cast_precision_loss, reason = "figures for people")]

use std::{
    collections::BTreeMap,
    env, fs,
    io::{BufRead as _, BufReader, Read as _, Write as _},
    net::{SocketAddr, TcpListener, TcpStream},
    path::Path,
    process::{Child, Command, Stdio},
    sync::{
        Barrier,
        atomic::{AtomicBool, Ordering},
    },
    thread,
    time::{Duration, Instant},
};

use base64::{Engine as _, prelude::BASE64_STANDARD, prelude::BASE64_URL_SAFE_NO_PAD};
use openssl::{hash::MessageDigest, pkey::PKey, rsa::Rsa, sign::Signer};
use serde_json::Value;
use sha2::{Digest as _, Sha256};

const CONNECTIONS: usize = 16;
const STORM: usize = 64;
const PASSWORD: &str = "plum violin 42 harbour";
const REDIRECT: &str = "http://127.0.0.1:9/callback";
const FLOOR: &str = "BONAFIDE_BENCH_FLOOR";

fn main() {
    if let Ok(file) = env::var(FLOOR) {
        return serve_floor(&file);
    }
    let seconds = env::var("BENCH_SECONDS").ok().and_then(|text| text.parse().ok()).unwrap_or(3.0);
    let signature = signature_ms(Duration::from_secs_f64(seconds));
    println!("floor: one RSA-2048 signature {signature:.4} ms of CPU, two {:.4} ms", signature * 2.0);
    let mut engines = vec![("SQLite", None)];
    if let Ok(url) = env::var("BONAFIDE_TEST_POSTGRES") {
        engines.push(("PostgreSQL", Some(url)));
    }
    for (name, postgres) in engines {
        measure(name, postgres.as_deref(), signature, Duration::from_secs_f64(seconds));
    }
}

/// CPU of one signature, on this thread alone.
fn signature_ms(time: Duration) -> f64 {
    let key = PKey::from_rsa(Rsa::generate(2048).expect("a key")).expect("a key");
    let payload = [7; 400];
    let sign = || {
        let mut signer = Signer::new(MessageDigest::sha256(), &key).expect("a signer");
        signer.sign_oneshot_to_vec(&payload).expect("a signature")
    };
    sign();
    let (began, before, mut count) = (Instant::now(), cpu_ms("/proc/thread-self/stat"), 0_u32);
    while began.elapsed() < time {
        sign();
        count += 1;
    }
    (cpu_ms("/proc/thread-self/stat") - before) / f64::from(count)
}

/// utime and stime of a `stat` file; 0 when the process is gone.
fn cpu_ms(stat: &str) -> f64 {
    let Ok(text) = fs::read_to_string(stat) else { return 0.0 };
    let fields: Vec<_> = text.rsplit(')').next().expect("fields").split_whitespace().collect();
    let ticks: u64 = fields[11].parse::<u64>().expect("utime") + fields[12].parse::<u64>().expect("stime");
    // Linux counts in hundredths of a second here, whatever the kernel's own tick is.
    ticks as f64 * 10.0
}

fn process_ms(id: u32) -> f64 {
    cpu_ms(&format!("/proc/{id}/stat"))
}

/// CPU of the PostgreSQL processes that serve this database.
fn backends_ms(database: Option<&str>) -> f64 {
    let Some(database) = database else { return 0.0 };
    let mut all = 0.0;
    for entry in fs::read_dir("/proc").expect("/proc").flatten() {
        let path = entry.path();
        let title = fs::read(path.join("cmdline")).unwrap_or_default();
        let title = String::from_utf8_lossy(&title).into_owned();
        if title.starts_with("postgres: ") && title.split(' ').any(|word| word == database) {
            all += cpu_ms(&path.join("stat").display().to_string());
        }
    }
    all
}

fn rss_mib(id: u32) -> f64 {
    let status = fs::read_to_string(format!("/proc/{id}/status")).expect("its status");
    let line = status.lines().find(|line| line.starts_with("VmRSS")).expect("its memory").to_owned();
    line.split_whitespace().nth(1).and_then(|kib| kib.parse::<f64>().ok()).expect("a number") / 1024.0
}

/// One keep-alive connection, one request at a time.
struct Connection {
    stream: BufReader<TcpStream>,
}

struct Reply {
    status: u16,
    head: String,
    body: Vec<u8>,
}

impl Connection {
    fn open(address: SocketAddr) -> Self {
        let stream = TcpStream::connect(address).expect("a connection");
        stream.set_nodelay(true).expect("no delay");
        stream.set_read_timeout(Some(Duration::from_mins(1))).expect("a timeout");
        Self { stream: BufReader::new(stream) }
    }

    fn send(&mut self, request: &[u8]) -> Reply {
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
    fn expect(self, status: u16) -> Self {
        assert_eq!(self.status, status, "{}\n{}", self.head, String::from_utf8_lossy(&self.body));
        self
    }

    fn json(&self) -> Value {
        serde_json::from_slice(&self.body).expect("JSON")
    }

    fn header(&self, wanted: &str) -> Option<&str> {
        self.head.lines().find_map(|line| {
            let (name, value) = line.split_once(':')?;
            name.eq_ignore_ascii_case(wanted).then(|| value.trim())
        })
    }

    fn member(&self, name: &str) -> String {
        self.json()[name].as_str().unwrap_or_else(|| panic!("no {name}: {}", self.head)).to_owned()
    }
}

fn get(path: &str, headers: &str) -> Vec<u8> {
    format!("GET {path} HTTP/1.1\r\nhost: localhost\r\n{headers}\r\n").into_bytes()
}

fn post(path: &str, headers: &str, fields: &[(&str, &str)]) -> Vec<u8> {
    let body = form_urlencoded::Serializer::new(String::new()).extend_pairs(fields).finish();
    format!(
        "POST {path} HTTP/1.1\r\nhost: localhost\r\n{headers}content-type: application/x-www-form-urlencoded\r\n\
         content-length: {}\r\n\r\n{body}",
        body.len()
    )
    .into_bytes()
}

/// What an operation cost.
struct Cost {
    operations: u64,
    ms: f64,
    database_ms: f64,
    p99_ms: f64,
}

/// Runs a step on every connection until the time is over, and reads the processes' clocks around it.
fn closed_loop<S: Send>(
    processes: (u32, Option<&str>),
    time: Duration,
    states: &mut [S],
    step: impl Fn(&mut S) -> bool + Sync,
) -> Cost {
    let start = Barrier::new(states.len() + 1);
    thread::scope(|threads| {
        let running: Vec<_> = states
            .iter_mut()
            .map(|state| {
                threads.spawn(|| {
                    start.wait();
                    let (began, mut took) = (Instant::now(), Vec::new());
                    while began.elapsed() < time {
                        let one = Instant::now();
                        if !step(state) {
                            break;
                        }
                        took.push(one.elapsed());
                    }
                    took
                })
            })
            .collect();
        let before = (process_ms(processes.0), backends_ms(processes.1));
        start.wait();
        let mut took: Vec<_> = running.into_iter().flat_map(|thread| thread.join().expect("a connection")).collect();
        let after = (process_ms(processes.0), backends_ms(processes.1));
        took.sort_unstable();
        let operations = took.len() as u64;
        let each = |all: f64| all / took.len().max(1) as f64;
        let p99_ms = took.get(took.len() * 99 / 100).map_or(0.0, |time| time.as_secs_f64() * 1000.0);
        Cost { operations, ms: each(after.0 - before.0), database_ms: each(after.1 - before.1), p99_ms }
    })
}

/// A running release build of the provider, ended when it is dropped.
struct Provider {
    child: Child,
    address: SocketAddr,
    management: SocketAddr,
    ready_ms: f64,
}

impl Drop for Provider {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Where the provider of the bench lives.
struct Place {
    folder: tempfile::TempDir,
    settings: BTreeMap<&'static str, String>,
    database: Option<String>,
}

impl Place {
    fn new(postgres: Option<&str>) -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        let (url, database) = match postgres {
            None => (format!("sqlite://{}", folder.path().join("data/bonafide.db").display()), None),
            Some(server) => {
                let name = format!("bench_{}", std::process::id());
                sql(server, &format!("CREATE DATABASE {name}"));
                let mut url = url::Url::parse(server).expect("BONAFIDE_TEST_POSTGRES is a URL");
                url.set_path(&name);
                (url.to_string(), Some(name))
            }
        };
        let port = || TcpListener::bind("127.0.0.1:0").expect("a port").local_addr().expect("an address").to_string();
        let settings = BTreeMap::from([
            ("LISTEN", port()),
            ("MANAGEMENT__LISTEN", port()),
            ("DATABASE__URL", url),
            ("KEYS__DIR", folder.path().join("keys").display().to_string()),
            ("LIMITS__ENABLED", "false".to_owned()),
            ("TOKENS__CODE_LIFETIME", "10m".to_owned()),
            ("LOG__LEVEL", "error".to_owned()),
        ]);
        Self { folder, settings, database }
    }

    fn command(&self) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_bonafide"));
        command.current_dir(self.folder.path()).env_clear().stdin(Stdio::null());
        command.envs(self.settings.iter().map(|(name, value)| (format!("BONAFIDE_{name}"), value)));
        command
    }

    fn cli(&self, arguments: &[&str], input: &str) -> Value {
        let mut command = self.command();
        command.args(arguments).stdin(Stdio::piped()).stdout(Stdio::piped());
        let mut child = command.spawn().expect("the program");
        child.stdin.take().expect("its input").write_all(input.as_bytes()).expect("writing");
        let output = child.wait_with_output().expect("its end");
        assert!(output.status.success(), "{arguments:?}");
        serde_json::from_slice(&output.stdout).expect("JSON")
    }

    fn start(&self) -> Provider {
        let address = |name| self.settings[name].parse::<SocketAddr>().expect("an address");
        let child = self.command().arg("serve").stdout(Stdio::null()).spawn().expect("the program");
        let (address, management) = (address("LISTEN"), address("MANAGEMENT__LISTEN"));
        let mut provider = Provider { child, address, management, ready_ms: 0.0 };
        let deadline = Instant::now() + Duration::from_mins(1);
        while TcpStream::connect(management).is_err() {
            assert!(Instant::now() < deadline, "not ready after a minute");
            thread::sleep(Duration::from_millis(2));
        }
        Connection::open(management).send(&get("/health/ready", "")).expect(200);
        provider.ready_ms = process_ms(provider.child.id());
        provider
    }
}

fn sql(url: &str, statement: &str) {
    use sea_orm::ConnectionTrait as _;
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
    runtime.block_on(async {
        let connection = sea_orm::Database::connect(url).await.expect("PostgreSQL");
        connection.execute_unprepared(statement).await.expect("a statement");
        connection.close().await.expect("closing");
    });
}

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

/// Cookies that an answer sets, as a request's header.
fn cookies(reply: &Reply, earlier: &str) -> String {
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
fn hidden<'p>(page: &'p str, name: &str) -> Option<&'p str> {
    let at = page.find(&format!("name=\"{name}\""))?;
    let tag = &page[page[..at].rfind('<')?..];
    let tag = &tag[..tag.find('>')?];
    tag.split("value=\"").nth(1)?.split('"').next()
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

struct Row {
    what: &'static str,
    cost: Cost,
    floor: (&'static str, f64),
    gate: Option<f64>,
    goal: Option<f64>,
}

#[expect(clippy::too_many_lines, reason = "one operation after the other, as they build on each other")]
fn measure(engine: &str, postgres: Option<&str>, signature: f64, time: Duration) {
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
    if let (Some(server), Some(name)) = (postgres, &database) {
        sql(server, &format!("DROP DATABASE {name} WITH (FORCE)"));
    }
}

fn print_table(engine: &str, rows: &[Row]) {
    println!("\n{engine}, {CONNECTIONS} connections; ms of CPU an operation");
    println!(
        "{:<24} {:>9} {:>9} {:>9}  {:<15} {:>7} {:>6} {:>6}  verdict",
        "operation", "count", "provider", "database", "floor", "ratio", "gate", "goal"
    );
    for Row { what, cost, floor: (floor, floor_ms), gate, goal } in rows {
        let ratio = cost.ms / floor_ms;
        let limit = |limit: Option<f64>| limit.map_or("-".to_owned(), |limit| format!("{limit:.2}"));
        let verdict = match (gate, goal) {
            (Some(gate), _) if ratio > *gate => "ABOVE THE GATE",
            (_, Some(goal)) if ratio > *goal => "above the goal",
            _ => "good",
        };
        println!(
            "{what:<24} {:>9} {:>9.4} {:>9.4}  {floor:<15} {ratio:>7.2} {:>6} {:>6}  {verdict}",
            cost.operations,
            cost.ms,
            cost.database_ms,
            limit(*gate),
            limit(*goal)
        );
    }
}

/// CPU of a bare axum handler, in a process of its own, that sends the same bytes and headers.
fn floor_ms(folder: &Path, path: &str, reply: &Reply, time: Duration) -> f64 {
    let file = folder.join("floor");
    let head: String =
        reply.head.lines().skip(1).filter(|line| !line.is_empty()).fold(String::new(), |head, line| head + line + "\n");
    fs::write(&file, [head.as_bytes(), b"\n", &reply.body].concat()).expect("writing");
    let mut child = Command::new(env::current_exe().expect("this program"))
        .env(FLOOR, &file)
        .stdout(Stdio::piped())
        .spawn()
        .expect("the floor");
    let mut line = String::new();
    BufReader::new(child.stdout.take().expect("its output")).read_line(&mut line).expect("its address");
    let address = line.trim().parse().expect("an address");
    let request = get(path, "");
    let mut connections: Vec<_> = (0..CONNECTIONS).map(|_| Connection::open(address)).collect();
    let cost = closed_loop((child.id(), None), time, &mut connections, |connection: &mut Connection| {
        connection.send(&request).expect(200);
        true
    });
    child.kill().expect("its end");
    child.wait().expect("its end");
    cost.ms
}

/// The floor's process: the answer that the file holds, to every request.
fn serve_floor(file: &str) {
    use axum::http::{HeaderMap, HeaderName, HeaderValue};
    let bytes = fs::read(file).expect("the answer");
    let end = bytes.windows(2).position(|pair| pair == b"\n\n").expect("an end of the head");
    let (head, body) =
        (String::from_utf8_lossy(&bytes[..end]).into_owned(), axum::body::Bytes::from(bytes[end + 2..].to_vec()));
    let headers: HeaderMap = head
        .lines()
        .filter_map(|line| line.split_once(':'))
        .filter(|(name, _)| !["date", "content-length"].contains(&name.to_ascii_lowercase().as_str()))
        .map(|(name, value)| {
            let name = HeaderName::from_bytes(name.as_bytes()).expect("a name");
            (name, HeaderValue::from_str(value.trim()).expect("a value"))
        })
        .collect();
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().expect("a runtime");
    runtime.block_on(async {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.expect("a listener");
        println!("{}", listener.local_addr().expect("an address"));
        let answer = move || {
            let (headers, body) = (headers.clone(), body.clone());
            async move { (headers, body) }
        };
        let router = axum::Router::new().route("/{*path}", axum::routing::get(answer));
        axum::serve(listener, router).await.expect("serving");
    });
}
