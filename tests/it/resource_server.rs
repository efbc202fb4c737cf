//! `examples/resource-server` as its guide has it: registered by the guide's own commands, started beside a provider,
//! asked with real tokens; and beside a provider of the test's making, with tokens that no real one gives.

use std::{
    fs,
    io::{BufRead, BufReader},
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    sync::{
        Arc, Mutex,
        atomic::{AtomicUsize, Ordering},
    },
    thread,
    time::{Duration, Instant},
};

use axum::{Json, Router, http::header::CACHE_CONTROL, routing::get};
use base64::{Engine as _, prelude::BASE64_URL_SAFE_NO_PAD};
use jsonwebtoken::{Algorithm, EncodingKey, Header, jwk::Jwk};
use reqwest::Method;
use serde_json::{Value, json};

use crate::support::{
    Answer, Application, Binary, ClientAuth, Engine, Flow, Listen, Person, Place, Tokens, Wire, in_time,
};

const AUDIENCE: &str = "https://notes.example";
const ALL: &str = "notes roles permissions";

/// What cargo builds beside the provider.
fn program() -> PathBuf {
    let program = Path::new(env!("CARGO_BIN_EXE_bonafide")).with_file_name("resource-server");
    assert!(program.is_file(), "{}: not there; `cargo build -p resource-server` makes it", program.display());
    program
}

/// The example, running. Dropped, it is ended.
struct Notes {
    child: Child,
    wire: Wire,
    said: Arc<Mutex<String>>,
}

impl Notes {
    /// Starts it with these variables in its environment and nothing else of ours; reads where it listens.
    fn start(issuer: &str, more: &[(&str, &str)]) -> Self {
        let mut command = Command::new(program());
        command.env_clear().env("ISSUER", issuer).env("AUDIENCE", AUDIENCE).env("LISTEN", "127.0.0.1:0");
        command.envs(more.iter().copied()).stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child = command.spawn().unwrap_or_else(|error| panic!("{command:?}: {error}"));
        let (said, errors) = (Arc::<Mutex<String>>::default(), child.stderr.take().expect("its errors"));
        let to = Arc::clone(&said);
        thread::spawn(move || {
            for line in BufReader::new(errors).lines().map_while(Result::ok) {
                to.lock().unwrap().extend([line.as_str(), "\n"]);
            }
        });
        let mut line = String::new();
        BufReader::new(child.stdout.take().expect("its output")).read_line(&mut line).expect("a line");
        let url = line.trim().strip_prefix("listening on ").unwrap_or_else(|| panic!("{line:?} {said:?}"));
        let wire = Wire::new(url, url.trim_start_matches("http://"));
        Self { child, wire, said }
    }

    /// As the service account that the guide registers for it.
    fn of(place: &Place, registered: &Registered) -> Self {
        let secret = registered.api.secret();
        Self::start(place.issuer(), &[("CLIENT_ID", &registered.api.id), ("CLIENT_SECRET", secret)])
    }

    async fn get(&self, path: &str, token: &str) -> Answer {
        self.wire.call(Method::GET, path).bearer(token).send().await
    }

    async fn write(&self, method: Method, path: &str, token: &str) -> Answer {
        self.wire.call(method, path).bearer(token).json(&json!({"text": "milk"})).send().await
    }

    /// Writes a note; its path.
    async fn note(&self, token: &str) -> String {
        let answer = self.write(Method::POST, "/notes", token).await.expect_status(201);
        format!("/notes/{}", answer.json::<Value>()["id"])
    }

    async fn update(&self, note: &str, token: &str) -> Answer {
        self.write(Method::PUT, note, token).await
    }

    /// Stops unless the token is refused as no good token is.
    async fn expect_refused(&self, token: &str, why: &str) {
        let answer = self.get("/notes", token).await;
        refused(&answer, 401, &format!("error=\"invalid_token\", error_description=\"{why}\""));
    }
}

impl Drop for Notes {
    fn drop(&mut self) {
        // It may have ended by itself.
        let _ = self.child.kill();
        let _ = self.child.wait();
        if thread::panicking() {
            eprintln!("--- resource-server\n{}", self.said.lock().unwrap());
        }
    }
}

