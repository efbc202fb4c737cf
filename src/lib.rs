//! Bonafide: an OAuth 2.0 and OpenID Connect identity provider. `docs/architecture.md` is the map of these rooms.

pub mod access;
pub mod adapter;
pub mod app;
pub mod audit;
mod backchannel_logout;
pub mod cli;
pub mod clients;
mod departures;
pub mod exports;
pub mod federation;
pub mod grants;
pub mod http;
pub mod identity;
pub mod keys;
pub mod limits;
pub mod mail;
pub mod oauth;
pub mod outbox;
pub mod platform;
pub mod server;
pub mod sessions;
pub mod trace;
