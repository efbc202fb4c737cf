//! Policies written in Cedar, and the decisions that they make.

mod bundle;
mod compile;
mod engine;
mod entities;
mod fault;
mod in_force;
mod index;
mod question;
mod recorder;
mod store;
mod types;

pub use bundle::{Bundle, EntityJson, Uid};
pub use engine::Engine;
pub use fault::Fault;
pub use in_force::{InForce, Policies};
pub use question::{Action, Decision, Known, Object, Question, Trouble};
pub use recorder::Recorder;
