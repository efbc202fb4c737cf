//! The `[[user]]` tables of an import.

use serde_json::{Map, Value, json};

use super::super::registration;
use super::{Entry, Failure, Report, Told, outcome};
use crate::app::App;
use crate::identity::{AccountChange, Accounts, IdentityError, NewAccount, User};
use crate::platform::hashing;

/// What is to be done, all of it checked.
pub(super) struct Plan(Vec<Step>);

struct Step {
    /// By what the entry names its person.
    who: String,
    /// Who is there already.
    before: Option<User>,
    change: AccountChange,
    password: Option<String>,
    /// Of another program.
    password_hash: Option<String>,
}

/// Checks every entry against who is there.
pub(super) async fn plan(accounts: &Accounts, entries: Vec<Entry>) -> Result<Plan, String> {
    let mut steps: Vec<Step> = Vec::new();
    for (position, entry) in entries.into_iter().enumerate() {
        let mut step = read(entry.members).map_err(|why| format!("user number {}: {why}", position + 1))?;
        let named = |why: &dyn std::fmt::Display| format!("user {}: {why}", step.who);
        if steps.iter().any(|earlier| earlier.who.eq_ignore_ascii_case(&step.who)) {
            return Err(named(&"is there twice"));
        }
        let before = accounts.examine(&step.who, &step.change, step.password.as_deref()).await;
        let before = before.map_err(|error| named(&error))?;
        step.before = before;
        steps.push(step);
    }
    Ok(Plan(steps))
}

impl Plan {
    pub(super) async fn write(self, app: &App, report: &mut Report) -> Result<(), Failure> {
        for step in self.0 {
            let who = step.who.clone();
            let create = step.before.is_none();
            let (person, changed) = step.write(&app.accounts).await?;
            let line = if create { format!("created {who}") } else { registration::outcome(&who, &changed) };
            let object = json!({"id": person.id, "outcome": outcome(create, &changed), "changed": changed});
            report.tell(Told { line, object, secret: None })?;
        }
        Ok(())
    }
}

impl Step {
    async fn write(self, accounts: &Accounts) -> Result<(User, Vec<String>), IdentityError> {
        let Some(before) = self.before else {
            let AccountChange { email, email_verified, username, name, roles, .. } = self.change.clone();
            let account = NewAccount {
                email,
                username,
                name,
                profile: self.change.profile(None)?,
                attributes: self.change.attributes,
                password: self.password,
                password_hash: self.password_hash,
                email_verified: email_verified.unwrap_or_default(),
                nameless: false,
                roles: roles.unwrap_or_default(),
            };
            return Ok((accounts.create(account).await?, Vec::new()));
        };
        let id = before.id.to_string();
        let (mut person, mut changed) = accounts.update(&id, self.change).await?;
        if let Some(password) = self.password
            && !accounts.has_password(&person, &password).await?
        {
            person = accounts.set_password(&id, &password).await?;
            changed.push("password".to_owned());
        }
        if let Some(hash) = self.password_hash
            && accounts.adopt_password_hash(person.id, &hash).await?
        {
            changed.push("password_hash".to_owned());
        }
        Ok((person, changed))
    }
}

/// An entry's members: those of the account, and standard claims.
fn read(members: Map<String, Value>) -> Result<Step, String> {
    let change = AccountChange::default();
    let mut step = Step { who: String::new(), before: None, change, password: None, password_hash: None };
    let mut id = None;
    for (name, value) in members {
        let text = || value.as_str().map(str::to_owned).ok_or_else(|| format!("{name}: is no text"));
        match name.as_str() {
            "id" => id = Some(text()?),
            "email" => step.change.email = Some(text()?),
            "username" => step.change.username = Some(text()?),
            "name" => step.change.name = Some(text()?),
            "password" => step.password = Some(text()?),
            "password_hash" => {
                let hash = text()?;
                hashing::check(&hash).map_err(|why| format!("password_hash: {why}"))?;
                step.password_hash = Some(hash);
            }
            "attributes" => {
                let Value::Object(attributes) = value else { return Err("attributes: is no table".to_owned()) };
                step.change.attributes = attributes;
            }
            "email_verified" => {
                step.change.email_verified = Some(value.as_bool().ok_or("email_verified: is neither true nor false")?);
            }
            "roles" => {
                step.change.roles =
                    Some(serde_json::from_value(value).map_err(|_| "roles: is no list of texts".to_owned())?);
            }
            _ => step.change.claims.push((name, value)),
        }
    }
    if step.password.is_some() && step.password_hash.is_some() {
        return Err("has a password and a password_hash: one of them is enough".to_owned());
    }
    let who = id.or_else(|| step.change.username.clone()).or_else(|| step.change.email.clone());
    step.who = who.ok_or("has no id, no username and no email")?;
    Ok(step)
}
