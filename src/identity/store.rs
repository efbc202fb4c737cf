//! The tables `users` and `user_roles`.

use std::collections::HashMap;

use ::entity::{user_roles, users};
use chrono::{DateTime, Utc};
use sea_orm::{
    ActiveModelTrait as _, ColumnTrait as _, EntityTrait as _, FromQueryResult, IntoActiveModel as _, QueryFilter as _,
    QueryOrder as _, QuerySelect as _, Value,
};
use uuid::Uuid;

use super::{ADMIN, AttributeValues, Email, Profile, User, Username, attributes};
use crate::platform::clock::from_millis;
use crate::platform::database::{Database, DatabaseError, Tx, execute, fetch_all, fetch_one, hold_row};

/// What is needed to check a password.
#[derive(Clone, Debug, FromQueryResult)]
pub(super) struct Credentials {
    pub(super) id: Uuid,
    pub(super) password_hash: Option<String>,
    pub(super) disabled_at: Option<i64>,
    pub(super) leaving_since: Option<i64>,
    pub(super) leaves_at: Option<i64>,
    pub(super) email: Option<String>,
    pub(super) email_verified_at: Option<i64>,
    pub(super) password_version: i32,
    pub(super) profile: Option<String>,
    /// The device they sign in on, where they were seen on it before.
    pub(super) device_id: Option<Uuid>,
}

impl Credentials {
    /// Whether they are kept out only because they leave.
    pub(super) fn is_leaving(&self) -> bool {
        self.leaves_at.is_some() && self.disabled_at == self.leaving_since
    }
}

/// An account by its canonical e-mail address or username.
pub(super) async fn credentials(
    database: &Database,
    login: &str,
    device: Option<Vec<u8>>,
    seen_since: DateTime<Utc>,
) -> Result<Option<Credentials>, DatabaseError> {
    // PostgreSQL has no text with a NUL in it; neither has an account.
    if login.contains('\0') {
        return Ok(None);
    }
    let column = if login.contains('@') { "email_canonical" } else { "username_canonical" };
    credentials_where(database, column, login.into(), device, seen_since).await
}

/// The same by an account's id.
pub(super) async fn credentials_of(
    database: &Database,
    id: Uuid,
    device: Option<Vec<u8>>,
    seen_since: DateTime<Utc>,
) -> Result<Option<Credentials>, DatabaseError> {
    credentials_where(database, "id", id.into(), device, seen_since).await
}

async fn credentials_where(
    database: &Database,
    column: &str,
    value: Value,
    device: Option<Vec<u8>>,
    seen_since: DateTime<Utc>,
) -> Result<Option<Credentials>, DatabaseError> {
    let sql = format!(
        "SELECT u.id, u.password_hash, u.password_version, u.disabled_at, u.leaving_since, u.leaves_at, u.email, u.email_verified_at, u.profile, d.id AS device_id FROM users u \
         LEFT JOIN devices d ON d.user_id = u.id AND d.key_hash = $2 AND d.seen_at > $3 WHERE u.{column} = $1"
    );
    let values = [value, device.into(), seen_since.timestamp_millis().into()];
    database.find_one(database.statement(&sql, values)).await
}

/// Whether somebody may sign in, and by which password.
#[derive(FromQueryResult)]
pub(super) struct Held {
    pub(super) password_version: i32,
    pub(super) disabled_at: Option<i64>,
}

/// A person whom nobody changes before the transaction ends. `to_change`: we are going to, and two who share a lock would wait
/// for each other.
pub(super) async fn hold(tx: &Tx, id: Uuid, to_change: bool) -> Result<Option<Held>, DatabaseError> {
    let sql = format!("SELECT password_version, disabled_at FROM users WHERE id = $1{}", hold_row(tx, to_change));
    fetch_one(tx, &sql, [id.into()]).await
}

/// The stored hash of a person's password.
pub(super) async fn password_hash(database: &Database, id: Uuid) -> Result<Option<String>, DatabaseError> {
    let row = users::Entity::find_by_id(id).one(database.reader()).await?;
    Ok(row.and_then(|row| row.password_hash))
}

