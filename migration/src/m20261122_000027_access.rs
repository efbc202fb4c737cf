//! Who may do what: permissions, roles as sets of them, the roles of service accounts, API keys, the second secret that a client
//! has while it changes over, published policies, and the decisions that were made by them.

use sea_orm_migration::prelude::*;

use crate::columns::{belongs_to, bytes, drop_table, flag, id, index, list_table, millis, optional, text};

#[derive(DeriveMigrationName)]
pub(crate) struct Migration;

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        roles(manager).await?;
        keys(manager).await?;
        policies(manager).await
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        for table in
            ["decisions", "policy_versions", "api_keys", "client_roles", "role_permissions", "roles", "permissions"]
        {
            drop_table(manager, table).await?;
        }
        manager.drop_index(Index::drop().name("ix_user_roles_role").table("user_roles").to_owned()).await?;
        for column in ["previous_secret_expires_at", "previous_secret_hash"] {
            manager.alter_table(Table::alter().table("clients").drop_column(column).to_owned()).await?;
        }
        Ok(())
    }
}

async fn roles(manager: &SchemaManager<'_>) -> Result<(), DbErr> {
    manager
        .create_table(
            Table::create()
                .table("permissions")
                .col(text("name").primary_key())
                .col(text("description"))
                .col(millis("created_at"))
                .take(),
        )
        .await?;
    manager
        .create_table(
            Table::create()
                .table("roles")
                .col(text("name").primary_key())
                .col(text("description"))
                .col(millis("created_at"))
                .col(millis("updated_at"))
                .take(),
        )
        .await?;
    manager.create_table(list_table("role_permissions", "role", "roles", "name", "permission")).await?;
    manager.create_index(index("role_permissions", "permission")).await?;
    manager.create_table(list_table("client_roles", "client_id", "clients", "id", "role")).await?;
    manager.create_index(index("client_roles", "role")).await?;
    manager.create_index(index("user_roles", "role")).await
}

async fn keys(manager: &SchemaManager<'_>) -> Result<(), DbErr> {
    let add = |column: ColumnDef| Table::alter().table("clients").add_column(column).to_owned();
    manager.alter_table(add(optional(bytes("previous_secret_hash")))).await?;
    manager.alter_table(add(optional(millis("previous_secret_expires_at")))).await?;
    manager
        .create_table(
            Table::create()
                .table("api_keys")
                .col(id("id").primary_key())
                .col(text("name"))
                .col(text("hint"))
                .col(bytes("hash").unique_key())
                .col(optional(bytes("previous_hash")).unique_key())
                .col(optional(millis("previous_expires_at")))
                .col(optional(id("user_id")))
                .col(optional(text("client_id")))
                .col(text("scope"))
                .col(optional(text("audience")))
                .col(millis("created_at"))
                .col(millis("expires_at"))
                .col(optional(millis("last_used_at")))
                .col(optional(millis("revoked_at")))
                .foreign_key(&mut belongs_to("api_keys", "user_id", "users", "id"))
                .foreign_key(&mut belongs_to("api_keys", "client_id", "clients", "id"))
                .take(),
        )
        .await?;
    manager.create_index(index("api_keys", "user_id")).await?;
    manager.create_index(index("api_keys", "client_id")).await?;
    manager.create_index(index("api_keys", "expires_at")).await
}

async fn policies(manager: &SchemaManager<'_>) -> Result<(), DbErr> {
    manager
        .create_table(
            Table::create()
                .table("policy_versions")
                .col(millis("version").primary_key())
                .col(text("source"))
                .col(text("documents"))
                .col(text("schema"))
                .col(text("entities"))
                .col(bytes("hash"))
                .col(text("note"))
                .col(optional(text("published_by")))
                .col(millis("published_at"))
                .take(),
        )
        .await?;
    manager.create_index(index("policy_versions", "hash")).await?;
    manager
        .create_table(
            Table::create()
                .table("decisions")
                .col(bytes("hash").primary_key())
                .col(text("question"))
                .col(flag("allowed"))
                .col(text("policies"))
                .col(millis("version"))
                .col(millis("times"))
                .col(millis("first_at"))
                .col(millis("last_at"))
                .take(),
        )
        .await?;
    manager.create_index(index("decisions", "last_at")).await
}
