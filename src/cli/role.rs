//! `bonafide role`: declared sets of permissions, and who holds them.

use clap::{Args, Subcommand};

use super::{Failure, output};
use crate::access::roles::{By, Declared, NewRole, Role};
use crate::app::App;
use crate::audit::Source;

#[derive(Subcommand)]
pub(super) enum RoleCommand {
    /// Every role that is declared
    List {
        /// Print a JSON array
        #[arg(long)]
        json: bool,
    },
    /// One role
    Show(One),
    /// Declare a role
    Create(Members),
    /// Change what is named and keep the rest
    Update(Members),
    /// Remove a role, from whoever holds it too
    Delete(One),
    /// Give somebody a role
    Assign(Holder),
    /// Take a role from somebody
    Unassign(Holder),
}

#[derive(Args)]
pub(super) struct One {
    #[arg(value_name = "NAME")]
    name: String,
    /// Print a JSON object
    #[arg(long)]
    json: bool,
}

#[derive(Args)]
#[command(after_help = "Examples:
  bonafide role create editor --permission posts:write --permission posts:publish
  bonafide role update editor --permission posts:write       the list takes the place of the one before; '' empties it")]
pub(super) struct Members {
    /// Small letters, digits, - and _, a letter first
    #[arg(value_name = "NAME")]
    name: String,
    /// What it gives, RESOURCE:ACTION; may be repeated
    #[arg(long = "permission", value_name = "PERMISSION")]
    permissions: Vec<String>,
    /// For people who give it
    #[arg(long, value_name = "TEXT")]
    description: Option<String>,
    /// Print a JSON object
    #[arg(long)]
    json: bool,
}

#[derive(Args)]
pub(super) struct Holder {
    #[arg(value_name = "NAME")]
    name: String,
    /// A person by id, e-mail address or username; with --client a client by its id
    #[arg(value_name = "WHO")]
    who: String,
    /// WHO is a client that acts for itself
    #[arg(long)]
    client: bool,
    /// Print a JSON object
    #[arg(long)]
    json: bool,
}

impl RoleCommand {
    pub(super) async fn run(self, app: &App) -> Result<(), Failure> {
        let nobody = Source::default();
        match self {
            Self::List { json } => {
                let all = app.roles.all().await?;
                if json {
                    return output::json(&all);
                }
                let rows: Vec<[String; 3]> =
                    all.into_iter().map(|role| [role.name, role.permissions.join(" "), role.description]).collect();
                output::table(["role", "permissions", "description"], &rows)
            }
            Self::Show(one) => show(&app.roles.find(&one.name).await?, one.json),
            Self::Create(members) => {
                if app.roles.find(&members.name).await.is_ok() {
                    let there =
                        format!("there is a role {0} already: `bonafide role update {0}` changes it", members.name);
                    return Err(Failure::Other(there));
                }
                members.declare(app).await
            }
            Self::Update(members) => {
                app.roles.find(&members.name).await?;
                members.declare(app).await
            }
            Self::Delete(one) => {
                let role = app.roles.remove(&By::OPERATOR, &one.name, &nobody).await?;
                if one.json { show(&role, true) } else { output::line(&format!("deleted {}", role.name)) }
            }
            Self::Assign(holder) => holder.assign(app, true).await,
            Self::Unassign(holder) => holder.assign(app, false).await,
        }
    }
}

impl Members {
    async fn declare(self, app: &App) -> Result<(), Failure> {
        // `--permission ''` is a list with nothing in it; no --permission at all says nothing.
        let permissions = (!self.permissions.is_empty())
            .then(|| self.permissions.into_iter().filter(|permission| !permission.is_empty()).collect());
        let new = NewRole { description: self.description, permissions };
        let (role, declared) = app.roles.declare(&By::OPERATOR, &self.name, new, &Source::default()).await?;
        if self.json || declared == Declared::Created {
            return show(&role, self.json);
        }
        output::line(&format!("{} {}", if declared == Declared::Changed { "updated" } else { "unchanged" }, role.name))
    }
}

impl Holder {
    async fn assign(self, app: &App, give: bool) -> Result<(), Failure> {
        let nobody = Source::default();
        let held = if self.client {
            let accounts = &app.service_accounts;
            accounts.assign(&self.who, &self.name, give, None, &nobody).await?;
            accounts.find(&self.who).await?.map(|account| account.roles).unwrap_or_default()
        } else {
            let person = app.accounts.find(&self.who).await?;
            app.roles.assign(&By::OPERATOR, person.id, &self.name, give, &nobody).await?;
            app.accounts.find(&person.id.to_string()).await?.roles
        };
        if self.json {
            return output::json(&serde_json::json!({"who": self.who, "roles": held}));
        }
        output::fields(&[("who", self.who), ("roles", held.join(" "))])
    }
}

fn show(role: &Role, json: bool) -> Result<(), Failure> {
    if json {
        return output::json(role);
    }
    output::fields(&[
        ("role", role.name.clone()),
        ("permissions", role.permissions.join(" ")),
        ("description", role.description.clone()),
    ])
}
