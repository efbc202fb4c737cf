//! API keys of people and service accounts: whom they stand for, how far, until when; and service accounts by the JSON API.

use bonafide::access::keys::{NewApiKey, Owner};
use bonafide::audit::Source;
use bonafide::clients::{ApiDraft, Draft, Overlap};
use bonafide::platform::clock::from_millis;
use chrono::Duration;
use reqwest::Method;
use serde_json::{Value, json};

use crate::api_accounts::{expect_problem, get, login, text};
use crate::engines::{lines, run, within_a_second};
use crate::support::{Answer, Binary, Engine, Person, TestServer, at_once, made};

/// A call with a credential.
pub(crate) async fn send(server: &TestServer, shown: &str, method: Method, path: &str, body: Option<&Value>) -> Answer {
    let call = server.call(method, path).bearer(shown);
    match body {
        Some(body) => call.json(body).send().await,
        None => call.send().await,
    }
}

pub(crate) async fn token(server: &TestServer, person: &Person) -> String {
    text(&login(server, person).await, "accessToken").to_owned()
}

/// Declares a role as a set of permissions.
pub(crate) async fn declare(server: &TestServer, role: &str, permissions: &[&str]) {
    run(server, &format!("INSERT INTO roles (name, description, created_at, updated_at) VALUES ('{role}', '', 0, 0)"))
        .await;
    for permission in permissions {
        run(server, &format!("INSERT INTO role_permissions (role, permission) VALUES ('{role}', '{permission}')"))
            .await;
    }
}

pub(crate) async fn grant(server: &TestServer, person: &Person, role: &str) {
    server.app().accounts.grant_role(&person.id, role).await.expect("a role");
}

/// A person's key, as the API answers it.
async fn made_key(server: &TestServer, token: &str, scopes: &[&str]) -> Value {
    let asked = json!({"name": "ci", "scopes": scopes});
    send(server, token, Method::POST, "/api-keys", Some(&asked)).await.expect_status(201).json()
}

async fn key_of(server: &TestServer, owner: Owner, scopes: &[&str], audience: Option<&str>) -> (String, String) {
    let new = NewApiKey {
        name: "ci".to_owned(),
        scopes: scopes.iter().map(|scope| (*scope).to_owned()).collect(),
        audience: audience.map(str::to_owned),
        lifetime: None,
    };
    let given = server.app().api_keys.create(owner, new, None, &Source::default()).await.expect("a key");
    (given.key.id.to_string(), given.secret)
}

fn owner(person: &Person) -> Owner {
    Owner::Person(person.id.parse().expect("an id"))
}

pub(crate) async fn status(server: &TestServer, shown: &str, path: &str) -> u16 {
    get(server, path, shown).await.status.as_u16()
}

