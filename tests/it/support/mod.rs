//! What the tests stand on.
//!
//! - [`TestServer`]: a provider in the test's own process, its clock moved by hand, any number of nodes on one database.
//! - [`Binary`]: the real program as a child process; [`Place::cli`] runs its commands.
//! - [`Browser`]: a browser without scripts; [`Chromium`]: the real one, through WebDriver, with axe-core.
//! - [`Flow`]: an application that signs a person in and exchanges the code.
//! - [`Mailbox`]: a mail relay that keeps what it is handed.
//! - [`NextApp`]: the example front end in its own process.
//! - [`Receiver`]: an application's address for back-channel logout.
//! - [`Upstream`]: another provider, not ours, in its own process; [`Stub`]: one that does what a test says.
//! - [`Gate`]: a way to PostgreSQL that can be cut; [`Place::statements_during`]: what a request asks of the database.
//! - [`both_engines!`]: makes the two tests, SQLite and PostgreSQL, of one body.
#![expect(dead_code, reason = "tools stand here before the tests that need them; the compiler says when none is idle")]

mod answer;
pub(crate) mod authority;
mod binary;
mod browser;
mod callback;
mod chromium;
mod cli;
mod database;
mod fixtures;
mod flow;
mod gate;
mod html;
pub(crate) mod made;
mod mailbox;
mod nextjs;
mod place;
mod prepared;
mod receiver;
mod server;
mod stub;
mod upstream;
mod wire;

use std::{sync::Arc, time::Duration};

use tokio::sync::Barrier;

#[expect(unused_imports, reason = "as above")]
pub(crate) use self::{
    answer::{Answer, unique_parameters},
    binary::Binary,
    browser::Browser,
    callback::{Callback, POSTED},
    chromium::{Chromium, Scheme},
    cli::CliOutput,
    database::{Dump, Engine},
    fixtures::{
        Application, ClientAuth, NewApplication, Person, REDIRECT_URI, application_by_cli, person_by_cli,
        public_application, web_application,
    },
    flow::{Flow, Reply, Tokens, random},
    gate::Gate,
    html::Form,
    mailbox::{Mailbox, Received as ReceivedMail, Speaks},
    nextjs::NextApp,
    place::{Listen, Place, free_port},
    receiver::{Received, Receiver, Say},
    server::{Node, TestServer},
    stub::{Fault, LogoutFault, Stub},
    upstream::{Seen, Upstream, Visitor},
    wire::{Call, Wire},
};

/// Makes two tests of one `async fn(TestServer)` that stands below: `name::sqlite` and `name::postgres`.
///
/// ```ignore
/// both_engines!(ac_01_code_replay);
/// async fn ac_01_code_replay(server: TestServer) { … }
///
/// both_engines!(rf_01_reuse with [("tokens.refresh_grace", "0s")]);
/// async fn rf_01_reuse(server: TestServer) { … }
/// ```
macro_rules! both_engines {
    ($name:ident) => {
        both_engines!($name with []);
    };
    ($name:ident with $settings:expr) => {
        mod $name {
            use $crate::support::{Engine, TestServer, in_time};

            #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            async fn sqlite() {
                in_time(async { super::$name(TestServer::with(Engine::Sqlite, &$settings).await).await }).await;
            }

            #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            async fn postgres() {
                in_time(async { super::$name(TestServer::with(Engine::Postgres, &$settings).await).await }).await;
            }
        }
    };
}

/// Runs `count` futures in tasks of their own, released at the same moment; their results, in order.
pub(crate) async fn at_once<F>(count: usize, make: impl Fn(usize) -> F) -> Vec<F::Output>
where
    F: Future<Output: Send> + Send + 'static,
{
    let start = Arc::new(Barrier::new(count));
    let tasks: Vec<_> = (0..count)
        .map(|n| {
            let (start, work) = (Arc::clone(&start), make(n));
            tokio::spawn(async move {
                start.wait().await;
                work.await
            })
        })
        .collect();
    let mut results = Vec::with_capacity(count);
    for task in tasks {
        results.push(task.await.expect("a parallel task panicked"));
    }
    results
}

/// Fails a test that hangs, instead of hanging with it.
pub(crate) async fn in_time<T>(work: impl Future<Output = T>) -> T {
    tokio::time::timeout(Duration::from_mins(3), work).await.expect("the test takes more than three minutes")
}

/// The variable that `./test` sets, or a stop that says what to do.
fn needed(variable: &str, what: &str) -> String {
    std::env::var(variable).unwrap_or_else(|_| {
        panic!("{variable} is not set. {what} Run ./test, which prepares it (`./test NAME` for a part), or set it.")
    })
}
