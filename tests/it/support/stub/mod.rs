//! A provider in the test's own process that does what a test says: sound, until it is given a [`Fault`].
//!
//! It has no sign-in page. A test reads the authorization request from the redirect of the server under test, and
//! [`Stub::answer`] says with what the person's browser comes back.

mod endpoints;
mod fault;
mod tokens;

use std::{
    collections::{BTreeMap, HashMap},
    sync::{Arc, Mutex, MutexGuard},
};

use axum::Router;
use bonafide::platform::clock::{Clock, ManualClock};
use chrono::{DateTime, Duration, Utc};
use serde_json::Value;
use tokio::net::TcpListener;
use url::Url;

pub(crate) use self::fault::{Fault, LogoutFault};
use self::tokens::Key;
use super::{answer::unique_parameters, flow::random};

/// A running stub with one client, which is the server under test.
pub(crate) struct Stub {
    /// `http://127.0.0.1:PORT`.
    pub(crate) issuer: String,
    /// `127.0.0.1:PORT`, for `outgoing.allow`.
    pub(crate) address: String,
    pub(crate) client_id: String,
    pub(crate) client_secret: String,
    shared: Arc<Shared>,
}

/// What its listener knows too.
struct Shared {
    issuer: String,
    client_id: String,
    client_secret: String,
    state: Mutex<State>,
}

struct State {
    fault: Option<Fault>,
    clock: Option<ManualClock>,
    /// The ID token says who somebody is, and only userinfo what they are called.
    reserved: bool,
    /// What it signs with, and publishes.
    key: Key,
    codes: HashMap<String, Given>,
    /// The people that its access tokens are about.
    tokens: HashMap<String, Value>,
    emails: Value,
    /// How often each path was asked for.
    requests: BTreeMap<String, usize>,
    /// How the client proved itself, one entry a request to the token endpoint.
    authenticated: Vec<&'static str>,
    signed_out: Vec<BTreeMap<String, String>>,
}

/// What a code was given for.
struct Given {
    claims: Value,
    redirect_uri: String,
    challenge: Option<String>,
    nonce: Option<String>,
    /// OpenID Connect; plain OAuth 2 knows no ID token.
    openid: bool,
}

