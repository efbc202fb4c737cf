//! `bonafide doctor`: is this installation in order?

use std::fmt::Write as _;
use std::os::unix::fs::PermissionsExt as _;

use chrono::Duration;
use clap::Args;
use futures_util::future::join_all;
use serde::Serialize;

use super::{Failure, output};
use crate::access::policies::{Engine, read_folder};
use crate::federation;
use crate::keys::{self, Alg, KeyRing, State};
use crate::platform::certificate::Certificate;
use crate::platform::clock::{Clock, SystemClock, from_millis};
use crate::platform::database::Database;
use crate::platform::outgoing::Outgoing;
use crate::platform::secrets::MasterKey;
use crate::platform::settings::{Millis, Provider, Settings, SettingsError};

/// Clocks of nodes may be apart by so much without harm.
const SKEW: Duration = Duration::seconds(5);

/// A certificate that ends so soon should have been renewed.
const RENEWAL: Duration = Duration::days(14);

#[derive(Args)]
#[command(after_help = "Examples:
  bonafide doctor
  bonafide --config /etc/bonafide.toml doctor --json")]
pub(super) struct Doctor {
    /// Print a JSON array of check, ok, message
    #[arg(long)]
    json: bool,
}

/// One thing that was looked at.
#[derive(Serialize)]
struct Finding {
    check: &'static str,
    ok: bool,
    message: String,
}

impl Finding {
    fn of<E: std::fmt::Display>(check: &'static str, outcome: Result<String, E>) -> Self {
        match outcome {
            Ok(message) => Self { check, ok: true, message },
            Err(error) => Self { check, ok: false, message: error.to_string() },
        }
    }
}

impl Doctor {
    pub(super) async fn run(self, settings: Result<Settings, SettingsError>) -> Result<(), Failure> {
        let checks = match settings {
            Ok(settings) => examine(&settings).await,
            Err(error) => vec![Finding::of("settings", Err(error))],
        };
        if self.json {
            output::json(&checks)?;
        } else {
            for check in &checks {
                output::line(&format!(
                    "{:5}  {:9}  {}",
                    if check.ok { "ok" } else { "FAULT" },
                    check.check,
                    check.message
                ))?;
            }
        }
        if checks.iter().all(|check| check.ok) { Ok(()) } else { Err(Failure::Faults) }
    }
}

async fn examine(settings: &Settings) -> Vec<Finding> {
    let mut checks = vec![
        Finding { check: "settings", ok: true, message: "every setting is known and has a value that does".to_owned() },
        Finding { check: "issuer", ok: true, message: issuer(settings) },
        Finding { check: "limits", ok: true, message: limits(settings) },
    ];
    if settings.tls.is_set() {
        checks.push(Finding::of("tls", certificate(settings)));
    }
    checks.extend(providers(settings).await);
    if let Some(folder) = settings.policies.folder() {
        checks.push(Finding::of("policies", policies(folder)));
    }
    let dir = settings.keys.dir.display();
    let master = MasterKey::load(&settings.keys.dir).map_err(|error| error.to_string()).and_then(|key| {
        key.ok_or_else(|| {
            format!(
                "keys.dir: no master.key in {dir}; a first start makes it, a database in use needs the old one back"
            )
        })
    });
    checks.push(Finding::of("master", master.as_ref().map(|_| "readable by its owner only".to_owned())));
    if let Some(file) = sqlite_file(settings) {
        // Connecting would make the file: that is not a doctor's work.
        if !std::path::Path::new(file).exists() {
            checks.push(Finding::of(
                "database",
                Err::<String, _>(format!("{file} is not there yet; the first start makes it")),
            ));
            return checks;
        }
        checks.push(Finding::of("file", private(file)));
    }
    let database = match Database::connect(&settings.database).await {
        Ok(database) => database,
        Err(error) => {
            checks.push(Finding::of("database", Err::<String, _>(format!("database.url: {error}"))));
            return checks;
        }
    };
    checks.push(Finding::of("database", durable(&database).await));
    let schema = database.require_current().await;
    let current = schema.is_ok();
    checks.push(Finding::of("schema", schema.map(|()| "up to date".to_owned())));
    if current {
        if let Ok(master) = &master {
            checks.push(Finding::of("keys", keys_open(&database, master).await));
        }
        checks.push(Finding::of("clock", clock(&database).await));
    }
    database.close().await;
    checks
}

/// What works, but hardly as it is meant.
fn issuer(settings: &Settings) -> String {
    let is_default = settings.issuer == "http://localhost:8080";
    if is_default && !settings.listen.is_loopback() {
        return "warning: issuer is the default but listen is not loopback: set issuer to the URL that people use"
            .to_owned();
    }
    if !settings.https() && settings.allow_insecure_issuer {
        return format!("warning: {} is plain http: passwords and tokens travel readable", settings.issuer);
    }
    settings.issuer.clone()
}

fn limits(settings: &Settings) -> String {
    if settings.limits.enabled {
        "passwords may be tried a bounded number of times".to_owned()
    } else {
        "warning: limits.enabled is false: passwords may be tried without end".to_owned()
    }
}

