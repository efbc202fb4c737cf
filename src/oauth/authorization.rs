//! The authorization request (RFC 6749 section 4.1.1, OpenID Connect Core section 3.1.2.1): is it sound, and is the client
//! what it says it is? Until that is known nothing is sent anywhere; afterwards every refusal goes to the client.

use std::borrow::Cow;
use std::sync::Arc;

use oxide_auth::code_grant::authorization::{Authorization, Input, Output, Request};
use oxide_auth::primitives::grant::Extensions;
use oxide_auth::primitives::registrar::{BoundClient, ExactUrl, PreGrant, RegisteredUrl};
use oxide_auth::primitives::scope::Scope;

use super::parameters::Parameters;
use super::{ErrorCode, pkce, scope, step};
use crate::clients::{Client, GrantType, Registry, redirect_matches};
use crate::grants::CodeRequest;

/// Longest `state` and `nonce`: more than the kilobyte that libraries put there.
const LONGEST: usize = 4096;

/// Where answers go: exists only after client and redirect URI are proven.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ReplyTo {
    redirect_uri: String,
    state: Option<String>,
    issuer: String,
}

impl ReplyTo {
    pub fn redirect_uri(&self) -> &str {
        &self.redirect_uri
    }

    /// The redirect that carries a code (RFC 6749 section 4.1.2, RFC 9207).
    pub fn code(&self, code: &str) -> String {
        self.url(&[("code", code)])
    }

    /// The redirect that carries an error (section 4.1.2.1).
    pub fn error(&self, code: ErrorCode, description: &str) -> String {
        self.url(&[("error", code.name()), ("error_description", description)])
    }

    /// The redirect URI byte for byte, its own query kept, ours behind it.
    fn url(&self, parameters: &[(&str, &str)]) -> String {
        let mut query = form_urlencoded::Serializer::new(String::new());
        query.extend_pairs(parameters);
        if let Some(state) = &self.state {
            query.append_pair("state", state);
        }
        query.append_pair("iss", &self.issuer);
        let separator = if self.redirect_uri.contains('?') { '&' } else { '?' };
        format!("{}{separator}{}", self.redirect_uri, query.finish())
    }
}

/// Why a request is not answered with a page of its own or a code.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Refusal {
    /// Nobody to send an answer to: a page for the person.
    Page(PageFault),
    /// The client hears it.
    Client { reply: ReplyTo, code: ErrorCode, description: &'static str },
}

/// What the page says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum PageFault {
    UnknownClient,
    RedirectUriMissing,
    RedirectUriUnknown(String),
    Malformed(&'static str),
    /// The protocol machine went astray.
    Fault,
}

/// What a page may be shown for (OpenID Connect Core section 3.1.2.1, `prompt`).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Prompt {
    pub none: bool,
    pub login: bool,
    pub consent: bool,
}

/// A sound request of a known client.
#[derive(Clone, Debug)]
pub struct AuthorizationRequest {
    pub client: Arc<Client>,
    pub reply: ReplyTo,
    /// In the order they were asked for; unknown ones are gone.
    pub scopes: Vec<String>,
    pub audience: Option<String>,
    pub challenge: Option<String>,
    pub nonce: Option<String>,
    pub prompt: Prompt,
    /// Seconds.
    pub max_age: Option<i64>,
    pub login_hint: Option<String>,
    pub ui_locales: Option<String>,
}

impl AuthorizationRequest {
    /// What a code for this request stands for.
    pub fn code_request(&self) -> CodeRequest {
        CodeRequest {
            client_id: self.client.id.clone(),
            redirect_uri: self.reply.redirect_uri.clone(),
            challenge: self.challenge.clone(),
            scope: self.scopes.join(" "),
            audience: self.audience.clone(),
            nonce: self.nonce.clone(),
        }
    }

    pub fn refuse(&self, code: ErrorCode, description: &'static str) -> Refusal {
        Refusal::Client { reply: self.reply.clone(), code, description }
    }
}

/// The id that the request gives its client, to look the client up with.
pub fn client_id(parameters: &Parameters) -> Result<&str, PageFault> {
    parameters.one("client_id").map_err(|_| PageFault::Malformed("client_id"))?.ok_or(PageFault::UnknownClient)
}

