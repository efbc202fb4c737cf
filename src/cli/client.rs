//! `bonafide client`: applications, by the names of RFC 7591.

use std::io::Read as _;
use std::path::PathBuf;

use clap::{Args, Subcommand};
use serde::Deserialize;
use serde_json::{Map, Value, json};

use super::{Failure, change, open, output};
use crate::app::App;
use crate::clients::{self, Api, ApiDraft, Client, ClientError, Draft};
use crate::platform::secrets;
use crate::platform::settings::{Millis, Settings};

/// Secrets of the operator's choice have at least so many characters; ours have 256 random bits.
const SHORTEST_SECRET: usize = 32;

#[derive(Subcommand)]
pub(super) enum ClientCommand {
    /// Register an application; prints its secret, once
    Create(Box<Create>),
    /// Every application
    List {
        #[arg(long)]
        json: bool,
    },
    /// One application
    Show(One),
    /// Change what is named and keep the rest
    Update(Box<Update>),
    /// A new secret; the old one is dead at once
    RotateSecret {
        #[command(flatten)]
        one: One,
        /// Print the secret alone
        #[arg(long)]
        quiet: bool,
    },
    /// Put back into service
    Enable(One),
    /// Take out of service: it gets no tokens until it is enabled
    Disable(One),
    /// Remove an application with all that was granted to it
    Delete(One),
    /// Create or update the applications and APIs of a file, all or none
    Import {
        file: PathBuf,
        #[arg(long)]
        json: bool,
    },
}

#[derive(Args)]
pub(super) struct One {
    id: String,
    #[arg(long)]
    json: bool,
}

/// What `create` and `update` have in common.
#[derive(Args, Default)]
struct Members {
    /// Shown to people
    #[arg(long)]
    name: Option<String>,
    /// May be repeated; compared byte for byte
    #[arg(long = "redirect-uri")]
    redirect_uris: Vec<String>,
    /// A browser or native application: no secret
    #[arg(long)]
    public: bool,
    /// `client_secret_basic`, `client_secret_post` or `none`
    #[arg(long)]
    auth_method: Option<String>,
    /// `authorization_code`, `refresh_token` or `client_credentials`; may be repeated
    #[arg(long = "grant")]
    grants: Vec<String>,
    /// May be repeated
    #[arg(long = "scope")]
    scopes: Vec<String>,
    #[arg(long = "post-logout-redirect-uri")]
    post_logout_redirect_uris: Vec<String>,
    #[arg(long)]
    backchannel_logout_uri: Option<String>,
    #[arg(long)]
    frontchannel_logout_uri: Option<String>,
    /// The API that access tokens are for when a request names none
    #[arg(long, value_name = "URI")]
    api: Option<String>,
    /// required or optional (confidential clients only)
    #[arg(long)]
    pkce: Option<String>,
    /// Put profile claims into the ID token, for libraries that read nothing else
    #[arg(long)]
    claims_in_id_token: bool,
    /// at+jwt or jwt
    #[arg(long, value_name = "FORMAT")]
    token_format: Option<String>,
    /// How long a used refresh token still gets its successor, like 10s
    #[arg(long, value_name = "DURATION")]
    refresh_grace: Option<String>,
    #[arg(long, value_name = "DURATION")]
    access_token_lifetime: Option<String>,
    #[arg(long, value_name = "DURATION")]
    refresh_token_lifetime: Option<String>,
    /// RS256
    #[arg(long, value_name = "ALG")]
    id_token_alg: Option<String>,
    /// May be repeated
    #[arg(long, value_name = "URI")]
    introspects: Vec<String>,
    /// One of ours: no consent page
    #[arg(long)]
    first_party: bool,
    /// Registration as RFC 7591 JSON; - is standard input
    #[arg(long, value_name = "FILE")]
    from: Option<String>,
}

