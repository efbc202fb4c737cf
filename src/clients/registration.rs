//! What a client or an API may be registered with, checked once for the command line, imports and every later door.

use serde::{Deserialize, Serialize};

use super::{Api, AuthMethod, Client, GrantType, TokenFormat, redirect};
use crate::keys::Alg;
use crate::oauth::scope;
use crate::platform::settings::{Attributes, Millis};

/// What is wrong with a registration: the member and why.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{member}: {reason}")]
pub struct Problem {
    pub member: &'static str,
    pub reason: String,
}

impl Problem {
    pub fn new(member: &'static str, reason: impl Into<String>) -> Self {
        Self { member, reason: reason.into() }
    }
}

/// A registration by the names of RFC 7591; what is not said keeps its default, or what an update had.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Draft {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub client_id: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub client_name: Option<String>,
    /// A secret of the operator's choice: imports only. 32 characters at least.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub client_secret: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub redirect_uris: Option<Vec<String>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub post_logout_redirect_uris: Option<Vec<String>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub grant_types: Option<Vec<String>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub response_types: Option<Vec<String>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub token_endpoint_auth_method: Option<String>,
    /// Space-separated (RFC 7591 section 2).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub scope: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub id_token_signed_response_alg: Option<String>,
    /// Seconds (OpenID Connect Dynamic Client Registration 1.0).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub default_max_age: Option<u32>,
    /// Granted to everybody: ID tokens always carry `auth_time`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub require_auth_time: Option<bool>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub logo_uri: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub backchannel_logout_uri: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub frontchannel_logout_uri: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub backchannel_logout_session_required: Option<bool>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub frontchannel_logout_session_required: Option<bool>,
    // What RFC 7591 has no name for.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub first_party: Option<bool>,
    /// `required` or `optional`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub pkce: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub claims_in_id_token: Option<bool>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub token_format: Option<String>,
    /// The default API.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub api: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub refresh_grace: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub access_token_lifetime: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub refresh_token_lifetime: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub introspects: Option<Vec<String>>,
}

impl Draft {
    /// What a client is registered with, in an order that does not depend on how it was written. Never its secret.
    pub fn of(client: &Client) -> Self {
        let duration = |millis: Option<i64>| millis.map(|millis| Millis::new(millis).to_string());
        let mut grant_types: Vec<String> = client.grant_types.iter().map(|grant| grant.name().to_owned()).collect();
        grant_types.sort();
        grant_types.dedup();
        let response_types = client.may(GrantType::AuthorizationCode).then(|| "code".to_owned());
        Self {
            client_id: Some(client.id.clone()),
            client_name: Some(client.name.clone()),
            client_secret: None,
            redirect_uris: Some(client.redirect_uris.clone()),
            post_logout_redirect_uris: Some(client.post_logout_redirect_uris.clone()),
            grant_types: Some(grant_types),
            response_types: Some(response_types.into_iter().collect()),
            token_endpoint_auth_method: Some(client.auth_method.name().to_owned()),
            scope: Some(list(Some(&client.scopes), None).join(" ")),
            id_token_signed_response_alg: Some(client.id_token_alg.name().to_owned()),
            default_max_age: client.default_max_age.and_then(|millis| u32::try_from(millis / 1000).ok()),
            require_auth_time: None,
            logo_uri: client.logo_uri.clone(),
            backchannel_logout_uri: client.backchannel_logout_uri.clone(),
            frontchannel_logout_uri: client.frontchannel_logout_uri.clone(),
            backchannel_logout_session_required: Some(client.backchannel_logout_session_required),
            frontchannel_logout_session_required: Some(client.frontchannel_logout_session_required),
            first_party: Some(client.first_party),
            pkce: Some(if client.pkce_required { "required" } else { "optional" }.to_owned()),
            claims_in_id_token: Some(client.claims_in_id_token),
            token_format: client.token_format.map(|format| format.name().to_owned()),
            api: client.default_audience.clone(),
            refresh_grace: duration(client.refresh_grace),
            access_token_lifetime: duration(client.access_token_lifetime),
            refresh_token_lifetime: duration(client.refresh_token_lifetime),
            introspects: Some(client.introspects.clone()),
        }
    }

