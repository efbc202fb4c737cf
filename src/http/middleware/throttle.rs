//! What is answered where too many requests come from one place, in the form that the route's callers read.

use axum::http::StatusCode;
use axum::response::Response;
use chrono::Duration;

use crate::http::answer::{self, Trouble};
use crate::http::api;
use crate::http::caller::Caller;
use crate::http::reasons;
use crate::http::state::Web;
use crate::trace::{self, Rule};

/// Who reads a route's answers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::http) enum Surface {
    /// People.
    Page,
    /// Programs that speak OAuth, and readers of our documents.
    Protocol,
    /// Front ends of the JSON API.
    Json,
    /// The same, where every refusal has one status.
    JsonSignIn,
    /// Files that cost nothing, and that no page is whole without: not throttled.
    Asset,
}

/// How long this caller has to wait, if they have to.
pub(super) fn wait(web: &Web, caller: &Caller, surface: Surface) -> Option<Duration> {
    let requests = web.requests.as_ref().filter(|_| surface != Surface::Asset)?;
    let wait = requests.take(caller.address?, web.app.clock.now()).err()?;
    metrics::counter!("bonafide_requests_throttled_total").increment(1);
    Some(wait)
}

pub(super) fn refusal(web: &Web, caller: &Caller, surface: Surface, wait: Duration) -> Response {
    let seconds = wait.num_seconds() + 1;
    trace::fail(Rule::RequestRate, || reasons::rate(&web.app.settings.limits));
    let response = match surface {
        Surface::Page | Surface::Asset => {
            let minutes = ((seconds + 59) / 60).to_string();
            let trouble = Trouble::new(StatusCode::TOO_MANY_REQUESTS, "throttled-title", "throttled");
            trouble.with("minutes", minutes).page(web, caller)
        }
        Surface::Protocol => {
            answer::refusal(StatusCode::TOO_MANY_REQUESTS, "temporarily_unavailable", "too many requests")
        }
        Surface::Json => return api::throttled(web, caller, StatusCode::TOO_MANY_REQUESTS, seconds),
        Surface::JsonSignIn => return api::throttled(web, caller, StatusCode::BAD_REQUEST, seconds),
    };
    answer::retry_after(response, seconds)
}
