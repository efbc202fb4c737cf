//! OpenID Connect Front-Channel Logout 1.0: the signed-out page opens the applications' pages, then goes on by itself.

use std::time::Duration;

use bonafide::clients::Draft;
use serde_json::Value;
use thirtyfour::By;
use url::{Url, form_urlencoded};

use crate::support::{
    Answer, Chromium, Engine, Flow, Receiver, Scheme, TestServer, Tokens,
    made::{self, SignedIn},
    unique_parameters,
};

const AFTER: &str = "https://app.example/signed-out";
/// What must come back byte for byte.
const STATE: &str = "a b+c&d=e/é%00\"'<>;2;url=https://evil.example/";

/// An application at this origin.
fn draft(origin: &str) -> Draft {
    Draft {
        redirect_uris: Some(vec![format!("{origin}/callback")]),
        post_logout_redirect_uris: Some(vec![AFTER.to_owned()]),
        frontchannel_logout_uri: Some(format!("{origin}/out?tenant=a%20b")),
        frontchannel_logout_session_required: Some(true),
        ..made::draft()
    }
}

fn path(parameters: &[(&str, &str)]) -> String {
    format!("/logout?{}", form_urlencoded::Serializer::new(String::new()).extend_pairs(parameters).finish())
}

fn sid(tokens: &Tokens) -> String {
    Tokens::claims(&tokens.id_token())["sid"].as_str().expect("a sid").to_owned()
}

fn frames(page: &Answer) -> Vec<String> {
    page.elements("iframe").iter().map(|frame| frame.attribute("src").expect("an address").to_owned()).collect()
}

/// Where a page goes by itself, and after how many seconds.
fn refresh(page: &Answer) -> Option<(u32, String)> {
    let metas = page.elements("meta");
    let meta = metas.iter().find(|meta| meta.attribute("http-equiv").is_some_and(|name| name == "refresh"))?;
    let (seconds, target) = meta.attribute("content").expect("content").split_once(";url=").expect("a target");
    Some((seconds.parse().expect("seconds"), target.to_owned()))
}

fn directive<'a>(page: &'a Answer, name: &str) -> Option<&'a str> {
    let policy = page.header("content-security-policy");
    policy.split(';').map(str::trim).find_map(|directive| directive.strip_prefix(name)?.strip_prefix(' '))
}

both_engines!(c_113_114_a_frame_for_each_party_then_back_with_the_state);
async fn c_113_114_a_frame_for_each_party_then_back_with_the_state(server: TestServer) {
    let mut app = SignedIn::with(&server, draft("http://127.0.0.1:9"), |flow| flow).await;
    // Another one of this session, without a query of its own; one of no session; one without a page.
    let second = Draft { frontchannel_logout_uri: Some("http://[::1]:9/out".into()), ..draft("http://[::1]:9") };
    let second = Flow::new(&made::client(&server, second).await);
    second.tokens(&server.wire(), &mut app.browser, &app.person).await;
    let elsewhere = Flow::new(&made::client(&server, draft("http://localhost:9")).await);
    SignedIn::at(&server, elsewhere, app.person.clone()).await;
    let quiet = Flow::new(&made::client(&server, made::draft()).await);
    quiet.tokens(&server.wire(), &mut app.browser, &app.person).await;

    let hint = app.tokens.id_token();
    let parameters = [("id_token_hint", hint.as_str()), ("post_logout_redirect_uri", AFTER), ("state", STATE)];
    let page = app.browser.get(&path(&parameters)).await.expect_status(200);
    let mut shown = frames(&page);
    shown.sort();
    let query = form_urlencoded::Serializer::new(String::new())
        .append_pair("iss", server.issuer())
        .append_pair("sid", &sid(&app.tokens))
        .finish();
    let expected = [format!("http://127.0.0.1:9/out?tenant=a%20b&{query}"), format!("http://[::1]:9/out?{query}")];
    assert_eq!(shown, expected);
    let names: std::collections::BTreeSet<_> =
        page.elements("iframe").iter().map(|frame| frame.attribute("title").expect("a name").to_owned()).collect();
    assert_eq!(names.len(), 2, "{names:?}");

    // On by itself, and by a link for those whom that does not suit.
    let (seconds, target) = refresh(&page).expect("a way on");
    assert!((1..=3).contains(&seconds));
    let url = Url::parse(&target).unwrap();
    assert!(target.starts_with(&format!("{AFTER}?")), "{target}");
    assert_eq!(unique_parameters(&url), [("state".to_owned(), STATE.to_owned())].into());
    assert_eq!(page.element("return").attribute("href"), Some(target.as_str()));

    // Those frames, and nothing else.
    assert_eq!(directive(&page, "frame-src"), Some("http://127.0.0.1:9 http://[::1]:9"));
    assert_eq!(directive(&page, "frame-ancestors"), Some("'none'"));
    assert_eq!(directive(&page, "default-src"), Some("'none'"));
    assert_eq!(directive(&page, "form-action"), Some("'none'"));
    assert_eq!(page.header("x-frame-options"), "DENY");
    assert!(page.elements("script").is_empty(), "no script is needed");

    // Nobody is signed in any more: straight back, without frames.
    let again = app.browser.get(&path(&parameters)).await.expect_status(303);
    assert!(again.header("location").starts_with(AFTER));
}

