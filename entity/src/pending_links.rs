//! Somebody who came from another provider and has to prove something before they are let in.

use sea_orm::entity::prelude::*;

#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "pending_links")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub name_hash: Vec<u8>,
    /// SHA-256 of the cookie of the browser that they use.
    pub browser_hash: Vec<u8>,
    /// What the provider said, as JSON.
    pub arrival: String,
    pub interaction: Option<String>,
    /// A MAC of the code that was mailed.
    pub code_mac: Option<Vec<u8>>,
    pub attempts: i32,
    pub created_at: i64,
    pub expires_at: i64,
}

#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
