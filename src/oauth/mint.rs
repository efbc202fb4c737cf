//! Makes tokens. Everything that mints passes here and brings its proofs: a grant that was consumed or a client of its own
//! right, a client that has authenticated, a decision about binding the token to its sender.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use chrono::{DateTime, Duration, Utc};
use serde::Serialize;
use serde_json::{Map, Value};
use sha2::{Digest as _, Sha256, Sha512};

use super::client_auth::AuthenticatedClient;
use super::{claims, scope};
use crate::clients::{Api, Client, TokenFormat};
use crate::grants::{Grant, NewAccessToken, StoredAccessToken};
use crate::identity::Standing;
use crate::keys::{Alg, KeyError, KeySet, TokenType};
use crate::platform::random::Random;
use crate::platform::settings::Settings;

/// Whether a token is bound to a key of its sender (RFC 9449, RFC 8705). Decided for every token, so that none forgets.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SenderConstraint {
    /// Whoever bears it may use it (RFC 6750).
    Bearer,
}

/// On whose behalf a token is made.
enum Ground {
    Person(Box<Grant>),
    /// With what it may do.
    Client(Standing),
}

/// All that must be true before a token is made.
pub struct Warrant {
    client: AuthenticatedClient,
    ground: Ground,
    /// The scope of this token, a part of the grant's at most.
    scope: String,
    audience: Option<String>,
    constraint: SenderConstraint,
    /// The access token itself, where it is opaque.
    stored: Option<StoredAccessToken>,
}

impl Warrant {
    /// For a person's grant that has just been consumed.
    pub fn of_grant(
        client: AuthenticatedClient,
        grant: Grant,
        scope: String,
        constraint: SenderConstraint,
        stored: Option<StoredAccessToken>,
    ) -> Self {
        let audience = grant.audience.clone();
        Self { client, ground: Ground::Person(Box::new(grant)), scope, audience, constraint, stored }
    }

    /// For a client that acts for itself (RFC 6749 section 4.4).
    pub fn of_client(
        client: AuthenticatedClient,
        scope: String,
        audience: Option<String>,
        constraint: SenderConstraint,
        stored: Option<StoredAccessToken>,
        standing: Standing,
    ) -> Self {
        Self { client, ground: Ground::Client(standing), scope, audience, constraint, stored }
    }

    /// The API that the token will be for; `None` is ourselves.
    pub fn audience(&self) -> Option<&str> {
        self.audience.as_deref()
    }
}

/// What a client's access tokens for an API look like: the client's own choice goes over the API's.
fn format_of(client: &Client, api: Option<&Api>) -> TokenFormat {
    client.token_format.or(api.map(|api| api.token_format)).unwrap_or(TokenFormat::AtJwt)
}

/// How many seconds they live.
fn lifetime_of(client: &Client, api: Option<&Api>, settings: &Settings) -> i64 {
    api.and_then(|api| api.access_token_lifetime)
        .or(client.access_token_lifetime)
        .map_or(settings.tokens.access_lifetime.seconds(), |millis| millis / 1000)
}

/// What is to be stored of an access token before it is handed out: nothing, unless it is opaque.
pub fn to_store(client: &Client, api: Option<&Api>, scope: &str, settings: &Settings) -> Option<NewAccessToken> {
    (format_of(client, api) == TokenFormat::Opaque).then(|| NewAccessToken {
        scope: scope.to_owned(),
        lifetime: Duration::seconds(lifetime_of(client, api, settings)),
    })
}

/// The answer of the token endpoint (RFC 6749 section 5.1, OpenID Connect Core section 3.1.3.3).
#[derive(Serialize)]
pub struct TokenResponse {
    pub access_token: String,
    pub token_type: &'static str,
    /// Seconds.
    pub expires_in: i64,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub refresh_token: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub id_token: Option<String>,
    #[serde(skip_serializing_if = "String::is_empty")]
    pub scope: String,
}

/// What minting needs of the house.
pub struct Mint<'m> {
    pub settings: &'m Settings,
    pub keys: &'m KeySet,
    pub random: &'m dyn Random,
    pub now: DateTime<Utc>,
}

/// The claims of an access token (RFC 9068 section 2.2).
#[derive(Serialize)]
struct AccessTokenClaims<'c> {
    iss: &'c str,
    sub: &'c str,
    aud: &'c str,
    client_id: &'c str,
    exp: i64,
    iat: i64,
    jti: &'c str,
    #[serde(skip_serializing_if = "str::is_empty")]
    scope: &'c str,
    #[serde(skip_serializing_if = "Option::is_none")]
    auth_time: Option<i64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    acr: Option<&'c str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    amr: Option<Vec<&'c str>>,
    /// Ours: the grant that the token dies with.
    #[serde(skip_serializing_if = "Option::is_none")]
    grant_id: Option<uuid::Uuid>,
    /// `roles` and `permissions` (section 2.2.3.1).
    #[serde(flatten)]
    standing: Map<String, Value>,
}