/// A row to be.
#[derive(Clone)]
pub(super) struct New {
    pub(super) id: Uuid,
    pub(super) email: Option<Email>,
    pub(super) username: Option<Username>,
    pub(super) name: Option<String>,
    pub(super) profile: Profile,
    pub(super) attributes: AttributeValues,
    pub(super) password_hash: Option<String>,
    pub(super) email_verified: bool,
    pub(super) now: DateTime<Utc>,
}

pub(super) async fn insert(tx: &Tx, new: &New) -> Result<(), DatabaseError> {
    let now = new.now.timestamp_millis();
    let row = users::Model {
        id: new.id,
        email: new.email.as_ref().map(|email| email.typed.clone()),
        email_canonical: new.email.as_ref().map(|email| email.canonical.clone()),
        username: new.username.as_ref().map(|name| name.typed.clone()),
        username_canonical: new.username.as_ref().map(|name| name.canonical.clone()),
        name: new.name.clone(),
        profile: new.profile.to_stored(),
        attributes: attributes::to_stored(&new.attributes),
        password_hash: new.password_hash.clone(),
        password_version: 0,
        revision: 0,
        email_verified_at: new.email_verified.then_some(now),
        disabled_at: None,
        leaving_since: None,
        leaves_at: None,
        created_at: now,
        updated_at: now,
    };
    row.into_active_model().reset_all().insert(tx).await?;
    Ok(())
}

/// What an account is found by; names in their canonical form.
pub(super) enum Key {
    Id(Uuid),
    Email(String),
    Username(String),
}

pub(super) async fn find(database: &Database, key: Key) -> Result<Option<User>, DatabaseError> {
    let wanted = match key {
        Key::Id(id) => users::Column::Id.eq(id),
        Key::Email(email) => users::Column::EmailCanonical.eq(email),
        Key::Username(username) => users::Column::UsernameCanonical.eq(username),
    };
    let Some(row) = users::Entity::find().filter(wanted).one(database.reader()).await? else { return Ok(None) };
    let roles = user_roles::Entity::find().filter(user_roles::Column::UserId.eq(row.id)).all(database.reader()).await?;
    Ok(Some(user_of(row, roles.into_iter().map(|role| role.role).collect())))
}

/// A person inside an action, whom nobody else changes before it has ended.
pub(super) async fn hold_user(tx: &Tx, id: Uuid) -> Result<Option<User>, DatabaseError> {
    if hold(tx, id, true).await?.is_none() {
        return Ok(None);
    }
    let Some(row) = users::Entity::find_by_id(id).one(tx).await? else { return Ok(None) };
    let roles = user_roles::Entity::find().filter(user_roles::Column::UserId.eq(id)).all(tx).await?;
    Ok(Some(user_of(row, roles.into_iter().map(|role| role.role).collect())))
}

/// A person inside an action, without their roles.
pub(super) async fn read(tx: &Tx, id: Uuid) -> Result<Option<User>, DatabaseError> {
    Ok(users::Entity::find_by_id(id).one(tx).await?.map(|row| user_of(row, Vec::new())))
}

/// The person at a canonical address, without their roles: a question that costs the same whether somebody is there.
pub(super) async fn at_address(database: &Database, address: &str) -> Result<Option<User>, DatabaseError> {
    let row = users::Entity::find().filter(users::Column::EmailCanonical.eq(address)).one(database.reader()).await?;
    Ok(row.map(|row| user_of(row, Vec::new())))
}

/// Everybody, oldest first.
pub(super) async fn list(database: &Database) -> Result<Vec<User>, DatabaseError> {
    let mut roles: HashMap<Uuid, Vec<String>> = HashMap::new();
    for row in user_roles::Entity::find().all(database.reader()).await? {
        roles.entry(row.user_id).or_default().push(row.role);
    }
    let rows = users::Entity::find().order_by_asc(users::Column::Id).all(database.reader()).await?;
    Ok(rows
        .into_iter()
        .map(|row| (roles.remove(&row.id).unwrap_or_default(), row))
        .map(|(roles, row)| user_of(row, roles))
        .collect())
}

