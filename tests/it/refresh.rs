//! Refresh tokens: replaced by each use, the same successor within the grace, a theft afterwards; and what ends them.

use bonafide::clients::{ApiDraft, Draft};
use chrono::Duration;
use reqwest::Method;
use sea_orm::ConnectionTrait as _;
use serde_json::Value;

use crate::support::{
    ClientAuth, Flow, TestServer, Tokens,
    made::{self, SignedIn},
    random,
};

/// Without `offline_access`: bound to the browser's session.
fn online(flow: Flow) -> Flow {
    flow.with("scope", "openid profile email")
}

fn scope(tokens: &Tokens) -> String {
    tokens.json::<Value>()["scope"].as_str().unwrap_or_default().to_owned()
}

both_engines!(each_use_replaces_the_token);
async fn each_use_replaces_the_token(server: TestServer) {
    let signed_in = SignedIn::new(&server).await;
    let mut seen = vec![signed_in.tokens.refresh_token()];
    for _ in 0..4 {
        server.advance_seconds(60);
        let next = signed_in.refreshed(seen.last().unwrap()).await;
        signed_in.expect_live(&next.access_token()).await;
        let token = next.refresh_token();
        assert!(token.starts_with("bfr_") && token.len() >= 47, "{token}");
        assert!(!seen.contains(&token), "the same token again");
        seen.push(token);
    }
    signed_in.expect_live(&signed_in.tokens.access_token()).await;
}

both_engines!(within_the_grace_the_predecessor_gets_the_same_successor);
/// Decision 2 of the list of threats: two tabs at once end up with one and the same token.
async fn within_the_grace_the_predecessor_gets_the_same_successor(server: TestServer) {
    let signed_in = SignedIn::new(&server).await;
    let first = signed_in.tokens.refresh_token();
    let next = signed_in.refreshed(&first).await;
    let mut access_tokens = vec![next.access_token()];
    for millis in [0, 1, 4999, 4999] {
        server.advance(Duration::milliseconds(millis));
        let again = signed_in.refreshed(&first).await;
        assert_eq!(again.refresh_token(), next.refresh_token());
        assert!(!access_tokens.contains(&again.access_token()), "the access token is minted anew");
        assert_eq!(Tokens::claims(&again.id_token())["sub"], Tokens::claims(&next.id_token())["sub"]);
        access_tokens.push(again.access_token());
    }
    signed_in.refreshed(&next.refresh_token()).await;
    for token in access_tokens {
        signed_in.expect_live(&token).await;
    }
}

both_engines!(rf_01_reuse_after_the_grace_ends_the_family);
/// Requirement 82.
async fn rf_01_reuse_after_the_grace_ends_the_family(server: TestServer) {
    let signed_in = SignedIn::new(&server).await;
    let first = signed_in.tokens.refresh_token();
    let next = signed_in.refreshed(&first).await;
    server.advance_seconds(10);

    signed_in.expect_refused(&first).await;

    signed_in.expect_refused(&next.refresh_token()).await;
    signed_in.expect_dead(&next.access_token()).await;
    signed_in.expect_dead(&signed_in.tokens.access_token()).await;
    let audit = &server.dump_tables(&[]).await["audit_events"];
    assert_eq!(audit.iter().filter(|row| row.contains("refresh_reused")).count(), 1, "{audit:#?}");
    // Said once: a thief who tries on and on does not fill the log.
    signed_in.expect_refused(&first).await;
    let audit = &server.dump_tables(&[]).await["audit_events"];
    assert_eq!(audit.iter().filter(|row| row.contains("refresh_reused")).count(), 1, "{audit:#?}");
}

