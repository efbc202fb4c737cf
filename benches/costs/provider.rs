//! The release build as a process, on a database of its own.

use std::{
    collections::BTreeMap,
    io::Write as _,
    net::{SocketAddr, TcpListener, TcpStream},
    process::{Child, Command, Stdio},
    sync::atomic::{AtomicU32, Ordering},
    thread,
    time::{Duration, Instant},
};

use serde_json::Value;

use super::clocks::process_ms;
use super::http::{Connection, get};

pub(crate) const PASSWORD: &str = "plum violin 42 harbour";

/// Numbers the databases of this run.
static NEXT: AtomicU32 = AtomicU32::new(0);

/// A running release build of the provider, ended when it is dropped.
pub(crate) struct Provider {
    pub(crate) child: Child,
    pub(crate) address: SocketAddr,
    pub(crate) management: SocketAddr,
    pub(crate) ready_ms: f64,
}

impl Drop for Provider {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Where the provider of the bench lives.
pub(crate) struct Place {
    pub(crate) folder: tempfile::TempDir,
    pub(crate) settings: BTreeMap<&'static str, String>,
    pub(crate) database: Option<String>,
}

impl Place {
    pub(crate) fn new(postgres: Option<&str>) -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        let (url, database) = match postgres {
            None => (format!("sqlite://{}", folder.path().join("data/bonafide.db").display()), None),
            Some(server) => {
                let name = format!("bench_{}_{}", std::process::id(), NEXT.fetch_add(1, Ordering::Relaxed));
                sql(server, &format!("CREATE DATABASE {name}"));
                let mut url = url::Url::parse(server).expect("BONAFIDE_TEST_POSTGRES is a URL");
                url.set_path(&name);
                (url.to_string(), Some(name))
            }
        };
        let port = || TcpListener::bind("127.0.0.1:0").expect("a port").local_addr().expect("an address").to_string();
        let settings = BTreeMap::from([
            ("LISTEN", port()),
            ("MANAGEMENT__LISTEN", port()),
            ("DATABASE__URL", url),
            ("KEYS__DIR", folder.path().join("keys").display().to_string()),
            ("LIMITS__ENABLED", "false".to_owned()),
            ("TOKENS__CODE_LIFETIME", "10m".to_owned()),
            ("LOG__LEVEL", "error".to_owned()),
        ]);
        Self { folder, settings, database }
    }

    pub(crate) fn command(&self) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_bonafide"));
        command.current_dir(self.folder.path()).env_clear().stdin(Stdio::null());
        command.envs(self.settings.iter().map(|(name, value)| (format!("BONAFIDE_{name}"), value)));
        command
    }

    pub(crate) fn cli(&self, arguments: &[&str], input: &str) -> Value {
        let mut command = self.command();
        command.args(arguments).stdin(Stdio::piped()).stdout(Stdio::piped());
        let mut child = command.spawn().expect("the program");
        child.stdin.take().expect("its input").write_all(input.as_bytes()).expect("writing");
        let output = child.wait_with_output().expect("its end");
        assert!(output.status.success(), "{arguments:?}");
        serde_json::from_slice(&output.stdout).expect("JSON")
    }

    pub(crate) fn start(&self) -> Provider {
        let address = |name| self.settings[name].parse::<SocketAddr>().expect("an address");
        let child = self.command().arg("serve").stdout(Stdio::null()).spawn().expect("the program");
        let (address, management) = (address("LISTEN"), address("MANAGEMENT__LISTEN"));
        let mut provider = Provider { child, address, management, ready_ms: 0.0 };
        let deadline = Instant::now() + Duration::from_mins(1);
        while TcpStream::connect(management).is_err() {
            assert!(Instant::now() < deadline, "not ready after a minute");
            thread::sleep(Duration::from_millis(2));
        }
        Connection::open(management).send(&get("/health/ready", "")).expect(200);
        provider.ready_ms = process_ms(provider.child.id());
        provider
    }
}

pub(crate) fn sql(url: &str, statement: &str) {
    use sea_orm::ConnectionTrait as _;
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
    runtime.block_on(async {
        let connection = sea_orm::Database::connect(url).await.expect("PostgreSQL");
        connection.execute_unprepared(statement).await.expect("a statement");
        connection.close().await.expect("closing");
    });
}

/// Drops the database that a place has made for itself on a server.
pub(crate) fn drop_database(server: Option<&str>, database: Option<&str>) {
    if let (Some(server), Some(name)) = (server, database) {
        sql(server, &format!("DROP DATABASE {name} WITH (FORCE)"));
    }
}
