//! Authorization requests that wait for a person to sign in or to consent.

use sea_orm_migration::prelude::*;

use crate::columns::{belongs_to, bytes, drop_table, index, millis, text};

#[derive(DeriveMigrationName)]
pub(crate) struct Migration;

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        manager
            .create_table(
                Table::create()
                    .table("interactions")
                    .col(bytes("id_hash").primary_key())
                    .col(bytes("browser_hash"))
                    .col(text("client_id"))
                    .col(text("parameters"))
                    .col(millis("created_at"))
                    .col(millis("expires_at"))
                    .foreign_key(&mut belongs_to("interactions", "client_id", "clients", "id"))
                    .take(),
            )
            .await?;
        manager.create_index(index("interactions", "client_id")).await?;
        manager.create_index(index("interactions", "expires_at")).await
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        drop_table(manager, "interactions").await
    }
}
