//! Who asks at the token endpoint, and what it says to requests that are no requests.

use base64::{Engine as _, prelude::BASE64_STANDARD};
use reqwest::Method;
use serde_json::{Value, json};

use crate::support::{
    Answer, Application, Call, ClientAuth, Flow, TestServer, Tokens,
    made::{self, SignedIn, but, without},
    random,
};

const SERVICE: [(&str, &str); 1] = [("grant_type", "client_credentials")];

fn call(server: &TestServer) -> Call {
    server.call(Method::POST, "/token")
}

/// A program with the grant `client_credentials`: the shortest request that needs a proof.
async fn service(server: &TestServer) -> Application {
    made::client(server, made::service()).await
}

/// `Authorization: Basic` of exactly these bytes.
fn raw_basic(credentials: &str) -> String {
    format!("Basic {}", BASE64_STANDARD.encode(credentials))
}

#[track_caller]
fn expect_no_challenge(answer: &Answer) {
    assert!(!answer.headers.contains_key("www-authenticate"), "{answer:#?}");
}

#[track_caller]
fn expect_challenge(answer: &Answer) {
    assert!(answer.header("www-authenticate").starts_with("Basic realm="), "{answer:#?}");
}

both_engines!(basic_and_post_are_taken_interchangeably);
/// Requirement 62.
async fn basic_and_post_are_taken_interchangeably(server: TestServer) {
    for method in ["client_secret_basic", "client_secret_post"] {
        let draft = bonafide::clients::Draft { token_endpoint_auth_method: Some(method.to_owned()), ..made::service() };
        let application = made::client(&server, draft).await;
        let secret = application.secret().to_owned();
        for auth in [ClientAuth::Basic(secret.clone()), ClientAuth::Post(secret)] {
            let answer = application.with_auth(auth).post(call(&server), &SERVICE).await.expect_status(200);
            assert_eq!(answer.header("cache-control"), "no-store");
            assert_eq!(answer.header("content-type"), "application/json");
        }
    }
}

both_engines!(basic_credentials_are_percent_decoded);
/// Some libraries encode what needs no encoding (`my-client` as `my%2Dclient`), others nothing (note 17 of the survey).
/// Requirement 62.
async fn basic_credentials_are_percent_decoded(server: TestServer) {
    let draft = bonafide::clients::Draft { client_id: Some("my-client.1_x".to_owned()), ..made::service() };
    let application = made::client(&server, draft).await;
    let secret = application.secret();
    let encode = |text: &str| text.bytes().map(|byte| format!("%{byte:02x}")).collect::<Vec<_>>().concat();
    let dashes = |text: &str| text.replace('-', "%2D").replace('_', "%5F").replace('.', "%2E");
    for credentials in [
        format!("{}:{secret}", application.id),
        format!("{}:{}", dashes(&application.id), dashes(secret)),
        format!("{}:{}", encode(&application.id), encode(secret)),
    ] {
        for scheme in ["Basic", "basic", "BASIC"] {
            let header = format!("{scheme} {}", BASE64_STANDARD.encode(&credentials));
            call(&server).header("authorization", header).form(&SERVICE).send().await.expect_status(200);
        }
    }
}

