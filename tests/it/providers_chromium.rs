//! Another provider in a real browser: `tests/upstream` in Google's place, its pages and ours, and the rules of a browser that hold
//! between them.

use bonafide::clients::Draft;
use serde_json::{Value, json};

use crate::support::{
    Callback, Chromium, Engine, Flow, TestServer, Tokens, Upstream, in_time, made, unique_parameters,
};

struct Stage {
    upstream: Upstream,
    server: TestServer,
    callback: Callback,
    flow: Flow,
    browser: Chromium,
}

impl Stage {
    /// Google by its preset, but for where it is.
    async fn new(engine: Engine, more: &[(&str, &str)]) -> Self {
        let upstream = Upstream::start(json!({
            "may": { "sub": "108", "email": "may@example.org", "email_verified": true, "name": "May Day" },
            "ada": { "sub": "109", "email": "ada@example.org", "email_verified": true, "name": "Ada" },
        }))
        .await;
        let mut settings = upstream.settings("google");
        settings.extend(more.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())));
        let settings: Vec<_> = settings.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
        let server = TestServer::with(engine, &settings).await;
        upstream.register_us(server.issuer(), "google", &json!({})).await;
        let callback = Callback::listen().await;
        let draft = Draft {
            client_name: Some("Orchard".to_owned()),
            redirect_uris: Some(vec![callback.uri.clone()]),
            post_logout_redirect_uris: Some(vec![callback.uri.clone()]),
            first_party: Some(true),
            claims_in_id_token: Some(true),
            ..made::draft()
        };
        let flow = Flow::new(&made::client(&server, draft).await);
        Self { upstream, server, callback, flow, browser: Chromium::open(900, 900).await }
    }

    async fn visit(&self, path: &str) {
        self.browser.visit(&format!("{}{path}", self.server.issuer())).await;
    }

    /// Signs in at the other provider's page.
    async fn sign_in_there(&self, login: &str) {
        self.browser.fill("login", login).await;
        self.browser.fill("password", Upstream::PASSWORD).await;
        self.browser.click("upstream-sign-in").await;
    }

    /// What the application learns, once the browser is back with it.
    async fn tokens(&self) -> Tokens {
        let url = self.callback.next().await;
        let parameters = unique_parameters(&url);
        assert_eq!(parameters["state"], self.flow.parameter("state"), "{url}");
        assert_eq!(parameters["iss"], self.server.issuer(), "{url}");
        self.flow.exchange(&self.server.wire(), &parameters["code"]).await.expect_tokens()
    }

    async fn claims(&self) -> Value {
        Tokens::claims(&self.tokens().await.id_token())
    }
}

