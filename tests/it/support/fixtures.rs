//! People and applications for tests to begin with.

use super::{answer::Answer, place::Place, wire::Call};

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

/// What to register; `NewApplication::default()` is a confidential client with [`REDIRECT_URI`] and the product's defaults.
#[derive(Clone, Copy, Debug)]
pub(crate) struct NewApplication<'a> {
    pub(crate) name: &'a str,
    pub(crate) public: bool,
    pub(crate) first_party: bool,
    pub(crate) redirect_uris: &'a [&'a str],
    pub(crate) grants: &'a [&'a str],
    pub(crate) scopes: &'a [&'a str],
    /// Further flags of `bonafide client create`: `&["--api", "https://api.example"]`.
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

/// Makes a person with a verified address by the command line.
pub(crate) async fn person(place: &Place, username: &str) -> Person {
    let email = format!("{username}@example.org");
    let (name, password) = (format!("{username} Lovelace"), "plum violin 42 harbour".to_owned());
    let arguments = [
        "user",
        "create",
        "--email",
        &email,
        "--username",
        username,
        "--name",
        &name,
        "--verified",
        "--password-stdin",
        "--json",
    ];
    let created: serde_json::Value = place.cli_with_input(&arguments, &password).await.json();
    let id = created["id"].as_str().expect("the person's id").to_owned();
    Person { id, username: username.to_owned(), email, name, password }
}

/// Registers a client by the command line.
pub(crate) async fn application(place: &Place, new: NewApplication<'_>) -> Application {
    let mut arguments = vec!["client", "create", "--json", "--name", new.name];
    arguments.extend(new.public.then_some("--public"));
    arguments.extend(new.first_party.then_some("--first-party"));
    for (flag, values) in [("--redirect-uri", new.redirect_uris), ("--grant", new.grants), ("--scope", new.scopes)] {
        arguments.extend(values.iter().flat_map(|value| [flag, *value]));
    }
    arguments.extend(new.flags);
    let created: serde_json::Value = place.cli(&arguments).await.json();
    let auth =
        created["client_secret"].as_str().map_or(ClientAuth::None, |secret| ClientAuth::Basic(secret.to_owned()));
    Application {
        id: created["client_id"].as_str().expect("the client's id").to_owned(),
        auth,
        redirect_uri: new.redirect_uris.first().copied().unwrap_or_default().to_owned(),
    }
}
