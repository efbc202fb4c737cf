//! The authorization endpoint: what a request must say, who hears of it when it does not, and what comes back.

use std::collections::BTreeSet;

use reqwest::Method;
use serde_json::Value;

use crate::support::{Answer, Application, Browser, Engine, Flow, NewApplication, Person, Reply, TestServer, Tokens};

/// Registers an API.
pub(crate) async fn api(server: &TestServer, audience: &str, scopes: &[&str]) {
    let mut arguments = vec!["api", "create", "--audience", audience];
    arguments.extend(scopes.iter().flat_map(|scope| ["--scope", *scope]));
    server.cli(&arguments).await.expect_success();
    server.app().reload().await.expect("reading again");
}

/// Sends a request and expects that the application hears this error, and that nothing is written.
async fn expect_refusal(server: &TestServer, flow: &Flow, error: &str) -> Reply {
    let before = server.dump().await;
    let answer = flow.begin(&mut server.browser()).await;
    assert!(matches!(answer.status.as_u16(), 302 | 303), "{answer:#?}");
    assert!(!answer.headers.contains_key("set-cookie"), "{answer:#?}");
    let reply = flow.reply(&answer).expect("an answer to the application");
    reply.expect_error(flow, server.issuer(), error);
    server.dump().await.expect_same_as(&before);
    reply
}

/// Sends a request by its query as it stands and expects a page of ours, and that nothing is written.
async fn expect_page(server: &TestServer, query: &str) -> Answer {
    let before = server.dump().await;
    let answer = server.get(&format!("/authorize?{query}")).await.expect_error_page();
    server.dump().await.expect_same_as(&before);
    let reference = answer.header("x-request-id");
    assert!(!reference.is_empty() && answer.body.contains(reference), "{answer:#?}");
    answer
}

fn query(flow: &Flow) -> String {
    flow.path().split_once('?').expect("a query").1.to_owned()
}

/// Signs the person in and allows the usual scopes, so that a later request meets no page.
async fn signed_in(flow: &Flow, server: &TestServer, person: &Person) -> Browser {
    let mut browser = server.browser();
    flow.sign_in(&mut browser, person).await.code();
    browser
}

both_engines!(a_request_of_nobody_we_know_gets_a_page);
/// Requirements 3, 35.
async fn a_request_of_nobody_we_know_gets_a_page(server: TestServer) {
    let application = server.application(NewApplication::default()).await;
    let flow = Flow::new(&application);
    let id = application.id.as_str();

    let long = "x".repeat(5_000);
    let longer = format!("{id}x");
    let shorter = &id[..id.len() - 1];
    let unknown = ["unknown", shorter, &longer, &long, "a\r\nSet-Cookie: x=1", "' OR 1=1 --", "клиент", ""];
    for client_id in unknown {
        expect_page(&server, &query(&flow.clone().with("client_id", client_id))).await;
    }
    expect_page(&server, &query(&flow.clone().without("client_id"))).await;
    expect_page(&server, "").await;

    // The same request with the right id goes on.
    flow.begin(&mut server.browser()).await.expect_status(303);
}

both_engines!(ij_07_a_client_or_address_named_twice_gets_a_page);
async fn ij_07_a_client_or_address_named_twice_gets_a_page(server: TestServer) {
    let application = server.application(NewApplication::default()).await;
    let flow = Flow::new(&application);
    for (name, value) in [
        ("client_id", application.id.as_str()),
        ("client_id", "another"),
        ("client_id", ""),
        ("redirect_uri", application.redirect_uri.as_str()),
        ("redirect_uri", "https://evil.example/"),
        ("redirect_uri", ""),
    ] {
        expect_page(&server, &query(&flow.clone().and(name, value))).await;
        expect_page(&server, &format!("{name}={value}&{}", query(&flow))).await;
    }
}

