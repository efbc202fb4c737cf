//! The way to a provider (OpenID Connect Core 1.0 section 3.1.2.1).

use chrono::Duration;
use openidconnect::core::{CoreAuthenticationFlow, CoreClient};
use openidconnect::{
    AuthType, AuthUrl, ClientId, ClientSecret, CsrfToken, EndpointNotSet, EndpointSet, IssuerUrl, JsonWebKeySet, Nonce,
    PkceCodeChallenge, PkceCodeVerifier, RedirectUrl, Scope, TokenUrl,
};
use uuid::Uuid;

use super::registry::Provider;
use super::store::{self, NewRequest};
use super::{Federation, FederationError};
use crate::platform::secrets;
use crate::platform::settings::{AssuranceBy, ClientAuth};

/// How long somebody may take at the provider.
const LIFETIME: Duration = Duration::hours(1);

/// What somebody is sent to a provider for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Purpose {
    /// For the application's request that waits by this name, or for a section of one's account by its word.
    SignIn { interaction: Option<String>, then: Option<String> },
    /// To link another account to the person who is signed in.
    Link { user: Uuid },
    /// To show once more that it is the person who is signed in, on their way to this section of their account.
    Confirm { user: Uuid, then: String },
}

/// What the provider is asked to heed.
#[derive(Clone, Debug, Default)]
pub struct Wish {
    pub login_hint: Option<String>,
    pub ui_locales: Option<String>,
    /// They have to authenticate anew.
    pub login: bool,
    pub select_account: bool,
    /// Seconds.
    pub max_age: Option<i64>,
    /// The `acr` values of ours that will do.
    pub acr: Vec<String>,
}

pub(super) type Client = CoreClient<EndpointSet, EndpointNotSet, EndpointNotSet, EndpointNotSet, EndpointSet>;

impl Federation {
    /// Expects the browser that holds `browser` back from a provider. Answers where it is to go.
    pub async fn begin(
        &self,
        name: &str,
        purpose: Purpose,
        browser: &str,
        wish: &Wish,
    ) -> Result<String, FederationError> {
        let provider = self.find(name)?;
        let client = self.client(&provider).await?;
        let state = self.random.token("");
        let url = self.authorization_url(&provider, &client, &state, browser, wish);
        let now = self.clock.now();
        let (purpose, user_id, onward) = match purpose {
            Purpose::SignIn { interaction: None, then: Some(then) } => (store::VISIT, None, Some(then)),
            Purpose::SignIn { interaction, .. } => (store::SIGN_IN, None, interaction),
            Purpose::Link { user } => (store::LINK, Some(user), None),
            Purpose::Confirm { user, then } => (store::CONFIRM, Some(user), Some(then)),
        };
        let new = NewRequest {
            state_hash: secrets::hash(&state),
            provider: provider.name.clone(),
            browser_hash: secrets::hash(browser),
            purpose,
            user_id,
            onward,
            now,
            expires_at: now + LIFETIME,
        };
        let action = self.database.write(move |tx| Box::pin(async move { store::insert_request(tx, &new).await }));
        action.await?;
        Ok(url)
    }

    fn authorization_url(
        &self,
        provider: &Provider,
        client: &Client,
        state: &str,
        browser: &str,
        wish: &Wish,
    ) -> String {
        let Bound { nonce, verifier } = Bound::of(browser, state);
        let challenge = PkceCodeChallenge::from_code_verifier_sha256(&verifier);
        let declared = &provider.declared;
        if !provider.is_openid() {
            // The library would ask for the scope `openid`, which plain OAuth 2 does not know.
            let mut pairs = vec![
                ("response_type", "code".to_owned()),
                ("client_id", declared.client_id.clone()),
                ("redirect_uri", self.redirect_uri(&provider.name)),
                ("state", state.to_owned()),
                ("code_challenge", challenge.as_str().to_owned()),
                ("code_challenge_method", "S256".to_owned()),
            ];
            if wish.select_account {
                // OpenID Connect's word for it, which others have taken over; who has not leaves it aside.
                pairs.push(("prompt", "select_account".to_owned()));
            }
            if !declared.scopes.is_empty() {
                pairs.push(("scope", declared.scopes.join(" ")));
            }
            let mut url = client.auth_uri().url().clone();
            url.query_pairs_mut().extend_pairs(pairs);
            return url.into();
        }
        let sent = state.to_owned();
        let mut request = client.authorize_url(
            CoreAuthenticationFlow::AuthorizationCode,
            move || CsrfToken::new(sent),
            move || nonce,
        );
        for scope in declared.scopes.iter().filter(|scope| *scope != "openid") {
            request = request.add_scope(Scope::new(scope.clone()));
        }
        let prompts = [(wish.login, "login"), (wish.select_account, "select_account")];
        let prompt: Vec<&str> = prompts.into_iter().filter_map(|(wanted, prompt)| wanted.then_some(prompt)).collect();
        let acr = upstream_acr(provider, &wish.acr);
        let wishes = [
            ("login_hint", wish.login_hint.clone()),
            ("ui_locales", wish.ui_locales.clone()),
            ("prompt", (!prompt.is_empty()).then(|| prompt.join(" "))),
            ("max_age", wish.max_age.map(|seconds| seconds.to_string())),
            ("acr_values", (!acr.is_empty()).then(|| acr.join(" "))),
        ];
        for (parameter, value) in wishes {
            if let Some(value) = value {
                request = request.add_extra_param(parameter, value);
            }
        }
        request.set_pkce_challenge(challenge).url().0.into()
    }

