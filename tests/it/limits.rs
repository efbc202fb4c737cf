//! How failures are counted: by account, device, address and network; what closes, for how long, and for whom not.

use std::collections::BTreeSet;

use chrono::Duration;
use cookie::time::SignedDuration;
use reqwest::Method;
use serde_json::{Value, json};

use crate::{
    api_accounts::post,
    engines::lines,
    support::{Answer, Binary, Browser, Engine, Person, TestServer, at_once},
};

const QUICK: [(&str, &str); 2] = [("passwords.memory", "19456"), ("passwords.iterations", "1")];
const PROXIED: [(&str, &str); 3] = [QUICK[0], QUICK[1], ("proxies.trusted", "127.0.0.0/8")];
const WRONG: &str = "not the password";

/// Tries a password by the page, from this address.
async fn try_in(browser: &mut Browser, from: &str, username: &str, password: &str) -> Answer {
    let form = browser.get("/sign-in").await.expect_status(200).form("/sign-in");
    let mut fields = form.fields.clone();
    fields.retain(|(name, _)| name != "username" && name != "password");
    fields.push(("username".to_owned(), username.to_owned()));
    fields.push(("password".to_owned(), password.to_owned()));
    let call = browser.call(Method::POST, "/sign-in").form(&fields).header("x-forwarded-for", from);
    browser.send(call).await
}

/// The same in a browser that nobody has signed in with.
async fn try_from(server: &TestServer, from: &str, username: &str, password: &str) -> Answer {
    try_in(&mut server.browser(), from, username, password).await
}

/// Signs in, and closes the browser: what is left is what tells the device.
async fn known_device(server: &TestServer, person: &Person) -> Browser {
    let mut browser = server.browser();
    try_in(&mut browser, "192.0.2.1", &person.username, &person.password).await.expect_status(303);
    browser.close();
    browser
}

/// Uses up what an account may fail, and one more; how long it is closed.
async fn close(server: &TestServer, username: &str) -> i64 {
    for _ in 0..5 {
        try_from(server, "198.51.100.1", username, WRONG).await.expect_status(422);
    }
    let closed = try_from(server, "198.51.100.1", username, WRONG).await.expect_status(429);
    closed.header("retry-after").parse().expect("seconds")
}

async fn throttled_events(server: &TestServer) -> Vec<String> {
    lines(server, "SELECT detail AS line FROM audit_events WHERE kind = 'throttled' ORDER BY id").await
}

both_engines!(lg_05_an_account_that_is_tried_again_and_again_waits_longer with
    [super::PROXIED[0], super::PROXIED[1], super::PROXIED[2], ("limits.longest_window", "1h"), ("limits.address_failures", "1000")]);
async fn lg_05_an_account_that_is_tried_again_and_again_waits_longer(server: TestServer) {
    let ada = server.person("ada").await;
    for wait in [900, 1_800, 3_600, 3_600] {
        assert_eq!(close(&server, "ada").await, wait);
        server.advance_seconds(wait - 1);
        try_from(&server, "198.51.100.2", "ada", &ada.password).await.expect_status(429);
        server.advance_seconds(1);
    }
    // A window in which less is tried makes the next one shorter.
    try_from(&server, "198.51.100.1", "ada", WRONG).await.expect_status(422);
    server.advance_seconds(3_600);
    assert_eq!(close(&server, "ada").await, 1_800);
    // Nobody's name waits as long as somebody's.
    for wait in [900, 1_800] {
        assert_eq!(close(&server, "ghost").await, wait);
        server.advance_seconds(wait);
    }
    server.advance(Duration::hours(26));
    assert_eq!(close(&server, "ada").await, 900);
    server.advance_seconds(900);
    try_from(&server, "198.51.100.2", "ada", &ada.password).await.expect_status(303);
}

both_engines!(h0_8_strangers_do_not_keep_an_owner_out with
    [super::PROXIED[0], super::PROXIED[1], super::PROXIED[2], ("limits.address_failures", "12")]);
