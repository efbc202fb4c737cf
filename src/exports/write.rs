//! Writing a document: into the database in sealed pieces, or straight to whoever reads it.

use std::io::Write;

use async_trait::async_trait;
use uuid::Uuid;

use super::content::{self, Sink};
use super::{ExportError, Exports, LEASE, require_own, store};
use crate::audit::{self, About, Event, Source};
use crate::mail::{Letter, Topic};
use crate::outbox;
use crate::platform::secrets::SealingKey;

/// How long a piece is, at least, but for the last.
const PIECE: usize = 256 << 10;

/// What a piece is sealed under: one that takes the place of another does not open.
pub(super) fn key_of(secret: &str, number: i32) -> SealingKey {
    SealingKey::derive(secret.as_bytes(), &format!("export piece {number}"))
}

impl Exports {
    /// Writes everything of a person to somebody who reads it at once, as `bonafide user export` does.
    pub async fn write_to(&self, user: Uuid, output: &mut (impl Write + Send)) -> Result<(), ExportError> {
        content::write(self.source_of(user), &mut Straight(output)).await?;
        Ok(output.flush()?)
    }

    /// Writes a document that we have taken.
    pub(super) async fn write(&self, taken: &store::Taken) -> Result<(), ExportError> {
        let mut pieces = Pieces { exports: self, taken, buffer: String::new(), number: 0, bytes: 0 };
        content::write(self.source_of(taken.user_id), &mut pieces).await?;
        pieces.finish().await
    }

    fn source_of(&self, user: Uuid) -> content::Subject<'_> {
        content::Subject {
            user,
            database: &self.database,
            accounts: &self.accounts,
            sealing: &self.sealing,
            issuer: &self.settings.issuer,
            now: self.clock.now(),
        }
    }
}

struct Straight<'a, W: Write + Send>(&'a mut W);

#[async_trait]
impl<W: Write + Send> Sink for Straight<'_, W> {
    async fn put(&mut self, text: &str) -> Result<(), ExportError> {
        Ok(self.0.write_all(text.as_bytes())?)
    }
}

struct Pieces<'a> {
    exports: &'a Exports,
    taken: &'a store::Taken,
    buffer: String,
    number: i32,
    bytes: i64,
}

#[async_trait]
impl Sink for Pieces<'_> {
    async fn put(&mut self, text: &str) -> Result<(), ExportError> {
        self.buffer.push_str(text);
        if self.buffer.len() >= PIECE { self.keep().await } else { Ok(()) }
    }
}

impl Pieces<'_> {
    async fn keep(&mut self) -> Result<(), ExportError> {
        let plain = std::mem::take(&mut self.buffer);
        let key = key_of(&self.taken.secret, self.number);
        let sealed = key.seal(plain.as_bytes(), self.exports.random.as_ref())?;
        let (taken, number) = (self.taken.clone(), self.number);
        let until = self.exports.clock.now() + LEASE;
        let action = self.exports.database.write(move |tx| {
            Box::pin(async move {
                require_own(tx, &taken, until).await?;
                Ok::<_, ExportError>(store::put_part(tx, taken.id, number, sealed).await?)
            })
        });
        action.await?;
        self.number += 1;
        self.bytes += i64::try_from(plain.len()).unwrap_or(i64::MAX);
        Ok(())
    }

    /// The last piece; from now on it can be fetched, and whoever asked for it is told.
    async fn finish(mut self) -> Result<(), ExportError> {
        if !self.buffer.is_empty() {
            self.keep().await?;
        }
        let Self { exports, taken, number, bytes, .. } = self;
        let (now, user) = (exports.clock.now(), taken.user_id);
        let expires_at = now + chrono::Duration::milliseconds(exports.settings.exports.kept.get());
        let mut messages = Vec::new();
        if taken.announce && exports.accounts.has_mail() {
            let person = exports.accounts.find(&user.to_string()).await?;
            if let Some(email) = &person.email {
                let topic = Topic::ExportReady { expires_at: expires_at.timestamp_millis() };
                let letter = Letter::new(email, person.profile.locale.as_deref(), topic, &Source::default(), now);
                let letter = letter.until(expires_at);
                messages.push(letter.message(user, &exports.sealing, now, exports.random.as_ref())?);
            }
        }
        let (taken, event_id) = (taken.clone(), exports.random.id(now));
        let action = exports.database.write(move |tx| {
            Box::pin(async move {
                require_own(tx, &taken, now).await?;
                store::finish(tx, taken.id, number, bytes, expires_at, now).await?;
                outbox::write(tx, messages, now).await?;
                let event = Event::ExportReady { export: taken.id };
                audit::record(tx, event_id, now, &event, &About::user(user), &Source::default()).await?;
                Ok::<_, ExportError>(())
            })
        });
        action.await?;
        exports.bell.ring();
        Ok(())
    }
}
