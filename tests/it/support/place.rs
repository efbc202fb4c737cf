//! Where one provider lives: its folder, its keys, its database, its address.

use std::{
    collections::BTreeMap,
    fs,
    net::{Ipv4Addr, TcpListener},
    path::Path,
    process::Command,
    sync::atomic::{AtomicU16, Ordering},
    time::Duration,
};

use sea_orm::DatabaseConnection;
use tempfile::TempDir;
use tokio::sync::OnceCell;

use super::{
    cli::{self, CliOutput},
    database::{self, Database, Dump, Engine},
    gate::Gate,
    prepared::Prepared,
};

/// What the test suite sets differently from a fresh installation, in every place.
const TEST_SETTINGS: &[(&str, &str)] = &[("passwords.memory", "19456"), ("passwords.iterations", "1")];

/// A server that has not read again in this long has nothing to read: twice as long as it looks for changes at the latest.
const QUIET: Duration = Duration::from_secs(1);

/// One provider's folder and database, removed when the last holder lets go.
#[derive(Debug)]
pub(crate) struct Place {
    settings: BTreeMap<String, String>,
    connection: OnceCell<DatabaseConnection>,
    database: Database,
    folder: TempDir,
}

impl Place {
    /// Before the first start: no schema, no keys.
    pub(crate) async fn empty(engine: Engine, settings: &[(&str, &str)]) -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        let database = match engine {
            Engine::Sqlite => Database::sqlite(folder.path()),
            Engine::Postgres => Database::postgres(None).await,
        };
        Self::with(folder, database, settings)
    }

    /// After a first start: migrated, keys made. A copy of what one start made for the whole test process.
    pub(crate) async fn prepared(engine: Engine, settings: &[(&str, &str)]) -> Self {
        let prepared = Prepared::get(engine).await;
        let folder = tempfile::tempdir().expect("a folder");
        prepared.write_to(folder.path());
        let database = match engine {
            Engine::Sqlite => Database::sqlite(folder.path()),
            Engine::Postgres => Database::postgres(prepared.template.as_deref()).await,
        };
        Self::with(folder, database, settings)
    }

    fn with(folder: TempDir, database: Database, settings: &[(&str, &str)]) -> Self {
        for name in ["data", "keys"] {
            fs::create_dir_all(folder.path().join(name)).expect("a folder");
        }
        let port = free_port();
        let mut all = BTreeMap::from([
            ("issuer".to_owned(), format!("http://localhost:{port}")),
            ("listen".to_owned(), format!("127.0.0.1:{port}")),
            ("management.listen".to_owned(), format!("127.0.0.1:{}", free_port())),
            ("database.url".to_owned(), database.url.clone()),
            ("keys.dir".to_owned(), folder.path().join("keys").display().to_string()),
            ("storage.url".to_owned(), folder.path().join("pictures").display().to_string()),
        ]);
        all.extend(TEST_SETTINGS.iter().chain(settings).map(|(name, value)| ((*name).to_owned(), (*value).to_owned())));
        Self { settings: all, connection: OnceCell::new(), database, folder }
    }

    /// Has the provider reach its PostgreSQL through this gate; the test's own connection goes past it.
    pub(crate) fn through(mut self, gate: &Gate) -> Self {
        self.settings.insert("database.url".to_owned(), self.database.url_through(gate.address));
        self
    }

    pub(crate) fn engine(&self) -> Engine {
        self.database.engine
    }

    /// The working folder: `keys/`, and `data/` with the database on SQLite.
    pub(crate) fn path(&self) -> &Path {
        self.folder.path()
    }

    pub(crate) fn issuer(&self) -> &str {
        &self.settings["issuer"]
    }

    pub(crate) fn setting(&self, name: &str) -> &str {
        &self.settings[name]
    }

    /// Gives the database up to be copied from, if it is one that can be.
    pub(super) async fn into_template(self) -> Option<String> {
        self.database.into_template().await
    }

    /// All settings by their names; those of another node differ in where it listens.
    pub(crate) fn settings(&self, node: Listen) -> Vec<(String, String)> {
        let mut settings = self.settings.clone();
        if node == Listen::Elsewhere {
            for name in ["listen", "management.listen"] {
                settings.insert(name.to_owned(), format!("127.0.0.1:{}", free_port()));
            }
        }
        settings.into_iter().collect()
    }

    /// A connection to the database beside the provider's own.
    pub(crate) async fn database(&self) -> &DatabaseConnection {
        self.connection.get_or_init(|| self.database.connect()).await
    }

    /// All tables but the counters, the audit log and the traces of refusals, which may change where nothing else does.
    pub(crate) async fn dump(&self) -> Dump {
        self.dump_tables(&["attempts", "audit_events", "traces"]).await
    }

    /// All tables but these.
    pub(crate) async fn dump_tables(&self, except: &[&str]) -> Dump {
        Dump::take(self.database().await, except).await
    }

    /// What PostgreSQL was asked here while `work` ran, one entry a statement, BEGIN and COMMIT left out.
    pub(crate) async fn statements_during<T>(&self, work: impl Future<Output = T>) -> (T, Vec<String>) {
        let connection = self.database().await;
        database::forget_statements(connection).await;
        let result = work.await;
        (result, database::seen_statements(connection).await)
    }

    /// The same of a server that has settled, without what it asks by itself.
    pub(crate) async fn statements_of<T>(&self, work: impl Future<Output = T>) -> (T, Vec<String>) {
        let work = Box::pin(work);
        self.settled().await;
        let (result, mut statements) = self.statements_during(work).await;
        statements.retain(|sql| !database::is_by_itself(sql));
        (result, statements)
    }

    /// Until the servers have heard of what a test has made: they ask nothing for a while but what they ask at any time.
    /// Twenty times at most: where a test keeps them at work, what it counts has to bear that.
    pub(crate) async fn settled(&self) {
        for _ in 0..20 {
            let ((), statements) = self.statements_during(tokio::time::sleep(QUIET)).await;
            if statements.iter().all(|sql| database::is_by_itself(sql)) {
                break;
            }
        }
    }

    /// Runs `bonafide ARGUMENTS…` here to its end, one minute at most.
    pub(crate) async fn cli(&self, arguments: &[&str]) -> CliOutput {
        self.cli_with_input(arguments, "").await
    }

    /// The same with something on its standard input.
    pub(crate) async fn cli_with_input(&self, arguments: &[&str], input: &str) -> CliOutput {
        let mut command = self.command(&self.settings(Listen::AsSet));
        command.args(arguments);
        let input = input.to_owned();
        tokio::task::spawn_blocking(move || cli::run(command, &input)).await.expect("running the program")
    }

    /// The program, to be started here with these settings in its environment and nothing else of ours.
    pub(crate) fn command(&self, settings: &[(String, String)]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_bonafide"));
        command.current_dir(self.path()).env_clear().env("RUST_BACKTRACE", "1");
        if let Some(path) = std::env::var_os("PATH") {
            command.env("PATH", path);
        }
        for (name, value) in settings {
            command.env(format!("BONAFIDE_{}", name.to_uppercase().replace('.', "__")), value);
        }
        command
    }
}

/// Where a node listens.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Listen {
    /// At the issuer's port.
    AsSet,
    /// At a port of its own, as a further node.
    Elsewhere,
}

/// A port nobody listens on, below those that the system gives to outgoing connections.
pub(crate) fn free_port() -> u16 {
    const FIRST: u16 = 10_000;
    const COUNT: u16 = 9_000;
    static NEXT: AtomicU16 = AtomicU16::new(0);
    let own = u16::try_from(std::process::id() % u32::from(COUNT)).unwrap_or(0);
    (0..COUNT)
        .map(|_| FIRST + (own + NEXT.fetch_add(1, Ordering::Relaxed) % COUNT) % COUNT)
        .find(|port| TcpListener::bind((Ipv4Addr::LOCALHOST, *port)).is_ok())
        .expect("a free port")
}