fn certificate(settings: &Settings) -> Result<String, String> {
    let pair = Certificate::read(&settings.tls).map_err(|error| error.to_string())?;
    pair.context().map_err(|error| error.to_string())?;
    let (file, now, end) = (&settings.tls.certificate, SystemClock.now(), pair.end());
    let host = settings.host();
    if !pair.covers(&host) {
        return Err(format!("setting tls.certificate: {file}: is not good for {host}, the issuer's host"));
    }
    if !pair.has_begun(now) {
        return Err(format!("setting tls.certificate: {file}: is not good yet"));
    }
    if pair.has_ended(now, Duration::zero()) {
        return Err(format!("setting tls.certificate: {file}: ended on {end}"));
    }
    let warning = if pair.has_ended(now, RENEWAL) { "warning: renew it: " } else { "" };
    Ok(format!("{warning}good for {host} until {end}"))
}

/// Other providers may be down for a while; that people cannot sign in with them is to be known all the same.
async fn providers(settings: &Settings) -> Vec<Finding> {
    let enabled: Vec<_> = settings.providers.iter().filter(|(_, provider)| provider.enabled).collect();
    if enabled.is_empty() {
        return Vec::new();
    }
    match Outgoing::new(&settings.outgoing, &[]) {
        Ok(outgoing) => {
            let looks = enabled.into_iter().map(|(name, declared)| provider(&outgoing, name, declared));
            join_all(looks).await.into_iter().map(|outcome| Finding::of("provider", outcome)).collect()
        }
        Err(error) => vec![Finding::of("provider", Err::<String, _>(error))],
    }
}

/// What the folder of policies holds.
fn policies(folder: &std::path::Path) -> Result<String, String> {
    let bundle = read_folder(folder).map_err(|fault| format!("policies.dir: {fault}"))?;
    let engine = Engine::compile(&bundle).map_err(|faults| {
        let faults: Vec<String> = faults.iter().map(ToString::to_string).collect();
        format!("policies.dir: {}: {}", folder.display(), faults.join("; "))
    })?;
    Ok(format!("{} policies in {}", engine.len(), folder.display()))
}

/// Whether it publishes what a sign-in needs: its metadata, which are its own (OpenID Connect Discovery 1.0 section 4), and keys.
async fn provider(outgoing: &Outgoing, name: &str, declared: &Provider) -> Result<String, String> {
    let issuer = declared.with_preset().issuer;
    if issuer.is_empty() {
        return Ok(format!("{name}: speaks OAuth 2 alone, which has nothing to look at"));
    }
    match federation::look(&issuer, outgoing, SystemClock.now()).await {
        Ok(()) => Ok(format!("{name}: {issuer} answers")),
        Err(error) => Err(format!("providers.{name}.issuer: {issuer}: {error}")),
    }
}

fn sqlite_file(settings: &Settings) -> Option<&str> {
    let path = settings.database.url.expose().strip_prefix("sqlite:")?.trim_start_matches("//");
    path.split('?').next()
}

fn private(file: &str) -> Result<String, String> {
    let mode = std::fs::metadata(file).map_err(|error| format!("{file}: {error}"))?.permissions().mode() & 0o777;
    if mode & 0o077 == 0 {
        Ok(format!("{file} has mode {mode:o}"))
    } else {
        Err(format!("{file} has mode {mode:o}: others can read it; run `chmod 600 {file}`"))
    }
}

async fn durable(database: &Database) -> Result<String, String> {
    let found = database.durability().await.map_err(|error| error.to_string())?;
    if found.durable {
        Ok(found.described)
    } else {
        Err(format!("{}: a power cut can lose what was acknowledged", found.described))
    }
}

async fn keys_open(database: &Database, master: &MasterKey) -> Result<String, String> {
    let ring = KeyRing::load(database, master.sealing().clone()).await.map_err(|error| error.to_string())?;
    let set = ring.set();
    let listed = keys::list(database).await.map_err(|error| error.to_string())?;
    let mut said = format!("{} open with the master key", set.len());
    for alg in Alg::ALL {
        if set.signing(alg).is_none() {
            if alg == Alg::Rs256 {
                return Err(format!("no {alg} key signs; the next start makes one"));
            }
            let _ = write!(said, "; warning: no {alg} key signs: a server makes it soon after its start");
            continue;
        }
        let Some(next) = listed.iter().find(|key| key.alg == alg.name() && key.state == State::Next.name()) else {
            let _ = write!(said, "; warning: no next {alg} key is published: a server makes it soon after its start");
            continue;
        };
        let age = Millis::new((SystemClock.now() - next.published_at).num_minutes().max(0) * 60_000);
        let _ = write!(said, "; next {alg} key {} published {age} ago", next.kid);
    }
    Ok(said)
}

async fn clock(database: &Database) -> Result<String, String> {
    let now = SystemClock.now();
    let newest = crate::audit::newest(database).await.map_err(|error| error.to_string())?;
    match newest.map(from_millis) {
        Some(newest) if newest > now + SKEW => Err(format!(
            "the newest record is from {newest}, which is yet to come: the clock was set back, or another node's runs ahead"
        )),
        _ => Ok(now.to_rfc3339()),
    }
}
