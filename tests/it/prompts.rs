//! What a person is asked, and when: `prompt`, `max_age`, `id_token_hint`, `acr_values` and their kin (OpenID Connect Core section
//! 3.1.2.1; requirements 46 to 52).

use bonafide::clients::Draft;
use serde_json::{Value, json};

use crate::support::{Answer, Browser, Flow, Person, Reply, TestServer, Tokens, web_application};

const PWD: &str = "urn:bonafide:acr:pwd";

fn house() -> Draft {
    Draft { first_party: Some(true), ..web_application() }
}

/// What the application hears without any page.
async fn at_once(flow: &Flow, browser: &mut Browser) -> Reply {
    let answer = flow.begin(browser).await;
    flow.reply(&answer).unwrap_or_else(|| panic!("a page: {answer:#?}"))
}

/// Signs in on the page that is open.
async fn sign_in_on(page: &Answer, browser: &mut Browser, person: &Person) -> Answer {
    let typed = [("username", person.username.as_str()), ("password", person.password.as_str())];
    let answer = browser.submit(&page.form("/sign-in"), Some("sign-in"), &typed).await;
    browser.follow(answer).await
}

async fn id_token(server: &TestServer, flow: &Flow, reply: &Reply) -> Value {
    Tokens::claims(&flow.exchange(&server.wire(), reply.code()).await.expect_tokens().id_token())
}

both_engines!(c_46_prompt_none_never_shows_a_page);
async fn c_46_prompt_none_never_shows_a_page(server: TestServer) {
    let ada = server.person("ada").await;
    let application = server.application(&web_application()).await;
    let redirect = Some(vec!["https://app.example.com/cb".to_owned()]);
    let other = server.application(&Draft { redirect_uris: redirect, ..web_application() }).await;
    let silent = |flow: Flow| flow.with("prompt", "none");
    let mut browser = server.browser();
    let flow = silent(Flow::new(&other));
    let before = server.dump().await;
    at_once(&flow, &mut browser).await.expect_error(&flow, server.issuer(), "login_required");
    server.dump().await.expect_same_as(&before);
    Flow::new(&application).sign_in(&mut browser, &ada).await.code();
    at_once(&flow, &mut browser).await.expect_error(&flow, server.issuer(), "consent_required");
    Flow::new(&other).sign_in(&mut browser, &ada).await.code();
    at_once(&flow, &mut browser).await.code();
    for value in ["none login", "none consent", "none select_account", "login none", "none create"] {
        let flow = Flow::new(&other).with("prompt", value);
        at_once(&flow, &mut browser).await.expect_error(&flow, server.issuer(), "invalid_request");
    }
}

both_engines!(c_47_prompt_login_moves_auth_time);
async fn c_47_prompt_login_moves_auth_time(server: TestServer) {
    let ada = server.person("ada").await;
    let application = server.application(&house()).await;
    let (flow, again) = (Flow::new(&application), Flow::new(&application).with("prompt", "login"));
    let mut browser = server.browser();
    let reply = flow.sign_in(&mut browser, &ada).await;
    let first = id_token(&server, &flow, &reply).await;
    server.advance_seconds(2);
    let page = again.open(&mut browser).await.expect_status(200);
    let answer = sign_in_on(&page, &mut browser, &ada).await;
    let second = id_token(&server, &again, &again.reply(&answer).expect("an answer")).await;
    assert!(second["auth_time"].as_i64() >= first["auth_time"].as_i64().map(|time| time + 2), "{first} {second}");
    assert_eq!((&first["sub"], &first["sid"]), (&second["sub"], &second["sid"]));
}

