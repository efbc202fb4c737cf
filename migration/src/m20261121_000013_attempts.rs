//! How often a password was tried for an account or from an address, in a window of time.

use sea_orm_migration::prelude::*;

use crate::columns::{bytes, drop_table, index, millis, number};

#[derive(DeriveMigrationName)]
pub(crate) struct Migration;

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        manager
            .create_table(
                Table::create()
                    .table("attempts")
                    .col(bytes("key_hash").primary_key())
                    .col(number("failures"))
                    .col(millis("window_ends_at"))
                    .take(),
            )
            .await?;
        manager.create_index(index("attempts", "window_ends_at")).await
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        drop_table(manager, "attempts").await
    }
}
