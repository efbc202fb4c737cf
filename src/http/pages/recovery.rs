//! `/forgot-password` and `/reset-password`: a new password by a mailed link.

use std::sync::Arc;

use axum::body::Body;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode, Uri};
use axum::response::Response;

use super::{DeviceCookie, Waiting, dead_link, mail_throttled, sign_in_href, sign_up, submitted, verify_email};
use crate::http::answer::{self, Forms};
use crate::http::caller::Caller;
use crate::http::reasons;
use crate::http::state::Web;
use crate::http::views::{Fault, ForgotPasswordPage, NoticePage, ResetPasswordPage};
use crate::identity::{IdentityError, Refusal};
use crate::oauth::parameters::Parameters;
use crate::platform::hashing::HashError;

const ASK: &str = "forgot-password";
const RESET: &str = "reset-password";
const PAGE: &str = "/forgot-password";

pub(in crate::http) async fn ask(
    State(web): State<Arc<Web>>,
    caller: Caller,
    headers: HeaderMap,
    uri: Uri,
) -> Response {
    if !web.app.accounts.has_mail() {
        return answer::not_found(State(web), caller).await;
    }
    let parameters = Parameters::parse(uri.query().unwrap_or_default().as_bytes()).unwrap_or_default();
    match Waiting::find(&web, &caller, &headers, parameters.get("interaction")).await {
        Ok(waiting) => {
            let hint = waiting.request.as_ref().and_then(|(_, request)| request.login_hint.clone());
            let email = hint.filter(|hint| hint.contains('@')).unwrap_or_default();
            asked(&web, &caller, &waiting, StatusCode::OK, email, Vec::new())
        }
        Err(response) => response,
    }
}

/// Says the same whoever has the address.
pub(in crate::http) async fn send(
    State(web): State<Arc<Web>>,
    caller: Caller,
    headers: HeaderMap,
    body: Body,
) -> Response {
    if !web.app.accounts.has_mail() {
        return answer::not_found(State(web), caller).await;
    }
    let (form, waiting) = match submitted(&web, &caller, &headers, body, ASK).await {
        Ok(found) => found,
        Err(response) => return response,
    };
    let email: String = form.get("email").unwrap_or_default().chars().take(320).collect();
    let again = |status, fault| asked(&web, &caller, &waiting, status, email.clone(), vec![fault]);
    if email.is_empty() {
        return again(StatusCode::UNPROCESSABLE_ENTITY, Fault::new("email", "field-required"));
    }
    match mail_throttled(&web, &caller).await {
        Ok(None) => {}
        Ok(Some((fault, wait))) => return answer::retry_after(again(StatusCode::TOO_MANY_REQUESTS, fault), wait),
        Err(response) => return response,
    }
    let (source, frame) = (caller.source(), caller.frame(&web, waiting.ui_locales()));
    match web.app.accounts.request_reset(&email, waiting.asking(&source, &frame)).await {
        Ok(()) => verify_email::look(&web, &caller, &waiting, "forgot-mailed"),
        Err(IdentityError::Refused(_)) => {
            again(StatusCode::UNPROCESSABLE_ENTITY, Fault::new("email", "email-malformed"))
        }
        Err(error) => answer::fault_page(&web, &caller, &error),
    }
}

fn asked(
    web: &Web,
    caller: &Caller,
    waiting: &Waiting,
    status: StatusCode,
    email: String,
    faults: Vec<Fault>,
) -> Response {
    reasons::fields(&faults);
    let view = ForgotPasswordPage {
        frame: caller.frame(web, waiting.ui_locales()),
        interaction: waiting.name.clone(),
        csrf: waiting.token(web, ASK),
        email,
        faults,
        sign_in_href: waiting.link("/sign-in"),
    };
    waiting.finish(web, answer::page(web, status, Forms::Ours, &view))
}

/// The mailed link. Opening it uses nothing up.
pub(in crate::http) async fn choose(
    State(web): State<Arc<Web>>,
    caller: Caller,
    headers: HeaderMap,
    uri: Uri,
) -> Response {
    let parameters = Parameters::parse(uri.query().unwrap_or_default().as_bytes()).unwrap_or_default();
    let waiting = match Waiting::find(&web, &caller, &headers, None).await {
        Ok(waiting) => waiting,
        Err(response) => return response,
    };
    let token = parameters.get("token").unwrap_or_default();
    chosen(&web, &caller, &waiting, StatusCode::OK, token, Vec::new()).await
}

pub(in crate::http) async fn reset(
    State(web): State<Arc<Web>>,
    caller: Caller,
    headers: HeaderMap,
    body: Body,
) -> Response {
    let (form, waiting) = match submitted(&web, &caller, &headers, body, RESET).await {
        Ok(found) => found,
        Err(response) => return response,
    };
    let token = form.get("token").unwrap_or_default();
    let again = async |status, fault| chosen(&web, &caller, &waiting, status, token, vec![fault]).await;
    let Some(password) = form.get("password") else {
        return again(StatusCode::UNPROCESSABLE_ENTITY, Fault::new("password", "field-required")).await;
    };
    let (source, frame) = (caller.source(), caller.frame(&web, None));
    match web.app.accounts.reset_password(token, password, &source).await {
        Ok(followed) => {
            // Whoever reads the mail of the account is its owner: strangers who try passwords do not keep them out here.
            let device = DeviceCookie::of(&web, &headers);
            let visit = device.visit(&caller, &source, &frame);
            if let Err(error) = web.app.accounts.remember_device(followed.user_id, visit).await {
                return answer::fault_page(&web, &caller, &error);
            }
            let view = NoticePage {
                frame: frame.clone(),
                title: "reset-done-title",
                message: "reset-done",
                sign_in_href: Some(sign_in_href(&web, &caller, &headers, followed.interaction.as_deref()).await),
            };
            device.give(&web, answer::page(&web, StatusCode::OK, Forms::None, &view))
        }
        Err(IdentityError::DeadLink) => dead_link(&web, &caller, PAGE),
        Err(IdentityError::Refused(refusal @ Refusal::Password(_))) => {
            again(StatusCode::UNPROCESSABLE_ENTITY, sign_up::fault_of(refusal, false)).await
        }
        Err(IdentityError::Hash(HashError::Busy)) => {
            let page = again(StatusCode::SERVICE_UNAVAILABLE, Fault::new("", "sign-in-busy")).await;
            answer::retry_after(page, 2)
        }
        Err(error) => answer::fault_page(&web, &caller, &error),
    }
}

async fn chosen(
    web: &Web,
    caller: &Caller,
    waiting: &Waiting,
    status: StatusCode,
    token: &str,
    faults: Vec<Fault>,
) -> Response {
    match web.app.accounts.reset_link(token).await {
        Ok(Some(email)) => {
            let frame = caller.frame(web, None);
            reasons::fields(&faults);
            let csrf = waiting.token(web, RESET);
            let view = ResetPasswordPage { frame, csrf, token: token.to_owned(), email, faults };
            waiting.finish(web, answer::page(web, status, Forms::Secret, &view))
        }
        Ok(None) => dead_link(web, caller, PAGE),
        Err(error) => answer::fault_page(web, caller, &error),
    }
}
