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
use crate::platform::database::DatabaseError;
use crate::sessions::Live;

pub(in crate::http) async fn get(State(web): State<Arc<Web>>, caller: Caller, session: Session) -> Response {
    let shown = async {
        let live = web.app.sessions.find(&session, "").await?;
        show(&web, &caller, &session, live).await
    };
    shown.await.unwrap_or_else(|error| answer::fault_page(&web, &caller, &error))
}

async fn show(web: &Web, caller: &Caller, session: &Session, live: Option<Live>) -> Result<Response, DatabaseError> {
    // Signing out may go on at the provider where the session began.
    let upstream = if live.is_some() { logout::upstream(web, session).await? } else { None };
    let mut along = vec![web.issuer()];
    along.extend(upstream.as_ref().map(|(_, provider)| provider.identity.as_str()));
    let forms = match &live {
        None => Forms::None,
        Some(_) if along.len() == 1 => Forms::Ours,
        Some(_) => Forms::Along(&along),
    };
    let view = HomePage {
        frame: caller.frame_for(web, None, live.as_ref()),
        csrf: logout::form_token(web, session),
        person: live.map(|live| live.person().to_owned()),
        sign_up: web.app.settings.accounts.sign_up,
        dev: web.demo.is_some(),
    };
    Ok(answer::page(web, StatusCode::OK, forms, &view))
}
