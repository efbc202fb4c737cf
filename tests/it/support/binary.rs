//! The real program as a child process, to be killed and started again.

use std::{
    fmt,
    io::{BufRead, BufReader, Read},
    ops::Deref,
    process::{Child, Command, ExitStatus, Stdio},
    sync::{Arc, Mutex},
    thread,
    time::{Duration, Instant},
};

use tokio::time::sleep;

use super::{
    browser::Browser,
    database::Engine,
    fixtures::{self, Application, Person, Registration},
    place::{Listen, Place},
    wire::Wire,
};

/// `bonafide serve`, ready to answer. Dereferences to its [`Place`]; dropped, it is killed.
#[derive(Debug)]
pub(crate) struct Binary {
    child: Child,
    settings: Vec<(String, String)>,
    dev: bool,
    wire: Wire,
    management: Wire,
    output: Output,
    place: Arc<Place>,
}

impl Binary {
    pub(crate) async fn start(engine: Engine) -> Self {
        Self::with(engine, &[]).await
    }

    pub(crate) async fn with(engine: Engine, settings: &[(&str, &str)]) -> Self {
        Self::at(Arc::new(Place::prepared(engine, settings).await)).await
    }

    /// The very first start, on an empty database and without keys.
    pub(crate) async fn first_start(engine: Engine, settings: &[(&str, &str)]) -> Self {
        Self::at(Arc::new(Place::empty(engine, settings).await)).await
    }

    pub(crate) async fn at(place: Arc<Place>) -> Self {
        let settings = place.settings(Listen::AsSet);
        Self::launch(place, settings, false).await
    }

    /// `bonafide serve --dev`: with the demo application and the captured mailbox.
    pub(crate) async fn dev(engine: Engine) -> Self {
        let place = Arc::new(Place::prepared(engine, &[]).await);
        let settings = place.settings(Listen::AsSet);
        Self::launch(place, settings, true).await
    }

    /// One more process on the same database, with the same issuer.
    pub(crate) async fn second(&self) -> Self {
        let settings = self.place.settings(Listen::Elsewhere);
        Self::launch(Arc::clone(&self.place), settings, self.dev).await
    }

    /// Starts it again, after [`Binary::kill`] or [`Binary::terminate`], where it was.
    pub(crate) async fn start_again(&mut self) {
        assert!(self.child.try_wait().expect("its state").is_some(), "it still runs");
        *self = Self::launch(Arc::clone(&self.place), self.settings.clone(), self.dev).await;
    }

