//! Authorization requests.

use serde_json::json;

use super::{apply, expect, operator};
use crate::support::{
    Answer, Browser, Flow, TestServer,
    made::{self, SignedIn, draft},
};

/// Whether the request passed: on to a page, or back with a code.
#[track_caller]
fn expect_passed(answer: &Answer) {
    assert_eq!(answer.status.as_u16(), 303, "{answer:#?}");
    let parameters = answer.location_parameters();
    assert!(!parameters.contains_key("error"), "{answer:#?}");
}

async fn ask(server: &TestServer, flow: &Flow) -> Answer {
    flow.begin(&mut server.browser()).await
}

both_engines!(a_request_says_which_client_setting_it_lacks with crate::traces::MANY);
async fn a_request_says_which_client_setting_it_lacks(server: TestServer) {
    let operator = operator(&server).await;
    let client = made::client(&server, draft()).await;
    let flow = Flow::new(&client);
    expect_passed(&ask(&server, &flow).await);

    let unknown = flow.clone().with("client_id", "shop");
    let answer = ask(&server, &unknown).await.expect_status(400);
    let remedy = expect(&server, &operator, &answer, "client_registered", "client create --id shop").await;
    let command = remedy.split_once(": ").expect("a command").1;
    apply(&server, command, &[("NAME", "Shop"), (" URI", &format!(" {}", client.redirect_uri))], "").await;
    expect_passed(&ask(&server, &unknown).await);

    made::disable_client(&server, &client.id).await;
    let answer = ask(&server, &flow).await.expect_status(400);
    let remedy = expect(&server, &operator, &answer, "client_enabled", "client enable").await;
    apply(&server, &remedy, &[], "").await;
    expect_passed(&ask(&server, &flow).await);

    // The one that was registered before stays.
    let other = flow.clone().with("redirect_uri", "https://shop.example/it's?a=1&b=$x");
    let answer = ask(&server, &other).await.expect_status(400);
    let remedy = expect(&server, &operator, &answer, "redirect_uri_registered", "--redirect-uri").await;
    apply(&server, &remedy, &[], "").await;
    expect_passed(&ask(&server, &other).await);
    expect_passed(&ask(&server, &flow).await);
    let never = flow.clone().with("redirect_uri", "http://shop.example/");
    let answer = ask(&server, &never).await.expect_status(400);
    expect(&server, &operator, &answer, "redirect_uri_registered", "cannot be registered").await;

    let plain = flow.clone().without("code_challenge").without("code_challenge_method");
    let answer = ask(&server, &plain).await;
    let remedy = expect(&server, &operator, &answer, "challenge_shown", "--pkce optional").await;
    apply(&server, remedy.split_once("or: ").expect("a command").1, &[], "").await;
    expect_passed(&ask(&server, &plain).await);

    let more = flow.clone().with("scope", "openid roles");
    let answer = ask(&server, &more).await;
    let remedy = expect(&server, &operator, &answer, "scope_allowed", "--scope roles").await;
    apply(&server, &remedy, &[], "").await;
    expect_passed(&ask(&server, &more).await);
    expect_passed(&ask(&server, &flow).await);

    let api = flow.clone().with("resource", "https://api.example");
    let answer = ask(&server, &api).await;
    let remedy = expect(&server, &operator, &answer, "resource_registered", "api create").await;
    apply(&server, &remedy, &[], "").await;
    expect_passed(&ask(&server, &api).await);
}

both_engines!(a_request_says_which_parameter_is_wrong with crate::traces::MANY);
async fn a_request_says_which_parameter_is_wrong(server: TestServer) {
    let operator = operator(&server).await;
    let client = made::client(&server, draft()).await;
    let flow = Flow::new(&client);
    // What is wrong, the rule, words of the remedy, and the request put right.
    let cases: [(Flow, &str, &str, Flow); 12] = [
        (flow.clone().without("client_id"), "client_named", "Send client_id", flow.clone()),
        (flow.clone().without("redirect_uri"), "redirect_uri_named", &client.redirect_uri, flow.clone()),
        (flow.clone().with("response_type", "token"), "response_type_known", "response_type=code", flow.clone()),
        (
            flow.clone().with("response_mode", "odd"),
            "response_mode_known",
            "response_mode",
            flow.clone().with("response_mode", "query"),
        ),
        (flow.clone().and("nonce", "again"), "parameters_single", "once", flow.clone()),
        (flow.clone().with("request", "x.y.z"), "request_object_absent", "parameters of the request", flow.clone()),
        (
            flow.clone().with("state", &"s".repeat(5000)),
            "values_short",
            "short random",
            flow.clone().with("state", "short"),
        ),
        (flow.clone().with("code_challenge_method", "plain"), "challenge_readable", "S256", flow.clone()),
        (
            flow.clone().with("prompt", "none login"),
            "prompt_readable",
            "prompt=none alone",
            flow.clone().with("prompt", "login"),
        ),
        (flow.clone().with("max_age", "soon"), "max_age_readable", "whole number", flow.clone().with("max_age", "60")),
        (flow.clone().with("id_token_hint", "odd"), "hint_readable", "leave id_token_hint out", flow.clone()),
        (flow.clone().with("claims", "odd"), "claims_readable", "leave it out", flow.clone()),
    ];
    for (wrong, rule, words, right) in cases {
        let answer = ask(&server, &wrong).await;
        expect(&server, &operator, &answer, rule, words).await;
        expect_passed(&ask(&server, &right).await);
    }
}

