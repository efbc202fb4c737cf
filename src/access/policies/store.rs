//! The tables `policy_versions` and `decisions`, and what is known of subjects who are people.

use std::collections::HashMap;

use ::entity::{decisions, policy_versions};
use chrono::{DateTime, Utc};
use sea_orm::sea_query::{Expr, OnConflict};
use sea_orm::{
    ColumnTrait as _, ConnectionTrait, EntityTrait as _, FromQueryResult, QueryFilter as _, QueryOrder as _,
    QuerySelect as _, Set, Statement, Value,
};
use serde_json::json;
use uuid::Uuid;

use super::bundle::{Bundle, Uid};
use super::publish::{Origin, Version};
use super::question::Known;
use crate::identity::Standing;
use crate::platform::clock::from_millis;
use crate::platform::database::{Database, DatabaseError, Tx, execute, fetch_one, statement};

/// The number of the version that is in force.
pub(super) async fn newest_number(database: &Database) -> Result<Option<i64>, DatabaseError> {
    let row = database.query_one(database.statement("SELECT max(version) AS newest FROM policy_versions", [])).await?;
    Ok(row.map(|row| row.try_get("", "newest")).transpose()?.flatten())
}

/// The version that is in force, with what it says; none: nobody has published anything.
pub(super) async fn newest(database: &Database) -> Result<Option<(Version, Bundle)>, DatabaseError> {
    let found = policy_versions::Entity::find().order_by_desc(policy_versions::Column::Version);
    Ok(found.one(database.reader()).await?.map(read))
}

pub(super) async fn find(database: &Database, version: i64) -> Result<Option<(Version, Bundle)>, DatabaseError> {
    Ok(policy_versions::Entity::find_by_id(version).one(database.reader()).await?.map(read))
}

/// The newest versions before one, without what they say.
pub(super) async fn page(database: &Database, before: Option<i64>, limit: u64) -> Result<Vec<Version>, DatabaseError> {
    let mut found = policy_versions::Entity::find().order_by_desc(policy_versions::Column::Version).limit(limit);
    if let Some(before) = before {
        found = found.filter(policy_versions::Column::Version.lt(before));
    }
    Ok(found.all(database.reader()).await?.into_iter().map(|row| read(row).0).collect())
}

fn read(row: policy_versions::Model) -> (Version, Bundle) {
    // What was written here was made of the same types.
    let bundle = Bundle {
        documents: serde_json::from_str(&row.documents).unwrap_or_default(),
        schema: row.schema,
        entities: serde_json::from_str(&row.entities).unwrap_or_default(),
    };
    let version = Version {
        number: row.version,
        origin: Origin::parse(&row.source),
        note: row.note,
        published_by: row.published_by,
        published_at: from_millis(row.published_at),
    };
    (version, bundle)
}

/// The newest version's number and hash, inside an action that holds the epoch: nobody publishes meanwhile.
pub(super) async fn newest_hash(tx: &Tx) -> Result<Option<(i64, Vec<u8>)>, DatabaseError> {
    #[derive(FromQueryResult)]
    struct Row {
        version: i64,
        hash: Vec<u8>,
    }
    let sql = "SELECT version, hash FROM policy_versions ORDER BY version DESC LIMIT 1";
    Ok(fetch_one::<Row, 0>(tx, sql, []).await?.map(|row| (row.version, row.hash)))
}

/// Whether something like this was ever published.
pub(super) async fn was_published(db: &impl ConnectionTrait, hash: &[u8]) -> Result<bool, DatabaseError> {
    let sql = "SELECT 1 AS yes FROM policy_versions WHERE hash = $1 LIMIT 1";
    Ok(db.query_one_raw(statement(db.get_database_backend(), sql, [hash.into()])).await?.is_some())
}

