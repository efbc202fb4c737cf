//! Signing in with a password, the session that comes of it, and how often a password may be tried.

use std::collections::BTreeMap;

use chrono::Duration;
use reqwest::{Method, header::HeaderMap};
use serde_json::Value;

use crate::{
    sign_up,
    support::{Answer, Browser, Engine, Flow, Form, NewApplication, Person, TestServer, Tokens},
};

/// The least that may be set: tests that try many passwords need not wait for each.
pub(crate) const QUICK: [(&str, &str); 2] = [("passwords.memory", "19456"), ("passwords.iterations", "1")];
/// The same behind a proxy.
const PROXIED: [(&str, &str); 3] = [QUICK[0], QUICK[1], ("proxies.trusted", "127.0.0.0/8")];

const WRONG: &str = "not the password";

pub(crate) async fn form(browser: &mut Browser) -> Form {
    browser.get("/sign-in").await.expect_status(200).form("/sign-in")
}

async fn attempt(browser: &mut Browser, form: &Form, username: &str, password: &str) -> Answer {
    browser.submit(form, Some("sign-in"), &[("username", username), ("password", password)]).await
}

/// One attempt of a new browser, from this address where a proxy says so.
pub(crate) async fn try_from(server: &TestServer, from: &[&str], username: &str, password: &str) -> Answer {
    let mut browser = server.browser();
    let form = form(&mut browser).await;
    let mut fields = form.fields.clone();
    fields.retain(|(name, _)| name != "username" && name != "password");
    fields.push(("username".to_owned(), username.to_owned()));
    fields.push(("password".to_owned(), password.to_owned()));
    let call = browser.call(Method::POST, "/sign-in").form(&fields);
    let call = from.iter().fold(call, |call, address| call.header("x-forwarded-for", address));
    browser.send(call).await
}

pub(crate) async fn sign_in(browser: &mut Browser, person: &Person) -> Answer {
    let form = form(browser).await;
    attempt(browser, &form, &person.username, &person.password).await.expect_status(303)
}

/// Whether the browser is signed in, by the page of whoever is here.
pub(crate) async fn is_signed_in(browser: &mut Browser) -> bool {
    browser.get("/").await.expect_status(200).find_element("sign-out").is_some()
}

pub(crate) fn session_cookie(browser: &Browser) -> (String, String) {
    let found = browser.cookie_pairs().into_iter().find(|(name, _)| name.contains("session"));
    found.expect("a session's cookie")
}

pub(crate) async fn disable(server: &TestServer, person: &Person) {
    server.cli(&["user", "disable", &person.username]).await.expect_success();
}

/// What of an answer may not depend on who exists.
fn telltales(answer: &Answer) -> (u16, BTreeMap<String, Vec<u8>>, String) {
    let own = |headers: &HeaderMap| {
        headers
            .iter()
            .filter(|(name, _)| !matches!(name.as_str(), "x-request-id" | "date"))
            .map(|(name, value)| (name.to_string(), value.as_bytes().to_vec()))
            .collect()
    };
    (answer.status.as_u16(), own(&answer.headers), answer.body.clone())
}

both_engines!(lg_01_every_refusal_reads_the_same with super::QUICK);
async fn lg_01_every_refusal_reads_the_same(server: TestServer) {
    let mut browser = server.browser();
    let form = form(&mut browser).await;

    let unknown = attempt(&mut browser, &form, "ghost", WRONG).await.expect_status(422);
    let ghost = server.person("ghost").await;
    let wrong = attempt(&mut browser, &form, "ghost", WRONG).await.expect_status(422);
    disable(&server, &ghost).await;
    let disabled = attempt(&mut browser, &form, "ghost", &ghost.password).await.expect_status(422);
    server.cli(&["user", "create", "--email", "nobody@example.org"]).await.expect_success();
    for answer in [&wrong, &disabled] {
        assert_eq!(telltales(answer), telltales(&unknown));
    }
    // A person without a password, by the name that was typed.
    let unknown = attempt(&mut browser, &form, "nobody@example.net", WRONG).await.expect_status(422);
    let passwordless = attempt(&mut browser, &form, "nobody@example.org", WRONG).await.expect_status(422);
    let (status, headers, body) = telltales(&passwordless);
    assert_eq!((status, headers, body.replace("nobody@example.org", "nobody@example.net")), telltales(&unknown));

    server.cli(&["user", "enable", "ghost"]).await.expect_success();
    attempt(&mut browser, &form, "ghost", &ghost.password).await.expect_status(303);
}

