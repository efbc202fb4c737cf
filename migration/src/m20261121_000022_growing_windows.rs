//! Counters know how long their window is, since that of an account that is tried again and again grows, and how long that
//! is remembered.

use sea_orm_migration::prelude::*;

use crate::columns::{index, millis};

#[derive(DeriveMigrationName)]
pub(crate) struct Migration;

/// The window that counters had before.
const WINDOW: i64 = 900_000;

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        for (column, default) in [("length", WINDOW), ("forget_at", 0)] {
            let column = millis(column).default(default).take();
            manager.alter_table(Table::alter().table("attempts").add_column(column).take()).await?;
        }
        manager.drop_index(Index::drop().name("ix_attempts_window_ends_at").table("attempts").to_owned()).await?;
        manager.create_index(index("attempts", "forget_at")).await
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        manager.drop_index(Index::drop().name("ix_attempts_forget_at").table("attempts").to_owned()).await?;
        manager.create_index(index("attempts", "window_ends_at")).await?;
        for column in ["forget_at", "length"] {
            manager.alter_table(Table::alter().table("attempts").drop_column(column).take()).await?;
        }
        Ok(())
    }
}
