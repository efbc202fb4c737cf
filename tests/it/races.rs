//! Many at once: on one node, on two, on two processes that share a PostgreSQL.

use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use bonafide::clients::Clients;
use bonafide::platform::database::{DatabaseError, execute};
use bonafide::platform::settings::Attributes;
use reqwest::Method;
use serde_json::Value;

use crate::support::{
    Application, Binary, Engine, Flow, NewApplication, Person, TestServer, Tokens, Wire, at_once,
    made::{self, SignedIn, userinfo},
};

/// Grants in the database that have not ended.
async fn live_grants(place: &crate::support::Place) -> usize {
    use sea_orm::ConnectionTrait as _;
    let database = place.database().await;
    let alive = "SELECT id FROM grants WHERE ended_at IS NULL";
    let statement = sea_orm::Statement::from_string(database.get_database_backend(), alive);
    database.query_all_raw(statement).await.unwrap().len()
}

/// At most one of them won, and whoever lost heard nothing but `invalid_grant`.
fn winners(answers: Vec<Tokens>) -> Vec<Tokens> {
    let (winners, losers): (Vec<_>, Vec<_>) = answers.into_iter().partition(|answer| answer.status == 200);
    for loser in losers {
        loser.0.expect_error(400, "invalid_grant");
    }
    winners
}

/// Redeems one code `count` times at once: at most one 200, never two live families.
async fn race_for_a_code(place: &crate::support::Place, wires: &[Wire], flow: &Flow, code: &str, count: usize) {
    let before = live_grants(place).await;
    let answers = at_once(count, |n| {
        let (flow, code, wire) = (flow.clone(), code.to_owned(), wires[n % wires.len()].clone());
        async move { flow.exchange(&wire, &code).await }
    })
    .await;
    let won = winners(answers);
    assert!(won.len() <= 1, "{won:#?}");
    assert!(!won.is_empty(), "nobody won a race for a good code");
    // The losers' replays have ended what the winner got, as every replay does.
    assert_eq!(live_grants(place).await, before, "a family lives");
    for wire in wires {
        userinfo(wire, &won[0].access_token()).await.expect_error(401, "invalid_token");
        flow.refresh(wire, &won[0].refresh_token()).await.0.expect_error(400, "invalid_grant");
    }
}

/// Uses one refresh token `count` times at once, with a grace: all succeed, with one and the same successor.
async fn race_with_a_grace(wires: &[Wire], flow: &Flow, token: &str, count: usize) -> String {
    let answers = race(wires, flow, token, count).await;
    let successors: Vec<String> = answers.into_iter().map(|answer| answer.expect_tokens().refresh_token()).collect();
    assert!(successors.iter().all(|other| *other == successors[0]), "two branches: {successors:#?}");
    successors[0].clone()
}

/// The same without a grace: exactly one succeeds, and the family ends.
async fn race_without_a_grace(place: &crate::support::Place, wires: &[Wire], flow: &Flow, token: &str, count: usize) {
    let before = live_grants(place).await;
    let won = winners(race(wires, flow, token, count).await);
    assert_eq!(won.len(), 1, "{won:#?}");
    assert_eq!(live_grants(place).await, before - 1, "the family lives");
    for wire in wires {
        flow.refresh(wire, &won[0].refresh_token()).await.0.expect_error(400, "invalid_grant");
        userinfo(wire, &won[0].access_token()).await.expect_error(401, "invalid_token");
    }
}

async fn race(wires: &[Wire], flow: &Flow, token: &str, count: usize) -> Vec<Tokens> {
    at_once(count, |n| {
        let (flow, token, wire) = (flow.clone(), token.to_owned(), wires[n % wires.len()].clone());
        async move { flow.refresh(&wire, &token).await }
    })
    .await
}

both_engines!(ac_03_fifty_redemptions_of_one_code);
async fn ac_03_fifty_redemptions_of_one_code(server: TestServer) {
    let signed_in = SignedIn::new(&server).await;
    for _ in 0..3 {
        let flow = Flow::new(&signed_in.flow.application);
        let code = flow.sign_in(&mut signed_in.browser.clone(), &signed_in.person).await.code().to_owned();
        race_for_a_code(&server, &[server.wire()], &flow, &code, 50).await;
    }
    signed_in.expect_live(&signed_in.tokens.access_token()).await;
}

both_engines!(ac_03_twenty_redemptions_on_two_nodes);
async fn ac_03_twenty_redemptions_on_two_nodes(server: TestServer) {
    let second = server.second_node().await;
    let signed_in = SignedIn::new(&server).await;
    for _ in 0..3 {
        let flow = Flow::new(&signed_in.flow.application);
        let code = flow.sign_in(&mut signed_in.browser.clone(), &signed_in.person).await.code().to_owned();
        race_for_a_code(&server, &[server.wire(), second.wire()], &flow, &code, 20).await;
    }
}

