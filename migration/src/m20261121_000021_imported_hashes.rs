//! Finds the password hashes of other programs that have not been replaced by ours yet.

use sea_orm_migration::prelude::*;

#[derive(DeriveMigrationName)]
pub(crate) struct Migration;

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        // Few rows if any: the index costs those nothing that are not in it.
        let sql = "CREATE INDEX ix_users_imported_hash ON users (id) WHERE password_hash NOT LIKE '$argon2id$%'";
        manager.get_connection().execute_unprepared(sql).await?;
        Ok(())
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        manager.drop_index(Index::drop().name("ix_users_imported_hash").table("users").to_owned()).await
    }
}
