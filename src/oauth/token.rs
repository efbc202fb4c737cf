//! The grants of the token endpoint (RFC 6749 sections 4.1.3, 4.4 and 6), for a client that has authenticated.

use std::borrow::Cow;
use std::sync::Arc;

use chrono::{DateTime, Utc};
use oxide_auth::code_grant::{accesstoken, client_credentials, refresh};
use oxide_auth::primitives::grant::{Extensions, Grant as MachineGrant};
use oxide_auth::primitives::registrar::{BoundClient, ExactUrl, PreGrant, RegisteredUrl};
use oxide_auth::primitives::scope::Scope;
use url::Url;

use super::client_auth::AuthenticatedClient;
use super::mint::{self, SenderConstraint, Warrant};
use super::parameters::Parameters;
use super::why::Shown;
use super::{ErrorCode, TokenError, authorization, pkce, scope, step, why};
use crate::access::roles::Catalogue;
use crate::audit::Source;
use crate::clients::{Api, Client, GrantType, Registry};
use crate::grants::{CodeState, Exchange, Grant, Grants, Redeemed, Redemption, RefreshState, Refreshed, Rotation};
use crate::identity::Standing;
use crate::platform::settings::Settings;
use crate::trace::{self, Rule};

/// A warrant to mint from, and the refresh token that goes with it.
pub type Granted = (Warrant, Option<String>);

/// The grant type of a request, if this client may use it.
pub fn grant_type(form: &Parameters, client: &AuthenticatedClient) -> Result<GrantType, TokenError> {
    let Some(name) = form.one("grant_type")? else {
        trace::fail(Rule::GrantNamed, || why::missing("grant_type"));
        return Err(TokenError::request("grant_type is missing"));
    };
    let Some(grant) = GrantType::OAUTH.into_iter().find(|grant| grant.name() == name) else {
        trace::fail(Rule::GrantKnown, || why::unknown_grant(name));
        return Err(TokenError::new(ErrorCode::UnsupportedGrantType, "this grant type is not supported"));
    };
    if client.may(grant) {
        trace::pass(Rule::GrantAllowed);
        Ok(grant)
    } else {
        trace::fail(Rule::GrantAllowed, || why::grant(client, grant));
        Err(TokenError::new(ErrorCode::UnauthorizedClient, "this client may not use this grant type"))
    }
}

/// Redeems a code (RFC 6749 section 4.1.3, RFC 7636 section 4.6).
pub async fn authorization_code(
    form: &Parameters,
    client: AuthenticatedClient,
    registry: &Arc<Registry>,
    grants: &Grants,
    settings: &Arc<Settings>,
    source: &Source,
) -> Result<Granted, TokenError> {
    let missing = |rule, name, error| {
        trace::fail(rule, || why::missing(name));
        error
    };
    let code = form.get("code");
    let code = code.ok_or_else(|| missing(Rule::CodeShown, "code", TokenError::request("code is missing")))?;
    let redirect_uri = form
        .get("redirect_uri")
        .map(str::to_owned)
        .ok_or_else(|| missing(Rule::CodeRedirectUri, "redirect_uri", TokenError::grant("redirect_uri is missing")))?;
    let challenge = match form.get("code_verifier") {
        None => None,
        Some(verifier) if pkce::is_verifier(verifier) => Some(pkce::challenge(verifier)),
        Some(_) => {
            trace::fail(Rule::VerifierReadable, why::verifier_unreadable);
            return Err(TokenError::grant("code_verifier is malformed"));
        }
    };
    trace::pass(Rule::CodeShown);
    trace::pass(Rule::VerifierReadable);
    let (owned, asking, registry, settings) = (form.clone(), client.clone(), registry.clone(), settings.clone());
    let url = Url::parse(&redirect_uri).map_err(|_| {
        trace::fail(Rule::CodeRedirectUri, || why::missing("redirect_uri"));
        TokenError::grant("redirect_uri is not a URI")
    })?;
    let check = move |grant: &Grant| {
        judge_exchange(&owned, &asking.id, url.clone(), grant)?;
        let api = check_audience(&owned, &registry, grant)?;
        Ok(mint::to_store(&asking, api.as_deref(), &grant.scope, &settings))
    };
    let exchange = Exchange { code: code.to_owned(), redirect_uri: Some(redirect_uri), challenge };
    match grants.redeem(&client, exchange, check, source).await? {
        Redemption::Redeemed(redeemed) => {
            let Redeemed { grant, refresh_token, access_token } = *redeemed;
            let scope = grant.scope.clone();
            let warrant = Warrant::of_grant(client, grant, scope, SenderConstraint::Bearer, access_token);
            Ok((warrant, refresh_token))
        }
        Redemption::Refused(state) => Err(refused_code(form, state.as_deref(), &client, grants)),
        Redemption::Replayed(state) => Err(refused_code(form, Some(&state), &client, grants)),
        // Judged in a task of its own, which has no trail.
        Redemption::Rejected(error) => Err(rejected(error)),
    }
}