/// Checks a refusal: a problem, and a challenge with this in it.
#[track_caller]
fn refused(answer: &Answer, status: u16, challenge: &str) {
    assert_eq!(answer.status.as_u16(), status, "{answer:#?}");
    assert_eq!(answer.header("content-type"), "application/problem+json", "{answer:#?}");
    assert_eq!(answer.json::<Value>()["status"], status, "{answer:#?}");
    let told = answer.header("www-authenticate");
    assert!(told.starts_with("Bearer realm=\"notes\"") && told.ends_with(challenge), "{challenge}: {answer:#?}");
}

#[track_caller]
fn forbidden(answer: &Answer, why: &str) {
    refused(answer, 403, &format!("error=\"insufficient_scope\", error_description=\"{why}\""));
}

/// What cannot be decided is not allowed.
#[track_caller]
fn undecided(answer: &Answer) {
    assert_eq!(answer.status.as_u16(), 503, "{answer:#?}");
    assert_eq!((answer.header("content-type"), answer.header("retry-after")), ("application/problem+json", "5"));
}

/// What the guide's commands make.
struct Registered {
    api: Application,
    web: Application,
    backup: Application,
    ada: Person,
    /// For Ada's programs, at the API.
    notes_key: String,
    /// The API's own, for asking.
    decisions_key: String,
}

/// Runs the commands of the guide's first chapter, as they stand there.
async fn register(binary: &Binary) -> Registered {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let guide = fs::read_to_string(root.join("examples/resource-server/README.md")).expect("the guide");
    let chapter = guide.split("\n## ").find(|chapter| chapter.starts_with("Register")).expect("the chapter");
    let blocks: Vec<&str> = chapter.split("```").skip(1).step_by(2).collect();
    assert!(blocks.iter().all(|block| block.starts_with("sh\n")), "{blocks:#?}");
    let mut script: String = blocks.iter().map(|block| &block[2..]).collect();
    for name in ["NOTES_API_SECRET", "NOTES_WEB_SECRET", "NOTES_BACKUP_SECRET", "NOTES_KEY", "DECISIONS_KEY"] {
        script.extend(["echo SECRET \"$", name, "\"\n"]);
    }

    let program = binary.command(&binary.settings(Listen::AsSet));
    let folder = Path::new(program.get_program()).parent().expect("a folder").display();
    let path = format!("{folder}:{}", std::env::var("PATH").unwrap_or_default());
    let mut shell = Command::new("sh");
    shell.args(["-euc", &script]).current_dir(root).env_clear();
    shell.envs(program.get_envs().filter_map(|(name, value)| Some((name, value?)))).env("PATH", path);
    let output = tokio::task::spawn_blocking(move || shell.output().expect("a shell")).await.expect("its end");
    let told = String::from_utf8_lossy(&output.stdout).into_owned();
    assert!(output.status.success(), "{told}\n{}", String::from_utf8_lossy(&output.stderr));

    let mut secrets = told.lines().filter_map(|line| line.strip_prefix("SECRET ")).map(str::to_owned);
    let mut client = |id: &str, redirect_uri: &str| {
        let auth = ClientAuth::Basic(secrets.next().expect("a secret"));
        Application { id: id.to_owned(), auth, redirect_uri: redirect_uri.to_owned() }
    };
    let (api, web, backup) =
        (client("notes-api", ""), client("notes-web", "http://127.0.0.1:3000/callback"), client("notes-backup", ""));
    let shown: Value = binary.cli(&["user", "show", "ada@example.org", "--json"]).await.json();
    let ada = Person {
        id: shown["id"].as_str().expect("an id").to_owned(),
        username: "ada@example.org".to_owned(),
        email: "ada@example.org".to_owned(),
        name: String::new(),
        password: "plum violin 42 harbour".to_owned(),
    };
    Registered { api, web, backup, ada, notes_key: secrets.next().unwrap(), decisions_key: secrets.next().unwrap() }
}

/// Signs somebody in to the web application, by its code flow.
async fn signed_in(binary: &Binary, web: &Application, person: &Person) -> Tokens {
    let flow = Flow::new(web).with("scope", &format!("openid {ALL}"));
    flow.tokens(&binary.wire(), &mut binary.browser(), person).await
}

