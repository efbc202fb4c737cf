//! What a client learns before its first request: the metadata document under both its names.

use std::collections::BTreeSet;

use bonafide::{clients::Draft, http::Access};
use reqwest::Method;
use serde_json::{Value, json};

use crate::support::{
    ClientAuth, Flow, TestServer, Tokens, at_once,
    made::{self, SignedIn},
};

const OPENID: &str = "/.well-known/openid-configuration";
const OAUTH: &str = "/.well-known/oauth-authorization-server";

both_engines!(names_its_issuer_under_both_paths);
/// OpenID Connect Discovery 1.0 §4.3: `issuer` is, byte for byte, what the document was asked of.
/// Requirements 10, 11.
async fn names_its_issuer_under_both_paths(server: TestServer) {
    let openid = server.get(OPENID).await.expect_status(200);
    let oauth = server.get(OAUTH).await.expect_status(200);

    assert_eq!(openid.header("content-type"), "application/json");
    assert_eq!(openid.header("access-control-allow-origin"), "*");
    assert_eq!(openid.body, oauth.body);
    let metadata: Value = openid.json();
    assert_eq!(metadata["issuer"], server.issuer());
    assert_eq!(metadata["jwks_uri"], format!("{}/jwks", server.issuer()));
    assert_eq!(metadata["end_session_endpoint"], format!("{}/logout", server.issuer()));
    // c_027: and `…_session_supported`, since `sid` is in ID tokens and in what applications are told.
    for channel in ["backchannel", "frontchannel"] {
        assert_eq!(metadata[format!("{channel}_logout_supported")], true, "{metadata:#}");
        assert_eq!(metadata[format!("{channel}_logout_session_supported")], true, "{metadata:#}");
    }
}

both_engines!(is_the_same_on_every_node_and_writes_nothing);
async fn is_the_same_on_every_node_and_writes_nothing(server: TestServer) {
    let second = server.second_node().await;
    let before = server.dump().await;

    let answers = at_once(20, |n| {
        let node = if n % 2 == 0 { server.wire() } else { second.wire() };
        async move { node.get(OPENID).await.expect_status(200).body }
    })
    .await;

    assert!(answers.iter().all(|answer| *answer == answers[0]), "{answers:#?}");
    server.dump().await.expect_same_as(&before);
}

both_engines!(names_where_tokens_are_looked_at_and_given_back);
/// RFC 8414 §2: with the ways in which clients prove themselves there; a public one may give back but not look.
async fn names_where_tokens_are_looked_at_and_given_back(server: TestServer) {
    let metadata: Value = server.get(OPENID).await.expect_status(200).json();
    let secrets = ["client_secret_basic", "client_secret_post"];
    for (name, path, methods) in [
        ("introspection", "/introspect", &secrets[..]),
        ("revocation", "/revoke", &["client_secret_basic", "client_secret_post", "none"]),
    ] {
        assert_eq!(metadata[format!("{name}_endpoint")], format!("{}{path}", server.issuer()));
        assert_eq!(metadata[format!("{name}_endpoint_auth_methods_supported")], serde_json::json!(methods));
        let endpoint = metadata[format!("{name}_endpoint")].as_str().expect("a URL").to_owned();
        server.post(&endpoint, &[("token", "x")]).await.expect_error(401, "invalid_client");
    }
}

both_engines!(ir_10_the_document_does_not_depend_on_how_it_is_asked_for);
async fn ir_10_the_document_does_not_depend_on_how_it_is_asked_for(server: TestServer) {
    let expected = server.get(OPENID).await.expect_status(200).body;
    for (name, value) in [
        ("host", "evil.example"),
        ("x-forwarded-host", "evil.example"),
        ("x-forwarded-proto", "https"),
        ("forwarded", "host=evil.example;proto=https"),
        ("x-original-url", "/evil"),
        ("accept", "text/html"),
        ("origin", "https://evil.example"),
    ] {
        let answer = server.call(Method::GET, OPENID).header(name, value).send().await;
        assert_eq!(answer.expect_status(200).body, expected, "{name}");
    }
    for path in ["?issuer=https://evil.example", "?x", "?tenant=a"] {
        assert_eq!(server.get(&format!("{OPENID}{path}")).await.expect_status(200).body, expected);
    }
    for path in ["/", "//", "/x", "%2f", ";x", ".json"] {
        server.get(&format!("{OPENID}{path}")).await.expect_status(404);
        server.get(&format!("/x{OPENID}{path}")).await.expect_status(404);
    }
}

