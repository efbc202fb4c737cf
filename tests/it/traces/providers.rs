//! Sign-ins by other providers: what they answered, and what would have done.

use reqwest::Method;
use serde_json::{Value, json};

use super::{MANY, expect, operator};
use crate::{
    providers::{Stage, may},
    support::{Engine, Fault, Flow, made},
};

each_engine!(a_provider_says_what_it_did_not_do);
async fn a_provider_says_what_it_did_not_do(engine: Engine) {
    let stage = Stage::with(engine, &MANY).await;
    let (server, stub) = (&stage.server, &stage.stub);
    let operator = operator(server).await;

    let answer = server.browser().get("/providers/nobody/sign-in").await.expect_status(404);
    expect(server, &operator, &answer, "provider_usable", "provider set NAME").await;

    let mut browser = server.browser();
    let request = stage.leave(&mut browser).await;
    let denied = stub.reply(&request, &[("error", "access_denied")]);
    let answer = stage.come_back(&mut browser, &denied).await.expect_status(403);
    expect(server, &operator, &answer, "provider_agreed", "agree").await;
    // What was answered once is answered.
    let answer = stage.come_back(&mut browser, &denied).await.expect_status(400);
    expect(server, &operator, &answer, "provider_expected", "again").await;

    for (fault, rule, words) in [
        (Fault::TokenFails, "provider_reachable", "doctor"),
        (Fault::WrongNonce, "provider_believable", "provider_refused"),
    ] {
        stub.set_fault(fault);
        let answer = stage.arrive(&mut browser, may()).await.expect_status(502);
        expect(server, &operator, &answer, rule, words).await;
        stub.set_fault(None);
    }
    stage.sign_in(&mut browser, may()).await;

    // The application wants somebody who has just signed in.
    let fresh = stage.flow.clone().with("max_age", "10");
    let arrive = async |flow: &Flow, claims: Value| {
        let mut browser = server.browser();
        let request = stage.leave_for(flow, &mut browser, "stub").await;
        stage.come_back(&mut browser, &stub.answer(&request, claims)).await
    };
    let mut claims = may();
    claims["auth_time"] = json!(server.now().timestamp() - 100);
    let answer = arrive(&fresh, claims.clone()).await.expect_status(403);
    expect(server, &operator, &answer, "provider_fresh", "auth_time").await;
    claims["auth_time"] = json!(server.now().timestamp());
    let answer = arrive(&fresh, claims).await;
    stage.id_token(&answer).await;
}

each_engine!(a_provider_says_whom_it_does_not_know);
async fn a_provider_says_whom_it_does_not_know(engine: Engine) {
    let closed = [MANY.as_slice(), &[("providers.stub.sign_up", "false")]].concat();
    let stage = Stage::with(engine, &closed).await;
    let server = &stage.server;
    let operator = operator(server).await;
    let ada = made::person(server, "ada").await;
    let mut claims = json!({ "sub": "7", "email": "nobody@example.org", "email_verified": true });
    let answer = stage.arrive(&mut server.browser(), claims.clone()).await.expect_status(403);
    expect(server, &operator, &answer, "provider_person", "user create").await;

    // Whose account there is, is.
    claims["email"] = json!(ada.email);
    let mut browser = server.browser();
    let page = stage.arrive(&mut browser, claims.clone()).await.expect_status(200);
    let done =
        browser.submit(&page.form_of("link-account"), Some("link-account"), &[("password", &ada.password)]).await;
    let done = browser.follow(done).await;
    stage.id_token(&done).await;

    server.cli(&["user", "disable", &ada.username]).await.expect_success();
    let answer = stage.arrive(&mut server.browser(), claims.clone()).await.expect_status(403);
    expect(server, &operator, &answer, "account_enabled", "user enable").await;
    server.cli(&["user", "enable", &ada.username]).await.expect_success();
    stage.sign_in(&mut server.browser(), claims).await;

    // An account there belongs to one person here.
    let eve = made::person(server, "eve").await;
    let mut browser = server.browser();
    crate::engines::sign_in(&mut browser, &eve.username, &eve.password).await.expect_status(303);
    let page = browser.get("/account/providers").await.expect_status(200);
    let sent = browser.submit(&page.form_of("link-stub"), Some("link-stub"), &[]).await.expect_status(303);
    let back = stage.stub.answer(&sent.location(), json!({ "sub": "7", "email": ada.email, "email_verified": true }));
    let call = browser.call(Method::GET, back.as_str()).header("sec-fetch-site", "cross-site");
    let answer = browser.send(call).await;
    let answer = browser.follow(answer).await.expect_status(409);
    expect(server, &operator, &answer, "provider_link", "user unlink").await;
}