both_engines!(rf_01_reuse_after_the_successor_was_used_ends_the_family);
/// Within the grace too: whoever used the successor has received it.
async fn rf_01_reuse_after_the_successor_was_used_ends_the_family(server: TestServer) {
    let signed_in = SignedIn::new(&server).await;
    let first = signed_in.tokens.refresh_token();
    let second = signed_in.refreshed(&first).await;
    let third = signed_in.refreshed(&second.refresh_token()).await;

    signed_in.expect_refused(&first).await;

    for tokens in [&third, &second] {
        signed_in.expect_refused(&tokens.refresh_token()).await;
        signed_in.expect_dead(&tokens.access_token()).await;
    }
}

both_engines!(rf_01_an_old_token_ends_the_family_however_old);
async fn rf_01_an_old_token_ends_the_family_however_old(server: TestServer) {
    let signed_in = SignedIn::new(&server).await;
    let first = signed_in.tokens.refresh_token();
    let mut latest = signed_in.tokens.clone();
    for _ in 0..4 {
        server.advance(Duration::days(20));
        latest = signed_in.refreshed(&latest.refresh_token()).await;
        bonafide::server::sweep_once(server.app()).await.unwrap();
    }
    signed_in.expect_live(&latest.access_token()).await;
    signed_in.expect_refused(&first).await;
    signed_in.expect_refused(&latest.refresh_token()).await;
    signed_in.expect_dead(&latest.access_token()).await;
}

both_engines!(without_a_grace_every_reuse_ends_the_family with [("tokens.refresh_grace", "0s")]);
async fn without_a_grace_every_reuse_ends_the_family(server: TestServer) {
    let signed_in = SignedIn::new(&server).await;
    let next = signed_in.refreshed(&signed_in.tokens.refresh_token()).await;
    signed_in.expect_refused(&signed_in.tokens.refresh_token()).await;
    signed_in.expect_refused(&next.refresh_token()).await;
    signed_in.expect_dead(&next.access_token()).await;
}

both_engines!(without_a_grace_clocks_that_differ_give_none with [("tokens.refresh_grace", "0s")]);
/// The clock of the node that comes second may be behind the first one's.
async fn without_a_grace_clocks_that_differ_give_none(server: TestServer) {
    let signed_in = SignedIn::new(&server).await;
    let next = signed_in.refreshed(&signed_in.tokens.refresh_token()).await;
    server.advance(Duration::milliseconds(-50));
    signed_in.expect_refused(&signed_in.tokens.refresh_token()).await;
    signed_in.expect_refused(&next.refresh_token()).await;
}

both_engines!(a_client_has_its_own_grace);
async fn a_client_has_its_own_grace(server: TestServer) {
    for (grace, inside, outside) in [("0s", None, 0), ("60s", Some(59), 60)] {
        let draft = Draft { refresh_grace: Some(grace.to_owned()), ..made::draft() };
        let application = made::client(&server, draft).await;
        let person = made::person(&server, &format!("ada{outside}")).await;
        let signed_in = SignedIn::at(&server, Flow::new(&application), person).await;
        let first = signed_in.tokens.refresh_token();
        let next = signed_in.refreshed(&first).await;
        if let Some(seconds) = inside {
            server.advance_seconds(seconds);
            assert_eq!(signed_in.refreshed(&first).await.refresh_token(), next.refresh_token());
            server.advance_seconds(outside - seconds);
        }
        signed_in.expect_refused(&first).await;
        signed_in.expect_refused(&next.refresh_token()).await;
    }
}

