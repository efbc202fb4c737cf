//! How an answer leaves for the application: by a redirect, or by a page whose form posts it (OAuth 2.0 Form Post Response Mode).

use axum::http::StatusCode;
use axum::response::Response;

use super::answer::{self, Forms};
use super::caller::Caller;
use super::state::Web;
use super::views::FormPostPage;
use crate::oauth::ErrorCode;
use crate::oauth::reply::{Reply, ReplyTo};
use crate::trace;

/// Sends an error to the application, which may show its people the reference.
pub(super) fn refuse(web: &Web, caller: &Caller, to: &ReplyTo, code: ErrorCode, description: &str) -> Response {
    trace::leave();
    send(web, caller, to.error(code, &format!("{description} (reference {})", caller.request_id)))
}

/// Sends an authorization response.
pub(super) fn send(web: &Web, caller: &Caller, reply: Reply) -> Response {
    match reply {
        Reply::Redirect(location) => answer::see_other(&location),
        Reply::Post { redirect_uri, parameters } => {
            let view = FormPostPage {
                frame: caller.frame(web, None),
                submit_href: web.assets.submit_href().to_owned(),
                action: redirect_uri,
                parameters,
            };
            answer::page(web, StatusCode::OK, Forms::To(&view.action), &view)
        }
    }
}
