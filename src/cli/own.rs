//! `bonafide user sessions`, `end-sessions`, `apps` and `withdraw`: where somebody is signed in, and whom they have let in.

use serde_json::{Value, json};
use uuid::Uuid;

use super::{Failure, output};
use crate::app::App;
use crate::audit::Source;
use crate::grants;
use crate::platform::clock::from_millis;
use crate::sessions::{OwnSession, agent};

/// More than anybody has; it bounds what is read.
const MOST: u64 = 10_000;

pub(super) async fn sessions(app: &App, who: &str, json: bool) -> Result<(), Failure> {
    let user = app.accounts.find(who).await?;
    let sessions = app.sessions.of(user.id, MOST).await?;
    if json {
        return output::json(&sessions.iter().map(session).collect::<Vec<_>>());
    }
    let rows: Vec<[String; 5]> = sessions
        .into_iter()
        .map(|session| {
            let device = device(&session);
            let (signed_in, last_seen) = (time(session.signed_in_at), time(session.last_seen_at));
            [session.id.to_string(), device, session.address.unwrap_or_default(), signed_in, last_seen]
        })
        .collect();
    output::table(["session", "device", "address", "signed in", "last seen"], &rows)
}

pub(super) async fn end_sessions(app: &App, who: &str, session: Option<Uuid>, json: bool) -> Result<(), Failure> {
    let (user, source) = (app.accounts.find(who).await?, Source::default());
    let failed = |error: crate::sessions::SessionError| Failure::Other(error.to_string());
    let ended = match session {
        None => app.sessions.end_others(user.id, None, &source).await.map_err(failed)?,
        Some(id) => usize::from(app.sessions.end_one(user.id, id, &source).await.map_err(failed)?.is_some()),
    };
    if session.is_some() && ended == 0 {
        return Err(Failure::Other(format!("{who} has no such session: `bonafide user sessions {who}` shows them")));
    }
    if json {
        return output::json(&json!({"id": user.id, "ended": ended}));
    }
    output::line(&format!("ended {ended} of {who} ({})", user.id))
}

pub(super) async fn apps(app: &App, who: &str, json: bool) -> Result<(), Failure> {
    let user = app.accounts.find(who).await?;
    let apps = app.grants.apps(user.id, MOST).await?;
    if json {
        return output::json(&apps.iter().map(described).collect::<Vec<_>>());
    }
    let rows: Vec<[String; 5]> = apps
        .into_iter()
        .map(|app| {
            let last_used = app.last_used_at.map(time).unwrap_or_default();
            [app.client_id, app.name, app.scopes.join(" "), time(app.since), last_used]
        })
        .collect();
    output::table(["client", "name", "scopes", "since", "last used"], &rows)
}

pub(super) async fn withdraw(app: &App, who: &str, client: &str, json: bool) -> Result<(), Failure> {
    let user = app.accounts.find(who).await?;
    let withdrawn = app.grants.withdraw(user.id, client, &Source::default()).await;
    if !withdrawn.map_err(|error| Failure::Other(error.to_string()))? {
        return Err(Failure::Other(format!(
            "{who} has not let {client} in: `bonafide user apps {who}` shows whom they have"
        )));
    }
    if json {
        return output::json(&json!({"id": user.id, "client_id": client}));
    }
    output::line(&format!("withdrew {client} from {who} ({})", user.id))
}

fn time(millis: i64) -> String {
    from_millis(millis).to_rfc3339()
}

fn device(session: &OwnSession) -> String {
    let device = agent::device(session.user_agent.as_deref().unwrap_or_default());
    let words = [device.browser.or(Some("an app")), device.system.map(|_| "on"), device.system];
    words.into_iter().flatten().collect::<Vec<_>>().join(" ")
}

fn session(session: &OwnSession) -> Value {
    json!({
        "id": session.id,
        "device": device(session),
        "user_agent": session.user_agent,
        "address": session.address,
        "signed_in_at": from_millis(session.signed_in_at),
        "last_seen_at": from_millis(session.last_seen_at),
        "expires_at": from_millis(session.expires_at),
        "amr": session.amr.split_ascii_whitespace().collect::<Vec<_>>(),
        "remember": session.remember,
    })
}

fn described(app: &grants::App) -> Value {
    json!({
        "client_id": app.client_id,
        "client_name": app.name,
        "scopes": app.scopes,
        "since": from_millis(app.since),
        "last_used_at": app.last_used_at.map(from_millis),
        "offline": app.offline,
    })
}
