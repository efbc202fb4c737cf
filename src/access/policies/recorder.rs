//! Where decisions go when they have been given.

use super::{Decision, Known, Question};

/// Takes decisions that were given to somebody. Nothing is kept of them yet.
#[derive(Debug)]
pub struct Recorder;

impl Recorder {
    /// `known` is what the house knew of the subject.
    pub fn record(&self, question: &Question, known: Option<&Known>, decision: &Decision, version: i64) {
        let allowed = decision.allowed;
        tracing::debug!(
            known = known.is_some(),
            kind = question.resource.kind,
            action = question.action.name,
            allowed,
            version,
            "decided"
        );
    }
}
