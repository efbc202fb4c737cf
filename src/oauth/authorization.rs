//! The authorization request (RFC 6749 section 4.1.1, OpenID Connect Core section 3.1.2.1): is it sound, and is the client
//! what it says it is? Until that is known nothing is sent anywhere; afterwards every refusal goes to the client.

use std::borrow::Cow;
use std::sync::Arc;

use oxide_auth::code_grant::authorization::{Authorization, Input, Output, Request};
use oxide_auth::primitives::grant::Extensions;
use oxide_auth::primitives::registrar::{BoundClient, ExactUrl, PreGrant, RegisteredUrl};
use oxide_auth::primitives::scope::Scope;

use super::claims_request::{ClaimsRequest, Requested};
use super::hint::{self, Hint};
use super::parameters::Parameters;
use super::prompt::Prompt;
use super::reply::{ReplyTo, ResponseMode};
use super::{ErrorCode, pkce, scope, step, why};
use crate::clients::{Client, GrantType, Registry, redirect_matches};
use crate::grants::CodeRequest;
use crate::keys::KeySet;
use crate::trace::{self, Rule};

/// Longest `state` and `nonce`: more than the kilobyte that libraries put there.
const LONGEST: usize = 4096;

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
    /// Claims asked for by name.
    pub claims: Requested,
    /// The scopes that would give these.
    pub claimed: Vec<String>,
    /// The only person who will do: the one of `id_token_hint`, or of `sub` in `claims`.
    pub subject: Option<String>,
    /// The only `acr` values that will do.
    pub essential_acr: Option<Vec<String>>,
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
            claims: self.claims.to_stored(),
        }
    }

    /// What the person is asked to allow: the scopes, and those whose claims are asked for by name.
    pub fn consents(&self) -> Vec<String> {
        let mut all = self.scopes.clone();
        for scope in &self.claimed {
            if !all.contains(scope) {
                all.push(scope.clone());
            }
        }
        all
    }

    pub fn refuse(&self, code: ErrorCode, description: &'static str) -> Refusal {
        Refusal::Client { reply: self.reply.clone(), code, description }
    }
}

/// The id that the request gives its client, to look the client up with.
pub fn client_id(parameters: &Parameters) -> Result<&str, PageFault> {
    let named = parameters.one("client_id").map_err(|_| {
        trace::fail(Rule::ParametersSingle, why::repeated);
        PageFault::Malformed("client_id")
    })?;
    named.ok_or_else(|| {
        trace::fail(Rule::ClientNamed, why::client_missing);
        PageFault::UnknownClient
    })
}

