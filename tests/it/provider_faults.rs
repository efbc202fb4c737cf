//! Whatever another provider, or somebody in its place, does wrong: refused with a page, nobody signed in, nothing written.

use reqwest::Method;
use serde_json::{Value, json};
use url::Url;

use crate::{
    engines::lines,
    providers::{Stage, come_back, leave_from, may},
    support::{Answer, Browser, Dump, Engine, Fault, LogoutFault, Stub, TestServer, made, unique_parameters},
};

/// Everything but counters, the log, and what a browser waits for: who is expected back is used up in any case.
pub(crate) async fn dump(stage: &Stage) -> Dump {
    stage.server.dump_tables(&["attempts", "audit_events", "interactions", "upstream_requests"]).await
}

/// A page of ours that leads nowhere and shows no cause.
#[track_caller]
fn expect_refusal(answer: &Answer, what: &dyn std::fmt::Debug) {
    assert!(matches!(answer.status.as_u16(), 400 | 404 | 502), "{what:?} {answer:#?}");
    assert!(answer.header("content-type").starts_with("text/html"), "{what:?} {answer:#?}");
    assert!(!answer.headers.contains_key("location"), "{what:?} {answer:#?}");
    for cause in ["JWT", "nonce", "signature", "audience", "issuer", "Parse", "as the stub was told", "somebody-else"] {
        assert!(!answer.body.contains(cause), "{what:?}: {cause} {answer:#?}");
    }
}

/// With a parameter set otherwise, or left out.
fn but(url: &Url, name: &str, value: Option<&str>) -> Url {
    let mut pairs: Vec<(String, String)> = url.query_pairs().into_owned().filter(|(key, _)| key != name).collect();
    pairs.extend(value.map(|value| (name.to_owned(), value.to_owned())));
    let mut url = url.clone();
    url.query_pairs_mut().clear().extend_pairs(pairs);
    url
}

each_engine!(mx_02_a_state_that_is_not_this_browsers_leads_nowhere);
/// Missing, wrong, another's, late. The provider hears nothing of it.
async fn mx_02_a_state_that_is_not_this_browsers_leads_nowhere(engine: Engine) {
    let stage = Stage::new(engine).await;
    let (mut may_s, mut eve) = (stage.server.browser(), stage.server.browser());
    let request = stage.leave(&mut may_s).await;
    let answer = stage.stub.answer(&request, may());
    let mallory = stage.stub.answer(&stage.leave(&mut eve).await, json!({ "sub": "666", "email_verified": false }));
    let before = dump(&stage).await;
    let sent = unique_parameters(&answer)["state"].clone();
    let other = crate::support::random();
    let twice = Url::parse(&format!("{answer}&state={sent}")).unwrap();
    for url in [
        but(&answer, "state", None),
        but(&answer, "state", Some("")),
        but(&answer, "state", Some(&other)),
        but(&answer, "state", Some(&sent.to_lowercase())),
        but(&answer, "state", Some(&format!("{sent} "))),
        twice,
    ] {
        expect_refusal(&come_back(&mut may_s.clone(), &url).await, &url.as_str());
    }
    // Login CSRF: eve's answer in May's browser, May's in eve's, and in a browser without anything.
    expect_refusal(&come_back(&mut may_s.clone(), &mallory).await, &"eve's");
    expect_refusal(&come_back(&mut eve.clone(), &answer).await, &"May's");
    expect_refusal(&come_back(&mut stage.server.browser(), &answer).await, &"nobody's");
    assert_eq!(stage.stub.requests("/token"), 0);
    dump(&stage).await.expect_same_as(&before);
    for browser in [&may_s, &eve] {
        assert!(!stage.is_signed_in(browser).await);
    }
    // The control: May in May's, which nobody else has spoiled.
    let done = stage.come_back(&mut may_s, &answer).await;
    stage.id_token(&done).await;
    assert_eq!(stage.stub.requests("/token"), 1);

    let mut late = stage.server.browser();
    let answer = stage.stub.answer(&stage.leave(&mut late).await, may());
    stage.server.advance_seconds(3_601);
    expect_refusal(&come_back(&mut late, &answer).await, &"an hour later");
    assert_eq!(stage.stub.requests("/token"), 1);
}

