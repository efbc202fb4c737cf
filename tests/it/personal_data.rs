//! What is kept of people: taking it away, and taking the account away (AL-28, BR-14 for accounts on their way out, AP-20).

use std::collections::{BTreeMap, BTreeSet};
use std::io::Cursor;
use std::time::{Duration as Wait, Instant};

use bonafide::access::keys::{NewApiKey, Owner};
use bonafide::audit::Source;
use bonafide::clients::Draft;
use bonafide::exports::SECTIONS;
use bonafide::identity::{IdentityError, Leaving};
use chrono::Duration;
use image::{DynamicImage, ImageFormat};
use reqwest::Method;
use serde_json::{Value, json};
use uuid::Uuid;

use crate::{
    api_accounts::{expect_problem, get, login, post, text},
    engines::{can_sign_in, lines, run, sign_in},
    mail::server_with_mail,
    providers::{Stage, may},
    support::{
        Answer, Binary, Browser, Engine, Flow, Person, Place, TestServer, at_once,
        made::{self, SignedIn},
    },
};

const DOCUMENT: &str = include_str!("../../docs/personal-data.md");
const GRACE: i64 = 14;

fn id_of(person: &Person) -> Uuid {
    person.id.parse().expect("an id")
}

async fn token(server: &TestServer, person: &Person) -> String {
    text(&login(server, person).await, "accessToken").to_owned()
}

async fn admin(server: &TestServer) -> String {
    let boss = server.person("boss").await;
    server.app().accounts.grant_role("boss", "admin").await.expect("a role");
    token(server, &boss).await
}

async fn call(server: &TestServer, token: &str, method: Method, path: &str) -> Answer {
    server.call(method, path).bearer(token).send().await
}

async fn sweep(server: &TestServer) {
    while bonafide::server::sweep_once(server.app()).await.expect("a round") > 0 {}
}

async fn count(place: &Place, table: &str) -> i64 {
    let counted = lines(place, &format!("SELECT CAST(count(*) AS TEXT) AS line FROM {table}")).await;
    counted[0].parse().expect("a number")
}

async fn browser_of(server: &TestServer, person: &Person) -> Browser {
    let mut browser = server.browser();
    sign_in(&mut browser, &person.username, &person.password).await.expect_status(303);
    browser
}

/// Asks for somebody's data by their own token; what is answered.
async fn ask(server: &TestServer, token: &str, person: &Person) -> Answer {
    call(server, token, Method::POST, &format!("/auth/{}/exports", person.id)).await
}

/// The document of somebody who has little.
async fn document(server: &TestServer, token: &str, person: &Person) -> Value {
    let asked: Value = ask(server, token, person).await.expect_status(201).json();
    fetch(server, token, person, text(&asked, "id")).await.expect_status(200).json()
}

async fn fetch(server: &TestServer, token: &str, person: &Person, export: &str) -> Answer {
    get(server, &format!("/auth/{}/exports/{export}", person.id), token).await
}

/// Many events about somebody, in a few statements.
async fn live_long(place: &Place, person: &Person, events: usize) {
    let (id, now) = (id_of(person), chrono::Utc::now().timestamp_millis());
    for from in (0..events).step_by(500) {
        let rows: Vec<String> = (from..(from + 500).min(events))
            .map(|number| {
                let (event, at) = (Uuid::now_v7(), now - i64::try_from(number).expect("a number"));
                let (event, id) = match place.engine() {
                    Engine::Sqlite => (format!("X'{}'", event.simple()), format!("X'{}'", id.simple())),
                    Engine::Postgres => (format!("'{event}'"), format!("'{id}'")),
                };
                format!("({event}, {at}, 'user_changed', {id}, '192.0.2.1', '{{\"what\":\"{}\"}}')", "x".repeat(200))
            })
            .collect();
        run(
            place,
            &format!("INSERT INTO audit_events (id, at, kind, user_id, address, detail) VALUES {}", rows.join(",")),
        )
        .await;
    }
}

// ---- what the document of the tables says ----

struct Kept {
    members: BTreeSet<String>,
    number: bool,
}

/// The rows of the table in `docs/personal-data.md`.
fn promised() -> BTreeMap<String, Kept> {
    let (_, table) = DOCUMENT.split_once("|---|---|---|---|---|\n").expect("the table");
    let rows = table.lines().take_while(|line| line.starts_with('|'));
    rows.map(|row| {
        let cells: Vec<&str> = row.trim_matches('|').split('|').map(str::trim).collect();
        let [name, members, _, _, left] = cells[..] else { panic!("five cells: {row}") };
        let quoted = |cell: &str| cell.split('`').skip(1).step_by(2).map(str::to_owned).collect::<BTreeSet<_>>();
        assert!(["nothing", "number"].contains(&left), "{row}");
        let name = quoted(name).into_iter().next().expect("a name");
        (name, Kept { members: quoted(members), number: left == "number" })
    })
    .collect()
}

