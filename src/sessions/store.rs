//! The table `browser_sessions`.

use chrono::{DateTime, Utc};
use sea_orm::FromQueryResult;
use uuid::Uuid;

use super::OwnSession;
use crate::identity::Profile;
use crate::platform::clock::from_millis;
use crate::platform::database::{Database, DatabaseError, Tx, execute, fetch_all, fetch_one, hold_row};

/// A session that is alive, with the person and what they have allowed the client that asks.
#[derive(Clone, Debug, FromQueryResult)]
pub struct Live {
    pub id: Uuid,
    pub sid: String,
    pub user_id: Uuid,
    /// Milliseconds since 1970 of what is proven of when they authenticated; 0: nothing.
    pub auth_time: i64,
    /// Milliseconds since 1970.
    pub signed_in_at: i64,
    pub acr: String,
    pub amr: String,
    pub remember: bool,
    last_seen_at: i64,
    name: Option<String>,
    email: Option<String>,
    /// Milliseconds since 1970; none: nobody has shown that the address is theirs.
    pub email_verified_at: Option<i64>,
    username: Option<String>,
    pub has_password: bool,
    profile: Option<String>,
    consented: Option<String>,
}

impl Live {
    pub(super) fn last_seen_at(&self) -> DateTime<Utc> {
        from_millis(self.last_seen_at)
    }

    /// How we call this person on a page.
    pub fn person(&self) -> &str {
        self.name.as_deref().or(self.email.as_deref()).or(self.username.as_deref()).unwrap_or_default()
    }

    pub fn email(&self) -> Option<&str> {
        self.email.as_deref()
    }

    pub fn username(&self) -> Option<&str> {
        self.username.as_deref()
    }

    /// What this person signs in with, where a page calls them something else.
    pub fn login(&self) -> Option<&str> {
        self.email.as_deref().or(self.username.as_deref()).filter(|login| *login != self.person())
    }

    /// The language that this person has chosen.
    pub fn locale(&self) -> Option<String> {
        self.profile.as_deref().and_then(|stored| Profile::stored(Some(stored)).locale)
    }

    /// Where this person's picture is.
    pub fn picture(&self) -> Option<String> {
        self.profile.as_deref().and_then(|stored| Profile::stored(Some(stored)).picture)
    }

    /// Whether the person has allowed the client this scope before.
    pub fn has_consented(&self, scope: &str) -> bool {
        self.consented.as_deref().is_some_and(|granted| crate::oauth::scope::has(granted, scope))
    }
}

pub(super) async fn find(
    database: &Database,
    token_hash: Vec<u8>,
    client_id: &str,
    now: DateTime<Utc>,
) -> Result<Option<Live>, DatabaseError> {
    let sql = "SELECT s.id, s.sid, s.user_id, s.auth_time, s.signed_in_at, s.acr, s.amr, s.remember, s.last_seen_at, u.name, u.email, u.email_verified_at, \
               u.username, u.password_hash IS NOT NULL AS has_password, u.profile, \
               (SELECT string_agg(c.scope, ' ') FROM consents c WHERE c.user_id = s.user_id AND c.client_id = $3) AS consented \
               FROM browser_sessions s JOIN users u ON u.id = s.user_id \
               WHERE s.token_hash = $1 AND s.ended_at IS NULL AND s.expires_at > $2 AND u.disabled_at IS NULL";
    database
        .find_one(database.statement(sql, [token_hash.into(), now.timestamp_millis().into(), client_id.into()]))
        .await
}

/// Moves the end of an idle session, unless somebody has just done it.
pub(super) async fn touch(
    database: &Database,
    id: Uuid,
    now: DateTime<Utc>,
    expires_at: DateTime<Utc>,
    not_since: DateTime<Utc>,
) -> Result<(), DatabaseError> {
    let sql = "UPDATE browser_sessions SET last_seen_at = $2, expires_at = CASE WHEN ends_at < $3 THEN ends_at ELSE $3 END \
               WHERE id = $1 AND ended_at IS NULL AND last_seen_at <= $4";
    let values = [
        id.into(),
        now.timestamp_millis().into(),
        expires_at.timestamp_millis().into(),
        not_since.timestamp_millis().into(),
    ];
    database.run(database.statement(sql, values)).await?;
    Ok(())
}

