//! The table `outbox`.

use sea_orm::FromQueryResult;
use serde::Deserialize;
use uuid::Uuid;

use crate::platform::database::{Database, DatabaseError};

/// A mail as the outbox holds it.
#[derive(Clone, Debug, Deserialize)]
pub struct Mail {
    #[serde(skip)]
    pub id: Uuid,
    /// Milliseconds since 1970.
    #[serde(skip)]
    pub at: i64,
    pub from: String,
    pub to: String,
    pub subject: String,
    pub text: String,
}

#[derive(FromQueryResult)]
struct Row {
    id: Uuid,
    payload: String,
    created_at: i64,
}

/// The latest mails, newest first: what development shows instead of sending.
pub async fn captured_mail(database: &Database) -> Result<Vec<Mail>, DatabaseError> {
    let sql =
        "SELECT id, payload, created_at FROM outbox WHERE kind = 'mail' ORDER BY created_at DESC, id DESC LIMIT 100";
    let rows: Vec<Row> = database.find_all(database.statement(sql, [])).await?;
    Ok(rows
        .into_iter()
        .filter_map(|row| {
            let mail: Mail = serde_json::from_str(&row.payload).ok()?;
            Some(Mail { id: row.id, at: row.created_at, ..mail })
        })
        .collect())
}