/// A person with a row wherever one can have one.
async fn lived(server: &TestServer) -> (Person, SignedIn) {
    let draft = Draft { first_party: Some(true), token_format: Some("opaque".to_owned()), ..made::draft() };
    let house = made::client(server, draft).await;
    let ada = server.person("ada").await;
    let signed_in =
        SignedIn::at(server, Flow::new(&house).with("scope", "openid account offline_access"), ada.clone()).await;
    signed_in.refreshed(&signed_in.tokens.refresh_token()).await;
    let app = server.app();
    let new = NewApiKey { name: "ci".to_owned(), scopes: vec!["account".to_owned()], audience: None, lifetime: None };
    app.api_keys.create(Owner::Person(id_of(&ada)), new, None, &Source::default()).await.expect("a key");
    app.accounts.grant_role("ada", "clerk").await.expect("a role");
    let claims = json!({"address": {"streetAddress": "12 Ockham Park"}, "phoneNumber": "+441234567890"});
    let token = token(server, &ada).await;
    server.call(Method::PUT, &format!("/auth/{}", ada.id)).bearer(&token).json(&claims).send().await.expect_status(200);
    let id = id_of(&ada);
    let mut picture = Cursor::new(Vec::new());
    DynamicImage::new_rgb8(8, 8).write_to(&mut picture, ImageFormat::Png).expect("a picture");
    let turn = app.accounts.picture_turn().expect("a turn");
    app.accounts.set_picture(turn, id, picture.into_inner().into(), &Source::default()).await.expect("a picture");
    let (user, hash) = match server.place().engine() {
        Engine::Sqlite => (format!("X'{}'", id.simple()), "X'0102'"),
        Engine::Postgres => (format!("'{id}'"), "'\\x0102'"),
    };
    for sql in [
        format!(
            "INSERT INTO linked_accounts (provider, account_id, user_id, kind, created_at) VALUES ('acme', 'lovelace-1815', {user}, 'oidc', 1)"
        ),
        format!(
            "INSERT INTO adapter_sessions (token_hash, user_id, created_at, expires_at) VALUES ({hash}, {user}, 1, 99999999999999)"
        ),
        format!("INSERT INTO adapter_words (user_id, address, verified_at) VALUES ({user}, 'ada@example.org', 1)"),
        format!(
            "INSERT INTO adapter_verification_tokens (hash, address, expires_at) VALUES ({hash}, 'ada@example.org', 99999999999999)"
        ),
        format!(
            "INSERT INTO consents (user_id, client_id, scope, granted_at) VALUES ({user}, '{}', 'orders', 1)",
            house.id
        ),
        format!(
            "INSERT INTO upstream_requests (state_hash, provider, browser_hash, purpose, user_id, created_at, expires_at) VALUES ({hash}, 'acme', {hash}, 'link', {user}, 1, 99999999999999)"
        ),
        format!(
            "INSERT INTO decisions (hash, question, allowed, policies, version, times, first_at, last_at) VALUES ({hash}, '{{\"subject\":{{\"id\":\"{id}\",\"email\":\"ada@example.org\"}}}}', {}, '[]', 1, 1, 99999999999999, 99999999999999)",
            if server.place().engine() == Engine::Sqlite { "1" } else { "true" }
        ),
    ] {
        run(server.place(), &sql).await;
    }
    // One that waits: nothing is sent by a server that has no relay.
    server
        .app()
        .accounts
        .request_reset(
            &ada.email,
            bonafide::identity::Asking { source: &Source::default(), language: None, interaction: None },
        )
        .await
        .expect("asking");
    (ada, signed_in)
}

/// What somebody can be known by, as rows of either engine show it.
fn traces(person: &Person) -> Vec<String> {
    [person.email.as_str(), "Lovelace", "lovelace-1815", "12 Ockham Park", "+441234567890"].map(str::to_owned).to_vec()
}

fn numbers(person: &Person) -> [String; 2] {
    let id = id_of(person);
    [id.to_string(), id.simple().to_string().to_uppercase()]
}

both_engines!(al_28_a_deleted_account_leaves_what_the_document_names
    with [("mail.url", "smtp://127.0.0.1:9"), ("mail.from", "Acme <no-reply@acme.example>")]);
