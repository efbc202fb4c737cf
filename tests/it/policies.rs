//! Policies: published by a folder, by the API and by command, in force on every node, and tried out before.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;
use std::sync::Arc;

use reqwest::Method;
use serde_json::{Value, json};
use tempfile::TempDir;

use crate::{
    api_accounts::{expect_problem, get, login, text},
    engines::within_a_second,
    support::{Answer, Binary, Engine, Place, TestServer, at_once},
};

const SCHEMA: &str = "entity document { owner?: String };
action read, write appliesTo { principal: [user], resource: [document] };";
const READ: &str = "@id(\"everybody-reads\")\npermit (principal, action == Action::\"read\", resource);";
const WRITE: &str =
    "@id(\"editors-write\")\npermit (principal in role::\"editor\", action == Action::\"write\", resource);";

/// A server with an administrator's token, without limits.
async fn server(engine: Engine) -> (TestServer, String) {
    let server = TestServer::with(engine, &[("limits.enabled", "false")]).await;
    let token = administrator(&server).await;
    (server, token)
}

async fn administrator(server: &TestServer) -> String {
    let boss = server.person("boss").await;
    server.app().accounts.grant_role("boss", "admin").await.expect("a role");
    text(&login(server, &boss).await, "accessToken").to_owned()
}

fn bundle(documents: &[(&str, &str)]) -> Value {
    json!({"documents": documents.iter().copied().collect::<BTreeMap<_, _>>(), "schema": SCHEMA})
}

async fn put(server: &TestServer, token: &str, body: &Value) -> Answer {
    server.call(Method::PUT, "/policies").bearer(token).json(body).send().await
}

fn may(action: &str, subject: &str) -> Value {
    json!({
        "subject": {"type": "user", "id": subject},
        "action": {"name": action},
        "resource": {"type": "document", "id": "1"},
    })
}

async fn ask(server: &TestServer, token: &str, question: &Value) -> bool {
    let answer = server.call(Method::POST, "/access/v1/evaluation").bearer(token).json(question).send().await;
    answer.expect_status(200).json::<Value>()["decision"].as_bool().expect("a decision")
}

each_engine!(policies_are_published_shown_and_brought_back);
async fn policies_are_published_shown_and_brought_back(engine: Engine) {
    let (server, token) = server(engine).await;
    let nothing: Value = get(&server, "/policies", &token).await.expect_status(200).json();
    assert_eq!((&nothing["version"], &nothing["documents"]), (&json!(0), &json!({})));
    assert!(!ask(&server, &token, &may("read", "ada")).await, "nothing is allowed before anything was published");

    let mut one = bundle(&[("documents", READ)]);
    one["note"] = json!("reading");
    let answer = put(&server, &token, &one).await.expect_status(200);
    assert_eq!(answer.header("etag"), "\"1\"");
    assert_eq!(answer.json::<Value>(), json!({"version": 1, "new": true}));
    assert!(ask(&server, &token, &may("read", "ada")).await);
    assert!(!ask(&server, &token, &may("write", "ada")).await);

    // The same again is no new version.
    assert_eq!(
        put(&server, &token, &one).await.expect_status(200).json::<Value>(),
        json!({"version": 1, "new": false})
    );
    let two = bundle(&[("documents", READ), ("writing", WRITE)]);
    assert_eq!(put(&server, &token, &two).await.json::<Value>()["version"], 2);

    let shown: Value = get(&server, "/policies", &token).await.json();
    assert_eq!((&shown["version"], &shown["source"]), (&json!(2), &json!("api")));
    assert_eq!((&shown["documents"]["writing"], &shown["schema"]), (&json!(WRITE), &json!(SCHEMA)));
    let me: Value = get(&server, "/auth/me", &token).await.json();
    assert_eq!(shown["publishedBy"], me["id"]);
    let first: Value = get(&server, "/policies/versions/1", &token).await.expect_status(200).json();
    assert_eq!((&first["note"], &first["documents"]), (&json!("reading"), &json!({"documents": READ})));
    expect_problem(get(&server, "/policies/versions/3", &token).await, 404);
    expect_problem(get(&server, "/policies/versions/x", &token).await, 404);

    // AP-12: pages.
    let page = get(&server, "/policies/versions?limit=1", &token).await.expect_status(200);
    assert_eq!(page.json::<Value>()[0]["version"], 2);
    assert!(page.json::<Value>()[0].get("documents").is_none());
    assert!(page.header("link").contains("before=2"), "{page:#?}");
    let page = get(&server, "/policies/versions?limit=1&before=2", &token).await.expect_status(200);
    assert_eq!(page.json::<Value>()[0]["version"], 1);
    assert!(!page.headers.contains_key("link"), "{page:#?}");
    for bad in ["limit=0", "limit=-1", "limit=101", "before=0", "before=x", "before="] {
        expect_problem(get(&server, &format!("/policies/versions?{bad}"), &token).await, 400);
    }

    let again = server.call(Method::POST, "/policies/versions/1/publish").bearer(&token).send().await;
    assert_eq!(again.expect_status(200).json::<Value>(), json!({"version": 3, "new": true}));
    let shown: Value = get(&server, "/policies", &token).await.json();
    assert_eq!((&shown["note"], &shown["documents"]), (&json!("version 1 again"), &json!({"documents": READ})));
    let published = crate::engines::lines(
        server.place(),
        "SELECT detail AS line FROM audit_events WHERE kind = 'policies_published' ORDER BY at",
    )
    .await;
    assert_eq!(published.len(), 3, "{published:?}");
}