both_engines!(a_wrong_proof_is_invalid_client);
/// RFC 6749 §5.2: 401; a challenge only to those who used the Authorization header.
/// CA-01, CA-05, CA-13, requirement 67.
async fn a_wrong_proof_is_invalid_client(server: TestServer) {
    let application = service(&server).await;
    let disabled = service(&server).await;
    made::disable_client(&server, &disabled.id).await;
    let before = server.dump().await;
    let mut bodies = Vec::new();
    let secret = application.secret();
    let unknown = Application { id: "nobody".to_owned(), ..application.clone() };
    for (who, wrong) in [
        (&application, random()),
        (&application, format!("{secret}x")),
        (&application, secret[..secret.len() - 1].to_owned()),
        (&application, secret.to_uppercase()),
        (&application, application.id.clone()),
        (&unknown, secret.to_owned()),
        (&unknown, random()),
        (&disabled, disabled.secret().to_owned()),
        (&disabled, random()),
    ] {
        let basic = who.with_auth(ClientAuth::Basic(wrong.clone())).post(call(&server), &SERVICE).await;
        let basic = basic.expect_error(401, "invalid_client");
        expect_challenge(&basic);
        let post = who.with_auth(ClientAuth::Post(wrong)).post(call(&server), &SERVICE).await;
        let post = post.expect_error(401, "invalid_client");
        expect_no_challenge(&post);
        bodies.extend([basic.said(), post.said()]);
    }
    for nothing in [&application, &disabled, &unknown] {
        let answer = nothing.with_auth(ClientAuth::None).post(call(&server), &SERVICE).await;
        let answer = answer.expect_error(401, "invalid_client");
        expect_no_challenge(&answer);
        bodies.push(answer.said());
    }
    assert!(bodies.iter().all(|body| *body == bodies[0]), "the answer tells which: {bodies:#?}");
    server.dump().await.expect_same_as(&before);
    application.post(call(&server), &SERVICE).await.expect_status(200);
}

both_engines!(a_failure_of_a_known_client_is_recorded);
async fn a_failure_of_a_known_client_is_recorded(server: TestServer) {
    let application = service(&server).await;
    let wrong = application.with_auth(ClientAuth::Basic(random()));
    wrong.post(call(&server), &SERVICE).await.expect_error(401, "invalid_client");
    for _ in 0..200 {
        let dump = server.dump_tables(&[]).await;
        let events = &dump["audit_events"];
        if events.iter().any(|row| row.contains("client_authentication_failed") && row.contains(&application.id)) {
            return;
        }
        tokio::time::sleep(std::time::Duration::from_millis(10)).await;
    }
    panic!("not recorded");
}

both_engines!(malformed_basic_credentials_are_refused);
/// CA-06.
async fn malformed_basic_credentials_are_refused(server: TestServer) {
    let application = service(&server).await;
    let id = &application.id;
    let headers: Vec<Vec<u8>> = vec![
        b"Basic".to_vec(),
        b"Basic ".to_vec(),
        b"Basic !!!".to_vec(),
        b"Basic \xff\xfe".to_vec(),
        raw_basic("no colon").into_bytes(),
        raw_basic(":").into_bytes(),
        raw_basic(&format!("{id}:")).into_bytes(),
        raw_basic(&format!(":{}", application.secret())).into_bytes(),
        raw_basic(&format!("{id}%00:{}", application.secret())).into_bytes(),
        raw_basic(&format!("{id}:%ff")).into_bytes(),
        raw_basic(&format!("{id}:{}", "x".repeat(10_000))).into_bytes(),
        format!("Basic  {}", BASE64_STANDARD.encode(format!("{id}x:{}", application.secret()))).into_bytes(),
        b"Bearer abc".to_vec(),
        b"Digest username=x".to_vec(),
        b"x".to_vec(),
    ];
    for header in headers {
        let answer = call(&server).header("authorization", &header).form(&SERVICE).send().await;
        let answer = answer.expect_error(401, "invalid_client");
        expect_challenge(&answer);
    }
}

both_engines!(proving_oneself_in_two_ways_is_a_malformed_request);
/// RFC 6749 §2.3: one method in each request.
/// CA-02, requirement 62.
async fn proving_oneself_in_two_ways_is_a_malformed_request(server: TestServer) {
    let application = service(&server).await;
    let (id, secret) = (application.id.as_str(), application.secret());
    let basic = || call(&server).basic(id, secret);
    let twice = [SERVICE[0], ("client_id", id), ("client_secret", secret)];
    basic().form(&twice).send().await.expect_error(400, "invalid_request");
    let twice = [SERVICE[0], ("client_secret", secret)];
    basic().form(&twice).send().await.expect_error(400, "invalid_request");
    let asserted = [SERVICE[0], ("client_assertion", "x"), ("client_assertion_type", "y")];
    basic().form(&asserted).send().await.expect_error(400, "invalid_request");
    basic().basic(id, secret).form(&SERVICE).send().await.expect_error(400, "invalid_request");
    for doubled in ["client_id", "client_secret"] {
        let mut fields = vec![SERVICE[0], ("client_id", id), ("client_secret", secret)];
        fields.extend(fields.clone().into_iter().filter(|(name, _)| *name == doubled));
        call(&server).form(&fields).send().await.expect_error(400, "invalid_request");
    }
    // The id alone beside Basic is what many libraries send.
    basic().form(&[SERVICE[0], ("client_id", id)]).send().await.expect_status(200);
}

