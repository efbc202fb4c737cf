//! Access tokens that mean something to us alone: who gets them, what they do, and what they die with.

use std::collections::BTreeSet;

use base64::{Engine as _, prelude::BASE64_URL_SAFE_NO_PAD};
use bonafide::clients::{ApiDraft, Draft};
use reqwest::Method;
use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};

use crate::support::{
    Application, Flow, TestServer, Tokens,
    made::{self, SignedIn, but, expect_active, expect_inactive, userinfo},
};

const API: &str = "https://api.example";

fn opaque() -> Draft {
    Draft { token_format: Some("opaque".to_owned()), ..made::draft() }
}

async fn api(server: &TestServer, audience: &str, format: &str, lifetime: Option<&str>) {
    let draft = ApiDraft {
        audience: audience.to_owned(),
        scopes: Some(vec!["read".to_owned()]),
        token_format: Some(format.to_owned()),
        lifetime: lifetime.map(str::to_owned),
        ..ApiDraft::default()
    };
    made::api(server, draft).await;
}

async fn rows(server: &TestServer) -> usize {
    server.dump().await["access_tokens"].len()
}

async fn service_token(server: &TestServer, service: &Application) -> String {
    let fields = [("grant_type", "client_credentials")];
    Tokens(service.post(server.call(Method::POST, "/token"), &fields).await).expect_tokens().access_token()
}

fn is_opaque(token: &str) -> bool {
    token.starts_with("bfa_")
}

both_engines!(tj_24_a_token_is_256_bits_kept_as_a_hash);
async fn tj_24_a_token_is_256_bits_kept_as_a_hash(server: TestServer) {
    let signed_in = SignedIn::with(&server, opaque(), |flow| flow).await;
    let first = signed_in.tokens.access_token();
    let next = signed_in.refreshed(&signed_in.tokens.refresh_token()).await;
    let tokens = BTreeSet::from([first.clone(), next.access_token()]);
    assert_eq!(tokens.len(), 2);
    let stored = format!("{:?}", server.dump_tables(&[]).await);
    for token in &tokens {
        let random = BASE64_URL_SAFE_NO_PAD.decode(token.strip_prefix("bfa_").expect("a prefix")).expect("base64url");
        assert_eq!(random.len(), 32);
        assert!(!stored.contains(token.as_str()) && !stored.contains(&token[4..]), "{stored}");
    }
    assert_eq!(rows(&server).await, 2);
    let answer: Value = signed_in.tokens.json();
    assert_eq!((&answer["expires_in"], &answer["token_type"]), (&json!(900), &json!("Bearer")));
    let half = &Sha256::digest(&first)[..16];
    assert_eq!(Tokens::claims(&signed_in.tokens.id_token())["at_hash"], BASE64_URL_SAFE_NO_PAD.encode(half));
}

both_engines!(a_clients_choice_goes_over_its_apis);
async fn a_clients_choice_goes_over_its_apis(server: TestServer) {
    api(&server, API, "opaque", Some("5m")).await;
    api(&server, "https://jwt.example", "jwt", None).await;
    let person = made::person(&server, "ada").await;
    for (choice, audience, expected) in [
        (None, Some(API), true),
        (Some("at+jwt"), Some(API), false),
        (Some("jwt"), Some(API), false),
        (None, Some("https://jwt.example"), false),
        (Some("opaque"), Some("https://jwt.example"), true),
        (Some("opaque"), None, true),
        (None, None, false),
    ] {
        let draft = Draft { token_format: choice.map(str::to_owned), ..made::draft() };
        let application = made::client(&server, draft).await;
        let mut flow = Flow::new(&application);
        if let Some(audience) = audience {
            flow = flow.with("resource", audience);
        }
        let signed_in = SignedIn::at(&server, flow, person.clone()).await;
        let next = signed_in.refreshed(&signed_in.tokens.refresh_token()).await;
        for tokens in [&signed_in.tokens, &next] {
            let token = tokens.access_token();
            assert_eq!(is_opaque(&token), expected, "{choice:?} {audience:?}: {token}");
            let said = expect_active(&server.wire(), &application, &token).await;
            assert_eq!(said["aud"], audience.unwrap_or(server.issuer()));
            let lifetime = if audience == Some(API) { 300 } else { 900 };
            assert_eq!(tokens.json::<Value>()["expires_in"], lifetime);
            assert_eq!(said["exp"].as_i64().unwrap() - said["iat"].as_i64().unwrap(), lifetime);
        }
    }
}

