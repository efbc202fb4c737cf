//! A person's account at another provider.

use sea_orm::entity::prelude::*;

#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "linked_accounts")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub provider: String,
    #[sea_orm(primary_key, auto_increment = false)]
    pub account_id: String,
    pub user_id: Uuid,
    /// As NextAuth calls it: oauth, oidc, email, …
    pub kind: String,
    pub created_at: i64,
    /// Of the account's provider; none where the session adapter linked it: then the provider of that name is meant.
    pub issuer: Option<String>,
    pub last_used_at: Option<i64>,
}

#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
