//! People, and the roles they hold.

use sea_orm_migration::prelude::*;

use crate::columns::{belongs_to, drop_table, id, millis, optional, text, unique};

#[derive(DeriveMigrationName)]
pub(crate) struct Migration;

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        manager
            .create_table(
                Table::create()
                    .table("users")
                    .col(id("id").primary_key())
                    .col(optional(text("email")))
                    .col(optional(text("email_canonical")))
                    .col(optional(text("username")))
                    .col(optional(text("username_canonical")))
                    .col(optional(text("name")))
                    .col(optional(text("password_hash")))
                    .col(optional(millis("email_verified_at")))
                    .col(optional(millis("disabled_at")))
                    .col(millis("created_at"))
                    .col(millis("updated_at"))
                    .take(),
            )
            .await?;
        manager.create_index(unique("users", "email_canonical")).await?;
        manager.create_index(unique("users", "username_canonical")).await?;
        manager
            .create_table(
                Table::create()
                    .table("user_roles")
                    .col(id("user_id"))
                    .col(text("role"))
                    .primary_key(Index::create().col("user_id").col("role"))
                    .foreign_key(&mut belongs_to("user_roles", "user_id", "users", "id"))
                    .take(),
            )
            .await
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        drop_table(manager, "user_roles").await?;
        drop_table(manager, "users").await
    }
}
