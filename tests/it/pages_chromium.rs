//! The pages in a real browser: by keyboard, without scripts, with the back button, and the demo application.

use std::time::Duration;

use thirtyfour::{By, Key, WebElement};
use tokio::time::sleep;

use crate::support::{Application, Binary, Callback, Chromium, Engine, Flow, NewApplication, Person, TestServer};

struct Stage {
    server: TestServer,
    browser: Chromium,
    callback: Callback,
    ada: Person,
    flow: Flow,
}

/// A provider, an application that listens, a person, and a browser.
async fn stage() -> Stage {
    let server = TestServer::start(Engine::Sqlite).await;
    let callback = Callback::listen().await;
    let ada = server.person("ada").await;
    let application = application(&server, &callback).await;
    let flow = Flow::new(&application);
    Stage { server, browser: Chromium::open(900, 900).await, callback, ada, flow }
}

async fn application(server: &TestServer, callback: &Callback) -> Application {
    let uris = [callback.uri.as_str()];
    let bye = callback.uri.replace("/callback", "/bye");
    let flags = ["--post-logout-redirect-uri", &bye];
    let new = NewApplication { name: "Orchard", redirect_uris: &uris, flags: &flags, ..NewApplication::default() };
    server.application(new).await
}

impl Stage {
    fn url(&self, path: &str) -> String {
        format!("{}{path}", self.server.issuer())
    }

    async fn visit(&self, path: &str) {
        self.browser.visit(&self.url(path)).await;
    }

    async fn open_flow(&self) {
        self.visit(&self.flow.path()).await;
    }

    /// By mouse and keyboard, as most people.
    async fn sign_in(&self) {
        self.browser.fill("username", &self.ada.username).await;
        self.browser.fill("password", &self.ada.password).await;
        self.browser.click("sign-in").await;
    }

    /// Waits for the answer and exchanges the code.
    async fn expect_tokens(&self) {
        let url = self.callback.next().await;
        let parameters = crate::support::unique_parameters(&url);
        assert_eq!(parameters["state"], self.flow.parameter("state"), "{url}");
        assert_eq!(parameters["iss"], self.server.issuer(), "{url}");
        self.flow.exchange(&self.server.wire(), &parameters["code"]).await.expect_tokens();
    }
}

/// The element that has the focus.
async fn focused(browser: &Chromium) -> WebElement {
    browser.active_element().await.expect("a focused element")
}

async fn focused_id(browser: &Chromium) -> String {
    focused(browser).await.id().await.expect("its id").unwrap_or_default()
}

async fn press(browser: &Chromium, keys: impl Into<thirtyfour::TypingData> + Send) {
    focused(browser).await.send_keys(keys).await.expect("typing");
}

/// Goes on by the tab key until this element has the focus.
async fn tab_to(browser: &Chromium, id: &str) {
    for _ in 0..12 {
        if focused_id(browser).await == id {
            return;
        }
        press(browser, Key::Tab).await;
    }
    panic!("the tab key does not reach {id}");
}

async fn text_of(browser: &Chromium, id: &str) -> String {
    browser.id(id).await.text().await.expect("its text")
}