/// AL-28: after the deletion nothing is there but what `docs/personal-data.md` names.
async fn al_28_a_deleted_account_leaves_what_the_document_names(server: TestServer) {
    let (ada, _) = lived(&server).await;
    let own = token(&server, &ada).await;
    document(&server, &own, &ada).await;
    let promised = promised();
    let before = server.dump_tables(&[]).await;
    let tables: BTreeSet<&String> = before.keys().collect();
    assert_eq!(tables, promised.keys().collect(), "each table has a row in the document, and each row a table");
    // Otherwise nothing is shown by its absence.
    for trace in traces(&ada) {
        assert!(before.values().flatten().any(|row| row.contains(&trace)), "{trace} is nowhere");
    }
    for table in [
        "users",
        "browser_sessions",
        "grants",
        "api_keys",
        "linked_accounts",
        "decisions",
        "upstream_requests",
        "outbox",
    ] {
        let rows = before[table].join("\n");
        assert!(numbers(&ada).iter().any(|number| rows.contains(number.as_str())), "{table}: {rows}");
    }
    let me: Value = get(&server, "/auth/me", &own).await.expect_status(200).json();
    let picture = text(&me, "image").to_owned();
    server.get(&picture).await.expect_status(200);
    call(&server, &own, Method::DELETE, &format!("/auth/{}", ada.id)).await.expect_status(202);
    server.advance(Duration::days(GRACE) + Duration::seconds(1));
    sweep(&server).await;
    // What is only due a little later.
    server.advance(Duration::minutes(11));
    sweep(&server).await;
    let after = server.dump_tables(&[]).await;
    for (table, rows) in after.iter() {
        let rows = rows.join("\n");
        for trace in traces(&ada) {
            assert!(!rows.contains(&trace), "{table} knows {trace}: {rows}");
        }
        let named = numbers(&ada).iter().any(|number| rows.contains(number.as_str()));
        assert!(!named || promised[table].number, "{table} knows the number: {rows}");
    }
    assert!(
        numbers(&ada).iter().any(|number| after["audit_events"].join("\n").contains(number.as_str())),
        "audit kept"
    );
    assert_eq!(count(server.place(), "departures").await, 0);
    server.get(&picture).await.expect_status(404);
    let addresses = "SELECT address AS line FROM audit_events WHERE address IS NOT NULL AND user_id IS NOT NULL";
    assert_eq!(lines(server.place(), addresses).await, Vec::<String>::new(), "whence they came is wiped");
    get(&server, &format!("/auth/{}", ada.id), &admin(&server).await).await.expect_status(404);
}

both_engines!(a_document_holds_everything_but_secrets);
async fn a_document_holds_everything_but_secrets(server: TestServer) {
    let (ada, signed_in) = lived(&server).await;
    let own = token(&server, &ada).await;
    let data = document(&server, &own, &ada).await;
    assert_eq!(data["format"], "bonafide-personal-data-1");
    assert_eq!((&data["account"]["email"], &data["account"]["hasPassword"]), (&json!(ada.email), &json!(true)));
    let members: BTreeSet<String> = SECTIONS.iter().map(|name| (*name).to_owned()).collect();
    let promised: BTreeSet<String> =
        promised().into_values().flat_map(|kept| kept.members).filter(|member| member != "account").collect();
    assert_eq!(members, promised, "what the document of the tables says is in it");
    for member in SECTIONS {
        assert!(data[member].is_array(), "{member}: {data:#}");
    }
    let file = data["pictures"][0]["file"].as_str().expect("a file");
    assert!(file.starts_with("data:image/webp;base64,"), "{file}");
    for member in [
        "roles",
        "linkedAccounts",
        "sessions",
        "devices",
        "consents",
        "grants",
        "codes",
        "apiKeys",
        "adapterSessions",
        "adapterWords",
        "adapterVerificationTokens",
        "upstreamRequests",
        "decisions",
        "events",
        "exports",
    ] {
        assert!(!data[member].as_array().expect("a list").is_empty(), "{member}: {data:#}");
    }
    assert_eq!(data["linkedAccounts"][0]["accountId"], "lovelace-1815");
    let whole = data.to_string();
    for secret in
        [signed_in.tokens.refresh_token(), signed_in.tokens.access_token(), ada.password.clone(), "argon2".to_owned()]
    {
        assert!(!whole.contains(&secret), "a secret: {secret}");
    }
    for hidden in ["hash", "sealed", "secret", "challenge", "nonce"] {
        assert!(!whole.to_lowercase().contains(&format!("{hidden}\":")), "{hidden}: {whole}");
    }
    // The same at a command, and nothing of it stays.
    let exports = count(server.place(), "exports").await;
    let printed = server.place().cli(&["user", "export", "ada"]).await;
    let printed: Value = serde_json::from_str(&printed.expect_success().stdout).expect("a document");
    assert_eq!(printed["account"], data["account"]);
    assert_eq!(count(server.place(), "exports").await, exports);
}

