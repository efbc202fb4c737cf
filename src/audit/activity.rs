//! What a person may see of the record: what happened to their own account, of what people understand, and nothing of others.

use chrono::{DateTime, Utc};
use serde_json::Value as Json;
use uuid::Uuid;

use super::store::{Filter, Place, Recorded, list};
use crate::platform::database::{Database, DatabaseError};

/// The events that are shown. `http::pages::account::activity` has a sentence for each.
pub const SHOWN: [&str; 29] = [
    "signed_up",
    "signed_in",
    "sign_in_refused",
    "signed_out",
    "signed_out_everywhere",
    "session_ended",
    "other_sessions_ended",
    "password_reset_asked",
    "password_reset",
    "password_changed",
    "email_verified",
    "email_change_asked",
    "email_changed",
    "user_created",
    "user_changed",
    "role_granted",
    "role_revoked",
    "account_linked",
    "account_unlinked",
    "consent_given",
    "consent_denied",
    "app_withdrawn",
    "api_key_created",
    "api_key_revoked",
    "export_asked",
    "export_ready",
    "export_fetched",
    "deletion_asked",
    "deletion_taken_back",
];

/// Something that happened to a person's account.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Activity {
    pub id: Uuid,
    pub at: DateTime<Utc>,
    pub kind: String,
    /// Somebody else did it. Who that was is not the person's to know, nor from where.
    pub by_administrator: bool,
    pub address: Option<String>,
    pub client_id: Option<String>,
    pub provider: Option<String>,
    pub role: Option<String>,
    /// What was changed.
    pub what: Option<String>,
}

/// What happened to somebody's account, newest first.
pub async fn activity(
    database: &Database,
    person: Uuid,
    after: Option<Place>,
    limit: u64,
) -> Result<Vec<Activity>, DatabaseError> {
    let kinds = SHOWN.map(str::to_owned).to_vec();
    let filter = Filter { kinds, user_id: Some(person), after, limit, ..Filter::default() };
    Ok(list(database, &filter).await?.into_iter().map(|event| Activity::of(person, event)).collect())
}

impl Activity {
    fn of(person: Uuid, event: Recorded) -> Self {
        let detail = |name| event.detail.get(name).and_then(Json::as_str).map(str::to_owned);
        let by_administrator =
            event.actor_id.is_some_and(|actor| actor != person) || event.detail.get("actor_client").is_some();
        Self {
            by_administrator,
            provider: detail("provider"),
            role: detail("role"),
            what: detail("what"),
            id: event.id,
            at: event.at,
            kind: event.kind,
            address: event.address.filter(|_| !by_administrator),
            client_id: event.client_id,
        }
    }
}
