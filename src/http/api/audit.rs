//! `/audit`: the record, for who may read it; `/auth/{id}/activity`: what of it is somebody's own.

use axum::body::Body;
use axum::http::{HeaderValue, header};
use axum::response::Response;
use chrono::{DateTime, Utc};
use futures_util::TryStreamExt as _;
use serde::Serialize;
use utoipa::ToSchema;
use uuid::Uuid;

use super::page::Page;
use super::person::instant;
use super::{Answered, Call, Fault, Problem, people};
use crate::audit::{self, Activity, Filter, Order, Place};
use crate::clients::Registry;
use crate::http::answer;

/// The parameters that say which events are wanted, besides `after` and `limit`.
pub(super) const FILTERS: [&str; 8] = ["kind", "user", "actor", "client", "address", "request", "since", "until"];

/// Something that happened to somebody's account.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(super) struct ActivityShown {
    id: Uuid,
    /// RFC 3339.
    at: String,
    /// What happened.
    kind: String,
    /// An administrator did it.
    by_administrator: bool,
    /// From where; of an administrator nobody is told.
    address: Option<String>,
    /// The application's name.
    application: Option<String>,
    /// The other provider's name.
    provider: Option<String>,
    role: Option<String>,
    /// What was changed.
    what: Option<String>,
}

impl ActivityShown {
    fn new(activity: Activity, registry: &Registry) -> Self {
        let name = |id: String| registry.client(&id).map_or(id, |client| client.name.clone());
        Self {
            id: activity.id,
            at: instant(activity.at),
            kind: activity.kind,
            by_administrator: activity.by_administrator,
            address: activity.address,
            application: activity.client_id.map(name),
            provider: activity.provider,
            role: activity.role,
            what: activity.what,
        }
    }
}

pub(in crate::http) async fn list(call: Call) -> Response {
    let answered = listed(&call).await;
    call.answer(answered)
}

async fn listed(call: &Call) -> Answered {
    let page = Page::asked(call)?;
    let after = place(call, page.after).await?;
    let filter = Filter { after, limit: page.reading(), ..asked(call)? };
    let mut events = audit::list(&call.web.app.database, &filter).await?;
    let more_after = page.cut(&mut events).then(|| events.last().map(|last| last.id)).flatten();
    Ok(page.answer(call, &again(call)?, &events, more_after))
}

/// All of them, oldest first, so that the next export goes on where this one has ended.
pub(in crate::http) async fn export(call: Call) -> Response {
    let answered = exported(&call).await;
    call.answer(answered)
}

async fn exported(call: &Call) -> Answered {
    let after = call.query("after")?.map(|text| Uuid::parse_str(&text).map_err(|_| malformed("after"))).transpose()?;
    let filter = Filter { after: place(call, after).await?, order: Order::OldestFirst, ..asked(call)? };
    let lines = audit::export(call.web.app.database.clone(), filter);
    // Whoever reads it finds it cut off, and not just short.
    let lines = lines.inspect_err(|error| tracing::error!(%error, "an export of the record ends early"));
    let mut response = Response::new(Body::from_stream(lines));
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("application/jsonl"));
    headers.insert(header::CACHE_CONTROL, answer::NO_STORE);
    Ok(response)
}

pub(in crate::http) async fn activity(call: Call) -> Response {
    let answered = own(&call).await;
    call.answer(answered)
}

async fn own(call: &Call) -> Answered {
    let (user, page, app) = (people::find(call).await?, Page::asked(call)?, &call.web.app);
    let mut found = audit::activity(&app.database, user.id, place(call, page.after).await?, page.reading()).await?;
    let more_after = page.cut(&mut found).then(|| found.last().map(|last| last.id)).flatten();
    let registry = app.clients.registry();
    let shown: Vec<_> = found.into_iter().map(|activity| ActivityShown::new(activity, &registry)).collect();
    Ok(page.answer(call, &format!("/auth/{}/activity", user.id), &shown, more_after))
}

fn malformed(name: &'static str) -> Problem {
    Problem::bad_request("api-query-malformed").field(name, "api-field-malformed")
}

/// Where the event stands that the page before ended with.
async fn place(call: &Call, after: Option<Uuid>) -> Result<Option<Place>, Fault> {
    let Some(id) = after else { return Ok(None) };
    Ok(Some(audit::place(&call.web.app.database, id).await?.ok_or_else(|| malformed("after"))?))
}

fn asked(call: &Call) -> Result<Filter, Problem> {
    Ok(Filter {
        kinds: call.query_all("kind")?,
        user_id: id(call, "user")?,
        actor_id: id(call, "actor")?,
        client_id: call.query("client")?,
        address: call.query("address")?,
        request_id: call.query("request")?,
        since: time(call, "since")?,
        until: time(call, "until")?,
        ..Filter::default()
    })
}

fn id(call: &Call, name: &'static str) -> Result<Option<Uuid>, Problem> {
    call.query(name)?.map(|text| Uuid::parse_str(&text).map_err(|_| malformed(name))).transpose()
}

fn time(call: &Call, name: &'static str) -> Result<Option<DateTime<Utc>>, Problem> {
    let read = |text: String| DateTime::parse_from_rfc3339(&text).map_err(|_| malformed(name));
    Ok(call.query(name)?.map(read).transpose()?.map(|time| time.to_utc()))
}

/// The path with what was asked for, for the address of the next page.
fn again(call: &Call) -> Result<String, Problem> {
    let mut query = form_urlencoded::Serializer::new(String::new());
    for name in FILTERS {
        for value in call.query_all(name)? {
            query.append_pair(name, &value);
        }
    }
    let query = query.finish();
    Ok(if query.is_empty() { "/audit".to_owned() } else { format!("/audit?{query}") })
}
