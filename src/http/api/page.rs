//! Pages of a list: how many, where the next begins.

use axum::http::{HeaderValue, header};
use axum::response::Response;

use super::{Call, Problem};
use crate::http::answer;

/// A page where nobody asks for another size, and the largest.
const USUAL: u64 = 50;
const MOST: u64 = 100;

/// How many the caller asks for.
pub(super) fn limit(call: &Call) -> Result<u64, Problem> {
    match call.query("limit")? {
        None => Ok(USUAL),
        Some(text) => text.parse().ok().filter(|limit| (1..=MOST).contains(limit)).ok_or_else(|| malformed("limit")),
    }
}

pub(super) fn malformed(name: &'static str) -> Problem {
    Problem::bad_request("api-query-malformed").field(name, "api-field-malformed")
}

/// One more than is shown was read, to tell whether there is a next page: takes it away. Answers the last that is shown,
/// where there is more behind it.
pub(super) fn cut<T>(items: &mut Vec<T>, limit: u64) -> Option<&T> {
    let shown = usize::try_from(limit).unwrap_or(usize::MAX);
    let is_more = items.len() > shown;
    items.truncate(shown);
    items.last().filter(|_| is_more)
}

/// The answer with where the next page is (RFC 8288).
pub(super) fn with_next(response: Response, link: Option<String>) -> Response {
    let link = link.and_then(|link| HeaderValue::from_str(&link).ok());
    answer::with_header(response, header::LINK, link)
}
