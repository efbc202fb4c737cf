//! Links that are mailed to people, by the hash of their token: one of a purpose for a person, good once.

use sea_orm_migration::prelude::*;

use crate::columns::{belongs_to, bytes, drop_table, id, index, millis, optional, text, unique};

#[derive(DeriveMigrationName)]
pub(crate) struct Migration;

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        manager
            .create_table(
                Table::create()
                    .table("mailed_tokens")
                    .col(id("user_id"))
                    .col(text("purpose"))
                    .col(bytes("token_hash"))
                    .col(text("address"))
                    .col(text("address_canonical"))
                    .col(optional(text("interaction")))
                    .col(millis("created_at"))
                    .col(millis("expires_at"))
                    .col(optional(millis("used_at")))
                    .primary_key(Index::create().col("user_id").col("purpose"))
                    .foreign_key(&mut belongs_to("mailed_tokens", "user_id", "users", "id"))
                    .take(),
            )
            .await?;
        manager.create_index(unique("mailed_tokens", "token_hash")).await?;
        manager.create_index(index("mailed_tokens", "expires_at")).await
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        drop_table(manager, "mailed_tokens").await
    }
}
