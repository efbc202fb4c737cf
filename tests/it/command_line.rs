//! The command line: what it prints for programs, what it says when it refuses, and that running servers follow it.

use std::fs;

use serde_json::{Value, json};

use crate::{
    engines::{can_sign_in, client_credentials, service, within_a_second},
    support::{Application, Binary, CliOutput, ClientAuth, Engine, Flow, Place, Stub, TestServer, web_application},
};

const PASSWORD: &str = "plum violin 42 harbour";

/// A failure with this code that says what to do about it, on stderr alone.
#[track_caller]
fn expect_failure(output: CliOutput, code: i32, hint: &str) {
    let output = output.expect_code(code);
    assert_eq!(output.stdout, "", "{output}");
    assert!(output.stderr.contains(hint), "{hint:?} is not in: {output}");
}

each_engine!(people);
async fn people(engine: Engine) {
    let place = Place::prepared(engine, &[]).await;
    let create =
        ["user", "create", "--email", "Ada@Example.org", "--username", "ada", "--name", "Ada", "--password-stdin"];
    let ada: Value = place
        .cli_with_input(&[&create[..], &["--role", "admin", "--json"]].concat(), "plum violin 42 harbour\n")
        .await
        .json();
    let id = ada["id"].as_str().expect("an id").to_owned();
    assert_eq!(uuid::Uuid::parse_str(&id).expect("a UUID").get_version_num(), 7);
    assert_eq!((&ada["username"], &ada["name"], &ada["roles"]), (&json!("ada"), &json!("Ada"), &json!(["admin"])));
    assert!(ada.get("password").is_none() && ada.get("password_hash").is_none(), "{ada:#?}");

    let listed: Vec<Value> = place.cli(&["user", "list", "--json"]).await.json();
    assert_eq!(listed, std::slice::from_ref(&ada));
    for name in [id.as_str(), "ada", "ada@example.org"] {
        assert_eq!(place.cli(&["user", "show", name, "--json"]).await.json::<Value>(), ada, "{name}");
    }
    let said = place.cli(&["user", "show", "ada"]).await.expect_success();
    assert!(said.stdout.contains(&id), "{said}");

    let after: Value = place.cli(&["user", "grant", "editor", "ada", "--json"]).await.json();
    assert_eq!(after["roles"], json!(["admin", "editor"]));
    let after: Value = place.cli(&["user", "revoke", "admin", "ada", "--json"]).await.json();
    assert_eq!(after["roles"], json!(["editor"]));
    assert_eq!(place.cli(&["user", "disable", "ada", "--json"]).await.json::<Value>()["disabled"], true);
    assert_eq!(place.cli(&["user", "enable", "ada", "--json"]).await.json::<Value>()["disabled"], false);

    let before = place.dump().await;
    expect_failure(place.cli_with_input(&create, PASSWORD).await, 1, "");
    expect_failure(place.cli(&["user", "show", "nobody"]).await, 1, "bonafide user list");
    expect_failure(place.cli(&["user", "grant", "Not A Role", "ada"]).await, 2, "is not a role");
    expect_failure(place.cli(&["user", "set-password", "ada"]).await, 2, "--password-stdin");
    expect_failure(place.cli_with_input(&["user", "set-password", "ada", "--password-stdin"], "short").await, 1, "8");
    expect_failure(place.cli(&["user", "create", "--emial", "x"]).await, 2, "--email");
    place.dump().await.expect_same_as(&before);

    place.cli(&["user", "delete", "ada", "--now", "--json"]).await.json::<Value>();
    assert_eq!(place.cli(&["user", "list", "--json"]).await.json::<Value>(), json!([]));
}