pub(super) async fn insert(tx: &Tx, version: &Version, bundle: &Bundle, hash: &[u8]) -> Result<(), DatabaseError> {
    let sql = "INSERT INTO policy_versions (version, source, documents, schema, entities, hash, note, published_by, published_at) \
               VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)";
    let text = |value: Result<String, serde_json::Error>| value.unwrap_or_default();
    execute(
        tx,
        sql,
        [
            version.number.into(),
            version.origin.name().into(),
            text(serde_json::to_string(&bundle.documents)).into(),
            bundle.schema.as_str().into(),
            text(serde_json::to_string(&bundle.entities)).into(),
            hash.into(),
            version.note.as_str().into(),
            version.published_by.clone().into(),
            version.published_at.timestamp_millis().into(),
        ],
    )
    .await?;
    Ok(())
}

/// Adds what was decided to what is kept. Rows come in the order of their keys, so that no two nodes wait for each other.
pub(super) async fn add_decisions(tx: &Tx, rows: Vec<decisions::Model>) -> Result<(), DatabaseError> {
    use decisions::Column::{Allowed, Hash, LastAt, Policies, Times, Version};
    let rows = rows.into_iter().map(|row| decisions::ActiveModel {
        hash: Set(row.hash),
        question: Set(row.question),
        allowed: Set(row.allowed),
        policies: Set(row.policies),
        version: Set(row.version),
        times: Set(row.times),
        first_at: Set(row.first_at),
        last_at: Set(row.last_at),
    });
    let again = OnConflict::column(Hash)
        .update_columns([Allowed, Policies, Version, LastAt])
        .value(Times, Expr::cust("decisions.times + excluded.times"))
        .to_owned();
    decisions::Entity::insert_many(rows).on_conflict(again).exec_without_returning(tx).await?;
    Ok(())
}

/// The decisions that were made last.
pub(super) async fn recent(database: &Database, limit: u64) -> Result<Vec<decisions::Model>, DatabaseError> {
    let found = decisions::Entity::find().order_by_desc(decisions::Column::LastAt).limit(limit);
    Ok(found.all(database.reader()).await?)
}

/// Forgets the decisions that name somebody.
pub(super) async fn forget_naming(database: &Database, user: Uuid) -> Result<u64, DatabaseError> {
    let sql = "DELETE FROM decisions WHERE question LIKE $1";
    let naming = format!("%{user}%");
    database.write(move |tx| Box::pin(async move { execute(tx, sql, [naming.into()]).await })).await
}

/// Forgets decisions from before an instant, and those beyond so many.
pub(super) async fn forget(
    database: &Database,
    before: DateTime<Utc>,
    most: i64,
    batch: i64,
) -> Result<u64, DatabaseError> {
    let before = before.timestamp_millis();
    database
        .write(move |tx| {
            Box::pin(async move {
                let old =
                    "DELETE FROM decisions WHERE hash IN (SELECT hash FROM decisions WHERE last_at < $1 LIMIT $2)";
                let gone = execute(tx, old, [before.into(), batch.into()]).await?;
                let beyond = "DELETE FROM decisions WHERE hash IN \
                              (SELECT hash FROM decisions ORDER BY last_at DESC LIMIT $1 OFFSET $2)";
                Ok(gone + execute(tx, beyond, [batch.into(), most.into()]).await?)
            })
        })
        .await
}

// ---- subjects ----

#[derive(FromQueryResult)]
struct Person {
    id: Uuid,
    email: Option<String>,
    username: Option<String>,
    name: Option<String>,
    attributes: Option<String>,
    email_verified_at: Option<i64>,
    disabled_at: Option<i64>,
    #[sea_orm(nested)]
    standing: Standing,
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
        let roles = self.standing.roles();
        // What is declared cannot be called like these.
        let mut attrs = self.attributes.and_then(|json| serde_json::from_str(&json).ok()).unwrap_or_default();
        fill(&mut attrs, "roles", json!(roles));
        fill(&mut attrs, "permissions", json!(self.standing.permissions()));
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