    /// The client that this makes of `before` (or of the defaults), checked.
    pub fn apply(&self, id: String, before: Option<&Client>, apis: &[Api]) -> Result<Client, Problem> {
        self.apply_with(id, before, apis, &Attributes::default())
    }

    /// The same where attributes have scopes of their own.
    pub fn apply_with(
        &self,
        id: String,
        before: Option<&Client>,
        apis: &[Api],
        attributes: &Attributes,
    ) -> Result<Client, Problem> {
        let method = self.auth_method(before)?;
        let default_audience = self.default_audience(before, apis)?;
        let client = Client {
            name: self
                .client_name
                .clone()
                .or_else(|| before.map(|client| client.name.clone()))
                .unwrap_or_else(|| id.clone()),
            secret_hash: before.and_then(|client| client.secret_hash.clone()).filter(|_| method != AuthMethod::None),
            previous_secret: before.and_then(|client| client.previous_secret.clone()),
            auth_method: method,
            first_party: self.first_party.unwrap_or_else(|| before.is_some_and(|client| client.first_party)),
            pkce_required: match self.pkce.as_deref() {
                None => before.is_none_or(|client| client.pkce_required),
                Some("required") => true,
                Some("optional") => false,
                Some(other) => return Err(one_of("pkce", other, "required, optional")),
            },
            claims_in_id_token: self
                .claims_in_id_token
                .unwrap_or_else(|| before.is_some_and(|client| client.claims_in_id_token)),
            id_token_alg: match &self.id_token_signed_response_alg {
                None => before.map_or(Alg::Rs256, |client| client.id_token_alg),
                Some(name) => Alg::parse(name)
                    .ok_or_else(|| one_of("id_token_signed_response_alg", name, &names(Alg::ALL.map(Alg::name))))?,
            },
            token_format: match &self.token_format {
                None => before.and_then(|client| client.token_format),
                Some(name) if name.is_empty() => None,
                Some(name) => Some(format_of(name)?),
            },
            default_audience,
            refresh_grace: duration(
                "refresh_grace",
                self.refresh_grace.as_ref(),
                before.and_then(|client| client.refresh_grace),
            )?,
            access_token_lifetime: duration(
                "access_token_lifetime",
                self.access_token_lifetime.as_ref(),
                before.and_then(|client| client.access_token_lifetime),
            )?,
            refresh_token_lifetime: duration(
                "refresh_token_lifetime",
                self.refresh_token_lifetime.as_ref(),
                before.and_then(|client| client.refresh_token_lifetime),
            )?,
            default_max_age: self
                .default_max_age
                .map(|seconds| i64::from(seconds) * 1000)
                .or_else(|| before.and_then(|client| client.default_max_age)),
            backchannel_logout_uri: keep(
                self.backchannel_logout_uri.as_ref(),
                before.and_then(|client| client.backchannel_logout_uri.as_ref()),
            ),
            frontchannel_logout_uri: keep(
                self.frontchannel_logout_uri.as_ref(),
                before.and_then(|client| client.frontchannel_logout_uri.as_ref()),
            ),
            backchannel_logout_session_required: self
                .backchannel_logout_session_required
                .unwrap_or_else(|| before.is_some_and(|client| client.backchannel_logout_session_required)),
            frontchannel_logout_session_required: self
                .frontchannel_logout_session_required
                .unwrap_or_else(|| before.is_some_and(|client| client.frontchannel_logout_session_required)),
            logo_uri: keep(self.logo_uri.as_ref(), before.and_then(|client| client.logo_uri.as_ref())),
            disabled: before.is_some_and(|client| client.disabled),
            redirect_uris: list(self.redirect_uris.as_ref(), before.map(|client| &client.redirect_uris)),
            post_logout_redirect_uris: list(
                self.post_logout_redirect_uris.as_ref(),
                before.map(|client| &client.post_logout_redirect_uris),
            ),
            grant_types: self.grant_types(before)?,
            scopes: self.scopes(before, apis, attributes)?,
            introspects: list(self.introspects.as_ref(), before.map(|client| &client.introspects)),
            roles: before.map(|client| client.roles.clone()).unwrap_or_default(),
            id,
        };
        if let Some(response_types) = &self.response_types
            && response_types.iter().any(|given| given != "code")
        {
            return Err(Problem::new("response_types", "only code is supported"));
        }
        check(&client)?;
        Ok(client)
    }