both_engines!(ij_07_any_other_parameter_twice_is_an_invalid_request);
/// Requirement 7.
async fn ij_07_any_other_parameter_twice_is_an_invalid_request(server: TestServer) {
    let application = server.application(NewApplication::default()).await;
    let full = Flow::new(&application)
        .with("prompt", "login")
        .with("max_age", "60")
        .with("login_hint", "ada")
        .with("ui_locales", "en")
        .with("response_mode", "query")
        .with("acr_values", "phr")
        .with("id_token_hint", "x")
        .with("claims", "{}")
        .with("of_our_own", "1");
    full.begin(&mut server.browser()).await.expect_status(303);
    for (name, value) in full.parameters() {
        if matches!(name.as_str(), "client_id" | "redirect_uri") {
            continue;
        }
        // Nobody can say which of two states was meant, so none comes back.
        let flow = full.clone().and(name, value);
        let answer = flow.begin(&mut server.browser()).await;
        let reply = flow.reply(&answer).expect("an answer to the application");
        assert_eq!(reply.parameters["error"], "invalid_request", "{name}: {reply:#?}");
        assert_eq!(reply.parameters["iss"], server.issuer(), "{name}: {reply:#?}");
        let state = reply.parameters.get("state").map(String::as_str);
        assert_eq!(state, (name != "state").then(|| full.parameter("state")), "{name}: {reply:#?}");
        // An empty twin is a twin.
        let answer = full.clone().and(name, "").begin(&mut server.browser()).await;
        assert_eq!(answer.location_parameters()["error"], "invalid_request", "{name}: {answer:#?}");
    }
}

both_engines!(what_is_no_form_gets_a_page);
async fn what_is_no_form_gets_a_page(server: TestServer) {
    let application = server.application(NewApplication::default()).await;
    let good = query(&Flow::new(&application));
    for broken in ["%ff", "a%00b", "%c3%28", "%ed%a0%80"] {
        expect_page(&server, &format!("{good}&x={broken}")).await;
        expect_page(&server, &format!("{good}&{broken}=x")).await;
    }
    let many = "&x=1".repeat(200);
    expect_page(&server, &format!("{good}{many}")).await;
}

both_engines!(ac_15_only_the_response_type_code);
/// Requirement 37.
async fn ac_15_only_the_response_type_code(server: TestServer) {
    let application = server.application(NewApplication::default()).await;
    let flow = Flow::new(&application);
    let others =
        ["token", "id_token", "id_token token", "code token", "code id_token", "none", "code code", "CODE", "x"];
    for response_type in others {
        let flow = flow.clone().with("response_type", response_type);
        expect_refusal(&server, &flow, "unsupported_response_type").await;
    }
    // A parameter without a value counts as absent (RFC 6749 section 3.1).
    expect_refusal(&server, &flow.clone().with("response_type", ""), "invalid_request").await;
    expect_refusal(&server, &flow.without("response_type"), "invalid_request").await;

    let metadata: Value = server.get("/.well-known/openid-configuration").await.json();
    assert_eq!(metadata["response_types_supported"], serde_json::json!(["code"]));
}

both_engines!(ac_16_unknown_response_modes_are_refused);
/// BR-16: `web_message` is not there.
async fn ac_16_unknown_response_modes_are_refused(server: TestServer) {
    let application = server.application(NewApplication::default()).await;
    let flow = Flow::new(&application);
    for mode in ["web_message", "query.jwt", "unknown", "QUERY"] {
        expect_refusal(&server, &flow.clone().with("response_mode", mode), "invalid_request").await;
    }
    flow.with("response_mode", "query").begin(&mut server.browser()).await.expect_status(303);
}

both_engines!(request_objects_are_refused);
/// Requirements 59, 60, 61: none is supported, by value or by reference.
async fn request_objects_are_refused(server: TestServer) {
    let application = server.application(NewApplication::default()).await;
    let flow = Flow::new(&application);
    expect_refusal(&server, &flow.clone().with("request", "e30.e30."), "request_not_supported").await;
    let by_reference = flow.with("request_uri", "https://app.example.com/request.jwt");
    expect_refusal(&server, &by_reference, "request_uri_not_supported").await;
}

