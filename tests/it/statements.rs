//! How often PostgreSQL is asked, BEGIN and COMMIT aside: the budgets of the design.

use bonafide::clients::Draft;
use reqwest::Method;

use crate::support::{
    Engine, Flow, TestServer, Tokens,
    made::{self, SignedIn},
};

/// Runs `work` twice, so that caches are warm, and stops if the second run asked more than `most` questions. What the
/// server asks by itself, whether anything has changed, does not count.
async fn expect_at_most<T>(server: &TestServer, most: usize, work: impl AsyncFn() -> T) -> T {
    work().await;
    // Until the server has heard of what the test has made.
    tokio::time::sleep(std::time::Duration::from_millis(700)).await;
    let (result, statements) = server.statements_during(work()).await;
    let asked: Vec<_> = statements.into_iter().filter(|sql| !is_watching(sql)).collect();
    assert!(asked.len() <= most, "{} statements, not {most}: {asked:#?}", asked.len());
    assert!(asked.len() >= most.min(1), "nothing was counted");
    result
}

fn is_watching(sql: &str) -> bool {
    ["SELECT value FROM epochs", "SELECT DISTINCT recipient FROM outbox", "LISTEN", "UNLISTEN"]
        .iter()
        .any(|start| sql.starts_with(start))
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_flow_of_a_person() {
    let server = TestServer::start(Engine::Postgres).await;
    let signed_in = SignedIn::new(&server).await;
    let (wire, application) = (server.wire(), &signed_in.flow.application);
    let mut exchanges = Vec::new();
    for _ in 0..2 {
        let flow = Flow::new(application);
        let code = flow.sign_in(&mut signed_in.browser.clone(), &signed_in.person).await.code().to_owned();
        exchanges.push((flow, code));
    }
    let exchanges = std::sync::Mutex::new(exchanges);

    expect_at_most(&server, 2, async || {
        let flow = Flow::new(application);
        let answer = flow.begin(&mut signed_in.browser.clone()).await;
        flow.reply(&answer).expect("straight back").code().to_owned()
    })
    .await;
    let tokens = expect_at_most(&server, 3, async || {
        let (flow, code) = exchanges.lock().unwrap().pop().unwrap();
        flow.exchange(&wire, &code).await.expect_tokens()
    })
    .await;
    let latest = std::sync::Mutex::new(tokens);
    expect_at_most(&server, 2, async || {
        let token = latest.lock().unwrap().refresh_token();
        let next = signed_in.refreshed(&token).await;
        *latest.lock().unwrap() = next;
    })
    .await;
    let access_token = latest.into_inner().unwrap().access_token();
    expect_at_most(&server, 1, async || made::userinfo(&wire, &access_token).await.expect_status(200)).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_memory_answers() {
    let server = TestServer::start(Engine::Postgres).await;
    let service = made::client(&server, Draft { ..made::service() }).await;
    expect_at_most(&server, 0, async || {
        let fields = [("grant_type", "client_credentials")];
        Tokens(service.post(server.call(Method::POST, "/token"), &fields).await).expect_tokens()
    })
    .await;
    for path in ["/.well-known/openid-configuration", "/.well-known/oauth-authorization-server", "/jwks"] {
        expect_at_most(&server, 0, async || server.get(path).await.expect_status(200)).await;
    }
    // What a stranger sends costs no question either.
    expect_at_most(&server, 0, async || server.post("/token", &[("client_id", "x y")]).await.expect_status(401)).await;
    expect_at_most(&server, 0, async || made::userinfo(&server.wire(), "x").await.expect_status(401)).await;
}
