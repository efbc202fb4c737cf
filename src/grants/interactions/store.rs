//! The table `interactions`.

use chrono::{DateTime, Utc};
use sea_orm::Statement;
use uuid::Uuid;

use super::Interaction;
use crate::platform::database::{Database, DatabaseError, Tx, execute};
use crate::platform::secrets;

pub(super) fn insert_interaction(
    database: &Database,
    name: &str,
    client_id: &str,
    parameters: &str,
    browser: &str,
    now: DateTime<Utc>,
    expires_at: DateTime<Utc>,
) -> Statement {
    database.statement(
        "INSERT INTO interactions (id_hash, browser_hash, client_id, parameters, created_at, expires_at) VALUES ($1, $2, $3, $4, $5, $6)",
        [
            secrets::hash(name).into(),
            secrets::hash(browser).into(),
            client_id.into(),
            parameters.into(),
            now.timestamp_millis().into(),
            expires_at.timestamp_millis().into(),
        ],
    )
}

pub(super) async fn find_interaction(
    database: &Database,
    id_hash: Vec<u8>,
    browser_hash: Vec<u8>,
) -> Result<Option<Interaction>, DatabaseError> {
    let sql = "SELECT client_id, parameters, chosen_session, created_at, expires_at FROM interactions WHERE id_hash = $1 AND browser_hash = $2";
    database.find_one(database.statement(sql, [id_hash.into(), browser_hash.into()])).await
}

/// Notes whom the person chose to be, if this browser started the request.
pub(super) fn choose_session(database: &Database, id_hash: Vec<u8>, browser_hash: Vec<u8>, session: Uuid) -> Statement {
    let sql = "UPDATE interactions SET chosen_session = $3 WHERE id_hash = $1 AND browser_hash = $2";
    database.statement(sql, [id_hash.into(), browser_hash.into(), session.into()])
}

pub(in crate::grants) async fn delete_interaction(tx: &Tx, id_hash: Vec<u8>) -> Result<(), DatabaseError> {
    execute(tx, "DELETE FROM interactions WHERE id_hash = $1", [id_hash.into()]).await?;
    Ok(())
}