    fn auth_method(&self, before: Option<&Client>) -> Result<AuthMethod, Problem> {
        match &self.token_endpoint_auth_method {
            None => Ok(before.map_or(AuthMethod::ClientSecretBasic, |client| client.auth_method)),
            Some(name) => AuthMethod::parse(name).ok_or_else(|| {
                one_of("token_endpoint_auth_method", name, &names(AuthMethod::ALL.map(AuthMethod::name)))
            }),
        }
    }

    fn grant_types(&self, before: Option<&Client>) -> Result<Vec<GrantType>, Problem> {
        let defaults = || vec![GrantType::AuthorizationCode, GrantType::RefreshToken];
        let Some(given) = &self.grant_types else {
            return Ok(before.map_or_else(defaults, |client| client.grant_types.clone()));
        };
        let known = || names(GrantType::ALL.map(GrantType::name));
        given.iter().map(|name| GrantType::parse(name).ok_or_else(|| one_of("grant_types", name, &known()))).collect()
    }

    fn scopes(&self, before: Option<&Client>, apis: &[Api], attributes: &Attributes) -> Result<Vec<String>, Problem> {
        let Some(given) = &self.scope else {
            let defaults = || scope::STANDARD.map(str::to_owned).into();
            return Ok(before.map_or_else(defaults, |client| client.scopes.clone()));
        };
        let of_apis = apis.iter().flat_map(|api| api.scopes.iter().map(String::as_str));
        let ours = scope::STANDARD.into_iter().chain(scope::RESERVED).chain(attributes.scopes());
        let known: Vec<&str> = ours.chain(of_apis).collect();
        let check = |scope: &str| {
            if known.contains(&scope) { Ok(scope.to_owned()) } else { Err(one_of("scope", scope, &known.join(", "))) }
        };
        given.split_ascii_whitespace().map(check).collect()
    }

    fn default_audience(&self, before: Option<&Client>, apis: &[Api]) -> Result<Option<String>, Problem> {
        let audience = keep(self.api.as_ref(), before.and_then(|client| client.default_audience.as_ref()));
        match &audience {
            Some(named) if !apis.iter().any(|api| api.audience == *named) => Err(Problem::new(
                "api",
                format!("there is no API {named}; `bonafide api create --audience {named}` makes it"),
            )),
            _ => Ok(audience),
        }
    }
}

/// What no single member can say.
fn check(client: &Client) -> Result<(), Problem> {
    let id_ok = (1..=128).contains(&client.id.len())
        && client.id.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-_.".contains(&byte));
    if !id_ok {
        return Err(Problem::new("client_id", "has letters, digits, - _ and . only, 128 at most"));
    }
    if client.name.trim().is_empty() || client.name.chars().count() > 200 || client.name.chars().any(char::is_control) {
        return Err(Problem::new("client_name", "has 1 to 200 printable characters"));
    }
    for (member, uris) in
        [("redirect_uris", &client.redirect_uris), ("post_logout_redirect_uris", &client.post_logout_redirect_uris)]
    {
        for uri in uris {
            redirect::validate(uri).map_err(|reason| Problem::new(member, format!("{uri} {reason}")))?;
        }
    }
    for (member, uri) in [
        ("backchannel_logout_uri", &client.backchannel_logout_uri),
        ("frontchannel_logout_uri", &client.frontchannel_logout_uri),
        ("logo_uri", &client.logo_uri),
    ] {
        let Some(uri) = uri else { continue };
        if redirect::origin_of(uri).is_none() {
            return Err(Problem::new(member, format!("{uri} is not an http or https URL")));
        }
        redirect::validate(uri).map_err(|reason| Problem::new(member, format!("{uri} {reason}")))?;
    }
    if let Some(uri) = &client.frontchannel_logout_uri {
        check_frontchannel(uri, &client.redirect_uris)?;
    }
    if client.may(GrantType::AuthorizationCode) && client.redirect_uris.is_empty() {
        return Err(Problem::new("redirect_uris", "the authorization_code grant needs one: --redirect-uri URI"));
    }
    if client.may(GrantType::RefreshToken)
        && !(client.may(GrantType::AuthorizationCode) || client.may(GrantType::Credentials))
    {
        return Err(Problem::new("grant_types", "refresh_token comes with authorization_code"));
    }
    if client.may(GrantType::Credentials) && !client.first_party {
        return Err(Problem::new("grant_types", "credentials needs a first-party client"));
    }
    if client.scopes.iter().any(|scope| scope == scope::ACCOUNT) && !client.first_party {
        return Err(Problem::new("scope", "account is for first-party clients only"));
    }
    if client.is_public() && client.may(GrantType::ClientCredentials) {
        return Err(Problem::new("grant_types", "client_credentials needs a client with a secret"));
    }
    if client.is_public() && !client.pkce_required {
        return Err(Problem::new("pkce", "public clients need PKCE (RFC 9700 section 2.1.1)"));
    }
    Ok(())
}