each_engine!(what_does_not_validate_changes_nothing);
async fn what_does_not_validate_changes_nothing(engine: Engine) {
    let (server, token) = server(engine).await;
    put(&server, &token, &bundle(&[("documents", READ)])).await.expect_status(200);
    let before = server.place().dump().await;
    for (name, body, field, told) in [
        (
            "grammar",
            bundle(&[("documents", READ), ("broken", "permit (principal,\n action resource);")]),
            "broken",
            "line 2",
        ),
        ("an unknown action", bundle(&[("d", "permit (principal, action == Action::\"fly\", resource);")]), "d", "fly"),
        (
            "a type error",
            bundle(&[("d", "permit (principal, action, resource) when { resource.owner > 1 };")]),
            "d",
            "",
        ),
        ("two alike", bundle(&[("a", READ), ("b", READ)]), "b", "everybody-reads"),
        ("the schema", json!({"documents": {}, "schema": "entity ;"}), "schema", "line 1"),
        (
            "the entities",
            json!({"documents": {}, "schema": SCHEMA, "entities": [{"uid": {"type": "ghost", "id": "1"}}]}),
            "entities",
            "ghost",
        ),
    ] {
        let problem: Value = put(&server, &token, &body).await.expect_status(400).json();
        let told_of = problem["errors"][field][0].as_str().unwrap_or_else(|| panic!("{name}: {problem}"));
        assert!(told_of.contains(told), "{name}: {problem}");
    }
    for body in [
        json!({"schema": SCHEMA}),
        json!({"documents": [], "schema": ""}),
        json!({"documents": {}, "version": 7}),
        json!({"documents": {}, "entities": null}),
    ] {
        expect_problem(put(&server, &token, &body).await, 400);
    }
    assert_eq!(server.place().dump().await.keys().collect::<Vec<_>>(), before.keys().collect::<Vec<_>>());
    assert_eq!(server.place().dump().await["policy_versions"], before["policy_versions"]);
    assert!(ask(&server, &token, &may("read", "ada")).await, "what was in force still is");
}

each_engine!(of_two_who_change_the_same_version_one_is_told);
async fn of_two_who_change_the_same_version_one_is_told(engine: Engine) {
    let (server, token) = server(engine).await;
    put(&server, &token, &bundle(&[("documents", READ)])).await.expect_status(200);
    let server = Arc::new(server);
    let answers = at_once(8, |number| {
        let (server, token) = (server.clone(), token.clone());
        async move {
            let body = bundle(&[("documents", READ), (&format!("d{number}"), WRITE)]);
            let call = server.call(Method::PUT, "/policies").bearer(&token).header("if-match", "\"1\"");
            call.json(&body).send().await.status.as_u16()
        }
    })
    .await;
    let count = |status| answers.iter().filter(|answer| **answer == status).count();
    assert_eq!((count(200), count(412)), (1, 7), "{answers:?}");
    let shown: Value = get(&server, "/policies", &token).await.json();
    assert_eq!(shown["version"], 2);
    for bad in ["1", "\"x\"", "*"] {
        let call = server.call(Method::PUT, "/policies").bearer(&token).header("if-match", bad);
        expect_problem(call.json(&bundle(&[])).send().await, 412);
    }
}

