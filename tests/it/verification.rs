//! Whose an address is: whoever opens the link that was mailed to it.

use bonafide::{
    audit::Source,
    identity::{AccountChange, Asking, IdentityError, NewAccount, Refusal},
};
use uuid::Uuid;

use crate::{
    engines::lines,
    mail::server_with_mail,
    support::{Answer, Browser, Engine, Flow, NewApplication, TestServer, at_once},
};

const GOOD: &str = "plum violin 42 harbour";

async fn sign_up(browser: &mut Browser, page: &str, email: &str, username: &str) -> Answer {
    let form = browser.get(page).await.expect_status(200).form("/sign-up");
    let typed = [("email", email), ("username", username), ("name", "Ada"), ("password", GOOD)];
    browser.submit(&form, Some("sign-up"), &typed).await
}

async fn verify(browser: &mut Browser, token: &str) -> Answer {
    let page = browser.get(&format!("/verify-email?token={token}")).await.expect_status(200);
    assert_eq!(page.header("referrer-policy"), "no-referrer");
    let form = page.form("/verify-email");
    browser.submit(&form, Some("verify-email"), &[]).await
}

async fn sign_in(browser: &mut Browser, login: &str) -> Answer {
    let form = browser.get("/sign-in").await.form("/sign-in");
    browser.submit(&form, Some("sign-in"), &[("username", login), ("password", GOOD)]).await
}

/// Somebody whose address is not verified yet.
async fn newcomer(server: &TestServer, email: &str) -> Uuid {
    let account =
        NewAccount { email: Some(email.to_owned()), password: Some(GOOD.to_owned()), ..NewAccount::default() };
    server.app().accounts.create(account).await.unwrap().id
}

async fn is_verified(server: &TestServer, who: &str) -> bool {
    server.app().accounts.find(who).await.unwrap().email_verified
}

fn bare(answer: &Answer) -> String {
    answer.body.replace(answer.header("x-request-id"), "")
}

fn nobody(source: &Source) -> Asking<'_> {
    Asking { source, language: None, interaction: None }
}

each_engine!(lg_03_signing_up_tells_nobody_who_has_an_account);
/// With mail, fresh and known addresses get one answer; what there is to say is in the mail.
async fn lg_03_signing_up_tells_nobody_who_has_an_account(engine: Engine) {
    let (server, mailbox) = server_with_mail(engine, &[]).await;
    let ada = server.person("ada").await;
    let mut browser = server.browser();
    let fresh = sign_up(&mut browser, "/sign-up", "new@example.org", "").await.expect_status(200);
    assert!(browser.get("/").await.find_element("sign-out").is_none());
    let first = mailbox.nth(1).await;
    assert_eq!(first.to, ["new@example.org"]);
    let users = lines(&server, "SELECT email || password_hash AS line FROM users ORDER BY email").await;
    let known = sign_up(&mut server.browser(), "/sign-up", &ada.email.to_uppercase(), "").await.expect_status(200);
    assert_eq!(bare(&fresh), bare(&known));
    assert_eq!(fresh.headers.keys().count(), known.headers.keys().count());
    let second = mailbox.nth(2).await;
    assert_eq!(second.to, std::slice::from_ref(&ada.email));
    assert_eq!(second.headers("subject"), ["You have an account at Bonafide already"]);
    let after = lines(&server, "SELECT email || password_hash AS line FROM users ORDER BY email").await;
    assert_eq!(users, after);
    // A username is no secret, whoever's the address is.
    for email in ["third@example.org", ada.email.as_str()] {
        sign_up(&mut server.browser(), "/sign-up", email, "ada").await.expect_status(422).element("username-fault");
    }
    mailbox.expect_no_more_than(2).await;
    // The account works, verified or not.
    sign_in(&mut browser, "new@example.org").await.expect_status(303);
}

each_engine!(al_21_one_account_and_one_answer_whoever_is_quicker);
async fn al_21_one_account_and_one_answer_whoever_is_quicker(engine: Engine) {
    let (server, _mailbox) = server_with_mail(engine, &[("limits.mails_an_hour", "20")]).await;
    let mut ready = Vec::new();
    for _ in 0..6 {
        let mut browser = server.browser();
        let form = browser.get("/sign-up").await.form("/sign-up");
        ready.push((browser, form));
    }
    let statuses = at_once(ready.len(), |n| {
        let (mut browser, form) = ready[n].clone();
        async move {
            let typed = [("email", "ada@example.org"), ("name", "Ada"), ("password", GOOD)];
            browser.submit(&form, Some("sign-up"), &typed).await.status.as_u16()
        }
    })
    .await;
    assert_eq!(statuses, [200; 6]);
    assert_eq!(lines(&server, "SELECT count(*) || '' AS line FROM users").await, ["1"]);
}