both_engines!(ir_06_userinfo_takes_opaque_tokens);
async fn ir_06_userinfo_takes_opaque_tokens(server: TestServer) {
    let signed_in = SignedIn::with(&server, opaque(), |flow| flow).await;
    let token = signed_in.tokens.access_token();
    let claims: Value = userinfo(&server.wire(), &token).await.expect_status(200).json();
    let expected = json!({
        "sub": signed_in.person.id, "name": signed_in.person.name, "preferred_username": "ada",
        "updated_at": server.now().timestamp(), "email": signed_in.person.email, "email_verified": true,
    });
    assert_eq!(claims, expected);
    server.post("/userinfo", &[("access_token", &token)]).await.expect_status(200);

    let altered = format!("{}{}", &token[..46], if token.ends_with('A') { 'B' } else { 'A' });
    let others =
        [altered, token.replace("bfa_", "bfr_"), token[4..].to_owned(), format!("{token}A"), "bfa_".to_owned()];
    for other in others {
        userinfo(&server.wire(), &other).await.expect_error(401, "invalid_token");
        expect_inactive(&server.wire(), &signed_in.flow.application, &other).await;
    }

    // Without openid, and without anybody.
    let flow = Flow::new(&signed_in.flow.application).with("scope", "email");
    let email = SignedIn::at(&server, flow, signed_in.person.clone()).await.tokens.access_token();
    userinfo(&server.wire(), &email).await.expect_error(403, "insufficient_scope");
    let service = made::client(&server, Draft { token_format: Some("opaque".to_owned()), ..made::service() }).await;
    let token = service_token(&server, &service).await;
    assert!(is_opaque(&token));
    userinfo(&server.wire(), &token).await.expect_error(403, "insufficient_scope");
}

/// Stops unless both our endpoints take the token, or neither does.
async fn expect(server: &TestServer, signed_in: &SignedIn, token: &str, live: bool) {
    if live {
        signed_in.expect_live(token).await;
        expect_active(&server.wire(), &signed_in.flow.application, token).await;
    } else {
        signed_in.expect_dead(token).await;
        expect_inactive(&server.wire(), &signed_in.flow.application, token).await;
    }
}

both_engines!(a_token_dies_when_its_time_is_over);
async fn a_token_dies_when_its_time_is_over(server: TestServer) {
    let signed_in = SignedIn::with(&server, opaque(), |flow| flow).await;
    let token = signed_in.tokens.access_token();
    server.advance_seconds(899);
    expect(&server, &signed_in, &token, true).await;
    server.advance_seconds(1);
    expect(&server, &signed_in, &token, false).await;
}

both_engines!(a_token_dies_with_the_session_unless_it_is_offline);
async fn a_token_dies_with_the_session_unless_it_is_offline(server: TestServer) {
    let mut online = SignedIn::with(&server, opaque(), |flow| flow.with("scope", "openid profile")).await;
    let offline = SignedIn::at(&server, Flow::new(&online.flow.application), online.person.clone()).await;
    let (ends, stays) = (online.tokens.access_token(), offline.tokens.access_token());
    expect(&server, &online, &ends, true).await;
    online.sign_out().await;
    expect(&server, &online, &ends, false).await;
    expect(&server, &offline, &stays, true).await;
}

both_engines!(br_14_a_token_dies_with_its_person);
async fn br_14_a_token_dies_with_its_person(server: TestServer) {
    let ada = SignedIn::with(&server, opaque(), |flow| flow).await;
    let grace = made::person(&server, "grace").await;
    let grace = SignedIn::at(&server, Flow::new(&ada.flow.application), grace).await;
    let (adas, graces) = (ada.tokens.access_token(), grace.tokens.access_token());
    expect(&server, &ada, &adas, true).await;
    server.app().accounts.set_disabled("ada", true).await.unwrap();
    expect(&server, &ada, &adas, false).await;
    server.app().accounts.set_disabled("ada", false).await.unwrap();
    expect(&server, &ada, &adas, false).await;
    expect(&server, &grace, &graces, true).await;
    server.app().accounts.delete("grace").await.unwrap();
    expect(&server, &grace, &graces, false).await;
}

