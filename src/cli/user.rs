//! `bonafide user`.

use std::io::{IsTerminal as _, Read as _};
use std::path::PathBuf;

use clap::{Args, Subcommand};

use serde_json::Value;
use uuid::Uuid;

use super::import::{self, Tables};
use super::{Failure, leaving, links, note, output, own, registration};
use crate::access::roles;
use crate::app::App;
use crate::audit::Source;
use crate::identity::{self, ADMIN, AccountChange, AttributeValues, IdentityError, NewAccount, Profile, attributes};

/// Longer input is longer than any password that is taken, so that nothing is cut off unseen.
const MOST_BYTES: u64 = 4096;

#[derive(Subcommand)]
pub(super) enum User {
    /// Make an account
    Create(Create),
    /// Everybody
    List {
        /// Print a JSON array
        #[arg(long)]
        json: bool,
    },
    /// One person, by id, e-mail address or username
    Show(Who),
    /// Change names, address and profile
    Update(Update),
    /// Create or change the people of a TOML file
    #[command(after_help = "Example:\n  bonafide user import people.toml")]
    Import {
        /// [[user]] tables, found by their id, e-mail address or username
        file: PathBuf,
        /// Print a JSON array
        #[arg(long)]
        json: bool,
    },
    /// Let somebody in again
    Enable(Who),
    /// Keep somebody out; their sessions and grants end at once
    Disable(Who),
    /// Have somebody's account deleted with all that belongs to it, after a grace period
    #[command(after_help = "Examples:
  bonafide user delete ada@example.com
  bonafide user delete ada@example.com --now")]
    Delete {
        #[command(flatten)]
        who: Who,
        /// At once, with no way back
        #[arg(long)]
        now: bool,
    },
    /// Take an account back that is to be deleted
    Restore(Who),
    /// Print everything that is kept of somebody, as one JSON document
    #[command(after_help = "Example:\n  bonafide user export ada@example.com > ada.json")]
    Export {
        /// Id, e-mail address or username
        #[arg(value_name = "WHO")]
        who: String,
    },
    /// Give somebody a new password; their sessions and grants end
    #[command(after_help = "Example:
  bonafide user set-password ada@example.com --password-stdin < password.txt")]
    SetPassword {
        #[command(flatten)]
        who: Who,
        /// Read the password from standard input
        #[arg(long, required = true)]
        password_stdin: bool,
    },
    /// Give a role
    #[command(after_help = "Example:\n  bonafide user grant admin ada@example.com")]
    Grant {
        /// Small letters, digits, - and _
        role: String,
        #[command(flatten)]
        who: Who,
    },
    /// Take a role
    Revoke {
        /// Small letters, digits, - and _
        role: String,
        #[command(flatten)]
        who: Who,
    },
    /// The accounts at other providers that somebody signs in with
    Links {
        /// Id, e-mail address or username
        #[arg(value_name = "WHO")]
        who: String,
        /// Print a JSON array
        #[arg(long)]
        json: bool,
    },
    /// Where somebody is signed in
    Sessions {
        /// Id, e-mail address or username
        #[arg(value_name = "WHO")]
        who: String,
        /// Print a JSON array
        #[arg(long)]
        json: bool,
    },
    /// Sign somebody out everywhere, or of one session; what was granted to live on lives on
    #[command(after_help = "Examples:
  bonafide user end-sessions ada@example.com
  bonafide user end-sessions ada@example.com 019aa8a2-3c55-7d0c-bd7a-1f2e3d4c5b6a")]
    EndSessions {
        /// Id, e-mail address or username
        #[arg(value_name = "WHO")]
        who: String,
        /// As `bonafide user sessions` shows it; without it all are meant
        session: Option<Uuid>,
        /// Print a JSON object
        #[arg(long)]
        json: bool,
    },
    /// The applications that somebody has let in
    Apps {
        /// Id, e-mail address or username
        #[arg(value_name = "WHO")]
        who: String,
        /// Print a JSON array
        #[arg(long)]
        json: bool,
    },
    /// Take everything from an application that somebody has allowed it; its tokens end at once
    #[command(after_help = "Example:\n  bonafide user withdraw ada@example.com demo")]
    Withdraw {
        /// Id, e-mail address or username
        #[arg(value_name = "WHO")]
        who: String,
        /// The application's client id
        #[arg(allow_hyphen_values = true)]
        client: String,
        /// Print a JSON object
        #[arg(long)]
        json: bool,
    },
    /// Take an account at another provider from somebody, never the last way to sign in
    #[command(after_help = "Examples:
  bonafide user unlink ada@example.com google
  bonafide user unlink ada@example.com google 110169484474386276334")]
    Unlink {
        /// Id, e-mail address or username
        #[arg(value_name = "WHO")]
        who: String,
        /// The provider's name
        provider: String,
        /// What the account is called there; without it every account there is meant
        #[arg(allow_hyphen_values = true)]
        subject: Option<String>,
        /// Print a JSON array
        #[arg(long)]
        json: bool,
    },
}

