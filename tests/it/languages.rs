//! Every page and every mail in one language: the application's wish, then the person's choice, then the browser's.

use bonafide::identity::AccountChange;
use reqwest::Method;
use serde_json::{Value, json};

use crate::{
    mail::server_with_mail,
    support::{Answer, Browser, Engine, Flow, NewApplication, TestServer},
};

async fn get(browser: &mut Browser, path: &str, accept_language: &str) -> Answer {
    let call = browser.call(Method::GET, path).header("accept-language", accept_language);
    browser.send(call).await.expect_status(200)
}

#[track_caller]
fn expect_german(answer: &Answer) {
    assert!(answer.body.contains("<html lang=\"de\" dir=\"ltr\">"), "{answer:#?}");
    assert!(!answer.body.contains("Sign "), "{answer:#?}");
}

#[track_caller]
fn expect_english(answer: &Answer) {
    assert!(answer.body.contains("<html lang=\"en\" dir=\"ltr\">"), "{answer:#?}");
}

each_engine!(c_51_the_language_of_a_page);
async fn c_51_the_language_of_a_page(engine: Engine) {
    let (server, _mailbox) = server_with_mail(engine, &[]).await;
    let ada = server.person("ada").await;
    for path in ["/", "/sign-in", "/sign-up", "/forgot-password"] {
        expect_german(&get(&mut server.browser(), path, "de-AT, en;q=0.5").await);
        expect_english(&get(&mut server.browser(), path, "fr, en;q=0.5, de;q=0.1").await);
    }
    // An application's wish comes first.
    let flow = Flow::new(&server.application(NewApplication::default()).await);
    expect_german(&flow.clone().with("ui_locales", "fr de-CH en").open(&mut server.browser()).await);
    // Then what somebody has chosen who is signed in.
    let mut browser = server.browser();
    let form = browser.get("/sign-in").await.form("/sign-in");
    let typed = [("username", ada.username.as_str()), ("password", ada.password.as_str())];
    browser.submit(&form, Some("sign-in"), &typed).await.expect_status(303);
    expect_english(&get(&mut browser, "/", "en").await);
    let claims = vec![("locale".to_owned(), json!("de-DE"))];
    server.app().accounts.update(&ada.id, AccountChange { claims, ..AccountChange::default() }).await.unwrap();
    expect_german(&get(&mut browser, "/", "en").await);
    let consent = flow.begin(&mut browser).await;
    expect_german(&browser.follow(consent).await);
    let consent = flow.clone().with("ui_locales", "en").begin(&mut browser).await;
    expect_english(&browser.follow(consent).await);
}

each_engine!(the_language_of_a_mail);
async fn the_language_of_a_mail(engine: Engine) {
    let (server, mailbox) = server_with_mail(engine, &[]).await;
    let ada = server.person("ada").await;
    let ask = async |accept_language: &str| {
        let mut browser = server.browser();
        let form = get(&mut browser, "/forgot-password", accept_language).await.form("/forgot-password");
        let mut fields = form.fields.clone();
        fields.retain(|(name, _)| name != "email");
        fields.push(("email".to_owned(), ada.email.clone()));
        let call = browser.call(Method::POST, "/forgot-password").form(&fields);
        browser.send(call.header("accept-language", accept_language)).await.expect_status(200);
    };
    ask("de").await;
    let mail = mailbox.nth(1).await;
    assert!(mail.text().contains("hat um ein neues Passwort für Ihr Konto"), "{}", mail.text());
    assert!(mail.html().contains("<html lang=\"de\"") && mail.link().contains("token="), "{}", mail.html());
    // Whoever asks, the reader's choice counts.
    let claims = vec![("locale".to_owned(), json!("en"))];
    server.app().accounts.update(&ada.id, AccountChange { claims, ..AccountChange::default() }).await.unwrap();
    ask("de").await;
    assert_eq!(mailbox.nth(2).await.headers("subject"), ["Choose a new password for Bonafide"]);
}

both_engines!(c_24_discovery_names_the_languages);
async fn c_24_discovery_names_the_languages(server: TestServer) {
    let document: Value = server.get("/.well-known/openid-configuration").await.json();
    assert_eq!(document["ui_locales_supported"], json!(["en", "de"]));
}
