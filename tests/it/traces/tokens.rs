//! The token endpoint, and those that take tokens.

use bonafide::clients::Draft;
use serde_json::json;

use super::{apply, expect, operator};
use crate::support::{
    ClientAuth, Flow, TestServer,
    made::{self, SignedIn, but, draft, service},
};

both_engines!(a_client_that_cannot_prove_itself_is_told_how with crate::traces::MANY);
async fn a_client_that_cannot_prove_itself_is_told_how(server: TestServer) {
    let operator = operator(&server).await;
    let client = made::client(&server, service()).await;
    let wire = server.wire();
    let fields = [("grant_type", "client_credentials")];
    let ask = async |client: &crate::support::Application| {
        client.post(wire.call(reqwest::Method::POST, "/token"), &fields).await
    };
    ask(&client).await.expect_status(200);

    let answer =
        ask(&client.with_auth(ClientAuth::Basic("another".to_owned()))).await.expect_error(401, "invalid_client");
    let remedy = expect(&server, &operator, &answer, "client_secret_right", "rotate-secret").await;
    let command = format!("{} --quiet", remedy.split_once("lost: ").expect("a command").1);
    let secret = apply(&server, &command, &[], "").await;
    let client = client.with_auth(ClientAuth::Post(secret));
    ask(&client).await.expect_status(200);

    let answer = ask(&client.with_auth(ClientAuth::None)).await.expect_error(401, "invalid_client");
    expect(&server, &operator, &answer, "client_secret_shown", "as client_secret").await;
    let answer = server.post("/token", &fields).await.expect_error(401, "invalid_client");
    expect(&server, &operator, &answer, "client_named", "Send client_id").await;
    let unknown = crate::support::Application { id: "nobody".to_owned(), ..client.clone() };
    let answer = ask(&unknown).await.expect_error(401, "invalid_client");
    let trace = super::trace(&server, &operator, &answer).await;
    assert_eq!((&trace["decided"]["rule"], &trace["asked"]["client"]), (&json!("client_registered"), &json!("nobody")));
    let twice = wire.call(reqwest::Method::POST, "/token").basic(&client.id, client.secret());
    let answer = client.post(twice, &fields).await.expect_error(400, "invalid_request");
    expect(&server, &operator, &answer, "client_auth_one_way", "one way").await;

    // What the client may not do, it may when it is told so.
    let web = made::client(&server, draft()).await;
    let answer = ask(&web).await.expect_error(400, "unauthorized_client");
    let remedy = expect(&server, &operator, &answer, "grant_allowed", "--grant client_credentials").await;
    apply(&server, &remedy, &[], "").await;
    ask(&web).await.expect_status(200);
    let odd = but(&fields, "grant_type", "password");
    let answer = client.post(wire.call(reqwest::Method::POST, "/token"), &odd).await;
    expect(&server, &operator, &answer.expect_error(400, "unsupported_grant_type"), "grant_known", "grant_type").await;
    let scoped = [fields[0], ("scope", "roles")];
    let answer = client.post(wire.call(reqwest::Method::POST, "/token"), &scoped).await;
    let remedy =
        expect(&server, &operator, &answer.expect_error(400, "invalid_scope"), "scope_allowed", "--scope roles").await;
    apply(&server, &remedy, &[], "").await;
    client.post(wire.call(reqwest::Method::POST, "/token"), &scoped).await.expect_status(200);
}

both_engines!(a_code_that_is_not_taken_says_what_is_wrong_with_it with crate::traces::MANY);
async fn a_code_that_is_not_taken_says_what_is_wrong_with_it(server: TestServer) {
    let operator = operator(&server).await;
    let mut signed = SignedIn::new(&server).await;
    let other = made::client(&server, draft()).await;
    let (flow, wire) = (signed.flow.clone(), server.wire());
    let code = |answer: &crate::support::Answer| flow.reply(answer).expect("a reply").code().to_owned();
    let given = code(&flow.begin(&mut signed.browser).await);
    let fields = made::exchange(&flow, &given);
    let refused = async |fields: &[(&str, &str)], rule: &str, words: &str| {
        let answer = flow.token(&wire, fields).await.0.expect_error(400, "invalid_grant");
        expect(&server, &operator, &answer, rule, words).await
    };
    refused(&but(&fields, "code", "bfc_unknown"), "code_known", "/authorize again").await;
    refused(
        &but(&fields, "redirect_uri", "https://shop.example/"),
        "code_redirect_uri",
        &flow.application.redirect_uri,
    )
    .await;
    refused(&but(&fields, "code_verifier", &"v".repeat(43)), "verifier_right", "code_verifier").await;
    refused(&made::without(&fields, "code_verifier"), "verifier_right", "code_verifier").await;
    refused(&but(&fields, "code_verifier", "short"), "verifier_readable", "32 random bytes").await;
    let answer = other.post(wire.call(reqwest::Method::POST, "/token"), &fields).await;
    expect(&server, &operator, &answer.expect_error(400, "invalid_grant"), "code_of_client", &flow.application.id)
        .await;
    // All of these left the code alone: put right, it is good.
    flow.token(&wire, &fields).await.expect_tokens();
    refused(&fields, "code_unused", "once").await;

    let late = code(&flow.begin(&mut signed.browser).await);
    server.advance_seconds(601);
    let operator = super::login_again(&server).await;
    let answer = flow.exchange(&wire, &late).await.0.expect_error(400, "invalid_grant");
    expect(&server, &operator, &answer, "code_alive", "at once").await;
    let fresh = code(&flow.begin(&mut signed.browser).await);
    flow.exchange(&wire, &fresh).await.expect_tokens();

    let ended = code(&flow.begin(&mut signed.browser).await);
    signed.sign_out().await;
    let answer = flow.exchange(&wire, &ended).await.0.expect_error(400, "invalid_grant");
    expect(&server, &operator, &answer, "grant_session", "signs in again").await;
    let reply = flow.sign_in(&mut signed.browser, &signed.person).await;
    flow.exchange(&wire, reply.code()).await.expect_tokens();
}

