//! What is kept of people: taking it away, and taking the account away (AL-28, BR-14 for accounts on their way out, AP-20).

use std::collections::{BTreeMap, BTreeSet};
use std::io::Cursor;
use std::time::Duration as Wait;

use bonafide::access::keys::{NewApiKey, Owner};
use bonafide::audit::Source;
use bonafide::clients::Draft;
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
        Answer, Browser, Engine, Flow, Person, Place, TestServer, at_once,
        made::{self, SignedIn},
    },
};

const DOCUMENT: &str = include_str!("../../docs/personal-data.md");
const GRACE: i64 = 14;

fn id_of(person: &Person) -> Uuid {
    person.id.parse().expect("an id")
}

pub(crate) async fn token(server: &TestServer, person: &Person) -> String {
    text(&login(server, person).await, "accessToken").to_owned()
}

async fn admin(server: &TestServer) -> String {
    let boss = server.person("boss").await;
    server.app().accounts.grant_role("boss", "admin").await.expect("a role");
    token(server, &boss).await
}

pub(crate) async fn call(server: &TestServer, token: &str, method: Method, path: &str) -> Answer {
    server.call(method, path).bearer(token).send().await
}

pub(crate) async fn sweep(server: &TestServer) {
    while bonafide::server::sweep_once(server.app()).await.expect("a round") > 0 {}
}

pub(crate) async fn count(place: &Place, table: &str) -> i64 {
    let counted = lines(place, &format!("SELECT CAST(count(*) AS TEXT) AS line FROM {table}")).await;
    counted[0].parse().expect("a number")
}

pub(crate) async fn browser_of(server: &TestServer, person: &Person) -> Browser {
    let mut browser = server.browser();
    sign_in(&mut browser, &person.username, &person.password).await.expect_status(303);
    browser
}

/// Asks for somebody's data by their own token; what is answered.
pub(crate) async fn ask(server: &TestServer, token: &str, person: &Person) -> Answer {
    call(server, token, Method::POST, &format!("/auth/{}/exports", person.id)).await
}

/// The document of somebody who has little.
pub(crate) async fn document(server: &TestServer, token: &str, person: &Person) -> Value {
    let asked: Value = ask(server, token, person).await.expect_status(201).json();
    fetch(server, token, person, text(&asked, "id")).await.expect_status(200).json()
}

pub(crate) async fn fetch(server: &TestServer, token: &str, person: &Person, export: &str) -> Answer {
    get(server, &format!("/auth/{}/exports/{export}", person.id), token).await
}

/// Many events about somebody, in a few statements.
pub(crate) async fn live_long(place: &Place, person: &Person, events: usize) {
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

pub(crate) struct Kept {
    pub(crate) members: BTreeSet<String>,
    number: bool,
}

/// The rows of the table in `docs/personal-data.md`.
pub(crate) fn promised() -> BTreeMap<String, Kept> {
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
pub(crate) async fn lived(server: &TestServer) -> (Person, SignedIn) {
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