each_engine!(mx_03_a_bad_id_token_signs_nobody_in);
/// OpenID Connect Core §3.1.3.7, one fault at a time.
async fn mx_03_a_bad_id_token_signs_nobody_in(engine: Engine) {
    let stage = Stage::new(engine).await;
    let known = stage.sign_in(&mut stage.server.browser(), may()).await;
    let others = [Fault::UnknownKey, Fault::NoIdToken, Fault::TokenFails, Fault::TokenGarbage, Fault::TokenErrorAs200];
    for fault in Fault::OF_ID_TOKENS.into_iter().chain(others) {
        // Somebody who is known, and somebody who would be new.
        for claims in
            [may(), json!({ "sub": "109", "email": "new@example.org", "email_verified": true, "name": "New" })]
        {
            let mut browser = stage.server.browser();
            let request = stage.leave(&mut browser).await;
            let before = dump(&stage).await;
            stage.stub.set_fault(fault);
            let refused = come_back(&mut browser, &stage.stub.answer(&request, claims)).await;
            stage.stub.set_fault(None);
            expect_refusal(&refused, &fault);
            dump(&stage).await.expect_same_as(&before);
            assert!(!stage.is_signed_in(&browser).await, "{fault:?}");
        }
        // Its keys are asked for again only after a while.
        stage.server.advance_seconds(61);
    }
    assert_eq!(stage.sign_in(&mut stage.server.browser(), may()).await["sub"], known["sub"]);
    let reasons = lines(&stage.server, "SELECT kind AS line FROM audit_events WHERE kind LIKE 'provider%'").await;
    assert_eq!(reasons.len(), 2 * (Fault::OF_ID_TOKENS.len() + others.len()), "{reasons:?}");
}

each_engine!(mx_03_userinfo_speaks_of_the_same_person);
async fn mx_03_userinfo_speaks_of_the_same_person(engine: Engine) {
    let stage = Stage::new(engine).await;
    stage.stub.keep_claims_to_userinfo();
    for fault in [Fault::OtherSubject, Fault::UserinfoFails] {
        let mut browser = stage.server.browser();
        let request = stage.leave(&mut browser).await;
        let before = dump(&stage).await;
        stage.stub.set_fault(fault);
        expect_refusal(&come_back(&mut browser, &stage.stub.answer(&request, may())).await, &fault);
        stage.stub.set_fault(None);
        dump(&stage).await.expect_same_as(&before);
        assert!(!stage.is_signed_in(&browser).await);
    }
    stage.sign_in(&mut stage.server.browser(), may()).await;
}

each_engine!(mx_04_one_providers_answer_is_not_anothers);
/// RFC 9207 §2.4: a code that an honest provider gave is not taken to another one's token endpoint.
async fn mx_04_one_providers_answer_is_not_anothers(engine: Engine) {
    let (honest, evil) = (Stub::listen().await, Stub::listen().await);
    let mut settings = [honest.settings("stub"), evil.settings("evil")].concat();
    settings.retain(|(name, _)| name != "outgoing.allow");
    settings.push(("outgoing.allow".to_owned(), format!("{},{}", honest.address, evil.address)));
    let stage = Stage::at(honest, &settings, engine, &[]).await;
    evil.follow(stage.server.clock());
    let to_evil = async |browser: &mut Browser| {
        let page = stage.flow.open(browser).await.expect_status(200);
        leave_from(&page, browser, "evil").await
    };
    let mut browser = stage.server.browser();
    // Sent to the evil one, whose answer is the honest one's, with its code.
    let mut request = to_evil(&mut browser).await;
    let evils = unique_parameters(&request);
    request.set_port(Url::parse(&stage.stub.issuer).unwrap().port()).unwrap();
    let request = but(&request, "client_id", Some(&stage.stub.client_id));
    let before = dump(&stage).await;
    let answer = stage.stub.answer(&request, may());
    assert!(answer.path().ends_with("/providers/evil/callback"), "{answer}");
    expect_refusal(&come_back(&mut browser, &answer).await, &"iss of another");
    // Without saying whose it is, though both have said that they always do.
    for url in [but(&answer, "iss", None), but(&answer, "iss", Some(""))] {
        let mut browser = stage.server.browser();
        let asked = unique_parameters(&to_evil(&mut browser).await);
        expect_refusal(&come_back(&mut browser, &but(&url, "state", Some(&asked["state"]))).await, &"no iss");
    }
    // At the other one's callback.
    let mut browser = stage.server.browser();
    let asked = to_evil(&mut browser).await;
    let mut elsewhere = evil.answer(&asked, may());
    elsewhere.set_path("/providers/stub/callback");
    expect_refusal(&come_back(&mut browser, &elsewhere).await, &"the other callback");
    let elsewhere = but(&elsewhere, "iss", Some(&stage.stub.issuer));
    expect_refusal(&come_back(&mut browser, &elsewhere).await, &"the other callback, with its iss");
    assert_eq!((stage.stub.requests("/token"), evil.requests("/token")), (0, 0), "no code has gone anywhere");
    dump(&stage).await.expect_same_as(&before);
    assert_ne!(evils["redirect_uri"], format!("{}/providers/stub/callback", stage.server.issuer()));
    // The controls.
    stage.sign_in(&mut stage.server.browser(), may()).await;
    let mut browser = stage.server.browser();
    let asked = to_evil(&mut browser).await;
    // An issuer of its own: May there is not May here.
    let answer = stage.come_back(&mut browser, &evil.answer(&asked, json!({ "sub": "108", "name": "Not May" }))).await;
    stage.id_token(&answer).await;
    assert_eq!(stage.count("users").await, 2);
}

