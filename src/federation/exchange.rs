//! A provider's code for its tokens (RFC 6749 section 4.1.3), and what it tells whoever holds them.

use openidconnect::core::CoreIdToken;
use openidconnect::{AccessToken, AuthorizationCode, OAuth2TokenResponse as _, RequestTokenError, TokenResponse as _};
use serde_json::{Map, Value, json};

use super::begin::Bound;
use super::fetch::{self, Fetch};
use super::registry::Provider;
use super::token::Expected;
use super::{Federation, FederationError, claims};
use crate::keys::{Alg, KeySet, TokenType};
use crate::platform::settings::ClientAuth;

/// Seconds that a client assertion is good for.
const ASSERTION_LIFETIME: i64 = 60;

/// Claims that userinfo has no say in.
const OF_THE_TOKEN: [&str; 13] =
    ["iss", "aud", "exp", "iat", "nbf", "jti", "auth_time", "nonce", "acr", "amr", "azp", "at_hash", "sid"];

/// What a provider has said of somebody.
pub(super) struct Said {
    pub(super) claims: Map<String, Value>,
    pub(super) id_token: Option<String>,
}

impl Federation {
    pub(super) async fn exchange(
        &self,
        provider: &Provider,
        code: &str,
        bound: Bound,
        keys: &KeySet,
    ) -> Result<Said, FederationError> {
        let client = self.client(provider).await?;
        let mut request =
            client.exchange_code(AuthorizationCode::new(code.to_owned())).set_pkce_verifier(bound.verifier);
        if provider.declared.client_auth == ClientAuth::PrivateKeyJwt {
            request = request
                .add_extra_param("client_assertion_type", "urn:ietf:params:oauth:client-assertion-type:jwt-bearer")
                .add_extra_param("client_assertion", self.assertion(provider, keys)?);
        }
        let answer = request.request_async(&Fetch(&self.outgoing)).await.map_err(|error| match error {
            RequestTokenError::ServerResponse(said) => {
                FederationError::Denied(said.error().to_string().chars().take(64).collect())
            }
            RequestTokenError::Request(error) => FederationError::Unavailable(error.cause()),
            RequestTokenError::Parse(..) => FederationError::Unbelievable("its tokens cannot be read".to_owned()),
            RequestTokenError::Other(why) => FederationError::Unavailable(why),
        })?;
        let access_token = answer.access_token();
        if !provider.is_openid() {
            return Ok(Said { claims: self.plain_claims(provider, access_token).await?, id_token: None });
        }
        let token =
            answer.id_token().ok_or_else(|| FederationError::Unbelievable("there is no ID token".to_owned()))?;
        let own = vec![provider.declared.client_id.as_str()];
        let expected = Expected {
            audiences: own.clone(),
            parties: own,
            nonce: Some(&bound.nonce),
            access_token: Some(access_token),
        };
        let mut said = self.id_token(provider, token, &expected).await?;
        self.complete(provider, &mut said, access_token).await?;
        Ok(Said { claims: said, id_token: Some(token.to_string()) })
    }

    /// The claims of an ID token that somebody else has got from the provider. Nothing but the token says who that is, so it has
    /// to be made for us, or for a client that is named beside ours.
    pub(super) async fn presented(
        &self,
        provider: &Provider,
        token: &str,
        nonce: Option<&str>,
    ) -> Result<Map<String, Value>, FederationError> {
        let token: CoreIdToken =
            token.parse().map_err(|_| FederationError::Unbelievable("it is no ID token".to_owned()))?;
        let nonce = nonce.map(|nonce| openidconnect::Nonce::new(nonce.to_owned()));
        let declared = &provider.declared;
        let ours: Vec<&str> =
            std::iter::once(&declared.client_id).chain(&declared.audiences).map(String::as_str).collect();
        let expected = Expected { audiences: ours.clone(), parties: ours, nonce: nonce.as_ref(), access_token: None };
        self.id_token(provider, &token, &expected).await
    }

    /// Adds what the userinfo endpoint says, where the token left out what is wanted (OpenID Connect Core 1.0 section 5.3).
    async fn complete(
        &self,
        provider: &Provider,
        said: &mut Map<String, Value>,
        access_token: &AccessToken,
    ) -> Result<(), FederationError> {
        if claims::are_enough(&provider.declared, said) {
            return Ok(());
        }
        let metadata = self.metadata(provider).await?;
        let Some(url) = metadata.userinfo_endpoint() else { return Ok(()) };
        let Value::Object(more) = fetch::json(&self.outgoing, url.as_str(), access_token.secret()).await? else {
            return Err(FederationError::Unbelievable("userinfo is no object".to_owned()));
        };
        if more.get("sub").and_then(Value::as_str) != said.get("sub").and_then(Value::as_str) {
            return Err(FederationError::Unbelievable("userinfo is about somebody else".to_owned()));
        }
        let declared = &provider.declared;
        let pair = [&declared.email_claim, &declared.email_verified_claim];
        if more.contains_key(&declared.email_claim) && !pair.iter().all(|claim| said.contains_key(*claim)) {
            // Which address is proven is said by whoever names it.
            for claim in pair {
                said.remove(claim);
            }
        }
        // Of the sign-in itself only the signed token speaks.
        for (name, value) in more.into_iter().filter(|(name, _)| !OF_THE_TOKEN.contains(&name.as_str())) {
            said.entry(name).or_insert(value);
        }
        Ok(())
    }

    /// Plain OAuth 2 has no ID token: the provider is asked.
    async fn plain_claims(
        &self,
        provider: &Provider,
        access_token: &AccessToken,
    ) -> Result<Map<String, Value>, FederationError> {
        let declared = &provider.declared;
        let Value::Object(mut said) =
            fetch::json(&self.outgoing, &declared.userinfo_endpoint, access_token.secret()).await?
        else {
            return Err(FederationError::Unbelievable("userinfo is no object".to_owned()));
        };
        if !declared.emails_endpoint.is_empty() {
            // People may have kept their addresses to themselves.
            match fetch::json(&self.outgoing, &declared.emails_endpoint, access_token.secret()).await {
                Ok(list) => claims::choose_address(declared, &mut said, &list),
                Err(error) => {
                    tracing::info!(provider = provider.name, %error, "a provider's list of addresses was not given");
                }
            }
        }
        Ok(said)
    }

    /// Who we are, signed by our own published key (RFC 7523 section 3), for the provider alone.
    fn assertion(&self, provider: &Provider, keys: &KeySet) -> Result<String, FederationError> {
        let now = self.clock.now().timestamp();
        let payload = json!({
            "iss": provider.declared.client_id,
            "sub": provider.declared.client_id,
            // The issuer; plain OAuth 2 has none, and the endpoint is the older rule.
            "aud": if provider.is_openid() { &provider.identity } else { &provider.declared.token_endpoint },
            "jti": self.random.token(""),
            "iat": now,
            "exp": now + ASSERTION_LIFETIME,
        });
        let unsigned =
            |why: String| FederationError::Unavailable(format!("a client assertion could not be signed: {why}"));
        let key = keys.signing(Alg::Rs256).ok_or_else(|| unsigned("there is no RS256 key".to_owned()))?;
        key.sign(TokenType::Jwt, payload.to_string().as_bytes()).map_err(|error| unsigned(error.to_string()))
    }
}
