//! Who is signed in in which browser.

use sea_orm::entity::prelude::*;

#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "browser_sessions")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: Uuid,
    /// SHA-256 of the cookie's id, which changes at every sign-in.
    pub token_hash: Vec<u8>,
    /// What relying parties see (`sid`); neither the id nor its hash.
    pub sid: String,
    pub user_id: Uuid,
    /// What tower-sessions keeps: a JSON object.
    pub data: String,
    /// What is proven of when they authenticated; 0: nothing, which another provider may leave open.
    pub auth_time: i64,
    pub acr: String,
    /// Methods of RFC 8176, separated by spaces.
    pub amr: String,
    pub remember: bool,
    pub address: Option<String>,
    pub user_agent: Option<String>,
    pub created_at: i64,
    pub last_seen_at: i64,
    /// The end unless the person is seen before; never after `ends_at`.
    pub expires_at: i64,
    pub ends_at: i64,
    pub ended_at: Option<i64>,
    /// When they last signed in here.
    pub signed_in_at: i64,
}

#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