/// A program's own token.
async fn own_token(binary: &Binary, client: &Application, scope: &str) -> String {
    let fields = [("grant_type", "client_credentials"), ("scope", scope)];
    Tokens(client.post(binary.wire().call(Method::POST, "/token"), &fields).await).expect_tokens().access_token()
}

async fn with_role(binary: &Binary, username: &str, role: &str) -> Person {
    let person = binary.person(username).await;
    binary.cli(&["role", "assign", role, username]).await.expect_success();
    person
}

each_engine!(ap_07_roles_permissions_and_policies_let_in_and_keep_out);
async fn ap_07_roles_permissions_and_policies_let_in_and_keep_out(engine: Engine) {
    let binary = Binary::start(engine).await;
    let registered = register(&binary).await;
    let notes = Notes::of(binary.place(), &registered);
    let (bob, carol) = (with_role(&binary, "bob", "reader").await, binary.person("carol").await);
    let ada = signed_in(&binary, &registered.web, &registered.ada).await.access_token();
    let bob = signed_in(&binary, &registered.web, &bob).await.access_token();
    let carol = signed_in(&binary, &registered.web, &carol).await.access_token();
    let backup = own_token(&binary, &registered.backup, ALL).await;

    // Permissions.
    let note = notes.note(&ada).await;
    let own = notes.get("/notes", &ada).await.expect_status(200).json::<Value>();
    assert_eq!(own, json!([{"id": 1, "owner": {"type": "user", "id": registered.ada.id}, "text": "milk"}]));
    assert_eq!(notes.get("/notes", &bob).await.expect_status(200).json::<Value>(), json!([]));
    forbidden(&notes.write(Method::POST, "/notes", &bob).await, "the permission notes:write is needed");
    forbidden(&notes.get("/notes", &carol).await, "the permission notes:read is needed");

    // A role.
    assert_eq!(notes.get("/admin/notes", &backup).await.expect_status(200).json::<Value>(), own);
    forbidden(&notes.get("/admin/notes", &ada).await, "the role editor is needed");

    // A decision: an owner, an editor, and neither of them.
    notes.update(&note, &ada).await.expect_status(200);
    notes.update(&note, &backup).await.expect_status(200);
    for other in [&bob, &carol] {
        forbidden(&notes.update(&note, other).await, "no policy allows this");
    }
    notes.update("/notes/2", &ada).await.expect_status(404);
    notes.update("/notes/x", &ada).await.expect_status(404);
    let odd = notes.wire.call(Method::PUT, &note).bearer(&ada).json(&json!({"text": "x", "owner": "me"})).send().await;
    odd.expect_status(400);

    // What the application was not allowed, nobody does by it; and claims that it does not ask for are not there.
    let unscoped = own_token(&binary, &registered.backup, "roles permissions").await;
    refused(&notes.get("/notes", &unscoped).await, 403, "error=\"insufficient_scope\", scope=\"notes\"");
    let bare = own_token(&binary, &registered.backup, "notes").await;
    forbidden(&notes.get("/notes", &bare).await, "the permission notes:read is needed");
    forbidden(&notes.get("/admin/notes", &bare).await, "the role editor is needed");

    // By an API key of its own it may ask as well; by nothing good it hears nothing, which is no yes.
    let by_key = Notes::start(binary.issuer(), &[("API_KEY", &registered.decisions_key)]);
    let (theirs, other) = (by_key.note(&ada).await, Notes::start(binary.issuer(), &[("API_KEY", "bfk_wrong")]));
    by_key.update(&theirs, &ada).await.expect_status(200);
    forbidden(&by_key.update(&theirs, &bob).await, "no policy allows this");
    undecided(&other.update(&other.note(&ada).await, &ada).await);

    // AP-07: a role that is taken away opens what is read from a token until that ends, and nothing that is decided.
    binary.cli(&["role", "unassign", "editor", "notes-backup", "--client"]).await.expect_success();
    let began = Instant::now();
    while notes.update(&note, &backup).await.status.as_u16() != 403 {
        assert!(began.elapsed() < Duration::from_secs(5), "the decision is still yes");
    }
    notes.get("/admin/notes", &backup).await.expect_status(200);
    let fresh = own_token(&binary, &registered.backup, ALL).await;
    forbidden(&notes.get("/admin/notes", &fresh).await, "the role editor is needed");
}