both_engines!(rf_04_a_refresh_token_is_its_clients);
/// Requirement 81.
async fn rf_04_a_refresh_token_is_its_clients(server: TestServer) {
    let signed_in = SignedIn::new(&server).await;
    let (others, first) = (made::client(&server, made::draft()).await, signed_in.tokens.refresh_token());
    let (public, own) = (made::client(&server, made::public()).await, &signed_in.flow.application);
    let next = signed_in.refreshed(&first).await;
    server.advance_seconds(60);
    let before = server.dump().await;

    // The spent one too: a stranger who found it in a log ends nobody's session.
    for token in [next.refresh_token(), first.clone()] {
        let fields = [("grant_type", "refresh_token"), ("refresh_token", token.as_str())];
        let call = || server.call(Method::POST, "/token");
        others.post(call(), &fields).await.expect_error(400, "invalid_grant");
        public.post(call(), &fields).await.expect_error(400, "invalid_grant");
        for auth in [ClientAuth::None, ClientAuth::Basic(random()), ClientAuth::Post(random())] {
            own.with_auth(auth).post(call(), &fields).await.expect_error(401, "invalid_client");
        }
        own.with_auth(ClientAuth::Basic(others.secret().to_owned()))
            .post(call(), &fields)
            .await
            .expect_error(401, "invalid_client");
    }

    server.dump().await.expect_same_as(&before);
    signed_in.expect_live(&next.access_token()).await;
    signed_in.refreshed(&next.refresh_token()).await;
}

both_engines!(rf_05_a_narrower_scope_is_for_one_token_only);
/// Requirement 79.
async fn rf_05_a_narrower_scope_is_for_one_token_only(server: TestServer) {
    let signed_in = SignedIn::new(&server).await;
    assert_eq!(scope(&signed_in.tokens), "openid profile email offline_access");
    let mut token = signed_in.tokens.refresh_token();
    for asked in ["openid", "email openid", "offline_access email profile openid", "profile", "openid openid email"] {
        let fields = [("grant_type", "refresh_token"), ("refresh_token", token.as_str()), ("scope", asked)];
        let narrow = signed_in.flow.token(&server.wire(), &fields).await.expect_tokens();
        let mut expected: Vec<&str> = asked.split(' ').collect();
        expected.dedup();
        assert_eq!(scope(&narrow), expected.join(" "), "in the order of the request");
        assert_eq!(Tokens::claims(&narrow.access_token())["scope"], expected.join(" "));
        assert_eq!(narrow.json::<Value>().get("id_token").is_some(), asked.contains("openid"));
        token = narrow.refresh_token();
    }
    let whole = signed_in.refreshed(&token).await;
    assert_eq!(scope(&whole), "openid profile email offline_access", "the grant did not shrink");
    // `scope` without a value is as good as none.
    let token = whole.refresh_token();
    let fields = [("grant_type", "refresh_token"), ("refresh_token", token.as_str()), ("scope", "")];
    let whole = signed_in.flow.token(&server.wire(), &fields).await.expect_tokens();
    assert_eq!(scope(&whole), "openid profile email offline_access");
}

both_engines!(rf_05_a_wider_scope_is_refused_and_spends_nothing);
/// Requirement 79.
async fn rf_05_a_wider_scope_is_refused_and_spends_nothing(server: TestServer) {
    let signed_in = SignedIn::with(&server, made::draft(), |flow| flow.with("scope", "openid email")).await;
    let token = signed_in.tokens.refresh_token();
    let before = server.dump().await;
    for asked in
        ["openid email profile", "profile", "offline_access", "openid unheard-of", "account", "\"", "openid\u{e9}"]
    {
        let fields = [("grant_type", "refresh_token"), ("refresh_token", token.as_str()), ("scope", asked)];
        signed_in.flow.token(&server.wire(), &fields).await.0.expect_error(400, "invalid_scope");
    }
    server.dump().await.expect_same_as(&before);
    let next = signed_in.refreshed(&token).await;
    // The predecessor within its grace is bound by the same rule.
    let fields = [("grant_type", "refresh_token"), ("refresh_token", token.as_str()), ("scope", "profile")];
    signed_in.flow.token(&server.wire(), &fields).await.0.expect_error(400, "invalid_scope");
    assert_eq!(signed_in.refreshed(&token).await.refresh_token(), next.refresh_token());
}

