//! The demo application's side of the protocol, by the crate `openidconnect`: public endpoints, PKCE, every check.

use std::collections::HashMap;
use std::future::Future;
use std::pin::Pin;
use std::sync::{Mutex, PoisonError};

use openidconnect::core::{
    CoreAuthenticationFlow, CoreClient, CoreProviderMetadata, CoreTokenResponse, CoreUserInfoClaims,
};
use openidconnect::{
    AccessTokenHash, AuthorizationCode, ClientId, CsrfToken, EndpointMaybeSet, EndpointNotSet, EndpointSet,
    HttpRequest, HttpResponse, IssuerUrl, Nonce, OAuth2TokenResponse as _, PkceCodeChallenge, PkceCodeVerifier,
    RedirectUrl, RefreshToken, Scope, TokenResponse as _,
};

use crate::app::App;
use crate::clients::{self, Change, ClientError, Draft};
use crate::platform::outgoing::{Outgoing, OutgoingError};
use crate::platform::random::Random;

const CLIENT_ID: &str = "bonafide-demo";
/// Sign-ins under way, and shown tokens, at the most: this is a demonstration, not a place to keep things.
const MOST: usize = 64;

/// The demo application.
pub struct DemoApp {
    outgoing: Outgoing,
    /// By `state`: what was sent, to compare with what comes back.
    started: Mutex<HashMap<String, (Nonce, PkceCodeVerifier)>>,
    /// The refresh token that was shown last.
    refresh_token: Mutex<Option<RefreshToken>>,
}

#[derive(Debug, thiserror::Error)]
enum DemoError {
    #[error("{0}")]
    Said(String),
}

impl DemoApp {
    /// Registers the application with its provider, as any other would be.
    pub async fn new(app: &App) -> Result<Self, DemoStartError> {
        let issuer = &app.settings.issuer;
        let draft = Draft {
            client_name: Some("Demo application".to_owned()),
            redirect_uris: Some(vec![format!("{issuer}/dev/app/callback")]),
            post_logout_redirect_uris: Some(vec![format!("{issuer}/dev/app")]),
            token_endpoint_auth_method: Some("none".to_owned()),
            ..Draft::default()
        };
        let before = app.clients.registry().find_any(CLIENT_ID);
        let client = draft.apply(CLIENT_ID.to_owned(), before.as_deref(), &[]).map_err(ClientError::from)?;
        if before.as_deref() != Some(&client) {
            let change = Change { what: "demo", now: app.clock.now(), random: app.random.clone() };
            clients::save(&app.database, client, before.is_none(), change).await?;
            app.clients.reload(&app.database).await?;
        }
        let url = url::Url::parse(issuer).ok();
        let own = url.and_then(|url| Some(format!("{}:{}", url.host_str()?, url.port_or_known_default()?)));
        Ok(Self {
            outgoing: Outgoing::new(&app.settings.outgoing, own.as_slice())?,
            started: Mutex::default(),
            refresh_token: Mutex::default(),
        })
    }
}

/// Why the demo application cannot be offered.
#[derive(Debug, thiserror::Error)]
pub enum DemoStartError {
    #[error(transparent)]
    Client(#[from] ClientError),
    #[error(transparent)]
    Outgoing(#[from] OutgoingError),
}

/// `openidconnect` calls through our guarded client.
struct Fetch<'d>(&'d Outgoing);

impl<'c> openidconnect::AsyncHttpClient<'c> for Fetch<'_> {
    type Error = DemoError;
    type Future = Pin<Box<dyn Future<Output = Result<HttpResponse, DemoError>> + Send + 'c>>;

    fn call(&'c self, request: HttpRequest) -> Self::Future {
        Box::pin(async move {
            let answer = self.0.send(request).await.map_err(|error| DemoError::Said(error.to_string()))?;
            let mut response = HttpResponse::new(answer.body.to_vec());
            *response.status_mut() = answer.status;
            *response.headers_mut() = answer.headers;
            Ok(response)
        })
    }
}

type Client =
    CoreClient<EndpointSet, EndpointNotSet, EndpointNotSet, EndpointNotSet, EndpointMaybeSet, EndpointMaybeSet>;

/// The relying party, from the provider's own discovery document.
async fn relying_party(demo: &DemoApp, issuer: &str) -> Result<Client, String> {
    let url = IssuerUrl::new(issuer.to_owned()).map_err(text)?;
    let metadata = CoreProviderMetadata::discover_async(url, &Fetch(&demo.outgoing)).await.map_err(text)?;
    let redirect = RedirectUrl::new(format!("{issuer}/dev/app/callback")).map_err(text)?;
    Ok(CoreClient::from_provider_metadata(metadata, ClientId::new(CLIENT_ID.to_owned()), None)
        .set_redirect_uri(redirect))
}

/// Where the browser signs in. What it will be compared with is kept.
pub(super) async fn begin(demo: &DemoApp, issuer: &str, random: &dyn Random) -> Result<url::Url, String> {
    let client = relying_party(demo, issuer).await?;
    // Verifier, state and nonce from our own generator, like everything that is random here.
    let verifier = PkceCodeVerifier::new(random.token(""));
    let (state, nonce) = (random.token(""), random.token(""));
    let (sent_state, sent_nonce) = (state.clone(), nonce.clone());
    let mut request = client.authorize_url(
        CoreAuthenticationFlow::AuthorizationCode,
        move || CsrfToken::new(sent_state),
        move || Nonce::new(sent_nonce),
    );
    for scope in ["profile", "email", "offline_access"] {
        request = request.add_scope(Scope::new(scope.to_owned()));
    }
    let (url, _, _) = request.set_pkce_challenge(PkceCodeChallenge::from_code_verifier_sha256(&verifier)).url();
    let mut started = demo.started.lock().unwrap_or_else(PoisonError::into_inner);
    if started.len() >= MOST {
        started.clear();
    }
    started.insert(state, (Nonce::new(nonce), verifier));
    Ok(url)
}