both_engines!(ap_20_nobody_fetches_anothers_document);
async fn ap_20_nobody_fetches_anothers_document(server: TestServer) {
    let (ada, eve) = (server.person("ada").await, server.person("eve").await);
    let (own, hers) = (token(&server, &ada).await, token(&server, &eve).await);
    let asked: Value = ask(&server, &own, &ada).await.expect_status(201).json();
    let id = text(&asked, "id").to_owned();
    for path in [
        format!("/auth/{}/exports", ada.id),
        format!("/auth/{}/exports/{id}", ada.id),
        format!("/auth/{}/exports/{id}", eve.id),
    ] {
        expect_problem(get(&server, &path, &hers).await, 404);
    }
    expect_problem(ask(&server, &hers, &ada).await, 404);
    expect_problem(call(&server, &hers, Method::DELETE, &format!("/auth/{}", ada.id)).await, 404);
    expect_problem(call(&server, &hers, Method::POST, &format!("/auth/{}/restore", ada.id)).await, 404);
    let (mut her_browser, mut own_browser) = (browser_of(&server, &eve).await, browser_of(&server, &ada).await);
    her_browser.get(&format!("/account/export/{id}")).await.expect_status(404);
    // One's own, as often as one likes.
    for _ in 0..2 {
        let file = own_browser.get(&format!("/account/export/{id}")).await.expect_status(200);
        assert!(file.header("content-disposition").starts_with("attachment; filename=\"personal-data-"), "{file:#?}");
        assert_eq!((file.header("content-type"), file.header("cache-control")), ("application/json", "no-store"));
        fetch(&server, &own, &ada, &id).await.expect_status(200);
    }
    own_browser.send(own_browser.call(Method::HEAD, &format!("/account/export/{id}"))).await.expect_status(405);
    let fetched = "SELECT kind AS line FROM audit_events WHERE kind = 'export_fetched'";
    assert_eq!(lines(server.place(), fetched).await.len(), 4);
    // And until it is too old.
    server.advance(Duration::days(7));
    let own = token(&server, &ada).await;
    expect_problem(fetch(&server, &own, &ada, &id).await, 404);
    sweep(&server).await;
    assert_eq!((count(server.place(), "exports").await, count(server.place(), "export_parts").await), (0, 0));
}

both_engines!(asking_takes_a_fresh_sign_in_and_is_counted);
async fn asking_takes_a_fresh_sign_in_and_is_counted(server: TestServer) {
    let ada = server.person("ada").await;
    let own = token(&server, &ada).await;
    for _ in 0..3 {
        ask(&server, &own, &ada).await.expect_status(201);
    }
    let refused = ask(&server, &own, &ada).await;
    let wait: i64 = refused.header("retry-after").parse().expect("seconds");
    assert!((86_000..=86_400).contains(&wait), "{wait}");
    assert_eq!(expect_problem(refused, 429)["code"], "throttled");
    let listed: Vec<Value> = get(&server, &format!("/auth/{}/exports", ada.id), &own).await.expect_status(200).json();
    assert_eq!(listed.len(), 3);
    assert!(listed.iter().all(|one| one["state"] == "ready"), "{listed:#?}");
    // The next day again; and not with a sign-in of long ago.
    server.advance(Duration::hours(24));
    let own = token(&server, &ada).await;
    server.advance(Duration::minutes(14));
    ask(&server, &own, &ada).await.expect_status(201);
    let mut browser = browser_of(&server, &ada).await;
    browser.get("/account/data").await.expect_status(200);
    server.advance(Duration::minutes(16));
    let own_again = token(&server, &ada).await;
    let problem = expect_problem(call(&server, &own, Method::DELETE, &format!("/auth/{}", ada.id)).await, 401);
    assert!(["reauthentication_required", "invalid_token"].contains(&text(&problem, "code")), "{problem}");
    let sent = browser.get("/account/data").await.expect_status(303);
    assert_eq!(sent.header("location"), "/account/confirm?then=data");
    get(&server, &format!("/auth/{}", ada.id), &own_again).await.expect_status(200);
}

