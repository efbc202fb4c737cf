//! A new master key: everything is sealed anew, running servers follow, and breaking off anywhere loses nothing.

use std::{fs, os::unix::fs::PermissionsExt as _, path::Path, sync::Arc};

use bonafide::{
    audit::Source,
    federation::{FederationError, Purpose, Wish},
    oauth::parameters::Parameters,
    platform::random::SystemRandom,
    sessions::Upstream,
};
use serde_json::Value;
use url::Url;

use crate::{
    engines::{
        client_credentials, lines, published, replace, run, service, sign_in, started_by, until_ready, within_a_second,
    },
    secrets::hex,
    support::{Answer, Binary, Engine, Listen, Place, Stub, TestServer, unique_parameters},
};

fn master(place: &Place) -> Vec<u8> {
    fs::read(place.path().join("keys/master.key")).expect("the master key")
}

fn put(path: &Path, key: &[u8]) {
    fs::write(path, key).expect("writing");
    fs::set_permissions(path, fs::Permissions::from_mode(0o600)).expect("its mode");
}

fn kid(answer: &Answer) -> String {
    let token = answer.json::<Value>()["access_token"].as_str().expect("a token").to_owned();
    jsonwebtoken::decode_header(token).expect("a header").kid.expect("a kid")
}

async fn keys_in_use(place: &Place) -> usize {
    place.cli(&["key", "list", "--json"]).await.json::<Vec<Value>>().len()
}

each_engine!(everything_is_sealed_anew_and_running_servers_follow);
async fn everything_is_sealed_anew_and_running_servers_follow(engine: Engine) {
    let mut binary = Binary::start(engine).await;
    let client = binary.application(&service()).await;
    let old = master(&binary);
    let token = client_credentials(&binary.wire(), &client).await.expect_status(200);
    let sealed = "SELECT count(DISTINCT sealed_private) || '' AS line FROM signing_keys";
    assert_eq!(lines(&binary, sealed).await, ["8"]);

    let said: Value = binary.cli(&["key", "reseal", "--json"]).await.json();
    assert_eq!((said["sealed"].as_u64(), keys_in_use(&binary).await), (Some(8), 8), "{said}");
    let file = binary.path().join("keys/master.key");
    assert_eq!(said["file"], file.display().to_string());
    assert_eq!(fs::metadata(&file).expect("the file").permissions().mode() & 0o777, 0o600);
    assert_ne!(master(&binary), old);
    let names: Vec<_> = fs::read_dir(binary.path().join("keys")).expect("the folder").flatten().collect();
    assert_eq!(names.len(), 1, "{names:?}");
    let event = "SELECT kind AS line FROM audit_events WHERE kind = 'master_key_replaced'";
    assert_eq!(lines(&binary, event).await.len(), 1);

    // The running server opens what is sealed under the new key: the next rotation reaches it.
    let before = published(&binary.wire()).await;
    let next: Value = binary.cli(&["key", "rotate", "--now", "--json"]).await.json();
    within_a_second("the rotated key signs", || async {
        kid(&client_credentials(&binary.wire(), &client).await) == next["kid"]
    })
    .await;
    assert!(before.is_subset(&published(&binary.wire()).await), "tokens of before verify");
    assert_ne!(kid(&token), next["kid"].as_str().expect("a kid"));
    binary.terminate().await;
    binary.start_again().await;
    client_credentials(&binary.wire(), &client).await.expect_status(200);

    // The old one opens nothing any more.
    binary.terminate().await;
    let new = master(&binary);
    put(&file, &old);
    let refused = binary.cli(&["serve"]).await.expect_code(2);
    assert!(refused.stderr.contains("keys.dir"), "{refused}");
    put(&file, &new);
    binary.start_again().await;
}

each_engine!(a_break_between_the_commit_and_the_file_is_finished_by_the_next_start);
async fn a_break_between_the_commit_and_the_file_is_finished_by_the_next_start(engine: Engine) {
    let place = Place::prepared(engine, &[]).await;
    let (file, successor) = (place.path().join("keys/master.key"), place.path().join("keys/master.key.new"));
    let old = master(&place);
    place.cli(&["key", "reseal"]).await.expect_success();
    let new = master(&place);
    // As it was after the commit: the old key in its place, the new one beside it.
    put(&successor, &new);
    put(&file, &old);
    place.cli(&["client", "list"]).await.expect_success();
    assert_eq!(master(&place), new);
    assert!(!successor.exists());

    // As it was before a commit that never came: the old key stays, and the next attempt goes through.
    put(&successor, &[7; 32]);
    place.cli(&["client", "list"]).await.expect_success();
    assert_eq!(master(&place), new);
    place.cli(&["key", "reseal"]).await.expect_success();
    assert!(!successor.exists() && master(&place) != new);
    place.cli(&["client", "list"]).await.expect_success();

    // Half a file is nobody's key.
    put(&successor, b"short");
    place.cli(&["client", "list"]).await.expect_success();
}