each_engine!(tj_01_tj_03_tj_05_only_an_access_token_for_this_api_is_taken);
async fn tj_01_tj_03_tj_05_only_an_access_token_for_this_api_is_taken(engine: Engine) {
    let binary = Binary::start(engine).await;
    let registered = register(&binary).await;
    let notes = Notes::of(binary.place(), &registered);
    let tokens = signed_in(&binary, &registered.web, &registered.ada).await;
    let good = tokens.access_token();
    notes.get("/notes", &good).await.expect_status(200);

    let shown = |header: &str| notes.wire.call(Method::GET, "/notes").header("authorization", header);
    shown(&format!("bearer {good}")).send().await.expect_status(200);
    // TJ-22.
    for call in [
        notes.wire.call(Method::GET, "/notes"),
        shown(&good),
        shown(&format!("Token {good}")),
        notes.wire.call(Method::GET, &format!("/notes?access_token={good}")),
        notes.wire.call(Method::GET, "/notes").basic("notes-api", registered.api.secret()),
        notes.wire.call(Method::GET, "/notes").bearer(&good).bearer(&good),
    ] {
        let answer = call.send().await;
        refused(&answer, 401, "Bearer realm=\"notes\"");
    }
    notes.expect_refused(&tokens.id_token(), "this is no access token").await;

    // For the provider itself: a client without an API of its own.
    let elsewhere = own_token(&binary, &registered.api, "").await;
    assert_eq!(Tokens::claims(&elsewhere)["aud"], binary.issuer());
    notes.expect_refused(&elsewhere, "the token is for another API").await;

    // TJ-05, TJ-06: changed after it was signed, with another's signature, without one.
    let parts: Vec<&str> = good.split('.').collect();
    let mut claims = Tokens::claims(&good);
    claims["roles"] = json!(["editor"]);
    let encode = |value: &Value| BASE64_URL_SAFE_NO_PAD.encode(value.to_string());
    notes.expect_refused(&format!("{}.{}.{}", parts[0], encode(&claims), parts[2]), "the token is not valid").await;
    let header = jsonwebtoken::decode_header(&good).expect("a header");
    let mut other = Header { kid: header.kid.clone(), typ: header.typ.clone(), ..Header::new(Algorithm::ES256) };
    let forged = jsonwebtoken::encode(&other, &claims, &signing_key().0).expect("signing");
    notes.expect_refused(&forged, "the token is not valid").await;
    other.alg = Algorithm::HS256;
    let jwks = binary.wire().get("/jwks").await.body;
    let forged = jsonwebtoken::encode(&other, &claims, &EncodingKey::from_secret(jwks.as_bytes())).expect("signing");
    notes.expect_refused(&forged, "the token is not valid").await;
    let none = encode(&json!({"alg": "none", "typ": "at+jwt", "kid": header.kid}));
    for signature in ["", parts[2]] {
        notes.expect_refused(&format!("{none}.{}.{signature}", parts[1]), "the token cannot be read").await;
    }

    // An API key is no token; the provider says what it is to the API that asks.
    notes.expect_refused(&registered.notes_key, "the token cannot be read").await;
    let call = binary.wire().call(Method::POST, "/introspect");
    let said: Value = registered.api.post(call, &[("token", &registered.notes_key)]).await.json();
    assert_eq!((&said["active"], &said["aud"], &said["scope"]), (&json!(true), &json!(AUDIENCE), &json!("notes")));
    assert_eq!(said["sub"], registered.ada.id);
    notes.get("/notes", &good).await.expect_status(200);
}

