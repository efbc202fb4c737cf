//! Holes of the front ends' documents, by their numbers, that no test of a feature closes by itself.

use std::os::unix::fs::PermissionsExt as _;

use bonafide::keys::{Alg, TokenType};
use reqwest::Method;
use serde_json::{Value, json};

use crate::{
    api_accounts::{expect_problem, get, login, post, text},
    mail::server_with_mail,
    support::{Answer, Engine, Place, TestServer, Tokens, at_once, made},
};

async fn refresh(server: &TestServer, token: &str) -> Answer {
    post(server, "/auth/refresh", &json!({"refreshToken": token})).await
}

/// Refreshing and signing out ask as much with forty sign-ins as with one: tokens are found by an index, not by trying.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn h0_4_one_of_many_sign_ins_costs_what_the_only_one_costs() {
    let server = TestServer::with(Engine::Postgres, &[("limits.enabled", "false")]).await;
    let ada = server.person("ada").await;
    let mut counts = Vec::new();
    for more in [1, 40] {
        let all = at_once(more, |_| {
            let (server, ada) = (server.wire(), ada.clone());
            async move {
                let body = json!({"email": ada.email, "password": ada.password});
                server.call(Method::POST, "/auth/login").json(&body).send().await.expect_status(200).json::<Value>()
            }
        })
        .await;
        let token = text(&all[0], "refreshToken");
        let (next, refreshing) = server.statements_during(refresh(&server, token)).await;
        let next: Value = next.expect_status(200).json();
        let leaving = json!({"refreshToken": text(&next, "refreshToken")});
        let (left, signing_out) = server.statements_during(post(&server, "/auth/logout", &leaving)).await;
        left.expect_status(200);
        let asked = |statements: Vec<String>| {
            statements.iter().filter(|sql| sql.contains("grants") || sql.contains("spent_refresh_tokens")).count()
        };
        counts.push((asked(refreshing), asked(signing_out)));
    }
    assert_eq!(counts[0], counts[1], "refreshing, signing out");
    assert!(counts[0].0 > 0 && counts[0].1 > 0, "nothing was counted: {counts:?}");
}

both_engines!(h1_3_h3_8_a_role_that_is_taken_away_is_gone_at_once);
/// H1-3: what somebody may do is asked of the database, not of their token.
async fn h1_3_h3_8_a_role_that_is_taken_away_is_gone_at_once(server: TestServer) {
    let boss = server.person("boss").await;
    let accounts = &server.app().accounts;
    accounts.grant_role("boss", "admin").await.expect("a role");
    let token = text(&login(&server, &boss).await, "accessToken").to_owned();
    get(&server, "/auth", &token).await.expect_status(200);
    accounts.revoke_role("boss", "admin").await.expect("no role");
    expect_problem(get(&server, "/auth", &token).await, 403);
    accounts.grant_role("boss", "admin").await.expect("a role");
    get(&server, "/auth", &token).await.expect_status(200);
}

both_engines!(h1_6_a_certificate_in_a_header_is_nobodys with [("proxies.trusted", "127.0.0.0/8")]);
/// H1-6: who somebody is never comes from a header, not even from a proxy's.
async fn h1_6_a_certificate_in_a_header_is_nobodys(server: TestServer) {
    let service = made::client(&server, made::service()).await;
    let with = |name: &str, value: &str| {
        let fields = [("grant_type", "client_credentials"), ("client_id", service.id.as_str())];
        server.call(Method::POST, "/token").header(name, value).form(&fields)
    };
    for name in ["client-cert", "x-forwarded-client-cert", "x-ssl-client-s-dn", "x-ssl-client-verify", "x-client-id"] {
        for value in [format!("CN={}", service.id), "SUCCESS".to_owned()] {
            with(name, &value).send().await.expect_error(401, "invalid_client");
            expect_problem(server.call(Method::GET, "/auth/me").header(name, &value).send().await, 401);
        }
    }
    service.post(server.call(Method::POST, "/token"), &[("grant_type", "client_credentials")]).await.expect_status(200);
}

