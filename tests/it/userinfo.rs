//! Userinfo: what a live access token with the scope `openid` reads, and what every other one gets.

use std::collections::BTreeSet;

use bonafide::clients::ApiDraft;
use reqwest::Method;
use serde_json::Value;

use crate::support::{
    Answer, Flow, TestServer, Tokens,
    made::{self, SignedIn},
};

fn members(answer: &Answer) -> BTreeSet<String> {
    answer.json::<serde_json::Map<String, Value>>().into_iter().map(|(name, _)| name).collect()
}

both_engines!(scopes_give_their_claims_and_no_others);
async fn scopes_give_their_claims_and_no_others(server: TestServer) {
    let person = made::person(&server, "ada").await;
    let application = made::client(&server, made::draft()).await;
    for (scope, claims) in [
        ("openid", &["sub"][..]),
        ("openid profile", &["sub", "name", "preferred_username", "updated_at"]),
        ("openid email", &["sub", "email", "email_verified"]),
        ("openid offline_access", &["sub"]),
    ] {
        let flow = Flow::new(&application).with("scope", scope);
        let signed_in = SignedIn::at(&server, flow, person.clone()).await;
        let answer = made::userinfo(&server.wire(), &signed_in.tokens.access_token()).await.expect_status(200);
        assert_eq!(members(&answer), claims.iter().map(|claim| (*claim).to_owned()).collect(), "{scope}");
        assert_eq!(answer.header("content-type"), "application/json");
    }
    let signed_in = SignedIn::at(&server, Flow::new(&application), person.clone()).await;
    let claims: Value = made::userinfo(&server.wire(), &signed_in.tokens.access_token()).await.json();
    assert_eq!(claims["sub"], person.id);
    assert_eq!(claims["sub"], Tokens::claims(&signed_in.tokens.id_token())["sub"]);
    assert_eq!(claims["name"], person.name);
    assert_eq!(claims["preferred_username"], person.username);
    assert_eq!(claims["email"], person.email);
    assert_eq!(claims["email_verified"], true);
    assert_eq!(claims["updated_at"], server.now().timestamp());
}

both_engines!(what_is_not_known_is_left_out);
/// Never null, never empty (note 16 of the survey).
async fn what_is_not_known_is_left_out(server: TestServer) {
    use sea_orm::ConnectionTrait as _;
    let signed_in = SignedIn::new(&server).await;
    let forget = "UPDATE users SET name = NULL, email = NULL, email_canonical = NULL, email_verified_at = NULL";
    server.database().await.execute_unprepared(forget).await.unwrap();
    let answer = made::userinfo(&server.wire(), &signed_in.tokens.access_token()).await.expect_status(200);
    let expected = ["sub", "preferred_username", "updated_at"].map(str::to_owned);
    assert_eq!(members(&answer), expected.into());
}

both_engines!(the_token_comes_in_the_header_or_in_a_form);
/// Requirements 5, 89.
async fn the_token_comes_in_the_header_or_in_a_form(server: TestServer) {
    let signed_in = SignedIn::new(&server).await;
    let token = signed_in.tokens.access_token();
    let get = made::userinfo(&server.wire(), &token).await.expect_status(200);
    let post = server.call(Method::POST, "/userinfo").bearer(&token).send().await.expect_status(200);
    let form = server.post("/userinfo", &[("access_token", &token)]).await.expect_status(200);
    let other = [("unknown", "x")];
    let beside = server.call(Method::POST, "/userinfo").bearer(&token).form(&other).send().await.expect_status(200);
    for scheme in ["bearer", "BEARER"] {
        let call = server.call(Method::GET, "/userinfo").header("authorization", format!("{scheme} {token}"));
        assert_eq!(call.send().await.expect_status(200).body, get.body);
    }
    for answer in [&post, &form, &beside] {
        assert_eq!(answer.body, get.body);
    }
    for answer in [get, post, form, beside] {
        assert_eq!(answer.header("cache-control"), "no-store", "IR-08");
    }
}

both_engines!(ir_06_no_token_is_no_error);
/// RFC 6750 §3.1: who sent nothing hears no error code.
/// Requirement 92.
async fn ir_06_no_token_is_no_error(server: TestServer) {
    let signed_in = SignedIn::new(&server).await;
    let token = signed_in.tokens.access_token();
    let mut answers = vec![server.get("/userinfo").await, server.post("/userinfo", &[]).await];
    // A token in a URL is in every log on its way.
    answers.push(server.get(&format!("/userinfo?access_token={token}")).await);
    answers.push(server.post(&format!("/userinfo?access_token={token}"), &[("x", "y")]).await);
    for answer in answers {
        let answer = answer.expect_status(401);
        assert_eq!(answer.header("www-authenticate"), "Bearer", "{answer:#?}");
        assert_eq!(answer.header("cache-control"), "no-store", "IR-08");
        // The reference is made by chance, and may have any letters.
        let said = answer.body.replace(answer.header("x-request-id"), "");
        assert!(!said.contains("ada") && !said.contains(&signed_in.person.id), "{answer:#?}");
    }
}

