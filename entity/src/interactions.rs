//! An authorization request that waits for a person.

use sea_orm::entity::prelude::*;

#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "interactions")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub id_hash: Vec<u8>,
    /// SHA-256 of the cookie of the browser that started it.
    pub browser_hash: Vec<u8>,
    pub client_id: String,
    /// The request's parameters, form-urlencoded, as they came.
    pub parameters: String,
    /// The session that the person chose to go on with (`prompt=select_account`).
    pub chosen_session: Option<Uuid>,
    pub created_at: i64,
    pub expires_at: i64,
}

#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
