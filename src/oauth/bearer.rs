//! Our own access tokens, presented at our own endpoints (RFC 6750, RFC 9068 section 4): THE place that says what one means.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use chrono::{DateTime, Utc};
use serde::Deserialize;
use uuid::Uuid;

use crate::grants::{ACCESS_PREFIX, Account, GrantError, Grants, Holder};
use crate::identity::Standing;
use crate::keys::{KeySet, PublicKey};
use crate::platform::random;

/// Nothing longer is even decoded.
const LONGEST: usize = 16 * 1024;

/// An access token that is good now, whatever it looks like: its grant is alive, its client in use, and nobody revoked it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LiveToken {
    pub client_id: String,
    /// The person, or the client that acts for itself.
    pub subject: String,
    /// The API that it is for, or ourselves.
    pub audience: String,
    /// Space-separated.
    pub scope: String,
    /// Seconds since 1970.
    pub issued_at: i64,
    /// Seconds since 1970.
    pub expires_at: i64,
    /// Opaque tokens have none.
    pub jti: Option<String>,
    /// `None`: a client acts for itself.
    pub holder: Option<Holder>,
    /// What the client may do that acts for itself.
    service: Standing,
}

impl LiveToken {
    /// What its person, or the client that acts for itself, may do now; read only where a scope asks for it.
    pub fn standing(&self) -> &Standing {
        self.holder.as_ref().map_or(&self.service, |holder| &holder.person.standing)
    }
}

/// The account behind an access token that is good now and is for ourselves.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LiveAccount {
    pub client_id: String,
    /// Space-separated.
    pub scope: String,
    pub actor: Actor,
}

/// For whom a token acts.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Actor {
    Person(Box<Account>),
    /// The client itself, with what it may do.
    Client(Standing),
}

/// What reading access tokens takes.
#[derive(Clone, Copy)]
pub struct Reader<'r> {
    pub keys: &'r KeySet,
    pub issuer: &'r str,
    pub grants: &'r Grants,
    pub now: DateTime<Utc>,
}

impl Reader<'_> {
    /// The token behind a string, if it is good now. One SELECT, and none for what cannot be one.
    pub async fn live(&self, presented: &str) -> Result<Option<LiveToken>, GrantError> {
        if is_opaque(presented) { self.opaque(presented).await } else { self.signed(presented).await }
    }

    /// The account behind a string, if it is a token for ourselves that is good now. One SELECT, and none for what cannot be one.
    pub async fn account(&self, presented: &str) -> Result<Option<LiveAccount>, GrantError> {
        if is_opaque(presented) {
            let token = self.grants.opaque_account_token(presented).await?;
            return Ok(token.filter(|token| token.audience.is_none()).map(|token| LiveAccount {
                client_id: token.client_id,
                scope: token.scope,
                actor: match token.account {
                    Some(account) => Actor::Person(Box::new(account)),
                    None => Actor::Client(token.service.into()),
                },
            }));
        }
        let Some(token) = verify(presented, self.keys, self.issuer, self.now) else { return Ok(None) };
        if token.aud != self.issuer {
            return Ok(None);
        }
        let actor = match token.grant_id {
            Some(grant) => self.grants.account(grant, &token.jti).await?.map(Box::new).map(Actor::Person),
            None => self.grants.service(&token.client_id, &token.jti).await?.map(Actor::Client),
        };
        Ok(actor.map(|actor| LiveAccount { client_id: token.client_id, scope: token.scope, actor }))
    }

    async fn opaque(&self, presented: &str) -> Result<Option<LiveToken>, GrantError> {
        let Some(token) = self.grants.opaque_token(presented).await? else { return Ok(None) };
        let subject = match &token.holder {
            Some(holder) => holder.person.user_id.to_string(),
            None => token.client_id.clone(),
        };
        Ok(Some(LiveToken {
            subject,
            client_id: token.client_id,
            audience: token.audience.unwrap_or_else(|| self.issuer.to_owned()),
            scope: token.scope,
            issued_at: token.issued_at / 1000,
            expires_at: token.expires_at / 1000,
            jti: None,
            holder: token.holder,
            service: token.service.into(),
        }))
    }

    async fn signed(&self, presented: &str) -> Result<Option<LiveToken>, GrantError> {
        let Some(token) = verify(presented, self.keys, self.issuer, self.now) else { return Ok(None) };
        let alive = match token.grant_id {
            Some(grant) => {
                let holder = self.grants.holder(grant, &token.jti).await?;
                holder.map(|holder| (Some(holder), Standing::default()))
            }
            None => self.grants.service(&token.client_id, &token.jti).await?.map(|service| (None, service)),
        };
        let Some((holder, service)) = alive else { return Ok(None) };
        Ok(Some(LiveToken {
            client_id: token.client_id,
            subject: token.sub,
            audience: token.aud,
            scope: token.scope,
            issued_at: token.iat,
            expires_at: token.exp,
            jti: Some(token.jti),
            holder,
            service,
        }))
    }
}

