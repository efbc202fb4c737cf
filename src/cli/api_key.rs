//! `bonafide api-key`: secrets of programs that act for a person or a service account.

use clap::{Args, Subcommand};
use serde_json::{Map, Value, json};
use uuid::Uuid;

use super::client::overlap;
use super::{Failure, note, output};
use crate::access::keys::{ApiKey, NewApiKey, Owner};
use crate::app::App;
use crate::audit::Source;
use crate::clients::Overlap;
use crate::platform::clock::from_millis;
use crate::platform::settings::Millis;

#[derive(Subcommand)]
pub(super) enum ApiKeyCommand {
    /// Make a key; prints it, once
    Create(Create),
    /// The keys that are not revoked
    List {
        #[command(flatten)]
        whose: MaybeWhose,
        /// Print a JSON array
        #[arg(long)]
        json: bool,
    },
    /// Give a key a new secret; the old one is dead at once, unless it may go on for a while
    #[command(after_help = "Examples:
  bonafide api-key rotate ID
  bonafide api-key rotate ID --overlap 1d     both are good until tomorrow, but no longer than the key")]
    Rotate {
        /// The key's id
        id: Uuid,
        /// How long the old one goes on, 30d at the most
        #[arg(long, value_name = "DURATION", value_parser = overlap)]
        overlap: Option<Overlap>,
        #[command(flatten)]
        print: Print,
    },
    /// End a key
    Revoke {
        /// The key's id
        id: Uuid,
        /// Print a JSON object
        #[arg(long)]
        json: bool,
    },
}

#[derive(Args)]
#[command(after_help = "Examples:
  bonafide api-key create --user ada@example.com --name laptop --scope account
  bonafide api-key create --service-account ID --name nightly --scope users:read --expires 30d --quiet > key.txt
  bonafide api-key create --service-account ID --name orders --audience https://api.example.com --scope orders:read")]
pub(super) struct Create {
    #[command(flatten)]
    whose: Whose,
    /// To tell it from others
    #[arg(long)]
    name: String,
    /// A permission that its owner holds, or `account` (a person's own account); with --audience a scope of that API; may be
    /// repeated
    #[arg(long = "scope", value_name = "SCOPE")]
    scopes: Vec<String>,
    /// The API that it is for, which asks for it by introspection [default: ourselves]
    #[arg(long, value_name = "URI")]
    audience: Option<String>,
    /// How long it lives, 366d at the most [default: 90d]
    #[arg(long, value_name = "DURATION", value_parser = Millis::parse)]
    expires: Option<Millis>,
    #[command(flatten)]
    print: Print,
}

#[derive(Args)]
pub(super) struct Print {
    /// Print a JSON object
    #[arg(long)]
    json: bool,
    /// Print the key alone
    #[arg(long, conflicts_with = "json")]
    quiet: bool,
}

#[derive(Args)]
#[group(required = true, multiple = false)]
struct Whose {
    /// Id, e-mail address or username
    #[arg(long, value_name = "WHO")]
    user: Option<String>,
    /// The id of a client with the grant `client_credentials`
    #[arg(long, value_name = "CLIENT")]
    service_account: Option<String>,
}

#[derive(Args)]
#[group(multiple = false)]
pub(super) struct MaybeWhose {
    /// Id, e-mail address or username
    #[arg(long, value_name = "WHO")]
    user: Option<String>,
    /// The id of a client with the grant `client_credentials`
    #[arg(long, value_name = "CLIENT")]
    service_account: Option<String>,
}

impl ApiKeyCommand {
    pub(super) async fn run(self, app: &App) -> Result<(), Failure> {
        let (keys, source) = (&app.api_keys, Source::default());
        match self {
            Self::Create(create) => {
                let Some(owner) = owner(app, create.whose.user, create.whose.service_account).await? else {
                    return Err(Failure::Usage("say whose: --user WHO or --service-account CLIENT".to_owned()));
                };
                let new = NewApiKey {
                    name: create.name,
                    scopes: create.scopes,
                    audience: create.audience,
                    lifetime: create.expires.map(|expires| chrono::Duration::milliseconds(expires.get())),
                };
                let given = keys.create(owner, new, None, &source).await?;
                show_secret(&given.key, &given.secret, &create.print)
            }
            Self::List { whose, json } => {
                let owner = owner(app, whose.user, whose.service_account).await?;
                list(app, &keys.list(owner.as_ref()).await?, json)
            }
            Self::Rotate { id, overlap, print } => {
                let given = keys.rotate(id, None, overlap.unwrap_or_default(), None, &source).await?;
                show_secret(&given.key, &given.secret, &print)
            }
            Self::Revoke { id, json } => {
                let key = keys.revoke(id, None, None, &source).await?;
                if json { output::json(&described(&key)) } else { output::line(&format!("revoked {id}")) }
            }
        }
    }
}

async fn owner(app: &App, user: Option<String>, service_account: Option<String>) -> Result<Option<Owner>, Failure> {
    Ok(match (user, service_account) {
        (Some(who), _) => Some(Owner::Person(app.accounts.find(&who).await?.id)),
        (None, Some(id)) => Some(Owner::ServiceAccount(id)),
        (None, None) => None,
    })
}

fn show_secret(key: &ApiKey, secret: &str, print: &Print) -> Result<(), Failure> {
    if print.quiet {
        return output::line(secret);
    }
    let mut members = described(key);
    members.insert("key".to_owned(), secret.into());
    if print.json {
        return output::json(&members);
    }
    let rows: Vec<(&str, String)> = members.iter().map(|(name, value)| (name.as_str(), text(value))).collect();
    output::fields(&rows)?;
    note("the key is shown this once");
    Ok(())
}

fn list(app: &App, keys: &[ApiKey], json: bool) -> Result<(), Failure> {
    if json {
        return output::json(&keys.iter().map(described).collect::<Vec<_>>());
    }
    let now = app.clock.now().timestamp_millis();
    let rows: Vec<[String; 8]> = keys
        .iter()
        .map(|key| {
            let state = if key.expires_at > now { "good" } else { "expired" };
            let used = key.last_used_at.map(|at| from_millis(at).to_rfc3339());
            [
                key.id.to_string(),
                key.name.clone(),
                key.shown(),
                key.user_id.map(|id| id.to_string()).or_else(|| key.client_id.clone()).unwrap_or_default(),
                key.scopes().collect::<Vec<_>>().join(" "),
                from_millis(key.expires_at).to_rfc3339(),
                used.unwrap_or_default(),
                state.to_owned(),
            ]
        })
        .collect();
    output::table(["id", "name", "key", "owner", "scopes", "expires", "last used", "state"], &rows)
}

/// A key without its secret.
fn described(key: &ApiKey) -> Map<String, Value> {
    let time = |at: Option<i64>| at.map(|at| from_millis(at).to_rfc3339());
    let members = json!({
        "id": key.id,
        "name": key.name,
        "hint": key.shown(),
        "user_id": key.user_id,
        "client_id": key.client_id,
        "scopes": key.scopes().collect::<Vec<_>>(),
        "audience": key.audience,
        "created_at": time(Some(key.created_at)),
        "expires_at": time(Some(key.expires_at)),
        "previous_expires_at": time(key.previous_expires_at),
        "last_used_at": time(key.last_used_at),
    });
    let Value::Object(mut members) = members else { return Map::new() };
    members.retain(|_, value| !value.is_null());
    members
}

fn text(value: &Value) -> String {
    match value {
        Value::String(text) => text.clone(),
        Value::Array(items) => items.iter().filter_map(Value::as_str).collect::<Vec<_>>().join(" "),
        other => other.to_string(),
    }
}
