//! `bonafide api`: resource servers.

use clap::{Args, Subcommand};

use super::{Failure, change, output, registration};
use crate::app::App;
use crate::clients::{self, Api, ApiDraft, ClientError};

#[derive(Subcommand)]
pub(super) enum ApiCommand {
    /// Register an API
    Create(Members),
    /// Every API
    List {
        /// Print a JSON array
        #[arg(long)]
        json: bool,
    },
    /// One API
    Show(One),
    /// Change what is named and keep the rest; an empty value takes back
    Update(Members),
    /// Remove an API
    Delete(One),
}

#[derive(Args)]
pub(super) struct One {
    #[command(flatten)]
    named: Named,
    /// Print a JSON object
    #[arg(long)]
    json: bool,
}

/// An API is named by its audience, with or without the flag.
#[derive(Args)]
#[group(required = true, multiple = false)]
struct Named {
    /// What access tokens for it say in `aud`: an absolute URI
    #[arg(value_name = "URI")]
    positional: Option<String>,
    /// The same as a flag
    #[arg(long, value_name = "URI")]
    audience: Option<String>,
}

impl Named {
    fn audience(self) -> String {
        self.audience.or(self.positional).unwrap_or_default()
    }
}

#[derive(Args)]
#[command(after_help = "Examples:
  bonafide api create --audience https://api.example.com --scope orders:read --scope orders:write
  bonafide api update https://api.example.com --token-format jwt --lifetime 5m")]
pub(super) struct Members {
    #[command(flatten)]
    named: Named,
    /// Shown to people [default: the audience]
    #[arg(long)]
    name: Option<String>,
    /// What tokens for it may hold besides the OpenID scopes; may be repeated
    #[arg(long = "scope", value_name = "SCOPE")]
    scopes: Vec<String>,
    /// at+jwt (RFC 9068), jwt for stacks that refuse the newer type, opaque for introspection
    #[arg(long, value_name = "FORMAT")]
    token_format: Option<String>,
    /// Of its access tokens, like 15m [default: the setting `tokens.access_lifetime`]
    #[arg(long, value_name = "DURATION")]
    lifetime: Option<String>,
    /// Print a JSON object
    #[arg(long)]
    json: bool,
}

impl ApiCommand {
    pub(super) async fn run(self, app: &App) -> Result<(), Failure> {
        match self {
            Self::Create(members) => {
                let json = members.json;
                let api = members.draft().apply(None)?;
                clients::create_api(&app.database, api.clone(), change(app, "created")).await?;
                show(&api, json)
            }
            Self::Update(members) => {
                let json = members.json;
                let draft = members.draft();
                let before = find(app, &draft.audience)?;
                let api = draft.apply(Some(&before))?;
                let members = |api| registration::members(&ApiDraft::of(api));
                let changed = registration::differing(&members(&before)?, &members(&api)?);
                if !changed.is_empty() {
                    clients::save_api(&app.database, api.clone(), change(app, "updated")).await?;
                }
                if json { show(&api, true) } else { output::line(&registration::outcome(&api.audience, &changed)) }
            }
            Self::List { json } => {
                let all = app.clients.registry().all_apis();
                if json {
                    return output::json(&all.iter().map(ApiDraft::of).collect::<Vec<_>>());
                }
                let rows: Vec<[String; 4]> = all
                    .into_iter()
                    .map(|api| [api.audience, api.name, api.token_format.name().to_owned(), api.scopes.join(" ")])
                    .collect();
                output::table(["audience", "name", "format", "scopes"], &rows)
            }
            Self::Show(one) => show(&find(app, &one.named.audience())?, one.json),
            Self::Delete(one) => {
                let api = find(app, &one.named.audience())?;
                clients::delete_api(&app.database, api.audience.clone(), change(app, "deleted")).await?;
                if one.json { show(&api, true) } else { output::line(&format!("deleted {}", api.audience)) }
            }
        }
    }
}

impl Members {
    fn draft(self) -> ApiDraft {
        ApiDraft {
            audience: self.named.audience(),
            name: self.name,
            // `--scope ''` is a list with nothing in it; no --scope at all says nothing.
            scopes: (!self.scopes.is_empty())
                .then(|| self.scopes.into_iter().filter(|scope| !scope.is_empty()).collect()),
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
        return output::json(&ApiDraft::of(api));
    }
    output::fields(&[
        ("audience", api.audience.clone()),
        ("name", api.name.clone()),
        ("token format", api.token_format.name().to_owned()),
        ("lifetime", ApiDraft::of(api).lifetime.unwrap_or_default()),
        ("scopes", api.scopes.join(" ")),
    ])
}
