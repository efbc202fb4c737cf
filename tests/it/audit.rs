//! The record: who may read it, by which filters, a page at a time or whole, and what people see of their own.

use std::collections::BTreeSet;

use bonafide::{
    audit::{About, Event, Source, record},
    platform::{
        database::DatabaseError,
        random::{Random, SystemRandom},
    },
};
use serde_json::{Value, json};
use uuid::Uuid;

use crate::{
    api_access::{declare, holder},
    api_accounts::{expect_problem, get, login, post, text},
    engines::sign_in,
    support::{Answer, Browser, Engine, Person, TestServer},
};

async fn auditor(server: &TestServer) -> String {
    declare(server, "auditor", &["audit:read"]).await;
    holder(server, "auditor").await
}

/// So many events about nobody, at the same instant.
async fn write(server: &TestServer, events: usize) {
    let (now, random) = (server.now(), SystemRandom);
    let written = server.app().database.write(move |tx| {
        Box::pin(async move {
            for number in 0..events {
                let id = (&random as &dyn Random).id(now);
                let source = Source { request_id: Some(format!("r{number}")), ..Source::default() };
                record(tx, id, now, &Event::PasswordRehashed, &About::default(), &source).await?;
            }
            Ok::<_, DatabaseError>(())
        })
    });
    written.await.expect("events");
}

fn list(answer: Answer) -> Vec<Value> {
    answer.expect_status(200).json()
}

fn ids(events: &[Value]) -> Vec<&str> {
    events.iter().map(|event| text(event, "id")).collect()
}

/// Where the next page is.
fn next(answer: &Answer) -> Option<String> {
    let link = answer.header_values("link").first().copied()?;
    let address = link.strip_prefix('<')?.strip_suffix(">; rel=\"next\"").expect("one link");
    Some(url::Url::parse(address).map(|url| url[url::Position::BeforePath..].to_owned()).expect("an address"))
}

fn lines(text: &str) -> Vec<Value> {
    text.lines().map(|line| serde_json::from_str(line).unwrap_or_else(|error| panic!("{error}: {line}"))).collect()
}

both_engines!(ap_02_the_record_is_read_by_filters_and_by_who_may);
async fn ap_02_the_record_is_read_by_filters_and_by_who_may(server: TestServer) {
    let (ada, eve) = (server.person("ada").await, server.person("eve").await);
    let token = auditor(&server).await;
    let own = text(&login(&server, &ada).await, "accessToken").to_owned();
    server.advance_seconds(2);
    let between = server.now().to_rfc3339_opts(chrono::SecondsFormat::Millis, true);
    let wrong = json!({"email": eve.email, "password": "not the password"});
    let refused = post(&server, "/auth/login", &wrong).await;
    let reference = refused.header("x-request-id");

    for path in ["/audit", "/audit/export"] {
        expect_problem(server.get(path).await, 401);
        expect_problem(get(&server, path, &own).await, 403);
        get(&server, path, &token).await.expect_status(200);
    }
    let all = list(get(&server, "/audit?limit=100", &token).await);
    let instants: Vec<&str> = all.iter().map(|event| text(event, "at")).collect();
    assert!(instants.is_sorted_by(|newer, older| newer >= older), "{instants:?}");
    let failed = &all[0];
    assert_eq!(
        (text(failed, "kind"), text(failed, "user_id"), text(failed, "address"), text(failed, "request_id")),
        ("sign_in_refused", eve.id.as_str(), "127.0.0.1", reference),
    );
    assert_eq!(failed["detail"], json!({"reason": "wrong_password"}));

    let with = |query: String| {
        let (server, token) = (&server, &token);
        async move { list(get(server, &format!("/audit?limit=100&{query}"), token).await) }
    };
    for (query, matches) in [
        ("kind=signed_in".to_owned(), (|event, _| text(event, "kind") == "signed_in") as fn(&Value, &Person) -> bool),
        ("kind=signed_in&kind=sign_in_refused".to_owned(), |event, _| {
            ["signed_in", "sign_in_refused"].contains(&text(event, "kind"))
        }),
        (format!("user={}", ada.id), |event, ada| event["user_id"] == ada.id),
        (format!("actor={}", ada.id), |event, ada| event["actor_id"] == ada.id),
        ("client=credentials".to_owned(), |event, _| event["client_id"] == "credentials"),
        ("address=127.0.0.1".to_owned(), |event, _| event["address"] == "127.0.0.1"),
        ("address=192.0.2.1".to_owned(), |_, _| false),
    ] {
        let expected: Vec<&Value> = all.iter().filter(|event| matches(event, &ada)).collect();
        assert_eq!(with(query.clone()).await.iter().collect::<Vec<_>>(), expected, "{query}");
    }
    assert_eq!(ids(&with(format!("request={reference}")).await), [text(failed, "id")]);
    assert_eq!(ids(&with(format!("since={between}")).await), [text(failed, "id")]);
    assert_eq!(with(format!("until={between}")).await, all[1..]);
    assert_eq!(with(format!("since={between}&user={}", ada.id)).await, Vec::<Value>::new());

    let nobody = Uuid::nil();
    for query in [
        "user=ada".to_owned(),
        "actor=1".to_owned(),
        "since=yesterday".to_owned(),
        "until=2026-11-22".to_owned(),
        "kind=".to_owned(),
        "kind=%00".to_owned(),
        "client=%ff".to_owned(),
        "client=a&client=b".to_owned(),
        "limit=0".to_owned(),
        "sort=at".to_owned(),
        "after=1".to_owned(),
        format!("after={nobody}"),
    ] {
        expect_problem(get(&server, &format!("/audit?{query}"), &token).await, 400);
        if !["limit", "sort"].iter().any(|name| query.starts_with(name)) {
            expect_problem(get(&server, &format!("/audit/export?{query}"), &token).await, 400);
        }
    }
}

