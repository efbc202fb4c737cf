//! What a server does besides answering.

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::mpsc;
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

use super::{StartError, gauges};
use crate::app::{App, AppError};
use crate::backchannel_logout::BackchannelLogout;
use crate::http::Web;
use crate::mail::{Letterhead, Postman};
use crate::outbox::{Courier, Sender};
use crate::platform::database;
use crate::platform::settings::Millis;
use crate::platform::smtp::Smtp;
use crate::{audit, departures, grants, identity, keys, sessions};

/// Rows that one round of the sweeper removes from a table at the most: a round is a short action like any other.
const SWEEP_BATCH: i64 = 1000;
const SWEEP_PAUSE: Duration = Duration::from_mins(1);
/// Accounts of a round at the most: each is an action of its own.
const LEAVERS_BATCH: i64 = 100;

/// Until the folder of policies is looked at again.
const POLICIES_PAUSE: Duration = Duration::from_secs(2);

/// Between two writings of what was noted meanwhile.
const NOTES_PAUSE: Duration = Duration::from_secs(1);

/// Until it is looked again whether somebody waits for what is kept of them.
const EXPORTS_PAUSE: Duration = Duration::from_secs(1);

/// Until missing keys are made again when that failed.
const KEYS_PAUSE: Duration = Duration::from_secs(10);

/// Begins all of it; each task ends when `stopped` says so.
pub(super) fn begin(tasks: &mut JoinSet<()>, web: &Arc<Web>, epoch: i64, sender: Sender, stopped: &CancellationToken) {
    let app = &web.app;
    tasks.spawn(follow_changes(web.clone(), epoch, stopped.clone()));
    tasks.spawn(sender.run(stopped.clone()));
    if !app.keys.set().is_complete() {
        tasks.spawn(complete_keys(app.clone(), stopped.clone()));
    }
    tasks.spawn(follow_policies(app.clone(), stopped.clone()));
    tasks.spawn(write_notes(app.clone(), stopped.clone()));
    tasks.spawn(write_exports(app.clone(), stopped.clone()));
    tasks.spawn(gauges::follow(app.clone(), stopped.clone()));
    tasks.spawn(sweep(app.clone(), stopped.clone()));
}

/// Reads clients and keys again when somebody has changed them.
async fn follow_changes(web: Arc<Web>, epoch: i64, stopped: CancellationToken) {
    let (sender, mut changes) = mpsc::channel(1);
    // In a set of its own, which ends it however this task ends: its listening connection would keep the pool from closing.
    let mut watching = JoinSet::new();
    watching.spawn(database::watch_epoch(web.app.database.clone(), epoch, sender));
    read_at(&web);
    loop {
        let change = tokio::select! {
            () = stopped.cancelled() => break,
            change = changes.recv() => change,
        };
        if change.is_none() {
            break;
        }
        while let Err(error) = web.reload().await {
            metrics::counter!("bonafide_snapshot_failures_total").increment(1);
            tracing::error!(%error, "clients and keys could not be read again; the old ones stay in force");
            tokio::select! {
                () = stopped.cancelled() => break,
                () = tokio::time::sleep(Duration::from_secs(1)) => {}
            }
            if stopped.is_cancelled() {
                break;
            }
        }
        read_at(&web);
    }
    watching.shutdown().await;
}

/// When clients, keys, roles, policies and providers were read: a change that is older than this counts.
#[expect(clippy::cast_precision_loss, reason = "an instant for a chart")]
fn read_at(web: &Web) {
    let now = web.app.clock.now().timestamp();
    metrics::gauge!("bonafide_snapshot_timestamp_seconds").set(now as f64);
}

/// Makes the keys that the start did not wait for.
async fn complete_keys(app: Arc<App>, stopped: CancellationToken) {
    loop {
        let complete = keys::complete(&app.database, app.master.sealing(), &app.random, None, app.clock.now());
        match complete.await {
            Ok(()) => return,
            Err(error) => tracing::warn!(%error, "not every signing key could be made; tried again in a while"),
        }
        tokio::select! {
            () = stopped.cancelled() => return,
            () = tokio::time::sleep(KEYS_PAUSE) => {}
        }
    }
}

/// Publishes what the policies' folder holds when it changes. What does not validate is reported once and changes nothing.
async fn follow_policies(app: Arc<App>, stopped: CancellationToken) {
    let Some(folder) = app.settings.policies.folder() else { return };
    let mut reported = String::new();
    loop {
        tokio::select! {
            () = stopped.cancelled() => return,
            () = tokio::time::sleep(POLICIES_PAUSE) => {}
        }
        let said = match app.policies.publish_folder(folder).await {
            Ok(_) => String::new(),
            Err(error) => error.to_string(),
        };
        if !said.is_empty() && said != reported {
            tracing::error!(error = said, "the folder of policies does not do; what is in force stays");
        }
        reported = said;
    }
}

