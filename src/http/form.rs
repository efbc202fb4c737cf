//! Form bodies, of protocol endpoints and of pages: the framework's own extractor answers in its own words and forgets repetitions.

use std::error::Error as _;

use axum::body::{Body, Bytes, to_bytes};
use axum::http::{HeaderMap, header};

use crate::oauth::parameters::Parameters;

/// Why a body is not a form.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum FormFault {
    /// Not `application/x-www-form-urlencoded`.
    Type,
    TooLarge,
    /// It did not arrive in time, or the caller went away.
    Incomplete,
    /// Not UTF-8, or too many parameters.
    Malformed,
}

/// Reads a form of `most` bytes at the most.
pub(super) async fn read(headers: &HeaderMap, body: Body, most: usize) -> Result<Parameters, FormFault> {
    if !is_form(headers) {
        return Err(FormFault::Type);
    }
    Parameters::parse(&bytes(headers, body, most).await?).ok_or(FormFault::Malformed)
}

/// Reads a body of `most` bytes at the most.
pub(super) async fn bytes(headers: &HeaderMap, body: Body, most: usize) -> Result<Bytes, FormFault> {
    let declared = headers.get(header::CONTENT_LENGTH).and_then(|value| value.to_str().ok()?.parse::<usize>().ok());
    if declared.is_some_and(|length| length > most) {
        return Err(FormFault::TooLarge);
    }
    to_bytes(body, most).await.map_err(|error| {
        let too_long = error.source().is_some_and(<dyn std::error::Error>::is::<http_body_util::LengthLimitError>);
        if too_long { FormFault::TooLarge } else { FormFault::Incomplete }
    })
}

fn is_form(headers: &HeaderMap) -> bool {
    let mut types = headers.get_all(header::CONTENT_TYPE).iter();
    let (Some(value), None) = (types.next(), types.next()) else { return false };
    let Ok(value) = value.to_str() else { return false };
    let (kind, parameters) = value.split_once(';').unwrap_or((value, ""));
    let charset = parameters.trim().to_ascii_lowercase();
    let utf8 = charset.is_empty() || charset.trim_start_matches("charset=").trim_matches('"') == "utf-8";
    kind.trim().eq_ignore_ascii_case("application/x-www-form-urlencoded") && utf8
}
