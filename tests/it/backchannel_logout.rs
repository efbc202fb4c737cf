//! OpenID Connect Back-Channel Logout 1.0: who is told of a session's end, what they are told, and that nobody waits for it.

use std::time::{Duration, Instant};

use axum::http::StatusCode;
use bonafide::clients::Draft;
use jsonwebtoken::{Algorithm, DecodingKey, Validation, jwk::JwkSet};
use reqwest::Method;
use serde_json::{Value, json};
use url::form_urlencoded;

use crate::{
    engines::{lines, run},
    support::{
        Binary, Engine, Flow, Person, Place, Received, Receiver, Say, TestServer, Tokens, Wire,
        made::{self, SignedIn},
    },
};

const AFTER: &str = "https://app.example/signed-out";
const EVENT: &str = "http://schemas.openid.net/event/backchannel-logout";

fn draft(receiver: &Receiver) -> Draft {
    Draft {
        backchannel_logout_uri: Some(receiver.uri()),
        post_logout_redirect_uris: Some(vec![AFTER.to_owned()]),
        backchannel_logout_session_required: Some(true),
        ..made::draft()
    }
}

async fn receiver_and_server(engine: Engine) -> (Receiver, TestServer) {
    let receiver = Receiver::listen().await;
    let server = TestServer::with(engine, &[("outgoing.allow", &receiver.address)]).await;
    (receiver, server)
}

/// The claims of the logout token that a request brought, verified by another library than ours, and its header.
async fn logout_token(wire: &Wire, issuer: &str, client: &str, call: &Received) -> (Value, jsonwebtoken::Header) {
    assert_eq!(call.method, Method::POST, "{call:#?}");
    assert_eq!(call.target, "/backchannel?tenant=a");
    assert_eq!(call.headers["content-type"], "application/x-www-form-urlencoded");
    let form: Vec<(String, String)> = form_urlencoded::parse(&call.body).into_owned().collect();
    assert_eq!(form.len(), 1, "{form:#?}");
    let (name, token) = &form[0];
    assert_eq!(name, "logout_token");
    let header = jsonwebtoken::decode_header(token).expect("a JWS");
    let keys: JwkSet = wire.get("/jwks").await.json();
    let key = keys.find(header.kid.as_deref().expect("a kid")).expect("a published key");
    let mut rules = Validation::new(Algorithm::RS256);
    rules.set_audience(&[client]);
    rules.set_issuer(&[issuer]);
    rules.set_required_spec_claims(&["iss", "aud", "exp", "sub"]);
    // The clock of these tests is moved by hand.
    rules.validate_exp = false;
    let decoded = jsonwebtoken::decode::<Value>(token, &DecodingKey::from_jwk(key).expect("a key"), &rules);
    (decoded.expect("a token of ours").claims, header)
}

fn sid(tokens: &Tokens) -> Value {
    Tokens::claims(&tokens.id_token())["sid"].clone()
}

