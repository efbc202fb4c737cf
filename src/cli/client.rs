//! `bonafide client`: applications, by the names of RFC 7591.

use std::path::PathBuf;

use clap::{Args, Subcommand};
use serde_json::{Map, Value};

use super::import::{self, Tables};
use super::{Failure, change, note, output, provide_keys, registration};
use crate::access::roles::RoleFault;
use crate::app::App;
use crate::audit::Source;
use crate::clients::{self, AuthMethod, Client, ClientError, Draft, GrantType, Overlap, Problem};
use crate::identity::ADMIN;
use crate::keys::Alg;
use crate::platform::clock::from_millis;
use crate::platform::secrets;
use crate::platform::settings::Millis;

#[derive(Subcommand)]
pub(super) enum ClientCommand {
    /// Register an application; prints its secret, once
    Create(Box<Create>),
    /// Every application
    List {
        /// Print a JSON array
        #[arg(long)]
        json: bool,
    },
    /// One application
    Show(One),
    /// Change what is named and keep the rest; an empty value takes back
    Update(Box<Update>),
    /// A new secret; the old one is dead at once, unless it may go on for a while
    #[command(after_help = "Examples:
  bonafide client rotate-secret ID
  bonafide client rotate-secret ID --quiet > secret.txt
  bonafide client rotate-secret ID --overlap 1d     both are good until tomorrow")]
    RotateSecret {
        #[command(flatten)]
        one: One,
        /// How long the old one goes on, 30d at the most
        #[arg(long, value_name = "DURATION", value_parser = overlap)]
        overlap: Option<Overlap>,
        /// Print the secret alone
        #[arg(long, conflicts_with = "json")]
        quiet: bool,
    },
    /// Put back into service
    Enable(One),
    /// Take out of service: it gets no tokens until it is enabled
    Disable(One),
    /// Give a service account a role: a client with the grant `client_credentials`
    #[command(after_help = "Example:\n  bonafide client grant ID clerk")]
    Grant {
        #[command(flatten)]
        one: One,
        /// Small letters, digits, - and _
        role: String,
    },
    /// Take a role from a service account
    Revoke {
        #[command(flatten)]
        one: One,
        /// Small letters, digits, - and _
        role: String,
    },
    /// Remove an application with all that was granted to it
    Delete(One),
    /// Create or update the applications and APIs of a file; nothing is written unless every entry is right
    #[command(after_help = "Example of a file; members are those of RFC 7591 and of `client show`:
  [[api]]
  audience = \"https://api.example.com\"
  scopes = [\"orders:read\"]

  [[client]]
  client_id = \"shop\"
  client_name = \"Shop\"
  redirect_uris = [\"https://shop.example/callback\"]
  scope = \"openid profile orders:read\"
  api = \"https://api.example.com\"
  client_secret = \"32 characters at least; without it one is made and printed\"")]
    Import {
        /// TOML with `[[client]]` and `[[api]]` tables
        file: PathBuf,
        /// Print a JSON array: what became of each entry
        #[arg(long)]
        json: bool,
    },
}

#[derive(Args)]
pub(super) struct One {
    /// The client id
    id: String,
    /// Print a JSON object
    #[arg(long)]
    json: bool,
}

