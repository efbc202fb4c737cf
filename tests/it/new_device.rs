//! Somebody signs in where their account's owner was not seen before: the owner is told, once.

use bonafide::{
    audit::Source,
    identity::{AccountChange, NewAccount},
};
use reqwest::Method;
use serde_json::json;

use crate::{
    engines::lines,
    mail::server_with_mail,
    support::{Answer, Browser, Engine, Person, TestServer},
};

const FIREFOX: &str = "Mozilla/5.0 (X11; Linux x86_64; rv:145.0) Gecko/20100101 Firefox/145.0";

async fn sign_in(browser: &mut Browser, person: &Person, password: &str) -> Answer {
    let form = browser.get("/sign-in").await.expect_status(200).form("/sign-in");
    let mut fields = form.fields.clone();
    fields.retain(|(name, _)| name != "username" && name != "password");
    fields.push(("username".to_owned(), person.username.clone()));
    fields.push(("password".to_owned(), password.to_owned()));
    let call = browser.call(Method::POST, "/sign-in").form(&fields);
    browser.send(call.header("user-agent", FIREFOX)).await
}

/// Signs in and closes the browser.
async fn visit(browser: &mut Browser, person: &Person) {
    sign_in(browser, person, &person.password).await.expect_status(303);
    browser.close();
}

async fn login(server: &TestServer, person: &Person, user_agent: &str) {
    let body = json!({"email": person.email, "password": person.password});
    let call = server.call(Method::POST, "/auth/login").header("user-agent", user_agent).json(&body);
    call.send().await.expect_status(200);
}

