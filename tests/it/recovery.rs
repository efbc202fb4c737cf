//! A new password by a mailed link: once, for an hour, for the one who reads the mail, and nobody else learns anything.

use bonafide::{
    audit::Source,
    identity::{AccountChange, NewAccount},
};
use reqwest::Method;

use crate::{
    engines::lines,
    mail::{forgot, server_with_mail},
    support::{
        Answer, Browser, Engine, Flow, Form, NewApplication, Person, TestServer, at_once,
        made::{self, SignedIn},
    },
};

const NEW: &str = "granite 7 otter lamps";

async fn page(browser: &mut Browser, token: &str) -> Form {
    browser.get(&format!("/reset-password?token={token}")).await.expect_status(200).form("/reset-password")
}

async fn reset(browser: &mut Browser, token: &str, password: &str) -> Answer {
    let form = page(browser, token).await;
    browser.submit(&form, Some("reset-password"), &[("password", password)]).await
}

async fn sign_in(server: &TestServer, login: &str, password: &str) -> Answer {
    let mut browser = server.browser();
    let form = browser.get("/sign-in").await.form("/sign-in");
    browser.submit(&form, Some("sign-in"), &[("username", login), ("password", password)]).await
}

fn expect_dead(answer: Answer) {
    let answer = answer.expect_status(400);
    assert!(answer.body.contains("does not work any more"), "{answer:#?}");
}

/// What differs from page to page, taken out.
fn bare(answer: &Answer) -> String {
    let mut body = answer.body.clone();
    for form in answer.forms() {
        body = body.replace(form.value("csrf").unwrap_or("-"), "");
    }
    body.replace(answer.header("x-request-id"), "")
}

each_engine!(h3_15_a_reset_ends_everything_and_tells_the_person);
/// AL-03, AL-07, AL-15: the link does its work once, signs nobody in, and throws everybody else out.
async fn h3_15_a_reset_ends_everything_and_tells_the_person(engine: Engine) {
    let (server, mailbox) = server_with_mail(engine, &[]).await;
    let offline = |flow: Flow| flow.with("scope", "openid offline_access").with("prompt", "consent");
    let signed_in = SignedIn::with(&server, made::draft(), offline).await;
    let ada = &signed_in.person;
    forgot(&mut server.browser(), &ada.email).await.expect_status(200);
    let mail = mailbox.nth(1).await;
    assert!(mail.link().starts_with(&format!("{}/reset-password?token=bfm_", server.issuer())), "{}", mail.link());
    signed_in.expect_live(&signed_in.tokens.access_token()).await;

    let mut browser = server.browser();
    let done = reset(&mut browser, &mail.token(), NEW).await.expect_status(200);
    assert!(browser.get("/").await.find_element("sign-out").is_none(), "{done:#?}");
    signed_in.expect_dead(&signed_in.tokens.access_token()).await;
    signed_in.expect_refused(&signed_in.tokens.refresh_token()).await;
    assert!(signed_in.browser.clone().get("/").await.find_element("sign-out").is_none());
    sign_in(&server, &ada.email, &ada.password).await.expect_status(422);
    sign_in(&server, &ada.email, NEW).await.expect_status(303);
    let notice = mailbox.nth(2).await;
    assert_eq!(notice.headers("subject"), ["Your Bonafide password was changed"]);
    assert!(!notice.text().contains("://"), "{notice:#?}");
    assert!(server.app().accounts.find(&ada.email).await.unwrap().email_verified);
    // Once.
    expect_dead(server.get(&format!("/reset-password?token={}", mail.token())).await);
    let kinds =
        lines(&server, "SELECT kind AS line FROM audit_events WHERE kind LIKE 'password_reset%' ORDER BY kind").await;
    assert_eq!(kinds, ["password_reset", "password_reset_asked"]);
}

