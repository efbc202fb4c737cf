//! The outermost layer: gives the request an id and its body a deadline, keeps a panic from being more than one answer, logs
//! and measures, and puts the headers on that every answer has.

use std::panic::AssertUnwindSafe;
use std::sync::{Arc, OnceLock};

use axum::extract::{Request, State};
use axum::http::{HeaderMap, HeaderName, HeaderValue, StatusCode, header};
use axum::middleware::Next;
use axum::response::Response;
use futures_util::FutureExt as _;
use metrics::Histogram;
use tracing::Instrument as _;
use tracing::field::Empty;

use super::throttle::{self, Surface};
use super::{Timed, cors};
use crate::http::answer::Trouble;
use crate::http::caller::{Asked, Caller, Peer};
use crate::http::state::Web;
use crate::http::{dev, reasons};
use crate::platform::spans;
use crate::trace::{self, Rule, Trail};

/// What the envelope of a route knows.
pub(in crate::http) struct Envelope {
    web: Arc<Web>,
    path: &'static str,
    /// The route's answers are the same for everybody and cost next to nothing: scripts of any origin may read them, and no
    /// span is opened for what logs nothing.
    documents: bool,
    surface: Surface,
    /// One for each class of status, so that a scan of odd paths does not fill the metrics; made when it is first needed, so
    /// that they hold what happens and not what might.
    times: [OnceLock<Histogram>; 5],
}

impl Envelope {
    pub(in crate::http) fn new(web: Arc<Web>, path: &'static str, documents: bool, surface: Surface) -> Arc<Self> {
        Arc::new(Self { web, path, documents, surface, times: Default::default() })
    }

    async fn handle(&self, caller: &Caller, request: Request, next: Next) -> Response {
        let wait = throttle::wait(&self.web, caller, self.surface);
        let refusal = wait.map(|wait| throttle::refusal(&self.web, caller, self.surface, wait));
        if !self.documents {
            return match refusal {
                None => next.run(request).await,
                Some(refusal) if self.surface == Surface::Protocol => cors::readable(&self.web, &request, refusal),
                Some(refusal) => refusal,
            };
        }
        let mut response = match refusal {
            Some(refusal) => refusal,
            None => match cors::preflight_of_document(&request) {
                Some(response) => return response,
                None => next.run(request).await,
            },
        };
        cors::open_to_all(response.headers_mut());
        response
    }

    /// What the caller calls the request, where that is given back (`AuthZEN` 1.0 section 10.1). The log keeps to ours.
    fn told_id(&self, headers: &HeaderMap) -> Option<HeaderValue> {
        let told = headers.get("x-request-id").filter(|_| self.path.starts_with("/access/v1/"))?;
        let is_printable = told.as_bytes().iter().all(|byte| (b' '..=b'~').contains(byte));
        (is_printable && (1..=128).contains(&told.len())).then(|| told.clone())
    }

    fn record(&self, status: StatusCode, took: std::time::Duration) {
        let (index, class) = match status.as_u16() / 100 {
            2 => (0, "2xx"),
            3 => (1, "3xx"),
            4 => (2, "4xx"),
            5 => (3, "5xx"),
            _ => (4, "1xx"),
        };
        if let Some(time) = self.times.get(index) {
            time.get_or_init(
                || metrics::histogram!("bonafide_http_request_seconds", "path" => self.path, "status" => class),
            )
            .record(took.as_secs_f64());
        }
    }
}

pub(in crate::http) async fn envelope(State(envelope): State<Arc<Envelope>>, request: Request, next: Next) -> Response {
    let web = &envelope.web;
    let peer = request.extensions().get::<Peer>().map(|peer| peer.0);
    let settings = &web.app.settings;
    let asked = Asked::of(request.method(), request.uri(), envelope.path);
    let caller = Caller::of(request.headers(), asked, peer, &settings.proxies.trusted, web.app.random.as_ref());
    let body_timeout = settings.http.body_timeout.duration();
    let mut request = request.map(|body| Timed::body(body, body_timeout));
    request.extensions_mut().insert(caller.clone());
    let told = envelope.told_id(request.headers());
    let method = request.method().clone();
    let started = started();
    let span = if envelope.documents {
        tracing::Span::none()
    } else {
        tracing::info_span!("request", request_id = caller.request_id.as_str(), trace_id = Empty)
    };
    let traced = if envelope.documents {
        tracing::Span::none()
    } else {
        spans::request(&method, envelope.path, request.headers(), settings.telemetry.trust_incoming)
    };
    let trace_id = spans::trace_id(&traced);
    let trace_id = trace_id.as_deref();
    if let Some(id) = trace_id {
        span.record("trace_id", id);
    }

    let trail = Trail::new(web.app.traces.clone(), caller.request_id.bytes(), caller.address, web.demo.is_some());
    let served = async {
        let handled = envelope.handle(&caller, request, next).instrument(span.clone()).instrument(traced.clone());
        let response = AssertUnwindSafe(handled).catch_unwind().await.unwrap_or_else(|_| {
            tracing::error!(request_id = caller.request_id.as_str(), "a handler panicked");
            trace::fail(Rule::Served, || reasons::fault("panic"));
            Trouble::new(StatusCode::INTERNAL_SERVER_ERROR, "server-fault-title", "server-fault").page(web, &caller)
        });
        let status = response.status();
        if status.is_client_error() || status.is_server_error() {
            // Whoever refuses says why; this is for what the framework refuses in its own words.
            trace::fail(Rule::RequestWellFormed, || reasons::unnamed(status));
        }
        caller.asked.close(status);
        if web.demo.is_some() { dev::traced(&caller, response).await } else { response }
    };
    let mut response = trace::follow(trail, served).await;

    let status = response.status();
    spans::answered(&traced, status);
    let headers = response.headers_mut();
    if let Some(id) = told.or_else(|| HeaderValue::from_str(caller.request_id.as_str()).ok()) {
        headers.insert("x-request-id", id);
    }
    headers.insert(header::X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    headers.entry(header::REFERRER_POLICY).or_insert(HeaderValue::from_static("no-referrer"));
    if envelope.path.starts_with("/account") || envelope.path == "/.well-known/change-password" {
        // Whoever opens these pages in a window of theirs has no hold on that window.
        let name = HeaderName::from_static("cross-origin-opener-policy");
        headers.insert(name, HeaderValue::from_static("same-origin"));
    }
    if web.cookies.is_secure() {
        headers.insert(header::STRICT_TRANSPORT_SECURITY, HeaderValue::from_static("max-age=31536000"));
    }

    let path = envelope.path;
    let took = started.elapsed();
    if status.is_server_error() {
        tracing::warn!(request_id = caller.request_id.as_str(), trace_id, %method, path, status = status.as_u16(), took_ms = took.as_millis(), "answered");
    } else {
        tracing::debug!(request_id = caller.request_id.as_str(), trace_id, %method, path, status = status.as_u16(), took_ms = took.as_millis(), "answered");
    }
    envelope.record(status, took);
    response
}

#[expect(clippy::disallowed_methods, reason = "a duration is measured, not a time of day; nothing is decided by it")]
fn started() -> std::time::Instant {
    std::time::Instant::now()
}
