//! The OpenAPI 3.1 document: each operation says what it takes and gives, in shapes of the types that handlers read and write;
//! who may call is the route table's.

mod adapter;
mod audit;
mod authzen;
mod keys;
mod leaving;
mod operation;
mod own;
mod people;
mod policies;
mod providers;
mod recovery;
mod roles;
mod schemas;
mod sign_in;
mod traces;

use std::sync::LazyLock;

use axum::body::Bytes;
use axum::http::{HeaderValue, header};
use axum::response::Response;
use serde_json::{Map, Value, json};

use self::operation::Operation;
use self::schemas::Schemas;
use crate::http::answer;
use crate::http::router;

/// All of them, in the order of the document.
fn operations() -> impl Iterator<Item = Operation> {
    let groups = [
        sign_in::operations(),
        people::operations(),
        own::operations(),
        leaving::operations(),
        recovery::operations(),
        audit::operations(),
        roles::operations(),
        providers::operations(),
        keys::operations(),
        policies::operations(),
        traces::operations(),
        authzen::operations(),
        adapter::operations(),
    ];
    groups.into_iter().flatten()
}

pub(in crate::http) fn document() -> Value {
    let table = router::table();
    let (mut paths, mut schemas) = (Map::new(), Schemas::default());
    for operation in operations() {
        let Some(route) = table.iter().find(|route| route.is_for(operation.method, operation.path)) else { continue };
        let described = operation.described(route.access, &mut schemas);
        let item = paths.entry(operation.path).or_insert_with(|| json!({}));
        if let Some(item) = item.as_object_mut() {
            item.insert(operation.method.to_owned(), described);
        }
    }
    json!({
        "openapi": "3.1.0",
        "info": {
            "title": "Bonafide",
            "description": "Accounts and tokens for front ends that speak JSON, and the session adapter of NextAuth. \
                            OAuth 2.0 and OpenID Connect are described by /.well-known/openid-configuration.",
            "version": env!("CARGO_PKG_VERSION"),
            "license": {"name": "Apache-2.0 OR MIT", "identifier": "Apache-2.0 OR MIT"},
        },
        "servers": [{"url": "/"}],
        "paths": paths,
        "components": {
            "schemas": schemas.components(),
            "securitySchemes": {
                "bearer": {
                    "type": "http",
                    "scheme": "bearer",
                    "description": "An access token: a person's, with the scope account and of an application of the house, \
                                    or a service account's own. Or an API key, which may do what it was made for: \
                                    permissions, or its owner's own account (scope account).",
                },
                "basic": {
                    "type": "http",
                    "scheme": "basic",
                    "description": "The id and the secret of a service account.",
                },
                "refresh": {"type": "apiKey", "in": "header", "name": "Authorization", "description": "Refresh TOKEN; or in the body."},
                "adapterSecret": {"type": "apiKey", "in": "header", "name": "x-auth-secret"},
            },
        },
    })
}

static TEXT: LazyLock<String> = LazyLock::new(|| format!("{:#}\n", document()));

/// The document as text, always the same for one version of the program.
pub(crate) fn text() -> &'static str {
    &TEXT
}

pub(in crate::http) async fn openapi() -> Response {
    let mut response = Response::new(Bytes::from_static(text().as_bytes()).into());
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("application/json"));
    headers.insert(header::CACHE_CONTROL, answer::NO_STORE);
    response
}
