//! One run of a module: the suite as a relying party, with a browser of its own.

use std::collections::BTreeMap;

use reqwest::Method;
use serde_json::Value;
use url::{Url, form_urlencoded};

use super::{
    checks::{
        expect_description, expect_entropy, expect_id_token, expect_json, expect_keys, expect_tokens, expect_types,
        verified,
    },
    robot::{self, Visit},
    suite::Suite,
};
use crate::support::{Answer, Browser, Wire, unique_parameters};

/// What an error of `prompt=none` may say when nobody is signed in.
pub(super) const NOT_SIGNED_IN: [&str; 4] =
    ["login_required", "interaction_required", "account_selection_required", "consent_required"];

/// A static client of the suite's.
#[derive(Clone, Debug)]
pub(super) struct Client {
    pub(super) id: String,
    secret: String,
    post: bool,
}

/// Parameters of a request, in their order.
#[derive(Clone, Debug)]
pub(super) struct Request(pub(super) Vec<(String, String)>);

impl Request {
    pub(super) fn with(mut self, name: &str, value: &str) -> Self {
        self = self.without(name);
        self.0.push((name.to_owned(), value.to_owned()));
        self
    }

    pub(super) fn without(mut self, name: &str) -> Self {
        self.0.retain(|(key, _)| key != name);
        self
    }

    pub(super) fn get(&self, name: &str) -> Option<&str> {
        self.0.iter().find(|(key, _)| key == name).map(|(_, value)| value.as_str())
    }

    pub(super) fn encode(&self) -> String {
        form_urlencoded::Serializer::new(String::new()).extend_pairs(&self.0).finish()
    }
}

/// What a module has found out and where it stands.
pub(super) struct Module {
    pub(super) suite: &'static Suite,
    pub(super) configuration: Value,
    pub(super) metadata: Value,
    pub(super) keys: Value,
    pub(super) browser: Browser,
    /// The plan Form Post: everything comes back by a form.
    form_post: bool,
}

/// A flow that went the whole way.
pub(super) struct Done {
    pub(super) request: Request,
    pub(super) visit: Visit,
    pub(super) code: String,
    /// The answer of the token endpoint.
    pub(super) tokens: Value,
    /// The claims of the ID token.
    pub(super) id_token: Value,
}

impl Done {
    pub(super) fn access_token(&self) -> &str {
        self.tokens["access_token"].as_str().expect("an access token")
    }

    pub(super) fn hint(&self) -> &str {
        self.tokens["id_token"].as_str().expect("an ID token")
    }

    pub(super) fn auth_time(&self) -> i64 {
        self.id_token["auth_time"].as_i64().expect("auth_time")
    }
}

impl Module {
    /// What every module begins with: the configuration, the discovery document, the keys, an empty browser.
    pub(super) async fn start(configuration: &str) -> Self {
        let suite = Suite::get().await;
        let form_post = configuration == "formpost";
        let configuration = suite.configuration(configuration);
        let url = configuration["server"]["discoveryUrl"].as_str().expect("a URL");
        let metadata = expect_json(&suite.wire.get(url).await.expect_status(200));
        for name in ["issuer", "authorization_endpoint", "token_endpoint"] {
            assert!(metadata[name].is_string(), "{metadata:#}");
        }
        let keys = suite.wire.get(metadata["jwks_uri"].as_str().expect("a URL")).await.expect_status(200).json();
        expect_keys(&keys);
        let browser = Browser::new(suite.wire.clone());
        Self { suite, configuration, metadata, keys, browser, form_post }
    }

    pub(super) fn wire(&self) -> &Wire {
        &self.suite.wire
    }

    pub(super) fn endpoint(&self, name: &str) -> &str {
        self.metadata[name].as_str().unwrap_or_else(|| panic!("no {name}: {:#}", self.metadata))
    }

    /// The client that the configuration has under this name.
    pub(super) fn client(&self, part: &str) -> Client {
        let member = |name: &str| self.configuration[part][name].as_str().expect("text").to_owned();
        let post = part == "client_secret_post";
        let method = if post { "client_secret_post" } else { "client_secret_basic" };
        let methods = self.metadata["token_endpoint_auth_methods_supported"].as_array().expect("methods");
        assert!(methods.contains(&method.into()), "{methods:?}");
        Client { id: member("client_id"), secret: member("client_secret"), post }
    }

