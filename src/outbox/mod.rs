//! Messages to the outside. They are written in the transaction that causes them, and sent after it.

mod store;

pub use store::{Mail, captured_mail};
