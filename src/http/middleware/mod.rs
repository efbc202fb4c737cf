//! What happens to every request around its handler.

mod body_time;
mod cors;
mod envelope;
mod session_cookie;
mod throttle;

pub(super) use body_time::Timed;
pub(super) use cors::public_clients;
pub(super) use envelope::{Envelope, envelope};
pub(super) use session_cookie::session_cookie;
pub(super) use throttle::Surface;
