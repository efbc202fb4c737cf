//! What was granted to whom. A grant with a refresh token is the token's family: the row holds the one that is good now.

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
                    .table("grants")
                    .col(id("id").primary_key())
                    .col(text("client_id"))
                    .col(id("user_id"))
                    .col(optional(id("session_id")))
                    .col(optional(text("sid")))
                    .col(text("scope"))
                    .col(optional(text("audience")))
                    .col(millis("auth_time"))
                    .col(text("acr"))
                    .col(text("amr"))
                    .col(flag("offline"))
                    .col(optional(bytes("token_hash")))
                    .col(optional(bytes("previous_hash")))
                    .col(optional(bytes("sealed_successor")))
                    .col(optional(millis("rotated_at")))
                    .col(millis("created_at"))
                    .col(millis("expires_at"))
                    .col(millis("ends_at"))
                    .col(optional(millis("ended_at")))
                    .col(optional(text("end_reason")))
                    .foreign_key(&mut belongs_to("grants", "client_id", "clients", "id"))
                    .foreign_key(&mut belongs_to("grants", "user_id", "users", "id"))
                    .foreign_key(
                        ForeignKey::create()
                            .from("grants", "session_id")
                            .to("browser_sessions", "id")
                            .on_delete(ForeignKeyAction::SetNull),
                    )
                    .take(),
            )
            .await?;
        manager.create_index(unique("grants", "token_hash")).await?;
        manager.create_index(index("grants", "previous_hash")).await?;
        manager.create_index(index("grants", "client_id")).await?;
        manager.create_index(index("grants", "user_id")).await?;
        manager.create_index(index("grants", "session_id")).await?;
        manager.create_index(index("grants", "expires_at")).await?;
        // For the sweeper, which erases sealed successors when the grace is over; only the few that are there are in it.
        manager
            .get_connection()
            .execute_unprepared(
                "CREATE INDEX ix_grants_sealed ON grants (rotated_at) WHERE sealed_successor IS NOT NULL",
            )
            .await?;
        manager
            .create_table(
                Table::create()
                    .table("spent_refresh_tokens")
                    .col(bytes("hash").primary_key())
                    .col(id("grant_id"))
                    .col(millis("spent_at"))
                    .foreign_key(&mut belongs_to("spent_refresh_tokens", "grant_id", "grants", "id"))
                    .take(),
            )
            .await?;
        manager.create_index(index("spent_refresh_tokens", "grant_id")).await
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        drop_table(manager, "spent_refresh_tokens").await?;
        drop_table(manager, "grants").await
    }
}