/// The claims of an ID token (OpenID Connect Core section 2); those about the person are beside them.
#[derive(Serialize)]
struct IdTokenClaims<'c> {
    iss: &'c str,
    sub: &'c str,
    aud: &'c str,
    exp: i64,
    iat: i64,
    /// Nothing is said where another provider has not said it.
    #[serde(skip_serializing_if = "Option::is_none")]
    auth_time: Option<i64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    nonce: Option<&'c str>,
    acr: &'c str,
    amr: Vec<&'c str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    sid: Option<&'c str>,
    at_hash: String,
    #[serde(flatten)]
    person: Map<String, Value>,
    #[serde(flatten)]
    standing: Map<String, Value>,
}

impl Mint<'_> {
    /// Makes the tokens that a warrant allows.
    pub fn tokens(
        &self,
        warrant: Warrant,
        api: Option<&Api>,
        refresh_token: Option<String>,
    ) -> Result<TokenResponse, KeyError> {
        let Warrant { client, ground, scope: granted, audience, constraint, stored } = warrant;
        let issuer = self.settings.issuer.as_str();
        let iat = self.now.timestamp();
        let lifetime = lifetime_of(&client, api, self.settings);
        let jti = URL_SAFE_NO_PAD.encode(self.random.bytes::<16>());
        let grant = match &ground {
            Ground::Person(grant) => Some(grant.as_ref()),
            Ground::Client(_) => None,
        };
        let standing = match &ground {
            Ground::Person(grant) => &grant.person.standing,
            Ground::Client(standing) => standing,
        };
        let subject = grant.map_or_else(|| client.id.clone(), |grant| grant.person.user_id.to_string());
        let claims = AccessTokenClaims {
            iss: issuer,
            sub: &subject,
            aud: audience.as_deref().unwrap_or(issuer),
            client_id: &client.id,
            exp: iat + lifetime,
            iat,
            jti: &jti,
            scope: &granted,
            auth_time: grant.map(|grant| grant.authentication.auth_time / 1000).filter(|time| *time > 0),
            acr: grant.map(|grant| grant.authentication.acr.as_str()),
            amr: grant.map(|grant| grant.authentication.amr.split(' ').collect()),
            grant_id: grant.map(|grant| grant.id),
            standing: claims::of_standing(standing, &granted),
        };
        let access_token = match (stored, format_of(&client, api)) {
            (Some(stored), _) => stored.into_token(),
            (None, TokenFormat::AtJwt) => self.sign(Alg::Rs256, TokenType::AccessToken, &claims)?,
            (None, TokenFormat::Jwt) => self.sign(Alg::Rs256, TokenType::Jwt, &claims)?,
            (None, TokenFormat::Opaque) => return Err(KeyError::Signing("an opaque token was not stored".to_owned())),
        };
        let id_token = match grant {
            Some(grant) if scope::has(&granted, "openid") => {
                Some(self.id_token(&client, grant, &granted, &subject, &access_token)?)
            }
            _ => None,
        };
        let token_type = match constraint {
            SenderConstraint::Bearer => "Bearer",
        };
        Ok(TokenResponse { access_token, token_type, expires_in: lifetime, refresh_token, id_token, scope: granted })
    }

    fn id_token(
        &self,
        client: &AuthenticatedClient,
        grant: &Grant,
        granted: &str,
        subject: &str,
        access_token: &str,
    ) -> Result<String, KeyError> {
        let iat = self.now.timestamp();
        let claims = IdTokenClaims {
            iss: &self.settings.issuer,
            sub: subject,
            aud: &client.id,
            exp: iat + self.settings.tokens.id_lifetime.seconds(),
            iat,
            auth_time: (grant.authentication.auth_time > 0).then_some(grant.authentication.auth_time / 1000),
            nonce: grant.nonce.as_deref(),
            acr: &grant.authentication.acr,
            amr: grant.authentication.amr.split(' ').collect(),
            sid: grant.authentication.sid.as_deref(),
            at_hash: at_hash(client.id_token_alg, access_token),
            person: claims::of(
                &grant.person,
                if client.claims_in_id_token { granted } else { "" },
                &grant.claims.id_token,
                &self.settings.attributes,
            ),
            standing: claims::of_standing(&grant.person.standing, granted),
        };
        self.sign(client.id_token_alg, TokenType::Jwt, &claims)
    }

    pub(super) fn sign(&self, alg: Alg, typ: TokenType, claims: &impl Serialize) -> Result<String, KeyError> {
        let key = self.keys.signing(alg).ok_or(KeyError::NoCurrent(alg))?;
        let payload = serde_json::to_vec(claims).map_err(|error| KeyError::Signing(error.to_string()))?;
        key.sign(typ, &payload)
    }
}

/// The left half of the access token's hash, by the hash of the ID token's algorithm (OpenID Connect Core section 3.1.3.6).
fn at_hash(alg: Alg, access_token: &str) -> String {
    let digest = match alg {
        Alg::Rs256 | Alg::Es256 | Alg::Ps256 => Sha256::digest(access_token.as_bytes()).to_vec(),
        // Ed25519 hashes with SHA-512 (RFC 8032 section 5.1).
        Alg::EdDsa => Sha512::digest(access_token.as_bytes()).to_vec(),
    };
    URL_SAFE_NO_PAD.encode(digest.get(..digest.len() / 2).unwrap_or_default())
}