/// The document, and what it lists under a name.
async fn metadata(server: &TestServer) -> Value {
    server.get(OPENID).await.expect_status(200).json()
}

fn list(metadata: &Value, name: &str) -> Vec<String> {
    serde_json::from_value(metadata[name].clone()).unwrap_or_else(|error| panic!("{name}: {error}: {metadata:#}"))
}

fn house() -> Draft {
    Draft { first_party: Some(true), ..made::draft() }
}

both_engines!(ir_11_every_member_is_known_here);
/// Requirements 21, 28: a member that is not in this list has no test below that compares it with what happens.
async fn ir_11_every_member_is_known_here(server: TestServer) {
    let metadata = metadata(&server).await;
    let mut names: Vec<&String> = metadata.as_object().expect("an object").keys().collect();
    names.sort_unstable();
    let expected = [
        "acr_values_supported",
        "authorization_endpoint",
        "authorization_response_iss_parameter_supported",
        "backchannel_logout_session_supported",
        "backchannel_logout_supported",
        "claims_parameter_supported",
        "claims_supported",
        "code_challenge_methods_supported",
        "end_session_endpoint",
        "frontchannel_logout_session_supported",
        "frontchannel_logout_supported",
        "grant_types_supported",
        "id_token_signing_alg_values_supported",
        "introspection_endpoint",
        "introspection_endpoint_auth_methods_supported",
        "issuer",
        "jwks_uri",
        "prompt_values_supported",
        "request_parameter_supported",
        "request_uri_parameter_supported",
        "require_request_uri_registration",
        "response_modes_supported",
        "response_types_supported",
        "revocation_endpoint",
        "revocation_endpoint_auth_methods_supported",
        "scopes_supported",
        "subject_types_supported",
        "token_endpoint",
        "token_endpoint_auth_methods_supported",
        // Compared in `languages`.
        "ui_locales_supported",
        "userinfo_endpoint",
    ];
    assert_eq!(names, expected);
    assert!(
        metadata.as_object().expect("an object").values().all(|value| *value != Value::Null && *value != json!([]))
    );
}

both_engines!(ir_11_every_endpoint_is_there_and_none_is_left_out);
async fn ir_11_every_endpoint_is_there_and_none_is_left_out(server: TestServer) {
    let metadata = metadata(&server).await;
    let mut named = Vec::new();
    for (name, value) in metadata.as_object().expect("an object") {
        if name != "jwks_uri" && !name.ends_with("_endpoint") {
            continue;
        }
        let url = value.as_str().expect("a URL");
        named.push(url.strip_prefix(server.issuer()).expect("an address of ours").to_owned());
        let (method, status) = match name.as_str() {
            "jwks_uri" | "end_session_endpoint" => (Method::GET, 200),
            "authorization_endpoint" => (Method::GET, 400),
            "userinfo_endpoint" => (Method::GET, 401),
            "token_endpoint" | "introspection_endpoint" | "revocation_endpoint" => (Method::POST, 401),
            other => panic!("nobody says here what {other} does"),
        };
        server.call(method, url).form(&[("x", "y")]).send().await.expect_status(status);
    }
    // What programs call is announced.
    for route in bonafide::http::table() {
        if matches!(route.access, Access::Client | Access::Token) {
            assert!(named.iter().any(|path| path == route.path), "{} is not announced", route.path);
        }
    }
}

both_engines!(ir_11_response_types_and_modes);
/// Requirement 13; RFC 9207's `iss`; `subject_types_supported`: one `sub` for all clients.
async fn ir_11_response_types_and_modes(server: TestServer) {
    let metadata = metadata(&server).await;
    assert_eq!(metadata["subject_types_supported"], json!(["public"]));
    let ada = made::person(&server, "ada").await;
    let application = made::client(&server, house()).await;
    let mut browser = server.browser();
    let modes = list(&metadata, "response_modes_supported");
    for kind in ["code", "token", "id_token", "id_token token", "code token", "code id_token", "none", "CODE"] {
        let flow = Flow::new(&application).with("response_type", kind);
        let reply = flow.sign_in(&mut browser, &ada).await;
        if list(&metadata, "response_types_supported").iter().any(|listed| listed == kind) {
            let tokens = flow.exchange(&server.wire(), reply.code()).await.expect_tokens();
            assert_eq!(Tokens::claims(&tokens.id_token())["sub"], ada.id.as_str());
            assert_eq!(metadata["authorization_response_iss_parameter_supported"], true);
            assert_eq!(reply.parameters["iss"], server.issuer());
        } else {
            reply.expect_error(&flow, server.issuer(), "unsupported_response_type");
        }
    }
    for mode in ["query", "fragment", "form_post", "jwt", "query.jwt", "web_message"] {
        let flow = Flow::new(&application).with("response_mode", mode);
        let answer = flow.open(&mut browser).await;
        let reply = flow.reply(&answer).expect("an answer");
        if modes.iter().any(|listed| listed == mode) {
            flow.exchange(&server.wire(), reply.code()).await.expect_tokens();
        } else {
            reply.expect_error(&flow, server.issuer(), "invalid_request");
        }
    }
    assert_eq!(modes, ["query", "fragment", "form_post"]);
}

