//! Somebody has proven that an account is theirs that is on its way out: do they keep it? Until they say so they are not signed in.

use std::sync::Arc;

use axum::body::Body;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode};
use axum::response::Response;
use tower_sessions::Session;

use super::{Waiting, submitted};
use crate::http::answer::{self, Forms, Trouble};
use crate::http::caller::Caller;
use crate::http::state::Web;
use crate::http::views::account::day;
use crate::http::views::{LeavingPage, NoticePage};
use crate::identity::{IdentityError, Leaver};
use crate::sessions::SessionError;

const PURPOSE: &str = "leaving";

/// The page that asks.
pub(super) fn ask(web: &Web, caller: &Caller, waiting: &Waiting, leaver: Leaver, remember: bool) -> Response {
    let leaves_at = leaver.leaves_at;
    let ticket = match web.app.accounts.ticket(leaver, remember, waiting.browser()) {
        Ok(ticket) => ticket,
        Err(error) => return answer::fault_page(web, caller, &error),
    };
    let frame = caller.frame(web, waiting.ui_locales());
    let view = LeavingPage {
        day: day(&frame.words, leaves_at),
        frame,
        interaction: waiting.name.clone(),
        then: waiting.then(),
        csrf: waiting.token(web, PURPOSE),
        ticket,
    };
    waiting.finish(web, answer::page(web, StatusCode::OK, waiting.forms(), &view))
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
    if form.get("keep").is_none() {
        let frame = caller.frame(&web, waiting.ui_locales());
        let view = NoticePage { frame, title: "leave-goes-title", message: "leave-goes", sign_in_href: None };
        return answer::page(&web, StatusCode::OK, Forms::None, &view);
    }
    let gone = || {
        let mut trouble = Trouble::new(StatusCode::BAD_REQUEST, "leave-late-title", "leave-late");
        trouble.restart_href = Some(waiting.link("/sign-in"));
        trouble.page(&web, &caller)
    };
    let ticket = form.get("ticket").unwrap_or_default();
    let Some((leaver, remember)) = web.app.accounts.of_ticket(ticket, waiting.browser()) else { return gone() };
    let source = caller.source();
    match web.app.accounts.keep(&leaver, &source).await {
        Ok(()) => {}
        Err(IdentityError::Staying | IdentityError::Unknown(_)) => return gone(),
        Err(error) => return answer::fault_page(&web, &caller, &error),
    }
    let may_mail = leaver.proof.may_mail();
    match web.app.sessions.begin(&session, leaver.proof, remember, &source).await {
        Ok(()) => {
            if may_mail {
                web.app.bell.ring();
            }
            answer::see_other(&waiting.onward())
        }
        // The password is another one since: they have the account back, and sign in with that one.
        Err(SessionError::Refused) => answer::see_other(&waiting.link("/sign-in")),
        Err(error) => answer::fault_page(&web, &caller, &error),
    }
}
