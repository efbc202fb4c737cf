//! Answers: pages and JSON with the headers that every one of their kind has.

use std::sync::Arc;

use askama::Template;
use axum::body::Body;
use axum::extract::State;
use axum::http::{HeaderName, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse as _, Response};
use serde::Serialize;

use super::caller::Caller;
use super::reasons;
use super::state::Web;
use super::views::ErrorPage;
use crate::platform::database::DatabaseError;
use crate::trace::{self, Rule};

const JSON: HeaderValue = HeaderValue::from_static("application/json");
pub(super) const NO_STORE: HeaderValue = HeaderValue::from_static("no-store");
const RETRY_SECONDS: HeaderValue = HeaderValue::from_static("1");

/// Where the forms of a page may lead in the end: browsers apply `form-action` to every redirect that follows.
#[derive(Clone, Copy, Debug)]
pub(super) enum Forms<'a> {
    /// No form on it.
    None,
    /// Our own pages only.
    Ours,
    /// The same, on a page whose address holds a secret: nobody is told where the browser comes from.
    Secret,
    /// The redirect URI of the request that the page belongs to.
    To(&'a str),
    /// Several of them, one after the other.
    Along(&'a [&'a str]),
}

/// A page. `Referrer-Policy` is `same-origin` where forms are, since their POSTs would carry `Origin: null` else.
pub(super) fn page(web: &Web, status: StatusCode, forms: Forms<'_>, template: &impl Template) -> Response {
    page_with_frames(web, status, forms, &[], template)
}

/// The same with frames of these addresses on it.
pub(super) fn page_with_frames(
    web: &Web,
    status: StatusCode,
    forms: Forms<'_>,
    frames: &[&str],
    template: &impl Template,
) -> Response {
    let body = match template.render() {
        Ok(body) => body,
        Err(error) => {
            tracing::error!(%error, "a page could not be rendered");
            return StatusCode::INTERNAL_SERVER_ERROR.into_response();
        }
    };
    let mut response = Response::new(Body::from(body));
    *response.status_mut() = status;
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("text/html; charset=utf-8"));
    headers.insert(header::CACHE_CONTROL, NO_STORE);
    headers.insert(header::X_FRAME_OPTIONS, HeaderValue::from_static("DENY"));
    let policy = match forms {
        Forms::None | Forms::Secret => "no-referrer",
        Forms::Ours | Forms::To(_) | Forms::Along(_) => "same-origin",
    };
    headers.insert(header::REFERRER_POLICY, HeaderValue::from_static(policy));
    if let Ok(policy) = HeaderValue::from_str(&content_security_policy(web, forms, frames)) {
        headers.insert(header::CONTENT_SECURITY_POLICY, policy);
    }
    response
}

fn content_security_policy(web: &Web, forms: Forms<'_>, frames: &[&str]) -> String {
    let images = match &web.brand.logo {
        Some(logo) if logo.starts_with("https://") => format!("'self' data: {}", source_of(logo)),
        _ => "'self' data:".to_owned(),
    };
    let targets = match forms {
        Forms::None => "'none'".to_owned(),
        Forms::Ours | Forms::Secret | Forms::Along([]) => "'self'".to_owned(),
        Forms::To(uri) => format!("'self' https: {}", source_of(uri)),
        Forms::Along(uris) => {
            let sources: Vec<String> = uris.iter().map(|uri| source_of(uri)).collect();
            format!("'self' https: {}", sources.join(" "))
        }
    };
    let mut origins: Vec<String> = frames.iter().map(|frame| source_of(frame)).collect();
    origins.sort();
    origins.dedup();
    let calls = if origins.is_empty() { String::new() } else { format!("frame-src {}; ", origins.join(" ")) };
    format!(
        "default-src 'none'; style-src 'self'; script-src 'self'; img-src {images}; {calls}form-action {targets}; \
         frame-ancestors 'none'; base-uri 'none'; object-src 'none'"
    )
}

/// A URI as a CSP source: the origin of a web address, the scheme of a native application.
fn source_of(uri: &str) -> String {
    match url::Url::parse(uri) {
        Ok(url) if matches!(url.scheme(), "http" | "https") => url.origin().ascii_serialization(),
        Ok(url) => format!("{}:", url.scheme()),
        Err(_) => String::new(),
    }
}

/// JSON that nobody may keep: tokens, claims, errors.
pub(super) fn json(status: StatusCode, body: &impl Serialize) -> Response {
    let body = match serde_json::to_vec(body) {
        Ok(body) => body,
        Err(error) => {
            tracing::error!(%error, "an answer could not be written");
            return StatusCode::INTERNAL_SERVER_ERROR.into_response();
        }
    };
    let mut response = Response::new(Body::from(body));
    *response.status_mut() = status;
    response.headers_mut().insert(header::CONTENT_TYPE, JSON);
    response.headers_mut().insert(header::CACHE_CONTROL, NO_STORE);
    response
}

