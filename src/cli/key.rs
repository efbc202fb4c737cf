//! `bonafide key`: signing keys.

use std::path::PathBuf;

use clap::Subcommand;
use serde_json::json;
use zeroize::Zeroizing;

use super::{Failure, output, provide_keys};
use crate::app::App;
use crate::keys::{self, Alg, NewKey};

#[derive(Subcommand)]
#[command(after_help = "Examples:
  bonafide key rotate              the published next key signs from now on, and a new next is published
  bonafide key rotate --now        the same even if the next key was published a moment ago: when the current key has leaked
  bonafide key rotate --alg ES256  the same for another algorithm
  bonafide key import FILE.pem     the key becomes the next one of the algorithm that it is for
  bonafide key retire KID          tokens that it signed stop verifying at once
  bonafide key reseal              a new master key: when the old one has leaked, or been around for long")]
pub(super) enum Key {
    /// Every key and its state
    List {
        /// Print a JSON array
        #[arg(long)]
        json: bool,
    },
    /// Let the next key sign
    Rotate {
        /// Of which algorithm
        #[arg(long, default_value = Alg::Rs256.name(), value_parser = Alg::ALL.map(Alg::name))]
        alg: String,
        /// Do not wait until clients have seen the next key
        #[arg(long)]
        now: bool,
        /// Print a JSON object
        #[arg(long)]
        json: bool,
    },
    /// Publish a PEM key (RSA, P-256 or Ed25519; PKCS#8, PKCS#1 or SEC 1) as the next one
    Import {
        /// The PEM file, not encrypted
        file: PathBuf,
        /// What the key is for, where its kind leaves a choice: an RSA key is for RS256 unless PS256 is said
        #[arg(long, value_parser = Alg::ALL.map(Alg::name))]
        alg: Option<String>,
        /// Print a JSON object
        #[arg(long)]
        json: bool,
    },
    /// Take a replaced key out of the published set: nothing that it signed counts any more
    Retire {
        /// As `key list` shows it
        #[arg(allow_hyphen_values = true)]
        kid: String,
        /// Print a JSON object
        #[arg(long)]
        json: bool,
    },
    /// Make a new master key and seal everything under it that the old one sealed
    #[command(
        long_about = "Makes a new master key and seals everything under it that the database holds under the old one.

The database changes in one transaction and the file after it; should this break off between the two, the next start or the \
next run finishes it. Signing keys stay what they are: when they have leaked too, rotate and retire them as well.

Servers need not stop. Those that share this keys.dir read the new key within a second; to every other node copy master.key \
as soon as this is done: until then such a node serves on with what it has in memory, says so in its log, and would not \
start. Pages that people have open at that moment have to be loaded again. Old backups of the database still open with the \
old master key: keep it with them, or do away with both."
    )]
    Reseal {
        /// Print a JSON object
        #[arg(long)]
        json: bool,
    },
}

impl Key {
    pub(super) async fn run(self, app: &App) -> Result<(), Failure> {
        let now = app.clock.now();
        match self {
            Self::List { json } => {
                let all = keys::list(&app.database).await.map_err(keys::KeyError::from)?;
                if json {
                    return output::json(&all);
                }
                let rows: Vec<[String; 4]> =
                    all.into_iter().map(|key| [key.kid, key.alg, key.state, key.published_at.to_rfc3339()]).collect();
                output::table(["kid", "alg", "state", "published"], &rows)
            }
            Self::Rotate { alg, now: at_once, json } => {
                let alg = algorithm(&alg)?;
                provide_keys(app, alg).await?;
                let kid = keys::rotate(&app.database, app.master.sealing(), &app.random, alg, at_once, now).await?;
                said(&kid, "signs from now on", "current", json)
            }
            Self::Import { file, alg, json } => {
                let alg = alg.as_deref().map(algorithm).transpose()?;
                let pem = std::fs::read_to_string(&file)
                    .map(Zeroizing::new)
                    .map_err(|error| Failure::File(file.display().to_string(), error))?;
                let key = NewKey::from_pem(&pem, alg)?;
                let kid = keys::import(&app.database, app.master.sealing(), &app.random, key, now).await?;
                said(&kid, "is published as the next key", "next", json)
            }
            Self::Retire { kid, json } => {
                keys::retire(&app.database, &app.random, kid.clone(), now).await?;
                said(&kid, "is retired", "retired", json)
            }
            Self::Reseal { json } => {
                let (sealed, file) = (app.reseal().await?, app.master.path().display().to_string());
                if json {
                    return output::json(&json!({"sealed": sealed, "file": file}));
                }
                output::line(&format!(
                    "{sealed} secrets are sealed under a new master key: copy {file} to every other node"
                ))
            }
        }
    }
}

fn algorithm(name: &str) -> Result<Alg, Failure> {
    Alg::parse(name).ok_or_else(|| Failure::Usage(format!("--alg {name}: there is no such algorithm")))
}

fn said(kid: &str, what: &str, state: &str, json: bool) -> Result<(), Failure> {
    if json { output::json(&json!({"kid": kid, "state": state})) } else { output::line(&format!("{kid} {what}")) }
}
