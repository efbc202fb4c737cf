//! `/assets/{file}`.

use std::sync::Arc;

use axum::body::Body;
use axum::extract::State;
use axum::http::{HeaderValue, Uri, header};
use axum::response::Response;

use crate::http::answer;
use crate::http::caller::Caller;
use crate::http::state::Web;

/// The stylesheet, the script and the icon, under names that change with their content.
pub(in crate::http) async fn get(State(web): State<Arc<Web>>, caller: Caller, uri: Uri) -> Response {
    let Some(asset) = web.assets.find(uri.path()) else {
        return answer::not_found(State(web), caller).await;
    };
    let mut response = Response::new(Body::from(asset.body.clone()));
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(asset.content_type));
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("public, max-age=31536000, immutable"));
    response
}
