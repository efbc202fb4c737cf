//! `/account/sessions`: where somebody is signed in, and the end of it.

use axum::body::Body;
use axum::http::{HeaderMap, StatusCode};
use axum::response::Response;
use uuid::Uuid;

use super::{Here, MOST};
use crate::http::reasons;
use crate::http::views::account::{Part, SessionLine, SessionsPage, ago, day};
use crate::http::views::{Fault, Frame};
use crate::sessions::{OwnSession, agent};

const PURPOSE: &str = "account-sessions";
const SECTION: &str = "sessions";

pub(in crate::http) async fn get(here: Here) -> Response {
    render(&here, StatusCode::OK, Vec::new()).await
}

pub(in crate::http) async fn post(here: Here, headers: HeaderMap, body: Body) -> Response {
    let form = match here.form(&headers, body, PURPOSE).await {
        Ok(form) => form,
        Err(response) => return response,
    };
    let (sessions, user, source) = (&here.web.app.sessions, here.user(), here.caller.source());
    if form.get("others").is_some() {
        return match sessions.end_others(user, Some(here.live.id), &source).await {
            Ok(_) => here.done(SECTION, "account-sessions-ended"),
            Err(error) => here.fault(&error),
        };
    }
    let ended = match form.get("end").and_then(|id| Uuid::parse_str(id).ok()) {
        // This one ends by signing out, which takes its cookie too.
        Some(id) if id != here.live.id => sessions.end_one(user, id, &source).await,
        _ => Ok(None),
    };
    match ended {
        Ok(Some(_)) => here.done(SECTION, "account-session-ended"),
        Ok(None) => render(&here, StatusCode::NOT_FOUND, vec![Fault::new("", "account-gone")]).await,
        Err(error) => here.fault(&error),
    }
}

async fn render(here: &Here, status: StatusCode, faults: Vec<Fault>) -> Response {
    reasons::fields(&faults);
    let mut sessions = match here.web.app.sessions.of(here.user(), MOST).await {
        Ok(sessions) => sessions,
        Err(error) => return here.fault(&error),
    };
    let frame = here.frame();
    // This one first: it is what the others are compared with.
    sessions.sort_by_key(|session| session.id != here.live.id);
    let part = Part::of(here.query.get("part"), sessions.len());
    let view = SessionsPage {
        shell: here.shell(SECTION, PURPOSE),
        others: sessions.iter().any(|session| session.id != here.live.id),
        lines: part.cut(sessions).map(|session| line(here, &frame, &session)).collect(),
        part,
        faults,
        frame,
    };
    here.page(status, &view)
}

fn line(here: &Here, frame: &Frame, session: &OwnSession) -> SessionLine {
    let words = &frame.words;
    let seen = ago(words, session.last_seen_at, here.web.app.clock.now());
    let facts = [
        Some(words.say_with("account-session-seen", &[("when", &seen)])),
        session.address.clone(),
        Some(words.say_with("account-session-since", &[("day", &day(words, session.signed_in_at))])),
    ];
    SessionLine {
        id: session.id.simple().to_string(),
        device: device(frame, session.user_agent.as_deref().unwrap_or_default()),
        here: session.id == here.live.id,
        says: facts.into_iter().flatten().collect::<Vec<_>>().join(" · "),
    }
}

/// A browser in a few words.
fn device(frame: &Frame, user_agent: &str) -> String {
    let words = &frame.words;
    let device = agent::device(user_agent);
    match (device.browser, device.system) {
        (Some(browser), Some(system)) => words.say_with("mail-device", &[("browser", browser), ("system", system)]),
        (Some(browser), None) => browser.to_owned(),
        (None, Some(system)) => words.say_with("account-device-app", &[("system", system)]),
        (None, None) => words.say("account-device-unknown"),
    }
}
