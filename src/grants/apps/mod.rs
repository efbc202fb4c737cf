//! The applications that somebody has let in: what they may do, since when, when they last did; and taking it back.

mod store;

use sea_orm::FromQueryResult;
use uuid::Uuid;

use super::store::parties;
use super::{GrantError, Grants};
use crate::audit::{self, About, Event, Source};
use crate::platform::database::DatabaseError;
use crate::sessions;

/// An application that has tokens of somebody's, or that they have allowed something. Times in milliseconds since 1970.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct App {
    pub client_id: String,
    /// What people call it.
    pub name: String,
    /// In order, each once.
    pub scopes: Vec<String>,
    pub since: i64,
    /// When it last got tokens; `None`: it has none now.
    pub last_used_at: Option<i64>,
    /// Lives on when the browser session ends.
    pub offline: bool,
}

/// The same as the database puts it together.
#[derive(FromQueryResult)]
pub(super) struct Row {
    client_id: String,
    name: Option<String>,
    scopes: String,
    since: i64,
    last_used_at: Option<i64>,
    offline: i32,
}

impl From<Row> for App {
    fn from(row: Row) -> Self {
        let mut scopes: Vec<String> = row.scopes.split_ascii_whitespace().map(str::to_owned).collect();
        scopes.sort();
        scopes.dedup();
        Self {
            name: row.name.filter(|name| !name.is_empty()).unwrap_or_else(|| row.client_id.clone()),
            client_id: row.client_id,
            scopes,
            since: row.since,
            last_used_at: row.last_used_at,
            offline: row.offline > 0,
        }
    }
}

impl Grants {
    /// The applications of a person, the one that got tokens last first, so many at most. One SELECT.
    pub async fn apps(&self, user: Uuid, most: u64) -> Result<Vec<App>, DatabaseError> {
        let rows = store::apps(&self.database, user, self.clock.now(), most).await?;
        Ok(rows.into_iter().map(App::from).collect())
    }

    /// Takes everything from an application that a person has allowed it: consents, codes, and its grants with all their tokens.
    /// It is told as at the end of the sessions in which it got them. Answers whether there was anything.
    pub async fn withdraw(&self, user: Uuid, client: &str, source: &Source) -> Result<bool, GrantError> {
        let now = self.clock.now();
        let (random, source, client) = (self.random.clone(), source.clone(), client.to_owned());
        let action = self.database.write(move |tx| {
            Box::pin(async move {
                let random = random.as_ref();
                // First, as wherever grants end: an exchange under way is waited for and its grant seen below.
                let codes = store::expire_codes_of_client(tx, user, &client, now).await?;
                let consents = store::forget_consents(tx, user, &client).await?;
                let ended = store::end_grants_of_client(tx, user, &client, "withdrawn", now).await?;
                if ended.is_empty() && consents + codes == 0 {
                    return Ok(false);
                }
                let about = About::both(user, &client);
                for grant in &ended {
                    let event = Event::GrantEnded { grant: grant.id, reason: "withdrawn" };
                    audit::record(tx, random.id(now), now, &event, &about, &source).await?;
                }
                let mut parties = parties(tx, user).await?;
                let in_it = |session| ended.iter().any(|grant| grant.session_id == Some(session));
                parties.retain(|party| party.client_id == client && in_it(party.session_id));
                sessions::notify(tx, user, &parties, now, random).await?;
                let event = Event::AppWithdrawn { grants: ended.len() };
                audit::record(tx, random.id(now), now, &event, &about, &source).await?;
                Ok::<_, GrantError>(true)
            })
        });
        let withdrawn = action.await?;
        if withdrawn {
            self.bell.ring();
        }
        Ok(withdrawn)
    }
}