each_engine!(lg_04_nobody_learns_who_has_an_account);
/// H3-17, H3-18.
async fn lg_04_nobody_learns_who_has_an_account(engine: Engine) {
    let (server, mailbox) = server_with_mail(engine, &[]).await;
    let (ada, off) = (server.person("ada").await, server.person("off").await);
    server.app().accounts.set_disabled(&off.id, true).await.unwrap();
    let known = forgot(&mut server.browser(), &ada.email).await.expect_status(200);
    for other in ["nobody@example.org", off.email.as_str()] {
        let unknown = forgot(&mut server.browser(), other).await.expect_status(200);
        assert_eq!(bare(&known), bare(&unknown));
        assert_eq!(known.headers.keys().collect::<Vec<_>>(), unknown.headers.keys().collect::<Vec<_>>());
    }
    let refused = forgot(&mut server.browser(), "not an address").await.expect_status(422);
    refused.element("email-fault");
    mailbox.expect_no_more_than(1).await;
    assert_eq!(mailbox.received()[0].to, [ada.email]);
}

/// The same questions to the database, so that the time tells nothing either (LG-02).
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn lg_02_known_and_unknown_cost_the_same() {
    let settings = [("limits.mails_an_hour", "1000"), ("limits.address_failures", "1000")];
    let (server, mailbox) = server_with_mail(Engine::Postgres, &settings).await;
    let ada = server.person("ada").await;
    // Mails that wait are no business of this test.
    mailbox.refuse(1_000);
    let mut browser = server.browser();
    forgot(&mut browser, &ada.email).await.expect_status(200);
    server.settled().await;
    // PostgreSQL forgets statements while other tests keep it busy: some rounds say nothing.
    for _ in 0..20 {
        let (mut known, mut unknown) = (Vec::new(), Vec::new());
        for (email, asked) in [(ada.email.as_str(), &mut known), ("nobody@example.org", &mut unknown)] {
            let (_, statements) = server.statements_during(forgot(&mut browser, email)).await;
            let tables = ["mailed_tokens", "attempts", "audit_events", "users"];
            *asked = statements.into_iter().filter(|sql| tables.iter().any(|table| sql.contains(table))).collect();
            // What the sender does with the mail is its own affair.
            asked.retain(|sql| sql.starts_with("INSERT") || sql.starts_with("SELECT"));
            // The same statement is kept with its literals or without them.
            for sql in asked.iter_mut() {
                *sql = sql.split(" (").next().unwrap_or_default().split(", ").next().unwrap_or_default().to_owned();
            }
        }
        if known.len() >= 6 && unknown.len() >= 6 {
            assert_eq!(known, unknown);
            return;
        }
    }
    panic!("the statements were never all counted");
}

each_engine!(al_01_links_lead_to_the_issuer_whatever_was_sent);
async fn al_01_links_lead_to_the_issuer_whatever_was_sent(engine: Engine) {
    let (server, mailbox) = server_with_mail(engine, &[]).await;
    let ada = server.person("ada").await;
    let mut browser = server.browser();
    let form = browser.get("/forgot-password").await.form("/forgot-password");
    let mut fields = form.fields.clone();
    fields.retain(|(field, _)| field != "email");
    fields.push(("email".to_owned(), ada.email.clone()));
    let mut call = browser.call(Method::POST, "/forgot-password").form(&fields);
    for (name, value) in [
        ("host", "evil.example"),
        ("x-forwarded-host", "evil.example"),
        ("forwarded", "host=evil.example"),
        ("referer", "https://evil.example/"),
    ] {
        call = call.header(name, value);
    }
    browser.send(call).await.expect_status(200);
    let mail = mailbox.nth(1).await;
    assert!(mail.link().starts_with(&format!("{}/reset-password?", server.issuer())), "{mail:#?}");
    assert!(!mail.data.contains("evil"), "{mail:#?}");
}

each_engine!(al_04_only_the_latest_link_is_good);
async fn al_04_only_the_latest_link_is_good(engine: Engine) {
    let (server, mailbox) = server_with_mail(engine, &[]).await;
    let ada = server.person("ada").await;
    let mut tokens = Vec::new();
    for n in 1..=3 {
        forgot(&mut server.browser(), &ada.email).await.expect_status(200);
        tokens.push(mailbox.nth(n).await.token());
    }
    for old in &tokens[..2] {
        expect_dead(server.get(&format!("/reset-password?token={old}")).await);
    }
    page(&mut server.browser(), &tokens[2]).await;
    // An operator's new password makes it void too.
    server.app().accounts.set_password(&ada.id, NEW).await.unwrap();
    expect_dead(server.get(&format!("/reset-password?token={}", tokens[2])).await);
}