#[derive(Args)]
#[command(after_help = "Examples:
  bonafide client create --name Shop --redirect-uri https://shop.example/callback
  bonafide client create --name App --public --redirect-uri com.example.app:/callback
  bonafide client create --name Worker --grant client_credentials --api https://api.example.com --scope orders:read")]
pub(super) struct Create {
    #[command(flatten)]
    members: Members,
    /// The client id; made where none is given
    #[arg(long)]
    id: Option<String>,
    #[arg(long)]
    json: bool,
    /// Print the secret alone
    #[arg(long)]
    quiet: bool,
}

#[derive(Args)]
pub(super) struct Update {
    id: String,
    #[command(flatten)]
    members: Members,
    #[arg(long)]
    json: bool,
}

impl ClientCommand {
    pub(super) async fn run(self, settings: Settings) -> Result<(), Failure> {
        let app = open(settings).await?;
        let outcome = self.on(&app).await;
        app.database.close().await;
        outcome
    }

    async fn on(self, app: &App) -> Result<(), Failure> {
        match self {
            Self::Create(create) => create.on(app).await,
            Self::Update(update) => update.on(app).await,
            Self::List { json } => list(app, json),
            Self::Show(one) => show(&find(app, &one.id)?, None, one.json),
            Self::RotateSecret { one, quiet } => {
                let secret = app.random.token("bfs_");
                clients::rotate_secret(&app.database, one.id.clone(), secrets::hash(&secret), change(app, "secret"))
                    .await?;
                if quiet { output::line(&secret) } else { show(&find(app, &one.id)?, Some(&secret), one.json) }
            }
            Self::Enable(one) => set_disabled(app, one, false).await,
            Self::Disable(one) => set_disabled(app, one, true).await,
            Self::Delete(one) => {
                let client = find(app, &one.id)?;
                clients::delete(&app.database, one.id, change(app, "deleted")).await?;
                show(&client, None, one.json)
            }
            Self::Import { file, json } => import(app, &file, json).await,
        }
    }
}

impl Members {
    fn draft(self) -> Result<Draft, Failure> {
        let mut draft = match &self.from {
            None => Draft::default(),
            Some(file) => registration(&read(file)?)?,
        };
        let several = |given: Vec<String>| (!given.is_empty()).then_some(given);
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
        draft.first_party = self.first_party.then_some(true).or(draft.first_party);
        draft.claims_in_id_token = self.claims_in_id_token.then_some(true).or(draft.claims_in_id_token);
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
        let draft = self.members.draft()?;
        let id = self.id.or_else(|| draft.client_id.clone()).unwrap_or_else(|| new_id(app));
        // A client whose only way is its own credentials has no redirect URI and nobody to refresh for.
        let mut client = draft.apply(id.clone(), None, &app.clients.registry().all_apis())?;
        let secret = give_secret(app, &mut client, draft.client_secret.as_deref())?;
        clients::save(&app.database, client.clone(), true, change(app, "created")).await?;
        match secret {
            Some(secret) if self.quiet => output::line(&secret),
            None if self.quiet => Ok(()),
            secret => show(&client, secret.as_deref(), self.json),
        }
    }
}

impl Update {
    async fn on(self, app: &App) -> Result<(), Failure> {
        let before = find(app, &self.id)?;
        let draft = self.members.draft()?;
        let mut client = draft.apply(self.id.clone(), Some(&before), &app.clients.registry().all_apis())?;
        // A public client that becomes a confidential one needs a secret.
        let secret = if client.secret_hash.is_none() {
            give_secret(app, &mut client, draft.client_secret.as_deref())?
        } else {
            None
        };
        clients::save(&app.database, client.clone(), false, change(app, "updated")).await?;
        show(&client, secret.as_deref(), self.json)
    }
}

