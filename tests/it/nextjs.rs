//! `examples/nextjs`, a front end after document 003, in a real browser: its NextAuth, its adapter, its pages. In Google's place
//! stands another provider of ours.

use std::time::Duration;

use bonafide::clients::Draft;
use reqwest::Method;
use serde_json::{Value, json};
use thirtyfour::{By, WebElement};
use tokio::time::sleep;

use crate::{
    engines::lines,
    support::{Answer, Binary, Chromium, Engine, NextApp, in_time, random},
};

/// NextAuth's name for its cookie over http.
const COOKIE: &str = "next-auth.session-token";
const PASSWORD: &str = "plum violin 42 harbour";
/// Short, and due two seconds before it ends.
const LIFETIME: &str = "6s";
const UNTIL_DUE: Duration = Duration::from_millis(4_500);

struct Stage {
    bonafide: Binary,
    google: Option<Binary>,
    app: NextApp,
    secret: String,
}

impl Stage {
    /// Bonafide with the settings of the example's README, and the example.
    async fn new(engine: Engine) -> Self {
        Self::with(engine, &random(), false, &[]).await
    }

    /// The same with somebody in Google's place.
    async fn with_google(engine: Engine, variables: &[(&str, &str)]) -> Self {
        Self::with(engine, &random(), true, variables).await
    }

    async fn with(engine: Engine, secret: &str, with_google: bool, variables: &[(&str, &str)]) -> Self {
        let settings =
            [("adapter.secret", secret), ("proxies.trusted", "127.0.0.1/32"), ("tokens.access_lifetime", LIFETIME)];
        let bonafide = Binary::with(engine, &settings).await;
        let port = NextApp::port();
        let (google, registered) = if with_google {
            let google = Binary::dev(Engine::Sqlite).await;
            let draft = Draft {
                client_name: Some("Orchard".to_owned()),
                redirect_uris: Some(vec![format!("http://localhost:{port}/api/auth/callback/google")]),
                first_party: Some(true),
                claims_in_id_token: Some(true),
                ..Draft::default()
            };
            let client = google.application(&draft).await;
            let configuration = format!("{}/.well-known/openid-configuration", google.issuer());
            let registered = [
                ("GOOGLE_CLIENT_ID", client.id.clone()),
                ("GOOGLE_CLIENT_SECRET", client.secret().to_owned()),
                ("GOOGLE_WELL_KNOWN", configuration),
            ];
            (Some(google), registered.to_vec())
        } else {
            (None, Vec::new())
        };
        let own = random();
        let mut environment =
            vec![("API_GATEWAY_URL", bonafide.issuer()), ("ADAPTER_SECRET", secret), ("NEXTAUTH_SECRET", &own)];
        environment.extend(registered.iter().map(|(name, value)| (*name, value.as_str())));
        environment.extend(variables);
        let app = NextApp::start(port, &environment).await;
        Self { bonafide, google, app, secret: secret.to_owned() }
    }

    fn google(&self) -> &Binary {
        self.google.as_ref().expect("somebody in Google's place")
    }

    async fn visitor(&self) -> Visitor<'_> {
        Visitor { stage: self, browser: Chromium::open(800, 900).await }
    }

    /// What the adapter would be told.
    async fn adapter(&self, path: &str) -> Value {
        let call = self.bonafide.wire().call(Method::GET, &format!("/adapter{path}"));
        call.header("x-auth-secret", &self.secret).send().await.expect_status(200).json()
    }

    /// The session as the example shows it to a browser with this cookie.
    async fn session_of(&self, cookie: &str) -> Value {
        let call = self.app.wire().call(Method::GET, "/api/auth/session");
        call.header("cookie", format!("{COOKIE}={cookie}")).send().await.expect_status(200).json()
    }

    /// The page of a browser with this cookie.
    async fn profile_of(&self, cookie: &str) -> Answer {
        self.app.wire().call(Method::GET, "/profile").header("cookie", format!("{COOKIE}={cookie}")).send().await
    }

    /// How often a refresh token has been used.
    async fn refreshes(&self) -> usize {
        lines(&self.bonafide, "SELECT 'x' AS line FROM spent_refresh_tokens").await.len()
    }
}

