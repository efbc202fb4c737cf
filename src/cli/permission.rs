//! `bonafide permission`: what may be done, by name.

use clap::{Args, Subcommand};

use super::{Failure, output};
use crate::access::roles::Declared;
use crate::app::App;
use crate::audit::Source;

#[derive(Subcommand)]
pub(super) enum PermissionCommand {
    /// Every permission, the built-in ones too
    List {
        /// Print a JSON array
        #[arg(long)]
        json: bool,
    },
    /// Declare a permission, or describe one anew
    Create(Create),
    /// Remove a permission that no role has
    Delete(One),
}

#[derive(Args)]
#[command(after_help = "Example:
  bonafide permission create posts:publish --description 'put posts before the public'")]
pub(super) struct Create {
    /// RESOURCE:ACTION, each of small letters, digits, - _ and ., a letter first
    #[arg(value_name = "NAME")]
    name: String,
    /// For people who put it into roles
    #[arg(long, value_name = "TEXT")]
    description: Option<String>,
    /// Print a JSON object
    #[arg(long)]
    json: bool,
}

#[derive(Args)]
pub(super) struct One {
    #[arg(value_name = "NAME")]
    name: String,
    /// Print a JSON object
    #[arg(long)]
    json: bool,
}

impl PermissionCommand {
    pub(super) async fn run(self, app: &App) -> Result<(), Failure> {
        let nobody = Source::default();
        match self {
            Self::List { json } => {
                let all = app.roles.permissions().await?;
                if json {
                    return output::json(&all);
                }
                let of = |built_in: bool| if built_in { "built in" } else { "declared" }.to_owned();
                let rows: Vec<[String; 3]> = all
                    .into_iter()
                    .map(|permission| [permission.name, of(permission.built_in), permission.description])
                    .collect();
                output::table(["permission", "origin", "description"], &rows)
            }
            Self::Create(create) => {
                let declared = app.roles.declare_permission(&create.name, create.description, &nobody).await?;
                let outcome = match declared {
                    Declared::Created => "created",
                    Declared::Changed => "updated",
                    Declared::Unchanged => "unchanged",
                };
                told(&create.name, outcome, create.json)
            }
            Self::Delete(one) => {
                app.roles.remove_permission(&one.name, &nobody).await?;
                told(&one.name, "deleted", one.json)
            }
        }
    }
}

fn told(name: &str, outcome: &str, json: bool) -> Result<(), Failure> {
    if json {
        return output::json(&serde_json::json!({"name": name, "outcome": outcome}));
    }
    output::line(&format!("{outcome} {name}"))
}