both_engines!(lg_01_throttling_tells_nobody_either with super::QUICK);
async fn lg_01_throttling_tells_nobody_either(server: TestServer) {
    let ada = server.person("ada").await;
    let mut browser = server.browser();
    let form = form(&mut browser).await;
    for username in ["ada", "bob"] {
        for _ in 0..5 {
            attempt(&mut browser, &form, username, WRONG).await.expect_status(422);
        }
    }
    let known = attempt(&mut browser, &form, "ada", &ada.password).await.expect_status(429);
    let unknown = attempt(&mut browser, &form, "bob", WRONG).await.expect_status(429);
    let (status, headers, body) = telltales(&known);
    assert_eq!((status, headers, body.replace("value=\"ada\"", "value=\"bob\"")), telltales(&unknown));
}

both_engines!(a_refused_form_keeps_the_name_and_not_the_password with super::QUICK);
async fn a_refused_form_keeps_the_name_and_not_the_password(server: TestServer) {
    let mut browser = server.browser();
    let first = form(&mut browser).await;
    let typed = [("username", "ada <b>\"x\""), ("password", "secret \"words\""), ("remember", "true")];
    let answer = browser.submit(&first, Some("sign-in"), &typed).await.expect_status(422);
    let again = answer.form("/sign-in");
    assert_eq!(again.value("username"), Some("ada <b>\"x\""));
    assert_eq!(again.value("remember"), Some("true"));
    assert_eq!(again.value("password"), Some(""));
    assert!(!answer.body.contains("secret"), "{answer:#?}");
    assert!(answer.title().starts_with("Error:"), "{answer:#?}");
    assert_eq!(answer.element("summary").attribute("tabindex"), Some("-1"));
    assert!(answer.element("summary").attribute("autofocus").is_some());

    for typed in [[("username", ""), ("password", "x")], [("username", "ada"), ("password", "")]] {
        let answer = browser.submit(&first, Some("sign-in"), &typed).await.expect_status(422);
        let missing = if typed[0].1.is_empty() { "username" } else { "password" };
        assert_eq!(answer.element(missing).attribute("aria-invalid"), Some("true"), "{answer:#?}");
    }
    // The page that came back works like the first.
    let ada = server.person("ada").await;
    attempt(&mut browser, &again, &ada.email, &ada.password).await.expect_status(303);
}

both_engines!(lg_05_five_failures_close_an_account_for_a_while with super::PROXIED);
async fn lg_05_five_failures_close_an_account_for_a_while(server: TestServer) {
    let ada = server.person("ada").await;
    let bob = server.person("bob").await;
    for n in 0..5 {
        try_from(&server, &[&format!("198.51.100.{n}")], "ada", WRONG).await.expect_status(422);
        server.advance_seconds(10);
    }
    for password in [WRONG, &ada.password] {
        let answer = try_from(&server, &["198.51.100.77"], "ada", password).await.expect_status(429);
        assert_eq!(answer.header("retry-after"), "850", "{answer:#?}");
        assert!(!answer.headers.contains_key("set-cookie"), "{answer:#?}");
        assert!(answer.title().starts_with("Error:"), "{answer:#?}");
        assert_eq!(answer.form("/sign-in").value("username"), Some("ada"));
    }
    // Nobody else is kept out.
    try_from(&server, &["198.51.100.1"], "bob", &bob.password).await.expect_status(303);
    // To the second: trying in between has not moved the end.
    server.advance_seconds(849);
    try_from(&server, &["198.51.100.78"], "ada", &ada.password).await.expect_status(429);
    server.advance_seconds(1);
    try_from(&server, &["198.51.100.79"], "ada", &ada.password).await.expect_status(303);
    // And it closes again like the first time.
    for _ in 0..5 {
        try_from(&server, &["198.51.100.80"], "ada", WRONG).await.expect_status(422);
    }
    try_from(&server, &["198.51.100.81"], "ada", &ada.password).await.expect_status(429);
}

both_engines!(lg_06_an_address_that_tries_many_names_is_closed with
    [super::PROXIED[0], super::PROXIED[1], super::PROXIED[2], ("limits.address_failures", "6")]);
