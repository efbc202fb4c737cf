//! What can go wrong with a database, told apart by what the caller can do about it.

use sea_orm::{ConnAcquireErr, DbErr, RuntimeErr, SqlxError};

#[derive(Debug, thiserror::Error)]
pub enum DatabaseError {
    /// Nobody answers, or all connections are taken: try again later.
    #[error("the database cannot be reached: {0}")]
    Unavailable(DbErr),
    /// The connection broke under this statement.
    #[error("the connection to the database broke: {0}")]
    Disconnected(DbErr),
    #[error("an action took longer than it may")]
    TooSlow,
    #[error("an action panicked and was rolled back")]
    Panicked,
    /// A unique key, a foreign key or a check said no.
    #[error("the database refused: {0}")]
    Conflict(DbErr),
    #[error(transparent)]
    Failed(DbErr),
    #[error("{0}")]
    Settings(String),
    /// The batch that this action was in could not be committed.
    #[error("the commit failed: {0}")]
    Commit(String),
}

impl DatabaseError {
    /// Whether trying again later can help: the answer is 503, not 500.
    pub fn is_unavailable(&self) -> bool {
        matches!(self, Self::Unavailable(_) | Self::Disconnected(_) | Self::TooSlow)
    }

    pub(super) fn is_disconnect(&self) -> bool {
        matches!(self, Self::Disconnected(_))
    }

    /// What an action answers that finds somebody else quicker: it is rolled back, and its caller looks again.
    pub fn conflict() -> Self {
        Self::Conflict(DbErr::Custom("somebody else was quicker".to_owned()))
    }

    pub fn is_conflict(&self) -> bool {
        matches!(self, Self::Conflict(_))
    }
}

impl From<DbErr> for DatabaseError {
    fn from(error: DbErr) -> Self {
        if error.sql_err().is_some() {
            return Self::Conflict(error);
        }
        match &error {
            DbErr::ConnectionAcquire(ConnAcquireErr::Timeout | ConnAcquireErr::ConnectionClosed) => {
                Self::Unavailable(error)
            }
            DbErr::Conn(RuntimeErr::SqlxError(cause))
            | DbErr::Exec(RuntimeErr::SqlxError(cause))
            | DbErr::Query(RuntimeErr::SqlxError(cause)) => match cause.as_ref() {
                SqlxError::Io(_) | SqlxError::Protocol(_) | SqlxError::WorkerCrashed => Self::Disconnected(error),
                SqlxError::PoolTimedOut | SqlxError::PoolClosed | SqlxError::Tls(_) => Self::Unavailable(error),
                SqlxError::Database(said) => match said.code().as_deref() {
                    // The server is going down or was told to drop us.
                    Some("57P01" | "57P02" | "57P05") => Self::Disconnected(error),
                    // It is starting, has no connections left, waited for a lock or a statement too long, has no disk; SQLite: busy, full.
                    Some("57P03" | "53300" | "55P03" | "57014" | "53100" | "5" | "13") => Self::Unavailable(error),
                    _ => Self::Failed(error),
                },
                _ => Self::Failed(error),
            },
            DbErr::Conn(_) => Self::Unavailable(error),
            _ => Self::Failed(error),
        }
    }
}
