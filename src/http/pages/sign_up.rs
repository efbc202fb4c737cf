//! `/sign-up`: somebody makes an account and is signed in with it.

use std::sync::Arc;

use axum::body::Body;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode, Uri};
use axum::response::Response;
use tower_sessions::Session;

use super::{DeviceCookie, Waiting, submitted, verify_email};
use crate::http::answer;
use crate::http::caller::Caller;
use crate::http::reasons;
use crate::http::state::Web;
use crate::http::views::{Fault, SignUpPage};
use crate::identity::{IdentityError, NewAccount, PasswordFault, Refusal, Registered};
use crate::limits;
use crate::oauth::parameters::Parameters;
use crate::platform::hashing::HashError;

const PURPOSE: &str = "sign-up";

pub(in crate::http) async fn get(
    State(web): State<Arc<Web>>,
    caller: Caller,
    headers: HeaderMap,
    uri: Uri,
) -> Response {
    if !web.app.settings.accounts.sign_up {
        return answer::not_found(State(web), caller).await;
    }
    let parameters = Parameters::parse(uri.query().unwrap_or_default().as_bytes()).unwrap_or_default();
    match Waiting::find(&web, &caller, &headers, parameters.get("interaction")).await {
        Ok(waiting) => render(&web, &caller, &waiting, StatusCode::OK, &Parameters::default(), Vec::new()),
        Err(response) => response,
    }
}

pub(in crate::http) async fn post(
    State(web): State<Arc<Web>>,
    caller: Caller,
    session: Session,
    headers: HeaderMap,
    body: Body,
) -> Response {
    if !web.app.settings.accounts.sign_up {
        return answer::not_found(State(web), caller).await;
    }
    let (form, waiting) = match submitted(&web, &caller, &headers, body, PURPOSE).await {
        Ok(found) => found,
        Err(response) => return response,
    };
    let again = |status, faults| render(&web, &caller, &waiting, status, &form, faults);
    let missing: Vec<Fault> = ["email", "name", "password"]
        .into_iter()
        .filter(|field| form.get(field).is_none())
        .map(|field| Fault::new(field, "field-required"))
        .collect();
    if !missing.is_empty() {
        return again(StatusCode::UNPROCESSABLE_ENTITY, missing);
    }
    let text = |field: &str| form.get(field).map(str::to_owned);
    let account = NewAccount {
        email: text("email"),
        username: text("username"),
        name: text("name"),
        password: text("password"),
        ..NewAccount::default()
    };
    let (source, frame) = (caller.source(), caller.frame(&web, waiting.ui_locales()));
    let device = DeviceCookie::of(&web, &headers);
    let proof = match web.app.accounts.register(account, waiting.asking(&source, &frame)).await {
        Ok(Registered::Here(proof)) => web.app.accounts.on_first_device(proof, device.visit(&caller, &source, &frame)),
        Ok(Registered::ByMail { .. }) => return verify_email::look(&web, &caller, &waiting, "sign-up-mailed"),
        Err(IdentityError::Refused(refusal)) => {
            if let Some(response) = throttle_guessing(&web, &caller, refusal, &again).await {
                return response;
            }
            return again(
                StatusCode::UNPROCESSABLE_ENTITY,
                vec![fault_of(refusal, web.app.settings.accounts.reveal_existing)],
            );
        }
        Err(IdentityError::Hash(HashError::Busy)) => {
            return answer::retry_after(
                again(StatusCode::SERVICE_UNAVAILABLE, vec![Fault::new("", "sign-in-busy")]),
                2,
            );
        }
        Err(error) => return answer::fault_page(&web, &caller, &error),
    };
    match web.app.sessions.begin(&session, proof, false, &caller.source()).await {
        Ok(()) => device.give(&web, answer::see_other(&waiting.onward())),
        Err(error) => answer::fault_page(&web, &caller, &error),
    }
}

/// Trying out which names exist is counted like trying out passwords.
async fn throttle_guessing(
    web: &Web,
    caller: &Caller,
    refusal: Refusal,
    again: &impl Fn(StatusCode, Vec<Fault>) -> Response,
) -> Option<Response> {
    if !matches!(refusal, Refusal::EmailTaken | Refusal::UsernameTaken) {
        return None;
    }
    let (app, source) = (&web.app, caller.source());
    let (limits, now) = (&app.settings.limits, app.clock.now());
    let wait = limits::throttle_guessing(&app.database, limits, app.random.as_ref(), caller.address, &source, now);
    match wait.await {
        Ok(Some(retry_after)) => {
            let minutes = (retry_after.num_seconds() + 59) / 60;
            let fault = Fault::new("", "sign-up-throttled").with("minutes", minutes.to_string());
            Some(answer::retry_after(again(StatusCode::TOO_MANY_REQUESTS, vec![fault]), retry_after.num_seconds()))
        }
        Ok(None) => None,
        Err(error) => Some(answer::fault_page(web, caller, &error)),
    }
}

pub(super) fn fault_of(refusal: Refusal, reveal_existing: bool) -> Fault {
    match refusal {
        Refusal::EmailMalformed | Refusal::Nameless => Fault::new("email", "email-malformed"),
        Refusal::EmailUnwelcome => Fault::new("email", "email-unwelcome"),
        Refusal::EmailTaken if reveal_existing => Fault::new("email", "email-taken"),
        // Without mail nobody else can be told; the sentence fits an address that is taken and one that is not wanted.
        Refusal::EmailTaken => Fault::new("", "sign-up-refused"),
        Refusal::UsernameMalformed => Fault::new("username", "username-malformed"),
        Refusal::UsernameTaken => Fault::new("username", "username-taken"),
        Refusal::NameTooLong => Fault::new("name", "name-too-long").with("max", "200"),
        Refusal::Password(PasswordFault::Short) => Fault::new("password", "password-too-short").with("min", "8"),
        Refusal::Password(PasswordFault::Long) => Fault::new("password", "password-too-long").with("max", "128"),
        Refusal::Password(PasswordFault::Common) => Fault::new("password", "password-common"),
        Refusal::Password(PasswordFault::Personal) => Fault::new("password", "password-personal"),
    }
}

fn render(
    web: &Web,
    caller: &Caller,
    waiting: &Waiting,
    status: StatusCode,
    form: &Parameters,
    faults: Vec<Fault>,
) -> Response {
    reasons::fields(&faults);
    let typed = |field: &str| form.get(field).unwrap_or_default().chars().take(320).collect();
    let offered = web.app.federation.providers.offered();
    let welcoming = offered.iter().filter(|provider| provider.declared.sign_up);
    let view = SignUpPage {
        frame: caller.frame(web, waiting.ui_locales()),
        app: waiting.app(),
        interaction: waiting.name.clone(),
        csrf: waiting.token(web, PURPOSE),
        email: typed("email"),
        username: typed("username"),
        name: typed("name"),
        faults,
        providers: welcoming.map(|provider| super::providers::link_of(waiting, provider)).collect(),
        sign_in_href: waiting.link("/sign-in"),
    };
    waiting.finish(web, answer::page(web, status, waiting.forms(), &view))
}
