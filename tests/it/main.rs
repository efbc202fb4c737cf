//! Bonafide from outside: one binary, a module a capability, each test on SQLite and on PostgreSQL.
//!
//! `support` is what they stand on; `discovery` is the shortest example. Tests of a known attack begin with its id in
//! the list of threats.
#![expect(
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::unwrap_used,
    reason = "a test says what it expects by stopping when it is not so"
)]
#![expect(
    clippy::disallowed_methods,
    reason = "the tests stand outside: real time, their own HTTP client, their own randomness"
)]

#[macro_use]
mod support;
#[macro_use]
mod engines;

mod accessibility;
mod account_chromium;
mod account_pages;
mod account_profile;
mod actions;
mod algorithms;
mod api_access;
mod api_accounts;
mod api_adapter;
mod api_holes;
mod api_keys;
mod api_providers;
mod api_recovery;
mod api_roles;
mod api_tokens;
mod attributes;
mod audit;
mod authorize;
mod authzen;
mod backchannel_logout;
mod browser_rules;
mod browser_sessions;
mod claims;
mod client_auth;
mod client_credentials;
mod client_secrets;
mod codes;
mod command_line;
mod conformance;
mod consent;
mod cors;
mod crash;
mod data_exports;
mod database_faults;
mod discovery;
mod first_start;
mod frontchannel_logout;
mod holes;
mod introspection;
mod keys;
mod languages;
mod limits;
mod logout;
mod mail;
mod migrations;
mod new_device;
mod nextjs;
mod opaque_tokens;
mod openapi;
mod operations;
mod own_account;
mod own_account_cli;
mod own_credentials;
mod pages_chromium;
mod passwords;
mod personal_data;
mod pictures;
mod policies;
mod policy_engine;
mod prompts;
mod provider_changes;
mod provider_faults;
mod provider_links;
mod provider_waiting;
mod providers;
mod providers_chromium;
mod races;
mod real_clients;
mod recovery;
mod redirect_uris;
mod refresh;
mod request_limits;
mod reseal;
mod resource_server;
mod response_modes;
mod revocation;
mod role_tokens;
mod roles;
mod secrets;
mod service_accounts;
mod settings;
mod sign_in;
mod sign_up;
mod statements;
mod sweeper;
mod telemetry;
mod tls;
mod tokens;
mod traces;
mod upstream;
mod userinfo;
mod verification;
