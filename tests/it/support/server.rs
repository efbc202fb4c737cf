//! A provider in the test's own process, its clock moved by hand.

use std::{
    net::{SocketAddr, TcpListener},
    ops::Deref,
    sync::Arc,
};

use bonafide::{
    app::App,
    platform::{
        clock::ManualClock,
        random::SystemRandom,
        settings::{Settings, Sources},
    },
    server::Server,
};
use chrono::{DateTime, Duration, Utc};

use super::{
    answer::Answer,
    browser::Browser,
    database::Engine,
    fixtures::{self, Application, Person, Registration},
    place::{Listen, Place},
    wire::{Call, Wire},
};

/// A provider with a database of its own. Dereferences to its [`Place`]: database, command line, dumps.
pub(crate) struct TestServer {
    node: Node,
    clock: ManualClock,
    place: Arc<Place>,
}

impl TestServer {
    /// Migrated, with keys; nobody, no client.
    pub(crate) async fn start(engine: Engine) -> Self {
        Self::with(engine, &[]).await
    }

    /// The same with other settings: `&[("tokens.refresh_grace", "0s")]`.
    pub(crate) async fn with(engine: Engine, settings: &[(&str, &str)]) -> Self {
        Self::at(Place::prepared(engine, settings).await).await
    }

    /// The very first start, on an empty database and without keys (slow: makes RSA keys).
    pub(crate) async fn first_start(engine: Engine, settings: &[(&str, &str)]) -> Self {
        Self::at(Place::empty(engine, settings).await).await
    }

    pub(crate) async fn at(place: Place) -> Self {
        // The present, because other programs that judge our tokens (libraries, browsers) go by the real time.
        let clock = ManualClock::new(Utc::now());
        let node = Node::start(&place, Listen::AsSet, &clock).await;
        Self { node, clock, place: Arc::new(place) }
    }

    /// One more node on the same database, with the same issuer and the same clock.
    pub(crate) async fn second_node(&self) -> Node {
        Node::start(&self.place, Listen::Elsewhere, &self.clock).await
    }

    /// Stops the node and starts another in its place; the clock goes on.
    pub(crate) async fn restart(&mut self) {
        self.node.stop().await;
        self.node = Node::start(&self.place, Listen::AsSet, &self.clock).await;
    }

    pub(crate) fn now(&self) -> DateTime<Utc> {
        bonafide::platform::clock::Clock::now(&self.clock)
    }

    pub(crate) fn clock(&self) -> &ManualClock {
        &self.clock
    }

    pub(crate) fn advance(&self, by: Duration) {
        self.clock.advance(by);
    }

    pub(crate) fn advance_seconds(&self, seconds: i64) {
        self.advance(Duration::seconds(seconds));
    }

    pub(crate) fn place(&self) -> &Arc<Place> {
        &self.place
    }

    pub(crate) fn node(&self) -> &Node {
        &self.node
    }

    pub(crate) fn app(&self) -> &Arc<App> {
        self.node.app()
    }

    pub(crate) fn wire(&self) -> Wire {
        self.node.wire()
    }

    pub(crate) fn browser(&self) -> Browser {
        Browser::new(self.wire())
    }

    #[track_caller]
    pub(crate) fn call(&self, method: reqwest::Method, url: &str) -> Call {
        self.node.wire.call(method, url)
    }

    pub(crate) async fn get(&self, url: &str) -> Answer {
        self.node.wire.get(url).await
    }

    pub(crate) async fn post(&self, url: &str, fields: &[(&str, &str)]) -> Answer {
        self.node.wire.post(url, fields).await
    }

    /// Somebody who can sign in.
    pub(crate) async fn person(&self, username: &str) -> Person {
        fixtures::person(self.app(), username).await
    }

    /// A registered application: `server.application(&web_application())`.
    pub(crate) async fn application(&self, new: impl Registration) -> Application {
        fixtures::application(self.app(), &new.draft()).await
    }
}

impl Deref for TestServer {
    type Target = Place;

    fn deref(&self) -> &Place {
        &self.place
    }
}

/// One running server.
pub(crate) struct Node {
    server: Option<Server>,
    wire: Wire,
    management: Wire,
}

impl Node {
    async fn start(place: &Place, listen: Listen, clock: &ManualClock) -> Self {
        logs_of_failed_tests();
        let server = start(place.settings(listen), clock).await;
        Self {
            wire: Wire::new(place.issuer(), server.address()),
            management: Wire::new(&format!("http://{}", server.management_address()), server.management_address()),
            server: Some(server),
        }
    }

    pub(crate) fn wire(&self) -> Wire {
        self.wire.clone()
    }

    /// The way to `/health/ready`, `/metrics`.
    pub(crate) fn management(&self) -> Wire {
        self.management.clone()
    }

    pub(crate) fn address(&self) -> SocketAddr {
        self.server().address()
    }

    pub(crate) fn app(&self) -> &Arc<App> {
        self.server().app()
    }

    /// Stops as on SIGTERM.
    pub(crate) async fn stop(&mut self) {
        if let Some(server) = self.server.take() {
            stop(server).await;
        }
    }

    fn server(&self) -> &Server {
        self.server.as_ref().expect("the node was stopped")
    }
}

/// Starts a provider in this process.
pub(super) async fn start(settings: Vec<(String, String)>, clock: &ManualClock) -> Server {
    let sources = Sources { file: None, environment: Vec::new(), flags: settings };
    let settings = Settings::load(&sources).unwrap_or_else(|error| panic!("{error}: {sources:?}"));
    Server::start(settings, Arc::new(clock.clone()), Arc::new(SystemRandom))
        .await
        .unwrap_or_else(|error| panic!("{error}: {sources:?}"))
}

/// Stops it as on SIGTERM, half a minute at most. Afterwards its port is free: a program that another test begins at that moment
/// holds it until it runs.
pub(super) async fn stop(server: Server) {
    let address = server.address();
    let stopped = tokio::time::timeout(std::time::Duration::from_secs(30), server.stop()).await;
    stopped.expect("the server did not stop within half a minute");
    for _ in 0..100 {
        if TcpListener::bind(address).is_ok() {
            return;
        }
        tokio::time::sleep(std::time::Duration::from_millis(10)).await;
    }
}

/// Shows a failed test what its servers logged; `RUST_LOG` says how much.
fn logs_of_failed_tests() {
    use tracing_subscriber::EnvFilter;
    let filter = EnvFilter::try_from_default_env().unwrap_or_else(|_| EnvFilter::new("warn,bonafide=info"));
    // Refused when an earlier test of this process has done it.
    let _ = tracing_subscriber::fmt().with_env_filter(filter).with_test_writer().try_init();
}
