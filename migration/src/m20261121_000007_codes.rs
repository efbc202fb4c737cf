//! Authorization codes (RFC 6749 section 4.1). The grant of a code has its id from the start, so that a replay can end it.

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
                    .table("codes")
                    .col(bytes("hash").primary_key())
                    .col(id("grant_id"))
                    .col(text("client_id"))
                    .col(id("user_id"))
                    .col(id("session_id"))
                    .col(text("redirect_uri"))
                    .col(optional(text("challenge")))
                    .col(text("scope"))
                    .col(optional(text("audience")))
                    .col(optional(text("nonce")))
                    .col(millis("auth_time"))
                    .col(text("acr"))
                    .col(text("amr"))
                    .col(millis("issued_at"))
                    .col(millis("expires_at"))
                    .col(optional(millis("used_at")))
                    .foreign_key(&mut belongs_to("codes", "client_id", "clients", "id"))
                    .foreign_key(&mut belongs_to("codes", "user_id", "users", "id"))
                    .foreign_key(&mut belongs_to("codes", "session_id", "browser_sessions", "id"))
                    .take(),
            )
            .await?;
        manager.create_index(index("codes", "client_id")).await?;
        manager.create_index(index("codes", "user_id")).await?;
        manager.create_index(index("codes", "session_id")).await?;
        manager.create_index(index("codes", "expires_at")).await
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        drop_table(manager, "codes").await
    }
}
