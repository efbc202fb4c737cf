//! Messages to the outside (mail, callbacks), written in the transaction that causes them and sent after it.

use sea_orm_migration::prelude::*;

use crate::columns::{drop_table, id, index, millis, number, optional, text};

#[derive(DeriveMigrationName)]
pub(crate) struct Migration;

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        manager
            .create_table(
                Table::create()
                    .table("outbox")
                    .col(id("id").primary_key())
                    .col(text("kind"))
                    .col(text("payload"))
                    .col(number("attempts"))
                    .col(optional(text("last_error")))
                    .col(millis("created_at"))
                    .col(millis("due_at"))
                    .take(),
            )
            .await?;
        manager.create_index(index("outbox", "due_at")).await
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        drop_table(manager, "outbox").await
    }
}
