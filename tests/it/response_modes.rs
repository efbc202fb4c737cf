//! How an answer reaches the application: query, fragment, or a form that the browser posts (requirements 41, 42, 45; OAuth 2.0
//! Form Post Response Mode; AC-16).

use bonafide::clients::Draft;
use serde_json::{Value, json};

use crate::support::{
    Browser, Callback, Chromium, Engine, Flow, POSTED, Person, TestServer, unique_parameters, web_application,
};

/// What an attacker or a careless application puts into `state`.
const STATE: &str = "a+b c%20d\"><script>alert(1)</script>&amp;=é~._-";

async fn signed_in(server: &TestServer, person: &Person) -> (Flow, Browser) {
    let application = server.application(&Draft { first_party: Some(true), ..web_application() }).await;
    let mut browser = server.browser();
    Flow::new(&application).sign_in(&mut browser, person).await.code();
    (Flow::new(&application).with("state", STATE), browser)
}

both_engines!(c_45_every_mode_carries_the_same);
async fn c_45_every_mode_carries_the_same(server: TestServer) {
    let ada = server.person("ada").await;
    let (flow, mut browser) = signed_in(&server, &ada).await;
    let modes =
        server.get("/.well-known/openid-configuration").await.json::<Value>()["response_modes_supported"].clone();
    assert_eq!(modes, json!(["query", "fragment", "form_post"]));
    for mode in ["", "query", "fragment", "form_post"] {
        let flow = flow.clone().with("response_mode", mode);
        let answer = flow.begin(&mut browser).await;
        let reply = flow.reply(&answer).expect("an answer");
        let mut names: Vec<&str> = reply.parameters.keys().map(String::as_str).collect();
        names.sort_unstable();
        assert_eq!(names, ["code", "iss", "state"], "{mode}: {answer:#?}");
        assert_eq!(reply.parameters["state"], STATE);
        assert_eq!(reply.parameters["iss"], server.issuer());
        flow.exchange(&server.wire(), reply.code()).await.expect_tokens();
        match mode {
            "form_post" => {
                assert_eq!(answer.status, 200);
                assert_eq!(answer.header("cache-control"), "no-store");
                assert!(!answer.headers.contains_key("location"));
                assert!(!answer.body.contains("<script>alert"), "{answer:#?}");
                assert_eq!(answer.element("continue").attribute("type"), Some("submit"));
                let script = answer.elements("script").pop().expect("a script");
                assert_eq!((script.attribute("type"), script.attribute("defer")), (None, Some("")));
                let policy = answer.header("content-security-policy");
                assert!(policy.contains("form-action 'self' https: http://127.0.0.1:9;"), "{policy}");
                assert!(policy.contains("script-src 'self'") && !policy.contains("unsafe-inline"), "{policy}");
            }
            "fragment" => assert!(reply.url.query().is_none() && reply.url.fragment().is_some()),
            _ => assert!(reply.url.query().is_some() && reply.url.fragment().is_none()),
        }
    }
}

both_engines!(c_45_errors_travel_the_same_way);
async fn c_45_errors_travel_the_same_way(server: TestServer) {
    let ada = server.person("ada").await;
    let (flow, mut browser) = signed_in(&server, &ada).await;
    for mode in ["query", "fragment", "form_post"] {
        let flow = flow.clone().with("response_mode", mode).with("prompt", "none login");
        let answer = flow.begin(&mut browser).await;
        let reply = flow.reply(&answer).expect("an answer");
        reply.expect_error(&flow, server.issuer(), "invalid_request");
        assert_eq!(reply.parameters.len(), 4, "error, error_description, state and iss: {reply:#?}");
        assert_eq!(answer.status.is_redirection(), mode != "form_post");
        let flow = Flow::new(&flow.application).with("response_mode", mode).with("prompt", "consent");
        let page = flow.open(&mut browser).await;
        let answer = browser.submit(&page.form("/authorize/consent"), Some("consent-deny"), &[]).await;
        flow.reply(&answer).expect("an answer").expect_error(&flow, server.issuer(), "access_denied");
    }
}

both_engines!(ac_16_unknown_modes_are_refused_by_query);
async fn ac_16_unknown_modes_are_refused_by_query(server: TestServer) {
    let ada = server.person("ada").await;
    let (flow, mut browser) = signed_in(&server, &ada).await;
    for mode in ["web_message", "query.jwt", "jwt", "FORM_POST", "form_post query", "none"] {
        let flow = flow.clone().with("response_mode", mode);
        let answer = flow.begin(&mut browser).await;
        flow.reply(&answer).expect("an answer").expect_error(&flow, server.issuer(), "invalid_request");
    }
    // Without a proven redirect URI there is no answer, in no mode.
    let lost = flow.clone().with("response_mode", "form_post").with("redirect_uri", "https://evil.example/cb");
    lost.begin(&mut browser).await.expect_error_page();
}

both_engines!(a_query_of_the_redirect_uri_stays);
/// Requirement 36.
async fn a_query_of_the_redirect_uri_stays(server: TestServer) {
    let ada = server.person("ada").await;
    let uri = "https://app.example/cb?bar=foo";
    let draft = Draft { first_party: Some(true), redirect_uris: Some(vec![uri.to_owned()]), ..web_application() };
    let application = server.application(&draft).await;
    let mut browser = server.browser();
    Flow::new(&application).sign_in(&mut browser, &ada).await.code();
    for (mode, begins) in
        [("query", "https://app.example/cb?bar=foo&code="), ("fragment", "https://app.example/cb?bar=foo#code=")]
    {
        let answer = Flow::new(&application).with("response_mode", mode).begin(&mut browser).await;
        assert!(answer.header("location").starts_with(begins), "{answer:#?}");
    }
    let flow = Flow::new(&application).with("response_mode", "form_post");
    let answer = flow.begin(&mut browser).await;
    assert_eq!(answer.forms().remove(0).action, uri);
}

/// In a real browser: by the script, and by the button where scripts are off.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn c_45_browsers_post_the_answer() {
    let server = TestServer::start(Engine::Sqlite).await;
    let (ada, callback) = (server.person("ada").await, Callback::listen().await);
    let redirect_uris = Some(vec![callback.uri.clone()]);
    let draft = Draft { first_party: Some(true), redirect_uris, ..web_application() };
    let application = server.application(&draft).await;
    let flow = Flow::new(&application).with("response_mode", "form_post").with("state", STATE);
    for scripts in [true, false] {
        let browser = Chromium::open(900, 900).await;
        if !scripts {
            browser.disable_scripts().await;
        }
        browser.visit(&format!("{}{}", server.issuer(), flow.path())).await;
        browser.fill("username", &ada.username).await;
        browser.fill("password", &ada.password).await;
        browser.click("sign-in").await;
        if !scripts {
            browser.id("continue").await;
            browser.screenshot("form-post").await;
            browser.click("continue").await;
        }
        let url = callback.next().await;
        assert_eq!(url.fragment(), Some(POSTED), "{url}");
        let parameters = unique_parameters(&url);
        assert_eq!((&*parameters["state"], &*parameters["iss"]), (STATE, server.issuer()));
        flow.exchange(&server.wire(), &parameters["code"]).await.expect_tokens();
    }
}
