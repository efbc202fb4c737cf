//! What the session library leaves open about its cookie: only the exact name counts, and only once; and a cookie is taken
//! back with the attributes it was given with.

use std::sync::Arc;

use axum::extract::{Request, State};
use axum::http::{HeaderValue, header};
use axum::middleware::Next;
use axum::response::Response;

use crate::http::state::Web;

pub(in crate::http) async fn session_cookie(State(web): State<Arc<Web>>, mut request: Request, next: Next) -> Response {
    web.cookies.keep_own(request.headers_mut());
    let mut response = next.run(request).await;
    let headers = response.headers_mut();
    let given: Vec<HeaderValue> = headers.get_all(header::SET_COOKIE).iter().cloned().collect();
    if !given.is_empty() {
        headers.remove(header::SET_COOKIE);
        for value in given {
            headers.append(header::SET_COOKIE, web.cookies.whole(value));
        }
    }
    response
}
