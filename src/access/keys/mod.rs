//! API keys: secrets of programs that act for a person or a service account, for as long as and as far as their owner may.
//!
//! A key has one secret, and after a rotation with an overlap the one before for a while: two live at the most.

mod live;
mod request;
mod store;
mod uses;

use std::sync::Arc;

use uuid::Uuid;

use super::{Held, service_accounts};
use crate::audit::{self, About, Event, Source};
use crate::clients::Overlap;
use crate::platform::clock::Clock;
use crate::platform::database::{Database, DatabaseError, Tx};
use crate::platform::random::{Random, is_token};
use crate::platform::secrets;

pub use live::LiveKey;
pub use request::{ApiKeyFault, NewApiKey, lifetime_of};
pub use store::{ApiKey, revoke_all_of, sweep};
use uses::Uses;

pub const PREFIX: &str = "bfk_";

/// How much of a secret its owner recognises it by.
const HINT: usize = 4;

/// More than anybody can keep in order.
const MOST: i64 = 100;

/// Whose a key is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Owner {
    Person(Uuid),
    ServiceAccount(String),
}

impl Owner {
    fn person(&self) -> Option<Uuid> {
        match self {
            Self::Person(id) => Some(*id),
            Self::ServiceAccount(_) => None,
        }
    }

    fn client(&self) -> Option<String> {
        match self {
            Self::Person(_) => None,
            Self::ServiceAccount(id) => Some(id.clone()),
        }
    }

    fn about(&self) -> About {
        About { user_id: self.person(), client_id: self.client() }
    }
}

#[derive(Debug, thiserror::Error)]
pub enum ApiKeyError {
    #[error("{0}")]
    Database(#[from] DatabaseError),
    #[error("{}: {fault}", fault.member())]
    Refused { fault: ApiKeyFault },
    #[error("there is no API key {0} that is good: `bonafide api-key list` shows them")]
    Unknown(Uuid),
    #[error("there is no such owner for an API key; of clients only those with the grant client_credentials have any")]
    NoOwner,
    #[error("this owner has {MOST} API keys already: revoke one first")]
    TooMany,
    /// Whoever gives what they do not have would raise themselves.
    #[error("the owner may do more than who asks")]
    Beyond,
}

impl From<ApiKeyFault> for ApiKeyError {
    fn from(fault: ApiKeyFault) -> Self {
        Self::Refused { fault }
    }
}

/// A key with its secret, which is shown this once.
pub struct Given {
    pub key: ApiKey,
    pub secret: String,
}

/// The API keys, with all that looking after them takes.
#[derive(Clone)]
pub struct ApiKeys {
    database: Database,
    clock: Arc<dyn Clock>,
    random: Arc<dyn Random>,
    issuer: String,
    uses: Arc<Uses>,
}

impl ApiKeys {
    pub fn new(database: Database, clock: Arc<dyn Clock>, random: Arc<dyn Random>, issuer: &str) -> Self {
        Self { database, clock, random, issuer: issuer.to_owned(), uses: Arc::default() }
    }

    /// Makes a key. `by` is what whoever asks may do; an owner who asks for themselves, and an operator, need not say.
    pub async fn create(
        &self,
        owner: Owner,
        new: NewApiKey,
        by: Option<Held>,
        source: &Source,
    ) -> Result<Given, ApiKeyError> {
        let now = self.clock.now();
        let new = new.checked(&self.issuer)?;
        let expires_at = now + new.lifetime;
        let secret = self.random.token(PREFIX);
        let key = ApiKey {
            id: self.random.id(now),
            name: new.name,
            hint: hint(&secret),
            user_id: owner.person(),
            client_id: owner.client(),
            scope: new.scopes.join(" "),
            audience: new.audience,
            created_at: now.timestamp_millis(),
            expires_at: expires_at.timestamp_millis(),
            previous_expires_at: None,
            last_used_at: None,
        };
        let (row, hash, event_id, source) = (key.clone(), secrets::hash(&secret), self.random.id(now), source.clone());
        let action = self.database.write(move |tx| {
            Box::pin(async move {
                let may = store::means(tx, &owner, row.audience.as_deref()).await?.ok_or(ApiKeyError::NoOwner)?;
                require_cover(tx, &owner, by).await?;
                if !may.audience {
                    return Err(ApiKeyFault::Audience.into());
                }
                if let Some(beyond) = row.scopes().find(|scope| !may.means(scope)) {
                    return Err(ApiKeyFault::Scope(beyond.to_owned()).into());
                }
                if may.keys >= MOST {
                    return Err(ApiKeyError::TooMany);
                }
                store::insert(tx, &row, &hash).await?;
                let event = Event::ApiKeyCreated { key: row.id, scope: row.scope, audience: row.audience };
                audit::record(tx, event_id, now, &event, &owner.about(), &source).await?;
                Ok(())
            })
        });
        action.await?;
        Ok(Given { key, secret })
    }