both_engines!(ap_11_a_key_acts_as_its_owner_and_no_further);
/// AP-11: for its owner alone, for what it was made for, and only as far as the owner may at that moment.
async fn ap_11_a_key_acts_as_its_owner_and_no_further(server: TestServer) {
    let (ada, eve) = (server.person("ada").await, server.person("eve").await);
    declare(&server, "clerk", &["users:read", "users:write"]).await;
    grant(&server, &ada, "clerk").await;
    let own = token(&server, &ada).await;

    let before = server.dump().await;
    for (extra, field) in [
        (json!({"userId": eve.id}), "userId"),
        (json!({"user_id": eve.id}), "user_id"),
        (json!({"clientId": "x"}), "clientId"),
        (json!({"scopes": ["roles:write"]}), "scopes"),
        (json!({"scopes": ["account", "admin"]}), "scopes"),
        (json!({"scopes": []}), "scopes"),
        (json!({"scopes": ["users:read users:write"]}), "scopes"),
        (json!({"name": ""}), "name"),
        (json!({"expiresIn": 367 * 86_400}), "expiresIn"),
        (json!({"expiresIn": 0}), "expiresIn"),
        (json!({"expiresIn": i64::MAX}), "expiresIn"),
        (json!({"audience": "https://nowhere.example"}), "audience"),
    ] {
        let mut asked = json!({"name": "ci", "scopes": ["account"]});
        asked.as_object_mut().expect("an object").extend(extra.as_object().expect("an object").clone());
        let refused = expect_problem(send(&server, &own, Method::POST, "/api-keys", Some(&asked)).await, 400);
        assert!(refused["errors"][field].is_array(), "{asked}: {refused}");
    }
    server.dump().await.expect_same_as(&before);

    let account = made_key(&server, &own, &["account"]).await;
    let reading = made_key(&server, &own, &["users:read"]).await;
    let key = text(&account, "key");
    assert!(key.starts_with("bfk_") && key.len() == 47, "{key}");
    assert_eq!(text(&account, "hint"), format!("{}…", &key[..8]));
    let listed: Vec<Value> = get(&server, "/api-keys", &own).await.expect_status(200).json();
    assert_eq!(listed.len(), 2);
    let mut shown = account.clone();
    shown.as_object_mut().expect("an object").remove("key");
    assert!(listed.contains(&shown), "{listed:#?}");
    assert!(!get(&server, "/api-keys", &own).await.body.contains(&key[8..]));

    // The one for her account, the other for everybody's.
    let me: Value = get(&server, "/auth/me", key).await.expect_status(200).json();
    assert_eq!(text(&me, "id"), ada.id);
    get(&server, &format!("/auth/{}", ada.id), key).await.expect_status(200);
    expect_problem(get(&server, "/auth", key).await, 403);
    expect_problem(get(&server, &format!("/auth/{}", eve.id), key).await, 404);
    let reading = text(&reading, "key");
    get(&server, "/auth", reading).await.expect_status(200);
    get(&server, &format!("/auth/{}", eve.id), reading).await.expect_status(200);
    expect_problem(get(&server, "/auth/me", reading).await, 403);
    for id in [&ada.id, &eve.id] {
        let change = json!({"name": "Mallory"});
        let path = format!("/auth/{id}");
        expect_problem(send(&server, reading, Method::PUT, &path, Some(&change)).await, 404);
    }
    let writing = made_key(&server, &own, &["users:write", "users:read"]).await;
    let (change, path) = (json!({"name": "Eve Two"}), format!("/auth/{}", eve.id));
    send(&server, text(&writing, "key"), Method::PUT, &path, Some(&change)).await.expect_status(200);

    // No key makes keys.
    for (method, path) in [
        (Method::GET, "/api-keys".to_owned()),
        (Method::POST, "/api-keys".to_owned()),
        (Method::DELETE, format!("/api-keys/{}", text(&account, "id"))),
        (Method::POST, format!("/api-keys/{}/rotate", text(&account, "id"))),
    ] {
        let body = json!({"name": "ci", "scopes": ["account"]});
        expect_problem(send(&server, key, method, &path, Some(&body)).await, 403);
    }

    // What its owner loses it loses at once.
    server.app().accounts.revoke_role(&ada.id, "clerk").await.expect("a role");
    expect_problem(get(&server, "/auth", reading).await, 403);
    get(&server, "/auth/me", key).await.expect_status(200);
}

