//! Introspection (RFC 7662): the client that a token was given to and the APIs that it is for learn what it is; everybody
//! else learns nothing, whatever the token.

use bonafide::clients::{ApiDraft, Draft};
use reqwest::Method;
use serde_json::{Value, json};

use crate::support::{
    Application, ClientAuth, Engine, Flow, Gate, Place, TestServer, Tokens,
    made::{self, SignedIn, expect_active, expect_inactive, introspect},
};

const API: &str = "https://api.example";
const OTHER_API: &str = "https://other.example";

async fn apis(server: &TestServer) {
    for audience in [API, OTHER_API] {
        let scopes = Some(vec![format!("read:{}", &audience[8..11])]);
        made::api(server, ApiDraft { audience: audience.to_owned(), scopes, ..ApiDraft::default() }).await;
    }
}

/// A resource server that may ask for tokens of these audiences.
async fn resource_server(server: &TestServer, audiences: &[&str]) -> Application {
    let introspects = Some(audiences.iter().map(|audience| (*audience).to_owned()).collect());
    made::client(server, Draft { introspects, ..made::service() }).await
}

/// A person at a client whose access tokens have this format.
async fn signed_in_with(server: &TestServer, format: &str, ask: impl FnOnce(Flow) -> Flow) -> SignedIn {
    let draft = Draft { token_format: Some(format.to_owned()), ..made::draft() };
    let application = made::client(server, draft).await;
    let person = made::person(server, &format!("ada-{}", &format[..2])).await;
    SignedIn::at(server, ask(Flow::new(&application)), person).await
}

async fn service_token(server: &TestServer, service: &Application, more: &[(&str, &str)]) -> String {
    let fields = [&[("grant_type", "client_credentials")], more].concat();
    Tokens(service.post(server.call(Method::POST, "/token"), &fields).await).expect_tokens().access_token()
}

both_engines!(an_active_token_is_told_to_the_letter);
async fn an_active_token_is_told_to_the_letter(server: TestServer) {
    apis(&server).await;
    let orders = resource_server(&server, &[API]).await;
    let begun = server.now().timestamp();
    for format in ["at+jwt", "jwt", "opaque"] {
        let signed_in =
            signed_in_with(&server, format, |flow| flow.with("resource", API).with("scope", "openid email")).await;
        server.advance_seconds(5);
        let next = signed_in.refreshed(&signed_in.tokens.refresh_token()).await;
        let (now, auth_time) = (server.now().timestamp(), server.now().timestamp() - 5);
        assert!(auth_time >= begun);
        let mut expected = json!({
            "active": true, "iss": server.issuer(), "sub": signed_in.person.id, "aud": API,
            "client_id": signed_in.flow.application.id, "username": signed_in.person.username, "scope": "openid email",
            "token_type": "Bearer", "exp": now + 900, "iat": now, "auth_time": auth_time, "acr": "urn:bonafide:acr:pwd",
            "amr": ["pwd"],
        });
        if format != "opaque" {
            expected["jti"] = Tokens::claims(&next.access_token())["jti"].clone();
        }
        let answer = introspect(&server.wire(), &orders, &next.access_token()).await.expect_status(200);
        assert_eq!(answer.json::<Value>(), expected, "{format}");
        assert_eq!(answer.header("cache-control"), "no-store", "IR-08");
        assert_eq!(answer.header("content-type"), "application/json");
        let own = expect_active(&server.wire(), &signed_in.flow.application, &next.access_token()).await;
        assert_eq!(own, expected);
    }
}

