//! `POST /introspect` (RFC 7662): what a token is, for the client that it was given to and the APIs that it is for.

use std::sync::Arc;

use axum::body::Body;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::Response;

use super::token::{authenticate, refuse, refuse_form, token_missing};
use crate::access::keys::is_key;
use crate::http::answer;
use crate::http::caller::Caller;
use crate::http::form;
use crate::http::state::Web;
use crate::oauth::TokenError;
use crate::oauth::bearer::Reader;
use crate::oauth::client_auth::ClientAuthError;
use crate::oauth::introspection::{self, Inactive, Introspection};
use crate::oauth::parameters::Parameters;
use crate::oauth::why;
use crate::trace::{self, Rule};

pub(in crate::http) async fn introspect(
    State(web): State<Arc<Web>>,
    caller: Caller,
    headers: HeaderMap,
    body: Body,
) -> Response {
    let form = match form::read(&headers, body, web.app.settings.http.max_body).await {
        Ok(form) => form,
        Err(fault) => return refuse_form(fault),
    };
    match answer(&web, &caller, &headers, &form).await {
        Ok(Some(known)) => answer::json(StatusCode::OK, &known),
        Ok(None) => answer::json(StatusCode::OK, &Inactive::default()),
        Err(error) => refuse(&caller, &headers, &form, error),
    }
}

async fn answer(
    web: &Arc<Web>,
    caller: &Caller,
    headers: &HeaderMap,
    form: &Parameters,
) -> Result<Option<Introspection>, TokenError> {
    let app = &web.app;
    form.require_single()?;
    let client = authenticate(web, caller, headers, form).await?;
    if client.is_public() {
        // Its id is no proof of anything: anybody could try tokens out here (section 2.1).
        let basic = headers.contains_key(header::AUTHORIZATION);
        trace::fail(Rule::ClientConfidential, || why::public_client(&client));
        return Err(ClientAuthError::Failed { basic, method: "none" }.into());
    }
    // The hint would only save time (section 2.1), and ours are told apart by their looks.
    let token = form.one("token")?.ok_or_else(token_missing)?;
    if is_key(token) {
        return Ok(introspection::introspect_key(token, &client, &app.api_keys, web.issuer()).await?);
    }
    let keys = app.keys.set();
    let reader = Reader { keys: &keys, issuer: web.issuer(), grants: &app.grants, now: app.clock.now() };
    Ok(introspection::introspect(token, &client, reader).await?)
}
