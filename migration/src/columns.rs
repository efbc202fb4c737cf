//! The few shapes that columns of this schema have, so that a migration reads as a list of names.

use sea_orm_migration::prelude::*;

/// Text of any length.
pub(crate) fn text(name: &'static str) -> ColumnDef {
    ColumnDef::new(name).text().not_null().take()
}

/// A 32-byte SHA-256, or sealed bytes.
pub(crate) fn bytes(name: &'static str) -> ColumnDef {
    ColumnDef::new(name).binary().not_null().take()
}

/// A UUIDv7.
pub(crate) fn id(name: &'static str) -> ColumnDef {
    ColumnDef::new(name).uuid().not_null().take()
}

/// Milliseconds since 1970, or a duration in milliseconds.
pub(crate) fn millis(name: &'static str) -> ColumnDef {
    ColumnDef::new(name).big_integer().not_null().take()
}

pub(crate) fn number(name: &'static str) -> ColumnDef {
    ColumnDef::new(name).integer().not_null().take()
}

pub(crate) fn flag(name: &'static str) -> ColumnDef {
    ColumnDef::new(name).boolean().not_null().take()
}

/// The same column, empty where there is nothing to say.
pub(crate) fn optional(mut column: ColumnDef) -> ColumnDef {
    column.null().take()
}

/// A row that goes when the row it belongs to goes.
pub(crate) fn belongs_to(
    table: &'static str,
    column: &'static str,
    owner: &'static str,
    key: &'static str,
) -> ForeignKeyCreateStatement {
    ForeignKey::create()
        .from(table, column)
        .to(owner, key)
        .on_delete(ForeignKeyAction::Cascade)
        .on_update(ForeignKeyAction::Cascade)
        .take()
}

/// A list of texts that belongs to a row: (owner, value), each value once.
pub(crate) fn list_table(
    name: &'static str,
    owner_column: &'static str,
    owner: &'static str,
    owner_key: &'static str,
    value: &'static str,
) -> TableCreateStatement {
    Table::create()
        .table(name)
        .col(text(owner_column))
        .col(text(value))
        .primary_key(Index::create().col(owner_column).col(value))
        .foreign_key(&mut belongs_to(name, owner_column, owner, owner_key))
        .take()
}

pub(crate) fn index(table: &'static str, column: &'static str) -> IndexCreateStatement {
    Index::create().name(format!("ix_{table}_{column}")).table(table).col(column).take()
}

pub(crate) fn unique(table: &'static str, column: &'static str) -> IndexCreateStatement {
    Index::create().name(format!("ux_{table}_{column}")).table(table).col(column).unique().take()
}

pub(crate) async fn drop_table(manager: &SchemaManager<'_>, table: &'static str) -> Result<(), DbErr> {
    manager.drop_table(Table::drop().table(table).to_owned()).await
}