/// H0-8, LG-05: whoever tries passwords for somebody closes the account to strangers, and not to the browsers of its owner.
async fn h0_8_strangers_do_not_keep_an_owner_out(server: TestServer) {
    let (ada, eve) = (server.person("ada").await, server.person("eve").await);
    let mut own = known_device(&server, &ada).await;
    let mut other = known_device(&server, &eve).await;
    close(&server, "ada").await;
    try_from(&server, "192.0.2.1", "ada", &ada.password).await.expect_status(429);
    // Another person's device is a stranger's here, and so is one that somebody has made up.
    try_in(&mut other, "192.0.2.1", "ada", &ada.password).await.expect_status(429);
    let (name, value) = own.cookie_pairs().into_iter().find(|(name, _)| name.contains("device")).expect("a cookie");
    for made_up in ["A".repeat(43), value.to_uppercase(), value[..42].to_owned()] {
        let mut browser = server.browser();
        browser.set_cookie(&name, &made_up);
        try_in(&mut browser, "192.0.2.1", "ada", &ada.password).await.expect_status(429);
    }
    // It opens nothing by itself.
    assert!(own.get("/").await.find_element("sign-out").is_none());
    try_in(&mut own, "192.0.2.1", "ada", WRONG).await.expect_status(422);
    // From wherever: here the address is closed too.
    for n in 0..8 {
        try_from(&server, "192.0.2.9", &format!("name{n}"), WRONG).await.expect_status(422);
    }
    for n in 0..5 {
        try_from(&server, "192.0.2.9", &format!("more{n}"), WRONG).await;
    }
    try_from(&server, "192.0.2.9", "eve", &eve.password).await.expect_status(429);
    let answer = try_in(&mut own, "192.0.2.9", "ada", &ada.password).await.expect_status(303);
    assert!(answer.header_values("set-cookie").iter().any(|cookie| cookie.starts_with(&name)), "{answer:#?}");
}