fn refused_code(form: &Parameters, state: Option<&CodeState>, client: &Client, grants: &Grants) -> TokenError {
    trace::judge(|| {
        let redirect_uri = form.get("redirect_uri").unwrap_or_default().to_owned();
        let shown = Shown { redirect_uri, challenge: form.get("code_verifier").map(pkce::challenge) };
        why::code(state, &shown, client, grants.now())
    });
    TokenError::grant("the code is unknown, expired, used, or was given to another request")
}

fn refused_refresh(state: Option<&RefreshState>, client: &Client, grants: &Grants) -> TokenError {
    trace::judge(|| why::refresh(state, client, grants.now()));
    TokenError::grant("the refresh token is unknown, expired, revoked, or was used before")
}

/// What is wrong with the request, while code or refresh token are right.
fn rejected(error: TokenError) -> TokenError {
    trace::judge(|| why::rejected(&error));
    error
}

/// The database has decided; the machine judges what it returned by the rules of RFC 6749.
fn judge_exchange(form: &Parameters, client_id: &str, redirect_uri: Url, grant: &Grant) -> Result<(), TokenError> {
    use accesstoken::{Input, Output};
    let request = CodeRequest { client_id, form };
    let mut machine = accesstoken::AccessToken::new(&request);
    step!(machine.advance(Input::None) => Output::Authenticate { .. }, TokenError::Machine("authenticate"));
    step!(machine.advance(Input::Authenticated) => Output::Recover { .. }, TokenError::Machine("recover"));
    let recovered = Input::Recovered(Some(Box::new(machine_grant(client_id, grant, redirect_uri)?)));
    step!(machine.advance(recovered) => Output::Extend { .. }, TokenError::Machine("recovered"));
    let extended = Input::Extended { access_extensions: Extensions::new() };
    step!(machine.advance(extended) => Output::Issue { .. }, TokenError::Machine("issue"));
    Ok(())
}

/// Uses a refresh token (RFC 6749 section 6). What is wrong with the request leaves the token as it was.
pub async fn refresh_token(
    form: &Parameters,
    client: AuthenticatedClient,
    registry: &Arc<Registry>,
    grants: &Grants,
    settings: &Arc<Settings>,
    source: &Source,
) -> Result<Granted, TokenError> {
    let Some(presented) = form.get("refresh_token") else {
        trace::fail(Rule::RefreshShown, || why::missing("refresh_token"));
        return Err(TokenError::request("refresh_token is missing"));
    };
    trace::pass(Rule::RefreshShown);
    let (owned, asking, registry, settings) = (form.clone(), client.clone(), registry.clone(), settings.clone());
    let check = move |grant: &Grant| {
        narrowed(&owned, &asking.id, grant)?;
        let api = check_audience(&owned, &registry, grant)?;
        Ok(mint::to_store(&asking, api.as_deref(), &scope_of_refresh(&owned, grant), &settings))
    };
    match grants.rotate(&client, presented, check, source).await? {
        Rotation::Rotated(refreshed) => {
            let Refreshed { grant, refresh_token, access_token } = *refreshed;
            let scope = scope_of_refresh(form, &grant);
            let warrant = Warrant::of_grant(client, grant, scope, SenderConstraint::Bearer, access_token);
            Ok((warrant, Some(refresh_token)))
        }
        Rotation::Refused(state) => Err(refused_refresh(state.as_deref(), &client, grants)),
        Rotation::Reused(state) => Err(refused_refresh(Some(&state), &client, grants)),
        Rotation::Rejected(error) => Err(rejected(error)),
    }
}

/// What a refresh asks for: all of the grant, or a part of it in the order of the request, when the machine has found every
/// one of them in the grant.
fn scope_of_refresh(form: &Parameters, grant: &Grant) -> String {
    match form.get("scope") {
        Some(asked) => scope::parse(asked).unwrap_or_default().join(" "),
        None => grant.scope.clone(),
    }
}

/// A client for itself (RFC 6749 section 4.4). Touches no table, unless its tokens are opaque.
pub async fn client_credentials(
    form: &Parameters,
    client: AuthenticatedClient,
    registry: &Registry,
    grants: &Grants,
    settings: &Settings,
    catalogue: &Catalogue,
) -> Result<Granted, TokenError> {
    let (scope, audience) = judge_service(form, &client, registry)?;
    let api = audience.as_deref().and_then(|audience| registry.api(audience));
    let stored = match mint::to_store(&client, api.as_deref(), &scope, settings) {
        Some(new) => Some(grants.store_access_token(&client, audience.as_deref(), &new).await?),
        None => None,
    };
    let standing = Standing::of(&client.roles, &catalogue.permissions(&client.roles));
    Ok((Warrant::of_client(client, scope, audience, SenderConstraint::Bearer, stored, standing), None))
}

