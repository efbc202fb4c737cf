//! Access tokens that the database has to know: opaque ones, by their hash, and signed ones that were revoked, by the hash of
//! their `jti`, until they would have expired anyway.

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
                    .table("access_tokens")
                    .col(bytes("hash").primary_key())
                    .col(optional(id("grant_id")))
                    .col(text("client_id"))
                    .col(text("scope"))
                    .col(optional(text("audience")))
                    .col(millis("issued_at"))
                    .col(millis("expires_at"))
                    .foreign_key(&mut belongs_to("access_tokens", "grant_id", "grants", "id"))
                    .foreign_key(&mut belongs_to("access_tokens", "client_id", "clients", "id"))
                    .take(),
            )
            .await?;
        manager.create_index(index("access_tokens", "grant_id")).await?;
        manager.create_index(index("access_tokens", "client_id")).await?;
        manager.create_index(index("access_tokens", "expires_at")).await?;
        manager
            .create_table(
                Table::create()
                    .table("revoked_access_tokens")
                    .col(bytes("hash").primary_key())
                    .col(millis("expires_at"))
                    .take(),
            )
            .await?;
        manager.create_index(index("revoked_access_tokens", "expires_at")).await
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        drop_table(manager, "revoked_access_tokens").await?;
        drop_table(manager, "access_tokens").await
    }
}
