//! Roles and permissions by the JSON API: who may declare, give and take them.

use reqwest::Method;
use serde_json::{Value, json};

use crate::{
    api_access::{declare, holder},
    api_accounts::{expect_problem, get, login, text},
    support::{Answer, Application, Person, TestServer, Tokens, made},
};

async fn send(server: &TestServer, token: &str, method: Method, path: &str, body: &Value) -> Answer {
    let call = server.call(method, path).bearer(token);
    if body.is_null() { call.send().await } else { call.json(body).send().await }
}

async fn put(server: &TestServer, token: &str, path: &str, body: Value) -> Answer {
    send(server, token, Method::PUT, path, &body).await
}

async fn delete(server: &TestServer, token: &str, path: &str) -> Answer {
    send(server, token, Method::DELETE, path, &Value::Null).await
}

async fn boss(server: &TestServer) -> (Person, String) {
    let boss = server.person("boss").await;
    server.app().accounts.grant_role("boss", "admin").await.expect("a role");
    let token = text(&login(server, &boss).await, "accessToken").to_owned();
    (boss, token)
}

/// A token of a service account for ourselves.
async fn service(server: &TestServer, client: &Application) -> String {
    let answer = client.post(server.call(Method::POST, "/token"), &[("grant_type", "client_credentials")]).await;
    Tokens(answer).expect_tokens().access_token()
}

both_engines!(roles_and_permissions_are_declared_shown_and_removed);
async fn roles_and_permissions_are_declared_shown_and_removed(server: TestServer) {
    let (_, boss) = boss(&server).await;
    let ada = server.person("ada").await;
    let described = json!({"description": "put posts before the public"});
    put(&server, &boss, "/permissions/posts:publish", described.clone()).await.expect_status(201);
    let shown: Value = put(&server, &boss, "/permissions/posts:publish", json!({})).await.expect_status(200).json();
    assert_eq!(shown, json!({"name": "posts:publish", "description": described["description"], "builtIn": false}));
    let all: Vec<Value> = get(&server, "/permissions", &boss).await.expect_status(200).json();
    let names: Vec<&str> = all.iter().map(|permission| text(permission, "name")).collect();
    assert!(names.is_sorted() && names.contains(&"posts:publish") && names.contains(&"users:write"), "{names:?}");

    let body = json!({"description": "writes", "permissions": ["users:read", "posts:publish", "posts:publish"]});
    let made: Value = put(&server, &boss, "/roles/editor", body.clone()).await.expect_status(201).json();
    let expected = json!({
        "name": "editor", "description": "writes", "permissions": ["posts:publish", "users:read"], "builtIn": false,
    });
    assert_eq!(made, expected);
    put(&server, &boss, "/roles/editor", body).await.expect_status(200);
    assert_eq!(get(&server, "/roles/editor", &boss).await.expect_status(200).json::<Value>(), expected);
    let all: Vec<Value> = get(&server, "/roles", &boss).await.expect_status(200).json();
    assert_eq!(all.iter().map(|role| text(role, "name")).collect::<Vec<_>>(), ["admin", "editor"]);
    assert_eq!((&all[0]["builtIn"], &all[1]), (&json!(true), &expected));

    // Given twice is given once, and taken twice is taken.
    let path = format!("/auth/{}/roles/editor", ada.id);
    for _ in 0..2 {
        put(&server, &boss, &path, Value::Null).await.expect_status(204);
    }
    let held: Value = get(&server, &format!("/auth/{}/roles", ada.id), &boss).await.expect_status(200).json();
    assert_eq!(held, json!({"roles": ["editor"], "permissions": ["posts:publish", "users:read"]}));
    let people: Value = get(&server, "/roles/editor/people", &boss).await.expect_status(200).json();
    assert_eq!(people, json!([{"id": ada.id, "username": "ada", "name": ada.name}]));
    for _ in 0..2 {
        delete(&server, &boss, &path).await.expect_status(204);
    }
    let held: Value = get(&server, &format!("/auth/{}/roles", ada.id), &boss).await.expect_status(200).json();
    assert_eq!(held, json!({"roles": [], "permissions": []}));

    // Removed, a role goes from whoever has it; then nothing holds the permission.
    put(&server, &boss, &path, Value::Null).await.expect_status(204);
    expect_problem(delete(&server, &boss, "/permissions/posts:publish").await, 409);
    delete(&server, &boss, "/roles/editor").await.expect_status(204);
    expect_problem(delete(&server, &boss, "/roles/editor").await, 404);
    assert_eq!(get(&server, "/auth/me", &boss).await.expect_status(200).json::<Value>()["roles"], json!(["admin"]));
    let held: Value = get(&server, &format!("/auth/{}/roles", ada.id), &boss).await.expect_status(200).json();
    assert_eq!(held["roles"], json!([]));
    delete(&server, &boss, "/permissions/posts:publish").await.expect_status(204);
    expect_problem(delete(&server, &boss, "/permissions/posts:publish").await, 404);
    let listed = server.cli(&["audit", "list", "--json"]).await.expect_success();
    for kind in ["role_declared", "role_removed", "role_granted", "role_revoked", "permission_declared"] {
        assert!(listed.stdout.contains(kind), "{kind}: {}", listed.stdout);
    }
}

