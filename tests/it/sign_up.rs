//! Making an account oneself.

use reqwest::Method;
use serde_json::Value;

use crate::support::{Answer, Browser, Flow, Form, NewApplication, Person, TestServer};

const QUICK: [(&str, &str); 2] = [("passwords.memory", "19456"), ("passwords.iterations", "1")];
const GOOD: &str = "plum violin 42 harbour";

async fn form(browser: &mut Browser) -> Form {
    browser.get("/sign-up").await.expect_status(200).form("/sign-up")
}

async fn submit(browser: &mut Browser, form: &Form, email: &str, username: &str, name: &str, password: &str) -> Answer {
    let typed = [("email", email), ("username", username), ("name", name), ("password", password)];
    browser.submit(form, Some("sign-up"), &typed).await
}

/// Makes an account by the page; the browser is signed in with it.
pub(crate) async fn expect_account(browser: &mut Browser, email: &str, password: &str) {
    let form = form(browser).await;
    submit(browser, &form, email, "", "Ada Lovelace", password).await.expect_status(303);
}

fn expect_fault(answer: &Answer, field: &str) {
    assert_eq!(answer.status, 422, "{answer:#?}");
    assert!(answer.title().starts_with("Error:"), "{answer:#?}");
    answer.element("summary");
    if !field.is_empty() {
        assert_eq!(answer.element(field).attribute("aria-invalid"), Some("true"), "{answer:#?}");
        answer.element(&format!("{field}-fault"));
    }
}

both_engines!(the_account_works_and_is_signed_in with super::QUICK);
async fn the_account_works_and_is_signed_in(server: TestServer) {
    let application = server.application(NewApplication::default()).await;
    let flow = Flow::new(&application);
    let mut browser = server.browser();
    // From the application's sign-in page, and on to the application.
    let page = flow.open(&mut browser).await;
    let link = page.element("sign-up").attribute("href").expect("a link").to_owned();
    let form = browser.get(&link).await.expect_status(200).form("/sign-up");
    let made = submit(&mut browser, &form, "Ada@Example.org", "ada", "Ada Lovelace", GOOD).await.expect_status(303);
    let form = browser.follow(made).await.form("/authorize/consent");
    let answer = browser.submit(&form, Some("consent-allow"), &[]).await;
    let tokens = flow.exchange(&server.wire(), flow.reply(&answer).expect("an answer").code()).await.expect_tokens();
    let userinfo = server.call(Method::GET, "/userinfo").bearer(&tokens.access_token()).send().await;
    let claims: Value = userinfo.expect_status(200).json();
    assert_eq!(claims["email"], "Ada@Example.org");
    assert_eq!(claims["email_verified"], false);
    assert_eq!(claims["name"], "Ada Lovelace");
    assert_eq!(claims["preferred_username"], "ada");

    // In another browser, by either name, in any case.
    for username in ["ada", "ADA", "ada@example.ORG"] {
        let person = Person {
            id: String::new(),
            username: username.to_owned(),
            email: String::new(),
            name: String::new(),
            password: GOOD.to_owned(),
        };
        flow.sign_in(&mut server.browser(), &person).await.code();
    }
}

both_engines!(without_an_application_one_is_signed_in_at_home with super::QUICK);
async fn without_an_application_one_is_signed_in_at_home(server: TestServer) {
    let mut browser = server.browser();
    let form = form(&mut browser).await;
    let made = submit(&mut browser, &form, "ada@example.org", "", "Ada", GOOD).await.expect_status(303);
    assert_eq!(made.header("location"), "/");
    assert!(browser.follow(made).await.find_element("sign-out").is_some());
}

