//! Policies written in Cedar, and the decisions that they make: what is in force is compiled in memory and swapped whole.

mod bundle;
mod compile;
mod engine;
mod entities;
mod fault;
mod files;
mod index;
mod known;
mod publish;
mod question;
mod recent;
mod store;
mod types;

use std::collections::HashMap;
use std::sync::Arc;

use arc_swap::ArcSwap;
use chrono::{DateTime, Utc};
use tokio::sync::Mutex;

pub use bundle::{Bundle, EntityJson, Uid};
pub use engine::Engine;
pub use fault::Fault;
pub use files::{FilesFault, read as read_folder};
pub use publish::{Origin, PolicyFault, Publication, Published, Version};
pub use question::{Action, Decision, Known, Object, Question, Trouble};
pub use recent::{Asked, Difference, DryRun, Recorder};

use crate::platform::clock::Clock;
use crate::platform::database::Database;
use crate::platform::random::Random;

/// A version that decides.
pub struct InForce {
    /// 0: nothing was ever published, and nothing is allowed.
    pub version: i64,
    pub engine: Engine,
}

impl InForce {
    /// One decision for each question, in order.
    pub fn decide(&self, questions: &[Question], known: &HashMap<Uid, Known>, now: DateTime<Utc>) -> Vec<Decision> {
        // There is no schema yet that a question could miss.
        if self.version == 0 {
            return vec![Decision::default(); questions.len()];
        }
        self.engine.decide(questions, known, now)
    }
}

/// The policies.
pub struct Policies {
    database: Database,
    clock: Arc<dyn Clock>,
    random: Arc<dyn Random>,
    current: ArcSwap<InForce>,
    /// One reading at a time: of two, the older could be stored last.
    reading: Mutex<()>,
    /// What the folder held when it was looked at last, by its hash: as long as it is that, there is nothing to ask.
    seen: Mutex<Option<Vec<u8>>>,
    pub recorder: Recorder,
}

impl Policies {
    /// Opens with what is in force.
    pub async fn load(database: Database, clock: Arc<dyn Clock>, random: Arc<dyn Random>) -> Result<Self, PolicyFault> {
        let nothing = Engine::compile(&Bundle::default()).map_err(PolicyFault::Invalid)?;
        let policies = Self {
            database,
            clock,
            random,
            current: ArcSwap::from_pointee(InForce { version: 0, engine: nothing }),
            reading: Mutex::new(()),
            seen: Mutex::default(),
            recorder: Recorder::default(),
        };
        policies.reload().await?;
        Ok(policies)
    }

    pub fn current(&self) -> Arc<InForce> {
        self.current.load_full()
    }
}