each_engine!(al_06_guesses_and_late_comers);
/// H3-12, TJ-15: one hour, to the second.
async fn al_06_guesses_and_late_comers(engine: Engine) {
    let (server, mailbox) = server_with_mail(engine, &[]).await;
    let ada = server.person("ada").await;
    forgot(&mut server.browser(), &ada.email).await.expect_status(200);
    let token = mailbox.nth(1).await.token();
    let longer = format!("{token}A");
    for wrong in ["", "bfm_", &token[..46], &longer, &token.to_uppercase(), &"A".repeat(47), "bfm_%00", &token[4..]] {
        expect_dead(server.get(&format!("/reset-password?token={wrong}")).await);
    }
    // It is no token of anything else (AL-08, H3-11).
    made::userinfo(&server.wire(), &token).await.expect_status(401);
    expect_dead(server.get(&format!("/verify-email?token={token}")).await);
    server.advance_seconds(3_599);
    let mut browser = server.browser();
    let form = page(&mut browser, &token).await;
    server.advance_seconds(1);
    expect_dead(server.get(&format!("/reset-password?token={token}")).await);
    expect_dead(browser.submit(&form, Some("reset-password"), &[("password", NEW)]).await);
    let refused = server.app().accounts.reset_password(&token, NEW, &Source::default()).await;
    assert!(matches!(refused, Err(bonafide::identity::IdentityError::DeadLink)), "{refused:?}");
}

each_engine!(al_24_looking_at_a_link_uses_nothing_up);
/// AL-03, H3-14: and of many who press the button at once, one succeeds.
async fn al_24_looking_at_a_link_uses_nothing_up(engine: Engine) {
    let (server, mailbox) = server_with_mail(engine, &[]).await;
    let ada = server.person("ada").await;
    forgot(&mut server.browser(), &ada.email).await.expect_status(200);
    let token = mailbox.nth(1).await.token();
    for method in [Method::GET, Method::HEAD, Method::GET] {
        server.call(method, &format!("/reset-password?token={token}")).send().await.expect_status(200);
    }
    // A password that is not taken leaves the link alive; somebody else's page cannot press the button.
    let mut browser = server.browser();
    let answer = reset(&mut browser, &token, "password1").await.expect_status(422);
    answer.element("password-fault");
    let fields = [("token", token.as_str()), ("password", NEW), ("csrf", "x")];
    browser.post("/reset-password", &fields).await.expect_status(403);
    let mut ready = Vec::new();
    for _ in 0..4 {
        let mut browser = server.browser();
        let form = page(&mut browser, &token).await;
        ready.push((browser, form));
    }
    let statuses = at_once(ready.len(), |n| {
        let (mut browser, form) = ready[n].clone();
        async move { browser.submit(&form, Some("reset-password"), &[("password", NEW)]).await.status.as_u16() }
    })
    .await;
    assert_eq!(statuses.iter().filter(|status| **status == 200).count(), 1, "{statuses:?}");
    assert_eq!(statuses.iter().filter(|status| **status == 400).count(), 3, "{statuses:?}");
}

each_engine!(al_11_a_link_is_good_for_the_address_it_was_mailed_to);
async fn al_11_a_link_is_good_for_the_address_it_was_mailed_to(engine: Engine) {
    let (server, mailbox) = server_with_mail(engine, &[]).await;
    let ada = server.person("ada").await;
    forgot(&mut server.browser(), &ada.email).await.expect_status(200);
    let token = mailbox.nth(1).await.token();
    page(&mut server.browser(), &token).await;
    let change = AccountChange { email: Some("other@example.org".to_owned()), ..AccountChange::default() };
    server.app().accounts.update(&ada.id, change).await.unwrap();
    expect_dead(server.get(&format!("/reset-password?token={token}")).await);
}