both_engines!(rf_06_another_resource_is_refused);
async fn rf_06_another_resource_is_refused(server: TestServer) {
    for audience in ["https://api.example", "https://other.example"] {
        let scopes = Some(vec!["read".to_owned()]);
        made::api(&server, ApiDraft { audience: audience.to_owned(), scopes, ..ApiDraft::default() }).await;
    }
    let ask = |flow: Flow| flow.with("resource", "https://api.example");
    let signed_in = SignedIn::with(&server, made::draft(), ask).await;
    assert_eq!(Tokens::claims(&signed_in.tokens.access_token())["aud"], "https://api.example");
    let token = signed_in.tokens.refresh_token();
    let before = server.dump().await;

    for resources in [
        &["https://other.example"][..],
        &["https://api.example", "https://other.example"],
        &["https://unheard-of.example"],
        &["https://api.example/"],
        &["https://api.example#x"],
        &["no URI at all"],
        &[server.issuer()],
    ] {
        let mut fields = vec![("grant_type", "refresh_token"), ("refresh_token", token.as_str())];
        fields.extend(resources.iter().map(|resource| ("resource", *resource)));
        signed_in.flow.token(&server.wire(), &fields).await.0.expect_error(400, "invalid_target");
    }

    server.dump().await.expect_same_as(&before);
    let fields = [
        ("grant_type", "refresh_token"),
        ("refresh_token", token.as_str()),
        ("resource", "https://api.example"),
        // Another standard's name for it means nothing here.
        ("audience", "https://other.example"),
    ];
    let next = signed_in.flow.token(&server.wire(), &fields).await.expect_tokens();
    assert_eq!(Tokens::claims(&next.access_token())["aud"], "https://api.example");
}

both_engines!(rf_07_an_unused_token_ends);
/// Requirement 81.
async fn rf_07_an_unused_token_ends(server: TestServer) {
    let signed_in = SignedIn::new(&server).await;
    server.advance(Duration::days(30) - Duration::milliseconds(1));
    let next = signed_in.refreshed(&signed_in.tokens.refresh_token()).await;
    server.advance(Duration::days(30));
    signed_in.expect_refused(&next.refresh_token()).await;
}

both_engines!(rf_07_every_family_ends_in_the_end);
async fn rf_07_every_family_ends_in_the_end(server: TestServer) {
    let signed_in = SignedIn::new(&server).await;
    let mut token = signed_in.tokens.refresh_token();
    // Each use extends by thirty days, the ninetieth is the last.
    for _ in 0..8 {
        server.advance(Duration::days(11));
        token = signed_in.refreshed(&token).await.refresh_token();
    }
    server.advance(Duration::days(2) - Duration::milliseconds(1));
    let last = signed_in.refreshed(&token).await.refresh_token();
    server.advance(Duration::milliseconds(1));
    signed_in.expect_refused(&last).await;
    signed_in.expect_refused(&token).await;
}

both_engines!(rf_07_lifetimes_are_settings
    with [("tokens.refresh_lifetime", "2h"), ("tokens.refresh_max_lifetime", "3h")]);
async fn rf_07_lifetimes_are_settings(server: TestServer) {
    let signed_in = SignedIn::new(&server).await;
    server.advance(Duration::minutes(119));
    let next = signed_in.refreshed(&signed_in.tokens.refresh_token()).await.refresh_token();
    server.advance(Duration::minutes(61));
    signed_in.expect_refused(&next).await;
}

both_engines!(rf_07_a_client_has_its_own_lifetime);
async fn rf_07_a_client_has_its_own_lifetime(server: TestServer) {
    let draft = Draft { refresh_token_lifetime: Some("1h".to_owned()), ..made::draft() };
    let signed_in = SignedIn::with(&server, draft, |flow| flow).await;
    server.advance(Duration::minutes(59));
    let next = signed_in.refreshed(&signed_in.tokens.refresh_token()).await.refresh_token();
    server.advance(Duration::minutes(60));
    signed_in.expect_refused(&next).await;
}

