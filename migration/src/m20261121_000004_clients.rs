//! Registered applications and their lists.

use sea_orm_migration::prelude::*;

use crate::columns::{bytes, drop_table, flag, list_table, millis, optional, text};

#[derive(DeriveMigrationName)]
pub(crate) struct Migration;

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        manager
            .create_table(
                Table::create()
                    .table("clients")
                    .col(text("id").primary_key())
                    .col(text("name"))
                    .col(optional(bytes("secret_hash")))
                    .col(text("auth_method"))
                    .col(flag("first_party"))
                    .col(flag("pkce_required"))
                    .col(flag("claims_in_id_token"))
                    .col(text("id_token_alg"))
                    .col(optional(text("token_format")))
                    .col(optional(text("default_audience")))
                    .col(optional(millis("refresh_grace")))
                    .col(optional(millis("access_token_lifetime")))
                    .col(optional(millis("refresh_token_lifetime")))
                    .col(optional(text("backchannel_logout_uri")))
                    .col(optional(text("frontchannel_logout_uri")))
                    .col(optional(text("logo_uri")))
                    .col(optional(millis("disabled_at")))
                    .col(millis("created_at"))
                    .col(millis("updated_at"))
                    .foreign_key(
                        ForeignKey::create()
                            .from("clients", "default_audience")
                            .to("apis", "audience")
                            .on_delete(ForeignKeyAction::Restrict),
                    )
                    .take(),
            )
            .await?;
        for (table, value) in [
            ("client_redirect_uris", "uri"),
            ("client_post_logout_redirect_uris", "uri"),
            ("client_grant_types", "grant_type"),
            ("client_scopes", "scope"),
            ("client_introspected_audiences", "audience"),
        ] {
            manager.create_table(list_table(table, "client_id", "clients", "id", value)).await?;
        }
        Ok(())
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        drop_table(manager, "client_introspected_audiences").await?;
        drop_table(manager, "client_scopes").await?;
        drop_table(manager, "client_grant_types").await?;
        drop_table(manager, "client_post_logout_redirect_uris").await?;
        drop_table(manager, "client_redirect_uris").await?;
        drop_table(manager, "clients").await
    }
}
