//! What holds of every page and every path: headers, methods, forms of our own, cookies of nobody, text that stays text.

use std::collections::BTreeSet;

use reqwest::Method;
use serde_json::Value;

use crate::support::{Answer, Browser, Flow, Form, NewApplication, Person, TestServer};

const WEB: &[&str] = &["https://app.example.com/cb"];

/// A browser in which Ada is signed in; she has allowed this application everything.
async fn signed_in(server: &TestServer, ada: &Person) -> (Browser, Flow) {
    let application = server.application(NewApplication { redirect_uris: WEB, ..NewApplication::default() }).await;
    let flow = Flow::new(&application);
    let mut browser = server.browser();
    flow.sign_in(&mut browser, ada).await.code();
    (browser, flow)
}

async fn is_signed_in(browser: &mut Browser) -> bool {
    browser.get("/").await.expect_status(200).find_element("sign-out").is_some()
}

/// What every page has (rows BR-07 and BR-17).
fn expect_page(answer: &Answer) {
    assert!(answer.header("content-type").starts_with("text/html; charset=utf-8"), "{answer:#?}");
    let policy: BTreeSet<&str> = answer.header("content-security-policy").split(';').map(str::trim).collect();
    for directive in
        ["default-src 'none'", "frame-ancestors 'none'", "base-uri 'none'", "object-src 'none'", "script-src 'self'"]
    {
        assert!(policy.contains(directive), "{directive}: {answer:#?}");
    }
    let forms = policy.iter().find(|directive| directive.starts_with("form-action")).expect("form-action");
    assert!(!answer.header("content-security-policy").contains("unsafe"), "{answer:#?}");
    assert_eq!(answer.header("x-frame-options"), "DENY", "{answer:#?}");
    assert_eq!(answer.header("cache-control"), "no-store", "{answer:#?}");
    // A form needs its origin to be known; nothing else leaves one.
    let (referrer, action) = if answer.forms().is_empty() {
        ("no-referrer", "form-action 'none'")
    } else {
        ("same-origin", "form-action 'self'")
    };
    assert_eq!(answer.header("referrer-policy"), referrer, "{answer:#?}");
    assert!(forms.starts_with(action), "{answer:#?}");
    // Popups sign in; nobody looks after their account in one.
    let path = answer.url.path();
    let alone = (path.starts_with("/account") || path == "/.well-known/change-password").then_some("same-origin");
    let opener = answer.headers.get("cross-origin-opener-policy").and_then(|value| value.to_str().ok());
    assert_eq!(opener, alone, "{answer:#?}");
    // AC-17: nothing from anywhere else, and no script or style within the page.
    for element in ["script", "link", "img", "iframe", "source", "object"] {
        for found in answer.elements(element) {
            let source = found.attribute("src").or(found.attribute("href")).unwrap_or_default();
            assert!(source.starts_with('/') && !source.starts_with("//"), "{found:?}: {answer:#?}");
        }
    }
    assert!(answer.elements("style").is_empty(), "{answer:#?}");
    for event in ["onclick=", "onload=", "onerror=", "style=\""] {
        assert!(!answer.body.contains(event), "{event}: {answer:#?}");
    }
    assert!(answer.elements("html")[0].attribute("lang").is_some(), "{answer:#?}");
}

/// What every answer has, of whatever kind.
fn expect_answer(answer: &Answer) {
    assert_eq!(answer.header("x-content-type-options"), "nosniff", "{answer:#?}");
    let id = answer.header("x-request-id");
    assert!(id.len() >= 12 && id.bytes().all(|byte| byte.is_ascii_alphanumeric()), "{answer:#?}");
    assert!(!answer.header("referrer-policy").is_empty(), "{answer:#?}");
    for telling in ["server", "x-powered-by", "via"] {
        assert!(!answer.headers.contains_key(telling), "{answer:#?}");
    }
    assert!(!answer.headers.contains_key("access-control-allow-credentials"), "{answer:#?}");
}