both_engines!(rf_08_a_disabled_person_has_no_tokens);
async fn rf_08_a_disabled_person_has_no_tokens(server: TestServer) {
    let signed_in = SignedIn::new(&server).await;
    let next = signed_in.refreshed(&signed_in.tokens.refresh_token()).await;
    server.app().accounts.set_disabled("ada", true).await.unwrap();
    // Within the grace too.
    signed_in.expect_refused(&signed_in.tokens.refresh_token()).await;
    signed_in.expect_refused(&next.refresh_token()).await;
    signed_in.expect_dead(&next.access_token()).await;
    // Whoever is let in again signs in again.
    server.app().accounts.set_disabled("ada", false).await.unwrap();
    signed_in.expect_refused(&next.refresh_token()).await;
    signed_in.expect_dead(&next.access_token()).await;
}

both_engines!(rf_08_a_new_password_by_an_operator_ends_everything);
async fn rf_08_a_new_password_by_an_operator_ends_everything(server: TestServer) {
    let signed_in = SignedIn::new(&server).await;
    server.app().accounts.set_password("ada", "another violin 43 harbour").await.unwrap();
    signed_in.expect_refused(&signed_in.tokens.refresh_token()).await;
    signed_in.expect_dead(&signed_in.tokens.access_token()).await;
}

both_engines!(rf_08_a_deleted_person_has_no_tokens);
async fn rf_08_a_deleted_person_has_no_tokens(server: TestServer) {
    let signed_in = SignedIn::new(&server).await;
    server.app().accounts.delete("ada").await.unwrap();
    signed_in.expect_refused(&signed_in.tokens.refresh_token()).await;
    signed_in.expect_dead(&signed_in.tokens.access_token()).await;
}

both_engines!(rf_08_a_disabled_client_has_no_tokens);
async fn rf_08_a_disabled_client_has_no_tokens(server: TestServer) {
    let signed_in = SignedIn::new(&server).await;
    made::disable_client(&server, &signed_in.flow.application.id).await;
    let refused = signed_in.refresh(&signed_in.tokens.refresh_token()).await;
    refused.0.expect_error(401, "invalid_client");
}

both_engines!(rf_08_without_offline_access_a_token_ends_with_the_session);
async fn rf_08_without_offline_access_a_token_ends_with_the_session(server: TestServer) {
    let mut signed_in = SignedIn::with(&server, made::draft(), online).await;
    let next = signed_in.refreshed(&signed_in.tokens.refresh_token()).await;
    signed_in.sign_out().await;
    signed_in.expect_refused(&signed_in.tokens.refresh_token()).await;
    signed_in.expect_refused(&next.refresh_token()).await;
    signed_in.expect_dead(&next.access_token()).await;
}

both_engines!(rf_08_without_offline_access_a_token_ends_with_an_idle_session);
async fn rf_08_without_offline_access_a_token_ends_with_an_idle_session(server: TestServer) {
    let signed_in = SignedIn::with(&server, made::draft(), online).await;
    server.advance(Duration::hours(23));
    let next = signed_in.refreshed(&signed_in.tokens.refresh_token()).await;
    server.advance(Duration::hours(1));
    signed_in.expect_refused(&next.refresh_token()).await;
    signed_in.expect_dead(&next.access_token()).await;
}

both_engines!(rf_08_with_offline_access_a_token_lives_on);
async fn rf_08_with_offline_access_a_token_lives_on(server: TestServer) {
    let mut signed_in = SignedIn::new(&server).await;
    signed_in.sign_out().await;
    signed_in.expect_live(&signed_in.tokens.access_token()).await;
    let next = signed_in.refreshed(&signed_in.tokens.refresh_token()).await;
    server.advance(Duration::days(20));
    bonafide::server::sweep_once(server.app()).await.unwrap();
    let next = signed_in.refreshed(&next.refresh_token()).await;
    signed_in.expect_live(&next.access_token()).await;
}

