//! Parties that were not written by us: the relying party of the crate `openidconnect`, and a resource server that knows
//! nothing but the published keys and the crate `jsonwebtoken`.

use std::collections::BTreeSet;

use jsonwebtoken::{Algorithm, DecodingKey, Validation, decode, decode_header, jwk::JwkSet};
use openidconnect::{
    AccessTokenHash, AuthorizationCode, ClientId, ClientSecret, CsrfToken, HttpRequest, HttpResponse, IntrospectionUrl,
    IssuerUrl, Nonce, OAuth2TokenResponse as _, PkceCodeChallenge, RedirectUrl, RevocationUrl, Scope,
    TokenIntrospectionResponse as _, TokenResponse as _,
    core::{CoreAuthenticationFlow, CoreClient, CoreProviderMetadata, CoreRevocableToken, CoreUserInfoClaims},
};
use serde_json::Value;

use crate::{
    engines::{published, within_a_second},
    support::{Binary, Engine, Flow, Place, REDIRECT_URI, Tokens, Wire, web_application},
};

/// The HTTP that the library speaks.
async fn fetch(request: HttpRequest) -> Result<HttpResponse, reqwest::Error> {
    let client = reqwest::Client::builder().redirect(reqwest::redirect::Policy::none()).no_proxy().build()?;
    let (parts, body) = request.into_parts();
    let url = parts.uri.to_string();
    let answer = client.request(parts.method, url).headers(parts.headers).body(body).send().await?;
    let (status, headers) = (answer.status(), answer.headers().clone());
    let mut response = HttpResponse::new(answer.bytes().await?.to_vec());
    *response.status_mut() = status;
    *response.headers_mut() = headers;
    Ok(response)
}

each_engine!(a_relying_party_by_the_book);
async fn a_relying_party_by_the_book(engine: Engine) {
    let binary = Binary::start(engine).await;
    let person = binary.person("ada").await;
    let application = binary.application(&web_application()).await;

    let issuer = IssuerUrl::new(binary.issuer().to_owned()).expect("an issuer");
    let metadata = CoreProviderMetadata::discover_async(issuer, &fetch).await.expect("discovery");
    let secret = ClientSecret::new(application.secret().to_owned());
    let client = CoreClient::from_provider_metadata(metadata, ClientId::new(application.id.clone()), Some(secret))
        .set_redirect_uri(RedirectUrl::new(REDIRECT_URI.to_owned()).expect("a URL"));
    let (challenge, verifier) = PkceCodeChallenge::new_random_sha256();
    let scopes = ["profile", "email", "offline_access"].map(|scope| Scope::new(scope.to_owned()));
    let (url, state, nonce) = client
        .authorize_url(CoreAuthenticationFlow::AuthorizationCode, CsrfToken::new_random, Nonce::new_random)
        .add_scopes(scopes)
        .set_pkce_challenge(challenge)
        .url();

    // The person's browser goes where the library says; the pages are filled in by the flow of the tests.
    let mut flow = Flow::new(&application);
    for (name, value) in url.query_pairs() {
        flow = flow.with(&name, &value);
    }
    let reply = flow.sign_in(&mut binary.browser(), &person).await;
    assert_eq!(reply.parameters["state"], *state.secret());
    assert_eq!(reply.parameters["iss"], binary.issuer());

    let code = AuthorizationCode::new(reply.code().to_owned());
    let exchange = client.exchange_code(code).expect("a token endpoint").set_pkce_verifier(verifier);
    let tokens = exchange.request_async(&fetch).await.expect("tokens");
    let id_token = tokens.id_token().expect("an ID token");
    let id_verifier = client.id_token_verifier();
    let claims = id_token.claims(&id_verifier, &nonce).expect("a sound ID token");
    assert_eq!(claims.subject().as_str(), person.id);
    let algorithm = id_token.signing_alg().expect("its algorithm");
    let key = id_token.signing_key(&id_verifier).expect("its key");
    let hash = AccessTokenHash::from_token(tokens.access_token(), algorithm, key).expect("a hash");
    assert_eq!(claims.access_token_hash(), Some(&hash));
    assert!(id_token.claims(&id_verifier, &Nonce::new("another".to_owned())).is_err(), "the control: a wrong nonce");

    let subject = Some(claims.subject().clone());
    let request = client.user_info(tokens.access_token().clone(), subject.clone()).expect("a userinfo endpoint");
    let about: CoreUserInfoClaims = request.request_async(&fetch).await.expect("userinfo");
    assert_eq!(about.email().map(|email| email.as_str()), Some(person.email.as_str()));
    assert_eq!(about.email_verified(), Some(true));

    let refresh_token = tokens.refresh_token().expect("a refresh token");
    let renewed = client.exchange_refresh_token(refresh_token).expect("a token endpoint");
    let renewed = renewed.request_async(&fetch).await.expect("fresh tokens");
    let fresh = renewed.id_token().expect("a fresh ID token");
    let fresh = fresh.claims(&id_verifier, |_: Option<&Nonce>| Ok(())).expect("a sound ID token");
    assert_eq!(fresh.subject(), claims.subject());
    assert_eq!(fresh.auth_time(), claims.auth_time());
    assert_ne!(renewed.refresh_token().expect("a successor").secret(), refresh_token.secret());
    let request = client.user_info(renewed.access_token().clone(), subject).expect("a userinfo endpoint");
    let _: CoreUserInfoClaims = request.request_async(&fetch).await.expect("userinfo");

    // The library's metadata has no room for these two endpoints.
    let metadata: Value = binary.wire().get("/.well-known/openid-configuration").await.json();
    let endpoint = |name: &str| metadata[name].as_str().expect("an endpoint").to_owned();
    // It revokes over https only; `fetch_behind_tls` is what ends TLS before us.
    let revocation = endpoint("revocation_endpoint").replacen("http:", "https:", 1);
    let client = client
        .clone()
        .set_introspection_url(IntrospectionUrl::new(endpoint("introspection_endpoint")).expect("a URL"))
        .set_revocation_url(RevocationUrl::new(revocation).expect("a URL"));
    let introspect = async || client.introspect(renewed.access_token()).request_async(&fetch).await.expect("an answer");
    let said = introspect().await;
    assert!(said.active());
    assert_eq!(said.sub(), Some(person.id.as_str()));
    assert_eq!(said.client_id().map(|id| id.as_str()), Some(application.id.as_str()));
    assert_eq!(said.username(), Some("ada"));
    assert_eq!(said.aud().map(Vec::as_slice), Some(&[binary.issuer().to_owned()][..]));
    let lives = said.exp().expect("exp") - said.iat().expect("iat");
    assert_eq!(lives.num_seconds(), 900);
    let successor = renewed.refresh_token().expect("a successor").clone();
    let request = client.revoke_token(CoreRevocableToken::from(successor)).expect("a revocation endpoint");
    request.request_async(&fetch_behind_tls).await.expect("a revocation");
    assert!(!introspect().await.active());
}

