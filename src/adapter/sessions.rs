//! Sessions that NextAuth keeps here, by the hashes of their tokens.

use chrono::{DateTime, Utc};
use uuid::Uuid;

use super::{Adapter, Person, Session, store};
use crate::platform::database::DatabaseError;
use crate::platform::secrets;

impl Adapter {
    /// Answers whether the person is there; a token that is taken is a conflict.
    pub async fn open_session(&self, token: &str, user: Uuid, expires: DateTime<Utc>) -> Result<bool, DatabaseError> {
        let (hash, now) = (secrets::hash(token), self.clock.now());
        self.database
            .write(move |tx| Box::pin(async move { store::open_session(tx, hash, user, expires, now).await }))
            .await
    }

    /// A session that is alive, with its person.
    pub async fn session(&self, token: &str) -> Result<Option<(Session, Person)>, DatabaseError> {
        let found = store::session(&self.database, &secrets::hash(token), self.clock.now()).await?;
        let Some(session) = found else { return Ok(None) };
        Ok(self.person(session.user_id).await?.map(|person| (session, person)))
    }

    /// Moves the end of a session that is alive.
    pub async fn move_session(
        &self,
        token: &str,
        expires: Option<DateTime<Utc>>,
    ) -> Result<Option<Session>, DatabaseError> {
        let (hash, now) = (secrets::hash(token), self.clock.now());
        self.database.write(move |tx| Box::pin(async move { store::move_session(tx, hash, expires, now).await })).await
    }

    /// Answers the session that was there.
    pub async fn close_session(&self, token: &str) -> Result<Option<Session>, DatabaseError> {
        let hash = secrets::hash(token);
        self.database.write(move |tx| Box::pin(async move { store::close_session(tx, hash).await })).await
    }
}