both_engines!(c_48_max_age_asks_again_when_it_is_over);
async fn c_48_max_age_asks_again_when_it_is_over(server: TestServer) {
    let ada = server.person("ada").await;
    let application = server.application(&house()).await;
    let flow = Flow::new(&application);
    let mut browser = server.browser();
    let reply = flow.sign_in(&mut browser, &ada).await;
    let first = id_token(&server, &flow, &reply).await;
    server.advance_seconds(100);
    let long = Flow::new(&application).with("max_age", "10000");
    let reply = at_once(&long, &mut browser).await;
    assert_eq!(id_token(&server, &long, &reply).await["auth_time"], first["auth_time"]);
    for short in ["99", "0"] {
        let flow = Flow::new(&application).with("max_age", short);
        flow.open(&mut browser).await.expect_status(200).form("/sign-in");
        let silent = flow.with("prompt", "none");
        at_once(&silent, &mut browser).await.expect_error(&silent, server.issuer(), "login_required");
    }
    for wrong in ["-1", "x", "1.5", "+5", "9999999999999999999999"] {
        let flow = Flow::new(&application).with("max_age", wrong);
        at_once(&flow, &mut browser).await.expect_error(&flow, server.issuer(), "invalid_request");
    }
}

both_engines!(c_48_default_max_age_holds_where_the_request_is_silent);
async fn c_48_default_max_age_holds_where_the_request_is_silent(server: TestServer) {
    let ada = server.person("ada").await;
    let application = server.application(&Draft { default_max_age: Some(60), ..house() }).await;
    let flow = Flow::new(&application);
    let mut browser = server.browser();
    flow.sign_in(&mut browser, &ada).await.code();
    server.advance_seconds(59);
    at_once(&flow, &mut browser).await.code();
    server.advance_seconds(2);
    flow.open(&mut browser).await.expect_status(200).form("/sign-in");
    at_once(&flow.with("max_age", "600"), &mut browser).await.code();
}

both_engines!(c_47_select_account_offers_to_continue_or_to_change);
async fn c_47_select_account_offers_to_continue_or_to_change(server: TestServer) {
    let (ada, bob) = (server.person("ada").await, server.person("bob").await);
    let application = server.application(&house()).await;
    let plain = Flow::new(&application);
    let choose = Flow::new(&application).with("prompt", "select_account");
    let mut browser = server.browser();
    // Nobody is signed in: there is nobody to choose.
    choose.open(&mut browser).await.form("/sign-in");
    let reply = plain.sign_in(&mut browser, &ada).await;
    let before = id_token(&server, &plain, &reply).await;
    server.advance_seconds(1);

    let page = choose.open(&mut browser).await.expect_status(200);
    assert!(page.body.contains("ada Lovelace") && page.body.contains("ada@example.org"), "{page:#?}");
    let form = page.form("/authorize/account");
    let answer = browser.submit(&form, Some("continue"), &[]).await;
    let answer = browser.follow(answer).await;
    let same = id_token(&server, &choose, &choose.reply(&answer).expect("an answer")).await;
    assert_eq!(
        (&same["sub"], &same["auth_time"], &same["sid"]),
        (&before["sub"], &before["auth_time"], &before["sid"])
    );

    let other = Flow::new(&application).with("prompt", "select_account");
    let page = other.open(&mut browser).await;
    let answer = browser.submit(&page.form("/authorize/account"), Some("another-account"), &[]).await;
    let page = browser.follow(answer).await;
    let answer = sign_in_on(&page, &mut browser, &bob).await;
    let changed = id_token(&server, &other, &other.reply(&answer).expect("an answer")).await;
    assert_eq!(changed["sub"], bob.id.as_str());
    assert_ne!(changed["sid"], before["sid"], "another person's session is another session");
    server.advance_seconds(1);

    // A choice belongs to its request, its browser and its session.
    let third = Flow::new(&application).with("prompt", "select_account");
    let page = third.open(&mut browser).await;
    let form = page.form("/authorize/account");
    let mut fields: Vec<(&str, &str)> = form.fields.iter().map(|(name, value)| (&**name, &**value)).collect();
    fields.push(("decision", "continue"));
    server.browser().post("/authorize/account", &fields).await.expect_status(403);
    fields.retain(|(name, _)| *name != "csrf");
    browser.post("/authorize/account", &fields).await.expect_status(403);
    let answer = browser.get(page.url.as_str()).await;
    answer.form("/authorize/account");
}

