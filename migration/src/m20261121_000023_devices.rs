//! The devices that people have signed in on, by the hash of what tells them apart.

use sea_orm_migration::prelude::*;

use crate::columns::{belongs_to, bytes, drop_table, id, index, millis};

#[derive(DeriveMigrationName)]
pub(crate) struct Migration;

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        manager
            .create_table(
                Table::create()
                    .table("devices")
                    .col(id("id").primary_key())
                    .col(id("user_id"))
                    .col(bytes("key_hash"))
                    .col(millis("created_at"))
                    .col(millis("seen_at"))
                    .foreign_key(&mut belongs_to("devices", "user_id", "users", "id"))
                    .take(),
            )
            .await?;
        let name = "ux_devices_user_id_key_hash";
        let own = Index::create().name(name).table("devices").col("user_id").col("key_hash").unique().take();
        manager.create_index(own).await?;
        manager.create_index(index("devices", "key_hash")).await
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        drop_table(manager, "devices").await
    }
}