both_engines!(a_token_of_a_disabled_client_is_good_for_nothing);
async fn a_token_of_a_disabled_client_is_good_for_nothing(server: TestServer) {
    let mut api = made::service();
    api.introspects = Some(vec![server.issuer().to_owned()]);
    let api = made::client(&server, api).await;
    for format in ["opaque", "at+jwt"] {
        let draft = Draft { token_format: Some(format.to_owned()), ..made::draft() };
        let application = made::client(&server, draft).await;
        let person = made::person(&server, &format!("ada-{}", &format[..2])).await;
        let signed_in = SignedIn::at(&server, Flow::new(&application), person).await;
        let draft = Draft { token_format: Some(format.to_owned()), ..made::service() };
        let service = made::client(&server, draft).await;
        let (token, services) = (signed_in.tokens.access_token(), service_token(&server, &service).await);
        signed_in.expect_live(&token).await;
        for token in [&token, &services] {
            expect_active(&server.wire(), &api, token).await;
        }
        made::disable_client(&server, &service.id).await;
        expect_inactive(&server.wire(), &api, &services).await;
        expect_active(&server.wire(), &api, &token).await;
        made::disable_client(&server, &application.id).await;
        expect_inactive(&server.wire(), &api, &token).await;
        signed_in.expect_dead(&token).await;
    }
}

both_engines!(ac_01_a_replayed_code_ends_tokens_of_every_format);
async fn ac_01_a_replayed_code_ends_tokens_of_every_format(server: TestServer) {
    let person = made::person(&server, "ada").await;
    for format in ["opaque", "at+jwt"] {
        let draft = Draft { token_format: Some(format.to_owned()), ..made::draft() };
        let application = made::client(&server, draft).await;
        let flow = Flow::new(&application);
        let code = flow.sign_in(&mut server.browser(), &person).await.code().to_owned();
        let first = flow.exchange(&server.wire(), &code).await.expect_tokens();
        let newer = flow.refresh(&server.wire(), &first.refresh_token()).await.expect_tokens();
        for tokens in [&first, &newer] {
            userinfo(&server.wire(), &tokens.access_token()).await.expect_status(200);
            expect_active(&server.wire(), &application, &tokens.access_token()).await;
        }
        expect_active(&server.wire(), &application, &newer.refresh_token()).await;
        flow.exchange(&server.wire(), &code).await.0.expect_error(400, "invalid_grant");
        for tokens in [&first, &newer] {
            userinfo(&server.wire(), &tokens.access_token()).await.expect_error(401, "invalid_token");
            expect_inactive(&server.wire(), &application, &tokens.access_token()).await;
            expect_inactive(&server.wire(), &application, &tokens.refresh_token()).await;
        }
    }
}

both_engines!(rf_01_a_reused_refresh_token_ends_opaque_tokens with [("tokens.refresh_grace", "0s")]);
async fn rf_01_a_reused_refresh_token_ends_opaque_tokens(server: TestServer) {
    let signed_in = SignedIn::with(&server, opaque(), |flow| flow).await;
    let next = signed_in.refreshed(&signed_in.tokens.refresh_token()).await;
    expect(&server, &signed_in, &next.access_token(), true).await;
    signed_in.expect_refused(&signed_in.tokens.refresh_token()).await;
    for tokens in [&signed_in.tokens, &next] {
        expect(&server, &signed_in, &tokens.access_token(), false).await;
    }
}

both_engines!(within_the_grace_every_answer_has_a_token_of_its_own);
async fn within_the_grace_every_answer_has_a_token_of_its_own(server: TestServer) {
    let signed_in = SignedIn::with(&server, opaque(), |flow| flow).await;
    let used = signed_in.tokens.refresh_token();
    let (one, two) = (signed_in.refreshed(&used).await, signed_in.refreshed(&used).await);
    assert_eq!(one.refresh_token(), two.refresh_token());
    assert_ne!(one.access_token(), two.access_token());
    for tokens in [&signed_in.tokens, &one, &two] {
        expect(&server, &signed_in, &tokens.access_token(), true).await;
    }
}

both_engines!(what_is_refused_stores_nothing);
async fn what_is_refused_stores_nothing(server: TestServer) {
    api(&server, API, "opaque", None).await;
    let application = made::client(&server, opaque()).await;
    let person = made::person(&server, "ada").await;
    let flow = Flow::new(&application).with("resource", API);
    let code = flow.sign_in(&mut server.browser(), &person).await.code().to_owned();
    let good = made::exchange(&flow, &code);
    let before = server.dump().await;
    let other = [&good[..], &[("resource", "https://other.example")]].concat();
    flow.token(&server.wire(), &other).await.0.expect_error(400, "invalid_target");
    flow.token(&server.wire(), &but(&good, "code", "bfc_x")).await.0.expect_error(400, "invalid_grant");
    server.dump().await.expect_same_as(&before);
    let tokens = flow.token(&server.wire(), &good).await.expect_tokens();
    assert_eq!(rows(&server).await, 1);

    let refresh_token = tokens.refresh_token();
    let fields = [("grant_type", "refresh_token"), ("refresh_token", refresh_token.as_str()), ("scope", "openid read")];
    let before = server.dump().await;
    flow.token(&server.wire(), &fields).await.0.expect_error(400, "invalid_scope");
    server.dump().await.expect_same_as(&before);
    let narrowed = flow.token(&server.wire(), &but(&fields, "scope", "openid email")).await.expect_tokens();
    assert_eq!(rows(&server).await, 2);
    let said = expect_active(&server.wire(), &application, &narrowed.access_token()).await;
    assert_eq!((&said["scope"], &narrowed.json::<Value>()["scope"]), (&json!("openid email"), &json!("openid email")));
    let claims: Value = userinfo(&server.wire(), &narrowed.access_token()).await.expect_status(200).json();
    assert!(claims.get("email").is_some() && claims.get("name").is_none(), "{claims}");
}

