//! What people take away of what is kept of them.

use sea_orm::entity::prelude::*;

#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "exports")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: Uuid,
    pub user_id: Uuid,
    /// What the parts are sealed under, itself sealed under the master key.
    pub sealed_secret: Vec<u8>,
    /// They are told by mail when it is ready.
    pub announce: bool,
    pub asked_at: i64,
    /// With the one under way: whoever writes it has to know the number.
    pub attempts: i32,
    /// Until then it is the one's who counted the last attempt.
    pub leased_until: i64,
    pub ready_at: Option<i64>,
    pub failed_at: Option<i64>,
    pub expires_at: Option<i64>,
    pub parts: i32,
    /// Of the whole document.
    pub bytes: i64,
}

#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
