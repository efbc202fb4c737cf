//! The outermost layer: gives the request an id, keeps a panic from being more than one answer, logs and measures, and puts
//! the headers on that every answer has.

use std::panic::AssertUnwindSafe;
use std::sync::Arc;

use axum::extract::{MatchedPath, Request, State};
use axum::http::{HeaderValue, StatusCode, header};
use axum::middleware::Next;
use axum::response::Response;
use futures_util::FutureExt as _;
use tracing::Instrument as _;

use crate::http::answer::Trouble;
use crate::http::caller::{Caller, Peer};
use crate::http::state::Web;

pub(in crate::http) async fn envelope(State(web): State<Arc<Web>>, mut request: Request, next: Next) -> Response {
    let peer = request.extensions().get::<Peer>().map(|peer| peer.0);
    let settings = &web.app.settings;
    let caller = Caller::of(request.headers(), peer, &settings.proxies.trusted, web.app.random.as_ref());
    request.extensions_mut().insert(caller.clone());
    let method = request.method().clone();
    let route = request.extensions().get::<MatchedPath>().cloned();
    let started = started();
    let span = tracing::info_span!("request", request_id = caller.request_id.as_str());

    let handled = AssertUnwindSafe(next.run(request).instrument(span)).catch_unwind().await;
    let mut response = handled.unwrap_or_else(|_| {
        tracing::error!(request_id = caller.request_id.as_str(), "a handler panicked");
        Trouble::new(StatusCode::INTERNAL_SERVER_ERROR, "server-fault-title", "server-fault").page(&web, &caller)
    });

    let status = response.status();
    let headers = response.headers_mut();
    if let Ok(id) = HeaderValue::from_str(&caller.request_id) {
        headers.insert("x-request-id", id);
    }
    headers.insert(header::X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    headers.entry(header::REFERRER_POLICY).or_insert(HeaderValue::from_static("no-referrer"));
    if web.cookies.is_secure() {
        headers.insert(header::STRICT_TRANSPORT_SECURITY, HeaderValue::from_static("max-age=31536000"));
    }

    let path = route.as_ref().map_or("(none)", MatchedPath::as_str);
    let took = started.elapsed();
    if status.is_server_error() {
        tracing::warn!(request_id = caller.request_id.as_str(), %method, path, status = status.as_u16(), took_ms = took.as_millis(), "answered");
    } else {
        tracing::debug!(request_id = caller.request_id.as_str(), %method, path, status = status.as_u16(), took_ms = took.as_millis(), "answered");
    }
    metrics::histogram!("bonafide_http_request_seconds", "path" => path.to_owned(), "status" => class(status))
        .record(took.as_secs_f64());
    response
}

/// Five classes, so that a scan of odd paths does not fill the metrics.
const fn class(status: StatusCode) -> &'static str {
    match status.as_u16() / 100 {
        2 => "2xx",
        3 => "3xx",
        4 => "4xx",
        5 => "5xx",
        _ => "1xx",
    }
}

#[expect(clippy::disallowed_methods, reason = "a duration is measured, not a time of day; nothing is decided by it")]
fn started() -> std::time::Instant {
    std::time::Instant::now()
}
