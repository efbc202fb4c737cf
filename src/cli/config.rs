//! `bonafide config`: the effective settings and where each came from.

use clap::Args;
use serde_json::json;

use super::{Failure, output};
use crate::platform::settings::Layers;

#[derive(Args)]
#[command(after_help = "Examples:
  bonafide config
  bonafide --config /etc/bonafide.toml --set limits.enabled=false config --json")]
pub(super) struct Config {
    /// Print a JSON array of name, value, origin
    #[arg(long)]
    json: bool,
}

impl Config {
    pub(super) fn run(&self, layers: &Layers) -> Result<(), Failure> {
        let settings = layers.list();
        if self.json {
            let all: Vec<_> = settings
                .iter()
                .map(|one| json!({"name": one.name, "value": one.value, "origin": one.origin.to_string()}))
                .collect();
            output::json(&all)?;
        } else {
            let rows: Vec<[String; 3]> =
                settings.into_iter().map(|one| [one.name, one.value.to_string(), one.origin.to_string()]).collect();
            output::table(["setting", "value", "from"], &rows)?;
        }
        // Printed all the same, so that what is wrong can be seen.
        layers.settings().map(|_| ()).map_err(Failure::from)
    }
}
