//! A database that goes away and comes back.

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use sea_orm::ConnectionTrait as _;
use tokio::time::sleep;

use crate::{
    engines::{client_credentials, run, service},
    support::{
        Application, Binary, Browser, Engine, Flow, Gate, Person, Place, TestServer, Tokens, at_once, in_time,
        web_application,
    },
};

/// Somebody signed in, with tokens, and what it takes to go on.
struct Signed {
    flow: Flow,
    browser: Browser,
    tokens: Tokens,
    worker: Application,
    person: Person,
}

async fn signed_in(server: &TestServer) -> Signed {
    let application = server.application(&web_application()).await;
    let worker = server.application(&service()).await;
    let person = server.person("ada").await;
    let (flow, mut browser) = (Flow::new(&application), server.browser());
    let tokens = flow.tokens(&server.wire(), &mut browser, &person).await;
    Signed { flow, browser, tokens, worker, person }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_unreachable_database_is_a_503_that_heals_by_itself() {
    in_time(Box::pin(async {
        let gate = Gate::to_postgres().await;
        let server = TestServer::at(Place::prepared(Engine::Postgres, &[]).await.through(&gate)).await;
        let mut signed = signed_in(&server).await;
        let refresh_token = signed.tokens.refresh_token();
        let userinfo = || server.call(reqwest::Method::GET, "/userinfo").bearer(&signed.tokens.access_token()).send();
        let management = server.node().management();
        userinfo().await.expect_status(200);
        management.get("/health/ready").await.expect_status(200);

        gate.close();
        let began = Instant::now();
        let refused = signed.flow.refresh(&server.wire(), &refresh_token).await;
        assert!(!refused.header("retry-after").is_empty(), "{refused:#?}");
        refused.0.expect_error(503, "temporarily_unavailable");
        let refused = userinfo().await.expect_status(503);
        assert!(!refused.header("retry-after").is_empty(), "{refused:#?}");
        for browser in [&mut signed.browser, &mut server.browser()] {
            let page = signed.flow.begin(browser).await.expect_status(503);
            assert!(!page.header("retry-after").is_empty() && page.header("content-type").starts_with("text/html"));
            assert!(page.body.contains(page.header("x-request-id")), "{page:#?}");
            for leak in ["postgres", "sqlx", "127.0.0.1"] {
                assert!(!page.body.contains(leak), "{leak}: {page:#?}");
            }
        }
        management.get("/health/ready").await.expect_status(503);
        management.get("/health/live").await.expect_status(200);
        assert!(began.elapsed() < Duration::from_secs(15), "a fault is told within bounds: {:?}", began.elapsed());

        // What needs no database goes on.
        server.get("/.well-known/openid-configuration").await.expect_status(200);
        server.get("/jwks").await.expect_status(200);
        client_credentials(&server.wire(), &signed.worker).await.expect_status(200);
        let asked = Instant::now();
        let wrong = signed.worker.with_auth(crate::support::ClientAuth::Basic("wrong".to_owned()));
        client_credentials(&server.wire(), &wrong).await.expect_error(401, "invalid_client");
        assert!(asked.elapsed() < Duration::from_secs(1), "the answer does not wait for the record");

        gate.open();
        let began = Instant::now();
        while management.get("/health/ready").await.status.as_u16() != 200 {
            assert!(began.elapsed() < Duration::from_secs(10), "it does not heal");
            sleep(Duration::from_millis(50)).await;
        }
        let tokens = signed.flow.refresh(&server.wire(), &refresh_token).await.expect_tokens();
        assert_ne!(tokens.refresh_token(), refresh_token);
        userinfo().await.expect_status(200);
        assert!(signed.flow.reply(&signed.flow.begin(&mut signed.browser).await).is_some());
        assert!(crate::engines::can_sign_in(&server.wire(), &signed.person).await);

        // Changes are heard of again, too.
        let late = server.cli(&["client", "disable", &signed.worker.id]).await;
        late.expect_success();
        let began = Instant::now();
        while client_credentials(&server.wire(), &signed.worker).await.status.as_u16() != 401 {
            assert!(began.elapsed() < Duration::from_secs(2), "changes are not heard of any more");
            sleep(Duration::from_millis(50)).await;
        }
    }))
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_database_that_was_never_there_is_said_at_the_start() {
    let place =
        Place::prepared(Engine::Postgres, &[("database.url", "postgres://u:hunter2@127.0.0.1:1/nothing")]).await;
    let output = place.cli(&["serve"]).await;
    assert!(!output.status.success() && output.stderr.contains("database.url"), "{output}");
    assert!(!output.stderr.contains("hunter2"), "{output}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn closed_connections_are_replaced_without_anybody_noticing() {
    in_time(Box::pin(async {
        let server = TestServer::start(Engine::Postgres).await;
        let mut signed = signed_in(&server).await;
        let mut refresh_token = signed.tokens.refresh_token();
        let terminate = "SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity
            WHERE datname = current_database() AND pid <> pg_backend_pid()";
        for _ in 0..3 {
            // As many connections as the pool has, all in use a moment ago.
            let token = signed.tokens.access_token();
            let answers = at_once(32, |_| server.call(reqwest::Method::GET, "/userinfo").bearer(&token).send()).await;
            assert!(answers.iter().all(|answer| answer.status.as_u16() == 200));
            run(server.place(), terminate).await;
            let tokens = signed.flow.refresh(&server.wire(), &refresh_token).await.expect_tokens();
            refresh_token = tokens.refresh_token();
            run(server.place(), terminate).await;
            server.call(reqwest::Method::GET, "/userinfo").bearer(&token).send().await.expect_status(200);
            run(server.place(), terminate).await;
            let answer = signed.flow.begin(&mut signed.browser).await;
            let reply = signed.flow.reply(&answer).expect("back at the application");
            run(server.place(), terminate).await;
            signed.flow.exchange(&server.wire(), reply.code()).await.expect_tokens();
        }
    }))
    .await;
}

/// The command line is a second writer.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn another_writer_on_sqlite_is_waited_for() {
    in_time(Box::pin(async {
        let binary = Arc::new(Binary::start(Engine::Sqlite).await);
        let application = binary.application(&web_application()).await;
        let person = binary.person("ada").await;
        let (flow, mut browser) = (Flow::new(&application), binary.browser());
        let tokens = flow.tokens(&binary.wire(), &mut browser, &person).await;

        let other = binary.database().await;
        other.execute_unprepared("BEGIN IMMEDIATE").await.expect("the lock");
        other.execute_unprepared("UPDATE users SET name = name").await.expect("a write");
        let began = Instant::now();
        let (wire, refresh_token) = (binary.wire(), tokens.refresh_token());
        let (refreshed, code, read, ()) = tokio::join!(
            flow.refresh(&wire, &refresh_token),
            flow.begin(&mut browser),
            binary.wire().call(reqwest::Method::GET, "/userinfo").bearer(&tokens.access_token()).send(),
            async {
                sleep(Duration::from_secs(1)).await;
                other.execute_unprepared("COMMIT").await.expect("the end of it");
            }
        );
        assert!(began.elapsed() < Duration::from_secs(4), "{:?}", began.elapsed());
        refreshed.expect_tokens();
        read.expect_status(200);
        let reply = flow.reply(&code).expect("back at the application");
        flow.exchange(&binary.wire(), reply.code()).await.expect_tokens();
    }))
    .await;
}
