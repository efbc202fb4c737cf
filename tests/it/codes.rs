//! Authorization codes: used once, by whom they were given to, in time; and what is wrong with a request burns nothing.

use bonafide::clients::Draft;
use serde_json::Value;

use crate::support::{
    ClientAuth, Flow, TestServer,
    made::{self, SignedIn, but, without},
    random,
};

/// Somebody who has been sent back to the application with a code.
async fn with_code(server: &TestServer, draft: Draft, ask: impl FnOnce(Flow) -> Flow) -> (Flow, String) {
    let application = made::client(server, draft).await;
    let person = made::person(server, "ada").await;
    let flow = ask(Flow::new(&application));
    let reply = flow.sign_in(&mut server.browser(), &person).await;
    let code = reply.code().to_owned();
    (flow, code)
}

both_engines!(ac_01_a_replayed_code_ends_what_it_gave);
/// Requirement 74.
async fn ac_01_a_replayed_code_ends_what_it_gave(server: TestServer) {
    for seconds_later in [0, 30, 90] {
        let (flow, code) = {
            let application = made::client(&server, made::draft()).await;
            let person = made::person(&server, &format!("ada{seconds_later}")).await;
            let flow = Flow::new(&application);
            let code = flow.sign_in(&mut server.browser(), &person).await.code().to_owned();
            (flow, code)
        };
        let tokens = flow.exchange(&server.wire(), &code).await.expect_tokens();
        made::userinfo(&server.wire(), &tokens.access_token()).await.expect_status(200);
        let newer = flow.refresh(&server.wire(), &tokens.refresh_token()).await.expect_tokens();

        server.advance_seconds(seconds_later);
        flow.exchange(&server.wire(), &code).await.0.expect_error(400, "invalid_grant");

        for access_token in [tokens.access_token(), newer.access_token()] {
            made::userinfo(&server.wire(), &access_token).await.expect_error(401, "invalid_token");
        }
        for refresh_token in [newer.refresh_token(), tokens.refresh_token()] {
            flow.refresh(&server.wire(), &refresh_token).await.0.expect_error(400, "invalid_grant");
        }
    }
    let audit = &server.dump_tables(&[]).await["audit_events"];
    assert_eq!(audit.iter().filter(|row| row.contains("code_replayed")).count(), 3, "{audit:#?}");
}

both_engines!(ac_02_a_wrong_replay_ends_nothing);
/// Requirement 75.
async fn ac_02_a_wrong_replay_ends_nothing(server: TestServer) {
    let (flow, code) = with_code(&server, made::draft(), |flow| flow).await;
    let other = made::client(&server, made::draft()).await;
    let tokens = flow.exchange(&server.wire(), &code).await.expect_tokens();
    let good = made::exchange(&flow, &code);
    let before = server.dump().await;

    let other_verifier = random();
    for fields in [
        but(&good, "code_verifier", &other_verifier),
        without(&good, "code_verifier"),
        but(&good, "redirect_uri", "http://127.0.0.1:9/elsewhere"),
    ] {
        flow.token(&server.wire(), &fields).await.0.expect_error(400, "invalid_grant");
    }
    let call = || server.call(reqwest::Method::POST, "/token");
    other.post(call(), &good).await.expect_error(400, "invalid_grant");
    let thief = flow.application.with_auth(ClientAuth::Basic(random()));
    thief.post(call(), &good).await.expect_error(401, "invalid_client");

    server.dump().await.expect_same_as(&before);
    made::userinfo(&server.wire(), &tokens.access_token()).await.expect_status(200);
    flow.refresh(&server.wire(), &tokens.refresh_token()).await.expect_tokens();
}