/// Lets the machine judge the request of a client for itself: the scope that it gets, and for which API.
fn judge_service(
    form: &Parameters,
    client: &AuthenticatedClient,
    registry: &Registry,
) -> Result<(String, Option<String>), TokenError> {
    let refused = |(code, description)| TokenError::new(code, description);
    let request = ServiceRequest { client_id: &client.id, form };
    let mut machine = client_credentials::ClientCredentials::new(&request);
    let malformed = || {
        trace::fail(Rule::ScopeReadable, why::scope_unreadable);
        TokenError::new(ErrorCode::InvalidScope, "scope is not a list of scope tokens")
    };
    step!(machine.advance(client_credentials::Input::None) => client_credentials::Output::Authenticate { .. }, malformed());
    step!(machine.advance(client_credentials::Input::Authenticated) => client_credentials::Output::Binding { .. }, TokenError::Machine("bind"));
    // The machine wants a redirect URL even where none is ever used.
    let nowhere =
        RegisteredUrl::Exact(ExactUrl::new("about:blank".to_owned()).map_err(|_| TokenError::Machine("bind"))?);
    let bound_client =
        BoundClient { client_id: Cow::Owned(client.id.clone()), redirect_uri: Cow::Owned(nowhere.clone()) };
    step!(machine.advance(client_credentials::Input::Bound { bound_client }) => client_credentials::Output::Extend, TokenError::Machine("extend"));
    let extended = client_credentials::Input::Extended { extensions: Extensions::new() };
    step!(machine.advance(extended) => client_credentials::Output::Negotiate { .. }, TokenError::Machine("negotiate"));

    let audience = authorization::audience(form, client, registry).map_err(refused)?;
    let scopes = service_scopes(form, client, registry, audience.as_deref()).map_err(refused)?;
    let granted: Scope = scopes.join(" ").parse().map_err(|_| TokenError::Machine("scope"))?;
    let pre_grant = PreGrant { client_id: client.id.clone(), redirect_uri: nowhere, scope: granted };
    step!(machine.advance(client_credentials::Input::Negotiated { pre_grant }) => client_credentials::Output::Ok { .. }, TokenError::Machine("issue"));
    Ok((scopes.join(" "), audience))
}

/// Scopes of an API, and those that tell what the client itself may do: the others speak of a person, and there is none. Without any, all that the client may have.
fn service_scopes(
    form: &Parameters,
    client: &AuthenticatedClient,
    registry: &Registry,
    audience: Option<&str>,
) -> Result<Vec<String>, (ErrorCode, &'static str)> {
    let Some(asked) = form.get("scope") else {
        let all = client.scopes.iter().filter(|scope| scope.as_str() != scope::ACCOUNT);
        let is_its = |scope: &&String| scope::is_standing(scope) || authorization::scope_of(registry, audience, scope);
        return Ok(all.filter(is_its).cloned().collect());
    };
    let Some(asked) = scope::parse(asked) else {
        trace::fail(Rule::ScopeReadable, why::scope_unreadable);
        return Err((ErrorCode::InvalidScope, "scope is not a list of scope tokens"));
    };
    let allowed = |scope: &String| {
        let of_the_api = audience.is_some() && authorization::scope_of(registry, audience, scope);
        client.may_ask_for(scope) && (scope::is_standing(scope) || of_the_api)
    };
    let refused = asked.iter().find(|scope| !allowed(scope));
    if let Some(refused) = refused {
        trace::judge(|| why::service_scope(client, refused, audience, registry));
    }
    if refused.is_none() {
        trace::pass(Rule::ScopeAllowed);
        Ok(asked)
    } else {
        Err((ErrorCode::InvalidScope, "this client may not have one of the scopes for this API"))
    }
}

/// Lets the machine say whether the request narrows the grant and is this client's.
fn narrowed(form: &Parameters, client_id: &str, grant: &Grant) -> Result<(), TokenError> {
    let request = RefreshRequest { client_id, form };
    let mut machine = refresh::Refresh::new(&request);
    step!(machine.advance(refresh::Input::None) => refresh::Output::Unauthenticated { .. }, TokenError::Machine("authenticate"));
    step!(machine.advance(refresh::Input::Authenticated { scope: None }) => refresh::Output::RecoverRefresh { .. }, TokenError::Machine("recover"));
    let url = Url::parse("about:blank").map_err(|_| TokenError::Machine("redirect"))?;
    let recovered = refresh::Input::Recovered {
        scope: form.get("scope").map(Cow::Borrowed),
        grant: Some(Box::new(machine_grant(client_id, grant, url)?)),
    };
    let wider = TokenError::new(ErrorCode::InvalidScope, "scope goes beyond what was granted");
    step!(machine.advance(recovered) => refresh::Output::Refresh { .. }, wider);
    Ok(())
}