/// Waits until nothing is in the outbox, ten seconds at most.
async fn expect_empty_outbox(place: &Place) {
    for _ in 0..1000 {
        if outbox(place).await.is_empty() {
            return;
        }
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    panic!("still there: {:#?}", outbox(place).await);
}

async fn outbox(place: &Place) -> Vec<String> {
    lines(place, "SELECT kind || ' ' || attempts || ' ' || coalesce(last_error, '') AS line FROM outbox ORDER BY id")
        .await
}

/// Waits until the outbox says this, ten seconds at most.
async fn expect_outbox(place: &Place, expected: &str) {
    for _ in 0..1000 {
        if outbox(place).await == [expected] {
            return;
        }
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    panic!("not {expected}: {:#?}", outbox(place).await);
}

each_engine!(c_109_110_the_client_is_told_which_session_has_ended);
async fn c_109_110_the_client_is_told_which_session_has_ended(engine: Engine) {
    let (receiver, server) = receiver_and_server(engine).await;
    let mut app = SignedIn::with(&server, draft(&receiver), |flow| flow).await;
    let (client, sid) = (app.flow.application.id.clone(), sid(&app.tokens));
    assert!(sid.as_str().is_some_and(|sid| sid.is_ascii() && sid.len() >= 16), "{sid}");
    // Later than any token made at sign-in would live: this one is made when it is sent.
    server.advance_seconds(7200);
    assert_eq!(receiver.received().len(), 0, "nothing before the end");
    app.sign_out().await;

    let calls = receiver.expect(1).await;
    let (claims, header) = logout_token(&server.wire(), server.issuer(), &client, &calls[0]).await;
    assert_eq!(header.typ.as_deref(), Some("logout+jwt"));
    assert_eq!(header.alg, Algorithm::RS256);
    let now = server.now().timestamp();
    let jti = claims["jti"].as_str().expect("a jti").to_owned();
    assert!(jti.len() >= 16);
    let expected = json!({
        "iss": server.issuer(), "aud": client, "sub": app.person.id, "sid": sid, "iat": now, "exp": now + 120, "jti": jti,
        "events": { EVENT: {} },
    });
    assert_eq!(claims, expected, "these and no others, no nonce above all");
    expect_empty_outbox(&server).await;

    // It passes for nothing else that we sign.
    let token = String::from_utf8(calls[0].body.to_vec()).unwrap().replace("logout_token=", "");
    made::userinfo(&server.wire(), &token).await.expect_error(401, "invalid_token");
    let path = format!("/logout?id_token_hint={token}&post_logout_redirect_uri={AFTER}");
    server.browser().get(&path).await.expect_status(200);
    let path = format!("/logout?id_token_hint={}&post_logout_redirect_uri={AFTER}", app.tokens.id_token());
    server.browser().get(&path).await.expect_status(303);
}

each_engine!(c_109_a_hint_signs_out_and_tells_too);
async fn c_109_a_hint_signs_out_and_tells_too(engine: Engine) {
    let (receiver, server) = receiver_and_server(engine).await;
    let mut app = SignedIn::with(&server, draft(&receiver), |flow| flow).await;
    let path = format!("/logout?id_token_hint={}", app.tokens.id_token());
    app.browser.get(&path).await.expect_status(200);
    receiver.expect(1).await;
    // A second time there is nothing to end.
    app.browser.get(&path).await.expect_status(200);
    receiver.expect_no_more_than(1).await;
}

each_engine!(c_109_only_clients_of_that_session_are_told);
/// Real clients 42: other browsers of the same person stay signed in.
async fn c_109_only_clients_of_that_session_are_told(engine: Engine) {
    let (receiver, server) = receiver_and_server(engine).await;
    let other = Receiver::listen().await;
    let mut app = SignedIn::with(&server, draft(&receiver), |flow| flow).await;
    // Of another session, of no tokens at all, and of this session but without an address.
    let elsewhere = made::client(&server, Draft { backchannel_logout_uri: Some(other.uri()), ..made::draft() }).await;
    let elsewhere = SignedIn::at(&server, Flow::new(&elsewhere), app.person.clone()).await;
    let quiet = made::client(&server, made::draft()).await;
    Flow::new(&quiet).tokens(&server.wire(), &mut app.browser, &app.person).await;
    let unused = made::client(&server, Draft { backchannel_logout_uri: Some(other.uri()), ..made::draft() }).await;
    let flow = Flow::new(&unused);
    let code = flow.sign_in(&mut app.browser, &app.person).await.code().to_owned();
    app.sign_out().await;
    let calls = receiver.expect(1).await;
    let (claims, _) = logout_token(&server.wire(), server.issuer(), &app.flow.application.id, &calls[0]).await;
    assert_eq!(claims["sid"], sid(&app.tokens));
    receiver.expect_no_more_than(1).await;
    assert_eq!(other.received().len(), 0, "{:#?}", other.received());
    // The code of the session that has ended becomes nothing that nobody would ever be told of.
    flow.exchange(&server.wire(), &code).await.0.expect_error(400, "invalid_grant");
    // The other browser goes on, refresh token and all.
    elsewhere.expect_live(&elsewhere.tokens.access_token()).await;
    assert!(is_signed_in(&server, &elsewhere).await && !is_signed_in(&server, &app).await);
}

async fn is_signed_in(server: &TestServer, app: &SignedIn) -> bool {
    let flow = Flow::new(&app.flow.application).with("prompt", "none");
    let answer = flow.open(&mut app.browser.clone()).await;
    let reply = flow.reply(&answer).expect("prompt=none always leads back");
    if !reply.parameters.contains_key("code") {
        reply.expect_error(&flow, server.issuer(), "login_required");
    }
    reply.parameters.contains_key("code")
}

each_engine!(c_112_tokens_of_the_session_end_with_it_and_offline_ones_stay);
async fn c_112_tokens_of_the_session_end_with_it_and_offline_ones_stay(engine: Engine) {
    let (receiver, server) = receiver_and_server(engine).await;
    let mut app = SignedIn::with(&server, draft(&receiver), |flow| flow).await;
    let online = Flow::new(&app.flow.application).with("scope", "openid");
    let bound = online.tokens(&server.wire(), &mut app.browser, &app.person).await;
    online.refresh(&server.wire(), &bound.refresh_token()).await.expect_tokens();
    let bound = online.tokens(&server.wire(), &mut app.browser, &app.person).await;
    app.sign_out().await;
    // Once for the client, however many grants it has.
    receiver.expect_no_more_than(1).await;
    app.expect_refused(&bound.refresh_token()).await;
    app.expect_dead(&bound.access_token()).await;
    app.refreshed(&app.tokens.refresh_token()).await;
}

each_engine!(c_109_a_client_whose_tokens_are_long_gone_is_still_told);
/// Sessions live longer than grants without a refresh token; the sweeper keeps what says whom to tell.
async fn c_109_a_client_whose_tokens_are_long_gone_is_still_told(engine: Engine) {
    let (receiver, server) = receiver_and_server(engine).await;
    let grant_types = Some(vec!["authorization_code".to_owned()]);
    let draft = Draft { grant_types, first_party: Some(true), ..draft(&receiver) };
    let mut app = SignedIn::with(&server, draft, |flow| flow).await;
    Flow::new(&app.flow.application).tokens(&server.wire(), &mut app.browser, &app.person).await;
    for _ in 0..5 {
        server.advance(chrono::Duration::hours(20));
        assert!(is_signed_in(&server, &app).await);
    }
    while bonafide::server::sweep_once(server.app()).await.unwrap() > 0 {}
    let grants = lines(&server, "SELECT count(*) || '' AS line FROM grants").await;
    assert_eq!(grants, ["1"], "the newest of a client stays, older ones go");
    app.sign_out().await;
    receiver.expect(1).await;
    while bonafide::server::sweep_once(server.app()).await.unwrap() > 0 {}
    assert_eq!(lines(&server, "SELECT count(*) || '' AS line FROM grants").await, ["0"]);
}

each_engine!(c_109_whatever_ends_a_session_tells);
async fn c_109_whatever_ends_a_session_tells(engine: Engine) {
    let (receiver, server) = receiver_and_server(engine).await;
    let mut app = SignedIn::with(&server, draft(&receiver), |flow| flow).await;
    let mut count = 0;
    // Another person signs in in the same browser.
    let eve = made::person(&server, "eve").await;
    sign_in_here(&mut app, &eve).await;
    count += 1;
    let calls = receiver.expect(count).await;
    let (claims, _) = logout_token(&server.wire(), server.issuer(), &app.flow.application.id, &calls[0]).await;
    assert_eq!((&claims["sub"], &claims["sid"]), (&json!(app.person.id), &sid(&app.tokens)));

    // The same person signing in again keeps the session: nothing to tell.
    let mut again = SignedIn::at(&server, Flow::new(&app.flow.application), app.person.clone()).await;
    let person = again.person.clone();
    sign_in_here(&mut again, &person).await;
    receiver.expect_no_more_than(count).await;

    let accounts = &server.app().accounts;
    accounts.set_password("ada", "walnut copper 93 lantern").await.unwrap();
    count += 1;
    receiver.expect(count).await;
    let ada = Person { password: "walnut copper 93 lantern".to_owned(), ..app.person.clone() };

    let both = [
        SignedIn::at(&server, Flow::new(&app.flow.application), ada.clone()).await,
        SignedIn::at(&server, Flow::new(&app.flow.application), ada.clone()).await,
    ];
    accounts.set_disabled("ada", true).await.unwrap();
    count += 2;
    let calls = receiver.expect(count).await;
    let mut told = Vec::new();
    for call in &calls[count - 2..] {
        told.push(logout_token(&server.wire(), server.issuer(), &app.flow.application.id, call).await.0["sid"].clone());
    }
    for app in both {
        assert!(told.contains(&sid(&app.tokens)), "{told:?}");
    }

    accounts.set_disabled("ada", false).await.unwrap();
    let last = SignedIn::at(&server, Flow::new(&app.flow.application), ada).await;
    accounts.delete("ada").await.unwrap();
    count += 1;
    let calls = receiver.expect(count).await;
    let (claims, _) = logout_token(&server.wire(), server.issuer(), &app.flow.application.id, &calls[count - 1]).await;
    assert_eq!((&claims["sub"], &claims["sid"]), (&json!(last.person.id), &sid(&last.tokens)));
}

/// Signs somebody in where somebody is signed in already.
async fn sign_in_here(app: &mut SignedIn, person: &Person) {
    let flow = Flow::new(&app.flow.application).with("prompt", "login");
    flow.sign_in(&mut app.browser, person).await.code();
}

each_engine!(c_109_sign_out_everywhere_tells_of_every_session);
async fn c_109_sign_out_everywhere_tells_of_every_session(engine: Engine) {
    let (receiver, server) = receiver_and_server(engine).await;
    let mut app = SignedIn::with(&server, draft(&receiver), |flow| flow).await;
    let flow = || Flow::new(&app.flow.application);
    let bound = SignedIn::at(&server, flow().with("scope", "openid"), app.person.clone()).await;
    let eve = SignedIn::at(&server, flow(), made::person(&server, "eve").await).await;
    let page = app.browser.get("/").await.expect_status(200);
    let form = page.form("/logout");
    // A button of another browser's page, and one that another site presses, does nothing.
    let csrf = form.value("csrf").unwrap_or_default().to_owned();
    let fields = [("decision", "everywhere"), ("csrf", csrf.as_str())];
    eve.browser.clone().post("/logout", &fields).await.expect_status(403);
    let foreign = app.browser.call(Method::POST, "/logout").form(&fields).header("sec-fetch-site", "cross-site");
    app.browser.clone().send(foreign).await.expect_status(403);
    assert!(is_signed_in(&server, &app).await);

    app.browser.submit(&form, Some("sign-out-everywhere"), &[]).await.expect_status(200);
    for ended in [&app, &bound] {
        assert!(!is_signed_in(&server, ended).await);
    }
    assert!(is_signed_in(&server, &eve).await);
    let mut told = Vec::new();
    for call in receiver.expect(2).await {
        told.push(
            logout_token(&server.wire(), server.issuer(), &app.flow.application.id, &call).await.0["sid"].clone(),
        );
    }
    assert!(told.contains(&sid(&app.tokens)) && told.contains(&sid(&bound.tokens)), "{told:?}");
    bound.expect_refused(&bound.tokens.refresh_token()).await;
    bound.expect_dead(&bound.tokens.access_token()).await;
    app.refreshed(&app.tokens.refresh_token()).await;
    let events = "SELECT kind || ' ' || detail AS line FROM audit_events WHERE kind = 'signed_out_everywhere'";
    assert_eq!(lines(&server, events).await, [r#"signed_out_everywhere {"sessions":2}"#]);
}

each_engine!(ss_08_c_111_nobody_waits_for_a_client_that_hangs);
async fn ss_08_c_111_nobody_waits_for_a_client_that_hangs(engine: Engine) {
    let (hanging, good) = (Receiver::listen().await, Receiver::listen().await);
    hanging.say(Say::Nothing);
    let allow = format!("{},{}", hanging.address, good.address);
    let server = TestServer::with(engine, &[("outgoing.allow", &allow)]).await;
    let app = SignedIn::with(&server, draft(&hanging), |flow| flow).await;
    let other = Flow::new(&made::client(&server, draft(&good)).await);
    // Several sessions, so that the one who hangs has more to be told than fits at once.
    let mut browsers = Vec::new();
    for _ in 0..6 {
        let mut here = SignedIn::at(&server, Flow::new(&app.flow.application), app.person.clone()).await;
        other.clone().tokens(&server.wire(), &mut here.browser, &app.person).await;
        browsers.push(here);
    }
    let began = Instant::now();
    for here in &mut browsers {
        here.sign_out().await;
    }
    good.expect(6).await;
    assert!(began.elapsed() < Duration::from_secs(4), "{:?}", began.elapsed());
    // Given time, the one who hangs is called again.
    let before = hanging.received().len();
    assert!((1..=6).contains(&before), "{before}");
    for _ in 0..1000 {
        if outbox(&server).await.iter().any(|line| line.ends_with("no answer within 5 seconds")) {
            break;
        }
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    hanging.say(Say::Status(StatusCode::NO_CONTENT));
    for _ in 0..20 {
        server.advance_seconds(10);
        tokio::time::sleep(Duration::from_millis(500)).await;
    }
    expect_empty_outbox(&server).await;
    assert!(hanging.received().len() > before);
}

each_engine!(ss_08_an_error_is_tried_again_with_a_fresh_token);
async fn ss_08_an_error_is_tried_again_with_a_fresh_token(engine: Engine) {
    let (receiver, server) = receiver_and_server(engine).await;
    let mut app = SignedIn::with(&server, draft(&receiver), |flow| flow).await;
    receiver.say(Say::Status(StatusCode::INTERNAL_SERVER_ERROR));
    app.sign_out().await;
    expect_outbox(&server, "backchannel_logout 1 answered 500").await;
    // Not before its time.
    receiver.expect_no_more_than(1).await;
    receiver.say(Say::Status(StatusCode::BAD_REQUEST));
    server.advance_seconds(6);
    receiver.expect(2).await;
    expect_outbox(&server, "backchannel_logout 2 answered 400").await;
    receiver.say(Say::Status(StatusCode::OK));
    server.advance_seconds(31);
    let calls = receiver.expect(3).await;
    expect_empty_outbox(&server).await;
    let client = &app.flow.application.id;
    let (first, _) = logout_token(&server.wire(), server.issuer(), client, &calls[0]).await;
    let (last, _) = logout_token(&server.wire(), server.issuer(), client, &calls[2]).await;
    assert_eq!(last["iat"], server.now().timestamp());
    assert_eq!((&first["sid"], &first["sub"]), (&last["sid"], &last["sub"]));
    assert_ne!(first["jti"], last["jti"]);
    receiver.expect_no_more_than(3).await;
}

each_engine!(ss_08_a_message_is_given_up_in_the_end);
async fn ss_08_a_message_is_given_up_in_the_end(engine: Engine) {
    let (receiver, server) = receiver_and_server(engine).await;
    let mut app = SignedIn::with(&server, draft(&receiver), |flow| flow).await;
    receiver.say(Say::Status(StatusCode::from_u16(501).unwrap()));
    app.sign_out().await;
    let began = server.now();
    for attempts in 1..=8 {
        expect_outbox(&server, &format!("backchannel_logout {attempts} answered {}", 500 + attempts)).await;
        receiver.say(Say::Status(StatusCode::from_u16(501 + attempts).unwrap()));
        server.advance(chrono::Duration::hours(if attempts < 5 { 1 } else { 12 }));
    }
    receiver.expect(9).await;
    expect_empty_outbox(&server).await;
    assert!(server.now() - began > chrono::Duration::hours(24), "the clock of the test went far enough");
    let events = "SELECT detail AS line FROM audit_events WHERE kind = 'message_given_up' AND client_id IS NOT NULL";
    let events: Vec<Value> = lines(&server, events).await.iter().map(|line| line.parse().expect("JSON")).collect();
    assert_eq!(events, [json!({"message": "backchannel_logout", "attempts": 9, "error": "answered 509"})]);
    let metrics = server.node().management().get("/metrics").await.body;
    assert!(
        metrics.contains(r#"bonafide_outbox_messages_total{kind="backchannel_logout",outcome="given_up"}"#),
        "{metrics}"
    );
}

each_engine!(ss_08_a_redirect_is_not_followed);
/// Requirement 9.
async fn ss_08_a_redirect_is_not_followed(engine: Engine) {
    let (receiver, elsewhere) = (Receiver::listen().await, Receiver::listen().await);
    let allow = format!("{},{}", receiver.address, elsewhere.address);
    let server = TestServer::with(engine, &[("outgoing.allow", &allow)]).await;
    let mut app = SignedIn::with(&server, draft(&receiver), |flow| flow).await;
    receiver.say(Say::Redirect(elsewhere.uri()));
    app.sign_out().await;
    expect_outbox(&server, "backchannel_logout 1 answered 302").await;
    assert_eq!(elsewhere.received().len(), 0);
}

each_engine!(ss_08_addresses_that_are_not_allowed_are_not_called);
/// Requirement 9.
async fn ss_08_addresses_that_are_not_allowed_are_not_called(engine: Engine) {
    let receiver = Receiver::listen().await;
    let binary = Binary::start(engine).await;
    let ada = binary.person("ada").await;
    let flow = Flow::new(&binary.application(&draft(&receiver)).await);
    let mut browser = binary.browser();
    flow.tokens(&binary.wire(), &mut browser, &ada).await;
    let page = browser.get("/logout").await;
    browser.submit(&page.form("/logout"), Some("sign-out"), &[]).await.expect_status(200);
    binary.expect_log("outgoing.allow").await;
    let error = format!("{} is not a public address; name it in outgoing.allow if it may be called", receiver.address);
    expect_outbox(&binary, &format!("backchannel_logout 1 {error}")).await;
    assert_eq!(receiver.received().len(), 0);
}

each_engine!(c_109_a_person_disabled_by_a_command_is_told_within_seconds);
async fn c_109_a_person_disabled_by_a_command_is_told_within_seconds(engine: Engine) {
    let receiver = Receiver::listen().await;
    let binary = Binary::with(engine, &[("outgoing.allow", &receiver.address)]).await;
    let ada = binary.person("ada").await;
    let flow = Flow::new(&binary.application(&draft(&receiver)).await);
    flow.tokens(&binary.wire(), &mut binary.browser(), &ada).await;
    binary.cli(&["user", "disable", "ada"]).await.expect_success();
    let began = Instant::now();
    receiver.expect(1).await;
    assert!(began.elapsed() < Duration::from_secs(3), "{:?}", began.elapsed());
}

each_engine!(c_109_what_was_committed_is_sent_after_a_crash);
async fn c_109_what_was_committed_is_sent_after_a_crash(engine: Engine) {
    let receiver = Receiver::listen().await;
    let mut binary = Binary::with(engine, &[("outgoing.allow", &receiver.address)]).await;
    let ada = binary.person("ada").await;
    let flow = Flow::new(&binary.application(&draft(&receiver)).await);
    let mut browser = binary.browser();
    let tokens = flow.tokens(&binary.wire(), &mut browser, &ada).await;
    // Killed in the middle of the call.
    receiver.say(Say::Nothing);
    browser.get(&format!("/logout?id_token_hint={}", tokens.id_token())).await.expect_status(200);
    receiver.expect(1).await;
    binary.kill();
    assert_eq!(outbox(&binary).await, ["backchannel_logout 1 "]);
    receiver.say(Say::Status(StatusCode::OK));
    // As if the time had passed for which the attempt was the dead process's.
    run(&binary, "UPDATE outbox SET due_at = 0").await;
    binary.start_again().await;
    let calls = receiver.expect(2).await;
    let (claims, _) = logout_token(&binary.wire(), binary.issuer(), &flow.application.id, &calls[1]).await;
    assert_eq!(claims["sid"], sid(&tokens));
    expect_empty_outbox(&binary).await;
}

each_engine!(c_109_no_exchange_slips_past_a_sign_out);
/// A code that is exchanged at the very moment of signing out: no tokens, or a message.
async fn c_109_no_exchange_slips_past_a_sign_out(engine: Engine) {
    let (receiver, server) = receiver_and_server(engine).await;
    let client = made::client(&server, draft(&receiver)).await;
    let ada = made::person(&server, "ada").await;
    let mut told = 0;
    for _ in 0..12 {
        let mut browser = server.browser();
        let flow = Flow::new(&client);
        let code = flow.sign_in(&mut browser, &ada).await.code().to_owned();
        let form = browser.get("/logout").await.form("/logout");
        let (wire, signing_out) = (server.wire(), async { browser.submit(&form, Some("sign-out"), &[]).await });
        let (tokens, page) = tokio::join!(flow.exchange(&wire, &code), signing_out);
        page.expect_status(200);
        told += usize::from(tokens.status == 200);
        receiver.expect(told).await;
    }
    expect_empty_outbox(&server).await;
    receiver.expect(told).await;
}

each_engine!(c_109_two_browsers_may_sign_out_everywhere_at_once);
async fn c_109_two_browsers_may_sign_out_everywhere_at_once(engine: Engine) {
    let (receiver, server) = receiver_and_server(engine).await;
    let app = SignedIn::with(&server, draft(&receiver), |flow| flow).await;
    let mut told = 1;
    for _ in 0..4 {
        let mut both = Vec::new();
        for _ in 0..2 {
            let mut here = SignedIn::at(&server, Flow::new(&app.flow.application), app.person.clone()).await;
            let form = here.browser.get("/").await.form("/logout");
            both.push((here.browser, form));
        }
        let mut pages = both.iter_mut().map(|(browser, form)| browser.submit(form, Some("sign-out-everywhere"), &[]));
        let (first, second) = (pages.next().expect("one"), pages.next().expect("another"));
        let (first, second) = tokio::join!(first, second);
        // The second may come when its session has ended; whoever it is, nobody is told an error of ours.
        assert!(!first.status.is_server_error() && !second.status.is_server_error(), "{first:#?}\n{second:#?}");
        told += 2;
        receiver.expect(told).await;
    }
    receiver.expect_no_more_than(told).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn c_109_two_nodes_send_once() {
    let (receiver, server) = receiver_and_server(Engine::Postgres).await;
    let second = server.second_node().await;
    let app = SignedIn::with(&server, draft(&receiver), |flow| flow).await;
    let mut browsers = Vec::new();
    for _ in 0..20 {
        browsers.push(SignedIn::at(&server, Flow::new(&app.flow.application), app.person.clone()).await);
    }
    // Half of them by the other node, and all of it due for both at the same moment.
    for (n, here) in browsers.iter_mut().enumerate() {
        if n % 2 == 0 {
            here.browser.move_to(second.wire());
        }
        here.sign_out().await;
    }
    server.app().accounts.set_disabled("ada", true).await.unwrap();
    second.app().bell.ring();
    let calls = receiver.expect(21).await;
    receiver.expect_no_more_than(21).await;
    let mut told = std::collections::BTreeSet::new();
    for call in &calls {
        let (claims, _) = logout_token(&server.wire(), server.issuer(), &app.flow.application.id, call).await;
        told.insert(claims["sid"].to_string());
    }
    assert_eq!(told.len(), 21, "every session once");
    expect_empty_outbox(&server).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_waits_for_a_client_that_is_gone_goes_too() {
    let (receiver, server) = receiver_and_server(Engine::Sqlite).await;
    let mut app = SignedIn::with(&server, draft(&receiver), |flow| flow).await;
    receiver.say(Say::Status(StatusCode::INTERNAL_SERVER_ERROR));
    app.sign_out().await;
    expect_outbox(&server, "backchannel_logout 1 answered 500").await;
    made::disable_client(&server, &app.flow.application.id).await;
    server.advance_seconds(6);
    expect_empty_outbox(&server).await;
    receiver.expect(1).await;
    let given_up = "SELECT kind AS line FROM audit_events WHERE kind = 'message_given_up'";
    assert!(lines(&server, given_up).await.is_empty());
}
