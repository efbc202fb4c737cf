//! The command line: one file a command, each calling the same rooms as the pages and the endpoints do.

mod api;
mod api_key;
mod audit;
mod client;
mod config;
mod doctor;
mod import;
mod key;
mod leaving;
mod links;
mod migrate;
mod output;
mod own;
mod permission;
mod policy;
mod provider;
mod registration;
mod role;
mod serve;
mod trace;
mod user;

use std::ffi::OsString;
use std::io::Write as _;
use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::Arc;

use clap::error::ErrorKind;
use clap::{Parser, Subcommand};

use crate::access::keys::ApiKeyError;
use crate::access::policies::PolicyFault;
use crate::access::roles::RoleFault;
use crate::access::service_accounts::ServiceAccountError;
use crate::app::{App, AppError, Schema};
use crate::clients::{Change, ClientError, Problem};
use crate::federation::ProviderFault;
use crate::identity::IdentityError;
use crate::keys::{self, Alg, KeyError};
use crate::platform::clock::SystemClock;
use crate::platform::database::DatabaseError;
use crate::platform::logs;
use crate::platform::random::SystemRandom;
use crate::platform::settings::{Layers, Origin, Settings, SettingsError, Sources};
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
    #[arg(long, global = true, value_name = "FILE", help_heading = "Settings")]
    config: Option<PathBuf>,
    /// A setting by its name in config/bonafide.toml, over file and environment; may be repeated
    #[arg(long = "set", global = true, value_name = "NAME=VALUE", help_heading = "Settings")]
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
    /// Sets of permissions, and who holds them
    #[command(subcommand)]
    Role(role::RoleCommand),
    /// What may be done, by name
    #[command(subcommand)]
    Permission(permission::PermissionCommand),
    /// Secrets of programs that act for a person or a service account
    #[command(subcommand)]
    ApiKey(api_key::ApiKeyCommand),
    /// Other providers that people can sign in with
    #[command(subcommand)]
    Provider(provider::ProviderCommand),
    /// Cedar policies: what is in force, publishing, dry runs
    #[command(subcommand)]
    Policy(policy::PolicyCommand),
    /// Create or change the permissions, roles, applications, APIs and people of a TOML file
    Import(import::Import),
    /// Signing keys
    #[command(subcommand)]
    Key(key::Key),
    /// What happened, and who did it
    #[command(subcommand)]
    Audit(audit::Audit),
    /// Why a request was refused, by its reference
    Trace(trace::Trace),
    /// Print the OpenAPI 3.1 document of the JSON API
    Openapi,
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
    ServiceAccount(#[from] ServiceAccountError),
    #[error("{0}")]
    ApiKey(#[from] ApiKeyError),
    #[error("{0}")]
    Identity(#[from] IdentityError),
    #[error("{0}")]
    Role(#[from] RoleFault),
    #[error("{0}")]
    Provider(#[from] ProviderFault),
    #[error("{0}")]
    Policy(#[from] PolicyFault),
    #[error("{0}")]
    Key(#[from] KeyError),
    #[error("{0}")]
    Database(#[from] DatabaseError),
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

impl Failure {
    fn code(&self) -> ExitCode {
        match self {
            Self::Settings(_)
            | Self::Usage(_)
            | Self::Start(
                StartError::Listen { .. }
                | StartError::Web(_)
                | StartError::Tls(_)
                | StartError::Outgoing(_)
                | StartError::Policies(PolicyFault::Files(_) | PolicyFault::Invalid(_))
                | StartError::Bootstrap(IdentityError::Refused(_)),
            ) => ExitCode::from(2),
            Self::App(error) | Self::Start(StartError::App(error)) if blames_settings(error) => ExitCode::from(2),
            _ => ExitCode::FAILURE,
        }
    }
}

/// Whether an operator has to change a setting or a key file before it can work.
fn blames_settings(error: &AppError) -> bool {
    matches!(
        error,
        AppError::Secrets(_) | AppError::Key(KeyError::Sealed(_)) | AppError::Database(DatabaseError::Settings(_))
    )
}

/// Runs the program with its arguments.
pub fn main() -> ExitCode {
    let arguments: Vec<OsString> = std::env::args_os().collect();
    let outcome = match Cli::try_parse_from(&arguments) {
        Ok(cli) => on_one_side(&cli, &arguments).and_then(|()| run(cli)),
        Err(error) if is_help(error.kind()) => {
            // Help that was asked for goes to stdout, help instead of a command to stderr.
            let _ = error.print();
            return if error.use_stderr() { ExitCode::from(2) } else { ExitCode::SUCCESS };
        }
        Err(error) => Err(Failure::Usage(usage(&error.to_string()))),
    };
    let Err(failure) = outcome else { return ExitCode::SUCCESS };
    let said = failure.to_string();
    if !said.is_empty() {
        note(&format!("bonafide: {}", said.split_whitespace().collect::<Vec<_>>().join(" ")));
    }
    failure.code()
}

/// Of a global flag before and after the command clap keeps one place only; a setting must not get lost unseen.
fn on_one_side(cli: &Cli, arguments: &[OsString]) -> Result<(), Failure> {
    for (flag, taken) in [("--set", cli.settings.len()), ("--config", usize::from(cli.config.is_some()))] {
        let is_it = |argument: &&OsString| {
            let rest = argument.to_str().and_then(|text| text.strip_prefix(flag));
            rest.is_some_and(|rest| rest.is_empty() || rest.starts_with('='))
        };
        if arguments.iter().filter(is_it).count() > taken {
            return Err(Failure::Usage(format!("{flag} is there before and after the command: keep to one side")));
        }
    }
    Ok(())
}

fn is_help(kind: ErrorKind) -> bool {
    matches!(
        kind,
        ErrorKind::DisplayHelp
            | ErrorKind::DisplayVersion
            | ErrorKind::DisplayHelpOnMissingArgumentOrSubcommand
            | ErrorKind::MissingSubcommand
    )
}

/// A line on stderr, for people; nobody has to be there to read it.
fn note(line: &str) {
    let _ = writeln!(std::io::stderr(), "{line}");
}

/// What clap says over many lines, as one: the fault, its tips, and whose help to read.
fn usage(text: &str) -> String {
    let (fault, rest) = text.split_once("\n\nUsage: ").unwrap_or((text, ""));
    let fault = fault.split("\n\nFor more information").next().unwrap_or(fault);
    let mut said = String::new();
    for line in fault.lines().map(str::trim).filter(|line| !line.is_empty()) {
        let line = line.strip_prefix("error: ").unwrap_or(line);
        if !said.is_empty() {
            said.push_str(if line.starts_with("tip: ") { "; " } else { " " });
        }
        said.push_str(line.strip_prefix("tip: ").unwrap_or(line));
    }
    let is_name = |word: &&str| word.starts_with(|first: char| first.is_ascii_lowercase());
    let command: Vec<&str> = rest.split_whitespace().take_while(is_name).collect();
    let command = if command.is_empty() { "bonafide".to_owned() } else { command.join(" ") };
    format!("{said} (see `{command} --help`)")
}

/// The environment; variables of others may hold any bytes, ours are text.
fn environment(all: impl Iterator<Item = (OsString, OsString)>) -> Result<Vec<(String, String)>, SettingsError> {
    all.filter_map(|(name, value)| Some((name.into_string().ok().filter(|name| name.starts_with("BONAFIDE_"))?, value)))
        .map(|(name, value)| match value.into_string() {
            Ok(value) => Ok((name, value)),
            Err(_) => Err(SettingsError {
                setting: name.clone(),
                origin: Origin::Environment(name),
                reason: "is not UTF-8".to_owned(),
            }),
        })
        .collect()
}

fn run(cli: Cli) -> Result<(), Failure> {
    let environment = environment(std::env::vars_os())?;
    let mut sources = Sources { file: cli.config, environment, flags: Vec::new() };
    for setting in &cli.settings {
        let (name, value) =
            setting.split_once('=').ok_or_else(|| Failure::Usage(format!("--set {setting}: write NAME=VALUE")))?;
        sources.flags.push((name.to_owned(), value.to_owned()));
    }
    let command = cli.command.unwrap_or_else(|| Command::Serve(serve::Serve::default()));
    if let Command::Serve(serve) = command {
        return serve.run(sources);
    }
    if let Command::Openapi = command {
        return output::line(crate::http::openapi_text().trim_end());
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
        logs::start(&log, None).map_err(Failure::Usage)?;
    }
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .map_err(|error| Failure::Other(error.to_string()))?;
    runtime.block_on(async {
        match command {
            Command::Doctor(doctor) => doctor.run(settings).await,
            Command::Migrate(migrate) => migrate.run(settings?).await,
            Command::Policy(policy) => policy.run(settings?).await,
            Command::User(user) => with_app(settings?, async |app| user.run(app).await).await,
            Command::Client(client) => with_app(settings?, async |app| client.run(app).await).await,
            Command::Api(api) => with_app(settings?, async |app| api.run(app).await).await,
            Command::Role(role) => with_app(settings?, async |app| role.run(app).await).await,
            Command::Permission(permission) => with_app(settings?, async |app| permission.run(app).await).await,
            Command::ApiKey(key) => with_app(settings?, async |app| key.run(app).await).await,
            Command::Provider(provider) => with_app(settings?, async |app| provider.run(app).await).await,
            Command::Audit(audit) => with_app(settings?, async |app| audit.run(app).await).await,
            Command::Trace(trace) => with_app(settings?, async |app| trace.run(app).await).await,
            Command::Import(import) => with_app(settings?, async |app| import.run(app).await).await,
            Command::Key(key) => with_app(settings?, async |app| key.run(app).await).await,
            Command::Serve(_) | Command::Config(_) | Command::Openapi => Ok(()),
        }
    })
}

/// Runs a command in the rooms. A new database gets its schema; an old one is left to `serve` and `migrate`.
async fn with_app(settings: Settings, command: impl AsyncFnOnce(&App) -> Result<(), Failure>) -> Result<(), Failure> {
    let app = App::open(settings, Arc::new(SystemClock), Arc::new(SystemRandom), Schema::CreateOnly).await?;
    // On the heap: commands are large futures, and one of them runs.
    let outcome = Box::pin(command(&app)).await;
    app.database.close().await;
    outcome
}

/// The keys that a client of this algorithm needs; a server makes them in the background, which may be yet to come.
async fn provide_keys(app: &App, alg: Alg) -> Result<(), KeyError> {
    keys::complete(&app.database, app.master.sealing(), &app.random, Some(alg), app.clock.now()).await
}

/// What a change of clients is recorded as.
fn change(app: &App, what: &'static str) -> Change {
    Change { what, now: app.clock.now(), random: app.random.clone() }
}

#[cfg(test)]
mod tests {
    use std::os::unix::ffi::OsStringExt as _;

    use clap::CommandFactory as _;

    use super::*;

    #[test]
    fn the_commands_fit_together() {
        Cli::command().debug_assert();
    }

    #[test]
    fn usage_errors_are_one_line_with_the_help_to_read() {
        let said = |arguments: &[&str]| usage(&Cli::try_parse_from(arguments).err().unwrap().to_string());
        assert_eq!(
            said(&["bonafide", "client", "create", "--nam", "x"]),
            "unexpected argument '--nam' found; a similar argument exists: '--name' (see `bonafide client create --help`)"
        );
        let missing = said(&["bonafide", "client", "show"]);
        assert!(missing.ends_with("not provided: <ID> (see `bonafide client show --help`)"), "{missing}");
    }

    #[test]
    fn no_setting_gets_lost_between_two_sides() {
        let accepted = |text: &str| {
            let arguments: Vec<OsString> = text.split(' ').map(OsString::from).collect();
            on_one_side(&Cli::try_parse_from(&arguments).unwrap(), &arguments).is_ok()
        };
        assert!(accepted("bonafide --set a=1 --set=b=2 --config f config"));
        assert!(accepted("bonafide config --set a=1 --set b=2"));
        assert!(!accepted("bonafide --set a=1 config --set b=2"));
        assert!(!accepted("bonafide --config f config --config g"));
    }

    #[test]
    fn the_environment_may_hold_any_bytes_but_in_our_variables() {
        let pair = |name: &str, value: &[u8]| (OsString::from(name), OsString::from_vec(value.to_vec()));
        assert_eq!(environment([pair("OTHER", b"\xff"), pair("BONAFIDE_X", b"1")].into_iter()).unwrap().len(), 1);
        assert!(environment([pair("BONAFIDE_X", b"\xff")].into_iter()).is_err());
    }
}