each_engine!(mx_05_an_answer_works_once);
async fn mx_05_an_answer_works_once(engine: Engine) {
    let stage = Stage::with(engine, &[("providers.stub.sign_out", "false")]).await;
    let mut browser = stage.server.browser();
    let answer = stage.stub.answer(&stage.leave(&mut browser).await, may());
    let done = stage.come_back(&mut browser, &answer).await;
    stage.id_token(&done).await;
    let before = dump(&stage).await;
    expect_refusal(&come_back(&mut browser, &answer).await, &"a second time");
    dump(&stage).await.expect_same_as(&before);
    let page = browser.get("/logout").await.expect_status(200);
    browser.submit(&page.form("/logout"), Some("sign-out"), &[]).await;
    assert!(!stage.is_signed_in(&browser).await);
    let before = dump(&stage).await;
    expect_refusal(&come_back(&mut browser, &answer).await, &"after signing out");
    dump(&stage).await.expect_same_as(&before);
    assert!(!stage.is_signed_in(&browser).await);
    assert_eq!(stage.stub.requests("/token"), 1);
}

each_engine!(mx_05_of_many_at_once_one_is_let_in);
async fn mx_05_of_many_at_once_one_is_let_in(engine: Engine) {
    let stage = Stage::new(engine).await;
    let mut browser = stage.server.browser();
    let answer = stage.stub.answer(&stage.leave(&mut browser).await, may());
    let answers = crate::support::at_once(10, |_| {
        let (mut browser, answer) = (browser.clone(), answer.clone());
        async move { come_back(&mut browser, &answer).await }
    });
    let let_in = answers.await.into_iter().filter(|answer| answer.status.is_redirection()).count();
    assert_eq!(let_in, 1);
    assert_eq!(stage.stub.requests("/token"), 1);
    assert_eq!((stage.count("users").await, stage.count("browser_sessions").await), (1, 1));
}

each_engine!(mx_06_metadata_of_another_issuer_are_not_believed);
/// ASVS 10.5.3. Neither at first nor when they have been honest before.
async fn mx_06_metadata_of_another_issuer_are_not_believed(engine: Engine) {
    let stage = Stage::new(engine).await;
    stage.stub.set_fault(Fault::ForeignIssuer);
    let mut browser = stage.server.browser();
    let page = stage.flow.open(&mut browser).await.expect_status(200);
    let link = page.element("provider-stub").attribute("href").expect("a link").to_owned();
    let before = dump(&stage).await;
    expect_refusal(&browser.get(&link).await, &"at first");
    dump(&stage).await.expect_same_as(&before);
    stage.stub.set_fault(None);
    stage.server.advance_seconds(60);
    stage.sign_in(&mut stage.server.browser(), may()).await;

    let mut waiting = stage.server.browser();
    let request = stage.leave(&mut waiting).await;
    stage.stub.set_fault(Fault::ForeignIssuer);
    stage.server.advance(chrono::Duration::minutes(59));
    let before = dump(&stage).await;
    // A day later, what was known is too old: nothing holds that came with a lie.
    stage.server.advance(chrono::Duration::hours(1));
    expect_refusal(&come_back(&mut waiting, &stage.stub.answer(&request, may())).await, &"later");
    dump(&stage).await.expect_same_as(&before);
    let mut browser = stage.server.browser();
    let page = stage.flow.open(&mut browser).await.expect_status(200);
    let link = page.element("provider-stub").attribute("href").expect("a link").to_owned();
    expect_refusal(&browser.get(&link).await, &"later");
}

