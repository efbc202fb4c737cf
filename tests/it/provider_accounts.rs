//! Whose account it is: several providers for one person, who gets a new one, what a code is good for, and what of all that lies in
//! the database.

use bonafide::{audit::Source, clients::Draft};
use chrono::Duration;
use serde_json::{Value, json};
use url::Url;

use crate::{
    engines::lines,
    providers::{Stage, come_back, leave_from, may},
    support::{Answer, Binary, Browser, Engine, Flow, Stub, TestServer, Tokens, made, unique_parameters},
};

/// A stage with two providers, `stub` and `other`.
async fn two(engine: Engine) -> (Stage, Stub) {
    let (stub, other) = (Stub::listen().await, Stub::listen().await);
    let mut settings = [stub.settings("stub"), other.settings("other")].concat();
    settings.retain(|(name, _)| name != "outgoing.allow");
    let allow = format!("{}, {}", stub.address, other.address);
    let stage = Stage::at(stub, &settings, engine, &[("outgoing.allow", &allow)]).await;
    other.follow(stage.server.clock());
    (stage, other)
}

/// From the start page's button to the provider `other`.
async fn leave_to_link(browser: &mut Browser) -> Answer {
    let page = browser.get("/").await.expect_status(200);
    browser.submit(&page.form("/providers/other/link"), None, &[]).await
}

async fn links(stage: &Stage) -> Vec<String> {
    lines(&stage.server, "SELECT provider || ' ' || account_id AS line FROM linked_accounts ORDER BY 1").await
}

each_engine!(one_person_signs_in_by_several_providers);
async fn one_person_signs_in_by_several_providers(engine: Engine) {
    let (stage, other) = two(engine).await;
    let mut browser = stage.server.browser();
    let first = stage.sign_in(&mut browser, may()).await;
    let request = leave_to_link(&mut browser).await.location();
    assert_eq!(unique_parameters(&request)["prompt"], "select_account");
    // Another address there, and none that is proven: the person who is signed in says that it is theirs.
    let there = json!({ "sub": "m-1", "email": "may@work.example", "email_verified": false });
    let done = come_back(&mut browser, &other.answer(&request, there.clone())).await;
    assert_eq!(done.location().path(), "/");
    assert_eq!(links(&stage).await, ["other m-1", "stub 108"]);
    let page = browser.get("/").await.expect_status(200);
    assert!(page.forms().iter().all(|form| form.action != "/providers/other/link"), "{page:#?}");
    // By either of them she is the same.
    let mut elsewhere = stage.server.browser();
    let request = stage.leave_for(&stage.flow, &mut elsewhere, "other").await;
    let answer = stage.come_back(&mut elsewhere, &other.answer(&request, there.clone())).await;
    assert_eq!(stage.id_token(&answer).await["sub"], first["sub"]);

    // What is hers is nobody else's, even if they sign in there with it.
    let mut ben = stage.server.browser();
    stage.sign_in(&mut ben, json!({ "sub": "200", "email": "ben@example.org", "email_verified": true })).await;
    let request = leave_to_link(&mut ben).await.location();
    let taken = come_back(&mut ben, &other.answer(&request, there)).await;
    assert_eq!(taken.status, 409, "{taken:#?}");
    assert_eq!(links(&stage).await, ["other m-1", "stub 108", "stub 200"]);
}

