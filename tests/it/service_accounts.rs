//! Service accounts by the JSON API.

use bonafide::clients::{ApiDraft, Draft};
use reqwest::Method;
use serde_json::{Value, json};

use crate::api_accounts::{expect_problem, get, text};
use crate::engines::client_credentials;
use crate::support::{Application, TestServer, made};

use crate::api_keys::{declare, grant, send, token};

both_engines!(ap_06_service_accounts_by_those_who_may_as_much);
/// AP-06: made, shown and removed by permission; nobody gives or takes over what goes beyond their own.
async fn ap_06_service_accounts_by_those_who_may_as_much(server: TestServer) {
    let (ada, boss) = (server.person("ada").await, server.person("boss").await);
    declare(&server, "keeper", &["service-accounts:read", "service-accounts:write", "users:read"]).await;
    declare(&server, "reader", &["users:read"]).await;
    declare(&server, "writer", &["users:write"]).await;
    grant(&server, &ada, "keeper").await;
    grant(&server, &boss, "admin").await;
    let (own, admin) = (token(&server, &ada).await, token(&server, &boss).await);
    let at = async |shown: &str, method: Method, path: &str, body: Option<Value>| {
        send(&server, shown, method, path, body.as_ref()).await
    };

    for (body, wanted) in [
        (json!({"name": "n", "roles": ["writer"]}), 403),
        (json!({"name": "n", "roles": ["admin"]}), 403),
        (json!({"name": "n", "roles": ["No Role"]}), 400),
        (json!({"name": "n", "userId": ada.id}), 400),
        (json!({"name": ""}), 400),
    ] {
        expect_problem(at(&own, Method::POST, "/service-accounts", Some(body)).await, wanted);
    }
    assert_eq!(get(&server, "/service-accounts", &own).await.expect_status(200).json::<Value>(), json!([]));
    let body = json!({"name": "nightly", "roles": ["reader"]});
    let made: Value = at(&own, Method::POST, "/service-accounts", Some(body)).await.expect_status(201).json();
    let (id, secret) = (text(&made, "client_id").to_owned(), text(&made, "client_secret").to_owned());
    let path = format!("/service-accounts/{id}");
    let shown: Value = get(&server, &path, &own).await.expect_status(200).json();
    assert_eq!(
        (&shown["roles"], &shown["name"], shown.get("client_secret")),
        (&json!(["reader"]), &json!("nightly"), None)
    );

    // It acts for itself: by its token and by its key, as far as its role goes.
    let client =
        Application { id: id.clone(), auth: crate::support::ClientAuth::Basic(secret), redirect_uri: String::new() };
    let granted: Value = client_credentials(&server.wire(), &client).await.expect_status(200).json();
    let key = json!({"name": "k", "scopes": ["users:read"]});
    let key: Value = at(&own, Method::POST, &format!("{path}/api-keys"), Some(key)).await.expect_status(201).json();
    for shown in [text(&granted, "access_token"), text(&key, "key")] {
        get(&server, "/auth", shown).await.expect_status(200);
        expect_problem(get(&server, "/service-accounts", shown).await, 403);
        expect_problem(get(&server, "/auth/me", shown).await, 403);
    }
    let account = json!({"name": "k", "scopes": ["account"]});
    expect_problem(at(&own, Method::POST, &format!("{path}/api-keys"), Some(account)).await, 400);

    // More than she may is not hers to give, nor to touch once somebody else has given it.
    expect_problem(at(&own, Method::PUT, &format!("{path}/roles/writer"), None).await, 403);
    let given: Value = at(&admin, Method::PUT, &format!("{path}/roles/writer"), None).await.expect_status(200).json();
    assert_eq!(given["roles"], json!(["reader", "writer"]));
    let key_path = format!("{path}/api-keys/{}", text(&key, "id"));
    server.app().api_keys.write_uses().await.expect("when it was used");
    let before = server.dump().await;
    let narrow = json!({"name": "k", "scopes": ["users:read"]});
    for (method, path, body) in [
        (Method::DELETE, path.clone(), None),
        (Method::DELETE, format!("{path}/roles/reader"), None),
        (Method::PUT, format!("{path}/roles/reader"), None),
        (Method::POST, format!("{path}/secret"), None),
        (Method::POST, format!("{path}/api-keys"), Some(narrow)),
        (Method::POST, format!("{key_path}/rotate"), None),
        (Method::DELETE, key_path.clone(), None),
    ] {
        expect_problem(at(&own, method, &path, body).await, 403);
    }
    server.dump().await.expect_same_as(&before);
    at(&admin, Method::DELETE, &format!("{path}/roles/writer"), None).await.expect_status(200);

    // The controls.
    let rotated: Value =
        at(&own, Method::POST, &format!("{path}/secret"), Some(json!({"overlap": 60}))).await.expect_status(200).json();
    assert!(rotated["previous_secret_expires_at"].is_string());
    for client in [
        client.clone(),
        client.with_auth(crate::support::ClientAuth::Basic(text(&rotated, "client_secret").to_owned())),
    ] {
        client_credentials(&server.wire(), &client).await.expect_status(200);
    }
    let next: Value = at(&own, Method::POST, &format!("{key_path}/rotate"), None).await.expect_status(200).json();
    get(&server, "/auth", text(&next, "key")).await.expect_status(200);
    at(&own, Method::DELETE, &key_path, None).await.expect_status(204);
    expect_problem(get(&server, "/auth", text(&next, "key")).await, 401);
    at(&own, Method::DELETE, &path, None).await.expect_status(204);
    expect_problem(get(&server, &path, &own).await, 404);
}

