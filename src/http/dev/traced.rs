//! Errors in JSON say at once why, where somebody develops.

use axum::body::{Body, to_bytes};
use axum::http::header;
use axum::response::Response;
use serde_json::Value;

use crate::http::api::TraceBody;
use crate::http::caller::Caller;

/// No error of ours is as long.
const LONGEST: usize = 1 << 20;

/// The answer with a member `trace`, if it is an error in JSON.
pub(in crate::http) async fn traced(caller: &Caller, response: Response) -> Response {
    let status = response.status();
    let kind = response.headers().get(header::CONTENT_TYPE).and_then(|kind| kind.to_str().ok());
    let is_json =
        kind.is_some_and(|kind| kind.starts_with("application/json") || kind.starts_with("application/problem+json"));
    if !is_json || !(status.is_client_error() || status.is_server_error()) {
        return response;
    }
    let Some(trace) = caller.asked.watched(status) else { return response };
    let (mut parts, body) = response.into_parts();
    let Ok(bytes) = to_bytes(body, LONGEST).await else { return Response::from_parts(parts, Body::empty()) };
    let (Ok(Value::Object(mut members)), Ok(trace)) =
        (serde_json::from_slice(&bytes), serde_json::to_value(TraceBody::from(trace)))
    else {
        return Response::from_parts(parts, Body::from(bytes));
    };
    members.insert("trace".to_owned(), trace);
    parts.headers.remove(header::CONTENT_LENGTH);
    Response::from_parts(parts, Body::from(Value::Object(members).to_string()))
}