both_engines!(h1_7_the_session_is_a_cookie_that_nobody_can_plant_read_or_send);
async fn h1_7_the_session_is_a_cookie_that_nobody_can_plant_read_or_send(server: TestServer) {
    let ada = server.person("ada").await;
    let mut browser = server.browser();
    let form = browser.get("/sign-in").await.expect_status(200).form("/sign-in");
    let before = browser.cookie_pairs();
    let typed = [("username", ada.username.as_str()), ("password", ada.password.as_str())];
    let answer = browser.submit(&form, Some("sign-in"), &typed).await.expect_status(303);
    let set: Vec<_> = answer.headers.get_all("set-cookie").iter().filter_map(|value| value.to_str().ok()).collect();
    let session = set.iter().find(|cookie| cookie.contains("session")).expect("a session's cookie");
    for word in ["HttpOnly", "SameSite=Lax", "Path=/"] {
        assert!(session.contains(word), "{session}");
    }
    assert!(!session.contains("Domain"), "{session}");
    // Fixation: the value is a new one.
    let (name, value) = session.split(';').next().and_then(|pair| pair.split_once('=')).expect("a pair");
    assert_ne!(before.get(name).map(String::as_str), Some(value));
    // A form of another site is refused, whatever cookies come with it.
    let form = browser.get("/").await.expect_status(200).form("/logout");
    let foreign = browser.call(Method::POST, "/logout").header("origin", "https://evil.example").form(&form.fields);
    browser.send(foreign).await;
    assert!(browser.get("/").await.find_element("sign-out").is_some(), "signed out by another site");
    browser.submit(&form, Some("sign-out"), &[]).await;
    assert!(browser.get("/").await.find_element("sign-out").is_none());
}

both_engines!(h1_9_h3_33_login_is_throttled_audited_and_has_its_headers with
    [("passwords.memory", "19456"), ("passwords.iterations", "1")]);
async fn h1_9_h3_33_login_is_throttled_audited_and_has_its_headers(server: TestServer) {
    let ada = server.person("ada").await;
    let wrong = json!({"email": ada.email, "password": "another violin 42"});
    let mut throttled = None;
    for _ in 0..20 {
        let answer = post(&server, "/auth/login", &wrong).await;
        for (name, value) in [("x-content-type-options", "nosniff"), ("cache-control", "no-store")] {
            assert_eq!(answer.header(name), value);
        }
        if answer.headers.contains_key("retry-after") {
            throttled = Some(answer);
            break;
        }
    }
    throttled.expect("an end of trying");
    let events: Vec<Value> = server.cli(&["audit", "list", "--json"]).await.expect_success().json();
    let refused = |event: &Value| event.to_string().contains("wrong_password");
    assert!(events.iter().any(refused), "{events:#?}");
}

both_engines!(h2_7_h3_32_the_json_api_takes_only_tokens_made_for_it);
/// H2-7, H3-32: algorithm, type, issuer, audience, scope and times are all looked at, beside a token that is good.
async fn h2_7_h3_32_the_json_api_takes_only_tokens_made_for_it(server: TestServer) {
    let ada = server.person("ada").await;
    let token = text(&login(&server, &ada).await, "accessToken").to_owned();
    let claims = Tokens::claims(&token);
    let keys = server.app().keys.set();
    let key = keys.signing(Alg::Rs256).expect("a key");
    let sign = |typ: TokenType, claims: &Value| key.sign(typ, claims.to_string().as_bytes()).expect("signing");
    get(&server, "/auth/me", &sign(TokenType::AccessToken, &claims)).await.expect_status(200);

    let mut forged = vec![sign(TokenType::LogoutToken, &claims)];
    for (name, value) in [
        ("iss", json!("https://other.example")),
        ("iss", Value::Null),
        ("aud", json!("https://other.example")),
        ("exp", json!(server.now().timestamp() - 120)),
        ("scope", json!("openid profile")),
    ] {
        let mut changed = claims.clone();
        changed[name] = value;
        forged.push(sign(TokenType::AccessToken, &changed));
    }
    for secret in ["yoursecretvalue", "fallback_secret", ""] {
        let mut header = jsonwebtoken::Header::new(jsonwebtoken::Algorithm::HS256);
        (header.typ, header.kid) = (Some("at+jwt".to_owned()), Some(key.public.kid.clone()));
        let secret = jsonwebtoken::EncodingKey::from_secret(secret.as_bytes());
        forged.push(jsonwebtoken::encode(&header, &claims, &secret).expect("signing"));
    }
    let payload = token.split('.').nth(1).expect("a payload");
    forged.push(format!("eyJhbGciOiJub25lIiwidHlwIjoiYXQrand0In0.{payload}."));
    for forged in forged {
        let answer = get(&server, "/auth/me", &forged).await;
        assert!([401, 403].contains(&answer.status.as_u16()), "{forged}: {answer:#?}");
    }
}

both_engines!(h2_11_what_was_stolen_can_be_ended);
/// Signing out ends the refresh token; at our own endpoints the access token with it.
async fn h2_11_what_was_stolen_can_be_ended(server: TestServer) {
    let ada = server.person("ada").await;
    let (stolen, kept) = (login(&server, &ada).await, login(&server, &ada).await);
    let (access, token) = (text(&stolen, "accessToken"), text(&stolen, "refreshToken"));
    get(&server, "/auth/me", access).await.expect_status(200);
    post(&server, "/auth/logout", &json!({"refreshToken": token})).await.expect_status(200);
    expect_problem(refresh(&server, token).await, 401);
    expect_problem(get(&server, "/auth/me", access).await, 401);
    get(&server, "/auth/me", text(&kept, "accessToken")).await.expect_status(200);
}