    /// Everybody's keys, or one owner's: those that are not revoked, oldest first.
    pub async fn list(&self, owner: Option<&Owner>) -> Result<Vec<ApiKey>, DatabaseError> {
        store::list(&self.database, owner).await
    }

    /// Gives a key another secret. The one that it has is dead at once, or goes on for the overlap. How long the key itself
    /// lives stays as it is.
    pub async fn rotate(
        &self,
        id: Uuid,
        owner: Option<Owner>,
        overlap: Overlap,
        by: Option<Held>,
        source: &Source,
    ) -> Result<Given, ApiKeyError> {
        let now = self.clock.now();
        let secret = self.random.token(PREFIX);
        let (hash, hint) = (secrets::hash(&secret), hint(&secret));
        let (event_id, source) = (self.random.id(now), source.clone());
        let action = self.database.write(move |tx| {
            Box::pin(async move {
                let change = store::Rotation { id, hash, hint, until: overlap.until(now), now };
                let key = store::rotate(tx, owner.as_ref(), change).await?.ok_or(ApiKeyError::Unknown(id))?;
                require_cover(tx, &key.owner(), by).await?;
                let about = key.owner().about();
                audit::record(tx, event_id, now, &Event::ApiKeyRotated { key: id }, &about, &source).await?;
                Ok::<_, ApiKeyError>(key)
            })
        });
        Ok(Given { key: action.await?, secret })
    }

    /// Ends a key with all its secrets. What it was comes back.
    pub async fn revoke(
        &self,
        id: Uuid,
        owner: Option<Owner>,
        by: Option<Held>,
        source: &Source,
    ) -> Result<ApiKey, ApiKeyError> {
        self.end(store::Ending::Id(id, owner), by, source).await?.ok_or(ApiKeyError::Unknown(id))
    }

    /// A service account gives back a key of its own (RFC 7009). Answers whether it was one.
    pub async fn give_back(&self, secret: &str, client_id: &str, source: &Source) -> Result<bool, DatabaseError> {
        let ending = store::Ending::Secret(secrets::hash(secret), client_id.to_owned());
        match self.end(ending, None, source).await {
            Ok(ended) => Ok(ended.is_some()),
            Err(ApiKeyError::Database(error)) => Err(error),
            Err(_) => Ok(false),
        }
    }

    async fn end(
        &self,
        ending: store::Ending,
        by: Option<Held>,
        source: &Source,
    ) -> Result<Option<ApiKey>, ApiKeyError> {
        let now = self.clock.now();
        let (event_id, source) = (self.random.id(now), source.clone());
        let action = self.database.write(move |tx| {
            Box::pin(async move {
                let Some(key) = store::revoke(tx, ending, now).await? else { return Ok(None) };
                require_cover(tx, &key.owner(), by).await?;
                let about = key.owner().about();
                audit::record(tx, event_id, now, &Event::ApiKeyRevoked { key: key.id }, &about, &source).await?;
                Ok::<_, ApiKeyError>(Some(key))
            })
        });
        action.await
    }

    /// The key behind a string and what it is good for now. One SELECT, and none for what cannot be one.
    pub async fn live(&self, presented: &str) -> Result<Option<LiveKey>, DatabaseError> {
        if !is_key(presented) {
            return Ok(None);
        }
        store::live(&self.database, &secrets::hash(presented), self.clock.now()).await
    }

    /// Remembers that a key was used; `write_uses` writes it down.
    pub fn used(&self, key: Uuid) {
        self.uses.note(key, self.clock.now());
    }

    /// Writes down when keys were used since the last time: one statement for all of them, none where there is nothing new.
    /// Answers whether there was anything.
    pub async fn write_uses(&self) -> Result<bool, DatabaseError> {
        let Some(batch) = self.uses.take() else { return Ok(false) };
        match store::write_uses(&self.database, &batch).await {
            Ok(()) => Ok(true),
            Err(error) => {
                self.uses.put_back(batch);
                Err(error)
            }
        }
    }
}

/// Whoever makes or changes a key of another could act as them, and so must be able to do all that they can.
async fn require_cover(tx: &Tx, owner: &Owner, by: Option<Held>) -> Result<(), ApiKeyError> {
    let Some(by) = by else { return Ok(()) };
    let reach = match owner {
        Owner::Person(_) => store::means(tx, owner, None).await?.map(|means| means.held),
        Owner::ServiceAccount(id) => service_accounts::reach(tx, id).await?,
    };
    if by.covers(&reach.ok_or(ApiKeyError::NoOwner)?) { Ok(()) } else { Err(ApiKeyError::Beyond) }
}

/// Whether a string could be an API key.
pub fn is_key(presented: &str) -> bool {
    is_token(presented, PREFIX)
}

fn hint(secret: &str) -> String {
    secret.chars().skip(PREFIX.len()).take(HINT).collect()
}