async fn fetch_behind_tls(mut request: HttpRequest) -> Result<HttpResponse, reqwest::Error> {
    let plain = request.uri().to_string().replacen("https:", "http:", 1);
    *request.uri_mut() = plain.parse().expect("a URL");
    fetch(request).await
}

/// An API that trusts this issuer and these keys, and nobody else.
struct ResourceServer {
    issuer: String,
    audience: String,
    keys: JwkSet,
}

impl ResourceServer {
    async fn new(wire: &Wire, issuer: &str, audience: &str) -> Self {
        let keys = wire.get("/jwks").await.expect_status(200).json();
        Self { issuer: issuer.to_owned(), audience: audience.to_owned(), keys }
    }

    /// RFC 9068 §4.
    fn verify(&self, token: &str) -> Result<Value, String> {
        let header = decode_header(token).map_err(|error| error.to_string())?;
        if !header.typ.as_deref().is_some_and(|typ| typ.eq_ignore_ascii_case("at+jwt")) {
            return Err(format!("no access token: {:?}", header.typ));
        }
        let kid = header.kid.ok_or("no kid")?;
        let key = self.keys.find(&kid).ok_or("an unknown key")?;
        let mut validation = Validation::new(Algorithm::RS256);
        validation.set_audience(&[&self.audience]);
        validation.set_issuer(&[&self.issuer]);
        validation.set_required_spec_claims(&["exp", "aud", "iss", "sub"]);
        validation.leeway = 0;
        let key = DecodingKey::from_jwk(key).map_err(|error| error.to_string())?;
        decode::<Value>(token, &key, &validation).map(|token| token.claims).map_err(|error| error.to_string())
    }
}