both_engines!(ir_06_two_ways_are_one_too_many);
async fn ir_06_two_ways_are_one_too_many(server: TestServer) {
    let signed_in = SignedIn::new(&server).await;
    let token = signed_in.tokens.access_token();
    let both = server.call(Method::POST, "/userinfo").bearer(&token).form(&[("access_token", &token)]);
    both.send().await.expect_error(400, "invalid_request");
    let twice = [("access_token", token.as_str()), ("access_token", &token)];
    server.post("/userinfo", &twice).await.expect_error(400, "invalid_request");
    let headers = server.call(Method::GET, "/userinfo").bearer(&token).bearer(&token);
    headers.send().await.expect_error(400, "invalid_request");
    let json = server.call(Method::POST, "/userinfo").json(&serde_json::json!({"access_token": token}));
    json.send().await.expect_error(400, "invalid_request");
}

both_engines!(tj_22_a_header_that_is_none_is_refused);
async fn tj_22_a_header_that_is_none_is_refused(server: TestServer) {
    let signed_in = SignedIn::new(&server).await;
    let token = signed_in.tokens.access_token();
    for header in [
        format!("Bearer  {token}"),
        format!("Bearer\t{token}"),
        format!("Bearer {token}, Bearer {token}"),
        format!("Bearer {token} x"),
        format!("Bearer \"{token}\""),
        format!("Token {token}"),
        format!("DPoP {token}"),
        token.clone(),
        "Bearer".to_owned(),
        "Basic YTpi".to_owned(),
    ] {
        let answer = server.call(Method::GET, "/userinfo").header("authorization", &header).send().await;
        assert!(matches!(answer.status.as_u16(), 400 | 401), "{header}: {answer:#?}");
        assert!(answer.header("www-authenticate").starts_with("Bearer"), "{header}: {answer:#?}");
    }
}

both_engines!(ir_06_a_token_without_openid_is_not_enough);
async fn ir_06_a_token_without_openid_is_not_enough(server: TestServer) {
    let signed_in = SignedIn::with(&server, made::draft(), |flow| flow.with("scope", "profile email")).await;
    let answer = made::userinfo(&server.wire(), &signed_in.tokens.access_token()).await;
    let answer = answer.expect_error(403, "insufficient_scope");
    assert!(answer.header("www-authenticate").contains("error=\"insufficient_scope\""), "{answer:#?}");

    let service = made::client(&server, made::service()).await;
    let fields = [("grant_type", "client_credentials")];
    let answer = service.post(server.call(Method::POST, "/token"), &fields).await.expect_status(200);
    let token = Tokens(answer).access_token();
    made::userinfo(&server.wire(), &token).await.expect_error(403, "insufficient_scope");
}

both_engines!(ir_06_other_secrets_are_no_access_tokens);
async fn ir_06_other_secrets_are_no_access_tokens(server: TestServer) {
    let signed_in = SignedIn::new(&server).await;
    let tokens = &signed_in.tokens;
    for other in [tokens.refresh_token(), tokens.id_token(), "x".to_owned(), "..".to_owned(), "=".to_owned()] {
        let answer = made::userinfo(&server.wire(), &other).await.expect_error(401, "invalid_token");
        assert!(answer.header("www-authenticate").contains("error=\"invalid_token\""), "{answer:#?}");
        server.post("/userinfo", &[("access_token", &other)]).await.expect_error(401, "invalid_token");
    }
}

both_engines!(tj_03_a_token_for_an_api_reads_userinfo_too);
/// The contract: userinfo takes any live access token of ours that has `openid` (note 46 of the survey).
async fn tj_03_a_token_for_an_api_reads_userinfo_too(server: TestServer) {
    let api = "https://api.example";
    made::api(&server, ApiDraft { audience: api.to_owned(), ..ApiDraft::default() }).await;
    let application = made::client(&server, made::draft()).await;
    let person = made::person(&server, "ada").await;
    for (scope, status) in [("openid email", 200), ("email", 403)] {
        let flow = Flow::new(&application).with("scope", scope).with("resource", api);
        let signed_in = SignedIn::at(&server, flow, person.clone()).await;
        let token = signed_in.tokens.access_token();
        assert_eq!(Tokens::claims(&token)["aud"], api);
        made::userinfo(&server.wire(), &token).await.expect_status(status);
    }
}

both_engines!(other_methods_are_refused);
async fn other_methods_are_refused(server: TestServer) {
    let signed_in = SignedIn::new(&server).await;
    for method in ["PUT", "PATCH", "DELETE", "TRACE"] {
        let method = Method::from_bytes(method.as_bytes()).unwrap();
        let call = server.call(method, "/userinfo").bearer(&signed_in.tokens.access_token());
        let answer = call.send().await.expect_status(405);
        assert!(answer.header("allow").contains("GET") && answer.header("allow").contains("POST"), "{answer:#?}");
        assert_eq!(answer.header("content-type"), "application/json");
    }
}