both_engines!(ac_08_a_public_client_needs_a_challenge);
/// Requirement 69.
async fn ac_08_a_public_client_needs_a_challenge(server: TestServer) {
    let public = server.application(NewApplication { public: true, ..NewApplication::default() }).await;
    let confidential = server.application(NewApplication::default()).await;
    for application in [&public, &confidential] {
        let flow = Flow::new(application);
        let bare = flow.clone().without("code_challenge").without("code_challenge_method");
        expect_refusal(&server, &bare, "invalid_request").await;
        expect_refusal(&server, &flow.clone().without("code_challenge"), "invalid_request").await;
        expect_refusal(&server, &flow.with("code_challenge", ""), "invalid_request").await;
    }
}

both_engines!(ac_08_a_code_without_a_challenge_takes_no_verifier);
/// The exemption is for the request that sends no challenge at all, and cannot be used to strip one from a flow that has it.
async fn ac_08_a_code_without_a_challenge_takes_no_verifier(server: TestServer) {
    let ada = server.person("ada").await;
    let exempt = NewApplication { flags: &["--pkce", "optional"], ..NewApplication::default() };
    let application = server.application(exempt).await;
    let flow = Flow::new(&application);
    let bare = flow.clone().without("code_challenge").without("code_challenge_method");
    expect_refusal(&server, &flow.clone().without("code_challenge"), "invalid_request").await;

    let mut browser = server.browser();
    let code = bare.sign_in(&mut browser, &ada).await.code().to_owned();
    bare.exchange(&server.wire(), &code).await.0.expect_error(400, "invalid_grant");
    let code = bare.sign_in(&mut browser, &ada).await.code().to_owned();
    let fields =
        [("grant_type", "authorization_code"), ("code", &code), ("redirect_uri", bare.parameter("redirect_uri"))];
    bare.token(&server.wire(), &fields).await.expect_tokens();

    // With a challenge the verifier is compulsory, for this client too (AC-09).
    let code = flow.sign_in(&mut browser, &ada).await.code().to_owned();
    let fields =
        [("grant_type", "authorization_code"), ("code", &code), ("redirect_uri", flow.parameter("redirect_uri"))];
    let refused = flow.token(&server.wire(), &fields).await.0;
    assert_eq!(refused.status, 400, "{refused:#?}");
    assert!(!refused.body.contains("access_token"), "{refused:#?}");
}

both_engines!(ac_10_only_s256);
async fn ac_10_only_s256(server: TestServer) {
    let application = server.application(NewApplication::default()).await;
    let flow = Flow::new(&application);
    let plain = flow.clone().with("code_challenge", &flow.verifier);
    expect_refusal(&server, &plain.with("code_challenge_method", "plain"), "invalid_request").await;
    // Without a method the standard says plain (RFC 7636 section 4.3).
    expect_refusal(&server, &flow.clone().without("code_challenge_method"), "invalid_request").await;
    for method in ["s256", "S512", "none", ""] {
        expect_refusal(&server, &flow.clone().with("code_challenge_method", method), "invalid_request").await;
    }
    let metadata: Value = server.get("/.well-known/openid-configuration").await.json();
    assert_eq!(metadata["code_challenge_methods_supported"], serde_json::json!(["S256"]));
}

both_engines!(ac_11_a_challenge_is_43_characters_of_base64url);
async fn ac_11_a_challenge_is_43_characters_of_base64url(server: TestServer) {
    let application = server.application(NewApplication::default()).await;
    let flow = Flow::new(&application);
    let good = flow.parameter("code_challenge").to_owned();
    let bad = [
        good[..42].to_owned(),
        format!("{good}A"),
        format!("{good}="),
        "A".repeat(128),
        "A".repeat(129),
        format!("{} ", &good[..42]),
        format!("{}/", &good[..42]),
        format!("{}é", &good[..41]),
    ];
    for challenge in bad {
        expect_refusal(&server, &flow.clone().with("code_challenge", &challenge), "invalid_request").await;
    }
}