    /// The library's client of a provider. Endpoints that are not declared are discovered.
    pub(super) async fn client(&self, provider: &Provider) -> Result<Client, FederationError> {
        let declared = &provider.declared;
        let (authorization, token, issuer, keys) = if provider.is_openid() {
            let metadata = self.metadata(provider).await?;
            let token = metadata.token_endpoint().map(|url| url.as_str().to_owned());
            (
                metadata.authorization_endpoint().as_str().to_owned(),
                token.ok_or_else(|| FederationError::Unbelievable("it has no token endpoint".to_owned()))?,
                declared.issuer.clone(),
                metadata.jwks().clone(),
            )
        } else {
            let no_keys = JsonWebKeySet::default();
            (
                declared.authorization_endpoint.clone(),
                declared.token_endpoint.clone(),
                // Never looked at: there is no ID token.
                declared.token_endpoint.clone(),
                no_keys,
            )
        };
        let unreadable = |_| FederationError::Unbelievable("one of its endpoints is no URL".to_owned());
        let issuer = IssuerUrl::new(issuer).map_err(unreadable)?;
        let client = CoreClient::new(ClientId::new(declared.client_id.clone()), issuer, keys)
            .set_auth_uri(AuthUrl::new(authorization).map_err(unreadable)?)
            .set_token_uri(TokenUrl::new(token).map_err(unreadable)?)
            .set_redirect_uri(RedirectUrl::new(self.redirect_uri(&provider.name)).map_err(unreadable)?)
            .set_auth_type(match declared.client_auth {
                ClientAuth::ClientSecretBasic => AuthType::BasicAuth,
                _ => AuthType::RequestBody,
            });
        Ok(if declared.client_auth.needs_secret() {
            client.set_client_secret(ClientSecret::new(declared.client_secret.expose().to_owned()))
        } else {
            client
        })
    }

    /// What an OpenID provider has published. Elsewhere than where it is expected it cannot send anybody.
    pub(super) async fn metadata(
        &self,
        provider: &Provider,
    ) -> Result<std::sync::Arc<super::upstream::Metadata>, FederationError> {
        provider.upstream.metadata(&provider.declared.issuer, &self.outgoing, self.clock.now()).await
    }
}

/// What the provider calls the `acr` values of ours that will do.
fn upstream_acr(provider: &Provider, wanted: &[String]) -> Vec<String> {
    let rules = provider.declared.assurance.iter();
    rules
        .filter(|rule| rule.by == AssuranceBy::Acr && wanted.contains(&rule.acr))
        .map(|rule| rule.value.clone())
        .collect()
}

/// Nonce and PKCE verifier of one round. Made from the browser's secret and the state, so that only the browser that was sent
/// can bring a code back that is good for anything, and nothing of it has to be stored.
pub(super) struct Bound {
    pub(super) nonce: Nonce,
    pub(super) verifier: PkceCodeVerifier,
}

impl Bound {
    pub(super) fn of(browser: &str, state: &str) -> Self {
        let derive = |what: &str| secrets::derived(browser, &[what, state]);
        Self { nonce: Nonce::new(derive("nonce")), verifier: PkceCodeVerifier::new(derive("verifier")) }
    }
}
