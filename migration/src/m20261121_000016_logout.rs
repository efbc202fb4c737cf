//! Messages to the outside know whom they are for, and applications may insist on being told which session ended.

use sea_orm_migration::prelude::*;

use crate::columns::{flag, index, text};

#[derive(DeriveMigrationName)]
pub(crate) struct Migration;

const REQUIRED: [&str; 2] = ["backchannel_logout_session_required", "frontchannel_logout_session_required"];

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        let recipient = text("recipient").default("").take();
        manager.alter_table(Table::alter().table("outbox").add_column(recipient).take()).await?;
        manager.drop_index(Index::drop().name("ix_outbox_due_at").table("outbox").to_owned()).await?;
        let due = Index::create().name("ix_outbox_kind_due_at").table("outbox").col("kind").col("due_at").take();
        manager.create_index(due).await?;
        for column in REQUIRED {
            let required = flag(column).default(false).take();
            manager.alter_table(Table::alter().table("clients").add_column(required).take()).await?;
        }
        Ok(())
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        for column in REQUIRED.into_iter().rev() {
            manager.alter_table(Table::alter().table("clients").drop_column(column).take()).await?;
        }
        manager.drop_index(Index::drop().name("ix_outbox_kind_due_at").table("outbox").to_owned()).await?;
        manager.create_index(index("outbox", "due_at")).await?;
        manager.alter_table(Table::alter().table("outbox").drop_column("recipient").take()).await
    }
}
