//! `/providers/{name}/…`: the way to another provider and back.

use std::sync::Arc;

use axum::extract::{Path, State};
use axum::http::{HeaderMap, StatusCode, Uri};
use axum::response::Response;
use chrono::{DateTime, Utc};
use tower_sessions::Session;

use super::{DeviceCookie, Waiting, account, leaving, link_provider, verify_email};
use crate::federation::{FederationError, Provider, Purpose, Returned, Wish};
use crate::http::answer::{self, Trouble};
use crate::http::caller::Caller;
use crate::http::interaction;
use crate::http::reasons;
use crate::http::state::Web;
use crate::http::views::ProviderLink;
use crate::identity::{Arrival, Arrived, Coming, Proof};
use crate::oauth::parameters::Parameters;
use crate::sessions::SessionError;
use crate::trace;

/// The link on the sign-in page.
pub(in crate::http) async fn start(
    State(web): State<Arc<Web>>,
    caller: Caller,
    headers: HeaderMap,
    Path(name): Path<String>,
    uri: Uri,
) -> Response {
    let parameters = Parameters::parse(uri.query().unwrap_or_default().as_bytes()).unwrap_or_default();
    let waiting = match Waiting::find(&web, &caller, &headers, parameters.get("interaction")).await {
        Ok(waiting) => waiting.towards(parameters.get("then")),
        Err(response) => return response,
    };
    let wish = wish(&web, &caller, &waiting, parameters.get("login_hint"));
    let purpose = Purpose::SignIn { interaction: waiting.name.clone(), then: waiting.then().map(str::to_owned) };
    match web.app.federation.begin(&name, purpose, waiting.browser(), &wish).await {
        Ok(url) => waiting.finish(&web, answer::see_other(&url)),
        Err(error) => refused(&web, &caller, &name, &waiting, error).await,
    }
}

/// A button that leads there.
pub(super) fn link_of(waiting: &Waiting, provider: &Provider) -> ProviderLink {
    let href = start_href(waiting, &provider.name, None);
    ProviderLink { name: provider.name.clone(), label: provider.label.clone(), href }
}

pub(super) fn start_href(waiting: &Waiting, name: &str, login_hint: Option<&str>) -> String {
    let pairs = [("interaction", waiting.name.as_deref()), ("then", waiting.then()), ("login_hint", login_hint)];
    let pairs = pairs.into_iter().filter_map(|(name, value)| Some((name, value?)));
    let query = form_urlencoded::Serializer::new(String::new()).extend_pairs(pairs).finish();
    let separator = if query.is_empty() { "" } else { "?" };
    format!("/providers/{name}/sign-in{separator}{query}")
}

/// Where somebody proves what stands between them and their account.
pub(super) fn pending_href(waiting: &Waiting, pending: &str) -> String {
    let then = waiting.then().map(|then| format!("&then={then}")).unwrap_or_default();
    format!("/providers/link?pending={pending}{then}")
}

/// What the application asked for, in the provider's hands.
pub(super) fn wish(web: &Web, caller: &Caller, waiting: &Waiting, typed: Option<&str>) -> Wish {
    let language = caller.frame(web, None).words.lang().to_owned();
    let mut wish = Wish {
        login_hint: typed.map(|hint| hint.chars().take(320).collect()),
        ui_locales: Some(language),
        ..Wish::default()
    };
    if let Some((_, request)) = &waiting.request {
        wish.login_hint = wish.login_hint.or_else(|| request.login_hint.clone());
        wish.ui_locales = request.ui_locales.clone().or(wish.ui_locales);
        wish.login = request.prompt.login;
        wish.select_account = request.prompt.select_account;
        wish.max_age = request.max_age;
        wish.acr = request.essential_acr.clone().unwrap_or_default();
    }
    wish
}