each_engine!(al_09_three_mails_an_hour);
/// H3-19: whoever has an address is not buried in mail, and the answer does not tell.
async fn al_09_three_mails_an_hour(engine: Engine) {
    let (server, mailbox) = server_with_mail(engine, &[("limits.address_failures", "7")]).await;
    let (ada, grace) = (server.person("ada").await, server.person("grace").await);
    for (n, spelling) in [(1, ada.email.clone()), (2, ada.email.to_uppercase()), (3, ada.email.clone())] {
        forgot(&mut server.browser(), &spelling).await.expect_status(200);
        mailbox.nth(n).await;
    }
    forgot(&mut server.browser(), &ada.email).await.expect_status(200);
    mailbox.expect_no_more_than(3).await;
    // The last link that came still works, and others get theirs.
    let token = mailbox.received()[2].token();
    page(&mut server.browser(), &token).await;
    forgot(&mut server.browser(), &grace.email).await.expect_status(200);
    mailbox.nth(4).await;
    server.advance_seconds(3_601);
    forgot(&mut server.browser(), &ada.email).await.expect_status(200);
    mailbox.nth(5).await;
    // Who asks for many in a row has to wait, whoever they are for.
    for _ in 0..6 {
        forgot(&mut server.browser(), "nobody@example.org").await.expect_status(200);
    }
    let closed = forgot(&mut server.browser(), "nobody@example.org").await.expect_status(429);
    assert!(!closed.header("retry-after").is_empty(), "{closed:#?}");
}

each_engine!(ac_17_the_address_of_the_page_is_told_to_nobody);
/// AL-02.
async fn ac_17_the_address_of_the_page_is_told_to_nobody(engine: Engine) {
    let (server, mailbox) = server_with_mail(engine, &[]).await;
    let ada = server.person("ada").await;
    forgot(&mut server.browser(), &ada.email).await.expect_status(200);
    let token = mailbox.nth(1).await.token();
    let page = server.browser().get(&format!("/reset-password?token={token}")).await.expect_status(200);
    assert_eq!(page.header("referrer-policy"), "no-referrer");
    assert_eq!(page.header("cache-control"), "no-store");
    for (tag, attribute) in [("script", "src"), ("link", "href"), ("img", "src"), ("a", "href")] {
        for element in page.elements(tag) {
            let href = element.attribute(attribute).unwrap_or("/");
            assert!(href.starts_with('/') && !href.contains(&token), "{element:?}");
        }
    }
    assert_eq!(page.element("password").attribute("autocomplete"), Some("new-password"));
    // A browser that says nothing of itself, as it does from such a page, may send the form.
    let mut browser = server.browser();
    let form = self::page(&mut browser, &token).await;
    let mut fields = form.fields.clone();
    fields.retain(|(field, _)| field != "password");
    fields.push(("password".to_owned(), NEW.to_owned()));
    let call = browser.call(Method::POST, "/reset-password").form(&fields).header("origin", "null");
    browser.send(call).await.expect_status(200);
}

each_engine!(back_to_the_application_that_waits);
async fn back_to_the_application_that_waits(engine: Engine) {
    let (server, mailbox) = server_with_mail(engine, &[]).await;
    let ada = server.person("ada").await;
    let flow = Flow::new(&server.application(NewApplication::default()).await);
    let mut browser = server.browser();
    let page = flow.open(&mut browser).await;
    let link = page.element("forgot-password").attribute("href").expect("a link").to_owned();
    assert!(link.contains("interaction="), "{link}");
    let form = browser.get(&link).await.expect_status(200).form("/forgot-password");
    browser.submit(&form, Some("send-reset"), &[("email", &ada.email)]).await.expect_status(200);
    let token = mailbox.nth(1).await.token();
    let done = reset(&mut browser, &token, NEW).await.expect_status(200);
    let href = done.element("sign-in").attribute("href").expect("a link").to_owned();
    let form = browser.get(&href).await.expect_status(200).form("/sign-in");
    let typed = [("username", ada.username.as_str()), ("password", NEW)];
    let answer = browser.submit(&form, Some("sign-in"), &typed).await.expect_status(303);
    let answer = browser.follow(answer).await;
    let answer = match answer.forms().into_iter().find(|form| form.action == "/authorize/consent") {
        Some(form) => browser.submit(&form, Some("consent-allow"), &[]).await,
        None => answer,
    };
    flow.reply(&answer).expect("an answer").code();

    // In another browser the request is nobody's; one signs in at home.
    forgot(&mut server.browser(), &ada.email).await.expect_status(200);
    let token = mailbox.nth(3).await.token();
    let done = reset(&mut server.browser(), &token, "second tidal lantern 9").await.expect_status(200);
    assert_eq!(done.element("sign-in").attribute("href"), Some("/sign-in"));
}