/// Reads and checks a request.
pub fn validate(
    parameters: &Parameters,
    client: Option<Arc<Client>>,
    registry: &Registry,
    keys: &KeySet,
    issuer: &str,
) -> Result<AuthorizationRequest, Refusal> {
    let fault = || Refusal::Page(PageFault::Fault);
    let named = parameters.get("client_id").unwrap_or_default();
    let Some(client) = client else {
        trace::judge(|| why::unknown_client(named, registry));
        return Err(Refusal::Page(PageFault::UnknownClient));
    };
    trace::pass(Rule::ClientRegistered);
    trace::pass(Rule::ClientEnabled);
    let redirect_uri = bind(parameters, &client)?;
    trace::pass(Rule::RedirectUriRegistered);
    let request = Proven { parameters, client: &client, redirect_uri: &redirect_uri };
    let mut machine = Authorization::new(&request);
    step!(machine.advance(Input::None) => Output::Bind { .. }, fault());
    let exact = ExactUrl::new(redirect_uri.clone()).map_err(|_| fault())?;

    // From here on every refusal goes to the client.
    let reply = ReplyTo {
        redirect_uri: redirect_uri.clone(),
        // Answers about a mode that there is not go by the ordinary one.
        mode: parameters.get("response_mode").and_then(ResponseMode::parse).unwrap_or_default(),
        // One that is too long is refused, and not carried back either: the answer would be as long.
        state: parameters.get("state").filter(|state| state.len() <= LONGEST).map(str::to_owned),
        issuer: issuer.to_owned(),
    };
    let refuse = |code, description| Refusal::Client { reply: reply.clone(), code, description };
    check_form(parameters).map_err(|(code, description)| refuse(code, description))?;
    if !client.may(GrantType::AuthorizationCode) {
        trace::fail(Rule::GrantAllowed, || why::grant(&client, GrantType::AuthorizationCode));
        return Err(refuse(ErrorCode::UnauthorizedClient, "this client may not use the authorization code grant"));
    }
    trace::pass(Rule::GrantAllowed);
    let registered = RegisteredUrl::Exact(exact);
    let bound_client =
        BoundClient { client_id: Cow::Owned(client.id.clone()), redirect_uri: Cow::Owned(registered.clone()) };
    let Output::Extend = machine.advance(Input::Bound { request: &request, bound_client }) else {
        trace::fail(Rule::ScopeReadable, why::scope_unreadable);
        return Err(refuse(ErrorCode::InvalidScope, "scope is not a list of scope tokens"));
    };
    let audience = audience(parameters, &client, registry).map_err(|(code, description)| refuse(code, description))?;
    let scopes = scopes(parameters, &client, registry, audience.as_deref())
        .map_err(|(code, description)| refuse(code, description))?;
    let challenge =
        challenge(parameters, &client).map_err(|description| refuse(ErrorCode::InvalidRequest, description))?;
    trace::pass(Rule::ChallengeReadable);
    let unsound = |rule, description| {
        trace::fail(rule, || why::unsound(description));
        refuse(ErrorCode::InvalidRequest, description)
    };
    let prompt = Prompt::parse(parameters.get("prompt").unwrap_or_default())
        .map_err(|description| unsound(Rule::PromptReadable, description))?;
    trace::pass(Rule::PromptReadable);
    let claims = match parameters.get("claims") {
        None => ClaimsRequest::default(),
        Some(text) => ClaimsRequest::parse(text, registry.attributes(), |scope| client.may_ask_for(scope))
            .map_err(|description| unsound(Rule::ClaimsReadable, description))?,
    };
    let hinted = match parameters.get("id_token_hint") {
        None => None,
        Some(token) => Some(
            hint::read(token, keys, issuer)
                .ok_or_else(|| unsound(Rule::HintReadable, "id_token_hint is no ID token that was made here"))?,
        ),
    };
    let subject = subject(hinted, claims.subject).map_err(|description| unsound(Rule::SubjectSingle, description))?;
    let max_age = match parameters.get("max_age") {
        None => client.default_max_age.map(|millis| millis / 1000),
        Some(text) => match text.parse::<i64>() {
            Ok(seconds) if seconds >= 0 && text.bytes().all(|byte| byte.is_ascii_digit()) => Some(seconds),
            _ => return Err(unsound(Rule::MaxAgeReadable, "max_age is not a number of seconds")),
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
        claimed: claims.names.scopes(registry.attributes()).map(str::to_owned).collect(),
        claims: claims.names,
        subject,
        essential_acr: claims.essential_acr,
        client,
    })
}

/// The redirect URI, if it is the client's. It is compulsory, even where only one is registered.
fn bind(parameters: &Parameters, client: &Client) -> Result<String, Refusal> {
    let asked = parameters.one("redirect_uri").map_err(|_| {
        trace::fail(Rule::ParametersSingle, why::repeated);
        Refusal::Page(PageFault::Malformed("redirect_uri"))
    })?;
    let Some(asked) = asked else {
        trace::fail(Rule::RedirectUriNamed, || why::redirect_uri_missing(client));
        return Err(Refusal::Page(PageFault::RedirectUriMissing));
    };
    trace::pass(Rule::RedirectUriNamed);
    if client.redirect_uris.iter().any(|registered| redirect_matches(registered, asked)) {
        Ok(asked.to_owned())
    } else {
        trace::fail(Rule::RedirectUriRegistered, || why::redirect_uri(client, asked));
        Err(Refusal::Page(PageFault::RedirectUriUnknown(asked.chars().take(512).collect())))
    }
}