each_engine!(a_sign_in_on_a_new_device_is_told_to_its_owner);
async fn a_sign_in_on_a_new_device_is_told_to_its_owner(engine: Engine) {
    let (server, mailbox) = server_with_mail(engine, &[]).await;
    let ada = server.person("ada").await;
    let (mut first, mut second) = (server.browser(), server.browser());
    // The first of all is no news, and neither is where they were before.
    for _ in 0..3 {
        visit(&mut first, &ada).await;
    }
    mailbox.expect_no_more_than(0).await;
    // Nor is a password that was wrong.
    sign_in(&mut second, &ada, "not the password").await.expect_status(422);
    mailbox.expect_no_more_than(0).await;
    visit(&mut second, &ada).await;
    let mail = mailbox.nth(1).await;
    assert_eq!(mail.to, [ada.email.as_str()]);
    assert_eq!(mail.headers("subject"), ["New sign-in to your Bonafide account"]);
    for part in [mail.text(), mail.html()] {
        assert!(part.contains("on a device that we have not seen you on before"), "{part}");
        assert!(part.contains("Firefox on Linux") && part.contains("127.0.0.1"), "{part}");
        assert!(part.contains(&server.now().format("%Y-%m-%d, %H:%M UTC").to_string()), "{part}");
        assert!(part.contains(&format!("{}/forgot-password", server.issuer())), "{part}");
        assert!(part.contains("If it was not, choose a new password at once"), "{part}");
        assert!(!part.contains("Mozilla"), "{part}");
    }
    assert!(mail.html().contains("<html lang=\"en\""), "{}", mail.html());
    for _ in 0..2 {
        visit(&mut second, &ada).await;
        visit(&mut first, &ada).await;
    }
    mailbox.expect_no_more_than(1).await;
    let met = lines(&server, "SELECT detail AS line FROM audit_events WHERE kind = 'device_met'").await;
    assert_eq!(met, [r#"{"mailed":true}"#]);
    // OP-02: what tells the device is not in the database.
    for (name, value) in first.cookie_pairs() {
        assert!(!server.dump_tables(&[]).await.values().flatten().any(|row| row.contains(&value)), "{name}");
    }
}

each_engine!(people_who_share_a_browser_are_each_known_on_it);
async fn people_who_share_a_browser_are_each_known_on_it(engine: Engine) {
    let (server, mailbox) = server_with_mail(engine, &[]).await;
    let (ada, bob) = (server.person("ada").await, server.person("bob").await);
    visit(&mut server.browser(), &bob).await;
    let mut shared = server.browser();
    visit(&mut shared, &ada).await;
    visit(&mut shared, &bob).await;
    assert_eq!(mailbox.nth(1).await.to, [bob.email.as_str()]);
    for person in [&ada, &bob, &ada] {
        visit(&mut shared, person).await;
    }
    mailbox.expect_no_more_than(1).await;
}

each_engine!(a_front_end_that_signs_people_in_is_one_device);
/// A program keeps no cookies: what it calls itself and the network it is in tell it apart, so that its people are not told of
/// every sign-in.
async fn a_front_end_that_signs_people_in_is_one_device(engine: Engine) {
    let (server, mailbox) = server_with_mail(engine, &[]).await;
    let (ada, bob) = (server.person("ada").await, server.person("bob").await);
    visit(&mut server.browser(), &ada).await;
    for version in 1..4 {
        login(&server, &ada, &format!("axios/1.{version}.0")).await;
        login(&server, &bob, &format!("axios/1.{version}.0")).await;
    }
    assert_eq!(mailbox.nth(1).await.to, [ada.email.as_str()]);
    mailbox.expect_no_more_than(1).await;
    login(&server, &bob, "curl/8.5.0").await;
    assert_eq!(mailbox.nth(2).await.to, [bob.email.as_str()]);
    mailbox.expect_no_more_than(2).await;
}

each_engine!(the_language_and_the_address_of_the_notice);
async fn the_language_and_the_address_of_the_notice(engine: Engine) {
    let (server, mailbox) = server_with_mail(engine, &[]).await;
    let ada = server.person("ada").await;
    let claims = vec![("locale".to_owned(), json!("de"))];
    server.app().accounts.update(&ada.id, AccountChange { claims, ..AccountChange::default() }).await.unwrap();
    visit(&mut server.browser(), &ada).await;
    visit(&mut server.browser(), &ada).await;
    let mail = mailbox.nth(1).await;
    assert_eq!(mail.headers("subject"), ["Neue Anmeldung an Ihrem Konto bei Bonafide"]);
    assert!(mail.text().contains("auf dem wir Sie noch nicht gesehen haben"), "{}", mail.text());
    assert!(mail.html().contains("<html lang=\"de\"") && mail.html().contains("Firefox auf Linux"), "{}", mail.html());

    // An address that nobody has proven may be a stranger's.
    let eve = Person { username: "eve".to_owned(), email: "eve@example.org".to_owned(), ..ada.clone() };
    let account = NewAccount {
        email: Some(eve.email.clone()),
        username: Some(eve.username.clone()),
        name: Some("Eve".to_owned()),
        password: Some(eve.password.clone()),
        ..NewAccount::default()
    };
    server.app().accounts.sign_up(account, &Source::default()).await.unwrap();
    visit(&mut server.browser(), &eve).await;
    visit(&mut server.browser(), &eve).await;
    mailbox.expect_no_more_than(1).await;
    // Of the same millisecond: in no order.
    let mut met = lines(&server, "SELECT detail AS line FROM audit_events WHERE kind = 'device_met'").await;
    met.sort();
    assert_eq!(met, [r#"{"mailed":false}"#, r#"{"mailed":true}"#]);
}

each_engine!(one_setting_turns_the_notice_off);
async fn one_setting_turns_the_notice_off(engine: Engine) {
    let (server, mailbox) = server_with_mail(engine, &[("mail.new_device_notice", "false")]).await;
    let ada = server.person("ada").await;
    visit(&mut server.browser(), &ada).await;
    visit(&mut server.browser(), &ada).await;
    mailbox.expect_no_more_than(0).await;
}

each_engine!(however_many_devices_somebody_goes_through_few_are_kept);
async fn however_many_devices_somebody_goes_through_few_are_kept(engine: Engine) {
    let (server, _mailbox) = server_with_mail(engine, &[("mail.new_device_notice", "false")]).await;
    let ada = server.person("ada").await;
    let mut first = server.browser();
    visit(&mut first, &ada).await;
    for n in 0..24 {
        server.advance_seconds(1);
        login(&server, &ada, &format!("program{n}")).await;
    }
    assert_eq!(lines(&server, "SELECT seen_at || '' AS line FROM devices").await.len(), 20);
    visit(&mut first, &ada).await;
    server.app().accounts.delete(&ada.id).await.unwrap();
    assert!(lines(&server, "SELECT seen_at || '' AS line FROM devices").await.is_empty());
}