both_engines!(ap_06_what_operators_gave_a_service_account_is_beyond_a_keeper);
/// AP-06: an application is no service account, or not only; what it has besides roles is for those who may do everything.
async fn ap_06_what_operators_gave_a_service_account_is_beyond_a_keeper(server: TestServer) {
    let (ada, boss) = (server.person("ada").await, server.person("boss").await);
    declare(&server, "keeper", &["service-accounts:read", "service-accounts:write"]).await;
    grant(&server, &ada, "keeper").await;
    grant(&server, &boss, "admin").await;
    let (own, admin) = (token(&server, &ada).await, token(&server, &boss).await);
    let at = async |shown: &str, method: Method, path: &str, body: Option<Value>| {
        send(&server, shown, method, path, body.as_ref()).await
    };
    let web = made::client(&server, made::draft()).await;
    let both = Some(vec!["authorization_code".to_owned(), "client_credentials".to_owned()]);
    let both = made::client(&server, Draft { grant_types: both, ..made::draft() }).await;
    for (id, wanted) in [(&web.id, 404), (&both.id, 409), (&"nobody".to_owned(), 404), (&"%00".to_owned(), 404)] {
        expect_problem(at(&admin, Method::DELETE, &format!("/service-accounts/{id}"), None).await, wanted);
    }
    // What operators gave one besides roles is beyond whoever may not do everything.
    let audience = "https://api.example.com";
    let ship = Some(vec!["ship".to_owned()]);
    made::api(&server, ApiDraft { audience: audience.to_owned(), scopes: ship, ..ApiDraft::default() }).await;
    let mut beyond = vec![both.id.clone()];
    for draft in [
        Draft { introspects: Some(vec![audience.to_owned()]), ..made::service() },
        Draft { scope: Some("ship".to_owned()), ..made::service() },
        Draft { first_party: Some(true), ..made::service() },
    ] {
        beyond.push(made::client(&server, draft).await.id);
    }
    for id in &beyond {
        let key = json!({"name": "k", "scopes": [], "audience": audience});
        for (path, body) in [("secret", None), ("api-keys", Some(key))] {
            let path = format!("/service-accounts/{id}/{path}");
            expect_problem(at(&own, Method::POST, &path, body.clone()).await, 403);
            assert!(at(&admin, Method::POST, &path, body).await.status.is_success(), "{path}");
        }
    }
    let page: Vec<Value> = get(&server, "/service-accounts?limit=1", &admin).await.expect_status(200).json();
    let rest = format!("/service-accounts?after={}", text(&page[0], "client_id"));
    let rest: Vec<Value> = get(&server, &rest, &admin).await.expect_status(200).json();
    assert_eq!((page.len(), rest.len()), (1, 3));
    assert!(get(&server, "/service-accounts?limit=1", &admin).await.header("link").contains("after="));
    expect_problem(get(&server, "/service-accounts?limit=101", &admin).await, 400);
}
