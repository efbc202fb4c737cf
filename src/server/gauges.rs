//! How full and how old things are: looked at every few seconds, for who reads the metrics.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use tokio_util::sync::CancellationToken;

use super::counted::MESSAGES;
use crate::app::App;
use crate::outbox::{self, Queue};
use crate::platform::prometheus;

/// Prometheus asks at most so often.
const PAUSE: Duration = Duration::from_secs(5);

/// Looks until told to stop.
pub(super) async fn follow(app: Arc<App>, stopped: CancellationToken) {
    let mut kinds: BTreeSet<String> = MESSAGES.map(str::to_owned).into();
    loop {
        look(&app);
        match outbox::queues(&app.database).await {
            Ok(queues) => show(&app, &queues, &mut kinds),
            Err(error) => tracing::warn!(%error, "cannot see what waits in the outbox"),
        }
        // Samples of histograms are kept until somebody adds them up; nobody may ever ask.
        prometheus::handle().run_upkeep();
        tokio::select! {
            () = stopped.cancelled() => return,
            () = tokio::time::sleep(PAUSE) => {}
        }
    }
}

#[expect(clippy::cast_precision_loss, reason = "counts and ages for a chart")]
fn look(app: &App) {
    let load = app.database.load();
    metrics::gauge!("bonafide_database_connections", "state" => "idle").set(load.idle as f64);
    let busy = (load.connections as usize).saturating_sub(load.idle);
    metrics::gauge!("bonafide_database_connections", "state" => "busy").set(busy as f64);
    metrics::gauge!("bonafide_database_writer_waiting").set(load.writer_queue as f64);
    metrics::gauge!("bonafide_passwords_waiting").set(app.accounts.passwords_waiting() as f64);
    let now = app.clock.now();
    for (alg, since) in app.keys.set().signing_since() {
        let age = (now - since).num_seconds().max(0);
        metrics::gauge!("bonafide_signing_key_age_seconds", "alg" => alg.name()).set(age as f64);
    }
}

/// A kind that nothing waits of any more is shown as empty.
#[expect(clippy::cast_precision_loss, reason = "counts and ages for a chart")]
fn show(app: &App, queues: &[Queue], kinds: &mut BTreeSet<String>) {
    kinds.extend(queues.iter().map(|queue| queue.kind.clone()));
    let now = app.clock.now().timestamp_millis();
    for kind in kinds.iter() {
        let queue = queues.iter().find(|queue| queue.kind == *kind);
        let messages = queue.map_or(0, |queue| queue.messages);
        let age = queue.map_or(0, |queue| (now - queue.oldest_at).max(0) / 1000);
        metrics::gauge!("bonafide_outbox_waiting", "kind" => kind.clone()).set(messages as f64);
        metrics::gauge!("bonafide_outbox_oldest_seconds", "kind" => kind.clone()).set(age as f64);
    }
}
