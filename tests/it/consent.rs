//! Consent: a person is asked once for what an application wants, says yes or no, and nobody says it for them.

use reqwest::Method;
use serde_json::Value;

use crate::support::{Answer, Browser, Flow, Form, NewApplication, TestServer};

/// An application on the web: it can prove itself, so it is asked about once.
const WEB: &[&str] = &["https://app.example.com/cb"];

fn web(name: &str) -> NewApplication<'_> {
    NewApplication { name, redirect_uris: WEB, ..NewApplication::default() }
}

fn asks(answer: &Answer) -> bool {
    answer.find_element("consent-allow").is_some()
}

/// Opens a request in a browser that is signed in; stops unless the consent page comes.
async fn expect_asked(flow: &Flow, browser: &mut Browser) -> Answer {
    let page = flow.open(browser).await.expect_status(200);
    assert!(asks(&page), "{page:#?}");
    page
}

/// Opens a request in a browser that is signed in; stops unless the code comes at once.
async fn expect_code_at_once(flow: &Flow, browser: &mut Browser) {
    let answer = flow.begin(browser).await;
    flow.reply(&answer).unwrap_or_else(|| panic!("a page: {answer:#?}")).code();
}

both_engines!(is_remembered_for_client_and_scopes);
async fn is_remembered_for_client_and_scopes(server: TestServer) {
    let ada = server.person("ada").await;
    let application = server.application(web("Demo")).await;
    let other = server.application(web("Other")).await;
    let narrow = Flow::new(&application).with("scope", "openid profile");
    let mut browser = server.browser();
    narrow.sign_in(&mut browser, &ada).await.code();

    expect_code_at_once(&narrow, &mut browser).await;
    expect_code_at_once(&narrow.clone().with("scope", "openid"), &mut browser).await;
    expect_code_at_once(&narrow.clone().with("scope", "profile openid"), &mut browser).await;
    // More than was allowed, and another application.
    let wider = narrow.clone().with("scope", "openid profile email");
    expect_asked(&wider, &mut browser).await;
    expect_asked(&Flow::new(&other).with("scope", "openid"), &mut browser).await;

    // Allowed, the larger set is the one that counts, in another browser too.
    wider.sign_in(&mut browser, &ada).await.code();
    expect_code_at_once(&wider, &mut browser).await;
    let mut elsewhere = server.browser();
    let form = wider.open(&mut elsewhere).await.form("/sign-in");
    let typed = [("username", ada.username.as_str()), ("password", ada.password.as_str())];
    let answer = elsewhere.submit(&form, Some("sign-in"), &typed).await;
    let answer = elsewhere.follow(answer).await;
    assert!(wider.reply(&answer).is_some(), "{answer:#?}");

    // And for nobody else.
    let bob = server.person("bob").await;
    let mut browser = server.browser();
    let form = narrow.open(&mut browser).await.form("/sign-in");
    let typed = [("username", bob.username.as_str()), ("password", bob.password.as_str())];
    let answer = browser.submit(&form, Some("sign-in"), &typed).await;
    assert!(asks(&browser.follow(answer).await));
}

both_engines!(first_parties_are_not_asked_about);
async fn first_parties_are_not_asked_about(server: TestServer) {
    let ada = server.person("ada").await;
    let application = server.application(NewApplication { first_party: true, ..web("House") }).await;
    let flow = Flow::new(&application);
    let mut browser = server.browser();
    let form = flow.open(&mut browser).await.form("/sign-in");
    let typed = [("username", ada.username.as_str()), ("password", ada.password.as_str())];
    let answer = browser.submit(&form, Some("sign-in"), &typed).await;
    let answer = browser.follow(answer).await;
    let reply = flow.reply(&answer).unwrap_or_else(|| panic!("a page: {answer:#?}"));
    flow.exchange(&server.wire(), reply.code()).await.expect_tokens();

    expect_asked(&flow.with("prompt", "consent"), &mut browser).await;
}

both_engines!(prompt_consent_asks_again);
async fn prompt_consent_asks_again(server: TestServer) {
    let ada = server.person("ada").await;
    let application = server.application(web("Demo")).await;
    let flow = Flow::new(&application);
    let mut browser = server.browser();
    flow.sign_in(&mut browser, &ada).await.code();
    expect_code_at_once(&flow, &mut browser).await;
    let again = flow.clone().with("prompt", "consent");
    let page = expect_asked(&again, &mut browser).await;
    let answer = browser.submit(&page.form("/authorize/consent"), Some("consent-allow"), &[]).await;
    again.reply(&answer).expect("an answer").code();
    // A no this time is a no, and does not undo the yes of before.
    let page = expect_asked(&again, &mut browser).await;
    let answer = browser.submit(&page.form("/authorize/consent"), Some("consent-deny"), &[]).await;
    again.reply(&answer).expect("an answer").expect_error(&again, server.issuer(), "access_denied");
    expect_code_at_once(&flow, &mut browser).await;
}