/// The database lies in a folder of its own, and nobody else on the machine reads it.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn h2_13_the_database_is_its_owners() {
    let place = Place::empty(Engine::Sqlite, &[]).await;
    place.cli(&["migrate", "up"]).await.expect_success();
    let file = place.path().join("data/bonafide.db");
    let mode = |path: &std::path::Path| path.metadata().expect("a file").permissions().mode() & 0o777;
    assert_eq!(mode(&file), 0o600);
    let beside = file.parent().expect("a folder").read_dir().expect("a folder");
    for entry in beside.flatten().filter(|entry| entry.path().is_file()) {
        assert_eq!(mode(&entry.path()) & 0o077, 0, "{:?}", entry.path());
    }
}

each_engine!(h3_16_a_mailed_token_is_nowhere_but_in_its_link);
/// H3-16: the path that the documents want it in is not logged, and the database has its hash alone.
async fn h3_16_a_mailed_token_is_nowhere_but_in_its_link(engine: Engine) {
    let (server, mailbox) = server_with_mail(engine, &[]).await;
    let ada = server.person("ada").await;
    post(&server, "/auth/forgot-password", &json!({"email": ada.email})).await.expect_status(200);
    let token = mailbox.nth(1).await.token();
    let dump = format!("{:?}", server.dump().await);
    assert!(!dump.contains(&token) && dump.contains(&ada.email), "{token}");
    let path = format!("/auth/reset-password/{token}");
    post(&server, &path, &json!({"newPassword": "another violin 43 harbour"})).await.expect_status(200);
    assert!(!format!("{:?}", server.dump().await).contains(&token), "{token}");
}

both_engines!(h0_10_h2_3_who_has_no_password_is_refused_like_anybody with [("limits.enabled", "false")]);
/// H2-3, H0-10: whoever it is, and whether they have a password at all, the answer is the same.
async fn h0_10_h2_3_who_has_no_password_is_refused_like_anybody(server: TestServer) {
    let ada = server.person("ada").await;
    let account = bonafide::identity::NewAccount {
        email: Some("only-google@example.org".to_owned()),
        email_verified: true,
        ..Default::default()
    };
    server.app().accounts.create(account).await.expect("an account");
    let mut bodies = Vec::new();
    for email in [ada.email.as_str(), "only-google@example.org", "nobody@example.org"] {
        for password in ["another violin 42", "null", "$argon2id$v=19$m=65536,t=3,p=1$AAAA$AAAA"] {
            let answer = post(&server, "/auth/login", &json!({"email": email, "password": password})).await;
            let mut problem = expect_problem(answer, 400);
            for own in ["reference", "instance"] {
                problem.as_object_mut().expect("an object").remove(own);
            }
            bodies.push(problem);
        }
    }
    assert!(bodies.iter().all(|body| *body == bodies[0]), "{bodies:#?}");
    assert_eq!(bodies[0]["code"], "invalid_credentials");
}

both_engines!(h3_26_the_way_in_without_a_password_has_a_guard with [("adapter.secret", "correct horse battery staple and more")]);
/// H3-26: there is one process and no door behind it: `oAuthlogin` and the adapter are for whoever has the secret.
async fn h3_26_the_way_in_without_a_password_has_a_guard(server: TestServer) {
    let ada = server.person("ada").await;
    let body = json!({"email": ada.email, "provider": "google", "providerAccountId": "1"});
    expect_problem(post(&server, "/auth/oAuthlogin", &body).await, 401);
    let guess = server.call(Method::POST, "/auth/oAuthlogin").header("x-auth-secret", "correct horse battery staple");
    expect_problem(guess.json(&body).send().await, 401);
    let secret = "correct horse battery staple and more";
    let call = |path: &str| server.call(Method::POST, path).header("x-auth-secret", secret);
    // With the secret, but no account linked to that very person.
    expect_problem(call("/auth/oAuthlogin").json(&body).send().await, 401);
    let link = json!({"userId": ada.id, "provider": "google", "providerAccountId": "1", "type": "oauth"});
    let linked = call("/adapter/link-account").json(&link).send().await;
    assert!(linked.status.is_success(), "{linked:#?}");
    // Nor with the account, but no secret.
    expect_problem(post(&server, "/auth/oAuthlogin", &body).await, 401);
    let guess = server.call(Method::POST, "/auth/oAuthlogin").header("x-auth-secret", "correct horse battery staple");
    expect_problem(guess.json(&body).send().await, 401);
    call("/auth/oAuthlogin").json(&body).send().await.expect_status(200);
}