each_engine!(whoever_has_much_gets_a_mail);
async fn whoever_has_much_gets_a_mail(engine: Engine) {
    let (server, mailbox) = server_with_mail(engine, &[]).await;
    let ada = server.person("ada").await;
    live_long(server.place(), &ada, 3_000).await;
    let mut browser = browser_of(&server, &ada).await;
    let page = browser.get("/account/data").await.expect_status(200);
    let answer = browser.submit(&page.form_of("export"), Some("export"), &[]).await.expect_status(303);
    let page = browser.follow(answer).await.expect_status(200);
    assert!(page.body.contains("Your data is being put together."), "{page:#?}");
    let mail = mailbox.nth(1).await;
    assert_eq!(mail.to, [ada.email.as_str()]);
    assert_eq!(mail.link(), format!("{}/account/data", server.issuer()));
    let page = browser.get("/account/data").await.expect_status(200);
    let links = page.elements("a");
    let href = links.iter().filter_map(|link| link.attribute("href")).find(|href| href.starts_with("/account/export/"));
    let file = browser.get(href.expect("a link")).await.expect_status(200);
    let data: Value = file.json();
    let events = data["events"].as_array().expect("a list");
    assert!(events.len() >= 3_000, "{}", events.len());
    let ids: BTreeSet<&str> = events.iter().map(|event| text(event, "id")).collect();
    assert_eq!(ids.len(), events.len(), "none twice");
    assert!(count(server.place(), "export_parts").await > 1);
    let sealed = server.dump_tables(&[]).await["export_parts"].join("");
    assert!(!sealed.contains(&ada.email) && !sealed.contains("user_changed"), "sealed at rest");
}

both_engines!(a_document_is_whole_while_everything_changes);
async fn a_document_is_whole_while_everything_changes(server: TestServer) {
    let ada = server.person("ada").await;
    live_long(server.place(), &ada, 900).await;
    let own = token(&server, &ada).await;
    let (wire, path) = (server.wire(), format!("/auth/{}", ada.id));
    let changing = {
        let own = own.clone();
        tokio::spawn(async move {
            for number in 0..20 {
                let change = json!({"nickname": format!("Countess {number}")});
                wire.call(Method::PUT, &path).bearer(&own).json(&change).send().await.expect_status(200);
            }
        })
    };
    for _ in 0..3 {
        let data = document(&server, &own, &ada).await;
        let events = data["events"].as_array().expect("a list");
        let ids: BTreeSet<&str> = events.iter().map(|event| text(event, "id")).collect();
        assert_eq!(ids.len(), events.len(), "none twice");
        assert!(events.iter().filter(|event| event["address"] == "192.0.2.1").count() == 900, "none missing");
    }
    changing.await.expect("changes");
}

each_engine!(one_of_two_nodes_goes_on_where_the_other_was_killed);
/// Two processes of one database: the one that writes dies, the other begins anew when the lease is over.
async fn one_of_two_nodes_goes_on_where_the_other_was_killed(engine: Engine) {
    let mut first = Binary::start(engine).await;
    let ada = first.person("ada").await;
    live_long(first.place(), &ada, 20_000).await;
    let mut browser = first.browser();
    sign_in(&mut browser, &ada.username, &ada.password).await.expect_status(303);
    let page = browser.get("/account/data").await.expect_status(200);
    browser.submit(&page.form_of("export"), Some("export"), &[]).await.expect_status(303);
    let deadline = Instant::now() + Wait::from_secs(20);
    while count(first.place(), "export_parts").await == 0 {
        assert!(Instant::now() < deadline, "nothing is written");
        tokio::time::sleep(Wait::from_millis(5)).await;
    }
    first.kill();
    let waiting = count(first.place(), "exports WHERE ready_at IS NULL").await;
    assert_eq!(waiting, 1, "it was killed in the midst of it");
    let left = count(first.place(), "export_parts").await;
    // Half a minute later.
    let shorter = "UPDATE exports SET leased_until = leased_until - 30000";
    run(first.place(), shorter).await;
    // Another one, which has nothing of the first but the database.
    let second = first.second().await;
    let deadline = Instant::now() + Wait::from_mins(1);
    while count(first.place(), "exports WHERE ready_at IS NOT NULL").await == 0 {
        assert!(Instant::now() < deadline, "nobody goes on");
        tokio::time::sleep(Wait::from_millis(100)).await;
    }
    assert_eq!(lines(first.place(), "SELECT CAST(attempts AS TEXT) AS line FROM exports").await, ["2"]);
    assert!(count(first.place(), "export_parts").await >= left);
    let mut browser = second.browser();
    sign_in(&mut browser, &ada.username, &ada.password).await.expect_status(303);
    let page = browser.get("/account/data").await.expect_status(200);
    let links = page.elements("a");
    let href = links.iter().filter_map(|link| link.attribute("href")).find(|href| href.starts_with("/account/export/"));
    let data: Value = browser.get(href.expect("a link")).await.expect_status(200).json();
    let old = data["events"].as_array().expect("a list").iter().filter(|event| event["address"] == "192.0.2.1").count();
    assert_eq!(old, 20_000);
}

