//! Other providers in the JSON API: administrators declare them, people see and end what is linked, and front ends sign people in
//! by the ID tokens that they have got there.

use std::collections::BTreeSet;

use bonafide::identity::NewAccount;
use reqwest::Method;
use serde_json::{Value, json};

use crate::{
    api_accounts::{expect_problem, get, login, post, text},
    engines::{lines, within_a_second},
    secrets::hex,
    support::{Answer, Dump, Engine, Fault, Person, Stub, TestServer, at_once},
};

const SECRET: &str = "correct horse battery staple and more";
const ADAPTER: (&str, &str) = ("adapter.secret", SECRET);

/// A server that may reach this stub, by its own clock.
async fn server_beside(engine: Engine, stub: &Stub, more: &[(&str, &str)]) -> TestServer {
    let allow = [("outgoing.allow", stub.address.as_str()), ("limits.enabled", "false")];
    let server = TestServer::with(engine, &[&allow[..], more].concat()).await;
    stub.follow(server.clock());
    server
}

/// The same, where the settings declare the stub as `op`.
async fn server_with(engine: Engine, stub: &Stub, more: &[(&str, &str)]) -> TestServer {
    let settings = stub.settings("op");
    let settings: Vec<_> = settings.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
    server_beside(engine, stub, &[&settings[..], more].concat()).await
}

/// An administrator's token.
async fn admin(server: &TestServer) -> String {
    let boss = server.person("boss").await;
    server.app().accounts.grant_role("boss", "admin").await.expect("a role");
    text(&login(server, &boss).await, "accessToken").to_owned()
}

fn declaration(stub: &Stub) -> Value {
    json!({"issuer": stub.issuer, "clientId": stub.client_id, "clientSecret": stub.client_secret, "label": "The OP"})
}

async fn call(server: &TestServer, token: &str, method: Method, path: &str, body: Option<&Value>) -> Answer {
    let call = server.call(method, path).bearer(token);
    match body {
        Some(body) => call.json(body).send().await,
        None => call.send().await,
    }
}

async fn sign_in(server: &TestServer, provider: &str, id_token: &str) -> Answer {
    post(server, "/auth/oAuthlogin", &json!({"provider": provider, "idToken": id_token})).await
}

/// Somebody there whose address the provider vouches for.
fn visitor(subject: &str, email: &str) -> Value {
    json!({"sub": subject, "email": email, "email_verified": true, "name": "Grace Hopper"})
}

async fn signed_in(server: &TestServer, stub: &Stub, claims: &Value) -> Value {
    sign_in(server, "op", &stub.id_token(&stub.client_id, claims, None)).await.expect_status(200).json()
}

/// What a refusal leaves as it was: everything but the record.
async fn dump(server: &TestServer) -> Dump {
    server.dump_tables(&["audit_events", "attempts"]).await
}

