//! Counts the edits of somebody's account, so that of two who edit it at once the second hears of the first.

use sea_orm_migration::prelude::*;

use crate::columns::number;

#[derive(DeriveMigrationName)]
pub(crate) struct Migration;

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        let revision = number("revision").default(0).take();
        manager.alter_table(Table::alter().table("users").add_column(revision).to_owned()).await
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        manager.alter_table(Table::alter().table("users").drop_column("revision").to_owned()).await
    }
}