/// Whether a string could be an opaque access token of ours.
pub fn is_opaque(presented: &str) -> bool {
    random::is_token(presented, ACCESS_PREFIX)
}

/// A signed access token of ours, unexpired and meant as one. Whether it is good besides, the database knows.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
pub struct AccessToken {
    pub iss: String,
    pub sub: String,
    pub aud: String,
    pub client_id: String,
    pub exp: i64,
    pub iat: i64,
    /// We set none; a token that has one means it (RFC 7519 section 4.1.5).
    nbf: Option<i64>,
    pub jti: String,
    #[serde(default)]
    pub scope: String,
    /// `None`: a client acts for itself.
    pub grant_id: Option<Uuid>,
}

#[derive(Deserialize)]
struct Header {
    alg: String,
    kid: String,
    typ: String,
    crit: Option<serde_json::Value>,
    b64: Option<serde_json::Value>,
}

/// Signature first, then type, then what it says. Keys come from our own set by the `kid`; what the header says of keys
/// (`jwk`, `jku`, `x5u`) is not looked at.
pub(super) fn verify(token: &str, keys: &KeySet, issuer: &str, now: DateTime<Utc>) -> Option<AccessToken> {
    let (header, payload) = signed_parts(token, |kid| keys.find(kid))?;
    let typ = header.typ.to_ascii_lowercase();
    if !matches!(typ.as_str(), "at+jwt" | "application/at+jwt" | "jwt") {
        return None;
    }
    // An ID token has neither `client_id` nor `jti`, so it does not pass for an access token of the older type.
    let token: AccessToken = serde_json::from_slice(&payload).ok()?;
    let now = now.timestamp();
    let in_time = now < token.exp && token.iat <= token.exp && token.nbf.is_none_or(|nbf| nbf <= now);
    (token.iss == issuer && in_time).then_some(token)
}

/// The payload of a JWS of this type that one of our keys signed, whatever it says.
pub(super) fn signed_payload<'k>(
    token: &str,
    typ: &str,
    key: impl Fn(&str) -> Option<&'k PublicKey>,
) -> Option<Vec<u8>> {
    let (header, payload) = signed_parts(token, key)?;
    header.typ.eq_ignore_ascii_case(typ).then_some(payload)
}

fn signed_parts<'k>(token: &str, key: impl Fn(&str) -> Option<&'k PublicKey>) -> Option<(Header, Vec<u8>)> {
    if token.len() > LONGEST {
        return None;
    }
    let (message, signature) = token.rsplit_once('.')?;
    let (header, payload) = message.split_once('.')?;
    let header: Header = serde_json::from_slice(&URL_SAFE_NO_PAD.decode(header).ok()?).ok()?;
    if header.crit.is_some() || header.b64.is_some() {
        return None;
    }
    let key = key(&header.kid)?;
    if header.alg != key.alg.name() {
        return None;
    }
    let signature = URL_SAFE_NO_PAD.decode(signature).ok()?;
    if !key.verifies(message.as_bytes(), &signature) {
        return None;
    }
    Some((header, URL_SAFE_NO_PAD.decode(payload).ok()?))
}
