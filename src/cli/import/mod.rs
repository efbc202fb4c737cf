//! `bonafide import`, `client import` and `user import`: a TOML file of permissions, roles, applications, APIs and people, checked
//! whole before the first entry is written.

mod people;
mod registrations;
mod roles;

use std::path::Path;

use clap::Args;
use serde_json::{Map, Value};

use super::{Failure, output};
use crate::app::App;

/// Which tables a file may have.
#[derive(Clone, Copy)]
pub(super) enum Tables {
    Registrations,
    People,
    All,
}

impl Tables {
    const fn names(self) -> &'static [&'static str] {
        match self {
            Self::Registrations => &["api", "client"],
            Self::People => &["user"],
            Self::All => &["permissions", "roles", "api", "client", "user"],
        }
    }
}

#[derive(Args)]
#[command(after_help = "Example:
  bonafide import everything.toml        [[permissions]], [[roles]], [[api]], [[client]] and [[user]] tables; created or
                                         updated by name, audience, client_id and, of people, id, username or email")]
pub(super) struct Import {
    /// The TOML file
    file: std::path::PathBuf,
    /// Print a JSON array
    #[arg(long)]
    json: bool,
}

impl Import {
    pub(super) async fn run(self, app: &App) -> Result<(), Failure> {
        run(app, &self.file, Tables::All, self.json).await
    }
}

/// One table of a file.
struct Entry {
    table: String,
    members: Map<String, Value>,
}

/// What is said of an entry when it is done: a line for people, an object for programs.
struct Told {
    line: String,
    object: Value,
    secret: Option<String>,
}

pub(super) async fn run(app: &App, file: &Path, tables: Tables, json: bool) -> Result<(), Failure> {
    let name = file.display().to_string();
    let text = std::fs::read_to_string(file).map_err(|error| Failure::File(name.clone(), error))?;
    let refused = |why: String| Failure::Other(format!("{name}: {why}; nothing was imported"));
    let (people, rest): (Vec<Entry>, Vec<Entry>) =
        parse(&text, tables).map_err(refused)?.into_iter().partition(|entry| entry.table == "user");
    let (roles, registered): (Vec<Entry>, Vec<Entry>) =
        rest.into_iter().partition(|entry| ["permissions", "roles"].contains(&entry.table.as_str()));
    let roles = roles::plan(&app.roles, roles).await.map_err(refused)?;
    let registered = registrations::plan(&app.clients.registry(), registered).map_err(refused)?;
    let people = people::plan(&app.accounts, people).await.map_err(refused)?;
    let mut report = Report { json, objects: Vec::new() };
    roles.write(app, &mut report).await?;
    registered.write(app, &mut report).await?;
    people.write(app, &mut report).await?;
    report.end()
}

/// A line an entry, when it is done: should the database fail half way, one can see how far it came.
struct Report {
    json: bool,
    objects: Vec<Value>,
}

impl Report {
    fn tell(&mut self, mut told: Told) -> Result<(), Failure> {
        if self.json {
            if let (Some(secret), Value::Object(object)) = (&told.secret, &mut told.object) {
                object.insert("client_secret".to_owned(), secret.as_str().into());
            }
            self.objects.push(told.object);
            return Ok(());
        }
        output::line(&told.line)?;
        told.secret.map_or(Ok(()), |secret| output::line(&format!("  client_secret {secret} (shown this once)")))
    }

    fn end(self) -> Result<(), Failure> {
        if self.json { output::json(&self.objects) } else { Ok(()) }
    }
}

/// Reads the tables of a file, in its order.
fn parse(text: &str, tables: Tables) -> Result<Vec<Entry>, String> {
    let listed = |with: &str| tables.names().iter().map(|name| format!("[[{name}]]")).collect::<Vec<_>>().join(with);
    let file: toml::Table = text.parse().map_err(|error: toml::de::Error| {
        let before = error.span().and_then(|span| text.get(..span.start)).unwrap_or_default();
        format!("line {}: {}", before.matches('\n').count() + 1, error.message())
    })?;
    let mut entries = Vec::new();
    for (table, value) in file {
        if !tables.names().contains(&table.as_str()) {
            return Err(format!("{table}: a file has {} tables only", listed(" and ")));
        }
        let brackets = || format!("{table}: write [[{table}]], with two brackets");
        let Ok(Value::Array(values)) = serde_json::to_value(value) else { return Err(brackets()) };
        for value in values {
            let Value::Object(members) = value else { return Err(brackets()) };
            entries.push(Entry { table: table.clone(), members });
        }
    }
    if entries.is_empty() {
        return Err(format!("there is no {} in it", listed(" and no ")));
    }
    Ok(entries)
}

/// What became of an entry.
const fn outcome(create: bool, changed: &[String]) -> &'static str {
    match (create, changed.is_empty()) {
        (true, _) => "created",
        (false, true) => "unchanged",
        (false, false) => "updated",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_no_such_file_is_refused_by_place_and_name() {
        let said = |text: &str| parse(text, Tables::Registrations).err().unwrap();
        assert_eq!(said("x = 1"), "x: a file has [[api]] and [[client]] tables only");
        assert_eq!(said(""), "there is no [[api]] and no [[client]] in it");
        assert!(said("[client]\nclient_id = 'a'").contains("two brackets"));
        assert!(said("[[client]]\n\n\nx = ").starts_with("line 4: "), "{}", said("[[client]]\n\n\nx = "));
        assert!(said("[[user]]\nusername = 'ada'").starts_with("user: "));
        assert!(parse("[[user]]\nusername = 'ada'", Tables::All).is_ok());
    }
}