each_engine!(al_05_a_link_is_for_its_own_account_whatever_comes_with_it);
async fn al_05_a_link_is_for_its_own_account_whatever_comes_with_it(engine: Engine) {
    let (server, mailbox) = server_with_mail(engine, &[]).await;
    let (ada, eve) = (server.person("ada").await, server.person("eve").await);
    forgot(&mut server.browser(), &eve.email).await.expect_status(200);
    let token = mailbox.nth(1).await.token();
    // The JSON API takes nothing that it does not know, and the link stays good.
    for (name, value) in [("email", &ada.email), ("userId", &ada.id), ("username", &ada.username)] {
        let body = serde_json::json!({"newPassword": NEW, name: value});
        let call = server.call(Method::POST, &format!("/auth/reset-password/{token}")).json(&body);
        call.send().await.expect_status(400);
    }
    let mut browser = server.browser();
    let form = page(&mut browser, &token).await;
    let mut fields = form.fields.clone();
    fields.retain(|(field, _)| field != "password");
    for (name, value) in [("password", NEW), ("email", &ada.email), ("userId", &ada.id), ("user_id", &ada.id)] {
        fields.push((name.to_owned(), value.to_owned()));
    }
    let call = browser.call(Method::POST, "/reset-password").form(&fields);
    browser.send(call).await.expect_status(200);
    sign_in(&server, &ada.email, NEW).await.expect_status(422);
    sign_in(&server, &ada.email, &ada.password).await.expect_status(303);
    sign_in(&server, &eve.email, NEW).await.expect_status(303);
}

each_engine!(al_10_somebody_without_a_password_gets_one_by_their_mailbox);
/// Nothing changes before the link is used; then whoever was signed in by another provider has to come again.
async fn al_10_somebody_without_a_password_gets_one_by_their_mailbox(engine: Engine) {
    const SECRET: &str = "an adapter secret of 32 characters";
    let (server, mailbox) = server_with_mail(engine, &[("adapter.secret", SECRET)]).await;
    let adapter = async |method: Method, path: &str, body: serde_json::Value| -> serde_json::Value {
        let call = server.call(method, &format!("/adapter{path}")).header("x-auth-secret", SECRET).json(&body);
        call.send().await.expect_status(200).json()
    };
    let email = "grace@example.org";
    let user = adapter(Method::POST, "/signup", serde_json::json!({"email": email})).await;
    let expires = (server.now() + chrono::Duration::days(1)).to_rfc3339();
    let session = serde_json::json!({"sessionToken": "s1", "userId": user["id"], "expires": expires});
    adapter(Method::POST, "/create-session", session).await;
    let lives = async || {
        let call = server.call(Method::GET, "/adapter/get-session/s1").header("x-auth-secret", SECRET);
        call.send().await.expect_status(200).json::<serde_json::Value>().is_object()
    };
    let people = async || server.dump().await.get("users").cloned();
    let before = people().await;
    forgot(&mut server.browser(), email).await.expect_status(200);
    let token = mailbox.nth(1).await.token();
    page(&mut server.browser(), &token).await;
    assert_eq!(people().await, before);
    assert!(lives().await);
    sign_in(&server, email, NEW).await.expect_status(422);
    reset(&mut server.browser(), &token, NEW).await.expect_status(200);
    assert!(!lives().await);
    sign_in(&server, email, NEW).await.expect_status(303);
}