both_engines!(a_refresh_token_is_its_clients_alone);
/// Without `token_type` and `aud`, so that no API takes it for an access token.
async fn a_refresh_token_is_its_clients_alone(server: TestServer) {
    let own = resource_server(&server, &[server.issuer()]).await;
    let signed_in = SignedIn::new(&server).await;
    let application = &signed_in.flow.application;
    let first = signed_in.tokens.refresh_token();
    let now = server.now().timestamp();
    let expected = json!({
        "active": true, "iss": server.issuer(), "sub": signed_in.person.id, "client_id": application.id,
        "username": "ada", "scope": "openid profile email offline_access", "exp": now + 30 * 86_400, "iat": now,
        "auth_time": now, "acr": "urn:bonafide:acr:pwd", "amr": ["pwd"],
    });
    assert_eq!(expect_active(&server.wire(), application, &first).await, expected);
    // Somebody who may ask for every access token of this audience may not ask for it.
    expect_active(&server.wire(), &own, &signed_in.tokens.access_token()).await;
    expect_inactive(&server.wire(), &own, &first).await;

    server.advance_seconds(60);
    let second = signed_in.refreshed(&first).await.refresh_token();
    let third = signed_in.refreshed(&second).await.refresh_token();
    for spent in [&first, &second] {
        expect_inactive(&server.wire(), application, spent).await;
    }
    let said = expect_active(&server.wire(), application, &third).await;
    assert_eq!((&said["iat"], &said["auth_time"]), (&json!(now + 60), &json!(now)));
    // Asking has used nothing.
    let fourth = signed_in.refreshed(&third).await.refresh_token();
    server.advance(chrono::Duration::days(31));
    expect_inactive(&server.wire(), application, &fourth).await;
}

both_engines!(ir_01_only_those_whom_it_concerns);
async fn ir_01_only_those_whom_it_concerns(server: TestServer) {
    apis(&server).await;
    let (orders, others) = (resource_server(&server, &[API]).await, resource_server(&server, &[OTHER_API]).await);
    let both = resource_server(&server, &[OTHER_API, API]).await;
    let (own, nobody) = (resource_server(&server, &[server.issuer()]).await, resource_server(&server, &[]).await);
    let near = [API.trim_end_matches('e'), "https://api.example/", "HTTPS://API.EXAMPLE", "*", ""];
    let near = resource_server(&server, &near).await;
    let wire = server.wire();
    for format in ["at+jwt", "opaque"] {
        let for_api = signed_in_with(&server, format, |flow| flow.with("resource", API)).await;
        let for_us = SignedIn::at(&server, Flow::new(&for_api.flow.application), for_api.person.clone()).await;
        let draft = Draft { token_format: Some(format.to_owned()), ..made::service() };
        let service = made::client(&server, draft).await;
        let of_service = service_token(&server, &service, &[("resource", API)]).await;

        for token in [&for_api.tokens.access_token(), &of_service] {
            for allowed in [&orders, &both] {
                expect_active(&wire, allowed, token).await;
            }
            for stranger in [&others, &own, &nobody, &near] {
                expect_inactive(&wire, stranger, token).await;
            }
        }
        expect_active(&wire, &service, &of_service).await;
        expect_inactive(&wire, &for_api.flow.application, &of_service).await;
        let token = for_us.tokens.access_token();
        for allowed in [&own, &for_us.flow.application] {
            expect_active(&wire, allowed, &token).await;
        }
        for stranger in [&orders, &others, &both, &nobody, &near] {
            expect_inactive(&wire, stranger, &token).await;
        }
    }
}

both_engines!(ir_01_who_does_not_prove_itself_hears_nothing);
async fn ir_01_who_does_not_prove_itself_hears_nothing(server: TestServer) {
    let signed_in = SignedIn::new(&server).await;
    let application = &signed_in.flow.application;
    let token = signed_in.tokens.access_token();
    let refused = async |client: &Application, challenged: bool| {
        let answer = introspect(&server.wire(), client, &token).await.expect_error(401, "invalid_client");
        assert_eq!(answer.headers.contains_key("www-authenticate"), challenged, "{answer:#?}");
        assert!(!answer.body.contains("active"), "{answer:#?}");
    };
    server.post("/introspect", &[("token", &token)]).await.expect_error(401, "invalid_client");
    let bearer = server.call(Method::POST, "/introspect").bearer(&token).form(&[("token", &token)]);
    bearer.send().await.expect_error(401, "invalid_client");
    refused(&application.with_auth(ClientAuth::None), false).await;
    refused(&application.with_auth(ClientAuth::Basic("wrong".to_owned())), true).await;
    refused(&application.with_auth(ClientAuth::Post("wrong".to_owned())), false).await;

    // A public client's id is no proof, not even for its own token.
    let public = made::client(&server, made::public()).await;
    let own = SignedIn::at(&server, Flow::new(&public), signed_in.person.clone()).await.tokens.access_token();
    for client in [&public, &public.with_auth(ClientAuth::Basic(String::new()))] {
        refused(client, client.auth != ClientAuth::None).await;
        introspect(&server.wire(), client, &own).await.expect_error(401, "invalid_client");
        introspect(&server.wire(), client, "junk").await.expect_error(401, "invalid_client");
    }
    let secret = application.secret().to_owned();
    for auth in [ClientAuth::Basic(secret.clone()), ClientAuth::Post(secret)] {
        expect_active(&server.wire(), &application.with_auth(auth), &token).await;
    }
}

