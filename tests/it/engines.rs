//! Makes the two tests, SQLite and PostgreSQL, of a body that starts its own programs; and what such bodies share.

use std::{
    collections::BTreeSet,
    process::{Child, Command, Stdio},
    time::{Duration, Instant},
};

use bonafide::clients::Draft;
use sea_orm::{ConnectionTrait as _, Statement};
use serde_json::Value;

use crate::support::{Answer, Application, Binary, Browser, Person, Place, Wire};

/// Two tests of one `async fn(Engine)` that stands below: `name::sqlite` and `name::postgres`.
macro_rules! each_engine {
    ($name:ident) => {
        mod $name {
            use $crate::support::{Engine, in_time};

            #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            async fn sqlite() {
                in_time(super::$name(Engine::Sqlite)).await;
            }

            #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            async fn postgres() {
                in_time(super::$name(Engine::Postgres)).await;
            }
        }
    };
}

/// The column `line` of every row that a statement gives.
pub(crate) async fn lines(place: &Place, sql: &str) -> Vec<String> {
    let connection = place.database().await;
    let statement = Statement::from_string(connection.get_database_backend(), sql);
    let rows = connection.query_all_raw(statement).await.unwrap_or_else(|error| panic!("{sql}: {error}"));
    rows.iter().map(|row| row.try_get("", "line").expect("a column called line")).collect()
}

/// Runs a statement for its effect.
pub(crate) async fn run(place: &Place, sql: &str) {
    place.database().await.execute_unprepared(sql).await.unwrap_or_else(|error| panic!("{sql}: {error}"));
}

/// A service that gets tokens by its own credentials.
pub(crate) fn service() -> Draft {
    Draft {
        client_name: Some("Worker".to_owned()),
        grant_types: Some(vec!["client_credentials".to_owned()]),
        ..Draft::default()
    }
}

/// Asks for a token by the client's own credentials.
pub(crate) async fn client_credentials(wire: &Wire, client: &Application) -> Answer {
    client.post(wire.call(reqwest::Method::POST, "/token"), &[("grant_type", "client_credentials")]).await
}

/// Signs in on the sign-in page by itself, without an application.
pub(crate) async fn sign_in(browser: &mut Browser, username: &str, password: &str) -> Answer {
    let page = browser.get("/sign-in").await.expect_status(200);
    browser.submit(&page.form("/sign-in"), Some("sign-in"), &[("username", username), ("password", password)]).await
}

/// Signs a person in, as [`sign_in`], and says whether that went well.
pub(crate) async fn can_sign_in(wire: &Wire, person: &Person) -> bool {
    sign_in(&mut Browser::new(wire.clone()), &person.username, &person.password).await.status.as_u16() == 303
}

/// The ids of the published RS256 keys.
pub(crate) async fn published(wire: &Wire) -> BTreeSet<String> {
    published_for(wire, "RS256").await
}

/// The ids of the published keys of an algorithm.
pub(crate) async fn published_for(wire: &Wire, alg: &str) -> BTreeSet<String> {
    let keys: Value = wire.get("/jwks").await.expect_status(200).json();
    let ours = keys["keys"].as_array().expect("keys").iter().filter(|key| key["alg"] == alg);
    ours.map(|key| key["kid"].as_str().expect("a kid").to_owned()).collect()
}

/// What the command line changes is in force in running servers within one second.
pub(crate) async fn within_a_second<F: Future<Output = bool>>(what: &str, holds: impl Fn() -> F) {
    let began = Instant::now();
    while !holds().await {
        assert!(began.elapsed() < Duration::from_secs(1), "not in force after a second: {what}");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

/// A process that is ended when a test is done with it, however it is done.
pub(crate) struct Started(Child);

impl Drop for Started {
    fn drop(&mut self) {
        // It may have ended by itself.
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// The program with its environment, started by another one: `started_by(&["nice"], …)`.
pub(crate) fn started_by(words: &[&str], command: &Command) -> Started {
    let mut other = Command::new(words[0]);
    other.args(&words[1..]).arg(command.get_program()).args(command.get_args()).env_clear();
    for (name, value) in command.get_envs() {
        if let Some(value) = value {
            other.env(name, value);
        }
    }
    if let Some(folder) = command.get_current_dir() {
        other.current_dir(folder);
    }
    let child = other.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null()).spawn().expect("a program");
    Started(child)
}

/// Waits until `/health/ready` at this address says 200, half a minute at most.
pub(crate) async fn until_ready(management: &str) {
    let wire = Wire::new(&format!("http://{management}"), management);
    let deadline = Instant::now() + Duration::from_secs(30);
    loop {
        let ready = wire.call(reqwest::Method::GET, "/health/ready").try_send().await;
        if ready.is_ok_and(|answer| answer.status.is_success()) {
            return;
        }
        assert!(Instant::now() < deadline, "not ready after half a minute");
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
}

/// A setting of a list that is to be another.
pub(crate) fn replace(settings: &mut Vec<(String, String)>, name: &str, value: &str) {
    settings.retain(|(key, _)| key != name);
    settings.push((name.to_owned(), value.to_owned()));
}

/// The provider's process and a service that has tokens of it.
pub(crate) async fn with_service(binary: &Binary) -> Application {
    let client = binary.application(&service()).await;
    client_credentials(&binary.wire(), &client).await.expect_status(200);
    client
}