both_engines!(br_07_br_17_every_path_has_its_headers with [("limits.enabled", "false")]);
/// Walks the table of paths, with and without somebody signed in.
async fn br_07_br_17_every_path_has_its_headers(server: TestServer) {
    let ada = server.person("ada").await;
    let (mut adas, _) = signed_in(&server, &ada).await;
    let mut paths: Vec<String> = bonafide::http::table()
        .iter()
        .map(|route| route.path.replace("{file}", "none.css").replace("{id}", "1"))
        .collect();
    assert!(paths.len() > 10);
    paths
        .extend(["/nowhere", "/sign-in/", "/../etc/passwd", "/%2e%2e/x", "/sign-in%00", "/assets/"].map(str::to_owned));
    let mut ids = BTreeSet::new();
    let mut pages = 0;
    for path in &paths {
        for method in [Method::GET, Method::POST, Method::PUT, Method::DELETE, Method::OPTIONS, Method::HEAD] {
            // Signed in, but not to sign out by the way.
            for browser in [&mut server.browser(), &mut adas] {
                let answer = browser.send(browser.call(method.clone(), path)).await;
                assert!(answer.status.as_u16() < 500, "{method} {path}: {answer:#?}");
                expect_answer(&answer);
                assert!(ids.insert(answer.header("x-request-id").to_owned()), "{method} {path}: {answer:#?}");
                if answer.header("content-type").starts_with("text/html") && method != Method::HEAD {
                    expect_page(&answer);
                    pages += 1;
                }
            }
        }
    }
    assert!(pages > 50, "{pages}");
    assert!(is_signed_in(&mut adas).await);
}

both_engines!(br_07_every_state_of_a_page_has_its_headers);
async fn br_07_every_state_of_a_page_has_its_headers(server: TestServer) {
    let ada = server.person("ada").await;
    let (mut browser, flow) = signed_in(&server, &ada).await;
    let page = |answer: Answer, status: u16| {
        let answer = answer.expect_status(status);
        expect_answer(&answer);
        expect_page(&answer);
        answer
    };
    page(browser.get("/").await, 200);
    page(browser.get("/authorize?client_id=unknown").await, 400);
    page(flow.clone().with("redirect_uri", "https://evil.example/").begin(&mut browser).await, 400);
    page(browser.get("/authorize?interaction=unknown").await, 400);
    page(browser.get("/logout?id_token_hint=x").await, 200);
    page(browser.post("/logout", &[("decision", "sign-out")]).await, 403);
    page(browser.post("/sign-in", &[("x", &"x".repeat(70_000))]).await, 413);
    let consent = page(flow.clone().with("prompt", "consent").open(&mut browser).await, 200);
    let policy = consent.header("content-security-policy");
    assert!(policy.contains("form-action 'self' https: https://app.example.com;"), "{consent:#?}");

    let mut fresh = server.browser();
    let sign_in = page(flow.open(&mut fresh).await, 200);
    let form = sign_in.form("/sign-in");
    page(fresh.submit(&form, Some("sign-in"), &[("username", "ada"), ("password", "x")]).await, 422);
    page(fresh.submit(&form, Some("sign-in"), &[("csrf", "x")]).await, 403);
    let form = fresh.get("/sign-up").await.form("/sign-up");
    page(fresh.submit(&form, Some("sign-up"), &[("email", "x")]).await, 422);
    let out = browser.get("/").await.form("/logout");
    page(browser.submit(&out, Some("sign-out"), &[]).await, 200);
}

both_engines!(pages_allow_the_hop_to_the_application_and_no_other);
/// Browsers apply `form-action` to every redirect that follows a form.
async fn pages_allow_the_hop_to_the_application_and_no_other(server: TestServer) {
    for (redirect_uri, source) in [
        ("https://app.example.com/cb", "https://app.example.com"),
        ("http://127.0.0.1:51004/cb", "http://127.0.0.1:51004"),
        ("com.example.app:/cb", "com.example.app:"),
    ] {
        let uris = [redirect_uri];
        let new = NewApplication { public: true, redirect_uris: &uris, ..NewApplication::default() };
        let flow = Flow::new(&server.application(new).await);
        let page = flow.open(&mut server.browser()).await.expect_status(200);
        let policy = page.header("content-security-policy");
        assert!(policy.contains(&format!("form-action 'self' https: {source};")), "{page:#?}");
    }
    let page = server.get("/sign-in").await;
    assert!(page.header("content-security-policy").contains("form-action 'self';"), "{page:#?}");
}

