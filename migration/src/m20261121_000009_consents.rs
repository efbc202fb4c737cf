//! What a person has allowed an application, scope by scope.

use sea_orm_migration::prelude::*;

use crate::columns::{belongs_to, drop_table, id, index, millis, text};

#[derive(DeriveMigrationName)]
pub(crate) struct Migration;

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        manager
            .create_table(
                Table::create()
                    .table("consents")
                    .col(id("user_id"))
                    .col(text("client_id"))
                    .col(text("scope"))
                    .col(millis("granted_at"))
                    .primary_key(Index::create().col("user_id").col("client_id").col("scope"))
                    .foreign_key(&mut belongs_to("consents", "user_id", "users", "id"))
                    .foreign_key(&mut belongs_to("consents", "client_id", "clients", "id"))
                    .take(),
            )
            .await?;
        manager.create_index(index("consents", "client_id")).await
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        drop_table(manager, "consents").await
    }
}