/// Where the provider sends people back to.
pub(in crate::http) async fn callback(
    State(web): State<Arc<Web>>,
    caller: Caller,
    session: Session,
    headers: HeaderMap,
    Path(name): Path<String>,
    uri: Uri,
) -> Response {
    let nothing = Waiting::find(&web, &caller, &headers, None).await;
    let Ok(nothing) = nothing.as_ref() else { return nothing.err().unwrap_or_default() };
    let parameters = Parameters::parse(uri.query().unwrap_or_default().as_bytes()).unwrap_or_default();
    let Some(browser) = web.cookies.browser_secret(&headers) else {
        return refused(&web, &caller, &name, nothing, FederationError::State).await;
    };
    let returned = web.app.federation.finish(&name, &parameters, browser, &web.app.keys.set()).await;
    let Returned { purpose, sent_at, outcome } = match returned {
        Ok(returned) => returned,
        Err(error) => return refused(&web, &caller, &name, nothing, error).await,
    };
    let (interaction, then) = match purpose {
        Purpose::Link { user } => return link_provider::link(&web, &caller, &session, &name, user, outcome).await,
        Purpose::Confirm { user, then } => {
            let (web, caller, session, headers) = (web.as_ref(), &caller, &session, &headers);
            let back = account::confirm::Back { web, caller, session, headers, provider: &name, user, then: &then };
            return back.arrive(outcome).await;
        }
        Purpose::SignIn { interaction, then } => (interaction, then),
    };
    let waiting = match Waiting::find(&web, &caller, &headers, interaction.as_deref()).await {
        Ok(waiting) => waiting.towards(then.as_deref()),
        Err(response) => {
            if let Err(error) = &outcome {
                record(&web, &caller, &name, error).await;
            }
            return response;
        }
    };
    match outcome {
        Ok(arrival) => arrive(&web, &caller, &session, &headers, &waiting, arrival, sent_at).await,
        Err(error) => refused(&web, &caller, &name, &waiting, error).await,
    }
}

async fn arrive(
    web: &Web,
    caller: &Caller,
    session: &Session,
    headers: &HeaderMap,
    waiting: &Waiting,
    arrival: Arrival,
    sent_at: DateTime<Utc>,
) -> Response {
    let provider = web.app.federation.providers.usable(&arrival.provider);
    let label = provider.as_ref().map_or_else(|| arrival.provider.clone(), |provider| provider.label.clone());
    let fresh = waiting.request.as_ref().is_none_or(|(_, request)| {
        interaction::is_fresh_enough(request, arrival.auth_time, Some(sent_at), web.app.clock.now())
    });
    if !fresh {
        // The application asked for a sign-in of now, and the provider does not say that it was one.
        note(web, caller, &arrival.provider, "stale").await;
        return stopped(StatusCode::FORBIDDEN, "provider-stale-title", "provider-stale", waiting)
            .with("provider", label)
            .page(web, caller);
    }
    let (source, frame) = (caller.source(), caller.frame(web, waiting.ui_locales()));
    let device = DeviceCookie::of(web, headers);
    let visit = device.visit(caller, &source, &frame);
    let coming = Coming { visit, may_sign_up: provider.is_some_and(|provider| provider.declared.sign_up) };
    let from = Whence { provider: arrival.provider.clone(), label };
    let arrived = web.app.accounts.arrive(arrival, coming, waiting.browser(), waiting.name.as_deref()).await;
    match arrived {
        Ok(arrived) => admit(web, caller, session, waiting, &device, arrived, &from).await,
        Err(error) => answer::fault_page(web, caller, &error),
    }
}

/// Which provider somebody comes from.
pub(super) struct Whence {
    pub(super) provider: String,
    /// What people call it.
    pub(super) label: String,
}

/// Lets somebody in who has proven everything, or says what is missing.
pub(super) async fn admit(
    web: &Web,
    caller: &Caller,
    session: &Session,
    waiting: &Waiting,
    device: &DeviceCookie,
    arrived: Arrived,
    from: &Whence,
) -> Response {
    match arrived {
        Arrived::In(proof) => sign_in(web, caller, session, waiting, device, proof, from).await,
        Arrived::ToProve(name) => waiting.finish(web, answer::see_other(&pending_href(waiting, &name))),
        Arrived::Unverified { email } => verify_email::unverified(web, caller, waiting, email),
        Arrived::Stranger => {
            note(web, caller, &from.provider, "stranger").await;
            stopped(StatusCode::FORBIDDEN, "provider-stranger-title", "provider-stranger", waiting)
                .with("provider", &from.label)
                .page(web, caller)
        }
    }
}

