//! Signing keys, sealed under the master key.

use sea_orm_migration::prelude::*;

use crate::columns::{bytes, drop_table, millis, optional, text};

#[derive(DeriveMigrationName)]
pub(crate) struct Migration;

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        manager
            .create_table(
                Table::create()
                    .table("signing_keys")
                    .col(text("kid").primary_key())
                    .col(text("alg"))
                    .col(text("state"))
                    .col(text("public_jwk"))
                    .col(bytes("sealed_private"))
                    .col(millis("published_at"))
                    .col(optional(millis("activated_at")))
                    .col(optional(millis("replaced_at")))
                    .take(),
            )
            .await
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        drop_table(manager, "signing_keys").await
    }
}