/// Reads and checks a request.
pub fn validate(
    parameters: &Parameters,
    client: Option<Arc<Client>>,
    registry: &Registry,
    issuer: &str,
) -> Result<AuthorizationRequest, Refusal> {
    let fault = || Refusal::Page(PageFault::Fault);
    let client = client.ok_or(Refusal::Page(PageFault::UnknownClient))?;
    let redirect_uri = bind(parameters, &client)?;
    let request = Proven { parameters, client: &client, redirect_uri: &redirect_uri };
    let mut machine = Authorization::new(&request);
    step!(machine.advance(Input::None) => Output::Bind { .. }, fault());
    let exact = ExactUrl::new(redirect_uri.clone()).map_err(|_| fault())?;

    // From here on every refusal goes to the client.
    let reply = ReplyTo {
        redirect_uri: redirect_uri.clone(),
        // One that is too long is refused, and not carried back either: the answer would be as long.
        state: parameters.get("state").filter(|state| state.len() <= LONGEST).map(str::to_owned),
        issuer: issuer.to_owned(),
    };
    let refuse = |code, description| Refusal::Client { reply: reply.clone(), code, description };
    check_form(parameters).map_err(|(code, description)| refuse(code, description))?;
    if !client.may(GrantType::AuthorizationCode) {
        return Err(refuse(ErrorCode::UnauthorizedClient, "this client may not use the authorization code grant"));
    }
    let registered = RegisteredUrl::Exact(exact);
    let bound_client =
        BoundClient { client_id: Cow::Owned(client.id.clone()), redirect_uri: Cow::Owned(registered.clone()) };
    match machine.advance(Input::Bound { request: &request, bound_client }) {
        Output::Extend => {}
        _ => return Err(refuse(ErrorCode::InvalidScope, "scope is not a list of scope tokens")),
    }
    let audience = audience(parameters, &client, registry).map_err(|(code, description)| refuse(code, description))?;
    let scopes = scopes(parameters, &client, registry, audience.as_deref())
        .map_err(|(code, description)| refuse(code, description))?;
    let challenge =
        challenge(parameters, &client).map_err(|description| refuse(ErrorCode::InvalidRequest, description))?;
    let prompt = prompt(parameters).map_err(|description| refuse(ErrorCode::InvalidRequest, description))?;
    let max_age = match parameters.get("max_age") {
        None => None,
        Some(text) => match text.parse::<i64>() {
            Ok(seconds) if seconds >= 0 && text.bytes().all(|byte| byte.is_ascii_digit()) => Some(seconds),
            _ => return Err(refuse(ErrorCode::InvalidRequest, "max_age is not a number of seconds")),
        },
    };
    step!(machine.advance(Input::Extended(Extensions::new())) => Output::Negotiate { .. }, fault());
    // What is granted is decided on; the machine only has to agree that a grant may follow.
    let granted: Scope = scopes.join(" ").parse().map_err(|_| fault())?;
    let pre_grant = PreGrant { client_id: client.id.clone(), redirect_uri: registered, scope: granted };
    step!(machine.advance(Input::Negotiated { pre_grant, state: None }) => Output::Ok { .. }, fault());

    Ok(AuthorizationRequest {
        reply,
        scopes,
        audience,
        challenge,
        nonce: parameters.get("nonce").map(str::to_owned),
        prompt,
        max_age,
        login_hint: parameters.get("login_hint").filter(|hint| hint.len() <= 320).map(str::to_owned),
        ui_locales: parameters.get("ui_locales").map(str::to_owned),
        client,
    })
}

/// The redirect URI, if it is the client's. It is compulsory, even where only one is registered.
fn bind(parameters: &Parameters, client: &Client) -> Result<String, Refusal> {
    let asked = parameters.one("redirect_uri").map_err(|_| Refusal::Page(PageFault::Malformed("redirect_uri")))?;
    let asked = asked.ok_or(Refusal::Page(PageFault::RedirectUriMissing))?;
    if client.redirect_uris.iter().any(|registered| redirect_matches(registered, asked)) {
        Ok(asked.to_owned())
    } else {
        Err(Refusal::Page(PageFault::RedirectUriUnknown(asked.chars().take(512).collect())))
    }
}