/// An error as OAuth has it (RFC 6749 section 5.2), with the reference by which operators find out more.
pub(super) fn refusal(status: StatusCode, error: &str, description: &str) -> Response {
    let body = serde_json::json!({
        "error": error,
        "error_description": description,
        "reference": trace::reference(),
    });
    json(status, &body)
}

/// On with a GET. 303, so that no browser sends a form's content along (RFC 9700 section 4.12).
pub(super) fn see_other(location: &str) -> Response {
    let mut response = StatusCode::SEE_OTHER.into_response();
    match HeaderValue::from_str(location) {
        Ok(location) => {
            response.headers_mut().insert(header::LOCATION, location);
            response.headers_mut().insert(header::CACHE_CONTROL, NO_STORE);
            response
        }
        Err(_) => StatusCode::INTERNAL_SERVER_ERROR.into_response(),
    }
}

pub(super) fn with_header(mut response: Response, name: HeaderName, value: Option<HeaderValue>) -> Response {
    if let Some(value) = value {
        response.headers_mut().append(name, value);
    }
    response
}

/// Tells a client when to try again.
pub(super) fn retry_after(response: Response, seconds: i64) -> Response {
    with_header(response, header::RETRY_AFTER, HeaderValue::from_str(&seconds.max(1).to_string()).ok())
}

/// What is known of an error page: its message, whose title has the same key with `-title`.
pub(super) struct Trouble {
    pub(super) status: StatusCode,
    pub(super) title: &'static str,
    pub(super) message: &'static str,
    pub(super) args: Vec<(&'static str, String)>,
    pub(super) restart_href: Option<String>,
}

impl Trouble {
    pub(super) fn new(status: StatusCode, title: &'static str, message: &'static str) -> Self {
        Self { status, title, message, args: Vec::new(), restart_href: None }
    }

    pub(super) fn with(mut self, name: &'static str, value: impl Into<String>) -> Self {
        self.args.push((name, value.into()));
        self
    }

    pub(super) fn page(self, web: &Web, caller: &Caller) -> Response {
        let frame = caller.frame(web, None);
        let Self { status, title, message, args, restart_href } = self;
        reasons::tell(message, || {
            args.iter().map(|(name, value)| format!("{name}: {value}")).collect::<Vec<_>>().join(", ")
        });
        let trace = caller.asked.watched(status);
        page(web, status, Forms::None, &ErrorPage { frame, title, message, args, restart_href, trace })
    }
}

/// A fault of ours, on a page: the cause goes to the log, the reference to the person.
pub(super) fn fault_page(web: &Web, caller: &Caller, error: &(dyn std::error::Error + 'static)) -> Response {
    if log_fault(caller, error) {
        let trouble = Trouble::new(StatusCode::SERVICE_UNAVAILABLE, "unavailable-title", "unavailable");
        return with_header(trouble.page(web, caller), header::RETRY_AFTER, Some(RETRY_SECONDS));
    }
    Trouble::new(StatusCode::INTERNAL_SERVER_ERROR, "server-fault-title", "server-fault").page(web, caller)
}

/// A fault of ours, for a program.
pub(super) fn fault_json(caller: &Caller, error: &(dyn std::error::Error + 'static)) -> Response {
    let reference = format!("reference {}", caller.request_id);
    if log_fault(caller, error) {
        let response = refusal(StatusCode::SERVICE_UNAVAILABLE, "temporarily_unavailable", &reference);
        return with_header(response, header::RETRY_AFTER, Some(RETRY_SECONDS));
    }
    refusal(StatusCode::INTERNAL_SERVER_ERROR, "server_error", &reference)
}

/// Logs a fault; answers whether trying again may help.
pub(super) fn log_fault(caller: &Caller, error: &(dyn std::error::Error + 'static)) -> bool {
    let unavailable = is_unavailable(error);
    let request_id = caller.request_id.as_str();
    trace::fail(Rule::Served, || reasons::fault(if unavailable { "unavailable" } else { "failed" }));
    if unavailable {
        tracing::warn!(request_id, %error, "a request could not be served now");
    } else {
        tracing::error!(request_id, %error, "a request failed");
    }
    metrics::counter!("bonafide_faults_total", "kind" => if unavailable { "unavailable" } else { "failed" })
        .increment(1);
    unavailable
}

fn is_unavailable(error: &(dyn std::error::Error + 'static)) -> bool {
    let mut cause = Some(error);
    while let Some(error) = cause {
        if error.downcast_ref::<DatabaseError>().is_some_and(DatabaseError::is_unavailable) {
            return true;
        }
        // The session library knows its store's faults by their words only.
        if matches!(error.downcast_ref(), Some(tower_sessions::session_store::Error::Backend(_))) {
            return true;
        }
        cause = error.source();
    }
    false
}

pub(super) async fn not_found(State(web): State<Arc<Web>>, caller: Caller) -> Response {
    Trouble::new(StatusCode::NOT_FOUND, "not-found-title", "not-found").page(&web, &caller)
}
