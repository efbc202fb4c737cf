//! `bonafide migrate`.

use clap::Subcommand;
use serde_json::json;

use super::{Failure, output};
use crate::app::AppError;
use crate::platform::database::Database;
use crate::platform::settings::Settings;

#[derive(Subcommand)]
#[command(after_help = "Examples:
  bonafide migrate status
  bonafide migrate up
  bonafide migrate down -n 2")]
pub(super) enum Migrate {
    /// Run every migration that is missing
    Up,
    /// Take the last migrations back; what they held is lost
    Down {
        /// How many
        #[arg(short = 'n', default_value_t = 1)]
        steps: u32,
    },
    /// Which migrations have run
    #[command(visible_alias = "list")]
    Status {
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
            Self::Up => {
                let ran = database.migrate_up(&settings.database).await.map_err(AppError::from)?;
                output::line(&if ran == 0 { "nothing to do".to_owned() } else { format!("ran {ran} migrations") })
            }
            Self::Down { steps } => {
                database.migrate_down(&settings.database, steps).await.map_err(AppError::from)?;
                output::line(&format!("took {steps} back"))
            }
            Self::Status { json } => {
                let all = database.migrations().await.map_err(AppError::from)?;
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
