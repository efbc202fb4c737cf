//! A token that NextAuth sends to an address, kept for a while after its use.

use sea_orm::entity::prelude::*;

#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "adapter_verification_tokens")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    /// Of address and token together.
    pub hash: Vec<u8>,
    /// In its canonical form.
    pub address: String,
    pub expires_at: i64,
    pub used_at: Option<i64>,
}

#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