/// What the tokens say, and how each was checked.
pub(super) struct Shown {
    pub(super) checks: Vec<(String, String)>,
    pub(super) id_token: String,
    pub(super) access_token: String,
    pub(super) userinfo: String,
    pub(super) refresh_token: Option<String>,
}

/// Takes the answer of the provider and redeems its code.
pub(super) async fn finish(demo: &DemoApp, issuer: &str, query: &HashMap<String, String>) -> Result<Shown, String> {
    let state = query.get("state").ok_or("The answer has no state.")?;
    let started = demo.started.lock().unwrap_or_else(PoisonError::into_inner).remove(state);
    let (nonce, verifier) = started.ok_or("The answer's state is not one that was sent: start again.")?;
    if query.get("iss").map(String::as_str) != Some(issuer) {
        return Err("The answer does not say that it comes from this issuer (RFC 9207).".to_owned());
    }
    if let Some(error) = query.get("error") {
        return Err(format!("{error}: {}", query.get("error_description").map_or("", String::as_str)));
    }
    let code = query.get("code").ok_or("The answer has no code.")?;
    let client = relying_party(demo, issuer).await?;
    let request = client.exchange_code(AuthorizationCode::new(code.clone())).map_err(text)?;
    let tokens = request.set_pkce_verifier(verifier).request_async(&Fetch(&demo.outgoing)).await.map_err(text)?;
    let mut shown = verify(demo, &client, &tokens, Some(&nonce)).await?;
    shown.checks.insert(
        0,
        ("state, iss".to_owned(), "the answer belongs to this request and to this issuer (RFC 9207)".to_owned()),
    );
    Ok(shown)
}

/// Renews the tokens that were shown last. `None`: there are none.
pub(super) async fn renew(demo: &DemoApp, issuer: &str) -> Option<Result<Shown, String>> {
    let token = demo.refresh_token.lock().unwrap_or_else(PoisonError::into_inner).clone()?;
    Some(renew_by(demo, issuer, &token).await)
}

async fn renew_by(demo: &DemoApp, issuer: &str, token: &RefreshToken) -> Result<Shown, String> {
    let client = relying_party(demo, issuer).await?;
    let request = client.exchange_refresh_token(token).map_err(text)?;
    let tokens = request.request_async(&Fetch(&demo.outgoing)).await.map_err(text)?;
    verify(demo, &client, &tokens, None).await
}

/// Every check a relying party makes, by the library and not by us.
async fn verify(
    demo: &DemoApp,
    client: &Client,
    tokens: &CoreTokenResponse,
    nonce: Option<&Nonce>,
) -> Result<Shown, String> {
    let id_token = tokens.id_token().ok_or("The answer has no ID token.")?;
    let verifier = client.id_token_verifier();
    let claims = match nonce {
        Some(nonce) => id_token.claims(&verifier, nonce).map_err(text)?,
        // A refreshed ID token has no nonce (OpenID Connect Core section 12.2).
        None => id_token.claims(&verifier, |_: Option<&Nonce>| Ok(())).map_err(text)?,
    };
    let mut checks = vec![
        ("ID token".to_owned(), "signature by a published key, issuer, audience, expiry".to_owned()),
        ("subject".to_owned(), claims.subject().to_string()),
    ];
    if nonce.is_some() {
        checks.push(("nonce".to_owned(), "the one that was sent".to_owned()));
    }
    if let Some(expected) = claims.access_token_hash() {
        let algorithm = id_token.signing_alg().map_err(text)?;
        let key = id_token.signing_key(&verifier).map_err(text)?;
        if AccessTokenHash::from_token(tokens.access_token(), algorithm, key).map_err(text)? != *expected {
            return Err("at_hash is not the access token's.".to_owned());
        }
        checks.push(("at_hash".to_owned(), "the access token came with this ID token".to_owned()));
    }
    let subject = claims.subject().clone();
    let request = client.user_info(tokens.access_token().clone(), Some(subject)).map_err(text)?;
    let userinfo: CoreUserInfoClaims = request.request_async(&Fetch(&demo.outgoing)).await.map_err(text)?;
    checks.push(("userinfo".to_owned(), "about the same subject".to_owned()));
    *demo.refresh_token.lock().unwrap_or_else(PoisonError::into_inner) = tokens.refresh_token().cloned();
    Ok(Shown {
        checks,
        id_token: id_token.to_string(),
        access_token: tokens.access_token().secret().clone(),
        userinfo: serde_json::to_string_pretty(&userinfo).map_err(text)?,
        refresh_token: tokens.refresh_token().map(|token| token.secret().clone()),
    })
}

/// An error with its causes, for the developer who looks at the demo application.
fn text(error: impl std::error::Error) -> String {
    let mut said = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        said = format!("{said}: {error}");
        cause = error.source();
    }
    said
}