each_engine!(al_24_the_button_verifies_and_the_way_leads_back);
/// H3-12: for a day. A look at the link does nothing.
async fn al_24_the_button_verifies_and_the_way_leads_back(engine: Engine) {
    let (server, mailbox) = server_with_mail(engine, &[]).await;
    let flow = Flow::new(&server.application(NewApplication::default()).await);
    let mut browser = server.browser();
    let page = flow.open(&mut browser).await;
    let link = page.element("sign-up").attribute("href").expect("a link").to_owned();
    sign_up(&mut browser, &link, "ada@example.org", "").await.expect_status(200);
    let token = mailbox.nth(1).await.token();
    for _ in 0..3 {
        server.get(&format!("/verify-email?token={token}")).await.expect_status(200);
    }
    assert!(!is_verified(&server, "ada@example.org").await);
    // Nobody else's page presses the button.
    let fields = [("token", token.as_str()), ("csrf", "x")];
    server.browser().post("/verify-email", &fields).await.expect_status(403);
    let done = verify(&mut browser, &token).await.expect_status(200);
    assert!(is_verified(&server, "ada@example.org").await);
    let href = done.element("sign-in").attribute("href").expect("a link").to_owned();
    assert!(href.contains("interaction="), "{href}");
    browser.get(&href).await.expect_status(200).form("/sign-in");
    server.get(&format!("/verify-email?token={token}")).await.expect_status(400);

    sign_up(&mut server.browser(), "/sign-up", "late@example.org", "").await.expect_status(200);
    let token = mailbox.nth(2).await.token();
    server.advance_seconds(86_399);
    server.get(&format!("/verify-email?token={token}")).await.expect_status(200);
    server.advance_seconds(1);
    server.get(&format!("/verify-email?token={token}")).await.expect_status(400);
}

each_engine!(al_11_h3_20_a_link_verifies_the_address_it_was_mailed_to);
async fn al_11_h3_20_a_link_verifies_the_address_it_was_mailed_to(engine: Engine) {
    let (server, mailbox) = server_with_mail(engine, &[]).await;
    let id = newcomer(&server, "ada@example.org").await;
    let source = Source::default();
    server.app().accounts.request_verification(id, nobody(&source)).await.unwrap();
    let token = mailbox.nth(1).await.token();
    let change = |email: &str| AccountChange { email: Some(email.to_owned()), ..AccountChange::default() };
    server.app().accounts.update(&id.to_string(), change("other@example.org")).await.unwrap();
    let refused = server.app().accounts.verify_email(&token, None, &source).await;
    assert!(matches!(refused, Err(IdentityError::DeadLink)), "{refused:?}");
    assert!(!is_verified(&server, "other@example.org").await);
    // The same link is good for the address that it was mailed to.
    server.app().accounts.update(&id.to_string(), change("ada@example.org")).await.unwrap();
    server.app().accounts.verify_email(&token, None, &source).await.unwrap();
    assert!(is_verified(&server, "ada@example.org").await);
    // Who has verified their address gets no more links.
    server.app().accounts.request_verification(id, nobody(&source)).await.unwrap();
    mailbox.expect_no_more_than(1).await;
}

each_engine!(al_15_the_owner_of_the_address_throws_strangers_out);
async fn al_15_the_owner_of_the_address_throws_strangers_out(engine: Engine) {
    let (server, mailbox) = server_with_mail(engine, &[]).await;
    let id = newcomer(&server, "victim@example.org").await;
    let mut stranger = server.browser();
    sign_in(&mut stranger, "victim@example.org").await.expect_status(303);
    let source = Source::default();
    server.app().accounts.request_verification(id, nobody(&source)).await.unwrap();
    let token = mailbox.nth(1).await.token();
    assert!(stranger.get("/").await.find_element("sign-out").is_some());
    verify(&mut server.browser(), &token).await.expect_status(200);
    assert!(stranger.get("/").await.find_element("sign-out").is_none());

    // Who opens the link where they are signed in stays signed in.
    let id = newcomer(&server, "ada@example.org").await;
    let mut browser = server.browser();
    sign_in(&mut browser, "ada@example.org").await.expect_status(303);
    server.app().accounts.request_verification(id, nobody(&source)).await.unwrap();
    let token = mailbox.nth(2).await.token();
    verify(&mut browser, &token).await.expect_status(200);
    assert!(browser.get("/").await.find_element("sign-out").is_some());
}

