//! The tables `roles`, `role_permissions`, `permissions` and `client_roles`, and who has a role in `user_roles`.

use std::collections::HashMap;

use ::entity::{permissions, role_permissions, roles, user_roles};
use chrono::{DateTime, Utc};
use sea_orm::{
    ColumnTrait as _, ConnectionTrait, DbErr, EntityTrait as _, FromQueryResult, QueryFilter as _, QueryOrder as _,
};
use uuid::Uuid;

use super::{Holder, Permission, Role};
use crate::access::Held;
use crate::platform::database::{Database, DatabaseError, Tx, execute, fetch_one, hold_row};

// ---- what is held ----

/// What a person's roles give.
pub(super) async fn held_by(db: &impl ConnectionTrait, person: Uuid) -> Result<Held, DatabaseError> {
    given_by(db, &of_person(db, person).await?).await
}

/// What roles give.
pub(in crate::access) async fn given_by(db: &impl ConnectionTrait, roles: &[String]) -> Result<Held, DatabaseError> {
    let of_these = role_permissions::Column::Role.is_in(roles.iter().map(String::as_str));
    let rows = role_permissions::Entity::find().filter(of_these).all(db).await?;
    Ok(Held::by(roles, rows.into_iter().map(|row| row.permission)))
}

pub(super) async fn of_person(db: &impl ConnectionTrait, person: Uuid) -> Result<Vec<String>, DatabaseError> {
    let rows = user_roles::Entity::find().filter(user_roles::Column::UserId.eq(person));
    let rows = rows.order_by_asc(user_roles::Column::Role).all(db).await?;
    Ok(rows.into_iter().map(|row| row.role).collect())
}

pub(super) async fn people(
    database: &Database,
    role: &str,
    after: Option<Uuid>,
    limit: i64,
) -> Result<Vec<Holder>, DatabaseError> {
    let sql = "SELECT u.id, u.username, u.name FROM user_roles r JOIN users u ON u.id = r.user_id \
               WHERE r.role = $1 AND r.user_id > $2 ORDER BY r.user_id LIMIT $3";
    let values = [role.into(), after.unwrap_or_default().into(), limit.into()];
    database.find_all(database.statement(sql, values)).await
}

/// Whether somebody is there; nobody else gives them a role until the action has ended.
pub(super) async fn hold_person(tx: &Tx, person: Uuid) -> Result<bool, DatabaseError> {
    let sql = format!("SELECT 1 AS yes FROM users WHERE id = $1{}", hold_row(tx, true));
    Ok(fetch_one::<Yes, 1>(tx, &sql, [person.into()]).await?.is_some())
}

#[derive(FromQueryResult)]
struct Yes {
    #[expect(dead_code, reason = "that there is a row says it all")]
    yes: i32,
}

// ---- roles ----

pub(super) async fn all(database: &Database) -> Result<Vec<Role>, DatabaseError> {
    let view = database.view().await?;
    let mut given: HashMap<String, Vec<String>> = HashMap::new();
    let rows = role_permissions::Entity::find().order_by_asc(role_permissions::Column::Permission).all(&view).await?;
    for row in rows {
        given.entry(row.role).or_default().push(row.permission);
    }
    let rows = roles::Entity::find().order_by_asc(roles::Column::Name).all(&view).await?;
    view.commit().await?;
    let role = |row: roles::Model| Role {
        permissions: given.remove(&row.name).unwrap_or_default(),
        name: row.name,
        description: row.description,
    };
    Ok(rows.into_iter().map(role).collect())
}

pub(super) async fn find(db: &impl ConnectionTrait, name: &str) -> Result<Option<Role>, DbErr> {
    let Some(row) = roles::Entity::find_by_id(name.to_owned()).one(db).await? else { return Ok(None) };
    let given = role_permissions::Entity::find().filter(role_permissions::Column::Role.eq(name)).all(db).await?;
    let mut permissions: Vec<String> = given.into_iter().map(|row| row.permission).collect();
    permissions.sort();
    Ok(Some(Role { name: row.name, description: row.description, permissions }))
}

