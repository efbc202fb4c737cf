//! What stands in the place of other providers is what it is said to be: `tests/upstream` by a relying party that was not
//! written by us, and the stub's honest tokens and its faults by the same.

use std::{collections::BTreeSet, sync::LazyLock};

use openidconnect::{
    AccessTokenHash, AuthorizationCode, ClientId, ClientSecret, CsrfToken, EndpointMaybeSet, EndpointNotSet,
    EndpointSet, HttpRequest, HttpResponse, IssuerUrl, Nonce, OAuth2TokenResponse as _, PkceCodeChallenge,
    PkceCodeVerifier, RedirectUrl, Scope, TokenResponse as _,
    core::{
        CoreAuthenticationFlow, CoreClient, CoreJwsSigningAlgorithm, CoreProviderMetadata, CoreTokenResponse,
        CoreUserInfoClaims,
    },
};
use reqwest::Method;
use serde_json::{Value, json};
use url::Url;

use crate::support::{Fault, LogoutFault, REDIRECT_URI, Stub, Tokens, Upstream, Wire, in_time, random};

type Party =
    CoreClient<EndpointSet, EndpointNotSet, EndpointNotSet, EndpointNotSet, EndpointMaybeSet, EndpointMaybeSet>;

/// One, because to make one reads the system's certificates; it keeps no connections, which would be of another test's runtime.
static CLIENT: LazyLock<reqwest::Client> = LazyLock::new(|| {
    let client = reqwest::Client::builder().redirect(reqwest::redirect::Policy::none()).no_proxy();
    client.pool_max_idle_per_host(0).user_agent("a relying party").build().expect("an HTTP client")
});

/// The HTTP that the library speaks.
async fn fetch(request: HttpRequest) -> Result<HttpResponse, reqwest::Error> {
    let (parts, body) = request.into_parts();
    let url = parts.uri.to_string();
    let answer = CLIENT.request(parts.method, url).headers(parts.headers).body(body).send().await?;
    let (status, headers) = (answer.status(), answer.headers().clone());
    let mut response = HttpResponse::new(answer.bytes().await?.to_vec());
    *response.status_mut() = status;
    *response.headers_mut() = headers;
    Ok(response)
}

async fn party(issuer: &str, id: &str, secret: &str) -> Party {
    let issuer = IssuerUrl::new(issuer.to_owned()).expect("an issuer");
    let metadata = CoreProviderMetadata::discover_async(issuer, &fetch).await.expect("discovery");
    let secret = Some(ClientSecret::new(secret.to_owned()));
    CoreClient::from_provider_metadata(metadata, ClientId::new(id.to_owned()), secret)
        .set_redirect_uri(RedirectUrl::new(REDIRECT_URI.to_owned()).expect("a URL"))
}

/// One authorization request of the library, and what it remembers of it.
struct Asked {
    url: Url,
    state: String,
    nonce: Nonce,
    verifier: PkceCodeVerifier,
}

fn ask(party: &Party) -> Asked {
    let (challenge, verifier) = PkceCodeChallenge::new_random_sha256();
    let (url, state, nonce) = party
        .authorize_url(CoreAuthenticationFlow::AuthorizationCode, CsrfToken::new_random, Nonce::new_random)
        .add_scopes(["profile", "email"].map(|scope| Scope::new(scope.to_owned())))
        .set_pkce_challenge(challenge)
        .url();
    Asked { url: url.as_str().parse().expect("a URL"), state: state.secret().clone(), nonce, verifier }
}

async fn exchange(party: &Party, code: String, verifier: PkceCodeVerifier) -> Result<CoreTokenResponse, String> {
    let request = party.exchange_code(AuthorizationCode::new(code)).expect("a token endpoint");
    request.set_pkce_verifier(verifier).request_async(&fetch).await.map_err(|error| format!("{error:?}"))
}

