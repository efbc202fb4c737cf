//! A browser that was sent to another provider and is expected back.

use sea_orm::entity::prelude::*;

#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "upstream_requests")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub state_hash: Vec<u8>,
    pub provider: String,
    /// SHA-256 of the cookie of the browser that was sent.
    pub browser_hash: Vec<u8>,
    pub purpose: String,
    /// Whose account is to be linked, where somebody is signed in.
    pub user_id: Option<Uuid>,
    /// The interaction that waits, the section of the account that somebody is on the way to, or where a browser goes that was signed out.
    pub onward: Option<String>,
    pub created_at: i64,
    pub expires_at: i64,
}

#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
