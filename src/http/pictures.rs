//! `GET /pictures/{file}`: what people have uploaded, made anew by us.

use std::sync::Arc;

use axum::body::Body;
use axum::extract::rejection::RawPathParamsRejection;
use axum::extract::{RawPathParams, State};
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::Response;

use super::answer::{self, Trouble};
use super::caller::Caller;
use super::state::Web;
use crate::identity::PictureError;

/// A name says its content for ever. Nothing else than a picture is served here, and were it something else, it could do nothing.
pub(super) async fn get(
    State(web): State<Arc<Web>>,
    caller: Caller,
    path: Result<RawPathParams, RawPathParamsRejection>,
) -> Response {
    // What is no text is no name of ours.
    let file = path.as_ref().ok().and_then(|path| path.iter().next()).map(|(_, file)| file).unwrap_or_default();
    match web.app.accounts.picture(file).await {
        Ok(Some(picture)) => {
            let mut response = Response::new(Body::from(picture));
            for (name, value) in [
                (header::CONTENT_TYPE, "image/webp"),
                (header::CACHE_CONTROL, "public, max-age=31536000, immutable"),
                (header::CONTENT_SECURITY_POLICY, "default-src 'none'; frame-ancestors 'none'; sandbox"),
                (header::HeaderName::from_static("cross-origin-resource-policy"), "cross-origin"),
            ] {
                response.headers_mut().insert(name, HeaderValue::from_static(value));
            }
            response
        }
        Ok(None) => answer::not_found(State(web), caller).await,
        Err(PictureError::Storage(error)) => {
            tracing::error!(request_id = caller.request_id.as_str(), %error, "a picture could not be read");
            let trouble = Trouble::new(StatusCode::SERVICE_UNAVAILABLE, "unavailable-title", "unavailable");
            answer::retry_after(trouble.page(&web, &caller), 2)
        }
        Err(error) => answer::fault_page(&web, &caller, &error),
    }
}
