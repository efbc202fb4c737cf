//! The database: SQLite or PostgreSQL behind one call for a business action. Engine differences live in this folder alone.
//!
//! An action is a transaction in a task of its own: a caller that hangs up cancels nothing. On PostgreSQL the actions run
//! side by side; on SQLite one writer gathers those that wait into one durable commit.

mod connect;
mod epoch;
mod error;
mod migrate;
mod writer;

use std::future::Future;
use std::pin::Pin;
use std::time::Duration;

use sea_orm::{
    AccessMode, ConnectionTrait as _, DatabaseBackend, DatabaseConnection, DatabaseTransaction, DbErr, FromQueryResult,
    IsolationLevel, QueryResult, Statement, TransactionTrait as _, Value,
};

use tracing::Instrument as _;

pub use epoch::{bump as bump_epoch, watch as watch_epoch};
pub use error::DatabaseError;
pub use migrate::{Applied, MigrateError};

use super::measure::Step;
use super::settings;
use writer::Writer;

/// What an action writes through, the same on both engines.
pub type Tx = DatabaseTransaction;
/// The future of an action; `Box::pin(async move { … })`.
pub type Action<'c, T, E> = Pin<Box<dyn Future<Output = Result<T, E>> + Send + 'c>>;

/// How long an action may take before it is rolled back.
const ACTION_LIMIT: Duration = Duration::from_secs(2);

/// Whether an acknowledged commit survives a power cut, and how the engine says so.
#[derive(Clone, Debug)]
pub struct Durability {
    pub durable: bool,
    pub described: String,
}

/// How full a database is at one moment.
#[derive(Clone, Copy, Debug)]
pub struct Load {
    /// Open connections that may be used for anything (SQLite: to read).
    pub connections: u32,
    pub idle: usize,
    /// Actions that wait for SQLite's writer.
    pub writer_queue: usize,
}

/// A connected database.
#[derive(Clone)]
pub struct Database {
    /// PostgreSQL: all connections. SQLite: connections that can only read.
    pool: DatabaseConnection,
    writer: Option<Writer>,
    backend: DatabaseBackend,
}

impl Database {
    /// Connects; on SQLite makes the file, readable by its owner only.
    pub async fn connect(settings: &settings::Database) -> Result<Self, DatabaseError> {
        connect::connect(settings).await
    }

    /// A statement for this engine. Placeholders are `$1`, `$2`, … on both.
    pub fn statement<const N: usize>(&self, sql: &str, values: [Value; N]) -> Statement {
        statement(self.backend, sql, values)
    }

    /// Rows outside an action; never sees what is not committed.
    pub async fn query_all(&self, statement: Statement) -> Result<Vec<QueryResult>, DatabaseError> {
        Step::DatabaseQuery.around(insist(&self.pool, || self.pool.query_all_raw(statement.clone()))).await
    }

    /// At most one row outside an action.
    pub async fn query_one(&self, statement: Statement) -> Result<Option<QueryResult>, DatabaseError> {
        Step::DatabaseQuery.around(self.ask(statement)).await
    }

    async fn ask(&self, statement: Statement) -> Result<Option<QueryResult>, DatabaseError> {
        insist(&self.pool, || self.pool.query_one_raw(statement.clone())).await
    }

    /// The rows as a type.
    pub async fn find_all<M: FromQueryResult>(&self, statement: Statement) -> Result<Vec<M>, DatabaseError> {
        Ok(self
            .query_all(statement)
            .await?
            .iter()
            .map(|row| M::from_query_result(row, ""))
            .collect::<Result<_, _>>()?)
    }

    pub async fn find_one<M: FromQueryResult>(&self, statement: Statement) -> Result<Option<M>, DatabaseError> {
        Ok(self.query_one(statement).await?.map(|row| M::from_query_result(&row, "")).transpose()?)
    }

    /// For SeaORM's own queries that only read.
    pub fn reader(&self) -> &DatabaseConnection {
        &self.pool
    }

