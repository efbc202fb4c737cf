//! Every page in every state by the rules of axe-core, in light and dark, wide and on the smallest phone; with pictures.

use thirtyfour::By;

use crate::{
    mail::server_with_mail,
    support::{Binary, Callback, Chromium, Engine, Flow, NewApplication, Person, TestServer},
};

const WIDTHS: [(u32, &str); 2] = [(1000, ""), (320, "-narrow")];

/// Looks at the page that is open, wide and narrow.
async fn look(browser: &Chromium, name: &str) {
    for (width, suffix) in WIDTHS {
        browser.resize(width, 800).await;
        browser.expect_well_made(&format!("{name}{suffix}")).await;
    }
}

struct Stage {
    server: TestServer,
    browser: Chromium,
    ada: Person,
    flow: Flow,
}

async fn stage() -> Stage {
    let server = TestServer::start(Engine::Sqlite).await;
    let callback = Callback::listen().await;
    let ada = server.person("ada").await;
    let uris = [callback.uri.as_str()];
    let new = NewApplication { name: "Orchard Market", redirect_uris: &uris, ..NewApplication::default() };
    let flow = Flow::new(&server.application(new).await);
    Stage { server, browser: Chromium::open(1000, 800).await, ada, flow }
}

impl Stage {
    async fn visit(&self, path: &str) {
        self.browser.visit(&format!("{}{path}", self.server.issuer())).await;
    }

