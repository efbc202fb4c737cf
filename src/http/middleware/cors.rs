//! Which scripts of other origins may read our answers: everybody public documents, public clients' origins the endpoints
//! that they need. Never with credentials: nothing here is decided by a cookie.

use std::sync::Arc;

use axum::extract::{Request, State};
use axum::http::{HeaderMap, HeaderValue, Method, StatusCode, header};
use axum::middleware::Next;
use axum::response::{IntoResponse as _, Response};

use crate::http::state::Web;

const ANY: HeaderValue = HeaderValue::from_static("*");

/// The answer to a preflight for a public document: any origin may read it.
pub(super) fn preflight_of_document(request: &Request) -> Option<Response> {
    is_preflight(request).then(|| preflight(ANY, "GET"))
}

/// Lets scripts of any origin read a public document.
pub(super) fn open_to_all(headers: &mut HeaderMap) {
    headers.insert(header::ACCESS_CONTROL_ALLOW_ORIGIN, ANY);
}

/// Endpoints of single-page applications: the origins of public clients' redirect URIs, on errors too. A preflight is
/// answered before anybody authenticates.
pub(in crate::http) async fn public_clients(State(web): State<Arc<Web>>, request: Request, next: Next) -> Response {
    let allowed = allowed_origin(&web, &request);
    if is_preflight(&request) {
        return match allowed {
            Some(origin) => preflight(origin, "GET, POST"),
            None => vary(StatusCode::NO_CONTENT.into_response()),
        };
    }
    expose(next.run(request).await, allowed)
}

/// An answer that did not come from the endpoint, for the scripts that may read what would have.
pub(super) fn readable(web: &Web, request: &Request, response: Response) -> Response {
    expose(response, allowed_origin(web, request))
}

fn allowed_origin(web: &Web, request: &Request) -> Option<HeaderValue> {
    let origin = request.headers().get(header::ORIGIN)?;
    let registry = web.app.clients.registry();
    origin.to_str().is_ok_and(|origin| registry.is_public_origin(origin)).then(|| origin.clone())
}

fn expose(response: Response, allowed: Option<HeaderValue>) -> Response {
    let mut response = vary(response);
    if let Some(origin) = allowed {
        let headers = response.headers_mut();
        headers.insert(header::ACCESS_CONTROL_ALLOW_ORIGIN, origin);
        headers.insert(
            header::ACCESS_CONTROL_EXPOSE_HEADERS,
            HeaderValue::from_static("WWW-Authenticate, DPoP-Nonce, Retry-After"),
        );
    }
    response
}

fn is_preflight(request: &Request) -> bool {
    request.method() == Method::OPTIONS && request.headers().contains_key(header::ACCESS_CONTROL_REQUEST_METHOD)
}

fn preflight(origin: HeaderValue, methods: &'static str) -> Response {
    let headers: HeaderMap = [
        (header::ACCESS_CONTROL_ALLOW_ORIGIN, origin),
        (header::ACCESS_CONTROL_ALLOW_METHODS, HeaderValue::from_static(methods)),
        (header::ACCESS_CONTROL_ALLOW_HEADERS, HeaderValue::from_static("authorization, content-type, dpop")),
        (header::ACCESS_CONTROL_MAX_AGE, HeaderValue::from_static("7200")),
    ]
    .into_iter()
    .collect();
    vary((StatusCode::NO_CONTENT, headers).into_response())
}

fn vary(mut response: Response) -> Response {
    response.headers_mut().append(header::VARY, HeaderValue::from_static("Origin"));
    response
}