both_engines!(pages_of_the_record_stay_while_events_come_in);
async fn pages_of_the_record_stay_while_events_come_in(server: TestServer) {
    let token = auditor(&server).await;
    // Many of one instant: the time alone would lose or repeat some.
    write(&server, 25).await;
    let wanted = list(get(&server, "/audit?kind=password_rehashed&limit=100", &token).await);
    assert_eq!(wanted.len(), 25);
    let mut path = "/audit?kind=password_rehashed&limit=10".to_owned();
    let mut seen = Vec::new();
    for page in 0.. {
        let answer = get(&server, &path, &token).await.expect_status(200);
        seen.extend(answer.json::<Vec<Value>>());
        // What comes in meanwhile changes nothing about what is older.
        server.advance_seconds(1);
        write(&server, 3).await;
        let Some(next) = next(&answer) else {
            assert_eq!(page, 2, "three pages");
            break;
        };
        path = next;
    }
    assert_eq!(seen, wanted);
    assert!(path.contains("kind=password_rehashed"), "the next page is of the same question: {path}");
    assert_eq!(list(get(&server, "/audit?kind=password_rehashed&limit=100", &token).await).len(), 34);
}

both_engines!(an_export_is_every_event_oldest_first_and_goes_on_where_it_ended);
async fn an_export_is_every_event_oldest_first_and_goes_on_where_it_ended(server: TestServer) {
    let token = auditor(&server).await;
    // More than are in memory at once, and exactly a piece of them.
    write(&server, 700).await;
    server.advance_seconds(1);
    write(&server, 300).await;
    let path = "/audit/export?kind=password_rehashed";
    let answer = get(&server, path, &token).await.expect_status(200);
    assert_eq!((answer.header("content-type"), answer.header("cache-control")), ("application/jsonl", "no-store"));
    let exported = lines(&answer.body);
    assert_eq!(exported.len(), 1000);
    assert_eq!(exported.iter().map(|event| text(event, "id")).collect::<BTreeSet<_>>().len(), 1000);
    assert!(exported.is_sorted_by_key(|event| (text(event, "at").to_owned(), text(event, "id").to_owned())));
    // The shape is the list's.
    let newest = list(get(&server, "/audit?kind=password_rehashed&limit=1", &token).await);
    assert_eq!(exported.last(), newest.first());

    let last = text(&exported[999], "id").to_owned();
    assert_eq!(get(&server, &format!("{path}&after={last}"), &token).await.expect_status(200).body, "");
    server.advance_seconds(1);
    write(&server, 2).await;
    let more = lines(&get(&server, &format!("{path}&after={last}"), &token).await.expect_status(200).body);
    assert_eq!(more.len(), 2);

    // The command line says the same.
    let printed = server.cli(&["audit", "export", "--kind", "password_rehashed"]).await.expect_success().stdout;
    assert_eq!(lines(&printed), [&exported[..], &more[..]].concat());
    let printed = server.cli(&["audit", "export", "--kind", "password_rehashed", "--after", &last]).await;
    assert_eq!(lines(&printed.expect_success().stdout), more);
    let nobody = Uuid::nil().to_string();
    let refused = server.cli(&["audit", "export", "--after", &nobody]).await.expect_code(2);
    assert!(refused.stderr.contains("--after"), "{}", refused.stderr);
}