pub(super) async fn sign_in(
    web: &Web,
    caller: &Caller,
    session: &Session,
    waiting: &Waiting,
    device: &DeviceCookie,
    proof: Proof,
    from: &Whence,
) -> Response {
    let may_mail = proof.may_mail();
    let proven = proof.clone();
    match web.app.sessions.begin(session, proof, false, &caller.source()).await {
        Ok(()) => {
            if may_mail {
                web.app.bell.ring();
            }
            device.give(web, answer::see_other(&waiting.onward()))
        }
        Err(SessionError::Refused) => {
            match web.app.accounts.leaver(proven).await {
                Ok(Some(leaver)) => return leaving::ask(web, caller, waiting, leaver, false),
                Ok(None) => {}
                Err(error) => return answer::fault_page(web, caller, &error),
            }
            note(web, caller, &from.provider, "account").await;
            stopped(StatusCode::FORBIDDEN, "provider-refused-title", "provider-refused", waiting)
                .with("provider", &from.label)
                .page(web, caller)
        }
        Err(error) => answer::fault_page(web, caller, &error),
    }
}

pub(super) fn label(web: &Web, name: &str) -> String {
    let provider = web.app.federation.providers.get(name);
    provider.map_or_else(|| name.chars().take(32).collect(), |provider| provider.label.clone())
}

/// Puts on the record that somebody was not let in whom the provider vouches for.
pub(super) async fn note(web: &Web, caller: &Caller, provider: &str, reason: &'static str) {
    if let Err(error) = web.app.federation.note_refusal(provider, reason, &caller.source()).await {
        tracing::error!(request_id = caller.request_id.as_str(), %error, "a refusal could not be recorded");
    }
}

pub(super) async fn record(web: &Web, caller: &Caller, name: &str, error: &FederationError) {
    if let Err(error) = web.app.federation.record_refusal(name, error, &caller.source()).await {
        tracing::error!(request_id = caller.request_id.as_str(), %error, "a refusal could not be recorded");
    }
}

pub(super) async fn refused(
    web: &Web,
    caller: &Caller,
    name: &str,
    waiting: &Waiting,
    error: FederationError,
) -> Response {
    if let FederationError::Database(error) = &error {
        return answer::fault_page(web, caller, error);
    }
    record(web, caller, name, &error).await;
    let mut trouble = failure(web, name, &error);
    trouble.restart_href = Some(waiting.link("/sign-in"));
    trouble.page(web, caller)
}

/// What a person is told. What the provider said goes to the log: anybody could have written that into the address.
pub(super) fn failure(web: &Web, name: &str, error: &FederationError) -> Trouble {
    trace::judge(|| reasons::provider(name, error));
    let (status, title, message) = match error {
        FederationError::Unknown => (StatusCode::NOT_FOUND, "provider-unknown-title", "provider-unknown"),
        FederationError::State => (StatusCode::BAD_REQUEST, "provider-state-title", "provider-state"),
        FederationError::Denied(code) if code == "access_denied" => {
            (StatusCode::FORBIDDEN, "provider-denied-title", "provider-denied")
        }
        FederationError::Denied(_) | FederationError::Unbelievable(_) => {
            (StatusCode::BAD_GATEWAY, "provider-failed-title", "provider-failed")
        }
        FederationError::Unavailable(_) | FederationError::Database(_) => {
            (StatusCode::BAD_GATEWAY, "provider-down-title", "provider-down")
        }
    };
    Trouble::new(status, title, message).with("provider", label(web, name))
}

fn stopped(status: StatusCode, title: &'static str, message: &'static str, waiting: &Waiting) -> Trouble {
    let mut trouble = Trouble::new(status, title, message);
    trouble.restart_href = Some(waiting.link("/sign-in"));
    trouble
}