type Wrong = (ErrorCode, &'static str);

/// What every request must have or must not have, whatever it asks for.
fn check_form(parameters: &Parameters) -> Result<(), Wrong> {
    if parameters.require_single().is_err() {
        return Err((ErrorCode::InvalidRequest, "a parameter is repeated"));
    }
    if parameters.get("request").is_some() {
        return Err((ErrorCode::RequestNotSupported, "request objects are not supported"));
    }
    if parameters.get("request_uri").is_some() {
        return Err((ErrorCode::RequestUriNotSupported, "request_uri is not supported"));
    }
    match parameters.get("response_type") {
        None => return Err((ErrorCode::InvalidRequest, "response_type is missing")),
        Some("code") => {}
        Some(_) => return Err((ErrorCode::UnsupportedResponseType, "only the response type code is supported")),
    }
    if parameters.get("response_mode").is_some_and(|mode| mode != "query") {
        return Err((ErrorCode::InvalidRequest, "only the response mode query is supported"));
    }
    for (name, description) in [("state", "state is too long"), ("nonce", "nonce is too long")] {
        if parameters.get(name).is_some_and(|value| value.len() > LONGEST) {
            return Err((ErrorCode::InvalidRequest, description));
        }
    }
    Ok(())
}

/// The API that the access token will be for: the one named (RFC 8707), or the client's default; `None` is ourselves.
pub(super) fn audience(parameters: &Parameters, client: &Client, registry: &Registry) -> Result<Option<String>, Wrong> {
    let mut named: Vec<&str> = parameters.all("resource").collect();
    named.dedup();
    match named.as_slice() {
        [] => Ok(client.default_audience.clone()),
        [one] => registry
            .api(one)
            .map(|api| Some(api.audience.clone()))
            .ok_or((ErrorCode::InvalidTarget, "resource names no API that is registered here")),
        _ => Err((ErrorCode::InvalidTarget, "a token is for one API: name one resource")),
    }
}

/// The scopes of the request that mean something: unknown ones are dropped, known ones that the client or the API does not
/// have are refused.
fn scopes(
    parameters: &Parameters,
    client: &Client,
    registry: &Registry,
    audience: Option<&str>,
) -> Result<Vec<String>, Wrong> {
    let asked = scope::parse(parameters.get("scope").unwrap_or_default())
        .ok_or((ErrorCode::InvalidScope, "scope is not a list of scope tokens"))?;
    let mut granted = Vec::with_capacity(asked.len());
    for scope in asked {
        if !registry.knows_scope(&scope) {
            continue;
        }
        if !client.may_ask_for(&scope) {
            return Err((ErrorCode::InvalidScope, "this client may not ask for one of the scopes"));
        }
        if !scope::STANDARD.contains(&scope.as_str()) && !scope_of(registry, audience, &scope) {
            return Err((ErrorCode::InvalidScope, "one of the scopes is not of the API that the token is for"));
        }
        granted.push(scope);
    }
    Ok(granted)
}

/// Whether a scope belongs to the API that a token is for.
pub(super) fn scope_of(registry: &Registry, audience: Option<&str>, scope: &str) -> bool {
    match audience {
        None => scope::RESERVED.contains(&scope),
        Some(audience) => registry.api(audience).is_some_and(|api| api.scopes.iter().any(|known| known == scope)),
    }
}

fn challenge(parameters: &Parameters, client: &Client) -> Result<Option<String>, &'static str> {
    match (parameters.get("code_challenge"), parameters.get("code_challenge_method")) {
        (None, None) if client.pkce_required => Err("code_challenge is missing (RFC 7636)"),
        (None, None) => Ok(None),
        (None, Some(_)) => Err("code_challenge is missing (RFC 7636)"),
        (Some(_), method) if method != Some("S256") => Err("code_challenge_method must be S256"),
        (Some(challenge), _) if pkce::is_challenge(challenge) => Ok(Some(challenge.to_owned())),
        _ => Err("code_challenge is not the base64url of a SHA-256 hash"),
    }
}

fn prompt(parameters: &Parameters) -> Result<Prompt, &'static str> {
    let mut prompt = Prompt::default();
    let mut count = 0;
    for value in parameters.get("prompt").unwrap_or_default().split(' ').filter(|value| !value.is_empty()) {
        count += 1;
        match value {
            "none" => prompt.none = true,
            // Choosing an account is done on the sign-in page.
            "login" | "select_account" => prompt.login = true,
            "consent" => prompt.consent = true,
            _ => {}
        }
    }
    if prompt.none && count > 1 { Err("prompt=none stands alone") } else { Ok(prompt) }
}

/// The request as the machine sees it: the client and its redirect URI are proven.
struct Proven<'r> {
    parameters: &'r Parameters,
    client: &'r Client,
    redirect_uri: &'r str,
}

impl Request for Proven<'_> {
    fn valid(&self) -> bool {
        true
    }

    fn client_id(&self) -> Option<Cow<'_, str>> {
        Some(Cow::Borrowed(&self.client.id))
    }

    fn scope(&self) -> Option<Cow<'_, str>> {
        self.parameters.get("scope").map(Cow::Borrowed)
    }

    fn redirect_uri(&self) -> Option<Cow<'_, str>> {
        Some(Cow::Borrowed(self.redirect_uri))
    }

    fn state(&self) -> Option<Cow<'_, str>> {
        None
    }

    fn response_type(&self) -> Option<Cow<'_, str>> {
        self.parameters.get("response_type").map(Cow::Borrowed)
    }

    fn extension(&self, key: &str) -> Option<Cow<'_, str>> {
        self.parameters.get(key).map(Cow::Borrowed)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        /// `state` comes back byte for byte, and the redirect URI's own query stays in front of ours.
        #[test]
        fn replies_keep_state_and_query(state in "\\PC{1,80}", query in "(\\?a=1)?") {
            let reply = ReplyTo {
                redirect_uri: format!("https://app.example/cb{query}"),
                state: Some(state.clone()),
                issuer: "https://id.example".to_owned(),
            };
            let url = url::Url::parse(&reply.code("c")).unwrap();
            let pairs: Vec<(String, String)> = url.query_pairs().into_owned().collect();
            let ours = &pairs[pairs.len() - 3..];
            prop_assert!(url.as_str().starts_with(&reply.redirect_uri));
            prop_assert_eq!(ours, &[
                ("code".to_owned(), "c".to_owned()),
                ("state".to_owned(), state),
                ("iss".to_owned(), "https://id.example".to_owned()),
            ]);
        }
    }
}
