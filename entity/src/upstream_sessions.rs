//! At which provider a browser session began.

use sea_orm::entity::prelude::*;

#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "upstream_sessions")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub session_id: Uuid,
    pub provider: String,
    pub issuer: String,
    pub subject: String,
    /// The provider's session.
    pub sid: Option<String>,
    /// Its ID token, sealed: what it is told by whom to sign out.
    pub id_token: Option<Vec<u8>>,
}

#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