#[derive(FromQueryResult)]
pub(super) struct Loaded {
    pub(super) data: String,
    pub(super) expires_at: i64,
}

pub(super) async fn load(
    database: &Database,
    token_hash: Vec<u8>,
    now: DateTime<Utc>,
) -> Result<Option<Loaded>, DatabaseError> {
    let sql = "SELECT s.data, s.expires_at FROM browser_sessions s JOIN users u ON u.id = s.user_id \
               WHERE s.token_hash = $1 AND s.ended_at IS NULL AND s.expires_at > $2 AND u.disabled_at IS NULL";
    database.find_one(database.statement(sql, [token_hash.into(), now.timestamp_millis().into()])).await
}

pub(super) async fn save_data(
    database: &Database,
    token_hash: Vec<u8>,
    data: String,
    now: DateTime<Utc>,
) -> Result<(), DatabaseError> {
    let sql = "UPDATE browser_sessions SET data = $2 WHERE token_hash = $1 AND ended_at IS NULL AND expires_at > $3";
    database.run(database.statement(sql, [token_hash.into(), data.into(), now.timestamp_millis().into()])).await?;
    Ok(())
}

/// A row to be.
pub(super) struct New {
    pub(super) id: Uuid,
    pub(super) token_hash: Vec<u8>,
    pub(super) sid: String,
    pub(super) user_id: Uuid,
    /// What is proven of when they authenticated.
    pub(super) auth_time: Option<DateTime<Utc>>,
    pub(super) acr: String,
    pub(super) amr: String,
    pub(super) remember: bool,
    pub(super) address: Option<String>,
    pub(super) user_agent: Option<String>,
    pub(super) now: DateTime<Utc>,
    pub(super) expires_at: DateTime<Utc>,
    pub(super) ends_at: DateTime<Utc>,
}

impl New {
    fn auth_time(&self) -> i64 {
        self.auth_time.map_or(0, |time| time.timestamp_millis())
    }
}

/// The same person signs in again: the session goes on under a new id. Answers which it is, if there was one to go on with.
pub(super) async fn continue_with(tx: &Tx, old: &[u8], new: &New) -> Result<Option<Uuid>, DatabaseError> {
    #[derive(FromQueryResult)]
    struct Row {
        id: Uuid,
    }
    let sql = "UPDATE browser_sessions SET token_hash = $2, auth_time = $12, signed_in_at = $3, acr = $4, amr = $5, remember = $6, address = $7, \
               user_agent = $8, last_seen_at = $3, expires_at = $9, ends_at = $10, data = '{}' \
               WHERE token_hash = $1 AND user_id = $11 AND ended_at IS NULL AND expires_at > $3 RETURNING id";
    let now = new.now.timestamp_millis();
    let continued = fetch_one::<Row, 12>(
        tx,
        sql,
        [
            old.into(),
            new.token_hash.clone().into(),
            now.into(),
            new.acr.clone().into(),
            new.amr.clone().into(),
            new.remember.into(),
            new.address.clone().into(),
            new.user_agent.clone().into(),
            new.expires_at.timestamp_millis().into(),
            new.ends_at.timestamp_millis().into(),
            new.user_id.into(),
            new.auth_time().into(),
        ],
    );
    Ok(continued.await?.map(|row| row.id))
}

pub(super) async fn insert(tx: &Tx, new: &New) -> Result<(), DatabaseError> {
    let sql = "INSERT INTO browser_sessions (id, token_hash, sid, user_id, data, auth_time, acr, amr, remember, address, user_agent, \
               created_at, last_seen_at, signed_in_at, expires_at, ends_at) \
               VALUES ($1, $2, $3, $4, '{}', $13, $6, $7, $8, $9, $10, $5, $5, $5, $11, $12)";
    execute(
        tx,
        sql,
        [
            new.id.into(),
            new.token_hash.clone().into(),
            new.sid.clone().into(),
            new.user_id.into(),
            new.now.timestamp_millis().into(),
            new.acr.clone().into(),
            new.amr.clone().into(),
            new.remember.into(),
            new.address.clone().into(),
            new.user_agent.clone().into(),
            new.expires_at.timestamp_millis().into(),
            new.ends_at.timestamp_millis().into(),
            new.auth_time().into(),
        ],
    )
    .await?;
    Ok(())
}