both_engines!(rf_09_changes_of_the_person_appear);
async fn rf_09_changes_of_the_person_appear(server: TestServer) {
    let draft = Draft { claims_in_id_token: Some(true), ..made::draft() };
    let signed_in = SignedIn::with(&server, draft, |flow| flow).await;
    let before = Tokens::claims(&signed_in.tokens.id_token());
    assert_eq!(before["name"], "ada Lovelace");
    assert_eq!((&before["email"], &before["email_verified"]), (&"ada@example.org".into(), &true.into()));
    let change = "UPDATE users SET name = 'Countess', email = 'countess@example.org', \
                  email_canonical = 'countess@example.org', email_verified_at = NULL";
    server.database().await.execute_unprepared(change).await.unwrap();

    let next = signed_in.refreshed(&signed_in.tokens.refresh_token()).await;
    let after = Tokens::claims(&next.id_token());
    let read: Value = made::userinfo(&server.wire(), &next.access_token()).await.json();
    for claims in [after, read] {
        assert_eq!(claims["name"], "Countess");
        assert_eq!((&claims["email"], &claims["email_verified"]), (&"countess@example.org".into(), &false.into()));
        assert_eq!(claims["sub"], before["sub"]);
    }
}

both_engines!(rf_14_garbage_kills_no_family);
/// Requirement 81.
async fn rf_14_garbage_kills_no_family(server: TestServer) {
    let signed_in = SignedIn::new(&server).await;
    let dead = SignedIn::at(&server, Flow::new(&signed_in.flow.application), made::person(&server, "eve").await).await;
    server.app().accounts.set_disabled("eve", true).await.unwrap();
    let token = signed_in.tokens.refresh_token();
    let before = server.dump().await;
    for garbage in [
        token[..token.len() - 1].to_owned(),
        token[..token.len() / 2].to_owned(),
        token["bfr_".len()..].to_owned(),
        format!("{token}="),
        format!("{token}A"),
        format!(" {token}"),
        token.to_uppercase(),
        format!("bfr_{}", random()),
        "' OR 1=1--".to_owned(),
        "x".repeat(30_000),
        dead.tokens.refresh_token(),
    ] {
        signed_in.expect_refused(&garbage).await;
    }
    server.dump().await.expect_same_as(&before);
    signed_in.refreshed(&token).await;
}

both_engines!(rf_16_signing_out_ends_one_session_only);
async fn rf_16_signing_out_ends_one_session_only(server: TestServer) {
    let mut here = SignedIn::with(&server, made::draft(), online).await;
    let there = SignedIn::at(&server, online(Flow::new(&here.flow.application)), here.person.clone()).await;
    let sid = |tokens: &Tokens| Tokens::claims(&tokens.id_token())["sid"].clone();
    assert_ne!(sid(&here.tokens), sid(&there.tokens));
    here.sign_out().await;
    here.expect_refused(&here.tokens.refresh_token()).await;
    here.expect_dead(&here.tokens.access_token()).await;
    there.expect_live(&there.tokens.access_token()).await;
    there.refreshed(&there.tokens.refresh_token()).await;
}

both_engines!(tj_20_a_restart_forgets_nothing);
async fn tj_20_a_restart_forgets_nothing(mut server: TestServer) {
    let signed_in = SignedIn::new(&server).await;
    let first = signed_in.tokens.refresh_token();
    let code = {
        let next = Flow::new(&signed_in.flow.application);
        let code = next.sign_in(&mut signed_in.browser.clone(), &signed_in.person).await.code().to_owned();
        (next, code)
    };
    let exchanged = code.0.exchange(&server.wire(), &code.1).await.expect_tokens();
    let second = signed_in.refreshed(&first).await;

    server.restart().await;

    signed_in.expect_live(&second.access_token()).await;
    assert_eq!(signed_in.refreshed(&first).await.refresh_token(), second.refresh_token(), "still in its grace");
    code.0.exchange(&server.wire(), &code.1).await.0.expect_error(400, "invalid_grant");
    signed_in.expect_dead(&exchanged.access_token()).await;
    let third = signed_in.refreshed(&second.refresh_token()).await;

    server.restart().await;

    signed_in.expect_refused(&first).await;
    signed_in.expect_refused(&third.refresh_token()).await;
    signed_in.expect_dead(&third.access_token()).await;
}