    pub(super) fn callback(&self) -> String {
        self.at("callback")
    }

    /// An address of the suite for this run.
    pub(super) fn at(&self, name: &str) -> String {
        format!("{}/test/a/{}/{name}", self.suite.address, self.configuration["alias"].as_str().expect("an alias"))
    }

    /// The request of the first client.
    pub(super) fn request(&self, scope: &str) -> Request {
        self.request_of(&self.client("client"), scope)
    }

    pub(super) fn request_of(&self, client: &Client, scope: &str) -> Request {
        let request = Request(Vec::new())
            .with("client_id", &client.id)
            .with("redirect_uri", &self.callback())
            .with("scope", scope)
            .with("state", &random(10))
            .with("nonce", &random(10))
            .with("response_type", "code");
        if self.form_post { request.with("response_mode", "form_post") } else { request }
    }

    /// Goes with a request to the authorization endpoint, as far as the tasks of the configuration lead.
    pub(super) async fn visit(&mut self, request: &Request) -> Visit {
        let url = format!("{}?{}", self.endpoint("authorization_endpoint"), request.encode());
        self.open(&url).await
    }

    /// Goes to an address from the suite's page.
    pub(super) async fn open(&mut self, url: &str) -> Visit {
        let call = self.browser.call(Method::GET, url).header("sec-fetch-site", "cross-site");
        let answer = self.browser.send(call).await;
        robot::drive(&mut self.browser, &self.configuration["browser"], answer).await
    }

    /// The same by a form on the suite's page.
    pub(super) async fn visit_by_post(&mut self, request: &Request) -> Visit {
        let url = self.endpoint("authorization_endpoint").to_owned();
        let answer = robot::post_from_elsewhere(&mut self.browser, &self.suite.address, &url, &request.0).await;
        robot::drive(&mut self.browser, &self.configuration["browser"], answer).await
    }

    /// What came to the callback, and nothing anywhere else of it.
    pub(super) fn received(&self, visit: &Visit) -> BTreeMap<String, String> {
        let (answer, callback) = (&visit.end, self.callback());
        if self.form_post {
            assert_eq!(answer.status, 200, "{answer:#?}");
            assert!(answer.header("content-type").starts_with("text/html"), "{answer:#?}");
            assert_eq!(answer.header("cache-control"), "no-store", "{answer:#?}");
            let form = answer.forms().into_iter().find(|form| form.action == callback);
            let form = form.unwrap_or_else(|| panic!("no form posts to {callback}: {answer:#?}"));
            assert_eq!(form.method, "POST");
            let inputs = form.elements.iter().filter(|element| element.name == "input");
            assert!(inputs.into_iter().all(|input| input.attribute("type") == Some("hidden")), "{form:#?}");
            // The suite's browser runs classic scripts only.
            let scripts = answer.elements("script");
            assert!(!scripts.is_empty() && scripts.iter().all(|s| s.attribute("type").is_none()), "{answer:#?}");
            let count = form.fields.len();
            let parameters: BTreeMap<_, _> = form.fields.into_iter().collect();
            assert_eq!(parameters.len(), count, "one comes twice");
            return parameters;
        }
        assert!([302, 303].contains(&answer.status.as_u16()), "{answer:#?}");
        let url = answer.location();
        assert_eq!(url.fragment(), None, "{url}");
        assert_eq!(url.as_str().split('?').next(), Some(callback.as_str()), "{url}");
        unique_parameters(&url)
    }

    /// The code of a success: `code`, `state`, `iss` and nothing else.
    pub(super) fn expect_code(&self, request: &Request, visit: &Visit) -> String {
        let mut parameters = self.received(visit);
        self.expect_state_and_issuer(request, &mut parameters);
        let code = parameters.remove("code").unwrap_or_else(|| panic!("no code: {parameters:?} {:#?}", visit.end));
        assert!(parameters.is_empty(), "{parameters:?}");
        expect_entropy(&code);
        code
    }

