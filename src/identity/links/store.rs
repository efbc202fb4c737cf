//! The tables `linked_accounts` and `pending_links`, and the roles in `user_roles` that providers give.

use chrono::{DateTime, Utc};
use sea_orm::FromQueryResult;
use uuid::Uuid;

use super::Link;
use crate::identity::ADMIN;
use crate::platform::database::{Database, DatabaseError, Tx, execute, fetch_all, fetch_one};

// ---- linked accounts ----

const COLUMNS: &str = "user_id, provider, account_id, kind, issuer, created_at, last_used_at";

pub(super) async fn list(database: &Database, user: Uuid) -> Result<Vec<Link>, DatabaseError> {
    let sql = format!("SELECT {COLUMNS} FROM linked_accounts WHERE user_id = $1 ORDER BY created_at, provider");
    database.find_all(database.statement(&sql, [user.into()])).await
}

/// Whose account this is. One that the session adapter linked has no issuer: the provider of its name is meant. Its word opens no
/// administrator's account.
pub(super) async fn holder(
    database: &Database,
    issuer: &str,
    subject: &str,
    provider: &str,
) -> Result<Option<Uuid>, DatabaseError> {
    let sql = "SELECT user_id, 0 AS place FROM linked_accounts WHERE account_id = $2 AND issuer = $1 UNION ALL \
               SELECT user_id, 1 AS place FROM linked_accounts WHERE provider = $3 AND account_id = $2 AND issuer IS NULL \
               AND NOT EXISTS (SELECT 1 FROM user_roles r WHERE r.user_id = linked_accounts.user_id AND r.role = $4) \
               ORDER BY place LIMIT 1";
    let row = database
        .query_one(database.statement(sql, [issuer.into(), subject.into(), provider.into(), ADMIN.into()]))
        .await?;
    Ok(row.map(|row| row.try_get("", "user_id")).transpose()?)
}

/// Notes that a person has signed in with an account that is linked to them. Answers whether it is. One that the session
/// adapter linked gets its issuer, unless the same account is linked by another of the issuer's names.
pub(super) async fn use_link(tx: &Tx, link: &Link, now: DateTime<Utc>) -> Result<bool, DatabaseError> {
    let sql = "UPDATE linked_accounts SET issuer = $1, last_used_at = $5 WHERE account_id = $2 AND user_id = $4 \
               AND (issuer = $1 OR (issuer IS NULL AND provider = $3 AND NOT EXISTS \
                    (SELECT 1 FROM linked_accounts o WHERE o.issuer = $1 AND o.account_id = $2)))";
    let values = [
        link.issuer.clone().into(),
        link.account_id.clone().into(),
        link.provider.clone().into(),
        link.user_id.into(),
        now.timestamp_millis().into(),
    ];
    Ok(execute(tx, sql, values).await? > 0)
}

/// Links an account that is nobody's. Answers whether it was: of two who link it at once, one does.
pub(super) async fn insert(tx: &Tx, link: &Link) -> Result<bool, DatabaseError> {
    let sql =
        format!("INSERT INTO linked_accounts ({COLUMNS}) VALUES ($1, $2, $3, $4, $5, $6, $7) ON CONFLICT DO NOTHING");
    let values = [
        link.user_id.into(),
        link.provider.clone().into(),
        link.account_id.clone().into(),
        link.kind.clone().into(),
        link.issuer.clone().into(),
        link.created_at.into(),
        link.last_used_at.into(),
    ];
    Ok(execute(tx, &sql, values).await? == 1)
}

/// Links an account by the session adapter's word, unless it is somebody else's: one conditional statement, so one winner.
/// Answers whether it is this person's.
pub(crate) async fn put(tx: &Tx, link: &Link) -> Result<bool, DatabaseError> {
    let sql = "INSERT INTO linked_accounts (provider, account_id, user_id, kind, created_at) VALUES ($1, $2, $3, $4, $5) \
               ON CONFLICT (provider, account_id) DO UPDATE SET kind = $4 WHERE linked_accounts.user_id = $3";
    let values = [
        link.provider.clone().into(),
        link.account_id.clone().into(),
        link.user_id.into(),
        link.kind.clone().into(),
        link.created_at.into(),
    ];
    Ok(execute(tx, sql, values).await? == 1)
}

