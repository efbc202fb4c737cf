//! An application that signs a person in: authorization code with PKCE, then the token endpoint.

use std::{collections::BTreeMap, ops::Deref};

use base64::{Engine as _, prelude::BASE64_URL_SAFE_NO_PAD};
use reqwest::Method;
use serde_json::Value;
use sha2::{Digest, Sha256};
use url::{Url, form_urlencoded};

use super::{
    answer::{Answer, unique_parameters},
    browser::Browser,
    fixtures::{Application, Person},
    html::Form,
    wire::Wire,
};

/// One authorization request, and what the application remembers of it. Every one has its own state, nonce and verifier.
#[derive(Clone, Debug)]
pub(crate) struct Flow {
    pub(crate) application: Application,
    pub(crate) verifier: String,
    parameters: Vec<(String, String)>,
}

impl Flow {
    /// Asks for `openid profile email offline_access` with PKCE S256.
    pub(crate) fn new(application: &Application) -> Self {
        let verifier = random();
        let challenge = BASE64_URL_SAFE_NO_PAD.encode(Sha256::digest(&verifier));
        let flow = Self { application: application.clone(), verifier, parameters: Vec::new() };
        flow.with("response_type", "code")
            .with("client_id", &application.id)
            .with("redirect_uri", &application.redirect_uri)
            .with("scope", "openid profile email offline_access")
            .with("state", &random())
            .with("nonce", &random())
            .with("code_challenge", &challenge)
            .with("code_challenge_method", "S256")
    }

    /// Sets a parameter of the request, in place of one of this name.
    pub(crate) fn with(mut self, name: &str, value: &str) -> Self {
        self = self.without(name);
        self.and(name, value)
    }

    /// Adds a parameter, beside one of this name.
    pub(crate) fn and(mut self, name: &str, value: &str) -> Self {
        self.parameters.push((name.to_owned(), value.to_owned()));
        self
    }

    pub(crate) fn without(mut self, name: &str) -> Self {
        self.parameters.retain(|(key, _)| key != name);
        self
    }

    /// A parameter of the request, empty when it has none.
    pub(crate) fn parameter(&self, name: &str) -> &str {
        self.parameters.iter().find(|(key, _)| key == name).map_or("", |(_, value)| value)
    }

    pub(crate) fn parameters(&self) -> &[(String, String)] {
        &self.parameters
    }

    /// Path and query of the authorization request.
    pub(crate) fn path(&self) -> String {
        let query = form_urlencoded::Serializer::new(String::new()).extend_pairs(&self.parameters).finish();
        format!("/authorize?{query}")
    }

    /// Sends the browser to the provider; the first answer, whatever it is.
    pub(crate) async fn begin(&self, browser: &mut Browser) -> Answer {
        let call = browser.call(Method::GET, &self.path()).default_header("sec-fetch-site", "cross-site");
        browser.send(call).await
    }

    /// Sends the browser to the provider and follows it to the first page, or back to the application.
    pub(crate) async fn open(&self, browser: &mut Browser) -> Answer {
        let first = self.begin(browser).await;
        browser.follow(first).await
    }

    /// Goes the whole way: signs the person in where a page asks for it, allows what is asked, back to the application.
    pub(crate) async fn sign_in(&self, browser: &mut Browser, person: &Person) -> Reply {
        let mut answer = self.open(browser).await;
        for _ in 0..5 {
            if let Some(reply) = self.reply(&answer) {
                return reply;
            }
            answer = answer.expect_status(200);
            let next = if let Some(form) = form_with(&answer, "password") {
                let typed = [("username", person.username.as_str()), ("password", person.password.as_str())];
                browser.submit(&form, Some("sign-in"), &typed).await
            } else if let Some(form) = form_with(&answer, "decision") {
                browser.submit(&form, Some("consent-allow"), &[]).await
            } else {
                panic!("neither sign-in nor consent: {answer:#?}");
            };
            answer = browser.follow(next).await;
        }
        panic!("the application is not reached: {answer:#?}");
    }

    /// What came back to the application, if this answer leads there: by redirect, or by a form to be posted.
    #[track_caller]
    pub(crate) fn reply(&self, answer: &Answer) -> Option<Reply> {
        let redirect_uri = self.parameter("redirect_uri");
        let target = Url::parse(redirect_uri).ok()?;
        if answer.status.is_redirection() {
            let url = answer.location();
            assert!(answer.header("location").starts_with(redirect_uri), "another place: {answer:#?}");
            let carried = match self.parameter("response_mode") {
                "fragment" => Url::parse(&format!("x:?{}", url.fragment().expect("a fragment"))).expect("parameters"),
                _ => url.clone(),
            };
            return Some(Reply { parameters: unique_parameters(&carried), url });
        }
        let form = answer.forms().into_iter().find(|form| Url::parse(&form.action).is_ok_and(|url| url == target))?;
        Some(Reply { parameters: form.fields.into_iter().collect(), url: target })
    }

