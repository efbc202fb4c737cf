//! The rules of OAuth 2 and OpenID Connect: no HTTP framework, no SQL, the time passed in.
//!
//! oxide-auth's state machines decide order and the rules of RFC 6749 (grant type, one set of credentials, client and
//! redirect match, scope narrowing); our functions answer their questions and may end the conversation at any of them
//! with the precise error, since the machines know nothing of OpenID Connect.

pub mod authorization;
pub mod bearer;
pub mod claims;
pub mod claims_request;
pub mod client_auth;
mod error;
pub mod hint;
pub mod introspection;
mod logout_token;
pub mod metadata;
pub mod mint;
pub mod parameters;
pub mod pkce;
pub mod prompt;
pub mod reply;
pub mod revocation;
pub mod scope;
pub mod token;
pub mod why;

pub use error::{ErrorCode, TokenError};

/// Takes the one output that may follow, or leaves the function: the machines are linear.
macro_rules! step {
    ($output:expr => $expected:pat, $otherwise:expr) => {
        let output = $output;
        let $expected = output else { return Err($otherwise) };
    };
}
pub(crate) use step;