#[derive(Args)]
pub(super) struct Who {
    /// Id, e-mail address or username
    #[arg(value_name = "WHO")]
    who: String,
    /// Print a JSON object
    #[arg(long)]
    json: bool,
}

#[derive(Args)]
#[command(after_help = "Examples:
  echo 'correct horse battery' | bonafide user create --email ada@example.com --name Ada --password-stdin
  bonafide user create --email root@example.com --role admin --verified --password-stdin < password.txt")]
pub(super) struct Create {
    /// To sign in with and to write to; may be left out where there is a username
    #[arg(long, required_unless_present = "username")]
    email: Option<String>,
    /// To sign in with
    #[arg(long)]
    username: Option<String>,
    /// Full name
    #[arg(long)]
    name: Option<String>,
    /// Read the password from standard input (one trailing line break is dropped)
    #[arg(long)]
    password_stdin: bool,
    /// May be repeated; admin may do everything
    #[arg(long = "role", value_name = "ROLE")]
    roles: Vec<String>,
    /// The e-mail address is known to be theirs
    #[arg(long)]
    verified: bool,
    /// A standard claim, like nickname=Ada or address.country=GB; may be repeated
    #[arg(long = "claim", value_name = "NAME=VALUE", value_parser = claim)]
    claims: Vec<(String, Value)>,
    /// An attribute that the settings declare, like companyName=Engines; may be repeated
    #[arg(long = "attribute", value_name = "NAME=VALUE", value_parser = pair)]
    attributes: Vec<(String, String)>,
    /// Print a JSON object
    #[arg(long)]
    json: bool,
}

#[derive(Args)]
#[command(after_help = "Examples:
  bonafide user update ada@example.com --name 'Ada Lovelace' --claim birthdate=1815-12-10 --claim address.country=GB
  bonafide user update ada@example.com --claim nickname=          takes the nickname away
  bonafide user update ada@example.com --attribute companyName='Analytical Engines'

Claims (OpenID Connect Core section 5.1): given_name family_name middle_name nickname profile picture website gender birthdate zoneinfo
locale phone_number phone_number_verified address.{formatted,street_address,locality,region,postal_code,country}")]
pub(super) struct Update {
    #[command(flatten)]
    who: Who,
    /// A new address; it counts as not verified, unless --verified
    #[arg(long)]
    email: Option<String>,
    /// The e-mail address is known to be theirs
    #[arg(long)]
    verified: bool,
    /// A new username
    #[arg(long)]
    username: Option<String>,
    /// Full name
    #[arg(long)]
    name: Option<String>,
    /// A standard claim, like nickname=Ada; an empty value takes it away; may be repeated
    #[arg(long = "claim", value_name = "NAME=VALUE", value_parser = claim)]
    claims: Vec<(String, Value)>,
    /// An attribute that the settings declare; an empty value takes it away, a list is written a,b; may be repeated
    #[arg(long = "attribute", value_name = "NAME=VALUE", value_parser = pair)]
    attributes: Vec<(String, String)>,
}

