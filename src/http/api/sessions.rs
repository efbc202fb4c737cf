//! `/auth/{id}/sessions`: where somebody is signed in, and ending it, for themselves and for administrators.

use axum::http::StatusCode;
use axum::response::Response;
use serde::Serialize;
use utoipa::ToSchema;
use uuid::Uuid;

use super::person::instant;
use super::{Answered, Call, Problem, done, people};
use crate::http::answer;
use crate::platform::clock::from_millis;
use crate::sessions::{OwnSession, agent};

/// The most that are listed.
const MOST: u64 = 100;

/// A browser in which somebody is signed in.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(super) struct BrowserSession {
    id: Uuid,
    /// Whether the token that asks was issued in it.
    current: bool,
    device: SessionDevice,
    /// What the browser says of itself.
    user_agent: Option<String>,
    /// Where they signed in from.
    address: Option<String>,
    /// RFC 3339.
    signed_in_at: String,
    /// RFC 3339.
    last_seen_at: String,
    /// When it ends unless they are seen before, RFC 3339.
    expires_at: String,
    /// How they signed in (RFC 8176).
    methods: Vec<String>,
    /// Whether it outlives the browser's own session.
    remembered: bool,
}

/// A browser in plain words, as far as it says what it is.
#[derive(Serialize, ToSchema)]
pub(super) struct SessionDevice {
    /// Null: most likely an app.
    browser: Option<&'static str>,
    system: Option<&'static str>,
    mobile: bool,
}

/// How many sessions have ended.
#[derive(Serialize, ToSchema)]
pub(super) struct Ended {
    ended: usize,
}

impl BrowserSession {
    fn new(session: OwnSession, own: Option<Uuid>) -> Self {
        let device = agent::device(session.user_agent.as_deref().unwrap_or_default());
        let at = |millis| instant(from_millis(millis));
        Self {
            current: own == Some(session.id),
            id: session.id,
            device: SessionDevice { browser: device.browser, system: device.system, mobile: device.mobile },
            user_agent: session.user_agent,
            address: session.address,
            signed_in_at: at(session.signed_in_at),
            last_seen_at: at(session.last_seen_at),
            expires_at: at(session.expires_at),
            methods: session.amr.split_ascii_whitespace().map(str::to_owned).collect(),
            remembered: session.remember,
        }
    }
}

pub(in crate::http) async fn list(call: Call) -> Response {
    let answered = listed(&call).await;
    call.answer(answered)
}

async fn listed(call: &Call) -> Answered {
    let user = people::known(call).await?;
    let own = call.signed()?.session_of(user);
    let sessions = call.web.app.sessions.of(user, MOST).await?;
    let shown: Vec<_> = sessions.into_iter().map(|session| BrowserSession::new(session, own)).collect();
    Ok(answer::json(StatusCode::OK, &shown))
}

pub(in crate::http) async fn end_others(call: Call) -> Response {
    let answered = others_ended(&call).await;
    call.answer(answered)
}

async fn others_ended(call: &Call) -> Answered {
    let user = people::known_to_change(call).await?;
    let own = call.signed()?.session_of(user);
    let ended = call.web.app.sessions.end_others(user, own, &call.source()).await?;
    Ok(answer::json(StatusCode::OK, &Ended { ended }))
}

pub(in crate::http) async fn end(call: Call) -> Response {
    let answered = one_ended(&call).await;
    call.answer(answered)
}

async fn one_ended(call: &Call) -> Answered {
    let user = people::known_to_change(call).await?;
    let session = Uuid::parse_str(call.segment("session")?).map_err(|_| Problem::not_found())?;
    match call.web.app.sessions.end_one(user, session, &call.source()).await? {
        Some(_) => Ok(done()),
        None => Err(Problem::not_found().into()),
    }
}