each_engine!(a_provider_is_declared_shown_changed_and_removed);
async fn a_provider_is_declared_shown_changed_and_removed(engine: Engine) {
    let stub = Stub::listen().await;
    let server = server_beside(engine, &stub, &[]).await;
    let admin = admin(&server).await;
    assert_eq!(get(&server, "/providers", &admin).await.expect_status(200).json::<Value>(), json!([]));
    expect_problem(get(&server, "/providers/op", &admin).await, 404);

    let answer = call(&server, &admin, Method::PUT, "/providers/op", Some(&declaration(&stub))).await;
    let declared: Value = answer.expect_status(201).json();
    let at = |path: &str| format!("{}/providers/op/{path}", server.issuer());
    for (member, value) in [
        ("name", json!("op")),
        ("origin", json!("database")),
        ("label", json!("The OP")),
        ("identity", json!(stub.issuer)),
        ("callbackUrl", json!(at("callback"))),
        ("backchannelLogoutUrl", json!(at("backchannel-logout"))),
        ("hasSecret", json!(true)),
        ("enabled", json!(true)),
        ("clientAuth", json!("client_secret_basic")),
        ("trustEmail", json!("verified")),
        ("scopes", json!(["openid", "profile", "email"])),
        ("subjectClaim", json!("sub")),
        ("signUp", json!(true)),
        ("profileAtCreation", json!(["name", "given_name", "family_name", "picture", "locale"])),
        ("roles", json!([])),
    ] {
        assert_eq!(declared[member], value, "{member}");
    }
    assert_eq!(get(&server, "/providers", &admin).await.json::<Value>(), json!([declared]));
    assert_eq!(get(&server, "/providers/op", &admin).await.expect_status(200).json::<Value>(), declared);

    // OP-02: nowhere is the secret told, and nowhere does it stand.
    let hex = hex(stub.client_secret.as_bytes());
    let stored = server.dump_tables(&[]).await;
    assert!(stored["providers"][0].contains(&stub.client_id), "{stored:#?}");
    for rows in stored.values().flatten() {
        assert!(!rows.contains(&stub.client_secret) && !rows.to_lowercase().contains(&hex), "{rows}");
    }
    assert!(!declared.to_string().contains(&stub.client_secret) && declared.get("clientSecret").is_none());

    // What is shown is a declaration again; a secret that is left out stays, but goes to nobody else.
    let mut again = declared.clone();
    for own in ["name", "origin", "identity", "callbackUrl", "backchannelLogoutUrl", "hasSecret"] {
        again.as_object_mut().expect("an object").remove(own);
    }
    again["label"] = json!("Renamed");
    again["roles"] = json!(["staff=editor"]);
    let changed: Value =
        call(&server, &admin, Method::PUT, "/providers/op", Some(&again)).await.expect_status(200).json();
    assert_eq!((&changed["label"], &changed["hasSecret"]), (&json!("Renamed"), &json!(true)));
    assert_eq!(changed["roles"], json!(["staff=editor"]));
    let mut elsewhere = again.clone();
    elsewhere["issuer"] = json!("https://elsewhere.example");
    let answer = call(&server, &admin, Method::PUT, "/providers/op", Some(&elsewhere)).await;
    assert!(expect_problem(answer, 400)["errors"]["clientSecret"].is_array());
    again["clientAuth"] = json!("private_key_jwt");
    let answer = call(&server, &admin, Method::PUT, "/providers/op", Some(&again)).await.expect_status(200);
    assert_eq!(answer.json::<Value>()["hasSecret"], false);

    let removed = call(&server, &admin, Method::DELETE, "/providers/op", None).await.expect_status(200);
    assert_eq!(removed.json::<Value>()["label"], "Renamed");
    for method in [Method::GET, Method::DELETE] {
        expect_problem(call(&server, &admin, method, "/providers/op", None).await, 404);
    }
    let plain = json!({"clientId": "c", "clientSecret": "something long", "authorizationEndpoint": "https://p.example/a",
                       "tokenEndpoint": "https://p.example/t", "userinfoEndpoint": "https://p.example/u"});
    let plain: Value =
        call(&server, &admin, Method::PUT, "/providers/plain", Some(&plain)).await.expect_status(201).json();
    let expected = (&json!("https://p.example#plain:sub"), &Value::Null, &json!("Plain"));
    assert_eq!((&plain["identity"], &plain["backchannelLogoutUrl"], &plain["label"]), expected);
    let events = "SELECT detail AS line FROM audit_events WHERE kind = 'provider_changed' AND actor_id IS NOT NULL";
    assert_eq!(lines(&server, events).await.len(), 5);
}