both_engines!(an_id_token_of_a_refresh_speaks_of_the_same_sign_in);
/// OpenID Connect Core §12.2.
/// Requirement 80.
async fn an_id_token_of_a_refresh_speaks_of_the_same_sign_in(server: TestServer) {
    let signed_in = SignedIn::new(&server).await;
    let first = Tokens::claims(&signed_in.tokens.id_token());
    server.advance_seconds(600);
    let next = signed_in.refreshed(&signed_in.tokens.refresh_token()).await;
    let later = Tokens::claims(&next.id_token());
    for claim in ["iss", "sub", "aud", "auth_time", "sid", "acr", "amr"] {
        assert!(!first[claim].is_null(), "{claim}: {first}");
        assert_eq!(later[claim], first[claim], "{claim}");
    }
    assert_eq!(first["nonce"], signed_in.flow.parameter("nonce"));
    assert_eq!(later.get("nonce"), None);
    assert_eq!(later["iat"].as_i64().unwrap(), first["iat"].as_i64().unwrap() + 600);
    assert_ne!(later["at_hash"], first["at_hash"]);
}

both_engines!(a_client_without_the_grant_gets_no_refresh_token);
async fn a_client_without_the_grant_gets_no_refresh_token(server: TestServer) {
    let draft = Draft { grant_types: Some(vec!["authorization_code".to_owned()]), ..made::draft() };
    let signed_in = SignedIn::with(&server, draft, |flow| flow).await;
    assert_eq!(signed_in.tokens.json::<Value>().get("refresh_token"), None);
    signed_in.expect_live(&signed_in.tokens.access_token()).await;
    let tried = signed_in.refresh(&format!("bfr_{}", random())).await;
    tried.0.expect_error(400, "unauthorized_client");
}

both_engines!(the_successor_is_erased_after_the_grace);
/// The sealed successor is no secret to who holds the predecessor: it must not lie about for longer than it is needed.
async fn the_successor_is_erased_after_the_grace(server: TestServer) {
    let signed_in = SignedIn::new(&server).await;
    signed_in.refreshed(&signed_in.tokens.refresh_token()).await;
    let sealed = "SELECT id FROM grants WHERE sealed_successor IS NOT NULL";
    let database = server.database().await;
    let count = async || {
        let statement = sea_orm::Statement::from_string(database.get_database_backend(), sealed);
        database.query_all_raw(statement).await.unwrap().len()
    };
    assert_eq!(count().await, 1);
    bonafide::server::sweep_once(server.app()).await.unwrap();
    assert_eq!(count().await, 1, "within the grace it stays");
    server.advance_seconds(11);
    bonafide::server::sweep_once(server.app()).await.unwrap();
    assert_eq!(count().await, 0);
}

both_engines!(rf_10_what_else_the_request_says_changes_nobody);
/// The person is the stored token's, whatever the body names.
async fn rf_10_what_else_the_request_says_changes_nobody(server: TestServer) {
    let signed_in = SignedIn::new(&server).await;
    let eve = made::person(&server, "eve").await;
    let token = signed_in.tokens.refresh_token();
    let fields = [
        ("grant_type", "refresh_token"),
        ("refresh_token", token.as_str()),
        ("username", &eve.username),
        ("sub", &eve.id),
        ("user_id", &eve.id),
    ];
    let tokens = signed_in.flow.token(&server.wire(), &fields).await.expect_tokens();
    for token in [tokens.id_token(), tokens.access_token()] {
        assert_eq!(Tokens::claims(&token)["sub"], signed_in.person.id.as_str());
    }
}