both_engines!(lg_22_weak_passwords_are_refused_with_a_reason with super::QUICK);
async fn lg_22_weak_passwords_are_refused_with_a_reason(server: TestServer) {
    let mut browser = server.browser();
    let form = form(&mut browser).await;
    let before = server.dump().await;
    let long = "x9".repeat(65);
    for (password, reason) in [
        ("short 7", "8 characters or more"),
        ("Password1!", "Many people use this password"),
        ("1234567890", "Many people use this password"),
        ("aaaaaaaaaaaa", "Many people use this password"),
        ("lovelace1", "too close to your name"),
        ("adal.example", "too close to your name"),
        ("bonafide2026", "too close to your name"),
        ("localhost99", "too close to your name"),
        (&long, "128 characters at most"),
    ] {
        let answer = submit(&mut browser, &form, "adal@example.org", "adal", "Ada Lovelace", password).await;
        expect_fault(&answer, "password");
        assert!(answer.body.contains(reason), "{password}: {answer:#?}");
        assert!(!answer.body.contains(password), "{password}: {answer:#?}");
    }
    server.dump().await.expect_same_as(&before);
    // No composition rules: eight letters that nobody guesses will do.
    submit(&mut browser, &form, "adal@example.org", "adal", "Ada Lovelace", "tpwqzknm").await.expect_status(303);
}

both_engines!(a_refused_form_keeps_what_was_typed_but_not_the_password with super::QUICK);
async fn a_refused_form_keeps_what_was_typed_but_not_the_password(server: TestServer) {
    let mut browser = server.browser();
    let form = form(&mut browser).await;
    let answer = submit(&mut browser, &form, "ada at \"example\"", "ada", "Ada <i>", "tpwqzknm").await;
    expect_fault(&answer, "email");
    let again = answer.form("/sign-up");
    assert_eq!(again.value("email"), Some("ada at \"example\""));
    assert_eq!(again.value("username"), Some("ada"));
    assert_eq!(again.value("name"), Some("Ada <i>"));
    assert_eq!(again.value("password"), Some(""));
    assert!(!answer.body.contains("tpwqzknm") && !answer.body.contains("<i>"), "{answer:#?}");

    let empty = submit(&mut browser, &form, "", "", "", "").await;
    for field in ["email", "name", "password"] {
        expect_fault(&empty, field);
    }
    assert!(empty.element("username").attribute("aria-invalid").is_none(), "{empty:#?}");
}

both_engines!(lg_18_addresses_that_nobody_can_write_to with super::QUICK);
async fn lg_18_addresses_that_nobody_can_write_to(server: TestServer) {
    let mut browser = server.browser();
    let form = form(&mut browser).await;
    let before = server.dump().await;
    let long = format!("{}@example.org", "a".repeat(300));
    for email in [
        "ada",
        "ada@",
        "@example.org",
        "ada@example",
        "a@b@example.org",
        "ada＠example.org",
        "victim@x.org,ada@example.org",
        "ada@example.org\r\nBcc: eve@example.org",
        "\"a b\"@example.org",
        "ada(c)@example.org",
        "a\u{200b}da@example.org",
        "ada@example.org.",
        &long,
    ] {
        let answer = submit(&mut browser, &form, email, "", "Ada", GOOD).await;
        expect_fault(&answer, "email");
    }
    for username in ["a", "аdmin", "ada lovelace", "ada@example.org", "-ada", "<b>ada"] {
        let answer = submit(&mut browser, &form, "ada@example.org", username, "Ada", GOOD).await;
        expect_fault(&answer, "username");
    }
    let answer = submit(&mut browser, &form, "ada@example.org", "", &"A".repeat(201), GOOD).await;
    expect_fault(&answer, "name");
    server.dump().await.expect_same_as(&before);
}

both_engines!(lg_03_a_taken_address_is_not_told with super::QUICK);
/// Without mail somebody must be refused; the sentence fits other reasons too, and no field is pointed at.
async fn lg_03_a_taken_address_is_not_told(server: TestServer) {
    let ada = server.person("ada").await;
    let mut browser = server.browser();
    let form = form(&mut browser).await;
    let before = server.dump().await;
    for email in [ada.email.as_str(), "ADA@example.org"] {
        let answer = submit(&mut browser, &form, email, "", "Ada", GOOD).await;
        expect_fault(&answer, "");
        assert!(answer.element("email").attribute("aria-invalid").is_none(), "{answer:#?}");
        for told in ["has an account", "taken", "exists"] {
            assert!(!answer.body.contains(told), "{answer:#?}");
        }
    }
    // A username is what others see: that one is taken is no secret.
    for username in ["ada", "ADA"] {
        let answer = submit(&mut browser, &form, "new@example.org", username, "Ada", GOOD).await;
        expect_fault(&answer, "username");
    }
    server.dump().await.expect_same_as(&before);
    // Nobody goes through a list in this way.
    submit(&mut browser, &form, &ada.email, "", "Ada", GOOD).await.expect_status(422);
    let closed = submit(&mut browser, &form, &ada.email, "", "Ada", GOOD).await.expect_status(429);
    assert!(!closed.header("retry-after").is_empty(), "{closed:#?}");
}

