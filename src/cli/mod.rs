//! The command line: one file a command, each calling the same rooms as the pages and the endpoints do.

mod api;
mod client;
mod config;
mod doctor;
mod key;
mod migrate;
mod output;
mod serve;
mod user;

use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::Arc;

use clap::{Parser, Subcommand};

use crate::app::{App, AppError, Schema};
use crate::clients::{Change, ClientError, Problem};
use crate::identity::IdentityError;
use crate::keys::KeyError;
use crate::platform::clock::SystemClock;
use crate::platform::random::SystemRandom;
use crate::platform::settings::{Layers, Settings, SettingsError, Sources};
use crate::platform::telemetry;
use crate::server::StartError;

/// An OAuth 2.0 and OpenID Connect identity provider. Without a command it serves.
#[derive(Parser)]
#[command(
    name = "bonafide",
    version,
    after_help = "Examples:
  bonafide serve --dev
  bonafide client create --name Shop --redirect-uri https://shop.example/callback
  echo 'correct horse battery' | bonafide user create --email ada@example.com --password-stdin
  bonafide --config /etc/bonafide.toml doctor"
)]
struct Cli {
    /// A settings file over the defaults
    #[arg(long, global = true, value_name = "FILE")]
    config: Option<PathBuf>,
    /// A setting, over file and environment
    #[arg(long = "set", global = true, value_name = "NAME=VALUE")]
    settings: Vec<String>,
    #[command(subcommand)]
    command: Option<Command>,
}

#[derive(Subcommand)]
enum Command {
    /// Run the provider; migrates first
    Serve(serve::Serve),
    /// Bring the schema up or down
    #[command(subcommand)]
    Migrate(migrate::Migrate),
    /// People
    #[command(subcommand)]
    User(user::User),
    /// Registered applications
    #[command(subcommand)]
    Client(client::ClientCommand),
    /// Resource servers
    #[command(subcommand)]
    Api(api::ApiCommand),
    /// Signing keys
    #[command(subcommand)]
    Key(key::Key),
    /// Print the effective settings and where each came from
    Config(config::Config),
    /// Check settings, database, keys, clock and issuer; exit 1 on a fault
    Doctor(doctor::Doctor),
}

/// Why a command failed. Settings and usage end with exit code 2, the rest with 1.
#[derive(Debug, thiserror::Error)]
enum Failure {
    #[error("{0}")]
    Settings(#[from] SettingsError),
    #[error("{0}")]
    Usage(String),
    #[error("{0}")]
    App(#[from] AppError),
    #[error("{0}")]
    Start(#[from] StartError),
    #[error("{0}")]
    Client(#[from] ClientError),
    #[error("{0}")]
    Identity(#[from] IdentityError),
    #[error("{0}")]
    Key(#[from] KeyError),
    #[error("{0}: {1}")]
    File(String, std::io::Error),
    #[error("{0}")]
    Other(String),
    /// Everything has been said.
    #[error("")]
    Faults,
}

impl From<Problem> for Failure {
    fn from(problem: Problem) -> Self {
        Self::Client(problem.into())
    }
}

/// Runs the program with its arguments.
pub fn main() -> ExitCode {
    let cli = Cli::parse();
    match run(cli) {
        Ok(()) => ExitCode::SUCCESS,
        Err(Failure::Faults) => ExitCode::FAILURE,
        Err(failure) => {
            eprintln!("bonafide: {failure}");
            match failure {
                Failure::Settings(_)
                | Failure::Usage(_)
                | Failure::Start(StartError::Listen { .. } | StartError::Web(_)) => ExitCode::from(2),
                Failure::App(AppError::Secrets(_)) | Failure::Start(StartError::App(AppError::Secrets(_))) => {
                    ExitCode::from(2)
                }
                _ => ExitCode::FAILURE,
            }
        }
    }
}

fn run(cli: Cli) -> Result<(), Failure> {
    let mut sources = Sources { file: cli.config, environment: std::env::vars().collect(), flags: Vec::new() };
    for setting in &cli.settings {
        let (name, value) =
            setting.split_once('=').ok_or_else(|| Failure::Usage(format!("--set {setting}: write NAME=VALUE")))?;
        sources.flags.push((name.to_owned(), value.to_owned()));
    }
    let command = cli.command.unwrap_or_else(|| Command::Serve(serve::Serve::default()));
    if let Command::Serve(serve) = command {
        return serve.run(sources);
    }
    let layers = Layers::gather(&sources)?;
    if let Command::Config(config) = command {
        return config.run(&layers);
    }
    let settings = layers.settings();
    // A command speaks for itself; what the rooms log matters only when something is odd.
    if let Ok(settings) = &settings {
        let mut log = settings.log.clone();
        if layers.is_default("log.level") {
            "warn".clone_into(&mut log.level);
        }
        telemetry::start_logs(&log).map_err(Failure::Usage)?;
    }
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .map_err(|error| Failure::Other(error.to_string()))?;
    runtime.block_on(async {
        match command {
            Command::Doctor(doctor) => doctor.run(settings).await,
            Command::Migrate(migrate) => migrate.run(settings?).await,
            Command::User(user) => user.run(settings?).await,
            Command::Client(client) => client.run(settings?).await,
            Command::Api(api) => api.run(settings?).await,
            Command::Key(key) => key.run(settings?).await,
            Command::Serve(_) | Command::Config(_) => Ok(()),
        }
    })
}

/// The rooms, for a command. A new database gets its schema; an old one is left to `serve` and `migrate`.
async fn open(settings: Settings) -> Result<App, AppError> {
    App::open(settings, Arc::new(SystemClock), Arc::new(SystemRandom), Schema::CreateOnly).await
}

/// What a change of clients is recorded as.
fn change(app: &App, what: &'static str) -> Change {
    Change { what, now: app.clock.now(), random: app.random.clone() }
}