type Wrong = (ErrorCode, &'static str);

/// What every request must have or must not have, whatever it asks for.
fn check_form(parameters: &Parameters) -> Result<(), Wrong> {
    let wrong = |rule, code, description| {
        trace::fail(rule, || why::form(rule, parameters));
        Err((code, description))
    };
    let invalid = |rule, description| wrong(rule, ErrorCode::InvalidRequest, description);
    if parameters.require_single().is_err() {
        return invalid(Rule::ParametersSingle, "a parameter is repeated");
    }
    trace::pass(Rule::ParametersSingle);
    let object = Rule::RequestObjectAbsent;
    if parameters.get("request").is_some() {
        return wrong(object, ErrorCode::RequestNotSupported, "request objects are not supported");
    }
    if parameters.get("request_uri").is_some() {
        return wrong(object, ErrorCode::RequestUriNotSupported, "request_uri is not supported");
    }
    let kind = Rule::ResponseTypeKnown;
    match parameters.get("response_type") {
        None => return invalid(kind, "response_type is missing"),
        Some("code") => trace::pass(kind),
        Some(_) => {
            return wrong(kind, ErrorCode::UnsupportedResponseType, "only the response type code is supported");
        }
    }
    if parameters.get("response_mode").is_some_and(|mode| ResponseMode::parse(mode).is_none()) {
        return invalid(Rule::ResponseModeKnown, "this response mode is not supported");
    }
    trace::pass(Rule::ResponseModeKnown);
    for (name, description) in [("state", "state is too long"), ("nonce", "nonce is too long")] {
        if parameters.get(name).is_some_and(|value| value.len() > LONGEST) {
            return invalid(Rule::ValuesShort, description);
        }
    }
    Ok(())
}

/// The one person that the request is about, if it says so; two are a contradiction.
fn subject(hinted: Option<Hint>, named: Option<String>) -> Result<Option<String>, &'static str> {
    match (hinted.map(|hint| hint.sub), named) {
        (Some(hinted), Some(named)) if hinted != named => Err("id_token_hint and claims are about different people"),
        (hinted, named) => Ok(hinted.or(named)),
    }
}

/// The API that the access token will be for: the one named (RFC 8707), or the client's default; `None` is ourselves.
pub(super) fn audience(parameters: &Parameters, client: &Client, registry: &Registry) -> Result<Option<String>, Wrong> {
    let mut named: Vec<&str> = parameters.all("resource").collect();
    named.dedup();
    match named.as_slice() {
        [] => Ok(client.default_audience.clone()),
        [one] => {
            let Some(api) = registry.api(one) else {
                trace::fail(Rule::ResourceRegistered, || why::resource(one, registry));
                return Err((ErrorCode::InvalidTarget, "resource names no API that is registered here"));
            };
            trace::pass(Rule::ResourceRegistered);
            Ok(Some(api.audience.clone()))
        }
        _ => {
            trace::fail(Rule::ResourceSingle, why::resources);
            Err((ErrorCode::InvalidTarget, "a token is for one API: name one resource"))
        }
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
    let Some(asked) = scope::parse(parameters.get("scope").unwrap_or_default()) else {
        trace::fail(Rule::ScopeReadable, why::scope_unreadable);
        return Err((ErrorCode::InvalidScope, "scope is not a list of scope tokens"));
    };
    let mut granted = Vec::with_capacity(asked.len());
    for scope in asked {
        if !registry.knows_scope(&scope) {
            continue;
        }
        if !client.may_ask_for(&scope) {
            trace::fail(Rule::ScopeAllowed, || why::scope(client, &scope));
            return Err((ErrorCode::InvalidScope, "this client may not ask for one of the scopes"));
        }
        if !registry.is_about_people(&scope) && !scope_of(registry, audience, &scope) {
            trace::fail(Rule::ScopeOfApi, || why::scope_of_api(&scope, audience, registry));
            return Err((ErrorCode::InvalidScope, "one of the scopes is not of the API that the token is for"));
        }
        granted.push(scope);
    }
    trace::pass(Rule::ScopeAllowed);
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
    let wrong = |rule, description| {
        trace::fail(rule, || {
            if rule == Rule::ChallengeShown { why::challenge(client) } else { why::unsound(description) }
        });
        Err(description)
    };
    match (parameters.get("code_challenge"), parameters.get("code_challenge_method")) {
        (None, None) if client.pkce_required => wrong(Rule::ChallengeShown, "code_challenge is missing (RFC 7636)"),
        (None, None) => Ok(None),
        (None, Some(_)) => wrong(Rule::ChallengeReadable, "code_challenge is missing (RFC 7636)"),
        (Some(_), method) if method != Some("S256") => {
            wrong(Rule::ChallengeReadable, "code_challenge_method must be S256")
        }
        (Some(challenge), _) if pkce::is_challenge(challenge) => Ok(Some(challenge.to_owned())),
        _ => wrong(Rule::ChallengeReadable, "code_challenge is not the base64url of a SHA-256 hash"),
    }
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
