//! The tokens of the JSON API: refreshed, used twice, ended; who they are for.

use bonafide::{clients::Draft, identity::AccountChange};
use reqwest::Method;
use serde_json::{Value, json};

use crate::support::{
    Dump, TestServer, at_once,
    made::{self, SignedIn},
    web_application,
};

use crate::api_accounts::{PASSWORD, expect_code, expect_problem, get, login, post, refresh, refreshed, text};

both_engines!(h0_1_rf_16_logout_ends_one_family_and_ends_it);
/// H0-1, H2-6, LG-16: nothing is cut off, of passwords or of tokens.
async fn h0_1_rf_16_logout_ends_one_family_and_ends_it(server: TestServer) {
    let ada = server.person("ada").await;
    let (one, other) = (login(&server, &ada).await, login(&server, &ada).await);
    let logout = |token: &str| {
        let call = server.call(Method::POST, "/auth/logout").header("authorization", format!("Refresh {token}"));
        async move { call.send().await.expect_status(200) }
    };
    let used = text(&one, "refreshToken").to_owned();
    let latest = refreshed(&server, &used).await;
    logout(text(&latest, "refreshToken")).await;
    // H0-17: at once, and with it the access token.
    expect_code(get(&server, "/auth/me", text(&latest, "accessToken")).await, 401, "invalid_token");
    for dead in [text(&latest, "refreshToken"), &used] {
        expect_code(refresh(&server, dead).await, 401, "invalid_token");
    }
    // Again is as good.
    logout(text(&latest, "refreshToken")).await;
    let body = json!({"refreshToken": text(&latest, "refreshToken")});
    post(&server, "/auth/logout", &body).await.expect_status(200);
    // The other one lives.
    get(&server, "/auth/me", text(&other, "accessToken")).await.expect_status(200);
    let other = refreshed(&server, text(&other, "refreshToken")).await;
    let body = json!({"refreshToken": text(&other, "refreshToken")});
    post(&server, "/auth/logout", &body).await.expect_status(200);
    expect_code(refresh(&server, text(&other, "refreshToken")).await, 401, "invalid_token");
}

both_engines!(h0_2_h1_1_rf_01_a_token_that_is_used_again_ends_its_family with [("tokens.refresh_grace", "0s")]);
/// H0-2, H1-1, RF-01: used once; used again it ends the family.
async fn h0_2_h1_1_rf_01_a_token_that_is_used_again_ends_its_family(server: TestServer) {
    let ada = server.person("ada").await;
    let first = login(&server, &ada).await;
    let second = refreshed(&server, text(&first, "refreshToken")).await;
    assert_ne!(first["refreshToken"], second["refreshToken"]);
    expect_code(refresh(&server, text(&first, "refreshToken")).await, 401, "invalid_token");
    expect_code(refresh(&server, text(&second, "refreshToken")).await, 401, "invalid_token");
    expect_code(get(&server, "/auth/me", text(&second, "accessToken")).await, 401, "invalid_token");
}

both_engines!(h3_25_parallel_refreshes_get_one_successor);
/// H3-25, RF-02: two tabs at once keep their session.
async fn h3_25_parallel_refreshes_get_one_successor(server: TestServer) {
    let ada = server.person("ada").await;
    let token = text(&login(&server, &ada).await, "refreshToken").to_owned();
    let wire = server.wire();
    let answers = at_once(6, |_| {
        wire.call(Method::POST, "/auth/refresh").header("authorization", format!("Refresh {token}")).send()
    })
    .await;
    let successors: Vec<Value> = answers.into_iter().map(|answer| answer.expect_status(200).json()).collect();
    assert!(successors.iter().all(|tokens| tokens["refreshToken"] == successors[0]["refreshToken"]));
    refreshed(&server, text(&successors[0], "refreshToken")).await;
}

