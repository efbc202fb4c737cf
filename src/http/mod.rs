//! Everything that speaks HTTP, and nothing that does not: handlers parse, call one function of a room, and render.

mod access;
mod answer;
mod api;
pub mod assets;
mod caller;
mod cookies;
mod csrf;
pub mod dev;
mod exports;
mod form;
mod interaction;
pub mod management;
mod middleware;
pub mod pages;
mod pictures;
mod protocol;
mod reasons;
mod reply;
mod router;
mod state;
pub mod views;

pub use access::Access;
pub(crate) use api::{openapi_text, trace_json};
pub(crate) use caller::Peer;
pub use router::{Route, router, table};
pub use state::{Web, WebError};
