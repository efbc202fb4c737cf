//! What is expected of a sign-in by another provider, and for how long: races, codes, what lies in the database meanwhile, what a
//! session is worth afterwards.

use chrono::Duration;
use reqwest::Method;
use serde_json::json;

use crate::{
    engines::lines,
    providers::{Stage, leave_from, may},
    support::{Browser, Engine, made, unique_parameters},
};

each_engine!(whoever_is_on_the_way_to_their_account_gets_there);
/// By the provider's word, and by what has to be proven first.
async fn whoever_is_on_the_way_to_their_account_gets_there(engine: Engine) {
    let stage = Stage::new(engine).await;
    let ada = made::person(&stage.server, "ada").await;
    let claims = json!({ "sub": "7", "email": ada.email, "email_verified": true });
    let visit = async |browser: &mut Browser| {
        let answer = browser.get("/account/sessions").await;
        let page = browser.follow(answer).await.expect_status(200);
        let request = leave_from(&page, browser, "stub").await;
        stage.come_back(browser, &stage.stub.answer(&request, claims.clone())).await.expect_status(200)
    };
    let mut browser = stage.server.browser();
    let page = visit(&mut browser).await;
    assert_eq!(page.url.path(), "/providers/link", "{page:#?}");
    assert_eq!(page.element("link-cancel").attribute("href"), Some("/sign-in?then=sessions"));
    let form = page.form_of("link-account");
    let wrong = browser.submit(&form, Some("link-account"), &[("password", "not hers")]).await.expect_status(422);
    let form = wrong.form_of("link-account");
    let done = browser.submit(&form, Some("link-account"), &[("password", &ada.password)]).await;
    assert_eq!(browser.follow(done).await.expect_status(200).url.path(), "/account/sessions");
    let page = visit(&mut stage.server.browser()).await;
    assert_eq!(page.url.path(), "/account/sessions", "{page:#?}");
}

each_engine!(al_21_of_many_first_sign_ins_at_once_one_makes_the_account);
async fn al_21_of_many_first_sign_ins_at_once_one_makes_the_account(engine: Engine) {
    let stage = Stage::new(engine).await;
    let mut ways = Vec::new();
    for _ in 0..8 {
        let mut browser = stage.server.browser();
        let request = stage.leave(&mut browser).await;
        ways.push((browser, stage.stub.answer(&request, may())));
    }
    let come = ways.iter_mut().map(|(browser, url)| stage.come_back(browser, url));
    for answer in futures_util::future::join_all(come).await {
        stage.flow.reply(&answer).unwrap_or_else(|| panic!("not the application: {answer:#?}")).code();
    }
    assert_eq!((stage.count("users").await, stage.count("linked_accounts").await), (1, 1));
    assert_eq!(stage.count("browser_sessions").await, 8);
}

each_engine!(a_code_is_good_for_five_tries_a_quarter_of_an_hour_and_one_browser);
async fn a_code_is_good_for_five_tries_a_quarter_of_an_hour_and_one_browser(engine: Engine) {
    let (stage, mailbox) = Stage::with_mail(engine, &[("limits.mails_an_hour", "100")]).await;
    made::person(&stage.server, "ada").await;
    let claims = json!({ "sub": "1", "email": "ada@example.org", "email_verified": true });
    let mut mails = mailbox.received().len();
    let mut ask = async |browser: &mut Browser| {
        let page = stage.arrive(browser, claims.clone()).await.expect_status(200);
        let form = page.forms().into_iter().find(|form| form.button("send-code").is_some()).expect("a form");
        let sent = browser.submit(&form, Some("send-code"), &[]).await;
        let sent = browser.follow(sent).await.expect_status(200);
        mails += 1;
        let text = mailbox.nth(mails).await.text();
        let digits: String = text.chars().filter(char::is_ascii_digit).take(8).collect();
        let form = sent.forms().into_iter().find(|form| form.button("verify-code").is_some()).expect("a form");
        (form, digits)
    };
    let wrong = |code: &str| if code == "00000000" { "11111111" } else { "00000000" };
    let try_it = async |browser: &mut Browser, form: &crate::support::Form, code: &str| {
        browser.submit(form, Some("verify-code"), &[("code", code)]).await
    };
    let mut browser = stage.server.browser();
    let (form, code) = ask(&mut browser).await;
    for _ in 0..5 {
        assert_eq!(try_it(&mut browser, &form, wrong(&code)).await.status, 422);
    }
    let late = try_it(&mut browser, &form, &code).await;
    assert_eq!(late.status, 400, "{late:#?}");
    let (form, code) = ask(&mut browser).await;
    let mut stranger = stage.server.browser();
    stranger.get("/sign-in").await.expect_status(200);
    assert_eq!(try_it(&mut stranger, &form, &code).await.status, 403, "another browser");
    stage.server.advance(Duration::minutes(16));
    assert_eq!(try_it(&mut browser, &form, &code).await.status, 400, "too late");
    assert_eq!(stage.count("linked_accounts").await, 0);
    assert!(!stage.is_signed_in(&browser).await);
    // The control; of twenty at once one is let in.
    let (form, code) = ask(&mut browser).await;
    let tries = (0..4).map(|_| {
        let (mut browser, form, code) = (browser.clone(), &form, &code);
        async move { browser.submit(form, Some("verify-code"), &[("code", code)]).await }
    });
    let answers = futures_util::future::join_all(tries).await;
    assert_eq!(answers.iter().filter(|answer| answer.status == 303).count(), 1, "{answers:#?}");
    assert_eq!(stage.count("linked_accounts").await, 1);
    assert_eq!(stage.count("browser_sessions").await, 1);
}

