//! The table `grants`: how one begins and ends, and whom to tell of it; the sweeper's whole round of the room.

use chrono::{DateTime, Utc};
use sea_orm::FromQueryResult;
use uuid::Uuid;

use super::{Grant, expire_codes};
use crate::audit::{self, About, Event, Source};
use crate::identity::{Keep, Person};
use crate::platform::database::{Database, DatabaseError, Tx, execute, fetch_all, fetch_one};
use crate::platform::random::Random;

pub(super) struct NewGrant {
    pub(super) token_hash: Option<Vec<u8>>,
    pub(super) now: DateTime<Utc>,
    pub(super) expires_at: DateTime<Utc>,
    pub(super) ends_at: DateTime<Utc>,
}

/// A person who may have tokens now, of this scope.
pub(super) async fn live_person(tx: &Tx, user: Uuid, scope: &str) -> Result<Option<Person>, DatabaseError> {
    let sql = concat!(
        "SELECT id AS user_id, name, username, email, email_verified_at, updated_at, profile, attributes, ",
        standing!("CAST($2 AS text)", "users.id"),
        " FROM users WHERE id = $1 AND disabled_at IS NULL"
    );
    fetch_one(tx, sql, [user.into(), scope.into()]).await
}

/// A grant without a code and without a browser session.
pub(super) async fn insert_grant_by_proof(
    tx: &Tx,
    grant: &Grant,
    client_id: &str,
    new: NewGrant,
) -> Result<(), DatabaseError> {
    let sql = "INSERT INTO grants (id, client_id, user_id, scope, auth_time, acr, amr, offline, token_hash, created_at, \
               expires_at, ends_at) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12)";
    let values = [
        grant.id.into(),
        client_id.into(),
        grant.person.user_id.into(),
        grant.scope.clone().into(),
        grant.authentication.auth_time.into(),
        grant.authentication.acr.clone().into(),
        grant.authentication.amr.clone().into(),
        true.into(),
        new.token_hash.into(),
        new.now.timestamp_millis().into(),
        new.expires_at.timestamp_millis().into(),
        new.ends_at.timestamp_millis().into(),
    ];
    execute(tx, sql, values).await?;
    Ok(())
}

/// Ends a grant with all its tokens. Answers whether it was alive.
pub(super) async fn end_grant(
    tx: &Tx,
    grant: Uuid,
    reason: &'static str,
    now: DateTime<Utc>,
) -> Result<bool, DatabaseError> {
    let sql =
        "UPDATE grants SET ended_at = $2, end_reason = $3, sealed_successor = NULL WHERE id = $1 AND ended_at IS NULL";
    Ok(execute(tx, sql, [grant.into(), now.timestamp_millis().into(), reason.into()]).await? == 1)
}

/// Ends every grant of a person, and every code that could still become one; each is on record.
pub async fn end_all_of(
    tx: &Tx,
    user: Uuid,
    reason: &'static str,
    now: DateTime<Utc>,
    random: &dyn Random,
    source: &Source,
) -> Result<(), DatabaseError> {
    expire_codes(tx, user, now).await?;
    end_all_but(tx, user, Keep::default(), reason, now, random, source).await
}

/// The same but for what goes on: what was granted in that session, and that grant. The codes are the caller's matter.
pub async fn end_all_but(
    tx: &Tx,
    user: Uuid,
    keep: Keep,
    reason: &'static str,
    now: DateTime<Utc>,
    random: &dyn Random,
    source: &Source,
) -> Result<(), DatabaseError> {
    #[derive(FromQueryResult)]
    struct Row {
        id: Uuid,
        client_id: String,
    }
    // Nothing has the nil id.
    let sql = "UPDATE grants SET ended_at = $2, end_reason = $3, sealed_successor = NULL \
               WHERE user_id = $1 AND ended_at IS NULL AND id <> $5 AND (session_id IS NULL OR session_id <> $4) \
               RETURNING id, client_id";
    let (session, grant) = (keep.session.unwrap_or_default(), keep.grant.unwrap_or_default());
    let values = [user.into(), now.timestamp_millis().into(), reason.into(), session.into(), grant.into()];
    let ended: Vec<Row> = fetch_all(tx, sql, values).await?;
    for Row { id, client_id } in ended {
        let event = Event::GrantEnded { grant: id, reason };
        audit::record(tx, random.id(now), now, &event, &About::both(user, &client_id), source).await?;
    }
    Ok(())
}

