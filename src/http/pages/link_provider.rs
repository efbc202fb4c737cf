//! `POST /providers/{name}/link`: somebody who is signed in wants another way to sign in.

use std::sync::Arc;

use axum::body::Body;
use axum::extract::{Path, State};
use axum::http::{HeaderMap, StatusCode};
use axum::response::Response;
use tower_sessions::Session;
use uuid::Uuid;

use super::Waiting;
use super::account::{self, Here};
use super::providers::{failure, label, note, record, refused, wish};
use crate::federation::{FederationError, Purpose, Wish};
use crate::http::answer::{self, Trouble};
use crate::http::caller::Caller;
use crate::http::state::Web;
use crate::http::{csrf, form, interaction};
use crate::identity::{Arrival, IdentityError, MayLink};
use crate::oauth::parameters::Parameters;

const PURPOSE: &str = "link-provider";

/// Sends them to the provider.
pub(in crate::http) async fn begin(
    State(web): State<Arc<Web>>,
    caller: Caller,
    session: Session,
    headers: HeaderMap,
    Path(name): Path<String>,
    body: Body,
) -> Response {
    let form = match form::read(&headers, body, web.app.settings.http.max_body).await {
        Ok(form) => form,
        Err(fault) => return interaction::form_fault(&web, &caller, fault),
    };
    if csrf::is_foreign(&headers, web.issuer())
        || !csrf::holds(&web.app.master, &csrf::bound_to(&session), PURPOSE, "", form.get("csrf"))
    {
        return Trouble::new(StatusCode::FORBIDDEN, "form-refused-title", "form-refused").page(&web, &caller);
    }
    let live = match web.app.sessions.find(&session, "").await {
        Ok(Some(live)) => live,
        Ok(None) => return answer::see_other("/sign-in"),
        Err(error) => return answer::fault_page(&web, &caller, &error),
    };
    match web.app.accounts.may_link(live.user_id, live.auth_time, live.signed_in_at).await {
        Ok(MayLink::Stale) => {
            let here = Here { web, caller, session, live, query: Parameters::default() };
            return account::confirm::ask(&here, StatusCode::FORBIDDEN, "providers", Vec::new()).await;
        }
        may => {
            if let Some(refusal) = forbidden(&web, &caller, may) {
                return refusal;
            }
        }
    }
    let waiting = match Waiting::find(&web, &caller, &headers, None).await {
        Ok(waiting) => waiting,
        Err(response) => return response,
    };
    let wish = Wish { select_account: true, ..wish(&web, &caller, &waiting, None) };
    let purpose = Purpose::Link { user: live.user_id };
    match web.app.federation.begin(&name, purpose, waiting.browser(), &wish).await {
        Ok(url) => waiting.finish(&web, answer::see_other(&url)),
        Err(error) => refused(&web, &caller, &name, &waiting, error).await,
    }
}

/// The token of the form that begins it.
pub(super) fn form_token(web: &Web, session: &Session) -> String {
    csrf::token(&web.app.master, &csrf::bound_to(session), PURPOSE, "")
}

/// Whoever is back has an account there, which is theirs here from now on.
pub(super) async fn link(
    web: &Web,
    caller: &Caller,
    session: &Session,
    name: &str,
    user: Uuid,
    outcome: Result<Arrival, FederationError>,
) -> Response {
    let trouble = |title, message| Trouble::new(StatusCode::CONFLICT, title, message);
    let arrival = match outcome {
        Ok(arrival) => arrival,
        Err(error) => {
            record(web, caller, name, &error).await;
            return failure(web, name, &error).page(web, caller);
        }
    };
    // Whoever began it is still the one who is signed in here.
    match web.app.sessions.find(session, "").await {
        Ok(Some(live)) if live.user_id == user => {
            let may = web.app.accounts.may_link(live.user_id, live.auth_time, live.signed_in_at).await;
            if let Some(refusal) = forbidden(web, caller, may) {
                return refusal;
            }
        }
        Ok(_) => return trouble("flow-foreign-title", "flow-foreign").page(web, caller),
        Err(error) => return answer::fault_page(web, caller, &error),
    }
    let provider = label(web, name);
    match web.app.accounts.link_to(user, arrival, &provider, &caller.source()).await {
        Ok(true) => account::done(web, session, "providers", "account-provider-linked"),
        Ok(false) => {
            note(web, caller, name, "taken").await;
            trouble("provider-taken-title", "provider-taken").with("provider", provider).page(web, caller)
        }
        Err(error) => answer::fault_page(web, caller, &error),
    }
}

/// The page for somebody who may not add a way to sign in now.
fn forbidden(web: &Web, caller: &Caller, may: Result<MayLink, IdentityError>) -> Option<Response> {
    let (title, message, restart) = match may {
        Ok(MayLink::Yes) => return None,
        Ok(MayLink::Unverified) => ("provider-link-unverified-title", "provider-link-unverified", "/account/email"),
        Ok(MayLink::Stale) => ("provider-link-stale-title", "provider-link-stale", "/account/confirm?then=providers"),
        Err(error) => return Some(answer::fault_page(web, caller, &error)),
    };
    let mut trouble = Trouble::new(StatusCode::FORBIDDEN, title, message);
    trouble.restart_href = Some(restart.to_owned());
    Some(trouble.page(web, caller))
}