both_engines!(of_two_nodes_one_writes);
async fn of_two_nodes_one_writes(server: TestServer) {
    let second = server.second_node().await;
    let ada = server.person("ada").await;
    live_long(server.place(), &ada, 6_000).await;
    let own = token(&server, &ada).await;
    // One is written at a time, whoever asks.
    let (person, secret, wires) = (ada.id.clone(), own.clone(), [server.wire(), second.wire()]);
    let answers = at_once(4, |n| {
        let (wire, secret, path) = (wires[n % 2].clone(), secret.clone(), format!("/auth/{person}/exports"));
        async move { wire.call(Method::POST, &path).bearer(&secret).send().await.status.as_u16() }
    })
    .await;
    assert_eq!(answers.iter().filter(|status| **status == 202).count(), 1, "{answers:?}");
    assert!(answers.iter().all(|status| [202, 409].contains(status)), "{answers:?}");
    let deadline = Instant::now() + Wait::from_secs(20);
    while count(server.place(), "exports WHERE ready_at IS NOT NULL").await == 0 {
        assert!(Instant::now() < deadline, "nobody writes it");
        tokio::time::sleep(Wait::from_millis(50)).await;
    }
    assert_eq!(lines(server.place(), "SELECT CAST(attempts AS TEXT) AS line FROM exports").await, ["1"]);
    let ready = "SELECT kind AS line FROM audit_events WHERE kind = 'export_ready'";
    assert_eq!(lines(server.place(), ready).await.len(), 1);
}

both_engines!(a_document_outlives_its_master_key);
async fn a_document_outlives_its_master_key(server: TestServer) {
    let ada = server.person("ada").await;
    let own = token(&server, &ada).await;
    let asked: Value = ask(&server, &own, &ada).await.expect_status(201).json();
    server.cli(&["key", "reseal"]).await.expect_success();
    let deadline = Instant::now() + Wait::from_secs(10);
    while fetch(&server, &own, &ada, text(&asked, "id")).await.status.as_u16() != 200 {
        assert!(Instant::now() < deadline, "it does not open any more");
        tokio::time::sleep(Wait::from_millis(50)).await;
    }
}

// ---- the end of an account ----

each_engine!(br_14_nobody_uses_an_account_on_its_way_out);
/// BR-14, AL-28: everything ends at once, and nothing begins but taking the account back.
async fn br_14_nobody_uses_an_account_on_its_way_out(engine: Engine) {
    let (server, mailbox) = server_with_mail(engine, &[("limits.enabled", "false")]).await;
    let (ada, mut signed_in) = lived(&server).await;
    let seen = mailbox.received().len();
    let new = NewApiKey { name: "ci2".to_owned(), scopes: vec!["account".to_owned()], audience: None, lifetime: None };
    let owner = Owner::Person(id_of(&ada));
    let key = server.app().api_keys.create(owner, new, None, &Source::default()).await.expect("a key").secret;
    get(&server, "/auth/me", &key).await.expect_status(200);
    let own = token(&server, &ada).await;
    let tokens = signed_in.refreshed(&signed_in.tokens.refresh_token()).await;
    let mut browser = browser_of(&server, &ada).await;
    let page = browser.get("/account/data").await.expect_status(200);
    // Not by a slip.
    let slip = browser.submit(&page.form_of("delete"), Some("delete"), &[]).await.expect_status(422);
    let gone = browser.submit(&slip.form_of("delete"), Some("delete"), &[("sure", "yes")]).await.expect_status(200);
    assert!(gone.body.contains("Your account is going to be deleted"), "{gone:#?}");
    let mail = loop {
        let all = mailbox.received();
        if let Some(mail) = all.iter().skip(seen).find(|mail| mail.text().contains("asked for it to be deleted")) {
            break mail.clone();
        }
        tokio::time::sleep(Wait::from_millis(20)).await;
    };
    assert!(mail.text().contains("/sign-in?then=account"), "{}", mail.text());
    browser.get("/account").await.expect_status(303);
    signed_in.browser.get("/account").await.expect_status(303);
    for dead in [own.as_str(), key.as_str()] {
        expect_problem(get(&server, "/auth/me", dead).await, 401);
    }
    signed_in.expect_dead(&tokens.access_token()).await;
    signed_in.expect_refused(&tokens.refresh_token()).await;
    let body = json!({"username": ada.username, "password": ada.password});
    let refused = expect_problem(post(&server, "/auth/login", &body).await, 400);
    assert_eq!(refused["code"], "account_leaving", "{refused}");
    // Whoever does not know the password learns nothing.
    let wrong = json!({"username": ada.username, "password": "wrong"});
    assert_eq!(expect_problem(post(&server, "/auth/login", &wrong).await, 400)["code"], "invalid_credentials");

    // The page asks, and until then nobody is signed in.
    let mut browser = server.browser();
    let page = sign_in(&mut browser, &ada.username, &ada.password).await.expect_status(200);
    assert!(page.body.contains("Your account is to be deleted on "), "{page:#?}");
    browser.get("/account").await.expect_status(303);
    let goes = browser.submit(&page.form_of("go-on"), Some("go-on"), &[]).await.expect_status(200);
    assert!(goes.body.contains("still going to be deleted"), "{goes:#?}");
    browser.get("/account").await.expect_status(303);
    // Another browser makes nothing of the ticket.
    let ticket = page.form_of("keep").value("ticket").expect("a ticket").to_owned();
    let mut other = server.browser();
    let theirs = sign_in(&mut other, &ada.username, &ada.password).await.expect_status(200);
    let form = theirs.form_of("keep");
    let stolen = [("ticket", ticket.as_str()), ("keep", "yes"), ("csrf", form.value("csrf").expect("a token"))];
    other.post("/sign-in/keep", &stolen).await.expect_status(400);
    other.post("/sign-in/keep", &stolen[..2]).await.expect_status(403);
    let kept = browser.submit(&page.form_of("keep"), Some("keep"), &[]).await.expect_status(303);
    browser.follow(kept).await.expect_status(200);
    browser.get("/account").await.expect_status(200);
    // Once.
    browser.submit(&page.form_of("keep"), Some("keep"), &[]).await.expect_status(400);
    assert!(can_sign_in(&server.wire(), &ada).await);
    login(&server, &ada).await;
    // What had ended stays ended.
    expect_problem(get(&server, "/auth/me", &key).await, 401);
    signed_in.expect_refused(&tokens.refresh_token()).await;
    server.advance(Duration::days(GRACE + 1));
    sweep(&server).await;
    assert!(can_sign_in(&server.wire(), &ada).await, "what was taken back stays");
}

