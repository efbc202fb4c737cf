//! Which accounts at other providers are somebody's: added, taken, and never the last way in; and for whom one is made.

use bonafide::{adapter::NewLink, audit::Source, identity::NewAccount};
use reqwest::Method;
use serde_json::{Value, json};
use url::Url;

use crate::{
    engines::lines,
    provider_faults::dump,
    providers::{Stage, come_back, may, prove_by_code},
    support::{Answer, Browser, Engine, Fault, Form, Person, Stub, at_once, made},
};

/// A server with two providers, `stub` and `second`.
async fn with_second(engine: Engine, more: &[(&str, &str)]) -> (Stage, Stub) {
    let (stub, second) = (Stub::listen().await, Stub::listen().await);
    let mut settings = [stub.settings("stub"), second.settings("second")].concat();
    settings.retain(|(name, _)| name != "outgoing.allow");
    settings.push(("outgoing.allow".to_owned(), format!("{},{}", stub.address, second.address)));
    let stage = Stage::at(stub, &settings, engine, more).await;
    second.follow(stage.server.clock());
    (stage, second)
}

/// The form on the page of somebody who is signed in that links an account at a provider.
async fn link_form(browser: &mut Browser, provider: &str) -> Form {
    browser.get("/account/providers").await.expect_status(200).form(&format!("/providers/{provider}/link"))
}

/// Begins to link an account: where the browser is sent.
async fn begin(browser: &mut Browser, provider: &str) -> Url {
    let form = link_form(browser, provider).await;
    browser.submit(&form, Some(&format!("link-{provider}")), &[]).await.expect_status(303).location()
}

async fn links(stage: &Stage) -> Vec<String> {
    lines(&stage.server, "SELECT provider || ' ' || account_id AS line FROM linked_accounts ORDER BY 1").await
}

#[track_caller]
fn expect_no_account(answer: &Answer) {
    assert_eq!(answer.status, 403, "{answer:#?}");
    assert!(answer.body.contains("no account for you"), "{answer:#?}");
}

each_engine!(al_19_ways_in_are_added_and_taken_and_the_last_one_stays);
async fn al_19_ways_in_are_added_and_taken_and_the_last_one_stays(engine: Engine) {
    let (stage, second) = with_second(engine, &[]).await;
    let mut browser = stage.server.browser();
    let first = stage.sign_in(&mut browser, may()).await;
    let other = json!({ "sub": "elsewhere", "email": "private@example.net", "email_verified": true, "name": "M" });
    let request = begin(&mut browser, "second").await;
    let done = stage.come_back(&mut browser, &second.answer(&request, other.clone())).await.expect_status(200);
    assert_eq!(done.url.path(), "/account/providers");
    assert_eq!(links(&stage).await, ["second elsewhere", "stub 108"]);
    // It is a way in, and her address is what it was.
    let mut another = stage.server.browser();
    let request = stage.leave_for(&stage.flow, &mut another, "second").await;
    let answer = stage.come_back(&mut another, &second.answer(&request, other)).await;
    let told = stage.id_token(&answer).await;
    assert_eq!((&told["sub"], &told["email"]), (&first["sub"], &first["email"]));

    let shown: Value = stage.server.cli(&["user", "links", "may@example.org", "--json"]).await.expect_success().json();
    assert_eq!(shown.as_array().map(Vec::len), Some(2), "{shown}");
    let ada = made::person(&stage.server, "ada").await;
    // Of somebody else, nothing; of May, the one; and not the other.
    let unlink =
        async |who: &str, provider: &str| stage.server.cli(&["user", "unlink", who, provider]).await.status.code();
    assert_ne!(unlink(&ada.email, "second").await, Some(0));
    assert_eq!(links(&stage).await.len(), 2);
    assert_eq!(unlink("may@example.org", "second").await, Some(0));
    assert_ne!(unlink("may@example.org", "stub").await, Some(0));
    assert_eq!(links(&stage).await, ["stub 108"]);
    assert_eq!(stage.sign_in(&mut stage.server.browser(), may()).await["sub"], first["sub"]);
}