both_engines!(c_114_without_a_target_the_page_stays);
async fn c_114_without_a_target_the_page_stays(server: TestServer) {
    let mut app = SignedIn::with(&server, draft("http://127.0.0.1:9"), |flow| flow).await;
    for button in ["sign-out", "sign-out-everywhere"] {
        let page = app.browser.get("/").await.expect_status(200);
        let page = app.browser.submit(&page.form("/logout"), Some(button), &[]).await.expect_status(200);
        assert_eq!(frames(&page).len(), 1, "{page:#?}");
        assert!(frames(&page)[0].contains(&sid(&app.tokens)), "this browser's session: {page:#?}");
        assert_eq!(refresh(&page), None);
        app = SignedIn::at(&server, Flow::new(&app.flow.application), app.person.clone()).await;
        // Of other browsers' sessions there is nothing to open here.
        SignedIn::at(&server, Flow::new(&app.flow.application), app.person.clone()).await;
    }
}

both_engines!(without_a_page_to_open_it_is_a_redirect_as_ever);
async fn without_a_page_to_open_it_is_a_redirect_as_ever(server: TestServer) {
    let draft = Draft { frontchannel_logout_uri: None, ..draft("http://127.0.0.1:9") };
    let mut app = SignedIn::with(&server, draft, |flow| flow).await;
    let hint = app.tokens.id_token();
    let parameters = [("id_token_hint", hint.as_str()), ("post_logout_redirect_uri", AFTER), ("state", "x")];
    let answer = app.browser.get(&path(&parameters)).await.expect_status(303);
    assert_eq!(answer.header("location"), format!("{AFTER}?state=x"));
    // Our own page frames nobody.
    let page = server.browser().get("/logout").await.expect_status(200);
    assert_eq!(directive(&page, "frame-src"), None);
    assert!(frames(&page).is_empty());
}

both_engines!(c_114_after_the_question_it_goes_on_as_well);
async fn c_114_after_the_question_it_goes_on_as_well(server: TestServer) {
    let mut app = SignedIn::with(&server, draft("http://127.0.0.1:9"), |flow| flow).await;
    let id = app.flow.application.id.clone();
    let parameters = [("client_id", id.as_str()), ("post_logout_redirect_uri", AFTER)];
    let question = app.browser.get(&path(&parameters)).await.expect_status(200);
    assert!(frames(&question).is_empty(), "nothing is opened before the person has agreed");
    let page = app.browser.submit(&question.form("/logout"), Some("sign-out"), &[]).await.expect_status(200);
    assert_eq!(frames(&page).len(), 1);
    assert_eq!(refresh(&page), Some((2, AFTER.to_owned())));
}

/// Of one of the application's own redirect URIs, down to the port, and without what we add ourselves.
#[test]
fn c_115_the_page_is_the_applications_own() {
    let with = |uri: &str| {
        let draft = Draft { frontchannel_logout_uri: Some(uri.to_owned()), ..draft("https://app.example") };
        draft.apply("c".to_owned(), None, &[])
    };
    for good in ["https://app.example/out", "https://app.example", "https://app.example/a?b=c"] {
        assert_eq!(with(good).expect("a good one").frontchannel_logout_uri.as_deref(), Some(good));
    }
    for bad in [
        "https://other.example/out",
        "https://sub.app.example/out",
        "https://app.example:8443/out",
        "http://localhost/out",
        "https://app.example/out?sid=x",
        "https://app.example/out?iss=x",
        "https://app.example/out#x",
        "com.example.app:/out",
    ] {
        let problem = with(bad).expect_err(bad);
        assert_eq!(problem.member, "frontchannel_logout_uri", "{bad}");
    }
    let reason = with("https://other.example/out").unwrap_err().reason;
    assert!(reason.contains("scheme, host and port of one of the redirect URIs"), "{reason}");
}

/// By the command line, with the names of RFC 7591.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn c_115_a_registration_says_what_is_wrong_and_keeps_what_is_right() {
    let server = TestServer::start(Engine::Sqlite).await;
    let register = async |uri: &str| {
        let draft = Draft { frontchannel_logout_uri: Some(uri.to_owned()), ..draft("https://app.example") };
        let metadata = serde_json::to_string(&draft).expect("RFC 7591 metadata");
        server.cli_with_input(&["client", "create", "--from", "-", "--json"], &metadata).await
    };
    let refused = register("https://other.example/out").await;
    assert!(!refused.status.success(), "{refused}");
    assert!(
        refused.stderr.contains("frontchannel_logout_uri: https://other.example/out must have scheme, host"),
        "{refused}"
    );
    let created: Value = register("https://app.example/out").await.json();
    assert_eq!(created["frontchannel_logout_uri"], "https://app.example/out");
    assert_eq!(created["frontchannel_logout_session_required"], true);
    assert_eq!(created["backchannel_logout_session_required"], false);
}