/// A token request may repeat its resource, not choose another (RFC 8707 section 2.2). Answers the API, if there is one.
fn check_audience(form: &Parameters, registry: &Registry, grant: &Grant) -> Result<Option<Arc<Api>>, TokenError> {
    let granted = grant.audience.as_deref();
    if form.all("resource").any(|named| Some(named) != granted) {
        return Err(TokenError::new(ErrorCode::InvalidTarget, "resource is not what was granted"));
    }
    let Some(audience) = granted else { return Ok(None) };
    // It may have been removed since.
    match registry.api(audience) {
        Some(api) => Ok(Some(api)),
        None => Err(TokenError::new(ErrorCode::InvalidTarget, "the API is not registered any more")),
    }
}

/// Our grant in the machine's words. Its end is far away: ours has been decided by our own clock.
fn machine_grant(client_id: &str, grant: &Grant, redirect_uri: Url) -> Result<MachineGrant, TokenError> {
    Ok(MachineGrant {
        owner_id: grant.person.user_id.to_string(),
        client_id: client_id.to_owned(),
        scope: grant.scope.parse().map_err(|_| TokenError::Machine("scope"))?,
        redirect_uri,
        until: DateTime::<Utc>::MAX_UTC,
        extensions: Extensions::new(),
    })
}

/// A request for a code's tokens, by a client that is already proven.
struct CodeRequest<'r> {
    client_id: &'r str,
    form: &'r Parameters,
}

impl accesstoken::Request for CodeRequest<'_> {
    fn valid(&self) -> bool {
        true
    }

    fn code(&self) -> Option<Cow<'_, str>> {
        self.form.get("code").map(Cow::Borrowed)
    }

    fn authorization(&self) -> accesstoken::Authorization<'_> {
        accesstoken::Authorization::Username(Cow::Borrowed(self.client_id))
    }

    fn client_id(&self) -> Option<Cow<'_, str>> {
        None
    }

    fn redirect_uri(&self) -> Option<Cow<'_, str>> {
        self.form.get("redirect_uri").map(Cow::Borrowed)
    }

    fn grant_type(&self) -> Option<Cow<'_, str>> {
        self.form.get("grant_type").map(Cow::Borrowed)
    }

    fn extension(&self, key: &str) -> Option<Cow<'_, str>> {
        self.form.get(key).map(Cow::Borrowed)
    }
}

struct RefreshRequest<'r> {
    client_id: &'r str,
    form: &'r Parameters,
}

impl refresh::Request for RefreshRequest<'_> {
    fn valid(&self) -> bool {
        true
    }

    fn refresh_token(&self) -> Option<Cow<'_, str>> {
        self.form.get("refresh_token").map(Cow::Borrowed)
    }

    fn scope(&self) -> Option<Cow<'_, str>> {
        self.form.get("scope").map(Cow::Borrowed)
    }

    fn grant_type(&self) -> Option<Cow<'_, str>> {
        self.form.get("grant_type").map(Cow::Borrowed)
    }

    fn authorization(&self) -> Option<(Cow<'_, str>, Cow<'_, [u8]>)> {
        Some((Cow::Borrowed(self.client_id), Cow::Borrowed(b"")))
    }

    fn extension(&self, key: &str) -> Option<Cow<'_, str>> {
        self.form.get(key).map(Cow::Borrowed)
    }
}

struct ServiceRequest<'r> {
    client_id: &'r str,
    form: &'r Parameters,
}

impl client_credentials::Request for ServiceRequest<'_> {
    fn valid(&self) -> bool {
        true
    }

    fn authorization(&self) -> Option<(Cow<'_, str>, Cow<'_, [u8]>)> {
        Some((Cow::Borrowed(self.client_id), Cow::Borrowed(b"")))
    }

    fn scope(&self) -> Option<Cow<'_, str>> {
        self.form.get("scope").map(Cow::Borrowed)
    }

    fn grant_type(&self) -> Option<Cow<'_, str>> {
        self.form.get("grant_type").map(Cow::Borrowed)
    }

    fn extension(&self, key: &str) -> Option<Cow<'_, str>> {
        // The machine would take the client's own parameters for a second authentication.
        if key.starts_with("client_") { None } else { self.form.get(key).map(Cow::Borrowed) }
    }
}
