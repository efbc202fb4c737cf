//! People who go: accounts on their way out, what somebody takes away of what is kept of them, and whose traces are still to be
//! wiped.

use sea_orm_migration::prelude::*;

use crate::columns::{belongs_to, bytes, drop_table, flag, id, index, millis, number, optional};

#[derive(DeriveMigrationName)]
pub(crate) struct Migration;

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        for column in ["leaving_since", "leaves_at"] {
            let column = optional(millis(column));
            manager.alter_table(Table::alter().table("users").add_column(column).to_owned()).await?;
        }
        manager.create_index(index("users", "leaves_at")).await?;
        manager
            .create_table(
                Table::create()
                    .table("exports")
                    .col(id("id").primary_key())
                    .col(id("user_id"))
                    .col(bytes("sealed_secret"))
                    .col(flag("announce"))
                    .col(millis("asked_at"))
                    .col(number("attempts"))
                    .col(millis("leased_until"))
                    .col(optional(millis("ready_at")))
                    .col(optional(millis("failed_at")))
                    .col(optional(millis("expires_at")))
                    .col(number("parts"))
                    .col(millis("bytes"))
                    .foreign_key(&mut belongs_to("exports", "user_id", "users", "id"))
                    .take(),
            )
            .await?;
        for column in ["user_id", "leased_until", "asked_at"] {
            manager.create_index(index("exports", column)).await?;
        }
        manager
            .create_table(
                Table::create()
                    .table("export_parts")
                    .col(id("export_id"))
                    .col(number("number"))
                    .col(bytes("sealed"))
                    .primary_key(Index::create().col("export_id").col("number"))
                    .foreign_key(&mut belongs_to("export_parts", "export_id", "exports", "id"))
                    .take(),
            )
            .await?;
        manager
            .create_table(
                Table::create().table("departures").col(id("user_id").primary_key()).col(millis("departed_at")).take(),
            )
            .await
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        for table in ["departures", "export_parts", "exports"] {
            drop_table(manager, table).await?;
        }
        manager.drop_index(Index::drop().name("ix_users_leaves_at").table("users").to_owned()).await?;
        for column in ["leaves_at", "leaving_since"] {
            manager.alter_table(Table::alter().table("users").drop_column(column).to_owned()).await?;
        }
        Ok(())
    }
}
