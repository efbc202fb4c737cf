//! `bonafide client import`: a file of applications and APIs, checked whole before the first entry is written.

use std::collections::BTreeSet;
use std::path::Path;

use serde_json::{Map, Value, json};

use super::client::new_secret;
use super::registration::{changed, differing, members, outcome, typed};
use super::{Failure, change, output, provide_keys};
use crate::app::App;
use crate::clients::{self, Api, ApiDraft, Client, Draft, Registry};
use crate::platform::secrets;

/// Secrets of the operator's choice have at least so many characters; ours have 256 random bits.
const SHORTEST_SECRET: usize = 32;

/// The tables of a file, in its order.
#[derive(Debug, Default, PartialEq, Eq)]
struct Entries {
    apis: Vec<ApiDraft>,
    clients: Vec<(String, Draft)>,
}

/// What will become of an entry.
struct Step<T> {
    after: T,
    /// Whether it is new.
    create: bool,
    changed: Vec<String>,
}

/// What is to be done, all of it checked.
struct Plan {
    apis: Vec<Step<Api>>,
    clients: Vec<Step<Client>>,
}

pub(super) async fn run(app: &App, file: &Path, json: bool) -> Result<(), Failure> {
    let name = file.display().to_string();
    let text = std::fs::read_to_string(file).map_err(|error| Failure::File(name.clone(), error))?;
    let refused = |why: String| Failure::Other(format!("{name}: {why}; nothing was imported"));
    let plan = plan(&app.clients.registry(), parse(&text).map_err(refused)?).map_err(refused)?;
    let mut report = Vec::new();
    for step in plan.apis {
        let entry = json!({"audience": step.after.audience, "outcome": step.outcome(), "changed": step.changed});
        tell(json, &step.line(&step.after.audience), None)?;
        write_api(app, step).await?;
        report.push(entry);
    }
    for mut step in plan.clients {
        let secret = (!step.after.is_public() && step.after.secret_hash.is_none()).then(|| new_secret(app));
        if let Some(secret) = &secret {
            step.after.secret_hash = Some(secrets::hash(secret));
        }
        let mut entry = json!({"client_id": step.after.id, "outcome": step.outcome(), "changed": step.changed});
        let line = step.line(&step.after.id);
        write_client(app, step).await?;
        if let (Some(secret), Value::Object(entry)) = (&secret, &mut entry) {
            entry.insert("client_secret".to_owned(), secret.as_str().into());
        }
        tell(json, &line, secret.as_deref())?;
        report.push(entry);
    }
    if json { output::json(&report) } else { Ok(()) }
}

impl<T> Step<T> {
    fn outcome(&self) -> &'static str {
        match (self.create, self.changed.is_empty()) {
            (true, _) => "created",
            (false, true) => "unchanged",
            (false, false) => "updated",
        }
    }

    fn line(&self, id: &str) -> String {
        if self.create { format!("created {id}") } else { outcome(id, &self.changed) }
    }
}

/// A line an entry, when it is done: should the database fail half way, one can see how far it came.
fn tell(json: bool, line: &str, secret: Option<&str>) -> Result<(), Failure> {
    if json {
        return Ok(());
    }
    output::line(line)?;
    secret.map_or(Ok(()), |secret| output::line(&format!("  client_secret {secret} (shown this once)")))
}

async fn write_api(app: &App, step: Step<Api>) -> Result<(), Failure> {
    match step.outcome() {
        "created" => clients::create_api(&app.database, step.after, change(app, "imported")).await?,
        "updated" => clients::save_api(&app.database, step.after, change(app, "imported")).await?,
        _ => {}
    }
    Ok(())
}

async fn write_client(app: &App, step: Step<Client>) -> Result<(), Failure> {
    if step.create || !step.changed.is_empty() {
        provide_keys(app, step.after.id_token_alg).await?;
        clients::save(&app.database, step.after, step.create, change(app, "imported")).await?;
    }
    Ok(())
}

/// Reads a file; what is wrong is named by entry and member.
fn parse(text: &str) -> Result<Entries, String> {
    let file: toml::Table = text.parse().map_err(|error: toml::de::Error| {
        let before = error.span().and_then(|span| text.get(..span.start)).unwrap_or_default();
        format!("line {}: {}", before.matches('\n').count() + 1, error.message())
    })?;
    let mut entries = Entries::default();
    for (section, value) in file {
        if section != "client" && section != "api" {
            return Err(format!("{section}: a file has [[client]] and [[api]] tables only"));
        }
        let Ok(Value::Array(tables)) = serde_json::to_value(value) else {
            return Err(format!("{section}: write [[{section}]], with two brackets"));
        };
        for (position, table) in tables.into_iter().enumerate() {
            let Value::Object(table) = table else { return Err(format!("{section}: write [[{section}]]")) };
            let key = if section == "api" { "audience" } else { "client_id" };
            let Some(id) = table.get(key).and_then(Value::as_str).map(str::to_owned) else {
                return Err(format!("{section} number {}: {key}: is missing, or no text", position + 1));
            };
            let least: Map<String, Value> = [(key.to_owned(), id.as_str().into())].into_iter().collect();
            let named = |why: String| format!("{section} {id}: {why}");
            if section == "api" {
                entries.apis.push(typed(&least, table).map_err(named)?);
            } else {
                let draft = typed(&least, table).map_err(named)?;
                entries.clients.push((id, draft));
            }
        }
    }
    if entries == Entries::default() {
        return Err("there is no [[client]] and no [[api]] in it".to_owned());
    }
    Ok(entries)
}