impl Stub {
    pub(crate) async fn listen() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a listener");
        let address = listener.local_addr().expect("an address").to_string();
        let (issuer, client_id, client_secret) = (format!("http://{address}"), "bonafide.stub".to_owned(), random());
        let state = State {
            fault: None,
            clock: None,
            reserved: false,
            key: Key::new("RS256"),
            codes: HashMap::new(),
            tokens: HashMap::new(),
            emails: Value::Array(Vec::new()),
            requests: BTreeMap::new(),
            authenticated: Vec::new(),
            signed_out: Vec::new(),
        };
        let shared = Shared {
            issuer: issuer.clone(),
            client_id: client_id.clone(),
            client_secret: client_secret.clone(),
            state: Mutex::new(state),
        };
        let shared = Arc::new(shared);
        let router = Router::new().fallback(endpoints::serve).with_state(Arc::clone(&shared));
        tokio::spawn(async move { axum::serve(listener, router).await });
        Self { issuer, address, client_id, client_secret, shared }
    }

    /// The settings that make it a provider of this name, and that let it be reached.
    pub(crate) fn settings(&self, name: &str) -> Vec<(String, String)> {
        let of = |member: &str, value: &str| (format!("providers.{name}.{member}"), value.to_owned());
        vec![
            of("issuer", &self.issuer),
            of("client_id", &self.client_id),
            of("client_secret", &self.client_secret),
            ("outgoing.allow".to_owned(), self.address.clone()),
        ]
    }

    /// Goes by this clock from now on, as the server under test does.
    pub(crate) fn follow(&self, clock: &ManualClock) {
        self.state().clock = Some(clock.clone());
    }

    /// Breaks it in one place, or mends it.
    pub(crate) fn set_fault(&self, fault: impl Into<Option<Fault>>) {
        self.state().fault = fault.into();
    }

    /// Tells names and addresses at userinfo only, not in ID tokens.
    pub(crate) fn keep_claims_to_userinfo(&self) {
        self.state().reserved = true;
    }

    /// Signs with another key from now on; the old one is published no more.
    pub(crate) fn rotate_keys(&self) {
        self.sign_with("RS256");
    }

    /// The same with a key for this algorithm (RS256, PS256, ES256, `EdDSA`).
    pub(crate) fn sign_with(&self, alg: &'static str) {
        self.state().key = Key::new(alg);
    }

    /// What `/emails` answers.
    pub(crate) fn set_emails(&self, emails: Value) {
        self.state().emails = emails;
    }

    /// A code for this authorization request: of a person with these claims, bound to its challenge and nonce, good once.
    #[track_caller]
    pub(crate) fn code(&self, request: &Url, claims: Value) -> String {
        assert!(request.as_str().starts_with(&format!("{}/authorize?", self.issuer)), "{request}");
        let parameters = unique_parameters(request);
        assert_eq!(parameters["client_id"], self.client_id);
        assert_eq!(parameters["response_type"], "code");
        let get = |name: &str| parameters.get(name).cloned();
        let openid = get("scope").is_some_and(|scope| scope.split(' ').any(|scope| scope == "openid"));
        let given = Given {
            claims,
            redirect_uri: parameters["redirect_uri"].clone(),
            challenge: get("code_challenge"),
            nonce: get("nonce"),
            openid,
        };
        let code = random();
        self.state().codes.insert(code.clone(), given);
        code
    }

    /// Where the browser is sent when a person with these claims has signed in: `redirect_uri` with code, state and `iss`.
    #[track_caller]
    pub(crate) fn answer(&self, request: &Url, claims: Value) -> Url {
        let code = self.code(request, claims);
        self.reply(request, &[("code", &code)])
    }

    /// Where it is sent with an answer of any kind: these parameters, state and `iss`.
    #[track_caller]
    pub(crate) fn reply(&self, request: &Url, parameters: &[(&str, &str)]) -> Url {
        let asked = unique_parameters(request);
        let mut url = Url::parse(&asked["redirect_uri"]).expect("a URL");
        url.query_pairs_mut().extend_pairs(parameters);
        url.query_pairs_mut().append_pair("state", &asked["state"]).append_pair("iss", &self.issuer);
        url
    }

    /// A logout token (OpenID Connect Back-Channel Logout 1.0 §2.4) about the `sub` or `sid` in these claims.
    pub(crate) fn logout_token(&self, claims: &Value, fault: impl Into<Option<LogoutFault>>) -> String {
        tokens::logout_token(&self.shared, &self.state(), claims, fault.into())
    }

    /// An ID token for an audience, as a front end gets one by itself.
    pub(crate) fn id_token(&self, audience: &str, claims: &Value, nonce: Option<&str>) -> String {
        let state = self.state();
        let id_token = tokens::IdToken { audience, claims, nonce, access_token: None };
        tokens::id_token(&self.shared, &state, &id_token)
    }

    /// How often this path was asked for.
    pub(crate) fn requests(&self, path: &str) -> usize {
        self.state().requests.get(path).copied().unwrap_or_default()
    }

    /// How the client proved itself at the token endpoint, one entry a request.
    pub(crate) fn authenticated(&self) -> Vec<&'static str> {
        self.state().authenticated.clone()
    }

    /// With what its end-session endpoint was asked for.
    pub(crate) fn signed_out(&self) -> Vec<BTreeMap<String, String>> {
        self.state().signed_out.clone()
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.shared.state()
    }
}

impl Shared {
    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().expect("nobody stopped while holding it")
    }
}

impl State {
    fn has(&self, fault: Fault) -> bool {
        self.fault == Some(fault)
    }

    fn now(&self) -> DateTime<Utc> {
        self.clock.as_ref().map_or_else(Utc::now, Clock::now)
    }

    fn in_seconds(&self, seconds: i64) -> i64 {
        (self.now() + Duration::seconds(seconds)).timestamp()
    }
}
