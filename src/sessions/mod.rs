//! Browser sessions: who is signed in where, since when, and how strongly.
//!
//! One table serves tower-sessions (which keeps the cookie) and the product (which asks who is here). A row exists only
//! from a sign-in on; its id changes at every sign-in; it ends by being marked, and nothing brings it back.

mod ending;
mod own;
mod store;
mod tower;
mod upstream;

use std::sync::Arc;

use chrono::{DateTime, Duration, Utc};
use serde::{Deserialize, Serialize};
use tower_sessions::Session;
use tower_sessions::session::Id;

use crate::audit::{About, Event, Source};
use crate::identity::Proof;
use crate::outbox::Bell;
use crate::platform::clock::Clock;
use crate::platform::database::{Database, DatabaseError};
use crate::platform::random::Random;
use crate::platform::secrets;
use crate::platform::settings::{Millis, Settings};

pub use crate::platform::agent;
pub use ending::{BACKCHANNEL_LOGOUT, LogoutNotice, LogoutPage, end_all_of, end_others_of, notify};
pub use own::OwnSession;
pub use store::{Live, sweep};
pub use upstream::{Named, Upstream, reseal};

/// Last-seen times move at most this often: a write for each visit would cost more than the visit.
const TOUCH_PAUSE: Duration = Duration::minutes(1);

/// The key under which a sign-in travels through tower-sessions to the row it becomes.
const BEGIN: &str = "begin";

#[derive(Debug, thiserror::Error)]
pub enum SessionError {
    #[error("{0}")]
    Database(#[from] DatabaseError),
    #[error("the session library failed: {0}")]
    Library(#[from] tower_sessions::session::Error),
    /// The proof no longer held: the person was disabled, or has a new password.
    #[error("the account cannot sign in")]
    Refused,
}

/// What a new session is made from.
#[derive(Clone, Debug, Serialize, Deserialize)]
struct Begin {
    proof: Proof,
    remember: bool,
    /// The hash of the session that this browser had.
    replaces: Option<Vec<u8>>,
    address: Option<String>,
    user_agent: Option<String>,
    request_id: Option<String>,
}

/// A browser that was signed out.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SignedOut {
    pub sid: String,
    /// What it is to open, so that applications end their sessions there too.
    pub pages: Vec<LogoutPage>,
}

/// The sessions, with all that keeping them takes. Also the store behind tower-sessions.
#[derive(Clone)]
pub struct Sessions {
    database: Database,
    clock: Arc<dyn Clock>,
    random: Arc<dyn Random>,
    settings: Arc<Settings>,
    bell: Bell,
}

impl std::fmt::Debug for Sessions {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Sessions")
    }
}

impl Sessions {
    pub fn new(
        database: Database,
        clock: Arc<dyn Clock>,
        random: Arc<dyn Random>,
        settings: Arc<Settings>,
        bell: Bell,
    ) -> Self {
        Self { database, clock, random, settings, bell }
    }

    /// Who is signed in, if anybody, with what they have allowed this client. One SELECT.
    pub async fn find(&self, session: &Session, client_id: &str) -> Result<Option<Live>, DatabaseError> {
        let Some(id) = session.id() else { return Ok(None) };
        let now = self.clock.now();
        let found = store::find(&self.database, hash(&id), client_id, now).await?;
        if let Some(live) = &found
            && now - live.last_seen_at() >= TOUCH_PAUSE
        {
            let (idle, _) = self.lifetimes(live.remember);
            store::touch(&self.database, live.id, now, now + idle, now - TOUCH_PAUSE).await?;
        }
        Ok(found)
    }

    /// Signs a person in: a new id, whatever the browser had. The same person keeps the session's `sid` and grants;
    /// another person's session ends. One transaction with the proof's own consequences.
    pub async fn begin(
        &self,
        session: &Session,
        proof: Proof,
        remember: bool,
        source: &Source,
    ) -> Result<(), SessionError> {
        let replaces = session.id().map(|id| hash(&id));
        // The new id. The old row is dealt with when the new one is written.
        session.cycle_id().await?;
        session.clear().await;
        let begin = Begin {
            proof,
            remember,
            replaces,
            address: source.address.clone(),
            user_agent: source.user_agent.clone(),
            request_id: source.request_id.clone(),
        };
        session.insert(BEGIN, &begin).await?;
        let lives = self.lifetimes(remember).1;
        let end = self.clock.now() + lives;
        session.set_expiry(Some(if remember { tower::at(end) } else { tower_sessions::Expiry::OnSessionEnd }));
        match session.save().await {
            Err(tower_sessions::session::Error::Store(tower_sessions::session_store::Error::Decode(_))) => {
                Err(SessionError::Refused)
            }
            other => Ok(other?),
        }
    }

    /// Signs the browser out, and tells the applications that got tokens in it. Answers what the browser is to open.
    pub async fn end(&self, session: &Session, source: &Source) -> Result<Option<SignedOut>, SessionError> {
        self.end_with(session, source, false).await
    }

    /// The same, and every other browser of the person with it. What was granted with `offline_access` lives on.
    pub async fn end_everywhere(&self, session: &Session, source: &Source) -> Result<Option<SignedOut>, SessionError> {
        self.end_with(session, source, true).await
    }

    async fn end_with(
        &self,
        session: &Session,
        source: &Source,
        everywhere: bool,
    ) -> Result<Option<SignedOut>, SessionError> {
        let Some(id) = session.id() else { return Ok(None) };
        let ended = self.end_by_hash(hash(&id), source, everywhere).await?;
        if ended.is_some() {
            self.bell.ring();
        }
        session.flush().await?;
        Ok(ended)
    }

    async fn end_by_hash(
        &self,
        token_hash: Vec<u8>,
        source: &Source,
        everywhere: bool,
    ) -> Result<Option<SignedOut>, DatabaseError> {
        let now = self.clock.now();
        let (random, source) = (self.random.clone(), source.clone());
        self.database
            .write(move |tx| {
                Box::pin(async move {
                    let random = random.as_ref();
                    let found = if everywhere {
                        store::live(tx, token_hash, now).await?
                    } else {
                        store::end(tx, token_hash, now).await?
                    };
                    let Some(own) = found else { return Ok(None) };
                    let (pages, event) = if everywhere {
                        let (pages, sessions) = ending::end_everywhere(tx, &own, now, random).await?;
                        (pages, Event::SignedOutEverywhere { sessions })
                    } else {
                        (ending::follow(tx, &own, now, random).await?, Event::SignedOut { sid: own.sid.clone() })
                    };
                    crate::audit::record(tx, random.id(now), now, &event, &About::user(own.user_id), &source).await?;
                    Ok(Some(SignedOut { sid: own.sid, pages }))
                })
            })
            .await
    }

    /// How long without a visit, and how long at all.
    fn lifetimes(&self, remember: bool) -> (Duration, Duration) {
        let of = |millis: Millis| Duration::milliseconds(millis.get());
        let settings = &self.settings.sessions;
        if remember {
            (of(settings.remember_lifetime), of(settings.remember_lifetime))
        } else {
            (of(settings.idle), of(settings.lifetime))
        }
    }

    fn ends(&self, remember: bool, now: DateTime<Utc>) -> (DateTime<Utc>, DateTime<Utc>) {
        let (idle, life) = self.lifetimes(remember);
        (now + idle.min(life), now + life)
    }
}

/// What the database holds of a session's id.
fn hash(id: &Id) -> Vec<u8> {
    secrets::hash(&id.to_string())
}