each_engine!(op_02_nothing_that_opens_anything_lies_in_the_database);
async fn op_02_nothing_that_opens_anything_lies_in_the_database(engine: Engine) {
    let (stage, mailbox) = Stage::with_mail(engine, &[]).await;
    let mut browser = stage.server.browser();
    let request = stage.leave(&mut browser).await;
    let sent = unique_parameters(&request);
    let waiting = stage.server.dump().await;
    for name in ["state", "nonce", "code_challenge"] {
        assert!(!format!("{waiting:?}").contains(&sent[name]), "{name}");
    }
    let answer = stage.stub.answer(&request, may());
    stage.come_back(&mut browser, &answer).await;
    // Somebody who has to prove the address.
    let mut other = stage.server.browser();
    let unproven = json!({ "sub": "9", "email": "may@example.org", "email_verified": true });
    let page = stage.arrive(&mut other, unproven).await.expect_status(200);
    let form = page.forms().into_iter().find(|form| form.button("send-code").is_some()).expect("a form");
    other.submit(&form, Some("send-code"), &[]).await;
    let text = mailbox.nth(1).await.text();
    let code: String = text.chars().filter(char::is_ascii_digit).take(8).collect();
    let dump = format!("{:?}", stage.server.dump().await);
    assert!(dump.contains("may@example.org"), "the control");
    let header = "eyJ";
    assert!(!dump.contains(header), "an ID token of the provider");
    assert!(!dump.contains(&code) && !dump.contains(form.value("pending").expect("a name")));
    assert!(!dump.contains(&*stage.stub.client_secret));
}

each_engine!(what_nobody_comes_back_for_goes);
async fn what_nobody_comes_back_for_goes(engine: Engine) {
    let (stage, _mailbox) = Stage::with_mail(engine, &[]).await;
    stage.leave(&mut stage.server.browser()).await;
    stage.arrive(&mut stage.server.browser(), json!({ "sub": "1", "email": "a@example.org" })).await.expect_status(200);
    let sweep = async || while bonafide::server::sweep_once(stage.server.app()).await.unwrap() > 0 {};
    sweep().await;
    assert_eq!((stage.count("upstream_requests").await, stage.count("pending_links").await), (1, 1));
    stage.server.advance(Duration::hours(2));
    sweep().await;
    assert_eq!((stage.count("upstream_requests").await, stage.count("pending_links").await), (0, 0));
}

each_engine!(what_a_provider_publishes_is_asked_for_once_an_hour);
async fn what_a_provider_publishes_is_asked_for_once_an_hour(engine: Engine) {
    let stage = Stage::new(engine).await;
    let asked = || (stage.stub.requests("/.well-known/openid-configuration"), stage.stub.requests("/jwks"));
    stage.server.browser().get("/sign-in").await.expect_status(200);
    assert_eq!(asked(), (0, 0), "not for a page");
    for _ in 0..3 {
        stage.sign_in(&mut stage.server.browser(), may()).await;
    }
    assert_eq!(asked(), (1, 1));
    stage.server.advance(Duration::minutes(61));
    stage.sign_in(&mut stage.server.browser(), may()).await;
    assert_eq!(asked(), (2, 2));
}

each_engine!(a_session_says_by_whom_it_is);
/// What a stricter application asks of a session that a provider gave.
async fn a_session_says_by_whom_it_is(engine: Engine) {
    let stage = Stage::new(engine).await;
    let mut browser = stage.server.browser();
    let claims = stage.sign_in(&mut browser, may()).await;
    assert_eq!((&claims["amr"], &claims["acr"]), (&json!(["fed"]), &json!("0")));
    // The provider has not said when she signed in: that is no answer to `max_age`, with or without a page.
    let silent = stage.flow.clone().with("max_age", "100000").with("prompt", "none");
    let answer = silent.begin(&mut browser).await;
    silent.reply(&answer).expect("no page").expect_error(&silent, stage.server.issuer(), "login_required");
    let fresh = stage.flow.clone().with("prompt", "login");
    let request = stage.leave_for(&fresh, &mut browser, "stub").await;
    assert_eq!(unique_parameters(&request)["prompt"], "login");
    let page = stage.come_back(&mut browser, &stage.stub.answer(&request, may())).await;
    assert_eq!(page.status, 403, "{page:#?}");
    let recorded = "SELECT kind AS line FROM audit_events WHERE detail LIKE '%\"provider\":\"stub\"%' ORDER BY id";
    assert!(lines(&stage.server, recorded).await.contains(&"signed_in".to_owned()));
}