each_engine!(a_dry_run_tells_which_decisions_would_differ);
async fn a_dry_run_tells_which_decisions_would_differ(engine: Engine) {
    let (server, token) = server(engine).await;
    let entities = json!([
        {"uid": {"type": "user", "id": "ed"}, "attrs": {"roles": ["editor"], "permissions": []}, "parents": [{"type": "role", "id": "editor"}]},
    ]);
    let mut both = bundle(&[("documents", READ), ("writing", WRITE)]);
    both["entities"] = entities.clone();
    put(&server, &token, &both).await.expect_status(200);
    for (action, subject, allowed) in
        [("read", "ed", true), ("write", "ed", true), ("write", "ed", true), ("write", "ada", false)]
    {
        assert_eq!(ask(&server, &token, &may(action, subject)).await, allowed, "{action} {subject}");
    }
    let dry_run = async |body: &Value| -> Value {
        let call = server.call(Method::POST, "/policies/dry-run").bearer(&token).json(body);
        call.send().await.expect_status(200).json()
    };
    let same = dry_run(&both).await;
    assert_eq!((&same["considered"], &same["differing"]), (&json!(3), &json!(0)), "{same}");

    let mut without = bundle(&[("documents", READ)]);
    without["entities"] = entities;
    let before = server.place().dump().await;
    let run = dry_run(&without).await;
    assert_eq!((&run["considered"], &run["differing"]), (&json!(3), &json!(1)), "{run}");
    let difference = &run["differences"][0];
    assert_eq!(difference["question"]["action"]["name"], "write");
    assert_eq!(difference["question"]["subject"]["id"], "ed");
    assert_eq!(difference["was"], json!({"decision": true, "policies": ["editors-write"]}));
    assert_eq!(difference["would"], json!({"decision": false, "policies": []}));
    assert_eq!(difference["times"], 2);
    assert_eq!(server.place().dump().await, before, "a dry run changes nothing");
    assert!(ask(&server, &token, &may("write", "ed")).await);

    // What does not validate is told, as at publishing.
    let call = server.call(Method::POST, "/policies/dry-run").bearer(&token).json(&bundle(&[("d", "permit")]));
    assert_eq!(call.send().await.expect_status(400).json::<Value>()["errors"]["d"].as_array().map(Vec::len), Some(1));

    // What was asked long ago is forgotten.
    server.advance_seconds(25 * 3600);
    bonafide::server::sweep_once(server.app()).await.expect("a round of the sweeper");
    let token = text(&login(&server, &server.person("second").await).await, "accessToken").to_owned();
    expect_problem(get(&server, "/policies", &token).await, 403);
    assert_eq!(server.place().dump().await["decisions"].len(), 0);
}

each_engine!(what_one_node_publishes_decides_on_another_within_a_second);
async fn what_one_node_publishes_decides_on_another_within_a_second(engine: Engine) {
    let (server, token) = server(engine).await;
    let other = server.second_node().await;
    let wire = other.wire();
    let allowed = || async {
        let call = wire.call(Method::POST, "/access/v1/evaluation").bearer(&token).json(&may("read", "ada"));
        call.send().await.expect_status(200).json::<Value>()["decision"] == true
    };
    assert!(!allowed().await);
    put(&server, &token, &bundle(&[("documents", READ)])).await.expect_status(200);
    within_a_second("what was published", allowed).await;
    put(&server, &token, &bundle(&[("writing", WRITE)])).await.expect_status(200);
    within_a_second("what was taken back", || async { !allowed().await }).await;
}

/// Writes a folder of policies.
fn write(folder: &Path, files: &[(&str, &str)]) {
    fs::create_dir_all(folder).expect("a folder");
    for (name, text) in files {
        fs::write(folder.join(name), text).expect("a file");
    }
}