/// Makes a person with a password.
async fn person(at: &Binary, email: &str, name: &str, more: &[&str]) -> String {
    let arguments =
        [&["user", "create", "--json", "--password-stdin", "--email", email, "--name", name], more].concat();
    let created: Value = at.cli_with_input(&arguments, PASSWORD).await.expect_success().json();
    created["id"].as_str().expect("an id").to_owned()
}

/// Somebody at a browser.
struct Visitor<'s> {
    stage: &'s Stage,
    browser: Chromium,
}

impl Visitor<'_> {
    async fn visit(&self, path: &str) {
        self.browser.visit(&format!("{}{path}", self.stage.app.url)).await;
    }

    /// Clicks, once the page's scripts have taken over.
    async fn press(&self, id: &str) {
        for _ in 0..100 {
            let button = self.browser.id(id).await;
            if button.is_enabled().await.unwrap_or(false) && button.click().await.is_ok() {
                return;
            }
            sleep(Duration::from_millis(50)).await;
        }
        panic!("{id} cannot be pressed");
    }

    /// The same, until another page has come, which may have the same address.
    async fn press_and_leave(&self, id: &str) {
        let page = self.browser.find(By::Tag("html")).await.expect("a page");
        self.press(id).await;
        for _ in 0..200 {
            if page.tag_name().await.is_err() {
                return;
            }
            sleep(Duration::from_millis(50)).await;
        }
        panic!("{id} leads nowhere");
    }

    /// Waits until the browser is at this path of the example.
    async fn expect_path(&self, path: &str) {
        let url = format!("{}{path}", self.stage.app.url);
        let mut at = String::new();
        for _ in 0..300 {
            at = self.browser.current_url().await.expect("an address").into();
            if at == url {
                return;
            }
            sleep(Duration::from_millis(50)).await;
        }
        panic!("at {at}, not at {url}:\n{}", self.browser.source().await.unwrap_or_default());
    }

    /// Waits until this element says something with these words in it.
    async fn expect_words(&self, id: &str, words: &str) {
        let mut said = String::new();
        for _ in 0..200 {
            // The page may put another element in its place meanwhile.
            said = match self.browser.find(By::Id(id)).await {
                Ok(element) => element.text().await.unwrap_or_default(),
                Err(_) => String::new(),
            };
            if said.contains(words) {
                return;
            }
            sleep(Duration::from_millis(50)).await;
        }
        let at = self.browser.current_url().await;
        panic!("{id} says {said:?}, not {words:?}, at {at:?}:\n{}", self.browser.source().await.unwrap_or_default());
    }

    async fn cookie(&self) -> String {
        self.browser.get_named_cookie(COOKIE).await.expect("a session").value
    }

    async fn has_cookie(&self) -> bool {
        self.browser.get_named_cookie(COOKIE).await.is_ok()
    }

    async fn try_password(&self, email: &str, password: &str) {
        self.visit("/signin").await;
        self.browser.fill("email", email).await;
        self.browser.fill("password", password).await;
        self.press("sign-in").await;
    }

    async fn sign_in(&self, email: &str) {
        self.try_password(email, PASSWORD).await;
        self.expect_path("/profile").await;
        self.expect_words("email", email).await;
    }

    async fn sign_out(&self) {
        self.press("sign-out").await;
        self.expect_path("/").await;
        self.expect_words("greeting", "Apples").await;
    }

    /// Signs in at Google's page, where it asks.
    async fn at_google(&self, button: &str, email: &str) {
        self.press(button).await;
        self.browser.fill("username", email).await;
        self.browser.fill("password", PASSWORD).await;
        self.browser.click("sign-in").await;
    }

    async fn sign_in_with_google(&self, email: &str) {
        self.visit("/signin").await;
        self.at_google("google", email).await;
    }

    /// The session as scripts of the page see it.
    async fn session(&self) -> Value {
        const ASK: &str = "const done = arguments[arguments.length - 1];
            fetch('/api/auth/session').then(answer => answer.json()).then(done, error => done(String(error)));";
        let found = self.browser.execute_async(ASK, Vec::new()).await.expect("a session");
        found.json().clone()
    }

    /// Asks for the session and for a page at the same time, as tabs that wake up together do; whether each found the person.
    async fn ask_at_once(&self) -> Vec<bool> {
        const ASK: &str = r#"const done = arguments[arguments.length - 1];
            const session = () => fetch('/api/auth/session').then(a => a.json()).then(session => Boolean(session.user?.id));
            const page = () => fetch('/profile').then(a => a.text()).then(page => page.includes('id="roles"'));
            Promise.all([session, page, session, page, session, page, session, page].map(ask => ask())).then(done, () => done([]));"#;
        let found = self.browser.execute_async(ASK, Vec::new()).await.expect("answers");
        found.convert().expect("a list")
    }

    async fn text_of(&self, id: &str) -> String {
        let element: WebElement = self.browser.id(id).await;
        element.text().await.expect("its text")
    }
}

