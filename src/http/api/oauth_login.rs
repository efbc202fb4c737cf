//! `POST /auth/oAuthlogin`: tokens for somebody who has signed in at another provider, by the session adapter's word. An e-mail
//! address alone proves nothing.

use axum::http::StatusCode;
use axum::response::Response;
use serde::Deserialize;
use utoipa::ToSchema;

use super::sign_in::LoggedIn;
use super::{Answered, Call, Fault, Problem, tokens};
use crate::http::answer;

#[derive(Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(super) struct LinkedAccount {
    email: String,
    provider: String,
    provider_account_id: String,
}

pub(in crate::http) async fn oauth_login(call: Call) -> Response {
    let answered = match logged_in(&call).await {
        Err(Fault::Problem(_)) => Err(Problem::new(StatusCode::UNAUTHORIZED, "api-unproven").into()),
        other => other,
    };
    call.answer(answered)
}

async fn logged_in(call: &Call) -> Answered {
    let unproven = || Problem::new(StatusCode::UNAUTHORIZED, "api-unproven");
    let LinkedAccount { email, provider, provider_account_id } = call.body()?;
    if [&email, &provider, &provider_account_id].iter().any(|text| text.chars().any(char::is_control)) {
        return Err(unproven().into());
    }
    let app = &call.web.app;
    let proof = app.adapter.prove(&email, &provider, &provider_account_id).await?.ok_or_else(unproven)?;
    let id = proof.user_id;
    let tokens = tokens::give(call, proof).await?.ok_or_else(unproven)?;
    let user = app.accounts.find(&id.to_string()).await?;
    Ok(answer::json(StatusCode::OK, &LoggedIn::new(call, user, tokens)))
}