each_engine!(what_cannot_be_meant_is_refused_by_its_member);
async fn what_cannot_be_meant_is_refused_by_its_member(engine: Engine) {
    let stub = Stub::listen().await;
    let server = server_with(engine, &stub, &[]).await;
    let admin = admin(&server).await;
    let good = json!({"issuer": "https://op.example", "clientId": "c", "clientSecret": "something long",
                      "domains": ["corp.example"]});
    call(&server, &admin, Method::PUT, "/providers/good", Some(&good)).await.expect_status(201);
    let before = server.dump_tables(&["attempts"]).await;
    let with = |member: &str, value: Value| {
        let mut body = json!({"issuer": "https://other.example", "clientId": "c", "clientSecret": "something long"});
        body[member] = value;
        body
    };
    for (name, body, member) in [
        ("Corp", with("label", json!("x")), "name"),
        ("a%00b", with("label", json!("x")), "name"),
        ("corp", json!({}), "clientId"),
        ("corp", with("clientSecret", json!("")), "clientSecret"),
        ("corp", with("clientSecret", json!(null)), "clientSecret"),
        ("corp", with("issuer", json!("http://op.example")), "issuer"),
        ("corp", with("issuer", json!(server.issuer())), "issuer"),
        ("corp", with("tokenEndpoint", json!("https://op.example/token")), "issuer"),
        ("corp", with("preset", json!("yahoo")), "preset"),
        ("corp", with("clientAuth", json!("password")), "clientAuth"),
        ("corp", with("trustEmail", json!("sometimes")), "trustEmail"),
        ("corp", with("scopes", json!(["profile"])), "scopes"),
        ("corp", with("emailVerifiedClaim", json!("a..b")), "emailVerifiedClaim"),
        ("corp", with("profileAtCreation", json!(["email"])), "profileAtCreation"),
        ("corp", with("profileAlways", json!(["name="])), "profileAlways"),
        ("corp", with("roles", json!(["staff"])), "roles"),
        ("corp", with("assurance", json!(["mfa"])), "assurance"),
        ("corp", with("domains", json!(["Corp.example"])), "domains"),
        ("corp", with("domains", json!(["corp.example"])), "domains"),
        ("corp", with("client_id", json!("d")), "client_id"),
        ("corp", with("hasSecret", json!(true)), "hasSecret"),
    ] {
        let answer = call(&server, &admin, Method::PUT, &format!("/providers/{name}"), Some(&body)).await;
        let problem = expect_problem(answer, 400);
        assert!(problem["errors"][member][0].is_string(), "{member}: {problem}");
    }
    for body in [json!([]), json!("x"), with("enabled", json!("yes")), with("domains", json!("corp.example"))] {
        expect_problem(call(&server, &admin, Method::PUT, "/providers/corp", Some(&body)).await, 400);
    }
    // What is a page of ours is no provider.
    for name in ["link", "signed-out"] {
        let body = with("label", json!("x"));
        call(&server, &admin, Method::PUT, &format!("/providers/{name}"), Some(&body)).await.expect_status(405);
    }
    let twice = server.call(Method::PUT, "/providers/corp").bearer(&admin);
    let twice = twice.body("application/json", r#"{"clientId": "a", "clientId": "b"}"#);
    expect_problem(twice.send().await, 400);

    // One of the settings is changed there.
    for method in [Method::PUT, Method::DELETE] {
        let body = declaration(&stub);
        let answer = call(&server, &admin, method.clone(), "/providers/op", Some(&body)).await;
        assert!(text(&expect_problem(answer, 409), "message").contains("settings"), "{method}");
    }
    server.dump_tables(&["attempts"]).await.expect_same_as(&before);
    let shown: Value = get(&server, "/providers/op", &admin).await.expect_status(200).json();
    assert_eq!((&shown["origin"], &shown["hasSecret"]), (&json!("settings"), &json!(true)));
    call(&server, &admin, Method::PUT, "/providers/corp", Some(&with("label", json!("x")))).await.expect_status(201);
}

each_engine!(what_one_node_declares_another_knows_within_a_second);
async fn what_one_node_declares_another_knows_within_a_second(engine: Engine) {
    let stub = Stub::listen().await;
    let server = server_beside(engine, &stub, &[]).await;
    let (admin, node) = (admin(&server).await, server.second_node().await);
    let status = async || {
        let claims = visitor("g1", "grace@example.org");
        let body = json!({"provider": "op", "idToken": stub.id_token(&stub.client_id, &claims, None)});
        node.wire().call(Method::POST, "/auth/oAuthlogin").json(&body).send().await.status
    };
    assert_eq!(status().await, 401);
    call(&server, &admin, Method::PUT, "/providers/op", Some(&declaration(&stub))).await.expect_status(201);
    within_a_second("the provider", || async { status().await == 200 }).await;
    call(&server, &admin, Method::DELETE, "/providers/op", None).await.expect_status(200);
    within_a_second("its end", || async { status().await == 401 }).await;
}

each_engine!(mx_10_al_18_an_id_token_signs_in_by_issuer_and_subject);
/// MX-10, H3-1, AL-18: whoever a declared provider has made an ID token for gets tokens. People are known by issuer and subject.
async fn mx_10_al_18_an_id_token_signs_in_by_issuer_and_subject(engine: Engine) {
    let stub = Stub::listen().await;
    let server = server_with(engine, &stub, &[]).await;
    let first = signed_in(&server, &stub, &visitor("g1", "grace@example.org")).await;
    let members: BTreeSet<_> = first.as_object().expect("an object").keys().map(String::as_str).collect();
    assert_eq!(members, BTreeSet::from(["accessToken", "backendTokens", "refreshToken", "user"]));
    assert!(first["backendTokens"]["expiresIn"].is_i64(), "H3-25: {first}");
    let user = &first["user"];
    assert_eq!((text(user, "email"), text(user, "name")), ("grace@example.org", "Grace Hopper"));
    assert!(user["emailVerified"].is_string(), "{user}");
    let me: Value = get(&server, "/auth/me", text(&first, "accessToken")).await.expect_status(200).json();
    assert_eq!(me["id"], user["id"]);

    // The same subject is the same person, whatever their address is there by now, proven or not.
    for claims in [
        visitor("g1", "hopper@example.org"),
        json!({"sub": "g1", "email": "boss@example.org", "email_verified": false}),
        json!({"sub": "g1"}),
    ] {
        let again = signed_in(&server, &stub, &claims).await;
        assert_eq!(
            (&again["user"]["id"], text(&again["user"], "email")),
            (&user["id"], "grace@example.org"),
            "{claims}"
        );
    }
    // Another subject is never the first one's, nor anybody's who is here by that address.
    let ada = server.person("ada").await;
    let before = dump(&server).await;
    for claims in [visitor("g2", "grace@example.org"), visitor("g2", &ada.email), visitor("G1", "GRACE@example.org")] {
        expect_problem(sign_in(&server, "op", &stub.id_token(&stub.client_id, &claims, None)).await, 401);
    }
    dump(&server).await.expect_same_as(&before);
    assert_eq!(
        text(&signed_in(&server, &stub, &visitor("g2", "joan@example.org")).await["user"], "name"),
        "Grace Hopper"
    );
    // Whoever is disabled stays out.
    server.app().accounts.set_disabled("grace@example.org", true).await.expect("disabling");
    let token = stub.id_token(&stub.client_id, &visitor("g1", "grace@example.org"), None);
    expect_problem(sign_in(&server, "op", &token).await, 401);
}

each_engine!(al_17_an_address_that_the_provider_has_not_proven_makes_no_account);
/// AL-17: only `true` is a true.
async fn al_17_an_address_that_the_provider_has_not_proven_makes_no_account(engine: Engine) {
    let stub = Stub::listen().await;
    let server = server_with(engine, &stub, &[]).await;
    let before = dump(&server).await;
    for verified in [json!(false), json!("true"), json!(1), Value::Null] {
        let claims = json!({"sub": "g1", "email": "grace@example.org", "email_verified": verified});
        expect_problem(sign_in(&server, "op", &stub.id_token(&stub.client_id, &claims, None)).await, 401);
    }
    for claims in [json!({"sub": "g1", "email": "grace@example.org"}), json!({"sub": "g1"}), visitor("g1", "nonsense")]
    {
        expect_problem(sign_in(&server, "op", &stub.id_token(&stub.client_id, &claims, None)).await, 401);
    }
    dump(&server).await.expect_same_as(&before);
    signed_in(&server, &stub, &visitor("g1", "grace@example.org")).await;
}

each_engine!(mx_10_a_token_with_a_fault_is_refused_and_on_the_record);
/// MX-10, MX-03: issuer, audience, signature, time, nonce; every refusal is a 401 with nothing written but the record.
async fn mx_10_a_token_with_a_fault_is_refused_and_on_the_record(engine: Engine) {
    let stub = Stub::listen().await;
    let more = [("providers.op.audiences", "app.one,app.two")];
    let server = server_with(engine, &stub, &more).await;
    let admin = admin(&server).await;
    for (name, body) in [
        (
            "off",
            json!({"issuer": stub.issuer, "clientId": "another", "clientSecret": "something long", "enabled": false}),
        ),
        (
            "plain",
            json!({"clientId": "c", "clientSecret": "something long", "authorizationEndpoint": "https://p.example/a",
                         "tokenEndpoint": "https://p.example/t", "userinfoEndpoint": "https://p.example/u"}),
        ),
    ] {
        call(&server, &admin, Method::PUT, &format!("/providers/{name}"), Some(&body)).await.expect_status(201);
    }
    let claims = visitor("g1", "grace@example.org");
    let with_nonce = async |token: &str, nonce: Value| {
        post(&server, "/auth/oAuthlogin", &json!({"provider": "op", "idToken": token, "nonce": nonce})).await
    };
    let before = dump(&server).await;
    let mut refused = 0;
    // What belongs to an access token is no matter here: there is none.
    for fault in Fault::OF_ID_TOKENS.into_iter().filter(|fault| *fault != Fault::WrongAccessTokenHash) {
        stub.set_fault(fault);
        let token = stub.id_token(&stub.client_id, &claims, Some("n-0S6_WzA2Mj"));
        expect_problem(with_nonce(&token, json!("n-0S6_WzA2Mj")).await, 401);
        refused += 1;
    }
    stub.set_fault(Fault::UnknownKey);
    expect_problem(sign_in(&server, "op", &stub.id_token(&stub.client_id, &claims, None)).await, 401);
    stub.set_fault(None);
    let good = stub.id_token(&stub.client_id, &claims, Some("n-0S6_WzA2Mj"));
    expect_problem(with_nonce(&good, json!("another")).await, 401);
    for (provider, token) in [
        ("op", stub.id_token("app.three", &claims, None)),
        ("op", "nonsense".to_owned()),
        ("op", String::new()),
        ("off", stub.id_token("another", &claims, None)),
        ("plain", good.clone()),
        ("nobody", good.clone()),
    ] {
        expect_problem(sign_in(&server, provider, &token).await, 401);
    }
    refused += 8;
    let events = "SELECT detail AS line FROM audit_events WHERE kind = 'provider_refused'";
    assert_eq!(lines(&server, events).await.len(), refused);
    // What names no provider, or says more or less than it should, is nobody's word.
    for body in [
        json!({"provider": "op\u{0}", "idToken": good}),
        json!({"provider": "op"}),
        json!({"idToken": good}),
        json!({"provider": "op", "idToken": [good]}),
        json!({"provider": "op", "idToken": good, "email": "grace@example.org"}),
        json!({"provider": "op", "idToken": good, "providerAccountId": "g1", "email": "grace@example.org"}),
    ] {
        expect_problem(post(&server, "/auth/oAuthlogin", &body).await, 401);
    }
    assert_eq!(lines(&server, events).await.len(), refused);
    dump(&server).await.expect_same_as(&before);

    // One that was made for a nonce is for whoever has sent it: in the address of a sign-out it opens nothing.
    expect_problem(sign_in(&server, "op", &good).await, 401);
    expect_problem(with_nonce(&good, Value::Null).await, 401);
    // The controls: with its nonce, without one, for one of the other clients, and after the provider has changed its key.
    for audience in [stub.client_id.as_str(), "app.two"] {
        sign_in(&server, "op", &stub.id_token(audience, &claims, None)).await.expect_status(200);
    }
    with_nonce(&good, json!("n-0S6_WzA2Mj")).await.expect_status(200);
    server.advance_seconds(120);
    stub.rotate_keys();
    signed_in(&server, &stub, &claims).await;
}

each_engine!(where_a_provider_makes_no_accounts_it_lets_in_whom_we_know);
async fn where_a_provider_makes_no_accounts_it_lets_in_whom_we_know(engine: Engine) {
    let stub = Stub::listen().await;
    let server = server_with(engine, &stub, &[("providers.op.sign_up", "false"), ADAPTER]).await;
    let before = dump(&server).await;
    let token = stub.id_token(&stub.client_id, &visitor("g1", "grace@example.org"), None);
    expect_problem(sign_in(&server, "op", &token).await, 401);
    dump(&server).await.expect_same_as(&before);
    let ada = server.person("ada").await;
    link_by_adapter(&server, &ada.id, "g1").await.expect_status(200);
    let known: Value = sign_in(&server, "op", &token).await.expect_status(200).json();
    assert_eq!(text(&known["user"], "id"), ada.id);
}

async fn link_by_adapter(server: &TestServer, user: &str, subject: &str) -> Answer {
    let account = json!({"userId": user, "type": "oidc", "provider": "op", "providerAccountId": subject});
    server.call(Method::POST, "/adapter/link-account").header("x-auth-secret", SECRET).json(&account).send().await
}

each_engine!(h3_1_what_the_adapter_links_an_id_token_finds);
/// H3-1, H3-5: both ways go by the same table. The adapter's word alone opens no administrator's account.
async fn h3_1_what_the_adapter_links_an_id_token_finds(engine: Engine) {
    let stub = Stub::listen().await;
    let server = server_with(engine, &stub, &[ADAPTER]).await;
    let (ada, eve) = (server.person("ada").await, server.person("eve").await);
    link_by_adapter(&server, &ada.id, "g1").await.expect_status(200);
    let tokens = login(&server, &ada).await;
    let links = format!("/auth/{}/providers", ada.id);
    let linked = async || get(&server, &links, text(&tokens, "accessToken")).await.expect_status(200).json::<Value>();
    assert_eq!((&linked().await[0]["issuer"], &linked().await[0]["lastUsedAt"]), (&Value::Null, &Value::Null));

    let by_token = signed_in(&server, &stub, &visitor("g1", "someone@example.org")).await;
    assert_eq!(text(&by_token["user"], "id"), ada.id);
    assert_eq!(text(&linked().await[0], "issuer"), stub.issuer);
    assert!(linked().await[0]["lastUsedAt"].is_string());
    // Now as ever by the adapter.
    let shown = |path: &str| server.call(Method::GET, path).header("x-auth-secret", SECRET);
    let found = shown("/adapter/get-user-by-account/op/g1").send().await.expect_status(200);
    assert_eq!(text(&found.json(), "id"), ada.id);
    let body = json!({"email": ada.email, "provider": "op", "providerAccountId": "g1"});
    let call = server.call(Method::POST, "/auth/oAuthlogin").header("x-auth-secret", SECRET).json(&body);
    assert_eq!(text(&call.send().await.expect_status(200).json::<Value>()["user"], "id"), ada.id);
    // The other way round: whom a token has made, the adapter finds.
    let joan = signed_in(&server, &stub, &visitor("j1", "joan@example.org")).await;
    let found = shown("/adapter/get-user-by-account/op/j1").send().await.expect_status(200);
    assert_eq!(found.json::<Value>()["id"], joan["user"]["id"]);

    link_by_adapter(&server, &eve.id, "e1").await.expect_status(200);
    server.app().accounts.grant_role("eve", "admin").await.expect("a role");
    let token = stub.id_token(&stub.client_id, &visitor("e1", "mallory@example.org"), None);
    let before = dump(&server).await;
    expect_problem(sign_in(&server, "op", &token).await, 401);
    dump(&server).await.expect_same_as(&before);
    server.person("boss").await;
    server.app().accounts.grant_role("boss", "admin").await.expect("a role");
    server.app().accounts.revoke_role("eve", "admin").await.expect("a role");
    assert_eq!(text(&sign_in(&server, "op", &token).await.expect_status(200).json::<Value>()["user"], "id"), eve.id);
}

each_engine!(al_19_links_are_seen_and_ended_but_the_last_way_in);
/// AL-19: by oneself and by administrators; another person's is not there, and the last way in stays.
async fn al_19_links_are_seen_and_ended_but_the_last_way_in(engine: Engine) {
    let stub = Stub::listen().await;
    let server = server_with(engine, &stub, &[ADAPTER, ("providers.op.label", "The OP")]).await;
    let (eve, admin) = (server.person("eve").await, admin(&server).await);
    let grace = signed_in(&server, &stub, &visitor("a/b 1", "grace@example.org")).await;
    let (id, own) = (text(&grace["user"], "id").to_owned(), text(&grace, "accessToken").to_owned());
    let other = text(&login(&server, &eve).await, "accessToken").to_owned();
    let path = format!("/auth/{id}/providers");
    let listed: Value = get(&server, &path, &own).await.expect_status(200).json();
    let first = &listed[0];
    assert_eq!(
        (text(first, "provider"), text(first, "label"), text(first, "subject"), text(first, "issuer")),
        ("op", "The OP", "a/b 1", stub.issuer.as_str())
    );
    assert!(first["linkedAt"].is_string() && first["lastUsedAt"].is_string(), "{listed}");
    assert_eq!(get(&server, &path, &admin).await.expect_status(200).json::<Value>(), listed);
    assert_eq!(get(&server, &format!("/auth/{}/providers", eve.id), &other).await.json::<Value>(), json!([]));

    let (mine, before) = (format!("{path}/op/a%2Fb%201"), dump(&server).await);
    expect_problem(get(&server, &path, &other).await, 404);
    for (token, path, status) in [
        (&own, mine.clone(), 409),
        (&admin, mine.clone(), 409),
        (&other, mine.clone(), 404),
        (&other, format!("/auth/{}/providers/op/a%2Fb%201", eve.id), 404),
        (&admin, format!("/auth/{}/providers/op/a%2Fb%201", eve.id), 404),
        (&own, format!("{path}/op/none"), 404),
        (&own, format!("{path}/none/a%2Fb%201"), 404),
        (&own, format!("{path}/op/a%00"), 404),
    ] {
        expect_problem(call(&server, token, Method::DELETE, &path, None).await, status);
    }
    dump(&server).await.expect_same_as(&before);

    // With another one it may go; of two that go at once, one stays.
    link_by_adapter(&server, &id, "second").await.expect_status(200);
    let second = format!("{path}/op/second");
    let wire = server.wire();
    let answers = at_once(2, |n| wire.call(Method::DELETE, [&mine, &second][n]).bearer(&own).send()).await;
    let count = |status: u16| answers.iter().filter(|answer| answer.status == status).count();
    assert_eq!((count(200), count(409)), (1, 1), "{answers:#?}");
    // With a password the last one may go, too.
    server.app().accounts.set_password(&id, "plum violin 42 harbour").await.expect("a password");
    let left: Value = get(&server, &path, &admin).await.json();
    let subject = text(&left[0], "subject").replace('/', "%2F").replace(' ', "%20");
    let ended = call(&server, &admin, Method::DELETE, &format!("{path}/op/{subject}"), None).await.expect_status(200);
    assert_eq!(ended.json::<Value>(), left[0]);
    assert_eq!(get(&server, &path, &admin).await.json::<Value>(), json!([]));
    let events = "SELECT detail AS line FROM audit_events WHERE kind = 'account_unlinked'";
    assert_eq!(lines(&server, events).await.len(), 2);
}

/// Twenty people, quickly.
async fn crowd(server: &TestServer) -> Vec<uuid::Uuid> {
    let mut people = Vec::new();
    for n in 0..20 {
        let new = NewAccount { email: Some(format!("p{n}@example.org")), ..NewAccount::default() };
        people.push(server.app().accounts.create(new).await.expect("a person").id);
    }
    people
}

each_engine!(al_20_an_account_that_twenty_link_at_once_is_one_persons);
/// AL-20: half of them by the provider's word, half by the adapter's.
async fn al_20_an_account_that_twenty_link_at_once_is_one_persons(engine: Engine) {
    let stub = Stub::listen().await;
    let server = server_with(engine, &stub, &[ADAPTER]).await;
    let people = crowd(&server).await;
    let token = stub.id_token(&stub.client_id, &visitor("g1", "grace@example.org"), None);
    let (arrival, _) = server.app().federation.recognise("op", &token, None).await.expect("somebody");
    let linked = at_once(20, |n| {
        let (app, wire, arrival, person) = (server.app().clone(), server.wire(), arrival.clone(), people[n]);
        async move {
            if n % 2 == 0 {
                let source = bonafide::audit::Source::default();
                return app.accounts.link_to(person, arrival, "Op", &source).await.expect("no fault");
            }
            let account = json!({"userId": person, "type": "oidc", "provider": "op", "providerAccountId": "g1"});
            let call = wire.call(Method::POST, "/adapter/link-account").header("x-auth-secret", SECRET);
            let status = call.json(&account).send().await.status;
            assert!([200, 409].contains(&status.as_u16()), "{status}");
            status == 200
        }
    })
    .await;
    assert_eq!(linked.iter().filter(|linked| **linked).count(), 1, "{linked:?}");
    let winner = linked.iter().position(|linked| *linked).expect("somebody");
    let rows = lines(&server, "SELECT CAST(account_id AS TEXT) AS line FROM linked_accounts").await;
    assert_eq!(rows, ["g1"]);
    let known: Value = sign_in(&server, "op", &token).await.expect_status(200).json();
    assert_eq!(text(&known["user"], "id"), people[winner].to_string());
}

each_engine!(al_21_somebody_new_who_comes_twice_at_once_gets_one_account);
/// AL-21: one account; who comes second is let into it or refused, and nothing breaks.
async fn al_21_somebody_new_who_comes_twice_at_once_gets_one_account(engine: Engine) {
    let stub = Stub::listen().await;
    let server = server_with(engine, &stub, &[]).await;
    for round in 0..5 {
        let (subject, email) = (format!("s{round}"), format!("s{round}@example.org"));
        let token = stub.id_token(&stub.client_id, &visitor(&subject, &email), None);
        let wire = server.wire();
        let answers = at_once(4, |_| {
            let body = json!({"provider": "op", "idToken": token});
            wire.call(Method::POST, "/auth/oAuthlogin").json(&body).send()
        })
        .await;
        let of = |status: u16| answers.iter().filter(|answer| answer.status == status).count();
        assert!(of(200) >= 1 && of(200) + of(401) == 4, "{answers:#?}");
        let good = answers.iter().filter(|answer| answer.status == 200).map(Answer::json::<Value>);
        let ids: BTreeSet<String> = good.map(|answer| text(&answer["user"], "id").to_owned()).collect();
        assert_eq!(ids.len(), 1, "{answers:#?}");
    }
    for (table, rows) in [("users", 5), ("linked_accounts", 5)] {
        let count = format!("SELECT CAST(count(*) AS TEXT) AS line FROM {table}");
        assert_eq!(lines(&server, &count).await, [rows.to_string()], "{table}");
    }
}

each_engine!(ap_01_providers_are_for_administrators);
/// AP-01: nobody else reads or changes them.
async fn ap_01_providers_are_for_administrators(engine: Engine) {
    let stub = Stub::listen().await;
    let server = server_with(engine, &stub, &[]).await;
    let ada: Person = server.person("ada").await;
    let own = text(&login(&server, &ada).await, "accessToken").to_owned();
    let before = server.dump().await;
    for (method, path) in [
        (Method::GET, "/providers"),
        (Method::GET, "/providers/op"),
        (Method::PUT, "/providers/x"),
        (Method::DELETE, "/providers/op"),
    ] {
        let body = declaration(&stub);
        expect_problem(call(&server, &own, method.clone(), path, Some(&body)).await, 403);
        expect_problem(server.call(method, path).json(&body).send().await, 401);
    }
    server.dump().await.expect_same_as(&before);
    let admin = admin(&server).await;
    get(&server, "/providers", &admin).await.expect_status(200);
}
