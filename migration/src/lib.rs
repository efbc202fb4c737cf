//! The schema, change by change. Every change goes up and down on SQLite and on PostgreSQL.
//!
//! Conventions of all tables: instants are `bigint` milliseconds since 1970 (UTC), because both engines compare and index
//! them alike; secrets are stored as SHA-256 (`…_hash`, 32 bytes) or sealed under the master key; lists are tables.

pub use sea_orm_migration::{MigrationStatus, MigratorTrait, SchemaManager};
use sea_orm_migration::{MigrationTrait, async_trait};

mod columns;
mod m20261121_000001_epochs;
mod m20261121_000002_users;
mod m20261121_000003_apis;
mod m20261121_000004_clients;
mod m20261121_000005_browser_sessions;
mod m20261121_000006_interactions;
mod m20261121_000007_codes;
mod m20261121_000008_grants;
mod m20261121_000009_consents;
mod m20261121_000010_signing_keys;
mod m20261121_000011_audit_events;
mod m20261121_000012_outbox;
mod m20261121_000013_attempts;
mod m20261121_000014_profiles;
mod m20261121_000015_access_tokens;
mod m20261121_000016_logout;
mod m20261121_000018_mailed_tokens;
mod m20261121_000019_adapter;
mod m20261121_000020_attributes;
mod m20261121_000021_imported_hashes;
mod m20261121_000022_growing_windows;
mod m20261121_000023_devices;
mod m20261121_000024_pictures;
mod m20261121_000025_password_version;
mod m20261121_000026_providers;
mod m20261122_000027_access;
mod m20261122_000028_revisions;
mod m20261122_000029_leaving;
mod m20261122_000030_traces;
mod m20261122_000031_audit_indexes;

/// Runs the migrations in order and keeps count in `seaql_migrations`.
pub struct Migrator;

#[async_trait::async_trait]
impl MigratorTrait for Migrator {
    fn migrations() -> Vec<Box<dyn MigrationTrait>> {
        vec![
            Box::new(m20261121_000001_epochs::Migration),
            Box::new(m20261121_000002_users::Migration),
            Box::new(m20261121_000003_apis::Migration),
            Box::new(m20261121_000004_clients::Migration),
            Box::new(m20261121_000005_browser_sessions::Migration),
            Box::new(m20261121_000006_interactions::Migration),
            Box::new(m20261121_000007_codes::Migration),
            Box::new(m20261121_000008_grants::Migration),
            Box::new(m20261121_000009_consents::Migration),
            Box::new(m20261121_000010_signing_keys::Migration),
            Box::new(m20261121_000011_audit_events::Migration),
            Box::new(m20261121_000012_outbox::Migration),
            Box::new(m20261121_000013_attempts::Migration),
            Box::new(m20261121_000014_profiles::Migration),
            Box::new(m20261121_000015_access_tokens::Migration),
            Box::new(m20261121_000016_logout::Migration),
            Box::new(m20261121_000018_mailed_tokens::Migration),
            Box::new(m20261121_000019_adapter::Migration),
            Box::new(m20261121_000020_attributes::Migration),
            Box::new(m20261121_000021_imported_hashes::Migration),
            Box::new(m20261121_000022_growing_windows::Migration),
            Box::new(m20261121_000023_devices::Migration),
            Box::new(m20261121_000024_pictures::Migration),
            Box::new(m20261121_000025_password_version::Migration),
            Box::new(m20261121_000026_providers::Migration),
            Box::new(m20261122_000027_access::Migration),
            Box::new(m20261122_000028_revisions::Migration),
            Box::new(m20261122_000029_leaving::Migration),
            Box::new(m20261122_000030_traces::Migration),
            Box::new(m20261122_000031_audit_indexes::Migration),
        ]
    }
}