each_engine!(al_16_what_a_stranger_has_linked_goes_when_the_owner_comes);
/// A stranger makes an account with somebody's address and links an account of their own. It goes when the owner proves the
/// mailbox; what people link to an address that is theirs stays.
async fn al_16_what_a_stranger_has_linked_goes_when_the_owner_comes(engine: Engine) {
    const SECRET: &str = "an adapter secret of 32 characters";
    let (server, mailbox) = server_with_mail(engine, &[("adapter.secret", SECRET)]).await;
    let verified = server.person("ada").await;
    let account = NewAccount {
        email: Some("victim@example.org".to_owned()),
        password: Some("plum violin 42 harbour".to_owned()),
        ..NewAccount::default()
    };
    let proof = server.app().accounts.sign_up(account, &Source::default()).await.unwrap();
    let adapter = async |method: Method, path: &str, body: serde_json::Value| -> serde_json::Value {
        let call = server.call(method, &format!("/adapter{path}")).header("x-auth-secret", SECRET).json(&body);
        call.send().await.expect_status(200).json()
    };
    let mut mails = 0;
    for (user, email, stays) in [
        (verified.id.as_str(), verified.email.as_str(), true),
        (&proof.user_id.to_string(), "victim@example.org", false),
    ] {
        let link =
            serde_json::json!({"userId": user, "type": "oauth", "provider": "google", "providerAccountId": email});
        adapter(Method::POST, "/link-account", link).await;
        forgot(&mut server.browser(), email).await.expect_status(200);
        let token = mailbox.nth(mails + 1).await.token();
        reset(&mut server.browser(), &token, NEW).await.expect_status(200);
        // The link, and the word that the password is a new one: the next link may be quicker than that.
        mails += 2;
        mailbox.nth(mails).await;
        let linked = server.call(Method::GET, &format!("/adapter/get-user-by-account/google/{email}"));
        let linked: serde_json::Value = linked.header("x-auth-secret", SECRET).send().await.expect_status(200).json();
        assert_eq!(linked.is_object(), stays, "{email}: {linked}");
    }
    let events = lines(&server, "SELECT detail AS line FROM audit_events WHERE kind = 'account_unlinked'").await;
    assert_eq!(events, [r#"{"provider":"google"}"#]);
}

each_engine!(links_of_a_front_end);
async fn links_of_a_front_end(engine: Engine) {
    let links =
        [("mail.links.reset", "https://app.example/reset?step=2"), ("mail.links.verify", "https://app.example/verify")];
    let (server, mailbox) = server_with_mail(engine, &links).await;
    let ada = server.person("ada").await;
    forgot(&mut server.browser(), &ada.email).await.expect_status(200);
    let mail = mailbox.nth(1).await;
    assert!(mail.link().starts_with("https://app.example/reset?step=2&token=bfm_"), "{}", mail.link());
    let person = Person { password: NEW.to_owned(), ..ada };
    let token = mail.token();
    server.app().accounts.reset_password(&token, NEW, &Source::default()).await.unwrap();
    sign_in(&server, &person.email, NEW).await.expect_status(303);
}

each_engine!(links_that_are_over_are_swept);
async fn links_that_are_over_are_swept(engine: Engine) {
    let (server, mailbox) = server_with_mail(engine, &[]).await;
    let ada = server.person("ada").await;
    forgot(&mut server.browser(), &ada.email).await.expect_status(200);
    mailbox.nth(1).await;
    let count = async || lines(&server, "SELECT count(*) || '' AS line FROM mailed_tokens").await.remove(0);
    while bonafide::server::sweep_once(server.app()).await.unwrap() > 0 {}
    assert_eq!(count().await, "1");
    server.advance_seconds(3_700);
    while bonafide::server::sweep_once(server.app()).await.unwrap() > 0 {}
    assert_eq!(count().await, "0");
}