async fn lg_06_an_address_that_tries_many_names_is_closed(server: TestServer) {
    let ada = server.person("ada").await;
    for (n, address) in ["198.51.100.7"; 6].into_iter().enumerate() {
        try_from(&server, &[address], &format!("name{n}"), WRONG).await.expect_status(422);
    }
    let closed = try_from(&server, &["198.51.100.7"], "ada", &ada.password).await.expect_status(429);
    assert_eq!(closed.header("retry-after"), "900");
    // What the proxy says last is what counts: the rest is the sender's own word.
    let spoofed = ["203.0.113.9", "203.0.113.10, 198.51.100.7"];
    try_from(&server, &spoofed, "ada", &ada.password).await.expect_status(429);
    try_from(&server, &["::ffff:198.51.100.7"], "ada", &ada.password).await.expect_status(429);
    try_from(&server, &["198.51.100.8"], "ada", &ada.password).await.expect_status(303);

    // A network of IPv6 is one customer.
    for n in 0..6 {
        let address = format!("2001:db8:1:2::{n}");
        try_from(&server, &[&address], &format!("six{n}"), WRONG).await.expect_status(422);
    }
    try_from(&server, &["2001:db8:1:2:ffff::1"], "ada", &ada.password).await.expect_status(429);
    try_from(&server, &["2001:db8:1:3::1"], "ada", &ada.password).await.expect_status(303);
    server.advance(Duration::minutes(15));
    try_from(&server, &["198.51.100.7"], "ada", &ada.password).await.expect_status(303);
}

both_engines!(lg_09_a_success_in_between_changes_nothing with super::QUICK);
async fn lg_09_a_success_in_between_changes_nothing(server: TestServer) {
    let ada = server.person("ada").await;
    let mallory = server.person("mallory").await;
    for _ in 0..2 {
        try_from(&server, &[], "ada", WRONG).await.expect_status(422);
        try_from(&server, &[], "ada", WRONG).await.expect_status(422);
        // Mallory's own success, and Ada's.
        try_from(&server, &[], "mallory", &mallory.password).await.expect_status(303);
        try_from(&server, &[], "ada", &ada.password).await.expect_status(303);
    }
    try_from(&server, &[], "ada", WRONG).await.expect_status(422);
    try_from(&server, &[], "ada", &ada.password).await.expect_status(429);
    // A success was never counted against anybody.
    for _ in 0..6 {
        try_from(&server, &[], "mallory", &mallory.password).await.expect_status(303);
    }
}

both_engines!(lg_09_every_spelling_is_one_counter with super::QUICK);
async fn lg_09_every_spelling_is_one_counter(server: TestServer) {
    let ada = server.person("ada").await;
    for name in ["ada", " ADA ", "ada@example.org", "Ada@Example.ORG", "ａｄａ"] {
        try_from(&server, &[], name, WRONG).await.expect_status(422);
    }
    for name in ["ada", "ada@example.org", "aDa"] {
        try_from(&server, &[], name, &ada.password).await.expect_status(429);
    }
    // Nobody's spellings too.
    for name in ["ghost", "GHOST", " ghost", "ghost ", "Ghost"] {
        try_from(&server, &[], name, WRONG).await.expect_status(422);
    }
    try_from(&server, &[], "gHOST", WRONG).await.expect_status(429);
}

both_engines!(lg_09_a_restart_forgets_nothing with super::QUICK);
async fn lg_09_a_restart_forgets_nothing(mut server: TestServer) {
    let ada = server.person("ada").await;
    for _ in 0..5 {
        try_from(&server, &[], "ada", WRONG).await.expect_status(422);
    }
    server.restart().await;
    try_from(&server, &[], "ada", &ada.password).await.expect_status(429);
    // Nor does another node start anew.
    let second = server.second_node().await;
    let mut browser = Browser::new(second.wire());
    let form = form(&mut browser).await;
    attempt(&mut browser, &form, "ada", &ada.password).await.expect_status(429);
}

both_engines!(lg_12_nobody_chooses_their_own_address with [super::QUICK[0], super::QUICK[1], ("limits.address_failures", "3")]);
async fn lg_12_nobody_chooses_their_own_address(server: TestServer) {
    let ada = server.person("ada").await;
    let long = "203.0.113.1, ".repeat(800);
    for (n, forwarded) in ["203.0.113.1", "a", &long].into_iter().enumerate() {
        try_from(&server, &[forwarded], &format!("name{n}"), WRONG).await.expect_status(422);
    }
    for forwarded in ["203.0.113.4", "::ffff:1.2.3.4", "127.0.0.2"] {
        try_from(&server, &[forwarded, forwarded], "ada", &ada.password).await.expect_status(429);
    }
}

