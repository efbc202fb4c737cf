//! What a document says of each row: everything that is kept but secrets, their hashes, and what the program keeps for itself.

use sea_orm::FromQueryResult;
use serde::{Serialize, Serializer};
use serde_json::Value as Json;
use uuid::Uuid;

use crate::platform::clock::from_millis;

#[expect(clippy::trivially_copy_pass_by_ref, reason = "as the serializer hands it over")]
fn at<S: Serializer>(millis: &i64, serializer: S) -> Result<S::Ok, S::Error> {
    from_millis(*millis).serialize(serializer)
}

#[expect(clippy::ref_option, reason = "as the serializer hands it over")]
fn perhaps_at<S: Serializer>(millis: &Option<i64>, serializer: S) -> Result<S::Ok, S::Error> {
    millis.map(from_millis).serialize(serializer)
}

/// A column that holds JSON.
#[expect(clippy::ref_option, reason = "as the serializer hands it over")]
fn json<S: Serializer>(text: &Option<String>, serializer: S) -> Result<S::Ok, S::Error> {
    text.as_deref().and_then(|text| serde_json::from_str::<Json>(text).ok()).serialize(serializer)
}

/// A column that always does.
fn whole_json<S: Serializer>(text: &str, serializer: S) -> Result<S::Ok, S::Error> {
    serde_json::from_str::<Json>(text).unwrap_or_default().serialize(serializer)
}

/// The person's own row.
#[derive(FromQueryResult, Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Account {
    id: Uuid,
    email: Option<String>,
    #[serde(serialize_with = "perhaps_at")]
    email_verified_at: Option<i64>,
    username: Option<String>,
    name: Option<String>,
    #[serde(serialize_with = "json")]
    profile: Option<String>,
    #[serde(serialize_with = "json")]
    attributes: Option<String>,
    has_password: bool,
    /// How often there was another one.
    password_version: i32,
    revision: i32,
    #[serde(serialize_with = "perhaps_at")]
    disabled_at: Option<i64>,
    #[serde(serialize_with = "perhaps_at")]
    leaving_since: Option<i64>,
    #[serde(serialize_with = "perhaps_at")]
    leaves_at: Option<i64>,
    #[serde(serialize_with = "at")]
    created_at: i64,
    #[serde(serialize_with = "at")]
    updated_at: i64,
}

#[derive(FromQueryResult, Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Role {
    pub(super) role: String,
    /// Whose groups gave it.
    provider: Option<String>,
}

#[derive(FromQueryResult, Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct LinkedAccount {
    pub(super) provider: String,
    pub(super) account_id: String,
    kind: String,
    issuer: Option<String>,
    #[serde(serialize_with = "at")]
    created_at: i64,
    #[serde(serialize_with = "perhaps_at")]
    last_used_at: Option<i64>,
}

#[derive(FromQueryResult, Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Session {
    pub(super) id: Uuid,
    sid: String,
    #[serde(serialize_with = "at")]
    auth_time: i64,
    acr: String,
    amr: String,
    remember: bool,
    address: Option<String>,
    user_agent: Option<String>,
    #[serde(serialize_with = "at")]
    created_at: i64,
    #[serde(serialize_with = "at")]
    signed_in_at: i64,
    #[serde(serialize_with = "at")]
    last_seen_at: i64,
    #[serde(serialize_with = "at")]
    expires_at: i64,
    #[serde(serialize_with = "at")]
    ends_at: i64,
    #[serde(serialize_with = "perhaps_at")]
    ended_at: Option<i64>,
    /// The other provider that let them in, and what they are called there.
    provider: Option<String>,
    issuer: Option<String>,
    subject: Option<String>,
    provider_sid: Option<String>,
}

#[derive(FromQueryResult, Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Device {
    pub(super) id: Uuid,
    #[serde(serialize_with = "at")]
    created_at: i64,
    #[serde(serialize_with = "at")]
    seen_at: i64,
}

#[derive(FromQueryResult, Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Consent {
    pub(super) client_id: String,
    pub(super) scope: String,
    #[serde(serialize_with = "at")]
    granted_at: i64,
}

#[derive(FromQueryResult, Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Grant {
    pub(super) id: Uuid,
    client_id: String,
    session_id: Option<Uuid>,
    sid: Option<String>,
    scope: String,
    audience: Option<String>,
    #[serde(serialize_with = "json")]
    claims: Option<String>,
    #[serde(serialize_with = "at")]
    auth_time: i64,
    acr: String,
    amr: String,
    offline: bool,
    #[serde(serialize_with = "perhaps_at")]
    rotated_at: Option<i64>,
    #[serde(serialize_with = "at")]
    created_at: i64,
    #[serde(serialize_with = "at")]
    expires_at: i64,
    #[serde(serialize_with = "at")]
    ends_at: i64,
    #[serde(serialize_with = "perhaps_at")]
    ended_at: Option<i64>,
    end_reason: Option<String>,
}

