//! `/sign-in`: a name and a password on one page.

use std::sync::Arc;

use axum::body::Body;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode, Uri};
use axum::response::Response;
use tower_sessions::Session;

use super::{DeviceCookie, Waiting, leaving, providers, submitted, verify_email};
use crate::http::answer;
use crate::http::caller::Caller;
use crate::http::reasons;
use crate::http::state::Web;
use crate::http::views::{BackToApp, Fault, SignInPage};
use crate::identity::SignInError;
use crate::oauth::parameters::Parameters;
use crate::sessions::SessionError;
use crate::trace;

const PURPOSE: &str = "sign-in";

pub(in crate::http) async fn get(
    State(web): State<Arc<Web>>,
    caller: Caller,
    session: Session,
    headers: HeaderMap,
    uri: Uri,
) -> Response {
    let parameters = Parameters::parse(uri.query().unwrap_or_default().as_bytes()).unwrap_or_default();
    let waiting = match Waiting::find(&web, &caller, &headers, parameters.get("interaction")).await {
        Ok(waiting) => waiting.towards(parameters.get("then")),
        Err(response) => return response,
    };
    if waiting.request.is_none() {
        match web.app.sessions.find(&session, "").await {
            Ok(Some(_)) => return answer::see_other(&waiting.onward()),
            Ok(None) => {}
            Err(error) => return answer::fault_page(&web, &caller, &error),
        }
    }
    let hint = waiting.request.as_ref().and_then(|(_, request)| request.login_hint.clone()).unwrap_or_default();
    render(&web, &caller, &waiting, StatusCode::OK, hint, false, Vec::new())
}

pub(in crate::http) async fn post(
    State(web): State<Arc<Web>>,
    caller: Caller,
    session: Session,
    headers: HeaderMap,
    body: Body,
) -> Response {
    let (form, waiting) = match submitted(&web, &caller, &headers, body, PURPOSE).await {
        Ok(found) => found,
        Err(response) => return response,
    };
    let remember = form.get("remember").is_some();
    let again = |status, faults: Vec<Fault>| {
        trace::asked(form.pairs());
        trace::client(|| waiting.request.as_ref().map(|(_, request)| request.client.id.as_str().into()));
        reasons::fields(&faults);
        let username = form.get("username").unwrap_or_default().chars().take(320).collect();
        render(&web, &caller, &waiting, status, username, remember, faults)
    };
    let at_home = form.get("organisation").is_some();
    if let (Some(username), true) = (form.get("username"), at_home || form.get("password").is_none()) {
        // Whoever is signed in elsewhere types no password here.
        if let Some(provider) = web.app.federation.providers.of_address(username) {
            return answer::see_other(&providers::start_href(&waiting, &provider.name, Some(username)));
        }
        if at_home {
            let fault = Fault::new("username", "organisation-unknown");
            return again(StatusCode::UNPROCESSABLE_ENTITY, vec![fault]);
        }
    }
    let (Some(username), Some(password)) = (form.get("username"), form.get("password")) else {
        let missing = ["username", "password"].into_iter().filter(|field| form.get(field).is_none());
        return again(
            StatusCode::UNPROCESSABLE_ENTITY,
            missing.map(|field| Fault::new(field, "field-required")).collect(),
        );
    };
    let refused = || again(StatusCode::UNPROCESSABLE_ENTITY, vec![Fault::new("", "sign-in-refused")]);
    let (source, frame) = (caller.source(), caller.frame(&web, waiting.ui_locales()));
    let device = DeviceCookie::of(&web, &headers);
    let visit = device.visit(&caller, &source, &frame);
    let proof = match web.app.accounts.prove_password_in(username, password, visit).await {
        Ok(proof) => proof,
        Err(SignInError::Refused) => return refused(),
        Err(SignInError::Unverified { email }) => return verify_email::unverified(&web, &caller, &waiting, email),
        Err(SignInError::Leaving(leaver)) => return leaving::ask(&web, &caller, &waiting, *leaver, remember),
        Err(SignInError::Throttled { retry_after }) => {
            let minutes = (retry_after.num_seconds() + 59) / 60;
            let fault = Fault::new("", "sign-in-throttled").with("minutes", minutes.to_string());
            return answer::retry_after(again(StatusCode::TOO_MANY_REQUESTS, vec![fault]), retry_after.num_seconds());
        }
        Err(SignInError::Busy) => {
            return answer::retry_after(
                again(StatusCode::SERVICE_UNAVAILABLE, vec![Fault::new("", "sign-in-busy")]),
                2,
            );
        }
        Err(error) => return answer::fault_page(&web, &caller, &error),
    };
    let may_mail = proof.may_mail();
    match web.app.sessions.begin(&session, proof, remember, &source).await {
        Ok(()) => {
            if may_mail {
                web.app.bell.ring();
            }
            device.give(&web, answer::see_other(&waiting.onward()))
        }
        Err(SessionError::Refused) => refused(),
        Err(error) => answer::fault_page(&web, &caller, &error),
    }
}

fn render(
    web: &Web,
    caller: &Caller,
    waiting: &Waiting,
    status: StatusCode,
    username: String,
    remember: bool,
    faults: Vec<Fault>,
) -> Response {
    let host = waiting.request.as_ref().and_then(|(_, request)| {
        let url = url::Url::parse(request.reply.redirect_uri()).ok()?;
        url.host_str().map(str::to_owned)
    });
    let offered = web.app.federation.providers.offered();
    let view = SignInPage {
        frame: caller.frame(web, waiting.ui_locales()),
        app: waiting.app(),
        interaction: waiting.name.clone(),
        then: waiting.then(),
        csrf: waiting.token(web, PURPOSE),
        username,
        remember,
        faults,
        sign_up_href: web.app.settings.accounts.sign_up.then(|| waiting.link("/sign-up")),
        providers: offered.iter().map(|provider| providers::link_of(waiting, provider)).collect(),
        routed: offered.iter().any(|provider| !provider.declared.domains.is_empty()),
        forgot_href: web.app.accounts.has_mail().then(|| waiting.link("/forgot-password")),
        back: host.map(|host| BackToApp { host }),
    };
    // The form may lead to any of the providers that addresses are routed to, and from there to the application.
    let redirect_uri = waiting.request.as_ref().map(|(_, request)| request.reply.redirect_uri());
    let routed = offered.iter().filter(|provider| !provider.declared.domains.is_empty());
    let along: Vec<&str> = redirect_uri.into_iter().chain(routed.map(|provider| provider.identity.as_str())).collect();
    waiting.finish(web, answer::page(web, status, answer::Forms::Along(&along), &view))
}
