//! `POST /auth/oAuthlogin`: tokens for somebody who has signed in at another provider, by an ID token that this provider made
//! for us, or by the session adapter's word. An e-mail address alone proves nothing.

use axum::http::StatusCode;
use axum::response::Response;
use serde::Deserialize;
use utoipa::ToSchema;

use super::guard::shows_secret;
use super::sign_in::LoggedIn;
use super::{Answered, Call, Fault, Problem, tokens};
use crate::federation::FederationError;
use crate::http::answer;
use crate::identity::{Coming, Device, Proof, Visit};

#[derive(Deserialize, ToSchema)]
#[serde(untagged)]
pub(super) enum OAuthLogin {
    Token(ProviderToken),
    Account(LinkedAccount),
}

/// An ID token that a front end has got from a provider that is declared here.
#[derive(Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(super) struct ProviderToken {
    /// The provider's name here.
    provider: String,
    id_token: String,
    /// What the front end had the provider put into the token.
    nonce: Option<String>,
}

/// An account that the session adapter has linked; its secret goes along in x-auth-secret.
#[derive(Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(super) struct LinkedAccount {
    email: String,
    provider: String,
    provider_account_id: String,
}

pub(in crate::http) async fn oauth_login(call: Call) -> Response {
    let answered = match logged_in(&call).await {
        Err(Fault::Problem(_)) => Err(unproven().into()),
        other => other,
    };
    call.answer(answered)
}

fn unproven() -> Problem {
    Problem::new(StatusCode::UNAUTHORIZED, "api-unproven")
}

async fn logged_in(call: &Call) -> Answered {
    let proof = match call.body()? {
        OAuthLogin::Token(presented) => by_token(call, presented).await?,
        OAuthLogin::Account(linked) => by_adapter(call, linked).await?,
    };
    let (proof, app) = (proof.ok_or_else(unproven)?, &call.web.app);
    let (id, may_mail) = (proof.user_id, proof.may_mail());
    let tokens = tokens::give(call, proof).await?.ok_or_else(unproven)?;
    if may_mail {
        app.bell.ring();
    }
    let user = app.accounts.find(&id.to_string()).await?;
    Ok(answer::json(StatusCode::OK, &LoggedIn::new(call, user, tokens)))
}

fn is_text(text: &str) -> bool {
    !text.chars().any(char::is_control)
}

async fn by_token(call: &Call, presented: ProviderToken) -> Result<Option<Proof>, Fault> {
    let ProviderToken { provider, id_token, nonce } = presented;
    if !is_text(&provider) {
        return Ok(None);
    }
    let (app, source) = (&call.web.app, call.source());
    let (arrival, may_sign_up) = match app.federation.recognise(&provider, &id_token, nonce.as_deref()).await {
        Ok(recognised) => recognised,
        Err(FederationError::Database(error)) => return Err(error.into()),
        Err(error) => {
            app.federation.record_refusal(&provider, &error, &source).await?;
            return Ok(None);
        }
    };
    let visit = Visit { address: call.caller.address, source: &source, device: Device::Program, language: None };
    Ok(app.accounts.arrive_at_once(arrival, Coming { visit, may_sign_up }).await?)
}

async fn by_adapter(call: &Call, linked: LinkedAccount) -> Result<Option<Proof>, Fault> {
    let LinkedAccount { email, provider, provider_account_id } = linked;
    let given = [&email, &provider, &provider_account_id];
    if !shows_secret(&call.web, &call.headers) || !given.into_iter().all(|text| is_text(text)) {
        return Ok(None);
    }
    Ok(call.web.app.adapter.prove(&email, &provider, &provider_account_id).await?)
}
