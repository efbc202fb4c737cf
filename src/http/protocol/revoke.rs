//! `POST /revoke` (RFC 7009): a client gives a token back.

use std::sync::Arc;

use axum::body::Body;
use axum::extract::State;
use axum::http::{HeaderMap, header};
use axum::response::Response;

use super::token::{authenticate, refuse, refuse_form, token_missing};
use crate::access::keys::is_key;
use crate::grants::GrantError;
use crate::http::answer::NO_STORE;
use crate::http::caller::Caller;
use crate::http::form;
use crate::http::state::Web;
use crate::oauth::bearer::Reader;
use crate::oauth::parameters::Parameters;
use crate::oauth::{TokenError, revocation};

pub(in crate::http) async fn revoke(
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
        Ok(()) => done(),
        Err(error) => refuse(&caller, &headers, &form, error),
    }
}

async fn answer(web: &Arc<Web>, caller: &Caller, headers: &HeaderMap, form: &Parameters) -> Result<(), TokenError> {
    let app = &web.app;
    form.require_single()?;
    let client = authenticate(web, caller, headers, form).await?;
    let token = form.one("token")?.ok_or_else(token_missing)?;
    let keys = app.keys.set();
    let reader = Reader { keys: &keys, issuer: web.issuer(), grants: &app.grants, now: app.clock.now() };
    let revoked = if is_key(token) {
        app.api_keys.give_back(token, &client.id, &caller.source()).await.map_err(GrantError::from)?
    } else {
        revocation::revoke(token, &client, reader, &caller.source()).await?
    };
    if revoked {
        metrics::counter!("bonafide_revocations_total").increment(1);
    }
    Ok(())
}

/// 200 with nothing in it, and so without a type: libraries of single-page applications fail on any other than JSON.
fn done() -> Response {
    let mut response = Response::new(Body::empty());
    response.headers_mut().insert(header::CACHE_CONTROL, NO_STORE);
    response
}