async fn api(place: &Place, audience: &str, more: &[&str]) {
    let arguments = [&["api", "create", "--audience", audience, "--scope", "orders:read"], more].concat();
    place.cli(&arguments).await.expect_success();
}

each_engine!(a_resource_server_with_the_published_keys_alone);
async fn a_resource_server_with_the_published_keys_alone(engine: Engine) {
    let binary = Binary::start(engine).await;
    let (audience, other) = ("https://api.example", "https://other.example");
    api(&binary, audience, &[]).await;
    api(&binary, other, &["--lifetime", "1s"]).await;
    let person = binary.person("ada").await;
    let draft = bonafide::clients::Draft {
        scope: Some("openid profile email offline_access orders:read".to_owned()),
        ..web_application()
    };
    let application = binary.application(&draft).await;
    let wire = binary.wire();
    let orders = ResourceServer::new(&wire, binary.issuer(), audience).await;

    let mut browser = binary.browser();
    let flow = Flow::new(&application).with("resource", audience).with("scope", "openid orders:read offline_access");
    let tokens = flow.tokens(&wire, &mut browser, &person).await;
    let claims = orders.verify(&tokens.access_token()).expect("a sound access token");
    assert_eq!(claims["sub"], person.id.as_str());
    assert_eq!(claims["client_id"], application.id.as_str());
    assert_eq!(claims["aud"], audience, "one string, not a list");
    let scope: BTreeSet<_> = claims["scope"].as_str().expect("a scope").split(' ').collect();
    assert!(scope.contains("orders:read"), "{claims:#?}");
    for claim in ["exp", "iat", "jti", "auth_time", "acr"] {
        assert!(!claims[claim].is_null(), "{claim}: {claims:#?}");
    }

    // TJ-01: an ID token is no access token, whoever it is for.
    assert!(orders.verify(&tokens.id_token()).is_err());
    // TJ-04: one bit of the payload.
    let mut altered = tokens.access_token().into_bytes();
    let middle = altered.len() / 2;
    altered[middle] = if altered[middle] == b'A' { b'B' } else { b'A' };
    assert!(orders.verify(&String::from_utf8(altered).expect("text")).is_err());

    // Another API's token, which lives a second.
    let flow = Flow::new(&application).with("resource", other).with("scope", "openid orders:read");
    let theirs = flow.tokens(&wire, &mut browser, &person).await.access_token();
    let others = ResourceServer::new(&wire, binary.issuer(), other).await;
    assert!(orders.verify(&theirs).expect_err("a foreign audience").contains("InvalidAudience"));
    assert_eq!(Tokens::claims(&theirs)["aud"], other);
    let elsewhere =
        ResourceServer { issuer: "https://evil.example".to_owned(), ..ResourceServer::new(&wire, "", audience).await };
    assert!(elsewhere.verify(&tokens.access_token()).expect_err("a foreign issuer").contains("InvalidIssuer"));
    tokio::time::sleep(std::time::Duration::from_millis(2100)).await;
    assert!(others.verify(&theirs).expect_err("an old token").contains("ExpiredSignature"));

    // A key that was retired signs nothing that anybody believes.
    let kid = decode_header(tokens.access_token()).expect("a header").kid.expect("a kid");
    binary.cli(&["key", "rotate", "--now"]).await.expect_success();
    within_a_second("the rotation", || async { published(&wire).await.len() == 3 }).await;
    let orders = ResourceServer::new(&wire, binary.issuer(), audience).await;
    orders.verify(&tokens.access_token()).expect("a replaced key verifies what it signed");
    let renewed = flow_token(&binary, &application, &tokens).await;
    assert_ne!(decode_header(&renewed).expect("a header").kid.as_deref(), Some(kid.as_str()));
    orders.verify(&renewed).expect("the next key was published ahead");
    binary.cli(&["key", "retire", &kid]).await.expect_success();
    within_a_second("the retirement", || async { !published(&wire).await.contains(&kid) }).await;
    let orders = ResourceServer::new(&wire, binary.issuer(), audience).await;
    assert_eq!(orders.verify(&tokens.access_token()), Err("an unknown key".to_owned()));
    orders.verify(&renewed).expect("the current key");
}

async fn flow_token(binary: &Binary, application: &crate::support::Application, tokens: &Tokens) -> String {
    let flow = Flow::new(application);
    flow.refresh(&binary.wire(), &tokens.refresh_token()).await.expect_tokens().access_token()
}