each_engine!(mx_09_what_a_provider_says_is_not_repeated);
/// An error of the provider's is a page of ours, with the way back to the sign-in, and its words in the log at most.
async fn mx_09_what_a_provider_says_is_not_repeated(engine: Engine) {
    let stage = Stage::new(engine).await;
    for (error, description) in [
        ("<script>alert(1)</script>", "\"><img src=x onerror=alert(2)>"),
        ("access_denied", "https://evil.example/\r\nSet-Cookie: a=b"),
        ("server_error", "stacktrace-of-the-provider"),
    ] {
        let mut browser = stage.server.browser();
        let request = stage.leave(&mut browser).await;
        let before = dump(&stage).await;
        let url = stage.stub.reply(&request, &[("error", error), ("error_description", description)]);
        let page = stage.come_back(&mut browser, &url).await;
        for word in ["<script>alert", "onerror", "evil.example", "stacktrace"] {
            assert!(!page.body.contains(word), "{word} {page:#?}");
        }
        assert!(page.header("content-type").starts_with("text/html"), "{page:#?}");
        assert!(!page.headers.contains_key("a"), "{page:#?}");
        dump(&stage).await.expect_same_as(&before);
        assert!(!stage.is_signed_in(&browser).await);
        // Whoever has changed their mind can go on from there.
        let request = stage.leave(&mut browser).await;
        let done = stage.come_back(&mut browser, &stage.stub.answer(&request, may())).await;
        stage.id_token(&done).await;
    }
    let kinds = lines(&stage.server, "SELECT kind AS line FROM audit_events WHERE kind LIKE 'provider%'").await;
    assert_eq!(kinds.len(), 3, "{kinds:?}");
}

each_engine!(what_is_no_provider_is_not_found);
/// MX-08: nor is one that is off.
async fn what_is_no_provider_is_not_found(engine: Engine) {
    let stage = Stage::with(
        engine,
        &[
            ("providers.off.issuer", "https://off.example"),
            ("providers.off.client_id", "us"),
            ("providers.off.client_secret", "secret"),
            ("providers.off.enabled", "false"),
        ],
    )
    .await;
    let mut browser = stage.server.browser();
    let page = stage.flow.open(&mut browser).await.expect_status(200);
    assert!(page.find_element("provider-stub").is_some(), "the control");
    assert!(page.find_element("provider-off").is_none() && page.find_element("provider-google").is_none());
    let before = dump(&stage).await;
    for name in ["off", "google", "nobody", "STUB", "%3Cscript%3E", "..%2Fstub"] {
        for path in ["sign-in", "callback?state=x&code=y", "backchannel-logout"] {
            let method = if path == "backchannel-logout" { Method::POST } else { Method::GET };
            let call = stage.server.call(method, &format!("/providers/{name}/{path}"));
            let answer = call.form(&[("logout_token", "x")]).send().await;
            assert!(matches!(answer.status.as_u16(), 400 | 404), "{name} {path} {answer:#?}");
            assert!(!answer.body.contains("<script>"), "{answer:#?}");
        }
    }
    dump(&stage).await.expect_same_as(&before);
}

async fn tell(server: &TestServer, token: &str) -> Answer {
    server.post("/providers/stub/backchannel-logout", &[("logout_token", token)]).await
}

