//! `POST /auth/refresh` and `POST /auth/logout`, the token in the header (`Authorization: Refresh TOKEN`) or in the body.

use axum::http::{StatusCode, header};
use axum::response::Response;
use serde::de::IgnoredAny;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::{Answered, Call, Problem, tokens};
use crate::http::answer;

/// The documents' clients say whose token it is; the token knows better.
#[derive(Default, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(super) struct Presented {
    refresh_token: Option<String>,
    #[serde(rename = "username")]
    #[schema(value_type = Option<String>)]
    _username: Option<IgnoredAny>,
    #[serde(rename = "sub")]
    #[schema(value_type = Option<String>)]
    _sub: Option<IgnoredAny>,
}

#[derive(Serialize, ToSchema)]
pub(super) struct SignedOut {
    message: String,
}

pub(in crate::http) async fn refresh(call: Call) -> Response {
    let answered = refreshed(&call).await;
    call.answer(answered)
}

async fn refreshed(call: &Call) -> Answered {
    match tokens::rotate(call, &presented(call)?).await? {
        Some(tokens) => Ok(answer::json(StatusCode::OK, &tokens)),
        None => Err(refused().into()),
    }
}

pub(in crate::http) async fn logout(call: Call) -> Response {
    let answered = logged_out(&call).await;
    call.answer(answered)
}

/// A token that is not known any more has nothing left to end: the second time is as good as the first.
async fn logged_out(call: &Call) -> Answered {
    let presented = presented(call)?;
    let app = &call.web.app;
    if let Some(client) = tokens::client(app) {
        app.grants.revoke_refresh_token(&client, &presented, &call.caller.source()).await?;
    }
    let words = call.caller.frame(&call.web, None).words;
    Ok(answer::json(StatusCode::OK, &SignedOut { message: words.say("api-signed-out") }))
}

/// The token, shown in one way or in both alike.
fn presented(call: &Call) -> Result<String, Problem> {
    let mut given = call.headers.get_all(header::AUTHORIZATION).iter();
    let in_header = match (given.next(), given.next()) {
        (None, _) => None,
        (Some(value), None) => {
            let (scheme, token) = value.to_str().ok().and_then(|value| value.split_once(' ')).ok_or_else(refused)?;
            if !scheme.eq_ignore_ascii_case("refresh") {
                return Err(refused());
            }
            Some(token.trim().to_owned())
        }
        (Some(_), Some(_)) => return Err(Problem::bad_request("api-token-twice")),
    };
    let body: Presented = if in_header.is_some() && !call.has_body() { Presented::default() } else { call.body()? };
    match (in_header, body.refresh_token) {
        (Some(header), Some(body)) if header != body => Err(Problem::bad_request("api-token-twice")),
        (Some(token), _) | (None, Some(token)) => Ok(token),
        (None, None) => Err(refused()),
    }
}

fn refused() -> Problem {
    Problem::new(StatusCode::UNAUTHORIZED, "api-token-dead").code("invalid_token").challenge("Refresh")
}
