//! A running provider: its listeners, what it does in the background, and how it stops.

mod listen;
mod tls;

use std::future::Future;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::{Semaphore, mpsc};
use tokio_util::sync::CancellationToken;

use self::listen::{Front, accept, bind};
use self::tls::Tls;
use crate::access::policies::PolicyFault;
use crate::app::{App, AppError, Schema};
use crate::backchannel_logout::BackchannelLogout;
use crate::clients::{Change, ClientError};
use crate::http::dev::DemoApp;
use crate::http::dev::DemoStartError;
use crate::http::{self, Web, WebError};
use crate::identity::{IdentityError, NewAccount, Refusal};
use crate::mail::{Letterhead, Postman};
use crate::outbox::{Courier, Sender};
use crate::platform::certificate::CertificateError;
use crate::platform::clock::Clock;
use crate::platform::database;
use crate::platform::outgoing::{Outgoing, OutgoingError};
use crate::platform::random::Random;
use crate::platform::settings::{Millis, Settings};
use crate::platform::smtp::{Smtp, SmtpError};
use crate::platform::telemetry;
use crate::{audit, clients, departures, grants, identity, keys, sessions};

#[derive(Debug, thiserror::Error)]
pub enum StartError {
    #[error(transparent)]
    App(#[from] AppError),
    #[error(transparent)]
    Web(#[from] WebError),
    #[error("setting {setting}: cannot listen on {address}: {source}")]
    Listen { setting: &'static str, address: SocketAddr, source: std::io::Error },
    #[error(transparent)]
    Tls(#[from] CertificateError),
    #[error("setting bootstrap: {0}")]
    Bootstrap(IdentityError),
    #[error("the demo application: {0}")]
    Demo(#[from] DemoStartError),
    #[error("setting mail.from: {0}")]
    Sender(String),
    #[error(transparent)]
    Smtp(#[from] SmtpError),
    #[error(transparent)]
    Client(#[from] ClientError),
    #[error(transparent)]
    Outgoing(#[from] OutgoingError),
    #[error("policies.dir: {0}")]
    Policies(#[from] PolicyFault),
    #[error("database.url: {0}")]
    Database(#[from] database::DatabaseError),
}

/// How a server starts.
#[derive(Clone, Copy, Debug)]
pub struct Options {
    /// Bring the schema up to date first.
    pub migrate: bool,
    /// Offer the demo application and the captured mailbox.
    pub dev: bool,
    /// Somebody watches: a first administrator may be made whose password is shown once.
    pub terminal: bool,
}

impl Default for Options {
    fn default() -> Self {
        Self { migrate: true, dev: false, terminal: false }
    }
}

/// The administrator that a first start made.
#[derive(Clone)]
pub struct FirstAdministrator {
    pub email: String,
    pub password: String,
}

/// A running provider.
pub struct Server {
    web: Arc<Web>,
    addresses: Vec<SocketAddr>,
    management: Vec<SocketAddr>,
    first_administrator: Option<FirstAdministrator>,
    /// No new connections.
    stopping: CancellationToken,
    /// No more background work.
    stopped: CancellationToken,
    tasks: tokio::task::JoinSet<()>,
    background: tokio::task::JoinSet<()>,
}

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

impl Server {
    /// Starts with everything that a plain `bonafide serve` does.
    pub async fn start(settings: Settings, clock: Arc<dyn Clock>, random: Arc<dyn Random>) -> Result<Self, StartError> {
        Self::start_with(settings, clock, random, Options::default()).await
    }

    pub async fn start_with(
        mut settings: Settings,
        clock: Arc<dyn Clock>,
        random: Arc<dyn Random>,
        options: Options,
    ) -> Result<Self, StartError> {
        telemetry::metrics();
        if !settings.limits.enabled {
            tracing::warn!("limits.enabled is false: passwords may be tried and requests sent without end");
        }
        settings.mail.captured = options.dev;
        let tls = Tls::load(&settings.tls)?;
        let listeners = bind("listen", &settings.listen).await?;
        let management_listeners = bind("management.listen", &settings.management.listen).await?;
        let schema = if options.migrate { Schema::Migrate } else { Schema::Require };
        let app = Arc::new(App::open(settings, clock, random, schema).await?);
        if let Some(folder) = app.settings.policies.folder() {
            app.policies.publish_folder(folder).await?;
        }
        let first_administrator = bootstrap(&app, options.terminal).await.map_err(StartError::Bootstrap)?;
        let change = Change { what: "credentials", now: app.clock.now(), random: app.random.clone() };
        clients::ensure_credentials_client(&app.clients, &app.database, &app.settings.credentials.client_id, change)
            .await?;
        let epoch = app.database.epoch().await?;
        let demo = if options.dev { Some(DemoApp::new(&app).await?) } else { None };
        let web = Arc::new(Web::new(app.clone(), demo)?);
        let sender = sender(&app, &web)?;

        let (stopping, stopped) = (CancellationToken::new(), CancellationToken::new());
        let mut tasks = tokio::task::JoinSet::new();
        let (mut addresses, mut management) = (Vec::new(), Vec::new());
        let limit = Arc::new(Semaphore::new(app.settings.http.max_connections));
        let front =
            Front { router: http::router(web.clone()), settings: app.settings.http.clone(), limit, tls: tls.clone() };
        for (listener, address) in listeners {
            addresses.push(address);
            tasks.spawn(accept(listener, front.clone(), stopping.clone()));
        }
        // Health and metrics answer even when every connection of the front is taken, and while it drains.
        let router = http::management::router(web.clone());
        let aside =
            Front { router, settings: app.settings.http.clone(), limit: Arc::new(Semaphore::new(64)), tls: None };
        let mut background = tokio::task::JoinSet::new();
        for (listener, address) in management_listeners {
            management.push(address);
            background.spawn(accept(listener, aside.clone(), stopped.clone()));
        }
        if let Some(tls) = tls {
            background.spawn(tls.follow(stopped.clone()));
        }
        background.spawn(follow_changes(web.clone(), epoch, stopped.clone()));
        background.spawn(sender.run(stopped.clone()));
        if !app.keys.set().is_complete() {
            background.spawn(complete_keys(app.clone(), stopped.clone()));
        }
        background.spawn(follow_policies(app.clone(), stopped.clone()));
        background.spawn(write_notes(app.clone(), stopped.clone()));
        background.spawn(write_exports(app.clone(), stopped.clone()));
        background.spawn(sweep(app, stopped.clone()));
        tracing::info!(issuer = web.issuer(), addresses = ?addresses, "ready");
        Ok(Self { web, addresses, management, first_administrator, stopping, stopped, tasks, background })
    }

    /// Where it listens; of `localhost` the IPv4 address.
    pub fn address(&self) -> SocketAddr {
        self.addresses.first().copied().unwrap_or_else(|| SocketAddr::from(([127, 0, 0, 1], 0)))
    }

    pub fn management_address(&self) -> SocketAddr {
        self.management.first().copied().unwrap_or_else(|| SocketAddr::from(([127, 0, 0, 1], 0)))
    }

    pub fn app(&self) -> &Arc<App> {
        &self.web.app
    }

    /// Some only where this start made one with a password of its own.
    pub fn first_administrator(&self) -> Option<&FirstAdministrator> {
        self.first_administrator.as_ref()
    }

    /// Serves until the signal, then stops.
    pub async fn run_until(self, signal: impl Future<Output = ()>) {
        signal.await;
        tracing::info!("stopping: no new connections, requests in flight finish");
        self.stop().await;
    }

    /// Not ready from now on; what is in flight finishes within the grace; then the database is closed.
    pub async fn stop(mut self) {
        self.web.set_unready();
        self.stopping.cancel();
        let grace = self.web.app.settings.http.shutdown_grace.duration();
        if tokio::time::timeout(grace, async { while self.tasks.join_next().await.is_some() {} }).await.is_err() {
            tracing::warn!("requests in flight did not finish in time and are cut off");
        }
        self.stopped.cancel();
        self.tasks.shutdown().await;
        self.background.shutdown().await;
        write_last_notes(&self.web.app).await;
        self.web.app.database.close().await;
        tracing::info!("stopped");
    }
}

/// Reads clients and keys again when somebody has changed them.
async fn follow_changes(web: Arc<Web>, epoch: i64, stopped: CancellationToken) {
    let (sender, mut changes) = mpsc::channel(1);
    // In a set of its own, which ends it however this task ends: its listening connection would keep the pool from closing.
    let mut watching = tokio::task::JoinSet::new();
    watching.spawn(database::watch_epoch(web.app.database.clone(), epoch, sender));
    loop {
        let change = tokio::select! {
            () = stopped.cancelled() => break,
            change = changes.recv() => change,
        };
        if change.is_none() {
            break;
        }
        while let Err(error) = web.reload().await {
            tracing::error!(%error, "clients and keys could not be read again; the old ones stay in force");
            tokio::select! {
                () = stopped.cancelled() => break,
                () = tokio::time::sleep(Duration::from_secs(1)) => {}
            }
            if stopped.is_cancelled() {
                break;
            }
        }
    }
    watching.shutdown().await;
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

/// Writes down what requests only note, many in one statement: when API keys were used, and which decisions were made.
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
    }
}

/// The last of it, before the database is closed.
async fn write_last_notes(app: &App) {
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
}

/// Sends what the outbox holds, of the kinds that we know how to deliver.
fn sender(app: &Arc<App>, web: &Web) -> Result<Sender, StartError> {
    let outgoing = Outgoing::new(&app.settings.outgoing, &[])?;
    let mut couriers: Vec<Arc<dyn Courier>> = vec![Arc::new(BackchannelLogout::new(app.clone(), outgoing))];
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
    gone += keys::retire_expired(&app.database, of(app.settings.keys.keep_previous), now).await?;
    Ok(gone)
}

/// A first start needs somebody who can do everything: the one of the settings, or one whose password is shown once.
async fn bootstrap(app: &App, terminal: bool) -> Result<Option<FirstAdministrator>, IdentityError> {
    if !app.accounts.nobody().await? {
        return Ok(None);
    }
    let settings = &app.settings.bootstrap;
    let given = settings.admin_password.expose();
    if given.is_empty() && !terminal {
        tracing::warn!(
            "nobody can sign in yet: `bonafide user create --email E --role admin --password-stdin` makes an administrator"
        );
        return Ok(None);
    }
    let generated = given.is_empty().then(|| app.random.token("").chars().take(20).collect::<String>());
    let email = Some(settings.admin_email.as_str())
        .filter(|email| !email.is_empty())
        .unwrap_or("admin@bonafide.example")
        .to_owned();
    let account = NewAccount {
        email: Some(email.clone()),
        username: Some("admin".to_owned()),
        name: Some("Administrator".to_owned()),
        password: Some(generated.clone().unwrap_or_else(|| given.to_owned())),
        email_verified: true,
        roles: vec!["admin".to_owned()],
        ..NewAccount::default()
    };
    match app.accounts.create(account).await {
        Ok(_) => {
            tracing::info!(email, "made the first administrator");
            Ok(generated.map(|password| FirstAdministrator { email, password }))
        }
        // Another node started at the same time and was quicker.
        Err(IdentityError::Refused(Refusal::EmailTaken | Refusal::UsernameTaken)) => Ok(None),
        Err(error) => Err(error),
    }
}
