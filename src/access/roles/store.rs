//! The tables `roles`, `role_permissions`, `permissions` and `client_roles`, and who has a role in `user_roles`.

use ::entity::{role_permissions, user_roles};
use sea_orm::{ColumnTrait as _, ConnectionTrait, DbErr, EntityTrait as _, QueryFilter as _};
use uuid::Uuid;

use crate::access::Held;

/// What a person's roles give.
pub(super) async fn held_by(db: &impl ConnectionTrait, person: Uuid) -> Result<Held, DbErr> {
    let roles = user_roles::Entity::find().filter(user_roles::Column::UserId.eq(person)).all(db).await?;
    let roles: Vec<String> = roles.into_iter().map(|row| row.role).collect();
    given_by(db, &roles).await
}

/// What roles give.
pub(super) async fn given_by(db: &impl ConnectionTrait, roles: &[String]) -> Result<Held, DbErr> {
    let of_these = role_permissions::Column::Role.is_in(roles.iter().map(String::as_str));
    let rows = role_permissions::Entity::find().filter(of_these).all(db).await?;
    Ok(Held::by(roles, rows.into_iter().map(|row| row.permission)))
}