both_engines!(ac_05_a_code_lives_a_minute);
/// Requirements 43, 75.
async fn ac_05_a_code_lives_a_minute(server: TestServer) {
    let (flow, code) = with_code(&server, made::draft(), |flow| flow).await;
    server.advance_seconds(59);
    flow.exchange(&server.wire(), &code).await.expect_tokens();

    let mut browser = server.browser();
    let person = made::person(&server, "grace").await;
    let late = Flow::new(&flow.application);
    let code = late.sign_in(&mut browser, &person).await.code().to_owned();
    server.advance_seconds(60);
    let before = server.dump().await;
    late.exchange(&server.wire(), &code).await.0.expect_error(400, "invalid_grant");
    server.dump().await.expect_same_as(&before);
}

both_engines!(ac_05_the_lifetime_is_a_setting with [("tokens.code_lifetime", "5s")]);
async fn ac_05_the_lifetime_is_a_setting(server: TestServer) {
    let (flow, code) = with_code(&server, made::draft(), |flow| flow).await;
    server.advance_seconds(5);
    flow.exchange(&server.wire(), &code).await.0.expect_error(400, "invalid_grant");
}

both_engines!(ac_06_an_altered_code_is_unknown);
async fn ac_06_an_altered_code_is_unknown(server: TestServer) {
    let (flow, code) = with_code(&server, made::draft(), |flow| flow).await;
    assert!(code.starts_with("bfc_"), "{code}");
    let before = server.dump().await;
    let flip = |at: usize| {
        let mut bytes = code.clone().into_bytes();
        bytes[at] = if bytes[at] == b'A' { b'B' } else { b'A' };
        String::from_utf8(bytes).unwrap()
    };
    let swap_case = |c: char| if c.is_ascii_lowercase() { c.to_ascii_uppercase() } else { c.to_ascii_lowercase() };
    let altered = [
        flip(4),
        flip(code.len() / 2),
        flip(code.len() - 1),
        code[..code.len() - 1].to_owned(),
        code[..code.len() / 2].to_owned(),
        code["bfc_".len()..].to_owned(),
        format!("{code}A"),
        format!("{code}="),
        format!("{code}=="),
        format!(" {code}"),
        format!("{code} "),
        code.chars().map(swap_case).collect(),
        "bfc_".to_owned(),
        "bfc_%".to_owned(),
        format!("{code}' OR 1=1--"),
        "x".repeat(20_000),
    ];
    for altered in altered {
        flow.exchange(&server.wire(), &altered).await.0.expect_error(400, "invalid_grant");
    }
    server.dump().await.expect_same_as(&before);
    flow.exchange(&server.wire(), &code).await.expect_tokens();
}

both_engines!(ac_09_a_code_needs_its_verifier);
/// Requirement 76.
async fn ac_09_a_code_needs_its_verifier(server: TestServer) {
    for draft in [made::draft(), made::public()] {
        let application = made::client(&server, draft).await;
        let person = made::person(&server, &format!("p{}", &application.id[6..20].replace('_', "x"))).await;
        let flow = Flow::new(&application);
        let code = flow.sign_in(&mut server.browser(), &person).await.code().to_owned();
        let good = made::exchange(&flow, &code);
        let before = server.dump().await;

        flow.token(&server.wire(), &without(&good, "code_verifier")).await.0.expect_error(400, "invalid_grant");
        let challenge = flow.parameter("code_challenge").to_owned();
        let (upper, longer) = (flow.verifier.to_uppercase(), format!("{}a", flow.verifier));
        let (short, long, other) = ("a".repeat(42), "a".repeat(129), random());
        for wrong in ["", &challenge, &upper, &longer, &flow.verifier[..42], &short, &long, &other, "ä"] {
            let fields = but(&good, "code_verifier", wrong);
            flow.token(&server.wire(), &fields).await.0.expect_error(400, "invalid_grant");
        }

        server.dump().await.expect_same_as(&before);
        flow.exchange(&server.wire(), &code).await.expect_tokens();
    }
}

