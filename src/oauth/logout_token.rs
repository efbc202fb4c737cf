//! Logout tokens (OpenID Connect Back-Channel Logout 1.0 section 2.4): what tells an application that a session has ended.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde::Serialize;
use serde_json::json;

use super::mint::Mint;
use crate::clients::Client;
use crate::keys::{KeyError, TokenType};

/// Seconds: long enough for clocks that differ a little, too short to be kept for later.
const LIFETIME: i64 = 120;
const EVENT: &str = "http://schemas.openid.net/event/backchannel-logout";

/// Never a `nonce`: with one it could pass for an ID token.
#[derive(Serialize)]
struct LogoutTokenClaims<'c> {
    iss: &'c str,
    sub: &'c str,
    aud: &'c str,
    iat: i64,
    exp: i64,
    jti: &'c str,
    sid: &'c str,
    events: serde_json::Value,
}

impl Mint<'_> {
    /// Signed like the client's ID tokens, so that it needs no other key or setting to judge it.
    pub fn logout_token(&self, client: &Client, subject: &str, sid: &str) -> Result<String, KeyError> {
        let iat = self.now.timestamp();
        let jti = URL_SAFE_NO_PAD.encode(self.random.bytes::<16>());
        let claims = LogoutTokenClaims {
            iss: &self.settings.issuer,
            sub: subject,
            aud: &client.id,
            iat,
            exp: iat + LIFETIME,
            jti: &jti,
            sid,
            events: json!({ EVENT: {} }),
        };
        self.sign(client.id_token_alg, TokenType::LogoutToken, &claims)
    }
}
