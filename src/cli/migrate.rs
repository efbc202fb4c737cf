//! `bonafide migrate`.

use clap::Subcommand;
use serde_json::json;

use super::{Failure, output};
use crate::app::AppError;
use crate::platform::database::{Applied, Database};
use crate::platform::settings::Settings;

#[derive(Subcommand)]
#[command(after_help = "Examples:
  bonafide migrate status
  bonafide migrate up
  bonafide migrate down -n 2")]
pub(super) enum Migrate {
    /// Run every migration that is missing
    Up {
        /// Print a JSON object
        #[arg(long)]
        json: bool,
    },
    /// Take the last migrations back; what they held is lost
    Down {
        /// How many
        #[arg(short = 'n', value_name = "N", default_value_t = 1, value_parser = clap::value_parser!(u32).range(1..))]
        steps: u32,
        /// Print a JSON object
        #[arg(long)]
        json: bool,
    },
    /// Which migrations have run
    #[command(visible_alias = "list")]
    Status {
        /// Print a JSON array
        #[arg(long)]
        json: bool,
    },
}

impl Migrate {
    pub(super) async fn run(self, settings: Settings) -> Result<(), Failure> {
        let database = Database::connect(&settings.database).await.map_err(AppError::from)?;
        let outcome = self.on(&database, &settings).await;
        database.close().await;
        outcome
    }

    async fn on(self, database: &Database, settings: &Settings) -> Result<(), Failure> {
        match self {
            Self::Up { json } => {
                let before = migrations(database).await?;
                let ran = database.migrate_up(&settings.database).await.map_err(AppError::from)?;
                // What another program did meanwhile is not ours to report.
                let done = if ran == 0 { Vec::new() } else { moved(&before, &migrations(database).await?) };
                if json { output::json(&json!({"applied": done})) } else { tell("applied", &done) }
            }
            Self::Down { steps, json } => {
                let before = migrations(database).await?;
                database.migrate_down(&settings.database, steps).await.map_err(AppError::from)?;
                let mut done = moved(&before, &migrations(database).await?);
                done.reverse();
                if json { output::json(&json!({"taken_back": done})) } else { tell("took back", &done) }
            }
            Self::Status { json } => {
                let all = migrations(database).await?;
                if json {
                    return output::json(
                        &all.iter().map(|one| json!({"name": one.name, "applied": one.applied})).collect::<Vec<_>>(),
                    );
                }
                let rows: Vec<[String; 2]> = all
                    .into_iter()
                    .map(|one| [one.name, if one.applied { "applied" } else { "missing" }.to_owned()])
                    .collect();
                output::table(["migration", "state"], &rows)
            }
        }
    }
}

async fn migrations(database: &Database) -> Result<Vec<Applied>, Failure> {
    Ok(database.migrations().await.map_err(AppError::from)?)
}

/// The names of the migrations whose state has changed.
fn moved(before: &[Applied], after: &[Applied]) -> Vec<String> {
    before.iter().zip(after).filter(|(before, after)| before != after).map(|(_, after)| after.name.clone()).collect()
}

fn tell(what: &str, names: &[String]) -> Result<(), Failure> {
    if names.is_empty() {
        return output::line("nothing to do");
    }
    names.iter().try_for_each(|name| output::line(&format!("{what} {name}")))
}