each_engine!(a_folder_is_published_when_a_server_starts_and_when_it_changes);
async fn a_folder_is_published_when_a_server_starts_and_when_it_changes(engine: Engine) {
    let kept = TempDir::new().expect("a folder");
    let folder = kept.path();
    let dir = folder.display().to_string();
    let settings = [("policies.dir", dir.as_str())];
    write(
        folder,
        &[("documents.cedar", READ), ("house.cedarschema", SCHEMA), ("README.md", "not ours"), (".swp.cedar", "x")],
    );
    let mut binary = Binary::with(engine, &settings).await;
    let shown = async |binary: &Binary| binary.place().cli(&["policy", "show", "--json"]).await.json::<Value>();
    let first = shown(&binary).await;
    assert_eq!((&first["version"], &first["source"]), (&json!(1), &json!("files")));
    assert_eq!(first["documents"], json!({"documents": READ}));

    // What does not do is reported, and changes nothing.
    write(folder, &[("broken.cedar", "permit (")]);
    binary.expect_log("the folder of policies does not do").await;
    assert_eq!(shown(&binary).await["version"], 1);
    let refused = binary.place().cli(&["policy", "check", &dir]).await.expect_code(1);
    assert!(refused.stderr.contains("broken, line 1"), "{refused}");

    write(folder, &[("broken.cedar", WRITE)]);
    within_seconds(async || shown(&binary).await["version"] == 2).await;

    // Another version by command stays in force through a restart: the folder has said what it says.
    let restored = binary.place().cli(&["policy", "restore", "1", "--json"]).await.json::<Value>();
    assert_eq!(restored, json!({"version": 3, "new": true}));
    binary.terminate().await;
    binary.start_again().await;
    assert_eq!(shown(&binary).await["version"], 3);
    binary.terminate().await;

    // A server does not start with a folder that does not do: exit code 2, and where it is wrong.
    write(folder, &[("broken.cedar", "permit (principal, action, resource) when { nonsense };")]);
    let refused = binary.place().cli(&["serve"]).await.expect_code(2);
    assert!(refused.stderr.contains("policies.dir") && refused.stderr.contains("broken"), "{refused}");
    let findings = binary.place().cli(&["doctor", "--json"]).await;
    let findings: Vec<Value> = serde_json::from_str(&findings.stdout).expect("findings");
    let policies = findings.iter().find(|finding| finding["check"] == "policies").expect("a finding");
    assert_eq!(policies["ok"], false, "{policies}");
}

/// Waits for what happens within a few seconds.
async fn within_seconds(holds: impl AsyncFn() -> bool) {
    for _ in 0..100 {
        if holds().await {
            return;
        }
        tokio::time::sleep(std::time::Duration::from_millis(100)).await;
    }
    panic!("did not happen within ten seconds");
}

each_engine!(the_command_line_checks_tries_and_publishes);
async fn the_command_line_checks_tries_and_publishes(engine: Engine) {
    let place = Place::prepared(engine, &[]).await;
    let folder = place.path().join("policies");
    let dir = folder.display().to_string();
    write(&folder, &[("documents.cedar", READ), ("house.cedarschema", SCHEMA)]);
    assert_eq!(place.cli(&["policy", "show", "--json"]).await.json::<Value>(), json!({"version": 0}));
    assert_eq!(place.cli(&["policy", "check", &dir, "--json"]).await.json::<Value>()["policies"], 1);
    let run = place.cli(&["policy", "dry-run", &dir, "--json"]).await.json::<Value>();
    assert_eq!(run, json!({"considered": 0, "differing": 0, "differences": []}));
    let published = place.cli(&["policy", "publish", &dir, "--note", "first", "--json"]).await.json::<Value>();
    assert_eq!(published, json!({"version": 1, "new": true}));
    write(&folder, &[("writing.cedar", WRITE)]);
    let moved = place.cli(&["policy", "publish", &dir, "--expect", "7"]).await.expect_code(1);
    assert!(moved.stderr.contains("version 1 is in force"), "{moved}");
    place.cli(&["policy", "publish", &dir, "--expect", "1"]).await.expect_success();
    let versions = place.cli(&["policy", "versions", "--json"]).await.json::<Vec<Value>>();
    assert_eq!(versions.iter().map(|one| one["version"].as_i64()).collect::<Vec<_>>(), [Some(2), Some(1)]);
    assert_eq!(versions[1]["note"], "first");
    let unknown = place.cli(&["policy", "restore", "9"]).await.expect_code(1);
    assert!(unknown.stderr.contains("bonafide policy versions"), "{unknown}");

    // A second schema, entities that are none, a folder that is not there: named.
    write(&folder, &[("more.cedarschema", "")]);
    assert!(place.cli(&["policy", "check", &dir]).await.expect_code(1).stderr.contains("more.cedarschema"));
    fs::remove_file(folder.join("more.cedarschema")).expect("removing a file");
    write(&folder, &[("entities.json", "{}")]);
    assert!(place.cli(&["policy", "check", &dir]).await.expect_code(1).stderr.contains("entities.json"));
    assert!(place.cli(&["policy", "check", "nowhere"]).await.expect_code(1).stderr.contains("nowhere"));
}