/// So many people whose ids come after one, oldest first.
pub(super) async fn page(database: &Database, after: Option<Uuid>, most: u64) -> Result<Vec<User>, DatabaseError> {
    let mut query = users::Entity::find().order_by_asc(users::Column::Id).limit(most);
    if let Some(after) = after {
        query = query.filter(users::Column::Id.gt(after));
    }
    let rows = query.all(database.reader()).await?;
    let mut roles: HashMap<Uuid, Vec<String>> = HashMap::new();
    let of_these = user_roles::Column::UserId.is_in(rows.iter().map(|row| row.id));
    for row in user_roles::Entity::find().filter(of_these).all(database.reader()).await? {
        roles.entry(row.user_id).or_default().push(row.role);
    }
    Ok(rows
        .into_iter()
        .map(|row| (roles.remove(&row.id).unwrap_or_default(), row))
        .map(|(roles, row)| user_of(row, roles))
        .collect())
}

pub(super) async fn is_empty(database: &Database) -> Result<bool, DatabaseError> {
    Ok(database.query_one(database.statement("SELECT 1 FROM users LIMIT 1", [])).await?.is_none())
}

fn user_of(row: users::Model, mut roles: Vec<String>) -> User {
    roles.sort();
    User {
        id: row.id,
        email: row.email,
        email_verified: row.email_verified_at.is_some(),
        email_verified_at: row.email_verified_at.map(from_millis),
        username: row.username,
        name: row.name,
        profile: Profile::stored(row.profile.as_deref()),
        attributes: attributes::stored(row.attributes.as_deref()),
        // Who leaves is kept out by the same column.
        disabled: row.disabled_at.is_some() && row.disabled_at != row.leaving_since,
        leaves_at: row.leaves_at.map(from_millis),
        roles,
        revision: row.revision,
        created_at: from_millis(row.created_at),
        updated_at: from_millis(row.updated_at),
    }
}

/// What an edit leaves of an account.
pub(super) struct Edited {
    pub(super) email: Option<Email>,
    pub(super) username: Option<Username>,
    pub(super) name: Option<String>,
    pub(super) profile: Profile,
    pub(super) attributes: AttributeValues,
    pub(super) email_verified: bool,
}

pub(super) async fn update(tx: &Tx, id: Uuid, edited: &Edited, now: DateTime<Utc>) -> Result<u64, DatabaseError> {
    // An address that was verified keeps the time when it was.
    let sql = "UPDATE users SET email = $2, email_canonical = $3, username = $4, username_canonical = $5, name = $6, profile = $7, \
               email_verified_at = CASE WHEN $8 THEN COALESCE(email_verified_at, $9) ELSE NULL END, updated_at = $9, \
               attributes = $10, revision = revision + 1 WHERE id = $1";
    let (email, username) = (edited.email.as_ref(), edited.username.as_ref());
    let values = [
        id.into(),
        email.map(|email| email.typed.clone()).into(),
        email.map(|email| email.canonical.clone()).into(),
        username.map(|username| username.typed.clone()).into(),
        username.map(|username| username.canonical.clone()).into(),
        edited.name.clone().into(),
        edited.profile.to_stored().into(),
        edited.email_verified.into(),
        now.timestamp_millis().into(),
        attributes::to_stored(&edited.attributes).into(),
    ];
    execute(tx, sql, values).await
}

pub(super) async fn set_password(tx: &Tx, id: Uuid, hash: &str, now: DateTime<Utc>) -> Result<u64, DatabaseError> {
    let sql =
        "UPDATE users SET password_hash = $2, password_version = password_version + 1, updated_at = $3 WHERE id = $1";
    execute(tx, sql, [id.into(), hash.into(), now.timestamp_millis().into()]).await
}

/// Another hash of the same password. Answers whether the password was still that one; the account counts as unchanged.
pub(super) async fn rehash(tx: &Tx, id: Uuid, before: &str, after: &str) -> Result<bool, DatabaseError> {
    let sql = "UPDATE users SET password_hash = $3 WHERE id = $1 AND password_hash = $2";
    Ok(execute(tx, sql, [id.into(), before.into(), after.into()]).await? == 1)
}

