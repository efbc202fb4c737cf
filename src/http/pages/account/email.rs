//! `/account/email`: another address, which counts when whoever reads its mail has said so.

use axum::body::Body;
use axum::http::{HeaderMap, StatusCode};
use axum::response::Response;

use super::{Here, confirm};
use crate::http::answer;
use crate::http::pages::mail_throttled;
use crate::http::views::Fault;
use crate::http::views::account::EmailPage;
use crate::identity::{Asking, IdentityError, Refusal};

const PURPOSE: &str = "account-email";
const SECTION: &str = "email";

pub(in crate::http) async fn get(here: Here) -> Response {
    match here.is_fresh().await {
        Ok(true) => render(&here, StatusCode::OK, "", Vec::new()),
        Ok(false) => confirm::first(SECTION),
        Err(response) => response,
    }
}

pub(in crate::http) async fn post(here: Here, headers: HeaderMap, body: Body) -> Response {
    let form = match here.form(&headers, body, PURPOSE).await {
        Ok(form) => form,
        Err(response) => return response,
    };
    let accounts = &here.web.app.accounts;
    let (source, frame) = (here.caller.source(), here.frame());
    let asking = Asking { source: &source, language: Some(frame.words.lang()), interaction: None };
    let typed: String = form.get("email").unwrap_or_default().trim().chars().take(320).collect();
    let again = |status, fault| render(&here, status, &typed, vec![fault]);
    let verify = form.get("verify").is_some();
    if !verify {
        match here.is_fresh().await {
            Ok(true) => {}
            Ok(false) => return confirm::ask(&here, StatusCode::FORBIDDEN, SECTION, Vec::new()).await,
            Err(response) => return response,
        }
        if let Some(message) = unfit(&here, &typed) {
            return again(StatusCode::UNPROCESSABLE_ENTITY, Fault::new("email", message));
        }
    }
    if !accounts.has_mail() {
        return again(StatusCode::UNPROCESSABLE_ENTITY, Fault::new("", "account-email-off"));
    }
    match mail_throttled(&here.web, &here.caller).await {
        Ok(None) => {}
        Ok(Some((fault, wait))) => return answer::retry_after(again(StatusCode::TOO_MANY_REQUESTS, fault), wait),
        Err(response) => return response,
    }
    let asked = if verify {
        accounts.request_verification(here.user(), asking).await
    } else {
        accounts.ask_new_email(here.user(), &typed, asking).await
    };
    match asked {
        Ok(()) => here.done(SECTION, "account-email-mailed"),
        Err(IdentityError::Refused(Refusal::EmailTaken)) => {
            again(StatusCode::UNPROCESSABLE_ENTITY, Fault::new("email", "email-taken"))
        }
        Err(IdentityError::Refused(_)) => {
            again(StatusCode::UNPROCESSABLE_ENTITY, Fault::new("email", "email-malformed"))
        }
        Err(error) => here.fault(&error),
    }
}

/// What is to be said of an address before anybody is asked.
fn unfit(here: &Here, typed: &str) -> Option<&'static str> {
    if typed.is_empty() {
        return Some("field-required");
    }
    here.live.email().is_some_and(|own| own.eq_ignore_ascii_case(typed)).then_some("account-email-same")
}

fn render(here: &Here, status: StatusCode, typed: &str, faults: Vec<Fault>) -> Response {
    let view = EmailPage {
        frame: here.frame(),
        shell: here.shell(SECTION, PURPOSE),
        address: here.live.email().map(str::to_owned),
        verified: here.live.email_verified_at.is_some(),
        mail: here.web.app.accounts.has_mail(),
        email: typed.to_owned(),
        faults,
    };
    if view.mail { here.page(status, &view) } else { here.page_without_forms(status, &view) }
}
