//! Sessions that began at another provider: what it is told when they end here, and which of them end when it says so.

pub(super) mod store;

use chrono::{DateTime, Utc};
use sea_orm::FromQueryResult;
use tower_sessions::Session;

pub use store::reseal;
pub(super) use store::{forget, note};

use super::{Sessions, ending, hash};
use crate::audit::{self, About, Event, Source};
use crate::platform::database::DatabaseError;

/// Where a session began.
#[derive(Clone, Debug, FromQueryResult)]
pub struct Upstream {
    /// The provider's name here.
    pub provider: String,
    /// Its ID token, sealed.
    pub id_token: Option<Vec<u8>>,
}

/// Sessions as their provider names them (OpenID Connect Back-Channel Logout 1.0 section 2.4).
#[derive(Clone, Debug)]
pub struct Named {
    pub issuer: String,
    pub subject: Option<String>,
    pub sid: Option<String>,
    /// Those of a later sign-in are not meant: the same message a second time ends nothing.
    pub until: DateTime<Utc>,
}

impl Sessions {
    /// Where a browser's session began, if it was not here.
    pub async fn upstream(&self, session: &Session) -> Result<Option<Upstream>, DatabaseError> {
        let Some(id) = session.id() else { return Ok(None) };
        store::find(&self.database, hash(&id), self.clock.now()).await
    }

    /// Ends the sessions that their provider names, and tells the applications that got tokens in them. Answers how many.
    pub async fn end_named(&self, named: Named, source: &Source) -> Result<usize, DatabaseError> {
        let now = self.clock.now();
        let (random, source) = (self.random.clone(), source.clone());
        let action = self.database.write(move |tx| {
            Box::pin(async move {
                let ended = store::end(tx, &named, now).await?;
                for session in &ended {
                    ending::follow(tx, session, now, random.as_ref()).await?;
                    let (event, about) = (Event::SignedOut { sid: session.sid.clone() }, About::user(session.user_id));
                    audit::record(tx, random.id(now), now, &event, &about, &source).await?;
                }
                Ok::<_, DatabaseError>(ended.len())
            })
        });
        let ended = action.await?;
        if ended > 0 {
            self.bell.ring();
        }
        Ok(ended)
    }
}