/// A hash for somebody who has none.
pub(super) async fn adopt_password(tx: &Tx, id: Uuid, hash: &str, now: DateTime<Utc>) -> Result<u64, DatabaseError> {
    let sql = "UPDATE users SET password_hash = $2, password_version = password_version + 1, updated_at = $3 \
               WHERE id = $1 AND password_hash IS NULL";
    execute(tx, sql, [id.into(), hash.into(), now.timestamp_millis().into()]).await
}

/// Any hash of another program that is yet to be replaced by ours.
pub(crate) async fn imported_hash(database: &Database) -> Result<Option<String>, DatabaseError> {
    // Word for word the condition of the index.
    let sql = "SELECT password_hash FROM users WHERE password_hash NOT LIKE '$argon2id$%' LIMIT 1";
    let row = database.query_one(database.statement(sql, [])).await?;
    Ok(row.map(|row| row.try_get("", "password_hash")).transpose()?)
}

/// The address counts as the person's. Answers whether it did not before.
pub(super) async fn set_verified(tx: &Tx, id: Uuid, now: DateTime<Utc>) -> Result<bool, DatabaseError> {
    let sql = "UPDATE users SET email_verified_at = $2, updated_at = $2, revision = revision + 1 \
               WHERE id = $1 AND email_verified_at IS NULL";
    Ok(execute(tx, sql, [id.into(), now.timestamp_millis().into()]).await? == 1)
}

/// Whether an account has this address.
pub(super) async fn has_address(tx: &Tx, id: Uuid, address: &str) -> Result<bool, DatabaseError> {
    let held = users::Entity::find_by_id(id).filter(users::Column::EmailCanonical.eq(address)).one(tx).await?;
    Ok(held.is_some())
}

/// The same as long as the account has this address.
pub(super) async fn set_verified_at(
    tx: &Tx,
    id: Uuid,
    address: &str,
    now: DateTime<Utc>,
) -> Result<bool, DatabaseError> {
    let sql = "UPDATE users SET email_verified_at = $3, updated_at = $3, revision = revision + 1 \
               WHERE id = $1 AND email_canonical = $2 AND email_verified_at IS NULL";
    Ok(execute(tx, sql, [id.into(), address.into(), now.timestamp_millis().into()]).await? == 1)
}

/// Another address, which is verified.
pub(super) async fn set_email(tx: &Tx, id: Uuid, email: &Email, now: DateTime<Utc>) -> Result<u64, DatabaseError> {
    let sql = "UPDATE users SET email = $2, email_canonical = $3, email_verified_at = $4, updated_at = $4, \
               revision = revision + 1 WHERE id = $1";
    let values = [id.into(), email.typed.clone().into(), email.canonical.clone().into(), now.timestamp_millis().into()];
    execute(tx, sql, values).await
}

pub(super) async fn email(tx: &Tx, id: Uuid) -> Result<Option<String>, DatabaseError> {
    Ok(users::Entity::find_by_id(id).one(tx).await?.and_then(|row| row.email))
}

/// The language that a person has chosen.
pub(super) async fn language(tx: &Tx, id: Uuid) -> Result<Option<String>, DatabaseError> {
    let row = users::Entity::find_by_id(id).one(tx).await?;
    Ok(row.and_then(|row| Profile::stored(row.profile.as_deref()).locale))
}

/// Somebody who chose a password and has never proven the address, by their id or canonical address: whoever made that account
/// may be another than the address's owner.
pub(super) async fn unproven(tx: &Tx, id: Option<Uuid>, address: &str) -> Result<Option<Uuid>, DatabaseError> {
    #[derive(FromQueryResult)]
    struct Row {
        id: Uuid,
    }
    let sql = "SELECT id FROM users WHERE (id = $1 OR email_canonical = $2) AND email_verified_at IS NULL AND password_hash IS NOT NULL";
    Ok(fetch_one::<Row, 2>(tx, sql, [id.into(), address.into()]).await?.map(|row| row.id))
}