both_engines!(a_no_gives_nothing);
/// Requirement 56.
async fn a_no_gives_nothing(server: TestServer) {
    let ada = server.person("ada").await;
    let application = server.application(web("Demo")).await;
    let flow = Flow::new(&application).with("state", "a b&c");
    let mut browser = server.browser();
    let form = flow.open(&mut browser).await.form("/sign-in");
    let typed = [("username", ada.username.as_str()), ("password", ada.password.as_str())];
    let answer = browser.submit(&form, Some("sign-in"), &typed).await;
    let page = browser.follow(answer).await;
    let before = server.dump_tables(&["attempts", "audit_events", "interactions"]).await;

    let form = page.form("/authorize/consent");
    let answer = browser.submit(&form, Some("consent-deny"), &[]).await;
    flow.reply(&answer).expect("an answer").expect_error(&flow, server.issuer(), "access_denied");
    server.dump_tables(&["attempts", "audit_events", "interactions"]).await.expect_same_as(&before);

    // The question is answered: it cannot be answered again, neither way.
    for button in ["consent-allow", "consent-deny"] {
        let mut browser = browser.clone();
        browser.submit(&form, Some(button), &[]).await.expect_error_page();
    }
    server.dump_tables(&["attempts", "audit_events", "interactions"]).await.expect_same_as(&before);
    expect_asked(&flow, &mut browser).await;
}

both_engines!(only_the_button_allows);
/// A form without the decision, or with another word, is no yes.
async fn only_the_button_allows(server: TestServer) {
    let ada = server.person("ada").await;
    let application = server.application(web("Demo")).await;
    let other = server.application(web("Other")).await;
    let mut browser = server.browser();
    Flow::new(&other).sign_in(&mut browser, &ada).await.code();
    for decision in [None, Some(""), Some("yes"), Some("ALLOW")] {
        let flow = Flow::new(&application);
        let form = expect_asked(&flow, &mut browser).await.form("/authorize/consent");
        let mut fields: Vec<(&str, &str)> = form.fields.iter().map(|(name, value)| (&**name, &**value)).collect();
        fields.extend(decision.map(|decision| ("decision", decision)));
        let answer = browser.post("/authorize/consent", &fields).await;
        assert!(!answer.header("location").contains("code="), "{decision:?}: {answer:#?}");
    }
}

both_engines!(the_page_says_who_asks_for_what);
async fn the_page_says_who_asks_for_what(server: TestServer) {
    let ada = server.person("ada").await;
    let application = server.application(web("Orchard & Sons")).await;
    let flow = Flow::new(&application);
    let mut browser = server.browser();
    let form = flow.open(&mut browser).await.form("/sign-in");
    let typed = [("username", ada.username.as_str()), ("password", ada.password.as_str())];
    let answer = browser.submit(&form, Some("sign-in"), &typed).await;
    let page = browser.follow(answer).await;

    assert!(page.title().contains("Orchard & Sons"), "{page:#?}");
    for said in [
        "app.example.com",
        "ada Lovelace",
        "Know that it is you",
        "your name, username and picture",
        "your email address",
        "Keep this access while you are away",
    ] {
        assert!(page.body.contains(said), "{said}: {page:#?}");
    }
    // AC-21: nothing of the application's own is loaded.
    assert!(page.elements("img").iter().all(|img| img.attribute("src").is_some_and(|src| src.starts_with('/'))));

    let fewer = flow.with("scope", "openid").with("prompt", "consent");
    let page = expect_asked(&fewer, &mut browser).await;
    for unsaid in ["your email address", "Keep this access while you are away", "your name, username and picture"] {
        assert!(!page.body.contains(unsaid), "{unsaid}: {page:#?}");
    }
}

both_engines!(ac_19_what_anybody_could_imitate_is_asked_about_each_time);
/// A public client on the loopback interface cannot prove that it is itself (RFC 8252 section 8.6).
async fn ac_19_what_anybody_could_imitate_is_asked_about_each_time(server: TestServer) {
    let ada = server.person("ada").await;
    let mut browser = server.browser();
    for redirect_uri in ["http://127.0.0.1/cb", "http://localhost:3000/cb", "com.example.app:/cb"] {
        let uris = [redirect_uri];
        let native = NewApplication { public: true, redirect_uris: &uris, ..NewApplication::default() };
        let flow = Flow::new(&server.application(native).await);
        flow.sign_in(&mut browser, &ada).await.code();
        expect_asked(&flow, &mut browser).await;
        let silent = flow.clone().with("prompt", "none");
        let answer = silent.begin(&mut browser).await;
        silent.reply(&answer).expect("an answer").expect_error(&silent, server.issuer(), "consent_required");
        // Unless it is the house's own.
        let own = NewApplication { first_party: true, ..native };
        expect_code_at_once(&Flow::new(&server.application(own).await), &mut browser).await;
    }
    // On the web the address proves it.
    let uris = ["https://spa.example.com/cb"];
    let spa = NewApplication { public: true, redirect_uris: &uris, ..NewApplication::default() };
    let flow = Flow::new(&server.application(spa).await);
    flow.sign_in(&mut browser, &ada).await.code();
    expect_code_at_once(&flow, &mut browser).await;
}