#[derive(FromQueryResult, Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct AccessToken {
    #[serde(skip)]
    pub(super) hash: Vec<u8>,
    grant_id: Option<Uuid>,
    client_id: String,
    scope: String,
    audience: Option<String>,
    #[serde(serialize_with = "at")]
    issued_at: i64,
    #[serde(serialize_with = "at")]
    expires_at: i64,
}

#[derive(FromQueryResult, Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Code {
    #[serde(skip)]
    pub(super) hash: Vec<u8>,
    client_id: String,
    session_id: Uuid,
    redirect_uri: String,
    scope: String,
    audience: Option<String>,
    #[serde(serialize_with = "at")]
    issued_at: i64,
    #[serde(serialize_with = "at")]
    expires_at: i64,
    #[serde(serialize_with = "perhaps_at")]
    used_at: Option<i64>,
}

#[derive(FromQueryResult, Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct ApiKey {
    pub(super) id: Uuid,
    name: String,
    scope: String,
    audience: Option<String>,
    #[serde(serialize_with = "at")]
    created_at: i64,
    #[serde(serialize_with = "at")]
    expires_at: i64,
    #[serde(serialize_with = "perhaps_at")]
    last_used_at: Option<i64>,
    #[serde(serialize_with = "perhaps_at")]
    revoked_at: Option<i64>,
}

/// With its file.
#[derive(FromQueryResult, Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Picture {
    pub(super) name: String,
    #[serde(serialize_with = "at")]
    created_at: i64,
}

#[derive(FromQueryResult, Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct MailedLink {
    pub(super) purpose: String,
    address: String,
    #[serde(serialize_with = "at")]
    created_at: i64,
    #[serde(serialize_with = "at")]
    expires_at: i64,
    #[serde(serialize_with = "perhaps_at")]
    used_at: Option<i64>,
}

/// A mail that waits to be sent, with what it is about.
#[derive(FromQueryResult, Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Mail {
    pub(super) id: Uuid,
    #[serde(skip)]
    pub(super) payload: String,
    attempts: i32,
    #[serde(serialize_with = "at")]
    created_at: i64,
    #[serde(serialize_with = "at")]
    due_at: i64,
}

#[derive(FromQueryResult, Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct AdapterSession {
    #[serde(skip)]
    pub(super) token_hash: Vec<u8>,
    #[serde(serialize_with = "at")]
    created_at: i64,
    #[serde(serialize_with = "at")]
    expires_at: i64,
}

#[derive(FromQueryResult, Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct AdapterWord {
    pub(super) address: String,
    #[serde(serialize_with = "at")]
    verified_at: i64,
}

#[derive(FromQueryResult, Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct VerificationToken {
    #[serde(skip)]
    pub(super) hash: Vec<u8>,
    address: String,
    #[serde(serialize_with = "at")]
    expires_at: i64,
    #[serde(serialize_with = "perhaps_at")]
    used_at: Option<i64>,
}

#[derive(FromQueryResult, Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct UpstreamRequest {
    #[serde(skip)]
    pub(super) state_hash: Vec<u8>,
    provider: String,
    purpose: String,
    #[serde(serialize_with = "at")]
    created_at: i64,
    #[serde(serialize_with = "at")]
    expires_at: i64,
}

/// A decision of late that names them, with what was known of them then.
#[derive(FromQueryResult, Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Decision {
    #[serde(skip)]
    pub(super) hash: Vec<u8>,
    #[serde(serialize_with = "whole_json")]
    question: String,
    allowed: bool,
    #[serde(serialize_with = "whole_json")]
    policies: String,
    version: i64,
    times: i64,
    #[serde(serialize_with = "at")]
    first_at: i64,
    #[serde(serialize_with = "at")]
    last_at: i64,
}

/// What happened to them.
#[derive(FromQueryResult, Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Event {
    pub(super) id: Uuid,
    #[serde(rename = "at", serialize_with = "at")]
    pub(super) happened_at: i64,
    kind: String,
    /// Whether they did it themselves, where that is known.
    own: Option<bool>,
    client_id: Option<String>,
    address: Option<String>,
    request_id: Option<String>,
    #[serde(serialize_with = "whole_json")]
    detail: String,
}

/// What they did to others, who are not named, or to none.
#[derive(FromQueryResult, Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Action {
    pub(super) id: Uuid,
    #[serde(rename = "at", serialize_with = "at")]
    pub(super) happened_at: i64,
    kind: String,
    client_id: Option<String>,
    address: Option<String>,
    request_id: Option<String>,
}

/// Documents like this one.
#[derive(FromQueryResult, Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Document {
    pub(super) id: Uuid,
    #[serde(serialize_with = "at")]
    asked_at: i64,
    #[serde(serialize_with = "perhaps_at")]
    ready_at: Option<i64>,
    #[serde(serialize_with = "perhaps_at")]
    failed_at: Option<i64>,
    #[serde(serialize_with = "perhaps_at")]
    expires_at: Option<i64>,
    bytes: i64,
}