each_engine!(a_way_in_is_added_by_whom_it_is_for_and_soon_after_signing_in);
async fn a_way_in_is_added_by_whom_it_is_for_and_soon_after_signing_in(engine: Engine) {
    let (stage, other) = two(engine).await;
    let mut browser = stage.server.browser();
    stage.sign_in(&mut browser, may()).await;
    let page = browser.get("/").await.expect_status(200);
    let form = page.form("/providers/other/link");
    // A form that is not ours, in a browser where she is not, and after a while.
    let forged = browser.submit(&form, None, &[("csrf", "AAAA")]).await;
    assert_eq!(forged.status, 403, "{forged:#?}");
    assert_eq!(stage.server.browser().submit(&form, None, &[]).await.status, 403);
    let request = browser.submit(&form, None, &[]).await.location();
    let answer = other.answer(&request, json!({ "sub": "m-1" }));
    // Meanwhile somebody else has signed in in this browser.
    stage.sign_in(&mut browser, json!({ "sub": "200", "email": "ben@example.org", "email_verified": true })).await;
    let refused = come_back(&mut browser, &answer).await;
    assert_eq!(refused.status, 409, "{refused:#?}");
    stage.server.advance(Duration::minutes(16));
    let page = browser.get("/").await.expect_status(200);
    let stale = browser.submit(&page.form("/providers/other/link"), None, &[]).await;
    assert_eq!(stale.status, 403, "{stale:#?}");
    assert_eq!(links(&stage).await, ["stub 108", "stub 200"]);
}