/// Gives a confidential client its secret, made or chosen. Answers it, to be shown this once.
fn give_secret(app: &App, client: &mut Client, chosen: Option<&str>) -> Result<Option<String>, Failure> {
    if client.is_public() {
        return if chosen.is_some() { Err(ClientError::Public(client.id.clone()).into()) } else { Ok(None) };
    }
    let secret = match chosen {
        None => app.random.token("bfs_"),
        Some(chosen) if chosen.len() >= SHORTEST_SECRET && chosen.bytes().all(|byte| byte.is_ascii_graphic()) => {
            chosen.to_owned()
        }
        Some(_) => {
            return Err(Failure::Usage(format!(
                "{}: client_secret has {SHORTEST_SECRET} printable characters at least",
                client.id
            )));
        }
    };
    client.secret_hash = Some(secrets::hash(&secret));
    Ok(Some(secret))
}

fn new_id(app: &App) -> String {
    app.random.token("").chars().filter(char::is_ascii_alphanumeric).take(20).collect()
}

async fn set_disabled(app: &App, one: One, disabled: bool) -> Result<(), Failure> {
    let what = if disabled { "disabled" } else { "enabled" };
    clients::set_disabled(&app.database, one.id.clone(), disabled, change(app, what)).await?;
    app.clients.reload(&app.database).await?;
    show(&find(app, &one.id)?, None, one.json)
}

fn find(app: &App, id: &str) -> Result<Client, Failure> {
    let found = app.clients.registry().find_any(id).ok_or_else(|| ClientError::Unknown(id.to_owned()))?;
    Ok(found.as_ref().clone())
}

fn list(app: &App, json: bool) -> Result<(), Failure> {
    let all = app.clients.registry().all_clients();
    if json {
        return output::json(&all.iter().map(|client| describe(client, None)).collect::<Vec<_>>());
    }
    let rows: Vec<[String; 5]> = all
        .iter()
        .map(|client| {
            let grants: Vec<&str> = client.grant_types.iter().map(|grant| grant.name()).collect();
            let state = if client.disabled { "disabled" } else { "enabled" };
            [
                client.id.clone(),
                client.name.clone(),
                client.auth_method.name().to_owned(),
                grants.join(" "),
                state.to_owned(),
            ]
        })
        .collect();
    output::table(["client_id", "name", "auth", "grants", "state"], &rows)
}

fn show(client: &Client, secret: Option<&str>, json: bool) -> Result<(), Failure> {
    let described = describe(client, secret);
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
        eprintln!("the secret is shown this once");
    }
    Ok(())
}

/// A client by the names of RFC 7591, and ours where it has none.
fn describe(client: &Client, secret: Option<&str>) -> Map<String, Value> {
    let mut members = Map::new();
    let mut add = |name: &str, value: Value| {
        if !value.is_null() {
            members.insert(name.to_owned(), value);
        }
    };
    let duration = |millis: Option<i64>| millis.map(|millis| Millis::new(millis).to_string());
    let grants: Vec<&str> = client.grant_types.iter().map(|grant| grant.name()).collect();
    let response_types: &[&str] = if grants.contains(&"authorization_code") { &["code"] } else { &[] };
    add("client_id", json!(client.id));
    add("client_secret", json!(secret));
    add("client_name", json!(client.name));
    add("redirect_uris", json!(client.redirect_uris));
    add("post_logout_redirect_uris", json!(client.post_logout_redirect_uris));
    add("grant_types", json!(grants));
    add("response_types", json!(response_types));
    add("token_endpoint_auth_method", json!(client.auth_method.name()));
    add("scope", json!(client.scopes.join(" ")));
    add("id_token_signed_response_alg", json!(client.id_token_alg.name()));
    add("logo_uri", json!(client.logo_uri));
    add("backchannel_logout_uri", json!(client.backchannel_logout_uri));
    add("frontchannel_logout_uri", json!(client.frontchannel_logout_uri));
    add("first_party", json!(client.first_party));
    add("pkce", json!(if client.pkce_required { "required" } else { "optional" }));
    add("claims_in_id_token", json!(client.claims_in_id_token));
    add("token_format", json!(client.token_format.map(clients::TokenFormat::name)));
    add("api", json!(client.default_audience));
    add("refresh_grace", json!(duration(client.refresh_grace)));
    add("access_token_lifetime", json!(duration(client.access_token_lifetime)));
    add("refresh_token_lifetime", json!(duration(client.refresh_token_lifetime)));
    add("introspects", json!(client.introspects));
    add("disabled", json!(client.disabled));
    members
}