/// The page that browsers open when a session ends is the application's own (Front-Channel Logout 1.0 section 2), and we
/// add `iss` and `sid` to its query.
fn check_frontchannel(uri: &str, redirect_uris: &[String]) -> Result<(), Problem> {
    let problem = |reason: &str| Err(Problem::new("frontchannel_logout_uri", format!("{uri} {reason}")));
    let origin = redirect::origin_of(uri);
    if !redirect_uris.iter().any(|redirect_uri| redirect::origin_of(redirect_uri) == origin) {
        return problem(
            "must have scheme, host and port of one of the redirect URIs (Front-Channel Logout 1.0 section 2)",
        );
    }
    if redirect::has_parameter(uri, "sid") {
        return problem("must not have a query parameter sid: we add it");
    }
    Ok(())
}

/// An API by the names of the command line.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ApiDraft {
    pub audience: String,
    pub name: Option<String>,
    pub scopes: Option<Vec<String>>,
    pub token_format: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub lifetime: Option<String>,
}

impl ApiDraft {
    /// What an API is registered with.
    pub fn of(api: &Api) -> Self {
        Self {
            audience: api.audience.clone(),
            name: Some(api.name.clone()),
            scopes: Some(api.scopes.clone()),
            token_format: Some(api.token_format.name().to_owned()),
            lifetime: api.access_token_lifetime.map(|millis| Millis::new(millis).to_string()),
        }
    }

    pub fn apply(&self, before: Option<&Api>) -> Result<Api, Problem> {
        let url = url::Url::parse(&self.audience)
            .map_err(|error| Problem::new("audience", format!("is not an absolute URI: {error}")))?;
        if url.fragment().is_some()
            || self.audience.len() > 512
            || !self.audience.bytes().all(|byte| byte.is_ascii_graphic())
        {
            return Err(Problem::new(
                "audience",
                "must be an absolute URI without a fragment (RFC 8707 section 2), 512 characters at most",
            ));
        }
        let scopes = list(self.scopes.as_ref(), before.map(|api| &api.scopes));
        for given in &scopes {
            if !scope::is_token(given) {
                return Err(Problem::new("scope", format!("{given:?} is not a scope (RFC 6749 section 3.3)")));
            }
            if scope::STANDARD.contains(&given.as_str()) || scope::RESERVED.contains(&given.as_str()) {
                return Err(Problem::new("scope", format!("{given} has a meaning of its own")));
            }
        }
        Ok(Api {
            audience: self.audience.clone(),
            name: self
                .name
                .clone()
                .or_else(|| before.map(|api| api.name.clone()))
                .unwrap_or_else(|| self.audience.clone()),
            token_format: match &self.token_format {
                None => before.map_or(TokenFormat::AtJwt, |api| api.token_format),
                Some(name) => format_of(name)?,
            },
            access_token_lifetime: duration(
                "lifetime",
                self.lifetime.as_ref(),
                before.and_then(|api| api.access_token_lifetime),
            )?,
            scopes,
        })
    }
}

fn format_of(name: &str) -> Result<TokenFormat, Problem> {
    TokenFormat::parse(name).ok_or_else(|| one_of("token_format", name, "at+jwt, jwt, opaque"))
}

/// An empty text takes a value back.
fn duration(member: &'static str, given: Option<&String>, before: Option<i64>) -> Result<Option<i64>, Problem> {
    match given {
        None => Ok(before),
        Some(text) if text.is_empty() => Ok(None),
        Some(text) => {
            Millis::parse(text).map(|millis| Some(millis.get())).map_err(|reason| Problem::new(member, reason))
        }
    }
}