each_engine!(of_two_who_come_when_the_keys_have_changed_both_are_let_in);
async fn of_two_who_come_when_the_keys_have_changed_both_are_let_in(engine: Engine) {
    let stage = Stage::new(engine).await;
    stage.sign_in(&mut stage.server.browser(), may()).await;
    let mut ways = Vec::new();
    for _ in 0..4 {
        let mut browser = stage.server.browser();
        let request = stage.leave(&mut browser).await;
        ways.push((browser, request));
    }
    stage.stub.rotate_keys();
    let come = ways.iter_mut().map(|(browser, request)| async {
        let answer = stage.stub.answer(request, may());
        stage.come_back(browser, &answer).await
    });
    for answer in futures_util::future::join_all(come).await {
        stage.flow.reply(&answer).unwrap_or_else(|| panic!("not the application: {answer:#?}")).code();
    }
    assert_eq!(stage.stub.requests("/jwks"), 2);
}

each_engine!(roles_of_a_provider_end_with_the_last_account_there);
async fn roles_of_a_provider_end_with_the_last_account_there(engine: Engine) {
    let stage = Stage::with(engine, &[("providers.stub.roles", "staff=editor")]).await;
    let roles = async || lines(&stage.server, "SELECT role AS line FROM user_roles ORDER BY role").await;
    let mut claims = may();
    claims["groups"] = json!(["staff"]);
    stage.sign_in(&mut stage.server.browser(), claims).await;
    stage.server.cli(&["user", "grant", "keeper", "may@example.org"]).await.expect_success();
    assert_eq!(roles().await, ["editor", "keeper"]);
    // A token that does not speak of groups says nothing about them.
    let token = stage.stub.id_token(&stage.stub.client_id, &may(), None);
    let body = json!({ "provider": "stub", "idToken": token });
    stage.server.call(Method::POST, "/auth/oAuthlogin").json(&body).send().await.expect_status(200);
    assert_eq!(roles().await, ["editor", "keeper"]);
    // Another way in, so that this one may go.
    stage
        .server
        .cli_with_input(&["user", "set-password", "may@example.org", "--password-stdin"], "plum violin 42 harbour")
        .await
        .expect_success();
    stage.server.cli(&["user", "unlink", "may@example.org", "stub"]).await.expect_success();
    assert_eq!(roles().await, ["keeper"]);
}

each_engine!(an_acr_that_only_another_provider_can_give_leads_there);
async fn an_acr_that_only_another_provider_can_give_leads_there(engine: Engine) {
    let rules = ("providers.stub.assurance", "acr:gold=urn:test:gold, acr:lead=urn:test:lead");
    let stage = Stage::with(engine, &[rules]).await;
    let ada = made::person(&stage.server, "ada").await;
    let mut browser = stage.server.browser();
    stage.flow.sign_in(&mut browser, &ada).await.code();
    let essential = |value: &str| {
        let claims = json!({ "id_token": { "acr": { "essential": true, "values": [value] } } });
        stage.flow.clone().with("claims", &claims.to_string())
    };
    let gold = essential("urn:test:gold");
    let request = stage.leave_for(&gold, &mut browser, "stub").await;
    assert_eq!(unique_parameters(&request)["acr_values"], "gold");
    let mut claims = may();
    claims["acr"] = json!("gold");
    let answer = stage.come_back(&mut browser, &stage.stub.answer(&request, claims)).await;
    gold.reply(&answer).expect("the application").code();
    // Nobody gives this one, and nobody is asked.
    let unknown = essential("urn:test:platinum");
    let answer = unknown.begin(&mut browser).await;
    let reply = unknown.reply(&answer).expect("the application");
    reply.expect_error(&unknown, stage.server.issuer(), "unmet_authentication_requirements");
}

each_engine!(whoever_gets_another_way_in_is_told_by_mail);
async fn whoever_gets_another_way_in_is_told_by_mail(engine: Engine) {
    let (stage, mailbox) = Stage::with_mail(engine, &[("providers.stub.label", "Elsewhere")]).await;
    let mut browser = stage.server.browser();
    let ada = made::person(&stage.server, "ada").await;
    stage.flow.sign_in(&mut browser, &ada).await.code();
    let before = mailbox.received().len();
    let page = browser.get("/account/providers").await.expect_status(200);
    let request = browser.submit(&page.form("/providers/stub/link"), None, &[]).await.location();
    let done = stage.come_back(&mut browser, &stage.stub.answer(&request, json!({ "sub": "elsewhere" }))).await;
    assert_eq!(done.url.path(), "/account/providers");
    let mail = mailbox.nth(before + 1).await;
    assert_eq!(mail.to, [ada.email]);
    assert!(mail.text().contains("Elsewhere"), "{}", mail.text());
}