both_engines!(what_does_not_do_is_refused_and_changes_nothing);
async fn what_does_not_do_is_refused_and_changes_nothing(server: TestServer) {
    let (_, boss) = boss(&server).await;
    let ada = server.person("ada").await;
    declare(&server, "reader", &["users:read"]).await;
    let before = server.dump().await;
    let unknown = put(&server, &boss, "/roles/reader", json!({"permissions": ["users:read", "no:such"]})).await;
    assert!(expect_problem(unknown, 400)["errors"]["permissions"].is_array());
    for permissions in [json!(["%00"]), json!(["a\u{0}b:c"]), json!("users:read"), json!([1]), Value::Null] {
        expect_problem(put(&server, &boss, "/roles/reader", json!({"permissions": permissions})).await, 400);
    }
    expect_problem(put(&server, &boss, "/roles/reader", json!({"permissions": [], "more": 1})).await, 400);
    expect_problem(put(&server, &boss, "/roles/reader", json!({"permissions": [], "description": "a\nb"})).await, 400);
    expect_problem(put(&server, &boss, "/roles/Reader", json!({"permissions": []})).await, 400);
    expect_problem(put(&server, &boss, "/permissions/users", json!({})).await, 400);
    // What is built in stays as it is.
    expect_problem(put(&server, &boss, "/roles/admin", json!({"permissions": []})).await, 409);
    expect_problem(delete(&server, &boss, "/roles/admin").await, 409);
    expect_problem(put(&server, &boss, "/permissions/users:read", json!({})).await, 409);
    expect_problem(delete(&server, &boss, "/permissions/users:read").await, 409);
    for path in ["/roles/nobody", "/roles/%00", "/roles/%ff", "/roles/nobody/people", "/roles/%00/people"] {
        expect_problem(get(&server, path, &boss).await, 404);
    }
    for path in ["/roles/%00", "/permissions/%00", "/permissions/no:such"] {
        expect_problem(delete(&server, &boss, path).await, 404);
    }
    for role in ["nobody", "%00", "%ff"] {
        expect_problem(put(&server, &boss, &format!("/auth/{}/roles/{role}", ada.id), Value::Null).await, 404);
    }
    let nobody = "0193e4b0-0000-7000-8000-000000000000";
    expect_problem(put(&server, &boss, &format!("/auth/{nobody}/roles/reader"), Value::Null).await, 404);
    server.dump().await.expect_same_as(&before);
    put(&server, &boss, &format!("/auth/{}/roles/reader", ada.id), Value::Null).await.expect_status(204);
}

