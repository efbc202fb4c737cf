//! The house, put together: every room with what it stands on. The servers and the commands open the same one.

use std::sync::Arc;

use crate::access::keys::ApiKeys;
use crate::access::policies::{Policies, PolicyFault};
use crate::access::roles::{Catalogue, Roles};
use crate::access::service_accounts::ServiceAccounts;
use crate::adapter::Adapter;
use crate::audit::{self, About, Event, Source};
use crate::clients::{ClientError, Clients};
use crate::exports::{self, ExportError, Exports};
use crate::federation::{self, Federation, Providers};
use crate::grants::Grants;
use crate::identity::{self, Accounts, IdentityError};
use crate::keys::{self, KeyError, KeyRing};
use crate::mail::{self, MailError};
use crate::outbox::Bell;
use crate::platform::clock::Clock;
use crate::platform::database::{Database, DatabaseError, MigrateError, bump_epoch};
use crate::platform::hashing::Hasher;
use crate::platform::outgoing::{Outgoing, OutgoingError};
use crate::platform::random::Random;
use crate::platform::secrets::{MasterKey, SecretsError};
use crate::platform::settings::Settings;
use crate::platform::storage::StorageError;
use crate::sessions::{self, Sessions};
use crate::trace::Traces;

/// What is done about a schema that is not up to date.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Schema {
    /// Migrate.
    Migrate,
    /// Make a new database's schema, but refuse an old one: only `serve` and `migrate` change what is there.
    CreateOnly,
    /// Refuse.
    Require,
}