each_engine!(tj_19_keys_change_and_the_provider_goes_away);
async fn tj_19_keys_change_and_the_provider_goes_away(engine: Engine) {
    let mut binary = Binary::start(engine).await;
    let registered = register(&binary).await;
    let notes = Notes::of(binary.place(), &registered);
    let old = signed_in(&binary, &registered.web, &registered.ada).await.access_token();
    let note = notes.note(&old).await;

    // The next key was published ahead and is known; the one after that is new to everybody.
    let mut kids = vec![jsonwebtoken::decode_header(&old).unwrap().kid];
    for _ in 0..2 {
        binary.cli(&["key", "rotate", "--now"]).await.expect_success();
        let began = Instant::now();
        let token = loop {
            let token = own_token(&binary, &registered.backup, ALL).await;
            let kid = jsonwebtoken::decode_header(&token).unwrap().kid;
            if !kids.contains(&kid) {
                kids.push(kid);
                break token;
            }
            assert!(began.elapsed() < Duration::from_secs(5), "the next key does not sign");
        };
        notes.get("/admin/notes", &token).await.expect_status(200);
        notes.get("/notes", &old).await.expect_status(200);
    }

    // It hangs: nobody waits for it long.
    notes.update(&note, &old).await.expect_status(200);
    binary.signal("STOP");
    let began = Instant::now();
    undecided(&notes.update(&note, &old).await);
    assert!(began.elapsed() < Duration::from_secs(10), "{:?}", began.elapsed());
    notes.get("/notes", &old).await.expect_status(200);
    binary.signal("CONT");

    // It is gone: what tokens say goes on, what it would have to say does not.
    binary.kill();
    undecided(&notes.update(&note, &old).await);
    let own = notes.get("/notes", &old).await.expect_status(200).json::<Value>();
    assert_eq!(own.as_array().map(Vec::len), Some(1));
    notes.note(&old).await;
    forbidden(&notes.get("/admin/notes", &old).await, "the role editor is needed");
    let unknown = Header { kid: Some("?".to_owned()), typ: Some("at+jwt".to_owned()), ..Header::new(Algorithm::ES256) };
    let unknown = jsonwebtoken::encode(&unknown, &Tokens::claims(&old), &signing_key().0).expect("signing");
    notes.expect_refused(&unknown, "the token's key is not known").await;
    binary.start_again().await;
    notes.update(&note, &old).await.expect_status(200);
}

/// A P-256 key, with what is published of it.
fn signing_key() -> (EncodingKey, Value) {
    use openssl::{ec, nid::Nid, pkey::PKey};
    let group = ec::EcGroup::from_curve_name(Nid::X9_62_PRIME256V1).expect("a curve");
    let key = PKey::from_ec_key(ec::EcKey::generate(&group).expect("a key")).expect("a key");
    let key = EncodingKey::from_ec_der(&key.private_key_to_pkcs8().expect("a key"));
    let public = Jwk::from_encoding_key(&key, Algorithm::ES256).expect("a key");
    (key, serde_json::to_value(public).expect("a key"))
}