each_engine!(al_13_another_address_by_its_owner_only);
async fn al_13_another_address_by_its_owner_only(engine: Engine) {
    let (server, mailbox) = server_with_mail(engine, &[]).await;
    let (ada, grace) = (server.person("ada").await, server.person("grace").await);
    let (id, source) = (ada.id.parse().unwrap(), Source::default());
    let accounts = &server.app().accounts;
    accounts.ask_new_email(id, "Ada@New.example", nobody(&source)).await.unwrap();
    mailbox.nth(2).await;
    let to = |address: &str| mailbox.received().into_iter().filter(|mail| mail.to == [address]).collect::<Vec<_>>();
    // The address that the account has hears of it at once, and does not learn the other.
    let asked = to(&ada.email).pop().expect("a notice");
    assert!(!asked.data.contains("New.example") && !asked.data.contains("token="), "{asked:#?}");
    let mail = to("Ada@New.example").pop().expect("a link");
    assert!(accounts.find(&ada.email).await.is_ok(), "nothing changes before");
    let page = server.get(&format!("/verify-email?token={}", mail.token())).await.expect_status(200);
    assert!(page.title().contains("new address"), "{page:#?}");
    verify(&mut server.browser(), &mail.token()).await.expect_status(200);
    let changed = accounts.find("ada@new.example").await.unwrap();
    assert!(changed.id == id && changed.email_verified);
    let notice = mailbox.nth(3).await;
    assert_eq!(notice.to, std::slice::from_ref(&ada.email));
    assert!(!notice.data.contains("New.example"), "{notice:#?}");

    // To one that somebody else has by the time the link is opened: refused, and nobody's account changes.
    accounts.ask_new_email(id, "late@example.org", nobody(&source)).await.unwrap();
    mailbox.nth(5).await;
    let token = to("late@example.org").pop().expect("a link").token();
    let late = AccountChange { email: Some("late@example.org".to_owned()), ..AccountChange::default() };
    accounts.update(&grace.id, late).await.unwrap();
    verify(&mut server.browser(), &token).await.expect_status(409);
    let refused = accounts.verify_email(&token, None, &source).await;
    assert!(matches!(refused, Err(IdentityError::Refused(Refusal::EmailTaken))), "{refused:?}");
    assert_eq!(accounts.find("ada@new.example").await.unwrap().id, id);
    assert_eq!(accounts.find("late@example.org").await.unwrap().id.to_string(), grace.id);
    // To somebody else's: asked alike, but the owner hears of it, and there is no link.
    accounts.ask_new_email(id, "late@example.org", nobody(&source)).await.unwrap();
    mailbox.nth(7).await;
    let told = to("late@example.org").pop().expect("a mail");
    assert!(!told.data.contains("token=") && told.text().contains("sign-in"), "{told:#?}");
    let refused = accounts.ask_new_email(id, "a@b@c", nobody(&source)).await;
    assert!(matches!(refused, Err(IdentityError::Refused(Refusal::EmailMalformed))), "{refused:?}");
}

each_engine!(where_addresses_must_be_verified_nobody_signs_in_before);
async fn where_addresses_must_be_verified_nobody_signs_in_before(engine: Engine) {
    let settings = [("accounts.require_verified_email", "true"), ("accounts.reveal_existing", "true")];
    let (server, mailbox) = server_with_mail(engine, &settings).await;
    let mut browser = server.browser();
    sign_up(&mut browser, "/sign-up", "ada@example.org", "ada").await.expect_status(200);
    assert!(browser.get("/").await.find_element("sign-out").is_none());
    mailbox.nth(1).await;
    // The wrong password says nothing about it.
    let form = browser.get("/sign-in").await.form("/sign-in");
    let wrong = [("username", "ada"), ("password", "wrong")];
    browser.submit(&form, Some("sign-in"), &wrong).await.expect_status(422);
    for _ in 0..6 {
        // The right password is no failed attempt.
        let answer = sign_in(&mut browser, "ada").await.expect_status(403);
        answer.element("send-verification");
    }
    let form = sign_in(&mut browser, "ada").await.form("/verify-email/send");
    browser.submit(&form, Some("send-verification"), &[]).await.expect_status(200);
    let token = mailbox.nth(2).await.token();
    verify(&mut browser, &token).await.expect_status(200);
    sign_in(&mut browser, "ada").await.expect_status(303);
    // Asking again for an address that is verified, or nobody's, is answered alike and mails nothing.
    let fields = |email: &str| {
        let mut fields = form.fields.clone();
        fields.retain(|(name, _)| name != "email");
        fields.push(("email".to_owned(), email.to_owned()));
        fields
    };
    let mut bodies = Vec::new();
    for email in ["ada@example.org", "nobody@example.org"] {
        let call = browser.call(reqwest::Method::POST, "/verify-email/send").form(&fields(email));
        bodies.push(bare(&browser.send(call).await.expect_status(200)));
    }
    assert_eq!(bodies[0], bodies[1]);
    mailbox.expect_no_more_than(2).await;
}