fn read(file: &str) -> Result<String, Failure> {
    let failed = |error| Failure::File(file.to_owned(), error);
    if file == "-" {
        let mut text = String::new();
        std::io::stdin().take(1 << 20).read_to_string(&mut text).map_err(failed)?;
        return Ok(text);
    }
    std::fs::read_to_string(file).map_err(failed)
}

/// Reads RFC 7591 JSON. The standard lets us ignore members that we do not know; we say which.
fn registration(text: &str) -> Result<Draft, Failure> {
    let malformed = |error: serde_json::Error| Failure::Usage(format!("--from: {error}"));
    let mut members: Map<String, Value> = serde_json::from_str(text).map_err(malformed)?;
    let names: Vec<String> = members.keys().cloned().collect();
    for name in names {
        if !is_known(&name) {
            members.remove(&name);
            eprintln!("--from: {name} is not used and was ignored");
        }
    }
    serde_json::from_value(Value::Object(members)).map_err(malformed)
}

fn is_known(member: &str) -> bool {
    let probe: Map<String, Value> = [(member.to_owned(), Value::Null)].into_iter().collect();
    serde_json::from_value::<Draft>(Value::Object(probe)).is_ok()
}

/// A file of `[[client]]` and `[[api]]` tables.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct ImportFile {
    #[serde(default)]
    client: Vec<Draft>,
    #[serde(default)]
    api: Vec<ApiDraft>,
}

/// One entry of an import and what will become of it.
enum Planned {
    Api { api: Api, before: Option<Api> },
    Client { client: Box<Client>, before: Option<Box<Client>>, secret: Option<String> },
}

/// Checks every entry before the first is written.
async fn import(app: &App, file: &std::path::Path, json: bool) -> Result<(), Failure> {
    let name = file.display().to_string();
    let text = std::fs::read_to_string(file).map_err(|error| Failure::File(name.clone(), error))?;
    let refused = |what: String| Failure::Usage(format!("{name}: {what}; nothing was imported"));
    let parsed: ImportFile = toml::from_str(&text).map_err(|error| refused(error.message().to_owned()))?;
    let plan = plan(app, &parsed).map_err(refused)?;
    let mut report = Vec::new();
    for entry in plan {
        report.push(carry_out(app, entry).await?);
    }
    if json {
        return output::json(&report);
    }
    for line in report {
        let text = |member: &str| line.get(member).and_then(Value::as_str).unwrap_or_default().to_owned();
        let changed: Vec<&str> =
            line.get("changed").and_then(Value::as_array).into_iter().flatten().filter_map(Value::as_str).collect();
        let behind = if changed.is_empty() { String::new() } else { format!(": {}", changed.join(", ")) };
        output::line(&format!("{} {} {}{behind}", text("outcome"), text("kind"), text("id")))?;
        if let Some(secret) = line.get("client_secret").and_then(Value::as_str) {
            output::line(&format!("  client_secret {secret} (shown this once)"))?;
        }
    }
    Ok(())
}

