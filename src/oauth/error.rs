//! The errors that OAuth names, each with the status its RFC gives it.

use super::client_auth::ClientAuthError;
use crate::clients::ClientError;
use crate::grants::GrantError;
use crate::keys::KeyError;

/// An error code of RFC 6749, RFC 8707, OpenID Connect Core 3.1.2.6 and the registries that extend them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ErrorCode {
    InvalidRequest,
    InvalidClient,
    InvalidGrant,
    UnauthorizedClient,
    UnsupportedGrantType,
    UnsupportedResponseType,
    InvalidScope,
    InvalidTarget,
    AccessDenied,
    ServerError,
    TemporarilyUnavailable,
    LoginRequired,
    ConsentRequired,
    RequestNotSupported,
    RequestUriNotSupported,
    /// `OpenID` Connect Core Error Code `unmet_authentication_requirements` 1.0.
    UnmetAuthenticationRequirements,
}

impl ErrorCode {
    pub const fn name(self) -> &'static str {
        match self {
            Self::InvalidRequest => "invalid_request",
            Self::InvalidClient => "invalid_client",
            Self::InvalidGrant => "invalid_grant",
            Self::UnauthorizedClient => "unauthorized_client",
            Self::UnsupportedGrantType => "unsupported_grant_type",
            Self::UnsupportedResponseType => "unsupported_response_type",
            Self::InvalidScope => "invalid_scope",
            Self::InvalidTarget => "invalid_target",
            Self::AccessDenied => "access_denied",
            Self::ServerError => "server_error",
            Self::TemporarilyUnavailable => "temporarily_unavailable",
            Self::LoginRequired => "login_required",
            Self::ConsentRequired => "consent_required",
            Self::RequestNotSupported => "request_not_supported",
            Self::RequestUriNotSupported => "request_uri_not_supported",
            Self::UnmetAuthenticationRequirements => "unmet_authentication_requirements",
        }
    }
}

/// Why the token endpoint refuses (RFC 6749 section 5.2).
#[derive(Debug, thiserror::Error)]
pub enum TokenError {
    #[error("{}: {description}", code.name())]
    Refused { code: ErrorCode, description: &'static str },
    #[error("{0}")]
    Client(#[from] ClientAuthError),
    #[error("{0}")]
    Grant(#[from] GrantError),
    #[error("{0}")]
    Key(#[from] KeyError),
    #[error("{0}")]
    Registry(#[from] ClientError),
    /// oxide-auth's machine answered something that cannot follow.
    #[error("the protocol machine went astray at {0}")]
    Machine(&'static str),
}

impl TokenError {
    pub const fn new(code: ErrorCode, description: &'static str) -> Self {
        Self::Refused { code, description }
    }

    pub const fn request(description: &'static str) -> Self {
        Self::new(ErrorCode::InvalidRequest, description)
    }

    pub const fn grant(description: &'static str) -> Self {
        Self::new(ErrorCode::InvalidGrant, description)
    }
}