both_engines!(c_47_create_leads_to_sign_up);
async fn c_47_create_leads_to_sign_up(server: TestServer) {
    let ada = server.person("ada").await;
    let application = server.application(&house()).await;
    let create = Flow::new(&application).with("prompt", "create");
    let mut browser = server.browser();
    Flow::new(&application).sign_in(&mut browser, &ada).await.code();
    // Who is signed in already may want one more account.
    let page = create.open(&mut browser).await.expect_status(200);
    let typed = [("email", "new@example.org"), ("name", "New"), ("password", "orange kettle 77 bridge")];
    let answer = browser.submit(&page.form("/sign-up"), Some("sign-up"), &typed).await;
    let answer = browser.follow(answer).await;
    let claims = id_token(&server, &create, &create.reply(&answer).expect("an answer")).await;
    assert_ne!(claims["sub"], ada.id.as_str());
}

both_engines!(c_47_create_is_sign_in_where_nobody_may_sign_up with [("accounts.sign_up", "false")]);
async fn c_47_create_is_sign_in_where_nobody_may_sign_up(server: TestServer) {
    let application = server.application(&house()).await;
    let mut browser = server.browser();
    Flow::new(&application).with("prompt", "create").open(&mut browser).await.form("/sign-in");
    let prompts =
        server.get("/.well-known/openid-configuration").await.json::<Value>()["prompt_values_supported"].clone();
    assert_eq!(prompts, json!(["none", "login", "consent", "select_account"]));
}

both_engines!(c_49_a_hint_names_the_only_person_who_will_do);
async fn c_49_a_hint_names_the_only_person_who_will_do(server: TestServer) {
    let (ada, bob) = (server.person("ada").await, server.person("bob").await);
    let application = server.application(&house()).await;
    let flow = Flow::new(&application);
    let (mut hers, mut his) = (server.browser(), server.browser());
    let hint = flow.tokens(&server.wire(), &mut hers, &ada).await.id_token();
    flow.sign_in(&mut his, &bob).await.code();
    // Long expired, it still says who was meant.
    server.advance(chrono::Duration::hours(5));
    let silent = Flow::new(&application).with("prompt", "none").with("id_token_hint", &hint);
    let reply = at_once(&silent, &mut hers).await;
    assert_eq!(id_token(&server, &silent, &reply).await["sub"], ada.id.as_str());
    at_once(&silent, &mut his).await.expect_error(&silent, server.issuer(), "login_required");

    // By a form too.
    let fields: Vec<(&str, &str)> = silent.parameters().iter().map(|(name, value)| (&**name, &**value)).collect();
    let answer = hers.post("/authorize", &fields).await;
    let answer = hers.follow(answer).await;
    silent.reply(&answer).expect("an answer").code();

    // Where pages are allowed somebody may become her, and nobody else will do.
    let asking = Flow::new(&application).with("id_token_hint", &hint);
    let page = asking.open(&mut his).await;
    let answer = sign_in_on(&page, &mut his, &bob).await;
    asking.reply(&answer).expect("an answer").expect_error(&asking, server.issuer(), "login_required");
    let asking = Flow::new(&application).with("id_token_hint", &hint);
    let page = asking.open(&mut his).await;
    let answer = sign_in_on(&page, &mut his, &ada).await;
    asking.reply(&answer).expect("an answer").code();
}

