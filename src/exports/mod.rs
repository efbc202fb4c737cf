//! What people take away of what is kept of them: one JSON document a person, which `docs/personal-data.md` describes.
//!
//! It is written in pieces, each sealed under a secret of the document's own, so that neither the writing nor the fetching holds it
//! whole. Whoever has little gets it at once. The rest is written in the background by whichever node takes it, for a lease that every
//! piece prolongs: should the node die, another begins anew when the lease is over, and a node that was only slow finds that the
//! document is not its own any more.

mod content;
mod store;
mod write;

use std::sync::Arc;

use chrono::{DateTime, Duration, Utc};
use futures_util::Stream;
use sea_orm::FromQueryResult;
use uuid::Uuid;

use crate::audit::{self, About, Event, Source};
use crate::identity::{Accounts, IdentityError, PictureError};
use crate::mail::MailError;
use crate::outbox::Bell;
use crate::platform::clock::{Clock, from_millis};
use crate::platform::database::{Database, DatabaseError, Tx};
use crate::platform::random::Random;
use crate::platform::secrets::{SealingKey, SecretsError};
use crate::platform::settings::Settings;

pub use content::SECTIONS;
pub use store::reseal;

/// How long a document is nobody else's after the last piece of it.
const LEASE: Duration = Duration::seconds(30);
/// How often one is begun before it is given up.
const ATTEMPTS: i32 = 5;
const DAY: Duration = Duration::hours(24);

