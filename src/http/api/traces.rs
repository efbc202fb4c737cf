//! Why requests were refused, by their reference.

use std::collections::BTreeMap;

use axum::http::StatusCode;
use axum::response::Response;
use serde::Serialize;
use utoipa::ToSchema;

use super::{Answered, Call, Problem};
use crate::http::answer;
use crate::trace::{Trace, says};

/// Why a request was refused.
#[derive(Serialize, ToSchema)]
#[schema(as = Trace)]
pub(in crate::http) struct TraceBody {
    reference: String,
    /// RFC 3339.
    at: String,
    /// Of the answer.
    status: u16,
    asked: TraceAsked,
    /// In the order in which they were judged; the last one decided.
    rules: Vec<TraceRule>,
    decided: TraceDecision,
}

/// What was asked. Of what is or may be secret only that it was there.
#[derive(Serialize, ToSchema)]
struct TraceAsked {
    method: String,
    path: String,
    /// Where the request came from.
    #[serde(skip_serializing_if = "Option::is_none")]
    address: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    client: Option<String>,
    parameters: BTreeMap<String, String>,
}

/// A rule that was judged.
#[derive(Serialize, ToSchema)]
struct TraceRule {
    rule: String,
    /// What holds where it is passed.
    says: String,
    passed: bool,
}

/// The rule that decided, and what would have made the request pass.
#[derive(Serialize, ToSchema)]
struct TraceDecision {
    rule: String,
    /// What kind of thing decided: `request`, `client_setting`, `api_setting`, `credential`, `session`, `consent`, `account`,
    /// `limit`, `setting`, `provider`, `permission` or `fault`.
    by: &'static str,
    given: String,
    expected: String,
    remedy: String,
}

impl From<Trace> for TraceBody {
    fn from(trace: Trace) -> Self {
        let Trace { reference, at, status, asked, passed, decided } = trace;
        let judged = |rule: String, passed| TraceRule { says: says(&rule).to_owned(), rule, passed };
        let last = judged(decided.rule.clone(), false);
        Self {
            reference,
            at,
            status,
            asked: TraceAsked {
                method: asked.method,
                path: asked.path,
                address: asked.address,
                client: asked.client,
                parameters: asked.parameters,
            },
            rules: passed.into_iter().map(|rule| judged(rule, true)).chain([last]).collect(),
            decided: TraceDecision {
                by: decided.by(),
                rule: decided.rule,
                given: decided.given,
                expected: decided.expected,
                remedy: decided.remedy,
            },
        }
    }
}

/// A trace as this API shows it.
pub(crate) fn trace_json(trace: Trace) -> impl Serialize {
    TraceBody::from(trace)
}

pub(in crate::http) async fn show(call: Call) -> Response {
    let answered = shown(&call).await;
    call.answer(answered)
}

async fn shown(call: &Call) -> Answered {
    let found = call.web.app.traces.find(call.segment("reference")?).await?;
    Ok(answer::json(StatusCode::OK, &TraceBody::from(found.ok_or_else(Problem::not_found)?)))
}