both_engines!(another_client_id_in_the_body_is_refused);
/// Requirement 68.
async fn another_client_id_in_the_body_is_refused(server: TestServer) {
    let (application, other) = (service(&server).await, service(&server).await);
    for named in [other.id.as_str(), "nobody", "%"] {
        let answer = call(&server).basic(&application.id, application.secret());
        let answer = answer.form(&[SERVICE[0], ("client_id", named)]).send().await;
        expect_challenge(&answer.expect_error(401, "invalid_client"));
    }
}

both_engines!(a_method_that_is_not_there_yet_is_refused);
/// CA-04: who is registered with a secret proves nothing by an assertion.
async fn a_method_that_is_not_there_yet_is_refused(server: TestServer) {
    let application = service(&server).await;
    let kind = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer";
    let fields = [
        SERVICE[0],
        ("client_id", application.id.as_str()),
        ("client_assertion_type", kind),
        ("client_assertion", "e30.e30."),
    ];
    expect_no_challenge(&call(&server).form(&fields).send().await.expect_error(401, "invalid_client"));
}

both_engines!(a_public_client_gives_its_id_and_no_secret);
async fn a_public_client_gives_its_id_and_no_secret(server: TestServer) {
    let signed_in = SignedIn::with(&server, made::public(), |flow| flow).await;
    let application = &signed_in.flow.application;
    let refresh_token = signed_in.tokens.refresh_token();
    let fields = [("grant_type", "refresh_token"), ("refresh_token", refresh_token.as_str())];
    let before = server.dump().await;

    for auth in [ClientAuth::Post("secret".to_owned()), ClientAuth::Basic("secret".to_owned())] {
        application.with_auth(auth).post(call(&server), &fields).await.expect_error(401, "invalid_client");
    }
    call(&server).form(&fields).send().await.expect_error(401, "invalid_client");
    server.dump().await.expect_same_as(&before);

    let rotated = application.post(call(&server), &fields).await.expect_status(200).json::<Value>();
    // Some libraries put a public client's id into Basic, with nothing behind the colon.
    let fields = but(&fields, "refresh_token", rotated["refresh_token"].as_str().unwrap());
    call(&server).basic(&application.id, "").form(&fields).send().await.expect_status(200);
}

both_engines!(ca_16_other_grants_are_not_there);
/// Requirement 77.
async fn ca_16_other_grants_are_not_there(server: TestServer) {
    let (application, web) = (service(&server).await, made::client(&server, made::draft()).await);
    let before = server.dump().await;
    for grant in [
        "password",
        "implicit",
        "CLIENT_CREDENTIALS",
        "client_credentials ",
        "urn:ietf:params:oauth:grant-type:jwt-bearer",
        "urn:ietf:params:oauth:grant-type:token-exchange",
        "x",
    ] {
        let fields = [("grant_type", grant), ("username", "ada"), ("password", "plum violin 42 harbour")];
        application.post(call(&server), &fields).await.expect_error(400, "unsupported_grant_type");
    }
    for grant in ["authorization_code", "refresh_token"] {
        let fields =
            [("grant_type", grant), ("code", "x"), ("refresh_token", "x"), ("redirect_uri", "https://x.example/")];
        application.post(call(&server), &fields).await.expect_error(400, "unauthorized_client");
    }
    web.post(call(&server), &SERVICE).await.expect_error(400, "unauthorized_client");
    server.dump().await.expect_same_as(&before);
}

