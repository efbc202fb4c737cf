//! Signing out at an application's wish: at once where it shows our ID token of this very session, after asking otherwise.

use bonafide::clients::Draft;
use reqwest::Method;
use url::form_urlencoded;

use crate::support::{
    Answer, Browser, Flow, TestServer,
    made::{self, SignedIn},
};

const AFTER: &str = "https://app.example/signed-out";
/// What must come back byte for byte.
const STATE: &str = "a b+c&d=e/é%00\"'<>";

async fn signed_in(server: &TestServer) -> SignedIn {
    let uris = Some(vec![AFTER.to_owned(), "https://app.example/out?from=op".to_owned()]);
    SignedIn::with(server, Draft { post_logout_redirect_uris: uris, ..made::draft() }, |flow| flow).await
}

fn path(parameters: &[(&str, &str)]) -> String {
    format!("/logout?{}", form_urlencoded::Serializer::new(String::new()).extend_pairs(parameters).finish())
}

async fn get(browser: &mut Browser, parameters: &[(&str, &str)]) -> Answer {
    let call = browser.call(Method::GET, &path(parameters)).header("sec-fetch-site", "cross-site");
    browser.send(call).await
}

/// Whether the browser's session is alive: an application gets a code without a page.
async fn is_signed_in(browser: &Browser, flow: &Flow) -> bool {
    let next = Flow::new(&flow.application).with("prompt", "none");
    let mut browser = browser.clone();
    let answer = next.open(&mut browser).await;
    let reply = next.reply(&answer).expect("prompt=none always leads back");
    if !reply.parameters.contains_key("code") {
        assert_eq!(reply.parameters["error"], "login_required", "{reply:#?}");
    }
    reply.parameters.contains_key("code")
}

#[track_caller]
fn expect_question(answer: &Answer) {
    assert_eq!(answer.status, 200, "{answer:#?}");
    answer.element("sign-out");
    answer.element("stay");
}

both_engines!(a_hint_of_this_session_signs_out_at_once);
/// Requirement 106.
async fn a_hint_of_this_session_signs_out_at_once(server: TestServer) {
    let mut app = signed_in(&server).await;
    let hint = app.tokens.id_token();
    assert!(is_signed_in(&app.browser, &app.flow).await);
    let parameters = [("id_token_hint", hint.as_str()), ("post_logout_redirect_uri", AFTER), ("state", STATE)];
    let answer = get(&mut app.browser, &parameters).await.expect_status(303);
    assert!(answer.header("location").starts_with(&format!("{AFTER}?")), "{answer:#?}");
    let expected = [("state".to_owned(), STATE.to_owned())];
    assert_eq!(answer.location_parameters(), expected.into());
    assert!(!is_signed_in(&app.browser, &app.flow).await);
}

both_engines!(an_expired_hint_is_as_good);
async fn an_expired_hint_is_as_good(server: TestServer) {
    let mut app = signed_in(&server).await;
    server.advance(chrono::Duration::hours(5));
    let hint = app.tokens.id_token();
    let uri = "https://app.example/out?from=op";
    let parameters = [("id_token_hint", hint.as_str()), ("post_logout_redirect_uri", uri), ("state", "x")];
    let answer = get(&mut app.browser, &parameters).await.expect_status(303);
    assert_eq!(answer.header("location"), "https://app.example/out?from=op&state=x");
    assert!(!is_signed_in(&app.browser, &app.flow).await);
}

both_engines!(without_a_redirect_the_person_stays_with_us);
async fn without_a_redirect_the_person_stays_with_us(server: TestServer) {
    let mut app = signed_in(&server).await;
    let hint = app.tokens.id_token();
    let answer = get(&mut app.browser, &[("id_token_hint", &hint), ("state", "x")]).await.expect_status(200);
    assert!(answer.find_element("sign-out").is_none(), "{answer:#?}");
    assert!(!is_signed_in(&app.browser, &app.flow).await);
    // Without a state none is made up.
    let mut again = signed_in_again(&server, &app).await;
    let hint = again.tokens.id_token();
    let parameters = [("id_token_hint", hint.as_str()), ("post_logout_redirect_uri", AFTER)];
    let answer = get(&mut again.browser, &parameters).await.expect_status(303);
    assert_eq!(answer.header("location"), AFTER);
}