/// A provider that publishes these keys and nothing else; where it is, and how often it was asked for them.
async fn provider(keys: Value) -> (String, Arc<AtomicUsize>) {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let issuer = format!("http://{}", listener.local_addr().expect("an address"));
    let metadata = json!({"issuer": issuer, "jwks_uri": format!("{issuer}/keys")});
    let asked = Arc::new(AtomicUsize::new(0));
    let count = Arc::clone(&asked);
    let keys = move || async move {
        count.fetch_add(1, Ordering::Relaxed);
        ([(CACHE_CONTROL, "max-age=600")], Json(json!({"keys": keys})))
    };
    let metadata = move || async move { Json(metadata) };
    let router = Router::new().route("/.well-known/openid-configuration", get(metadata)).route("/keys", get(keys));
    tokio::spawn(async move { axum::serve(listener, router).await });
    (issuer, asked)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn tj_14_tj_15_every_part_of_a_token_counts() {
    in_time(every_part_of_a_token_counts()).await;
}

async fn every_part_of_a_token_counts() {
    let ((key, mut public), (_, mut other)) = (signing_key(), signing_key());
    public["kid"] = json!("good");
    public["use"] = json!("sig");
    // For ciphers, of no algorithm, of a kind of tomorrow: none is a key for tokens, and none spoils the others.
    let mut ciphers = public.clone();
    ciphers["kid"] = json!("ciphers");
    ciphers["use"] = json!("enc");
    let mut any = public.clone();
    any["kid"] = json!("any");
    any.as_object_mut().expect("a key").remove("alg");
    other["kid"] = json!("other");
    let tomorrow = json!({"kty": "tomorrow", "kid": "tomorrow"});
    let (issuer, asked) = provider(json!([tomorrow, ciphers, any, other, public])).await;
    let notes = Notes::start(&issuer, &[("API_KEY", "bfk_unused")]);

    let now = chrono::Utc::now().timestamp();
    let header =
        Header { typ: Some("at+jwt".to_owned()), kid: Some("good".to_owned()), ..Header::new(Algorithm::ES256) };
    let claims = json!({
        "iss": issuer, "aud": AUDIENCE, "exp": now + 60, "sub": "ada", "client_id": "web", "scope": "notes",
        "permissions": ["notes:read"],
    });
    let sign = |header: &Header, claims: &Value| jsonwebtoken::encode(header, claims, &key).expect("signing");
    let said = |name: &str, value: Value| {
        let mut claims = claims.clone();
        claims[name] = value;
        sign(&header, &claims)
    };
    for good in [
        sign(&header, &claims),
        said("aud", json!(["https://other.example", AUDIENCE])),
        said("nbf", json!(now + 5)),
        said("exp", json!(now - 5)),
        sign(&Header { typ: Some("application/AT+JWT".to_owned()), ..header.clone() }, &claims),
    ] {
        notes.get("/notes", &good).await.expect_status(200);
    }

    for (name, value, why) in [
        ("exp", json!(now - 30), "the token has expired"),
        ("exp", Value::Null, "the token is not valid"),
        ("exp", json!("tomorrow"), "the token is not valid"),
        ("nbf", json!(now + 30), "the token is not valid"),
        ("iss", json!("https://other.example"), "the token is not valid"),
        ("iss", json!(format!("{issuer}/")), "the token is not valid"),
        ("iss", Value::Null, "the token is not valid"),
        ("aud", json!("https://other.example"), "the token is for another API"),
        ("aud", json!("https://notes.example/"), "the token is for another API"),
        ("aud", json!([]), "the token is for another API"),
        ("aud", Value::Null, "the token is not valid"),
        ("sub", Value::Null, "the token is not valid"),
        ("permissions", json!("notes:read"), "the token is not valid"),
    ] {
        notes.expect_refused(&said(name, value.clone()), why).await;
    }
    for typ in [Some("JWT"), Some("logout+jwt"), None] {
        let header = Header { typ: typ.map(str::to_owned), ..header.clone() };
        notes.expect_refused(&sign(&header, &claims), "this is no access token").await;
    }
    // TJ-09: what a token says of its own key is nothing to go by.
    let (attacker, mut forged) = signing_key();
    forged["kid"] = json!("good");
    let forged = Header {
        jwk: Some(serde_json::from_value(forged).expect("a key")),
        jku: Some("http://127.0.0.1:9/keys".to_owned()),
        ..header.clone()
    };
    let forged = jsonwebtoken::encode(&forged, &claims, &attacker).expect("signing");
    notes.expect_refused(&forged, "the token is not valid").await;
    // TJ-10.
    let critical = Header { crit: Some(vec!["exp".to_owned()]), ..header.clone() };
    notes.expect_refused(&sign(&critical, &claims), "the token has extensions that are not understood").await;
    notes.expect_refused(&sign(&Header { kid: None, ..header.clone() }, &claims), "the token names no key").await;
    let named = |kid: &str| sign(&Header { kid: Some(kid.to_owned()), ..header.clone() }, &claims);
    notes.expect_refused(&named("other"), "the token is not valid").await;

    // TJ-08: however many unheard-of keys are named, the provider is asked once.
    assert_eq!(asked.load(Ordering::Relaxed), 1, "once at the start");
    for kid in ["ciphers", "any", "tomorrow", "", "../../dev/null", "' OR 1=1--"] {
        notes.expect_refused(&named(kid), "the token's key is not known").await;
    }
    assert_eq!(asked.load(Ordering::Relaxed), 2);
    notes.get("/notes", &sign(&header, &claims)).await.expect_status(200);

    // A provider that calls itself by another name, and none at all.
    let (elsewhere, _) = provider(json!([public])).await;
    for issuer in [elsewhere.replace("127.0.0.1", "localhost"), "http://127.0.0.1:9".to_owned()] {
        let alone = Notes::start(&issuer, &[("API_KEY", "bfk_unused")]);
        undecided(&alone.get("/notes", &said("iss", json!(issuer))).await);
        refused(&alone.wire.get("/notes").await, 401, "Bearer realm=\"notes\"");
    }
}
