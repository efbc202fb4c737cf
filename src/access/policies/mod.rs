//! Policies written in Cedar, and the decisions that they make.

mod bundle;
mod compile;
mod engine;
mod entities;
mod fault;
mod index;
mod question;
mod types;

pub use bundle::{Bundle, EntityJson, Uid};
pub use engine::Engine;
pub use fault::Fault;
pub use question::{Action, Decision, Known, Object, Question, Trouble};
