//! How long the steps of the work take: a histogram each, and a span each where traces are taken.

use std::future::Future;
use std::sync::LazyLock;
use std::time::Instant;

use futures_util::FutureExt as _;
use metrics::Histogram;
use tracing::{Instrument as _, Span};

use super::{prometheus, spans};

/// What the work of a request, or of the background, consists of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Step {
    /// A password waits for a thread.
    PasswordWait,
    /// A thread hashes it.
    PasswordHash,
    /// A transaction, with its wait for a connection or for the writer, until it is durable.
    DatabaseAction,
    /// A statement that only reads.
    DatabaseQuery,
    Signature,
    /// A request to another machine.
    OutgoingCall,
    /// A batch of policy decisions.
    Decision,
    /// A mail is handed to the relay.
    Mail,
}

/// Made once: a step that is measured looks nothing up and allocates nothing.
static TIMES: LazyLock<[Histogram; 8]> = LazyLock::new(|| {
    // Whoever measures before a server starts must not be given handles that lead nowhere for good.
    prometheus::handle();
    Step::ALL.map(|step| metrics::histogram!("bonafide_step_seconds", "step" => step.name()))
});

impl Step {
    const ALL: [Self; 8] = [
        Self::PasswordWait,
        Self::PasswordHash,
        Self::DatabaseAction,
        Self::DatabaseQuery,
        Self::Signature,
        Self::OutgoingCall,
        Self::Decision,
        Self::Mail,
    ];

    pub const fn name(self) -> &'static str {
        match self {
            Self::PasswordWait => "password_wait",
            Self::PasswordHash => "password_hash",
            Self::DatabaseAction => "database_action",
            Self::DatabaseQuery => "database_query",
            Self::Signature => "signature",
            Self::OutgoingCall => "outgoing_call",
            Self::Decision => "decision",
            Self::Mail => "mail",
        }
    }

    /// Begins the step; it ends when what is answered is dropped.
    pub fn begin(self) -> Timer {
        Timer { step: self, started: started() }
    }

    /// The step in a trace.
    pub(super) fn span(self) -> Span {
        spans::step(self.name())
    }

    /// The step as work that is waited for.
    pub fn around<F: Future>(self, work: F) -> impl Future<Output = F::Output> {
        let timer = self.begin();
        work.instrument(self.span()).map(move |done| {
            drop(timer);
            done
        })
    }

    /// The step as work that is done at once.
    pub fn during<T>(self, work: impl FnOnce() -> T) -> T {
        let _timer = self.begin();
        self.span().in_scope(work)
    }
}

/// A step under way.
pub struct Timer {
    step: Step,
    started: Instant,
}

impl Drop for Timer {
    fn drop(&mut self) {
        if let Some(time) = TIMES.get(self.step as usize) {
            time.record(self.started.elapsed().as_secs_f64());
        }
    }
}

#[expect(clippy::disallowed_methods, reason = "a duration is measured, not a time of day; nothing is decided by it")]
fn started() -> Instant {
    Instant::now()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_step_has_the_histogram_of_its_name() {
        for (position, step) in Step::ALL.into_iter().enumerate() {
            assert_eq!(step as usize, position);
            step.during(|| {});
        }
        let shown = prometheus::handle().render();
        for step in Step::ALL {
            assert!(shown.contains(&format!("bonafide_step_seconds_count{{step=\"{}\"}}", step.name())), "{shown}");
        }
    }
}