both_engines!(h0_8_a_stolen_device_gets_no_more_tries_than_a_stranger with super::PROXIED);
async fn h0_8_a_stolen_device_gets_no_more_tries_than_a_stranger(server: TestServer) {
    let (ada, eve) = (server.person("ada").await, server.person("eve").await);
    let own = known_device(&server, &ada).await;
    let mut stolen = own.clone();
    for _ in 0..4 {
        try_in(&mut stolen, "192.0.2.1", "ada", WRONG).await.expect_status(422);
    }
    // Somebody else's success on it gives no tries back (LG-09).
    try_in(&mut stolen, "192.0.2.1", "eve", &eve.password).await.expect_status(303);
    stolen.close();
    try_in(&mut stolen, "192.0.2.1", "ada", WRONG).await.expect_status(422);
    for password in [WRONG, &ada.password] {
        try_in(&mut stolen, "192.0.2.1", "ada", password).await.expect_status(429);
    }
    assert_eq!(throttled_events(&server).await, [r#"{"by":"device","what":"sign_in"}"#]);
    // The account itself is open, and its owner's next sign-in makes copies worthless.
    server.advance(Duration::minutes(15));
    let mut own = stolen.clone();
    try_in(&mut own, "192.0.2.1", "ada", &ada.password).await.expect_status(303);
    close(&server, "ada").await;
    try_in(&mut stolen, "192.0.2.1", "ada", &ada.password).await.expect_status(429);
    own.close();
    try_in(&mut own, "192.0.2.1", "ada", &ada.password).await.expect_status(303);
}

both_engines!(h0_8_a_device_is_known_for_a_while_and_a_reset_makes_one_known with super::PROXIED);
async fn h0_8_a_device_is_known_for_a_while_and_a_reset_makes_one_known(server: TestServer) {
    let ada = server.person("ada").await;
    let mut own = known_device(&server, &ada).await;
    let (name, value) = own.cookie_pairs().into_iter().find(|(name, _)| name.contains("device")).expect("a cookie");
    let cookie = own.cookies().find(|cookie| cookie.name() == name).expect("a cookie");
    assert_eq!(cookie.max_age(), Some(SignedDuration::days(180)), "{cookie}");
    server.advance(Duration::days(179));
    close(&server, "ada").await;
    try_in(&mut own, "192.0.2.1", "ada", &ada.password).await.expect_status(303);
    let renewed = own.cookie_pairs()[&name].clone();
    assert_ne!(renewed, value);
    // Whatever the browser keeps.
    server.advance(Duration::days(181));
    close(&server, "ada").await;
    own.close();
    own.set_cookie(&name, &renewed);
    try_in(&mut own, "192.0.2.1", "ada", &ada.password).await.expect_status(429);
}

both_engines!(lg_06_the_network_around_an_address_counts_too with
    [super::PROXIED[0], super::PROXIED[1], super::PROXIED[2], ("limits.network_failures", "6")]);
async fn lg_06_the_network_around_an_address_counts_too(server: TestServer) {
    let ada = server.person("ada").await;
    for (inside, outside) in [("198.51.100.", "198.51.101.1"), ("2001:db8:1:", "2001:db8:2::1")] {
        let address = |n: u32| if inside.contains(':') { format!("{inside}{n}::1") } else { format!("{inside}{n}") };
        for n in 0..6 {
            try_from(&server, &address(n), &format!("{n}{}", inside.len()), WRONG).await.expect_status(422);
        }
        let closed = try_from(&server, &address(77), "ada", &ada.password).await.expect_status(429);
        assert_eq!(closed.header("retry-after"), "900");
        try_from(&server, outside, "ada", &ada.password).await.expect_status(303);
    }
    let by: BTreeSet<_> = throttled_events(&server).await.into_iter().collect();
    assert_eq!(by.into_iter().collect::<Vec<_>>(), [r#"{"by":"network","what":"sign_in"}"#]);
}

both_engines!(lg_06_a_closed_address_closes_no_accounts with
    [super::PROXIED[0], super::PROXIED[1], super::PROXIED[2], ("limits.address_failures", "6")]);
/// One place may not close more accounts than passwords may be tried from it.
async fn lg_06_a_closed_address_closes_no_accounts(server: TestServer) {
    let ada = server.person("ada").await;
    for n in 0..6 {
        try_from(&server, "198.51.100.7", &format!("name{n}"), WRONG).await.expect_status(422);
    }
    for _ in 0..8 {
        try_from(&server, "198.51.100.7", "ada", WRONG).await.expect_status(429);
    }
    for _ in 0..4 {
        try_from(&server, "198.51.100.8", "ada", WRONG).await.expect_status(422);
    }
    try_from(&server, "198.51.100.8", "ada", &ada.password).await.expect_status(303);
}

/// Tries a wrong password for each of these names at once, on two nodes; stops if more than `most` were looked at.
async fn expect_at_most(server: &TestServer, most: usize, count: usize, name: impl Fn(usize) -> String) {
    let second = server.second_node().await;
    let wires = [server.wire(), second.wire()];
    let answers = at_once(count, |n| {
        let body = json!({"email": name(n), "password": WRONG});
        wires[n % 2].call(Method::POST, "/auth/login").json(&body).send()
    })
    .await;
    // On a machine that is busy some find no connection to the database in time.
    let answers: Vec<_> = answers.into_iter().filter(|answer| answer.status != 503).collect();
    let codes: Vec<Value> = answers.iter().map(|answer| answer.json::<Value>()["code"].clone()).collect();
    let found = |code: &str| codes.iter().filter(|found| *found == code).count();
    let (wrong, throttled) = (found("invalid_credentials"), found("throttled"));
    assert_eq!(wrong + throttled, answers.len(), "{codes:?}");
    assert!((1..=most).contains(&wrong) && throttled > 0, "{wrong} were looked at, {throttled} were not");
    let refused = lines(server, "SELECT kind AS line FROM audit_events WHERE kind = 'sign_in_refused'").await;
    assert!(refused.len() <= most, "{refused:?}");
}

both_engines!(lg_08_parallel_tries_are_hashed_as_often_as_the_limit_says with super::QUICK);
/// LG-08, OP-09: on two nodes at once.
async fn lg_08_parallel_tries_are_hashed_as_often_as_the_limit_says(server: TestServer) {
    let ada = server.person("ada").await;
    expect_at_most(&server, 5, 24, |_| ada.email.clone()).await;
    assert_eq!(throttled_events(&server).await.len(), 1);
}

both_engines!(lg_08_parallel_tries_of_many_names_from_one_address with
    [super::QUICK[0], super::QUICK[1], ("limits.address_failures", "7")]);
async fn lg_08_parallel_tries_of_many_names_from_one_address(server: TestServer) {
    expect_at_most(&server, 7, 24, |n| format!("name{n}@example.org")).await;
}

both_engines!(what_closes_is_recorded_once_a_window with super::QUICK);
async fn what_closes_is_recorded_once_a_window(server: TestServer) {
    server.person("ada").await;
    for round in 1..=2 {
        for n in 0..20 {
            let expected = if n < 5 { 422 } else { 429 };
            try_from(&server, "", "ada", WRONG).await.expect_status(expected);
        }
        assert_eq!(throttled_events(&server).await, vec![r#"{"by":"account","what":"sign_in"}"#; round]);
        let refused = lines(&server, "SELECT kind AS line FROM audit_events WHERE kind = 'sign_in_refused'").await;
        assert_eq!(refused.len(), 5 * round);
        server.advance(Duration::hours(1));
    }
    let named =
        lines(&server, "SELECT kind AS line FROM audit_events WHERE kind = 'throttled' AND user_id IS NOT NULL");
    assert_eq!(named.await.len(), 2);
    let metrics = server.node().management().get("/metrics").await.expect_status(200).body;
    let counted =
        metrics.lines().find(|line| line.starts_with("bonafide_throttled_total") && line.contains("\"account\""));
    assert!(counted.is_some_and(|line| line.contains("what=\"sign_in\"")), "{metrics}");
    assert!(!metrics.contains("\"ada\""), "{metrics}");
}

both_engines!(counters_that_no_longer_count_are_swept with super::QUICK);
async fn counters_that_no_longer_count_are_swept(server: TestServer) {
    close(&server, "ada").await;
    let sweep = async || {
        while bonafide::server::sweep_once(server.app()).await.unwrap() > 0 {}
        lines(&server, "SELECT failures || '' AS line FROM attempts").await.len()
    };
    assert_eq!(sweep().await, 3);
    // How long the account's window was is remembered for a day.
    server.advance(Duration::minutes(16));
    assert_eq!(sweep().await, 1);
    server.advance(Duration::hours(24));
    assert_eq!(sweep().await, 0);
}

both_engines!(lg_15_who_is_sent_away_because_all_is_busy_has_not_tried with
    [("passwords.threads", "1"), ("passwords.queue", "1"), ("limits.account_failures", "50")]);
/// LG-15: the queue is bounded; whom it has no room for is told when to come again, in no JSON, and has used up nothing.
async fn lg_15_who_is_sent_away_because_all_is_busy_has_not_tried(server: TestServer) {
    let ada = server.person("ada").await;
    let wire = server.wire();
    let answers = at_once(24, |_| {
        let body = json!({"email": ada.email, "password": ada.password});
        wire.call(Method::POST, "/auth/login").json(&body).send()
    })
    .await;
    let (busy, others): (Vec<_>, Vec<_>) = answers.into_iter().partition(|answer| answer.status == 503);
    assert!(!busy.is_empty() && !others.is_empty(), "{}", busy.len());
    for answer in busy {
        assert!(answer.header("retry-after").parse::<u32>().is_ok_and(|seconds| seconds > 0), "{answer:#?}");
        assert!(answer.body.is_empty(), "{answer:#?}");
    }
    for answer in others {
        answer.expect_status(200);
    }
    server.node().management().get("/health/live").await.expect_status(200);
    assert!(lines(&server, "SELECT failures || '' AS line FROM attempts WHERE failures > 0").await.is_empty());
}

/// The same questions to the database whoever it is, at the door for programs and on the page.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn lg_02_at_sign_in_known_and_unknown_cost_the_same() {
    let settings = [
        QUICK[0],
        QUICK[1],
        ("limits.account_failures", "1000"),
        ("limits.address_failures", "1000"),
        ("limits.network_failures", "1000"),
    ];
    let server = TestServer::with(Engine::Postgres, &settings).await;
    let (ada, off) = (server.person("ada").await, server.person("off").await);
    server.app().accounts.set_disabled(&off.id, true).await.unwrap();
    server.cli(&["user", "create", "--email", "passwordless@example.org"]).await.expect_success();
    let mut browser = known_device(&server, &ada).await;
    let names = [ada.email.as_str(), "nobody@example.org", off.email.as_str(), "passwordless@example.org"];
    for name in names {
        post(&server, "/auth/login", &json!({"email": name, "password": WRONG})).await;
        try_in(&mut browser, "", name, WRONG).await;
    }
    server.settled().await;
    let short = |statements: Vec<String>| -> Vec<String> {
        let own =
            |sql: &String| ["users", "attempts", "audit_events", "devices"].iter().any(|table| sql.contains(table));
        statements.into_iter().filter(own).map(|sql| sql.chars().take(40).collect()).collect()
    };
    // PostgreSQL forgets statements while other tests keep it busy: some rounds say nothing.
    let (mut page, mut json) = (false, false);
    for _ in 0..20 {
        let (mut by_json, mut by_page) = (Vec::new(), Vec::new());
        for name in names {
            let body = json!({"email": name, "password": WRONG});
            let (_, asked) = server.statements_during(post(&server, "/auth/login", &body)).await;
            by_json.push(short(asked));
            let (_, asked) = server.statements_during(try_in(&mut browser, "", name, WRONG)).await;
            by_page.push(short(asked));
        }
        // The question for the account, the charges, the record.
        for (asked, done) in [(&by_json, &mut json), (&by_page[1..].to_vec(), &mut page)] {
            if asked.iter().all(|asked| asked.len() >= 4) {
                assert!(asked.iter().all(|other| *other == asked[0]), "{asked:#?}");
                *done = true;
            }
        }
        if page && json {
            return;
        }
    }
    panic!("the statements were never all counted");
}

each_engine!(one_setting_lifts_all_of_them_and_says_so);
async fn one_setting_lifts_all_of_them_and_says_so(engine: Engine) {
    const SAID: &str = "limits.enabled is false";
    let throttled = [QUICK[0], QUICK[1], ("limits.requests_at_once", "40"), ("limits.requests_a_second", "1")];
    let lifted: Vec<_> = throttled.into_iter().chain([("limits.enabled", "false")]).collect();
    let counted = Binary::with(engine, &throttled).await;
    assert!(!counted.stderr().contains(SAID));
    let binary = Binary::with(engine, &lifted).await;
    binary.expect_log(SAID).await;
    let line = binary.stderr().lines().find(|line| line.contains(SAID)).map(str::to_owned).expect("a line");
    assert!(line.contains("WARN"), "{line}");
    for binary in [&binary, &counted] {
        let wrong = json!({"email": "nobody@example.org", "password": WRONG});
        let mut codes = BTreeSet::new();
        for _ in 0..8 {
            let call = binary.wire().call(Method::POST, "/auth/login").json(&wrong);
            codes.insert(call.send().await.expect_status(400).json::<Value>()["code"].to_string());
        }
        let mut statuses = BTreeSet::new();
        for _ in 0..60 {
            statuses.insert(binary.wire().get("/jwks").await.status.as_u16());
        }
        let lifted = binary.stderr().contains(SAID);
        assert_eq!(codes.len(), if lifted { 1 } else { 2 }, "{codes:?}");
        assert_eq!(statuses.into_iter().collect::<Vec<_>>(), if lifted { vec![200] } else { vec![200, 429] });
    }
}