    /// For several reads of one moment: what is committed between them is in none. To be closed by `commit`, which writes nothing.
    pub async fn view(&self) -> Result<Tx, DatabaseError> {
        // SQLite's readers see what was there when they began, whatever is asked of them.
        let postgres = self.is_postgres();
        let isolation = postgres.then_some(IsolationLevel::RepeatableRead);
        let access = postgres.then_some(AccessMode::ReadOnly);
        insist(&self.pool, || self.pool.begin_with_config(isolation, access)).await
    }

    /// Runs one statement by itself, durable when it answers, with the row it returns if any. On a connection that turns out
    /// to be closed it is tried once more, so it must be one that can run twice or whose key keeps it from it.
    pub async fn run(&self, statement: Statement) -> Result<Option<QueryResult>, DatabaseError> {
        match &self.writer {
            Some(writer) => Step::DatabaseAction.around(writer.run(statement)).await,
            None => Step::DatabaseAction.around(self.ask(statement)).await,
        }
    }

    /// Runs a business action as one transaction: all of it is durable when this answers `Ok`, none of it otherwise.
    pub fn write<T, E, F>(&self, action: F) -> impl Future<Output = Result<T, E>>
    where
        F: for<'c> FnOnce(&'c Tx) -> Action<'c, T, E> + Send + 'static,
        T: Send + 'static,
        E: From<DatabaseError> + Send + 'static,
    {
        Step::DatabaseAction.around(self.act(action))
    }

    async fn act<T, E, F>(&self, action: F) -> Result<T, E>
    where
        F: for<'c> FnOnce(&'c Tx) -> Action<'c, T, E> + Send + 'static,
        T: Send + 'static,
        E: From<DatabaseError> + Send + 'static,
    {
        if let Some(writer) = &self.writer {
            return writer.write(action).await;
        }
        let pool = self.pool.clone();
        let work = async move {
            let tx = begin(&pool).await?;
            match tokio::time::timeout(ACTION_LIMIT, action(&tx)).await {
                Ok(Ok(value)) => {
                    tx.commit().await.map_err(DatabaseError::from)?;
                    Ok(value)
                }
                Ok(Err(error)) => {
                    tx.rollback().await.map_err(DatabaseError::from)?;
                    Err(error)
                }
                Err(_) => Err(DatabaseError::TooSlow.into()),
            }
        };
        // What it logs belongs to the request that wants it.
        let task = tokio::spawn(work.in_current_span());
        task.await.unwrap_or_else(|_| Err(DatabaseError::Panicked.into()))
    }

    /// How full it is.
    pub fn load(&self) -> Load {
        let (connections, idle) = if self.is_postgres() {
            let pool = self.pool.get_postgres_connection_pool();
            (pool.size(), pool.num_idle())
        } else {
            let pool = self.pool.get_sqlite_connection_pool();
            (pool.size(), pool.num_idle())
        };
        Load { connections, idle, writer_queue: self.writer.as_ref().map_or(0, Writer::waiting) }
    }

    /// Whether the database answers.
    pub async fn ping(&self) -> Result<(), DatabaseError> {
        self.query_one(self.statement("SELECT 1", [])).await.map(|_| ())
    }

    /// What a commit is worth here.
    pub async fn durability(&self) -> Result<Durability, DatabaseError> {
        if self.is_postgres() {
            let row = self
                .query_one(self.statement("SELECT current_setting('synchronous_commit') AS s, version() AS v", []))
                .await?;
            let row = row.ok_or(DatabaseError::Settings("PostgreSQL answered nothing".to_owned()))?;
            let (level, version): (String, String) = (row.try_get("", "s")?, row.try_get("", "v")?);
            let version = version.split(" (").next().unwrap_or_default().to_owned();
            return Ok(Durability {
                durable: level != "off",
                described: format!("{version}, synchronous_commit = {level}"),
            });
        }
        // Of the writing connection: the readers' own setting says nothing.
        let row = self.run(self.statement("PRAGMA synchronous", [])).await?;
        let level: i32 = row.map(|row| row.try_get("", "synchronous")).transpose()?.unwrap_or_default();
        let row = self.query_one(self.statement("PRAGMA journal_mode", [])).await?;
        let mode: String = row.map(|row| row.try_get("", "journal_mode")).transpose()?.unwrap_or_default();
        Ok(Durability {
            durable: level >= 2,
            described: format!("SQLite, journal_mode = {mode}, synchronous = {level} (2 is FULL)"),
        })
    }

    /// What a SELECT inside an action ends with to take rows for the action, passing by those that another one has taken.
    /// SQLite has one writer, so there it needs nothing.
    pub fn skip_locked(&self) -> &'static str {
        if self.is_postgres() { " FOR UPDATE SKIP LOCKED" } else { "" }
    }

    pub fn is_postgres(&self) -> bool {
        self.backend == DatabaseBackend::Postgres
    }

    /// Finishes what is queued and closes the connections.
    pub async fn close(&self) {
        if let Some(writer) = &self.writer {
            writer.close().await;
        }
        if let Err(error) = self.pool.clone().close().await {
            tracing::warn!(%error, "the database did not close cleanly");
        }
    }
}