each_engine!(people_sign_up_and_in_and_see_what_they_may);
/// A refusal has words, the page of the administrators is theirs, limits and the record know the visitor's address (LG-12).
async fn people_sign_up_and_in_and_see_what_they_may(engine: Engine) {
    let stage = Stage::new(engine).await;
    let ada = stage.visitor().await;
    let (email, address) = ("ada@example.org", "203.0.113.7");
    // As a proxy before the example would say it.
    ada.browser.devtools("Network.enable", json!({})).await;
    let headers = json!({ "headers": { "X-Forwarded-For": address } });
    ada.browser.devtools("Network.setExtraHTTPHeaders", headers).await;

    ada.visit("/profile").await;
    ada.expect_path("/signin").await;
    ada.visit("/signup").await;
    ada.browser.expect_well_made("nextjs-sign-up").await;
    ada.browser.fill("name", "Ada Lovelace").await;
    ada.browser.fill("email", email).await;
    ada.browser.fill("password", "password1").await;
    ada.press("sign-up").await;
    ada.expect_words("password-error", "password").await;
    assert_eq!(ada.browser.id("email").await.value().await.expect("a value").as_deref(), Some(email), "what was typed");
    ada.browser.expect_well_made("nextjs-sign-up-refused").await;
    ada.browser.fill("password", PASSWORD).await;
    ada.press("sign-up").await;
    ada.expect_path("/signin?registered=1").await;

    ada.try_password(email, "not the password").await;
    ada.expect_words("error", "do not match").await;
    assert!(!ada.has_cookie().await);
    ada.browser.expect_well_made("nextjs-sign-in-refused").await;
    let arguments = ["audit", "list", "--json", "--address", address, "--kind", "sign_in_refused"];
    let refused: Value = stage.bonafide.cli(&arguments).await.expect_success().json();
    assert_eq!(refused.as_array().map(Vec::len), Some(1), "{refused}");

    ada.sign_in(email).await;
    ada.expect_words("name", "Ada Lovelace").await;
    ada.expect_words("roles", "none").await;
    ada.browser.expect_well_made("nextjs-profile").await;
    // H3-24: no token is for the browser's scripts.
    let session = ada.session().await;
    assert_eq!(session["user"]["email"], email);
    let text = session.to_string();
    assert!(!text.contains("eyJ") && !text.contains("bfr_") && session.get("backendTokens").is_none(), "{text}");

    // H0-15, AP-07: a role counts from the moment on that it is given.
    ada.visit("/admin").await;
    ada.expect_words("forbidden", "administrators").await;
    stage.bonafide.cli(&["user", "grant", "admin", email]).await.expect_success();
    ada.visit("/admin").await;
    ada.expect_words("people", email).await;
    ada.browser.expect_well_made("nextjs-people").await;
    ada.browser.resize(320, 640).await;
    ada.browser.expect_well_made("nextjs-people-narrow").await;

    // H0-8: somebody else who goes on guessing is told to wait, in words as well.
    let eve = stage.visitor().await;
    let mut said = String::new();
    for _ in 0..8 {
        eve.try_password(email, "not the password").await;
        eve.expect_words("error", ".").await;
        said = eve.text_of("error").await;
        if said.contains("Too many") {
            break;
        }
    }
    assert!(said.contains("Too many"), "{said}");
    assert!(!eve.has_cookie().await);
}