each_engine!(applications);
async fn applications(engine: Engine) {
    let place = Place::prepared(engine, &[]).await;
    let create =
        ["client", "create", "--name", "Shop", "--redirect-uri", "https://shop.example/callback", "--id", "shop"];
    let shop: Value = place.cli(&[&create[..], &["--json"]].concat()).await.json();
    let secret = shop["client_secret"].as_str().expect("a secret").to_owned();
    assert!(secret.len() >= 43 && secret.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-_".contains(&byte)));
    assert_eq!(shop["client_id"], "shop");
    assert_eq!(shop["client_name"], "Shop");
    assert_eq!(shop["redirect_uris"], json!(["https://shop.example/callback"]));
    assert_eq!(shop["grant_types"], json!(["authorization_code", "refresh_token"]));
    assert_eq!(shop["token_endpoint_auth_method"], "client_secret_basic");
    assert_eq!(shop["pkce"], "required");

    let listed: Vec<Value> = place.cli(&["client", "list", "--json"]).await.json();
    let shown: Value = place.cli(&["client", "show", "shop", "--json"]).await.json();
    // Beside the one that the first start makes for JSON sign-in.
    assert_eq!(listed.iter().map(|one| &one["client_id"]).collect::<Vec<_>>(), ["credentials", "shop"]);
    assert_eq!(listed[1], shown);
    assert!(shown.get("client_secret").is_none(), "{shown:#?}");
    for arguments in [&["client", "show", "shop"][..], &["client", "list"], &["client", "list", "--json"]] {
        let said = place.cli(arguments).await.expect_success();
        assert!(!said.to_string().contains(&secret), "{said}");
    }
    let updated: Value = place.cli(&["client", "update", "shop", "--name", "The Shop", "--json"]).await.json();
    assert_eq!(updated["client_name"], "The Shop");
    assert_eq!(updated["redirect_uris"], shop["redirect_uris"], "what is not named stays");

    // Alone on stdout with --quiet, once, and never in what is logged.
    let quiet = [
        "client",
        "create",
        "--name",
        "Quiet",
        "--redirect-uri",
        "https://q.example/",
        "--quiet",
        "--set",
        "log.level=trace",
    ];
    for arguments in [&quiet[..], &["client", "rotate-secret", "shop", "--quiet", "--set", "log.level=trace"]] {
        let said = place.cli(arguments).await.expect_success();
        let alone = said.stdout.strip_suffix('\n').expect("a line").to_owned();
        assert!(alone.len() >= 43 && !alone.contains(char::is_whitespace), "{said}");
        assert_ne!(alone, secret);
        assert!(!said.stderr.contains(&alone), "the log holds the secret");
    }
    let public: Value = place
        .cli(&["client", "create", "--name", "App", "--public", "--redirect-uri", "com.example.app:/cb", "--json"])
        .await
        .json();
    assert!(public.get("client_secret").is_none() && public["token_endpoint_auth_method"] == "none", "{public:#?}");
    let registration = r#"{"client_name": "From", "redirect_uris": ["https://from.example/"], "contacts": ["x@y"]}"#;
    let from = place.cli_with_input(&["client", "create", "--from", "-", "--json"], registration).await;
    assert!(from.stderr.contains("contacts"), "{from}");
    assert_eq!(from.json::<Value>()["client_name"], "From");

    let before = place.dump().await;
    expect_failure(place.cli(&create).await, 1, "bonafide client update");
    expect_failure(place.cli(&["client", "show", "nobody"]).await, 1, "bonafide client list");
    expect_failure(place.cli(&["client", "update", "nobody", "--name", "x"]).await, 1, "bonafide client list");
    expect_failure(place.cli(&["client", "delete", "nobody"]).await, 1, "bonafide client list");
    expect_failure(place.cli(&["client", "rotate-secret", public["client_id"].as_str().unwrap()]).await, 1, "public");
    let redirect = |uri| ["client", "create", "--name", "x", "--redirect-uri", uri];
    for bad in ["http://shop.example/cb", "https://shop.example/#f", "javascript:alert(1)", "/relative"] {
        let output = place.cli(&redirect(bad)).await;
        assert!(!output.status.success() && output.stderr.contains("redirect"), "{bad}: {output}");
    }
    place.dump().await.expect_same_as(&before);
    place.cli(&["client", "delete", "shop", "--json"]).await.json::<Value>();
    expect_failure(place.cli(&["client", "show", "shop"]).await, 1, "bonafide client list");
}

each_engine!(resource_servers);
async fn resource_servers(engine: Engine) {
    let place = Place::prepared(engine, &[]).await;
    let audience = "https://api.example";
    let create = ["api", "create", "--audience", audience, "--name", "Orders", "--scope", "orders:read"];
    let api: Value = place.cli(&[&create[..], &["--lifetime", "5m", "--json"]].concat()).await.json();
    assert_eq!((&api["audience"], &api["name"]), (&json!(audience), &json!("Orders")));
    assert_eq!(api["scopes"], json!(["orders:read"]));
    assert_eq!(place.cli(&["api", "list", "--json"]).await.json::<Value>(), json!([api]));
    assert_eq!(place.cli(&["api", "show", "--audience", audience, "--json"]).await.json::<Value>(), api);
    let update =
        ["api", "update", "--audience", audience, "--scope", "orders:read", "--scope", "orders:write", "--json"];
    let updated: Value = place.cli(&update).await.json();
    assert_eq!(updated["scopes"], json!(["orders:read", "orders:write"]));
    assert_eq!(updated["name"], "Orders");
    expect_failure(place.cli(&create).await, 1, "bonafide api update");
    expect_failure(place.cli(&["api", "show", "--audience", "https://other.example"]).await, 1, "bonafide api list");
    place
        .cli(&["client", "create", "--name", "W", "--grant", "client_credentials", "--api", audience, "--id", "w"])
        .await
        .expect_success();
    expect_failure(place.cli(&["api", "delete", "--audience", audience]).await, 1, "default of a client");
    place.cli(&["client", "delete", "w"]).await.expect_success();
    place.cli(&["api", "delete", "--audience", audience]).await.expect_success();
    assert_eq!(place.cli(&["api", "list", "--json"]).await.json::<Value>(), json!([]));
}

each_engine!(formats_of_access_tokens);
async fn formats_of_access_tokens(engine: Engine) {
    let place = Place::prepared(engine, &[]).await;
    let audience = "https://api.example";
    let api: Value =
        place.cli(&["api", "create", "--audience", audience, "--token-format", "opaque", "--json"]).await.json();
    assert_eq!(api["token_format"], "opaque");
    assert_eq!(place.cli(&["api", "show", audience, "--json"]).await.json::<Value>(), api);
    for said in [place.cli(&["api", "list"]).await, place.cli(&["api", "show", audience]).await] {
        assert!(said.stdout.contains("opaque"), "{said}");
    }
    let create = ["client", "create", "--name", "W", "--grant", "client_credentials", "--id", "w", "--json"];
    let client: Value =
        place.cli(&[&create[..], &["--token-format", "opaque", "--introspects", audience]].concat()).await.json();
    assert_eq!((&client["token_format"], &client["introspects"]), (&json!("opaque"), &json!([audience])));
    assert_eq!(place.cli(&["client", "show", "w", "--json"]).await.json::<Value>()["token_format"], "opaque");
    let file = place.path().join("clients.toml");
    let text = IMPORT.replace("client_id = \"worker\"", "client_id = \"worker\"\ntoken_format = \"opaque\"");
    fs::write(&file, text.replace("scopes = [", "token_format = \"opaque\"\nscopes = [")).expect("a file");
    place.cli(&["client", "import", &file.display().to_string()]).await.expect_success();
    assert_eq!(place.cli(&["client", "show", "worker", "--json"]).await.json::<Value>()["token_format"], "opaque");

    let before = place.dump().await;
    let words = "at+jwt, jwt, opaque";
    expect_failure(place.cli(&["client", "update", "w", "--token-format", "paseto"]).await, 1, words);
    expect_failure(place.cli(&["api", "update", audience, "--token-format", "OPAQUE"]).await, 1, words);
    place.dump().await.expect_same_as(&before);
    for (given, expected) in [("at+jwt", json!("at+jwt")), ("jwt", json!("jwt")), ("", Value::Null)] {
        let updated: Value = place.cli(&["client", "update", "w", "--token-format", given, "--json"]).await.json();
        assert_eq!(updated["token_format"], expected);
    }
}

const IMPORT: &str = r#"
[[api]]
audience = "https://api.example"
scopes = ["orders:read"]

[[client]]
client_id = "shop"
client_name = "Shop"
redirect_uris = ["https://shop.example/callback"]
client_secret = "an-operators-own-secret-of-32-characters"

[[client]]
client_id = "worker"
client_name = "Worker"
grant_types = ["client_credentials"]
api = "https://api.example"
"#;

each_engine!(an_import_says_what_it_did_and_is_all_or_nothing);
async fn an_import_says_what_it_did_and_is_all_or_nothing(engine: Engine) {
    let place = Place::prepared(engine, &[]).await;
    let file = place.path().join("clients.toml").display().to_string();
    let import = || async { place.cli(&["client", "import", &file, "--json"]).await };
    let outcomes = |report: &Vec<Value>| -> Vec<String> {
        report
            .iter()
            .map(|line| {
                let id = line.get("client_id").or(line.get("audience")).unwrap();
                format!("{} {}", id.as_str().unwrap(), line["outcome"].as_str().unwrap())
            })
            .collect()
    };

    fs::write(&file, IMPORT).expect("writing");
    let first: Vec<Value> = import().await.json();
    assert_eq!(outcomes(&first), ["https://api.example created", "shop created", "worker created"]);
    assert!(first[2]["client_secret"].is_string() && first[1].get("client_secret").is_none(), "{first:#?}");
    let before = place.dump().await;
    let again: Vec<Value> = import().await.json();
    assert_eq!(outcomes(&again), ["https://api.example unchanged", "shop unchanged", "worker unchanged"]);
    place.dump().await.expect_same_as(&before);

    fs::write(&file, IMPORT.replace("\"Shop\"", "\"The Shop\"")).expect("writing");
    let changed: Vec<Value> = import().await.json();
    assert_eq!(outcomes(&changed)[1], "shop updated");
    assert_eq!(changed[1]["changed"], json!(["client_name"]));
    assert_eq!(outcomes(&changed)[2], "worker unchanged");

    let before = place.dump().await;
    let bad = [
        ("redirect_uris = [\"https://shop.example/callback\"]", "redirect_uris = [\"http://shop.example/callback\"]"),
        ("grant_types = [\"client_credentials\"]", "grant_types = [\"password\"]"),
        ("client_id = \"worker\"", "client_id = \"worker\"\nredirect_urls = [\"https://x.example\"]"),
        ("api = \"https://api.example\"", "api = \"https://unknown.example\""),
        ("an-operators-own-secret-of-32-characters", "short"),
        ("[[client]]", "[[clients]]"),
    ];
    for (right, wrong) in bad {
        // The first entry changes, so that a half-done import would show.
        let text = IMPORT.replace("\"orders:read\"", "\"orders:read\", \"orders:write\"").replacen(right, wrong, 1);
        fs::write(&file, text).expect("writing");
        let output = import().await;
        assert!(!output.status.success(), "{wrong}: {output}");
        assert!(output.stderr.contains("nothing was imported") && output.stderr.contains(&file), "{wrong}: {output}");
        place.dump().await.expect_same_as(&before);
    }
}

const ROLES: &str = r#"
[[user]]
username = "ada"
roles = ["editor"]

[[roles]]
name = "editor"
description = "Writes"
permissions = ["posts:write", "users:read"]

[[permissions]]
name = "posts:write"
description = "Write posts"

[[permissions]]
name = "posts:publish"
"#;

each_engine!(permissions_and_roles_are_imported_before_the_people_who_hold_them);
async fn permissions_and_roles_are_imported_before_the_people_who_hold_them(engine: Engine) {
    let place = Place::prepared(engine, &[]).await;
    let file = place.path().join("roles.toml").display().to_string();
    let import = async |text: &str| {
        fs::write(&file, text).expect("writing");
        place.cli(&["import", &file, "--json"]).await
    };
    let outcomes = |report: &[Value]| -> Vec<String> {
        let name =
            |line: &Value| ["permission", "role"].iter().find_map(|kind| line[*kind].as_str()).map(str::to_owned);
        let lines =
            report.iter().map(|line| (name(line).unwrap_or("ada".to_owned()), line["outcome"].as_str().unwrap()));
        lines.map(|(name, outcome)| format!("{name} {outcome}")).collect()
    };

    let first: Vec<Value> = import(ROLES).await.json();
    let wanted = ["posts:write created", "posts:publish created", "editor created", "ada created"];
    assert_eq!(outcomes(&first), wanted);
    let role: Value = place.cli(&["role", "show", "editor", "--json"]).await.json();
    let editor = json!({"name": "editor", "description": "Writes", "permissions": ["posts:write", "users:read"]});
    assert_eq!(role, editor);
    let shown: Value = place.cli(&["user", "show", "ada", "--json"]).await.json();
    assert_eq!(shown["roles"], json!(["editor"]));
    let before = place.dump().await;
    let again: Vec<Value> = import(ROLES).await.json();
    assert!(again.iter().all(|line| line["outcome"] == "unchanged"), "{again:#?}");
    // The order of the list says nothing.
    let turned = ROLES.replace("\"posts:write\", \"users:read\"", "\"users:read\", \"posts:write\"");
    let again: Vec<Value> = import(&turned).await.json();
    assert!(again.iter().all(|line| line["outcome"] == "unchanged"), "{again:#?}");
    place.dump().await.expect_same_as(&before);

    let other = ROLES.replace("\"posts:write\", \"users", "\"posts:publish\", \"users").replace("Write posts", "Write");
    let changed: Vec<Value> = import(&other).await.json();
    let members: Vec<&Value> = changed.iter().map(|line| &line["changed"]).collect();
    assert_eq!(members, [&json!(["description"]), &json!([]), &json!(["permissions"]), &json!([])]);
    // What is not said stays.
    let said = import("[[roles]]\nname = 'editor'\ndescription = 'Reads'\n").await.expect_success();
    let said: Vec<Value> = said.json();
    assert_eq!(said[0]["changed"], json!(["description"]));
    let role: Value = place.cli(&["role", "show", "editor", "--json"]).await.json();
    assert_eq!(
        (&role["permissions"], &role["description"]),
        (&json!(["posts:publish", "users:read"]), &json!("Reads"))
    );

    let before = place.dump().await;
    for (right, wrong, hint) in [
        ("\"users:read\"]", "\"posts:read\"]", "role editor: there is no permission posts:read"),
        ("name = \"editor\"", "name = \"admin\"", "role admin: admin is built in"),
        ("name = \"editor\"", "name = \"Editor\"", "role Editor: "),
        ("name = \"posts:publish\"", "name = \"users:write\"", "permission users:write: users:write is built in"),
        ("name = \"posts:publish\"", "name = \"posts:write\"", "permission posts:write: is there twice"),
        ("description = \"Writes\"", "title = \"Writes\"", "role editor: title: there is no such member"),
        ("username = \"ada\"", "username = \"ada\"\nshoe_size = 42", "user ada: shoe_size: "),
    ] {
        let output = import(&ROLES.replacen(right, wrong, 1)).await.expect_code(1);
        assert!(output.stderr.contains(hint) && output.stderr.contains("nothing was imported"), "{hint}: {output}");
        place.dump().await.expect_same_as(&before);
    }
    let output = place.cli(&["user", "import", &file]).await.expect_code(1);
    assert!(output.stderr.contains("a file has [[user]] tables only"), "{output}");
}

each_engine!(changes_are_in_force_within_a_second);
async fn changes_are_in_force_within_a_second(engine: Engine) {
    let binary = Binary::start(engine).await;
    let wire = binary.wire();
    let status = |client: &Application, fields: Vec<(&'static str, &'static str)>| {
        let (client, wire) = (client.clone(), wire.clone());
        async move {
            let fields = [&[("grant_type", "client_credentials")], &fields[..]].concat();
            client.post(wire.call(reqwest::Method::POST, "/token"), &fields).await.status.as_u16()
        }
    };
    let client = binary.application(&service()).await;
    within_a_second("a client created", || async { status(&client, vec![]).await == 200 }).await;

    binary
        .cli(&["api", "create", "--audience", "https://api.example", "--scope", "orders:read"])
        .await
        .expect_success();
    binary.cli(&["client", "update", &client.id, "--api", "https://api.example"]).await.expect_success();
    within_a_second("an API created, a client updated", || async {
        let answer = client_credentials(&wire, &client).await.expect_status(200);
        crate::support::Tokens::claims(answer.json::<Value>()["access_token"].as_str().unwrap())["aud"]
            == "https://api.example"
    })
    .await;

    let fresh = binary.cli(&["client", "rotate-secret", &client.id, "--quiet"]).await.expect_success();
    let rotated = client.with_auth(ClientAuth::Basic(fresh.stdout.trim_end().to_owned()));
    within_a_second("the new secret", || async { status(&rotated, vec![]).await == 200 }).await;
    assert_eq!(status(&client, vec![]).await, 401, "the old secret is dead");

    binary.cli(&["client", "disable", &client.id]).await.expect_success();
    within_a_second("a client disabled", || async { status(&rotated, vec![]).await == 401 }).await;
    binary.cli(&["client", "enable", &client.id]).await.expect_success();
    within_a_second("a client enabled", || async { status(&rotated, vec![]).await == 200 }).await;
    binary.cli(&["client", "delete", &client.id]).await.expect_success();
    within_a_second("a client deleted", || async { status(&rotated, vec![]).await == 401 }).await;
}

each_engine!(what_is_changed_about_a_person_is_in_force_at_once);
async fn what_is_changed_about_a_person_is_in_force_at_once(engine: Engine) {
    let binary = Binary::start(engine).await;
    let mut person = binary.person("ada").await;
    let application = binary.application(&web_application()).await;
    let flow = Flow::new(&application);
    let tokens = flow.tokens(&binary.wire(), &mut binary.browser(), &person).await;
    let userinfo = || async {
        binary
            .wire()
            .call(reqwest::Method::GET, "/userinfo")
            .bearer(&tokens.access_token())
            .send()
            .await
            .status
            .as_u16()
    };
    assert_eq!(userinfo().await, 200);
    binary.cli(&["user", "disable", "ada"]).await.expect_success();
    assert_eq!(userinfo().await, 401);
    assert!(!can_sign_in(&binary.wire(), &person).await);
    flow.refresh(&binary.wire(), &tokens.refresh_token()).await.0.expect_error(400, "invalid_grant");
    binary.cli(&["user", "enable", "ada"]).await.expect_success();
    assert!(can_sign_in(&binary.wire(), &person).await);

    let fresh = "quiet otter 17 lantern";
    binary.place().cli_with_input(&["user", "set-password", "ada", "--password-stdin"], fresh).await.expect_success();
    assert!(!can_sign_in(&binary.wire(), &person).await);
    fresh.clone_into(&mut person.password);
    assert!(can_sign_in(&binary.wire(), &person).await);
}

#[tokio::test]
async fn help_has_examples_and_odd_words_are_refused() {
    let place = Place::prepared(Engine::Sqlite, &[]).await;
    for arguments in [&["--help"][..], &["client", "create", "--help"], &["key", "--help"], &["migrate", "--help"]] {
        let said = place.cli(arguments).await.expect_success();
        assert!(said.stdout.contains("Example"), "{said}");
    }
    expect_failure(place.cli(&["nonsense"]).await, 2, "nonsense");
    expect_failure(place.cli(&["key", "rotate", "--alg", "HS256"]).await, 2, "RS256");
}

each_engine!(the_record_is_listed_and_filtered);
async fn the_record_is_listed_and_filtered(engine: Engine) {
    let place = Place::prepared(engine, &[]).await;
    let ada: Value = place
        .cli_with_input(&["user", "create", "--username", "ada", "--password-stdin", "--json"], PASSWORD)
        .await
        .json();
    place.cli(&["user", "grant", "editor", "ada"]).await.expect_success();
    place
        .cli(&["client", "create", "--id", "shop", "--name", "Shop", "--redirect-uri", "https://shop.example/cb"])
        .await
        .expect_success();
    let list = async |arguments: &[&str]| -> Vec<Value> {
        place.cli(&[&["audit", "list", "--json"], arguments].concat()).await.json()
    };
    let kinds = |events: &[Value]| {
        events.iter().map(|event| event["kind"].as_str().expect("a kind").to_owned()).collect::<Vec<_>>()
    };
    let all = list(&[]).await;
    assert_eq!(kinds(&all)[..3], ["client_changed", "role_granted", "user_created"]);
    assert_eq!((&all[1]["detail"], &all[1]["user_id"]), (&json!({"role": "editor"}), &ada["id"]));
    assert!(all[0]["at"].as_str().is_some_and(|at| chrono::DateTime::parse_from_rfc3339(at).is_ok()));
    assert_eq!(kinds(&list(&["--user", "ada"]).await), ["role_granted", "user_created"]);
    assert_eq!(kinds(&list(&["--client", "shop"]).await), ["client_changed"]);
    assert_eq!(
        kinds(&list(&["--kind", "role_granted", "--kind", "client_changed"]).await)[..2],
        ["client_changed", "role_granted"]
    );
    assert_eq!(list(&["--limit", "1"]).await, all[..1]);
    assert_eq!(list(&["--since", "1h"]).await, all);
    for nothing in
        [["--until", "1h"], ["--since", "2999-01-01T00:00:00Z"], ["--address", "192.0.2.1"], ["--request", "x"]]
    {
        assert_eq!(list(&nothing).await, Vec::<Value>::new(), "{nothing:?}");
    }
    // Who is gone stays in the record.
    place.cli(&["user", "delete", "ada", "--now"]).await.expect_success();
    assert_eq!(kinds(&list(&["--user", ada["id"].as_str().expect("an id")]).await)[0], "user_deleted");
    expect_failure(place.cli(&["audit", "list", "--since", "yesterday"]).await, 2, "--since yesterday");
    expect_failure(place.cli(&["audit", "list", "--user", "nobody"]).await, 1, "bonafide user list");
}

each_engine!(other_providers);
/// Declared from a file or standard input, shown without their secrets, and known to a running server within a second.
async fn other_providers(engine: Engine) {
    let stub = Stub::listen().await;
    let server = TestServer::with(engine, &[("outgoing.allow", &stub.address)]).await;
    stub.follow(server.clock());
    let place = server.place();
    let secret = stub.client_secret.as_str();
    assert_eq!(place.cli(&["provider", "list", "--json"]).await.json::<Value>(), json!([]));
    let file = place.path().join("op.toml");
    let text = format!("issuer = {:?}\nclient_id = {:?}\nclient_secret = {secret:?}\n", stub.issuer, stub.client_id);
    fs::write(&file, &text).expect("a file");
    let path = file.display().to_string();
    let made = place.cli(&["provider", "set", "op", &path, "--set", "log.level=trace"]).await.expect_success();
    let callback = format!("{}/providers/op/callback", place.issuer());
    assert!(made.stdout.starts_with("created op\n") && made.stdout.contains(&callback), "{made}");
    let shown: Value = place.cli(&["provider", "show", "op", "--json"]).await.json();
    for (member, value) in [
        ("name", json!("op")),
        ("origin", json!("database")),
        ("issuer", json!(stub.issuer)),
        ("client_id", json!(stub.client_id)),
        ("has_secret", json!(true)),
        ("label", json!("Op")),
        ("callback_url", json!(callback)),
        ("scopes", json!(["openid", "profile", "email"])),
    ] {
        assert_eq!(shown[member], value, "{member}");
    }
    assert!(shown.get("client_secret").is_none(), "{shown}");
    assert_eq!(place.cli(&["provider", "list", "--json"]).await.json::<Value>(), json!([shown]));
    for arguments in [&["provider", "list"][..], &["provider", "show", "op"], &["provider", "show", "op", "--json"]] {
        let said = place.cli(arguments).await.expect_success();
        assert!(said.stdout.contains("op") && !said.to_string().contains(secret), "{said}");
    }
    assert!(!made.to_string().contains(secret), "{made}");
    let claims = json!({"sub": "g1", "email": "grace@example.org", "email_verified": true});
    let sign_in = async || {
        let body = json!({"provider": "op", "idToken": stub.id_token(&stub.client_id, &claims, None)});
        server.call(reqwest::Method::POST, "/auth/oAuthlogin").json(&body).send().await.status
    };
    within_a_second("the provider", || async { sign_in().await == 200 }).await;

    // A secret that is left out stays; what differs is said by its name.
    let less = format!("issuer = {:?}\nclient_id = {:?}\nlabel = 'Corp'\n", stub.issuer, stub.client_id);
    let said = place.cli_with_input(&["provider", "set", "op", "-"], &less).await.expect_success();
    assert_eq!(said.stdout, "updated op: label\n");
    assert_eq!(place.cli(&["provider", "show", "op", "--json"]).await.json::<Value>()["has_secret"], true);

    let before = place.dump().await;
    for (text, hint) in [
        ("client_id = 'a'\nclient_secret = 'b'", "issuer: must be set"),
        // What it was is for nobody else.
        ("client_id = 'a'\nissuer = 'https://elsewhere.example'", "client_secret: must be set"),
        ("clientid = 'a'", "line 1: unknown field `clientid`"),
        ("[providers.op]\nclient_id = 'a'", "unknown field"),
        ("client_secret = 31337", "client_secret: is no text"),
        ("client_secret = 31337hunter", "line 1: is no TOML"),
        ("roles = ['staff']", "is not like GROUP=ROLE"),
    ] {
        let refused = place.cli_with_input(&["provider", "set", "op", "-"], text).await;
        assert!(!refused.to_string().contains("31337"), "{refused}");
        expect_failure(refused, 1, hint);
    }
    expect_failure(place.cli_with_input(&["provider", "set", "Corp", "-"], &text).await, 1, "small letters");
    expect_failure(place.cli_with_input(&["provider", "set", "link", "-"], &text).await, 1, "is a path of ours");
    expect_failure(place.cli(&["provider", "set", "corp", "nowhere.toml"]).await, 1, "nowhere.toml");
    expect_failure(place.cli(&["provider", "show", "corp"]).await, 1, "no provider");
    expect_failure(place.cli(&["provider", "delete", "corp"]).await, 1, "no provider");
    // One of the settings is shown, and changed there.
    let mut settings = vec!["--set".to_owned(), "providers.google.client_id=abc".to_owned()];
    settings.extend(["--set".to_owned(), "providers.google.client_secret=somebodys-secret".to_owned()]);
    let settings: Vec<&str> = settings.iter().map(String::as_str).collect();
    let google = place.cli(&[&["provider", "show", "google", "--json"], &settings[..]].concat()).await;
    assert_eq!(google.json::<Value>()["origin"], "settings");
    assert!(!google.to_string().contains("somebodys-secret"), "{google}");
    let delete = place.cli(&[&["provider", "delete", "google"], &settings[..]].concat()).await;
    expect_failure(delete, 1, "the settings declare this provider");
    place.dump().await.expect_same_as(&before);

    assert_eq!(place.cli(&["provider", "delete", "op"]).await.expect_success().stdout, "deleted op\n");
    within_a_second("its end", || async { sign_in().await == 401 }).await;
}

each_engine!(al_19_linked_accounts);
/// AL-19 on the command line.
async fn al_19_linked_accounts(engine: Engine) {
    let stub = Stub::listen().await;
    let settings = stub.settings("op");
    let settings: Vec<_> = settings.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
    let server = TestServer::with(engine, &settings).await;
    stub.follow(server.clock());
    let place = server.place();
    let link = async |subject: &str| {
        let claims = json!({"sub": subject, "email": "grace@example.org", "email_verified": true});
        let token = stub.id_token(&stub.client_id, &claims, None);
        let app = server.app();
        let (arrival, _) = app.federation.recognise("op", &token, None).await.expect("somebody");
        if subject == "g1" {
            let body = json!({"provider": "op", "idToken": token});
            server.call(reqwest::Method::POST, "/auth/oAuthlogin").json(&body).send().await.expect_status(200);
            return;
        }
        let person = app.accounts.find("grace@example.org").await.expect("a person").id;
        assert!(
            app.accounts.link_to(person, arrival, "Op", &bonafide::audit::Source::default()).await.expect("no fault")
        );
    };
    link("g1").await;
    let listed: Vec<Value> = place.cli(&["user", "links", "grace@example.org", "--json"]).await.json();
    assert_eq!(listed.len(), 1);
    assert_eq!(
        (&listed[0]["provider"], &listed[0]["subject"], &listed[0]["issuer"]),
        (&json!("op"), &json!("g1"), &json!(stub.issuer))
    );
    assert!(listed[0]["linked_at"].is_string() && listed[0]["last_used_at"].is_string(), "{listed:?}");
    let said = place.cli(&["user", "links", "grace@example.org"]).await.expect_success();
    assert!(said.stdout.contains("g1") && said.stdout.contains(&stub.issuer), "{said}");

    let before = place.dump().await;
    expect_failure(place.cli(&["user", "unlink", "grace@example.org", "op"]).await, 1, "set-password");
    expect_failure(place.cli(&["user", "unlink", "grace@example.org", "google"]).await, 1, "user links");
    expect_failure(place.cli(&["user", "unlink", "grace@example.org", "op", "g2"]).await, 1, "user links");
    expect_failure(place.cli(&["user", "unlink", "nobody", "op"]).await, 1, "bonafide user list");
    expect_failure(place.cli(&["user", "links", "nobody"]).await, 1, "bonafide user list");
    place.dump().await.expect_same_as(&before);

    link("-g2").await;
    let gone: Vec<Value> = place.cli(&["user", "unlink", "grace@example.org", "op", "-g2", "--json"]).await.json();
    assert_eq!((gone.len(), &gone[0]["subject"]), (1, &json!("-g2")));
    place
        .cli_with_input(&["user", "set-password", "grace@example.org", "--password-stdin"], PASSWORD)
        .await
        .expect_success();
    let said = place.cli(&["user", "unlink", "grace@example.org", "op"]).await.expect_success();
    assert!(said.stdout.starts_with("unlinked op g1 from grace@example.org"), "{said}");
    assert_eq!(place.cli(&["user", "links", "grace@example.org", "--json"]).await.json::<Value>(), json!([]));
}