/// What `create` and `update` have in common. Lists replace what was there.
#[derive(Args)]
struct Members {
    /// Shown to people
    #[arg(long)]
    name: Option<String>,
    /// Where answers go; may be repeated, compared byte for byte. http only for localhost, 127.0.0.1 and `[::1]`
    #[arg(long = "redirect-uri", value_name = "URI")]
    redirect_uris: Vec<String>,
    /// A browser or native application: it has no secret
    #[arg(long)]
    public: bool,
    /// `client_secret_basic` and `client_secret_post` are taken interchangeably; none is --public
    #[arg(long, value_name = "METHOD", value_parser = AuthMethod::ALL.map(AuthMethod::name))]
    auth_method: Option<String>,
    /// May be repeated [default: `authorization_code` and `refresh_token`]
    #[arg(long = "grant", value_name = "GRANT", value_parser = GrantType::ALL.map(GrantType::name))]
    grants: Vec<String>,
    /// What it may ask for; may be repeated [default: openid, profile, email and `offline_access`]
    #[arg(long = "scope", value_name = "SCOPE")]
    scopes: Vec<String>,
    /// Where people go after signing out; may be repeated
    #[arg(long = "post-logout-redirect-uri", value_name = "URI")]
    post_logout_redirect_uris: Vec<String>,
    /// Told by us when a session ends (OpenID Connect Back-Channel Logout)
    #[arg(long, value_name = "URI")]
    backchannel_logout_uri: Option<String>,
    /// Opened in the browser when a session ends (OpenID Connect Front-Channel Logout)
    #[arg(long, value_name = "URI")]
    frontchannel_logout_uri: Option<String>,
    /// The API that access tokens are for when a request names none
    #[arg(long, value_name = "URI")]
    api: Option<String>,
    /// optional is for confidential clients only [default: required]
    #[arg(long, value_parser = ["required", "optional"])]
    pkce: Option<String>,
    /// Put profile claims into the ID token, for libraries that read nothing else
    #[arg(long, value_name = "BOOL", num_args = 0..=1, require_equals = true, default_missing_value = "true")]
    claims_in_id_token: Option<bool>,
    /// Of access tokens: at+jwt (RFC 9068), jwt or opaque [default: what the API says]
    #[arg(long, value_name = "FORMAT")]
    token_format: Option<String>,
    /// How long a used refresh token still gets its successor, like 10s
    #[arg(long, value_name = "DURATION")]
    refresh_grace: Option<String>,
    /// Like 15m
    #[arg(long, value_name = "DURATION")]
    access_token_lifetime: Option<String>,
    /// Like 30d
    #[arg(long, value_name = "DURATION")]
    refresh_token_lifetime: Option<String>,
    /// What ID tokens are signed with
    #[arg(long, value_name = "ALG", value_parser = Alg::ALL.map(Alg::name))]
    id_token_alg: Option<String>,
    /// An audience whose tokens it may introspect; may be repeated
    #[arg(long, value_name = "URI")]
    introspects: Vec<String>,
    /// One of ours: no consent page unless prompt=consent
    #[arg(long, value_name = "BOOL", num_args = 0..=1, require_equals = true, default_missing_value = "true")]
    first_party: Option<bool>,
    /// Registration as RFC 7591 JSON, flags go over it; - is standard input
    #[arg(long, value_name = "FILE")]
    from: Option<String>,
}

#[derive(Args)]
#[command(after_help = "Examples:
  bonafide client create --name Shop --redirect-uri https://shop.example/callback
  bonafide client create --name App --public --redirect-uri com.example.app:/callback
  bonafide client create --id shop --from registration.json --quiet > secret.txt
  bonafide client create --name Worker --grant client_credentials --api https://api.example.com --scope orders:read")]
pub(super) struct Create {
    #[command(flatten)]
    members: Members,
    /// The client id; made where none is given
    #[arg(long)]
    id: Option<String>,
    /// Print a JSON object
    #[arg(long)]
    json: bool,
    /// Print the secret alone
    #[arg(long, conflicts_with = "json")]
    quiet: bool,
}

#[derive(Args)]
#[command(after_help = "Examples:
  bonafide client update ID --redirect-uri https://shop.example/callback --redirect-uri https://shop.example/other
  bonafide client update ID --first-party=false --refresh-grace ''
  bonafide client update ID --auth-method client_secret_basic     a public one becomes confidential: prints its secret")]
pub(super) struct Update {
    /// The client id
    id: String,
    #[command(flatten)]
    members: Members,
    /// Print a JSON object
    #[arg(long)]
    json: bool,
}

impl ClientCommand {
    pub(super) async fn run(self, app: &App) -> Result<(), Failure> {
        match self {
            Self::Create(create) => create.on(app).await,
            Self::Update(update) => update.on(app).await,
            Self::List { json } => list(app, json),
            Self::Show(one) => show(app, &find(app, &one.id)?, None, one.json),
            Self::RotateSecret { one, overlap, quiet } => {
                let secret = clients::new_secret(app.random.as_ref());
                let (hash, overlap) = (secrets::hash(&secret), overlap.unwrap_or_default());
                clients::rotate_secret(&app.database, one.id.clone(), hash, overlap, change(app, "secret")).await?;
                if quiet {
                    return output::line(&secret);
                }
                app.clients.reload(&app.database).await?;
                show(app, &find(app, &one.id)?, Some(&secret), one.json)
            }
            Self::Grant { one, role } => {
                app.service_accounts.assign(&one.id, &role, true, None, &Source::default()).await?;
                if role != ADMIN && matches!(app.roles.find(&role).await, Err(RoleFault::Unknown(_))) {
                    note(&format!("bonafide: nobody has declared the role {role}: it gives no permission"));
                }
                show_again(app, one).await
            }
            Self::Revoke { one, role } => {
                app.service_accounts.assign(&one.id, &role, false, None, &Source::default()).await?;
                show_again(app, one).await
            }
            Self::Enable(one) => set_disabled(app, one, false).await,
            Self::Disable(one) => set_disabled(app, one, true).await,
            Self::Delete(one) => {
                let client = find(app, &one.id)?;
                clients::delete(&app.database, one.id, change(app, "deleted")).await?;
                if one.json { show(app, &client, None, true) } else { output::line(&format!("deleted {}", client.id)) }
            }
            Self::Import { file, json } => import::run(app, &file, Tables::Registrations, json).await,
        }
    }
}