/// A code, and the fields that would exchange it.
async fn exchangeable(server: &TestServer) -> (Flow, String) {
    let application = made::client(server, made::draft()).await;
    let person = made::person(server, "ada").await;
    let flow = Flow::new(&application);
    let code = flow.sign_in(&mut server.browser(), &person).await.code().to_owned();
    (flow, code)
}

both_engines!(every_missing_parameter_has_its_error);
/// Requirements 73, 77.
async fn every_missing_parameter_has_its_error(server: TestServer) {
    let (flow, code) = exchangeable(&server).await;
    let good = made::exchange(&flow, &code);
    let before = server.dump().await;
    for (missing, error) in [
        ("grant_type", "invalid_request"),
        ("code", "invalid_request"),
        ("redirect_uri", "invalid_grant"),
        ("code_verifier", "invalid_grant"),
    ] {
        // RFC 6749 §3.2: a parameter without a value is as good as not there.
        for fields in [without(&good, missing), but(&good, missing, "")] {
            flow.token(&server.wire(), &fields).await.0.expect_error(400, error);
        }
    }
    call(&server).form(&good).send().await.expect_error(401, "invalid_client");
    call(&server).body("application/x-www-form-urlencoded", "").send().await.expect_error(401, "invalid_client");
    let refresh = [("grant_type", "refresh_token"), ("refresh_token", "")];
    for fields in [&refresh[..1], &refresh] {
        flow.token(&server.wire(), fields).await.0.expect_error(400, "invalid_request");
    }
    server.dump().await.expect_same_as(&before);
    flow.token(&server.wire(), &good).await.expect_tokens();
}

both_engines!(ij_07_no_parameter_comes_twice);
/// Requirement 7.
async fn ij_07_no_parameter_comes_twice(server: TestServer) {
    let (flow, code) = exchangeable(&server).await;
    let secret = flow.application.secret().to_owned();
    let post = flow.application.with_auth(ClientAuth::Post(secret));
    let mut good = made::exchange(&flow, &code);
    good.extend([("scope", "openid"), ("unknown", "x")]);
    let before = server.dump().await;

    for (name, value) in good.clone() {
        for second in [value, "other", ""] {
            let mut fields = good.clone();
            fields.push((name, second));
            post.post(call(&server), &fields).await.expect_error(400, "invalid_request");
            fields.rotate_right(1);
            post.post(call(&server), &fields).await.expect_error(400, "invalid_request");
        }
    }
    // Parameters belong in the body: those of the URL are not there.
    let query = format!("/token?grant_type=authorization_code&code={code}");
    let in_url = server.call(Method::POST, &query);
    let body = without(&without(&good, "code"), "grant_type");
    flow.application.post(in_url, &body).await.expect_error(400, "invalid_request");

    server.dump().await.expect_same_as(&before);
    let mut fields = good.clone();
    fields.extend([("a[]", "1"), ("resource[]", "x")]);
    flow.token(&server.wire(), &fields).await.expect_tokens();
}

both_engines!(unknown_parameters_are_ignored);
/// Requirement 6.
async fn unknown_parameters_are_ignored(server: TestServer) {
    let (flow, code) = exchangeable(&server).await;
    let mut fields = made::exchange(&flow, &code);
    fields.extend([("audience", "https://x.example"), ("state", "x"), ("", "x"), ("x", ""), ("é", "é")]);
    flow.token(&server.wire(), &fields).await.expect_tokens();
}

both_engines!(br_18_only_post_is_taken);
/// Requirement 70.
async fn br_18_only_post_is_taken(server: TestServer) {
    let (flow, code) = exchangeable(&server).await;
    let before = server.dump().await;
    let query = form_urlencoded::Serializer::new(String::new()).extend_pairs(made::exchange(&flow, &code)).finish();
    for method in ["GET", "HEAD", "PUT", "PATCH", "DELETE", "TRACE", "OPTIONS", "QUERY"] {
        let method = Method::from_bytes(method.as_bytes()).unwrap();
        for path in ["/token".to_owned(), format!("/token?{query}")] {
            let call = server.call(method.clone(), &path);
            let answer = call.basic(&flow.application.id, flow.application.secret()).send().await.expect_status(405);
            assert_eq!(answer.header("allow"), "POST", "{answer:#?}");
            assert_eq!(answer.header("cache-control"), "no-store", "{answer:#?}");
            // What calls here is a program: it gets no page.
            assert_eq!(answer.header("content-type"), "application/json", "{answer:#?}");
        }
    }
    server.dump().await.expect_same_as(&before);
    flow.exchange(&server.wire(), &code).await.expect_tokens();
}