    async fn sign_in(&self) {
        self.browser.fill("username", &self.ada.username).await;
        self.browser.fill("password", &self.ada.password).await;
        self.browser.click("sign-in").await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn signing_in() {
    let stage = stage().await;
    stage.visit(&stage.flow.path()).await;
    stage.browser.id("password").await;
    look(&stage.browser, "sign-in").await;
    stage.browser.fill("username", "ada").await;
    stage.browser.fill("password", "not the password").await;
    stage.browser.click("sign-in").await;
    stage.browser.id("summary").await;
    look(&stage.browser, "sign-in-refused").await;
    stage.visit(&stage.flow.path()).await;
    stage.browser.click("sign-in").await;
    stage.browser.id("username-fault").await;
    look(&stage.browser, "sign-in-missing").await;
    for _ in 0..5 {
        stage.browser.fill("username", "ada").await;
        stage.browser.fill("password", "not the password").await;
        stage.browser.click("sign-in").await;
        stage.browser.id("summary").await;
    }
    look(&stage.browser, "sign-in-throttled").await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn signing_up() {
    let stage = stage().await;
    stage.visit("/sign-up").await;
    stage.browser.id("email").await;
    look(&stage.browser, "sign-up").await;
    stage.browser.fill("email", "grace").await;
    stage.browser.fill("password", "short").await;
    stage.browser.click("sign-up").await;
    stage.browser.id("summary").await;
    look(&stage.browser, "sign-up-missing").await;
    stage.browser.fill("email", "grace@example.org").await;
    stage.browser.fill("name", "Grace Hopper").await;
    stage.browser.fill("password", "password1").await;
    stage.browser.click("sign-up").await;
    stage.browser.id("password-fault").await;
    look(&stage.browser, "sign-up-refused").await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn allowing_and_signing_out() {
    let stage = stage().await;
    stage.visit(&stage.flow.path()).await;
    stage.sign_in().await;
    stage.browser.id("consent-allow").await;
    look(&stage.browser, "consent").await;
    stage.visit("/").await;
    stage.browser.id("sign-out").await;
    look(&stage.browser, "home-signed-in").await;
    stage.visit(&format!("/logout?client_id={}", stage.flow.application.id)).await;
    stage.browser.id("stay").await;
    look(&stage.browser, "sign-out").await;
    stage.browser.click("sign-out").await;
    stage.browser.element(By::Tag("main")).await;
    look(&stage.browser, "signed-out").await;
    stage.visit("/").await;
    stage.browser.id("sign-up").await;
    look(&stage.browser, "home").await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_went_wrong() {
    let stage = stage().await;
    stage.visit("/authorize?client_id=unknown").await;
    look(&stage.browser, "error").await;
    let long = format!("https://unknown.example/{}", "a-very-long-path".repeat(20));
    stage.visit(&stage.flow.clone().with("redirect_uri", &long).path()).await;
    look(&stage.browser, "error-redirect-uri").await;
    stage.visit(&stage.flow.path()).await;
    stage.browser.id("password").await;
    let waiting = stage.browser.current_url().await.expect("a URL");
    stage.server.advance_seconds(3_700);
    stage.browser.visit(waiting.as_str()).await;
    stage.browser.id("restart").await;
    look(&stage.browser, "error-expired").await;
    stage.visit("/nowhere").await;
    look(&stage.browser, "error-not-found").await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_demo_application_and_the_mailbox() {
    let server = Binary::dev(Engine::Sqlite).await;
    let browser = Chromium::open(1000, 800).await;
    let url = |path: &str| format!("{}{path}", server.issuer());
    browser.visit(&url("/dev/mail")).await;
    look(&browser, "dev-mail").await;
    browser.visit(&url("/")).await;
    look(&browser, "home-dev").await;
    browser.visit(&url("/dev/app")).await;
    look(&browser, "dev-app").await;
    browser.visit(&url("/dev/app/callback?state=unknown")).await;
    look(&browser, "dev-app-error").await;
    // What is refused is explained on the page, here.
    browser
        .visit(&url("/authorize?client_id=dev&response_type=code&redirect_uri=https%3A%2F%2Felsewhere.example%2F"))
        .await;
    browser.id("trace").await;
    look(&browser, "dev-error").await;
    browser.visit(&url("/dev/app/start")).await;
    browser.click("sign-up").await;
    browser.fill("email", "grace@example.org").await;
    browser.fill("name", "Grace Hopper").await;
    browser.fill("password", "tidal lantern 88 moss").await;
    browser.click("sign-up").await;
    browser.click("consent-allow").await;
    browser.element(By::Css("a[href='/dev/app/refresh']")).await;
    look(&browser, "dev-app-tokens").await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_json_api() {
    let stage = stage().await;
    stage.visit("/docs").await;
    stage.browser.id("openapi").await;
    stage.browser.screenshot("docs-whole").await;
    // A hundred calls of one make: each eighth is looked at.
    let thin = "const all = [...document.querySelectorAll('details')]; all.forEach((call, n) => n % 8 && call.remove()); \
                return all.length";
    let calls = stage.browser.execute(thin, Vec::new()).await.and_then(|found| found.convert()).unwrap_or(0_u32);
    assert!(calls > 30, "{calls}");
    look(&stage.browser, "docs").await;
    let open = "document.querySelectorAll('details').forEach(call => call.open = true)";
    stage.browser.execute(open, Vec::new()).await.expect("calls that are open");
    look(&stage.browser, "docs-open").await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn forced_colours_and_less_motion() {
    let stage = stage().await;
    stage.browser.emulate_media(&[("forced-colors", "active"), ("prefers-reduced-motion", "reduce")]).await;
    stage.visit("/sign-in").await;
    stage.browser.screenshot("sign-in-forced-colours").await;
    let moving: bool = stage
        .browser
        .execute("return document.getAnimations().some(a => a.effect.getTiming().duration > 10)", Vec::new())
        .await
        .and_then(|found| found.convert())
        .expect("whether");
    assert!(!moving);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn choosing_an_account() {
    let stage = stage().await;
    stage.visit("/sign-in").await;
    stage.sign_in().await;
    stage.browser.id("sign-out").await;
    stage.server.advance_seconds(1);
    stage.visit(&stage.flow.clone().with("prompt", "select_account").path()).await;
    stage.browser.id("another-account").await;
    look(&stage.browser, "choose-account").await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_needs_the_mailbox() {
    let settings = [("accounts.require_verified_email", "true")];
    let (server, mailbox) = server_with_mail(Engine::Sqlite, &settings).await;
    let browser = Chromium::open(1000, 800).await;
    let url = |path: &str| format!("{}{path}", server.issuer());
    browser.visit(&url("/sign-up")).await;
    browser.fill("email", "grace.brewster.murray.hopper@a-very-long-name-of-a-company.example.org").await;
    browser.fill("name", "Grace Hopper").await;
    browser.fill("password", "tidal lantern 88 moss").await;
    browser.click("sign-up").await;
    browser.id("sign-in").await;
    look(&browser, "sign-up-mailed").await;
    let link = mailbox.nth(1).await.link();
    browser.visit(&url("/sign-in")).await;
    browser.id("forgot-password").await;
    look(&browser, "sign-in-with-mail").await;
    browser.fill("username", "grace.brewster.murray.hopper@a-very-long-name-of-a-company.example.org").await;
    browser.fill("password", "tidal lantern 88 moss").await;
    browser.click("sign-in").await;
    browser.id("send-verification").await;
    look(&browser, "unverified").await;
    browser.visit(&link).await;
    browser.id("verify-email").await;
    look(&browser, "verify-email").await;
    browser.click("verify-email").await;
    browser.id("sign-in").await;
    look(&browser, "verified").await;

    browser.visit(&url("/forgot-password")).await;
    browser.id("email").await;
    look(&browser, "forgot-password").await;
    browser.fill("email", "grace").await;
    browser.click("send-reset").await;
    browser.id("email-fault").await;
    look(&browser, "forgot-password-refused").await;
    browser.fill("email", "grace.brewster.murray.hopper@a-very-long-name-of-a-company.example.org").await;
    browser.click("send-reset").await;
    browser.id("sign-in").await;
    look(&browser, "forgot-password-mailed").await;
    let link = mailbox.nth(2).await.link();
    browser.visit(&link).await;
    browser.id("password").await;
    look(&browser, "reset-password").await;
    browser.fill("password", "password1").await;
    browser.click("reset-password").await;
    browser.id("password-fault").await;
    look(&browser, "reset-password-refused").await;
    browser.fill("password", "second tidal lantern 9").await;
    browser.click("reset-password").await;
    browser.id("sign-in").await;
    look(&browser, "reset-done").await;
    browser.visit(&link).await;
    browser.id("restart").await;
    look(&browser, "error-link-dead").await;
}