both_engines!(ap_06_nobody_gives_or_takes_beyond_what_they_hold);
/// AP-06: a sub-administrator grants, renames, edits self, and takes over whoever holds more.
async fn ap_06_nobody_gives_or_takes_beyond_what_they_hold(server: TestServer) {
    let (boss, boss_token) = boss(&server).await;
    declare(&server, "clerk", &["roles:read", "roles:write", "users:read", "users:write", "providers:write"]).await;
    declare(&server, "reader", &["users:read"]).await;
    declare(&server, "maker", &["policies:write"]).await;
    let clerk = holder(&server, "clerk").await;
    let (ada, mel) = (server.person("ada").await, server.person("mel").await);
    server.app().accounts.grant_role("mel", "maker").await.expect("a role");
    let own: Value = get(&server, "/auth/me", &clerk).await.expect_status(200).json();
    let own = text(&own, "id").to_owned();
    let before = server.dump().await;
    for (who, role) in [
        (&ada.id, "admin"),
        (&ada.id, "maker"),
        (&own, "reader"),
        (&own, "admin"),
        (&mel.id, "reader"),
        (&boss.id, "reader"),
    ] {
        expect_problem(put(&server, &clerk, &format!("/auth/{who}/roles/{role}"), Value::Null).await, 403);
    }
    for (who, role) in [(&own, "clerk"), (&mel.id, "maker"), (&boss.id, "admin")] {
        expect_problem(delete(&server, &clerk, &format!("/auth/{who}/roles/{role}")).await, 403);
    }
    for permissions in [json!(["policies:write"]), json!(["users:read", "access:evaluate"])] {
        expect_problem(put(&server, &clerk, "/roles/reader", json!({"permissions": permissions})).await, 403);
        expect_problem(put(&server, &clerk, "/roles/new", json!({"permissions": permissions})).await, 403);
    }
    // Not even to less.
    expect_problem(put(&server, &clerk, "/roles/maker", json!({"permissions": []})).await, 403);
    expect_problem(delete(&server, &clerk, "/roles/maker").await, 403);
    for who in [&mel.id, &boss.id] {
        expect_problem(put(&server, &clerk, &format!("/auth/{who}"), json!({"name": "Mallory"})).await, 403);
        expect_problem(delete(&server, &clerk, &format!("/auth/{who}/providers/x/y")).await, 403);
    }
    let account = json!({"email": "eve@example.org", "password": "plum violin 42 harbour"});
    expect_problem(send(&server, &clerk, Method::POST, "/user/admin/register", &account).await, 403);
    let provider = json!({"issuer": "https://idp.example", "clientId": "a", "clientSecret": "b", "groupsClaim": "g"});
    for roles in ["staff=admin", "staff=maker"] {
        let mut provider = provider.clone();
        provider["roles"] = json!([roles]);
        expect_problem(put(&server, &clerk, "/providers/idp", provider).await, 403);
    }
    server.dump().await.expect_same_as(&before);

    // The controls: what they hold themselves.
    put(&server, &clerk, &format!("/auth/{}/roles/reader", ada.id), Value::Null).await.expect_status(204);
    put(&server, &clerk, &format!("/auth/{}", ada.id), json!({"name": "Ada King"})).await.expect_status(200);
    put(&server, &clerk, "/roles/reader", json!({"permissions": ["users:read", "roles:read"]}))
        .await
        .expect_status(200);
    put(&server, &clerk, "/roles/new", json!({"permissions": ["users:write"]})).await.expect_status(201);
    delete(&server, &clerk, "/roles/new").await.expect_status(204);
    let mut allowed = provider.clone();
    allowed["roles"] = json!(["staff=reader"]);
    put(&server, &clerk, "/providers/idp", allowed).await.expect_status(201);
    put(&server, &boss_token, &format!("/auth/{}/roles/admin", mel.id), Value::Null).await.expect_status(204);
    put(&server, &boss_token, &format!("/auth/{}/roles/reader", boss.id), Value::Null).await.expect_status(204);
}

both_engines!(ap_06_the_last_administrator_stays);
/// AP-06: nobody takes the last administrator's role, not even they themselves; with two it works, until one is left.
async fn ap_06_the_last_administrator_stays(server: TestServer) {
    let (boss, token) = boss(&server).await;
    let path = format!("/auth/{}/roles/admin", boss.id);
    let before = server.dump().await;
    expect_problem(delete(&server, &token, &path).await, 409);
    server.dump().await.expect_same_as(&before);
    get(&server, "/auth", &token).await.expect_status(200);

    // One who may not come in is nobody to rely on.
    server.person("second").await;
    server.app().accounts.grant_role("second", "admin").await.expect("a role");
    server.cli(&["user", "disable", "second"]).await.expect_success();
    expect_problem(delete(&server, &token, &path).await, 409);
    server.cli(&["user", "enable", "second"]).await.expect_success();
    delete(&server, &token, &path).await.expect_status(204);
    // AP-07: from the next request on.
    expect_problem(get(&server, "/auth", &token).await, 403);
    // An operator can always make another one, and is told.
    let gone = server.cli(&["user", "delete", "second"]).await.expect_success();
    assert!(gone.stderr.contains("bonafide user grant admin WHO"), "{gone}");
}

