//! Policies, schema and entities as they were published.

use sea_orm::entity::prelude::*;

#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "policy_versions")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub version: i64,
    /// `files`, `api` or `command`.
    pub source: String,
    /// JSON: the policies' texts by name.
    pub documents: String,
    pub schema: String,
    /// JSON.
    pub entities: String,
    /// Of all three.
    pub hash: Vec<u8>,
    pub note: String,
    pub published_by: Option<String>,
    pub published_at: i64,
}

#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
