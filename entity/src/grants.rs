//! What was granted to a client by a person; with a refresh token, that token's family.

use sea_orm::entity::prelude::*;

#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "grants")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: Uuid,
    pub client_id: String,
    pub user_id: Uuid,
    pub session_id: Option<Uuid>,
    pub sid: Option<String>,
    /// Space-separated, as granted (RFC 6749 section 3.3).
    pub scope: String,
    pub audience: Option<String>,
    /// What was asked for by the parameter `claims` (OpenID Connect Core section 5.5), a JSON object.
    pub claims: Option<String>,
    pub auth_time: i64,
    pub acr: String,
    pub amr: String,
    /// Lives on when the browser session ends.
    pub offline: bool,
    /// The refresh token that is good now.
    pub token_hash: Option<Vec<u8>>,
    /// Its direct predecessor, which within the grace gets the same successor.
    pub previous_hash: Option<Vec<u8>>,
    /// The current token, sealed under a key that only the predecessor gives.
    pub sealed_successor: Option<Vec<u8>>,
    pub rotated_at: Option<i64>,
    pub created_at: i64,
    pub expires_at: i64,
    /// The end that no rotation moves.
    pub ends_at: i64,
    pub ended_at: Option<i64>,
    pub end_reason: Option<String>,
}

#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