    /// Exchanges a code, with everything right.
    pub(crate) async fn exchange(&self, wire: &Wire, code: &str) -> Tokens {
        let fields = [
            ("grant_type", "authorization_code"),
            ("code", code),
            ("redirect_uri", self.parameter("redirect_uri")),
            ("code_verifier", &self.verifier),
        ];
        self.token(wire, &fields).await
    }

    pub(crate) async fn refresh(&self, wire: &Wire, refresh_token: &str) -> Tokens {
        self.token(wire, &[("grant_type", "refresh_token"), ("refresh_token", refresh_token)]).await
    }

    /// Any request to the token endpoint, authenticated as the application.
    pub(crate) async fn token(&self, wire: &Wire, fields: &[(&str, &str)]) -> Tokens {
        Tokens(self.application.post(wire.call(Method::POST, "/token"), fields).await)
    }

    /// The whole main job: sign in, exchange, stop unless there are tokens.
    pub(crate) async fn tokens(&self, wire: &Wire, browser: &mut Browser, person: &Person) -> Tokens {
        let reply = self.sign_in(browser, person).await;
        self.exchange(wire, reply.code()).await.expect_tokens()
    }
}

/// The form that has a control of this name.
fn form_with(answer: &Answer, control: &str) -> Option<Form> {
    answer.forms().into_iter().find(|form| form.has(control))
}

/// 256 random bits as text.
pub(crate) fn random() -> String {
    BASE64_URL_SAFE_NO_PAD.encode(rand::random::<[u8; 32]>())
}

/// What the provider told the application through the browser.
#[derive(Clone, Debug)]
pub(crate) struct Reply {
    pub(crate) url: Url,
    pub(crate) parameters: BTreeMap<String, String>,
}

impl Reply {
    #[track_caller]
    pub(crate) fn code(&self) -> &str {
        self.parameters.get("code").unwrap_or_else(|| panic!("no code: {self:#?}"))
    }

    /// Checks an error response: the code, `iss` (RFC 9207), `state` byte for byte, and no authorization code.
    #[track_caller]
    pub(crate) fn expect_error(&self, flow: &Flow, issuer: &str, error: &str) {
        let get = |name: &str| self.parameters.get(name).map(String::as_str);
        assert_eq!(get("error"), Some(error), "{self:#?}");
        assert_eq!(get("iss"), Some(issuer), "{self:#?}");
        assert_eq!(get("state").unwrap_or_default(), flow.parameter("state"), "{self:#?}");
        assert_eq!(get("code"), None, "{self:#?}");
    }
}

/// An answer of the token endpoint.
#[derive(Clone, Debug)]
pub(crate) struct Tokens(pub(crate) Answer);

impl Tokens {
    /// Stops unless it is a success (RFC 6749 §5.1).
    #[track_caller]
    pub(crate) fn expect_tokens(self) -> Self {
        let answer = self.0.expect_status(200);
        assert_eq!(answer.header("cache-control"), "no-store", "{answer:#?}");
        assert_eq!(answer.json::<Value>()["token_type"], "Bearer", "{answer:#?}");
        Self(answer)
    }

    #[track_caller]
    pub(crate) fn access_token(&self) -> String {
        self.member("access_token")
    }

    #[track_caller]
    pub(crate) fn refresh_token(&self) -> String {
        self.member("refresh_token")
    }

    #[track_caller]
    pub(crate) fn id_token(&self) -> String {
        self.member("id_token")
    }

    /// The payload of a JWT, unverified: for looking, not for trusting.
    #[track_caller]
    pub(crate) fn claims(token: &str) -> Value {
        let payload = token.split('.').nth(1).unwrap_or_else(|| panic!("no JWT: {token}"));
        let bytes = BASE64_URL_SAFE_NO_PAD.decode(payload).unwrap_or_else(|error| panic!("{error}: {token}"));
        serde_json::from_slice(&bytes).unwrap_or_else(|error| panic!("{error}: {token}"))
    }

    #[track_caller]
    fn member(&self, name: &str) -> String {
        let value = self.0.json::<Value>();
        value[name].as_str().unwrap_or_else(|| panic!("no {name}: {:#?}", self.0)).to_owned()
    }
}

impl Deref for Tokens {
    type Target = Answer;

    fn deref(&self) -> &Answer {
        &self.0
    }
}
