//! Roles in force: by the command line, at once, on every node, and when many change them.

use std::collections::BTreeSet;

use bonafide::{
    access::{
        Held,
        roles::{By, NewRole, RoleFault},
    },
    audit::Source,
    identity::IdentityError,
};
use reqwest::Method;
use sea_orm::ConnectionTrait as _;
use serde_json::{Value, json};

use crate::{
    api_access::{declare, holder},
    api_accounts::{get, text},
    support::{Binary, Engine, TestServer, at_once},
};

each_engine!(roles_are_declared_and_given_by_the_command_line);
async fn roles_are_declared_and_given_by_the_command_line(engine: Engine) {
    let server = TestServer::start(engine).await;
    server.person("ada").await;
    server.cli(&["permission", "create", "posts:write", "--description", "write posts"]).await.expect_success();
    let create = ["role", "create", "editor", "--permission", "posts:write", "--permission", "users:read", "--json"];
    let made: Value = server.cli(&create).await.expect_success().json();
    assert_eq!(made, json!({"name": "editor", "description": "", "permissions": ["posts:write", "users:read"]}));
    server.cli(&create).await.expect_code(1);
    let update = ["role", "update", "editor", "--permission", "posts:write", "--description", "writes", "--json"];
    let changed: Value = server.cli(&update).await.expect_success().json();
    assert_eq!(changed, json!({"name": "editor", "description": "writes", "permissions": ["posts:write"]}));
    server.cli(&["role", "update", "nobody", "--description", "x"]).await.expect_code(1);
    let output = server.cli(&["role", "update", "editor", "--permission", "no:such"]).await.expect_code(1);
    assert!(output.stderr.contains("bonafide permission create"), "{output:?}");
    let shown: Value = server.cli(&["role", "show", "editor", "--json"]).await.expect_success().json();
    assert_eq!(shown, changed);
    let all: Value = server.cli(&["role", "list", "--json"]).await.expect_success().json();
    assert_eq!(all, json!([changed]));
    let held: Value = server.cli(&["role", "assign", "editor", "ada", "--json"]).await.expect_success().json();
    assert_eq!(held, json!({"who": "ada", "roles": ["editor"]}));
    let output = server.cli(&["permission", "delete", "posts:write"]).await.expect_code(1);
    assert!(output.stderr.contains("editor"), "{output:?}");
    server.cli(&["role", "unassign", "editor", "ada"]).await.expect_success();
    server.cli(&["role", "delete", "editor"]).await.expect_success();
    server.cli(&["permission", "delete", "posts:write", "--json"]).await.expect_success();
    server.cli(&["permission", "delete", "users:read"]).await.expect_code(1);
    // A name that nobody has declared is given with a word about it.
    let output = server.cli(&["user", "grant", "editor", "ada"]).await.expect_success();
    assert!(output.stderr.contains("role create editor"), "{output:?}");
    let output = server.cli(&["user", "grant", "admin", "ada"]).await.expect_success();
    assert_eq!(output.stderr, "", "{output:?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn ap_07_a_role_taken_away_counts_at_once_on_another_process() {
    let first = Binary::start(Engine::Postgres).await;
    let second = first.second().await;
    let ada = first.person("ada").await;
    first.cli(&["role", "create", "reader", "--permission", "users:read"]).await.expect_success();
    first.cli(&["role", "assign", "reader", "ada"]).await.expect_success();
    let body = json!({"email": ada.email, "password": ada.password});
    let answer = first.wire().call(Method::POST, "/auth/login").json(&body).send().await.expect_status(200);
    let token = text(&answer.json(), "accessToken").to_owned();
    let ask = |wire: crate::support::Wire| {
        let token = token.clone();
        async move { wire.call(Method::GET, "/auth").bearer(&token).send().await }
    };
    for _ in 0..3 {
        ask(second.wire()).await.expect_status(200);
        // The permission from the role, and back.
        first.cli(&["role", "update", "reader", "--permission", ""]).await.expect_success();
        ask(second.wire()).await.expect_status(403);
        first.cli(&["role", "update", "reader", "--permission", "users:read"]).await.expect_success();
        ask(second.wire()).await.expect_status(200);
        // The role from the person, and back.
        first.cli(&["role", "unassign", "reader", "ada"]).await.expect_success();
        ask(second.wire()).await.expect_status(403);
        first.cli(&["role", "assign", "reader", "ada"]).await.expect_success();
    }
    ask(second.wire()).await.expect_status(200);
    first.cli(&["role", "delete", "reader"]).await.expect_success();
    ask(second.wire()).await.expect_status(403);
}

both_engines!(ap_06_of_two_administrators_one_stays_whoever_goes_first);
/// AP-06: each is the last but one for whoever does not look at the other.
async fn ap_06_of_two_administrators_one_stays_whoever_goes_first(server: TestServer) {
    let second = server.second_node().await;
    let apps = [server.app().clone(), second.app().clone()];
    let mut ids = Vec::new();
    for name in ["ada", "bea"] {
        ids.push(server.person(name).await.id.parse().expect("an id"));
    }
    for round in 0..6 {
        for name in ["ada", "bea"] {
            server.app().accounts.grant_role(name, "admin").await.expect("a role");
        }
        let outcomes = at_once(2, |n| {
            let (app, id) = (apps[n].clone(), ids[n]);
            async move {
                let by = By { held: Held::EVERYTHING, person: None, operator: false };
                match app.roles.assign(&by, id, "admin", false, &Source::default()).await {
                    Err(RoleFault::Identity(IdentityError::LastAdministrator)) => false,
                    other => other.expect("an answer"),
                }
            }
        })
        .await;
        assert_eq!(outcomes.iter().filter(|done| **done).count(), 1, "round {round}: {outcomes:?}");
        let people = server.app().accounts.list().await.expect("people");
        let left = people.iter().filter(|user| !user.disabled && user.roles.iter().any(|role| role == "admin"));
        assert_eq!(left.count(), 1, "round {round}");
    }
}

both_engines!(a_permission_and_a_role_of_it_do_not_miss_each_other);
/// Removing a permission and putting it into a role at once: no role is left with what is not there.
async fn a_permission_and_a_role_of_it_do_not_miss_each_other(server: TestServer) {
    let roles = &server.app().roles;
    for _ in 0..5 {
        roles.declare_permission("posts:write", None, &Source::default()).await.expect("a permission");
        declare(&server, "editor", &[]).await;
        let outcomes = at_once(2, |n| {
            let roles = roles.clone();
            async move {
                let nobody = Source::default();
                if n == 0 {
                    return roles.remove_permission("posts:write", &nobody).await.is_ok();
                }
                let new = NewRole { permissions: Some(vec!["posts:write".to_owned()]), ..NewRole::default() };
                roles.declare(&By::OPERATOR, "editor", new, &nobody).await.is_ok()
            }
        })
        .await;
        assert_eq!(outcomes.iter().filter(|done| **done).count(), 1, "{outcomes:?}");
        let known: BTreeSet<String> =
            roles.permissions().await.expect("permissions").into_iter().map(|permission| permission.name).collect();
        let role = roles.find("editor").await.expect("a role");
        assert!(role.permissions.iter().all(|name| known.contains(name)), "{role:?}");
    }
}

both_engines!(ap_07_what_is_declared_counts_at_the_next_request);
/// AP-07: the permission from the role, the role from the person, the person from the house.
async fn ap_07_what_is_declared_counts_at_the_next_request(server: TestServer) {
    declare(&server, "reader", &["users:read"]).await;
    let token = holder(&server, "reader").await;
    get(&server, "/auth", &token).await.expect_status(200);
    declare(&server, "reader", &["roles:read"]).await;
    get(&server, "/auth", &token).await.expect_status(403);
    get(&server, "/roles", &token).await.expect_status(200);
    server.person("boss").await;
    server.app().accounts.grant_role("reader", "admin").await.expect("a role");
    get(&server, "/auth", &token).await.expect_status(200);
    server.app().accounts.grant_role("boss", "admin").await.expect("a role");
    server.app().accounts.revoke_role("reader", "admin").await.expect("somebody");
    get(&server, "/auth", &token).await.expect_status(403);
    server.app().accounts.set_disabled("reader", true).await.expect("somebody");
    get(&server, "/roles", &token).await.expect_status(401);
}

each_engine!(ap_06_a_provider_does_not_take_the_last_administrator_with_it);
/// AP-06: whose role came from a provider's groups loses it with the provider, unless nobody else is left.
async fn ap_06_a_provider_does_not_take_the_last_administrator_with_it(engine: Engine) {
    let server = TestServer::start(engine).await;
    let declaration = "issuer = 'https://idp.example'\nclient_id = 'a'\nclient_secret = 'b'\n";
    server.cli_with_input(&["provider", "set", "corp", "-"], declaration).await.expect_success();
    server.person("ada").await;
    server.app().accounts.grant_role("ada", "admin").await.expect("a role");
    let database = server.database().await;
    database.execute_unprepared("UPDATE user_roles SET provider = 'corp'").await.expect("a provider's role");
    let output = server.cli(&["provider", "delete", "corp"]).await.expect_code(1);
    assert!(output.stderr.contains("make another one first"), "{output:?}");
    server.person("bea").await;
    server.app().accounts.grant_role("bea", "admin").await.expect("a role");
    server.cli(&["provider", "delete", "corp"]).await.expect_success();
    let ada = server.app().accounts.find("ada").await.expect("somebody");
    assert_eq!(ada.roles, [""; 0]);
}
