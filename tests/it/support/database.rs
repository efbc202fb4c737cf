//! The two engines: making a database for one test, and looking into it.

use std::{
    collections::BTreeMap,
    fmt::Write as _,
    net::SocketAddr,
    ops::Deref,
    path::Path,
    sync::{
        Mutex,
        atomic::{AtomicU32, Ordering},
    },
};

use sea_orm::{
    ConnectOptions, ConnectionTrait, Database as SeaOrm, DatabaseConnection, DbBackend, DbErr, QueryResult, Statement,
};
use url::Url;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Engine {
    Sqlite,
    Postgres,
}

/// A database of its own for one test.
#[derive(Debug)]
pub(crate) struct Database {
    pub(crate) engine: Engine,
    /// As the setting `database.url` spells it.
    pub(crate) url: String,
    /// Its name on the PostgreSQL server.
    name: Option<String>,
}

/// Databases on the PostgreSQL server that no test uses any more; the next one to be made clears them away.
static UNUSED: Mutex<Vec<String>> = Mutex::new(Vec::new());

/// One at a time: a template must not be in use while it is copied.
static SERVER: tokio::sync::Mutex<()> = tokio::sync::Mutex::const_new(());

impl Database {
    /// A file in `folder` that is not there yet.
    pub(crate) fn sqlite(folder: &Path) -> Self {
        let url = format!("sqlite://{}", folder.join("data/bonafide.db").display());
        Self { engine: Engine::Sqlite, url, name: None }
    }

