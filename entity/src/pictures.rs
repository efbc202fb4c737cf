//! A picture that somebody has uploaded.

use sea_orm::entity::prelude::*;

#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "pictures")]
pub struct Model {
    /// In the store, and in the picture's address.
    #[sea_orm(primary_key, auto_increment = false)]
    pub name: String,
    /// Nobody's: not yet in use, or not any more.
    pub user_id: Option<Uuid>,
    pub created_at: i64,
    /// From then on the store may give it up if it is nobody's.
    pub kept_until: i64,
}

#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