/// Whose account this is; nobody else changes that person's links until the end of the action.
pub(crate) async fn lock_holder(tx: &Tx, provider: &str, account_id: &str) -> Result<Option<Uuid>, DatabaseError> {
    #[derive(FromQueryResult)]
    struct Row {
        id: Uuid,
    }
    let sql = "UPDATE users SET updated_at = updated_at WHERE id = \
               (SELECT user_id FROM linked_accounts WHERE provider = $1 AND account_id = $2) RETURNING id";
    Ok(fetch_one::<Row, 2>(tx, sql, [provider.into(), account_id.into()]).await?.map(|row| row.id))
}

/// Takes a link away whose person has a password or another link.
pub(crate) async fn unlink(tx: &Tx, provider: &str, account_id: &str) -> Result<Option<Link>, DatabaseError> {
    let sql = format!(
        "DELETE FROM linked_accounts WHERE provider = $1 AND account_id = $2 AND ( \
         EXISTS (SELECT 1 FROM users u WHERE u.id = linked_accounts.user_id AND u.password_hash IS NOT NULL \
                 AND (u.email_canonical IS NOT NULL OR u.username_canonical IS NOT NULL)) OR \
         EXISTS (SELECT 1 FROM linked_accounts o WHERE o.user_id = linked_accounts.user_id \
                 AND (o.provider <> $1 OR o.account_id <> $2))) RETURNING {COLUMNS}"
    );
    fetch_one(tx, &sql, [provider.into(), account_id.into()]).await
}

/// Takes every account at another provider from a person, in the caller's transaction. Answers at which providers they were.
pub(in crate::identity) async fn unlink_all_of(tx: &Tx, user: Uuid) -> Result<Vec<String>, DatabaseError> {
    #[derive(FromQueryResult)]
    struct Row {
        provider: String,
    }
    let sql = "DELETE FROM linked_accounts WHERE user_id = $1 RETURNING provider";
    Ok(fetch_all::<Row, 1>(tx, sql, [user.into()]).await?.into_iter().map(|row| row.provider).collect())
}

// ---- roles ----

/// The roles that a provider's groups gave a person.
pub(super) async fn roles_of_provider(tx: &Tx, user: Uuid, provider: &str) -> Result<Vec<String>, DatabaseError> {
    #[derive(FromQueryResult)]
    struct Row {
        role: String,
    }
    let sql = "SELECT role FROM user_roles WHERE user_id = $1 AND provider = $2 ORDER BY role";
    let rows = fetch_all::<Row, 2>(tx, sql, [user.into(), provider.into()]).await?;
    Ok(rows.into_iter().map(|row| row.role).collect())
}

/// Gives a role by a provider's groups. Answers whether the person did not have it.
pub(super) async fn give_role(tx: &Tx, user: Uuid, role: &str, provider: &str) -> Result<bool, DatabaseError> {
    let sql = "INSERT INTO user_roles (user_id, role, provider) VALUES ($1, $2, $3) ON CONFLICT DO NOTHING";
    Ok(execute(tx, sql, [user.into(), role.into(), provider.into()]).await? == 1)
}

/// Takes a role that this provider's groups gave. Answers whether it was theirs to take.
pub(super) async fn take_role(tx: &Tx, user: Uuid, role: &str, provider: &str) -> Result<bool, DatabaseError> {
    let sql = "DELETE FROM user_roles WHERE user_id = $1 AND role = $2 AND provider = $3";
    Ok(execute(tx, sql, [user.into(), role.into(), provider.into()]).await? == 1)
}

/// Takes the roles that a provider's groups gave to somebody who has no account there any more. Answers which.
pub(super) async fn take_roles(tx: &Tx, user: Uuid, provider: &str) -> Result<Vec<String>, DatabaseError> {
    #[derive(FromQueryResult)]
    struct Row {
        role: String,
    }
    let sql = "DELETE FROM user_roles WHERE user_id = $1 AND provider = $2 AND NOT EXISTS \
               (SELECT 1 FROM linked_accounts l WHERE l.user_id = $1 AND l.provider = $2) RETURNING role";
    let rows = fetch_all::<Row, 2>(tx, sql, [user.into(), provider.into()]).await?;
    Ok(rows.into_iter().map(|row| row.role).collect())
}