both_engines!(a_disabled_person_stays_out_whatever_becomes_of_their_account);
async fn a_disabled_person_stays_out_whatever_becomes_of_their_account(server: TestServer) {
    let ada = server.person("ada").await;
    let accounts = &server.app().accounts;
    accounts.set_disabled("ada", true).await.expect("disabling");
    accounts.leave(id_of(&ada), Leaving::Operator, &Source::default()).await.expect("leaving");
    assert!(!can_sign_in(&server.wire(), &ada).await);
    let page = sign_in(&mut server.browser(), &ada.username, &ada.password).await;
    page.expect_status(422);
    accounts.take_back(id_of(&ada), &Source::default()).await.expect("staying");
    assert!(!can_sign_in(&server.wire(), &ada).await, "they were disabled before");
    // Letting them in takes no account back.
    accounts.leave(id_of(&ada), Leaving::Operator, &Source::default()).await.expect("leaving");
    accounts.set_disabled("ada", false).await.expect("enabling");
    sign_in(&mut server.browser(), &ada.username, &ada.password).await.expect_status(200);
    accounts.take_back(id_of(&ada), &Source::default()).await.expect("staying");
    assert!(can_sign_in(&server.wire(), &ada).await);
    let again = accounts.take_back(id_of(&ada), &Source::default()).await;
    assert!(matches!(again, Err(IdentityError::Staying)), "{again:?}");
}

both_engines!(of_taking_back_and_sweeping_one_wins);
async fn of_taking_back_and_sweeping_one_wins(server: TestServer) {
    for round in 0..10 {
        let name = format!("ada{round}");
        let ada = server.person(&name).await;
        server.app().accounts.leave(id_of(&ada), Leaving::Operator, &Source::default()).await.expect("leaving");
        server.advance(Duration::days(GRACE));
        let (app, id) = (server.app().clone(), id_of(&ada));
        let done = at_once(2, |n| {
            let app = app.clone();
            async move {
                if n == 0 {
                    app.accounts.take_back(id, &Source::default()).await.is_ok()
                } else {
                    app.accounts.sweep_leavers(app.clock.now(), 10).await.expect("a round") == 1
                }
            }
        })
        .await;
        assert_eq!(done.iter().filter(|won| **won).count(), 1, "{done:?}");
        assert_eq!(server.app().accounts.find(&name).await.is_ok(), done[0], "{done:?}");
    }
}