/// Notes that an address is verified, if it was not, and takes the password of whoever had not verified it. Answers whose it is.
/// `by_us`: we have mailed the proof ourselves. Else it is another program's word, by which an administrator's stays as it is.
pub(super) async fn prove_address(
    tx: &Tx,
    address: &str,
    by_us: bool,
    now: DateTime<Utc>,
) -> Result<Option<Uuid>, DatabaseError> {
    #[derive(FromQueryResult)]
    struct Row {
        id: Uuid,
    }
    let sql = "UPDATE users SET email_verified_at = $2, password_hash = NULL, password_version = password_version + 1, updated_at = $2, \
               revision = revision + 1 WHERE email_canonical = $1 AND email_verified_at IS NULL \
               AND ($4 OR NOT EXISTS (SELECT 1 FROM user_roles r WHERE r.user_id = users.id AND r.role = $3)) RETURNING id";
    let values = [address.into(), now.timestamp_millis().into(), ADMIN.into(), by_us.into()];
    Ok(fetch_one::<Row, 4>(tx, sql, values).await?.map(|row| row.id))
}

pub(super) async fn set_disabled(tx: &Tx, id: Uuid, disabled: bool, now: DateTime<Utc>) -> Result<u64, DatabaseError> {
    let at = disabled.then_some(now.timestamp_millis());
    execute(
        tx,
        // Letting somebody in again takes no account back that is on its way out; nor are the two ever the same moment.
        "UPDATE users SET disabled_at = COALESCE(CASE WHEN $2 = leaving_since THEN $2 + 1 ELSE $2 END, leaving_since), \
         updated_at = $3 WHERE id = $1",
        [id.into(), at.into(), now.timestamp_millis().into()],
    )
    .await
}

/// Removes a person, and notes by number that they are gone: what is not theirs by its table is wiped later.
pub(super) async fn delete(tx: &Tx, id: Uuid, now: DateTime<Utc>) -> Result<u64, DatabaseError> {
    let gone = execute(tx, "DELETE FROM users WHERE id = $1", [id.into()]).await?;
    if gone > 0 {
        let sql = "INSERT INTO departures (user_id, departed_at) VALUES ($1, $2) ON CONFLICT (user_id) DO NOTHING";
        execute(tx, sql, [id.into(), now.timestamp_millis().into()]).await?;
    }
    Ok(gone)
}

pub(super) async fn has_administrator(database: &Database) -> Result<bool, DatabaseError> {
    let sql = "SELECT 1 AS yes FROM user_roles r JOIN users u ON u.id = r.user_id \
               WHERE r.role = $1 AND u.disabled_at IS NULL LIMIT 1";
    Ok(database.query_one(database.statement(sql, [ADMIN.into()])).await?.is_some())
}

/// The enabled people who may do everything, each of whom stays one until the action has ended or itself changes it.
pub(super) async fn administrators(tx: &Tx) -> Result<Vec<Uuid>, DatabaseError> {
    #[derive(FromQueryResult)]
    struct Row {
        id: Uuid,
    }
    let sql = format!(
        "SELECT u.id FROM user_roles r JOIN users u ON u.id = r.user_id WHERE r.role = $1 AND u.disabled_at IS NULL \
         ORDER BY u.id{}",
        hold_row(tx, true)
    );
    let rows: Vec<Row> = fetch_all(tx, &sql, [ADMIN.into()]).await?;
    Ok(rows.into_iter().map(|row| row.id).collect())
}

pub(crate) async fn grant_role(tx: &Tx, id: Uuid, role: &str) -> Result<u64, DatabaseError> {
    execute(
        tx,
        // Given here, it is no provider's to take any more.
        "INSERT INTO user_roles (user_id, role) VALUES ($1, $2) ON CONFLICT (user_id, role) DO UPDATE SET provider = NULL",
        [id.into(), role.into()],
    )
    .await
}

pub(crate) async fn revoke_role(tx: &Tx, id: Uuid, role: &str) -> Result<u64, DatabaseError> {
    execute(tx, "DELETE FROM user_roles WHERE user_id = $1 AND role = $2", [id.into(), role.into()]).await
}