/// An empty text takes a value back.
fn keep(given: Option<&String>, before: Option<&String>) -> Option<String> {
    match given {
        None => before.cloned(),
        Some(text) if text.is_empty() => None,
        Some(text) => Some(text.clone()),
    }
}

fn list(given: Option<&Vec<String>>, before: Option<&Vec<String>>) -> Vec<String> {
    let mut items = given.or(before).cloned().unwrap_or_default();
    items.sort();
    items.dedup();
    items
}

fn one_of(member: &'static str, given: &str, known: &str) -> Problem {
    Problem::new(member, format!("{given:?} is not one of {known}"))
}

fn names<const N: usize>(names: [&str; N]) -> String {
    names.join(", ")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn web() -> Draft {
        Draft { redirect_uris: Some(vec!["https://app.example.com/cb".to_owned()]), ..Draft::default() }
    }

    #[test]
    fn defaults_are_those_of_the_contract() {
        let client = web().apply("c".to_owned(), None, &[]).unwrap();
        assert_eq!(client.grant_types, [GrantType::AuthorizationCode, GrantType::RefreshToken]);
        assert!(client.pkce_required && !client.first_party);
        assert_eq!(client.scopes, scope::STANDARD);
        assert_eq!(client.auth_method, AuthMethod::ClientSecretBasic);
    }

    #[test]
    fn refusals_name_the_member() {
        let member = |draft: Draft| draft.apply("c".to_owned(), None, &[]).unwrap_err().member;
        assert_eq!(member(Draft::default()), "redirect_uris");
        assert_eq!(member(Draft { grant_types: Some(vec!["password".to_owned()]), ..web() }), "grant_types");
        assert_eq!(member(Draft { scope: Some("openid nope".to_owned()), ..web() }), "scope");
        assert_eq!(member(Draft { api: Some("https://api".to_owned()), ..web() }), "api");
        assert_eq!(member(Draft { response_types: Some(vec!["token".to_owned()]), ..web() }), "response_types");
        assert_eq!(member(Draft { logo_uri: Some("javascript:x".to_owned()), ..web() }), "logo_uri");
        let public = Draft { token_endpoint_auth_method: Some("none".to_owned()), ..web() };
        assert_eq!(member(Draft { pkce: Some("optional".to_owned()), ..public.clone() }), "pkce");
        let both = Some(vec!["authorization_code".to_owned(), "client_credentials".to_owned()]);
        assert_eq!(member(Draft { grant_types: both, ..public }), "grant_types");
    }

    #[test]
    fn what_a_client_is_registered_with_makes_it_again() {
        let draft = Draft {
            scope: Some("profile openid".to_owned()),
            refresh_grace: Some("1m 30s".to_owned()),
            token_format: Some("jwt".to_owned()),
            claims_in_id_token: Some(true),
            frontchannel_logout_uri: Some("https://app.example.com/out".to_owned()),
            backchannel_logout_session_required: Some(true),
            ..web()
        };
        let client = draft.apply("c".to_owned(), None, &[]).unwrap();
        let again = Draft::of(&client).apply("c".to_owned(), None, &[]).unwrap();
        assert_eq!(Draft::of(&again), Draft::of(&client));
        assert_eq!(again.refresh_grace, Some(90_000));
        assert!(again.backchannel_logout_session_required && !again.frontchannel_logout_session_required);
        let back = Draft { refresh_grace: Some(String::new()), token_format: Some(String::new()), ..Draft::default() };
        let back = back.apply("c".to_owned(), Some(&client), &[]).unwrap();
        assert_eq!((back.refresh_grace, back.token_format), (None, None));
    }

    #[test]
    fn an_update_keeps_what_it_does_not_name() {
        let before = Draft { first_party: Some(true), logo_uri: Some("https://a.example/l.png".into()), ..web() }
            .apply("c".to_owned(), None, &[])
            .unwrap();
        let after = Draft { client_name: Some("New".to_owned()), logo_uri: Some(String::new()), ..Draft::default() };
        let after = after.apply("c".to_owned(), Some(&before), &[]).unwrap();
        assert_eq!(after, Client { name: "New".to_owned(), logo_uri: None, ..before });
    }
}