both_engines!(a_session_or_a_consent_that_is_missing_is_named with crate::traces::MANY);
async fn a_session_or_a_consent_that_is_missing_is_named(server: TestServer) {
    let operator = operator(&server).await;
    let mut signed = SignedIn::new(&server).await;
    let silent = signed.flow.clone().with("prompt", "none");
    let code = async |flow: &Flow, browser: &mut Browser| {
        let answer = flow.begin(browser).await;
        flow.reply(&answer).expect("back at the application").code().to_owned()
    };
    code(&silent, &mut signed.browser).await;

    // Nobody is signed in; whoever signs in passes afterwards.
    let answer = ask(&server, &silent).await;
    expect(&server, &operator, &answer, "session_alive", "without prompt=none").await;
    let mut other = server.browser();
    signed.flow.sign_in(&mut other, &signed.person).await;
    code(&silent, &mut other).await;

    server.advance_seconds(100);
    let fresh = silent.clone().with("max_age", "10");
    let answer = fresh.begin(&mut signed.browser).await;
    expect(&server, &operator, &answer, "session_fresh", "longer max_age").await;
    code(&fresh.clone().with("max_age", "1000"), &mut signed.browser).await;

    let claims = json!({"id_token": {"acr": {"essential": true, "values": ["gold"]}}}).to_string();
    let answer = silent.clone().with("claims", &claims).begin(&mut signed.browser).await;
    expect(&server, &operator, &answer, "acr_met", "voluntary").await;
    let claims = json!({"id_token": {"acr": {"values": ["gold"]}}}).to_string();
    code(&silent.clone().with("claims", &claims), &mut signed.browser).await;

    let new = made::client(&server, draft()).await;
    let asking = Flow::new(&new).with("prompt", "none");
    let answer = asking.begin(&mut signed.browser).await;
    let remedy = expect(&server, &operator, &answer, "consent_given", "--first-party").await;
    let command = remedy.split_once("no consent: ").expect("a command").1;
    apply(&server, command, &[], "").await;
    code(&asking, &mut signed.browser).await;

    // Cancelled by the person, and then allowed.
    let denied = Flow::new(&made::client(&server, draft()).await);
    let page = denied.open(&mut signed.browser).await.expect_status(200);
    let form = page.form("/authorize/consent");
    let answer = signed.browser.submit(&form, Some("consent-deny"), &[]).await;
    expect(&server, &operator, &answer, "consent_given", "allow it").await;
    denied.sign_in(&mut signed.browser, &signed.person).await.code();
}

both_engines!(pages_say_which_form_or_password_was_wrong with crate::traces::MANY);
async fn pages_say_which_form_or_password_was_wrong(server: TestServer) {
    let operator = operator(&server).await;
    let ada = server.person("ada").await;
    let mut browser = server.browser();
    let form = browser.get("/sign-in").await.expect_status(200).form("/sign-in");
    let typed = |password| [("username", "ada"), ("password", password)];
    let answer = browser.submit(&form, Some("sign-in"), &typed("another violin 42")).await.expect_status(422);
    expect(&server, &operator, &answer, "password_right", &ada.id).await;

    let forged = [("username", "ada"), ("password", ada.password.as_str()), ("csrf", "odd")];
    let answer = browser.post("/sign-in", &forged).await.expect_status(403);
    expect(&server, &operator, &answer, "form_ours", "Open the page again").await;
    let call =
        browser.call(reqwest::Method::POST, "/sign-in").header("sec-fetch-site", "cross-site").form(&form.fields);
    let answer = browser.send(call).await.expect_status(403);
    expect(&server, &operator, &answer, "form_ours", "from there").await;
    let answer = browser.submit(&form, Some("sign-in"), &[("username", "ada")]).await.expect_status(422);
    expect(&server, &operator, &answer, "form_complete", "named").await;
    browser.submit(&form, Some("sign-in"), &typed(&ada.password)).await.expect_status(303);

    // A sign-in goes on where it began, and not for ever.
    let flow = Flow::new(&made::client(&server, draft()).await);
    let mut here = server.browser();
    let page = flow.begin(&mut here).await.location();
    let answer = server.browser().get(page.as_str()).await.expect_status(400);
    expect(&server, &operator, &answer, "flow_ours", "Begin again").await;
    here.get(page.as_str()).await.expect_status(200);
    server.advance(chrono::Duration::days(1));
    let answer = here.get(page.as_str()).await.expect_status(400);
    let operator = super::login_again(&server).await;
    expect(&server, &operator, &answer, "flow_alive", "sessions.interaction_lifetime").await;
    let again = flow.open(&mut here).await;
    again.expect_status(200).form("/sign-in");
}
