//! One file a table, nothing else. Only the `store.rs` of a room names these.
//!
//! Instants are milliseconds since 1970 (UTC), durations milliseconds, hashes SHA-256.

pub mod access_tokens;
pub mod adapter_sessions;
pub mod adapter_verification_tokens;
pub mod adapter_words;
pub mod api_keys;
pub mod api_scopes;
pub mod apis;
pub mod attempts;
pub mod audit_events;
pub mod browser_sessions;
pub mod client_grant_types;
pub mod client_introspected_audiences;
pub mod client_post_logout_redirect_uris;
pub mod client_redirect_uris;
pub mod client_roles;
pub mod client_scopes;
pub mod clients;
pub mod codes;
pub mod consents;
pub mod decisions;
pub mod departures;
pub mod devices;
pub mod epochs;
pub mod export_parts;
pub mod exports;
pub mod grants;
pub mod interactions;
pub mod linked_accounts;
pub mod mailed_tokens;
pub mod outbox;
pub mod pending_links;
pub mod permissions;
pub mod pictures;
pub mod policy_versions;
pub mod providers;
pub mod revoked_access_tokens;
pub mod role_permissions;
pub mod roles;
pub mod signing_keys;
pub mod spent_refresh_tokens;
pub mod upstream_requests;
pub mod upstream_sessions;
pub mod user_roles;
pub mod users;
