//! Where somebody develops, refusals say at once why; nowhere else.

use serde_json::Value;

use crate::support::{Binary, Engine, TestServer, in_time};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn under_dev_a_refusal_says_at_once_why() {
    in_time(Box::pin(async {
        let binary = Binary::dev(Engine::Sqlite).await;
        let wire = binary.wire();
        let page = wire.get("/authorize?client_id=shop&state=hush-hush").await.expect_status(400);
        let details = page.element("trace");
        assert_eq!((details.name.as_str(), details.attribute("open").is_some()), ("details", true), "{page:#?}");
        assert!(
            page.body.contains("client_registered") && page.body.contains("bonafide client create --id shop"),
            "{page:#?}"
        );
        assert!(!page.body.contains("hush-hush"), "{page:#?}");
        let answer = wire
            .post("/token", &[("grant_type", "odd"), ("client_id", "shop")])
            .await
            .expect_error(401, "invalid_client");
        let trace = &answer.json::<Value>()["trace"];
        assert_eq!(trace["decided"]["rule"], "client_registered", "{trace:#}");
        assert_eq!(trace["reference"], answer.header("x-request-id"), "{trace:#}");
        let answer = wire.get("/auth/me").await.expect_status(401);
        assert_eq!(answer.json::<Value>()["trace"]["decided"]["rule"], "credential_shown");
        // What succeeds says nothing.
        assert!(!wire.get("/jwks").await.expect_status(200).body.contains("trace"));
    }))
    .await;
}

both_engines!(without_dev_a_refusal_says_its_reference_alone);
async fn without_dev_a_refusal_says_its_reference_alone(server: TestServer) {
    let page = server.get("/authorize?client_id=shop").await.expect_status(400);
    assert!(page.find_element("trace").is_none() && !page.body.contains("client_registered"), "{page:#?}");
    assert!(page.body.contains(page.header("x-request-id")), "{page:#?}");
    let answer = server.post("/token", &[("client_id", "shop")]).await.expect_error(401, "invalid_client");
    let body: Value = answer.json();
    assert!(body.get("trace").is_none() && body["reference"] == answer.header("x-request-id"), "{answer:#?}");
    let body: Value = server.get("/auth/me").await.expect_status(401).json();
    assert!(body.get("trace").is_none() && body["reference"].is_string(), "{body}");
}
