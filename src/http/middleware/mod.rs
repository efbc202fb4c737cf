//! What happens to every request around its handler.

mod cors;
mod envelope;

pub(super) use cors::{open, public_clients};
pub(super) use envelope::envelope;