both_engines!(ap_11_dead_and_forged_keys_are_nobodys);
/// AP-11: forged, revoked, expired, of somebody who is out, for another API, or shown otherwise.
async fn ap_11_dead_and_forged_keys_are_nobodys(server: TestServer) {
    let (ada, eve) = (server.person("ada").await, server.person("eve").await);
    let audience = "https://api.example.com";
    made::api(
        &server,
        ApiDraft { audience: audience.to_owned(), scopes: Some(vec!["ship".to_owned()]), ..ApiDraft::default() },
    )
    .await;
    let (id, key) = key_of(&server, owner(&ada), &["account"], None).await;
    let alive = async |key: &str| status(&server, key, "/auth/me").await;
    assert_eq!(alive(&key).await, 200);
    let other = format!("bfk_{}", "A".repeat(43));
    let swapped = key.replace("bfk_", "bfa_");
    for forged in [&other, &swapped, &key[4..], &key[..46], &format!("{key}A"), &key.to_uppercase(), "bfk_", "bfk_%00"]
    {
        let refused = expect_problem(get(&server, "/auth/me", forged).await, 401);
        assert_eq!(refused["code"], "invalid_token");
    }
    let url = format!("/auth/me?api_key={key}&access_token={key}");
    expect_problem(server.call(Method::GET, &url).header("x-api-key", &key).send().await, 401);
    expect_problem(server.call(Method::GET, "/auth/me").basic(&key, "").send().await, 401);
    made::userinfo(&server.wire(), &key).await.expect_error(401, "invalid_token");

    let (_, elsewhere) = key_of(&server, owner(&ada), &["ship"], Some(audience)).await;
    expect_problem(get(&server, "/auth/me", &elsewhere).await, 401);

    // Whose owner is out is out; back in, it is good again.
    server.app().accounts.set_disabled(&ada.id, true).await.expect("disabled");
    assert_eq!(alive(&key).await, 401);
    server.app().accounts.set_disabled(&ada.id, false).await.expect("enabled");
    assert_eq!(alive(&key).await, 200);

    let own = token(&server, &ada).await;
    let path = format!("/api-keys/{id}");
    let gone = send(&server, &own, Method::DELETE, &path, None).await.expect_status(204);
    assert_eq!(gone.body, "");
    assert_eq!(alive(&key).await, 401);
    expect_problem(send(&server, &own, Method::DELETE, &path, None).await, 404);
    expect_problem(send(&server, &own, Method::POST, &format!("{path}/rotate"), None).await, 404);

    let (_, lasting) = key_of(&server, owner(&ada), &["account"], None).await;
    server.advance(Duration::days(90) - Duration::seconds(1));
    assert_eq!(alive(&lasting).await, 200);
    server.advance_seconds(2);
    assert_eq!(alive(&lasting).await, 401);

    let (_, last) = key_of(&server, owner(&eve), &["account"], None).await;
    assert_eq!(alive(&last).await, 200);
    server.app().accounts.delete(&eve.id).await.expect("gone");
    assert_eq!(alive(&last).await, 401);
    assert_eq!(
        lines(&server, &format!("SELECT name AS line FROM api_keys WHERE user_id = '{}'", eve.id)).await.len(),
        0
    );
    server.advance(Duration::days(31));
    bonafide::server::sweep_once(server.app()).await.expect("a sweep");
    assert_eq!(lines(&server, "SELECT name AS line FROM api_keys").await.len(), 0);
}

both_engines!(ap_20_anothers_key_is_not_there);
/// AP-20: not even for administrators by these routes; the row stays as it is.
async fn ap_20_anothers_key_is_not_there(server: TestServer) {
    let (ada, eve, boss) = (server.person("ada").await, server.person("eve").await, server.person("boss").await);
    grant(&server, &boss, "admin").await;
    let service = made::client(&server, made::service()).await;
    let (id, key) = key_of(&server, owner(&ada), &["account"], None).await;
    server.app().service_accounts.assign(&service.id, "admin", true, None, &Source::default()).await.expect("a role");
    let of_service = Owner::ServiceAccount(service.id.clone());
    let (of_service, _) = key_of(&server, of_service, &["users:read"], None).await;
    let (other, admin, own) = (token(&server, &eve).await, token(&server, &boss).await, token(&server, &ada).await);
    let before = server.dump().await;
    for shown in [&other, &admin] {
        for id in [id.as_str(), of_service.as_str(), "0193e4b0-0000-7000-8000-000000000000", "1", "%00"] {
            expect_problem(send(&server, shown, Method::DELETE, &format!("/api-keys/{id}"), None).await, 404);
            expect_problem(send(&server, shown, Method::POST, &format!("/api-keys/{id}/rotate"), None).await, 404);
        }
        assert_eq!(get(&server, "/api-keys", shown).await.expect_status(200).json::<Value>(), json!([]));
    }
    // Nor by way of a service account.
    let path = format!("/service-accounts/{}/api-keys/{id}", service.id);
    expect_problem(send(&server, &admin, Method::DELETE, &path, None).await, 404);
    expect_problem(send(&server, &admin, Method::POST, &format!("{path}/rotate"), None).await, 404);
    server.dump().await.expect_same_as(&before);
    assert_eq!(status(&server, &key, "/auth/me").await, 200);
    send(&server, &own, Method::DELETE, &format!("/api-keys/{id}"), None).await.expect_status(204);
}

