//! What happened, who did it, from where. Rows outlive what they speak of, so nothing here refers by key.

use sea_orm_migration::prelude::*;

use crate::columns::{drop_table, id, index, millis, optional, text};

#[derive(DeriveMigrationName)]
pub(crate) struct Migration;

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        manager
            .create_table(
                Table::create()
                    .table("audit_events")
                    .col(id("id").primary_key())
                    .col(millis("at"))
                    .col(text("kind"))
                    .col(optional(id("user_id")))
                    .col(optional(text("client_id")))
                    .col(optional(text("address")))
                    .col(optional(text("request_id")))
                    .col(text("detail"))
                    .take(),
            )
            .await?;
        manager.create_index(index("audit_events", "at")).await?;
        manager.create_index(index("audit_events", "user_id")).await
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        drop_table(manager, "audit_events").await
    }
}