each_engine!(al_20_an_account_that_is_somebodys_stays_theirs);
async fn al_20_an_account_that_is_somebodys_stays_theirs(engine: Engine) {
    let (stage, second) = with_second(engine, &[]).await;
    stage.sign_in(&mut stage.server.browser(), may()).await;
    let ada = made::person(&stage.server, "ada").await;
    let mut browser = stage.server.browser();
    stage.flow.sign_in(&mut browser, &ada).await.code();
    let request = begin(&mut browser, "stub").await;
    let before = dump(&stage).await;
    let refused = come_back(&mut browser, &stage.stub.answer(&request, may())).await;
    assert_eq!(refused.status, 409, "{refused:#?}");
    dump(&stage).await.expect_same_as(&before);

    // Two people at once with one account there: one of them has it.
    let grace = made::person(&stage.server, "grace").await;
    let mut others = Vec::new();
    for person in [&ada, &grace] {
        let mut browser = stage.server.browser();
        stage.flow.sign_in(&mut browser, person).await.code();
        let request = begin(&mut browser, "second").await;
        others.push((browser, second.answer(&request, json!({ "sub": "shared" }))));
    }
    let others = std::sync::Arc::new(others);
    let answers = at_once(2, |n| {
        let others = std::sync::Arc::clone(&others);
        async move {
            let (browser, answer) = &others[n];
            come_back(&mut browser.clone(), answer).await.status.as_u16()
        }
    });
    let mut answers = answers.await;
    answers.sort_unstable();
    assert_eq!(answers, [303, 409]);
    assert_eq!(links(&stage).await, ["second shared", "stub 108"]);
}

each_engine!(nobody_links_an_account_for_somebody_else);
/// The form is the person's own, of a session that is young, and the browser that comes back is theirs still.
async fn nobody_links_an_account_for_somebody_else(engine: Engine) {
    let (stage, second) = with_second(engine, &[("providers.stub.sign_out", "false")]).await;
    let mut browser = stage.server.browser();
    stage.sign_in(&mut browser, may()).await;
    let form = link_form(&mut browser, "second").await;
    let before = dump(&stage).await;
    let token = form.value("csrf").expect("a token").to_owned();
    let path = "/providers/second/link";
    browser.post(path, &[]).await.expect_status(403);
    browser.post(path, &[("csrf", "made-up")]).await.expect_status(403);
    let foreign = browser.call(Method::POST, path).header("sec-fetch-site", "cross-site").form(&[("csrf", &token)]);
    browser.send(foreign).await.expect_status(403);
    let mut stranger = stage.server.browser();
    let refused = stranger.post(path, &[("csrf", &token)]).await;
    assert!(!refused.header("location").contains("authorize"), "{refused:#?}");
    dump(&stage).await.expect_same_as(&before);
    stage.server.advance_seconds(16 * 60);
    browser.post(path, &[("csrf", &token)]).await.expect_status(403);
    assert_eq!(links(&stage).await, ["stub 108"]);

    // Begun by May, ended in a browser where Ada is signed in by now.
    let mut browser = stage.server.browser();
    stage.sign_in(&mut browser, may()).await;
    let request = begin(&mut browser, "second").await;
    let page = browser.get("/logout").await.expect_status(200);
    browser.submit(&page.form("/logout"), Some("sign-out"), &[]).await;
    let ada = made::person(&stage.server, "ada").await;
    stage.flow.sign_in(&mut browser, &ada).await.code();
    let refused = come_back(&mut browser, &second.answer(&request, json!({ "sub": "x" }))).await;
    assert!(refused.status.is_client_error(), "{refused:#?}");
    assert_eq!(links(&stage).await, ["stub 108"]);
}

each_engine!(al_16_what_a_stranger_has_linked_goes_with_the_proof_of_the_mailbox);
/// The trojan identifier: an account with another's address, to which its maker links their own.
async fn al_16_what_a_stranger_has_linked_goes_with_the_proof_of_the_mailbox(engine: Engine) {
    let (stage, mailbox) = Stage::with_mail(engine, &[("accounts.require_verified_email", "false")]).await;
    let account = NewAccount {
        email: Some("may@example.org".to_owned()),
        username: Some("mallory".to_owned()),
        password: Some("plum violin 42 harbour".to_owned()),
        ..NewAccount::default()
    };
    let id = stage.server.app().accounts.create(account).await.expect("an account").id.to_string();
    let mallory = Person {
        id,
        username: "mallory".to_owned(),
        email: String::new(),
        name: String::new(),
        password: "plum violin 42 harbour".to_owned(),
    };
    let trojan = json!({ "sub": "666", "name": "Mallory" });
    let mut browser = stage.server.browser();
    stage.flow.sign_in(&mut browser, &mallory).await.code();
    let refused = {
        let form = link_form(&mut browser, "stub").await;
        browser.submit(&form, None, &[]).await
    };
    assert_eq!(refused.status, 403, "{refused:#?}");
    // By another front end's word.
    let planted = NewLink {
        user_id: mallory.id.parse().expect("an id"),
        provider: "stub".to_owned(),
        account_id: "666".to_owned(),
        kind: "oidc".to_owned(),
    };
    stage.server.app().adapter.link(planted, &Source::default()).await.expect("it is kept");
    assert_eq!(stage.sign_in(&mut stage.server.browser(), trojan.clone()).await["sub"], mallory.id, "the control");
    assert_eq!(links(&stage).await, ["stub 666"]);

    let mut browser = stage.server.browser();
    let page = stage.arrive(&mut browser, may()).await.expect_status(200);
    let done = prove_by_code(&mut browser, &page, &mailbox).await;
    let mays = stage.id_token(&done).await;
    assert_eq!(mays["email"], "may@example.org");
    assert_eq!(links(&stage).await, ["stub 108"]);
    let stranger = stage.sign_in(&mut stage.server.browser(), trojan).await;
    assert_ne!(stranger["sub"], mays["sub"]);
}