/// Takes every role that a provider's groups gave.
pub(crate) async fn take_roles_of_provider(tx: &Tx, provider: &str) -> Result<u64, DatabaseError> {
    execute(tx, "DELETE FROM user_roles WHERE provider = $1", [provider.into()]).await
}

// ---- what is to be proven ----

/// A row to be.
pub(super) struct NewPending {
    pub(super) name_hash: Vec<u8>,
    pub(super) browser_hash: Vec<u8>,
    pub(super) arrival: String,
    pub(super) interaction: Option<String>,
    pub(super) now: DateTime<Utc>,
    pub(super) expires_at: DateTime<Utc>,
}

pub(super) async fn insert_pending(tx: &Tx, new: &NewPending) -> Result<(), DatabaseError> {
    let sql = "INSERT INTO pending_links (name_hash, browser_hash, arrival, interaction, attempts, created_at, expires_at) \
               VALUES ($1, $2, $3, $4, 0, $5, $6)";
    let values = [
        new.name_hash.clone().into(),
        new.browser_hash.clone().into(),
        new.arrival.clone().into(),
        new.interaction.clone().into(),
        new.now.timestamp_millis().into(),
        new.expires_at.timestamp_millis().into(),
    ];
    execute(tx, sql, values).await?;
    Ok(())
}

#[derive(FromQueryResult)]
pub(super) struct PendingRow {
    pub(super) arrival: String,
    pub(super) interaction: Option<String>,
    pub(super) code_mac: Option<Vec<u8>>,
}

pub(super) async fn find_pending(
    database: &Database,
    name_hash: Vec<u8>,
    browser_hash: Vec<u8>,
    now: DateTime<Utc>,
) -> Result<Option<PendingRow>, DatabaseError> {
    let sql = "SELECT arrival, interaction, code_mac FROM pending_links \
               WHERE name_hash = $1 AND browser_hash = $2 AND expires_at > $3";
    let values = [name_hash.into(), browser_hash.into(), now.timestamp_millis().into()];
    database.find_one(database.statement(sql, values)).await
}

/// Another code takes the place of the last one.
pub(super) async fn set_code(tx: &Tx, name_hash: Vec<u8>, code_mac: Vec<u8>) -> Result<bool, DatabaseError> {
    let sql = "UPDATE pending_links SET code_mac = $2, attempts = 0 WHERE name_hash = $1";
    Ok(execute(tx, sql, [name_hash.into(), code_mac.into()]).await? == 1)
}

/// Counts a try of the code, unless there were `most` of them. Answers what it is to be compared with.
pub(super) async fn try_code(
    tx: &Tx,
    name_hash: Vec<u8>,
    browser_hash: Vec<u8>,
    most: i32,
    now: DateTime<Utc>,
) -> Result<Option<Vec<u8>>, DatabaseError> {
    #[derive(FromQueryResult)]
    struct Row {
        code_mac: Option<Vec<u8>>,
    }
    let sql = "UPDATE pending_links SET attempts = attempts + 1 WHERE name_hash = $1 AND browser_hash = $2 \
               AND attempts < $3 AND expires_at > $4 AND code_mac IS NOT NULL RETURNING code_mac";
    let values = [name_hash.into(), browser_hash.into(), most.into(), now.timestamp_millis().into()];
    Ok(fetch_one::<Row, 4>(tx, sql, values).await?.and_then(|row| row.code_mac))
}

/// Uses up what was to be proven. Of two who do, one succeeds.
pub(super) async fn take_pending(tx: &Tx, name_hash: Vec<u8>, now: DateTime<Utc>) -> Result<bool, DatabaseError> {
    let sql = "DELETE FROM pending_links WHERE name_hash = $1 AND expires_at > $2";
    Ok(execute(tx, sql, [name_hash.into(), now.timestamp_millis().into()]).await? == 1)
}

/// Removes at most `batch` rows that nobody can go on with; answers how many.
pub(in crate::identity) async fn sweep(
    database: &Database,
    now: DateTime<Utc>,
    batch: i64,
) -> Result<u64, DatabaseError> {
    let now = now.timestamp_millis();
    let action = database.write(move |tx| {
        Box::pin(async move {
            let sql = "DELETE FROM pending_links WHERE name_hash IN \
                       (SELECT name_hash FROM pending_links WHERE expires_at < $1 ORDER BY expires_at LIMIT $2)";
            execute(tx, sql, [now.into(), batch.into()]).await
        })
    });
    action.await
}
