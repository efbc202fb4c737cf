//! `/api-keys`: a person's own keys, for the person alone; no key makes or changes another. And those of service accounts,
//! under `/service-accounts/{id}/api-keys`, which share their shapes.

use axum::http::StatusCode;
use axum::response::Response;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use uuid::Uuid;

use super::person::instant;
use super::{Answered, Call, Fault, Problem, done};
use crate::access::Held;
use crate::access::keys::{self, ApiKeyError, ApiKeyFault, Given, Owner, lifetime_of};
use crate::clients::Overlap;
use crate::http::answer;
use crate::platform::clock::from_millis;

/// A key without its secret.
#[derive(Serialize, ToSchema)]
pub(super) struct ApiKey {
    id: Uuid,
    name: String,
    /// The beginning of the key, to recognise it by.
    hint: String,
    scopes: Vec<String>,
    /// The API that it is for; null: this one.
    audience: Option<String>,
    /// RFC 3339.
    created_at: String,
    /// RFC 3339.
    expires_at: String,
    /// Until when the secret before is good too, RFC 3339.
    previous_expires_at: Option<String>,
    /// RFC 3339, to a second.
    last_used_at: Option<String>,
}

impl From<keys::ApiKey> for ApiKey {
    fn from(key: keys::ApiKey) -> Self {
        let time = |at| instant(from_millis(at));
        Self {
            id: key.id,
            hint: key.shown(),
            scopes: key.scopes().map(str::to_owned).collect(),
            name: key.name,
            audience: key.audience,
            created_at: time(key.created_at),
            expires_at: time(key.expires_at),
            previous_expires_at: key.previous_expires_at.map(time),
            last_used_at: key.last_used_at.map(time),
        }
    }
}

/// A key with its secret.
#[derive(Serialize, ToSchema)]
pub(super) struct GivenApiKey {
    /// Shown this once.
    key: String,
    #[serde(flatten)]
    of: ApiKey,
}

impl From<Given> for GivenApiKey {
    fn from(given: Given) -> Self {
        Self { key: given.secret, of: given.key.into() }
    }
}

#[derive(Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(super) struct NewApiKey {
    /// For its owner to tell it from others.
    name: String,
    /// Permissions that its owner holds, or `account`; for another API, scopes of that API.
    scopes: Vec<String>,
    /// The API that it is for; left out: this one.
    audience: Option<String>,
    /// Seconds; 90 days where it is left out, 366 at the most.
    expires_in: Option<i64>,
}

/// How one secret follows another.
#[derive(Default, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(super) struct Rotation {
    /// Seconds for which the old secret goes on, 30 days at the most; left out: it is dead at once.
    overlap: Option<i64>,
}

pub(in crate::http) async fn list(call: Call) -> Response {
    let answered = listed(&call).await;
    call.answer(answered)
}

async fn listed(call: &Call) -> Answered {
    list_of(call, &own(call)?).await
}

pub(in crate::http) async fn create(call: Call) -> Response {
    let answered = created(&call).await;
    call.answer(answered)
}

async fn created(call: &Call) -> Answered {
    create_for(call, own(call)?, None).await
}

pub(in crate::http) async fn rotate(call: Call) -> Response {
    let answered = rotated(&call).await;
    call.answer(answered)
}

async fn rotated(call: &Call) -> Answered {
    rotate_of(call, "id", own(call)?, None).await
}

pub(in crate::http) async fn revoke(call: Call) -> Response {
    let answered = revoked(&call).await;
    call.answer(answered)
}

async fn revoked(call: &Call) -> Answered {
    revoke_of(call, "id", own(call)?, None).await
}

/// Whoever calls: whose keys these are, no request can say.
fn own(call: &Call) -> Result<Owner, Fault> {
    Ok(Owner::Person(call.account()?.person.user_id))
}

pub(super) async fn list_of(call: &Call, owner: &Owner) -> Answered {
    let keys = call.web.app.api_keys.list(Some(owner)).await?;
    let shown: Vec<ApiKey> = keys.into_iter().map(Into::into).collect();
    Ok(answer::json(StatusCode::OK, &shown))
}

pub(super) async fn create_for(call: &Call, owner: Owner, by: Option<Held>) -> Answered {
    let asked = call.body::<NewApiKey>()?;
    let new = keys::NewApiKey {
        name: asked.name,
        scopes: asked.scopes,
        audience: asked.audience,
        lifetime: asked.expires_in.map(lifetime_of).transpose().map_err(ApiKeyError::from)?,
    };
    let given = call.web.app.api_keys.create(owner, new, by, &call.source()).await?;
    Ok(answer::json(StatusCode::CREATED, &GivenApiKey::from(given)))
}

/// `segment` is what the path calls the key.
pub(super) async fn rotate_of(call: &Call, segment: &str, owner: Owner, by: Option<Held>) -> Answered {
    let (id, overlap) = (id(call, segment)?, overlap(call)?);
    let given = call.web.app.api_keys.rotate(id, Some(owner), overlap, by, &call.source()).await?;
    Ok(answer::json(StatusCode::OK, &GivenApiKey::from(given)))
}

pub(super) async fn revoke_of(call: &Call, segment: &str, owner: Owner, by: Option<Held>) -> Answered {
    call.web.app.api_keys.revoke(id(call, segment)?, Some(owner), by, &call.source()).await?;
    Ok(done())
}

fn id(call: &Call, segment: &str) -> Result<Uuid, Problem> {
    Uuid::parse_str(call.segment(segment)?).map_err(|_| Problem::not_found())
}

/// What the body says of the old secret; no body says nothing.
pub(super) fn overlap(call: &Call) -> Result<Overlap, Fault> {
    let rotation = if call.has_body() { call.body::<Rotation>()? } else { Rotation::default() };
    let millis = rotation.overlap.unwrap_or_default().checked_mul(1000);
    let overlap = millis.and_then(Overlap::of_millis).ok_or(ApiKeyFault::Overlap);
    Ok(overlap.map_err(ApiKeyError::from)?)
}

impl From<ApiKeyError> for Fault {
    fn from(error: ApiKeyError) -> Self {
        match error {
            ApiKeyError::Refused { fault } => {
                Problem::bad_request("api-fields").field(fault.member(), said(&fault)).into()
            }
            ApiKeyError::Unknown(_) | ApiKeyError::NoOwner => Problem::not_found().into(),
            ApiKeyError::TooMany => Problem::new(StatusCode::CONFLICT, "api-key-many").into(),
            ApiKeyError::Beyond => Problem::forbidden().into(),
            ApiKeyError::Database(error) => error.into(),
        }
    }
}

fn said(fault: &ApiKeyFault) -> &'static str {
    match fault {
        ApiKeyFault::Name => "api-key-name",
        ApiKeyFault::Scopeless => "api-key-scopeless",
        ApiKeyFault::Scope(_) => "api-key-scope",
        ApiKeyFault::Audience => "api-key-audience",
        ApiKeyFault::Lifetime => "api-key-lifetime",
        ApiKeyFault::Overlap => "api-key-overlap",
    }
}