/// In a browser: the frames are loaded, and then it goes on without a click.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn c_113_114_chromium_loads_the_frames_and_goes_on() {
    for scripts in [true, false] {
        let server = TestServer::start(Engine::Sqlite).await;
        let (own, other) = (Receiver::listen().await, Receiver::listen().await);
        let bye = format!("http://{}/bye", own.address);
        let browser = Chromium::open(900, 900).await;
        if !scripts {
            browser.disable_scripts().await;
        }
        let ada = server.person("ada").await;
        let mut hint = String::new();
        for receiver in [&other, &own] {
            let draft = Draft {
                post_logout_redirect_uris: Some(vec![bye.clone()]),
                ..draft(&format!("http://{}", receiver.address))
            };
            let flow = Flow::new(&server.application(&Draft { first_party: Some(true), ..draft }).await);
            browser.visit(&format!("{}{}", server.issuer(), flow.path())).await;
            if hint.is_empty() {
                browser.fill("username", &ada.username).await;
                browser.fill("password", &ada.password).await;
                browser.click("sign-in").await;
            }
            let url = called(receiver, "/callback").await;
            let code = unique_parameters(&url)["code"].clone();
            hint = flow.exchange(&server.wire(), &code).await.expect_tokens().id_token();
        }
        let parameters = [("id_token_hint", hint.as_str()), ("post_logout_redirect_uri", &bye), ("state", STATE)];
        browser.visit(&format!("{}{}", server.issuer(), path(&parameters))).await;
        let sid = Tokens::claims(&hint)["sid"].as_str().unwrap().to_owned();
        for receiver in [&own, &other] {
            let url = called(receiver, "/out").await;
            let expected = [("tenant", "a b"), ("iss", server.issuer()), ("sid", &sid)];
            let expected = expected.map(|(name, value)| (name.to_owned(), value.to_owned()));
            assert_eq!(unique_parameters(&url), expected.into());
        }
        let url = called(&own, "/bye").await;
        assert_eq!(unique_parameters(&url), [("state".to_owned(), STATE.to_owned())].into());
        assert_eq!(browser.current_url().await.unwrap().path(), "/bye");
    }
}

/// Waits for a call of this path, ten seconds at most.
async fn called(receiver: &Receiver, path: &str) -> Url {
    for _ in 0..1000 {
        for received in receiver.received() {
            let url = Url::parse(&format!("http://{}{}", receiver.address, received.target)).expect("a URL");
            if url.path() == path {
                return url;
            }
        }
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    panic!("{path} was not called: {:#?}", receiver.received());
}

/// By the rules of axe-core, in light and dark, with pictures.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_page_is_well_made() {
    let server = TestServer::start(Engine::Sqlite).await;
    let receiver = Receiver::listen().await;
    let browser = Chromium::open(1000, 800).await;
    let ada = server.person("ada").await;
    let bye = format!("http://{}/bye", receiver.address);
    let draft = Draft {
        client_name: Some("Orchard Market".to_owned()),
        first_party: Some(true),
        post_logout_redirect_uris: Some(vec![bye.clone()]),
        ..draft(&format!("http://{}", receiver.address))
    };
    let flow = Flow::new(&server.application(&draft).await);
    let visit = async |path: &str| browser.visit(&format!("{}{path}", server.issuer())).await;
    let mut calls = 0;
    for parameters in [&[][..], &[("client_id", flow.application.id.as_str()), ("post_logout_redirect_uri", &bye)]] {
        visit(&flow.path()).await;
        browser.fill("username", &ada.username).await;
        browser.fill("password", &ada.password).await;
        browser.click("sign-in").await;
        calls += 1;
        for _ in 0..1000 {
            if receiver.received().iter().filter(|call| call.target.starts_with("/callback")).count() == calls {
                break;
            }
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
        let last = receiver.received().into_iter().rfind(|call| call.target.starts_with("/callback")).expect("a call");
        let url = Url::parse(&format!("http://{}{}", receiver.address, last.target)).unwrap();
        flow.exchange(&server.wire(), &unique_parameters(&url)["code"]).await.expect_tokens();
        visit(&path(parameters)).await;
        browser.click("sign-out").await;
        browser.element(By::Tag("iframe")).await;
        if parameters.is_empty() {
            for (width, suffix) in [(1000, ""), (320, "-narrow")] {
                browser.resize(width, 800).await;
                browser.expect_well_made(&format!("signed-out-frames{suffix}")).await;
            }
            continue;
        }
        // So that it can be looked at for longer than it lasts.
        browser.execute("window.stop()", Vec::new()).await.expect("stopping");
        browser.id("returning").await;
        for (scheme, name) in [(Scheme::Light, "light"), (Scheme::Dark, "dark")] {
            browser.prefer(scheme).await;
            browser.screenshot(&format!("signed-out-returning-{name}")).await;
            // That it goes on without a click is what the standard asks for (conformance 114); the link is there as well.
            let found = browser.accessibility_violations().await;
            let others: Vec<_> = found.iter().filter(|violation| violation.id != "meta-refresh").collect();
            assert!(others.is_empty(), "{others:#?}");
        }
    }
}
