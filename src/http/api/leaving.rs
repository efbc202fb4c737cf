//! `DELETE /auth/{id}` and `POST /auth/{id}/restore`: the end of an account, and the way back.

use axum::http::StatusCode;
use axum::response::Response;
use serde::Serialize;
use utoipa::ToSchema;
use uuid::Uuid;

use super::person::instant;
use super::{Answered, Call, done, people};
use crate::http::answer;
use crate::identity::Leaving;

/// An account on its way out.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(super) struct Deletion {
    id: Uuid,
    /// When it is gone unless it is taken back, RFC 3339.
    deleted_at: String,
}

pub(in crate::http) async fn leave(call: Call) -> Response {
    let answered = left(&call).await;
    call.answer(answered)
}

async fn left(call: &Call) -> Answered {
    call.require_nothing_said()?;
    let user = people::known_to_change(call).await?;
    if call.signed()?.is(user) {
        call.require_fresh().await?;
    }
    let deleted_at = call.web.app.accounts.leave(user, Leaving::Guarded, &call.source()).await?;
    Ok(answer::json(StatusCode::ACCEPTED, &Deletion { id: user, deleted_at: instant(deleted_at) }))
}

pub(in crate::http) async fn take_back(call: Call) -> Response {
    let answered = taken_back(&call).await;
    call.answer(answered)
}

async fn taken_back(call: &Call) -> Answered {
    call.require_nothing_said()?;
    let user = people::known_to_change(call).await?;
    call.web.app.accounts.take_back(user, &call.source()).await?;
    Ok(done())
}
