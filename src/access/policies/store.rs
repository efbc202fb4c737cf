//! The table `policy_versions`, and what is known of subjects who are people.

use std::collections::HashMap;

use ::entity::policy_versions;
use sea_orm::{EntityTrait as _, FromQueryResult, QueryOrder as _, QuerySelect as _, Statement, Value};
use serde_json::json;
use uuid::Uuid;

use super::{Bundle, Known, Uid};
use crate::platform::database::{Database, DatabaseError};

/// The version in force, if there is one.
pub(super) async fn version(database: &Database) -> Result<Option<i64>, DatabaseError> {
    let newest = policy_versions::Entity::find().order_by_desc(policy_versions::Column::Version);
    let newest = newest.select_only().column(policy_versions::Column::Version);
    Ok(newest.into_tuple::<i64>().one(database.reader()).await?)
}

/// The bundle in force with its version. One that cannot be read is said, and is none.
pub(super) async fn current(database: &Database) -> Result<Option<(i64, Bundle)>, DatabaseError> {
    let newest = policy_versions::Entity::find().order_by_desc(policy_versions::Column::Version);
    let Some(row) = newest.one(database.reader()).await? else { return Ok(None) };
    let read = || {
        Ok::<_, serde_json::Error>(Bundle {
            documents: serde_json::from_str(&row.documents)?,
            entities: serde_json::from_str(&row.entities)?,
            schema: row.schema.clone(),
        })
    };
    Ok(read()
        .map_err(|error| tracing::error!(%error, version = row.version, "published policies cannot be read"))
        .ok()
        .map(|bundle| (row.version, bundle)))
}

#[derive(FromQueryResult)]
struct Person {
    id: Uuid,
    email: Option<String>,
    username: Option<String>,
    name: Option<String>,
    attributes: Option<String>,
    email_verified_at: Option<i64>,
    disabled_at: Option<i64>,
    roles: Option<String>,
    permissions: Option<String>,
}

/// What is known of these people: one SELECT, whoever is asked for.
pub(super) async fn people(database: &Database, ids: &[Uuid]) -> Result<HashMap<Uuid, Known>, DatabaseError> {
    let places: Vec<String> = (1..=ids.len()).map(|number| format!("${number}")).collect();
    let sql = format!(
        "SELECT u.id, u.email, u.username, u.name, u.attributes, u.email_verified_at, u.disabled_at, \
         (SELECT string_agg(r.role, '\n') FROM user_roles r WHERE r.user_id = u.id) AS roles, \
         (SELECT string_agg(p.permission, '\n') FROM user_roles r JOIN role_permissions p ON p.role = r.role \
          WHERE r.user_id = u.id) AS permissions \
         FROM users u WHERE u.id IN ({})",
        places.join(", ")
    );
    let backend = database.reader().get_database_backend();
    let values: Vec<Value> = ids.iter().map(|id| (*id).into()).collect();
    let rows: Vec<Person> = database.find_all(Statement::from_sql_and_values(backend, sql, values)).await?;
    Ok(rows.into_iter().map(|row| (row.id, row.known())).collect())
}

impl Person {
    fn known(self) -> Known {
        let (roles, permissions) = (lines(self.roles.as_deref()), lines(self.permissions.as_deref()));
        // What is declared cannot be called like these.
        let mut attrs = self.attributes.and_then(|json| serde_json::from_str(&json).ok()).unwrap_or_default();
        fill(&mut attrs, "roles", json!(roles));
        fill(&mut attrs, "permissions", json!(permissions));
        fill(&mut attrs, "email_verified", json!(self.email_verified_at.is_some()));
        fill(&mut attrs, "email", json!(self.email));
        fill(&mut attrs, "username", json!(self.username));
        fill(&mut attrs, "name", json!(self.name));
        Known { attrs, parents: in_roles(&roles), disabled: self.disabled_at.is_some() }
    }
}

fn fill(attrs: &mut serde_json::Map<String, serde_json::Value>, name: &str, value: serde_json::Value) {
    attrs.insert(name.to_owned(), value);
}

/// Roles as entities.
pub(super) fn in_roles(roles: &[String]) -> Vec<Uid> {
    roles.iter().map(|role| Uid { kind: "role".to_owned(), id: role.clone() }).collect()
}

fn lines(text: Option<&str>) -> Vec<String> {
    let mut lines: Vec<String> = text.unwrap_or_default().lines().map(str::to_owned).collect();
    lines.sort();
    lines.dedup();
    lines
}
