//! Who is signed in in which browser.

use sea_orm_migration::prelude::*;

use crate::columns::{belongs_to, bytes, drop_table, flag, id, index, millis, optional, text, unique};

#[derive(DeriveMigrationName)]
pub(crate) struct Migration;

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        manager
            .create_table(
                Table::create()
                    .table("browser_sessions")
                    .col(id("id").primary_key())
                    .col(bytes("token_hash"))
                    .col(text("sid"))
                    .col(id("user_id"))
                    .col(text("data"))
                    .col(millis("auth_time"))
                    .col(text("acr"))
                    .col(text("amr"))
                    .col(flag("remember"))
                    .col(optional(text("address")))
                    .col(optional(text("user_agent")))
                    .col(millis("created_at"))
                    .col(millis("last_seen_at"))
                    .col(millis("expires_at"))
                    .col(millis("ends_at"))
                    .col(optional(millis("ended_at")))
                    .foreign_key(&mut belongs_to("browser_sessions", "user_id", "users", "id"))
                    .take(),
            )
            .await?;
        manager.create_index(unique("browser_sessions", "token_hash")).await?;
        manager.create_index(unique("browser_sessions", "sid")).await?;
        manager.create_index(index("browser_sessions", "user_id")).await?;
        manager.create_index(index("browser_sessions", "expires_at")).await
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        drop_table(manager, "browser_sessions").await
    }
}
