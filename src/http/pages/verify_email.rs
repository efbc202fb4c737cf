//! `/verify-email`: whose an address is, by a mailed link; and the pages that send people to their mailbox.

use std::sync::Arc;

use axum::body::Body;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode, Uri};
use axum::response::Response;
use tower_sessions::Session;

use super::{Waiting, dead_link, mail_throttled, sign_in_href, submitted};
use crate::http::answer::{self, Forms, Trouble};
use crate::http::caller::Caller;
use crate::http::reasons;
use crate::http::state::Web;
use crate::http::views::{Fault, NoticePage, UnverifiedPage, VerifyEmailPage};
use crate::identity::{IdentityError, Refusal};
use crate::oauth::parameters::Parameters;

const PURPOSE: &str = "verify-email";
const AGAIN: &str = "verify-email-again";

/// The mailed link. Programs that look through mails open it too, so opening it does nothing.
pub(in crate::http) async fn get(
    State(web): State<Arc<Web>>,
    caller: Caller,
    headers: HeaderMap,
    uri: Uri,
) -> Response {
    let parameters = Parameters::parse(uri.query().unwrap_or_default().as_bytes()).unwrap_or_default();
    let token = parameters.get("token").unwrap_or_default();
    let waiting = match Waiting::find(&web, &caller, &headers, None).await {
        Ok(waiting) => waiting,
        Err(response) => return response,
    };
    match web.app.accounts.address_link(token).await {
        Ok(Some(link)) => {
            let view = VerifyEmailPage {
                frame: caller.frame(&web, None),
                csrf: waiting.token(&web, PURPOSE),
                token: token.to_owned(),
                address: link.address,
                changes: link.changes,
            };
            waiting.finish(&web, answer::page(&web, StatusCode::OK, Forms::Secret, &view))
        }
        Ok(None) => dead_link(&web, &caller, "/sign-in"),
        Err(error) => answer::fault_page(&web, &caller, &error),
    }
}

pub(in crate::http) async fn post(
    State(web): State<Arc<Web>>,
    caller: Caller,
    session: Session,
    headers: HeaderMap,
    body: Body,
) -> Response {
    let (form, _) = match submitted(&web, &caller, &headers, body, PURPOSE).await {
        Ok(found) => found,
        Err(response) => return response,
    };
    let here = match web.app.sessions.find(&session, "").await {
        Ok(live) => live.map(|live| live.user_id),
        Err(error) => return answer::fault_page(&web, &caller, &error),
    };
    let token = form.get("token").unwrap_or_default();
    match web.app.accounts.verify_email(token, here, &caller.source()).await {
        Ok(followed) => {
            let view = NoticePage {
                frame: caller.frame(&web, None),
                title: "verify-done-title",
                message: "verify-done",
                sign_in_href: Some(sign_in_href(&web, &caller, &headers, followed.interaction.as_deref()).await),
            };
            answer::page(&web, StatusCode::OK, Forms::None, &view)
        }
        Err(IdentityError::DeadLink) => dead_link(&web, &caller, "/sign-in"),
        Err(IdentityError::Refused(Refusal::EmailTaken)) => {
            Trouble::new(StatusCode::CONFLICT, "address-taken-title", "address-taken").page(&web, &caller)
        }
        Err(error) => answer::fault_page(&web, &caller, &error),
    }
}

/// Sends the link again. Says the same whoever has the address.
pub(in crate::http) async fn send(
    State(web): State<Arc<Web>>,
    caller: Caller,
    headers: HeaderMap,
    body: Body,
) -> Response {
    if !web.app.accounts.has_mail() {
        return answer::not_found(State(web), caller).await;
    }
    let (form, waiting) = match submitted(&web, &caller, &headers, body, AGAIN).await {
        Ok(found) => found,
        Err(response) => return response,
    };
    let email: String = form.get("email").unwrap_or_default().chars().take(320).collect();
    match mail_throttled(&web, &caller).await {
        Ok(None) => {}
        Ok(Some((fault, wait))) => {
            let page = offer(&web, &caller, &waiting, StatusCode::TOO_MANY_REQUESTS, email, vec![fault]);
            return answer::retry_after(page, wait);
        }
        Err(response) => return response,
    }
    let (source, frame) = (caller.source(), caller.frame(&web, waiting.ui_locales()));
    match web.app.accounts.request_verification_of(&email, waiting.asking(&source, &frame)).await {
        // An address that we never wrote into the form has no mailbox either.
        Ok(()) | Err(IdentityError::Refused(_)) => look(&web, &caller, &waiting, "verify-mailed"),
        Err(error) => answer::fault_page(&web, &caller, &error),
    }
}

/// Asks to look into the mailbox.
pub(super) fn look(web: &Web, caller: &Caller, waiting: &Waiting, message: &'static str) -> Response {
    let view = NoticePage {
        frame: caller.frame(web, waiting.ui_locales()),
        title: "mailed-title",
        message,
        sign_in_href: Some(waiting.link("/sign-in")),
    };
    waiting.finish(web, answer::page(web, StatusCode::OK, Forms::None, &view))
}

/// To somebody whose password was right, and whose address has to be verified first.
pub(super) fn unverified(web: &Web, caller: &Caller, waiting: &Waiting, email: String) -> Response {
    offer(web, caller, waiting, StatusCode::FORBIDDEN, email, Vec::new())
}

fn offer(
    web: &Web,
    caller: &Caller,
    waiting: &Waiting,
    status: StatusCode,
    email: String,
    faults: Vec<Fault>,
) -> Response {
    reasons::fields(&faults);
    let view = UnverifiedPage {
        frame: caller.frame(web, waiting.ui_locales()),
        interaction: waiting.name.clone(),
        csrf: waiting.token(web, AGAIN),
        email,
        faults,
    };
    waiting.finish(web, answer::page(web, status, Forms::Ours, &view))
}
