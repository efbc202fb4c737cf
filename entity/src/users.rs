//! A person.

use sea_orm::entity::prelude::*;

#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "users")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: Uuid,
    /// As typed.
    pub email: Option<String>,
    pub email_canonical: Option<String>,
    pub username: Option<String>,
    pub username_canonical: Option<String>,
    pub name: Option<String>,
    /// Further standard claims (OpenID Connect Core section 5.1), a JSON object.
    pub profile: Option<String>,
    /// Declared attributes, a JSON object.
    pub attributes: Option<String>,
    /// A PHC string.
    pub password_hash: Option<String>,
    /// Counts the passwords; another hash of the same one counts as the same.
    pub password_version: i32,
    /// Counts the edits of what this row says of somebody.
    pub revision: i32,
    pub email_verified_at: Option<i64>,
    pub disabled_at: Option<i64>,
    /// When somebody asked for the account to be deleted; `disabled_at` is the same then, unless somebody else keeps them out too.
    pub leaving_since: Option<i64>,
    /// From then on the account goes, unless it is taken back.
    pub leaves_at: Option<i64>,
    pub created_at: i64,
    pub updated_at: i64,
}

#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