fn plan(app: &App, parsed: &ImportFile) -> Result<Vec<Planned>, String> {
    let registry = app.clients.registry();
    let mut plan = Vec::new();
    let mut apis = registry.all_apis();
    for draft in &parsed.api {
        let before = registry.api(&draft.audience).map(|api| api.as_ref().clone());
        let api = draft.apply(before.as_ref()).map_err(|problem| format!("api {}: {problem}", draft.audience))?;
        apis.retain(|known| known.audience != api.audience);
        apis.push(api.clone());
        plan.push(Planned::Api { api, before });
    }
    for (position, draft) in parsed.client.iter().enumerate() {
        let id =
            draft.client_id.clone().ok_or_else(|| format!("client number {}: client_id is missing", position + 1))?;
        let before = registry.find_any(&id);
        let mut client =
            draft.apply(id.clone(), before.as_deref(), &apis).map_err(|problem| format!("client {id}: {problem}"))?;
        let given = draft.client_secret.as_deref();
        let keeps = client.secret_hash.is_some() && given.is_none();
        let secret =
            if keeps { None } else { give_secret(app, &mut client, given).map_err(|failure| failure.to_string())? };
        // A secret from the file needs no showing.
        let secret = secret.filter(|_| given.is_none());
        plan.push(Planned::Client {
            client: Box::new(client),
            before: before.map(|before| Box::new(before.as_ref().clone())),
            secret,
        });
    }
    Ok(plan)
}

async fn carry_out(app: &App, entry: Planned) -> Result<Value, Failure> {
    let outcome = |created: bool, changed: &[String]| match (created, changed.is_empty()) {
        (true, _) => "created",
        (false, true) => "unchanged",
        (false, false) => "updated",
    };
    match entry {
        Planned::Api { api, before } => {
            let changed = differing(&to_map(&api)?, &before.as_ref().map(to_map).transpose()?.unwrap_or_default());
            let outcome = outcome(before.is_none(), &changed);
            let audience = api.audience.clone();
            match outcome {
                "created" => clients::create_api(&app.database, api, change(app, "imported")).await?,
                "updated" => clients::save_api(&app.database, api, change(app, "imported")).await?,
                _ => {}
            }
            Ok(
                json!({"kind": "api", "id": audience, "outcome": outcome, "changed": if outcome == "updated" { changed } else { Vec::new() }}),
            )
        }
        Planned::Client { client, before, secret } => {
            let mut changed = differing(
                &describe(&client, None),
                &before.as_ref().map(|before| describe(before, None)).unwrap_or_default(),
            );
            if before.as_ref().is_some_and(|before| before.secret_hash != client.secret_hash) {
                changed.push("client_secret".to_owned());
            }
            let outcome = outcome(before.is_none(), &changed);
            let id = client.id.clone();
            if outcome != "unchanged" {
                clients::save(&app.database, *client, before.is_none(), change(app, "imported")).await?;
            }
            let mut line = json!({"kind": "client", "id": id, "outcome": outcome, "changed": if outcome == "updated" { changed } else { Vec::new() }});
            if let (Some(secret), Value::Object(members)) = (secret, &mut line) {
                members.insert("client_secret".to_owned(), Value::String(secret));
            }
            Ok(line)
        }
    }
}

fn to_map(api: &Api) -> Result<Map<String, Value>, Failure> {
    match serde_json::to_value(api) {
        Ok(Value::Object(members)) => Ok(members),
        other => Err(Failure::Other(format!("an API cannot be written: {other:?}"))),
    }
}

/// The members whose values differ.
fn differing(after: &Map<String, Value>, before: &Map<String, Value>) -> Vec<String> {
    let mut names: Vec<String> =
        after.keys().chain(before.keys()).filter(|name| after.get(*name) != before.get(*name)).cloned().collect();
    names.sort();
    names.dedup();
    names
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn registration_json_ignores_what_it_does_not_know() {
        let draft =
            registration(r#"{"client_name": "A", "software_id": "x", "redirect_uris": ["https://a.example/"]}"#)
                .unwrap();
        assert_eq!(draft.client_name.as_deref(), Some("A"));
        assert!(registration("[]").is_err());
        assert!(registration(r#"{"redirect_uris": "https://a.example/"}"#).is_err());
    }

    #[test]
    fn differences_name_members_on_either_side() {
        let map = |value: Value| value.as_object().unwrap().clone();
        assert_eq!(differing(&map(json!({"a": 1, "b": 2})), &map(json!({"a": 1, "c": 3}))), ["b", "c"]);
    }
}