both_engines!(ac_14_no_secret_passes_for_another);
async fn ac_14_no_secret_passes_for_another(server: TestServer) {
    let signed_in = SignedIn::with(&server, opaque(), |flow| flow).await;
    let flow = &signed_in.flow;
    let code = flow.sign_in(&mut signed_in.browser.clone(), &signed_in.person).await.code().to_owned();
    let (access, refresh) = (signed_in.tokens.access_token(), signed_in.tokens.refresh_token());
    let before = server.dump().await;
    for other in [&access, &refresh, &access.replace("bfa_", "bfc_"), &refresh.replace("bfr_", "bfc_")] {
        let fields = but(&made::exchange(flow, &code), "code", other);
        flow.token(&server.wire(), &fields).await.0.expect_error(400, "invalid_grant");
    }
    for other in [&access, &code, &access.replace("bfa_", "bfr_"), &code.replace("bfc_", "bfr_")] {
        signed_in.expect_refused(other).await;
    }
    for other in [&refresh, &code, &refresh.replace("bfr_", "bfa_"), &code.replace("bfc_", "bfa_")] {
        signed_in.expect_dead(other).await;
    }
    for other in [&code, &refresh.replace("bfr_", "bfa_"), &access.replace("bfa_", "bfr_")] {
        expect_inactive(&server.wire(), &flow.application, other).await;
    }
    server.dump().await.expect_same_as(&before);
    // Each for what it is.
    signed_in.expect_live(&access).await;
    signed_in.refreshed(&refresh).await;
    flow.exchange(&server.wire(), &code).await.expect_tokens();
}

both_engines!(a_program_gets_them_too);
async fn a_program_gets_them_too(server: TestServer) {
    api(&server, API, "opaque", None).await;
    let draft = Draft { api: Some(API.to_owned()), scope: Some("read".to_owned()), ..made::service() };
    let service = made::client(&server, draft).await;
    let token = service_token(&server, &service).await;
    assert!(is_opaque(&token) && rows(&server).await == 1);
    let now = server.now().timestamp();
    let expected = json!({
        "active": true, "iss": server.issuer(), "sub": service.id, "aud": API, "client_id": service.id,
        "scope": "read", "token_type": "Bearer", "exp": now + 900, "iat": now,
    });
    assert_eq!(expect_active(&server.wire(), &service, &token).await, expected);
    server.advance_seconds(900);
    expect_inactive(&server.wire(), &service, &token).await;
}

both_engines!(expired_tokens_are_swept_and_keep_their_grant_until_then);
async fn expired_tokens_are_swept_and_keep_their_grant_until_then(server: TestServer) {
    let sweep = async || while bonafide::server::sweep_once(server.app()).await.unwrap() > 0 {};
    // An API may give its tokens more time than a grant without refresh tokens has.
    api(&server, API, "opaque", Some("7d")).await;
    let grants = Some(vec!["authorization_code".to_owned()]);
    let ask = |flow: Flow| flow.with("resource", API);
    let signed_in = SignedIn::with(&server, Draft { grant_types: grants, ..made::draft() }, ask).await;
    let long = signed_in.tokens.access_token();
    let short =
        SignedIn::at(&server, Flow::new(&made::client(&server, opaque()).await), signed_in.person.clone()).await;
    sweep().await;
    assert_eq!(rows(&server).await, 2);
    short.expect_live(&short.tokens.access_token()).await;
    server.advance(chrono::Duration::days(6));
    sweep().await;
    assert_eq!(rows(&server).await, 1);
    signed_in.expect_live(&long).await;
    server.advance(chrono::Duration::days(2));
    sweep().await;
    assert_eq!(rows(&server).await, 0);
    assert_eq!(server.dump().await["grants"].len(), 1, "the one with a refresh token");
}