both_engines!(ap_11_two_secrets_of_a_key_overlap);
/// AP-11: two are good during a rotation, a third ends the first; how long the key lives stays as it is.
async fn ap_11_two_secrets_of_a_key_overlap(server: TestServer) {
    let ada = server.person("ada").await;
    let own = token(&server, &ada).await;
    let first = made_key(&server, &own, &["account"]).await;
    let path = format!("/api-keys/{}/rotate", text(&first, "id"));
    let rotate = async |body: Option<Value>| -> Value {
        send(&server, &own, Method::POST, &path, body.as_ref()).await.expect_status(200).json()
    };
    let alive = async |key: &Value| status(&server, text(key, "key"), "/auth/me").await == 200;
    for body in [
        json!({"overlap": 30 * 86_400 + 1}),
        json!({"overlap": -1}),
        json!({"overlap": i64::MAX}),
        json!({"userId": 1}),
    ] {
        expect_problem(send(&server, &own, Method::POST, &path, Some(&body)).await, 400);
    }
    assert!(alive(&first).await);
    let second = rotate(Some(json!({"overlap": 600}))).await;
    assert_eq!((text(&second, "id"), text(&second, "expires_at")), (text(&first, "id"), text(&first, "expires_at")));
    assert_ne!(text(&second, "hint"), text(&first, "hint"));
    assert!(second["previous_expires_at"].is_string());
    assert!(alive(&first).await && alive(&second).await);
    let third = rotate(Some(json!({"overlap": 600}))).await;
    assert!(!alive(&first).await && alive(&second).await && alive(&third).await);
    server.advance_seconds(599);
    assert!(alive(&second).await);
    server.advance_seconds(1);
    assert!(!alive(&second).await && alive(&third).await);
    // Without a word the old one is dead at once. (The token is a quarter of an hour old by then.)
    let own = token(&server, &ada).await;
    let fourth: Value = send(&server, &own, Method::POST, &path, None).await.expect_status(200).json();
    assert!(!alive(&third).await && alive(&fourth).await);
    assert_eq!(fourth["previous_expires_at"], Value::Null);
    // A key that is revoked is dead with both.
    let again = json!({"overlap": 600});
    let fifth: Value = send(&server, &own, Method::POST, &path, Some(&again)).await.expect_status(200).json();
    send(&server, &own, Method::DELETE, path.trim_end_matches("/rotate"), None).await.expect_status(204);
    assert!(!alive(&fourth).await && !alive(&fifth).await);
}

both_engines!(ten_rotations_at_once_leave_two_secrets_and_a_revocation_none);
async fn ten_rotations_at_once_leave_two_secrets_and_a_revocation_none(server: TestServer) {
    let ada = server.person("ada").await;
    let (id, key) = key_of(&server, owner(&ada), &["account"], None).await;
    let overlap = Overlap::of_millis(60_000).expect("an overlap");
    let rotate = |n: usize| {
        let (app, id) = (server.app().clone(), id.parse().expect("an id"));
        async move {
            if n == 10 {
                app.api_keys.revoke(id, None, None, &Source::default()).await.expect("revoked");
                return None;
            }
            app.api_keys.rotate(id, None, overlap, None, &Source::default()).await.ok().map(|given| given.secret)
        }
    };
    let secrets: Vec<String> = at_once(10, rotate).await.into_iter().flatten().collect();
    assert_eq!(secrets.len(), 10);
    let mut good = 0;
    for secret in &secrets {
        good += usize::from(status(&server, secret, "/auth/me").await == 200);
    }
    assert_eq!((good, status(&server, &key, "/auth/me").await), (2, 401));
    // One of these revokes: whatever the order, nothing is good behind it.
    let more = at_once(11, rotate).await;
    for secret in secrets.iter().chain(more.iter().flatten()) {
        assert_eq!(status(&server, secret, "/auth/me").await, 401);
    }
}

