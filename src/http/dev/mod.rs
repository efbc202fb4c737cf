//! What `--dev` adds: a demo application that is a relying party like any other, and the mailbox that catches what would be sent.

pub(super) mod app;
pub(super) mod mailbox;
mod relying_party;
mod traced;

pub use relying_party::{DemoApp, DemoStartError};
pub(super) use traced::traced;
