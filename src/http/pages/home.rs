//! `/`: where somebody lands who came here without an application.

use std::sync::Arc;

use axum::extract::State;
use axum::http::StatusCode;
use axum::response::Response;
use tower_sessions::Session;

use super::link_provider;
use crate::http::answer::{self, Forms};
use crate::http::caller::Caller;
use crate::http::protocol::logout;
use crate::http::state::Web;
use crate::http::views::{HomePage, ProviderChoice};
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
    let federation = &web.app.federation;
    let offered = if live.is_some() { federation.providers.offered() } else { Vec::new() };
    let links = match &live {
        Some(live) if !offered.is_empty() => web.app.accounts.links(live.user_id).await?,
        _ => Vec::new(),
    };
    let (linked, to_link): (Vec<_>, Vec<_>) =
        offered.iter().partition(|provider| links.iter().any(|link| provider.is_of(link)));
    // Signing out may go on at the provider where the session began, and a new link begins at one.
    let upstream = if live.is_some() { logout::upstream(web, session).await? } else { None };
    let mut along = vec![web.issuer()];
    along.extend(upstream.as_ref().map(|(_, provider)| provider.identity.as_str()));
    along.extend(to_link.iter().map(|provider| provider.identity.as_str()));
    let forms = match &live {
        None => Forms::None,
        Some(_) if along.len() == 1 => Forms::Ours,
        Some(_) => Forms::Along(&along),
    };
    let choice = |provider: &crate::federation::Provider| ProviderChoice {
        name: provider.name.clone(),
        label: provider.label.clone(),
    };
    let view = HomePage {
        frame: caller.frame_for(web, None, live.as_ref()),
        csrf: logout::form_token(web, session),
        linked: linked.iter().map(|provider| provider.label.clone()).collect(),
        to_link: to_link.iter().map(|provider| choice(provider)).collect(),
        link_csrf: link_provider::form_token(web, session),
        person: live.map(|live| live.person().to_owned()),
        sign_up: web.app.settings.accounts.sign_up,
        dev: web.demo.is_some(),
    };
    Ok(answer::page(web, StatusCode::OK, forms, &view))
}