each_engine!(h3_25_rf_02_parallel_refreshes_keep_the_session);
/// H3-2, H3-25, H0-2: requests at once with an expired access token, as often as one likes; the cookie of long ago is worth nothing.
async fn h3_25_rf_02_parallel_refreshes_keep_the_session(engine: Engine) {
    let stage = Stage::new(engine).await;
    person(&stage.bonafide, "ada@example.org", "Ada", &[]).await;
    let ada = stage.visitor().await;
    ada.sign_in("ada@example.org").await;
    let first = ada.cookie().await;
    for _ in 0..3 {
        sleep(UNTIL_DUE).await;
        let before = stage.refreshes().await;
        assert_eq!(ada.ask_at_once().await, [true; 8]);
        // One successor for all of them, and another only if answering took so long that it was due again.
        let refreshes = stage.refreshes().await - before;
        assert!((1..=2).contains(&refreshes), "{refreshes} refreshes");
    }
    // A page alone refreshes as well, and its cookie is kept: the next refresh is good.
    for _ in 0..2 {
        sleep(UNTIL_DUE).await;
        let before = stage.refreshes().await;
        ada.visit("/profile").await;
        ada.expect_words("name", "Ada").await;
        assert!(stage.refreshes().await > before);
    }
    // Far beyond the grace, a copy of the first cookie is a replay: it ends the family.
    assert_eq!(stage.session_of(&first).await, json!({}));
    ada.visit("/profile").await;
    ada.expect_path("/signin").await;
    sleep(UNTIL_DUE).await;
    assert_eq!(ada.session().await, json!({}));
    assert!(!ada.has_cookie().await, "NextAuth gives up a session that has ended");
}

each_engine!(h3_25_a_provider_that_is_away_ends_no_session);
/// H3-25: a refresh that finds nobody there is tried again; only a refusal signs out.
async fn h3_25_a_provider_that_is_away_ends_no_session(engine: Engine) {
    let mut stage = Stage::new(engine).await;
    person(&stage.bonafide, "ada@example.org", "Ada", &[]).await;
    let cookie = {
        let ada = stage.visitor().await;
        ada.sign_in("ada@example.org").await;
        ada.cookie().await
    };
    stage.bonafide.kill();
    sleep(UNTIL_DUE).await;
    assert_eq!(stage.session_of(&cookie).await["user"]["email"], "ada@example.org", "meanwhile");
    stage.bonafide.start_again().await;
    let before = stage.refreshes().await;
    let page = stage.profile_of(&cookie).await.expect_status(200);
    assert!(stage.refreshes().await > before);
    assert!(page.body.contains("ada@example.org"), "{}", page.body);
    let kept = page.header_values("set-cookie").iter().any(|cookie| cookie.starts_with(COOKIE));
    assert!(kept, "the browser is told what to keep: {:?}", page.headers);
}

each_engine!(h0_1_lg_16_signing_out_is_final);
/// H0-1, H3-23: no copy of the cookie is good for anything afterwards; another session of the same person is not touched.
async fn h0_1_lg_16_signing_out_is_final(engine: Engine) {
    let stage = Stage::new(engine).await;
    person(&stage.bonafide, "ada@example.org", "Ada", &[]).await;
    let (here, there) = (stage.visitor().await, stage.visitor().await);
    here.sign_in("ada@example.org").await;
    there.sign_in("ada@example.org").await;
    here.visit("/profile").await;
    let copy = here.cookie().await;
    assert_eq!(stage.session_of(&copy).await["user"]["email"], "ada@example.org");
    here.sign_out().await;
    assert!(!here.has_cookie().await);
    let page = stage.profile_of(&copy).await;
    assert_eq!((page.status.as_u16(), page.header("location")), (307, "/signin"), "the access token is dead");
    sleep(UNTIL_DUE).await;
    assert_eq!(stage.session_of(&copy).await, json!({}), "the refresh token is dead");
    there.visit("/profile").await;
    there.expect_words("email", "ada@example.org").await;
}

