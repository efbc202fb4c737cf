//! `/.well-known/openid-configuration` (OpenID Connect Discovery 1.0), `/.well-known/oauth-authorization-server` (RFC 8414)
//! and `/jwks` (RFC 7517): bodies made in advance, no question to the database.

use std::sync::Arc;

use axum::body::Body;
use axum::extract::State;
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::Response;
use serde::Serialize;
use utoipa::ToSchema;

use crate::http::answer;
use crate::http::state::Web;

/// A rotation must be seen soon: keys are published ten minutes before they sign.
const FIVE_MINUTES: HeaderValue = HeaderValue::from_static("public, max-age=300");
const JSON: HeaderValue = HeaderValue::from_static("application/json");

pub(in crate::http) async fn metadata(State(web): State<Arc<Web>>) -> Response {
    document(web.documents().discovery.clone())
}

/// Where decisions are made. What is not named is not there.
#[derive(Serialize, ToSchema)]
#[schema(as = DecisionPoint)]
pub(in crate::http) struct Authzen {
    policy_decision_point: String,
    access_evaluation_endpoint: String,
    access_evaluations_endpoint: String,
}

/// `/.well-known/authzen-configuration` (`AuthZEN` Authorization API 1.0 section 9).
pub(in crate::http) async fn authzen(State(web): State<Arc<Web>>) -> Response {
    let issuer = web.issuer();
    let point = Authzen {
        policy_decision_point: issuer.to_owned(),
        access_evaluation_endpoint: format!("{issuer}/access/v1/evaluation"),
        access_evaluations_endpoint: format!("{issuer}/access/v1/evaluations"),
    };
    let mut response = answer::json(StatusCode::OK, &point);
    response.headers_mut().insert(header::CACHE_CONTROL, FIVE_MINUTES);
    response
}

pub(in crate::http) async fn jwks(State(web): State<Arc<Web>>) -> Response {
    document(web.documents().jwks.clone())
}

fn document(body: axum::body::Bytes) -> Response {
    let mut response = Response::new(Body::from(body));
    response.headers_mut().insert(header::CONTENT_TYPE, JSON);
    response.headers_mut().insert(header::CACHE_CONTROL, FIVE_MINUTES);
    response
}