    async fn launch(place: Arc<Place>, settings: Vec<(String, String)>, dev: bool) -> Self {
        let address = |name: &str| settings.iter().find(|(key, _)| key == name).expect("a setting").1.clone();
        let management = address("management.listen");
        let wire = Wire::new(place.issuer(), address("listen"));
        let management = Wire::new(&format!("http://{management}"), &management);
        let mut command = place.command(&settings);
        command
            .arg("serve")
            .args(dev.then_some("--dev"))
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped());
        let mut child = command.spawn().unwrap_or_else(|error| panic!("{command:?}: {error}"));
        let output = Output::default();
        output.collect(child.stdout.take().expect("its output"), false);
        output.collect(child.stderr.take().expect("its errors"), true);
        let mut binary = Self { child, settings, dev, wire, management, output, place };
        binary.wait_until_ready().await;
        binary
    }

    /// Waits until `/health/ready` says 200, half a minute at most.
    pub(crate) async fn wait_until_ready(&mut self) {
        let deadline = Instant::now() + Duration::from_secs(30);
        loop {
            let ready = self.management.call(reqwest::Method::GET, "/health/ready").try_send().await;
            if ready.is_ok_and(|answer| answer.status.is_success()) {
                return;
            }
            if let Some(status) = self.child.try_wait().expect("its state") {
                panic!("it ended with {status}\n{}", self.output);
            }
            assert!(Instant::now() < deadline, "not ready after half a minute\n{}", self.output);
            sleep(Duration::from_millis(5)).await;
        }
    }

    /// `kill -9`, at once.
    pub(crate) fn kill(&mut self) {
        self.child.kill().expect("killing it");
        self.child.wait().expect("its end");
    }

    /// SIGTERM; how it ended, half a minute later at most.
    pub(crate) async fn terminate(&mut self) -> ExitStatus {
        self.signal("TERM");
        self.wait().await
    }

    /// Sends a signal (`TERM`, `HUP`, `STOP`, `CONT`) and does not wait.
    pub(crate) fn signal(&self, name: &str) {
        let done = Command::new("kill").args(["-s", name, &self.id().to_string()]).status().expect("kill");
        assert!(done.success(), "kill -s {name}: {done}");
    }

    /// Waits for its end, half a minute at most.
    pub(crate) async fn wait(&mut self) -> ExitStatus {
        let deadline = Instant::now() + Duration::from_secs(30);
        loop {
            if let Some(status) = self.child.try_wait().expect("its state") {
                return status;
            }
            assert!(Instant::now() < deadline, "still running after half a minute\n{}", self.output);
            sleep(Duration::from_millis(5)).await;
        }
    }

    /// Its process id.
    pub(crate) fn id(&self) -> u32 {
        self.child.id()
    }

    pub(crate) fn wire(&self) -> Wire {
        self.wire.clone()
    }

    /// The way to `/health/ready`, `/metrics`.
    pub(crate) fn management(&self) -> Wire {
        self.management.clone()
    }

    pub(crate) fn browser(&self) -> Browser {
        Browser::new(self.wire())
    }

    /// Somebody who can sign in.
    pub(crate) async fn person(&self, username: &str) -> Person {
        fixtures::person_by_cli(self, username).await
    }

    /// A registered application: `binary.application(&web_application())`.
    pub(crate) async fn application(&self, new: impl Registration) -> Application {
        fixtures::application_by_cli(self, &new.draft()).await
    }

    pub(crate) fn place(&self) -> &Arc<Place> {
        &self.place
    }

    /// What it has printed so far.
    pub(crate) fn stdout(&self) -> String {
        self.output.stdout.lock().unwrap().clone()
    }

    /// Waits until it has logged this, five seconds at most.
    pub(crate) async fn expect_log(&self, text: &str) {
        for _ in 0..500 {
            if self.stderr().contains(text) {
                return;
            }
            sleep(Duration::from_millis(10)).await;
        }
        panic!("nothing logged with {text:?}\n{}", self.output);
    }

    /// What it has logged so far.
    pub(crate) fn stderr(&self) -> String {
        self.output.stderr.lock().unwrap().clone()
    }
}

impl Deref for Binary {
    type Target = Place;

    fn deref(&self) -> &Place {
        &self.place
    }
}

impl Drop for Binary {
    fn drop(&mut self) {
        // It may have ended by itself.
        let _ = self.child.kill();
        let _ = self.child.wait();
        if thread::panicking() {
            eprintln!("{}", self.output);
        }
    }
}

/// What a process says, collected as it says it.
#[derive(Clone, Debug, Default)]
struct Output {
    stdout: Arc<Mutex<String>>,
    stderr: Arc<Mutex<String>>,
}

impl Output {
    fn collect(&self, from: impl Read + Send + 'static, errors: bool) {
        let to = Arc::clone(if errors { &self.stderr } else { &self.stdout });
        thread::spawn(move || {
            let mut from = BufReader::new(from);
            let mut line = Vec::new();
            while from.read_until(b'\n', &mut line).is_ok_and(|length| length > 0) {
                to.lock().unwrap().push_str(&String::from_utf8_lossy(&line));
                line.clear();
            }
        });
    }
}

impl fmt::Display for Output {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (stdout, stderr) = (self.stdout.lock().unwrap(), self.stderr.lock().unwrap());
        write!(formatter, "--- stdout\n{stdout}\n--- stderr\n{stderr}")
    }
}
