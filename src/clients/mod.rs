//! Registered applications (clients) and resource servers (APIs), kept in memory as one snapshot that is swapped on change.

mod credentials;
mod redirect;
mod registration;
mod secret;
mod snapshot;
mod store;

use serde::Serialize;

pub use credentials::ensure as ensure_credentials_client;
pub use redirect::{matches as redirect_matches, origin_of, validate as validate_redirect_uri};
pub use registration::{ApiDraft, Draft, Problem};
pub use secret::{Overlap, PreviousSecret, new_id, new_secret};
pub use snapshot::{Clients, Registry};
pub use store::{Change, create_api, delete, delete_api, exists, rotate_secret, save, save_api, set_disabled};
pub(crate) use store::{create_in, rotate_secret_in};

use crate::keys::Alg;
use crate::oauth::scope;
use crate::platform::database::DatabaseError;

/// How a client proves itself at the token endpoint (RFC 7591 section 2).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AuthMethod {
    /// A public client: it has no secret.
    None,
    /// Basic and post are taken interchangeably: many client libraries probe one after the other.
    ClientSecretBasic,
    ClientSecretPost,
}

impl AuthMethod {
    pub const ALL: [Self; 3] = [Self::ClientSecretBasic, Self::ClientSecretPost, Self::None];

    pub const fn name(self) -> &'static str {
        match self {
            Self::None => "none",
            Self::ClientSecretBasic => "client_secret_basic",
            Self::ClientSecretPost => "client_secret_post",
        }
    }

    pub fn parse(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|method| method.name() == name)
    }
}

/// A way to get tokens (RFC 6749).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum GrantType {
    AuthorizationCode,
    RefreshToken,
    ClientCredentials,
    /// Our own JSON API signs people in with their password. No OAuth endpoint takes it.
    Credentials,
}

impl GrantType {
    pub const ALL: [Self; 4] =
        [Self::AuthorizationCode, Self::RefreshToken, Self::ClientCredentials, Self::Credentials];

    /// What the token endpoint takes.
    pub const OAUTH: [Self; 3] = [Self::AuthorizationCode, Self::RefreshToken, Self::ClientCredentials];

    pub const fn name(self) -> &'static str {
        match self {
            Self::AuthorizationCode => "authorization_code",
            Self::RefreshToken => "refresh_token",
            Self::ClientCredentials => "client_credentials",
            Self::Credentials => "credentials",
        }
    }

    pub fn parse(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|grant| grant.name() == name)
    }
}

/// What access tokens look like.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TokenFormat {
    /// RFC 9068.
    AtJwt,
    /// The same with the older `typ`, for stacks whose default decoder refuses the newer one.
    Jwt,
    /// A random string that means something to us alone: others ask by introspection.
    Opaque,
}

impl TokenFormat {
    pub const ALL: [Self; 3] = [Self::AtJwt, Self::Jwt, Self::Opaque];

    pub const fn name(self) -> &'static str {
        match self {
            Self::AtJwt => "at+jwt",
            Self::Jwt => "jwt",
            Self::Opaque => "opaque",
        }
    }

    pub fn parse(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|format| format.name() == name)
    }
}

/// A registered application. Durations are milliseconds.
#[derive(Clone, Debug, PartialEq, Eq)]
#[expect(clippy::struct_excessive_bools, reason = "each is a choice of its own in the registration")]
pub struct Client {
    pub id: String,
    pub name: String,
    /// SHA-256 of the secret; public clients have none.
    pub secret_hash: Option<Vec<u8>>,
    /// The secret before, while its users change over.
    pub previous_secret: Option<PreviousSecret>,
    pub auth_method: AuthMethod,
    pub first_party: bool,
    pub pkce_required: bool,
    pub claims_in_id_token: bool,
    pub id_token_alg: Alg,
    pub token_format: Option<TokenFormat>,
    /// The API that access tokens are for when the request names none.
    pub default_audience: Option<String>,
    pub refresh_grace: Option<i64>,
    pub access_token_lifetime: Option<i64>,
    pub refresh_token_lifetime: Option<i64>,
    pub default_max_age: Option<i64>,
    pub backchannel_logout_uri: Option<String>,
    pub frontchannel_logout_uri: Option<String>,
    /// Whether it cannot do without `sid` (we always send it).
    pub backchannel_logout_session_required: bool,
    pub frontchannel_logout_session_required: bool,
    pub logo_uri: Option<String>,
    pub disabled: bool,
    pub redirect_uris: Vec<String>,
    pub post_logout_redirect_uris: Vec<String>,
    pub grant_types: Vec<GrantType>,
    pub scopes: Vec<String>,
    pub introspects: Vec<String>,
    /// What it may do for itself, in order. Given and taken by `access::roles`, not by the registration.
    pub roles: Vec<String>,
}

impl Client {
    pub fn may(&self, grant: GrantType) -> bool {
        self.grant_types.contains(&grant)
    }

    /// Whether it acts for itself: then it can hold roles and API keys.
    pub fn is_service_account(&self) -> bool {
        self.may(GrantType::ClientCredentials)
    }

    pub fn is_public(&self) -> bool {
        self.auth_method == AuthMethod::None
    }

    /// Whose people's own account is concerned, only those of the house may ask: a consent would hand it over whole.
    pub fn may_ask_for(&self, scope: &str) -> bool {
        if scope == scope::ACCOUNT {
            return self.first_party;
        }
        self.scopes.iter().any(|allowed| allowed == scope)
    }
}

/// A resource server.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Api {
    pub audience: String,
    pub name: String,
    #[serde(serialize_with = "format_name")]
    pub token_format: TokenFormat,
    /// Milliseconds.
    pub access_token_lifetime: Option<i64>,
    #[serde(rename = "scopes")]
    pub scopes: Vec<String>,
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde calls it so")]
fn format_name<S: serde::Serializer>(format: &TokenFormat, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_str(format.name())
}

#[derive(Debug, thiserror::Error)]
pub enum ClientError {
    #[error("{0}")]
    Database(#[from] DatabaseError),
    #[error("there is no client {0}: `bonafide client list` shows them")]
    Unknown(String),
    #[error("there is a client {0} already: `bonafide client update {0}` changes it")]
    Present(String),
    #[error("there is no API {0}: `bonafide api list` shows them")]
    UnknownApi(String),
    #[error("there is an API {0} already: `bonafide api update {0}` changes it")]
    PresentApi(String),
    #[error("the API {0} is the default of a client: change that client first")]
    ApiInUse(String),
    #[error(
        "setting credentials.client_id: JSON sign-in cannot use the client {0}: it must be first-party, not disabled, and have \
         the grants credentials and refresh_token"
    )]
    NotForCredentials(String),
    #[error("client {0} is public: it has no secret")]
    Public(String),
    #[error("{0}")]
    Invalid(#[from] Problem),
}