fn pair(text: &str) -> Result<(String, String), String> {
    let (name, value) = text.split_once('=').ok_or("write NAME=VALUE")?;
    Ok((name.to_owned(), value.to_owned()))
}

/// Attributes by the types that they are declared with.
fn typed(app: &App, given: Vec<(String, String)>) -> AttributeValues {
    let declared = &app.settings.attributes;
    given.into_iter().map(|(name, text)| (name.clone(), attributes::of_text(declared, &name, &text))).collect()
}

/// A claim as it is written on a command line: its one truth value is `true` or `false`, the rest is text.
fn claim(text: &str) -> Result<(String, Value), String> {
    let (name, value) = pair(text)?;
    let value = match (name.as_str(), value.as_str()) {
        ("phone_number_verified", "true") => true.into(),
        ("phone_number_verified", "false") => false.into(),
        _ => value.into(),
    };
    Ok((name, value))
}

impl User {
    pub(super) async fn run(self, app: &App) -> Result<(), Failure> {
        let accounts = &app.accounts;
        match self {
            Self::Create(create) => create.on(app).await,
            Self::List { json } => {
                let people = accounts.list().await?;
                if json {
                    return output::json(&people);
                }
                let rows: Vec<[String; 5]> = people
                    .into_iter()
                    .map(|person| {
                        let state = state(&person);
                        let text = |value: Option<String>| value.unwrap_or_default();
                        [
                            person.id.to_string(),
                            text(person.email),
                            text(person.username),
                            state.to_owned(),
                            person.roles.join(" "),
                        ]
                    })
                    .collect();
                output::table(["id", "email", "username", "state", "roles"], &rows)
            }
            Self::Update(update) => update.on(app).await,
            Self::Import { file, json } => import::run(app, &file, Tables::People, json).await,
            Self::Show(who) => show(&accounts.find(&who.who).await?, who.json),
            Self::Enable(who) => show(&accounts.set_disabled(&who.who, false).await?, who.json),
            Self::Disable(who) => {
                let person = accounts.set_disabled(&who.who, true).await?;
                warn_without_administrator(app, person.roles.iter().any(|role| role == ADMIN)).await?;
                show(&person, who.json)
            }
            Self::Delete { who, now } => {
                let (person, leaves_at) = leaving::delete(app, &who.who, now).await?;
                warn_without_administrator(app, person.roles.iter().any(|role| role == ADMIN)).await?;
                if who.json {
                    return show(&person, true);
                }
                output::line(&match leaves_at {
                    None => format!("deleted {} ({})", who.who, person.id),
                    Some(at) => {
                        format!(
                            "{} ({}) is deleted on {}: `bonafide user restore` takes it back until then",
                            who.who,
                            person.id,
                            at.to_rfc3339()
                        )
                    }
                })
            }
            Self::Restore(who) => {
                let id = accounts.find(&who.who).await?.id;
                show(&accounts.take_back(id, &Source::default()).await?, who.json)
            }
            Self::Export { who } => leaving::export(app, &who).await,
            Self::SetPassword { who, .. } => show(&accounts.set_password(&who.who, &password()?).await?, who.json),
            Self::Grant { role, who } => {
                let person = accounts.grant_role(&who.who, checked(&role)?).await?;
                if role != ADMIN && app.roles.find(&role).await.is_err() {
                    note(&format!(
                        "nobody has declared the role {role}: it gives no permission until `bonafide role create {role}` does"
                    ));
                }
                show(&person, who.json)
            }
            Self::Links { who, json } => links::list(app, &who, json).await,
            Self::Unlink { who, provider, subject, json } => {
                links::unlink(app, &who, &provider, subject.as_deref(), json).await
            }
            Self::Sessions { who, json } => own::sessions(app, &who, json).await,
            Self::EndSessions { who, session, json } => own::end_sessions(app, &who, session, json).await,
            Self::Apps { who, json } => own::apps(app, &who, json).await,
            Self::Withdraw { who, client, json } => own::withdraw(app, &who, &client, json).await,
            Self::Revoke { role, who } => {
                let person = accounts.revoke_role(&who.who, checked(&role)?).await?;
                warn_without_administrator(app, role == ADMIN).await?;
                show(&person, who.json)
            }
        }
    }
}

