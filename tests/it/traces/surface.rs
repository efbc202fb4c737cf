//! Every error answer of the whole surface has a reference that leads to a trace.

use bonafide::http::table;
use reqwest::Method;
use serde_json::{Value, json};

use super::{operator, reference};
use crate::{
    api_accounts::{get, login, text},
    support::TestServer,
};

both_engines!(every_error_answer_has_a_reference_that_leads_to_a_trace with [
    ("traces.a_second", "100000"), ("traces.a_second_from_one", "100000"), ("limits.enabled", "false"),
    ("adapter.secret", "correct horse battery staple and more")]);
async fn every_error_answer_has_a_reference_that_leads_to_a_trace(server: TestServer) {
    let operator = operator(&server).await;
    let ada = server.person("ada").await;
    let token = text(&login(&server, &ada).await, "accessToken").to_owned();
    let mut references = Vec::new();
    let mut paths: Vec<&str> = table().iter().map(|route| route.path).collect();
    paths.extend(["/nowhere", "/auth/one/two/three"]);
    for path in paths {
        let path = path.replace("{id}", "0198c0de-0000-7000-8000-000000000001").replace(['{', '}'], "");
        server.app().traces.write().await.expect("writing");
        for method in [Method::GET, Method::POST, Method::PUT, Method::PATCH, Method::DELETE] {
            for bearer in [None, Some(token.as_str()), Some(operator.as_str())] {
                let call = server.call(method.clone(), &format!("{path}?limit=odd&client_id=nobody"));
                let mut call = if method == Method::GET { call } else { call.json(&json!({"odd": true})) };
                if let Some(bearer) = bearer {
                    call = call.bearer(bearer);
                }
                let answer = call.send().await;
                if answer.status.as_u16() < 400 {
                    continue;
                }
                assert!(answer.status.as_u16() < 500, "{answer:#?}");
                let kind = answer.header("content-type");
                let is_page = kind.starts_with("text/html") && answer.body.contains(answer.header("x-request-id"));
                assert!(is_page || kind.contains("json") || answer.body.is_empty(), "{method} {path}: {answer:#?}");
                references.push((format!("{method} {path}"), reference(&answer)));
            }
        }
    }
    assert!(references.len() > 300, "{}", references.len());
    for (request, reference) in references {
        let answer = get(&server, &format!("/traces/{reference}"), &operator).await;
        assert_eq!(answer.status.as_u16(), 200, "{request}: {answer:#?}");
        let trace: Value = answer.json();
        assert!(!text(&trace["decided"], "remedy").is_empty(), "{request}: {trace:#}");
    }
}
