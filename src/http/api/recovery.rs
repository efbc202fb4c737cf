//! `POST /auth/forgot-password`, `/auth/reset-password/{token}`, `/auth/request-email-verification` and `/auth/verify-email/{token}`:
//! what mailed links do, for front ends of their own. Where no mail is sent, nothing of it is there.

use axum::http::StatusCode;
use axum::response::Response;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use uuid::Uuid;

use super::{Answered, Call, Fault, Problem};
use crate::http::answer;
use crate::http::views::Frame;
use crate::identity::{Asking, IdentityError};
use crate::limits;

#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct ForgotPassword {
    email: String,
}

#[derive(Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(super) struct ResetPassword {
    new_password: String,
}

/// Who asks is who the token says; the members are there because the documents' clients send them, and have to agree.
#[derive(Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(super) struct RequestVerification {
    user_id: Option<Uuid>,
    email: Option<String>,
}

/// What was done, in a sentence.
#[derive(Serialize, ToSchema)]
pub(super) struct Done {
    message: String,
}

pub(in crate::http) async fn forgot_password(call: Call) -> Response {
    let answered = forgot(&call).await;
    call.answer(answered)
}

/// The same words at the same cost whoever has the address, and for what is no address.
async fn forgot(call: &Call) -> Answered {
    let frame = require_mail(call)?;
    let ForgotPassword { email } = call.body()?;
    throttle(call).await?;
    let source = call.caller.source();
    let asking = Asking { source: &source, language: Some(frame.words.lang()), interaction: None };
    match call.web.app.accounts.request_reset(&email, asking).await {
        Ok(()) | Err(IdentityError::Refused(_)) => Ok(done(&frame, "forgot-mailed")),
        Err(error) => Err(error.into()),
    }
}

pub(in crate::http) async fn reset_password(call: Call) -> Response {
    let answered = reset(&call).await;
    call.answer(answered)
}

async fn reset(call: &Call) -> Answered {
    let frame = require_mail(call)?;
    let token = call.segment("token")?;
    let ResetPassword { new_password } = call.body()?;
    match call.web.app.accounts.reset_password(token, &new_password, &call.caller.source()).await {
        Ok(_) => Ok(done(&frame, "reset-done-title")),
        Err(IdentityError::DeadLink) => Err(dead_link().into()),
        // The link lives on: another password may do.
        Err(IdentityError::Refused(refusal)) => Err(Problem::of_refusal(refusal, "name").into()),
        Err(error) => Err(error.into()),
    }
}

pub(in crate::http) async fn request_verification(call: Call) -> Response {
    let answered = requested(&call).await;
    call.answer(answered)
}

async fn requested(call: &Call) -> Answered {
    let frame = require_mail(call)?;
    let person = &call.account()?.person;
    let RequestVerification { user_id, email } = call.body()?;
    let own = person.email.as_deref();
    let foreign = user_id.is_some_and(|id| id != person.user_id)
        || email.as_deref().is_some_and(|email| !own.is_some_and(|own| own.eq_ignore_ascii_case(email)));
    if foreign {
        return Err(Problem::new(StatusCode::FORBIDDEN, "api-forbidden").into());
    }
    throttle(call).await?;
    let source = call.source();
    let asking = Asking { source: &source, language: Some(frame.words.lang()), interaction: None };
    call.web.app.accounts.request_verification(person.user_id, asking).await?;
    Ok(done(&frame, "verify-mailed"))
}

pub(in crate::http) async fn verify_email(call: Call) -> Response {
    let answered = verified(&call).await;
    call.answer(answered)
}

async fn verified(call: &Call) -> Answered {
    let frame = require_mail(call)?;
    let token = call.segment("token")?;
    match call.web.app.accounts.verify_email(token, None, &call.caller.source()).await {
        Ok(_) => Ok(done(&frame, "verify-done-title")),
        Err(IdentityError::DeadLink | IdentityError::Refused(_)) => Err(dead_link().into()),
        Err(error) => Err(error.into()),
    }
}

pub(super) fn require_mail(call: &Call) -> Result<Frame, Problem> {
    if call.web.app.accounts.has_mail() { Ok(call.caller.frame(&call.web, None)) } else { Err(Problem::not_found()) }
}

pub(super) async fn throttle(call: &Call) -> Result<(), Fault> {
    let (app, source) = (&call.web.app, call.caller.source());
    let (limits, address, now) = (&app.settings.limits, call.caller.address, app.clock.now());
    match limits::throttle_mail(&app.database, limits, app.random.as_ref(), address, &source, now).await? {
        None => Ok(()),
        Some(wait) => Err(Problem::throttled(StatusCode::TOO_MANY_REQUESTS, wait).into()),
    }
}

fn dead_link() -> Problem {
    Problem::bad_request("api-token-dead").code("invalid_token")
}

fn done(frame: &Frame, message: &'static str) -> Response {
    said(StatusCode::OK, frame, message)
}

pub(super) fn said(status: StatusCode, frame: &Frame, message: &'static str) -> Response {
    answer::json(status, &Done { message: frame.words.say(message) })
}
