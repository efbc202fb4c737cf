//! The plans Basic OP and Form Post OP: the same modules, the answers by redirect or by form.

use std::time::Duration;

use base64::{Engine as _, prelude::BASE64_URL_SAFE_NO_PAD};
use reqwest::Method;
use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};
use tokio::time::sleep;

use super::{
    checks::{expect_entropy, expect_token_error, expect_tokens},
    module::{Module, NOT_SIGNED_IN, random},
};

/// Makes the module's two tests: `name::basic` and `name::formpost`.
macro_rules! in_both_plans {
    ($name:ident) => {
        mod $name {
            use super::Module;
            use crate::support::in_time;

            #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            async fn basic() {
                in_time(async { super::$name(Module::start("basic").await).await }).await;
            }

            #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            async fn formpost() {
                in_time(async { super::$name(Module::start("formpost").await).await }).await;
            }
        }
    };
}

/// The claims of the scope `profile`, `email` and so on (OpenID Connect Core §5.4).
const CLAIMS: [(&str, &[&str]); 4] = [
    (
        "profile",
        &[
            "name",
            "given_name",
            "family_name",
            "middle_name",
            "nickname",
            "profile",
            "picture",
            "website",
            "gender",
            "birthdate",
            "zoneinfo",
            "locale",
            "updated_at",
            "preferred_username",
        ],
    ),
    ("email", &["email", "email_verified"]),
    ("address", &["address"]),
    ("phone", &["phone_number", "phone_number_verified"]),
];

in_both_plans!(server);
/// Requirements 42, 71, 72, 84.
async fn server(mut module: Module) {
    let request = module.request("openid");
    let done = module.flow(request).await;
    assert_eq!(module.userinfo(&done).await, json!({"sub": done.id_token["sub"]}));
}

in_both_plans!(response_type_missing);
/// Requirements 37, 41.
async fn response_type_missing(mut module: Module) {
    let request = module.request("openid").without("response_type");
    let visit = module.visit(&request).await;
    let error = module.expect_error(&request, &visit);
    assert!(["invalid_request", "unsupported_response_type"].contains(&error.as_str()), "{error}");
}

in_both_plans!(userinfo_get);
/// Requirements 89, 90.
async fn userinfo_get(mut module: Module) {
    let request = module.request("openid");
    let done = module.flow(request).await;
    module.userinfo(&done).await;
}

in_both_plans!(userinfo_post);
/// `userinfo-post-header`, `userinfo-post-body`.
async fn userinfo_post(mut module: Module) {
    let request = module.request("openid");
    let done = module.flow(request).await;
    let call = || module.wire().call(Method::POST, module.endpoint("userinfo_endpoint"));
    Module::expect_userinfo(&done, &call().bearer(done.access_token()).send().await);
    Module::expect_userinfo(&done, &call().form(&[("access_token", done.access_token())]).send().await);
}

in_both_plans!(ensure_request_without_nonce_succeeds_for_code_flow);
/// Requirement 40.
async fn ensure_request_without_nonce_succeeds_for_code_flow(mut module: Module) {
    let request = module.request("openid").without("nonce");
    let done = module.flow(request).await;
    assert_eq!(done.id_token.get("nonce"), None);
}

in_both_plans!(scopes);
/// `scope-profile`, `scope-email`, `scope-address`, `scope-phone`, `scope-all`: all claims of a scope come from `UserInfo`,
/// no other does, and none is in the ID token (requirements 85, 93).
async fn scopes(mut module: Module) {
    let all = CLAIMS.map(|(scope, _)| scope);
    for asked in [&all[..1], &all[1..2], &all[2..3], &all[3..], &all[..]] {
        for scope in asked {
            assert!(module.metadata["scopes_supported"].as_array().expect("scopes").contains(&json!(scope)));
        }
        let request = module.request(&format!("openid {}", asked.join(" ")));
        let done = module.flow(request).await;
        expect_claims(&module.userinfo(&done).await, asked);
    }
}

/// Exactly the claims of these scopes.
fn expect_claims(claims: &Value, scopes: &[&str]) {
    let given = CLAIMS.iter().filter(|(scope, _)| scopes.contains(scope)).flat_map(|(_, claims)| claims.iter());
    let mut expected: Vec<&str> = given.copied().chain(["sub"]).collect();
    expected.sort_unstable();
    let mut names: Vec<&String> = claims.as_object().expect("claims").keys().collect();
    names.sort_unstable();
    assert_eq!(names, expected);
}

