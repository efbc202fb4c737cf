//! What most tests of the protocol begin with, made in the test's own process: quicker than a command for each.

use bonafide::{
    clients::{self, ApiDraft, Change, Draft},
    identity::NewAccount,
    platform::secrets,
};
use reqwest::Method;
use serde_json::Value;

use super::{
    answer::Answer,
    browser::Browser,
    fixtures::{Application, ClientAuth, Person, REDIRECT_URI},
    flow::{Flow, Tokens, random},
    server::TestServer,
    wire::Wire,
};

/// A confidential web application with the product's defaults.
pub(crate) fn draft() -> Draft {
    Draft {
        client_name: Some("Demo".to_owned()),
        redirect_uris: Some(vec![REDIRECT_URI.to_owned()]),
        ..Draft::default()
    }
}

/// The same without a secret.
pub(crate) fn public() -> Draft {
    Draft { token_endpoint_auth_method: Some("none".to_owned()), ..draft() }
}

/// A program that acts for itself.
pub(crate) fn service() -> Draft {
    let grant_types = Some(vec!["client_credentials".to_owned()]);
    Draft { redirect_uris: None, grant_types, ..draft() }
}

/// Registers a client; it is in force at once on this node.
pub(crate) async fn client(server: &TestServer, draft: Draft) -> Application {
    let app = server.app();
    let id = draft.client_id.clone().unwrap_or_else(|| format!("client{}", random()));
    let registry = app.clients.registry();
    let made = draft.apply_with(id, None, &registry.all_apis(), registry.attributes());
    let mut client = made.unwrap_or_else(|problem| panic!("{problem}"));
    let secret = (!client.is_public()).then(random);
    client.secret_hash = secret.as_deref().map(secrets::hash);
    let application = Application {
        id: client.id.clone(),
        auth: secret.map_or(ClientAuth::None, ClientAuth::Basic),
        redirect_uri: client.redirect_uris.first().cloned().unwrap_or_default(),
    };
    clients::save(&app.database, client, true, change(server)).await.expect("a client");
    app.reload().await.expect("reading it again");
    application
}

/// Takes a client out of service, at once on this node.
pub(crate) async fn disable_client(server: &TestServer, id: &str) {
    let app = server.app();
    clients::set_disabled(&app.database, id.to_owned(), true, change(server)).await.expect("disabling");
    app.reload().await.expect("reading it again");
}

/// Registers an API.
pub(crate) async fn api(server: &TestServer, draft: ApiDraft) {
    let app = server.app();
    let api = draft.apply(None).unwrap_or_else(|problem| panic!("{problem}"));
    clients::create_api(&app.database, api, change(server)).await.expect("an API");
    app.reload().await.expect("reading it again");
}

fn change(server: &TestServer) -> Change {
    Change { what: "test", now: server.now(), random: server.app().random.clone() }
}

/// Somebody with a verified address who can sign in.
pub(crate) async fn person(server: &TestServer, username: &str) -> Person {
    let (name, email) = (format!("{username} Lovelace"), format!("{username}@example.org"));
    let password = "plum violin 42 harbour".to_owned();
    let account = NewAccount {
        email: Some(email.clone()),
        username: Some(username.to_owned()),
        name: Some(name.clone()),
        password: Some(password.clone()),
        email_verified: true,
        ..NewAccount::default()
    };
    let user = server.app().accounts.create(account).await.unwrap_or_else(|error| panic!("{error}"));
    Person { id: user.id.to_string(), username: username.to_owned(), email, name, password }
}

/// What an access token reads of its person.
pub(crate) async fn userinfo(wire: &Wire, access_token: &str) -> Answer {
    wire.call(Method::GET, "/userinfo").bearer(access_token).send().await
}

/// A person who has signed in to an application, which has tokens.
pub(crate) struct SignedIn {
    pub(crate) flow: Flow,
    pub(crate) person: Person,
    pub(crate) browser: Browser,
    pub(crate) tokens: Tokens,
    wire: Wire,
}

impl SignedIn {
    /// A confidential application, with `offline_access`.
    pub(crate) async fn new(server: &TestServer) -> Self {
        Self::with(server, draft(), |flow| flow).await
    }

    /// Any application, any request.
    pub(crate) async fn with(server: &TestServer, draft: Draft, ask: impl FnOnce(Flow) -> Flow) -> Self {
        let application = client(server, draft).await;
        let person = person(server, "ada").await;
        Self::at(server, ask(Flow::new(&application)), person).await
    }

