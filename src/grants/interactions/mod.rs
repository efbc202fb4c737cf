//! Authorization requests that wait for a person. They stay on the server; the URL only names them, and only the browser
//! that started one can go on with it.

mod store;

use chrono::{DateTime, Duration, Utc};
use sea_orm::FromQueryResult;
use uuid::Uuid;

use super::{GrantError, Grants};
use crate::audit::{self, About, Event, Source};
use crate::platform::clock::from_millis;
use crate::platform::secrets;

pub(super) use store::delete_interaction;

/// A waiting request.
#[derive(Clone, Debug, FromQueryResult)]
pub struct Interaction {
    pub client_id: String,
    /// The parameters as they came, form-urlencoded.
    pub parameters: String,
    /// The session that the person chose to go on with.
    pub chosen_session: Option<Uuid>,
    created_at: i64,
    expires_at: i64,
}

impl Interaction {
    /// The person took too long: the application's request has to be made again.
    pub fn is_expired(&self, now: DateTime<Utc>) -> bool {
        self.expires_at <= now.timestamp_millis()
    }

    /// When the application asked: a sign-in after this is a fresh one.
    pub fn created_at(&self) -> DateTime<Utc> {
        from_millis(self.created_at)
    }
}

impl Grants {
    /// Keeps a request for the browser that holds `browser`. Answers its name for the URL. One INSERT.
    pub async fn wait(&self, client_id: &str, parameters: &str, browser: &str) -> Result<String, GrantError> {
        let now = self.clock.now();
        let name = self.random.token("");
        let expires_at = now + Duration::milliseconds(self.settings.sessions.interaction_lifetime.get());
        let insert = store::insert_interaction(&self.database, &name, client_id, parameters, browser, now, expires_at);
        self.database.run(insert).await?;
        Ok(name)
    }

    /// The request of that name, if this browser started it; it may have expired.
    pub async fn waiting(&self, name: &str, browser: &str) -> Result<Option<Interaction>, GrantError> {
        Ok(store::find_interaction(&self.database, secrets::hash(name), secrets::hash(browser)).await?)
    }

    /// The person chose to go on as who they are (`prompt=select_account`).
    pub async fn choose(&self, name: &str, browser: &str, session: Uuid) -> Result<(), GrantError> {
        let (name, browser) = (secrets::hash(name), secrets::hash(browser));
        self.database.run(store::choose_session(&self.database, name, browser, session)).await?;
        Ok(())
    }

    /// The request is answered; its name is good for nothing more.
    pub async fn forget(&self, name: &str) -> Result<(), GrantError> {
        let hash = secrets::hash(name);
        self.database.write(move |tx| Box::pin(async move { delete_interaction(tx, hash).await })).await?;
        Ok(())
    }

    /// The person said no.
    pub async fn deny(&self, name: &str, scope: &str, about: About, source: &Source) -> Result<(), GrantError> {
        let now = self.clock.now();
        let (hash, event_id, source) = (secrets::hash(name), self.random.id(now), source.clone());
        let event = Event::ConsentDenied { scope: scope.to_owned() };
        self.database
            .write(move |tx| {
                Box::pin(async move {
                    delete_interaction(tx, hash).await?;
                    audit::record(tx, event_id, now, &event, &about, &source).await
                })
            })
            .await?;
        Ok(())
    }
}