/// Writes what people have asked for of what is kept of them, one document after the other.
async fn write_exports(app: Arc<App>, stopped: CancellationToken) {
    loop {
        let worked = tokio::select! {
            () = stopped.cancelled() => return,
            worked = app.exports.work() => worked,
        };
        match worked {
            Ok(true) => continue,
            Ok(false) => {}
            Err(error) => tracing::warn!(%error, "exports cannot be written"),
        }
        tokio::select! {
            () = stopped.cancelled() => return,
            () = tokio::time::sleep(EXPORTS_PAUSE) => {}
        }
    }
}

/// Writes down what requests only note, many in one statement: when API keys were used, which decisions were made, and why
/// requests were refused.
async fn write_notes(app: Arc<App>, stopped: CancellationToken) {
    loop {
        tokio::select! {
            () = stopped.cancelled() => return,
            () = tokio::time::sleep(NOTES_PAUSE) => {}
        }
        if let Err(error) = app.api_keys.write_uses().await {
            tracing::warn!(%error, "when API keys were used was not written down; it is tried again");
        }
        if let Err(error) = app.policies.write_noted().await {
            tracing::warn!(%error, "decisions were not written down");
        }
        if let Err(error) = app.traces.write().await {
            tracing::warn!(%error, "why requests were refused was not written down; it is tried again");
        }
    }
}

/// The last of it, before the database is closed.
pub(super) async fn write_last_notes(app: &App) {
    loop {
        match app.api_keys.write_uses().await {
            Ok(true) => {}
            Ok(false) => break,
            Err(error) => {
                tracing::warn!(%error, "when API keys were used last is not written down");
                break;
            }
        }
    }
    if let Err(error) = app.policies.write_noted().await {
        tracing::warn!(%error, "the last decisions are not written down");
    }
    if let Err(error) = app.traces.write().await {
        tracing::warn!(%error, "why the last requests were refused is not written down");
    }
}

/// Sends what the outbox holds, of the kinds that we know how to deliver.
pub(super) fn sender(app: &Arc<App>, web: &Web) -> Result<Sender, StartError> {
    let mut couriers: Vec<Arc<dyn Courier>> = vec![Arc::new(BackchannelLogout::new(app.clone(), app.outgoing.clone()))];
    let settings = &app.settings;
    // What development keeps is not sent.
    if !settings.mail.captured
        && let Some(smtp) = Smtp::new(&settings.mail, &settings.outgoing.ca, &settings.host())?
    {
        let letterhead = Letterhead::new(web.catalogues.clone(), settings).map_err(StartError::Sender)?;
        let sealing = app.master.sealing().clone();
        couriers.push(Arc::new(Postman { smtp, letterhead, sealing, clock: app.clock.clone() }));
    }
    Ok(Sender::new(app.database.clone(), app.clock.clone(), app.random.clone(), app.bell.clone(), couriers))
}

/// Removes what has expired, a bounded batch at a time.
async fn sweep(app: Arc<App>, stopped: CancellationToken) {
    loop {
        tokio::select! {
            () = stopped.cancelled() => return,
            () = tokio::time::sleep(SWEEP_PAUSE) => {}
        }
        match sweep_once(&app).await {
            Ok(0) => {}
            Ok(gone) => tracing::debug!(rows = gone, "removed what had expired"),
            Err(error) => tracing::warn!(%error, "expired rows were not removed"),
        }
    }
}

/// One round of the sweeper; answers how many rows went.
pub async fn sweep_once(app: &App) -> Result<u64, AppError> {
    let now = app.clock.now();
    let of = |millis: Millis| chrono::Duration::milliseconds(millis.get());
    let registry = app.clients.registry();
    let clients = registry.all_clients();
    let longest = clients.iter().filter_map(|client| client.refresh_grace).max().unwrap_or(0);
    let grace = chrono::Duration::milliseconds(longest.max(app.settings.tokens.refresh_grace.get()));
    let mut gone = 0;
    gone += grants::sweep(&app.database, now, grace, SWEEP_BATCH).await?;
    gone += sessions::sweep(&app.database, now - chrono::Duration::days(1), SWEEP_BATCH).await?;
    gone += identity::sweep(&app.database, now, SWEEP_BATCH).await?;
    // What they leave to be swept goes in the same round.
    gone += app.accounts.sweep_leavers(now, LEAVERS_BATCH).await?;
    gone += departures::wipe(app, now, SWEEP_BATCH).await?;
    gone += app.exports.sweep(now, SWEEP_BATCH).await?;
    gone += audit::sweep(&app.database, now - of(app.settings.audit.kept), SWEEP_BATCH).await?;
    gone += app.accounts.sweep_pictures(now, SWEEP_BATCH).await?;
    gone += crate::federation::sweep(&app.database, now, SWEEP_BATCH).await?;
    gone += crate::adapter::sweep(&app.database, now, SWEEP_BATCH).await?;
    gone += crate::access::keys::sweep(&app.database, now, SWEEP_BATCH).await?;
    gone += crate::limits::sweep(&app.database, now, SWEEP_BATCH).await?;
    gone += app.policies.sweep(now, of(app.settings.policies.decisions_kept), SWEEP_BATCH).await?;
    gone += app.traces.sweep(now, SWEEP_BATCH).await?;
    gone += keys::retire_expired(&app.database, of(app.settings.keys.keep_previous), now).await?;
    Ok(gone)
}