both_engines!(ir_11_prompts_challenges_and_what_is_not_supported);
/// Requirements 21, 23, 24: each prompt brings its page; `plain` and request objects are refused, as the document says.
async fn ir_11_prompts_challenges_and_what_is_not_supported(server: TestServer) {
    let metadata = metadata(&server).await;
    let ada = made::person(&server, "ada").await;
    let application = made::client(&server, house()).await;
    let mut browser = server.browser();
    Flow::new(&application).sign_in(&mut browser, &ada).await.code();
    server.advance_seconds(1);
    let prompts = list(&metadata, "prompt_values_supported");
    assert_eq!(prompts, ["none", "login", "consent", "select_account", "create"]);
    for prompt in &prompts {
        let flow = Flow::new(&application).with("prompt", prompt);
        let answer = flow.open(&mut browser).await;
        let path = match prompt.as_str() {
            "none" => {
                flow.reply(&answer).expect("an answer").code();
                continue;
            }
            "login" => "/sign-in",
            "consent" => "/authorize/consent",
            "select_account" => "/authorize/account",
            "create" => "/sign-up",
            other => panic!("nobody says here what prompt={other} does"),
        };
        answer.expect_status(200).form(path);
    }
    let heard = async |flow: Flow, error: &str| {
        let answer = flow.begin(&mut server.browser()).await;
        flow.reply(&answer).expect("an answer").expect_error(&flow, server.issuer(), error);
    };
    assert_eq!(list(&metadata, "code_challenge_methods_supported"), ["S256"]);
    heard(Flow::new(&application).with("code_challenge_method", "plain"), "invalid_request").await;
    for (member, parameter, error) in [
        ("request_parameter_supported", "request", "request_not_supported"),
        ("request_uri_parameter_supported", "request_uri", "request_uri_not_supported"),
    ] {
        assert_eq!(metadata[member], false);
        heard(Flow::new(&application).with(parameter, "https://app.example/x"), error).await;
    }
    assert_eq!(metadata["require_request_uri_registration"], false);
}

both_engines!(ir_11_grant_types_and_ways_to_prove_oneself);
/// Requirements 14, 19; CA-12: no method that would need a secret to be kept in the clear.
async fn ir_11_grant_types_and_ways_to_prove_oneself(server: TestServer) {
    let metadata = metadata(&server).await;
    let web = SignedIn::new(&server).await;
    let public =
        SignedIn::at(&server, Flow::new(&made::client(&server, made::public()).await), web.person.clone()).await;
    let service = made::client(&server, made::service()).await;
    let grants = list(&metadata, "grant_types_supported");
    for grant in &grants {
        match grant.as_str() {
            // Both signed in by a code.
            "authorization_code" => web.expect_live(&web.tokens.access_token()).await,
            "refresh_token" => drop(web.refreshed(&web.tokens.refresh_token()).await),
            "client_credentials" => {
                service.post(server.call(Method::POST, "/token"), &[("grant_type", grant)]).await.expect_status(200);
            }
            other => panic!("nobody says here what the grant {other} does"),
        }
    }
    assert_eq!(grants.len(), 3);

    let secret = service.secret().to_owned();
    for endpoint in ["token", "introspection", "revocation"] {
        let methods = list(&metadata, &format!("{endpoint}_endpoint_auth_methods_supported"));
        let url = metadata[format!("{endpoint}_endpoint")].as_str().expect("a URL");
        for method in ["client_secret_basic", "client_secret_post", "none"] {
            let client = match method {
                "client_secret_basic" => service.with_auth(ClientAuth::Basic(secret.clone())),
                "client_secret_post" => service.with_auth(ClientAuth::Post(secret.clone())),
                _ => public.flow.application.clone(),
            };
            let token = public.tokens.refresh_token();
            let fields = match (endpoint, method) {
                ("token", "none") => vec![("grant_type", "refresh_token"), ("refresh_token", token.as_str())],
                ("token", _) => vec![("grant_type", "client_credentials")],
                _ => vec![("token", "x")],
            };
            let status = if methods.iter().any(|listed| listed == method) { 200 } else { 401 };
            client.post(server.call(Method::POST, url), &fields).await.expect_status(status);
        }
        // Nothing else is listed, and the registration knows nothing else.
        assert!(methods.iter().all(|m| ["client_secret_basic", "client_secret_post", "none"].contains(&m.as_str())));
    }
    for method in ["client_secret_jwt", "private_key_jwt", "tls_client_auth"] {
        let draft = Draft { token_endpoint_auth_method: Some(method.to_owned()), ..made::draft() };
        draft.apply("x".to_owned(), None, &[]).expect_err(method);
    }
}

