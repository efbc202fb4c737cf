//! Every answer that is a no: a problem (RFC 9457), and for tokens the challenge that says what would help (RFC 6750).

use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde_json::json;

/// Why. Nothing of the token, and no cause of a failure, is told.
#[derive(Debug)]
pub(crate) enum Refusal {
    NoToken,
    InvalidToken(&'static str),
    Scope(&'static str),
    Role(&'static str),
    Permission(&'static str),
    /// The policies do not let this caller do this here.
    Decision,
    /// The provider was needed and did not answer.
    Unavailable,
    Malformed,
    NotFound,
}

impl Refusal {
    fn status(&self) -> StatusCode {
        match self {
            Self::NoToken | Self::InvalidToken(_) => StatusCode::UNAUTHORIZED,
            Self::Scope(_) | Self::Role(_) | Self::Permission(_) | Self::Decision => StatusCode::FORBIDDEN,
            Self::Unavailable => StatusCode::SERVICE_UNAVAILABLE,
            Self::Malformed => StatusCode::BAD_REQUEST,
            Self::NotFound => StatusCode::NOT_FOUND,
        }
    }

    fn detail(&self) -> String {
        match self {
            Self::NoToken => "an access token is needed".to_owned(),
            Self::InvalidToken(why) => (*why).to_owned(),
            Self::Scope(scope) => format!("the scope {scope} is needed"),
            Self::Role(role) => format!("the role {role} is needed"),
            Self::Permission(permission) => format!("the permission {permission} is needed"),
            Self::Decision => "no policy allows this".to_owned(),
            Self::Unavailable => "this cannot be decided now".to_owned(),
            Self::Malformed => "the body is not {\"text\": \"…\"} in JSON".to_owned(),
            Self::NotFound => "there is no such thing".to_owned(),
        }
    }

    /// RFC 6750 section 3: without a token no error code, for there was no attempt yet.
    fn challenge(&self) -> Option<String> {
        match self {
            Self::NoToken => Some("Bearer realm=\"notes\"".to_owned()),
            Self::InvalidToken(why) => {
                Some(format!("Bearer realm=\"notes\", error=\"invalid_token\", error_description=\"{why}\""))
            }
            Self::Scope(scope) => {
                Some(format!("Bearer realm=\"notes\", error=\"insufficient_scope\", scope=\"{scope}\""))
            }
            Self::Role(_) | Self::Permission(_) | Self::Decision => Some(format!(
                "Bearer realm=\"notes\", error=\"insufficient_scope\", error_description=\"{}\"",
                self.detail()
            )),
            Self::Unavailable | Self::Malformed | Self::NotFound => None,
        }
    }
}

impl IntoResponse for Refusal {
    fn into_response(self) -> Response {
        let status = self.status();
        let title = status.canonical_reason().unwrap_or_default();
        let problem = json!({"title": title, "status": status.as_u16(), "detail": self.detail()});
        let content_type = [(header::CONTENT_TYPE, "application/problem+json")];
        let mut response = (status, content_type, problem.to_string()).into_response();
        if let Some(challenge) = self.challenge().and_then(|challenge| challenge.parse().ok()) {
            response.headers_mut().insert(header::WWW_AUTHENTICATE, challenge);
        }
        if status == StatusCode::SERVICE_UNAVAILABLE {
            response.headers_mut().insert(header::RETRY_AFTER, header::HeaderValue::from_static("5"));
        }
        response
    }
}
