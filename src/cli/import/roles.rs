//! The `[[permissions]]` and `[[roles]]` tables of an import.

use std::collections::BTreeSet;

use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::{Map, Value, json};

use super::super::Failure;
use super::super::registration::{outcome as line_of, typed};
use super::{Entry, Report, Told, outcome};
use crate::access::roles::{self, By, NewRole, Permission, Role, Roles};
use crate::app::App;
use crate::audit::Source;

/// What is not said stays.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct PermissionDraft {
    name: String,
    description: Option<String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RoleDraft {
    name: String,
    description: Option<String>,
    permissions: Option<Vec<String>>,
}

/// What will become of an entry.
struct Step<T> {
    draft: T,
    /// Whether it is new.
    create: bool,
    changed: Vec<String>,
}

/// What is to be done, all of it checked.
pub(super) struct Plan {
    permissions: Vec<Step<PermissionDraft>>,
    roles: Vec<Step<RoleDraft>>,
}

impl Plan {
    pub(super) async fn write(self, app: &App, report: &mut Report) -> Result<(), Failure> {
        let operator = Source::default();
        for Step { draft, create, changed } in self.permissions {
            let told = told("permission", &draft.name, create, &changed);
            if create || !changed.is_empty() {
                app.roles.declare_permission(&draft.name, draft.description, &operator).await?;
            }
            report.tell(told)?;
        }
        for Step { draft, create, changed } in self.roles {
            let told = told("role", &draft.name, create, &changed);
            if create || !changed.is_empty() {
                let new = NewRole { description: draft.description, permissions: draft.permissions };
                app.roles.declare(&By::OPERATOR, &draft.name, new, &operator).await?;
            }
            report.tell(told)?;
        }
        Ok(())
    }
}

fn told(kind: &str, name: &str, create: bool, changed: &[String]) -> Told {
    let line = if create { format!("created {name}") } else { line_of(name, changed) };
    Told { line, object: json!({kind: name, "outcome": outcome(create, changed), "changed": changed}), secret: None }
}

/// Checks every entry against what is declared and what the file itself brings.
pub(super) async fn plan(declared: &Roles, entries: Vec<Entry>) -> Result<Plan, String> {
    let known = declared.permissions().await.map_err(|error| error.to_string())?;
    let roles = declared.all().await.map_err(|error| error.to_string())?;
    plan_with(&known, &roles, entries)
}

fn plan_with(known: &[Permission], declared: &[Role], entries: Vec<Entry>) -> Result<Plan, String> {
    let (permissions, roles): (Vec<_>, Vec<_>) = entries.into_iter().partition(|entry| entry.table == "permissions");
    let mut names: BTreeSet<String> = known.iter().map(|permission| permission.name.clone()).collect();
    let mut plan = Plan { permissions: Vec::new(), roles: Vec::new() };
    for (name, draft) in read::<PermissionDraft>(permissions)? {
        roles::check_permission(&name, draft.description.as_deref())
            .map_err(|error| format!("permission {name}: {error}"))?;
        let before = known.iter().find(|permission| permission.name == name);
        let mut changed = Vec::new();
        if before.is_some_and(|before| draft.description.as_ref().is_some_and(|new| *new != before.description)) {
            changed.push("description".to_owned());
        }
        plan.permissions.push(Step { draft, create: before.is_none(), changed });
        names.insert(name);
    }
    for (name, draft) in read::<RoleDraft>(roles)? {
        let new = NewRole { description: draft.description.clone(), permissions: draft.permissions.clone() };
        new.check(&name).map_err(|error| format!("role {name}: {error}"))?;
        if let Some(unknown) = new.permissions.iter().flatten().find(|permission| !names.contains(*permission)) {
            return Err(format!("role {name}: there is no permission {unknown}"));
        }
        let before = declared.iter().find(|role| role.name == name);
        plan.roles.push(Step {
            changed: before.map(|before| new.changes(before)).unwrap_or_default(),
            draft,
            create: before.is_none(),
        });
    }
    Ok(plan)
}

/// Reads the entries of one kind; what is wrong is named by entry and member.
fn read<T: DeserializeOwned>(entries: Vec<Entry>) -> Result<Vec<(String, T)>, String> {
    let mut read: Vec<(String, T)> = Vec::new();
    for (position, Entry { table, members }) in entries.into_iter().enumerate() {
        let kind = table.trim_end_matches('s');
        let Some(name) = members.get("name").and_then(Value::as_str).map(str::to_owned) else {
            return Err(format!("{kind} number {}: name: is missing, or no text", position + 1));
        };
        if read.iter().any(|(earlier, _)| *earlier == name) {
            return Err(format!("{kind} {name}: is there twice"));
        }
        let least: Map<String, Value> = [("name".to_owned(), name.as_str().into())].into_iter().collect();
        let draft = typed(&least, members).map_err(|why| format!("{kind} {name}: {why}"))?;
        read.push((name, draft));
    }
    Ok(read)
}

#[cfg(test)]
mod tests {
    use super::super::{Tables, parse};
    use super::*;

    fn planned(text: &str) -> Result<Plan, String> {
        let known = [Permission { name: "users:read".to_owned(), description: String::new(), built_in: true }];
        plan_with(&known, &[], parse(text, Tables::All)?)
    }

    #[test]
    fn a_role_may_have_a_permission_of_the_same_file() {
        let file = "[[roles]]\nname = 'editor'\npermissions = ['posts:write', 'users:read']\n\
                    [[permissions]]\nname = 'posts:write'\n";
        let plan = planned(file).unwrap();
        assert!(plan.permissions.iter().all(|step| step.create) && plan.roles.iter().all(|step| step.create));
        assert_eq!((plan.permissions.len(), plan.roles.len()), (1, 1));
    }

    #[test]
    fn refusals_name_the_entry_and_the_member() {
        let said = |text: &str| planned(text).err().unwrap();
        assert_eq!(said("[[roles]]\ndescription = 'x'"), "role number 1: name: is missing, or no text");
        assert_eq!(said("[[roles]]\nname = 'a'\n[[roles]]\nname = 'a'"), "role a: is there twice");
        assert_eq!(
            said("[[permissions]]\nname = 'a:b'\npermissions = []"),
            "permission a:b: permissions: there is no such member"
        );
        assert!(said("[[roles]]\nname = 'a'\npermissions = 'b:c'").starts_with("role a: permissions: invalid type"));
        assert_eq!(said("[[roles]]\nname = 'a'\npermissions = ['b:c']"), "role a: there is no permission b:c");
        assert!(said("[[roles]]\nname = 'A'").starts_with("role A: "));
        assert!(said("[[roles]]\nname = 'admin'").starts_with("role admin: admin is built in"));
        assert!(
            said("[[permissions]]\nname = 'users:read'").starts_with("permission users:read: users:read is built in")
        );
        assert!(said("[[permissions]]\nname = 'x'").starts_with("permission x: "));
        let long = format!("[[permissions]]\nname = 'a:b'\ndescription = '{}'", "x".repeat(201));
        assert!(said(&long).starts_with("permission a:b: a description"));
    }
}
