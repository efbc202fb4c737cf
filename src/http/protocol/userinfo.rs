//! `GET, POST /userinfo` (OpenID Connect Core section 5.3): what a live access token with the scope `openid` says of its person.

use std::sync::Arc;

use axum::body::Body;
use axum::extract::State;
use axum::http::{HeaderMap, HeaderValue, Method, StatusCode, header};
use axum::response::{IntoResponse as _, Response};
use serde_json::Value;

use super::token::refuse_form;
use crate::http::answer;
use crate::http::caller::Caller;
use crate::http::state::Web;
use crate::http::{form, reasons};
use crate::oauth::bearer::Reader;
use crate::oauth::{claims, scope, why};
use crate::trace::{self, Rule};

/// Why there is no answer (RFC 6750 section 3.1).
#[derive(Clone, Copy)]
enum Refusal {
    Missing,
    Request(&'static str),
    Token,
    Scope,
}

pub(in crate::http) async fn userinfo(
    State(web): State<Arc<Web>>,
    caller: Caller,
    method: Method,
    headers: HeaderMap,
    body: Body,
) -> Response {
    let mut given = headers.get_all(header::AUTHORIZATION).iter();
    let (first, second) = (given.next(), given.next());
    let posted = if method == Method::POST && headers.contains_key(header::CONTENT_TYPE) {
        match form::read(&headers, body, web.app.settings.http.max_body).await {
            Ok(form) => match form.one("access_token") {
                Ok(token) => token.map(str::to_owned),
                Err(_) => return refuse(Refusal::Request("a parameter is repeated")),
            },
            Err(fault) => return refuse_form(fault),
        }
    } else {
        None
    };
    let token = match (first, second, posted) {
        (_, Some(_), _) => return refuse(Refusal::Request("the Authorization header is repeated")),
        (Some(_), _, Some(_)) => return refuse(Refusal::Request("the token came in two ways")),
        (Some(header), None, None) => match bearer_token(header) {
            Some(token) => token,
            None => return refuse(Refusal::Missing),
        },
        (None, None, Some(token)) => token,
        (None, None, None) => return refuse(Refusal::Missing),
    };
    answer(&web, &caller, &token).await
}

async fn answer(web: &Web, caller: &Caller, token: &str) -> Response {
    let app = &web.app;
    let keys = app.keys.set();
    let reader = Reader { keys: &keys, issuer: web.issuer(), grants: &app.grants, now: app.clock.now() };
    let live = match reader.live(token).await {
        Ok(Some(live)) => live,
        Ok(None) => {
            trace::fail(Rule::TokenAlive, || reader.why_not(token));
            return refuse(Refusal::Token);
        }
        Err(error) => return answer::fault_json(caller, &error),
    };
    trace::pass(Rule::TokenAlive);
    let token = live;
    let Some(holder) = token.holder.filter(|_| scope::has(&token.scope, "openid")) else {
        trace::client(|| Some(token.client_id.as_str().into()));
        trace::fail(Rule::TokenScope, || why::no_openid(&token.scope));
        return refuse(Refusal::Scope);
    };
    let (named, declared) = (holder.requested().userinfo, &app.settings.attributes);
    let mut answer = claims::of(&holder.person, &token.scope, &named, declared);
    answer.extend(claims::of_standing(&holder.person.standing, &token.scope));
    answer.insert("sub".to_owned(), Value::from(token.subject));
    answer::json(StatusCode::OK, &Value::Object(answer))
}

/// `Bearer TOKEN`; the scheme in any case, one space, nothing behind.
pub(in crate::http) fn bearer_token(header: &HeaderValue) -> Option<String> {
    let (scheme, token) = header.to_str().ok()?.split_once(' ')?;
    let plausible =
        !token.is_empty() && token.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-._~+/=".contains(&byte));
    (scheme.eq_ignore_ascii_case("bearer") && plausible).then(|| token.to_owned())
}

fn refuse(refusal: Refusal) -> Response {
    let (status, error, description, challenge) = match refusal {
        Refusal::Missing => {
            reasons::tell("api-token-missing", String::new);
            let response = StatusCode::UNAUTHORIZED.into_response();
            let response = answer::with_header(response, header::CACHE_CONTROL, Some(answer::NO_STORE));
            return answer::with_header(response, header::WWW_AUTHENTICATE, Some(HeaderValue::from_static("Bearer")));
        }
        Refusal::Request(description) => {
            trace::fail(Rule::CredentialShown, || reasons::said(description));
            (StatusCode::BAD_REQUEST, "invalid_request", description, "Bearer error=\"invalid_request\"")
        }
        Refusal::Token => (
            StatusCode::UNAUTHORIZED,
            "invalid_token",
            "the access token is unknown, expired or revoked",
            "Bearer error=\"invalid_token\", error_description=\"the access token is unknown, expired or revoked\"",
        ),
        Refusal::Scope => (
            StatusCode::FORBIDDEN,
            "insufficient_scope",
            "the access token does not have the scope openid",
            "Bearer error=\"insufficient_scope\", scope=\"openid\"",
        ),
    };
    let response = answer::refusal(status, error, description);
    answer::with_header(response, header::WWW_AUTHENTICATE, Some(HeaderValue::from_static(challenge)))
}