    /// The code of an error that came to the callback, and nothing that does not belong to it.
    pub(super) fn expect_error(&self, request: &Request, visit: &Visit) -> String {
        let mut parameters = self.received(visit);
        self.expect_state_and_issuer(request, &mut parameters);
        expect_description(&parameters.remove("error_description").unwrap_or_default());
        if let Some(uri) = parameters.remove("error_uri") {
            Url::parse(&uri).expect("a URL");
        }
        let error = parameters.remove("error").unwrap_or_else(|| panic!("no error: {:#?}", visit.end));
        assert!(parameters.is_empty(), "{parameters:?}");
        error
    }

    fn expect_state_and_issuer(&self, request: &Request, parameters: &mut BTreeMap<String, String>) {
        assert_eq!(parameters.remove("state").as_deref(), request.get("state"));
        // Announced by `authorization_response_iss_parameter_supported`, so it has to come.
        assert_eq!(parameters.remove("iss").as_ref(), Some(&self.suite.issuer));
    }

    /// A request to the token endpoint.
    pub(super) async fn token(&self, client: &Client, fields: &[(&str, &str)]) -> Answer {
        let call = self.wire().call(Method::POST, self.endpoint("token_endpoint")).header("accept", "application/json");
        let mut fields = fields.to_vec();
        let call = if client.post {
            fields.extend([("client_id", client.id.as_str()), ("client_secret", &client.secret)]);
            call
        } else {
            call.basic(&client.id, &client.secret)
        };
        call.form(&fields).send().await
    }

    pub(super) async fn exchange(
        &self,
        client: &Client,
        request: &Request,
        code: &str,
        more: &[(&str, &str)],
    ) -> Answer {
        let redirect_uri = request.get("redirect_uri").expect("a redirect URI");
        let fields = [("grant_type", "authorization_code"), ("code", code), ("redirect_uri", redirect_uri)];
        self.token(client, &[&fields[..], more].concat()).await
    }

    /// A whole flow of the first client with this request, everything checked.
    pub(super) async fn flow(&mut self, request: Request) -> Done {
        let client = self.client("client");
        let visit = self.visit(&request).await;
        self.finish(&client, request, visit, &[]).await
    }

    /// From the callback to the ID token.
    pub(super) async fn finish(&self, client: &Client, request: Request, visit: Visit, more: &[(&str, &str)]) -> Done {
        let code = self.expect_code(&request, &visit);
        let tokens = expect_tokens(&self.exchange(client, &request, &code, more).await);
        let id_token = self.id_token(client, &tokens, request.get("nonce"));
        Done { request, visit, code, tokens, id_token }
    }

    pub(super) fn id_token(&self, client: &Client, tokens: &Value, nonce: Option<&str>) -> Value {
        let claims = verified(&self.keys, tokens["id_token"].as_str().expect("an ID token"));
        let access_token = tokens["access_token"].as_str().expect("an access token");
        expect_id_token(&claims, &self.suite.issuer, &client.id, nonce, access_token);
        claims
    }

    /// What the `UserInfo` endpoint says to this request about the person of the flow.
    pub(super) fn expect_userinfo(done: &Done, answer: &Answer) -> Value {
        assert_eq!(answer.status, 200, "{answer:#?}");
        let claims = expect_json(answer);
        assert_eq!(claims["sub"], done.id_token["sub"], "{answer:#?}");
        expect_types(&claims);
        claims
    }

    pub(super) async fn userinfo(&self, done: &Done) -> Value {
        let call = self.wire().call(Method::GET, self.endpoint("userinfo_endpoint")).bearer(done.access_token());
        Self::expect_userinfo(done, &call.send().await)
    }

    /// Nobody is signed in here: what `prompt=none` is told.
    pub(super) async fn expect_signed_out(&mut self) {
        let request = self.request("openid").with("prompt", "none").with("state", &random(128));
        let visit = self.visit(&request).await;
        assert!(visit.pages.is_empty(), "{:?}", visit.pages);
        let error = self.expect_error(&request, &visit);
        assert!(NOT_SIGNED_IN.contains(&error.as_str()), "{error}");
    }
}

/// As many characters that need no encoding.
pub(super) fn random(length: usize) -> String {
    const ALPHABET: &[u8] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~";
    (0..length).map(|_| char::from(ALPHABET[rand::random_range(0..ALPHABET.len())])).collect()
}