impl Members {
    fn draft(self) -> Result<Draft, Failure> {
        let mut draft = match &self.from {
            None => Draft::default(),
            Some(file) => registration::read(file)?,
        };
        // `--scope ''` is a list with nothing in it; no --scope at all says nothing.
        let several = |given: Vec<String>| {
            (!given.is_empty()).then(|| given.into_iter().filter(|item| !item.is_empty()).collect::<Vec<_>>())
        };
        let or = |given: Option<String>, before: Option<String>| given.or(before);
        if self.public && self.auth_method.as_deref().is_some_and(|method| method != "none") {
            return Err(Failure::Usage("--public is --auth-method none: give one of them".to_owned()));
        }
        draft.client_name = or(self.name, draft.client_name);
        draft.redirect_uris = several(self.redirect_uris).or(draft.redirect_uris);
        draft.post_logout_redirect_uris = several(self.post_logout_redirect_uris).or(draft.post_logout_redirect_uris);
        draft.grant_types = several(self.grants).or(draft.grant_types);
        draft.token_endpoint_auth_method = or(self.auth_method, draft.token_endpoint_auth_method);
        if self.public {
            draft.token_endpoint_auth_method = Some("none".to_owned());
        }
        draft.scope = several(self.scopes).map(|scopes| scopes.join(" ")).or(draft.scope);
        draft.id_token_signed_response_alg = or(self.id_token_alg, draft.id_token_signed_response_alg);
        draft.backchannel_logout_uri = or(self.backchannel_logout_uri, draft.backchannel_logout_uri);
        draft.frontchannel_logout_uri = or(self.frontchannel_logout_uri, draft.frontchannel_logout_uri);
        draft.first_party = self.first_party.or(draft.first_party);
        draft.claims_in_id_token = self.claims_in_id_token.or(draft.claims_in_id_token);
        draft.pkce = or(self.pkce, draft.pkce);
        draft.token_format = or(self.token_format, draft.token_format);
        draft.api = or(self.api, draft.api);
        draft.refresh_grace = or(self.refresh_grace, draft.refresh_grace);
        draft.access_token_lifetime = or(self.access_token_lifetime, draft.access_token_lifetime);
        draft.refresh_token_lifetime = or(self.refresh_token_lifetime, draft.refresh_token_lifetime);
        draft.introspects = several(self.introspects).or(draft.introspects);
        Ok(draft)
    }
}

impl Create {
    async fn on(self, app: &App) -> Result<(), Failure> {
        if self.members.name.is_none() && self.members.from.is_none() {
            return Err(Failure::Usage(
                "--name NAME is missing, or --from FILE (see `bonafide client create --help`)".to_owned(),
            ));
        }
        let draft = self.members.draft()?;
        let id = self.id.or_else(|| draft.client_id.clone()).unwrap_or_else(|| clients::new_id(app.random.as_ref()));
        let registry = app.clients.registry();
        let mut client = draft.apply_with(id, None, &registry.all_apis(), registry.attributes())?;
        let secret = give_secret(app, &mut client);
        provide_keys(app, client.id_token_alg).await?;
        clients::save(&app.database, client.clone(), true, change(app, "created")).await?;
        if !self.quiet {
            return show(app, &client, secret.as_deref(), self.json);
        }
        note(&format!("created {}", client.id));
        secret.map_or(Ok(()), |secret| output::line(&secret))
    }
}

