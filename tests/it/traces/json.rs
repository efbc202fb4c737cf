//! The JSON API: signing in, and who may call.

use reqwest::Method;
use serde_json::json;

use super::{apply, expect, operator};
use crate::{
    api_accounts::{get, login, post, text},
    support::{
        TestServer,
        made::{self, SignedIn, draft},
    },
};

both_engines!(a_sign_in_says_to_operators_which_it_was with crate::traces::MANY);
/// Whoever signs in hears one answer; operators hear which it was.
async fn a_sign_in_says_to_operators_which_it_was(server: TestServer) {
    let operator = operator(&server).await;
    let (ada, password) = (server.person("ada").await, "walnut orchestra 17");
    let sign_in = async |name: &str, password: &str| {
        post(&server, "/auth/signin", &json!({"username": name, "password": password})).await
    };
    let answer = sign_in("grace@example.org", password).await.expect_status(400);
    let remedy = expect(&server, &operator, &answer, "account_known", "user create").await;
    let command = remedy.split_once("make one: ").expect("a command").1;
    apply(&server, command, &[("ADDRESS", "grace@example.org")], password).await;
    sign_in("grace@example.org", password).await.expect_status(200);

    let answer = sign_in("ada", password).await.expect_status(400);
    let remedy = expect(&server, &operator, &answer, "password_right", "user set-password").await;
    apply(&server, remedy.split_once(", or").expect("a command").0, &[], password).await;
    sign_in("ada", password).await.expect_status(200);

    apply(&server, &format!("bonafide user disable {}", ada.id), &[], "").await;
    let answer = sign_in("ada", password).await.expect_status(400);
    let remedy = expect(&server, &operator, &answer, "account_enabled", "user enable").await;
    apply(&server, &remedy, &[], "").await;
    sign_in("ada", password).await.expect_status(200);

    let answer = post(&server, "/auth/signin", &json!({"username": "ada"})).await.expect_status(400);
    expect(&server, &operator, &answer, "form_complete", "fields").await;
    let plain = server.call(Method::POST, "/auth/signin").body("text/plain", "{}").send().await.expect_status(400);
    expect(&server, &operator, &plain, "body_readable", "application/json").await;
}

both_engines!(an_unverified_address_is_named with [
    ("accounts.require_verified_email", "true"), ("limits.enabled", "false")]);
async fn an_unverified_address_is_named(server: TestServer) {
    let operator = operator(&server).await;
    let password = "walnut orchestra 17";
    apply(&server, "bonafide user create --email grace@example.org --password-stdin", &[], password).await;
    let body = json!({"username": "grace@example.org", "password": password});
    let answer = post(&server, "/auth/signin", &body).await.expect_status(400);
    let remedy = expect(&server, &operator, &answer, "address_verified", "--verified").await;
    let command = remedy.split_once("or: ").expect("a command").1;
    apply(&server, command.split_once(", or").expect("a command").0, &[], "").await;
    post(&server, "/auth/signin", &body).await.expect_status(200);
}

both_engines!(a_limit_is_named_with_the_time_to_wait);
async fn a_limit_is_named_with_the_time_to_wait(server: TestServer) {
    let operator = operator(&server).await;
    let ada = server.person("ada").await;
    let body = |password: &str| json!({"username": "ada", "password": password});
    for _ in 0..5 {
        post(&server, "/auth/signin", &body("another violin 42")).await.expect_status(400);
    }
    let answer = post(&server, "/auth/signin", &body(&ada.password)).await.expect_status(400);
    let remedy = expect(&server, &operator, &answer, "attempts_left", "limits.account_failures").await;
    let seconds = remedy.split(' ').nth(1).and_then(|word| word.parse().ok()).expect("seconds");
    server.advance_seconds(seconds);
    post(&server, "/auth/signin", &body(&ada.password)).await.expect_status(200);
}

both_engines!(a_throttled_request_is_named with [("limits.requests_at_once", "8"), ("limits.requests_a_second", "1")]);
async fn a_throttled_request_is_named(server: TestServer) {
    let operator = operator(&server).await;
    let mut answers = Vec::new();
    for _ in 0..12 {
        answers.push(server.get("/jwks").await);
    }
    let refused = answers.iter().find(|answer| answer.status.as_u16() == 429).expect("one too many");
    server.advance_seconds(60);
    let remedy = expect(&server, &operator, refused, "request_rate", "Wait").await;
    assert!(remedy.contains("limits.requests_at_once"), "{remedy}");
    server.get("/jwks").await.expect_status(200);
}

both_engines!(the_guard_names_the_permission_and_who_lacks_it with crate::traces::MANY);
async fn the_guard_names_the_permission_and_who_lacks_it(server: TestServer) {
    let operator = operator(&server).await;
    let ada = server.person("ada").await;
    let token = text(&login(&server, &ada).await, "accessToken").to_owned();
    for (path, status) in [("/roles", 403), ("/traces/000000000000", 403)] {
        let answer = get(&server, path, &token).await.expect_status(status);
        let trace = super::trace(&server, &operator, &answer).await;
        assert!(text(&trace["decided"], "given").contains(&ada.id), "{trace:#}");
    }
    let answer = get(&server, "/roles", &token).await.expect_status(403);
    let remedy = expect(&server, &operator, &answer, "permission_held", "--permission roles:read").await;
    let commands = remedy.split_once(" (").expect("commands").0;
    for command in commands.split("; ") {
        apply(&server, command, &[("NAME", "reader")], "").await;
    }
    get(&server, "/roles", &token).await.expect_status(200);

    let answer = get(&server, &format!("/auth/{}", server.person("eve").await.id), &token).await.expect_status(404);
    expect(&server, &operator, &answer, "permission_held", "users:read").await;
    let answer = server.get("/auth/me").await.expect_status(401);
    expect(&server, &operator, &answer, "credential_shown", "Bearer TOKEN").await;
    let answer = get(&server, "/auth/me", "odd").await.expect_status(401);
    expect(&server, &operator, &answer, "token_alive", "new one").await;
    let answer = server.call(Method::POST, "/user/admin/register").bearer(&token).json(&json!({})).send().await;
    expect(&server, &operator, &answer.expect_status(403), "administrator", "role assign admin").await;
    let answer = get(&server, "/roles/nobody", &token).await.expect_status(404);
    expect(&server, &operator, &answer, "known", "lists").await;

    let application = made::client(&server, draft()).await;
    let flow = crate::support::Flow::new(&application).with("scope", "openid profile");
    let signed = SignedIn::at(&server, flow.clone(), ada).await;
    let answer = get(&server, "/auth/me", &signed.tokens.access_token()).await.expect_status(403);
    let remedy = expect(&server, &operator, &answer, "client_of_house", "--first-party").await;
    apply(&server, remedy.split_once("; then").expect("a command").0, &[], "").await;
    let flow = flow.with("scope", "openid account");
    let signed = SignedIn::at(&server, flow, signed.person).await;
    get(&server, "/auth/me", &signed.tokens.access_token()).await.expect_status(200);
}
