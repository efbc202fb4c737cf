//! People and applications for tests to begin with.

use bonafide::{
    app::App,
    clients::{self, Change, Draft},
    identity::NewAccount,
};
use serde_json::Value;
use sha2::{Digest, Sha256};

use super::{answer::Answer, flow::random, place::Place, wire::Call};

/// Where an application of the tests wants its answers; nobody listens there, since [`super::Browser`] stops before.
pub(crate) const REDIRECT_URI: &str = "http://127.0.0.1:9/callback";

/// Somebody who can sign in.
#[derive(Clone, Debug)]
pub(crate) struct Person {
    pub(crate) id: String,
    pub(crate) username: String,
    pub(crate) email: String,
    pub(crate) name: String,
    pub(crate) password: String,
}

/// A registered client, with what it needs to speak for itself.
#[derive(Clone, Debug)]
pub(crate) struct Application {
    pub(crate) id: String,
    pub(crate) auth: ClientAuth,
    /// The first of its redirect URIs.
    pub(crate) redirect_uri: String,
}

/// How a client proves itself at the token endpoint.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum ClientAuth {
    /// A public client: only its id, in the body.
    None,
    Basic(String),
    Post(String),
}

impl Application {
    pub(crate) fn secret(&self) -> &str {
        match &self.auth {
            ClientAuth::None => "",
            ClientAuth::Basic(secret) | ClientAuth::Post(secret) => secret,
        }
    }

    /// The same client, proving itself in another way.
    pub(crate) fn with_auth(&self, auth: ClientAuth) -> Self {
        Self { auth, ..self.clone() }
    }

    /// Posts these fields, authenticated as this client.
    pub(crate) async fn post(&self, call: Call, fields: &[(&str, &str)]) -> Answer {
        let mut fields = fields.to_vec();
        let call = match &self.auth {
            ClientAuth::Basic(secret) => call.basic(&self.id, secret),
            ClientAuth::Post(secret) => {
                fields.extend([("client_id", self.id.as_str()), ("client_secret", secret)]);
                call
            }
            ClientAuth::None => {
                fields.push(("client_id", &self.id));
                call
            }
        };
        call.form(&fields).send().await
    }
}

/// What most tests register: a confidential client with [`REDIRECT_URI`] and the product's defaults. To change something:
/// `Draft { first_party: Some(true), ..web_application() }`.
pub(crate) fn web_application() -> Draft {
    Draft {
        client_name: Some("Demo".to_owned()),
        redirect_uris: Some(vec![REDIRECT_URI.to_owned()]),
        ..Draft::default()
    }
}

/// The same without a secret.
pub(crate) fn public_application() -> Draft {
    Draft { token_endpoint_auth_method: Some("none".to_owned()), ..web_application() }
}

/// What to register, in words of the command line: `NewApplication { first_party: true, ..NewApplication::default() }`.
#[derive(Clone, Copy, Debug)]
pub(crate) struct NewApplication<'a> {
    pub(crate) name: &'a str,
    pub(crate) public: bool,
    pub(crate) first_party: bool,
    pub(crate) redirect_uris: &'a [&'a str],
    pub(crate) grants: &'a [&'a str],
    pub(crate) scopes: &'a [&'a str],
    /// `&["--pkce", "optional"]`, `&["--post-logout-redirect-uri", "https://…"]`, `&["--api", "https://…"]`.
    pub(crate) flags: &'a [&'a str],
}

impl Default for NewApplication<'_> {
    fn default() -> Self {
        Self {
            name: "Demo",
            public: false,
            first_party: false,
            redirect_uris: &[REDIRECT_URI],
            grants: &[],
            scopes: &[],
            flags: &[],
        }
    }
}

/// Whatever says how a client is registered.
pub(crate) trait Registration {
    fn draft(&self) -> Draft;
}

impl Registration for &Draft {
    fn draft(&self) -> Draft {
        (*self).clone()
    }
}