/// An application that got tokens in a browser session and wants to know of the session's end.
#[derive(Clone, Debug, PartialEq, Eq, FromQueryResult)]
pub struct Party {
    pub session_id: Uuid,
    /// As the application's ID tokens have it.
    pub sid: String,
    pub client_id: String,
    pub backchannel_logout_uri: Option<String>,
    pub frontchannel_logout_uri: Option<String>,
}

/// Who got tokens in this person's sessions, whether or not the tokens are still good.
pub async fn parties(tx: &Tx, user: Uuid) -> Result<Vec<Party>, DatabaseError> {
    let sql = "SELECT DISTINCT g.session_id, g.sid, g.client_id, c.backchannel_logout_uri, c.frontchannel_logout_uri \
               FROM grants g JOIN clients c ON c.id = g.client_id \
               WHERE g.user_id = $1 AND g.session_id IS NOT NULL AND g.sid IS NOT NULL AND c.disabled_at IS NULL \
               AND (c.backchannel_logout_uri IS NOT NULL OR c.frontchannel_logout_uri IS NOT NULL) ORDER BY g.client_id";
    fetch_all(tx, sql, [user.into()]).await
}

/// Removes at most `batch` rows of each kind that nobody can ask for any more, and closes what the grace held open.
/// Answers how many went.
pub async fn sweep(
    database: &Database,
    now: DateTime<Utc>,
    longest_grace: chrono::Duration,
    batch: i64,
) -> Result<u64, DatabaseError> {
    let at = now.timestamp_millis();
    // Used codes are kept for a while, so that a late replay is known as one.
    let codes_before = (now - chrono::Duration::hours(1)).timestamp_millis();
    // Expired requests are kept for a day: whoever comes back to one can start it again with one click.
    let interactions_before = (now - chrono::Duration::days(1)).timestamp_millis();
    // A revoked token is known a little longer than it lives: a node whose clock is behind may still take it for good.
    let revoked_before = (now - chrono::Duration::hours(1)).timestamp_millis();
    let rotated_before = (now - longest_grace).timestamp_millis();
    database
        .write(move |tx| {
            Box::pin(async move {
                let mut gone = 0;
                for (sql, before) in [
                    ("DELETE FROM interactions WHERE id_hash IN (SELECT id_hash FROM interactions WHERE expires_at < $1 ORDER BY expires_at LIMIT $2)", interactions_before),
                    ("DELETE FROM codes WHERE hash IN (SELECT hash FROM codes WHERE expires_at < $1 ORDER BY expires_at LIMIT $2)", codes_before),
                    ("DELETE FROM access_tokens WHERE hash IN (SELECT hash FROM access_tokens WHERE expires_at < $1 ORDER BY expires_at LIMIT $2)", at),
                    ("DELETE FROM revoked_access_tokens WHERE hash IN (SELECT hash FROM revoked_access_tokens WHERE expires_at < $1 ORDER BY expires_at LIMIT $2)", revoked_before),
                    (
                        // An API's opaque token may outlive what its grant was made for. And the newest grant of a live session
                        // stays: at the session's end it says which application to tell.
                        "DELETE FROM grants WHERE id IN (SELECT g.id FROM grants g WHERE g.expires_at < $1 AND g.ends_at < $1 \
                         AND NOT EXISTS (SELECT 1 FROM access_tokens t WHERE t.grant_id = g.id) \
                         AND (NOT EXISTS (SELECT 1 FROM browser_sessions s \
                                          WHERE s.id = g.session_id AND s.ended_at IS NULL AND s.expires_at > $1) \
                              OR EXISTS (SELECT 1 FROM grants later WHERE later.session_id = g.session_id \
                                         AND later.client_id = g.client_id AND later.id > g.id)) LIMIT $2)",
                        at,
                    ),
                    (
                        "UPDATE grants SET sealed_successor = NULL WHERE id IN \
                         (SELECT id FROM grants WHERE sealed_successor IS NOT NULL AND rotated_at < $1 LIMIT $2)",
                        rotated_before,
                    ),
                ] {
                    gone += execute(tx, sql, [before.into(), batch.into()]).await?;
                }
                Ok(gone)
            })
        })
        .await
}