both_engines!(rf_02_fifty_uses_of_one_token_within_the_grace);
async fn rf_02_fifty_uses_of_one_token_within_the_grace(server: TestServer) {
    let signed_in = SignedIn::new(&server).await;
    let mut token = signed_in.tokens.refresh_token();
    for _ in 0..3 {
        token = race_with_a_grace(&[server.wire()], &signed_in.flow, &token, 50).await;
    }
    signed_in.refreshed(&token).await;
}

both_engines!(rf_02_fifty_uses_of_one_token_without_a_grace with [("tokens.refresh_grace", "0s")]);
async fn rf_02_fifty_uses_of_one_token_without_a_grace(server: TestServer) {
    let signed_in = SignedIn::new(&server).await;
    race_without_a_grace(&server, &[server.wire()], &signed_in.flow, &signed_in.tokens.refresh_token(), 50).await;
}

both_engines!(rf_02_uses_of_one_token_on_two_nodes);
async fn rf_02_uses_of_one_token_on_two_nodes(server: TestServer) {
    let second = server.second_node().await;
    let signed_in = SignedIn::new(&server).await;
    let wires = [server.wire(), second.wire()];
    let token = race_with_a_grace(&wires, &signed_in.flow, &signed_in.tokens.refresh_token(), 20).await;
    signed_in.refreshed(&token).await;
}

both_engines!(rf_03_signing_out_while_refreshing);
/// Whoever comes first, afterwards nothing lives.
async fn rf_03_signing_out_while_refreshing(server: TestServer) {
    let application = made::client(&server, made::draft()).await;
    let person = made::person(&server, "ada").await;
    for _ in 0..20 {
        let flow = Flow::new(&application).with("scope", "openid");
        let signed_in = SignedIn::at(&server, flow.clone(), person.clone()).await;
        let (hint, token) = (signed_in.tokens.id_token(), signed_in.tokens.refresh_token());
        let answers = at_once(4, |n| {
            let (flow, token, wire) = (flow.clone(), token.clone(), server.wire());
            let (mut browser, path) = (signed_in.browser.clone(), format!("/logout?id_token_hint={hint}"));
            async move {
                if n == 0 {
                    let call = browser.call(Method::GET, &path);
                    browser.send(call).await.expect_status(200);
                    return None;
                }
                Some(flow.refresh(&wire, &token).await)
            }
        })
        .await;
        let refreshed: Vec<Tokens> = answers.into_iter().flatten().filter(|answer| answer.status == 200).collect();
        for tokens in &refreshed {
            signed_in.expect_dead(&tokens.access_token()).await;
            signed_in.expect_refused(&tokens.refresh_token()).await;
        }
        signed_in.expect_refused(&token).await;
    }
}

both_engines!(rf_08_disabling_a_person_while_refreshing);
async fn rf_08_disabling_a_person_while_refreshing(server: TestServer) {
    let application = made::client(&server, made::draft()).await;
    for n in 0..5 {
        let person = made::person(&server, &format!("ada{n}")).await;
        let signed_in = SignedIn::at(&server, Flow::new(&application), person.clone()).await;
        let (flow, token) = (&signed_in.flow, signed_in.tokens.refresh_token());
        let answers = at_once(4, |n| {
            let (flow, token, wire) = (flow.clone(), token.clone(), server.wire());
            let (app, username) = (server.app().clone(), person.username.clone());
            async move {
                if n == 0 {
                    app.accounts.set_disabled(&username, true).await.unwrap();
                    return None;
                }
                Some(flow.refresh(&wire, &token).await)
            }
        })
        .await;
        server.app().accounts.set_disabled(&person.username, false).await.unwrap();
        for tokens in answers.into_iter().flatten().filter(|answer| answer.status == 200) {
            signed_in.expect_dead(&tokens.access_token()).await;
            signed_in.expect_refused(&tokens.refresh_token()).await;
        }
        signed_in.expect_refused(&token).await;
    }
}