#[derive(Debug, thiserror::Error)]
pub enum ExportError {
    #[error("{0}")]
    Database(#[from] DatabaseError),
    #[error("{0}")]
    Secrets(#[from] SecretsError),
    #[error("{0}")]
    Mail(#[from] MailError),
    #[error("{0}")]
    Identity(#[from] IdentityError),
    #[error("{0}")]
    Picture(#[from] PictureError),
    #[error("it could not be written: {0}")]
    Malformed(#[from] serde_json::Error),
    #[error("it could not be written: {0}")]
    Output(#[from] std::io::Error),
    /// Another node writes it by now, or the person is gone.
    #[error("it is somebody else's by now")]
    Lost,
    #[error("a piece of it is missing")]
    Incomplete,
}

/// A document, or the wish for one. Times in milliseconds since 1970.
#[derive(Clone, Debug, PartialEq, Eq, FromQueryResult)]
pub struct Export {
    pub id: Uuid,
    pub asked_at: i64,
    pub ready_at: Option<i64>,
    pub failed_at: Option<i64>,
    pub expires_at: Option<i64>,
    /// Of the whole document.
    pub bytes: i64,
}

/// How it stands with a document.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum State {
    Waiting,
    Ready,
    Failed,
    Expired,
}

impl Export {
    pub fn state(&self, now: DateTime<Utc>) -> State {
        match (self.ready_at, self.failed_at, self.expires_at) {
            (Some(_), _, Some(end)) if from_millis(end) > now => State::Ready,
            (Some(_), _, _) => State::Expired,
            (None, Some(_), _) => State::Failed,
            (None, None, _) => State::Waiting,
        }
    }
}

/// What became of the wish for one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Asked {
    Taken(Export),
    /// One is being written.
    Running,
    /// There were enough for now.
    Enough {
        retry_after: Duration,
    },
}

/// Who asks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Asker {
    /// Who is told when it is ready.
    Themselves,
    Other,
}

#[derive(Clone)]
pub struct Exports {
    database: Database,
    clock: Arc<dyn Clock>,
    random: Arc<dyn Random>,
    settings: Arc<Settings>,
    accounts: Accounts,
    bell: Bell,
    sealing: SealingKey,
}

impl Exports {
    pub fn new(
        database: Database,
        clock: Arc<dyn Clock>,
        random: Arc<dyn Random>,
        settings: Arc<Settings>,
        accounts: Accounts,
        bell: Bell,
        sealing: SealingKey,
    ) -> Self {
        Self { database, clock, random, settings, accounts, bell, sealing }
    }

    /// A person's documents, newest first.
    pub async fn of(&self, user: Uuid) -> Result<Vec<Export>, DatabaseError> {
        store::of(&self.database, user).await
    }

    /// One of them.
    pub async fn one(&self, user: Uuid, id: Uuid) -> Result<Option<Export>, DatabaseError> {
        store::one(&self.database, user, id).await
    }

    /// Takes the wish for a document, if none is being written and there were not too many of late. Whoever has little has it when
    /// this answers.
    pub async fn ask(&self, user: Uuid, asker: Asker, source: &Source) -> Result<Asked, ExportError> {
        let most = i64::from(self.settings.exports.at_once);
        let small = content::is_small(&self.database, user, most).await?;
        let (now, secret) = (self.clock.now(), self.random.token(""));
        let new = store::New {
            id: self.random.id(now),
            user_id: user,
            sealed_secret: self.sealing.seal(secret.as_bytes(), self.random.as_ref())?,
            // Who waits for it need not be told.
            announce: asker == Asker::Themselves && !small,
            attempts: i32::from(small),
            leased_until: if small { now + LEASE } else { now },
            now,
        };
        let (event_id, source, a_day, id) =
            (self.random.id(now), source.clone(), i64::from(self.settings.exports.a_day), new.id);
        let action = self.database.write(move |tx| {
            Box::pin(async move {
                let recent = store::hold_recent(tx, user, now - DAY).await?;
                let recent = recent.ok_or_else(|| IdentityError::Unknown(user.to_string()))?;
                if recent.running > 0 {
                    return Ok(Some(Asked::Running));
                }
                if recent.asked >= a_day {
                    let oldest = recent.oldest.map_or(now, from_millis);
                    return Ok(Some(Asked::Enough { retry_after: oldest + DAY - now }));
                }
                store::insert(tx, &new).await?;
                let event = Event::ExportAsked { export: new.id };
                audit::record(tx, event_id, now, &event, &About::user(user), &source).await?;
                Ok::<_, ExportError>(None)
            })
        });
        if let Some(refused) = action.await? {
            return Ok(refused);
        }
        if small {
            let taken = store::Taken { id, user_id: user, attempts: 1, secret, announce: false };
            // Should it fail, it is taken up again in the background.
            if let Err(error) = self.write(&taken).await {
                tracing::warn!(%error, export = %id, "what somebody asked for was not written at once; it is tried again");
            }
        }
        self.one(user, id).await?.map(Asked::Taken).ok_or(ExportError::Lost)
    }

    /// Writes one document that waits, if any. Answers whether there was one.
    pub async fn work(&self) -> Result<bool, ExportError> {
        let now = self.clock.now();
        let claimed = store::claim(&self.database, now, now + LEASE, &self.sealing).await?;
        let Some(taken) = claimed else { return Ok(false) };
        if taken.attempts > ATTEMPTS {
            self.give_up(&taken).await?;
            return Ok(true);
        }
        match self.write(&taken).await {
            Ok(()) | Err(ExportError::Lost) => Ok(true),
            Err(error) => {
                tracing::warn!(%error, export = %taken.id, attempt = taken.attempts, "an export was not written; it is tried again");
                Ok(true)
            }
        }
    }

    async fn give_up(&self, taken: &store::Taken) -> Result<(), ExportError> {
        tracing::error!(export = %taken.id, "an export could not be written in all its attempts and is given up");
        let (now, id, user) = (self.clock.now(), taken.id, taken.user_id);
        let event_id = self.random.id(now);
        let action = self.database.write(move |tx| {
            Box::pin(async move {
                if store::fail(tx, id, now).await? {
                    let event = Event::ExportFailed { export: id };
                    audit::record(tx, event_id, now, &event, &About::user(user), &Source::default()).await?;
                }
                Ok::<_, ExportError>(())
            })
        });
        action.await
    }

    /// A document that is ready, piece by piece; noted on the record. `None`: it is not theirs, not ready, or not any more.
    pub async fn fetch(
        &self,
        user: Uuid,
        id: Uuid,
        source: &Source,
    ) -> Result<Option<impl Stream<Item = Result<Vec<u8>, ExportError>> + Send + use<>>, ExportError> {
        let now = self.clock.now();
        let Some(ready) = store::ready(&self.database, user, id, now, &self.sealing).await? else { return Ok(None) };
        let (event_id, source) = (self.random.id(now), source.clone());
        let action = self.database.write(move |tx| {
            Box::pin(async move {
                let event = Event::ExportFetched { export: id };
                audit::record(tx, event_id, now, &event, &About::user(user), &source).await
            })
        });
        action.await?;
        let database = self.database.clone();
        Ok(Some(futures_util::stream::try_unfold((database, ready, 0), |(database, ready, number)| async move {
            if number >= ready.parts {
                return Ok(None);
            }
            let sealed = store::part(&database, ready.id, number).await?.ok_or(ExportError::Incomplete)?;
            let piece = write::key_of(&ready.secret, number).open(&sealed)?.to_vec();
            Ok(Some((piece, (database, ready, number + 1))))
        })))
    }

    /// Removes what nobody can fetch any more; answers how many rows went.
    pub async fn sweep(&self, now: DateTime<Utc>, batch: i64) -> Result<u64, DatabaseError> {
        store::sweep(&self.database, now, now - DAY, batch).await
    }
}

/// Whether an action still writes the document that it was begun for.
async fn require_own(tx: &Tx, taken: &store::Taken, until: DateTime<Utc>) -> Result<(), ExportError> {
    if store::prolong(tx, taken.id, taken.attempts, until).await? { Ok(()) } else { Err(ExportError::Lost) }
}