both_engines!(unknown_scopes_are_dropped_and_known_ones_that_are_not_allowed_refused);
/// Requirement 38.
async fn unknown_scopes_are_dropped_and_known_ones_that_are_not_allowed_refused(server: TestServer) {
    let ada = server.person("ada").await;
    let few = NewApplication { scopes: &["openid", "profile"], ..NewApplication::default() };
    let application = server.application(few).await;
    let flow = Flow::new(&application);

    for scope in ["openid email", "openid offline_access", "openid account", "roles", "permissions"] {
        expect_refusal(&server, &flow.clone().with("scope", scope), "invalid_scope").await;
    }
    let many: Vec<_> = (0..100).map(|n| format!("s{n}")).collect();
    for scope in ["openid \"quoted\"", "openid back\\slash", "openid tab\tbed", "openid ünicode", &many.join(" ")] {
        expect_refusal(&server, &flow.clone().with("scope", scope), "invalid_scope").await;
    }

    let asked = flow.with("scope", " openid  read:nothing profile openid OPENID ");
    let mut browser = server.browser();
    let tokens = asked.tokens(&server.wire(), &mut browser, &ada).await;
    let granted: BTreeSet<String> =
        tokens.json::<Value>()["scope"].as_str().expect("scope").split(' ').map(str::to_owned).collect();
    assert_eq!(granted, BTreeSet::from(["openid".to_owned(), "profile".to_owned()]), "{tokens:#?}");
}

both_engines!(a_request_without_openid_is_oauth_and_has_no_id_token);
/// Requirement 38.
async fn a_request_without_openid_is_oauth_and_has_no_id_token(server: TestServer) {
    let ada = server.person("ada").await;
    let application = server.application(NewApplication::default()).await;
    for flow in [Flow::new(&application).with("scope", "profile"), Flow::new(&application).without("scope")] {
        let tokens = flow.tokens(&server.wire(), &mut server.browser(), &ada).await;
        assert!(tokens.json::<Value>().get("id_token").is_none(), "{tokens:#?}");
        server
            .call(Method::GET, "/userinfo")
            .bearer(&tokens.access_token())
            .send()
            .await
            .expect_error(403, "insufficient_scope");
    }
}

both_engines!(resource_names_one_registered_api);
async fn resource_names_one_registered_api(server: TestServer) {
    const ORDERS: &str = "https://orders.example/api";
    const BILLING: &str = "https://billing.example/api";
    api(&server, ORDERS, &["orders:read"]).await;
    api(&server, BILLING, &["billing:read"]).await;
    let ada = server.person("ada").await;
    let scopes = ["openid", "orders:read", "billing:read"];
    let application = server.application(NewApplication { scopes: &scopes, ..NewApplication::default() }).await;
    let flow = Flow::new(&application).with("scope", "openid orders:read");

    let unknown = [
        "https://unknown.example/",
        "https://orders.example/api/",
        "https://orders.example/API",
        "https://orders.example/api#x",
        "orders",
        "javascript:alert(1)",
    ];
    for resource in unknown {
        expect_refusal(&server, &flow.clone().with("resource", resource), "invalid_target").await;
    }
    let two = flow.clone().with("resource", ORDERS).and("resource", BILLING);
    expect_refusal(&server, &two, "invalid_target").await;
    let half_known = flow.clone().with("resource", ORDERS).and("resource", "https://unknown.example/");
    expect_refusal(&server, &half_known, "invalid_target").await;
    // The scope of one API is none of another's, nor of ours.
    expect_refusal(&server, &flow.clone().with("resource", BILLING), "invalid_scope").await;
    expect_refusal(&server, &flow, "invalid_scope").await;

    let mut browser = server.browser();
    let tokens = flow.with("resource", ORDERS).tokens(&server.wire(), &mut browser, &ada).await;
    assert_eq!(Tokens::claims(&tokens.access_token())["aud"], ORDERS);
    assert_eq!(tokens.json::<Value>()["scope"], "openid orders:read");
}

