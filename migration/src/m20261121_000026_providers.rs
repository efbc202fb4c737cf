//! Other providers: those that are declared by the API, requests on their way to one and back, what is to be proven before an
//! account of theirs is linked, and which sessions began at one.

use sea_orm_migration::prelude::*;

use crate::columns::{belongs_to, bytes, drop_table, id, index, millis, number, optional, text};

#[derive(DeriveMigrationName)]
pub(crate) struct Migration;

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        let add = |table: &'static str, column: ColumnDef| Table::alter().table(table).add_column(column).to_owned();
        manager.alter_table(add("linked_accounts", optional(text("issuer")))).await?;
        manager.alter_table(add("linked_accounts", optional(millis("last_used_at")))).await?;
        manager
            .create_index(
                Index::create()
                    .name("ux_linked_accounts_issuer_account_id")
                    .table("linked_accounts")
                    .col("issuer")
                    .col("account_id")
                    .unique()
                    .take(),
            )
            .await?;
        manager.alter_table(add("user_roles", optional(text("provider")))).await?;
        manager.alter_table(add("browser_sessions", millis("signed_in_at").default(0).take())).await?;
        manager.get_connection().execute_unprepared("UPDATE browser_sessions SET signed_in_at = auth_time").await?;
        manager
            .create_table(
                Table::create()
                    .table("providers")
                    .col(text("name").primary_key())
                    .col(text("declaration"))
                    .col(optional(bytes("client_secret")))
                    .col(millis("created_at"))
                    .col(millis("updated_at"))
                    .take(),
            )
            .await?;
        manager
            .create_table(
                Table::create()
                    .table("upstream_requests")
                    .col(bytes("state_hash").primary_key())
                    .col(text("provider"))
                    .col(bytes("browser_hash"))
                    .col(text("purpose"))
                    .col(optional(id("user_id")))
                    .col(optional(text("onward")))
                    .col(millis("created_at"))
                    .col(millis("expires_at"))
                    .take(),
            )
            .await?;
        manager.create_index(index("upstream_requests", "expires_at")).await?;
        manager
            .create_table(
                Table::create()
                    .table("pending_links")
                    .col(bytes("name_hash").primary_key())
                    .col(bytes("browser_hash"))
                    .col(text("arrival"))
                    .col(optional(text("interaction")))
                    .col(optional(bytes("code_mac")))
                    .col(number("attempts"))
                    .col(millis("created_at"))
                    .col(millis("expires_at"))
                    .take(),
            )
            .await?;
        manager.create_index(index("pending_links", "expires_at")).await?;
        manager
            .create_table(
                Table::create()
                    .table("upstream_sessions")
                    .col(id("session_id").primary_key())
                    .col(text("provider"))
                    .col(text("issuer"))
                    .col(text("subject"))
                    .col(optional(text("sid")))
                    .col(optional(bytes("id_token")))
                    .foreign_key(&mut belongs_to("upstream_sessions", "session_id", "browser_sessions", "id"))
                    .take(),
            )
            .await?;
        manager
            .create_index(
                Index::create()
                    .name("ix_upstream_sessions_issuer_subject")
                    .table("upstream_sessions")
                    .col("issuer")
                    .col("subject")
                    .take(),
            )
            .await?;
        manager
            .create_index(
                Index::create()
                    .name("ix_upstream_sessions_issuer_sid")
                    .table("upstream_sessions")
                    .col("issuer")
                    .col("sid")
                    .take(),
            )
            .await
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        for table in ["upstream_sessions", "pending_links", "upstream_requests", "providers"] {
            drop_table(manager, table).await?;
        }
        let drop =
            |table: &'static str, column: &'static str| Table::alter().table(table).drop_column(column).to_owned();
        manager.alter_table(drop("browser_sessions", "signed_in_at")).await?;
        manager.alter_table(drop("user_roles", "provider")).await?;
        let unique = Index::drop().name("ux_linked_accounts_issuer_account_id").table("linked_accounts").to_owned();
        manager.drop_index(unique).await?;
        manager.alter_table(drop("linked_accounts", "last_used_at")).await?;
        manager.alter_table(drop("linked_accounts", "issuer")).await
    }
}
