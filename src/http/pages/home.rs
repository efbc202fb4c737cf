//! `/`: where somebody lands who came here without an application.

use std::sync::Arc;

use axum::extract::State;
use axum::http::StatusCode;
use axum::response::Response;
use tower_sessions::Session;

use crate::http::answer::{self, Forms};
use crate::http::caller::Caller;
use crate::http::protocol::logout;
use crate::http::state::Web;
use crate::http::views::HomePage;

pub(in crate::http) async fn get(State(web): State<Arc<Web>>, caller: Caller, session: Session) -> Response {
    match web.app.sessions.find(&session, "").await {
        Ok(live) => {
            let forms = if live.is_some() { Forms::Ours } else { Forms::None };
            let view = HomePage {
                frame: caller.frame_for(&web, None, live.as_ref()),
                person: live.map(|live| live.person().to_owned()),
                csrf: logout::form_token(&web, &session),
                sign_up: web.app.settings.accounts.sign_up,
                dev: web.demo.is_some(),
            };
            answer::page(&web, StatusCode::OK, forms, &view)
        }
        Err(error) => answer::fault_page(&web, &caller, &error),
    }
}
