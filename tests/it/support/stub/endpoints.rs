//! What the stub answers.

use std::{collections::BTreeMap, sync::Arc};

use axum::{
    body::{Body, Bytes, to_bytes},
    extract::{Request, State as Shares},
    http::{HeaderMap, StatusCode, header},
    response::{IntoResponse as _, Response},
};
use base64::{Engine as _, prelude::BASE64_STANDARD, prelude::BASE64_URL_SAFE_NO_PAD};
use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};
use url::{Url, form_urlencoded};

use super::{Fault, Given, Shared, random, tokens};

type Parameters = BTreeMap<String, String>;

pub(super) async fn serve(Shares(shared): Shares<Arc<Shared>>, request: Request) -> Response {
    let (parts, body) = request.into_parts();
    let body = to_bytes(body, 1 << 20).await.expect("a body");
    let path = parts.uri.path();
    let fault = {
        let mut state = shared.state();
        *state.requests.entry(path.to_owned()).or_default() += 1;
        state.fault
    };
    match (path, fault) {
        ("/.well-known/openid-configuration", Some(Fault::DiscoveryHangs)) | ("/token", Some(Fault::TokenHangs)) => {
            std::future::pending().await
        }
        ("/.well-known/openid-configuration", Some(Fault::DiscoveryFails))
        | ("/jwks", Some(Fault::KeysFail))
        | ("/token", Some(Fault::TokenFails))
        | ("/userinfo", Some(Fault::UserinfoFails))
        | ("/emails", Some(Fault::EmailsFail)) => StatusCode::INTERNAL_SERVER_ERROR.into_response(),
        ("/.well-known/openid-configuration", Some(Fault::DiscoveryGarbage))
        | ("/jwks", Some(Fault::KeysGarbage))
        | ("/token", Some(Fault::TokenGarbage)) => json_text("<html>not what you expect</html>"),
        ("/.well-known/openid-configuration", Some(Fault::DiscoveryEndless)) => endless(),
        ("/.well-known/openid-configuration", _) => discovery(&shared, fault),
        ("/jwks", _) => json_text(json!({ "keys": [shared.state().key.published()] }).to_string()),
        ("/token", _) => token(&shared, &parts.headers, &body),
        ("/userinfo" | "/emails", _) => about_the_person(&shared, &parts.headers, path),
        ("/end_session", _) => end_session(&shared, parts.uri.query().unwrap_or_default()),
        _ => StatusCode::NOT_FOUND.into_response(),
    }
}

fn json_text(text: impl Into<Body>) -> Response {
    ([(header::CONTENT_TYPE, "application/json")], text.into()).into_response()
}

fn endless() -> Response {
    let chunks = futures_util::stream::repeat_with(|| Ok::<_, std::io::Error>(Bytes::from(vec![b' '; 65_536])));
    json_text(Body::from_stream(chunks))
}

fn discovery(shared: &Shared, fault: Option<Fault>) -> Response {
    let at = |path: &str| format!("{}{path}", shared.issuer);
    let issuer = if fault == Some(Fault::ForeignIssuer) { "https://other.example" } else { &shared.issuer };
    let metadata = json!({
        "issuer": issuer,
        "authorization_endpoint": at("/authorize"),
        "token_endpoint": at("/token"),
        "userinfo_endpoint": at("/userinfo"),
        "jwks_uri": at("/jwks"),
        "end_session_endpoint": at("/end_session"),
        "response_types_supported": ["code"],
        "subject_types_supported": ["public"],
        // More than anybody should take.
        "id_token_signing_alg_values_supported": ["RS256", "PS256", "ES256", "EdDSA", "HS256", "none"],
        "token_endpoint_auth_methods_supported": ["client_secret_basic", "client_secret_post"],
        "code_challenge_methods_supported": ["S256"],
        "authorization_response_iss_parameter_supported": true,
        "backchannel_logout_supported": true,
        "backchannel_logout_session_supported": true,
    });
    json_text(metadata.to_string())
}