both_engines!(a_refresh_token_that_is_not_taken_says_what_is_wrong_with_it with crate::traces::MANY);
async fn a_refresh_token_that_is_not_taken_says_what_is_wrong_with_it(server: TestServer) {
    let operator = operator(&server).await;
    let plain = Draft { refresh_grace: Some("0s".to_owned()), ..draft() };
    let signed = SignedIn::with(&server, plain, |flow| flow).await;
    let (flow, wire) = (&signed.flow, server.wire());
    let first = signed.tokens.refresh_token();
    let answer = signed.refresh("bfr_unknown").await.0.expect_error(400, "invalid_grant");
    expect(&server, &operator, &answer, "refresh_known", "/authorize again").await;
    let wider = [("grant_type", "refresh_token"), ("refresh_token", first.as_str()), ("scope", "openid address")];
    let answer = flow.token(&wire, &wider).await.0.expect_error(400, "invalid_scope");
    expect(&server, &operator, &answer, "scope_narrow", "Leave scope out").await;
    let other = made::client(&server, draft()).await;
    let answer = Flow::new(&other).refresh(&wire, &first).await.0.expect_error(400, "invalid_grant");
    expect(&server, &operator, &answer, "refresh_of_client", &flow.application.id).await;
    let second = signed.refreshed(&first).await.refresh_token();

    let answer = signed.refresh(&first).await.0.expect_error(400, "invalid_grant");
    let remedy = expect(&server, &operator, &answer, "refresh_current", "--refresh-grace 30s").await;
    let answer = signed.refresh(&second).await.0.expect_error(400, "invalid_grant");
    expect(&server, &operator, &answer, "grant_alive", "/authorize again").await;
    // With the grace that is named, the application may lose an answer.
    apply(&server, remedy.split_once("grace: ").expect("a command").1, &[], "").await;
    let mut browser = signed.browser.clone();
    let tokens = flow.tokens(&wire, &mut browser, &signed.person).await;
    signed.refreshed(&tokens.refresh_token()).await;
    signed.refreshed(&tokens.refresh_token()).await;
}

both_engines!(an_access_token_that_is_not_taken_says_why with crate::traces::MANY);
async fn an_access_token_that_is_not_taken_says_why(server: TestServer) {
    let operator = operator(&server).await;
    let signed = SignedIn::new(&server).await;
    let wire = server.wire();
    let answer = server.get("/userinfo").await.expect_status(401);
    expect(&server, &operator, &answer, "credential_shown", "Bearer TOKEN").await;
    let answer = made::userinfo(&wire, "odd").await.expect_error(401, "invalid_token");
    expect(&server, &operator, &answer, "token_alive", "/authorize").await;
    let own = made::client(&server, service()).await;
    let tokens = own.post(wire.call(reqwest::Method::POST, "/token"), &[("grant_type", "client_credentials")]).await;
    let token = tokens.json::<serde_json::Value>()["access_token"].as_str().expect("a token").to_owned();
    let answer = made::userinfo(&wire, &token).await.expect_error(403, "insufficient_scope");
    expect(&server, &operator, &answer, "token_scope", "openid").await;
    made::userinfo(&wire, &signed.tokens.access_token()).await.expect_status(200);

    server.advance_seconds(1000);
    let answer = made::userinfo(&wire, &signed.tokens.access_token()).await.expect_error(401, "invalid_token");
    let operator = super::login_again(&server).await;
    let said = super::trace(&server, &operator, &answer).await;
    assert!(said["decided"]["given"].as_str().is_some_and(|given| given.contains("expired")), "{said:#}");
    let fresh = signed.refreshed(&signed.tokens.refresh_token()).await;
    made::userinfo(&wire, &fresh.access_token()).await.expect_status(200);

    let public = made::client(&server, made::public()).await;
    let answer = made::introspect(&wire, &public, "x").await.expect_error(401, "invalid_client");
    let remedy = expect(&server, &operator, &answer, "client_confidential", "--auth-method").await;
    let command = remedy.split_once("a secret: ").expect("a command").1;
    let printed = apply(&server, &format!("{command} --json"), &[], "").await;
    let printed: serde_json::Value = serde_json::from_str(&printed).expect("JSON");
    let secret = printed["client_secret"].as_str().expect("a secret").to_owned();
    made::introspect(&wire, &public.with_auth(ClientAuth::Basic(secret)), "x").await.expect_status(200);
    let answer = own.post(wire.call(reqwest::Method::POST, "/revoke"), &[]).await.expect_error(400, "invalid_request");
    expect(&server, &operator, &answer, "credential_shown", "Send token").await;
    made::revoke(&wire, &own, "x").await;
}