each_engine!(c_110_a_logout_token_ends_the_sessions_it_names);
/// OpenID Connect Back-Channel Logout 1.0 §2.6, as the one who is told.
async fn c_110_a_logout_token_ends_the_sessions_it_names(engine: Engine) {
    let stage = Stage::new(engine).await;
    let of = |sid: &str| {
        let mut claims = may();
        claims["sid"] = sid.into();
        claims
    };
    let (mut first, mut second, mut third) = (stage.server.browser(), stage.server.browser(), stage.server.browser());
    stage.sign_in(&mut first, of("one")).await;
    stage.sign_in(&mut second, of("two")).await;
    let ada = made::person(&stage.server, "ada").await;
    stage.flow.sign_in(&mut third, &ada).await.code();
    let before = dump(&stage).await;
    for fault in LogoutFault::ALL {
        let token = stage.stub.logout_token(&json!({ "sub": "108", "sid": "one" }), fault);
        let refused = tell(&stage.server, &token).await.expect_status(400);
        assert_eq!(refused.header("cache-control"), "no-store", "{refused:#?}");
        dump(&stage).await.expect_same_as(&before);
        stage.server.advance_seconds(61);
    }
    let id_token = stage.stub.id_token(&stage.stub.client_id, &of("one"), None);
    for token in [stage.stub.logout_token(&json!({}), None), id_token, "x".to_owned(), String::new()] {
        tell(&stage.server, &token).await.expect_status(400);
    }
    stage.server.post("/providers/stub/backchannel-logout", &[]).await.expect_status(400);
    dump(&stage).await.expect_same_as(&before);
    for browser in [&first, &second, &third] {
        assert!(stage.is_signed_in(browser).await);
    }

    let token = stage.stub.logout_token(&json!({ "sub": "108", "sid": "one" }), None);
    tell(&stage.server, &token).await.expect_status(200);
    assert!(!stage.is_signed_in(&first).await);
    assert!(stage.is_signed_in(&second).await && stage.is_signed_in(&third).await);
    // Somebody else's session of that name, and one that nobody has.
    for about in [json!({ "sub": "109", "sid": "two" }), json!({ "sid": "three" }), json!({ "sub": "109" })] {
        tell(&stage.server, &stage.stub.logout_token(&about, None)).await.expect_status(200);
    }
    assert!(stage.is_signed_in(&second).await);
    tell(&stage.server, &stage.stub.logout_token(&json!({ "sub": "108" }), None)).await.expect_status(200);
    assert!(!stage.is_signed_in(&second).await);
    assert!(stage.is_signed_in(&third).await);
    // The old message ends no later session.
    stage.server.advance_seconds(90);
    stage.sign_in(&mut first, of("one")).await;
    tell(&stage.server, &token).await;
    assert!(stage.is_signed_in(&first).await);
}

each_engine!(addresses_of_the_way_back_are_what_they_should_be);
/// ASVS 4.2: no state, code or name of ours makes an answer that it should not.
async fn addresses_of_the_way_back_are_what_they_should_be(engine: Engine) {
    let stage = Stage::new(engine).await;
    let long = "x".repeat(9_000);
    let mut browser = stage.server.browser();
    let request = stage.leave(&mut browser).await;
    let answer = stage.stub.answer(&request, may());
    for (name, value) in [
        ("code", "<script>alert(1)</script>"),
        ("code", "a\r\nSet-Cookie: a=b"),
        ("code", "\u{0}"),
        ("code", ""),
        ("code", long.as_str()),
        ("state", "\u{1f600}"),
        ("state", long.as_str()),
    ] {
        let mut browser = stage.server.browser();
        let request = stage.leave(&mut browser).await;
        let own = stage.stub.answer(&request, may());
        let answer = come_back(&mut browser, &but(&own, name, Some(value))).await;
        assert!(answer.status.is_client_error() || answer.status.as_u16() == 502, "{name} {answer:#?}");
        assert!(!answer.body.contains("<script>alert"), "{answer:#?}");
        assert!(!stage.is_signed_in(&browser).await);
    }
    let done = stage.come_back(&mut browser, &answer).await;
    stage.id_token(&done).await;
}

each_engine!(a_sign_in_that_nobody_asked_for_starts_nothing_elsewhere);
/// The way to a provider ends at the provider, whatever the address says.
async fn a_sign_in_that_nobody_asked_for_starts_nothing_elsewhere(engine: Engine) {
    let stage = Stage::new(engine).await;
    for query in ["?interaction=made-up", "?next=https://evil.example", "?redirect_uri=https://evil.example/"] {
        let answer = stage.server.browser().get(&format!("/providers/stub/sign-in{query}")).await;
        if answer.status.is_redirection() {
            let to = answer.location();
            assert!(to.as_str().starts_with(&stage.stub.issuer), "{to}");
            let asked: Value = json!(unique_parameters(&to));
            assert!(!asked.to_string().contains("evil"), "{asked}");
        } else {
            assert!(answer.status.is_client_error(), "{answer:#?}");
        }
    }
    // Without an application one ends at home.
    let mut browser = stage.server.browser();
    let page = browser.get("/sign-in").await.expect_status(200);
    let request = leave_from(&page, &mut browser, "stub").await;
    let home = stage.come_back(&mut browser, &stage.stub.answer(&request, may())).await.expect_status(200);
    assert_eq!(home.url.path(), "/");
}