both_engines!(lg_12_what_a_proxy_says_and_nobody_understands_is_the_proxy with
    [super::PROXIED[0], super::PROXIED[1], super::PROXIED[2], ("limits.address_failures", "3")]);
async fn lg_12_what_a_proxy_says_and_nobody_understands_is_the_proxy(server: TestServer) {
    let ada = server.person("ada").await;
    for (n, forwarded) in ["a", "999.1.1.1", ""].into_iter().enumerate() {
        try_from(&server, &[forwarded], &format!("name{n}"), WRONG).await.expect_status(422);
    }
    try_from(&server, &["unknown"], "ada", &ada.password).await.expect_status(429);
    try_from(&server, &["198.51.100.1"], "ada", &ada.password).await.expect_status(303);
}

both_engines!(lg_15_long_passwords_are_refused_before_they_are_hashed with super::QUICK);
async fn lg_15_long_passwords_are_refused_before_they_are_hashed(server: TestServer) {
    let mut browser = server.browser();
    let long = "päßwörter".repeat(14) + "xy"; // 128 characters
    assert_eq!(long.chars().count(), 128);
    sign_up::expect_account(&mut browser, "ada@example.org", &long).await;

    let mut browser = server.browser();
    let form = form(&mut browser).await;
    for password in [format!("{long}x"), "x".repeat(1_024), "x".repeat(1_025)] {
        attempt(&mut browser, &form, "ada@example.org", &password).await.expect_status(422);
    }
    attempt(&mut browser, &form, "ada@example.org", &long).await.expect_status(303);
    // What is no form any more is not read at all.
    let mut other = server.browser();
    let form = self::form(&mut other).await;
    attempt(&mut other, &form, "ada@example.org", &"x".repeat(1 << 20)).await.expect_status(413);
}

both_engines!(lg_16_every_character_of_a_password_counts with super::QUICK);
async fn lg_16_every_character_of_a_password_counts(server: TestServer) {
    let stem = "correct horse battery staple and then some more words to make it long enough";
    assert!(stem.len() > 72);
    let password = format!("{stem} one");
    let mut browser = server.browser();
    sign_up::expect_account(&mut browser, "ada@example.org", &password).await;

    let mut browser = server.browser();
    let form = form(&mut browser).await;
    for other in [format!("{stem} two"), stem.to_owned(), format!("{password} "), stem[..72].to_owned()] {
        attempt(&mut browser, &form, "ada@example.org", &other).await.expect_status(422);
    }
    // NUL is in no form, so nothing behind it can be cut off.
    attempt(&mut browser, &form, "ada@example.org", &format!("{password}\0x")).await.expect_status(400);
    attempt(&mut browser, &form, "ada@example.org", &password).await.expect_status(303);
}

both_engines!(lg_17_passwords_are_taken_as_they_come with super::QUICK);
/// Composed and decomposed are two; spaces stay.
async fn lg_17_passwords_are_taken_as_they_come(server: TestServer) {
    let (composed, decomposed) = ("  caf\u{e9} am 🦀 meer ", "  cafe\u{301} am 🦀 meer ");
    let mut browser = server.browser();
    sign_up::expect_account(&mut browser, "ada@example.org", composed).await;

    let mut browser = server.browser();
    let form = form(&mut browser).await;
    for other in [decomposed, composed.trim(), composed.trim_start()] {
        attempt(&mut browser, &form, "ada@example.org", other).await.expect_status(422);
    }
    attempt(&mut browser, &form, "ada@example.org", composed).await.expect_status(303);
}

