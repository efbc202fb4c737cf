//! `/account/password`: another password for whoever shows the one they have, or a first one.

use axum::body::Body;
use axum::http::{HeaderMap, StatusCode};
use axum::response::Response;

use super::{Here, confirm};
use crate::http::answer;
use crate::http::pages::{DeviceCookie, sign_up};
use crate::http::reasons;
use crate::http::views::Fault;
use crate::http::views::account::PasswordPage;
use crate::identity::{IdentityError, Keep, Refusal, SignInError};
use crate::platform::hashing::HashError;

const PURPOSE: &str = "account-password";
const SECTION: &str = "password";

/// Where password managers send people (W3C, A Well-Known URL for Changing Passwords).
pub(in crate::http) async fn well_known() -> Response {
    answer::see_other("/account/password")
}

pub(in crate::http) async fn get(here: Here) -> Response {
    match may_choose(&here).await {
        Ok(true) => render(&here, StatusCode::OK, Vec::new()),
        Ok(false) => confirm::first(SECTION),
        Err(response) => response,
    }
}

/// Whoever has a password shows it with the new one; else a sign-in of a moment ago stands for it.
async fn may_choose(here: &Here) -> Result<bool, Response> {
    if here.live.has_password { Ok(true) } else { here.is_fresh().await }
}

pub(in crate::http) async fn post(here: Here, headers: HeaderMap, body: Body) -> Response {
    let form = match here.form(&headers, body, PURPOSE).await {
        Ok(form) => form,
        Err(response) => return response,
    };
    match may_choose(&here).await {
        Ok(true) => {}
        Ok(false) => return confirm::ask(&here, StatusCode::FORBIDDEN, SECTION, Vec::new()).await,
        Err(response) => return response,
    }
    let again = |status, faults| render(&here, status, faults);
    let wanted = ["current_password", "password"].into_iter().skip(usize::from(!here.live.has_password));
    let missing: Vec<Fault> =
        wanted.filter(|field| form.get(field).is_none()).map(|field| fault(&here, field, "field-required")).collect();
    let (Some(new), true) = (form.get("password"), missing.is_empty()) else {
        return again(StatusCode::UNPROCESSABLE_ENTITY, missing);
    };
    let current = form.get("current_password").filter(|_| here.live.has_password);
    let (source, frame) = (here.caller.source(), here.frame());
    let device = DeviceCookie::of(&here.web, &headers);
    let visit = device.visit(&here.caller, &source, &frame);
    let keep = Keep { session: Some(here.live.id), grant: None };
    match here.web.app.accounts.change_password(here.user(), current, new, keep, visit).await {
        Ok(()) => here.done(SECTION, "account-password-done"),
        Err(IdentityError::Refused(refusal @ Refusal::Password(_))) => {
            let refused = sign_up::fault_of(refusal, false);
            again(StatusCode::UNPROCESSABLE_ENTITY, vec![Fault { label: Some(label(&here, "password")), ..refused }])
        }
        Err(IdentityError::Unproven(SignInError::Refused)) => {
            again(StatusCode::UNPROCESSABLE_ENTITY, vec![fault(&here, "current_password", "password-wrong")])
        }
        Err(IdentityError::Unproven(SignInError::Throttled { retry_after })) => {
            let fault = confirm::throttled(retry_after);
            answer::retry_after(again(StatusCode::TOO_MANY_REQUESTS, vec![fault]), retry_after.num_seconds())
        }
        Err(IdentityError::Unproven(SignInError::Busy) | IdentityError::Hash(HashError::Busy)) => {
            let page = again(StatusCode::SERVICE_UNAVAILABLE, vec![Fault::new("", "sign-in-busy")]);
            answer::retry_after(page, 2)
        }
        Err(error) => here.fault(&error),
    }
}

fn label(here: &Here, field: &str) -> String {
    here.frame().words.say(if field == "password" { "new-password" } else { "account-password-current" })
}

fn fault(here: &Here, field: &'static str, message: &'static str) -> Fault {
    Fault { label: Some(label(here, field)), ..Fault::new(field, message) }
}

fn render(here: &Here, status: StatusCode, faults: Vec<Fault>) -> Response {
    reasons::fields(&faults);
    let login = here.live.email().or_else(|| here.live.username());
    let view = PasswordPage {
        frame: here.frame(),
        shell: here.shell(SECTION, PURPOSE),
        has_password: here.live.has_password,
        username: login.unwrap_or_default().to_owned(),
        forgot_href: confirm::forgot_href(here, &faults),
        faults,
    };
    here.page(status, &view)
}