both_engines!(rf_08_ending_everything_waits_for_an_exchange_under_way);
/// An exchange that has used its code but not committed yet: whoever ends all that a person has must not miss its grant.
async fn rf_08_ending_everything_waits_for_an_exchange_under_way(server: TestServer) {
    use sea_orm::{ConnectionTrait as _, TransactionTrait as _};
    let application = made::client(&server, made::draft()).await;
    let person = made::person(&server, "ada").await;
    Flow::new(&application).sign_in(&mut server.browser(), &person).await.code();
    let exchange = server.database().await.begin().await.unwrap();
    for sql in [
        "UPDATE codes SET used_at = issued_at",
        "INSERT INTO grants (id, client_id, user_id, session_id, scope, auth_time, acr, amr, offline, created_at, expires_at, \
         ends_at) SELECT grant_id, client_id, user_id, session_id, scope, auth_time, acr, amr, true, issued_at, \
         issued_at + 99999999, issued_at + 99999999 FROM codes",
    ] {
        exchange.execute_unprepared(sql).await.unwrap();
    }
    let (app, username) = (server.app().clone(), person.username.clone());
    let disabling = tokio::spawn(async move { app.accounts.set_disabled(&username, true).await });
    tokio::time::sleep(Duration::from_millis(400)).await;
    exchange.commit().await.unwrap();
    disabling.await.unwrap().unwrap();
    assert_eq!(live_grants(server.place()).await, 0);
}

both_engines!(a_node_stops_promptly);
/// A node that is told to stop waits for no connection of its own.
async fn a_node_stops_promptly(mut server: TestServer) {
    for _ in 0..15 {
        let restarted = tokio::time::timeout(Duration::from_secs(10), server.restart());
        restarted.await.expect("a node did not stop");
    }
}

/// Two processes on one PostgreSQL, an application and a person.
struct Processes {
    first: Binary,
    second: Binary,
    application: Application,
    person: Person,
}

impl Processes {
    async fn start(settings: &[(&str, &str)]) -> Self {
        let first = Binary::with(Engine::Postgres, settings).await;
        let second = first.second().await;
        let application = first.application(NewApplication::default()).await;
        let person = first.person("ada").await;
        Self { first, second, application, person }
    }

    fn wires(&self) -> [Wire; 2] {
        [self.first.wire(), self.second.wire()]
    }

