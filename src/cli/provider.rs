//! `bonafide provider`: other providers that people can sign in with, by the members of `[providers.NAME]` in the settings.

use std::io::Read as _;
use std::sync::Arc;

use clap::{Args, Subcommand};
use serde_json::{Map, Value};
use zeroize::Zeroizing;

use super::{Failure, output, registration};
use crate::app::App;
use crate::audit::Source;
use crate::federation::{Provider, ProviderFault};
use crate::platform::settings;

/// More than any declaration has.
const MOST_BYTES: u64 = 1 << 20;

#[derive(Subcommand)]
pub(super) enum ProviderCommand {
    /// Every provider, those of the settings too
    List {
        /// Print a JSON array
        #[arg(long)]
        json: bool,
    },
    /// One provider, with everything filled in; its secret is never shown
    Show(One),
    /// Declare a provider, or another in its place
    #[command(after_help = "Examples:
  bonafide provider set corp corp.toml
  bonafide provider set google - < google.toml

The file has the members of [providers.NAME] in the settings, without that heading:
  issuer = \"https://login.corp.example\"
  client_id = \"bonafide\"
  client_secret = \"what the provider has given; left out: what it was\"
  domains = [\"corp.example\"]")]
    Set {
        #[command(flatten)]
        one: One,
        /// TOML; - is standard input
        file: String,
    },
    /// Remove a provider; what is linked to people stays, and counts again if it comes back
    Delete(One),
}

#[derive(Args)]
pub(super) struct One {
    /// Small letters, digits and -
    name: String,
    /// Print a JSON object
    #[arg(long)]
    json: bool,
}

impl ProviderCommand {
    pub(super) async fn run(self, app: &App) -> Result<(), Failure> {
        match self {
            Self::List { json } => list(app, json),
            Self::Show(one) => {
                let provider = find(app, &one.name)?;
                show(app, &provider, one.json)
            }
            Self::Set { one, file } => {
                let declared = read(&file)?;
                let before = app.federation.providers.get(&one.name).map(|provider| members(app, &provider));
                let stored = app.federation.declare(&one.name, declared, &Source::default()).await?;
                if one.json {
                    return show(app, &stored.provider, true);
                }
                if stored.created {
                    output::line(&format!("created {}", one.name))?;
                    return show(app, &stored.provider, false);
                }
                // A secret that has changed is not among what differs.
                let changed =
                    registration::differing(&before.transpose()?.unwrap_or_default(), &members(app, &stored.provider)?);
                let what = if changed.is_empty() { "nothing that is shown".to_owned() } else { changed.join(", ") };
                output::line(&format!("updated {}: {what}", one.name))
            }
            Self::Delete(one) => {
                let provider = find(app, &one.name)?;
                app.federation.remove(&one.name, &Source::default()).await?;
                if one.json { show(app, &provider, true) } else { output::line(&format!("deleted {}", one.name)) }
            }
        }
    }
}

/// Reads a declaration.
fn read(file: &str) -> Result<settings::Provider, Failure> {
    let name = if file == "-" { "standard input" } else { file };
    let failed = |error| Failure::File(name.to_owned(), error);
    let mut text = Zeroizing::new(String::new());
    if file == "-" {
        std::io::stdin().take(MOST_BYTES).read_to_string(&mut text).map_err(failed)?;
    } else {
        std::fs::File::open(file).map_err(failed)?.take(MOST_BYTES).read_to_string(&mut text).map_err(failed)?;
    }
    parse(&text).map_err(|why| Failure::Other(format!("{name}: {why}")))
}

/// Says where something is wrong, and never what stands there: it may be the secret.
fn parse(text: &str) -> Result<settings::Provider, String> {
    let line = |span: Option<std::ops::Range<usize>>| {
        let before = span.and_then(|span| text.get(..span.start)).unwrap_or_default();
        before.matches('\n').count() + 1
    };
    let table: toml::Table =
        text.parse().map_err(|error: toml::de::Error| format!("line {}: is no TOML", line(error.span())))?;
    if table.get("client_secret").is_some_and(|secret| !secret.is_str()) {
        return Err("client_secret: is no text".to_owned());
    }
    toml::from_str(text).map_err(|error| format!("line {}: {}", line(error.span()), error.message()))
}

fn find(app: &App, name: &str) -> Result<Arc<Provider>, Failure> {
    let found = app.federation.providers.get(name);
    found.ok_or_else(|| ProviderFault::Unknown.into())
}

fn list(app: &App, json: bool) -> Result<(), Failure> {
    let all = app.federation.providers.all();
    if json {
        return output::json(&all.iter().map(|provider| members(app, provider)).collect::<Result<Vec<_>, _>>()?);
    }
    let rows: Vec<[String; 5]> = all
        .iter()
        .map(|provider| {
            let state = if provider.declared.enabled { "enabled" } else { "disabled" };
            [
                provider.name.clone(),
                provider.label.clone(),
                provider.identity.clone(),
                provider.origin.name().to_owned(),
                state.to_owned(),
            ]
        })
        .collect();
    output::table(["name", "label", "identity", "origin", "state"], &rows)
}

fn show(app: &App, provider: &Provider, json: bool) -> Result<(), Failure> {
    let members = members(app, provider)?;
    if json {
        return output::json(&members);
    }
    let rows: Vec<(&str, String)> = members.iter().map(|(name, value)| (name.as_str(), told(value))).collect();
    output::fields(&rows)
}

fn told(value: &Value) -> String {
    match value {
        Value::String(text) => text.clone(),
        Value::Array(items) => items.iter().filter_map(Value::as_str).collect::<Vec<_>>().join(" "),
        Value::Null => String::new(),
        other => other.to_string(),
    }
}

/// A provider by the names of the settings, without its secret, and with what is to be registered there.
fn members(app: &App, provider: &Provider) -> Result<Map<String, Value>, Failure> {
    let federation = &app.federation;
    let mut members = Map::new();
    members.insert("name".to_owned(), provider.name.as_str().into());
    members.insert("origin".to_owned(), provider.origin.name().into());
    members.insert("identity".to_owned(), provider.identity.as_str().into());
    members.insert("callback_url".to_owned(), federation.redirect_uri(&provider.name).into());
    members.insert("backchannel_logout_url".to_owned(), federation.backchannel_logout_uri(provider).into());
    members.insert("has_secret".to_owned(), (!provider.declared.client_secret.expose().is_empty()).into());
    members.extend(registration::members(&provider.declared)?);
    members.insert("label".to_owned(), provider.label.as_str().into());
    Ok(members)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_wrong_is_said_without_what_stands_there() {
        let provider = parse("client_id = 'a'\nroles = ['staff=editor']\n").unwrap();
        assert_eq!((provider.client_id.as_str(), provider.roles.len()), ("a", 1));
        let said = |text: &str| parse(text).unwrap_err();
        assert_eq!(said("client_secret = 31337"), "client_secret: is no text");
        assert_eq!(said("\nclient_secret = hunter2"), "line 2: is no TOML");
        assert!(said("clientid = 'a'").starts_with("line 1: unknown field `clientid`"), "{}", said("clientid = 'a'"));
        assert!(said("a = 1\n[providers.corp]\nclient_id = 'a'").contains("unknown field"));
    }
}
