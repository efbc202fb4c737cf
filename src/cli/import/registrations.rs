//! The `[[api]]` and `[[client]]` tables of an import.

use std::collections::BTreeSet;

use serde_json::{Map, Value, json};

use super::super::registration::{changed, differing, members, outcome as line_of, typed};
use super::super::{Failure, change, provide_keys};
use super::{Entry, Report, Told, outcome};
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
#[derive(Default)]
pub(super) struct Plan {
    apis: Vec<Step<Api>>,
    clients: Vec<Step<Client>>,
}

impl Plan {
    pub(super) async fn write(self, app: &App, report: &mut Report) -> Result<(), Failure> {
        for step in self.apis {
            let line = step.line(&step.after.audience);
            let object = json!({"audience": step.after.audience, "outcome": step.outcome(), "changed": step.changed});
            write_api(app, step).await?;
            report.tell(Told { line, object, secret: None })?;
        }
        for mut step in self.clients {
            let secret = (!step.after.is_public() && step.after.secret_hash.is_none())
                .then(|| clients::new_secret(app.random.as_ref()));
            if let Some(secret) = &secret {
                step.after.secret_hash = Some(secrets::hash(secret));
            }
            let line = step.line(&step.after.id);
            let object = json!({"client_id": step.after.id, "outcome": step.outcome(), "changed": step.changed});
            write_client(app, step).await?;
            report.tell(Told { line, object, secret })?;
        }
        Ok(())
    }
}

impl<T> Step<T> {
    fn outcome(&self) -> &'static str {
        outcome(self.create, &self.changed)
    }

    fn line(&self, id: &str) -> String {
        if self.create { format!("created {id}") } else { line_of(id, &self.changed) }
    }
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

/// Reads the entries; what is wrong is named by entry and member.
fn read(tables: Vec<Entry>) -> Result<Entries, String> {
    let mut entries = Entries::default();
    let mut count = (0, 0);
    for Entry { table, members } in tables {
        let is_api = table == "api";
        let (key, position) = if is_api {
            count.0 += 1;
            ("audience", count.0)
        } else {
            count.1 += 1;
            ("client_id", count.1)
        };
        let Some(id) = members.get(key).and_then(Value::as_str).map(str::to_owned) else {
            return Err(format!("{table} number {position}: {key}: is missing, or no text"));
        };
        let least: Map<String, Value> = [(key.to_owned(), id.as_str().into())].into_iter().collect();
        let named = |why: String| format!("{table} {id}: {why}");
        if is_api {
            entries.apis.push(typed(&least, members).map_err(named)?);
        } else {
            let draft = typed(&least, members).map_err(named)?;
            entries.clients.push((id, draft));
        }
    }
    Ok(entries)
}

/// Checks every entry against what is registered and what the file itself brings.
pub(super) fn plan(registry: &Registry, tables: Vec<Entry>) -> Result<Plan, String> {
    let entries = read(tables)?;
    let mut apis = registry.all_apis();
    let mut plan = Plan::default();
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
        let after = draft.apply_with(id.clone(), before.as_deref(), &apis, registry.attributes());
        let mut after = after.map_err(|problem| named(&problem))?;
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
    use super::super::{Tables, parse};
    use super::*;

    const SHOP: &str = "[[client]]\nclient_id = 'shop'\nredirect_uris = ['https://shop.example/cb']\n";

    fn planned(text: &str) -> Result<Plan, String> {
        plan(&Registry::default(), parse(text, Tables::Registrations)?)
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
        assert_eq!(said("[[client]]\nclient_name = 'x'"), "client number 1: client_id: is missing, or no text");
        assert_eq!(said(&format!("{SHOP}nope = 1")), "client shop: nope: there is no such member");
        assert!(said(&format!("{SHOP}client_name = 1")).starts_with("client shop: client_name: invalid type"));
        assert!(said(&format!("{SHOP}scope = 'nope'")).starts_with("client shop: scope: "));
        assert!(said(&format!("{SHOP}client_secret = 'short'")).starts_with("client shop: client_secret: has 32"));
        assert_eq!(said(&format!("{SHOP}{SHOP}")), "client shop: is there twice");
        assert!(said("[[api]]\naudience = 'x'").starts_with("api x: audience: "));
    }
}
