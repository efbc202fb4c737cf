//! The store behind tower-sessions. It keeps the cookie's side of a session; what a session means is not its to change.

use async_trait::async_trait;
use chrono::{DateTime, Utc};
use tower_sessions::session::{Id, Record};
use tower_sessions::session_store::{Error, Result};
use tower_sessions::{Expiry, SessionStore};

use super::{BEGIN, Begin, SessionError, Sessions, ending, hash, store, upstream};
use crate::audit::{self, About, Event, Source};
use crate::platform::database::DatabaseError;

#[async_trait]
impl SessionStore for Sessions {
    /// Turns a sign-in into a row, in one transaction with all that follows from it.
    async fn create(&self, record: &mut Record) -> Result<()> {
        let Some(begin) = record.data.remove(BEGIN) else {
            return Err(Error::Encode("a session begins with a sign-in".to_owned()));
        };
        let begin: Begin = serde_json::from_value(begin).map_err(|error| Error::Encode(error.to_string()))?;
        let now = self.clock.now();
        let (expires_at, ends_at) = self.ends(begin.remember, now);
        let row = store::New {
            id: self.random.id(now),
            token_hash: hash(&record.id),
            sid: self.random.token(""),
            user_id: begin.proof.user_id,
            auth_time: begin.proof.auth_time(now),
            acr: begin.proof.acr.clone(),
            amr: begin.proof.amr.clone(),
            remember: begin.remember,
            address: begin.address.clone(),
            user_agent: begin.user_agent.clone(),
            now,
            expires_at,
            ends_at,
        };
        // Whoever comes by another provider may have ended what others have done to their account.
        let arrives = begin.proof.arrival().is_some();
        let event_id = self.random.id(now);
        let random = self.random.clone();
        let (address, request_id) = (begin.address.clone(), begin.request_id.clone());
        let source = Source { address, request_id, ..Source::default() };
        let ended = self
            .database
            .write(move |tx| {
                Box::pin(async move {
                    if !begin.proof.settle(tx, now, random.as_ref(), &source).await? {
                        return Err(SessionError::Refused);
                    }
                    let continued = match &begin.replaces {
                        None => None,
                        Some(old) => store::continue_with(tx, old, &row).await?,
                    };
                    let mut ended = None;
                    if continued.is_none() {
                        if let Some(old) = begin.replaces
                            && let Some(other) = store::end(tx, old, now).await?
                        {
                            ended = Some(ending::follow(tx, &other, now, random.as_ref()).await?);
                        }
                        store::insert(tx, &row).await?;
                    }
                    match (begin.proof.arrival(), continued) {
                        (Some(arrival), _) => upstream::note(tx, continued.unwrap_or(row.id), arrival).await?,
                        // From now on it is a session of ours alone.
                        (None, Some(session)) => upstream::forget(tx, session).await?,
                        (None, None) => {}
                    }
                    let event = Event::SignedIn {
                        amr: row.amr.clone(),
                        reauthenticated: continued.is_some(),
                        provider: begin.proof.arrival().map(|arrival| arrival.provider.clone()),
                    };
                    audit::record(tx, event_id, now, &event, &About::user(row.user_id), &source).await?;
                    Ok(ended)
                })
            })
            .await
            .map_err(|error| match error {
                // The one refusal that is not a fault: told apart by its kind, since the library has no other.
                SessionError::Refused => Error::Decode(error.to_string()),
                other => Error::Backend(other.to_string()),
            })?;
        if ended.is_some() || arrives {
            self.bell.ring();
        }
        let way = if arrives { "provider" } else { "password" };
        metrics::counter!("bonafide_sign_ins_total", "way" => way, "outcome" => "signed_in").increment(1);
        Ok(())
    }

    /// Writes the data of a row that is there; a session that has ended stays ended.
    async fn save(&self, record: &Record) -> Result<()> {
        let data = serde_json::to_string(&record.data).map_err(|error| Error::Encode(error.to_string()))?;
        store::save_data(&self.database, hash(&record.id), data, self.clock.now())
            .await
            .map_err(|error| backend(&error))
    }

    async fn load(&self, session_id: &Id) -> Result<Option<Record>> {
        let Some(found) =
            store::load(&self.database, hash(session_id), self.clock.now()).await.map_err(|error| backend(&error))?
        else {
            return Ok(None);
        };
        let data = serde_json::from_str(&found.data).map_err(|error| Error::Decode(error.to_string()))?;
        Ok(Some(Record { id: *session_id, data, expiry_date: date(found.expires_at) }))
    }

    /// Does nothing: sessions end by [`Sessions::end`] and by signing in anew, which say why and keep the record.
    async fn delete(&self, _: &Id) -> Result<()> {
        Ok(())
    }
}

fn backend(error: &DatabaseError) -> Error {
    Error::Backend(error.to_string())
}

/// A cookie that lives until then.
pub(super) fn at(end: DateTime<Utc>) -> Expiry {
    Expiry::AtDateTime(date(end.timestamp_millis()))
}

/// tower-sessions counts time with another crate.
fn date(millis: i64) -> time::OffsetDateTime {
    time::OffsetDateTime::from_unix_timestamp(millis / 1000).unwrap_or(time::OffsetDateTime::UNIX_EPOCH)
}
