//! How servers hear that what they keep in memory has changed: each change moves a counter in its transaction.
//!
//! On PostgreSQL the change also notifies the other nodes; the poll is the net below that, and all there is on SQLite.

use std::time::Duration;

use sea_orm::ConnectionTrait as _;
use sea_orm::sqlx::postgres::PgListener;
use tokio::sync::mpsc;

use super::{Database, DatabaseError, Tx, execute};

const CHANNEL: &str = "bonafide_snapshot";
/// A change is in force everywhere within a second, however it is made.
const POLL: Duration = Duration::from_millis(500);

/// Says, inside the transaction of a change, that snapshots must be read again.
pub async fn bump(tx: &Tx) -> Result<(), DatabaseError> {
    execute(tx, "UPDATE epochs SET value = value + 1 WHERE name = 'snapshot'", []).await?;
    if tx.get_database_backend() == sea_orm::DatabaseBackend::Postgres {
        execute(tx, "SELECT pg_notify('bonafide_snapshot', '')", []).await?;
    }
    Ok(())
}

impl Database {
    pub async fn epoch(&self) -> Result<i64, DatabaseError> {
        let row = self.query_one(self.statement("SELECT value FROM epochs WHERE name = 'snapshot'", [])).await?;
        Ok(row.map(|row| row.try_get::<i64>("", "value")).transpose()?.unwrap_or_default())
    }
}

/// Sends the epoch whenever it has moved, until the receiver is dropped. Faults of the database are waited out.
pub async fn watch(database: Database, mut seen: i64, changed: mpsc::Sender<i64>) {
    let mut listener = None;
    loop {
        if database.is_postgres() && listener.is_none() {
            listener = listen(&database).await;
        }
        match &mut listener {
            Some(heard) => {
                if let Ok(Err(_)) = tokio::time::timeout(POLL, heard.recv()).await {
                    listener = None;
                    tokio::time::sleep(POLL).await;
                }
            }
            None => tokio::time::sleep(POLL).await,
        }
        match database.epoch().await {
            Ok(now) if now != seen => {
                seen = now;
                if changed.send(now).await.is_err() {
                    return;
                }
            }
            Ok(_) if changed.is_closed() => return,
            Ok(_) => {}
            Err(error) => tracing::warn!(%error, "cannot see whether clients or keys have changed"),
        }
    }
}

async fn listen(database: &Database) -> Option<PgListener> {
    let mut listener = PgListener::connect_with(database.pool.get_postgres_connection_pool()).await.ok()?;
    listener.ignore_pool_close_event(true);
    listener.listen(CHANNEL).await.ok()?;
    Some(listener)
}
