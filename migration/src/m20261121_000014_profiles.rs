//! What OpenID Connect says about people beyond their name, what an application asks for by `claims`, and whom a person chose to be.

use sea_orm_migration::prelude::*;

use crate::columns::{id, millis, optional, text};

#[derive(DeriveMigrationName)]
pub(crate) struct Migration;

/// Table and column; all of them are empty where nothing was said.
fn columns() -> [(&'static str, ColumnDef); 5] {
    [
        // The standard claims as one JSON object: they are read and written together, and nobody is looked up by them.
        ("users", optional(text("profile"))),
        ("clients", optional(millis("default_max_age"))),
        ("interactions", optional(id("chosen_session"))),
        ("codes", optional(text("claims"))),
        ("grants", optional(text("claims"))),
    ]
}

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        for (table, column) in columns() {
            manager.alter_table(Table::alter().table(table).add_column(column).to_owned()).await?;
        }
        Ok(())
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        for (table, column) in columns() {
            manager.alter_table(Table::alter().table(table).drop_column(column.get_column_name()).to_owned()).await?;
        }
        Ok(())
    }
}
