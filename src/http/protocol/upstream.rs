//! What other providers send us when their sessions end: browsers that come back from signing out there, and logout tokens
//! (OpenID Connect Back-Channel Logout 1.0 section 2.5).

use std::sync::Arc;

use axum::body::Body;
use axum::extract::{Path, State};
use axum::http::{HeaderMap, StatusCode, Uri};
use axum::response::Response;
use serde_json::json;

use crate::federation::FederationError;
use crate::http::answer::{self, Forms};
use crate::http::caller::Caller;
use crate::http::state::Web;
use crate::http::views::SignedOutPage;
use crate::http::{form, reasons};
use crate::oauth::parameters::Parameters;
use crate::trace::{self, Rule};

/// Where a provider sends a browser that has signed out there: on to where it was going.
pub(in crate::http) async fn signed_out(
    State(web): State<Arc<Web>>,
    caller: Caller,
    headers: HeaderMap,
    uri: Uri,
) -> Response {
    let parameters = Parameters::parse(uri.query().unwrap_or_default().as_bytes()).unwrap_or_default();
    let (state, browser) = (parameters.get("state").unwrap_or_default(), web.cookies.browser_secret(&headers));
    let onward = match browser {
        Some(browser) => web.app.federation.signed_out(state, browser).await,
        None => Err(FederationError::State),
    };
    match onward {
        Ok(Some(onward)) => answer::see_other(&onward),
        // Whoever comes here a second time is signed out all the same.
        Ok(None) | Err(FederationError::State) => {
            let frame = caller.frame(&web, None);
            let view = SignedOutPage { frame, return_href: None, returns: false, calls: Vec::new() };
            answer::page(&web, StatusCode::OK, Forms::None, &view)
        }
        Err(error) => answer::fault_page(&web, &caller, &error),
    }
}

/// A logout token ends the sessions that began at its provider. Saying it again does nothing, and is answered alike.
pub(in crate::http) async fn backchannel_logout(
    State(web): State<Arc<Web>>,
    caller: Caller,
    Path(name): Path<String>,
    headers: HeaderMap,
    body: Body,
) -> Response {
    let refuse = |description: &'static str| {
        trace::fail(Rule::RequestWellFormed, || reasons::said(description));
        answer::refusal(StatusCode::BAD_REQUEST, "invalid_request", description)
    };
    let Ok(parameters) = form::read(&headers, body, web.app.settings.http.max_body).await else {
        return refuse("a form with a logout_token is expected");
    };
    let Ok(Some(token)) = parameters.one("logout_token") else { return refuse("logout_token is missing") };
    let (app, source) = (&web.app, caller.source());
    let named = match app.federation.logout_token(&name, token).await {
        Ok(named) => named,
        Err(FederationError::Database(error)) => return answer::fault_json(&caller, &error),
        Err(error) => {
            if let Err(error) = app.federation.record_refusal(&name, &error, &source).await {
                return answer::fault_json(&caller, &error);
            }
            trace::judge(|| reasons::provider(&name, &error));
            return refuse("the logout token does not hold");
        }
    };
    match app.sessions.end_named(named, &source).await {
        Ok(ended) => {
            metrics::counter!("bonafide_upstream_logouts_total").increment(ended as u64);
            answer::json(StatusCode::OK, &json!({}))
        }
        Err(error) => answer::fault_json(&caller, &error),
    }
}
