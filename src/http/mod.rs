//! Everything that speaks HTTP, and nothing that does not: handlers parse, call one function of a room, and render.

mod access;
mod answer;
mod api;
mod caller;
mod cookies;
mod csrf;
pub mod dev;
mod form;
pub mod management;
mod middleware;
pub mod pages;
mod pictures;
mod protocol;
mod router;
mod state;

pub use access::Access;
pub(crate) use api::openapi_text;
pub(crate) use caller::Peer;
pub use router::{Route, router, table};
pub use state::{Web, WebError};