both_engines!(c_49_an_unusable_hint_is_refused);
async fn c_49_an_unusable_hint_is_refused(server: TestServer) {
    let ada = server.person("ada").await;
    let application = server.application(&house()).await;
    let flow = Flow::new(&application);
    let mut browser = server.browser();
    let tokens = flow.tokens(&server.wire(), &mut browser, &ada).await;
    let hint = tokens.id_token();
    let (message, _) = hint.rsplit_once('.').expect("a JWS");
    let (_, payload) = message.split_once('.').expect("a JWS");
    let forged = [
        "nonsense".to_owned(),
        format!("{message}."),
        format!("eyJhbGciOiJub25lIn0.{payload}."),
        hint.replacen('.', ".A", 1),
        tokens.access_token(),
    ];
    for hint in &forged {
        let flow = Flow::new(&application).with("id_token_hint", hint);
        at_once(&flow, &mut browser).await.expect_error(&flow, server.issuer(), "invalid_request");
    }
    at_once(&Flow::new(&application).with("id_token_hint", &hint), &mut browser).await.code();
}

both_engines!(c_50_51_hints_about_looks_change_nothing);
async fn c_50_51_hints_about_looks_change_nothing(server: TestServer) {
    let ada = server.person("ada").await;
    let application = server.application(&house()).await;
    let mut browser = server.browser();
    let hinted = Flow::new(&application).with("login_hint", "buffy@example.com");
    let page = hinted.open(&mut browser).await;
    assert_eq!(page.form("/sign-in").value("username"), Some("buffy@example.com"));
    sign_in_on(&page, &mut browser, &ada).await;
    // Somebody else is signed in: no failure.
    at_once(&hinted, &mut browser).await.code();
    for (name, value) in [
        ("display", "page"),
        ("display", "popup"),
        ("display", "hologram"),
        ("ui_locales", "se"),
        ("claims_locales", "se"),
        ("extra", "foobar"),
    ] {
        at_once(&Flow::new(&application).with(name, value), &mut browser).await.code();
    }
}

both_engines!(c_52_acr_is_the_one_reached);
async fn c_52_acr_is_the_one_reached(server: TestServer) {
    let ada = server.person("ada").await;
    let application = server.application(&house()).await;
    let mut browser = server.browser();
    Flow::new(&application).sign_in(&mut browser, &ada).await.code();
    let supported =
        server.get("/.well-known/openid-configuration").await.json::<Value>()["acr_values_supported"].clone();
    assert_eq!(supported, json!([PWD]));
    for values in [PWD, "1 2", "phr"] {
        let flow = Flow::new(&application).with("acr_values", values);
        let reply = at_once(&flow, &mut browser).await;
        assert_eq!(id_token(&server, &flow, &reply).await["acr"], PWD);
    }
    let essential = |values: Value| json!({"id_token": {"acr": {"essential": true, "values": values}}}).to_string();
    let flow = Flow::new(&application).with("claims", &essential(json!([PWD, "phr"])));
    at_once(&flow, &mut browser).await.code();
    let flow = Flow::new(&application).with("claims", &essential(json!(["phr"])));
    at_once(&flow, &mut browser).await.expect_error(&flow, server.issuer(), "unmet_authentication_requirements");
    let wished = json!({"id_token": {"acr": {"values": ["phr"]}}}).to_string();
    at_once(&Flow::new(&application).with("claims", &wished), &mut browser).await.code();
}

both_engines!(prompts_combine);
async fn prompts_combine(server: TestServer) {
    let ada = server.person("ada").await;
    let application = server.application(&house()).await;
    let mut browser = server.browser();
    Flow::new(&application).sign_in(&mut browser, &ada).await.code();
    let flow = Flow::new(&application).with("prompt", "login consent");
    let page = flow.open(&mut browser).await;
    let page = sign_in_on(&page, &mut browser, &ada).await;
    let answer = browser.submit(&page.form("/authorize/consent"), Some("consent-allow"), &[]).await;
    flow.reply(&answer).expect("an answer").code();
    server.advance_seconds(1);
    let flow = Flow::new(&application).with("prompt", "select_account consent");
    let page = flow.open(&mut browser).await;
    let answer = browser.submit(&page.form("/authorize/account"), Some("continue"), &[]).await;
    browser.follow(answer).await.form("/authorize/consent");
}