both_engines!(an_api_resolves_its_keys_by_introspection);
/// For whoever introspects its audience and for its owner; everybody else hears what they would hear of any string.
async fn an_api_resolves_its_keys_by_introspection(server: TestServer) {
    let audience = "https://api.example.com";
    let scopes = ["orders:read", "ship"].map(str::to_owned).to_vec();
    made::api(&server, ApiDraft { audience: audience.to_owned(), scopes: Some(scopes), ..ApiDraft::default() }).await;
    run(&server, "INSERT INTO permissions (name, description, created_at) VALUES ('orders:read', '', 0)").await;
    declare(&server, "sales", &["orders:read"]).await;
    let ada = server.person("ada").await;
    grant(&server, &ada, "sales").await;
    let resource = Draft { introspects: Some(vec![audience.to_owned()]), ..made::service() };
    let resource = made::client(&server, resource).await;
    let itself = Draft { introspects: Some(vec![server.issuer().to_owned()]), ..made::service() };
    let itself = made::client(&server, itself).await;
    let service = made::client(&server, Draft { scope: Some("ship".to_owned()), ..made::service() }).await;
    let wire = server.wire();

    let (id, key) = key_of(&server, owner(&ada), &["orders:read", "ship"], Some(audience)).await;
    let said = made::expect_active(&wire, &resource, &key).await;
    let now = server.now().timestamp();
    let expected = json!({
        "active": true, "iss": server.issuer(), "sub": ada.id, "aud": audience, "username": ada.username,
        "scope": "orders:read ship", "token_type": "api_key", "exp": now + 90 * 86_400, "iat": now, "jti": id,
    });
    assert_eq!(said, expected);
    for stranger in [&service, &itself] {
        made::expect_inactive(&wire, stranger, &key).await;
    }
    // What the owner does not hold any more it is not good for; what no role gives stays.
    server.app().accounts.revoke_role(&ada.id, "sales").await.expect("a role");
    assert_eq!(made::expect_active(&wire, &resource, &key).await["scope"], "ship");

    // A service account's, for itself, for the API, and for ourselves.
    let of_service = Owner::ServiceAccount(service.id.clone());
    let (_, theirs) = key_of(&server, of_service.clone(), &["ship"], Some(audience)).await;
    for client in [&resource, &service] {
        let said = made::expect_active(&wire, client, &theirs).await;
        assert_eq!((text(&said, "sub"), text(&said, "client_id")), (service.id.as_str(), service.id.as_str()));
        assert_eq!((said.get("username"), text(&said, "scope")), (None, "ship"));
    }
    made::expect_inactive(&wire, &itself, &theirs).await;
    let (_, ours) = key_of(&server, owner(&ada), &["account"], None).await;
    assert_eq!(text(&made::expect_active(&wire, &itself, &ours).await, "aud"), server.issuer());
    made::expect_inactive(&wire, &resource, &ours).await;

    // The hint is no matter; forged and dead ones are nothing.
    let fields = [("token", key.as_str()), ("token_type_hint", "refresh_token")];
    let hinted = resource.post(wire.call(Method::POST, "/introspect"), &fields).await.expect_status(200);
    assert_eq!(hinted.json::<Value>()["active"], true);
    made::expect_inactive(&wire, &resource, &format!("bfk_{}", "A".repeat(43))).await;
    server.app().accounts.set_disabled(&ada.id, true).await.expect("disabled");
    made::expect_inactive(&wire, &resource, &key).await;

    // Revocation: one's own and nobody else's (RFC 7009).
    for stranger in [&resource, &itself] {
        made::revoke(&wire, stranger, &theirs).await;
    }
    made::expect_active(&wire, &resource, &theirs).await;
    made::revoke(&wire, &service, &theirs).await;
    made::expect_inactive(&wire, &service, &theirs).await;
    server.app().accounts.set_disabled(&ada.id, false).await.expect("enabled");
    made::revoke(&wire, &service, &key).await;
    made::expect_active(&wire, &resource, &key).await;

    // Out of service with its client, and with the grant that makes it one.
    let (_, theirs) = key_of(&server, of_service, &["ship"], Some(audience)).await;
    made::expect_active(&wire, &resource, &theirs).await;
    let grants = format!("UPDATE client_grant_types SET grant_type = 'GRANT' WHERE client_id = '{}'", service.id);
    run(&server, &grants.replace("GRANT", "refresh_token")).await;
    made::expect_inactive(&wire, &resource, &theirs).await;
    run(&server, &grants.replace("GRANT", "client_credentials")).await;
    made::expect_active(&wire, &resource, &theirs).await;
    made::disable_client(&server, &service.id).await;
    made::expect_inactive(&wire, &resource, &theirs).await;
}

