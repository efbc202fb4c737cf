//! A registered application.

use sea_orm::entity::prelude::*;

#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "clients")]
#[expect(clippy::struct_excessive_bools, reason = "each is a choice of its own in the registration")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: String,
    pub name: String,
    pub secret_hash: Option<Vec<u8>>,
    /// The secret before, while its users change over.
    pub previous_secret_hash: Option<Vec<u8>>,
    pub previous_secret_expires_at: Option<i64>,
    pub auth_method: String,
    pub first_party: bool,
    pub pkce_required: bool,
    pub claims_in_id_token: bool,
    pub id_token_alg: String,
    pub token_format: Option<String>,
    pub default_audience: Option<String>,
    pub refresh_grace: Option<i64>,
    pub access_token_lifetime: Option<i64>,
    pub refresh_token_lifetime: Option<i64>,
    /// In milliseconds: how old a sign-in may be where the request does not say.
    pub default_max_age: Option<i64>,
    pub backchannel_logout_uri: Option<String>,
    pub frontchannel_logout_uri: Option<String>,
    pub backchannel_logout_session_required: bool,
    pub frontchannel_logout_session_required: bool,
    pub logo_uri: Option<String>,
    pub disabled_at: Option<i64>,
    pub created_at: i64,
    pub updated_at: i64,
}

#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