both_engines!(ac_19_the_page_cannot_be_skipped);
async fn ac_19_the_page_cannot_be_skipped(server: TestServer) {
    let ada = server.person("ada").await;
    let bob = server.person("bob").await;
    let application = server.application(web("Demo")).await;
    let other = server.application(web("Other")).await;
    let mut browser = server.browser();
    Flow::new(&other).sign_in(&mut browser, &ada).await.code();
    let mut bobs = server.browser();
    Flow::new(&other).sign_in(&mut bobs, &bob).await.code();

    let flow = Flow::new(&application);
    let form = expect_asked(&flow, &mut browser).await.form("/authorize/consent");
    let second = expect_asked(&Flow::new(&application), &mut browser).await.form("/authorize/consent");
    let bobs_form = expect_asked(&Flow::new(&application), &mut bobs).await.form("/authorize/consent");
    let before = server.dump().await;
    let value = |form: &Form, name: &str| form.value(name).unwrap_or_default().to_owned();
    let (interaction, csrf) = (value(&form, "interaction"), value(&form, "csrf"));

    // Going on without an answer leads back to the question.
    let answer = browser.get(&format!("/authorize?interaction={interaction}")).await.expect_status(303);
    assert_eq!(answer.location().path(), "/authorize/consent");
    let allow = |interaction: &str, csrf: &str| {
        [("interaction", interaction), ("csrf", csrf), ("decision", "allow")].map(|(a, b)| (a.to_owned(), b.to_owned()))
    };
    // The token of another question, of another person's, none; and a question that is not there.
    for fields in [
        allow(&interaction, &value(&second, "csrf")),
        allow(&value(&second, "interaction"), &csrf),
        allow(&value(&bobs_form, "interaction"), &value(&bobs_form, "csrf")),
        allow(&interaction, &value(&bobs_form, "csrf")),
        allow(&interaction, ""),
        allow("unknown", &csrf),
        allow("", &csrf),
    ] {
        let call = browser.call(Method::POST, "/authorize/consent").form(&fields);
        let answer = browser.send(call).await;
        assert!(matches!(answer.status.as_u16(), 400 | 403), "{answer:#?}");
        assert!(!answer.headers.contains_key("location"), "{answer:#?}");
    }
    server.dump().await.expect_same_as(&before);

    // The honest answer, still there.
    let answer = browser.submit(&form, Some("consent-allow"), &[]).await;
    flow.reply(&answer).expect("an answer").code();
    // Asking for one application allows nothing to another flow that waits, but the question need not be put twice.
    let answer = browser.get(&format!("/authorize?interaction={}", value(&second, "interaction"))).await;
    assert_eq!(answer.location().host_str(), Some("app.example.com"), "{answer:#?}");
}

both_engines!(br_02_no_other_site_allows);
async fn br_02_no_other_site_allows(server: TestServer) {
    let ada = server.person("ada").await;
    let application = server.application(web("Demo")).await;
    let other = server.application(web("Other")).await;
    let mut browser = server.browser();
    Flow::new(&other).sign_in(&mut browser, &ada).await.code();
    let flow = Flow::new(&application);
    let form = expect_asked(&flow, &mut browser).await.form("/authorize/consent");
    let mut fields = form.fields.clone();
    fields.push(("decision".to_owned(), "allow".to_owned()));
    let before = server.dump().await;

    let forgeries: [&[(&str, &str)]; 4] = [
        &[("sec-fetch-site", "cross-site"), ("origin", "https://evil.example")],
        &[("sec-fetch-site", "same-site"), ("origin", "https://evil.example")],
        &[("sec-fetch-site", "cross-site"), ("origin", "null")],
        &[("sec-fetch-site", "cross-site")],
    ];
    for headers in forgeries {
        let call = browser.call(Method::POST, "/authorize/consent").form(&fields);
        let call = headers.iter().fold(call, |call, (name, value)| call.header(name, value));
        let answer = browser.send(call).await.expect_status(403);
        assert!(!answer.headers.contains_key("location"), "{answer:#?}");
    }
    // A browser that is too old to say more than its origin, and another site's form without our token.
    let old = server.call(Method::POST, "/authorize/consent").header("cookie", cookies(&browser));
    old.header("origin", "https://evil.example").form(&fields).send().await.expect_status(403);
    let blind: Vec<_> = fields.iter().filter(|(name, _)| name != "csrf").cloned().collect();
    let call = browser.call(Method::POST, "/authorize/consent").form(&blind);
    browser.send(call).await.expect_status(403);
    server.dump().await.expect_same_as(&before);

    let answer = browser.submit(&form, Some("consent-allow"), &[]).await;
    flow.reply(&answer).expect("an answer").code();
}

