//! `/auth/{id}/apps`: the applications that somebody has let in, and taking it back, for themselves and for administrators.

use axum::http::StatusCode;
use axum::response::Response;
use serde::Serialize;
use utoipa::ToSchema;

use super::adapter::named;
use super::person::instant;
use super::{Answered, Call, Problem, done, people};
use crate::grants::App;
use crate::http::answer;
use crate::platform::clock::from_millis;

/// The most that are listed.
const MOST: u64 = 100;

/// An application that has tokens of somebody's, or that they have allowed something.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(super) struct ConnectedApp {
    client_id: String,
    /// What people call it.
    name: String,
    /// What it may do.
    scopes: Vec<String>,
    /// RFC 3339.
    since: String,
    /// When it last got tokens, RFC 3339; null where it has none now.
    last_used_at: Option<String>,
    /// Whether its access outlives the sign-in.
    offline: bool,
}

impl From<App> for ConnectedApp {
    fn from(app: App) -> Self {
        Self {
            client_id: app.client_id,
            name: app.name,
            scopes: app.scopes,
            since: instant(from_millis(app.since)),
            last_used_at: app.last_used_at.map(from_millis).map(instant),
            offline: app.offline,
        }
    }
}

pub(in crate::http) async fn list(call: Call) -> Response {
    let answered = listed(&call).await;
    call.answer(answered)
}

async fn listed(call: &Call) -> Answered {
    let user = people::known(call).await?;
    let apps = call.web.app.grants.apps(user, MOST).await?;
    Ok(answer::json(StatusCode::OK, &apps.into_iter().map(ConnectedApp::from).collect::<Vec<_>>()))
}

pub(in crate::http) async fn withdraw(call: Call) -> Response {
    let answered = withdrawn(&call).await;
    call.answer(answered)
}

async fn withdrawn(call: &Call) -> Answered {
    let user = people::known_to_change(call).await?;
    let client = named(call, "client").ok_or_else(Problem::not_found)?;
    if call.web.app.grants.withdraw(user, client, &call.source()).await? {
        Ok(done())
    } else {
        Err(Problem::not_found().into())
    }
}
