//! Taking away what is kept of oneself, in one document (AP-20).

use std::collections::BTreeSet;
use std::time::{Duration as Wait, Instant};

use bonafide::exports::SECTIONS;
use chrono::Duration;
use reqwest::Method;
use serde_json::{Value, json};

use crate::{
    api_accounts::{expect_problem, get, text},
    engines::{lines, run, sign_in},
    mail::server_with_mail,
    support::{Binary, Engine, TestServer, at_once},
};

use crate::personal_data::{ask, browser_of, call, count, document, fetch, live_long, lived, promised, sweep, token};

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
