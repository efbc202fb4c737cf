//! An API key of a person or of a service account.

use sea_orm::entity::prelude::*;

#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "api_keys")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: Uuid,
    pub name: String,
    /// The beginning of the secret, to be recognised by.
    pub hint: String,
    pub hash: Vec<u8>,
    /// The secret before, while callers change over.
    pub previous_hash: Option<Vec<u8>>,
    pub previous_expires_at: Option<i64>,
    pub user_id: Option<Uuid>,
    pub client_id: Option<String>,
    /// Space-separated: what it is good for, as far as its owner may.
    pub scope: String,
    /// The API that it is for; none: ourselves.
    pub audience: Option<String>,
    pub created_at: i64,
    pub expires_at: i64,
    /// Written in batches.
    pub last_used_at: Option<i64>,
    pub revoked_at: Option<i64>,
}

#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
