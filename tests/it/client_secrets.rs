//! One client secret follows another: at once, or with a while in which both are good. And service accounts' roles.

use chrono::{DateTime, Duration};
use serde_json::Value;

use crate::engines::within_a_second;
use crate::support::{Application, Binary, ClientAuth, Engine, TestServer, at_once, made};

async fn status(server: &TestServer, client: &Application, secret: &str) -> u16 {
    let client = client.with_auth(ClientAuth::Basic(secret.to_owned()));
    made::introspect(&server.wire(), &client, "nothing").await.status.as_u16()
}

async fn rotated(server: &TestServer, id: &str, more: &[&str]) -> String {
    let said = server.cli(&[&["client", "rotate-secret", id, "--quiet"], more].concat()).await.expect_success();
    server.app().reload().await.expect("reading it again");
    said.stdout.trim().to_owned()
}

both_engines!(two_client_secrets_are_good_while_they_overlap);
/// The old one until the overlap ends; a second rotation within it ends the first; without an overlap it is dead at once.
async fn two_client_secrets_are_good_while_they_overlap(server: TestServer) {
    let client = made::client(&server, made::service()).await;
    let first = client.secret().to_owned();
    let second = rotated(&server, &client.id, &["--overlap", "1h"]).await;
    for (secret, wanted) in [(first.as_str(), 200), (&second, 200), ("bfs_guessed", 401)] {
        assert_eq!(status(&server, &client, secret).await, wanted, "{secret}");
    }
    let show = async || -> Value { server.cli(&["client", "show", &client.id, "--json"]).await.json() };
    let until = show().await["previous_secret_expires_at"].as_str().expect("when").to_owned();
    let until = DateTime::parse_from_rfc3339(&until).expect("a time").to_utc();
    assert!((until - server.now() - Duration::hours(1)).abs() < Duration::minutes(5), "{until}");

    // Of three there are never more than two.
    let third = rotated(&server, &client.id, &["--overlap", "30d"]).await;
    for (secret, wanted) in [(&first, 401), (&second, 200), (&third, 200)] {
        assert_eq!(status(&server, &client, secret).await, wanted);
    }
    server.advance(Duration::days(30) + Duration::minutes(5));
    assert_eq!((status(&server, &client, &second).await, status(&server, &client, &third).await), (401, 200));

    let fourth = rotated(&server, &client.id, &[]).await;
    assert_eq!((status(&server, &client, &third).await, status(&server, &client, &fourth).await), (401, 200));
    assert_eq!(show().await.get("previous_secret_expires_at"), None);
    server.cli(&["client", "rotate-secret", &client.id, "--overlap", "31d"]).await.expect_code(2);
    assert_eq!(status(&server, &client, &fourth).await, 200);
}

both_engines!(a_public_client_has_no_previous_secret_either);
async fn a_public_client_has_no_previous_secret_either(server: TestServer) {
    let client = made::client(&server, made::draft()).await;
    let first = client.secret().to_owned();
    let second = rotated(&server, &client.id, &["--overlap", "1h"]).await;
    assert_eq!((status(&server, &client, &first).await, status(&server, &client, &second).await), (200, 200));
    // What is saved besides leaves both as they are.
    server.cli(&["client", "update", &client.id, "--name", "Other"]).await.expect_success();
    server.app().reload().await.expect("reading it again");
    assert_eq!((status(&server, &client, &first).await, status(&server, &client, &second).await), (200, 200));
    server.cli(&["client", "update", &client.id, "--public"]).await.expect_success();
    server.app().reload().await.expect("reading it again");
    assert_eq!((status(&server, &client, &first).await, status(&server, &client, &second).await), (401, 401));
    server.cli(&["client", "rotate-secret", &client.id]).await.expect_code(1);
}

both_engines!(ten_rotations_at_once_leave_two_secrets);
async fn ten_rotations_at_once_leave_two_secrets(server: TestServer) {
    let client = made::client(&server, made::service()).await;
    let secrets = at_once(10, |_| {
        let (app, id) = (server.app().clone(), client.id.clone());
        async move {
            let (overlap, source) = (bonafide::clients::Overlap::of_millis(60_000), bonafide::audit::Source::default());
            app.service_accounts
                .rotate_secret(&id, overlap.expect("an overlap"), None, &source)
                .await
                .expect("a secret")
        }
    })
    .await;
    server.app().reload().await.expect("reading it again");
    let mut good = 0;
    for secret in &secrets {
        good += usize::from(status(&server, &client, secret).await == 200);
    }
    assert_eq!(good, 2);
    assert_eq!(status(&server, &client, client.secret()).await, 401);
}

each_engine!(a_rotation_is_in_force_on_every_node_within_a_second);
async fn a_rotation_is_in_force_on_every_node_within_a_second(engine: Engine) {
    let binary = Binary::start(engine).await;
    let client = binary.application(&made::service()).await;
    let wire = binary.wire();
    let old = async || made::introspect(&wire, &client, "nothing").await.status == 200;
    within_a_second("the client", &old).await;
    let said = binary.cli(&["client", "rotate-secret", &client.id, "--quiet"]).await.expect_success();
    let new = client.with_auth(ClientAuth::Basic(said.stdout.trim().to_owned()));
    within_a_second("the new secret", || async { made::introspect(&wire, &new, "nothing").await.status == 200 }).await;
    assert!(!old().await);
}

both_engines!(roles_are_for_clients_that_act_for_themselves);
async fn roles_are_for_clients_that_act_for_themselves(server: TestServer) {
    let (service, web) = (made::client(&server, made::service()).await, made::client(&server, made::draft()).await);
    for command in ["grant", "revoke"] {
        let refused = server.cli(&["client", command, &web.id, "clerk"]).await.expect_code(1);
        assert!(refused.stderr.contains("client_credentials"), "{refused}");
        server.cli(&["client", command, "nobody", "clerk"]).await.expect_code(1);
        server.cli(&["client", command, &service.id, "No Role"]).await.expect_code(1);
    }
    let given = server.cli(&["client", "grant", &service.id, "clerk", "--json"]).await.expect_success();
    assert_eq!(given.json::<Value>()["roles"], serde_json::json!(["clerk"]));
    assert!(given.stderr.contains("gives no permission"), "{given}");
    // What is saved besides takes no role.
    server.cli(&["client", "update", &service.id, "--name", "Other"]).await.expect_success();
    let shown: Value = server.cli(&["client", "show", &service.id, "--json"]).await.json();
    assert_eq!(shown["roles"], serde_json::json!(["clerk"]));
    let taken: Value = server.cli(&["client", "revoke", &service.id, "clerk", "--json"]).await.json();
    assert_eq!(taken["roles"], serde_json::json!([]));
    let events: Vec<Value> = server.cli(&["audit", "list", "--client", &service.id, "--json"]).await.json();
    let kinds: Vec<&str> = events.iter().filter_map(|event| event["kind"].as_str()).collect();
    assert!(kinds.contains(&"role_granted") && kinds.contains(&"role_revoked"), "{kinds:?}");
}