both_engines!(operators_and_administrators_delete_and_restore with [("limits.enabled", "false")]);
async fn operators_and_administrators_delete_and_restore(server: TestServer) {
    let (ada, boss) = (server.person("ada").await, admin(&server).await);
    let path = format!("/auth/{}", ada.id);
    let left: Value = call(&server, &boss, Method::DELETE, &path).await.expect_status(202).json();
    let expected = server.now() + Duration::days(GRACE);
    let deleted_at = chrono::DateTime::parse_from_rfc3339(text(&left, "deletedAt")).expect("a time");
    assert!((deleted_at.to_utc() - expected).num_seconds().abs() < 2, "{left}");
    assert_eq!(expect_problem(call(&server, &boss, Method::DELETE, &path).await, 409)["code"], "account_leaving");
    call(&server, &boss, Method::POST, &format!("{path}/restore")).await.expect_status(204);
    expect_problem(call(&server, &boss, Method::POST, &format!("{path}/restore")).await, 409);
    assert!(can_sign_in(&server.wire(), &ada).await);
    // The last administrator stays.
    let me = lines(server.place(), "SELECT username AS line FROM users WHERE username = 'boss'").await;
    assert_eq!(me, ["boss"]);
    let own = server.app().accounts.find("boss").await.expect("boss");
    let admins = lines(
        server.place(),
        "SELECT u.username AS line FROM users u JOIN user_roles r ON r.user_id = u.id WHERE r.role = 'admin'",
    )
    .await;
    for other in admins.iter().filter(|name| *name != "boss") {
        server.app().accounts.revoke_role(other, "admin").await.expect("a role");
    }
    expect_problem(call(&server, &boss, Method::DELETE, &format!("/auth/{}", own.id)).await, 409);
    get(&server, "/auth/me", &boss).await.expect_status(200);
    // By command.
    let place = server.place();
    let said = place.cli(&["user", "delete", "ada"]).await.expect_success().stdout;
    assert!(said.contains("bonafide user restore"), "{said}");
    let shown: Value =
        serde_json::from_str(&place.cli(&["user", "restore", "ada", "--json"]).await.expect_success().stdout)
            .expect("JSON");
    assert_eq!((&shown["disabled"], &shown["leaves_at"]), (&json!(false), &Value::Null));
    place.cli(&["user", "delete", "ada", "--now"]).await.expect_success();
    assert!(server.app().accounts.find("ada").await.is_err());
}

each_engine!(an_application_waits_until_an_account_is_kept);
/// By another provider, whose word alone signs nobody in to an account on its way out either.
async fn an_application_waits_until_an_account_is_kept(engine: Engine) {
    let stage = Stage::new(engine).await;
    let first = stage.sign_in(&mut stage.server.browser(), may()).await;
    let id: Uuid = text(&first, "sub").parse().expect("an id");
    stage.server.app().accounts.leave(id, Leaving::Guarded, &Source::default()).await.expect("leaving");
    let mut browser = stage.server.browser();
    let page = stage.arrive(&mut browser, may()).await.expect_status(200);
    assert!(page.body.contains("Your account is to be deleted on "), "{page:#?}");
    // A window that an application has opened stays in its hands.
    assert!(!page.headers.contains_key("cross-origin-opener-policy"), "{page:#?}");
    assert!(!stage.is_signed_in(&browser).await);
    let kept = browser.submit(&page.form_of("keep"), Some("keep"), &[]).await.expect_status(303);
    let back = browser.follow(kept).await;
    assert_eq!(stage.id_token(&back).await["sub"], first["sub"]);
    assert!(stage.is_signed_in(&browser).await);
}

each_engine!(without_a_grace_an_account_goes_at_once);
async fn without_a_grace_an_account_goes_at_once(engine: Engine) {
    let server = TestServer::with(engine, &[("accounts.deletion_grace", "0s")]).await;
    let ada = server.person("ada").await;
    let mut browser = browser_of(&server, &ada).await;
    let page = browser.get("/account/data").await.expect_status(200);
    assert!(page.body.contains("there is no way back"), "{page:#?}");
    browser.submit(&page.form_of("delete"), Some("delete"), &[("sure", "yes")]).await.expect_status(200);
    assert!(server.app().accounts.find("ada").await.is_err());
}

both_engines!(events_go_when_they_are_old);
async fn events_go_when_they_are_old(server: TestServer) {
    server.person("ada").await;
    let before = count(server.place(), "audit_events").await;
    assert!(before > 0);
    server.advance(Duration::days(364));
    sweep(&server).await;
    assert!(count(server.place(), "audit_events").await >= before);
    server.advance(Duration::days(2));
    sweep(&server).await;
    assert_eq!(
        lines(server.place(), "SELECT kind AS line FROM audit_events WHERE kind = 'user_created'").await,
        Vec::<String>::new()
    );
}