in_both_plans!(alternate_happy_flow);
/// Requirement 34: the parameters in reverse order, the scopes swapped.
async fn alternate_happy_flow(mut module: Module) {
    let mut request = module.request("email openid");
    request.0.reverse();
    let done = module.flow(request).await;
    expect_claims(&module.userinfo(&done).await, &["email"]);
}

in_both_plans!(hints);
/// `display-page`, `display-popup`, `ui-locales`, `claims-locales`, `login-hint`,
/// `ensure-request-with-unknown-parameter-succeeds` (requirements 6, 50, 51): none changes anything.
async fn hints(mut module: Module) {
    let known = module.configuration["server"]["login_hint"].as_str().expect("a hint").to_owned();
    let unknown = format!("buffy@{}", module.suite.issuer.trim_start_matches("https://"));
    for (name, value) in [
        ("display", "page"),
        ("display", "popup"),
        ("ui_locales", "se"),
        ("claims_locales", "se"),
        ("login_hint", &known),
        ("login_hint", &unknown),
        ("extra", "foobar"),
    ] {
        module.browser.forget_cookies();
        let request = module.request("openid").with(name, value);
        let done = module.flow(request).await;
        assert!(done.visit.showed("/sign-in"), "{name}");
    }
}

in_both_plans!(prompt_login);
/// Requirement 47; the same `sub`: requirement 88.
async fn prompt_login(mut module: Module) {
    let request = module.request("openid");
    let first = module.flow(request).await;
    sleep(Duration::from_secs(1)).await;
    let request = module.request("openid").with("prompt", "login");
    let second = module.flow(request).await;
    assert!(second.visit.showed("/sign-in"), "nobody was asked again");
    assert!(second.auth_time() > first.auth_time());
    assert_eq!(second.id_token["sub"], first.id_token["sub"]);
}

in_both_plans!(prompt_none_not_logged_in);
/// Requirements 39, 46.
async fn prompt_none_not_logged_in(mut module: Module) {
    let request = module.request("openid").with("prompt", "none").with("state", &random(128));
    let visit = module.visit(&request).await;
    assert!(visit.pages.is_empty(), "{:?}", visit.pages);
    let error = module.expect_error(&request, &visit);
    assert!(NOT_SIGNED_IN.contains(&error.as_str()), "{error}");
}

in_both_plans!(prompt_none_logged_in);
/// `prompt-none-logged-in`, `id-token-hint`: silently, the same person, the same sign-in.
async fn prompt_none_logged_in(mut module: Module) {
    let request = module.request("openid");
    let first = module.flow(request).await;
    for hint in [None, Some(first.hint())] {
        let mut request = module.request("openid").with("prompt", "none");
        if let Some(hint) = hint {
            request = request.with("id_token_hint", hint);
        }
        let second = module.flow(request).await;
        assert!(second.visit.pages.is_empty(), "{:?}", second.visit.pages);
        assert_eq!(second.id_token["sub"], first.id_token["sub"]);
        assert_eq!(second.auth_time(), first.auth_time());
    }
}

in_both_plans!(max_age_1);
/// Requirement 48.
async fn max_age_1(mut module: Module) {
    let request = module.request("openid");
    let first = module.flow(request).await;
    sleep(Duration::from_secs(2)).await;
    let request = module.request("openid").with("max_age", "1");
    let second = module.flow(request).await;
    assert!(second.visit.showed("/sign-in"), "nobody was asked again");
    assert!(second.auth_time() > first.auth_time());
    assert!((chrono::Utc::now().timestamp() - second.auth_time()).abs() < 30);
    assert_eq!(second.id_token["sub"], first.id_token["sub"]);
}

in_both_plans!(max_age_10000);
/// Requirement 48.
async fn max_age_10000(mut module: Module) {
    let request = module.request("openid").with("max_age", "15000");
    let first = module.flow(request).await;
    let request = module.request("openid").with("max_age", "10000");
    let second = module.flow(request).await;
    assert!(!second.visit.showed("/sign-in"), "asked again");
    assert_eq!(second.auth_time(), first.auth_time());
    assert_eq!(second.id_token["sub"], first.id_token["sub"]);
}