each_engine!(of_two_at_once_no_key_is_lost);
async fn of_two_at_once_no_key_is_lost(engine: Engine) {
    let place = Place::prepared(engine, &[]).await;
    let reseal = || place.cli(&["key", "reseal"]);
    let (a, b, c) = tokio::join!(reseal(), reseal(), reseal());
    let done = [&a, &b, &c].iter().filter(|output| output.status.success()).count();
    assert!(done >= 1, "{a}{b}{c}");
    place.cli(&["client", "list"]).await.expect_success();
    let binary = Binary::at(Arc::new(place)).await;
    let client = binary.application(&service()).await;
    client_credentials(&binary.wire(), &client).await.expect_status(200);
}

/// A node with a folder of its own serves on until somebody copies the new key to it.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_node_elsewhere_serves_on_and_waits_for_the_file() {
    let place = Arc::new(Place::prepared(Engine::Postgres, &[]).await);
    let elsewhere = place.path().join("elsewhere");
    fs::create_dir(&elsewhere).expect("a folder");
    put(&elsewhere.join("master.key"), &master(&place));
    let mut settings = place.settings(Listen::AsSet);
    replace(&mut settings, "keys.dir", &elsewhere.display().to_string());
    let node = started_by(&["nice", "-n", "0"], place.command(&settings).arg("serve"));
    until_ready(place.setting("management.listen")).await;
    let wire = crate::support::Wire::new(place.issuer(), place.setting("listen"));
    let client = crate::support::application_by_cli(&place, &service()).await;
    within_a_second("the client", || async { client_credentials(&wire, &client).await.status == 200 }).await;

    let old = kid(&client_credentials(&wire, &client).await);
    place.cli(&["key", "reseal"]).await.expect_success();
    place.cli(&["key", "rotate", "--now"]).await.expect_success();
    tokio::time::sleep(std::time::Duration::from_millis(1500)).await;
    assert_eq!(kid(&client_credentials(&wire, &client).await.expect_status(200)), old);
    put(&elsewhere.join("master.key"), &master(&place));
    tokio::time::sleep(std::time::Duration::from_secs(1)).await;
    within_a_second("the rotated key signs", || async { kid(&client_credentials(&wire, &client).await) != old }).await;
    drop(node);
}

each_engine!(no_master_key_is_made_where_there_was_one);
/// A database in use and no master key: refused in one line, and nothing is written that would hide the mistake.
async fn no_master_key_is_made_where_there_was_one(engine: Engine) {
    let place = Place::prepared(engine, &[]).await;
    let (file, aside) = (place.path().join("keys/master.key"), place.path().join("aside"));
    fs::rename(&file, &aside).expect("renaming");
    for arguments in [&["serve"][..], &["user", "list"]] {
        let refused = place.cli(arguments).await.expect_code(2);
        assert_eq!(refused.stderr.trim_end().lines().count(), 1, "{refused}");
        for part in ["keys.dir", "master.key", "backup"] {
            assert!(refused.stderr.contains(part), "{part}: {refused}");
        }
        assert!(!file.exists());
    }
    fs::rename(&aside, &file).expect("renaming");
    place.cli(&["user", "list"]).await.expect_success();
}

each_engine!(nothing_is_sealed_under_a_master_key_that_is_not_the_one);
/// Not even where keys are missing that a start makes.
async fn nothing_is_sealed_under_a_master_key_that_is_not_the_one(engine: Engine) {
    let place = Place::prepared(engine, &[]).await;
    let file = place.path().join("keys/master.key");
    let right = master(&place);
    run(&place, "DELETE FROM signing_keys WHERE alg = 'ES256' OR state = 'next'").await;
    let before = place.dump_tables(&[]).await;
    put(&file, &[7; 32]);
    for arguments in [&["serve"][..], &["key", "list"], &["key", "reseal"]] {
        let refused = place.cli(arguments).await.expect_code(2);
        assert!(refused.stderr.contains("keys.dir"), "{refused}");
    }
    place.dump_tables(&[]).await.expect_same_as(&before);
    assert_eq!((master(&place), file.with_extension("key.new").exists()), (vec![7; 32], false));
    put(&file, &right);
    place.cli(&["key", "reseal"]).await.expect_success();
}

