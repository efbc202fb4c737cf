//! What a token is, for those it concerns (RFC 7662): the client that it was given to, and the APIs that it is for.

use serde::Serialize;
use serde_json::{Map, Value};

use super::bearer::{LiveToken, Reader};
use super::claims;
use super::client_auth::AuthenticatedClient;
use crate::access::keys::{ApiKeys, LiveKey, Owner};
use crate::grants::{GrantError, Holder, REFRESH_PREFIX, RefreshToken};
use crate::platform::random;

/// The answer about a token that is good and the caller's business (section 2.2).
#[derive(Clone, Debug, Serialize)]
pub struct Introspection {
    active: bool,
    iss: String,
    sub: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    aud: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    client_id: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    username: Option<String>,
    #[serde(skip_serializing_if = "String::is_empty")]
    scope: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    token_type: Option<&'static str>,
    exp: i64,
    iat: i64,
    #[serde(skip_serializing_if = "Option::is_none")]
    jti: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    auth_time: Option<i64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    acr: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    amr: Option<Vec<String>>,
    /// `roles` and `permissions`.
    #[serde(flatten)]
    standing: Map<String, Value>,
}

/// The answer about every other string: one for all, so that nothing is learnt from it (section 2.2).
#[derive(Clone, Copy, Debug, Default, Serialize)]
pub struct Inactive {
    active: bool,
}

/// What there is to say of a string to a client that has authenticated. One SELECT at the most.
pub async fn introspect(
    presented: &str,
    caller: &AuthenticatedClient,
    reader: Reader<'_>,
) -> Result<Option<Introspection>, GrantError> {
    if random::is_token(presented, REFRESH_PREFIX) {
        let found = reader.grants.refresh_token(caller, presented).await?;
        return Ok(found.map(|token| of_refresh_token(token, caller, reader.issuer)));
    }
    let found = reader.live(presented).await?.filter(|token| concerns(caller, token));
    Ok(found.map(|token| of_access_token(token, reader.issuer)))
}

/// The same of an API key: for its owner, and for clients that speak for the API that it is for, which is a use of it.
pub async fn introspect_key(
    presented: &str,
    caller: &AuthenticatedClient,
    keys: &ApiKeys,
    issuer: &str,
) -> Result<Option<Introspection>, GrantError> {
    let Some(key) = keys.live(presented).await? else { return Ok(None) };
    let audience = key.audience.as_deref().unwrap_or(issuer);
    if caller.introspects.iter().any(|known| known == audience) {
        keys.used(key.key_id);
    } else if key.owner() != Owner::ServiceAccount(caller.id.clone()) {
        return Ok(None);
    }
    Ok(Some(of_key(key, issuer)))
}

/// Whether a token is this client's business: it was given to it, or is for an API that it speaks for.
fn concerns(caller: &AuthenticatedClient, token: &LiveToken) -> bool {
    token.client_id == caller.id || caller.introspects.contains(&token.audience)
}

fn of_access_token(token: LiveToken, issuer: &str) -> Introspection {
    let standing = claims::of_standing(token.standing(), &token.scope);
    let answer = Introspection {
        active: true,
        iss: issuer.to_owned(),
        sub: token.subject,
        aud: Some(token.audience),
        client_id: Some(token.client_id),
        username: None,
        scope: token.scope,
        token_type: Some("Bearer"),
        exp: token.expires_at,
        iat: token.issued_at,
        jti: token.jti,
        auth_time: None,
        acr: None,
        amr: None,
        standing,
    };
    match token.holder {
        Some(holder) => answer.held_by(holder),
        None => answer,
    }
}

fn of_key(key: LiveKey, issuer: &str) -> Introspection {
    let sub = match key.owner() {
        Owner::Person(id) => id.to_string(),
        Owner::ServiceAccount(id) => id,
    };
    Introspection {
        active: true,
        iss: issuer.to_owned(),
        sub,
        scope: key.scopes().join(" "),
        aud: Some(key.audience.unwrap_or_else(|| issuer.to_owned())),
        client_id: key.client_id,
        username: key.account.and_then(|account| account.person.username),
        token_type: Some("api_key"),
        exp: key.expires_at / 1000,
        iat: key.issued_at / 1000,
        jti: Some(key.key_id.to_string()),
        auth_time: None,
        acr: None,
        amr: None,
        standing: Map::new(),
    }
}

/// Without audience and type: an API that asks with its client's credentials must not take it for an access token.
fn of_refresh_token(token: RefreshToken, client: &AuthenticatedClient, issuer: &str) -> Introspection {
    let answer = Introspection {
        active: true,
        iss: issuer.to_owned(),
        sub: token.holder.person.user_id.to_string(),
        aud: None,
        client_id: Some(client.id.clone()),
        username: None,
        scope: token.scope,
        token_type: None,
        exp: token.expires_at / 1000,
        iat: token.issued_at / 1000,
        jti: None,
        auth_time: None,
        acr: None,
        amr: None,
        standing: Map::new(),
    };
    answer.held_by(token.holder)
}

impl Introspection {
    fn held_by(self, holder: Holder) -> Self {
        let Holder { person, authentication, .. } = holder;
        Self {
            username: person.username,
            auth_time: Some(authentication.auth_time / 1000).filter(|time| *time > 0),
            acr: Some(authentication.acr),
            amr: Some(authentication.amr.split(' ').map(str::to_owned).collect()),
            ..self
        }
    }
}