#[derive(Debug, thiserror::Error)]
pub enum AppError {
    #[error("database.url: {0}")]
    Database(#[from] DatabaseError),
    #[error("{0}")]
    Migrate(#[from] MigrateError),
    #[error("{0}")]
    Secrets(#[from] SecretsError),
    #[error("{0}")]
    Key(#[from] KeyError),
    #[error("{0}")]
    Mail(#[from] MailError),
    #[error("{0}")]
    Client(#[from] ClientError),
    #[error("{0}")]
    Identity(#[from] IdentityError),
    #[error("{0}")]
    Export(#[from] ExportError),
    #[error("{0}")]
    Storage(#[from] StorageError),
    #[error("{0}")]
    Outgoing(#[from] OutgoingError),
    #[error("{0}")]
    Policies(#[from] PolicyFault),
}

/// All rooms.
pub struct App {
    pub settings: Arc<Settings>,
    pub clock: Arc<dyn Clock>,
    pub random: Arc<dyn Random>,
    pub database: Database,
    pub master: MasterKey,
    pub clients: Clients,
    pub service_accounts: ServiceAccounts,
    pub api_keys: ApiKeys,
    pub keys: KeyRing,
    pub accounts: Accounts,
    pub adapter: Adapter,
    pub exports: Exports,
    pub policies: Policies,
    pub roles: Roles,
    pub catalogue: Catalogue,
    pub sessions: Sessions,
    pub federation: Federation,
    pub grants: Grants,
    /// Why requests were refused.
    pub traces: Arc<Traces>,
    /// The way to other machines.
    pub outgoing: Outgoing,
    /// Rung when a message has been written to the outbox.
    pub bell: Bell,
}

impl App {
    /// Connects, brings the schema and the keys into the state that is asked for, and reads the snapshots.
    pub async fn open(
        settings: Settings,
        clock: Arc<dyn Clock>,
        random: Arc<dyn Random>,
        schema: Schema,
    ) -> Result<Self, AppError> {
        let settings = Arc::new(settings);
        let database = Database::connect(&settings.database).await?;
        match schema {
            Schema::Migrate => {
                let ran = database.migrate_up(&settings.database).await?;
                if ran > 0 {
                    tracing::info!(migrations = ran, "the database's schema is up to date now");
                }
            }
            Schema::CreateOnly => database.create_schema(&settings.database).await?,
            Schema::Require => database.require_current().await?,
        }
        let sealed = keys::sample(&database).await?;
        let master = MasterKey::load_or_create(&settings.keys.dir, sealed.as_deref(), random.as_ref())?;
        keys::ensure(&database, master.sealing(), &random, clock.now()).await?;
        let keys = KeyRing::load(&database, master.sealing().clone()).await?;
        let clients = Clients::load(&database, settings.attributes.clone()).await?;
        let hasher = Hasher::start(&settings.passwords, random.clone());
        if let Some(hash) = identity::imported_hash(&database).await? {
            hasher.meet(&hash);
        }
        let bell = Bell::default();
        let accounts = Accounts::new(
            database.clone(),
            clock.clone(),
            random.clone(),
            hasher,
            settings.clone(),
            bell.clone(),
            master.sealing().clone(),
        )?;
        let outgoing = Outgoing::new(&settings.outgoing, &[])?;
        Ok(Self {
            api_keys: ApiKeys::new(database.clone(), clock.clone(), random.clone(), &settings.issuer),
            service_accounts: ServiceAccounts::new(database.clone(), clock.clone(), random.clone()),
            adapter: Adapter::new(database.clone(), clock.clone(), random.clone(), accounts.clone(), bell.clone()),
            exports: Exports::new(
                database.clone(),
                clock.clone(),
                random.clone(),
                settings.clone(),
                accounts.clone(),
                bell.clone(),
                master.sealing().clone(),
            ),
            accounts,
            roles: Roles::new(database.clone(), clock.clone(), random.clone()),
            catalogue: Catalogue::load(&database).await?,
            sessions: Sessions::new(database.clone(), clock.clone(), random.clone(), settings.clone(), bell.clone()),
            federation: Federation::new(
                Providers::load(&database, &settings, master.sealing()).await?,
                database.clone(),
                clock.clone(),
                random.clone(),
                settings.clone(),
                master.sealing().clone(),
                outgoing.clone(),
            ),
            policies: Policies::load(database.clone(), clock.clone(), random.clone()).await?,
            grants: Grants::new(database.clone(), clock.clone(), random.clone(), settings.clone(), bell.clone()),
            traces: Arc::new(Traces::new(database.clone(), clock.clone(), settings.traces.clone())),
            outgoing,
            settings,
            clock,
            random,
            database,
            bell,
            master,
            clients,
            keys,
        })
    }

    /// Reads clients, APIs, roles, policies, providers and keys again.
    pub async fn reload(&self) -> Result<(), AppError> {
        self.clients.reload(&self.database).await?;
        self.catalogue.reload(&self.database).await?;
        self.policies.reload().await?;
        self.reload_keys().await?;
        // What they sealed opens only under a master key that is read by then.
        Ok(self.federation.reload().await?)
    }

    async fn reload_keys(&self) -> Result<(), AppError> {
        match self.keys.reload(&self.database).await {
            // Perhaps `key reseal` was here.
            Err(KeyError::Sealed(sealed)) => {
                let sample = keys::sample(&self.database).await?;
                if !sample.map(|sample| self.master.read_again(&sample)).transpose()?.unwrap_or(false) {
                    return Err(KeyError::Sealed(sealed).into());
                }
                tracing::info!("the master key was replaced and is read again");
                Ok(self.keys.reload(&self.database).await?)
            }
            other => Ok(other?),
        }
    }

    /// Makes a new master key and seals everything anew that the database holds under the old one. Whatever room seals under
    /// the master key has a line here. Answers how many secrets were sealed.
    pub async fn reseal(&self) -> Result<u64, AppError> {
        let successor = self.master.successor(self.random.as_ref());
        let (old, new) = (self.master.sealing().clone(), successor.clone());
        let (random, now) = (self.random.clone(), self.clock.now());
        let action = self.database.write(move |tx| {
            Box::pin(async move {
                // The epoch's row is locked until the end: no key is made meanwhile, and no other master key.
                bump_epoch(tx).await?;
                let mut sealed = keys::reseal(tx, &old, new.sealing(), random.as_ref()).await?;
                sealed += mail::reseal(tx, &old, new.sealing(), random.as_ref()).await?;
                sealed += federation::reseal(tx, &old, new.sealing(), random.as_ref()).await?;
                sealed += sessions::reseal(tx, &old, new.sealing(), random.as_ref()).await?;
                sealed += exports::reseal(tx, &old, new.sealing(), random.as_ref()).await?;
                new.write()?;
                let event = Event::MasterKeyReplaced { sealed };
                audit::record(tx, random.id(now), now, &event, &About::default(), &Source::default()).await?;
                Ok::<_, AppError>(sealed)
            })
        });
        let sealed = action.await?;
        successor.put_in_place()?;
        Ok(sealed)
    }
}