both_engines!(ac_10_a_verifier_without_a_challenge_is_refused);
/// The downgrade of RFC 9700 §2.1.1: an attacker took the challenge out of the request.
/// Requirement 76.
async fn ac_10_a_verifier_without_a_challenge_is_refused(server: TestServer) {
    let draft = Draft { pkce: Some("optional".to_owned()), ..made::draft() };
    let plain = |flow: Flow| flow.without("code_challenge").without("code_challenge_method");
    let (flow, code) = with_code(&server, draft, plain).await;
    flow.exchange(&server.wire(), &code).await.0.expect_error(400, "invalid_grant");
    let good = made::exchange(&flow, &code);
    flow.token(&server.wire(), &without(&good, "code_verifier")).await.expect_tokens();
}

both_engines!(ac_14_no_other_secret_is_a_code);
async fn ac_14_no_other_secret_is_a_code(server: TestServer) {
    let signed_in = SignedIn::new(&server).await;
    let (flow, tokens) = (&signed_in.flow, &signed_in.tokens);
    let mut again = signed_in.browser.clone();
    let next = Flow::new(&flow.application);
    let code = next.sign_in(&mut again, &signed_in.person).await.code().to_owned();
    let before = server.dump().await;

    let mut others = vec![tokens.refresh_token(), tokens.access_token(), tokens.id_token()];
    others.extend(again.cookie_pairs().into_values());
    others.push(flow.application.secret().to_owned());
    for other in &others {
        next.exchange(&server.wire(), other).await.0.expect_error(400, "invalid_grant");
    }
    others[0].clone_from(&code);
    for other in &others {
        next.refresh(&server.wire(), other).await.0.expect_error(400, "invalid_grant");
    }

    server.dump().await.expect_same_as(&before);
    next.exchange(&server.wire(), &code).await.expect_tokens();
    signed_in.refreshed(&tokens.refresh_token()).await;
}

both_engines!(ru_13_another_redirect_uri_leaves_the_code_usable);
/// Requirement 75.
async fn ru_13_another_redirect_uri_leaves_the_code_usable(server: TestServer) {
    let uris = ["https://app.example/callback", "https://app.example/other"].map(str::to_owned);
    let draft = Draft { redirect_uris: Some(uris.to_vec()), ..made::draft() };
    let (flow, code) = with_code(&server, draft, |flow| flow).await;
    let good = made::exchange(&flow, &code);
    let before = server.dump().await;

    flow.token(&server.wire(), &without(&good, "redirect_uri")).await.0.expect_error(400, "invalid_grant");
    for wrong in [
        "",
        "https://app.example/other",
        "https://app.example/callback/",
        "https://app.example/callback?",
        "https://app.example:443/callback",
        "https://APP.example/callback",
        "https://app.example/callback#",
        "https://evil.example/callback",
        "no URI at all",
    ] {
        let fields = but(&good, "redirect_uri", wrong);
        flow.token(&server.wire(), &fields).await.0.expect_error(400, "invalid_grant");
    }

    server.dump().await.expect_same_as(&before);
    flow.exchange(&server.wire(), &code).await.expect_tokens();
}

both_engines!(ru_13_a_loopback_port_must_be_the_one_of_the_request);
/// RFC 8252 §7.3 leaves the port free when it asks; the exchange must name the very same.
async fn ru_13_a_loopback_port_must_be_the_one_of_the_request(server: TestServer) {
    let asked = "http://127.0.0.1:51234/callback";
    let (flow, code) = with_code(&server, made::public(), |flow| flow.with("redirect_uri", asked)).await;
    let good = made::exchange(&flow, &code);
    let registered = flow.application.redirect_uri.clone();
    let wrong = but(&good, "redirect_uri", &registered);
    flow.token(&server.wire(), &wrong).await.0.expect_error(400, "invalid_grant");
    flow.exchange(&server.wire(), &code).await.expect_tokens();
}

