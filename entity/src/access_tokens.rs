//! An opaque access token, kept until it expires.

use sea_orm::entity::prelude::*;

#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "access_tokens")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub hash: Vec<u8>,
    /// What it dies with; a client that acts for itself has none.
    pub grant_id: Option<Uuid>,
    pub client_id: String,
    /// Space-separated: the grant's, or a part of it.
    pub scope: String,
    pub audience: Option<String>,
    pub issued_at: i64,
    pub expires_at: i64,
}

#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