both_engines!(a_tab_left_open_still_finishes with super::QUICK);
async fn a_tab_left_open_still_finishes(server: TestServer) {
    let ada = server.person("ada").await;
    let application = server.application(NewApplication::default()).await;
    let mut browser = server.browser();
    let (first, second) = (Flow::new(&application), Flow::new(&application));
    let left_open = first.open(&mut browser).await.form("/sign-in");
    let stale = form(&mut browser).await;
    let tokens = second.tokens(&server.wire(), &mut browser, &ada).await;
    // The tab of before, in which nobody has typed yet.
    let answer = attempt(&mut browser, &left_open, &ada.username, &ada.password).await.expect_status(303);
    let answer = browser.follow(answer).await;
    let again = first.exchange(&server.wire(), first.reply(&answer).expect("an answer").code()).await.expect_tokens();
    let sid = |tokens: &Tokens| Tokens::claims(&tokens.id_token())["sid"].clone();
    assert_eq!(sid(&tokens), sid(&again));
    attempt(&mut browser, &stale, &ada.username, &ada.password).await.expect_status(303);
    assert!(is_signed_in(&mut browser).await);
    // Once finished, a tab has nothing to finish any more.
    let answer = attempt(&mut browser, &left_open, &ada.username, &ada.password).await;
    assert_eq!(answer.status, 400, "{answer:#?}");
}

both_engines!(who_took_too_long_starts_again_with_one_click with super::QUICK);
async fn who_took_too_long_starts_again_with_one_click(server: TestServer) {
    let ada = server.person("ada").await;
    let application = server.application(NewApplication::default()).await;
    let flow = Flow::new(&application).with("state", "a b&c=\"d\"");
    let mut browser = server.browser();
    let page = flow.open(&mut browser).await;
    let url = page.url.to_string();
    let form = page.form("/sign-in");
    server.advance(Duration::minutes(61));

    let late = attempt(&mut browser, &form, &ada.username, &ada.password).await.expect_error_page();
    let page = browser.get(&url).await.expect_error_page();
    for page in [late, page] {
        let restart = page.element("restart").attribute("href").expect("a way on").to_owned();
        assert!(restart.starts_with("/authorize?"), "{restart}");
        let answer = browser.get(&restart).await;
        let answer = browser.follow(answer).await.expect_status(200);
        assert!(answer.find_element("password").is_some(), "{answer:#?}");
    }
    // What was asked for at first is what is answered at last.
    let restart = browser.get(&url).await.element("restart").attribute("href").expect("a way on").to_owned();
    let answer = browser.get(&restart).await;
    let form = browser.follow(answer).await.form("/sign-in");
    let answer = attempt(&mut browser, &form, &ada.username, &ada.password).await;
    let form = browser.follow(answer).await.form("/authorize/consent");
    let answer = browser.submit(&form, Some("consent-allow"), &[]).await;
    let reply = flow.reply(&answer).expect("an answer");
    assert_eq!(reply.parameters["state"], "a b&c=\"d\"");
    flow.exchange(&server.wire(), reply.code()).await.expect_tokens();
}

both_engines!(a_hint_fills_the_name_in);
async fn a_hint_fills_the_name_in(server: TestServer) {
    let application = server.application(NewApplication::default()).await;
    let page = Flow::new(&application).with("login_hint", "ada@example.org").open(&mut server.browser()).await;
    assert_eq!(page.form("/sign-in").value("username"), Some("ada@example.org"));
    assert!(page.element("password").attribute("autofocus").is_some());
}

both_engines!(fields_suit_password_managers);
/// Also ASVS 6.2.6 and 6.2.7: masked, and nothing in the way of pasting.
async fn fields_suit_password_managers(server: TestServer) {
    let page = server.browser().get("/sign-in").await.expect_status(200);
    assert_eq!(page.element("username").attribute("autocomplete"), Some("username webauthn"));
    assert_eq!(page.element("password").attribute("autocomplete"), Some("current-password"));
    assert_eq!(page.element("password").attribute("type"), Some("password"));
    for id in ["username", "password", "remember"] {
        assert_eq!(page.element(id).attribute("name"), Some(id));
        assert!(page.element(id).attribute("onpaste").is_none());
    }
    assert_eq!(page.element("sign-in").name, "button");
    assert_eq!(page.element("sign-up").attribute("href"), Some("/sign-up"));
    assert!(page.find_element("forgot-password").is_none(), "there is no mail yet");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn without_limits_passwords_may_be_tried_on() {
    let settings = [QUICK[0], QUICK[1], ("limits.enabled", "false")];
    let server = TestServer::with(Engine::Sqlite, &settings).await;
    let ada = server.person("ada").await;
    for _ in 0..8 {
        try_from(&server, &[], "ada", WRONG).await.expect_status(422);
    }
    try_from(&server, &[], "ada", &ada.password).await.expect_status(303);
    let metadata: Value = server.get("/.well-known/openid-configuration").await.json();
    assert_eq!(metadata["issuer"], server.issuer());
}