each_engine!(h3_1_al_18_google_signs_in_who_is_linked);
/// H3-1, H3-5, H3-6, AL-17, AL-18, AL-20, MX-10.
async fn h3_1_al_18_google_signs_in_who_is_linked(engine: Engine) {
    let stage = Stage::with_google(engine, &[]).await;
    let google = stage.google();
    let may = person(google, "may@example.org", "May", &["--verified"]).await;
    person(google, "eve@example.org", "Eve", &[]).await;
    let known_there = person(google, "ada@example.org", "Ada", &["--verified"]).await;
    let ada = person(&stage.bonafide, "ada@example.org", "Ada", &[]).await;

    // Nobody here yet: made, linked, signed in.
    let visitor = stage.visitor().await;
    visitor.visit("/signin").await;
    visitor.browser.expect_well_made("nextjs-sign-in").await;
    visitor.at_google("google", "may@example.org").await;
    visitor.expect_path("/profile").await;
    assert_eq!(visitor.text_of("name").await, "May");
    assert_eq!(visitor.session().await["user"]["name"], "May");
    // H3-6: that Google has verified it is not NextAuth's to say, and is not taken over.
    assert_eq!(visitor.text_of("verified").await, "not yet");
    let linked = stage.adapter(&format!("/get-user-by-account/google/{may}")).await;
    assert_eq!((&linked["email"], &linked["emailVerified"]), (&json!("may@example.org"), &Value::Null));
    // The tokens are refreshed like those of a password.
    sleep(UNTIL_DUE).await;
    let before = stage.refreshes().await;
    visitor.visit("/profile").await;
    visitor.expect_words("name", "May").await;
    assert!(stage.refreshes().await > before);
    // And again: Google knows them still, and so do we.
    visitor.sign_out().await;
    visitor.visit("/signin").await;
    visitor.press("google").await;
    visitor.expect_path("/profile").await;
    assert_eq!(stage.adapter(&format!("/get-user-by-account/google/{may}")).await["id"], linked["id"]);

    // AL-17: an address that Google has not verified may be anybody's.
    let visitor = stage.visitor().await;
    visitor.sign_in_with_google("eve@example.org").await;
    visitor.expect_words("error", "not verified").await;
    assert!(!visitor.has_cookie().await);
    assert_eq!(stage.adapter("/get-user-by-email?email=eve@example.org").await, Value::Null);

    // AL-18: the same address is not the same person, until they say so here.
    let visitor = stage.visitor().await;
    visitor.sign_in_with_google("ada@example.org").await;
    visitor.expect_words("error", "link Google").await;
    assert!(!visitor.has_cookie().await);
    visitor.sign_in("ada@example.org").await;
    visitor.press_and_leave("link-google").await;
    visitor.expect_path("/profile").await;
    visitor.expect_words("email", "ada@example.org").await;
    assert_eq!(stage.adapter(&format!("/get-user-by-account/google/{known_there}")).await["id"], ada.as_str());
    visitor.sign_out().await;
    visitor.visit("/signin").await;
    visitor.press("google").await;
    visitor.expect_path("/profile").await;
    assert_eq!(visitor.session().await["user"]["id"], ada.as_str());

    // H3-5, AL-20: an account that is somebody's stays theirs.
    person(&stage.bonafide, "mallory@example.org", "Mallory", &[]).await;
    let mallory = stage.visitor().await;
    mallory.sign_in("mallory@example.org").await;
    mallory.at_google("link-google", "may@example.org").await;
    mallory.expect_words("error", "link Google").await;
    assert_eq!(stage.adapter(&format!("/get-user-by-account/google/{may}")).await["id"], linked["id"]);
}