each_engine!(the_whole_way_with_a_provider_that_is_not_ours);
/// In, with a new account; in again, without a page there; out, there too; and in once more.
async fn the_whole_way_with_a_provider_that_is_not_ours(engine: Engine) {
    let stage = Stage::new(engine, &[]).await;
    let browser = &stage.browser;
    stage.visit(&stage.flow.path()).await;
    browser.id("provider-google").await;
    browser.expect_well_made("provider-sign-in").await;
    browser.click("provider-google").await;
    stage.sign_in_there("may").await;
    let first = stage.claims().await;
    assert_eq!((&first["email"], &first["email_verified"]), (&json!("may@example.org"), &json!(true)));
    assert_eq!(first["name"], "May Day");
    let asked = stage.upstream.seen().await.authorization.expect("an authorization request");
    assert_eq!(asked["redirect_uri"], format!("{}/providers/google/callback", stage.server.issuer()));

    // Signed in here: no page at all.
    stage.visit(&stage.flow.path()).await;
    assert_eq!(stage.claims().await["sub"], first["sub"]);
    // A browser that forgets us is still known there.
    browser.devtools("Network.clearBrowserCookies", json!({})).await;
    stage.visit(&stage.flow.path()).await;
    browser.click("provider-google").await;
    stage.sign_in_there("may").await;
    let tokens = stage.tokens().await;
    assert_eq!(Tokens::claims(&tokens.id_token())["sub"], first["sub"]);

    // By the form, past the provider's own page, and back to ours.
    stage.visit("/logout").await;
    browser.click("sign-out").await;
    browser.click("upstream-sign-out").await;
    for _ in 0..100 {
        if browser.current_url().await.expect("an address").as_str().starts_with(stage.server.issuer()) {
            break;
        }
        tokio::time::sleep(std::time::Duration::from_millis(50)).await;
    }
    let url = browser.current_url().await.expect("an address");
    assert_eq!(url.path(), "/providers/signed-out", "{url}");
    browser.expect_well_made("provider-signed-out").await;
    let logouts = stage.upstream.seen().await.logouts;
    assert!(logouts.iter().all(|told| told.error.is_none()) && logouts.len() == 1, "{logouts:?}");

    // By the application, all the way there and back to it.
    stage.visit(&stage.flow.path()).await;
    browser.click("provider-google").await;
    stage.sign_in_there("may").await;
    let tokens = stage.tokens().await;
    assert_eq!(Tokens::claims(&tokens.id_token())["sub"], first["sub"]);
    let mut query = form_urlencoded::Serializer::new(String::new());
    query.append_pair("id_token_hint", &tokens.id_token());
    query.append_pair("post_logout_redirect_uri", &stage.callback.uri).append_pair("state", "bye");
    stage.visit(&format!("/logout?{}", query.finish())).await;
    browser.click("upstream-sign-out").await;
    assert_eq!(unique_parameters(&stage.callback.next().await)["state"], "bye");
    stage.visit(&stage.flow.path()).await;
    browser.id("provider-google").await;
}

/// Whoever has an account here proves it once; whoever changes their mind there comes back to a page that leads on.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_account_here_is_linked_on_a_page_of_ours() {
    in_time(Box::pin(async {
        let stage = Stage::new(Engine::Sqlite, &[]).await;
        let ada = made::person(&stage.server, "ada").await;
        let browser = &stage.browser;
        stage.visit(&stage.flow.path()).await;
        browser.click("provider-google").await;
        browser.click("upstream-cancel").await;
        browser.id("restart").await;
        browser.expect_well_made("provider-cancelled").await;
        browser.click("restart").await;
        browser.click("provider-google").await;
        stage.sign_in_there("ada").await;
        browser.id("link-account").await;
        browser.expect_well_made("provider-link").await;
        browser.fill("password", "not the password").await;
        browser.click("link-account").await;
        browser.id("password-fault").await;
        browser.expect_well_made("provider-link-refused").await;
        browser.resize(320, 640).await;
        browser.expect_well_made("provider-link-narrow").await;
        browser.fill("password", &ada.password).await;
        browser.click("link-account").await;
        assert_eq!(stage.claims().await["sub"], *ada.id);
        browser.devtools("Network.clearBrowserCookies", json!({})).await;
        stage.visit(&stage.flow.path()).await;
        browser.click("provider-google").await;
        stage.sign_in_there("ada").await;
        assert_eq!(stage.claims().await["sub"], *ada.id, "from now on without asking");
    }))
    .await;
}

/// Home realm discovery: the domain of an address says where its people sign in. The form leads there in spite of its
/// `form-action`, which Chromium holds against every redirect on the way.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_address_leads_to_the_provider_of_its_domain() {
    in_time(Box::pin(async {
        let stage = Stage::new(Engine::Sqlite, &[("providers.google.domains", "example.org, example.net")]).await;
        let browser = &stage.browser;
        stage.visit(&stage.flow.path()).await;
        browser.fill("username", "somebody@elsewhere.example").await;
        browser.click("organisation").await;
        browser.id("username-fault").await;
        browser.expect_well_made("provider-organisation-unknown").await;
        browser.fill("username", "May@Example.ORG").await;
        browser.click("organisation").await;
        let login = browser.id("login").await.value().await.expect("a value");
        assert_eq!(login.as_deref(), Some("May@Example.ORG"), "login_hint");
        stage.sign_in_there("may").await;
        assert_eq!(stage.claims().await["email"], "may@example.org");
    }))
    .await;
}
