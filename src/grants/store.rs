//! The tables `codes`, `grants`, `spent_refresh_tokens`, `consents` and `interactions`; the sweeper's whole round of the room.

use chrono::{DateTime, Utc};
use sea_orm::{ConnectionTrait as _, FromQueryResult, Statement};
use uuid::Uuid;

use super::{Authentication, Consumed, Exchange, Grant, Interaction, NewCode, apps};
use crate::audit::{self, About, Event, Source};
use crate::identity::{Keep, Person};
use crate::oauth::claims_request::Requested;
use crate::platform::database::{Database, DatabaseError, Tx, execute, fetch_all, fetch_one};
use crate::platform::random::Random;
use crate::platform::secrets;

// ---- codes ----

pub(super) fn insert_code(database: &Database, code: &NewCode) -> Statement {
    database.statement(
        "INSERT INTO codes (hash, grant_id, client_id, user_id, session_id, redirect_uri, challenge, scope, audience, nonce, \
         auth_time, acr, amr, issued_at, expires_at, claims) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16)",
        [
            code.hash.clone().into(),
            code.grant_id.into(),
            code.request.client_id.clone().into(),
            code.user_id.into(),
            code.session_id.into(),
            code.request.redirect_uri.clone().into(),
            code.request.challenge.clone().into(),
            code.request.scope.clone().into(),
            code.request.audience.clone().into(),
            code.request.nonce.clone().into(),
            code.auth_time.into(),
            code.acr.clone().into(),
            code.amr.clone().into(),
            code.issued_at.timestamp_millis().into(),
            code.expires_at.timestamp_millis().into(),
            code.request.claims.clone().into(),
        ],
    )
}

/// Stores a code inside an action.
pub(super) async fn write_code(tx: &Tx, insert: Statement) -> Result<(), DatabaseError> {
    tx.execute_raw(insert).await?;
    Ok(())
}

/// A code that has just been used, with the person and the session it was given for.
#[derive(FromQueryResult)]
pub(super) struct UsedCode {
    pub(super) grant_id: Uuid,
    session_id: Uuid,
    pub(super) scope: String,
    audience: Option<String>,
    nonce: Option<String>,
    claims: Option<String>,
    #[sea_orm(nested)]
    authentication: Authentication,
    #[sea_orm(nested)]
    pub(super) person: Person,
}

impl UsedCode {
    pub(super) fn into_grant(self) -> Grant {
        Grant {
            id: self.grant_id,
            scope: self.scope,
            audience: self.audience,
            authentication: self.authentication,
            person: self.person,
            nonce: self.nonce,
            claims: Requested::stored(self.claims.as_deref()),
            consumed: Consumed,
        }
    }
}

/// Uses a code, if everything about it is right and it has not been used: one conditional statement, so one winner.
pub(super) async fn use_code(
    tx: &Tx,
    hash: &[u8],
    client_id: &str,
    exchange: &Exchange,
    now: DateTime<Utc>,
) -> Result<Option<UsedCode>, DatabaseError> {
    let sql = concat!(
        "UPDATE codes SET used_at = $2 \
         WHERE hash = $1 AND used_at IS NULL AND expires_at > $2 AND client_id = $3 AND redirect_uri = $4 \
         AND challenge IS NOT DISTINCT FROM $5 \
         AND EXISTS (SELECT 1 FROM users u WHERE u.id = codes.user_id AND u.disabled_at IS NULL) \
         AND EXISTS (SELECT 1 FROM browser_sessions s WHERE s.id = codes.session_id AND s.ended_at IS NULL AND s.expires_at > $2) \
         RETURNING grant_id, session_id, scope, audience, nonce, claims, auth_time, acr, amr, \
         (SELECT s.sid FROM browser_sessions s WHERE s.id = codes.session_id) AS sid, user_id, \
         (SELECT u.name FROM users u WHERE u.id = codes.user_id) AS name, \
         (SELECT u.username FROM users u WHERE u.id = codes.user_id) AS username, \
         (SELECT u.email FROM users u WHERE u.id = codes.user_id) AS email, \
         (SELECT u.email_verified_at FROM users u WHERE u.id = codes.user_id) AS email_verified_at, \
         (SELECT u.updated_at FROM users u WHERE u.id = codes.user_id) AS updated_at, \
         (SELECT u.profile FROM users u WHERE u.id = codes.user_id) AS profile, \
         (SELECT u.attributes FROM users u WHERE u.id = codes.user_id) AS attributes, ",
        standing!("codes.scope", "codes.user_id")
    );
    let values = [
        hash.into(),
        now.timestamp_millis().into(),
        client_id.into(),
        exchange.redirect_uri.clone().unwrap_or_default().into(),
        exchange.challenge.clone().into(),
    ];
    fetch_one(tx, sql, values).await
}