both_engines!(br_03_signing_out_needs_a_word_of_ours_or_the_persons);
async fn br_03_signing_out_needs_a_word_of_ours_or_the_persons(server: TestServer) {
    let ada = server.person("ada").await;
    let bob = server.person("bob").await;
    let (mut browser, flow) = signed_in(&server, &ada).await;
    // Hints that are none for this session: Bob's, one of an earlier session, one that nobody signed.
    let bobs = flow.tokens(&server.wire(), &mut server.browser(), &bob).await.id_token();
    let elsewhere = flow.tokens(&server.wire(), &mut server.browser(), &ada).await.id_token();
    let tokens = flow.tokens(&server.wire(), &mut browser, &ada).await;
    let hint = tokens.id_token();
    let (signed, signature) = hint.rsplit_once('.').expect("a JWT");
    let none = {
        use base64::{Engine as _, prelude::BASE64_URL_SAFE_NO_PAD};
        let payload = signed.split('.').nth(1).expect("a payload");
        format!("{}.{payload}.", BASE64_URL_SAFE_NO_PAD.encode(r#"{"alg":"none"}"#))
    };
    let swapped = format!("{signed}.{}", signature.chars().rev().collect::<String>());
    let before = server.dump().await;

    for query in [
        String::new(),
        "?client_id=unknown".to_owned(),
        format!("?client_id={}", flow.application.id),
        format!("?id_token_hint={bobs}"),
        format!("?id_token_hint={elsewhere}"),
        format!("?id_token_hint={none}"),
        format!("?id_token_hint={swapped}"),
        format!("?id_token_hint={}", tokens.access_token()),
        "?decision=sign-out".to_owned(),
    ] {
        let image = browser.call(Method::GET, &format!("/logout{query}")).header("sec-fetch-site", "cross-site");
        let asked = browser.send(image.header("sec-fetch-dest", "image")).await.expect_status(200);
        asked.element("sign-out");
        asked.element("stay");
        assert!(!asked.headers.contains_key("set-cookie"), "{asked:#?}");
        // By form the same: on to the page that asks.
        let fields: Vec<(String, String)> =
            form_urlencoded::parse(query.trim_start_matches('?').as_bytes()).into_owned().collect();
        let call = browser.call(Method::POST, "/logout").header("sec-fetch-site", "cross-site");
        let answer = browser.send(call.header("origin", "https://evil.example").form(&fields)).await;
        assert!(matches!(answer.status.as_u16(), 303 | 403), "{answer:#?}");
        if answer.status == 303 {
            assert_eq!(answer.location().path(), "/logout");
        }
    }
    // The form of the page, sent by another site, or with another's token.
    let form = browser.get("/logout").await.form("/logout");
    let csrf = form.value("csrf").expect("a token").to_owned();
    for (csrf, site) in [(csrf.as_str(), "cross-site"), ("x", "same-origin"), ("", "same-origin")] {
        let call = browser.call(Method::POST, "/logout").header("sec-fetch-site", site);
        let answer = browser.send(call.form(&[("csrf", csrf), ("decision", "sign-out")])).await;
        answer.expect_status(403);
    }
    server.dump().await.expect_same_as(&before);
    assert!(is_signed_in(&mut browser).await);

    // Staying is as easy as leaving.
    let stayed = browser.submit(&form, Some("stay"), &[]).await.expect_status(303);
    assert_eq!(stayed.header("location"), "/");
    assert!(is_signed_in(&mut browser).await);
    // With the hint of this very session it is done at once.
    browser.get(&format!("/logout?id_token_hint={hint}")).await.expect_status(200);
    assert!(!is_signed_in(&mut browser).await);
    flow.refresh(&server.wire(), &tokens.refresh_token()).await.expect_tokens();
}

both_engines!(br_06_forms_are_bound_to_browser_and_page);
async fn br_06_forms_are_bound_to_browser_and_page(server: TestServer) {
    let ada = server.person("ada").await;
    let application = server.application(NewApplication::default()).await;
    let flow = Flow::new(&application);
    let mut browser = server.browser();
    let sign_in = browser.get("/sign-in").await.form("/sign-in");
    let sign_up = browser.get("/sign-up").await.form("/sign-up");
    let waiting = flow.open(&mut browser).await.form("/sign-in");
    let mut stranger = server.browser();
    let strangers = stranger.get("/sign-in").await.form("/sign-in");
    let value = |form: &Form| form.value("csrf").expect("a token").to_owned();
    let good = value(&sign_in);
    let mut flipped = good.clone();
    let last = flipped.pop().expect("a character");
    flipped.insert(0, last);
    let before = server.dump_tables(&[]).await;

    let tokens = [
        "",
        "x",
        &flipped,
        &good[..good.len() - 1],
        &format!("{good}A"),
        &value(&sign_up),
        &value(&waiting),
        &value(&strangers),
    ]
    .map(str::to_owned);
    for csrf in &tokens {
        let fields = [("csrf", csrf.as_str()), ("username", &ada.username), ("password", &ada.password)];
        let answer = browser.post("/sign-in", &fields).await.expect_status(403);
        assert!(!answer.headers.contains_key("set-cookie"), "{answer:#?}");
        let fields =
            [("csrf", csrf.as_str()), ("email", "eve@example.org"), ("name", "Eve"), ("password", &ada.password)];
        if *csrf != value(&sign_up) {
            browser.post("/sign-up", &fields).await.expect_status(403);
        }
    }
    // None at all; twice; in a browser without its cookie; by another site.
    let typed = [("username", ada.username.as_str()), ("password", ada.password.as_str())];
    browser.post("/sign-in", &typed).await.expect_status(403);
    browser.post("/sign-in", &[typed[0], typed[1], ("csrf", &good), ("csrf", &good)]).await.expect_status(403);
    server.browser().post("/sign-in", &[typed[0], typed[1], ("csrf", &good)]).await.expect_status(403);
    let foreign = browser.call(Method::POST, "/sign-in").header("sec-fetch-site", "cross-site");
    let foreign = foreign.header("origin", "https://evil.example").form(&[typed[0], typed[1], ("csrf", &good)]);
    browser.send(foreign).await.expect_status(403);
    // Nothing was counted against Ada either.
    server.dump_tables(&[]).await.expect_same_as(&before);
    browser.submit(&sign_in, Some("sign-in"), &typed).await.expect_status(303);
}

both_engines!(br_18_methods_that_a_path_does_not_have);
async fn br_18_methods_that_a_path_does_not_have(server: TestServer) {
    let ada = server.person("ada").await;
    let (mut browser, flow) = signed_in(&server, &ada).await;
    let before = server.dump().await;
    let allowed = |answer: &Answer| -> BTreeSet<String> {
        let lines = answer.header_values("allow").join(",");
        lines.split(',').map(|method| method.trim().to_owned()).filter(|method| !method.is_empty()).collect()
    };
    let set = |methods: &[&str]| methods.iter().map(|method| (*method).to_owned()).collect::<BTreeSet<_>>();
    let cases: [(&str, Method, &[&str]); 14] = [
        ("/token", Method::GET, &["POST"]),
        ("/token", Method::PUT, &["POST"]),
        ("/token", Method::HEAD, &["POST"]),
        ("/token", Method::TRACE, &["POST"]),
        ("/token", Method::OPTIONS, &["POST"]),
        ("/authorize", Method::PUT, &["GET", "POST"]),
        ("/authorize", Method::DELETE, &["GET", "POST"]),
        ("/authorize", Method::TRACE, &["GET", "POST"]),
        ("/authorize/consent", Method::PATCH, &["GET", "POST"]),
        ("/logout", Method::DELETE, &["GET", "POST"]),
        ("/sign-in", Method::PUT, &["GET", "POST"]),
        ("/userinfo", Method::DELETE, &["GET", "POST"]),
        ("/jwks", Method::POST, &["GET"]),
        ("/.well-known/openid-configuration", Method::TRACE, &["GET"]),
    ];
    for (path, method, methods) in cases {
        let answer = browser.send(browser.call(method.clone(), path)).await;
        assert_eq!(answer.status, 405, "{method} {path}: {answer:#?}");
        let mut found = allowed(&answer);
        // HEAD goes with GET where nothing changes; to name it is no harm.
        found.remove("HEAD");
        assert_eq!(found, set(methods), "{method} {path}: {answer:#?}");
        expect_answer(&answer);
    }
    // HEAD does not do what GET would do: no code, no sign-out.
    let head = browser.send(browser.call(Method::HEAD, &flow.path())).await;
    assert!(!head.header("location").contains("code="), "{head:#?}");
    server.dump().await.expect_same_as(&before);
    assert!(is_signed_in(&mut browser).await);

    let star = server.wire().raw(b"OPTIONS * HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n").await;
    assert!(star.starts_with("HTTP/1.1 4"), "{star}");
    let trace = server
        .wire()
        .raw(b"TRACE / HTTP/1.1\r\nHost: localhost\r\nCookie: secret=1\r\nConnection: close\r\n\r\n")
        .await;
    assert!(trace.starts_with("HTTP/1.1 405") && !trace.contains("secret=1"), "{trace}");
}

both_engines!(br_18_head_writes_nothing);
async fn br_18_head_writes_nothing(server: TestServer) {
    let ada = server.person("ada").await;
    let (mut browser, flow) = signed_in(&server, &ada).await;
    let hint = flow.tokens(&server.wire(), &mut browser, &ada).await.id_token();
    let before = server.dump().await;
    for path in [flow.path(), format!("/logout?id_token_hint={hint}"), flow.clone().with("prompt", "login").path()] {
        let answer = browser.send(browser.call(Method::HEAD, &path)).await;
        assert_eq!(answer.status, 405, "{answer:#?}");
        assert!(!answer.headers.contains_key("location"), "{answer:#?}");
    }
    server.dump().await.expect_same_as(&before);
    assert!(is_signed_in(&mut browser).await);
}

both_engines!(br_22_broken_cookies_are_nobodys);
async fn br_22_broken_cookies_are_nobodys(server: TestServer) {
    let ada = server.person("ada").await;
    let (browser, _) = signed_in(&server, &ada).await;
    let (session, value) = browser.cookie_pairs().into_iter().find(|(name, _)| name.contains("session")).expect("it");
    let (other, _) = browser.cookie_pairs().into_iter().find(|(name, _)| name.contains("browser")).expect("it");
    let broken: Vec<Vec<u8>> = [
        format!("{session}="),
        session.clone(),
        format!("={value}"),
        format!("{session}=%00"),
        format!("{session}={value}%"),
        format!("{session}=\"{value}"),
        format!("{session}={}", "A".repeat(5_000)),
        format!("{session}={}", "!".repeat(22)),
        format!("{session}={}", value.to_lowercase()),
        format!("{other}=x; {session}=y"),
        format!("{other}={}", "é".repeat(20)),
        ";;;;=;=;".to_owned(),
        " ".to_owned(),
        format!("{session}={};", "AAAAAAAAAAAAAAAAAAAAAA"),
    ]
    .into_iter()
    .map(String::into_bytes)
    .chain([vec![0xff, 0xfe, b'='], [session.as_bytes(), b"=\xff\xfe"].concat()])
    .collect();
    for header in broken {
        for path in
            ["/", "/sign-in", "/sign-up", "/logout", "/authorize?interaction=x", "/authorize/consent?interaction=x"]
        {
            let answer = server.call(Method::GET, path).header("cookie", &header).send().await;
            assert!(matches!(answer.status.as_u16(), 200 | 303 | 400), "{header:?}: {answer:#?}");
            assert!(answer.find_element("sign-out").is_none(), "{header:?}: {answer:#?}");
        }
        let answer =
            server.call(Method::POST, "/sign-in").header("cookie", &header).form(&[("csrf", "x")]).send().await;
        assert_eq!(answer.status, 403, "{header:?}: {answer:#?}");
    }
}

const HOSTILE: &str = "\"><script>alert(1)</script><img src=x onerror=alert(2)>'{{7*7}}&amp;";

/// No element of the hostile text has become one of the page.
fn expect_inert(answer: &Answer) {
    assert!(!answer.body.contains("<script>alert"), "{answer:#?}");
    assert!(!answer.body.contains("<img src=x"), "{answer:#?}");
    for element in ["script", "img"] {
        for found in answer.elements(element) {
            assert!(found.attribute("onerror").is_none(), "{answer:#?}");
            assert!(found.attribute("src").is_some_and(|source| source.starts_with('/')), "{answer:#?}");
        }
    }
    assert!(!answer.headers.contains_key("x-injected"), "{answer:#?}");
    assert!(!answer.header_values("set-cookie").iter().any(|line| line.starts_with("injected")), "{answer:#?}");
}

both_engines!(ij_04_what_others_write_stays_text);
async fn ij_04_what_others_write_stays_text(server: TestServer) {
    let ada = server.person("ada").await;
    let new = NewApplication {
        name: HOSTILE,
        redirect_uris: WEB,
        flags: &["--post-logout-redirect-uri", "https://app.example.com/bye"],
        ..NewApplication::default()
    };
    let application = server.application(new).await;
    let flow = Flow::new(&application);
    let mut browser = server.browser();

    // The client's name, the hint, the languages, on the sign-in page.
    let asked = flow.clone().with("login_hint", HOSTILE).with("ui_locales", HOSTILE).with("acr_values", HOSTILE);
    let page = asked.open(&mut browser).await.expect_status(200);
    expect_inert(&page);
    assert!(page.title().contains("<script>alert(1)</script>"), "shown as it is: {page:#?}");
    let form = page.form("/sign-in");
    assert_eq!(form.value("username"), Some(HOSTILE));
    let refused = browser.submit(&form, Some("sign-in"), &[("username", HOSTILE), ("password", HOSTILE)]).await;
    expect_inert(&refused);
    // A person's name, on the consent page and at home.
    let up = browser.get("/sign-up").await.form("/sign-up");
    let typed =
        [("email", "eve@example.org"), ("name", HOSTILE), ("password", ada.password.as_str()), ("username", HOSTILE)];
    expect_inert(&browser.submit(&up, Some("sign-up"), &typed).await.expect_status(422));
    let typed = [("email", "eve@example.org"), ("name", HOSTILE), ("password", ada.password.as_str())];
    browser.submit(&up, Some("sign-up"), &typed).await.expect_status(303);
    expect_inert(&browser.get("/").await);
    let consent = flow.open(&mut browser).await.expect_status(200);
    expect_inert(&consent);
    consent.element("consent-allow");
    // The page that asks whether to sign out, and what it carries along.
    let out = browser.get(&format!("/logout?client_id={}&state={}", application.id, encode(HOSTILE))).await;
    expect_inert(&out);
    assert_eq!(out.form("/logout").value("state"), Some(HOSTILE));
    // Error pages: the address that is not registered, an id, a path.
    let evil = format!("https://evil.example/{HOSTILE}");
    expect_inert(&flow.clone().with("redirect_uri", &evil).begin(&mut browser).await.expect_error_page());
    expect_inert(&flow.clone().with("client_id", HOSTILE).begin(&mut browser).await.expect_error_page());
    let url = format!("/logout?client_id={}&post_logout_redirect_uri={}", application.id, encode(&evil));
    expect_inert(&browser.get(&url).await.expect_error_page());
    expect_inert(&browser.get(&format!("/{}", encode(HOSTILE))).await.expect_status(404));
    expect_inert(&browser.get(&format!("/sign-in?interaction={}", encode(HOSTILE))).await.expect_error_page());
    // What the browser says of itself.
    let call = browser.call(Method::GET, "/sign-in").header("accept-language", HOSTILE).header("user-agent", HOSTILE);
    expect_inert(&browser.send(call).await);
}

both_engines!(ij_06_no_line_break_reaches_a_header);
async fn ij_06_no_line_break_reaches_a_header(server: TestServer) {
    const BREAK: &str = "x\r\nX-Injected: 1\r\nSet-Cookie: injected=1\r\n\r\n<script>alert(1)</script>";
    let ada = server.person("ada").await;
    let (mut browser, flow) = signed_in(&server, &ada).await;
    for name in
        ["state", "nonce", "login_hint", "ui_locales", "scope", "prompt", "redirect_uri", "client_id", "resource"]
    {
        let answer = flow.clone().with(name, BREAK).begin(&mut browser).await;
        assert!(answer.status.as_u16() < 500, "{name}: {answer:#?}");
        expect_inert(&answer);
    }
    for path in ["/sign-in?interaction=", "/logout?state=", "/authorize/consent?interaction=", "/"] {
        expect_inert(&browser.get(&format!("{path}{}", encode(BREAK))).await);
    }
    // A name with a line break is none.
    let refused = server.cli(&["client", "create", "--name", "Demo\r\nX: y", "--redirect-uri", WEB[0]]).await;
    assert!(!refused.status.success(), "{refused}");
}

both_engines!(ij_20_errors_say_nothing_of_the_inside);
async fn ij_20_errors_say_nothing_of_the_inside(server: TestServer) {
    let mut browser = server.browser();
    for path in [
        "/authorize?%ff",
        "/authorize?client_id=%27",
        "/sign-in?interaction=%27%20OR%201=1",
        "/nowhere",
        "/assets/x",
        "/logout?state=a&state=b",
    ] {
        let answer = browser.get(path).await;
        let body = answer.body.to_lowercase();
        for inside in
            ["sqlite", "postgres", "sqlx", "sea_orm", "panicked", "src/", ".rs:", "select ", "stack backtrace"]
        {
            assert!(!body.contains(inside), "{inside}: {answer:#?}");
        }
    }
    let token = server.post("/token", &[("grant_type", "'")]).await;
    let error: Value = token.json();
    assert!(error["error"].is_string() && !token.body.contains("src/"), "{token:#?}");
}

fn encode(text: &str) -> String {
    form_urlencoded::byte_serialize(text.as_bytes()).collect::<String>().replace('+', "%20")
}