each_engine!(h3_31_sessions_and_mailed_links_are_kept_by_the_adapter);
/// H3-13, H3-14, H3-29, H3-30, H3-31, AL-24: NextAuth with its sessions at Bonafide: made, prolonged, ended; a mailed token works
/// once.
async fn h3_31_sessions_and_mailed_links_are_kept_by_the_adapter(engine: Engine) {
    let stage = Stage::with_google(engine, &[("SESSIONS", "database")]).await;
    let may = person(stage.google(), "may@example.org", "May 1", &["--verified"]).await;
    let visitor = stage.visitor().await;
    visitor.sign_in_with_google("may@example.org").await;
    visitor.expect_path("/profile").await;
    // The name is a name, whatever a date parser says.
    assert_eq!(visitor.text_of("name").await, "May 1");
    let token = visitor.cookie().await;
    let kept = stage.adapter(&format!("/get-session/{token}")).await;
    assert_eq!(kept["user"]["id"], stage.adapter(&format!("/get-user-by-account/google/{may}")).await["id"]);
    // A visit prolongs it.
    sleep(Duration::from_millis(20)).await;
    assert_eq!(visitor.session().await["user"]["email"], "may@example.org");
    let later = stage.adapter(&format!("/get-session/{token}")).await;
    assert!(later["session"]["expires"].as_str() > kept["session"]["expires"].as_str(), "{later} {kept}");
    visitor.sign_out().await;
    assert_eq!(stage.adapter(&format!("/get-session/{token}")).await, Value::Null);
    assert_eq!(stage.session_of(&token).await, json!({}));

    // By mail, somebody new.
    let grace = stage.visitor().await;
    grace.visit("/signin").await;
    grace.browser.fill("email", "grace@example.org").await;
    grace.press("sign-in").await;
    grace.browser.id("sent").await;
    let output = stage.app.output();
    let link = output.lines().find_map(|line| line.strip_prefix("Sign-in link for grace@example.org: "));
    let link = link.unwrap_or_else(|| panic!("no link in {output}")).to_owned();
    grace.browser.visit(&link).await;
    grace.expect_path("/profile").await;
    grace.expect_words("email", "grace@example.org").await;
    let user = stage.adapter("/get-user-by-email?email=grace@example.org").await;
    assert!(user["emailVerified"].is_string(), "{user}");
    // Once: the second time it is nothing to anybody.
    let eve = stage.visitor().await;
    eve.browser.visit(&link).await;
    eve.expect_words("error", "used already").await;
    assert!(!eve.has_cookie().await);

    // H3-30: what a cookie says is data, not a path. The first would be another call's answer, were it one.
    let id = user["id"].as_str().expect("an id");
    for cookie in
        [format!("../get-user/{id}"), format!("..%2Fget-user%2F{id}"), "%00".to_owned(), "a%2F..%2Fb".to_owned()]
    {
        let session = stage.session_of(&cookie).await;
        assert_eq!(session, json!({}), "{cookie}");
    }
    let output = stage.app.output();
    assert!(!output.contains("SESSION_ERROR"), "{output}");
}

/// H3-4, AP-10: what the browser gets to run knows where to sign in, and neither where Bonafide is nor what proves us to it.
#[test]
fn h3_4_nothing_of_the_servers_is_in_what_the_browser_gets() {
    let scripts: String =
        NextApp::browser_files().iter().map(|file| String::from_utf8_lossy(file).into_owned()).collect();
    assert!(scripts.contains("Continue with Google"), "these are the scripts");
    for secret in
        ["x-auth-secret", "ADAPTER_SECRET", "API_GATEWAY_URL", "NEXTAUTH_SECRET", "GOOGLE_CLIENT", "backendTokens"]
    {
        assert!(!scripts.contains(secret), "{secret}");
    }
}

/// H3-3, H3-4: the adapter's secret is a secret of its own, and without the right one nobody is signed in or made.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn h3_4_ap_08_a_wrong_or_borrowed_adapter_secret_signs_nobody_in() {
    in_time(Box::pin(async {
        let (right, shared) = (random(), random());
        for (secret, variables) in [
            (&right, [("ADAPTER_SECRET", &*random())]),
            // The right one, but it seals NextAuth's cookies too.
            (&shared, [("NEXTAUTH_SECRET", &*shared)]),
        ] {
            let stage = Stage::with(Engine::Sqlite, secret, true, &variables).await;
            person(stage.google(), "may@example.org", "May", &["--verified"]).await;
            person(&stage.bonafide, "ada@example.org", "Ada", &[]).await;
            let visitor = stage.visitor().await;
            visitor.sign_in_with_google("may@example.org").await;
            visitor.expect_words("error", "did not work").await;
            assert!(!visitor.has_cookie().await);
            assert_eq!(stage.adapter("/get-user-by-email?email=may@example.org").await, Value::Null);
            // What needs no secret goes on.
            visitor.sign_in("ada@example.org").await;
        }
    }))
    .await;
}
