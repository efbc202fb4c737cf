//! A running provider: its listeners, what it does in the background, and how it stops.

mod background;
mod counted;
mod gauges;
mod listen;
mod tls;

use std::future::Future;
use std::net::SocketAddr;
use std::sync::Arc;

use tokio::sync::Semaphore;
use tokio_util::sync::CancellationToken;

pub use self::background::sweep_once;
use self::listen::{Front, accept, bind};
use self::tls::Tls;
use crate::access::policies::PolicyFault;
use crate::app::{App, AppError, Schema};
use crate::clients;
use crate::clients::{Change, ClientError};
use crate::http::dev::DemoApp;
use crate::http::dev::DemoStartError;
use crate::http::{self, Web, WebError};
use crate::identity::{IdentityError, NewAccount, Refusal};
use crate::platform::certificate::CertificateError;
use crate::platform::clock::Clock;
use crate::platform::database;
use crate::platform::outgoing::OutgoingError;
use crate::platform::prometheus;
use crate::platform::random::Random;
use crate::platform::settings::Settings;
use crate::platform::smtp::SmtpError;

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
        prometheus::handle();
        counted::begin();
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
        let sender = background::sender(&app, &web)?;

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
        background::begin(&mut background, &web, epoch, sender, &stopped);
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
        background::write_last_notes(&self.web.app).await;
        self.web.app.database.close().await;
        tracing::info!("stopped");
    }
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