both_engines!(br_19_only_a_form_is_taken);
/// Requirement 70.
async fn br_19_only_a_form_is_taken(server: TestServer) {
    let (flow, code) = exchangeable(&server).await;
    let good = made::exchange(&flow, &code);
    let form = form_urlencoded::Serializer::new(String::new()).extend_pairs(&good).finish();
    let members: serde_json::Map<String, Value> =
        good.iter().map(|(name, value)| ((*name).to_owned(), json!(value))).collect();
    let as_json = Value::Object(members).to_string();
    let before = server.dump().await;
    let request = || call(&server).basic(&flow.application.id, flow.application.secret());

    for (content_type, body) in [
        ("application/json", as_json.as_str()),
        ("application/json", form.as_str()),
        ("text/plain", form.as_str()),
        ("multipart/form-data; boundary=x", "--x\r\nContent-Disposition: form-data; name=\"code\"\r\n\r\nx\r\n--x--"),
        ("application/x-www-form-urlencoded-x", form.as_str()),
        ("application/x-www-form-urlencoded; charset=utf-16", form.as_str()),
        ("application/x-www-form-urlencoded; charset=iso-8859-1", form.as_str()),
        ("application/x-www-form-urlencoded, application/json", form.as_str()),
        ("", form.as_str()),
        ("application/x-www-form-urlencoded", as_json.as_str()),
    ] {
        let answer = request().body(content_type, body).send().await;
        answer.expect_error(400, "invalid_request");
    }
    let raw = format!(
        "POST /token HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\nAuthorization: {}\r\nContent-Length: {}\r\n\r\n{form}",
        raw_basic(&format!("{}:{}", flow.application.id, flow.application.secret())),
        form.len(),
    );
    let answer = server.wire().raw(raw.as_bytes()).await;
    assert!(
        answer.starts_with("HTTP/1.1 400") && answer.contains("invalid_request"),
        "without a content type: {answer}"
    );
    let doubled = request().header("content-type", "application/x-www-form-urlencoded");
    let doubled = doubled.header("content-type", "application/json").body("x/y", form.as_str()).send().await;
    doubled.expect_error(400, "invalid_request");
    for bytes in [&b"grant_type=\xff"[..], b"grant_type=%ff", b"grant_type=%00", b"grant_type=\0"] {
        let answer = request().body("application/x-www-form-urlencoded", bytes).send().await;
        answer.expect_error(400, "invalid_request");
    }

    server.dump().await.expect_same_as(&before);
    let good_type = "Application/X-WWW-Form-Urlencoded;charset=\"UTF-8\"";
    request().body(good_type, form).send().await.expect_status(200);
}

both_engines!(ij_09_a_body_has_its_limit);
async fn ij_09_a_body_has_its_limit(server: TestServer) {
    const LIMIT: usize = 64 * 1024;
    let application = service(&server).await;
    let form = |size: usize| {
        let start = "grant_type=client_credentials&padding=";
        format!("{start}{}", "x".repeat(size - start.len()))
    };
    let post = |body: String| {
        let call = call(&server).basic(&application.id, application.secret());
        call.body("application/x-www-form-urlencoded", body).send()
    };
    post(form(LIMIT)).await.expect_status(200);
    let refused = post(form(LIMIT + 1)).await.expect_error(413, "invalid_request");
    assert_eq!(refused.header("connection"), "close", "{refused:#?}");

    // The same without a length: a stream that has no end.
    let mut raw = format!(
        "POST /token HTTP/1.1\r\nHost: localhost\r\nAuthorization: {}\r\nTransfer-Encoding: chunked\r\n\
         Content-Type: application/x-www-form-urlencoded\r\n\r\n",
        raw_basic(&format!("{}:{}", application.id, application.secret())),
    )
    .into_bytes();
    for _ in 0..20 {
        raw.extend(b"1000\r\n");
        raw.extend([b'x'; 0x1000]);
        raw.extend(b"\r\n");
    }
    let answer = server.wire().raw(&raw).await;
    assert!(answer.starts_with("HTTP/1.1 413"), "{answer}");
    application.post(call(&server), &SERVICE).await.expect_status(200);
}