/// What `string_agg(…, '\n')` has put together: in order, each once.
pub fn lines(text: Option<&str>) -> Vec<String> {
    let mut lines: Vec<String> = text.into_iter().flat_map(|text| text.split('\n')).map(str::to_owned).collect();
    lines.sort();
    lines.dedup();
    lines
}

/// A statement inside an action.
pub fn statement<const N: usize>(backend: DatabaseBackend, sql: &str, values: [Value; N]) -> Statement {
    Statement::from_sql_and_values(backend, sql, values)
}

/// What a SELECT by key inside an action ends with so that the row stays as it was read until the action has ended; for
/// others to read, or for the action itself `to_change`. SQLite has one writer, so there it needs nothing.
pub fn hold_row(tx: &Tx, to_change: bool) -> &'static str {
    match (tx.get_database_backend(), to_change) {
        (DatabaseBackend::Postgres, false) => " FOR SHARE",
        (DatabaseBackend::Postgres, true) => " FOR NO KEY UPDATE",
        _ => "",
    }
}

/// A row of a statement inside an action, as a type.
pub async fn fetch_one<M: FromQueryResult, const N: usize>(
    tx: &Tx,
    sql: &str,
    values: [Value; N],
) -> Result<Option<M>, DatabaseError> {
    let row = tx.query_one_raw(statement(tx.get_database_backend(), sql, values)).await?;
    Ok(row.map(|row| M::from_query_result(&row, "")).transpose()?)
}

/// All rows of a statement inside an action, as a type.
pub async fn fetch_all<M: FromQueryResult, const N: usize>(
    tx: &Tx,
    sql: &str,
    values: [Value; N],
) -> Result<Vec<M>, DatabaseError> {
    let rows = tx.query_all_raw(statement(tx.get_database_backend(), sql, values)).await?;
    Ok(rows.iter().map(|row| M::from_query_result(row, "")).collect::<Result<_, _>>()?)
}

/// Runs a statement inside an action; answers how many rows it touched.
pub async fn execute<const N: usize>(tx: &Tx, sql: &str, values: [Value; N]) -> Result<u64, DatabaseError> {
    Ok(tx.execute_raw(statement(tx.get_database_backend(), sql, values)).await?.rows_affected())
}

async fn begin(pool: &DatabaseConnection) -> Result<Tx, DatabaseError> {
    insist(pool, || pool.begin()).await
}

/// Tries again on another connection as long as one turns out to be closed. A server that was restarted has closed all of
/// them, and each is found out by its first use only.
async fn insist<T, F>(pool: &DatabaseConnection, attempt: impl Fn() -> F) -> Result<T, DatabaseError>
where
    F: Future<Output = Result<T, DbErr>>,
{
    let closed = match pool.get_database_backend() {
        DatabaseBackend::Postgres => pool.get_postgres_connection_pool().size(),
        _ => 1,
    };
    for _ in 0..closed {
        match attempt().await.map_err(DatabaseError::from) {
            Err(error) if error.is_disconnect() => {}
            other => return other,
        }
    }
    Ok(attempt().await?)
}