both_engines!(ir_11_scopes_claims_and_acr);
/// Requirements 20, 22: of somebody of whom everything is known, exactly the claims of the list come, by all the scopes of the list.
async fn ir_11_scopes_claims_and_acr(server: TestServer) {
    let metadata = metadata(&server).await;
    let ada = made::person(&server, "ada").await;
    crate::claims::know_all(server.place(), &ada).await;
    let scopes = list(&metadata, "scopes_supported").join(" ");
    let application = made::client(&server, Draft { scope: Some(scopes.clone()), ..house() }).await;
    let flow = Flow::new(&application).with("scope", &scopes);
    let tokens = flow.tokens(&server.wire(), &mut server.browser(), &ada).await;
    assert_eq!(tokens.json::<Value>()["scope"], scopes.as_str());
    let (id_token, userinfo) =
        (Tokens::claims(&tokens.id_token()), made::userinfo(&server.wire(), &tokens.access_token()).await);
    let userinfo: Value = userinfo.expect_status(200).json();
    let names = |claims: &Value| claims.as_object().expect("claims").keys().cloned().collect::<BTreeSet<_>>();
    let given: BTreeSet<String> = names(&id_token).union(&names(&userinfo)).cloned().collect();
    assert_eq!(given, list(&metadata, "claims_supported").into_iter().collect());
    assert_eq!(json!([id_token["acr"]]), metadata["acr_values_supported"]);

    assert_eq!(metadata["claims_parameter_supported"], true);
    let claims = r#"{"userinfo":{"gender":null},"id_token":{"phone_number":null}}"#;
    let flow = Flow::new(&application).with("scope", "openid").with("claims", claims);
    let tokens = flow.tokens(&server.wire(), &mut server.browser(), &ada).await;
    assert_eq!(Tokens::claims(&tokens.id_token())["phone_number"], userinfo["phone_number"]);
    let told: Value = made::userinfo(&server.wire(), &tokens.access_token()).await.json();
    assert_eq!(told, json!({"sub": ada.id, "gender": userinfo["gender"]}));
}

both_engines!(ir_11_every_algorithm_signs);
/// Requirement 16: an ID token by each that is listed; a registration with any other is refused.
async fn ir_11_every_algorithm_signs(server: TestServer) {
    let algorithms = list(&metadata(&server).await, "id_token_signing_alg_values_supported");
    let ada = made::person(&server, "ada").await;
    let draft = |alg: &str| Draft { id_token_signed_response_alg: Some(alg.to_owned()), ..house() };
    for alg in &algorithms {
        let flow = Flow::new(&made::client(&server, draft(alg)).await);
        let tokens = flow.tokens(&server.wire(), &mut server.browser(), &ada).await;
        let header = jsonwebtoken::decode_header(tokens.id_token()).expect("a header");
        assert_eq!(json!(header.alg), alg.as_str());
    }
    for alg in ["RS256", "ES256", "PS256", "EdDSA", "RS384", "RS512", "PS512", "ES384", "HS256", "none"] {
        let sound = draft(alg).apply("x".to_owned(), None, &[]).is_ok();
        assert_eq!(sound, algorithms.iter().any(|listed| listed == alg), "{alg}");
    }
}
