//! What people see of their own sessions, and end of them.

use sea_orm::FromQueryResult;
use uuid::Uuid;

use super::store::{self, Whose};
use super::{SessionError, Sessions, SignedOut, ending};
use crate::audit::{self, About, Event, Source};
use crate::platform::database::DatabaseError;

/// A session that is alive, as its person sees it. Times in milliseconds since 1970.
#[derive(Clone, Debug, PartialEq, Eq, FromQueryResult)]
pub struct OwnSession {
    pub id: Uuid,
    /// As the browser has it, 256 characters at most; [`super::agent::device`] has it in plain words.
    pub user_agent: Option<String>,
    pub address: Option<String>,
    pub signed_in_at: i64,
    pub last_seen_at: i64,
    pub expires_at: i64,
    /// Methods of RFC 8176, separated by spaces.
    pub amr: String,
    pub remember: bool,
}

impl Sessions {
    /// A person's live sessions, the one that was seen last first, so many at most. One SELECT.
    pub async fn of(&self, user: Uuid, most: u64) -> Result<Vec<OwnSession>, DatabaseError> {
        store::of(&self.database, user, self.clock.now(), most).await
    }

    /// Ends one of a person's sessions, and tells the applications. `None`: it is not alive, or not theirs.
    pub async fn end_one(&self, user: Uuid, id: Uuid, source: &Source) -> Result<Option<SignedOut>, SessionError> {
        let now = self.clock.now();
        let (random, source) = (self.random.clone(), source.clone());
        let action = self.database.write(move |tx| {
            Box::pin(async move {
                let random = random.as_ref();
                let ended = store::end_live(tx, user, Whose::One(id), now).await?.pop();
                let Some(ended) = ended else { return Ok(None) };
                let pages = ending::follow(tx, &ended, now, random).await?;
                let event = Event::SessionEnded { sid: ended.sid.clone() };
                audit::record(tx, random.id(now), now, &event, &About::user(user), &source).await?;
                Ok::<_, DatabaseError>(Some(SignedOut { sid: ended.sid, pages }))
            })
        });
        let ended = action.await?;
        if ended.is_some() {
            self.bell.ring();
        }
        Ok(ended)
    }

    /// Ends all of a person's sessions but one, and tells the applications. What was granted with `offline_access` lives on.
    /// Answers how many they were.
    pub async fn end_others(&self, user: Uuid, keep: Option<Uuid>, source: &Source) -> Result<usize, SessionError> {
        let now = self.clock.now();
        let (random, source) = (self.random.clone(), source.clone());
        let action = self.database.write(move |tx| {
            Box::pin(async move {
                let random = random.as_ref();
                let sessions = ending::end_others_of(tx, user, keep, now, random).await?;
                if sessions > 0 {
                    let event = Event::OtherSessionsEnded { sessions };
                    audit::record(tx, random.id(now), now, &event, &About::user(user), &source).await?;
                }
                Ok::<_, DatabaseError>(sessions)
            })
        });
        let sessions = action.await?;
        self.bell.ring();
        Ok(sessions)
    }
}