both_engines!(h3_2_rf_10_whose_tokens_they_are_the_token_says);
/// H3-2, RF-10: the body says nothing about whose tokens they are.
async fn h3_2_rf_10_whose_tokens_they_are_the_token_says(server: TestServer) {
    let (ada, eve) = (server.person("ada").await, server.person("eve").await);
    let tokens = login(&server, &eve).await;
    let header = format!("Refresh {}", text(&tokens, "refreshToken"));
    let body = json!({"username": ada.email, "sub": {"name": ada.name}});
    let call = server.call(Method::POST, "/auth/refresh").header("authorization", &header).json(&body);
    let fresh: Value = call.send().await.expect_status(200).json();
    let me: Value = get(&server, "/auth/me", text(&fresh, "accessToken")).await.expect_status(200).json();
    assert_eq!(text(&me, "id"), eve.id);
    // Other members are not taken.
    let body = json!({"refreshToken": text(&fresh, "refreshToken"), "userId": ada.id});
    expect_problem(post(&server, "/auth/refresh", &body).await, 400);
    let body = json!({"refreshToken": text(&fresh, "refreshToken"), "username": ada.email});
    post(&server, "/auth/refresh", &body).await.expect_status(200);
}

both_engines!(what_is_no_refresh_token_is_refused);
async fn what_is_no_refresh_token_is_refused(server: TestServer) {
    let signed_in = SignedIn::new(&server).await;
    let tokens = login(&server, &signed_in.person).await;
    let before = server.dump().await;
    let foreign = signed_in.tokens.refresh_token();
    // H0-6, TJ-02: an access token is none; RF-04: neither is another client's.
    for token in ["bfr_nonsense", "", text(&tokens, "accessToken"), &foreign] {
        expect_code(refresh(&server, token).await, 401, "invalid_token");
    }
    let bearer = server.call(Method::POST, "/auth/refresh").bearer(text(&tokens, "refreshToken")).send().await;
    expect_code(bearer, 401, "invalid_token");
    expect_problem(post(&server, "/auth/refresh", &json!({})).await, 401);
    server.dump().await.expect_same_as(&before);
    // And the refresh token is no access token.
    expect_code(get(&server, "/auth/me", text(&tokens, "refreshToken")).await, 401, "invalid_token");
    refreshed(&server, text(&tokens, "refreshToken")).await;
    signed_in.refreshed(&foreign).await;
}

both_engines!(h0_3_h2_8_rf_08_the_database_decides_at_every_step);
/// H0-3, RF-08, RF-09, AP-07: what the database says counts, at every refresh and every call.
async fn h0_3_h2_8_rf_08_the_database_decides_at_every_step(server: TestServer) {
    let accounts = &server.app().accounts;
    let ada = server.person("ada").await;
    accounts.grant_role("ada", "admin").await.expect("a role");
    // There is another: the last one could not go.
    server.person("boss").await;
    accounts.grant_role("boss", "admin").await.expect("a role");
    let tokens = login(&server, &ada).await;
    let token = text(&tokens, "accessToken");
    get(&server, "/auth", token).await.expect_status(200);
    accounts.revoke_role("ada", "admin").await.expect("no role");
    expect_problem(get(&server, "/auth", token).await, 403);
    let change = AccountChange { name: Some("Augusta King".to_owned()), ..AccountChange::default() };
    accounts.update("ada", change).await.expect("a change");
    let me: Value = get(&server, "/auth/me", token).await.expect_status(200).json();
    assert_eq!((text(&me, "name"), &me["roles"]), ("Augusta King", &json!([])));
    accounts.set_disabled("ada", true).await.expect("disabling");
    expect_code(get(&server, "/auth/me", token).await, 401, "invalid_token");
    expect_code(refresh(&server, text(&tokens, "refreshToken")).await, 401, "invalid_token");
    // A password that an operator sets ends everything too.
    accounts.set_disabled("ada", false).await.expect("enabling");
    let tokens = login(&server, &ada).await;
    accounts.set_password("ada", "another violin 42").await.expect("a password");
    expect_code(get(&server, "/auth/me", text(&tokens, "accessToken")).await, 401, "invalid_token");
    expect_code(refresh(&server, text(&tokens, "refreshToken")).await, 401, "invalid_token");
}

both_engines!(h1_2_rf_07_a_family_has_an_end with [("tokens.refresh_max_lifetime", "30d")]);
/// H1-2, RF-07: however often it is used, a family ends.
async fn h1_2_rf_07_a_family_has_an_end(server: TestServer) {
    let ada = server.person("ada").await;
    let mut token = text(&login(&server, &ada).await, "refreshToken").to_owned();
    for _ in 0..2 {
        server.advance_seconds(14 * 86_400);
        text(&refreshed(&server, &token).await, "refreshToken").clone_into(&mut token);
    }
    server.advance_seconds(3 * 86_400);
    expect_code(refresh(&server, &token).await, 401, "invalid_token");
}

