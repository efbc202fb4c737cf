//! The OpenAPI document: as committed, and as the server answers.

use std::collections::BTreeSet;

use bonafide::http::{Access, table};
use reqwest::Method;
use serde_json::{Value, json};

use crate::{
    api_accounts::{login, text},
    support::{Engine, TestServer},
};

const COMMITTED: &str = include_str!("../../docs/openapi.json");
const SECRET: &str = "correct horse battery staple and more";

/// `docs/openapi.json` is what the program prints and serves: `bonafide openapi > docs/openapi.json` makes it anew.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_committed_document_is_the_current_one() {
    let server = TestServer::start(Engine::Sqlite).await;
    let printed = server.cli(&["openapi"]).await.expect_success();
    assert!(printed.stdout == COMMITTED, "docs/openapi.json is stale: bonafide openapi > docs/openapi.json");
    let answer = server.get("/openapi.json").await.expect_status(200);
    assert_eq!(answer.header("content-type"), "application/json");
    assert!(answer.body == COMMITTED);
    let document: Value = answer.json();
    assert_eq!(document["openapi"], "3.1.0");
}

/// Every path of the JSON API is described, with the methods that it takes and no others, and with who may call it.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_route_is_described() {
    let server = TestServer::with(Engine::Sqlite, &[("adapter.secret", SECRET), ("limits.enabled", "false")]).await;
    let boss = server.person("boss").await;
    server.app().accounts.grant_role("boss", "admin").await.expect("a role");
    let token = text(&login(&server, &boss).await, "accessToken").to_owned();
    let document: Value = serde_json::from_str(COMMITTED).expect("a document");
    let mut described = BTreeSet::new();
    for route in table() {
        let paths = [
            "/auth",
            "/user",
            "/users",
            "/adapter",
            "/providers",
            "/roles",
            "/permissions",
            "/api-keys",
            "/service-accounts",
            "/policies",
            "/traces",
            "/access",
            "/audit",
            "/.well-known/authzen-configuration",
        ];
        // What people's browsers and the providers themselves ask for is no part of it.
        let is_flow = route.path.starts_with("/providers/") && route.path != "/providers/{name}";
        if is_flow || !paths.iter().any(|path| route.path == *path || route.path.starts_with(&format!("{path}/"))) {
            continue;
        }
        described.insert(route.path);
        let security = match route.access {
            Access::PermissionOrSecret(_) => json!([{"bearer": []}, {"basic": []}]),
            access if access.is_guarded() && access != Access::AdapterSecret => json!([{"bearer": ["account"]}]),
            Access::AdapterSecret => json!([{"adapterSecret": []}]),
            _ if ["/auth/refresh", "/auth/logout"].contains(&route.path) => json!([{"refresh": []}, {}]),
            _ if route.path == "/auth/oAuthlogin" => json!([{"adapterSecret": []}, {}]),
            _ => json!([]),
        };
        let nobody = "00000000-0000-0000-0000-000000000000";
        // Where nobody but oneself gets past the guard, it is one's own.
        let id = if route.access == Access::Oneself { boss.id.as_str() } else { nobody };
        let path = route.path.replace(['{', '}'], "").replace("/id", &format!("/{id}"));
        for method in [Method::GET, Method::POST, Method::PUT, Method::PATCH, Method::DELETE] {
            let call = server.call(method.clone(), &path).bearer(&token).header("x-auth-secret", SECRET);
            let answer = call.send().await;
            let status = answer.status.as_u16();
            let operation = &document["paths"][route.path][method.as_str().to_lowercase()];
            assert_eq!(operation.is_object(), status != 405, "{method} {}: {status}", route.path);
            if status == 405 {
                let allowed = answer.header("allow");
                let declared = |method: &str| document["paths"][route.path][method.to_lowercase()].is_object();
                let mut named = allowed.split(',').map(str::trim).filter(|method| *method != "HEAD");
                assert!(!allowed.is_empty() && named.all(declared), "{method} {}: {allowed}", route.path);
            }
            if operation.is_object() {
                assert_eq!(operation["security"], security, "{method} {}", route.path);
                assert!(operation["responses"][status.to_string()].is_object(), "{method} {}: {status}", route.path);
            }
        }
    }
    assert_eq!(document["paths"].as_object().expect("paths").len(), described.len());
    assert!(described.len() > 30, "{described:?}");
}
