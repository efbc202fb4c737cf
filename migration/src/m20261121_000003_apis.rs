//! Resource servers: the audiences that access tokens are made for.

use sea_orm_migration::prelude::*;

use crate::columns::{drop_table, list_table, millis, optional, text};

#[derive(DeriveMigrationName)]
pub(crate) struct Migration;

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        manager
            .create_table(
                Table::create()
                    .table("apis")
                    .col(text("audience").primary_key())
                    .col(text("name"))
                    .col(text("token_format"))
                    .col(optional(millis("access_token_lifetime")))
                    .col(millis("created_at"))
                    .take(),
            )
            .await?;
        manager.create_table(list_table("api_scopes", "audience", "apis", "audience", "scope")).await
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        drop_table(manager, "api_scopes").await?;
        drop_table(manager, "apis").await
    }
}