/// What is known of a session that ends.
#[derive(FromQueryResult)]
pub(super) struct Ended {
    pub(super) id: Uuid,
    pub(super) sid: String,
    pub(super) user_id: Uuid,
}

/// Ends a session; its refresh tokens without `offline_access` look at it and end with it.
pub(super) async fn end(tx: &Tx, token_hash: Vec<u8>, now: DateTime<Utc>) -> Result<Option<Ended>, DatabaseError> {
    let sql = "UPDATE browser_sessions SET ended_at = $2 WHERE token_hash = $1 AND ended_at IS NULL RETURNING id, sid, user_id";
    fetch_one(tx, sql, [token_hash.into(), now.timestamp_millis().into()]).await
}

/// Which of a person's sessions.
pub(super) enum Whose {
    One(Uuid),
    /// All of them but this one, if any.
    AllBut(Option<Uuid>),
}

/// Ends these live sessions of a person. Answers those that it ended.
pub(super) async fn end_live(
    tx: &Tx,
    user: Uuid,
    whose: Whose,
    now: DateTime<Utc>,
) -> Result<Vec<Ended>, DatabaseError> {
    let (condition, id) = match whose {
        Whose::One(id) => ("id = $3", id),
        // Nobody's session has the nil id.
        Whose::AllBut(keep) => ("id <> $3", keep.unwrap_or_default()),
    };
    let held = in_order(tx, &format!("user_id = $1 AND ended_at IS NULL AND expires_at > $2 AND {condition}"));
    let sql = format!("UPDATE browser_sessions SET ended_at = $2 WHERE {held} RETURNING id, sid, user_id");
    fetch_all(tx, &sql, [user.into(), now.timestamp_millis().into(), id.into()]).await
}

/// What a person sees of their live sessions, the one that was seen last first.
pub(super) async fn of(
    database: &Database,
    user: Uuid,
    now: DateTime<Utc>,
    most: u64,
) -> Result<Vec<OwnSession>, DatabaseError> {
    let sql = "SELECT id, user_agent, address, signed_in_at, last_seen_at, expires_at, amr, remember FROM browser_sessions \
               WHERE user_id = $1 AND ended_at IS NULL AND expires_at > $2 ORDER BY last_seen_at DESC, id DESC LIMIT $3";
    let most = i64::try_from(most).unwrap_or(i64::MAX);
    database.find_all(database.statement(sql, [user.into(), now.timestamp_millis().into(), most.into()])).await
}

/// The session of a cookie, if it is alive: an old one ends nothing but itself.
pub(super) async fn live(tx: &Tx, token_hash: Vec<u8>, now: DateTime<Utc>) -> Result<Option<Ended>, DatabaseError> {
    let sql =
        "SELECT id, sid, user_id FROM browser_sessions WHERE token_hash = $1 AND ended_at IS NULL AND expires_at > $2";
    fetch_one(tx, sql, [token_hash.into(), now.timestamp_millis().into()]).await
}

/// Ends every session of a person. Answers those that had not ended before.
pub(super) async fn end_all_of(tx: &Tx, user: Uuid, now: DateTime<Utc>) -> Result<Vec<Ended>, DatabaseError> {
    let held = in_order(tx, "user_id = $1 AND ended_at IS NULL");
    let sql = format!("UPDATE browser_sessions SET ended_at = $2 WHERE {held} RETURNING id, sid, user_id");
    fetch_all(tx, &sql, [user.into(), now.timestamp_millis().into()]).await
}

/// The sessions of a condition, taken one after the other by their ids: two who end several of the same at once wait for each
/// other only in one direction.
pub(super) fn in_order(tx: &Tx, condition: &str) -> String {
    format!("id IN (SELECT id FROM browser_sessions WHERE {condition} ORDER BY id{})", hold_row(tx, true))
}

/// Removes at most `batch` sessions that ended before `before`; answers how many.
pub async fn sweep(database: &Database, before: DateTime<Utc>, batch: i64) -> Result<u64, DatabaseError> {
    let before = before.timestamp_millis();
    database
        .write(move |tx| {
            Box::pin(async move {
                let sql = "DELETE FROM browser_sessions WHERE id IN \
                           (SELECT id FROM browser_sessions WHERE expires_at < $1 ORDER BY expires_at LIMIT $2)";
                execute(tx, sql, [before.into(), batch.into()]).await
            })
        })
        .await
}
