//! What applications may hear of somebody.

use sea_orm::FromQueryResult;
use uuid::Uuid;

/// A person as far as tokens and userinfo speak of them.
#[derive(Clone, Debug, PartialEq, Eq, FromQueryResult)]
pub struct Person {
    pub user_id: Uuid,
    pub name: Option<String>,
    pub username: Option<String>,
    pub email: Option<String>,
    /// Milliseconds since 1970.
    pub email_verified_at: Option<i64>,
    /// Milliseconds since 1970.
    pub updated_at: i64,
    /// Further standard claims, as the database keeps them; read only where somebody wants one.
    pub profile: Option<String>,
    /// Declared attributes, kept and read alike.
    pub attributes: Option<String>,
}