in_both_plans!(ensure_request_with_acr_values_succeeds);
/// Requirements 22, 52.
async fn ensure_request_with_acr_values_succeeds(mut module: Module) {
    let values: Vec<String> = serde_json::from_value(module.metadata["acr_values_supported"].clone()).expect("a list");
    let request = module.request("openid").with("acr_values", &values.join(" "));
    let done = module.flow(request).await;
    assert!(values.iter().any(|value| done.id_token["acr"] == value.as_str()), "{}", done.id_token);
    // What is no value of ours is no error.
    let request = module.request("openid").with("acr_values", "1 2");
    module.flow(request).await;
}

in_both_plans!(codereuse);
/// Requirements 73, 74.
async fn codereuse(mut module: Module) {
    let request = module.request("openid");
    let done = module.flow(request).await;
    let again = module.exchange(&module.client("client"), &done.request, &done.code, &[]).await;
    expect_token_error(&again, 400, "invalid_grant");
}

/// Both plans in one, since it waits. Afterwards the access token of the first use is good for nothing (requirement 74).
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn codereuse_30seconds() {
    let both = ["basic", "formpost"].map(async |plan| {
        let mut module = Module::start(plan).await;
        let request = module.request("openid");
        let done = module.flow(request).await;
        module.userinfo(&done).await;
        sleep(Duration::from_secs(31)).await;
        let again = module.exchange(&module.client("client"), &done.request, &done.code, &[]).await;
        expect_token_error(&again, 400, "invalid_grant");
        let call = module.wire().call(Method::GET, module.endpoint("userinfo_endpoint")).bearer(done.access_token());
        expect_token_error(&call.send().await, 401, "invalid_token");
    });
    futures_util::future::join_all(both).await;
}

in_both_plans!(ensure_registered_redirect_uri);
/// Requirements 3, 35.
async fn ensure_registered_redirect_uri(mut module: Module) {
    let other = format!("{}/{}", module.callback(), random(10));
    let request = module.request("openid").with("redirect_uri", &other);
    let visit = module.visit(&request).await;
    visit.end.expect_error_page().element("stopped");
    assert_eq!(visit.pages, ["/authorize"]);
}

in_both_plans!(ensure_post_request_succeeds);
/// Requirement 34. With `:` and `/` as they are in the body too, which the suite's own form has.
async fn ensure_post_request_succeeds(mut module: Module) {
    let request = module.request("openid");
    let visit = module.visit_by_post(&request).await;
    let client = module.client("client");
    module.finish(&client, request, visit, &[]).await;

    let request = module.request("openid");
    let body = request.encode().replace("%3A", ":").replace("%2F", "/");
    assert!(body.contains("https://"));
    let call = module.browser.call(Method::POST, module.endpoint("authorization_endpoint"));
    let call = call.header("sec-fetch-site", "cross-site").header("origin", &module.suite.address).header("cookie", "");
    let answer =
        module.browser.send(call.body("application/x-www-form-urlencoded", body).header("accept", "*/*")).await;
    let tasks = module.configuration["browser"].clone();
    let visit = super::robot::drive(&mut module.browser, &tasks, answer).await;
    module.finish(&client, request, visit, &[]).await;
}

in_both_plans!(server_client_secret_post);
/// Requirement 62.
async fn server_client_secret_post(mut module: Module) {
    let client = module.client("client_secret_post");
    let request = module.request_of(&client, "openid");
    let visit = module.visit(&request).await;
    let done = module.finish(&client, request, visit, &[]).await;
    module.userinfo(&done).await;
}

in_both_plans!(unsigned_request_objects);
/// `unsigned-request-object-supported-correctly-or-rejected-as-unsupported`,
/// `ensure-request-object-with-redirect-uri`: skipped, since we say that there are none, and refuse them in the
/// suite's words (requirements 59, 60).
async fn unsigned_request_objects(mut module: Module) {
    let algorithms = &module.metadata["request_object_signing_alg_values_supported"];
    assert!(!algorithms.as_array().is_some_and(|list| list.contains(&json!("none"))), "{algorithms}");
    assert_eq!(module.metadata["request_parameter_supported"], false);
    let request = module.request("openid");
    let inner = json!({"state": request.get("state"), "nonce": request.get("nonce"), "redirect_uri": module.at("x")});
    let encode = |value: &Value| BASE64_URL_SAFE_NO_PAD.encode(value.to_string());
    let object = format!("{}.{}.", encode(&json!({"alg": "none"})), encode(&inner));
    let request = request.without("state").without("nonce").with("request", &object);
    let visit = module.visit(&request).await;
    assert_eq!(module.expect_error(&request, &visit), "request_not_supported");
}