/// The subject of the ID token, if the library and what OpenID Connect Core §3.1.3.7 leaves to its user have nothing against
/// it, and userinfo is about the same person.
async fn subject(party: &Party, tokens: &CoreTokenResponse, nonce: &Nonce) -> Result<String, String> {
    let id_token = tokens.id_token().ok_or("no ID token")?;
    let verifier = party.id_token_verifier().set_allowed_algs([
        CoreJwsSigningAlgorithm::RsaSsaPkcs1V15Sha256,
        CoreJwsSigningAlgorithm::RsaSsaPssSha256,
        CoreJwsSigningAlgorithm::EcdsaP256Sha256,
        CoreJwsSigningAlgorithm::EdDsa,
    ]);
    let claims = id_token.claims(&verifier, nonce).map_err(|error| error.to_string())?;
    if let Some(hash) = claims.access_token_hash() {
        let algorithm = id_token.signing_alg().map_err(|error| error.to_string())?;
        let key = id_token.signing_key(&verifier).map_err(|error| error.to_string())?;
        let ours = AccessTokenHash::from_token(tokens.access_token(), algorithm, key);
        if ours.map_err(|error| error.to_string())? != *hash {
            return Err("the hash of another access token".to_owned());
        }
    }
    let azp = Tokens::claims(&id_token.to_string()).get("azp").cloned();
    if azp.is_some_and(|azp| azp != party.client_id().as_str()) {
        return Err("asked for by somebody else".to_owned());
    }
    if claims.subject().is_empty() {
        return Err("nobody".to_owned());
    }
    let request = party.user_info(tokens.access_token().clone(), Some(claims.subject().clone()));
    let about: CoreUserInfoClaims =
        request.expect("a userinfo endpoint").request_async(&fetch).await.map_err(|error| error.to_string())?;
    Ok(about.subject().to_string())
}

async fn kids(wire: &Wire, path: &str) -> BTreeSet<String> {
    let keys: Value = wire.get(path).await.expect_status(200).json();
    keys["keys"].as_array().expect("keys").iter().map(|key| key["kid"].as_str().expect("a kid").to_owned()).collect()
}