both_engines!(a_wrong_secret_burns_nothing);
async fn a_wrong_secret_burns_nothing(server: TestServer) {
    let (flow, code) = with_code(&server, made::draft(), |flow| flow).await;
    let other = made::client(&server, made::draft()).await;
    let good = made::exchange(&flow, &code);
    let before = server.dump().await;
    let secret = random();
    for auth in [ClientAuth::Basic(secret.clone()), ClientAuth::Post(secret), ClientAuth::None] {
        let call = server.call(reqwest::Method::POST, "/token");
        flow.application.with_auth(auth).post(call, &good).await.expect_error(401, "invalid_client");
    }
    let call = server.call(reqwest::Method::POST, "/token");
    other.post(call, &good).await.expect_error(400, "invalid_grant");
    server.dump().await.expect_same_as(&before);
    flow.exchange(&server.wire(), &code).await.expect_tokens();
}

both_engines!(probing_as_go_does_finds_the_way);
/// x/oauth2 sends Basic first and, on any error, the same code again with the secret in the body (note 18 of the survey).
async fn probing_as_go_does_finds_the_way(server: TestServer) {
    let (flow, code) = with_code(&server, made::draft(), |flow| flow).await;
    let good = made::exchange(&flow, &code);
    let secret = flow.application.secret().to_owned();
    let wrong = flow.application.with_auth(ClientAuth::Basic(format!("{secret}x")));
    let first = wrong.post(server.call(reqwest::Method::POST, "/token"), &good).await;
    first.expect_error(401, "invalid_client");
    let right = flow.application.with_auth(ClientAuth::Post(secret));
    let second = right.post(server.call(reqwest::Method::POST, "/token"), &good).await.expect_status(200);
    made::userinfo(&server.wire(), second.json::<Value>()["access_token"].as_str().unwrap()).await.expect_status(200);
}

both_engines!(a_code_dies_with_the_session);
async fn a_code_dies_with_the_session(server: TestServer) {
    let mut signed_in = SignedIn::new(&server).await;
    let next = Flow::new(&signed_in.flow.application);
    let code = next.sign_in(&mut signed_in.browser, &signed_in.person).await.code().to_owned();
    signed_in.sign_out().await;
    next.exchange(&server.wire(), &code).await.0.expect_error(400, "invalid_grant");
}

both_engines!(a_code_dies_with_its_person);
async fn a_code_dies_with_its_person(server: TestServer) {
    let (flow, code) = with_code(&server, made::draft(), |flow| flow).await;
    server.app().accounts.set_disabled("ada", true).await.unwrap();
    flow.exchange(&server.wire(), &code).await.0.expect_error(400, "invalid_grant");
}

both_engines!(op_02_the_database_holds_no_code_and_no_token);
async fn op_02_the_database_holds_no_code_and_no_token(server: TestServer) {
    let signed_in = SignedIn::new(&server).await;
    let next = Flow::new(&signed_in.flow.application);
    let code = next.sign_in(&mut signed_in.browser.clone(), &signed_in.person).await.code().to_owned();
    let newer = signed_in.refreshed(&signed_in.tokens.refresh_token()).await;
    let mut secrets = vec![code, signed_in.tokens.refresh_token(), newer.refresh_token(), newer.access_token()];
    secrets.extend([
        newer.id_token(),
        signed_in.person.password.clone(),
        signed_in.flow.application.secret().to_owned(),
    ]);
    secrets.extend(signed_in.browser.cookie_pairs().into_values());

    let dump = server.dump_tables(&[]).await;
    for secret in secrets {
        let hex = secret.bytes().map(|byte| format!("{byte:02X}")).collect::<Vec<_>>().concat();
        for (table, rows) in dump.iter() {
            let held = |row: &&String| row.contains(&secret) || row.to_uppercase().contains(&hex);
            let found = rows.iter().find(held);
            assert_eq!(found, None, "{table} holds a secret: {secret}");
        }
    }
}
