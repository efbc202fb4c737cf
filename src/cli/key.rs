//! `bonafide key`: signing keys.

use std::path::PathBuf;

use clap::Subcommand;
use serde_json::json;

use super::{Failure, open, output};
use crate::app::App;
use crate::keys::{self, Alg, NewKey};
use crate::platform::settings::Settings;

#[derive(Subcommand)]
#[command(after_help = "Examples:
  bonafide key rotate              the published next key signs from now on, and a new next is published
  bonafide key rotate --now        the same even if the next key was published a moment ago: when the current key has leaked
  bonafide key import FILE.pem     the key becomes the next one
  bonafide key retire KID          tokens that it signed stop verifying at once")]
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
    /// Publish a PEM key (PKCS#8 or PKCS#1) as the next one
    Import {
        /// The PEM file
        file: PathBuf,
        /// Print a JSON object
        #[arg(long)]
        json: bool,
    },
    /// Take a replaced key out of the published set
    Retire {
        /// As `key list` shows it
        #[arg(allow_hyphen_values = true)]
        kid: String,
        /// Print a JSON object
        #[arg(long)]
        json: bool,
    },
}

impl Key {
    pub(super) async fn run(self, settings: Settings) -> Result<(), Failure> {
        let app = open(settings).await?;
        let outcome = self.on(&app).await;
        app.database.close().await;
        outcome
    }

    async fn on(self, app: &App) -> Result<(), Failure> {
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
                let alg =
                    Alg::parse(&alg).ok_or_else(|| Failure::Usage(format!("--alg {alg}: only RS256 is there")))?;
                let kid = keys::rotate(&app.database, app.master.sealing(), &app.random, alg, at_once, now).await?;
                said(&kid, "signs from now on", "current", json)
            }
            Self::Import { file, json } => {
                let pem =
                    std::fs::read_to_string(&file).map_err(|error| Failure::File(file.display().to_string(), error))?;
                let kid = keys::import(&app.database, app.master.sealing(), &app.random, NewKey::from_pem(&pem)?, now)
                    .await?;
                said(&kid, "is published as the next key", "next", json)
            }
            Self::Retire { kid, json } => {
                keys::retire(&app.database, &app.random, kid.clone(), now).await?;
                said(&kid, "is retired", "retired", json)
            }
        }
    }
}

fn said(kid: &str, what: &str, state: &str, json: bool) -> Result<(), Failure> {
    if json { output::json(&json!({"kid": kid, "state": state})) } else { output::line(&format!("{kid} {what}")) }
}