fn cookies(browser: &Browser) -> String {
    let pairs: Vec<_> = browser.cookie_pairs().iter().map(|(name, value)| format!("{name}={value}")).collect();
    pairs.join("; ")
}

both_engines!(ac_20_a_flow_goes_on_where_it_began);
async fn ac_20_a_flow_goes_on_where_it_began(server: TestServer) {
    let ada = server.person("ada").await;
    let mallory = server.person("mallory").await;
    let application = server.application(web("Demo")).await;
    let flow = Flow::new(&application);

    // Mallory begins, and hands the address of the page to Ada.
    let mut mallorys = server.browser();
    let begun = flow.begin(&mut mallorys).await.expect_status(303);
    let page = begun.location().to_string();
    let interaction = begun.location_parameters()["interaction"].clone();
    let before = server.dump().await;
    let mut adas = server.browser();
    for _ in 0..2 {
        for url in [
            page.clone(),
            format!("/authorize?interaction={interaction}"),
            format!("/authorize/consent?interaction={interaction}"),
            format!("/sign-up?interaction={interaction}"),
        ] {
            let answer = adas.get(&url).await.expect_error_page();
            assert!(answer.find_element("password").is_none(), "{answer:#?}");
        }
        // The second time Ada is a browser that we know.
        adas.get("/sign-in").await.expect_status(200);
    }
    server.dump().await.expect_same_as(&before);

    // Signed in, Ada does not finish it either; nor does her form, sent with the name of Mallory's flow.
    let form = adas.get("/sign-in").await.form("/sign-in");
    let mut fields = form.fields.clone();
    fields.retain(|(name, _)| !matches!(name.as_str(), "username" | "password" | "interaction"));
    fields.push(("interaction".to_owned(), interaction.clone()));
    fields.push(("username".to_owned(), ada.username.clone()));
    fields.push(("password".to_owned(), ada.password.clone()));
    let call = adas.call(Method::POST, "/sign-in").form(&fields);
    let answer = adas.send(call).await;
    assert!(matches!(answer.status.as_u16(), 400 | 403), "{answer:#?}");
    let typed = [("username", ada.username.as_str()), ("password", ada.password.as_str())];
    adas.submit(&form, Some("sign-in"), &typed).await.expect_status(303);
    adas.get(&format!("/authorize?interaction={interaction}")).await.expect_error_page();
    adas.get(&format!("/authorize/consent?interaction={interaction}")).await.expect_error_page();

    // Mallory's browser is as it was: it signs in Mallory, nobody else.
    let answer = mallorys.get(&format!("/authorize?interaction={interaction}")).await.expect_status(303);
    assert_eq!(answer.location().path(), "/sign-in");
    let form = mallorys.follow(answer).await.form("/sign-in");
    let typed = [("username", mallory.username.as_str()), ("password", mallory.password.as_str())];
    let answer = mallorys.submit(&form, Some("sign-in"), &typed).await;
    assert!(asks(&mallorys.follow(answer).await));
}

both_engines!(what_is_asked_for_is_what_is_given);
/// The grant holds the scopes of the page, whatever the form adds.
async fn what_is_asked_for_is_what_is_given(server: TestServer) {
    let ada = server.person("ada").await;
    let application = server.application(web("Demo")).await;
    let other = server.application(web("Other")).await;
    let mut browser = server.browser();
    Flow::new(&other).sign_in(&mut browser, &ada).await.code();
    let flow = Flow::new(&application).with("scope", "openid");
    let form = expect_asked(&flow, &mut browser).await.form("/authorize/consent");
    let mut fields = form.fields.clone();
    for (name, value) in [("decision", "allow"), ("scope", "openid profile email offline_access")] {
        fields.push((name.to_owned(), value.to_owned()));
    }
    let call = browser.call(Method::POST, "/authorize/consent").form(&fields);
    let answer = browser.send(call).await;
    let tokens = flow.exchange(&server.wire(), flow.reply(&answer).expect("an answer").code()).await.expect_tokens();
    assert_eq!(tokens.json::<Value>()["scope"], "openid", "{tokens:#?}");
    expect_asked(&flow.with("scope", "openid email"), &mut browser).await;
}
