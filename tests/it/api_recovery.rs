//! Mailed links for front ends of their own: a new password, a verified address (H3-11 to H3-20).

use serde_json::{Value, json};

use crate::{
    api_accounts::{expect_problem, get, login, post, text},
    mail::server_with_mail,
    support::{Answer, Engine, Person, TestServer},
};

const NEW: &str = "granite 7 otter lamps";

async fn sign_in(server: &TestServer, person: &Person, password: &str) -> Answer {
    post(server, "/auth/login", &json!({"email": person.email, "password": password})).await
}

each_engine!(h3_14_h3_15_a_reset_by_json);
async fn h3_14_h3_15_a_reset_by_json(engine: Engine) {
    let (server, mailbox) = server_with_mail(engine, &[]).await;
    let ada = server.person("ada").await;
    let tokens = login(&server, &ada).await;
    let known = post(&server, "/auth/forgot-password", &json!({"email": ada.email})).await.expect_status(200);
    // H3-17: the same words for nobody, and for what is no address.
    for other in ["nobody@example.org", "no address"] {
        let unknown = post(&server, "/auth/forgot-password", &json!({"email": other})).await.expect_status(200);
        assert_eq!(unknown.body, known.body, "{other}");
    }
    let token = mailbox.nth(1).await.token();
    // H3-11: the mailed token opens nothing else.
    expect_problem(get(&server, "/auth/me", &token).await, 401);
    let path = format!("/auth/reset-password/{token}");
    let weak = expect_problem(post(&server, &path, &json!({"newPassword": "short"})).await, 400);
    assert_eq!((&weak["code"], weak["errors"]["password"].is_array()), (&json!("weak_password"), true));
    get(&server, "/auth/me", text(&tokens, "accessToken")).await.expect_status(200);

    post(&server, &path, &json!({"newPassword": NEW})).await.expect_status(200);
    expect_problem(get(&server, "/auth/me", text(&tokens, "accessToken")).await, 401);
    let refresh = json!({"refreshToken": text(&tokens, "refreshToken")});
    expect_problem(post(&server, "/auth/refresh", &refresh).await, 401);
    sign_in(&server, &ada, &ada.password).await.expect_status(400);
    sign_in(&server, &ada, NEW).await.expect_status(200);
    // Once; and what never was one.
    for path in [path.as_str(), "/auth/reset-password/bfm_nothing", "/auth/reset-password/%00"] {
        let dead = expect_problem(post(&server, path, &json!({"newPassword": NEW})).await, 400);
        assert_eq!(dead["code"], "invalid_token", "{path}");
    }
    for body in [json!({}), json!({"email": 1}), json!({"email": ada.email, "role": "admin"})] {
        expect_problem(post(&server, "/auth/forgot-password", &body).await, 400);
    }
}

each_engine!(h3_19_h3_20_verification_by_json);
async fn h3_19_h3_20_verification_by_json(engine: Engine) {
    let (server, mailbox) = server_with_mail(engine, &[("accounts.reveal_existing", "true")]).await;
    let new = json!({"email": "eve@example.org", "password": NEW, "name": "Eve"});
    let eve: Value = post(&server, "/auth/register", &new).await.expect_status(201).json();
    let first = mailbox.nth(1).await.token();
    let signed_in = post(&server, "/auth/login", &json!({"email": "eve@example.org", "password": NEW})).await;
    let tokens: Value = signed_in.expect_status(200).json();
    let bearer = text(&tokens, "accessToken");
    let ask = async |body: &Value| {
        server.call(reqwest::Method::POST, "/auth/request-email-verification").bearer(bearer).json(body).send().await
    };
    let ada = server.person("ada").await;
    // H3-19: for oneself only.
    for body in [json!({"userId": ada.id}), json!({"email": ada.email}), json!({"userId": ada.id, "email": ada.email})]
    {
        expect_problem(ask(&body).await, 403);
    }
    expect_problem(post(&server, "/auth/request-email-verification", &json!({})).await, 401);
    ask(&json!({"userId": eve["id"], "email": "eve@example.org"})).await.expect_status(200);
    let token = mailbox.nth(2).await.token();
    assert_ne!(token, first);
    // The newest link is the good one.
    let empty = json!({});
    expect_problem(post(&server, &format!("/auth/verify-email/{first}"), &empty).await, 400);
    server.get(&format!("/auth/verify-email/{token}")).await.expect_status(405);
    post(&server, &format!("/auth/verify-email/{token}"), &empty).await.expect_status(200);
    let dead = expect_problem(post(&server, &format!("/auth/verify-email/{token}"), &empty).await, 400);
    assert_eq!(dead["code"], "invalid_token");
    let signed_in = post(&server, "/auth/login", &json!({"email": "eve@example.org", "password": NEW})).await;
    let tokens: Value = signed_in.expect_status(200).json();
    let me: Value = get(&server, "/auth/me", text(&tokens, "accessToken")).await.expect_status(200).json();
    assert!(me["emailVerified"].is_string(), "{me}");
}

each_engine!(without_mail_there_is_none_of_it);
async fn without_mail_there_is_none_of_it(engine: Engine) {
    let server = TestServer::start(engine).await;
    let ada = server.person("ada").await;
    expect_problem(post(&server, "/auth/forgot-password", &json!({"email": ada.email})).await, 404);
    expect_problem(post(&server, "/auth/verify-email/bfm_x", &json!({})).await, 404);
}
