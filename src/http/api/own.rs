//! `PUT /auth/{id}/password` and `PUT /auth/{id}/email`: what only the person themselves changes, and what takes a fresh sign-in.

use axum::http::StatusCode;
use axum::response::Response;
use serde::Deserialize;
use utoipa::ToSchema;

use super::recovery::{require_mail, said, throttle};
use super::{Answered, Call, Fault, Problem, done};
use crate::identity::{Asking, Device, FRESH_SECONDS, IdentityError, Refusal, Visit};

/// What a client that gets it has the person sign in anew by (RFC 9470 section 3).
const CHALLENGE: &str = "Bearer error=\"insufficient_user_authentication\", \
                         error_description=\"sign in again to do this\", max_age=\"900\"";
const _: () = assert!(FRESH_SECONDS == 900, "what the challenge says");

#[derive(Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(super) struct ChangePassword {
    /// May be left out by whoever has signed in a moment ago.
    current_password: Option<String>,
    new_password: String,
}

#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct ChangeEmail {
    email: String,
}

impl Call {
    /// Refuses whoever has not signed in a moment ago.
    pub(super) async fn require_fresh(&self) -> Result<(), Fault> {
        let account = self.account()?;
        if self.web.app.accounts.is_fresh(account.person.user_id, account.by.proven()).await? {
            return Ok(());
        }
        let problem = Problem::new(StatusCode::UNAUTHORIZED, "api-reauthenticate").code("reauthentication_required");
        Err(problem.challenge(CHALLENGE).into())
    }
}

pub(in crate::http) async fn change_password(call: Call) -> Response {
    let answered = password_changed(&call).await;
    call.answer(answered)
}

async fn password_changed(call: &Call) -> Answered {
    let ChangePassword { current_password, new_password } = call.body()?;
    if current_password.is_none() {
        call.require_fresh().await?;
    }
    let (account, source, frame) = (call.account()?, call.source(), call.caller.frame(&call.web, None));
    let language = Some(frame.words.lang());
    let visit = Visit { address: call.caller.address, source: &source, device: Device::Program, language };
    let (user, keep) = (account.person.user_id, account.by.keep());
    let accounts = &call.web.app.accounts;
    accounts.change_password(user, current_password.as_deref(), &new_password, keep, visit).await?;
    Ok(done())
}

pub(in crate::http) async fn change_email(call: Call) -> Response {
    let answered = email_asked(&call).await;
    call.answer(answered)
}

async fn email_asked(call: &Call) -> Answered {
    let frame = require_mail(call)?;
    let ChangeEmail { email } = call.body()?;
    call.require_fresh().await?;
    throttle(call).await?;
    let source = call.source();
    let asking = Asking { source: &source, language: Some(frame.words.lang()), interaction: None };
    let user = call.account()?.person.user_id;
    match call.web.app.accounts.ask_new_email(user, &email, asking).await {
        Ok(()) => Ok(said(StatusCode::ACCEPTED, &frame, "api-email-asked")),
        // Only where existing accounts are revealed.
        Err(IdentityError::Refused(Refusal::EmailTaken)) => {
            Err(Problem::new(StatusCode::CONFLICT, "email-taken").field("email", "email-taken").into())
        }
        Err(error) => Err(error.into()),
    }
}