both_engines!(ap_01_ap_02_ap_03_a_service_account_is_a_caller);
/// AP-01, AP-02, AP-03, AP-07: a client that acts for itself may do what its roles give, is nobody's self, and says so in the record.
async fn ap_01_ap_02_ap_03_a_service_account_is_a_caller(server: TestServer) {
    let ada = server.person("ada").await;
    let application = made::client(&server, made::service()).await;
    let token = service(&server, &application).await;
    declare(&server, "clerk", &["users:read", "roles:write"]).await;
    declare(&server, "reader", &["users:read"]).await;
    expect_problem(get(&server, "/auth", &token).await, 403);
    expect_problem(get(&server, &format!("/auth/{}", ada.id), &token).await, 404);
    server.cli(&["role", "assign", "clerk", &application.id, "--client"]).await.expect_success();
    get(&server, "/auth", &token).await.expect_status(200);
    get(&server, &format!("/auth/{}", ada.id), &token).await.expect_status(200);
    expect_problem(get(&server, "/auth/me", &token).await, 403);
    expect_problem(put(&server, &token, &format!("/auth/{}", ada.id), json!({"name": "x"})).await, 404);
    put(&server, &token, &format!("/auth/{}/roles/reader", ada.id), Value::Null).await.expect_status(204);
    let listed = server.cli(&["audit", "list", "--kind", "role_granted", "--json"]).await.expect_success();
    assert!(
        listed.stdout.contains(&format!("\"actor_client\":\"{}\"", application.id))
            || listed.stdout.contains(&format!("\"actor_client\": \"{}\"", application.id)),
        "{listed:?}"
    );
    server.cli(&["role", "unassign", "clerk", &application.id, "--client"]).await.expect_success();
    expect_problem(get(&server, "/auth", &token).await, 403);
}

both_engines!(ap_12_ap_13_lists_come_in_pages_and_in_one_order);
/// AP-12, AP-13: pages have their bounds, cursors are ids, and nobody sorts by what they choose.
async fn ap_12_ap_13_lists_come_in_pages_and_in_one_order(server: TestServer) {
    let (_, boss) = boss(&server).await;
    declare(&server, "reader", &["users:read"]).await;
    for name in ["ada", "bea", "cyd"] {
        server.person(name).await;
        server.app().accounts.grant_role(name, "reader").await.expect("a role");
    }
    for path in ["/auth", "/roles/reader/people"] {
        for wrong in [
            "limit=0",
            "limit=-1",
            "limit=101",
            "limit=1e9",
            "limit=",
            "limit=1&limit=2",
            "after=",
            "after=1",
            "after='; DROP TABLE users",
            "sort=password_hash",
            "sort=id;DROP",
            "sort=id",
            "sort=",
        ] {
            expect_problem(get(&server, &format!("{path}?{wrong}"), &boss).await, 400);
        }
        let (mut seen, mut next) = (Vec::new(), format!("{path}?limit=2"));
        loop {
            let answer = get(&server, &next, &boss).await.expect_status(200);
            let page: Vec<Value> = answer.json();
            assert!(page.len() <= 2);
            seen.extend(page.iter().map(|item| text(item, "id").to_owned()));
            let links = answer.header_values("link");
            let Some(link) = links.first() else { break };
            let (address, _) = link.trim_start_matches('<').split_once('>').expect("an address");
            address.strip_prefix(server.issuer()).expect("one of ours").clone_into(&mut next);
        }
        let all: Vec<Value> = get(&server, path, &boss).await.expect_status(200).json();
        assert_eq!(seen, all.iter().map(|item| text(item, "id")).collect::<Vec<_>>());
        assert!(seen.len() >= 3 && seen.is_sorted(), "{seen:?}");
    }
}