both_engines!(ap_02_ap_20_people_see_what_happened_to_their_own_account_and_nothing_of_others);
async fn ap_02_ap_20_people_see_what_happened_to_their_own_account_and_nothing_of_others(server: TestServer) {
    let (ada, eve, boss) = (server.person("ada").await, server.person("eve").await, server.person("boss").await);
    server.app().accounts.grant_role("boss", "admin").await.expect("a role");
    let admin = text(&login(&server, &boss).await, "accessToken").to_owned();
    server.advance_seconds(1);
    post(&server, "/auth/login", &json!({"email": ada.email, "password": "not the password"})).await;
    server.advance_seconds(1);
    let own = text(&login(&server, &ada).await, "accessToken").to_owned();
    let other = text(&login(&server, &eve).await, "accessToken").to_owned();
    server.advance_seconds(1);
    let change = json!({"name": "Ada King"});
    let call = server.call(reqwest::Method::PUT, &format!("/auth/{}", ada.id)).bearer(&admin).json(&change);
    call.send().await.expect_status(200);

    let path = format!("/auth/{}/activity", ada.id);
    expect_problem(server.get(&path).await, 401);
    expect_problem(get(&server, &path, &other).await, 404);
    let answer = get(&server, &path, &own).await.expect_status(200);
    assert!(!answer.body.contains(&boss.id) && !answer.body.contains(&eve.id), "{}", answer.body);
    let shown: Vec<Value> = answer.json();
    let of = |event: &Value| {
        (text(event, "kind").to_owned(), event["byAdministrator"].as_bool().unwrap(), event["address"].clone())
    };
    let here = json!("127.0.0.1");
    assert_eq!(
        shown.iter().take(3).map(of).collect::<Vec<_>>(),
        [
            ("user_changed".to_owned(), true, Value::Null),
            ("signed_in".to_owned(), false, here.clone()),
            ("sign_in_refused".to_owned(), false, here),
        ]
    );
    let mut members: Vec<&String> = shown[0].as_object().unwrap().keys().collect();
    members.sort();
    assert_eq!(members, ["address", "application", "at", "byAdministrator", "id", "kind", "provider", "role", "what"]);
    assert!(!answer.body.contains("grant_made"), "only what people understand: {}", answer.body);
    // Whoever reads the record reads this too.
    assert_eq!(list(get(&server, &path, &auditor(&server).await).await), shown);

    // A page at a time.
    let first = get(&server, &format!("{path}?limit=2"), &own).await.expect_status(200);
    let second = get(&server, &next(&first).expect("more"), &own).await.expect_status(200);
    let both = [first.json::<Vec<Value>>(), second.json()].concat();
    assert_eq!(both, shown[..both.len()]);
    expect_problem(get(&server, &format!("{path}?after={}", Uuid::nil()), &own).await, 400);
}

/// A page of three statements at the most, besides what the server looks for by itself.
async fn seen(server: &TestServer, browser: &mut Browser, path: &str) -> Answer {
    browser.get(path).await.expect_status(200);
    if server.engine() == Engine::Sqlite {
        return browser.get(path).await.expect_status(200);
    }
    let (page, statements) = server.statements_of(browser.get(path)).await;
    assert!((1..=3).contains(&statements.len()), "{statements:#?}");
    page.expect_status(200)
}

both_engines!(ap_20_activity_has_a_page_in_plain_words);
async fn ap_20_activity_has_a_page_in_plain_words(server: TestServer) {
    let (ada, eve) = (server.person("ada").await, server.person("eve").await);
    assert_eq!(server.browser().get("/account/activity").await.header("location"), "/sign-in?then=activity");
    for _ in 0..2 {
        let wrong = json!({"email": eve.email, "password": "not the password"});
        post(&server, "/auth/login", &wrong).await;
    }
    let mut browser = server.browser();
    sign_in(&mut browser, "nobody", "not the password").await;
    sign_in(&mut browser, &ada.username, "not the password").await;
    server.advance_seconds(61);
    sign_in(&mut browser, &ada.username, &ada.password).await.expect_status(303);
    let page = browser.get("/account/activity").await.expect_status(200);
    for said in ["You signed in", "A sign-in failed", "1 minute ago · 127.0.0.1", "Your account was made"] {
        assert!(page.body.contains(said), "{said}: {page:#?}");
    }
    assert_eq!(page.body.matches("A sign-in failed").count(), 1, "others' are not shown: {page:#?}");
    assert_eq!(page.header("cache-control"), "no-store");
    assert!(page.find_element("older").is_none(), "{page:#?}");

    // Long: small pages, few statements, older ones behind a link.
    for _ in 0..30 {
        server.advance_seconds(1);
        login(&server, &ada).await;
    }
    let first = seen(&server, &mut browser, "/account/activity").await;
    assert!(first.body.len() <= 15 * 1024, "{} bytes", first.body.len());
    assert_eq!(first.body.matches("You signed in").count(), 20);
    let older = first.element("older").attribute("href").expect("an address").to_owned();
    let second = seen(&server, &mut browser, &older).await;
    assert!(second.body.contains("Your account was made") && second.find_element("newest").is_some(), "{second:#?}");
    for odd in ["after=1", "after=00000000-0000-0000-0000-000000000000"] {
        let page = browser.get(&format!("/account/activity?{odd}")).await.expect_status(200);
        assert_eq!(page.body.matches("You signed in").count(), 20);
    }
}
