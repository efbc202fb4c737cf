//! `POST /token` (RFC 6749 section 3.2, OpenID Connect Core section 3.1.3).

use std::sync::Arc;

use axum::body::Body;
use axum::extract::State;
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::response::Response;
use tracing::Instrument as _;

use crate::audit::{self, About, Event};
use crate::clients::GrantType;
use crate::http::answer;
use crate::http::caller::Caller;
use crate::http::form::{self, FormFault};
use crate::http::reasons;
use crate::http::state::Web;
use crate::oauth::client_auth::{AuthenticatedClient, Claimed, ClientAuthError, claimed_id};
use crate::oauth::mint::{Mint, TokenResponse};
use crate::oauth::parameters::Parameters;
use crate::oauth::{TokenError, token, why};
use crate::trace::{self, Rule};

pub(in crate::http) async fn token(
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
        Ok((grant, tokens)) => {
            metrics::counter!("bonafide_tokens_total", "grant" => grant.name()).increment(1);
            answer::json(StatusCode::OK, &tokens)
        }
        Err(error) => refuse(&caller, &headers, &form, error),
    }
}

async fn answer(
    web: &Arc<Web>,
    caller: &Caller,
    headers: &HeaderMap,
    form: &Parameters,
) -> Result<(GrantType, TokenResponse), TokenError> {
    let app = &web.app;
    form.require_single()?;
    let client = authenticate(web, caller, headers, form).await?;
    let source = caller.source();
    let registry = app.clients.registry();
    let grant = token::grant_type(form, &client)?;
    let (warrant, refresh_token) = match grant {
        GrantType::AuthorizationCode => {
            token::authorization_code(form, client, &registry, &app.grants, &app.settings, &source).await?
        }
        GrantType::RefreshToken => {
            token::refresh_token(form, client, &registry, &app.grants, &app.settings, &source).await?
        }
        GrantType::ClientCredentials => {
            token::client_credentials(form, client, &registry, &app.grants, &app.settings, &app.catalogue).await?
        }
        GrantType::Credentials => return Err(TokenError::grant("JSON sign-in alone uses this grant")),
    };
    let keys = app.keys.set();
    let mint = Mint { settings: &app.settings, keys: &keys, random: app.random.as_ref(), now: app.clock.now() };
    let api = warrant.audience().and_then(|audience| registry.api(audience));
    let tokens = mint.tokens(warrant, api.as_deref(), refresh_token)?;
    Ok((grant, tokens))
}

/// Finds out who the client is, and records who tried to be a client that exists.
pub(in crate::http) async fn authenticate(
    web: &Arc<Web>,
    caller: &Caller,
    headers: &HeaderMap,
    form: &Parameters,
) -> Result<AuthenticatedClient, TokenError> {
    let app = &web.app;
    let mut given = headers.get_all(header::AUTHORIZATION).iter();
    let authorization = match (given.next(), given.next()) {
        (_, Some(_)) => {
            trace::fail(Rule::ClientAuthOneWay, || why::client_auth("repeated"));
            return Err(ClientAuthError::Malformed("the Authorization header is repeated").into());
        }
        (first, None) => first.map(HeaderValue::as_bytes),
    };
    let claimed = Claimed::read(authorization, form)?;
    let id = claimed.client_id.clone();
    let client = app.clients.find(&id, &app.database, app.clock.as_ref()).await?;
    let known = client.is_some();
    if known {
        trace::pass(Rule::ClientRegistered);
        trace::pass(Rule::ClientEnabled);
    } else {
        trace::judge(|| why::unknown_client(&id, &app.clients.registry()));
    }
    claimed.prove(client, app.clock.now()).map_err(|error| {
        if let (true, ClientAuthError::Failed { method, .. }) = (known, &error) {
            record_failure(web, caller, id, method);
        }
        error.into()
    })
}

/// In a task of its own: the answer does not wait for the record.
fn record_failure(web: &Arc<Web>, caller: &Caller, client_id: String, method: &'static str) {
    tracing::warn!(request_id = caller.request_id.as_str(), client_id, method, "client authentication failed");
    metrics::counter!("bonafide_client_auth_failures_total").increment(1);
    let (app, source) = (web.app.clone(), caller.source());
    let recording = async move {
        let now = app.clock.now();
        let id = app.random.id(now);
        let recorded = app.database.write(move |tx| {
            let event = Event::ClientAuthenticationFailed { method };
            Box::pin(async move { audit::record(tx, id, now, &event, &About::client(&client_id), &source).await })
        });
        if let Err(error) = recorded.await {
            tracing::warn!(%error, "a failed client authentication was not recorded");
        }
    };
    tokio::spawn(recording.in_current_span());
}

/// Endpoints that are about a token need one.
pub(super) fn token_missing() -> TokenError {
    trace::fail(Rule::CredentialShown, || why::missing("token"));
    TokenError::request("token is missing")
}

/// The answer to a body that is no form.
pub(in crate::http) fn refuse_form(fault: FormFault) -> Response {
    let (status, description) = match fault {
        FormFault::Type => (StatusCode::BAD_REQUEST, "the body must be application/x-www-form-urlencoded"),
        FormFault::TooLarge => (StatusCode::PAYLOAD_TOO_LARGE, "the body is too large"),
        FormFault::Incomplete => (StatusCode::REQUEST_TIMEOUT, "the body did not arrive in time"),
        FormFault::Malformed => (StatusCode::BAD_REQUEST, "the body is not a form in UTF-8"),
    };
    trace::fail(Rule::BodyReadable, || reasons::body(fault));
    let response = answer::refusal(status, "invalid_request", description);
    // What is left of a body that was not read cannot be told from the next request.
    let close = matches!(fault, FormFault::TooLarge | FormFault::Incomplete).then(|| HeaderValue::from_static("close"));
    answer::with_header(response, header::CONNECTION, close)
}

/// The answer of an endpoint of clients that refuses (RFC 6749 section 5.2).
pub(super) fn refuse(caller: &Caller, headers: &HeaderMap, form: &Parameters, error: TokenError) -> Response {
    let authorization = headers.get(header::AUTHORIZATION).map(HeaderValue::as_bytes);
    trace::client(|| claimed_id(authorization, form).map(Into::into));
    trace::asked(form.pairs());
    match error {
        TokenError::Refused { code, description } => {
            trace::fail(Rule::RequestWellFormed, || reasons::said(description));
            answer::refusal(StatusCode::BAD_REQUEST, code.name(), description)
        }
        TokenError::Client(ClientAuthError::Malformed(description)) => {
            answer::refusal(StatusCode::BAD_REQUEST, "invalid_request", description)
        }
        TokenError::Client(ClientAuthError::Failed { basic, .. }) => {
            let response = answer::refusal(StatusCode::UNAUTHORIZED, "invalid_client", "client authentication failed");
            let challenge = basic.then(|| HeaderValue::from_static("Basic realm=\"bonafide\", charset=\"UTF-8\""));
            answer::with_header(response, header::WWW_AUTHENTICATE, challenge)
        }
        fault => answer::fault_json(caller, &fault),
    }
}