both_engines!(ir_02_junk_is_inactive);
async fn ir_02_junk_is_inactive(server: TestServer) {
    let signed_in = SignedIn::new(&server).await;
    let application = &signed_in.flow.application;
    let token = signed_in.tokens.access_token();
    let code = signed_in.flow.sign_in(&mut signed_in.browser.clone(), &signed_in.person).await.code().to_owned();
    let (head, _) = token.rsplit_once('.').unwrap();
    let before = server.dump().await;
    for junk in [
        "x",
        "..",
        "a.b.c",
        "bfa_",
        "bfr_",
        "null",
        "\u{1f511} \u{e9}",
        &code,
        &signed_in.tokens.id_token(),
        &format!("{head}."),
        &format!("{head}.AAAA"),
        &format!(" {token}"),
        &format!("{token} "),
        &token.replace('.', ".."),
        &format!("bfa_{}", "A".repeat(43)),
        &format!("bfr_{}", "A".repeat(43)),
        &"a".repeat(17 * 1024),
        &format!("{}.{}.{}", "a".repeat(6000), "b".repeat(6000), "c".repeat(6000)),
    ] {
        expect_inactive(&server.wire(), application, junk).await;
    }
    for hint in ["refresh_token", "access_token", "id_token", "\u{1f511}", ""] {
        for token in [&token, &signed_in.tokens.refresh_token()] {
            let fields = [("token", token.as_str()), ("token_type_hint", hint)];
            let answer = application.post(server.call(Method::POST, "/introspect"), &fields).await.expect_status(200);
            assert_eq!(answer.json::<Value>()["active"], true, "a hint is only a hint: {hint} {answer:#?}");
        }
        let fields = [("token", "x"), ("token_type_hint", hint)];
        let answer = application.post(server.call(Method::POST, "/introspect"), &fields).await.expect_status(200);
        assert_eq!(answer.body, r#"{"active":false}"#);
    }
    let large = "a".repeat(70_000);
    introspect(&server.wire(), application, &large).await.expect_error(413, "invalid_request");
    // What is announced as 10 MiB is not waited for.
    let announced = "POST /introspect HTTP/1.1\r\nhost: localhost\r\ncontent-type: application/x-www-form-urlencoded\r\n\
                     content-length: 10485760\r\n\r\ntoken=aaaa";
    let answer = server.wire().raw(announced.as_bytes()).await;
    assert!(answer.starts_with("HTTP/1.1 413"), "{answer}");
    server.dump().await.expect_same_as(&before);
}

both_engines!(ir_02_what_has_ended_is_inactive);
async fn ir_02_what_has_ended_is_inactive(server: TestServer) {
    let own = resource_server(&server, &[server.issuer()]).await;
    let mut online = SignedIn::with(&server, made::draft(), |flow| flow.with("scope", "openid")).await;
    let application = online.flow.application.clone();
    let (access, refresh) = (online.tokens.access_token(), online.tokens.refresh_token());
    for client in [&application, &own] {
        expect_active(&server.wire(), client, &access).await;
    }
    expect_active(&server.wire(), &application, &refresh).await;
    online.sign_out().await;
    for client in [&application, &own] {
        expect_inactive(&server.wire(), client, &access).await;
    }
    expect_inactive(&server.wire(), &application, &refresh).await;

    let service = made::client(&server, made::service()).await;
    let token = service_token(&server, &service, &[]).await;
    server.advance_seconds(899);
    expect_active(&server.wire(), &service, &token).await;
    server.advance_seconds(1);
    expect_inactive(&server.wire(), &service, &token).await;
}

both_engines!(br_14_a_disabled_persons_tokens_are_inactive_at_once);
async fn br_14_a_disabled_persons_tokens_are_inactive_at_once(server: TestServer) {
    let second = server.second_node().await;
    let signed_in = SignedIn::new(&server).await;
    let tokens = [signed_in.tokens.access_token(), signed_in.tokens.refresh_token()];
    for token in &tokens {
        expect_active(&server.wire(), &signed_in.flow.application, token).await;
    }
    server.app().accounts.set_disabled("ada", true).await.unwrap();
    for wire in [server.wire(), second.wire()] {
        for token in &tokens {
            expect_inactive(&wire, &signed_in.flow.application, token).await;
        }
    }
}

both_engines!(br_14_the_person_counts_whatever_their_grants_say);
/// Disabling somebody ends their grants as well; a grant that was missed is no use.
async fn br_14_the_person_counts_whatever_their_grants_say(server: TestServer) {
    use sea_orm::ConnectionTrait as _;
    for format in ["at+jwt", "opaque"] {
        let signed_in = signed_in_with(&server, format, |flow| flow).await;
        let client = &signed_in.flow.application;
        let (access, refresh) = (signed_in.tokens.access_token(), signed_in.tokens.refresh_token());
        let set = async |value: &str| {
            let sql = format!("UPDATE users SET disabled_at = {value}");
            server.database().await.execute_unprepared(&sql).await.unwrap();
        };
        set("1").await;
        for token in [&access, &refresh] {
            expect_inactive(&server.wire(), client, token).await;
        }
        signed_in.expect_dead(&access).await;
        set("NULL").await;
        for token in [&access, &refresh] {
            expect_active(&server.wire(), client, token).await;
        }
        signed_in.expect_live(&access).await;
    }
}

both_engines!(requests_that_are_none_are_refused);
async fn requests_that_are_none_are_refused(server: TestServer) {
    let client = made::client(&server, made::service()).await;
    let token = service_token(&server, &client, &[]).await;
    for path in ["/introspect", "/revoke"] {
        let call = |method| server.call(method, path);
        client.post(call(Method::POST), &[]).await.expect_error(400, "invalid_request");
        client.post(call(Method::POST), &[("token", "")]).await.expect_error(400, "invalid_request");
        let twice = [("token", token.as_str()), ("token", &token)];
        client.post(call(Method::POST), &twice).await.expect_error(400, "invalid_request");
        let in_query = server.call(Method::POST, &format!("{path}?token={token}"));
        client.post(in_query, &[]).await.expect_error(400, "invalid_request");
        let json = call(Method::POST).basic(&client.id, client.secret()).json(&json!({"token": token}));
        json.send().await.expect_error(400, "invalid_request");
        for method in ["GET", "PUT", "PATCH", "DELETE", "HEAD"] {
            let answer = call(Method::from_bytes(method.as_bytes()).unwrap()).basic(&client.id, client.secret());
            let answer = answer.send().await.expect_status(405);
            assert_eq!(answer.header("allow"), "POST", "{answer:#?}");
            assert_eq!(answer.header("content-type"), "application/json");
        }
    }
    expect_active(&server.wire(), &client, &token).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn ir_05_without_the_database_it_is_a_503() {
    crate::support::in_time(Box::pin(async {
        let gate = Gate::to_postgres().await;
        let server = TestServer::at(Place::prepared(Engine::Postgres, &[]).await.through(&gate)).await;
        for format in ["at+jwt", "opaque"] {
            let signed_in = signed_in_with(&server, format, |flow| flow).await;
            let client = &signed_in.flow.application;
            let (access, refresh) = (signed_in.tokens.access_token(), signed_in.tokens.refresh_token());
            gate.close();
            for path in ["/introspect", "/revoke"] {
                for token in [&access, &refresh] {
                    let answer = client.post(server.call(Method::POST, path), &[("token", token)]).await;
                    let answer = answer.expect_error(503, "temporarily_unavailable");
                    assert!(!answer.header("retry-after").is_empty(), "{answer:#?}");
                }
            }
            gate.open();
            // Nothing was revoked by the way.
            while introspect(&server.wire(), client, &access).await.status != 200 {
                tokio::time::sleep(std::time::Duration::from_millis(50)).await;
            }
            expect_active(&server.wire(), client, &access).await;
            expect_active(&server.wire(), client, &refresh).await;
        }
    }))
    .await;
}