each_engine!(al_20_of_many_who_link_one_account_one_gets_it);
async fn al_20_of_many_who_link_one_account_one_gets_it(engine: Engine) {
    let (stage, other) = two(engine).await;
    let mut ways = Vec::new();
    for number in 0..10 {
        let mut browser = stage.server.browser();
        let claims =
            json!({ "sub": number.to_string(), "email": format!("p{number}@example.org"), "email_verified": true });
        stage.sign_in(&mut browser, claims).await;
        let request = leave_to_link(&mut browser).await.location();
        ways.push((browser, other.answer(&request, json!({ "sub": "wanted" }))));
    }
    let come = ways.iter_mut().map(|(browser, url)| come_back(browser, url));
    let mut statuses: Vec<u16> =
        futures_util::future::join_all(come).await.iter().map(|answer| answer.status.as_u16()).collect();
    statuses.sort_unstable();
    assert_eq!(statuses, [vec![303], vec![409; 9]].concat());
    assert_eq!(links(&stage).await.iter().filter(|link| link.starts_with("other")).count(), 1);
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

each_engine!(accounts_are_made_only_where_they_may_be);
async fn accounts_are_made_only_where_they_may_be(engine: Engine) {
    for (setting, value) in [
        ("providers.stub.sign_up", "false"),
        ("accounts.sign_up", "false"),
        ("accounts.sign_up_domains", "corp.example"),
    ] {
        let stage = Stage::with(engine, &[(setting, value)]).await;
        let mut browser = stage.server.browser();
        let answer = stage.arrive(&mut browser, may()).await;
        assert_eq!(answer.status, 403, "{setting} {answer:#?}");
        assert_eq!((stage.count("users").await, stage.count("linked_accounts").await), (0, 0), "{setting}");
        assert!(!stage.is_signed_in(&browser).await);
        let by_page = stage.server.browser().get("/sign-up").await;
        let offered = by_page.status.is_success() && by_page.body.contains("provider-stub");
        assert_eq!(offered, setting == "accounts.sign_up_domains", "{setting}");
    }
    let stage = Stage::with(engine, &[("accounts.sign_up_domains", "corp.example")]).await;
    let claims = json!({ "sub": "1", "email": "may@CORP.example", "email_verified": true });
    assert_eq!(stage.sign_in(&mut stage.server.browser(), claims).await["email"], "may@CORP.example");
    // Nobody's address: not one of those.
    let answer = stage.arrive(&mut stage.server.browser(), json!({ "sub": "2" })).await;
    assert_eq!(answer.status, 403, "{answer:#?}");
}

each_engine!(mx_08_a_provider_that_is_switched_off_signs_nobody_in);
async fn mx_08_a_provider_that_is_switched_off_signs_nobody_in(engine: Engine) {
    let (late, stub) = (Stub::listen().await, Stub::listen().await);
    let allow = format!("{}, {}", stub.address, late.address);
    let settings: Vec<_> = stub.settings("stub").into_iter().filter(|(name, _)| name != "outgoing.allow").collect();
    let stage = Stage::at(stub, &settings, engine, &[("outgoing.allow", &allow)]).await;
    late.follow(stage.server.clock());
    let declare = async |enabled: bool| {
        let declared = json!({
            "enabled": enabled, "issuer": late.issuer, "client_id": late.client_id, "client_secret": late.client_secret,
        });
        let declared = serde_json::from_value(declared).expect("a declaration");
        let source = Source::default();
        stage.server.app().federation.declare("other", declared, &source).await.map(|_| ()).expect("it is taken");
    };
    declare(true).await;
    let (mut browser, mut another) = (stage.server.browser(), stage.server.browser());
    let request = stage.leave_for(&stage.flow, &mut browser, "other").await;
    let later = stage.leave_for(&stage.flow, &mut another, "other").await;
    declare(false).await;
    let page = stage.flow.open(&mut stage.server.browser()).await;
    assert!(!page.body.contains("provider-other"), "{page:#?}");
    let refused = stage.come_back(&mut browser, &late.answer(&request, may())).await;
    assert!(refused.status.is_client_error(), "{refused:#?}");
    assert_eq!((stage.count("users").await, stage.count("browser_sessions").await, late.requests("/token")), (0, 0, 0));
    declare(true).await;
    let answer = stage.come_back(&mut another, &late.answer(&later, may())).await;
    stage.flow.reply(&answer).expect("the control").code();
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
    assert_eq!(try_it(&mut stage.server.browser(), &form, &code).await.status, 403, "another browser");
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

/// Another Bonafide, with somebody who signs in there by a password.
async fn another_of_ours(engine: Engine) -> (Binary, TestServer) {
    let upstream = Binary::start(engine).await;
    let host = upstream.issuer().trim_start_matches("http://").to_owned();
    let server = TestServer::with(
        engine,
        &[
            ("providers.other.issuer", upstream.issuer()),
            ("providers.other.client_id", "downstream"),
            ("providers.other.client_auth", "none"),
            ("outgoing.allow", &host),
        ],
    )
    .await;
    (upstream, server)
}

each_engine!(another_of_ours_is_a_provider_like_others);
async fn another_of_ours_is_a_provider_like_others(engine: Engine) {
    let (upstream, server) = another_of_ours(engine).await;
    let callback = format!("{}/providers/other/callback", server.issuer());
    let draft = Draft {
        client_id: Some("downstream".to_owned()),
        client_name: Some("Downstream".to_owned()),
        redirect_uris: Some(vec![callback]),
        post_logout_redirect_uris: Some(vec![format!("{}/providers/signed-out", server.issuer())]),
        token_endpoint_auth_method: Some("none".to_owned()),
        first_party: Some(true),
        ..Draft::default()
    };
    upstream.application(&draft).await;
    let ada = upstream.person("ada").await;
    let application =
        server.application(&Draft { first_party: Some(true), claims_in_id_token: Some(true), ..made::draft() }).await;
    let flow = Flow::new(&application);
    let (mut here, mut there) = (server.browser(), upstream.browser());
    let page = flow.open(&mut here).await.expect_status(200);
    let request = leave_from(&page, &mut here, "other").await;
    let opened = there.get(request.as_str()).await;
    let page = there.follow(opened).await.expect_status(200);
    let typed = [("username", ada.username.as_str()), ("password", ada.password.as_str())];
    let answer = there.submit(&page.form("/sign-in"), Some("sign-in"), &typed).await;
    let answer = there.follow(answer).await;
    let back: Url = answer.location();
    let answer = come_back(&mut here, &back).await;
    let answer = here.follow(answer).await;
    let reply = flow.reply(&answer).unwrap_or_else(|| panic!("not the application: {answer:#?}"));
    let claims: Value = Tokens::claims(&flow.exchange(&server.wire(), reply.code()).await.expect_tokens().id_token());
    assert_eq!(claims["amr"], json!(["fed"]));
    assert!(claims["auth_time"].is_i64(), "it says when: {claims}");
    assert_eq!(lines(&server, "SELECT account_id AS line FROM linked_accounts").await, [ada.id]);
}