async fn signed_in_again(server: &TestServer, app: &SignedIn) -> SignedIn {
    SignedIn::at(server, Flow::new(&app.flow.application), app.person.clone()).await
}

both_engines!(without_a_hint_the_person_is_asked);
/// Requirement 107.
async fn without_a_hint_the_person_is_asked(server: TestServer) {
    let mut app = signed_in(&server).await;
    let id = app.flow.application.id.clone();
    let parameters = [("client_id", id.as_str()), ("post_logout_redirect_uri", AFTER), ("state", STATE)];
    for parameters in [&parameters[..0], &parameters[..1], &parameters[..]] {
        let answer = get(&mut app.browser, parameters).await;
        expect_question(&answer);
        assert!(is_signed_in(&app.browser, &app.flow).await);
    }
    let page = get(&mut app.browser, &parameters).await;
    let form = page.form("/logout");
    let stayed = app.browser.clone().submit(&form, Some("stay"), &[]).await;
    assert!(!stayed.header("location").contains("app.example"), "{stayed:#?}");
    assert!(is_signed_in(&app.browser, &app.flow).await, "stay keeps the session");

    let answer = app.browser.submit(&form, Some("sign-out"), &[]).await.expect_status(303);
    assert!(answer.header("location").starts_with(AFTER), "{answer:#?}");
    assert_eq!(answer.location_parameters(), [("state".to_owned(), STATE.to_owned())].into());
    assert!(!is_signed_in(&app.browser, &app.flow).await);
}

both_engines!(c_103_what_else_may_be_said_changes_nothing);
/// `logout_hint` is taken, whoever it names; `ui_locales` chooses the language, here the only one.
async fn c_103_what_else_may_be_said_changes_nothing(server: TestServer) {
    let mut app = signed_in(&server).await;
    let more = [("logout_hint", "eve"), ("ui_locales", "xx en"), ("unknown", "x")];
    expect_question(&get(&mut app.browser, &more).await);
    let hint = app.tokens.id_token();
    let mut parameters = vec![("id_token_hint", hint.as_str()), ("post_logout_redirect_uri", AFTER), ("state", STATE)];
    parameters.extend(more);
    let answer = get(&mut app.browser, &parameters).await.expect_status(303);
    assert_eq!(answer.location_parameters(), [("state".to_owned(), STATE.to_owned())].into());
    assert!(!is_signed_in(&app.browser, &app.flow).await);
}

both_engines!(c_105_108_without_hint_and_client_nobody_is_sent_away);
async fn c_105_108_without_hint_and_client_nobody_is_sent_away(server: TestServer) {
    for parameters in [&[][..], &[("state", "x")], &[("post_logout_redirect_uri", AFTER), ("state", "x")]] {
        let mut app =
            SignedIn::at(&server, Flow::new(&client(&server).await), made::person(&server, &name()).await).await;
        let question = get(&mut app.browser, parameters).await;
        expect_question(&question);
        let answer = app.browser.submit(&question.form("/logout"), Some("sign-out"), &[]).await.expect_status(200);
        assert!(answer.body.contains("You are signed out") && !answer.body.contains("app.example"), "{answer:#?}");
        assert!(app.browser.cookie_pairs().keys().all(|name| !name.contains("session")), "{:?}", app.browser);
        assert!(!is_signed_in(&app.browser, &app.flow).await);
    }
}

async fn client(server: &TestServer) -> crate::support::Application {
    made::client(server, Draft { post_logout_redirect_uris: Some(vec![AFTER.to_owned()]), ..made::draft() }).await
}

/// Somebody's name that nobody else has.
fn name() -> String {
    crate::support::random().chars().filter(char::is_ascii_alphabetic).take(12).collect()
}