/// RFC 6749 §4.1.3 with RFC 7636 §4.6: what is wrong is said by its code.
fn token(shared: &Shared, headers: &HeaderMap, body: &[u8]) -> Response {
    let form = parameters(body);
    let get = |name: &str| form.get(name).map(String::as_str);
    let Some(method) = authenticate(shared, headers, &form) else {
        return refuse(StatusCode::UNAUTHORIZED, "invalid_client");
    };
    let mut state = shared.state();
    state.authenticated.push(method);
    if state.has(Fault::TokenErrorAs200) {
        return refuse(StatusCode::OK, "bad_verification_code");
    }
    let given = get("code").and_then(|code| state.codes.remove(code));
    let Some(given) = given.filter(|given| is_for(given, &form)) else {
        return refuse(StatusCode::BAD_REQUEST, "invalid_grant");
    };
    let access_token = random();
    let mut answer = json!({ "access_token": access_token, "token_type": "Bearer" });
    let accepts = headers.get(header::ACCEPT).and_then(|value| value.to_str().ok()).unwrap_or_default();
    if given.openid && !state.has(Fault::NoIdToken) {
        let id_token = tokens::IdToken {
            audience: &shared.client_id,
            claims: &given.claims,
            nonce: given.nonce.as_deref(),
            access_token: Some(&access_token),
        };
        answer["id_token"] = tokens::id_token(shared, &state, &id_token).into();
    }
    state.tokens.insert(access_token.clone(), given.claims);
    if !given.openid && !accepts.contains("application/json") {
        // GitHub answers with a form to whom does not ask for JSON.
        return format!("access_token={access_token}&token_type=bearer").into_response();
    }
    json_text(answer.to_string())
}

/// The method by which the client has proved itself, if it has, by one.
fn authenticate(shared: &Shared, headers: &HeaderMap, form: &Parameters) -> Option<&'static str> {
    let sent = headers.get(header::AUTHORIZATION).map(|value| value.to_str().expect("text"));
    let posted = form.get("client_secret");
    let (method, id, secret) = match (sent, posted) {
        (Some(sent), None) => {
            let decoded = BASE64_STANDARD.decode(sent.strip_prefix("Basic ")?).ok()?;
            let pair = String::from_utf8(decoded).ok()?;
            let (id, secret) = pair.split_once(':')?;
            ("client_secret_basic", decode(id), decode(secret))
        }
        (None, Some(secret)) => ("client_secret_post", form.get("client_id")?.clone(), secret.clone()),
        _ => return None,
    };
    (id == shared.client_id && secret == shared.client_secret).then_some(method)
}

/// Whether a code may be exchanged by this form.
fn is_for(given: &Given, form: &Parameters) -> bool {
    let get = |name: &str| form.get(name).map(String::as_str);
    let challenge = get("code_verifier").map(|verifier| BASE64_URL_SAFE_NO_PAD.encode(Sha256::digest(verifier)));
    get("grant_type") == Some("authorization_code")
        && get("redirect_uri") == Some(&given.redirect_uri)
        && challenge == given.challenge
}

/// `/userinfo` and `/emails`. As GitHub, it answers nobody who does not say who is asking.
fn about_the_person(shared: &Shared, headers: &HeaderMap, path: &str) -> Response {
    if !headers.contains_key(header::USER_AGENT) {
        return StatusCode::FORBIDDEN.into_response();
    }
    let sent = headers.get(header::AUTHORIZATION).and_then(|value| value.to_str().ok());
    let state = shared.state();
    let claims = sent.and_then(|sent| sent.strip_prefix("Bearer ")).and_then(|token| state.tokens.get(token));
    let Some(claims) = claims else {
        return refuse(StatusCode::UNAUTHORIZED, "invalid_token");
    };
    if path == "/emails" {
        return json_text(state.emails.to_string());
    }
    let mut claims = claims.clone();
    if state.has(Fault::OtherSubject) {
        claims["sub"] = "somebody-else".into();
    }
    json_text(claims.to_string())
}

/// OpenID Connect RP-Initiated Logout 1.0, without asking.
fn end_session(shared: &Shared, query: &str) -> Response {
    let parameters = parameters(query.as_bytes());
    let back = parameters.get("post_logout_redirect_uri").cloned();
    let state = parameters.get("state").cloned();
    shared.state().signed_out.push(parameters);
    let Some(back) = back else {
        return "Signed out.".into_response();
    };
    let mut url = Url::parse(&back).expect("a URL");
    if let Some(state) = state {
        url.query_pairs_mut().append_pair("state", &state);
    }
    (StatusCode::SEE_OTHER, [(header::LOCATION, url.to_string())]).into_response()
}

fn refuse(status: StatusCode, code: &str) -> Response {
    let body: Value = json!({ "error": code, "error_description": "<b>as the stub was told</b>" });
    (status, json_text(body.to_string())).into_response()
}

fn parameters(encoded: &[u8]) -> Parameters {
    let mut parameters = Parameters::new();
    for (name, value) in form_urlencoded::parse(encoded).into_owned() {
        let earlier = parameters.insert(name.clone(), value);
        assert!(earlier.is_none(), "{name} comes twice");
    }
    parameters
}

fn decode(part: &str) -> String {
    form_urlencoded::parse(format!("x={part}").as_bytes()).map(|(_, value)| value.into_owned()).collect()
}