impl Update {
    async fn on(self, app: &App) -> Result<(), Failure> {
        let before = find(app, &self.id)?;
        let draft = self.members.draft()?;
        if draft.client_id.as_ref().is_some_and(|id| *id != self.id) {
            return Err(Problem::new("client_id", "a client keeps its id; make another with `client create`").into());
        }
        let registry = app.clients.registry();
        let mut client = draft.apply_with(self.id, Some(&before), &registry.all_apis(), registry.attributes())?;
        // A public client that becomes a confidential one needs a secret.
        let secret = give_secret(app, &mut client);
        let changed = registration::changed(&before, &client)?;
        if !changed.is_empty() {
            provide_keys(app, client.id_token_alg).await?;
            clients::save(&app.database, client.clone(), false, change(app, "updated")).await?;
        }
        if self.json {
            return show(app, &client, secret.as_deref(), true);
        }
        output::line(&registration::outcome(&client.id, &changed))?;
        secret.map_or(Ok(()), |secret| output::line(&format!("client_secret  {secret} (shown this once)")))
    }
}

/// Gives a confidential client that has no secret one. Answers it, to be shown this once.
fn give_secret(app: &App, client: &mut Client) -> Option<String> {
    if client.is_public() || client.secret_hash.is_some() {
        return None;
    }
    let secret = clients::new_secret(app.random.as_ref());
    client.secret_hash = Some(secrets::hash(&secret));
    Some(secret)
}

async fn set_disabled(app: &App, one: One, disabled: bool) -> Result<(), Failure> {
    let what = if disabled { "disabled" } else { "enabled" };
    clients::set_disabled(&app.database, one.id.clone(), disabled, change(app, what)).await?;
    show_again(app, one).await
}

async fn show_again(app: &App, one: One) -> Result<(), Failure> {
    app.clients.reload(&app.database).await?;
    show(app, &find(app, &one.id)?, None, one.json)
}

/// A duration as it is written, of 30 days at the most.
pub(super) fn overlap(text: &str) -> Result<Overlap, String> {
    let millis = Millis::parse(text)?.get();
    Overlap::of_millis(millis).ok_or_else(|| "an old secret goes on for 30 days at the most".to_owned())
}

fn find(app: &App, id: &str) -> Result<Client, Failure> {
    let found = app.clients.registry().find_any(id).ok_or_else(|| ClientError::Unknown(id.to_owned()))?;
    Ok(found.as_ref().clone())
}

fn list(app: &App, json: bool) -> Result<(), Failure> {
    let all = app.clients.registry().all_clients();
    if json {
        return output::json(&all.iter().map(|client| describe(app, client, None)).collect::<Result<Vec<_>, _>>()?);
    }
    let rows: Vec<[String; 6]> = all
        .iter()
        .map(|client| {
            let grants: Vec<&str> = client.grant_types.iter().map(|grant| grant.name()).collect();
            let state = if client.disabled { "disabled" } else { "enabled" };
            [
                client.id.clone(),
                client.name.clone(),
                client.auth_method.name().to_owned(),
                grants.join(" "),
                client.roles.join(" "),
                state.to_owned(),
            ]
        })
        .collect();
    output::table(["client_id", "name", "auth", "grants", "roles", "state"], &rows)
}

fn show(app: &App, client: &Client, secret: Option<&str>, json: bool) -> Result<(), Failure> {
    let described = describe(app, client, secret)?;
    if json {
        return output::json(&described);
    }
    let rows: Vec<(&str, String)> = described
        .iter()
        .map(|(name, value)| {
            let text = match value {
                Value::String(text) => text.clone(),
                Value::Array(items) => items.iter().filter_map(Value::as_str).collect::<Vec<_>>().join(" "),
                other => other.to_string(),
            };
            (name.as_str(), text)
        })
        .collect();
    output::fields(&rows)?;
    if secret.is_some() {
        note("the secret is shown this once");
    }
    Ok(())
}

/// A client by the names of RFC 7591, and ours where it has none.
fn describe(app: &App, client: &Client, secret: Option<&str>) -> Result<Map<String, Value>, Failure> {
    let draft = Draft { client_secret: secret.map(str::to_owned), ..Draft::of(client) };
    let mut members = registration::members(&draft)?;
    members.insert("disabled".to_owned(), client.disabled.into());
    members.insert("roles".to_owned(), client.roles.clone().into());
    if let Some(until) = client.previous_secret.as_ref().and_then(|previous| previous.good_until(app.clock.now())) {
        members.insert("previous_secret_expires_at".to_owned(), from_millis(until).to_rfc3339().into());
    }
    Ok(members)
}
