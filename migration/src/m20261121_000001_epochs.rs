//! Counters that move with every change of what servers keep in memory, so that they know when to read again.

use sea_orm_migration::prelude::*;

use crate::columns::{drop_table, millis, text};

#[derive(DeriveMigrationName)]
pub(crate) struct Migration;

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        manager
            .create_table(Table::create().table("epochs").col(text("name").primary_key()).col(millis("value")).take())
            .await?;
        manager
            .execute(
                Query::insert()
                    .into_table("epochs")
                    .columns(["name", "value"])
                    .values_panic(["snapshot".into(), 1_i64.into()])
                    .take(),
            )
            .await
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        drop_table(manager, "epochs").await
    }
}
