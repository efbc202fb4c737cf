//! No secret of a request is in any trace.

use reqwest::Method;
use serde_json::json;
use url::form_urlencoded;

use super::count;
use crate::support::{
    TestServer,
    made::{self, SignedIn, draft},
};

both_engines!(no_trace_has_a_secret_of_its_request with crate::traces::MANY);
async fn no_trace_has_a_secret_of_its_request(server: TestServer) {
    let signed = SignedIn::new(&server).await;
    let other = made::client(&server, draft()).await;
    let mut secrets: Vec<String> = vec![
        signed.person.password.clone(),
        signed.person.email.clone(),
        signed.tokens.access_token(),
        signed.tokens.refresh_token(),
        signed.flow.verifier.clone(),
        signed.flow.application.secret().to_owned(),
        signed.flow.parameter("state").to_owned(),
        signed.flow.parameter("nonce").to_owned(),
    ];
    secrets.extend(signed.browser.cookie_pairs().into_values());
    let mut browser = signed.browser.clone();
    let answer = signed.flow.begin(&mut browser).await;
    let code = signed.flow.reply(&answer).expect("a reply").code().to_owned();
    secrets.push(code.clone());

    // Each of them wherever something may be said: as any parameter's value and name, in bodies, headers and paths.
    let names = [
        "state",
        "nonce",
        "code",
        "code_verifier",
        "client_secret",
        "password",
        "username",
        "login_hint",
        "csrf",
        "token",
        "refresh_token",
        "id_token_hint",
        "client_assertion",
        "interaction",
        "odd",
        "email",
        "access_token",
        "logout_token",
    ];
    for secret in &secrets {
        let mut pairs: Vec<(&str, &str)> = names.iter().map(|name| (*name, secret.as_str())).collect();
        pairs.push((secret, "name"));
        pairs.push(("client_id", &other.id));
        let query = form_urlencoded::Serializer::new(String::new()).extend_pairs(&pairs).finish();
        let object: serde_json::Map<_, _> =
            pairs.iter().map(|(name, value)| ((*name).to_owned(), json!(value))).collect();
        for path in ["/authorize", "/token", "/introspect", "/revoke", "/userinfo", "/sign-in", "/sign-up", "/logout"] {
            let url = format!("{path}?{query}");
            let cookie = format!("session={secret}; browser={secret}");
            server.call(Method::GET, &url).header("cookie", &cookie).send().await;
            server.call(Method::POST, path).basic(&other.id, secret).form(&pairs).send().await;
            server.call(Method::POST, path).bearer(&code).form(&pairs).send().await;
        }
        let encoded: String = form_urlencoded::byte_serialize(secret.as_bytes()).collect();
        for path in [
            "/auth/login",
            "/auth/signup",
            "/auth/refresh",
            "/auth/logout",
            "/auth/reset-password/",
            "/auth/verify-email/",
        ] {
            let path = if path.ends_with('/') { format!("{path}{encoded}") } else { path.to_owned() };
            let body = json!(object);
            server.call(Method::POST, &path).header("x-auth-secret", &code).json(&body).send().await;
        }
        for path in [
            "/roles/",
            "/auth/",
            "/traces/",
            "/nowhere/",
            "/providers/google/callback?state=",
            "/reset-password?token=",
        ] {
            server.call(Method::GET, &format!("{path}{encoded}")).bearer(&code).send().await;
        }
    }
    assert!(count(&server).await > 100, "a positive control: there are traces");
    let traces = server.dump_tables(&[]).await["traces"].join("\n");
    assert!(traces.contains(&other.id) && traces.contains("present"), "what is no secret is there");
    for secret in secrets {
        let encoded: String = form_urlencoded::byte_serialize(secret.as_bytes()).collect();
        assert!(!traces.contains(&secret) && !traces.contains(&encoded), "{secret} is in a trace");
    }
}
