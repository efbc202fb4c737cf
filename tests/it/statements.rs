//! How often PostgreSQL is asked, BEGIN and COMMIT aside: the budgets of the design.

use bonafide::clients::Draft;
use reqwest::Method;

use crate::api_accounts::{get, login, text};
use crate::providers::{Stage, come_back, may};
use crate::support::{
    Engine, Flow, TestServer, Tokens,
    made::{self, SignedIn},
};

/// Runs `work` twice, so that caches are warm, and stops if the second run asked more than `most` questions. What the
/// server asks by itself, whether anything has changed, does not count.
pub(crate) async fn expect_at_most<T>(server: &TestServer, most: usize, work: impl AsyncFn() -> T) -> T {
    work().await;
    let (result, asked) = server.statements_of(work()).await;
    assert!(asked.len() <= most, "{} statements, not {most}: {asked:#?}", asked.len());
    assert!(asked.len() >= most.min(1), "nothing was counted");
    result
}

/// `GET /auth/me` asks once, and a refresh by the JSON API costs what the grant costs.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_json_api() {
    let server = TestServer::start(Engine::Postgres).await;
    let ada = server.person("ada").await;
    let tokens = login(&server, &ada).await;
    let token = text(&tokens, "accessToken");
    expect_at_most(&server, 1, async || get(&server, "/auth/me", token).await.expect_status(200)).await;
    let latest = std::sync::Mutex::new(text(&tokens, "refreshToken").to_owned());
    expect_at_most(&server, 2, async || {
        let header = format!("Refresh {}", latest.lock().unwrap());
        let call = server.call(Method::POST, "/auth/refresh").header("authorization", header);
        let next: serde_json::Value = call.send().await.expect_status(200).json();
        text(&next, "refreshToken").clone_into(&mut latest.lock().unwrap());
    })
    .await;
}

/// What people see of their own accounts costs one question beside the one for the token, however much there is; of others one
/// more to learn that they are there, and one for what they may do.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn lists_of_ones_own_account() {
    let server = TestServer::start(Engine::Postgres).await;
    let signed_in = SignedIn::new(&server).await;
    for _ in 0..3 {
        let application = made::client(&server, made::draft()).await;
        SignedIn::at(&server, Flow::new(&application), signed_in.person.clone()).await;
    }
    let tokens = login(&server, &signed_in.person).await;
    let token = text(&tokens, "accessToken");
    for (list, count) in [("sessions", 4), ("apps", 5)] {
        let path = format!("/auth/{}/{list}", signed_in.person.id);
        let answer = expect_at_most(&server, 2, async || get(&server, &path, token).await.expect_status(200)).await;
        assert_eq!(answer.json::<Vec<serde_json::Value>>().len(), count, "{answer:#?}");
    }
}

/// From the link to the session, of somebody who is known, in a browser that is not (five of them are its).
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_sign_in_by_another_provider() {
    let stage = Stage::new(Engine::Postgres).await;
    stage.sign_in(&mut stage.server.browser(), may()).await;
    expect_at_most(&stage.server, 17, async || {
        let mut browser = stage.server.browser();
        let request = browser.get("/providers/stub/sign-in").await.location();
        let done = come_back(&mut browser, &stage.stub.answer(&request, may())).await;
        assert_eq!(done.location().path(), "/");
    })
    .await;
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

/// An opaque token costs its own INSERT and nothing else; looking at any token costs one question.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn opaque_tokens_introspection_and_revocation() {
    let server = TestServer::start(Engine::Postgres).await;
    let format = Some("opaque".to_owned());
    let signed_in = SignedIn::with(&server, Draft { token_format: format.clone(), ..made::draft() }, |flow| flow).await;
    let (wire, application) = (server.wire(), &signed_in.flow.application);
    let mut exchanges = Vec::new();
    for _ in 0..2 {
        let flow = Flow::new(application);
        let code = flow.sign_in(&mut signed_in.browser.clone(), &signed_in.person).await.code().to_owned();
        exchanges.push((flow, code));
    }
    let exchanges = std::sync::Mutex::new(exchanges);
    let tokens = expect_at_most(&server, 4, async || {
        let (flow, code) = exchanges.lock().unwrap().pop().unwrap();
        flow.exchange(&wire, &code).await.expect_tokens()
    })
    .await;
    let latest = std::sync::Mutex::new(tokens);
    expect_at_most(&server, 3, async || {
        let token = latest.lock().unwrap().refresh_token();
        let next = signed_in.refreshed(&token).await;
        *latest.lock().unwrap() = next;
    })
    .await;
    let latest = latest.into_inner().unwrap();
    let opaque = latest.access_token();
    expect_at_most(&server, 1, async || made::userinfo(&wire, &opaque).await.expect_status(200)).await;

    let programs = Draft { token_format: format, ..made::service() };
    let programs = [made::client(&server, programs).await, made::client(&server, made::service()).await];
    let [opaque_service, service] = &programs;
    let ask = async |client: &crate::support::Application| {
        let fields = [("grant_type", "client_credentials")];
        Tokens(client.post(server.call(Method::POST, "/token"), &fields).await).expect_tokens().access_token()
    };
    let of_opaque = expect_at_most(&server, 1, async || ask(opaque_service).await).await;
    let of_service = ask(service).await;
    let person = signed_in.person.clone();
    let signed = made::client(&server, made::draft()).await;
    let signed = SignedIn::at(&server, Flow::new(&signed), person).await;
    for (client, token) in [
        (application, &opaque),
        (application, &latest.refresh_token()),
        (&signed.flow.application, &signed.tokens.access_token()),
        (opaque_service, &of_opaque),
        (service, &of_service),
    ] {
        expect_at_most(&server, 1, async || made::expect_active(&wire, client, token).await).await;
    }
    expect_at_most(&server, 0, async || made::expect_inactive(&wire, application, "x").await).await;
    expect_at_most(&server, 0, async || made::revoke(&wire, application, "x").await).await;
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
