//! The table `upstream_sessions`.

use chrono::{DateTime, Utc};
use sea_orm::FromQueryResult;
use uuid::Uuid;

use super::super::store::{Ended, in_order};
use super::{Named, Upstream};
use crate::identity::Arrival;
use crate::platform::database::{Database, DatabaseError, Tx, execute, fetch_all};
use crate::platform::random::Random;
use crate::platform::secrets::SealingKey;

/// Notes where a session began, in the transaction that makes it. What was noted before of it is of an earlier sign-in.
pub(in crate::sessions) async fn note(tx: &Tx, session: Uuid, arrival: &Arrival) -> Result<(), DatabaseError> {
    let sql = "INSERT INTO upstream_sessions (session_id, provider, issuer, subject, sid, id_token) \
               VALUES ($1, $2, $3, $4, $5, $6) ON CONFLICT (session_id) DO UPDATE \
               SET provider = $2, issuer = $3, subject = $4, sid = $5, id_token = $6";
    let values = [
        session.into(),
        arrival.provider.clone().into(),
        arrival.issuer.clone().into(),
        arrival.subject.clone().into(),
        arrival.sid.clone().into(),
        arrival.id_token.clone().into(),
    ];
    execute(tx, sql, values).await?;
    Ok(())
}

/// The person has signed in here.
pub(in crate::sessions) async fn forget(tx: &Tx, session: Uuid) -> Result<(), DatabaseError> {
    execute(tx, "DELETE FROM upstream_sessions WHERE session_id = $1", [session.into()]).await?;
    Ok(())
}

pub(super) async fn find(
    database: &Database,
    token_hash: Vec<u8>,
    now: DateTime<Utc>,
) -> Result<Option<Upstream>, DatabaseError> {
    let sql = "SELECT u.provider, u.id_token FROM browser_sessions s JOIN upstream_sessions u ON u.session_id = s.id \
               WHERE s.token_hash = $1 AND s.ended_at IS NULL AND s.expires_at > $2";
    database.find_one(database.statement(sql, [token_hash.into(), now.timestamp_millis().into()])).await
}

/// Ends the sessions that are meant. Where the provider names one of its own, only that.
pub(super) async fn end(tx: &Tx, named: &Named, now: DateTime<Utc>) -> Result<Vec<Ended>, DatabaseError> {
    let held = in_order(
        tx,
        "ended_at IS NULL AND signed_in_at <= $4 AND id IN \
                             (SELECT session_id FROM upstream_sessions WHERE issuer = $1 \
                              AND (CAST($2 AS TEXT) IS NULL OR sid = $2) AND (CAST($3 AS TEXT) IS NULL OR subject = $3))",
    );
    let sql = format!("UPDATE browser_sessions SET ended_at = $5 WHERE {held} RETURNING id, sid, user_id");
    let values = [
        named.issuer.clone().into(),
        named.sid.clone().into(),
        named.subject.clone().into(),
        named.until.timestamp_millis().into(),
        now.timestamp_millis().into(),
    ];
    fetch_all(tx, &sql, values).await
}

/// Seals the ID tokens anew, under a new master key. Answers how many.
pub async fn reseal(tx: &Tx, old: &SealingKey, new: &SealingKey, random: &dyn Random) -> Result<u64, DatabaseError> {
    #[derive(FromQueryResult)]
    struct Row {
        session_id: Uuid,
        id_token: Vec<u8>,
    }
    let sql = "SELECT session_id, id_token FROM upstream_sessions WHERE id_token IS NOT NULL";
    let mut sealed = 0;
    for Row { session_id, id_token } in fetch_all::<Row, 0>(tx, sql, []).await? {
        // One that cannot be opened only saves its provider a question.
        let again = old.open(&id_token).and_then(|plain| new.seal(&plain, random)).ok();
        sealed += u64::from(again.is_some());
        let sql = "UPDATE upstream_sessions SET id_token = $2 WHERE session_id = $1";
        execute(tx, sql, [session_id.into(), again.into()]).await?;
    }
    Ok(sealed)
}
