//! Lists that come a page at a time.

use std::fmt::Display;
use std::str::FromStr;

use axum::http::{HeaderValue, StatusCode, header};
use axum::response::Response;
use serde::Serialize;
use uuid::Uuid;

use super::{Call, Problem};
use crate::http::answer;

/// Items of a page where nobody asks for another size, and the most.
const USUAL: u64 = 50;
const MOST: u64 = 100;

/// Which part of a list is asked for. `C` is what the list goes by.
pub(super) struct Page<C> {
    limit: u64,
    /// The last item of the page before.
    pub(super) after: Option<C>,
    cursor: &'static str,
}

impl Page<Uuid> {
    /// By the parameters `limit` and `after`.
    pub(super) fn asked(call: &Call) -> Result<Self, Problem> {
        Self::asked_by(call, "after")
    }
}

impl<C: FromStr + Display> Page<C> {
    /// By `limit` and a parameter of this name. Lists have one order: no other can be had.
    pub(super) fn asked_by(call: &Call, cursor: &'static str) -> Result<Self, Problem> {
        let malformed = |name| Problem::bad_request("api-query-malformed").field(name, "api-field-malformed");
        if call.query("sort")?.is_some() {
            return Err(Problem::bad_request("api-query-malformed").field("sort", "api-field-unknown"));
        }
        let limit = match call.query("limit")? {
            None => USUAL,
            Some(text) => {
                text.parse().ok().filter(|limit| (1..=MOST).contains(limit)).ok_or_else(|| malformed("limit"))?
            }
        };
        let after = match call.query(cursor)? {
            None => None,
            Some(text) if text.contains('\0') => return Err(malformed(cursor)),
            Some(text) => Some(text.parse().map_err(|_| malformed(cursor))?),
        };
        Ok(Self { limit, after, cursor })
    }

    /// How many to read: one more than is shown tells whether there is a next page.
    pub(super) fn reading(&self) -> u64 {
        self.limit + 1
    }

    /// What is shown of what was read, and whether there is more.
    pub(super) fn cut<T>(&self, read: &mut Vec<T>) -> bool {
        let shown = usize::try_from(self.limit).unwrap_or(usize::MAX);
        let is_more = read.len() > shown;
        read.truncate(shown);
        is_more
    }

    /// The page, with the address of the next where there is one (RFC 8288).
    pub(super) fn answer<T: Serialize>(
        &self,
        call: &Call,
        path: &str,
        items: &[T],
        more_after: Option<impl Display>,
    ) -> Response {
        let (issuer, limit, cursor) = (call.web.issuer(), self.limit, self.cursor);
        let joint = if path.contains('?') { '&' } else { '?' };
        let next = more_after
            .map(|last| format!("<{issuer}{path}{joint}limit={limit}&{cursor}={last}>; rel=\"next\""))
            .and_then(|link| HeaderValue::from_str(&link).ok());
        answer::with_header(answer::json(StatusCode::OK, &items), header::LINK, next)
    }
}