/// Operators may do what nobody may through the API, and are told what it leaves.
async fn warn_without_administrator(app: &App, one_went: bool) -> Result<(), Failure> {
    if one_went && !app.accounts.has_administrator().await? {
        note("nobody is an administrator any more: `bonafide user grant admin WHO` makes one");
    }
    Ok(())
}

impl Create {
    async fn on(self, app: &App) -> Result<(), Failure> {
        for role in &self.roles {
            checked(role)?;
        }
        let profile = Profile::default().with(self.claims.iter().map(|(name, value)| (name.as_str(), value.clone())));
        let account = NewAccount {
            attributes: typed(app, self.attributes),
            profile: profile.map_err(IdentityError::from)?,
            email: self.email,
            username: self.username,
            name: self.name,
            password: if self.password_stdin { Some(password()?) } else { None },
            email_verified: self.verified,
            roles: self.roles,
            ..NewAccount::default()
        };
        let person = app.accounts.create(account).await?;
        if !self.password_stdin {
            note(&format!(
                "no password: {0} cannot sign in with one until `bonafide user set-password {0} --password-stdin` gives it",
                person.id
            ));
        }
        show(&person, self.json)
    }
}

impl Update {
    async fn on(self, app: &App) -> Result<(), Failure> {
        let change = AccountChange {
            email: self.email,
            email_verified: self.verified.then_some(true),
            username: self.username,
            name: self.name,
            claims: self.claims,
            attributes: typed(app, self.attributes),
            roles: None,
        };
        let (person, changed) = app.accounts.update(&self.who.who, change).await?;
        if self.who.json {
            return show(&person, true);
        }
        output::line(&registration::outcome(&person.id.to_string(), &changed))
    }
}

fn state(person: &identity::User) -> &'static str {
    match (person.leaves_at, person.disabled) {
        (Some(_), _) => "leaving",
        (None, true) => "disabled",
        (None, false) => "enabled",
    }
}

fn show(person: &identity::User, json: bool) -> Result<(), Failure> {
    if json {
        return output::json(person);
    }
    let text = |value: &Option<String>| value.clone().unwrap_or_default();
    output::fields(&[
        ("id", person.id.to_string()),
        ("email", text(&person.email)),
        ("email verified", person.email_verified.to_string()),
        ("username", text(&person.username)),
        ("name", text(&person.name)),
        ("roles", person.roles.join(" ")),
        ("state", state(person).to_owned()),
        ("deleted", person.leaves_at.map(|at| at.to_rfc3339()).unwrap_or_default()),
        ("profile", serde_json::to_string(&person.profile).unwrap_or_default()),
        ("attributes", serde_json::to_string(&person.attributes).unwrap_or_default()),
        ("created", person.created_at.to_rfc3339()),
    ])
}

fn checked(role: &str) -> Result<&str, Failure> {
    if roles::is_name(role) {
        Ok(role)
    } else {
        Err(Failure::Usage(format!("{role:?} is not a role: small letters, digits, - and _, a letter first")))
    }
}

/// The password on standard input, without its one trailing line break.
fn password() -> Result<String, Failure> {
    if std::io::stdin().is_terminal() {
        note("type the password, a line break and Ctrl-D; it shows on the screen");
    }
    let mut text = String::new();
    std::io::stdin()
        .take(MOST_BYTES)
        .read_to_string(&mut text)
        .map_err(|error| Failure::File("standard input".to_owned(), error))?;
    let text = text.strip_suffix('\n').unwrap_or(&text);
    Ok(text.strip_suffix('\r').unwrap_or(text).to_owned())
}