/// Checks every entry against what is registered and what the file itself brings.
fn plan(registry: &Registry, entries: Entries) -> Result<Plan, String> {
    let mut apis = registry.all_apis();
    let mut plan = Plan { apis: Vec::new(), clients: Vec::new() };
    let mut seen = BTreeSet::new();
    for draft in entries.apis {
        if !seen.insert(draft.audience.clone()) {
            return Err(format!("api {}: is there twice", draft.audience));
        }
        let before = registry.api(&draft.audience);
        let after = draft.apply(before.as_deref()).map_err(|problem| format!("api {}: {problem}", draft.audience))?;
        let states = (before.as_deref().map(ApiDraft::of), ApiDraft::of(&after));
        apis.retain(|known| known.audience != after.audience);
        apis.push(after.clone());
        let changed = match &states {
            (Some(before), after) => differing(&map(before)?, &map(after)?),
            (None, _) => Vec::new(),
        };
        plan.apis.push(Step { after, create: before.is_none(), changed });
    }
    let mut seen = BTreeSet::new();
    for (id, draft) in entries.clients {
        let named = |problem: &dyn std::fmt::Display| format!("client {id}: {problem}");
        if !seen.insert(id.clone()) {
            return Err(named(&"is there twice"));
        }
        let before = registry.find_any(&id);
        let mut after = draft.apply(id.clone(), before.as_deref(), &apis).map_err(|problem| named(&problem))?;
        if let Some(secret) = &draft.client_secret {
            check_secret(secret, &after).map_err(|why| named(&format!("client_secret: {why}")))?;
            after.secret_hash = Some(secrets::hash(secret));
        }
        let mut changes = match &before {
            Some(before) => changed(before, &after).map_err(|failure| failure.to_string())?,
            None => Vec::new(),
        };
        // A public one that becomes confidential is given a secret when it is written.
        let gets_secret = !after.is_public() && after.secret_hash.is_none();
        if before.is_some() && gets_secret && !changes.iter().any(|name| name == "client_secret") {
            changes.push("client_secret".to_owned());
        }
        plan.clients.push(Step { after, create: before.is_none(), changed: changes });
    }
    Ok(plan)
}

fn map(api: &ApiDraft) -> Result<Map<String, Value>, String> {
    members(api).map_err(|failure| failure.to_string())
}

fn check_secret(secret: &str, client: &Client) -> Result<(), String> {
    if client.is_public() {
        return Err("a public client has none".to_owned());
    }
    if secret.len() < SHORTEST_SECRET || !secret.bytes().all(|byte| byte.is_ascii_graphic()) {
        return Err(format!("has {SHORTEST_SECRET} printable ASCII characters at least, and no spaces"));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    const SHOP: &str = "[[client]]\nclient_id = 'shop'\nredirect_uris = ['https://shop.example/cb']\n";

    fn planned(text: &str) -> Result<Plan, String> {
        plan(&Registry::default(), parse(text)?)
    }

    #[test]
    fn a_client_may_name_an_api_of_the_same_file() {
        let file = format!(
            "{SHOP}api = 'https://api.example'\nscope = 'openid read'\n\
             [[api]]\naudience = 'https://api.example'\nscopes = ['read']\n"
        );
        let plan = planned(&file).unwrap();
        assert_eq!((plan.apis.len(), plan.clients.len()), (1, 1));
        assert!(plan.clients.iter().all(|step| step.create && step.outcome() == "created"));
    }

    #[test]
    fn refusals_name_the_entry_and_the_member() {
        let said = |text: &str| planned(text).err().unwrap();
        assert_eq!(said("x = 1"), "x: a file has [[client]] and [[api]] tables only");
        assert_eq!(said(""), "there is no [[client]] and no [[api]] in it");
        assert!(said("[client]\nclient_id = 'a'").contains("two brackets"));
        assert!(said("[[client]]\n\n\nx = ").starts_with("line 4: "), "{}", said("[[client]]\n\n\nx = "));
        assert_eq!(said("[[client]]\nclient_name = 'x'"), "client number 1: client_id: is missing, or no text");
        assert_eq!(said(&format!("{SHOP}nope = 1")), "client shop: nope: there is no such member");
        assert!(said(&format!("{SHOP}client_name = 1")).starts_with("client shop: client_name: invalid type"));
        assert!(said(&format!("{SHOP}scope = 'nope'")).starts_with("client shop: scope: "));
        assert!(said(&format!("{SHOP}client_secret = 'short'")).starts_with("client shop: client_secret: has 32"));
        assert_eq!(said(&format!("{SHOP}{SHOP}")), "client shop: is there twice");
        assert!(said("[[api]]\naudience = 'x'").starts_with("api x: audience: "));
    }
}