impl Registration for NewApplication<'_> {
    fn draft(&self) -> Draft {
        let own = |items: &[&str]| items.iter().map(|item| (*item).to_owned()).collect::<Vec<_>>();
        let some = |items: &[&str]| (!items.is_empty()).then(|| own(items));
        let mut draft = Draft {
            client_name: Some(self.name.to_owned()),
            redirect_uris: some(self.redirect_uris),
            grant_types: some(self.grants),
            scope: some(self.scopes).map(|scopes| scopes.join(" ")),
            first_party: Some(self.first_party),
            token_endpoint_auth_method: self.public.then(|| "none".to_owned()),
            ..Draft::default()
        };
        for flag in self.flags.chunks(2) {
            let value = flag.get(1).map(|value| (*value).to_owned());
            match flag[0] {
                "--pkce" => draft.pkce = value,
                "--api" => draft.api = value,
                "--post-logout-redirect-uri" => draft.post_logout_redirect_uris = value.map(|uri| vec![uri]),
                other => panic!("{other} is not read here: use a Draft"),
            }
        }
        draft
    }
}

/// Somebody with a verified address, who is not there yet.
fn somebody(username: &str) -> Person {
    Person {
        id: String::new(),
        username: username.to_owned(),
        email: format!("{username}@example.org"),
        name: format!("{username} Lovelace"),
        password: "plum violin 42 harbour".to_owned(),
    }
}

/// Makes a person in this process.
pub(super) async fn person(app: &App, username: &str) -> Person {
    let person = somebody(username);
    let account = NewAccount {
        email: Some(person.email.clone()),
        username: Some(person.username.clone()),
        name: Some(person.name.clone()),
        password: Some(person.password.clone()),
        email_verified: true,
        ..NewAccount::default()
    };
    let user = app.accounts.create(account).await.expect("a person");
    Person { id: user.id.to_string(), ..person }
}

/// Registers a client in this process.
pub(super) async fn application(app: &App, draft: &Draft) -> Application {
    let id = draft.client_id.clone().unwrap_or_else(|| format!("app-{}", &random()[..12]));
    let secret = random();
    let mut client = draft.apply(id, None, &app.clients.registry().all_apis()).expect("a sound registration");
    let auth = if client.is_public() {
        ClientAuth::None
    } else {
        client.secret_hash = Some(Sha256::digest(&secret).to_vec());
        ClientAuth::Basic(secret)
    };
    let application = Application { id: client.id.clone(), auth, redirect_uri: first_redirect_uri(draft) };
    let change = Change { what: "created", now: app.clock.now(), random: app.random.clone() };
    clients::save(&app.database, client, true, change).await.expect("a new client");
    app.clients.reload(&app.database).await.expect("the clients");
    application
}

/// Makes a person by the command line, beside a running program.
pub(crate) async fn person_by_cli(place: &Place, username: &str) -> Person {
    let person = somebody(username);
    let arguments = [
        ["user", "create"],
        ["--email", &person.email],
        ["--username", &person.username],
        ["--name", &person.name],
        ["--verified", "--password-stdin"],
    ];
    let arguments = [arguments.as_flattened(), &["--json"]].concat();
    let created: Value = place.cli_with_input(&arguments, &person.password).await.json();
    Person { id: created["id"].as_str().expect("the person's id").to_owned(), ..person }
}

/// Registers a client by the command line, beside a running program.
pub(crate) async fn application_by_cli(place: &Place, draft: &Draft) -> Application {
    let metadata = serde_json::to_string(draft).expect("RFC 7591 metadata");
    let created: Value = place.cli_with_input(&["client", "create", "--from", "-", "--json"], &metadata).await.json();
    let auth =
        created["client_secret"].as_str().map_or(ClientAuth::None, |secret| ClientAuth::Basic(secret.to_owned()));
    let id = created["client_id"].as_str().expect("the client's id").to_owned();
    Application { id, auth, redirect_uri: first_redirect_uri(draft) }
}

fn first_redirect_uri(draft: &Draft) -> String {
    draft.redirect_uris.iter().flatten().next().cloned().unwrap_or_default()
}