/// A key is found by one question, whatever it is asked at.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_key_costs_one_select_and_its_uses_one_statement_a_second() {
    let server = TestServer::start(Engine::Postgres).await;
    let (ada, eve) = (server.person("ada").await, server.person("eve").await);
    let (_, first) = key_of(&server, owner(&ada), &["account"], None).await;
    let (_, second) = key_of(&server, owner(&eve), &["account"], None).await;
    status(&server, &first, "/auth/me").await;
    tokio::time::sleep(std::time::Duration::from_millis(1500)).await;
    server.advance_seconds(5);
    let began = std::time::Instant::now();
    let many = async {
        for _ in 0..15 {
            for key in [&first, &second] {
                assert_eq!(status(&server, key, "/auth/me").await, 200);
            }
        }
        tokio::time::sleep(std::time::Duration::from_millis(1500)).await;
    };
    let ((), asked) = server.statements_during(many).await;
    let count = |start: &str| asked.iter().filter(|sql| sql.starts_with(start)).count();
    // Thirty uses, and one batch a second at the most.
    let seconds = usize::try_from(began.elapsed().as_secs()).expect("a number");
    assert!((1..=seconds + 1).contains(&count("UPDATE api_keys")), "{asked:#?}");
    assert_eq!(count("SELECT k.id"), 30, "{asked:#?}");
    let of_requests = |sql: &&String| ["users", "roles", "clients"].iter().any(|table| sql.contains(table));
    assert_eq!(asked.iter().filter(of_requests).count(), 30, "nothing besides: {asked:#?}");
    let at = server.now().timestamp_millis().to_string();
    let times = lines(&server, "SELECT CAST(last_used_at AS TEXT) AS line FROM api_keys").await;
    assert_eq!(times, [at.clone(), at]);
}

both_engines!(the_last_use_is_shown_and_survives_a_stop);
async fn the_last_use_is_shown_and_survives_a_stop(mut server: TestServer) {
    let ada = server.person("ada").await;
    let (_, key) = key_of(&server, owner(&ada), &["account"], None).await;
    let shown = async |server: &TestServer| -> Value {
        let own = token(server, &ada).await;
        get(server, "/api-keys", &own).await.expect_status(200).json::<Value>()[0]["last_used_at"].clone()
    };
    assert_eq!(shown(&server).await, Value::Null);
    assert_eq!(status(&server, &key, "/auth/me").await, 200);
    let first = server.now().timestamp_millis();
    let first = json!(from_millis(first).to_rfc3339_opts(chrono::SecondsFormat::Millis, true));
    let mut waited = 0;
    while shown(&server).await != first {
        waited += 1;
        assert!(waited < 40, "it does not arrive");
        tokio::time::sleep(std::time::Duration::from_millis(100)).await;
    }
    // A use right before the end is not lost.
    server.advance_seconds(7);
    assert_eq!(status(&server, &key, "/auth/me").await, 200);
    server.restart().await;
    let last = server.now().timestamp_millis();
    assert_eq!(shown(&server).await, json!(from_millis(last).to_rfc3339_opts(chrono::SecondsFormat::Millis, true)));
}

/// Two nodes that write the same uses do not wait for each other, and a later time is not made an earlier one.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn two_nodes_write_the_same_uses() {
    let server = TestServer::start(Engine::Postgres).await;
    let second = server.second_node().await;
    let ada = server.person("ada").await;
    let mut ids = Vec::new();
    for _ in 0..30 {
        ids.push(key_of(&server, owner(&ada), &["account"], None).await.0);
    }
    for round in 0..10 {
        for n in 0..30 {
            // In another order on the other node.
            server.app().api_keys.used(ids[n].parse().expect("an id"));
            second.app().api_keys.used(ids[29 - n].parse().expect("an id"));
        }
        server.advance_seconds(1);
        let both = at_once(2, |n| {
            let app = [server.app(), second.app()][n].clone();
            async move { app.api_keys.write_uses().await }
        });
        for written in both.await {
            written.unwrap_or_else(|error| panic!("round {round}: {error}"));
        }
    }
    let first = server.now().timestamp_millis() - 1000;
    let late = format!("SELECT name AS line FROM api_keys WHERE last_used_at >= {first}");
    assert_eq!(lines(&server, &late).await.len(), 30);
}