/// Somebody goes to the provider and comes back, as far as the rooms behind the pages go; the provider wants our secret.
async fn exchange(server: &TestServer, stub: &Stub) -> Result<(), FederationError> {
    let (app, browser) = (server.app(), "what the browser's cookie holds");
    let purpose = Purpose::SignIn { interaction: None, then: None };
    let url = app.federation.begin("op", purpose, browser, &Wish::default()).await?;
    let claims =
        serde_json::json!({"sub": "g1", "email": "grace@example.org", "email_verified": true, "name": "Grace"});
    let back = stub.answer(&Url::parse(&url).expect("a URL"), claims);
    let parameters = Parameters::parse(back.query().expect("a query").as_bytes()).expect("parameters");
    let returned = app.federation.finish("op", &parameters, browser, &app.keys.set()).await?;
    returned.outcome.map(|arrival| assert_eq!(arrival.subject, "g1"))
}

/// What a session's sealed ID token says when it is shown to its provider again.
async fn hint(server: &TestServer) -> String {
    let hex = match server.engine() {
        Engine::Sqlite => "hex(id_token)",
        Engine::Postgres => "encode(id_token, 'hex')",
    };
    let rows = lines(server, &format!("SELECT {hex} AS line FROM upstream_sessions")).await;
    let byte = |at: usize| u8::from_str_radix(&rows[0][at..at + 2], 16).expect("a byte");
    let id_token = (0..rows[0].len()).step_by(2).map(byte).collect();
    let upstream = Upstream { provider: "op".to_owned(), id_token: Some(id_token) };
    let url = server.app().federation.sign_out_url(&upstream, "browser", None).await.expect("no fault");
    let url = Url::parse(&url.expect("a way out")).expect("a URL");
    unique_parameters(&url).get("id_token_hint").cloned().unwrap_or_default()
}

each_engine!(what_other_providers_have_given_us_is_sealed_anew);
/// The secret of a provider that the database declares, and the ID token of a session that began there: for a running server and
/// for the next start.
async fn what_other_providers_have_given_us_is_sealed_anew(engine: Engine) {
    let stub = Stub::listen().await;
    let mut server = TestServer::with(engine, &[("outgoing.allow", &stub.address)]).await;
    stub.follow(server.clock());
    let declared = bonafide::platform::settings::Provider {
        issuer: stub.issuer.clone(),
        client_id: stub.client_id.clone(),
        client_secret: stub.client_secret.clone().into(),
        ..Default::default()
    };
    server.app().federation.declare("op", declared, &Source::default()).await.expect("a provider");
    exchange(&server, &stub).await.expect("the control");
    let ada = server.person("ada").await;
    sign_in(&mut server.browser(), &ada.username, &ada.password).await.expect_status(303);
    let token = stub.id_token(&stub.client_id, &serde_json::json!({"sub": "g1"}), None);
    let sealed = server.app().master.sealing().seal(token.as_bytes(), &SystemRandom).expect("sealing");
    let hex = hex(&sealed);
    let literal = match engine {
        Engine::Sqlite => format!("X'{hex}'"),
        Engine::Postgres => format!("'\\x{hex}'::bytea"),
    };
    let note =
        "INSERT INTO upstream_sessions (session_id, provider, issuer, subject, id_token) SELECT id, 'op', 'i', 'g1'";
    run(&server, &format!("{note}, {literal} FROM browser_sessions")).await;
    assert_eq!(hint(&server).await, token);

    let before = server.dump_tables(&[]).await;
    let said: Value = server.cli(&["key", "reseal", "--json"]).await.json();
    assert_eq!(said["sealed"].as_u64(), Some(10), "{said}");
    let after = server.dump_tables(&[]).await;
    for table in ["providers", "upstream_sessions"] {
        assert!(before[table].len() == 1 && before[table] != after[table], "{table}");
    }
    // Long enough for the running server to have read everything again.
    tokio::time::sleep(std::time::Duration::from_millis(1500)).await;
    for start in ["this", "next"] {
        exchange(&server, &stub).await.unwrap_or_else(|error| panic!("{start}: {error}"));
        assert_eq!(hint(&server).await, token, "{start}");
        server.restart().await;
    }
    assert_eq!(stub.authenticated(), ["client_secret_basic"; 3]);
}