/// What the page of ours that is open says; waits five seconds for one.
async fn page_text(browser: &Chromium) -> String {
    for _ in 0..100 {
        if let Ok(main) = browser.find(By::Tag("main")).await
            && let Ok(text) = main.text().await
        {
            return text;
        }
        sleep(Duration::from_millis(50)).await;
    }
    panic!("no page of ours at {:?}", browser.current_url().await);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_whole_way_by_keyboard_alone() {
    let stage = stage().await;
    let browser = &stage.browser;
    stage.open_flow().await;
    browser.id("sign-in").await;
    // The name is where typing begins; the rest follows in the order of the page.
    assert_eq!(focused_id(browser).await, "username");
    press(browser, stage.ada.email.as_str()).await;
    tab_to(browser, "password").await;
    press(browser, stage.ada.password.as_str()).await;
    press(browser, Key::Enter).await;
    browser.id("consent-allow").await;
    assert_ne!(focused_id(browser).await, "consent-allow", "nobody allows by pressing Enter once too often");
    tab_to(browser, "consent-allow").await;
    press(browser, Key::Enter).await;
    stage.expect_tokens().await;
    assert_eq!(browser.title().await.expect("a title"), "Back at the application");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_wrong_password_shows_what_to_do_and_has_the_focus() {
    let stage = stage().await;
    let browser = &stage.browser;
    stage.open_flow().await;
    browser.fill("username", "ada").await;
    browser.fill("password", "not the password").await;
    browser.click("sign-in").await;
    let summary = text_of(browser, "summary").await;
    assert!(summary.contains("do not match"), "{summary}");
    assert_eq!(focused_id(browser).await, "summary");
    assert!(browser.title().await.expect("a title").starts_with("Error:"));
    let username = browser.id("username").await;
    assert_eq!(username.value().await.expect("a value").as_deref(), Some("ada"));
    assert_eq!(browser.id("password").await.value().await.expect("a value").as_deref(), Some(""));
    // On from there by keyboard.
    tab_to(browser, "password").await;
    press(browser, stage.ada.password.as_str()).await;
    press(browser, Key::Enter).await;
    browser.click("consent-allow").await;
    stage.expect_tokens().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn somebody_new_makes_an_account() {
    let stage = stage().await;
    let browser = &stage.browser;
    stage.open_flow().await;
    browser.click("sign-up").await;
    browser.id("email").await;
    assert_eq!(focused_id(browser).await, "email");
    browser.fill("email", "grace@example.org").await;
    browser.fill("name", "Grace Hopper").await;
    browser.fill("password", "short").await;
    press(browser, Key::Enter).await;
    assert!(text_of(browser, "password-fault").await.contains("8 characters"));
    assert_eq!(focused_id(browser).await, "summary");
    assert_eq!(browser.id("email").await.value().await.expect("a value").as_deref(), Some("grace@example.org"));
    browser.fill("password", "tidal lantern 88 moss").await;
    browser.click("sign-up").await;
    browser.id("consent-allow").await;
    assert!(page_text(browser).await.contains("Grace Hopper"));
    browser.click("consent-allow").await;
    stage.expect_tokens().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn saying_no_goes_back_with_a_no() {
    let stage = stage().await;
    stage.open_flow().await;
    stage.sign_in().await;
    stage.browser.click("consent-deny").await;
    let url = stage.callback.next().await;
    let parameters = crate::support::unique_parameters(&url);
    assert_eq!(parameters["error"], "access_denied");
    assert_eq!(parameters["state"], stage.flow.parameter("state"));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn signing_out_asks_first() {
    let stage = stage().await;
    let browser = &stage.browser;
    stage.visit("/sign-in").await;
    stage.sign_in().await;
    browser.id("sign-out").await;
    stage.visit("/logout").await;
    browser.click("stay").await;
    assert!(page_text(browser).await.contains("You are signed in"));

    // Back to the application, as it has asked: the page's policy lets the redirect pass.
    let bye = stage.callback.uri.replace("/callback", "/bye");
    let query = form_urlencoded::Serializer::new(String::new())
        .append_pair("client_id", &stage.flow.application.id)
        .append_pair("post_logout_redirect_uri", &bye)
        .finish();
    stage.visit(&format!("/logout?{query}")).await;
    assert!(page_text(browser).await.contains("Orchard"));
    tab_to(browser, "sign-out").await;
    press(browser, Key::Enter).await;
    for _ in 0..100 {
        if browser.current_url().await.expect("a URL").as_str() == bye {
            break;
        }
        sleep(Duration::from_millis(50)).await;
    }
    assert_eq!(browser.current_url().await.expect("a URL").as_str(), bye);
    stage.open_flow().await;
    browser.id("password").await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_back_button_breaks_nothing() {
    let stage = stage().await;
    let browser = &stage.browser;
    stage.open_flow().await;
    stage.sign_in().await;
    browser.id("consent-allow").await;
    // Back to the sign-in page, and once more.
    browser.back().await.expect("back");
    browser.id("password").await;
    stage.sign_in().await;
    browser.click("consent-allow").await;
    stage.expect_tokens().await;
    // From the application back to the question, which the browser may have kept: it is answered, and a second answer
    // changes nothing.
    browser.back().await.expect("back");
    if page_text(browser).await.contains("Allow Orchard") {
        browser.click("consent-allow").await;
        for _ in 0..100 {
            if page_text(browser).await.contains("We had to stop here") {
                break;
            }
            sleep(Duration::from_millis(50)).await;
        }
    }
    let text = page_text(browser).await;
    assert!(text.contains("We had to stop here"), "{text}");
    // After signing out the pages of before are not shown again.
    stage.visit("/").await;
    browser.click("sign-out").await;
    assert!(page_text(browser).await.contains("You are signed out"));
    browser.back().await.expect("back");
    browser.id("sign-in").await;
    assert!(!page_text(browser).await.contains("ada Lovelace"));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn everything_works_with_scripts_switched_off() {
    let stage = stage().await;
    let browser = &stage.browser;
    browser.disable_scripts().await;
    stage.open_flow().await;
    browser.fill("username", "ada").await;
    browser.fill("password", "not the password").await;
    browser.click("sign-in").await;
    browser.id("summary").await;
    stage.sign_in().await;
    browser.click("consent-allow").await;
    stage.expect_tokens().await;
    stage.visit("/logout").await;
    browser.click("sign-out").await;
    assert!(page_text(browser).await.contains("You are signed out"));
    stage.visit("/sign-up").await;
    browser.fill("email", "grace@example.org").await;
    browser.fill("name", "Grace Hopper").await;
    browser.fill("password", "tidal lantern 88 moss").await;
    browser.click("sign-up").await;
    assert!(page_text(browser).await.contains("Grace Hopper"));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_password_can_be_looked_at() {
    let stage = stage().await;
    let browser = &stage.browser;
    stage.visit("/sign-in").await;
    browser.fill("password", "plum").await;
    let reveal = browser.element(By::ClassName("reveal")).await;
    assert!(reveal.is_displayed().await.expect("whether"));
    reveal.click().await.expect("a click");
    assert_eq!(browser.id("password").await.attr("type").await.expect("a type").as_deref(), Some("text"));
    reveal.click().await.expect("a click");
    assert_eq!(browser.id("password").await.attr("type").await.expect("a type").as_deref(), Some("password"));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn ij_04_no_dialog_opens() {
    let stage = stage().await;
    let hostile = "\"><script>alert(1)</script><img src=x onerror=alert(2)>";
    let uris = [stage.callback.uri.as_str()];
    let new = NewApplication { name: hostile, redirect_uris: &uris, ..NewApplication::default() };
    let flow = Flow::new(&stage.server.application(new).await).with("login_hint", hostile);
    stage.visit(&flow.path()).await;
    assert!(page_text(&stage.browser).await.contains("<script>alert(1)</script>"));
    stage.sign_in().await;
    stage.browser.id("consent-allow").await;
    assert!(page_text(&stage.browser).await.contains("<script>alert(1)</script>"));
    let url = flow.with("redirect_uri", "javascript:alert(1)//\"><img src=x onerror=alert(2)>").path();
    stage.visit(&url).await;
    assert!(page_text(&stage.browser).await.contains("javascript:alert(1)"));
    assert!(stage.browser.get_alert_text().await.is_err(), "a dialog is open");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn br_07_no_other_site_frames_a_page() {
    let stage = stage().await;
    let frame = format!("data:text/html,<iframe src='{}' width=600 height=600></iframe>", stage.url("/sign-in"));
    stage.browser.visit(&frame).await;
    stage.browser.enter_frame(0).await.expect("a frame");
    assert!(stage.browser.find(By::Id("password")).await.is_err());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_demo_application_signs_in_and_shows_its_tokens() {
    let server = Binary::dev(Engine::Sqlite).await;
    let browser = Chromium::open(900, 900).await;
    let url = |path: &str| format!("{}{path}", server.issuer());
    browser.visit(&url("/dev/mail")).await;
    browser.visit(&url("/dev/app")).await;
    browser.element(By::Css("a[href='/dev/app/start']")).await.click().await.expect("a click");
    browser.click("sign-up").await;
    browser.fill("email", "grace@example.org").await;
    browser.fill("name", "Grace Hopper").await;
    browser.fill("password", "tidal lantern 88 moss").await;
    browser.click("sign-up").await;
    browser.click("consent-allow").await;
    browser.element(By::Css("a[href='/dev/app/refresh']")).await;
    let text = page_text(&browser).await;
    for said in ["Grace Hopper", "signature by a published key", "nonce", "at_hash", server.issuer()] {
        assert!(text.contains(said), "{said}: {text}");
    }
    let page = browser.source().await.expect("the page");
    assert!(page.contains("RS256") && page.contains("at+jwt"), "{page}");
    browser.element(By::Css("a[href='/dev/app/refresh']")).await.click().await.expect("a click");
    let text = page_text(&browser).await;
    assert!(text.contains("signature by a published key"), "{text}");
    // Out again, with the hint: at once, and back at the application.
    browser.element(By::Css("a[href^='/logout']")).await.click().await.expect("a click");
    browser.element(By::Css("a[href='/dev/app/start']")).await;
    browser.visit(&url("/")).await;
    browser.id("sign-in").await;
}