each_engine!(al_16_an_account_without_a_password_is_no_safer);
/// The same where another front end has made the account, which never had a password.
async fn al_16_an_account_without_a_password_is_no_safer(engine: Engine) {
    let (stage, mailbox) = Stage::with_mail(engine, &[]).await;
    let account = NewAccount { email: Some("may@example.org".to_owned()), ..NewAccount::default() };
    let planted = stage.server.app().accounts.create(account).await.expect("an account").id;
    let (provider, account_id, kind) = ("stub".to_owned(), "666".to_owned(), "oidc".to_owned());
    let link = NewLink { user_id: planted, provider, account_id, kind };
    stage.server.app().adapter.link(link, &Source::default()).await.expect("it is kept");
    assert_eq!(links(&stage).await, ["stub 666"], "the control");
    let mut browser = stage.server.browser();
    let page = stage.arrive(&mut browser, may()).await.expect_status(200);
    let done = prove_by_code(&mut browser, &page, &mailbox).await;
    assert_eq!(stage.id_token(&done).await["sub"], planted.to_string());
    assert_eq!(links(&stage).await, ["stub 108"]);
}

each_engine!(accounts_are_made_for_whom_they_may_be_made);
async fn accounts_are_made_for_whom_they_may_be_made(engine: Engine) {
    let new = |email: &str| json!({ "sub": email, "email": email, "email_verified": true, "name": "New" });
    let stage = Stage::with(engine, &[("accounts.sign_up_domains", "example.org")]).await;
    for email in ["eve@example.com", "eve@sub.example.org", "eve@example.org.evil.example", "eve@notexample.org"] {
        let before = dump(&stage).await;
        expect_no_account(&stage.arrive(&mut stage.server.browser(), new(email)).await);
        dump(&stage).await.expect_same_as(&before);
    }
    let told = stage.sign_in(&mut stage.server.browser(), new("new@Example.org")).await;
    assert_eq!(told["email"], "new@Example.org");

    for off in [("providers.stub.sign_up", "false"), ("accounts.sign_up", "false")] {
        let stage = Stage::with(engine, &[off]).await;
        let ada = made::person(&stage.server, "ada").await;
        let before = dump(&stage).await;
        expect_no_account(&stage.arrive(&mut stage.server.browser(), may()).await);
        dump(&stage).await.expect_same_as(&before);
        // Whoever has one links it.
        let page = stage.arrive(&mut stage.server.browser(), new(&ada.email)).await.expect_status(200);
        assert_eq!(page.url.path(), "/providers/link", "{page:#?}");
    }
}

each_engine!(a_provider_that_hangs_is_given_up);
async fn a_provider_that_hangs_is_given_up(engine: Engine) {
    let stage = Stage::new(engine).await;
    let mut browser = stage.server.browser();
    let page = stage.flow.open(&mut browser).await.expect_status(200);
    let link = page.element("provider-stub").attribute("href").expect("a link").to_owned();
    for (fault, limit) in [(Fault::DiscoveryHangs, 8), (Fault::TokenHangs, 8)] {
        let mut browser = browser.clone();
        let began = std::time::Instant::now();
        let refused = if fault == Fault::DiscoveryHangs {
            stage.stub.set_fault(fault);
            browser.get(&link).await
        } else {
            let request = stage.leave(&mut browser).await;
            stage.stub.set_fault(fault);
            come_back(&mut browser, &stage.stub.answer(&request, may())).await
        };
        assert_eq!(refused.status, 502, "{fault:?} {refused:#?}");
        assert!(began.elapsed().as_secs() < limit, "{fault:?} {:?}", began.elapsed());
        stage.stub.set_fault(None);
        stage.server.advance_seconds(60);
    }
    assert_eq!(stage.count("users").await, 0);
    stage.sign_in(&mut stage.server.browser(), may()).await;
}