/// A key that one process makes the other one knows at once, and one that it ends is dead there.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn two_processes_know_the_same_keys() {
    let binary = Binary::start(Engine::Postgres).await;
    let second = binary.second().await;
    let ada = binary.person("ada").await;
    let body = json!({"email": ada.email, "password": ada.password});
    let tokens = binary.wire().call(Method::POST, "/auth/login").json(&body).send().await.expect_status(200);
    let own = text(&tokens.json(), "accessToken").to_owned();
    for _ in 0..5 {
        let asked = json!({"name": "ci", "scopes": ["account"]});
        let made = binary.wire().call(Method::POST, "/api-keys").bearer(&own).json(&asked).send().await;
        let made: Value = made.expect_status(201).json();
        let use_it = async || second.wire().call(Method::GET, "/auth/me").bearer(text(&made, "key")).send().await;
        use_it().await.expect_status(200);
        let path = format!("/api-keys/{}", text(&made, "id"));
        binary.wire().call(Method::DELETE, &path).bearer(&own).send().await.expect_status(204);
        use_it().await.expect_status(401);
    }
}

each_engine!(the_command_line_makes_and_ends_keys);
async fn the_command_line_makes_and_ends_keys(engine: Engine) {
    let binary = Binary::start(engine).await;
    let (ada, service) = (binary.person("ada").await, binary.application(&made::service()).await);
    let made = ["api-key", "create", "--user", &ada.email, "--name", "laptop", "--scope", "account"];
    let made: Value = binary.cli(&[made.as_slice(), &["--expires", "30d", "--json"]].concat()).await.json();
    let me = async |key: &str| binary.wire().call(Method::GET, "/auth/me").bearer(key).send().await.status.as_u16();
    assert_eq!(me(text(&made, "key")).await, 200);
    let id = text(&made, "id");
    let rotated = binary.cli(&["api-key", "rotate", id, "--overlap", "1h", "--quiet"]).await.expect_success();
    let rotated = rotated.stdout.trim().to_owned();
    assert_eq!((me(text(&made, "key")).await, me(&rotated).await), (200, 200));
    let listed = binary.cli(&["api-key", "list", "--user", "ada", "--json"]).await.expect_success();
    assert!(!listed.stdout.contains(&rotated) && listed.stdout.contains(&rotated[..8]), "{listed}");
    let wanted = listed.json::<Vec<Value>>();
    assert_eq!((wanted.len(), text(&wanted[0], "user_id")), (1, ada.id.as_str()));
    within_a_second("its last use", || async {
        let listed = binary.cli(&["api-key", "list", "--json"]).await.json::<Vec<Value>>();
        listed[0].get("last_used_at").is_some()
    })
    .await;
    binary.cli(&["api-key", "revoke", id]).await.expect_success();
    assert_eq!((me(text(&made, "key")).await, me(&rotated).await), (401, 401));
    binary.cli(&["api-key", "revoke", id]).await.expect_code(1);

    for (arguments, code) in [
        (vec!["--user", "ada", "--service-account", &service.id, "--name", "n", "--scope", "account"], 2),
        (vec!["--name", "n", "--scope", "account"], 2),
        (vec!["--user", "nobody", "--name", "n", "--scope", "account"], 1),
        (vec!["--user", "ada", "--name", "n", "--scope", "users:read"], 1),
        (vec!["--user", "ada", "--name", "n"], 1),
        (vec!["--user", "ada", "--name", "n", "--scope", "account", "--expires", "367d"], 1),
        (vec!["--service-account", &service.id, "--name", "n", "--scope", "account"], 1),
        (vec!["--service-account", "nobody", "--name", "n", "--scope", "users:read"], 1),
    ] {
        binary.cli(&[["api-key", "create"].as_slice(), &arguments].concat()).await.expect_code(code);
    }
    binary.cli(&["client", "grant", &service.id, "admin"]).await.expect_success();
    let made =
        ["api-key", "create", "--service-account", &service.id, "--name", "n", "--scope", "users:read", "--quiet"];
    let made = binary.cli(&made).await.expect_success();
    let key = made.stdout.trim();
    binary.wire().call(Method::GET, "/auth").bearer(key).send().await.expect_status(200);
    // An administrator's key is for what it names, and not for everything.
    let refused = binary.wire().call(Method::GET, "/providers").bearer(key).send().await;
    assert_eq!(refused.status, 403);
    binary.cli(&["client", "delete", &service.id]).await.expect_success();
    assert_eq!(binary.wire().call(Method::GET, "/auth").bearer(key).send().await.status, 401);
    assert_eq!(binary.cli(&["api-key", "list", "--json"]).await.json::<Vec<Value>>().len(), 0);
}
