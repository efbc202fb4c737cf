//! `/auth/{id}/exports`: what is kept of somebody, as a document to take away.

use axum::http::{HeaderValue, StatusCode, header};
use axum::response::Response;
use serde::Serialize;
use utoipa::ToSchema;
use uuid::Uuid;

use super::person::instant;
use super::{Answered, Call, Fault, Problem, people};
use crate::exports::{Asked, Asker, Export, State};
use crate::http::answer;
use crate::http::exports::download;
use crate::platform::clock::from_millis;

/// A document that was asked for.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(super) struct PersonalData {
    id: Uuid,
    /// waiting, ready, failed or expired.
    state: &'static str,
    /// RFC 3339.
    asked_at: String,
    /// RFC 3339; null: it is not ready.
    ready_at: Option<String>,
    /// Until when it can be fetched, RFC 3339.
    expires_at: Option<String>,
    /// Of the document.
    bytes: i64,
}

impl PersonalData {
    fn new(call: &Call, export: &Export) -> Self {
        let state = match export.state(call.web.app.clock.now()) {
            State::Waiting => "waiting",
            State::Ready => "ready",
            State::Failed => "failed",
            State::Expired => "expired",
        };
        let at = |millis: i64| instant(from_millis(millis));
        Self {
            id: export.id,
            state,
            asked_at: at(export.asked_at),
            ready_at: export.ready_at.map(at),
            expires_at: export.expires_at.map(at),
            bytes: export.bytes,
        }
    }
}

pub(in crate::http) async fn list(call: Call) -> Response {
    let answered = listed(&call).await;
    call.answer(answered)
}

async fn listed(call: &Call) -> Answered {
    let user = people::known_to_change(call).await?;
    let exports = call.web.app.exports.of(user).await?;
    let shown: Vec<_> = exports.iter().map(|export| PersonalData::new(call, export)).collect();
    Ok(answer::json(StatusCode::OK, &shown))
}

/// 201: it can be fetched; 202: it is being written.
pub(in crate::http) async fn ask(call: Call) -> Response {
    let answered = asked(&call).await;
    call.answer(answered)
}

async fn asked(call: &Call) -> Answered {
    call.require_nothing_said()?;
    let user = known(call).await?;
    let asker = if call.signed()?.is(user) { Asker::Themselves } else { Asker::Other };
    match call.web.app.exports.ask(user, asker, &call.source()).await? {
        Asked::Taken(export) => {
            let shown = PersonalData::new(call, &export);
            let status = if export.ready_at.is_some() { StatusCode::CREATED } else { StatusCode::ACCEPTED };
            let location = HeaderValue::from_str(&format!("/auth/{user}/exports/{}", export.id)).ok();
            Ok(answer::with_header(answer::json(status, &shown), header::LOCATION, location))
        }
        Asked::Running => Err(Problem::new(StatusCode::CONFLICT, "export-running").code("export_running").into()),
        Asked::Enough { retry_after } => Err(Problem::throttled(StatusCode::TOO_MANY_REQUESTS, retry_after).into()),
    }
}

/// The document.
pub(in crate::http) async fn fetch(call: Call) -> Response {
    let answered = fetched(&call).await;
    call.answer(answered)
}

async fn fetched(call: &Call) -> Answered {
    let user = known(call).await?;
    let id = Uuid::parse_str(call.segment("export")?).map_err(|_| Problem::not_found())?;
    match call.web.app.exports.fetch(user, id, &call.source()).await? {
        Some(document) => Ok(download(&call.web, document)),
        None => Err(Problem::not_found().into()),
    }
}

/// The person of the path; whoever acts for themselves has signed in a moment ago. Another's document shows more than the calls for
/// single things do, so it takes what changing them takes.
async fn known(call: &Call) -> Result<Uuid, Fault> {
    let user = people::known_to_change(call).await?;
    if call.signed()?.is(user) {
        call.require_fresh().await?;
    }
    Ok(user)
}
