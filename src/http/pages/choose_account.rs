//! `/authorize/account`: go on as who one is, or as somebody else (`prompt=select_account`).

use std::sync::Arc;

use axum::body::Body;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode, Uri};
use axum::response::Response;
use tower_sessions::Session;

use super::{Waiting, submitted};
use crate::http::answer;
use crate::http::caller::Caller;
use crate::http::interaction::{self, Next, Page};
use crate::http::state::Web;
use crate::http::views::AccountChoicePage;
use crate::oauth::parameters::Parameters;
use crate::sessions::Live;

const PURPOSE: &str = "choose-account";

pub(in crate::http) async fn get(
    State(web): State<Arc<Web>>,
    caller: Caller,
    session: Session,
    headers: HeaderMap,
    uri: Uri,
) -> Response {
    let parameters = Parameters::parse(uri.query().unwrap_or_default().as_bytes()).unwrap_or_default();
    let name = parameters.get("interaction").unwrap_or_default();
    let waiting = match Waiting::find(&web, &caller, &headers, Some(name)).await {
        Ok(waiting) => waiting,
        Err(response) => return response,
    };
    match signed_in(&web, &caller, &session, &waiting).await {
        Ok(live) => {
            let view = AccountChoicePage {
                frame: caller.frame_for(&web, waiting.ui_locales(), Some(&live)),
                app: waiting.app().unwrap_or_default(),
                interaction: name.to_owned(),
                csrf: waiting.token(&web, PURPOSE),
                person: live.person().to_owned(),
                login: live.login().map(str::to_owned),
            };
            waiting.finish(&web, answer::page(&web, StatusCode::OK, waiting.forms(), &view))
        }
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
    let (form, waiting) = match submitted(&web, &caller, &headers, body, PURPOSE).await {
        Ok(found) => found,
        Err(response) => return response,
    };
    if form.get("decision") != Some("continue") {
        return answer::see_other(&waiting.link("/sign-in"));
    }
    let live = match signed_in(&web, &caller, &session, &waiting).await {
        Ok(live) => live,
        Err(response) => return response,
    };
    let name = form.get("interaction").unwrap_or_default();
    match web.app.grants.choose(name, waiting.browser(), live.id).await {
        Ok(()) => answer::see_other(&waiting.onward()),
        Err(error) => answer::fault_page(&web, &caller, &error),
    }
}

/// The person whom the request asks to choose; where there is nothing to choose, back to where that is decided.
async fn signed_in(web: &Web, caller: &Caller, session: &Session, waiting: &Waiting) -> Result<Live, Response> {
    let Some((interaction, request)) = &waiting.request else { return Err(answer::see_other("/")) };
    match interaction::decide(web, session, request, Some(interaction)).await {
        Ok(Next::Page(Page::Account, Some(live))) => Ok(*live),
        Ok(_) => Err(answer::see_other(&waiting.onward())),
        Err(error) => Err(answer::fault_page(web, caller, &error)),
    }
}
