//! Why requests were refused, for a while.

use sea_orm_migration::prelude::*;

use crate::columns::{drop_table, index, millis, text};

#[derive(DeriveMigrationName)]
pub(crate) struct Migration;

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        manager
            .create_table(
                Table::create()
                    .table("traces")
                    .col(text("reference").primary_key())
                    .col(text("place"))
                    .col(millis("at"))
                    .col(text("trace"))
                    .take(),
            )
            .await?;
        manager.create_index(index("traces", "at")).await
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        drop_table(manager, "traces").await
    }
}