/// A role that stays as it is until the action has ended, unless the action itself changes it.
pub(super) async fn held_role(tx: &Tx, name: &str) -> Result<Option<Role>, DatabaseError> {
    let sql = format!("SELECT 1 AS yes FROM roles WHERE name = $1{}", hold_row(tx, true));
    fetch_one::<Yes, 1>(tx, &sql, [name.into()]).await?;
    Ok(find(tx, name).await?)
}

pub(super) async fn put(tx: &Tx, role: &Role, now: DateTime<Utc>) -> Result<(), DatabaseError> {
    let sql = "INSERT INTO roles (name, description, created_at, updated_at) VALUES ($1, $2, $3, $3) \
               ON CONFLICT (name) DO UPDATE SET description = excluded.description, updated_at = excluded.updated_at";
    let values = [role.name.as_str().into(), role.description.as_str().into(), now.timestamp_millis().into()];
    execute(tx, sql, values).await?;
    execute(tx, "DELETE FROM role_permissions WHERE role = $1", [role.name.as_str().into()]).await?;
    for permission in &role.permissions {
        let sql = "INSERT INTO role_permissions (role, permission) VALUES ($1, $2)";
        execute(tx, sql, [role.name.as_str().into(), permission.as_str().into()]).await?;
    }
    Ok(())
}

/// Answers from how many people and clients it was taken.
pub(super) async fn remove(tx: &Tx, name: &str) -> Result<(u64, u64), DatabaseError> {
    let people = execute(tx, "DELETE FROM user_roles WHERE role = $1", [name.into()]).await?;
    let clients = execute(tx, "DELETE FROM client_roles WHERE role = $1", [name.into()]).await?;
    execute(tx, "DELETE FROM roles WHERE name = $1", [name.into()]).await?;
    Ok((people, clients))
}

/// A role that a permission is in.
pub(super) async fn role_with(tx: &Tx, permission: &str) -> Result<Option<String>, DatabaseError> {
    let rows = role_permissions::Entity::find().filter(role_permissions::Column::Permission.eq(permission));
    Ok(rows.order_by_asc(role_permissions::Column::Role).one(tx).await?.map(|row| row.role))
}

// ---- permissions ----

pub(super) async fn permissions(db: &impl ConnectionTrait) -> Result<Vec<Permission>, DbErr> {
    let rows = permissions::Entity::find().all(db).await?;
    let permission =
        |row: permissions::Model| Permission { name: row.name, description: row.description, built_in: false };
    Ok(rows.into_iter().map(permission).collect())
}

/// What a permission is described by.
pub(super) async fn permission(tx: &Tx, name: &str) -> Result<Option<String>, DatabaseError> {
    Ok(permissions::Entity::find_by_id(name.to_owned()).one(tx).await?.map(|row| row.description))
}

/// Whether a permission is declared; it stays so until the action has ended.
pub(super) async fn hold_permission(tx: &Tx, name: &str) -> Result<bool, DatabaseError> {
    let sql = format!("SELECT 1 AS yes FROM permissions WHERE name = $1{}", hold_row(tx, false));
    Ok(fetch_one::<Yes, 1>(tx, &sql, [name.into()]).await?.is_some())
}

pub(super) async fn put_permission(
    tx: &Tx,
    name: &str,
    description: &str,
    now: DateTime<Utc>,
) -> Result<(), DatabaseError> {
    let sql = "INSERT INTO permissions (name, description, created_at) VALUES ($1, $2, $3) \
               ON CONFLICT (name) DO UPDATE SET description = excluded.description";
    execute(tx, sql, [name.into(), description.into(), now.timestamp_millis().into()]).await?;
    Ok(())
}

pub(super) async fn remove_permission(tx: &Tx, name: &str) -> Result<bool, DatabaseError> {
    Ok(execute(tx, "DELETE FROM permissions WHERE name = $1", [name.into()]).await? == 1)
}
