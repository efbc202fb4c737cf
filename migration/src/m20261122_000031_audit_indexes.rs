//! Each way to look for events goes by an index that has them in their order, so that the first of a million cost what the first
//! of a hundred do.

use sea_orm_migration::prelude::*;

use crate::columns::index;

#[derive(DeriveMigrationName)]
pub(crate) struct Migration;

/// What every event has.
const WHOLE: [&str; 1] = ["kind"];
/// What not every event has: those without are not in the index.
const PARTIAL: [&str; 5] = ["user_id", "actor_id", "client_id", "address", "request_id"];

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        for column in ["at", "user_id"] {
            let name = format!("ix_audit_events_{column}");
            manager.drop_index(Index::drop().name(name).table("audit_events").to_owned()).await?;
        }
        manager
            .create_index(
                Index::create().name("ix_audit_events_at_id").table("audit_events").col("at").col("id").take(),
            )
            .await?;
        for column in WHOLE {
            manager.create_index(ordered(column)).await?;
        }
        for column in PARTIAL {
            manager.create_index(ordered(column).cond_where(Expr::col(column).is_not_null()).take()).await?;
        }
        Ok(())
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        let names = WHOLE.iter().chain(&PARTIAL).map(|column| format!("ix_audit_events_{column}_at"));
        for name in names.chain(["ix_audit_events_at_id".to_owned()]) {
            manager.drop_index(Index::drop().name(name).table("audit_events").to_owned()).await?;
        }
        for column in ["at", "user_id"] {
            manager.create_index(index("audit_events", column)).await?;
        }
        Ok(())
    }
}

fn ordered(column: &'static str) -> IndexCreateStatement {
    let name = format!("ix_audit_events_{column}_at");
    Index::create().name(name).table("audit_events").col(column).col("at").col("id").take()
}
