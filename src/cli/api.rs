//! `bonafide api`: resource servers.

use clap::{Args, Subcommand};

use super::{Failure, change, open, output};
use crate::app::App;
use crate::clients::{self, Api, ApiDraft, ClientError};
use crate::platform::settings::{Millis, Settings};

#[derive(Subcommand)]
pub(super) enum ApiCommand {
    /// Register an API
    Create(Members),
    /// Every API
    List {
        #[arg(long)]
        json: bool,
    },
    /// One API
    Show(One),
    /// Change what is named and keep the rest
    Update(Members),
    /// Remove an API
    Delete(One),
}

#[derive(Args)]
pub(super) struct One {
    /// The audience
    #[arg(long, value_name = "URI")]
    audience: String,
    #[arg(long)]
    json: bool,
}

#[derive(Args)]
#[command(after_help = "Example:
  bonafide api create --audience https://api.example.com --scope orders:read --scope orders:write")]
pub(super) struct Members {
    /// What access tokens for it say in `aud`
    #[arg(long, value_name = "URI")]
    audience: String,
    #[arg(long)]
    name: Option<String>,
    /// May be repeated
    #[arg(long = "scope")]
    scopes: Vec<String>,
    /// at+jwt (RFC 9068) or jwt, for stacks that refuse the newer type
    #[arg(long, value_name = "FORMAT")]
    token_format: Option<String>,
    /// Of its access tokens, like 15m
    #[arg(long, value_name = "DURATION")]
    lifetime: Option<String>,
    #[arg(long)]
    json: bool,
}

impl ApiCommand {
    pub(super) async fn run(self, settings: Settings) -> Result<(), Failure> {
        let app = open(settings).await?;
        let outcome = self.on(&app).await;
        app.database.close().await;
        outcome
    }

    async fn on(self, app: &App) -> Result<(), Failure> {
        match self {
            Self::Create(members) => {
                let json = members.json;
                let api = members.draft().apply(None)?;
                clients::create_api(&app.database, api.clone(), change(app, "created")).await?;
                show(&api, json)
            }
            Self::Update(members) => {
                let json = members.json;
                let before = find(app, &members.audience)?;
                let api = members.draft().apply(Some(&before))?;
                clients::save_api(&app.database, api.clone(), change(app, "updated")).await?;
                show(&api, json)
            }
            Self::List { json } => {
                let all = app.clients.registry().all_apis();
                if json {
                    return output::json(&all);
                }
                let rows: Vec<[String; 4]> = all
                    .into_iter()
                    .map(|api| [api.audience, api.name, api.token_format.name().to_owned(), api.scopes.join(" ")])
                    .collect();
                output::table(["audience", "name", "format", "scopes"], &rows)
            }
            Self::Show(one) => show(&find(app, &one.audience)?, one.json),
            Self::Delete(one) => {
                let api = find(app, &one.audience)?;
                clients::delete_api(&app.database, one.audience, change(app, "deleted")).await?;
                show(&api, one.json)
            }
        }
    }
}

impl Members {
    fn draft(self) -> ApiDraft {
        ApiDraft {
            audience: self.audience,
            name: self.name,
            scopes: (!self.scopes.is_empty()).then_some(self.scopes),
            token_format: self.token_format,
            lifetime: self.lifetime,
        }
    }
}

fn find(app: &App, audience: &str) -> Result<Api, Failure> {
    let found = app.clients.registry().api(audience).ok_or_else(|| ClientError::UnknownApi(audience.to_owned()))?;
    Ok(found.as_ref().clone())
}

fn show(api: &Api, json: bool) -> Result<(), Failure> {
    if json {
        return output::json(api);
    }
    output::fields(&[
        ("audience", api.audience.clone()),
        ("name", api.name.clone()),
        ("token format", api.token_format.name().to_owned()),
        ("lifetime", api.access_token_lifetime.map(|millis| Millis::new(millis).to_string()).unwrap_or_default()),
        ("scopes", api.scopes.join(" ")),
    ])
}
