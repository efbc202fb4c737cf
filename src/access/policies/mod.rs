//! Policies written in Cedar, and the decisions that they make.

mod bundle;

pub use bundle::{Bundle, EntityJson, Uid};