both_engines!(tokens_are_ordinary_ones);
/// The tokens are those of any other grant: known to introspection, revoked at the same place.
async fn tokens_are_ordinary_ones(server: TestServer) {
    let ada = server.person("ada").await;
    let tokens = login(&server, &ada).await;
    let draft = Draft { introspects: Some(vec![server.issuer().to_owned()]), ..made::service() };
    let watcher = made::client(&server, draft).await;
    let said = made::expect_active(&server.wire(), &watcher, text(&tokens, "accessToken")).await;
    assert_eq!((text(&said, "sub"), text(&said, "client_id")), (ada.id.as_str(), "credentials"));
    let fields = [("token", text(&tokens, "refreshToken")), ("client_id", "credentials")];
    made::expect_revoked(&server.post("/revoke", &fields).await);
    made::expect_inactive(&server.wire(), &watcher, text(&tokens, "accessToken")).await;
    expect_code(refresh(&server, text(&tokens, "refreshToken")).await, 401, "invalid_token");
    // The form of OAuth works as well; the grant of JSON sign-in is known to no endpoint of OAuth.
    let tokens = login(&server, &ada).await;
    let fields = [
        ("grant_type", "refresh_token"),
        ("refresh_token", text(&tokens, "refreshToken")),
        ("client_id", "credentials"),
    ];
    server.post("/token", &fields).await.expect_status(200);
    let fields =
        [("grant_type", "credentials"), ("client_id", "credentials"), ("username", "ada"), ("password", PASSWORD)];
    server.post("/token", &fields).await.expect_error(400, "unsupported_grant_type");
    let metadata: Value = server.get("/.well-known/openid-configuration").await.json();
    assert!(!metadata["grant_types_supported"].to_string().contains("\"credentials\""), "{metadata}");
}

both_engines!(rf_11_no_token_is_kept_in_clear);
/// RF-11, OP-02: the database holds hashes.
async fn rf_11_no_token_is_kept_in_clear(server: TestServer) {
    let ada = server.person("ada").await;
    let tokens = login(&server, &ada).await;
    refreshed(&server, text(&tokens, "refreshToken")).await;
    let dump: Dump = server.dump_tables(&[]).await;
    let kept = dump.values().flatten().cloned().collect::<String>();
    assert!(kept.contains(&ada.email), "there is something to look at");
    for secret in [text(&tokens, "refreshToken"), text(&tokens, "accessToken"), PASSWORD] {
        assert!(!kept.contains(secret), "{secret}");
    }
}

both_engines!(the_scope_account_is_for_the_house);
/// The scope `account`: first-party applications may ask for it at `/authorize` too, nobody else.
async fn the_scope_account_is_for_the_house(server: TestServer) {
    let own = Draft { first_party: Some(true), ..web_application() };
    let signed_in = SignedIn::with(&server, own, |flow| flow.with("scope", "openid account")).await;
    let me: Value = get(&server, "/auth/me", &signed_in.tokens.access_token()).await.expect_status(200).json();
    assert_eq!(text(&me, "id"), signed_in.person.id);
    // Without it: 403.
    let plain = SignedIn::at(
        &server,
        crate::support::Flow::new(&signed_in.flow.application).with("scope", "openid"),
        signed_in.person.clone(),
    )
    .await;
    let refused = get(&server, "/auth/me", &plain.tokens.access_token()).await;
    assert!(refused.header("www-authenticate").contains("insufficient_scope"), "{refused:#?}");
    expect_problem(refused, 403);
    // H1-5, TJ-01: an ID token is no access token.
    let id_token = plain.tokens.id_token();
    expect_code(get(&server, "/auth/me", &id_token).await, 401, "invalid_token");
    let stranger = made::client(&server, made::draft()).await;
    let flow = crate::support::Flow::new(&stranger).with("scope", "openid account");
    let answer = flow.begin(&mut server.browser()).await;
    assert_eq!(answer.location_parameters().get("error").map(String::as_str), Some("invalid_scope"), "{answer:#?}");
}
