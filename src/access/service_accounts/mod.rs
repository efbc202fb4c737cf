//! Service accounts: clients with the grant `client_credentials`, which act for themselves. What they may do is in their roles.
//!
//! Whoever changes one must be able to do all that it may before and after (`by`; operators need not say): else they would
//! raise themselves by its secret.

mod store;

use std::sync::Arc;

use chrono::{DateTime, Utc};

use super::Held;
use super::roles::{self, given_by};
use crate::audit::{self, About, Event, Source};
use crate::clients::{self, Client, ClientError, Draft, GrantType, Overlap, Problem};
use crate::platform::clock::Clock;
use crate::platform::database::{Database, DatabaseError, Tx, bump_epoch};
use crate::platform::random::Random;
use crate::platform::secrets;

use store::Row;

/// A client that acts for itself.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ServiceAccount {
    pub id: String,
    pub name: String,
    /// In order.
    pub roles: Vec<String>,
    pub disabled: bool,
    /// Milliseconds since 1970, as all times here; past ones mean nothing.
    pub previous_secret_expires_at: Option<i64>,
    pub created_at: i64,
    pub updated_at: i64,
}

#[derive(Debug, thiserror::Error)]
pub enum ServiceAccountError {
    #[error("{0}")]
    Client(#[from] ClientError),
    #[error("{0} is no service account: it has not the grant client_credentials")]
    NotOne(String),
    #[error("{0:?} is not a role: small letters, digits, - and _, a letter first")]
    NoRole(String),
    #[error("it may do, or would, what who asks may not")]
    Beyond,
    /// People sign in to it.
    #[error("the client {0} has redirect URIs: `bonafide client delete` removes it")]
    Application(String),
}

impl From<DatabaseError> for ServiceAccountError {
    fn from(error: DatabaseError) -> Self {
        Self::Client(error.into())
    }
}

impl From<Problem> for ServiceAccountError {
    fn from(problem: Problem) -> Self {
        Self::Client(problem.into())
    }
}

/// The service accounts, with all that looking after them takes.
#[derive(Clone)]
pub struct ServiceAccounts {
    database: Database,
    clock: Arc<dyn Clock>,
    random: Arc<dyn Random>,
}

/// What one action needs besides.
struct Step {
    now: DateTime<Utc>,
    random: Arc<dyn Random>,
    source: Source,
    by: Option<Held>,
}

impl Step {
    /// Refuses whoever may not do all of this.
    fn require(&self, held: &Held) -> Result<(), ServiceAccountError> {
        match &self.by {
            Some(by) if !by.covers(held) => Err(ServiceAccountError::Beyond),
            _ => Ok(()),
        }
    }

    async fn record(&self, tx: &Tx, id: &str, event: &Event) -> Result<(), DatabaseError> {
        audit::record(tx, self.random.id(self.now), self.now, event, &About::client(id), &self.source).await
    }

    /// The service account, which nobody changes before the action ends, if who asks may change it.
    async fn hold(&self, tx: &Tx, id: &str) -> Result<Row, ServiceAccountError> {
        bump_epoch(tx).await?;
        let row = store::find_in(tx, id).await?.ok_or_else(|| ClientError::Unknown(id.to_owned()))?;
        if !row.is_service_account() {
            return Err(ServiceAccountError::NotOne(id.to_owned()));
        }
        self.require(&row.reach())?;
        Ok(row)
    }
}

impl ServiceAccounts {
    pub fn new(database: Database, clock: Arc<dyn Clock>, random: Arc<dyn Random>) -> Self {
        Self { database, clock, random }
    }

    fn step(&self, by: Option<Held>, source: &Source) -> Step {
        Step { now: self.clock.now(), random: self.random.clone(), source: source.clone(), by }
    }

    /// So many, by their ids, that come after one.
    pub async fn page(&self, after: Option<&str>, most: u64) -> Result<Vec<ServiceAccount>, DatabaseError> {
        store::page(&self.database, after, most).await
    }

    pub async fn find(&self, id: &str) -> Result<Option<ServiceAccount>, DatabaseError> {
        store::find(&self.database, id).await
    }