both_engines!(br_03_a_forged_form_signs_nobody_out);
async fn br_03_a_forged_form_signs_nobody_out(server: TestServer) {
    let mut app = signed_in(&server).await;
    let page = get(&mut app.browser, &[]).await;
    let csrf = page.form("/logout").value("csrf").unwrap_or_default().to_owned();
    for fields in [&[("decision", "sign-out")][..], &[("decision", "sign-out"), ("csrf", "x")]] {
        app.browser.clone().post("/logout", fields).await.expect_status(403);
    }
    let fields = [("decision", "sign-out"), ("csrf", csrf.as_str())];
    let foreign = app.browser.call(Method::POST, "/logout").form(&fields);
    let foreign = foreign.header("origin", "https://evil.example").header("sec-fetch-site", "cross-site");
    app.browser.clone().send(foreign).await.expect_status(403);
    // The token of another browser's form is no good either.
    let other = signed_in_again(&server, &app).await;
    other.browser.clone().post("/logout", &fields).await.expect_status(403);
    assert!(is_signed_in(&app.browser, &app.flow).await && is_signed_in(&other.browser, &app.flow).await);
    app.browser.clone().post("/logout", &fields).await.expect_status(200);
    assert!(!is_signed_in(&app.browser, &app.flow).await);
}

both_engines!(an_application_that_posts_is_sent_on);
/// RP-Initiated Logout §2 lets it post; the cookie comes with the GET that follows.
async fn an_application_that_posts_is_sent_on(server: TestServer) {
    let mut app = signed_in(&server).await;
    let hint = app.tokens.id_token();
    let parameters = [("id_token_hint", hint.as_str()), ("post_logout_redirect_uri", AFTER), ("state", STATE)];
    // A browser sends no Lax cookie with a form of another site.
    let call = server.call(Method::POST, "/logout").form(&parameters);
    let call = call.header("origin", "https://app.example").header("sec-fetch-site", "cross-site");
    let answer = call.send().await.expect_status(303);
    assert!(is_signed_in(&app.browser, &app.flow).await);
    let call = app.browser.call(Method::GET, answer.location().as_str()).header("sec-fetch-site", "cross-site");
    let answer = app.browser.send(call).await.expect_status(303);
    assert!(answer.header("location").starts_with(AFTER), "{answer:#?}");
    assert_eq!(answer.location_parameters()["state"], STATE);
    assert!(!is_signed_in(&app.browser, &app.flow).await);
}

both_engines!(ir_09_a_hint_that_is_not_of_this_session_asks);
async fn ir_09_a_hint_that_is_not_of_this_session_asks(server: TestServer) {
    let mut app = signed_in(&server).await;
    let elsewhere = signed_in_again(&server, &app).await;
    let eve = SignedIn::at(&server, Flow::new(&app.flow.application), made::person(&server, "eve").await).await;
    for other in [elsewhere.tokens.id_token(), eve.tokens.id_token()] {
        let parameters = [("id_token_hint", other.as_str()), ("post_logout_redirect_uri", AFTER), ("state", "x")];
        expect_question(&get(&mut app.browser, &parameters).await);
        for browser in [&app.browser, &elsewhere.browser, &eve.browser] {
            assert!(is_signed_in(browser, &app.flow).await);
        }
    }
}

both_engines!(ir_09_a_forged_hint_leads_nowhere);
async fn ir_09_a_forged_hint_leads_nowhere(server: TestServer) {
    let mut app = signed_in(&server).await;
    let hint = app.tokens.id_token();
    let (message, signature) = hint.rsplit_once('.').unwrap();
    let flipped = if signature.starts_with('A') { "B" } else { "A" };
    let none = format!("eyJhbGciOiJub25lIn0.{}.", message.split_once('.').unwrap().1);
    let forged = [format!("{message}.{flipped}{}", &signature[1..]), format!("{message}."), none, "x".to_owned()];
    for forged in &forged {
        let parameters = [("id_token_hint", forged.as_str()), ("post_logout_redirect_uri", AFTER), ("state", "x")];
        let answer = get(&mut app.browser, &parameters).await;
        expect_question(&answer);
        // Conformance 104: the page says that the request is not what it claims to be.
        answer.element("unread-hint");
        // Whatever the person answers, the forger's address is not where they end.
        let left = app.browser.clone().submit(&answer.form("/logout"), Some("stay"), &[]).await;
        assert!(!left.header("location").contains("app.example"), "{left:#?}");
        // Nobody is signed in: our own page.
        let answer = get(&mut server.browser(), &parameters).await.expect_status(200);
        assert!(!answer.headers.contains_key("location"), "{answer:#?}");
    }
    assert!(is_signed_in(&app.browser, &app.flow).await);
    // Nor do they end there who sign out at the forger's wish.
    let parameters = [("id_token_hint", forged[0].as_str()), ("post_logout_redirect_uri", AFTER)];
    let form = get(&mut app.browser, &parameters).await.form("/logout");
    app.browser.clone().submit(&form, Some("sign-out"), &[]).await.expect_status(200);
}

