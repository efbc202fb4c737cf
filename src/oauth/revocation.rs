//! A client gives a token back (RFC 7009).

use chrono::DateTime;

use super::bearer::{self, Reader};
use super::client_auth::AuthenticatedClient;
use crate::audit::Source;
use crate::grants::{GrantError, REFRESH_PREFIX, SignedToken};
use crate::platform::random;

/// Makes a token useless, if it is this client's: a refresh token with everything of its grant, an access token alone.
///
/// Answers whether anything was revoked, for our own count. The client hears nothing of it: that a token is unknown is no
/// error (section 2.2), and where it is another client's, section 2.1 would have us say so, which would tell whoever found
/// a token that it is one, and good. Nothing changes then, as for one that we never gave.
pub async fn revoke(
    presented: &str,
    client: &AuthenticatedClient,
    reader: Reader<'_>,
    source: &Source,
) -> Result<bool, GrantError> {
    if random::is_token(presented, REFRESH_PREFIX) {
        return reader.grants.revoke_refresh_token(client, presented, source).await;
    }
    if bearer::is_opaque(presented) {
        return reader.grants.revoke_opaque_token(client, presented, source).await;
    }
    let token = bearer::verify(presented, reader.keys, reader.issuer, reader.now);
    let Some(token) = token.filter(|token| token.client_id == client.id) else { return Ok(false) };
    let Some(expires_at) = DateTime::from_timestamp(token.exp, 0) else { return Ok(false) };
    let signed = SignedToken { jti: token.jti, expires_at, grant: token.grant_id };
    reader.grants.revoke_signed_token(client, signed, source).await
}
