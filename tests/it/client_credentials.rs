//! A program that acts for itself: tokens without a person, made without a question to the database.

use bonafide::clients::{ApiDraft, Draft};
use reqwest::Method;
use serde_json::Value;

use crate::support::{Application, TestServer, Tokens, made};

const API: &str = "https://api.example";

async fn apis(server: &TestServer) {
    for (audience, scopes) in [(API, ["read", "write"]), ("https://other.example", ["other", "more"])] {
        let scopes = Some(scopes.map(str::to_owned).to_vec());
        made::api(server, ApiDraft { audience: audience.to_owned(), scopes, ..ApiDraft::default() }).await;
    }
}

/// A client of the API that may read, and may ask for another API's scope.
async fn reader(server: &TestServer) -> Application {
    let draft = Draft {
        api: Some(API.to_owned()),
        scope: Some("read other openid offline_access".to_owned()),
        ..made::service()
    };
    made::client(server, draft).await
}

async fn ask(server: &TestServer, client: &Application, more: &[(&str, &str)]) -> Tokens {
    let fields = [&[("grant_type", "client_credentials")], more].concat();
    Tokens(client.post(server.call(Method::POST, "/token"), &fields).await)
}

both_engines!(a_token_is_for_the_default_api);
async fn a_token_is_for_the_default_api(server: TestServer) {
    apis(&server).await;
    let client = reader(&server).await;
    let before = server.dump_tables(&[]).await;
    let tokens = ask(&server, &client, &[]).await.expect_tokens();
    server.dump_tables(&[]).await.expect_same_as(&before);

    let answer: Value = tokens.json();
    assert_eq!((&answer["expires_in"], &answer["scope"]), (&900.into(), &"read".into()));
    for absent in ["refresh_token", "id_token"] {
        assert_eq!(answer.get(absent), None, "{answer}");
    }
    let claims = Tokens::claims(&tokens.access_token());
    let expected = serde_json::json!({
        "iss": server.issuer(), "sub": client.id, "client_id": client.id, "aud": API, "scope": "read",
        "iat": server.now().timestamp(), "exp": server.now().timestamp() + 900, "jti": claims["jti"],
    });
    assert_eq!(claims, expected);
}

both_engines!(a_token_is_for_the_api_that_is_named);
async fn a_token_is_for_the_api_that_is_named(server: TestServer) {
    apis(&server).await;
    let client = reader(&server).await;
    let named = [("resource", "https://other.example"), ("scope", "other")];
    let tokens = ask(&server, &client, &named).await.expect_tokens();
    assert_eq!(Tokens::claims(&tokens.access_token())["aud"], "https://other.example");
    // Naming one twice is naming one.
    let twice = [("resource", API), ("resource", API)];
    ask(&server, &client, &twice).await.expect_tokens();
    for wrong in [
        &[("resource", "https://unheard-of.example")][..],
        &[("resource", "https://api.example/")],
        &[("resource", "https://api.example#")],
        &[("resource", "x")],
        &[("resource", API), ("resource", "https://other.example")],
    ] {
        ask(&server, &client, wrong).await.0.expect_error(400, "invalid_target");
    }
}

both_engines!(without_an_api_a_token_is_for_us_and_can_do_nothing);
async fn without_an_api_a_token_is_for_us_and_can_do_nothing(server: TestServer) {
    let client = made::client(&server, made::service()).await;
    let tokens = ask(&server, &client, &[]).await.expect_tokens();
    let claims = Tokens::claims(&tokens.access_token());
    assert_eq!((&claims["aud"], claims.get("scope")), (&server.issuer().into(), None));
    assert_eq!(tokens.json::<Value>().get("scope"), None);
}

both_engines!(rf_12_nothing_of_a_person_is_given);
async fn rf_12_nothing_of_a_person_is_given(server: TestServer) {
    apis(&server).await;
    let client = reader(&server).await;
    for scope in ["offline_access", "openid", "read offline_access", "openid read", "profile", "account"] {
        ask(&server, &client, &[("scope", scope)]).await.0.expect_error(400, "invalid_scope");
    }
    ask(&server, &client, &[("scope", "read")]).await.expect_tokens();
}

both_engines!(ca_17_a_scope_must_be_the_clients_and_the_apis);
async fn ca_17_a_scope_must_be_the_clients_and_the_apis(server: TestServer) {
    apis(&server).await;
    let client = reader(&server).await;
    for scope in ["write", "read write", "other", "more", "unheard-of", "READ", "\"", "read\u{e9}"] {
        ask(&server, &client, &[("scope", scope)]).await.0.expect_error(400, "invalid_scope");
    }
    let repeated = ask(&server, &client, &[("scope", "read  read")]).await.expect_tokens();
    assert_eq!(repeated.json::<Value>()["scope"], "read");
    let empty = ask(&server, &client, &[("scope", "")]).await.expect_tokens();
    assert_eq!(empty.json::<Value>()["scope"], "read");
}

both_engines!(every_token_is_another);
async fn every_token_is_another(server: TestServer) {
    let client = made::client(&server, made::service()).await;
    let mut ids = std::collections::BTreeSet::new();
    for _ in 0..50 {
        let token = ask(&server, &client, &[]).await.access_token();
        let jti = Tokens::claims(&token)["jti"].as_str().unwrap().to_owned();
        assert!(jti.len() >= 22, "TJ-24: 128 bits at least: {jti}");
        ids.insert(jti);
    }
    assert_eq!(ids.len(), 50);
}