both_engines!(ir_09_c_104_other_tokens_of_ours_are_no_hint);
async fn ir_09_c_104_other_tokens_of_ours_are_no_hint(server: TestServer) {
    let mut app = signed_in(&server).await;
    for token in [app.tokens.access_token(), app.tokens.refresh_token()] {
        let parameters = [("id_token_hint", token.as_str()), ("post_logout_redirect_uri", AFTER)];
        let answer = get(&mut app.browser, &parameters).await;
        expect_question(&answer);
        answer.element("unread-hint");
    }
    assert!(is_signed_in(&app.browser, &app.flow).await);
    // Of an application that is not here any more: ours, but nothing follows from it.
    let hint = app.tokens.id_token();
    made::disable_client(&server, &app.flow.application.id).await;
    let parameters = [("id_token_hint", hint.as_str()), ("post_logout_redirect_uri", AFTER)];
    let answer = get(&mut app.browser, &parameters).await;
    expect_question(&answer);
    assert!(answer.find_element("unread-hint").is_none(), "{answer:#?}");
}

both_engines!(ru_16_an_unregistered_address_is_an_error_page);
async fn ru_16_an_unregistered_address_is_an_error_page(server: TestServer) {
    let mut app = signed_in(&server).await;
    let (hint, id) = (app.tokens.id_token(), app.flow.application.id.clone());
    for uri in [
        "https://evil.example/",
        "https://app.example/signed-out/",
        "https://app.example/signed-out?x=y",
        "https://app.example.evil.example/signed-out",
        "https://app.example@evil.example/signed-out",
        "//evil.example",
        "javascript:alert(1)",
        app.flow.application.redirect_uri.clone().as_str(),
    ] {
        for who in [("id_token_hint", hint.as_str()), ("client_id", &id)] {
            get(&mut app.browser, &[who, ("post_logout_redirect_uri", uri)]).await.expect_error_page();
        }
    }
    assert!(is_signed_in(&app.browser, &app.flow).await);
}

both_engines!(another_client_id_than_the_hints_is_an_error_page);
async fn another_client_id_than_the_hints_is_an_error_page(server: TestServer) {
    let mut app = signed_in(&server).await;
    let hint = app.tokens.id_token();
    let other = made::client(&server, made::draft()).await;
    for id in [other.id.as_str(), "nobody"] {
        get(&mut app.browser, &[("id_token_hint", &hint), ("client_id", id)]).await.expect_error_page();
    }
    let doubled = [("id_token_hint", hint.as_str()), ("state", "x"), ("state", "y")];
    get(&mut app.browser, &doubled).await.expect_error_page();
    assert!(is_signed_in(&app.browser, &app.flow).await);
    let id = app.flow.application.id.clone();
    get(&mut app.browser, &[("id_token_hint", &hint), ("client_id", &id)]).await.expect_status(200);
    assert!(!is_signed_in(&app.browser, &app.flow).await);
}

both_engines!(where_nobody_is_signed_in_a_hint_leads_back);
/// The second application of a single sign-on signs out after the first has done it.
async fn where_nobody_is_signed_in_a_hint_leads_back(server: TestServer) {
    let mut app = signed_in(&server).await;
    let (hint, id) = (app.tokens.id_token(), app.flow.application.id.clone());
    app.sign_out().await;
    let parameters = [("id_token_hint", hint.as_str()), ("post_logout_redirect_uri", AFTER), ("state", STATE)];
    for browser in [&mut app.browser, &mut server.browser()] {
        let answer = get(browser, &parameters).await.expect_status(303);
        assert!(answer.header("location").starts_with(AFTER), "{answer:#?}");
        assert_eq!(answer.location_parameters()["state"], STATE);
    }
    // On a bare word nobody is sent anywhere.
    let bare = [("client_id", id.as_str()), ("post_logout_redirect_uri", AFTER)];
    get(&mut server.browser(), &bare).await.expect_status(200);
}
