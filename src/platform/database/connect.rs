//! Opens the connections, with every option that durability and bounded waiting need.

use std::fs;
use std::os::unix::fs::{DirBuilderExt as _, OpenOptionsExt as _};
use std::path::Path;
use std::time::Duration;

use sea_orm::{ConnectOptions, DatabaseBackend};

use super::writer::Writer;
use super::{Database, DatabaseError};
use crate::platform::settings;

pub(super) async fn connect(settings: &settings::Database) -> Result<Database, DatabaseError> {
    let url = settings.url.expose();
    if url.starts_with("sqlite:") {
        sqlite(url, settings.max_connections).await
    } else {
        postgres(url, settings.max_connections).await
    }
}

fn options(url: &str, most: u32, least: u32) -> ConnectOptions {
    let mut options = ConnectOptions::new(url);
    options
        .max_connections(most)
        .min_connections(least)
        .acquire_timeout(Duration::from_secs(2))
        .connect_timeout(Duration::from_secs(5))
        .test_before_acquire(false)
        .sqlx_logging(false);
    options
}

async fn postgres(url: &str, max_connections: u32) -> Result<Database, DatabaseError> {
    let cores = std::thread::available_parallelism().map_or(1, std::num::NonZero::get);
    let most = if max_connections == 0 { u32::try_from(cores * 4).unwrap_or(8) } else { max_connections };
    let mut options = options(url, most, 0);
    options.set_application_name("bonafide").map_sqlx_postgres_opts(|options| {
        options.options([
            ("statement_timeout", "5000"),
            ("lock_timeout", "2000"),
            ("idle_in_transaction_session_timeout", "10000"),
        ])
    });
    let pool = sea_orm::Database::connect(options).await.map_err(unreachable)?;
    Ok(Database { pool, writer: None, backend: DatabaseBackend::Postgres })
}

async fn sqlite(url: &str, max_connections: u32) -> Result<Database, DatabaseError> {
    let path = url.trim_start_matches("sqlite:").trim_start_matches("//");
    let path = path.split('?').next().unwrap_or(path);
    if path.is_empty() || path == ":memory:" {
        return Err(DatabaseError::Settings("SQLite needs a file: sqlite://data/bonafide.db".to_owned()));
    }
    create_file(Path::new(path)).map_err(|error| DatabaseError::Settings(format!("{path}: {error}")))?;
    let url = format!("sqlite://{path}");
    let mut writing = options(&url, 1, 1);
    writing.idle_timeout(None::<Duration>).max_lifetime(None::<Duration>).map_sqlx_sqlite_opts(|options| {
        options
            .foreign_keys(true)
            .busy_timeout(Duration::from_secs(5))
            .pragma("journal_mode", "WAL")
            .pragma("synchronous", "FULL")
            .pragma("temp_store", "MEMORY")
    });
    let writer = sea_orm::Database::connect(writing).await.map_err(unreachable)?;
    let readers = if max_connections == 0 { 2 } else { max_connections };
    let mut reading = options(&url, readers, 1);
    reading.idle_timeout(None::<Duration>).max_lifetime(None::<Duration>).map_sqlx_sqlite_opts(|options| {
        options.foreign_keys(true).busy_timeout(Duration::from_secs(5)).pragma("query_only", "ON")
    });
    let pool = sea_orm::Database::connect(reading).await.map_err(unreachable)?;
    Ok(Database { pool, writer: Some(Writer::start(writer)), backend: DatabaseBackend::Sqlite })
}

fn unreachable(error: sea_orm::DbErr) -> DatabaseError {
    DatabaseError::Unavailable(error)
}

/// SQLite would make the file with the umask's mode, and its journal with the file's.
fn create_file(path: &Path) -> std::io::Result<()> {
    if let Some(folder) = path.parent().filter(|folder| !folder.as_os_str().is_empty() && !folder.exists()) {
        fs::DirBuilder::new().recursive(true).mode(0o700).create(folder)?;
    }
    fs::OpenOptions::new().write(true).create(true).truncate(false).mode(0o600).open(path).map(|_| ())
}
