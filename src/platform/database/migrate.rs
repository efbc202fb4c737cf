//! Brings the schema up to date, once, however many programs start at the same time.

use std::collections::BTreeSet;
use std::fs::{File, OpenOptions};
use std::os::unix::fs::OpenOptionsExt as _;

use migration::{Migrator, MigratorTrait as _};
use sea_orm::{ConnectOptions, ConnectionTrait as _, DatabaseConnection};

use super::{Database, DatabaseError};
use crate::platform::settings;

/// Any number that no other program takes.
const ADVISORY_LOCK: i64 = 0x626f_6e61_6669_6465;

#[derive(Debug, thiserror::Error)]
pub enum MigrateError {
    #[error("{0}")]
    Database(#[from] DatabaseError),
    #[error(
        "the database was migrated by a newer version of this program (it has {0}): run that version, or go back with its `migrate down`"
    )]
    Newer(String),
    #[error("the database is not up to date ({0} migrations are missing): run `bonafide migrate up`")]
    Behind(usize),
    #[error("{0}: {1}")]
    Lock(String, std::io::Error),
}

/// A migration and whether it has run.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Applied {
    pub name: String,
    pub applied: bool,
}

impl Database {
    /// Runs what is missing. Costs one SELECT when nothing is.
    pub async fn migrate_up(&self, settings: &settings::Database) -> Result<usize, MigrateError> {
        if self.missing().await? == 0 {
            return Ok(0);
        }
        let lock = Lock::take(settings).await?;
        let missing = self.missing().await?;
        let result = Migrator::up(&lock.connection, None).await.map_err(DatabaseError::from);
        lock.release().await;
        result?;
        Ok(missing)
    }

    /// Makes a new database's schema, and leaves an old one alone. Another program may be making it at this moment: then
    /// this waits for it.
    pub async fn create_schema(&self, settings: &settings::Database) -> Result<(), MigrateError> {
        if self.missing().await? == 0 {
            return Ok(());
        }
        let lock = Lock::take(settings).await?;
        let result = match self.applied().await {
            Ok(done) if done.is_empty() => {
                Migrator::up(&lock.connection, None).await.map_err(|error| DatabaseError::from(error).into())
            }
            Ok(_) => self.require_current().await,
            Err(error) => Err(error.into()),
        };
        lock.release().await;
        result
    }

    /// Takes the last `steps` migrations back.
    pub async fn migrate_down(&self, settings: &settings::Database, steps: u32) -> Result<(), MigrateError> {
        self.missing().await?;
        let lock = Lock::take(settings).await?;
        let result = Migrator::down(&lock.connection, Some(steps)).await.map_err(DatabaseError::from);
        lock.release().await;
        Ok(result?)
    }

    pub async fn migrations(&self) -> Result<Vec<Applied>, MigrateError> {
        let done = self.applied().await?;
        Ok(known().into_iter().map(|name| Applied { applied: done.contains(&name), name }).collect())
    }

    /// Refuses a schema that this binary does not know.
    pub async fn require_current(&self) -> Result<(), MigrateError> {
        match self.missing().await? {
            0 => Ok(()),
            missing => Err(MigrateError::Behind(missing)),
        }
    }

    async fn missing(&self) -> Result<usize, MigrateError> {
        let known = known();
        let done = self.applied().await?;
        if let Some(newer) = done.iter().find(|name| !known.contains(name)) {
            return Err(MigrateError::Newer(newer.clone()));
        }
        Ok(known.len() - done.len())
    }

    async fn applied(&self) -> Result<BTreeSet<String>, DatabaseError> {
        let table = if self.is_postgres() {
            "SELECT 1 WHERE to_regclass('seaql_migrations') IS NOT NULL"
        } else {
            "SELECT 1 FROM sqlite_master WHERE type = 'table' AND name = 'seaql_migrations'"
        };
        if self.query_one(self.statement(table, [])).await?.is_none() {
            return Ok(BTreeSet::new());
        }
        let rows = self.query_all(self.statement("SELECT version FROM seaql_migrations", [])).await?;
        Ok(rows.iter().map(|row| row.try_get("", "version")).collect::<Result<_, _>>()?)
    }
}

fn known() -> Vec<String> {
    Migrator::get_migration_files().iter().map(|migration| migration.name().to_owned()).collect()
}

/// A connection of its own, and the right to change the schema with it.
struct Lock {
    connection: DatabaseConnection,
    file: Option<File>,
}

impl Lock {
    async fn take(settings: &settings::Database) -> Result<Self, MigrateError> {
        let url = settings.url.expose();
        let mut options = ConnectOptions::new(url);
        options.max_connections(1).sqlx_logging(false);
        let connection = sea_orm::Database::connect(options).await.map_err(DatabaseError::Unavailable)?;
        let Some(path) = url.strip_prefix("sqlite:") else {
            let lock = format!("SELECT pg_advisory_lock({ADVISORY_LOCK})");
            connection.execute_unprepared(&lock).await.map_err(DatabaseError::from)?;
            return Ok(Self { connection, file: None });
        };
        let path = path.trim_start_matches("//").split('?').next().unwrap_or_default();
        let path = format!("{path}.lock");
        let file = OpenOptions::new().write(true).create(true).truncate(false).mode(0o600).open(&path);
        let file = file.map_err(|error| MigrateError::Lock(path.clone(), error))?;
        // Waits for another program that migrates: seconds, at a first start.
        file.lock().map_err(|error| MigrateError::Lock(path, error))?;
        Ok(Self { connection, file: Some(file) })
    }

    /// The advisory lock goes with its connection, the file's lock with the file.
    async fn release(self) {
        if let Err(error) = self.connection.close().await {
            tracing::warn!(%error, "the migrating connection did not close cleanly");
        }
        drop(self.file);
    }
}