    async fn tokens(&self) -> (Flow, Tokens) {
        let flow = Flow::new(&self.application);
        let tokens = flow.tokens(&self.first.wire(), &mut self.first.browser(), &self.person).await;
        (flow, tokens)
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn ac_03_a_code_on_two_processes() {
    let both = Processes::start(&[]).await;
    for _ in 0..3 {
        let flow = Flow::new(&both.application);
        let code = flow.sign_in(&mut both.first.browser(), &both.person).await.code().to_owned();
        race_for_a_code(both.first.place(), &both.wires(), &flow, &code, 20).await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn rf_02_a_refresh_token_on_two_processes() {
    let both = Processes::start(&[]).await;
    let (flow, tokens) = both.tokens().await;
    let mut token = tokens.refresh_token();
    for _ in 0..3 {
        token = race_with_a_grace(&both.wires(), &flow, &token, 50).await;
    }
    flow.refresh(&both.second.wire(), &token).await.expect_tokens();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn rf_02_a_refresh_token_on_two_processes_without_a_grace() {
    let both = Processes::start(&[("tokens.refresh_grace", "0s")]).await;
    for _ in 0..3 {
        let (flow, tokens) = both.tokens().await;
        race_without_a_grace(both.first.place(), &both.wires(), &flow, &tokens.refresh_token(), 50).await;
    }
}

/// Asks until the answer is as wanted; stops when that takes longer than a second.
async fn within_a_second<T>(what: &str, ask: impl AsyncFn() -> Option<T>) -> T {
    let started = Instant::now();
    loop {
        let asked = Instant::now();
        if let Some(found) = ask().await {
            return found;
        }
        assert!(asked - started < Duration::from_secs(1), "{what} takes longer than a second");
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn tj_19_a_key_rotation_reaches_the_other_process() {
    let both = Processes::start(&[]).await;
    let (flow, tokens) = both.tokens().await;
    let kids = async |wire: &Wire| -> Vec<String> {
        let set: Value = wire.get("/jwks").await.json();
        set["keys"].as_array().unwrap().iter().map(|key| key["kid"].as_str().unwrap().to_owned()).collect()
    };
    let before = kids(&both.first.wire()).await;
    both.first.place().cli(&["key", "rotate", "--now"]).await.expect_success();
    for wire in both.wires() {
        let now = within_a_second("a key rotation", async || {
            let now = kids(&wire).await;
            (now.len() == before.len() + 1).then_some(now)
        })
        .await;
        assert!(before.iter().all(|kid| now.contains(kid)), "{before:?} {now:?}");
        // A token of before verifies.
        userinfo(&wire, &tokens.access_token()).await.expect_status(200);
    }
    let next = flow.refresh(&both.second.wire(), &tokens.refresh_token()).await.expect_tokens();
    let kid = |token: &str| jsonwebtoken::decode_header(token).unwrap().kid;
    assert_ne!(kid(&next.access_token()), kid(&tokens.access_token()));
    userinfo(&both.first.wire(), &next.access_token()).await.expect_status(200);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_disabled_client_reaches_the_other_process() {
    let both = Processes::start(&[]).await;
    let (flow, tokens) = both.tokens().await;
    both.first.place().cli(&["client", "disable", &both.application.id]).await.expect_success();
    let token = tokens.refresh_token();
    for wire in both.wires() {
        within_a_second("a disabled client", async || {
            let fields = [("grant_type", "refresh_token"), ("refresh_token", token.as_str())];
            let answer = flow.token(&wire, &fields).await;
            (answer.status == 401).then_some(())
        })
        .await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn rf_08_a_disabled_person_reaches_the_other_process_at_once() {
    let both = Processes::start(&[]).await;
    let (flow, tokens) = both.tokens().await;
    userinfo(&both.second.wire(), &tokens.access_token()).await.expect_status(200);
    both.first.place().cli(&["user", "disable", &both.person.username]).await.expect_success();
    userinfo(&both.second.wire(), &tokens.access_token()).await.expect_error(401, "invalid_token");
    flow.refresh(&both.second.wire(), &tokens.refresh_token()).await.0.expect_error(400, "invalid_grant");
}

/// Changes the stored password of somebody in an action that others overtake or wait for, and tries to sign in meanwhile.
async fn sign_in_while<A: Future>(server: &TestServer, person: &Person, change: &'static str, sign_in: A) -> A::Output {
    let (database, username) = (server.app().database.clone(), person.username.clone());
    let (begun, has_begun) = tokio::sync::oneshot::channel();
    let changing = tokio::spawn(async move {
        let action = database.write(move |tx| {
            Box::pin(async move {
                let changed = execute(tx, change, [username.into()]).await?;
                begun.send(()).expect("somebody waits");
                tokio::time::sleep(Duration::from_secs(1)).await;
                Ok::<_, DatabaseError>(changed)
            })
        });
        action.await.unwrap()
    });
    has_begun.await.unwrap();
    let answer = sign_in.await;
    assert_eq!(changing.await.unwrap(), 1, "nobody was changed");
    answer
}

const ANOTHER_PASSWORD: &str =
    "UPDATE users SET password_hash = 'another', password_version = password_version + 1 WHERE username = $1";
const NOTHING: &str = "UPDATE users SET updated_at = updated_at + 1 WHERE username = $1";

both_engines!(a_new_password_refuses_a_sign_in_by_the_old_one_that_is_under_way with [("limits.enabled", "false")]);
/// The old password has been proven by the row as it was; the session or the grant comes after the new password, which could
/// not have ended it.
async fn a_new_password_refuses_a_sign_in_by_the_old_one_that_is_under_way(server: TestServer) {
    for (change, page, json) in [(NOTHING, 303, 200), (ANOTHER_PASSWORD, 422, 400)] {
        let person = made::person(&server, &format!("ada{page}")).await;
        let mut browser = server.browser();
        let form = browser.get("/sign-in").await.expect_status(200).form("/sign-in");
        let fields = [("username", person.username.as_str()), ("password", person.password.as_str())];
        sign_in_while(&server, &person, change, browser.submit(&form, Some("sign-in"), &fields))
            .await
            .expect_status(page);

        let person = made::person(&server, &format!("bea{json}")).await;
        let body = serde_json::json!({ "username": person.username, "password": person.password });
        let call = server.call(Method::POST, "/auth/signin").json(&body);
        sign_in_while(&server, &person, change, call.send()).await.expect_status(json);
    }
}

both_engines!(a_client_is_never_read_without_its_addresses);
/// What is read of the registry is of one moment: a client that is made meanwhile is in it with all that belongs to it, or not.
async fn a_client_is_never_read_without_its_addresses(server: TestServer) {
    let made = AtomicBool::new(false);
    let making = async {
        for _ in 0..40 {
            made::client(&server, made::draft()).await;
        }
        made.store(true, Ordering::Relaxed);
    };
    let reading = async {
        let mut torn = Vec::new();
        while !made.load(Ordering::Relaxed) {
            let read = Clients::load(&server.app().database, Attributes::default()).await.expect("a registry");
            let clients = read.registry().all_clients();
            torn.extend(
                clients.into_iter().filter(|client| client.grant_types.is_empty()).map(|client| client.id.clone()),
            );
        }
        assert!(torn.is_empty(), "{torn:?}");
    };
    tokio::join!(making, reading);
}