both_engines!(too_many_parameters_are_refused);
async fn too_many_parameters_are_refused(server: TestServer) {
    let application = service(&server).await;
    let names: Vec<String> = (0..200).map(|n| format!("p{n}")).collect();
    let mut fields: Vec<(&str, &str)> = names.iter().map(|name| (name.as_str(), "")).collect();
    fields.extend(SERVICE);
    application.post(call(&server), &fields).await.expect_error(400, "invalid_request");
}

both_engines!(ca_13_a_disabled_client_is_nobody_anywhere);
async fn ca_13_a_disabled_client_is_nobody_anywhere(server: TestServer) {
    let signed_in = SignedIn::new(&server).await;
    let (flow, service) = (&signed_in.flow, service(&server).await);
    let token = signed_in.tokens.refresh_token();
    let calls = [
        (&service, "/token", SERVICE.to_vec()),
        (&flow.application, "/token", vec![("grant_type", "refresh_token"), ("refresh_token", token.as_str())]),
        (&flow.application, "/introspect", vec![("token", token.as_str())]),
        (&flow.application, "/revoke", vec![("token", "x")]),
    ];
    service.post(call(&server), &SERVICE).await.expect_status(200);
    made::expect_active(&server.wire(), &flow.application, &token).await;
    for client in [&service, &flow.application] {
        made::disable_client(&server, &client.id).await;
    }
    let before = server.dump().await;
    for (client, path, fields) in calls {
        client.post(server.call(Method::POST, path), &fields).await.expect_error(401, "invalid_client");
    }
    flow.begin(&mut server.browser()).await.expect_error_page();
    signed_in.expect_dead(&signed_in.tokens.access_token()).await;
    server.dump().await.expect_same_as(&before);
}

both_engines!(ca_18_a_client_named_like_a_person_is_not_that_person);
async fn ca_18_a_client_named_like_a_person_is_not_that_person(server: TestServer) {
    let signed_in = SignedIn::new(&server).await;
    let draft = bonafide::clients::Draft { client_id: Some(signed_in.person.id.clone()), ..made::service() };
    let impostor = made::client(&server, draft).await;
    let answer = impostor.post(call(&server), &SERVICE).await.expect_status(200).json::<Value>();
    let token = answer["access_token"].as_str().expect("an access token");
    assert_eq!(Tokens::claims(token)["sub"], signed_in.person.id.as_str());
    made::userinfo(&server.wire(), token).await.expect_error(403, "insufficient_scope");
    signed_in.expect_live(&signed_in.tokens.access_token()).await;
}

both_engines!(ca_19_a_new_secret_replaces_the_old_one);
/// At once, in every process within a second; there is no overlap to forget about. Only its hash is kept.
async fn ca_19_a_new_secret_replaces_the_old_one(server: TestServer) {
    let application = service(&server).await;
    let mut known = vec![application.secret().to_owned()];
    for _ in 0..3 {
        let output = server.cli(&["client", "rotate-secret", &application.id, "--quiet"]).await.expect_success();
        server.app().reload().await.expect("reading again");
        let fresh = output.stdout.trim_end().to_owned();
        let with = |secret: &str| application.with_auth(ClientAuth::Basic(secret.to_owned()));
        with(&fresh).post(call(&server), &SERVICE).await.expect_status(200);
        for old in &known {
            with(old).post(call(&server), &SERVICE).await.expect_error(401, "invalid_client");
        }
        known.push(fresh);
    }
    let dump = server.dump_tables(&[]).await;
    assert!(dump["clients"].iter().all(|row| known.iter().all(|secret| !row.contains(secret))));
}
