//! Where somebody is signed in and whom they have let in, by the command line.

use serde_json::{Value, json};

use crate::{
    engines::within_a_second,
    support::{
        Flow, TestServer,
        made::{self, SignedIn},
    },
};

both_engines!(operators_see_sessions_and_end_them);
async fn operators_see_sessions_and_end_them(server: TestServer) {
    let demo = made::client(&server, made::draft()).await;
    let ada = server.person("ada").await;
    let online = Flow::new(&demo).with("scope", "openid email");
    let first = SignedIn::at(&server, online.clone(), ada.clone()).await;
    server.advance_seconds(10);
    let second = SignedIn::at(&server, Flow::new(&demo).with("scope", "openid email"), ada.clone()).await;
    let eve = server.person("eve").await;
    let of_eve = SignedIn::at(&server, Flow::new(&demo), eve).await;
    let seen: Vec<Value> = server.cli(&["user", "sessions", "ada", "--json"]).await.json();
    assert_eq!(seen.len(), 2, "{seen:#?}");
    assert!(seen[0]["last_seen_at"].as_str() > seen[1]["last_seen_at"].as_str(), "{seen:#?}");
    assert_eq!((&seen[1]["amr"], &seen[1]["remember"]), (&json!(["pwd"]), &json!(false)));
    let table = server.cli(&["user", "sessions", "ada"]).await.expect_success();
    let id = seen[1]["id"].as_str().expect("an id").to_owned();
    assert!(table.stdout.contains(&id) && table.stdout.contains("last seen"), "{table}");

    let ended: Value = server.cli(&["user", "end-sessions", "ada", &id, "--json"]).await.json();
    assert_eq!(ended, json!({"id": ada.id, "ended": 1}));
    first.expect_dead(&first.tokens.access_token()).await;
    second.expect_live(&second.tokens.access_token()).await;
    let again = server.cli(&["user", "end-sessions", "ada", &id]).await.expect_code(1);
    assert!(again.stderr.contains("bonafide user sessions ada"), "{again}");
    // Somebody else's is not theirs.
    let theirs: Vec<Value> = server.cli(&["user", "sessions", "eve", "--json"]).await.json();
    server.cli(&["user", "end-sessions", "ada", theirs[0]["id"].as_str().expect("an id")]).await.expect_code(1);
    server.cli(&["user", "end-sessions", "ada", "nothing"]).await.expect_code(2);
    server.cli(&["user", "sessions", "nobody"]).await.expect_code(1);

    let said = server.cli(&["user", "end-sessions", "ada"]).await.expect_success();
    assert!(said.stdout.contains("ended 1"), "{said}");
    second.expect_dead(&second.tokens.access_token()).await;
    of_eve.expect_live(&of_eve.tokens.access_token()).await;
    assert_eq!(server.cli(&["user", "sessions", "ada", "--json"]).await.json::<Value>(), json!([]));
}

both_engines!(operators_see_applications_and_withdraw_them);
async fn operators_see_applications_and_withdraw_them(server: TestServer) {
    let demo = made::client(&server, made::draft()).await;
    let other = made::client(&server, made::draft()).await;
    let ada = server.person("ada").await;
    let gone = SignedIn::at(&server, Flow::new(&demo), ada.clone()).await;
    let stays = SignedIn::at(&server, Flow::new(&other), ada.clone()).await;
    let apps: Vec<Value> = server.cli(&["user", "apps", "ada", "--json"]).await.json();
    assert_eq!(apps.len(), 2, "{apps:#?}");
    let app = apps.iter().find(|app| app["client_id"] == demo.id).expect("the application");
    assert_eq!((&app["client_name"], &app["offline"]), (&json!("Demo"), &json!(true)));
    assert_eq!(app["scopes"], json!(["email", "offline_access", "openid", "profile"]));
    let table = server.cli(&["user", "apps", "ada"]).await.expect_success();
    assert!(table.stdout.contains(&demo.id) && table.stdout.contains("Demo"), "{table}");

    let withdrawn: Value = server.cli(&["user", "withdraw", "ada", &demo.id, "--json"]).await.json();
    assert_eq!(withdrawn, json!({"id": ada.id, "client_id": demo.id}));
    within_a_second("its tokens end", async || {
        made::userinfo(&server.wire(), &gone.tokens.access_token()).await.status.as_u16() == 401
    })
    .await;
    gone.expect_refused(&gone.tokens.refresh_token()).await;
    stays.refreshed(&stays.tokens.refresh_token()).await;
    let again = server.cli(&["user", "withdraw", "ada", &demo.id]).await.expect_code(1);
    assert!(again.stderr.contains("bonafide user apps ada"), "{again}");
    let said = server.cli(&["user", "withdraw", "ada", &other.id]).await.expect_success();
    assert!(said.stdout.contains(&other.id), "{said}");
}