    /// A database on the PostgreSQL server of `BONAFIDE_TEST_POSTGRES`: empty, or a copy of a template.
    pub(crate) async fn postgres(template: Option<&str>) -> Self {
        static NEXT: AtomicU32 = AtomicU32::new(0);
        let name = format!("it_{}_{}", std::process::id(), NEXT.fetch_add(1, Ordering::Relaxed));
        let _alone = SERVER.lock().await;
        let server = server().await;
        let unused = std::mem::take(&mut *UNUSED.lock().unwrap());
        for old in unused {
            run(&server, &format!(r#"DROP DATABASE IF EXISTS "{old}" WITH (FORCE)"#)).await;
        }
        let template = template.unwrap_or("template0");
        run(&server, &format!(r#"CREATE DATABASE "{name}" TEMPLATE "{template}""#)).await;
        server.close().await.expect("closing");

        let mut url = server_url();
        url.set_path(&name);
        Self { engine: Engine::Postgres, url: url.into(), name: Some(name) }
    }

    /// Gives the database up to be copied from: its name. Nobody can connect to it afterwards.
    pub(crate) async fn into_template(mut self) -> Option<String> {
        let name = self.name.take()?;
        let server = server().await;
        run(&server, &format!(r#"ALTER DATABASE "{name}" WITH ALLOW_CONNECTIONS false"#)).await;
        let leave = format!("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = '{name}'");
        run(&server, &leave).await;
        server.close().await.expect("closing");
        Some(name)
    }

    /// A connection beside the provider's own, for looking.
    pub(crate) async fn connect(&self) -> DatabaseConnection {
        connect(&self.url).await
    }

    /// The same place seen from elsewhere: the URL with another address.
    pub(crate) fn url_through(&self, address: SocketAddr) -> String {
        let mut url = Url::parse(&self.url).expect("a URL");
        url.set_ip_host(address.ip()).expect("a host");
        url.set_port(Some(address.port())).expect("a port");
        url.into()
    }
}

impl Drop for Database {
    fn drop(&mut self) {
        if let (Some(name), Ok(mut unused)) = (self.name.take(), UNUSED.lock()) {
            unused.push(name);
        }
    }
}

fn server_url() -> Url {
    let url = super::needed("BONAFIDE_TEST_POSTGRES", "This test needs PostgreSQL.");
    Url::parse(&url).expect("BONAFIDE_TEST_POSTGRES is a URL")
}

/// Where the PostgreSQL server listens: `host:port`.
pub(crate) fn postgres_address() -> String {
    let url = server_url();
    format!("{}:{}", url.host_str().expect("a host"), url.port().unwrap_or(5432))
}

async fn server() -> DatabaseConnection {
    connect(server_url().as_str()).await
}

async fn connect(url: &str) -> DatabaseConnection {
    let mut options = ConnectOptions::new(url);
    options.max_connections(1).sqlx_logging(false);
    SeaOrm::connect(options).await.unwrap_or_else(|error| panic!("no connection to {url}: {error}"))
}

async fn run(connection: &DatabaseConnection, sql: &str) {
    connection.execute_unprepared(sql).await.unwrap_or_else(|error| panic!("{sql}: {error}"));
}

/// The rows of all tables as text, sorted; for "nothing changed" (Ø in the list of threats).
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Dump(BTreeMap<String, Vec<String>>);

impl Dump {
    /// Reads every table but these.
    pub(crate) async fn take(connection: &DatabaseConnection, except: &[&str]) -> Self {
        let mut tables = BTreeMap::new();
        for table in strings(connection, tables_sql(connection)).await {
            if !except.contains(&table.as_str()) {
                let rows = rows_sql(connection, &table).await;
                tables.insert(table, strings(connection, &rows).await);
            }
        }
        Self(tables)
    }

    /// Stops, naming the rows, unless both hold the same. Why requests were refused is a record like the log, written a moment later.
    #[track_caller]
    pub(crate) fn expect_same_as(&self, before: &Self) {
        let mut changes = String::new();
        let compared = |dump: &Self| {
            let mut tables = dump.0.clone();
            tables.remove("traces");
            tables
        };
        for (table, rows) in &compared(self) {
            let earlier = before.0.get(table).map_or(&[][..], Vec::as_slice);
            for row in earlier.iter().filter(|row| !rows.contains(row)) {
                let _ = writeln!(changes, "{table} - {row}");
            }
            for row in rows.iter().filter(|row| !earlier.contains(row)) {
                let _ = writeln!(changes, "{table} + {row}");
            }
        }
        assert!(compared(self) == compared(before), "the database changed:\n{changes}");
    }
}

impl Deref for Dump {
    type Target = BTreeMap<String, Vec<String>>;

    fn deref(&self) -> &Self::Target {
        &self.0
    }
}

fn tables_sql(connection: &DatabaseConnection) -> &'static str {
    match connection.get_database_backend() {
        DbBackend::Postgres => "SELECT tablename::text AS line FROM pg_tables WHERE schemaname = 'public' ORDER BY 1",
        _ => "SELECT name AS line FROM sqlite_master WHERE type = 'table' AND name NOT LIKE 'sqlite_%' ORDER BY 1",
    }
}

async fn rows_sql(connection: &DatabaseConnection, table: &str) -> String {
    if connection.get_database_backend() == DbBackend::Postgres {
        return format!(r#"SELECT t::text AS line FROM "{table}" t ORDER BY 1"#);
    }
    let columns = strings(connection, &format!("SELECT name AS line FROM pragma_table_info('{table}')")).await;
    let columns: Vec<_> = columns.iter().map(|column| format!(r#"'{column}=' || quote("{column}")"#)).collect();
    format!(r#"SELECT {} AS line FROM "{table}" ORDER BY 1"#, columns.join(" || ' ' || "))
}

/// The column `line` of every row.
async fn strings(connection: &DatabaseConnection, sql: &str) -> Vec<String> {
    let rows = query(connection, sql).await;
    let lines: Result<_, DbErr> = rows.iter().map(|row| row.try_get("", "line")).collect();
    lines.unwrap_or_else(|error| panic!("{sql}: {error}"))
}

async fn query(connection: &DatabaseConnection, sql: &str) -> Vec<QueryResult> {
    let statement = Statement::from_string(connection.get_database_backend(), sql);
    connection.query_all_raw(statement).await.unwrap_or_else(|error| panic!("{sql}: {error}"))
}

/// Forgets which statements this database has seen.
pub(crate) async fn forget_statements(connection: &DatabaseConnection) {
    assert_eq!(connection.get_database_backend(), DbBackend::Postgres, "statements are counted on PostgreSQL only");
    run(connection, "CREATE EXTENSION IF NOT EXISTS pg_stat_statements").await;
    let forget = "SELECT pg_stat_statements_reset(0, oid, 0) FROM pg_database WHERE datname = current_database()";
    query(connection, forget).await;
}

/// The statements this database has seen since, one entry a call, without BEGIN, COMMIT and our own.
pub(crate) async fn seen_statements(connection: &DatabaseConnection) -> Vec<String> {
    let seen = r"SELECT query AS line FROM pg_stat_statements
        JOIN pg_database ON pg_database.oid = dbid, generate_series(1, calls)
        WHERE datname = current_database() AND query NOT LIKE '%pg_stat_statements%'
        AND query !~* '^\s*(BEGIN|START|COMMIT|ROLLBACK)' ORDER BY 1";
    strings(connection, seen).await
}

/// Whether a server asks this without a request: what has changed, what waits, what it had to note, what is over.
pub(crate) fn is_by_itself(sql: &str) -> bool {
    const STARTS: [&str; 8] = [
        "SELECT value FROM epochs",
        "SELECT DISTINCT recipient FROM outbox",
        "SELECT id FROM exports WHERE ready_at IS NULL",
        "SELECT kind, count(*)",
        "INSERT INTO \"traces\"",
        "INSERT INTO \"decisions\"",
        "LISTEN",
        "UNLISTEN",
    ];
    STARTS.iter().any(|start| sql.starts_with(start))
}