    /// In a browser of their own.
    pub(crate) async fn at(server: &TestServer, flow: Flow, person: Person) -> Self {
        let (wire, mut browser) = (server.wire(), server.browser());
        let tokens = flow.tokens(&wire, &mut browser, &person).await;
        Self { flow, person, browser, tokens, wire }
    }

    pub(crate) async fn refresh(&self, refresh_token: &str) -> Tokens {
        self.flow.refresh(&self.wire, refresh_token).await
    }

    /// Refreshes, and stops unless there are tokens.
    pub(crate) async fn refreshed(&self, refresh_token: &str) -> Tokens {
        self.refresh(refresh_token).await.expect_tokens()
    }

    /// Stops unless the refresh token is refused.
    pub(crate) async fn expect_refused(&self, refresh_token: &str) {
        self.refresh(refresh_token).await.0.expect_error(400, "invalid_grant");
    }

    /// Stops unless userinfo takes the access token.
    pub(crate) async fn expect_live(&self, access_token: &str) {
        userinfo(&self.wire, access_token).await.expect_status(200);
    }

    /// Stops unless userinfo refuses the access token.
    pub(crate) async fn expect_dead(&self, access_token: &str) {
        userinfo(&self.wire, access_token).await.expect_error(401, "invalid_token");
    }

    /// Signs out by the page.
    pub(crate) async fn sign_out(&mut self) {
        let page = self.browser.get("/logout").await.expect_status(200);
        self.browser.submit(&page.form("/logout"), Some("sign-out"), &[]).await.expect_status(200);
    }

    /// The fields that exchange a code of this flow, all right.
    pub(crate) fn exchange<'a>(&'a self, code: &'a str) -> Vec<(&'a str, &'a str)> {
        exchange(&self.flow, code)
    }
}

/// The fields that exchange a code of a flow, all right.
pub(crate) fn exchange<'a>(flow: &'a Flow, code: &'a str) -> Vec<(&'a str, &'a str)> {
    vec![
        ("grant_type", "authorization_code"),
        ("code", code),
        ("redirect_uri", flow.parameter("redirect_uri")),
        ("code_verifier", &flow.verifier),
    ]
}

/// The fields with one of them set otherwise.
pub(crate) fn but<'a>(fields: &[(&'a str, &'a str)], name: &str, value: &'a str) -> Vec<(&'a str, &'a str)> {
    fields.iter().map(|(key, old)| (*key, if *key == name { value } else { *old })).collect()
}

/// The fields without one of them.
pub(crate) fn without<'a>(fields: &[(&'a str, &'a str)], name: &str) -> Vec<(&'a str, &'a str)> {
    fields.iter().filter(|(key, _)| *key != name).copied().collect()
}

/// What a client is told of a token (RFC 7662).
pub(crate) async fn introspect(wire: &Wire, client: &Application, token: &str) -> Answer {
    client.post(wire.call(Method::POST, "/introspect"), &[("token", token)]).await
}

/// Stops unless the token is active for this client; what it says.
pub(crate) async fn expect_active(wire: &Wire, client: &Application, token: &str) -> Value {
    let answer = introspect(wire, client, token).await.expect_status(200);
    let said: Value = answer.json();
    assert_eq!(said["active"], true, "{answer:#?}");
    said
}

/// Stops unless this client hears of the token what it would hear of any string.
pub(crate) async fn expect_inactive(wire: &Wire, client: &Application, token: &str) {
    let answer = introspect(wire, client, token).await.expect_status(200);
    assert_eq!(answer.body, r#"{"active":false}"#, "{answer:#?}");
    assert_eq!(answer.header("content-type"), "application/json");
    assert_eq!(answer.header("cache-control"), "no-store", "IR-08");
}

/// Has a client give a token back (RFC 7009); stops unless that is taken as it always is.
pub(crate) async fn revoke(wire: &Wire, client: &Application, token: &str) {
    let answer = client.post(wire.call(Method::POST, "/revoke"), &[("token", token)]).await;
    expect_revoked(&answer);
}

/// 200 with nothing in it, and no type (note 25 of the survey).
#[track_caller]
pub(crate) fn expect_revoked(answer: &Answer) {
    assert_eq!((answer.status.as_u16(), answer.body.as_str()), (200, ""), "{answer:#?}");
    assert!(!answer.headers.contains_key("content-type"), "{answer:#?}");
    assert_eq!(answer.header("cache-control"), "no-store", "IR-08");
}