/// The grant and the person of a code that was used before, if the holder shows everything right.
pub(super) async fn replayed_grant(
    tx: &Tx,
    hash: &[u8],
    client_id: &str,
    exchange: &Exchange,
) -> Result<Option<(Uuid, Uuid)>, DatabaseError> {
    #[derive(FromQueryResult)]
    struct Row {
        grant_id: Uuid,
        user_id: Uuid,
    }
    let sql = "SELECT grant_id, user_id FROM codes WHERE hash = $1 AND used_at IS NOT NULL AND client_id = $2 \
               AND redirect_uri = $3 AND challenge IS NOT DISTINCT FROM $4";
    let values = [
        hash.into(),
        client_id.into(),
        exchange.redirect_uri.clone().unwrap_or_default().into(),
        exchange.challenge.clone().into(),
    ];
    Ok(fetch_one::<Row, 4>(tx, sql, values).await?.map(|row| (row.grant_id, row.user_id)))
}

// ---- grants ----

pub(super) struct NewGrant {
    pub(super) token_hash: Option<Vec<u8>>,
    pub(super) now: DateTime<Utc>,
    pub(super) expires_at: DateTime<Utc>,
    pub(super) ends_at: DateTime<Utc>,
}

pub(super) async fn insert_grant(
    tx: &Tx,
    code: &UsedCode,
    client_id: &str,
    offline: bool,
    new: NewGrant,
) -> Result<(), DatabaseError> {
    let sql = "INSERT INTO grants (id, client_id, user_id, session_id, sid, scope, audience, auth_time, acr, amr, offline, \
               token_hash, created_at, expires_at, ends_at, claims) \
               VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16)";
    execute(
        tx,
        sql,
        [
            code.grant_id.into(),
            client_id.into(),
            code.person.user_id.into(),
            code.session_id.into(),
            code.authentication.sid.clone().into(),
            code.scope.clone().into(),
            code.audience.clone().into(),
            code.authentication.auth_time.into(),
            code.authentication.acr.clone().into(),
            code.authentication.amr.clone().into(),
            offline.into(),
            new.token_hash.into(),
            new.now.timestamp_millis().into(),
            new.expires_at.timestamp_millis().into(),
            new.ends_at.timestamp_millis().into(),
            code.claims.clone().into(),
        ],
    )
    .await?;
    Ok(())
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

/// Ends every code of a person that could still become a grant, used ones too: an exchange under way holds its code's row,
/// so this waits for it to commit, and the statement after it sees the grant that it made. An exchange that comes later
/// finds its code expired.
pub async fn expire_codes(tx: &Tx, user: Uuid, now: DateTime<Utc>) -> Result<(), DatabaseError> {
    let sql = "UPDATE codes SET expires_at = $2 WHERE user_id = $1 AND expires_at > $2";
    execute(tx, sql, [user.into(), now.timestamp_millis().into()]).await?;
    Ok(())
}

/// The same but for the codes of one browser session, if any.
pub async fn expire_codes_but(
    tx: &Tx,
    user: Uuid,
    keep: Option<Uuid>,
    now: DateTime<Utc>,
) -> Result<(), DatabaseError> {
    let sql = "UPDATE codes SET expires_at = $2 WHERE user_id = $1 AND expires_at > $2 AND session_id <> $3";
    execute(tx, sql, [user.into(), now.timestamp_millis().into(), keep.unwrap_or_default().into()]).await?;
    Ok(())
}

/// The same for the codes of one client. Answers how many they were.
pub(super) async fn expire_codes_of_client(
    tx: &Tx,
    user: Uuid,
    client_id: &str,
    now: DateTime<Utc>,
) -> Result<u64, DatabaseError> {
    let sql = "UPDATE codes SET expires_at = $3 WHERE user_id = $1 AND client_id = $2 AND expires_at > $3";
    execute(tx, sql, [user.into(), client_id.into(), now.timestamp_millis().into()]).await
}

/// A grant that has just ended, and the browser session that it was made in.
#[derive(FromQueryResult)]
pub(super) struct Ended {
    pub(super) id: Uuid,
    pub(super) session_id: Option<Uuid>,
}

/// Ends every grant that a person has given to a client.
pub(super) async fn end_grants_of_client(
    tx: &Tx,
    user: Uuid,
    client_id: &str,
    reason: &'static str,
    now: DateTime<Utc>,
) -> Result<Vec<Ended>, DatabaseError> {
    let sql = "UPDATE grants SET ended_at = $3, end_reason = $4, sealed_successor = NULL \
               WHERE user_id = $1 AND client_id = $2 AND ended_at IS NULL RETURNING id, session_id";
    fetch_all(tx, sql, [user.into(), client_id.into(), now.timestamp_millis().into(), reason.into()]).await
}

/// The same for the codes of one browser session.
pub async fn expire_codes_of_session(tx: &Tx, session: Uuid, now: DateTime<Utc>) -> Result<(), DatabaseError> {
    let sql = "UPDATE codes SET expires_at = $2 WHERE session_id = $1 AND expires_at > $2";
    execute(tx, sql, [session.into(), now.timestamp_millis().into()]).await?;
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

// ---- refresh tokens ----

/// One use of a refresh token.
pub(super) struct Step {
    pub(super) presented: Vec<u8>,
    pub(super) successor: Vec<u8>,
    pub(super) sealed: Vec<u8>,
    pub(super) client_id: String,
    pub(super) now: DateTime<Utc>,
    pub(super) expires_at: DateTime<Utc>,
    /// A predecessor that was replaced after this still gets its successor.
    pub(super) rotated_after: DateTime<Utc>,
}

#[derive(FromQueryResult)]
struct GrantRow {
    id: Uuid,
    scope: String,
    audience: Option<String>,
    claims: Option<String>,
    sealed_successor: Option<Vec<u8>>,
    #[sea_orm(nested)]
    authentication: Authentication,
    #[sea_orm(nested)]
    person: Person,
}

impl GrantRow {
    fn into_grant(self) -> Grant {
        Grant {
            id: self.id,
            scope: self.scope,
            audience: self.audience,
            authentication: self.authentication,
            person: self.person,
            nonce: None,
            claims: Requested::stored(self.claims.as_deref()),
            consumed: Consumed,
        }
    }
}

/// Replaces the token that is good now, if it is the one presented and the family is alive: one conditional statement.
pub(super) async fn rotate(tx: &Tx, step: &Step) -> Result<Option<Grant>, DatabaseError> {
    let sql = concat!(
        "UPDATE grants SET previous_hash = token_hash, token_hash = $2, sealed_successor = $3, rotated_at = $4, \
         expires_at = CASE WHEN ends_at < $5 THEN ends_at ELSE $5 END \
         WHERE token_hash = $1 AND client_id = $6 AND ended_at IS NULL AND expires_at > $4 \
         AND EXISTS (SELECT 1 FROM users u WHERE u.id = grants.user_id AND u.disabled_at IS NULL) \
         AND (offline OR EXISTS (SELECT 1 FROM browser_sessions s \
              WHERE s.id = grants.session_id AND s.ended_at IS NULL AND s.expires_at > $4)) \
         RETURNING id, scope, audience, claims, sealed_successor, auth_time, acr, amr, sid, user_id, \
         (SELECT u.name FROM users u WHERE u.id = grants.user_id) AS name, \
         (SELECT u.username FROM users u WHERE u.id = grants.user_id) AS username, \
         (SELECT u.email FROM users u WHERE u.id = grants.user_id) AS email, \
         (SELECT u.email_verified_at FROM users u WHERE u.id = grants.user_id) AS email_verified_at, \
         (SELECT u.updated_at FROM users u WHERE u.id = grants.user_id) AS updated_at, \
         (SELECT u.profile FROM users u WHERE u.id = grants.user_id) AS profile, \
         (SELECT u.attributes FROM users u WHERE u.id = grants.user_id) AS attributes, ",
        standing!("grants.scope", "grants.user_id")
    );
    let values = [
        step.presented.clone().into(),
        step.successor.clone().into(),
        step.sealed.clone().into(),
        step.now.timestamp_millis().into(),
        step.expires_at.timestamp_millis().into(),
        step.client_id.clone().into(),
    ];
    Ok(fetch_one::<GrantRow, 6>(tx, sql, values).await?.map(GrantRow::into_grant))
}

/// The family whose direct predecessor was presented within the grace, with the sealed token that is good now.
pub(super) async fn just_rotated(tx: &Tx, step: &Step) -> Result<Option<(Grant, Vec<u8>)>, DatabaseError> {
    let sql = concat!(
        "SELECT g.id, g.scope, g.audience, g.claims, g.sealed_successor, g.auth_time, g.acr, g.amr, g.sid, g.user_id, \
         u.name, u.username, u.email, u.email_verified_at, u.updated_at, u.profile, u.attributes, ",
        standing!("g.scope", "g.user_id"),
        " FROM grants g JOIN users u ON u.id = g.user_id LEFT JOIN browser_sessions s ON s.id = g.session_id \
         WHERE g.previous_hash = $1 AND g.client_id = $2 AND g.ended_at IS NULL AND g.expires_at > $3 AND g.rotated_at > $4 \
         AND g.sealed_successor IS NOT NULL AND u.disabled_at IS NULL \
         AND (g.offline OR (s.ended_at IS NULL AND s.expires_at > $3))"
    );
    let values = [
        step.presented.clone().into(),
        step.client_id.clone().into(),
        step.now.timestamp_millis().into(),
        step.rotated_after.timestamp_millis().into(),
    ];
    let row: Option<GrantRow> = fetch_one(tx, sql, values).await?;
    Ok(row.and_then(|mut row| row.sealed_successor.take().map(|sealed| (row.into_grant(), sealed))))
}

/// The live family that the presented token once belonged to, and its person.
pub(super) async fn reused(tx: &Tx, step: &Step) -> Result<Option<(Uuid, Uuid)>, DatabaseError> {
    #[derive(FromQueryResult)]
    struct Row {
        id: Uuid,
        user_id: Uuid,
    }
    let sql = "SELECT g.id, g.user_id FROM spent_refresh_tokens t JOIN grants g ON g.id = t.grant_id \
               WHERE t.hash = $1 AND g.client_id = $2";
    let row: Option<Row> = fetch_one(tx, sql, [step.presented.clone().into(), step.client_id.clone().into()]).await?;
    Ok(row.map(|row| (row.id, row.user_id)))
}

/// Keeps a used token's hash, to know it again.
pub(super) async fn spend(tx: &Tx, hash: Vec<u8>, grant: Uuid, now: DateTime<Utc>) -> Result<(), DatabaseError> {
    let sql = "INSERT INTO spent_refresh_tokens (hash, grant_id, spent_at) VALUES ($1, $2, $3)";
    execute(tx, sql, [hash.into(), grant.into(), now.timestamp_millis().into()]).await?;
    Ok(())
}

// ---- consents ----

pub(super) async fn remember_consent(
    tx: &Tx,
    user: Uuid,
    client_id: &str,
    scope: &str,
    now: DateTime<Utc>,
) -> Result<(), DatabaseError> {
    let sql =
        "INSERT INTO consents (user_id, client_id, scope, granted_at) VALUES ($1, $2, $3, $4) ON CONFLICT DO NOTHING";
    execute(tx, sql, [user.into(), client_id.into(), scope.into(), now.timestamp_millis().into()]).await?;
    Ok(())
}

/// Forgets what a person has allowed a client. Answers how many scopes they were.
pub(super) async fn forget_consents(tx: &Tx, user: Uuid, client_id: &str) -> Result<u64, DatabaseError> {
    execute(tx, "DELETE FROM consents WHERE user_id = $1 AND client_id = $2", [user.into(), client_id.into()]).await
}

// ---- applications of a person ----

/// The clients with live grants of a person, or that they have allowed something, the one that got tokens last first.
pub(super) async fn apps(
    database: &Database,
    user: Uuid,
    now: DateTime<Utc>,
    most: u64,
) -> Result<Vec<apps::Row>, DatabaseError> {
    // Grouped twice: somebody has one grant for each sign-in, nearly all with the same scopes.
    let sql = "SELECT c.id AS client_id, c.name, a.scopes, a.since, a.last_used_at, a.offline FROM ( \
               SELECT client_id, string_agg(scope, ' ') AS scopes, MIN(since) AS since, MAX(used) AS last_used_at, \
               MAX(offline) AS offline FROM ( \
               SELECT client_id, scope, granted_at AS since, CAST(NULL AS bigint) AS used, 0 AS offline \
               FROM consents WHERE user_id = $1 UNION ALL \
               SELECT g.client_id, g.scope, MIN(g.created_at), MAX(COALESCE(g.rotated_at, g.created_at)), \
               MAX(CASE WHEN g.offline THEN 1 ELSE 0 END) \
               FROM grants g LEFT JOIN browser_sessions s ON s.id = g.session_id \
               WHERE g.user_id = $1 AND g.ended_at IS NULL AND g.expires_at > $2 \
               AND (g.offline OR (s.ended_at IS NULL AND s.expires_at > $2)) GROUP BY g.client_id, g.scope \
               ) each_of_them GROUP BY client_id) a JOIN clients c ON c.id = a.client_id \
               ORDER BY COALESCE(a.last_used_at, a.since) DESC, c.id LIMIT $3";
    let most = i64::try_from(most).unwrap_or(i64::MAX);
    database.find_all(database.statement(sql, [user.into(), now.timestamp_millis().into(), most.into()])).await
}

// ---- interactions ----

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

pub(super) async fn delete_interaction(tx: &Tx, id_hash: Vec<u8>) -> Result<(), DatabaseError> {
    execute(tx, "DELETE FROM interactions WHERE id_hash = $1", [id_hash.into()]).await?;
    Ok(())
}

// ---- sweeping ----

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