both_engines!(mx_07_state_comes_back_byte_for_byte);
/// Also IJ-06: what is in a state makes no header.
/// Requirement 39.
async fn mx_07_state_comes_back_byte_for_byte(server: TestServer) {
    let ada = server.person("ada").await;
    let application = server.application(NewApplication::default()).await;
    let flow = Flow::new(&application);
    let mut browser = signed_in(&flow, &server, &ada).await;
    let long = "s".repeat(1_024);
    let states = [
        "é ü 漢字 🦀 \u{202e}",
        "a+b c%20d%zz%",
        "&code=x&iss=y#fragment?",
        "\"><script>alert(1)</script>",
        "\r\nSet-Cookie: x=1\r\nX-Injected: 1\r\n\r\nbody",
        "  spaces  ",
        "{\"json\":[1,2]}",
        &long,
    ];
    for state in states {
        let honest = flow.clone().with("state", state);
        let answer = honest.begin(&mut browser).await;
        let reply = honest.reply(&answer).expect("an answer to the application");
        assert_eq!(reply.parameters["state"], state, "{answer:#?}");
        assert!(!reply.code().is_empty());

        let answer = honest.with("response_type", "token").begin(&mut browser).await;
        let parameters = answer.location_parameters();
        assert_eq!(parameters["state"], state, "{answer:#?}");
        for injected in ["x-injected", "set-cookie"] {
            assert!(!answer.headers.contains_key(injected), "{answer:#?}");
        }
    }
    // None sent, none returned.
    let answer = flow.clone().without("state").begin(&mut browser).await;
    assert!(!answer.location_parameters().contains_key("state"), "{answer:#?}");

    // What nobody would carry is not carried back either.
    let answer = flow.with("state", &"s".repeat(8_192)).begin(&mut browser).await;
    let parameters = answer.location_parameters();
    assert_eq!(parameters["error"], "invalid_request", "{answer:#?}");
    assert!(!parameters.contains_key("state"), "{answer:#?}");
}

both_engines!(mx_01_the_issuer_is_in_every_authorization_response);
/// Requirements 25, 41, 42.
async fn mx_01_the_issuer_is_in_every_authorization_response(server: TestServer) {
    let ada = server.person("ada").await;
    let application = server.application(NewApplication::default()).await;
    let flow = Flow::new(&application);
    let reply = flow.sign_in(&mut server.browser(), &ada).await;
    assert_eq!(reply.parameters["iss"], server.issuer());
    expect_refusal(&server, &flow.with("prompt", "none"), "login_required").await;

    let metadata: Value = server.get("/.well-known/openid-configuration").await.json();
    assert_eq!(metadata["authorization_response_iss_parameter_supported"], true);
    assert_eq!(metadata["issuer"], server.issuer());
}

both_engines!(oversized_parameters_are_refused_or_ignored);
async fn oversized_parameters_are_refused_or_ignored(server: TestServer) {
    let application = server.application(NewApplication::default()).await;
    let flow = Flow::new(&application);
    let long = "n".repeat(10_000);
    expect_refusal(&server, &flow.clone().with("nonce", &long), "invalid_request").await;
    expect_refusal(&server, &flow.clone().with("scope", &long), "invalid_scope").await;
    expect_refusal(&server, &flow.clone().with("code_challenge", &long), "invalid_request").await;
    expect_refusal(&server, &flow.clone().with("max_age", &"9".repeat(10_000)), "invalid_request").await;
    for name in ["login_hint", "ui_locales", "acr_values", "display", "prompt", "of_our_own"] {
        let mut browser = server.browser();
        flow.clone().with(name, &long).open(&mut browser).await.expect_status(200);
    }
    // IJ-13: as large as a request may be, and no more work than a small one.
    let locales = "aa-Bbbb-cc ".repeat(5_000);
    flow.with("ui_locales", &locales).open(&mut server.browser()).await.expect_status(200);
}

both_engines!(a_client_without_the_grant_is_unauthorized);
/// Requirement 37.
async fn a_client_without_the_grant_is_unauthorized(server: TestServer) {
    let worker = NewApplication { grants: &["client_credentials"], ..NewApplication::default() };
    let application = server.application(worker).await;
    expect_refusal(&server, &Flow::new(&application), "unauthorized_client").await;
}