    /// Makes one. Answers its secret, which is shown this once.
    pub async fn create(
        &self,
        name: String,
        roles: Vec<String>,
        by: Option<Held>,
        source: &Source,
    ) -> Result<(ServiceAccount, String), ServiceAccountError> {
        let step = self.step(by, source);
        for role in &roles {
            require_role(role)?;
        }
        let draft = Draft {
            client_name: Some(name),
            grant_types: Some(vec![GrantType::ClientCredentials.name().to_owned()]),
            scope: Some(String::new()),
            ..Draft::default()
        };
        let secret = clients::new_secret(self.random.as_ref());
        let draft = draft.apply(clients::new_id(self.random.as_ref()), None, &[])?;
        let client = Client { secret_hash: Some(secrets::hash(&secret)), ..draft };
        let id = client.id.clone();
        let action = self.database.write(move |tx| {
            Box::pin(async move {
                clients::create_in(tx, &client, step.now).await?;
                step.record(tx, &client.id, &Event::ClientChanged { what: "created" }).await?;
                for role in roles {
                    add_role(tx, &step, &client.id, role).await?;
                }
                Ok::<_, ServiceAccountError>(())
            })
        });
        action.await?;
        let made = self.find(&id).await?.ok_or(ClientError::Unknown(id))?;
        Ok((made, secret))
    }

    /// Removes one with all that was granted to it, unless people sign in to it.
    pub async fn delete(&self, id: &str, by: Option<Held>, source: &Source) -> Result<(), ServiceAccountError> {
        let (step, id) = (self.step(by, source), id.to_owned());
        let action = self.database.write(move |tx| {
            Box::pin(async move {
                if step.hold(tx, &id).await?.is_application() {
                    return Err(ServiceAccountError::Application(id));
                }
                store::delete(tx, &id).await?;
                Ok(step.record(tx, &id, &Event::ClientChanged { what: "deleted" }).await?)
            })
        });
        action.await
    }

    /// Gives one a role, or takes it.
    pub async fn assign(
        &self,
        id: &str,
        role: &str,
        give: bool,
        by: Option<Held>,
        source: &Source,
    ) -> Result<(), ServiceAccountError> {
        require_role(role)?;
        let (step, id, role) = (self.step(by, source), id.to_owned(), role.to_owned());
        let action = self.database.write(move |tx| {
            Box::pin(async move {
                step.hold(tx, &id).await?;
                if give {
                    return add_role(tx, &step, &id, role).await;
                }
                if store::take_role(tx, &id, &role).await? {
                    step.record(tx, &id, &Event::RoleRevoked { role }).await?;
                }
                Ok(())
            })
        });
        action.await
    }

    /// Gives one a new secret, which is shown this once.
    pub async fn rotate_secret(
        &self,
        id: &str,
        overlap: Overlap,
        by: Option<Held>,
        source: &Source,
    ) -> Result<String, ServiceAccountError> {
        let (step, id) = (self.step(by, source), id.to_owned());
        let secret = clients::new_secret(self.random.as_ref());
        let hash = secrets::hash(&secret);
        let action = self.database.write(move |tx| {
            Box::pin(async move {
                step.hold(tx, &id).await?;
                clients::rotate_secret_in(tx, &id, hash, overlap, step.now).await?;
                Ok::<_, ServiceAccountError>(step.record(tx, &id, &Event::ClientChanged { what: "secret" }).await?)
            })
        });
        action.await?;
        Ok(secret)
    }
}

/// All that whoever has a service account's secret can do.
pub(super) async fn reach(tx: &Tx, id: &str) -> Result<Option<Held>, DatabaseError> {
    let row = store::find_in(tx, id).await?;
    Ok(row.filter(Row::is_service_account).map(|row| row.reach()))
}

async fn add_role(tx: &Tx, step: &Step, id: &str, role: String) -> Result<(), ServiceAccountError> {
    step.require(&given_by(tx, std::slice::from_ref(&role)).await?)?;
    if store::give_role(tx, id, &role).await? {
        step.record(tx, id, &Event::RoleGranted { role }).await?;
    }
    Ok(())
}

fn require_role(role: &str) -> Result<(), ServiceAccountError> {
    if roles::is_name(role) { Ok(()) } else { Err(ServiceAccountError::NoRole(role.to_owned())) }
}
