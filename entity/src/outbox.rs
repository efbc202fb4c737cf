//! A message to the outside, sent after the transaction that wrote it.

use sea_orm::entity::prelude::*;

#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "outbox")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: Uuid,
    pub kind: String,
    /// A JSON object.
    pub payload: String,
    pub attempts: i32,
    pub last_error: Option<String>,
    pub created_at: i64,
    pub due_at: i64,
    /// Whom it is for, in the words of its kind; messages to one recipient share a queue.
    pub recipient: String,
}

#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