both_engines!(prompt_none_shows_no_page);
async fn prompt_none_shows_no_page(server: TestServer) {
    let ada = server.person("ada").await;
    let application = server.application(NewApplication::default()).await;
    let other = server.application(NewApplication { name: "Other", ..NewApplication::default() }).await;
    let flow = Flow::new(&application);
    let silent = flow.clone().with("prompt", "none");
    expect_refusal(&server, &silent, "login_required").await;

    let mut browser = signed_in(&flow, &server, &ada).await;
    let answer = silent.begin(&mut browser).await;
    assert!(!silent.reply(&answer).expect("an answer").code().is_empty());

    // Signed in, but never asked about the other application.
    let before = server.dump().await;
    let elsewhere = Flow::new(&other).with("prompt", "none");
    let answer = elsewhere.begin(&mut browser).await;
    elsewhere.reply(&answer).expect("an answer").expect_error(&elsewhere, server.issuer(), "consent_required");
    server.dump().await.expect_same_as(&before);

    for prompt in ["none login", "none consent", "login none", "none select_account"] {
        expect_refusal(&server, &flow.clone().with("prompt", prompt), "invalid_request").await;
    }
}

both_engines!(prompt_none_goes_by_max_age_too);
async fn prompt_none_goes_by_max_age_too(server: TestServer) {
    let ada = server.person("ada").await;
    let application = server.application(NewApplication::default()).await;
    let flow = Flow::new(&application);
    let mut browser = signed_in(&flow, &server, &ada).await;
    server.advance_seconds(61);
    let silent = flow.with("prompt", "none").with("max_age", "60");
    let answer = silent.begin(&mut browser).await;
    silent.reply(&answer).expect("an answer").expect_error(&silent, server.issuer(), "login_required");
}

both_engines!(prompt_login_asks_for_the_password_again);
async fn prompt_login_asks_for_the_password_again(server: TestServer) {
    let ada = server.person("ada").await;
    let application = server.application(NewApplication::default()).await;
    let mut browser = server.browser();
    let first = Flow::new(&application).tokens(&server.wire(), &mut browser, &ada).await;
    server.advance_seconds(120);

    for prompt in ["login", "login select_account", "login consent"] {
        server.advance_seconds(1);
        let flow = Flow::new(&application).with("prompt", prompt);
        let begun = flow.begin(&mut browser).await;
        assert_eq!(begun.location().path(), "/sign-in", "{begun:#?}");
        // Nobody gets past the page by asking for what comes after it.
        let interaction = begun.location_parameters()["interaction"].clone();
        for after in ["/authorize", "/authorize/consent"] {
            let answer = browser.get(&format!("{after}?interaction={interaction}")).await;
            let answer = browser.follow(answer).await.expect_status(200);
            assert!(answer.find_element("password").is_some(), "{answer:#?}");
        }
        let tokens = flow.tokens(&server.wire(), &mut browser, &ada).await;
        let auth_time = |tokens: &Tokens| Tokens::claims(&tokens.id_token())["auth_time"].as_i64().expect("auth_time");
        assert!(auth_time(&tokens) >= auth_time(&first) + 120, "{prompt}");
    }
}

both_engines!(max_age_is_the_age_of_the_sign_in);
async fn max_age_is_the_age_of_the_sign_in(server: TestServer) {
    let ada = server.person("ada").await;
    let application = server.application(NewApplication::default()).await;
    let flow = Flow::new(&application);
    let mut browser = signed_in(&flow, &server, &ada).await;
    let signed_in_at = server.now().timestamp();
    let asked = flow.clone().with("max_age", "60");

    server.advance_seconds(60);
    let answer = asked.begin(&mut browser).await;
    let tokens = asked.exchange(&server.wire(), asked.reply(&answer).expect("an answer").code()).await.expect_tokens();
    assert_eq!(Tokens::claims(&tokens.id_token())["auth_time"], signed_in_at);

    server.advance_seconds(1);
    let answer = asked.open(&mut browser).await.expect_status(200);
    assert!(answer.find_element("password").is_some(), "{answer:#?}");
    let again = asked.tokens(&server.wire(), &mut browser, &ada).await;
    assert_eq!(Tokens::claims(&again.id_token())["auth_time"], server.now().timestamp());

    // Zero is as prompt=login, and ends with the sign-in that it asked for.
    server.advance_seconds(1);
    let never = flow.clone().with("max_age", "0");
    let answer = never.open(&mut browser).await.expect_status(200);
    assert!(answer.find_element("password").is_some(), "{answer:#?}");
    never.sign_in(&mut browser, &ada).await.code();

    for max_age in ["-1", "1.5", "1e3", "60s", "+60", " 60", "0x10", "99999999999999999999"] {
        expect_refusal(&server, &flow.clone().with("max_age", max_age), "invalid_request").await;
    }
    let large = flow.with("max_age", "9000000000000000000");
    let answer = large.begin(&mut browser).await;
    assert!(!large.reply(&answer).expect("an answer").code().is_empty());
}