in_both_plans!(claims_essential);
/// Requirement 58.
async fn claims_essential(mut module: Module) {
    let claims = r#"{"userinfo":{"name":{"essential":true}}}"#;
    let request = module.request("openid").with("claims", claims);
    let done = module.flow(request).await;
    let userinfo = module.userinfo(&done).await;
    assert!(userinfo["name"].is_string(), "{userinfo}");
    assert_eq!(userinfo.as_object().map(serde_json::Map::len), Some(2), "{userinfo}");
}

in_both_plans!(refresh_token);
/// Requirements 78 to 81.
async fn refresh_token(mut module: Module) {
    let (first, second) = (module.client("client"), module.client("client2"));
    assert!(module.metadata["grant_types_supported"].as_array().expect("grants").contains(&json!("refresh_token")));
    let mut last = String::new();
    for (client, scope) in [(&first, None), (&second, Some("openid offline_access"))] {
        module.browser.forget_cookies();
        let request = module.request_of(client, "openid offline_access").with("prompt", "consent");
        let visit = module.visit(&request).await;
        assert!(visit.showed("/authorize/consent"), "{:?}", visit.pages);
        let done = module.finish(client, request, visit, &[]).await;
        sleep(Duration::from_millis(1100)).await;
        last = done.tokens["refresh_token"].as_str().expect("a refresh token").to_owned();
        let mut fields = vec![("grant_type", "refresh_token"), ("refresh_token", last.as_str())];
        fields.extend(scope.map(|scope| ("scope", scope)));
        let fresh = expect_tokens(&module.token(client, &fields).await);
        assert_ne!(fresh["access_token"], done.tokens["access_token"]);
        let nonce =
            fresh["id_token"].as_str().map(|token| super::checks::verified(&module.keys, token)["nonce"].clone());
        let id_token = module.id_token(client, &fresh, nonce.as_ref().and_then(Value::as_str));
        for claim in ["iss", "sub", "aud", "azp", "auth_time"] {
            assert_eq!(id_token.get(claim), done.id_token.get(claim), "{claim}");
        }
        assert_ne!(id_token["iat"], done.id_token["iat"]);
        assert!(id_token.get("nonce").is_none_or(|nonce| *nonce == done.id_token["nonce"]));
        fresh["refresh_token"].as_str().expect("a refresh token").clone_into(&mut last);
        expect_entropy(&last);
    }
    let fields = [("grant_type", "refresh_token"), ("refresh_token", last.as_str())];
    expect_token_error(&module.token(&first, &fields).await, 400, "invalid_grant");
    expect_tokens(&module.token(&second, &fields).await);
}

in_both_plans!(ensure_request_with_valid_pkce_succeeds);
/// Requirement 76.
async fn ensure_request_with_valid_pkce_succeeds(mut module: Module) {
    let verifier = random(64);
    let challenge = BASE64_URL_SAFE_NO_PAD.encode(Sha256::digest(&verifier));
    let request = module.request("openid").with("code_challenge", &challenge).with("code_challenge_method", "S256");
    let visit = module.visit(&request).await;
    let client = module.client("client");
    module.finish(&client, request, visit, &[("code_verifier", &verifier)]).await;
    // The control: without the verifier the same is refused.
    let request = module.request("openid").with("code_challenge", &challenge).with("code_challenge_method", "S256");
    let visit = module.visit(&request).await;
    let code = module.expect_code(&request, &visit);
    expect_token_error(&module.exchange(&client, &request, &code, &[]).await, 400, "invalid_grant");
}

in_both_plans!(long_state_and_nonce);
/// Not a module of these plans; others send a `state` of 1000 and a `nonce` of 384 characters (requirement 39).
async fn long_state_and_nonce(mut module: Module) {
    let printable: String = (0x20..0x7f_u8).map(char::from).collect();
    for (state, nonce) in [(random(128), random(64)), (random(1000), random(384)), (printable.clone(), printable)] {
        let request = module.request("openid").with("state", &state).with("nonce", &nonce);
        module.flow(request).await;
    }
    let request = module.request("openid").without("state");
    module.flow(request).await;
}
