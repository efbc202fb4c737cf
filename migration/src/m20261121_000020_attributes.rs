//! What an installation declares to know about people, and who did what is on record.

use sea_orm_migration::prelude::*;

use crate::columns::{id, index, optional, text};

#[derive(DeriveMigrationName)]
pub(crate) struct Migration;

/// Table and column; both are empty where nothing is known.
fn columns() -> [(&'static str, ColumnDef); 2] {
    // The attributes as one JSON object: they are read and written together, and nobody is looked up by them.
    [("users", optional(text("attributes"))), ("audit_events", optional(id("actor_id")))]
}

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        for (table, column) in columns() {
            manager.alter_table(Table::alter().table(table).add_column(column).to_owned()).await?;
        }
        manager.create_index(index("audit_events", "actor_id")).await
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        manager.drop_index(Index::drop().name("ix_audit_events_actor_id").table("audit_events").to_owned()).await?;
        for (table, column) in columns() {
            manager.alter_table(Table::alter().table(table).drop_column(column.get_column_name()).to_owned()).await?;
        }
        Ok(())
    }
}
