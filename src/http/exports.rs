//! A document of what is kept of somebody, on its way to them.

use axum::body::Body;
use axum::http::{HeaderValue, header};
use axum::response::Response;
use futures_util::{Stream, TryStreamExt as _};

use super::answer;
use super::state::Web;
use crate::exports::ExportError;

/// Sends it piece by piece, as a file to keep. One that breaks off is told from one that is whole by the end of the transfer.
pub(super) fn download(
    web: &Web,
    document: impl Stream<Item = Result<Vec<u8>, ExportError>> + Send + 'static,
) -> Response {
    let pieces = document.inspect_err(|error| tracing::error!(%error, "an export broke off on its way"));
    let mut response = Response::new(Body::from_stream(pieces));
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("application/json"));
    headers.insert(header::CACHE_CONTROL, answer::NO_STORE);
    let name = format!("attachment; filename=\"personal-data-{}.json\"", web.app.clock.now().format("%Y-%m-%d"));
    answer::with_header(response, header::CONTENT_DISPOSITION, HeaderValue::from_str(&name).ok())
}
