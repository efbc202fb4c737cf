//! The pictures that people have uploaded: the store holds them by name, this says whose they are.

use sea_orm_migration::prelude::*;

use crate::columns::{drop_table, id, index, millis, optional, text};

#[derive(DeriveMigrationName)]
pub(crate) struct Migration;

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        // Without its person the row stays until the store has given up the picture.
        let of_a_person = ForeignKey::create()
            .from("pictures", "user_id")
            .to("users", "id")
            .on_delete(ForeignKeyAction::SetNull)
            .on_update(ForeignKeyAction::Cascade)
            .take();
        manager
            .create_table(
                Table::create()
                    .table("pictures")
                    .col(text("name").primary_key())
                    .col(optional(id("user_id")))
                    .col(millis("created_at"))
                    .col(millis("kept_until"))
                    .foreign_key(&mut of_a_person.clone())
                    .take(),
            )
            .await?;
        manager.create_index(index("pictures", "user_id")).await?;
        manager.create_index(index("pictures", "kept_until")).await
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        drop_table(manager, "pictures").await
    }
}
