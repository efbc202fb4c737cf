//! `POST /auth/signin` and `POST /auth/login`: a name and a password for tokens.

use axum::http::StatusCode;
use axum::response::Response;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use uuid::Uuid;

use super::person::Person;
use super::tokens::{self, Tokens};
use super::{Answered, Call, Fault, Problem};
use crate::http::answer;
use crate::identity::{SignInError, User};
use crate::platform::settings::Party;

#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct SignIn {
    /// Username or e-mail address.
    username: String,
    password: String,
}

#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(super) struct SignedIn {
    id: Uuid,
    username: Option<String>,
    full_name: Option<String>,
    #[serde(flatten)]
    tokens: Tokens,
}

pub(in crate::http) async fn sign_in(call: Call) -> Response {
    let answered = signed_in(&call).await;
    call.answer_sign_in(answered)
}

async fn signed_in(call: &Call) -> Answered {
    let SignIn { username, password } = call.body()?;
    let (user, tokens) = prove(call, &username, &password).await?;
    let body = SignedIn { id: user.id, username: user.username, full_name: user.name, tokens };
    Ok(answer::json(StatusCode::OK, &body))
}

/// One of the two names.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct Login {
    email: Option<String>,
    username: Option<String>,
    password: String,
}

#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(super) struct LoggedIn {
    user: Person,
    backend_tokens: Tokens,
    access_token: String,
    refresh_token: String,
}

impl LoggedIn {
    pub(super) fn new(call: &Call, user: User, tokens: Tokens) -> Self {
        let (access_token, refresh_token) = (tokens.access_token.clone(), tokens.refresh_token.clone());
        let user = Person::new(user, &call.web.app.settings.attributes, &[Party::User]);
        Self { user, backend_tokens: tokens, access_token, refresh_token }
    }
}

pub(in crate::http) async fn login(call: Call) -> Response {
    let answered = logged_in(&call).await;
    call.answer_sign_in(answered)
}

async fn logged_in(call: &Call) -> Answered {
    let Login { email, username, password } = call.body()?;
    let name = email.or(username).ok_or_else(|| Problem::bad_request("api-fields").field("email", "field-required"))?;
    let (user, tokens) = prove(call, &name, &password).await?;
    Ok(answer::json(StatusCode::OK, &LoggedIn::new(call, user, tokens)))
}

/// Unknown, wrong, disabled: one answer, at one cost.
async fn prove(call: &Call, name: &str, password: &str) -> Result<(User, Tokens), Fault> {
    let refused = || Problem::bad_request("api-credentials").code("invalid_credentials");
    let accounts = &call.web.app.accounts;
    let proof = match accounts.prove_password(name, password, call.caller.address, &call.caller.source()).await {
        Ok(proof) => proof,
        Err(SignInError::Refused) => return Err(refused().into()),
        Err(SignInError::Throttled { retry_after }) => {
            return Err(Problem::throttled(StatusCode::BAD_REQUEST, retry_after).into());
        }
        // The password was right: whoever has it may know what is missing.
        Err(SignInError::Unverified { .. }) => {
            return Err(Problem::bad_request("unverified-title").code("invalid_email").into());
        }
        // Here too: they take it back on a page.
        Err(SignInError::Leaving(_)) => {
            return Err(Problem::bad_request("leave-json").code("account_leaving").into());
        }
        Err(SignInError::Busy) => return Err(Fault::Busy),
        Err(error) => return Err(Fault::broken(error)),
    };
    let (id, may_mail) = (proof.user_id, proof.may_mail());
    let tokens = tokens::give(call, proof).await?.ok_or_else(refused)?;
    if may_mail {
        call.web.app.bell.ring();
    }
    Ok((accounts.find(&id.to_string()).await?, tokens))
}