fn may() -> Value {
    json!({ "may": {
        "sub": "108", "email": "may@example.org", "email_verified": true, "name": "May", "groups": ["staff"],
        "acr": "high", "amr": ["pwd", "otp"],
    } })
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn tests_upstream_is_a_provider_by_the_book() {
    in_time(Box::pin(async {
        let upstream = Upstream::start(may()).await;
        let secret = random();
        let out = "http://127.0.0.1:9/out";
        let client = json!({
            "client_id": "party", "client_secret": secret, "redirect_uris": [REDIRECT_URI],
            "post_logout_redirect_uris": [out],
        });
        upstream.register(&json!([client])).await;
        let party = party(&upstream.issuer, "party", &secret).await;
        let visitor = upstream.visitor();

        let asked = ask(&party);
        let back = visitor.go(&asked.url, "may").await;
        let parameters = crate::support::unique_parameters(&back);
        assert_eq!((parameters["state"].as_str(), parameters["iss"].as_str()), (&*asked.state, &*upstream.issuer));
        let seen = upstream.seen().await;
        let authorization = seen.authorization.expect("an authorization request");
        assert_eq!(authorization["nonce"], *asked.nonce.secret());
        assert_eq!(authorization["code_challenge_method"], "S256");
        assert_eq!(seen.requests.get("/token"), None);
        let tokens = exchange(&party, parameters["code"].clone(), asked.verifier).await.expect("tokens");
        assert_eq!(subject(&party, &tokens, &asked.nonce).await.as_deref(), Ok("108"));
        let id_token = tokens.id_token().expect("an ID token").to_string();
        let claims = Tokens::claims(&id_token);
        for (name, value) in may()["may"].as_object().expect("claims") {
            assert_eq!(claims[name], *value, "{name}, in the ID token as Google has it");
        }
        assert_eq!(upstream.seen().await.requests["/token"], 1);

        // A second time without a page; not with another verifier, not twice.
        let asked = ask(&party);
        let back = visitor.go(&asked.url, "nobody").await;
        let code = crate::support::unique_parameters(&back)["code"].clone();
        let other = PkceCodeChallenge::new_random_sha256().1;
        exchange(&party, code.clone(), other).await.expect_err("PKCE");
        exchange(&party, code.clone(), asked.verifier).await.expect("tokens");
        exchange(&party, code, PkceCodeChallenge::new_random_sha256().1).await.expect_err("a code that was used");

        // Other keys sign, and the old ones are gone.
        let before = kids(&upstream.wire(), "/jwks").await;
        upstream.rotate_keys().await;
        let after = kids(&upstream.wire(), "/jwks").await;
        assert!(before.len() == 2 && after.len() == 2 && before.is_disjoint(&after), "{before:?} {after:?}");
        let asked = ask(&party);
        let back = visitor.go(&asked.url, "nobody").await;
        let code = crate::support::unique_parameters(&back)["code"].clone();
        let tokens = exchange(&party, code, asked.verifier).await.expect("tokens");
        let refused = subject(&party, &tokens, &asked.nonce).await.expect_err("a key that the library has not seen");
        assert!(refused.contains("verif"), "{refused}");
        let fresh = self::party(&upstream.issuer, "party", &secret).await;
        assert_eq!(subject(&fresh, &tokens, &asked.nonce).await.as_deref(), Ok("108"));

        // Signing out leads back, and is one.
        let hint = tokens.id_token().expect("an ID token").to_string();
        let mut url = upstream.wire().url("/session/end");
        url.query_pairs_mut()
            .append_pair("id_token_hint", &hint)
            .append_pair("post_logout_redirect_uri", out)
            .append_pair("state", "s");
        assert_eq!(visitor.go(&url, "nobody").await.as_str(), format!("{out}?state=s"));
        let mut silent = ask(&party).url;
        silent.query_pairs_mut().append_pair("prompt", "none");
        let back = visitor.go(&silent, "may").await;
        assert_eq!(crate::support::unique_parameters(&back)["error"], "login_required");
    }))
    .await;
}

/// The sub that a fault leaves the library with, or why there is none.
async fn sign_in_at(stub: &Stub, fault: Option<Fault>) -> Result<String, String> {
    stub.set_fault(None);
    let party = party(&stub.issuer, &stub.client_id, &stub.client_secret).await;
    stub.set_fault(fault);
    let asked = ask(&party);
    let back = stub.answer(&asked.url, json!({ "sub": "108", "email": "may@example.org", "email_verified": true }));
    let parameters = crate::support::unique_parameters(&back);
    assert_eq!((parameters["state"].as_str(), parameters["iss"].as_str()), (&*asked.state, &*stub.issuer));
    let tokens = exchange(&party, parameters["code"].clone(), asked.verifier).await?;
    subject(&party, &tokens, &asked.nonce).await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_stub_is_sound_until_it_has_a_fault() {
    in_time(Box::pin(async {
        let stub = Stub::listen().await;
        assert_eq!(sign_in_at(&stub, None).await.as_deref(), Ok("108"));
        for fault in Fault::OF_ID_TOKENS.into_iter().chain([
            Fault::UnknownKey,
            Fault::NoIdToken,
            Fault::TokenFails,
            Fault::TokenGarbage,
            Fault::OtherSubject,
            Fault::UserinfoFails,
        ]) {
            let refused = sign_in_at(&stub, Some(fault)).await;
            refused.expect_err(&format!("{fault:?}"));
        }
        stub.keep_claims_to_userinfo();
        let bare = Tokens::claims(&stub.id_token("us", &json!({ "sub": "108", "name": "May" }), None));
        assert_eq!((&bare["sub"], bare.get("name")), (&json!("108"), None));
        for alg in ["ES256", "PS256", "EdDSA", "RS256"] {
            let before = kids(&Wire::new(&stub.issuer, &stub.address), "/jwks").await;
            stub.sign_with(alg);
            assert_ne!(kids(&Wire::new(&stub.issuer, &stub.address), "/jwks").await, before);
            assert_eq!(sign_in_at(&stub, None).await.as_deref(), Ok("108"), "{alg}");
        }
        assert!(stub.authenticated().iter().all(|method| *method == "client_secret_basic"));
    }))
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_stub_knows_its_client_and_gives_a_code_once() {
    in_time(Box::pin(async {
        let stub = Stub::listen().await;
        let party = party(&stub.issuer, &stub.client_id, &stub.client_secret).await;
        let asked = ask(&party);
        let code = stub.code(&asked.url, json!({ "sub": "108" }));
        let wire = Wire::new(&stub.issuer, &stub.address);
        let fields = [("grant_type", "authorization_code"), ("code", &code), ("redirect_uri", REDIRECT_URI)];
        wire.post("/token", &fields).await.expect_status(401);
        let wrong = wire.call(Method::POST, "/token").basic(&stub.client_id, "wrong").form(&fields).send().await;
        wrong.expect_status(401);
        // Without its verifier a code is spent for nothing.
        let right = wire.call(Method::POST, "/token").basic(&stub.client_id, &stub.client_secret).form(&fields);
        assert_eq!(right.send().await.expect_status(400).json::<Value>()["error"], "invalid_grant");
        exchange(&party, code, asked.verifier).await.expect_err("a code that was tried");
        let asked = ask(&party);
        let code = stub.code(&asked.url, json!({ "sub": "108" }));
        exchange(&party, code, asked.verifier).await.expect("tokens");
        assert_eq!(stub.authenticated().len(), 3);
    }))
    .await;
}

/// Plain OAuth 2, as GitHub speaks it.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_stub_speaks_as_github_does() {
    in_time(Box::pin(async {
        let stub = Stub::listen().await;
        let wire = Wire::new(&stub.issuer, &stub.address);
        let about = json!({ "id": 583_231, "login": "octocat", "email": null });
        let emails = json!([{ "email": "octocat@example.org", "primary": true, "verified": true }]);
        stub.set_emails(emails.clone());
        let mut url = Url::parse(&format!("{}/authorize", stub.issuer)).expect("a URL");
        url.query_pairs_mut().extend_pairs([
            ("client_id", &*stub.client_id),
            ("response_type", "code"),
            ("redirect_uri", REDIRECT_URI),
            ("scope", "read:user user:email"),
            ("state", "s"),
        ]);
        for accept in ["*/*", "application/json"] {
            let code = stub.code(&url, about.clone());
            let call = wire.call(Method::POST, "/token").header("accept", accept).form(&[
                ("grant_type", "authorization_code"),
                ("client_id", &stub.client_id),
                ("client_secret", &stub.client_secret),
                ("code", &code),
                ("redirect_uri", REDIRECT_URI),
            ]);
            let answer = call.send().await.expect_status(200);
            let token = if accept == "*/*" {
                answer.body.split(['=', '&']).nth(1).expect("a token").to_owned()
            } else {
                assert!(answer.json::<Value>().get("id_token").is_none());
                answer.json::<Value>()["access_token"].as_str().expect("a token").to_owned()
            };
            for (path, said) in [("/userinfo", &about), ("/emails", &emails)] {
                wire.get(path).await.expect_status(403);
                let call = wire.call(Method::GET, path).header("user-agent", "us").bearer(&token);
                assert_eq!(call.send().await.expect_status(200).json::<Value>(), *said);
            }
        }
        assert_eq!(stub.authenticated(), ["client_secret_post", "client_secret_post"]);
    }))
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_stubs_logout_tokens_are_sound_or_not() {
    in_time(Box::pin(async {
        let stub = Stub::listen().await;
        let verify = async |token: &str| -> Result<Value, String> {
            let keys: jsonwebtoken::jwk::JwkSet =
                Wire::new(&stub.issuer, &stub.address).get("/jwks").await.expect_status(200).json();
            let header = jsonwebtoken::decode_header(token).map_err(|error| error.to_string())?;
            let key = keys.find(header.kid.as_deref().ok_or("no kid")?).ok_or("no such key")?;
            let key = jsonwebtoken::DecodingKey::from_jwk(key).map_err(|error| error.to_string())?;
            let mut rules = jsonwebtoken::Validation::new(jsonwebtoken::Algorithm::RS256);
            rules.set_audience(&[&stub.client_id]);
            rules.set_issuer(&[&stub.issuer]);
            let decoded = jsonwebtoken::decode::<Value>(token, &key, &rules).map_err(|error| error.to_string())?;
            let claims = decoded.claims;
            let event = &claims["events"]["http://schemas.openid.net/event/backchannel-logout"];
            let sound = header.typ.as_deref() == Some("logout+jwt")
                && event.is_object()
                && claims["jti"].is_string()
                && claims.get("nonce").is_none();
            sound.then_some(claims).ok_or_else(|| "not as the specification says".to_owned())
        };
        let about = json!({ "sub": "108", "sid": "s" });
        let claims = verify(&stub.logout_token(&about, None)).await.expect("a sound token");
        assert_eq!((&claims["sub"], &claims["sid"]), (&json!("108"), &json!("s")));
        for fault in LogoutFault::ALL {
            let refused = verify(&stub.logout_token(&about, fault)).await;
            refused.expect_err(&format!("{fault:?}"));
        }
    }))
    .await;
}