both_engines!(a_taken_address_is_told_where_that_is_set with
    [super::QUICK[0], super::QUICK[1], ("accounts.reveal_existing", "true")]);
async fn a_taken_address_is_told_where_that_is_set(server: TestServer) {
    let ada = server.person("ada").await;
    let mut browser = server.browser();
    let form = form(&mut browser).await;
    let answer = submit(&mut browser, &form, &ada.email, "", "Ada", GOOD).await;
    expect_fault(&answer, "email");
    assert!(answer.body.contains("has an account already"), "{answer:#?}");
}

both_engines!(lg_19_one_account_whoever_is_quicker with super::QUICK);
async fn lg_19_one_account_whoever_is_quicker(server: TestServer) {
    let mut browsers = Vec::new();
    for n in 0..6 {
        let mut browser = server.browser();
        let form = form(&mut browser).await;
        browsers.push((browser, form, ["ada@example.org", "ADA@Example.org"][n % 2]));
    }
    let answers = crate::support::at_once(browsers.len(), |n| {
        let (mut browser, form, email) = browsers[n].clone();
        async move { submit(&mut browser, &form, email, "", "Ada", GOOD).await.status.as_u16() }
    })
    .await;
    assert_eq!(answers.iter().filter(|status| **status == 303).count(), 1, "{answers:?}");
    assert!(answers.iter().all(|status| matches!(status, 303 | 422 | 429)), "{answers:?}");
}

both_engines!(where_nobody_may_sign_up_there_is_no_page with [("accounts.sign_up", "false")]);
async fn where_nobody_may_sign_up_there_is_no_page(server: TestServer) {
    let mut browser = server.browser();
    browser.get("/sign-up").await.expect_status(404);
    let fields = [("email", "ada@example.org"), ("name", "Ada"), ("password", GOOD), ("csrf", "x")];
    let before = server.dump().await;
    browser.post("/sign-up", &fields).await.expect_status(404);
    server.dump().await.expect_same_as(&before);
    for page in ["/", "/sign-in"] {
        assert!(browser.get(page).await.expect_status(200).find_element("sign-up").is_none(), "{page}");
    }
}

both_engines!(accounts_can_be_for_some_domains_only with
    [super::QUICK[0], super::QUICK[1], ("accounts.sign_up_domains", "example.com,corp.example.net")]);
async fn accounts_can_be_for_some_domains_only(server: TestServer) {
    // Operators make whom they like; that somebody is known is not told.
    let ada = server.person("ada").await;
    assert!(ada.email.ends_with("@example.org"), "{ada:?}");
    let mut browser = server.browser();
    let form = form(&mut browser).await;
    let before = server.dump().await;
    for email in [
        ada.email.as_str(),
        "grace@example.org",
        "grace@sub.example.com",
        "grace@example.com.example.org",
        "grace@notexample.com",
        "grace@example.net",
    ] {
        let answer = submit(&mut browser, &form, email, "", "Grace", GOOD).await;
        expect_fault(&answer, "email");
        assert!(answer.body.contains("certain organisations only"), "{email}: {answer:#?}");
    }
    let malformed = submit(&mut browser, &form, "grace", "", "Grace", GOOD).await;
    assert!(malformed.body.contains("the whole address"), "{malformed:#?}");
    server.dump().await.expect_same_as(&before);
    for email in ["Grace@Example.COM", "ada@corp.example.net"] {
        expect_account(&mut server.browser(), email, GOOD).await;
    }
}

both_engines!(fields_suit_password_managers);
async fn fields_suit_password_managers(server: TestServer) {
    let page = server.browser().get("/sign-up").await.expect_status(200);
    assert_eq!(page.element("email").attribute("autocomplete"), Some("username"));
    assert_eq!(page.element("name").attribute("autocomplete"), Some("name"));
    assert_eq!(page.element("password").attribute("autocomplete"), Some("new-password"));
    assert_eq!(page.element("password").attribute("type"), Some("password"));
    assert_eq!(page.element("sign-in").attribute("href"), Some("/sign-in"));
}
