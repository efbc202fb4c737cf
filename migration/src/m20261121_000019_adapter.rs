//! What NextAuth's session adapter keeps here: accounts at other providers, sessions of its own, verification tokens, and its word
//! on whose address is verified.

use sea_orm_migration::prelude::*;

use crate::columns::{belongs_to, bytes, drop_table, id, index, millis, optional, text};

#[derive(DeriveMigrationName)]
pub(crate) struct Migration;

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        manager
            .create_table(
                Table::create()
                    .table("linked_accounts")
                    .col(text("provider"))
                    .col(text("account_id"))
                    .col(id("user_id"))
                    .col(text("kind"))
                    .col(millis("created_at"))
                    .primary_key(Index::create().col("provider").col("account_id"))
                    .foreign_key(&mut belongs_to("linked_accounts", "user_id", "users", "id"))
                    .take(),
            )
            .await?;
        manager.create_index(index("linked_accounts", "user_id")).await?;
        manager
            .create_table(
                Table::create()
                    .table("adapter_sessions")
                    .col(bytes("token_hash").primary_key())
                    .col(id("user_id"))
                    .col(millis("created_at"))
                    .col(millis("expires_at"))
                    .foreign_key(&mut belongs_to("adapter_sessions", "user_id", "users", "id"))
                    .take(),
            )
            .await?;
        manager.create_index(index("adapter_sessions", "user_id")).await?;
        manager.create_index(index("adapter_sessions", "expires_at")).await?;
        manager
            .create_table(
                Table::create()
                    .table("adapter_verification_tokens")
                    .col(bytes("hash").primary_key())
                    .col(text("address"))
                    .col(millis("expires_at"))
                    .col(optional(millis("used_at")))
                    .take(),
            )
            .await?;
        manager.create_index(index("adapter_verification_tokens", "address")).await?;
        manager.create_index(index("adapter_verification_tokens", "expires_at")).await?;
        manager
            .create_table(
                Table::create()
                    .table("adapter_words")
                    .col(id("user_id").primary_key())
                    .col(text("address"))
                    .col(millis("verified_at"))
                    .foreign_key(&mut belongs_to("adapter_words", "user_id", "users", "id"))
                    .take(),
            )
            .await
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        for table in ["adapter_words", "adapter_verification_tokens", "adapter_sessions", "linked_accounts"] {
            drop_table(manager, table).await?;
        }
        Ok(())
    }
}