both_engines!(a_posted_request_goes_on_by_get);
/// A request by form comes from another site, so the session's cookie is not with it; the GET that follows brings it.
/// Requirements 34, 53.
async fn a_posted_request_goes_on_by_get(server: TestServer) {
    let ada = server.person("ada").await;
    let application = server.application(NewApplication::default()).await;
    let flow = Flow::new(&application).with("state", "a+b é&c=d");
    let mut browser = signed_in(&flow, &server, &ada).await;
    let before = server.dump().await;

    let fields: Vec<(&str, &str)> = flow.parameters().iter().map(|(name, value)| (&**name, &**value)).collect();
    let cross_site = |browser: &Browser| {
        browser
            .call(Method::POST, "/authorize")
            .header("origin", "https://app.example.com")
            .header("sec-fetch-site", "cross-site")
    };
    let posted = browser.send(cross_site(&browser).form(&fields)).await.expect_status(303);
    server.dump().await.expect_same_as(&before);
    let answer = browser.get(posted.location().as_str()).await;
    let reply = flow.reply(&answer).expect("an answer to the application");
    assert_eq!(reply.parameters["state"], "a+b é&c=d");
    flow.exchange(&server.wire(), reply.code()).await.expect_tokens();

    // Repeated parameters stay repeated, and what is no form is none.
    let twice: Vec<_> = fields.iter().copied().chain([("nonce", "second")]).collect();
    let posted = browser.send(cross_site(&browser).form(&twice)).await.expect_status(303);
    let answer = browser.get(posted.location().as_str()).await;
    assert_eq!(answer.location_parameters()["error"], "invalid_request");
    let json = cross_site(&browser).json(&serde_json::json!({ "client_id": application.id }));
    browser.send(json).await.expect_error_page();
    let large = cross_site(&browser).form(&[("client_id", application.id.as_str()), ("x", &"x".repeat(70_000))]);
    browser.send(large).await.expect_status(413);
}

both_engines!(the_answer_leaves_nothing_behind);
/// AC-17 and RFC 9700 section 4.12: a redirect without a body, kept by nobody, that hands no address on.
async fn the_answer_leaves_nothing_behind(server: TestServer) {
    let ada = server.person("ada").await;
    let application = server.application(NewApplication::default()).await;
    let flow = Flow::new(&application);
    let mut browser = signed_in(&flow, &server, &ada).await;
    let answer = flow.begin(&mut browser).await.expect_status(303);
    assert_eq!(answer.header("cache-control"), "no-store", "{answer:#?}");
    assert_eq!(answer.header("referrer-policy"), "no-referrer", "{answer:#?}");
    assert!(answer.body.is_empty(), "{answer:#?}");
    assert!(!answer.headers.contains_key("set-cookie"), "{answer:#?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_client_that_is_gone_answers_nobody() {
    let server = TestServer::start(Engine::Sqlite).await;
    let ada = server.person("ada").await;
    let application: Application = server.application(NewApplication::default()).await;
    let flow = Flow::new(&application);
    let mut browser = signed_in(&flow, &server, &ada).await;
    let begun = flow.clone().with("prompt", "consent").begin(&mut browser).await.expect_status(303);

    server.cli(&["client", "delete", &application.id]).await.expect_success();
    server.app().reload().await.expect("reading again");
    flow.begin(&mut browser).await.expect_error_page();
    // Nor does a request that waits for a person.
    browser.get(begun.location().as_str()).await.expect_error_page();
}
