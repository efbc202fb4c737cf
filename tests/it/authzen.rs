//! `AuthZEN`: the published scenario of the interoperability events, and what its endpoints hold out against.

use entity::policy_versions;
use reqwest::Method;
use sea_orm::{ActiveModelTrait as _, ConnectionTrait as _, IntoActiveModel as _};
use serde_json::{Value, json};

use crate::api_accounts::{expect_problem, login, text};
use crate::support::{Answer, Application, Engine, TestServer, made};

const ONE: &str = "/access/v1/evaluation";
const MANY: &str = "/access/v1/evaluations";

const SCHEMA: &str = "
    entity role in [role];
    entity user in [role] { email?: String };
    entity todo { ownerID?: String };
    action can_read_user appliesTo { principal: user, resource: user };
    action can_read_todos, can_create_todo, can_update_todo, can_delete_todo appliesTo { principal: user, resource: todo };
";

const READ: &str = "
    permit(principal in role::\"viewer\", action in [Action::\"can_read_user\", Action::\"can_read_todos\"], resource);
";
const WRITE: &str = "
    @id(\"create\") permit(principal in role::\"editor\", action == Action::\"can_create_todo\", resource);
    @id(\"own\") permit(
        principal in role::\"editor\",
        action in [Action::\"can_update_todo\", Action::\"can_delete_todo\"],
        resource is todo
    ) when { principal has email && resource has ownerID && resource.ownerID == principal.email };
    @id(\"admin\") permit(principal in role::\"admin\", action == Action::\"can_delete_todo\", resource);
    @id(\"genius\") permit(principal in role::\"evil_genius\", action == Action::\"can_update_todo\", resource);
";

/// Id, address, roles.
const USERS: [(&str, &str, &[&str]); 5] = [
    ("CiRmZDA2MTRkMy1jMzlhLTQ3ODEtYjdiZC04Yjk2ZjVhNTEwMGQSBWxvY2Fs", "rick@the-citadel.com", &["admin", "evil_genius"]),
    ("CiRmZDE2MTRkMy1jMzlhLTQ3ODEtYjdiZC04Yjk2ZjVhNTEwMGQSBWxvY2Fs", "morty@the-citadel.com", &["editor"]),
    ("CiRmZDI2MTRkMy1jMzlhLTQ3ODEtYjdiZC04Yjk2ZjVhNTEwMGQSBWxvY2Fs", "summer@the-smiths.com", &["editor"]),
    ("CiRmZDM2MTRkMy1jMzlhLTQ3ODEtYjdiZC04Yjk2ZjVhNTEwMGQSBWxvY2Fs", "beth@the-smiths.com", &["viewer"]),
    ("CiRmZDQ2MTRkMy1jMzlhLTQ3ODEtYjdiZC04Yjk2ZjVhNTEwMGQSBWxvY2Fs", "jerry@the-smiths.com", &["viewer"]),
];

fn entities() -> Value {
    let uid = |kind: &str, id: &str| json!({"type": kind, "id": id});
    let mut all: Vec<Value> = USERS
        .iter()
        .map(|(id, email, roles)| {
            let parents: Vec<Value> = roles.iter().map(|role| uid("role", role)).collect();
            json!({"uid": uid("user", id), "attrs": {"email": email}, "parents": parents})
        })
        .collect();
    for (role, above) in [("admin", "editor"), ("evil_genius", "editor"), ("editor", "viewer")] {
        all.push(json!({"uid": uid("role", role), "parents": [uid("role", above)]}));
    }
    json!(all)
}

async fn publish(server: &TestServer, version: i64, documents: &Value, schema: &str, entities: &Value) {
    let row = policy_versions::Model {
        version,
        source: "command".to_owned(),
        documents: documents.to_string(),
        schema: schema.to_owned(),
        entities: entities.to_string(),
        hash: vec![0; 32],
        note: String::new(),
        published_by: None,
        published_at: server.now().timestamp_millis(),
    };
    row.into_active_model().insert(server.database().await).await.expect("a version");
    server.app().reload().await.expect("reading it again");
}

async fn publish_todo(server: &TestServer) {
    publish(server, 1, &json!({"read": READ, "write": WRITE}), SCHEMA, &entities()).await;
}

/// A service account that holds these permissions.
async fn pep(server: &TestServer, permissions: &[&str]) -> Application {
    let client = made::client(server, made::service()).await;
    let (database, role) = (server.database().await, format!("role-{}", client.id));
    let mut rows = vec![
        format!("INSERT INTO roles (name, description, created_at, updated_at) VALUES ('{role}', '', 0, 0)"),
        format!("INSERT INTO client_roles (client_id, role) VALUES ('{}', '{role}')", client.id),
    ];
    for permission in permissions {
        rows.push(format!("INSERT INTO role_permissions (role, permission) VALUES ('{role}', '{permission}')"));
    }
    for sql in rows {
        database.execute_unprepared(&sql).await.unwrap_or_else(|error| panic!("{sql}: {error}"));
    }
    server.app().reload().await.expect("reading it again");
    client
}

async fn ask(server: &TestServer, pep: &Application, path: &str, body: &Value) -> Answer {
    server.call(Method::POST, path).basic(&pep.id, pep.secret()).json(body).send().await
}

fn question(user: &str, action: &str, kind: &str, id: &str, owner: Option<&str>) -> Value {
    let mut resource = json!({"type": kind, "id": id});
    if let Some(owner) = owner {
        resource["properties"] = json!({"ownerID": owner});
    }
    json!({"subject": {"type": "user", "id": user}, "action": {"name": action}, "resource": resource})
}

/// The eight questions about a user, with the answers of the event.
fn published(number: usize) -> Vec<(Value, bool)> {
    let (id, email, roles) = USERS[number];
    let (reads, writes, is_rick) = (true, roles != ["viewer"], number == 0);
    let own = if is_rick { USERS[1].1 } else { email };
    let todo = "7240d0db-8ff0-41ec-98b2-34a096273b9f";
    let rick = Some(USERS[0].1);
    vec![
        (question(id, "can_read_user", "user", "beth@the-smiths.com", None), reads),
        (question(id, "can_read_user", "user", email, None), reads),
        (question(id, "can_read_todos", "todo", "todo-1", None), reads),
        (question(id, "can_create_todo", "todo", "todo-1", None), writes),
        (question(id, "can_update_todo", "todo", todo, rick), is_rick),
        (question(id, "can_update_todo", "todo", todo, Some(own)), writes),
        (question(id, "can_delete_todo", "todo", todo, rick), is_rick),
        (question(id, "can_delete_todo", "todo", todo, Some(own)), writes),
    ]
}

both_engines!(the_todo_scenario);
/// All forty decisions of the published scenario, one by one and by batch.
async fn the_todo_scenario(server: TestServer) {
    publish_todo(&server).await;
    let pep = pep(&server, &["access:evaluate"]).await;
    let mut count = 0;
    for number in 0..USERS.len() {
        for (question, wanted) in published(number) {
            let answer = ask(&server, &pep, ONE, &question).await.expect_status(200);
            assert_eq!(answer.header("cache-control"), "no-store");
            assert_eq!(answer.json::<Value>(), json!({"decision": wanted}), "{question}");
            count += 1;
        }
        let (questions, wanted): (Vec<_>, Vec<_>) = published(number).into_iter().unzip();
        let answer = ask(&server, &pep, MANY, &json!({"evaluations": questions})).await.expect_status(200);
        let wanted: Vec<Value> = wanted.iter().map(|wanted| json!({"decision": wanted})).collect();
        assert_eq!(answer.json::<Value>(), json!({"evaluations": wanted}));
    }
    assert_eq!(count, 40);
}

both_engines!(a_batch_has_defaults_and_an_order);
async fn a_batch_has_defaults_and_an_order(server: TestServer) {
    publish_todo(&server).await;
    let pep = pep(&server, &["access:evaluate"]).await;
    let batch = |semantic: &str| {
        json!({
            "subject": {"type": "user", "id": USERS[1].0},
            "resource": {"type": "todo", "id": "1", "properties": {"ownerID": USERS[0].1}},
            "action": {"name": "can_read_todos"},
            "options": {"evaluations_semantic": semantic, "more": 1},
            "evaluations": [
                {},
                {"action": {"name": "can_update_todo"}},
                {"subject": {"type": "user"}},
                {"action": {"name": "can_create_todo"}, "unknown": true},
            ],
        })
    };
    let decisions = |answer: &Answer| -> Vec<bool> {
        let answer: Value = answer.json();
        let all = answer["evaluations"].as_array().expect("a list");
        all.iter().map(|answer| answer["decision"].as_bool().expect("a decision")).collect()
    };
    for (semantic, wanted) in [
        ("execute_all", vec![true, false, false, true]),
        ("deny_on_first_deny", vec![true, false]),
        ("permit_on_first_permit", vec![true]),
    ] {
        let answer = ask(&server, &pep, MANY, &batch(semantic)).await.expect_status(200);
        assert_eq!(decisions(&answer), wanted, "{semantic}");
    }
    let answer: Value = ask(&server, &pep, MANY, &batch("execute_all")).await.json();
    assert_eq!(
        answer["evaluations"][2]["context"]["error"],
        json!({"status": 400, "message": "subject.id is missing"})
    );
    expect_problem(ask(&server, &pep, MANY, &batch("sometimes")).await, 400);

    let mut alone = batch("execute_all");
    for evaluations in [json!([]), Value::Null] {
        alone["evaluations"] = evaluations;
        let answer = ask(&server, &pep, MANY, &alone).await.expect_status(200);
        assert_eq!(answer.json::<Value>(), json!({"decision": true}));
    }
    alone["evaluations"] = json!(vec![json!({}); 200]);
    assert_eq!(decisions(&ask(&server, &pep, MANY, &alone).await.expect_status(200)), vec![true; 200]);
    alone["evaluations"] = json!(vec![json!({}); 201]);
    expect_problem(ask(&server, &pep, MANY, &alone).await, 400);
    alone["evaluations"] = json!([1]);
    let answer: Value = ask(&server, &pep, MANY, &alone).await.expect_status(200).json();
    assert_eq!(answer["evaluations"][0]["context"]["error"]["status"], 400);
}

both_engines!(ap_01_ap_03_who_may_ask);
/// AP-01, AP-03: by a secret or a token, and with the permission; who decided is for those who may read policies.
async fn ap_01_ap_03_who_may_ask(server: TestServer) {
    publish_todo(&server).await;
    let (good, curious) =
        (pep(&server, &["access:evaluate"]).await, pep(&server, &["access:evaluate", "policies:read"]).await);
    let (poor, public) = (pep(&server, &["policies:read"]).await, made::client(&server, made::public()).await);
    let (body, _) = published(0).remove(3);
    let post = || server.call(Method::POST, ONE).json(&body);

    expect_problem(post().send().await, 401);
    expect_problem(post().basic(&good.id, "wrong").send().await, 401);
    expect_problem(post().basic("nobody", good.secret()).send().await, 401);
    expect_problem(post().basic(&public.id, "").send().await, 401);
    expect_problem(post().bearer("nonsense").send().await, 401);
    expect_problem(ask(&server, &poor, ONE, &body).await, 403);
    assert_eq!(ask(&server, &good, ONE, &body).await.expect_status(200).json::<Value>(), json!({"decision": true}));
    let told: Value = ask(&server, &curious, ONE, &body).await.expect_status(200).json();
    assert_eq!(told, json!({"decision": true, "context": {"policies": ["create"], "version": 1}}));

    // A person, and a service account by its own token.
    let ada = server.person("ada").await;
    let token = text(&login(&server, &ada).await, "accessToken").to_owned();
    expect_problem(post().bearer(&token).send().await, 403);
    server.app().accounts.grant_role("ada", "admin").await.expect("a role");
    post().bearer(&token).send().await.expect_status(200);

    made::disable_client(&server, &good.id).await;
    expect_problem(ask(&server, &good, ONE, &body).await, 401);
}

both_engines!(the_house_knows_its_people);
/// A person's id is looked up: roles and address are the database's, and who is disabled may nothing.
async fn the_house_knows_its_people(server: TestServer) {
    publish_todo(&server).await;
    let (pep, ada) = (pep(&server, &["access:evaluate"]).await, made::person(&server, "ada").await);
    let asked = |owner: &str| {
        let mut asked = question(&ada.id, "can_update_todo", "todo", "1", Some(owner));
        asked["subject"]["properties"] = json!({"email": "rick@the-citadel.com", "roles": ["editor"]});
        asked
    };
    let decision = async |owner: &str| {
        ask(&server, &pep, ONE, &asked(owner)).await.expect_status(200).json::<Value>()["decision"] == json!(true)
    };
    assert!(!decision(&ada.email).await);
    server.app().accounts.grant_role("ada", "editor").await.expect("a role");
    assert!(decision(&ada.email).await);
    assert!(!decision("rick@the-citadel.com").await, "what is said of the address does not count");
    server.app().accounts.set_disabled("ada", true).await.expect("disabling");
    assert!(!decision(&ada.email).await);
}

both_engines!(lg_what_callers_call_a_request_comes_back);
async fn lg_what_callers_call_a_request_comes_back(server: TestServer) {
    publish_todo(&server).await;
    let pep = pep(&server, &["access:evaluate"]).await;
    let (body, _) = published(0).remove(0);
    let id = async |path: &str, told: &str| {
        let call =
            server.call(Method::POST, path).basic(&pep.id, pep.secret()).json(&body).header("x-request-id", told);
        call.send().await.header("x-request-id").to_owned()
    };
    let longest = "x".repeat(128);
    for told in ["bfe9eb29-ab87-4ca3-be83-a1d5d8305716", "with spaces", &longest] {
        assert_eq!((id(ONE, told).await, id(MANY, told).await), (told.to_owned(), told.to_owned()));
    }
    for bad in ["x\ty", "\u{fc}", "", &format!("{longest}x")] {
        assert_eq!(id(ONE, bad).await.len(), 12, "{bad:?}");
    }
    assert_eq!(id("/token", "mine").await.len(), 12);
}

both_engines!(discovery_names_what_is_there);
async fn discovery_names_what_is_there(server: TestServer) {
    let document: Value = server.get("/.well-known/authzen-configuration").await.expect_status(200).json();
    let issuer = server.issuer();
    let expected = json!({
        "policy_decision_point": issuer,
        "access_evaluation_endpoint": format!("{issuer}{ONE}"),
        "access_evaluations_endpoint": format!("{issuer}{MANY}"),
    });
    assert_eq!(document, expected);
}

both_engines!(nothing_published_allows_nothing_and_what_does_not_compile_changes_nothing);
async fn nothing_published_allows_nothing_and_what_does_not_compile_changes_nothing(server: TestServer) {
    let pep = pep(&server, &["access:evaluate", "policies:read"]).await;
    let (body, _) = published(0).remove(0);
    let told: Value = ask(&server, &pep, ONE, &body).await.expect_status(200).json();
    assert_eq!(told, json!({"decision": false, "context": {"policies": [], "version": 0}}));
    publish_todo(&server).await;
    publish(&server, 2, &json!({"bad": "permit(principal"}), SCHEMA, &json!([])).await;
    let told: Value = ask(&server, &pep, ONE, &body).await.expect_status(200).json();
    assert_eq!((&told["decision"], &told["context"]["version"]), (&json!(true), &json!(1)));
    publish(&server, 3, &json!({"none": ""}), SCHEMA, &json!([])).await;
    let told: Value = ask(&server, &pep, ONE, &body).await.expect_status(200).json();
    assert_eq!((&told["decision"], &told["context"]["version"]), (&json!(false), &json!(3)));
}

both_engines!(js_malformed_questions_are_refused with [("limits.enabled", "false")]);
/// Malformed JSON, deep nesting, huge ids, types that are no names: a refusal or a no, and never a 500.
async fn js_malformed_questions_are_refused(server: TestServer) {
    publish_todo(&server).await;
    let pep = pep(&server, &["access:evaluate"]).await;
    let raw = async |path: &str, body: String| {
        server.call(Method::POST, path).basic(&pep.id, pep.secret()).body("application/json", body).send().await
    };
    let deep = |depth: usize| format!("{{\"context\": {}{}}}", "[".repeat(depth), "]".repeat(depth));
    for path in [ONE, MANY] {
        for body in [
            "",
            "{",
            "[]",
            "1",
            "null",
            "\u{0}",
            "{\"subject\": {}}",
            "{\"subject\": 1, \"action\": 1, \"resource\": 1}",
        ] {
            expect_problem(raw(path, body.to_owned()).await, 400);
        }
        expect_problem(raw(path, deep(100)).await, 400);
        expect_problem(raw(path, deep(20_000)).await, 400);
        expect_problem(raw(path, "x".repeat(2 * 1024 * 1024)).await, 413);
        for kind in ["a b", "Action", "__cedar::x", "", "user::\"x\"", "\u{fc}"] {
            let mut asked = question("x", "can_read_todos", "todo", "1", None);
            asked["subject"]["type"] = json!(kind);
            let answer: Value = ask(&server, &pep, path, &asked).await.expect_status(200).json();
            assert_eq!(
                (&answer["decision"], &answer["context"]["error"]["status"]),
                (&json!(false), &json!(400)),
                "{kind}"
            );
        }
        let asked = question(&"\"\\\u{1}".repeat(1000), "can_read_todos", "todo", "1", None);
        let answer: Value = ask(&server, &pep, path, &asked).await.expect_status(200).json();
        assert_eq!(answer["decision"], json!(false));
        // And the control: the same way, a good question.
        let (good, wanted) = published(0).remove(0);
        assert_eq!(
            ask(&server, &pep, path, &good).await.expect_status(200).json::<Value>(),
            json!({"decision": wanted})
        );
    }
}

/// A client that shows its secret costs no statement, as long as nobody is asked about whom the database knows.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_in_memory_costs_no_statement() {
    let server = TestServer::start(Engine::Postgres).await;
    publish_todo(&server).await;
    let (pep, ada) = (pep(&server, &["access:evaluate"]).await, made::person(&server, "ada").await);
    let asked = async |subject: &str| {
        let questions: Vec<Value> =
            (0..3).map(|n| question(subject, "can_read_todos", "todo", &n.to_string(), None)).collect();
        let body = json!({"evaluations": questions});
        let (answer, statements) = server.statements_of(ask(&server, &pep, MANY, &body)).await;
        answer.expect_status(200);
        statements
    };
    asked(USERS[0].0).await;
    assert_eq!(asked(USERS[0].0).await, Vec::<String>::new());
    assert_eq!(asked(&ada.id).await.len(), 1);
    // What was decided is noted beside that, once a second at the most and not with the answers.
    let began = std::time::Instant::now();
    let questions = question(USERS[0].0, "can_read_todos", "todo", "1", None);
    let many = async {
        for _ in 0..20 {
            ask(&server, &pep, ONE, &questions).await.expect_status(200);
        }
        tokio::time::sleep(std::time::Duration::from_millis(1500)).await;
    };
    let ((), statements) = server.statements_during(many).await;
    let written = statements.iter().filter(|sql| sql.starts_with("INSERT INTO \"decisions\"")).count();
    let seconds = usize::try_from(began.elapsed().as_secs()).expect("a number");
    assert!((1..=seconds + 1).contains(&written) && written < 20, "{written} in {seconds} s");
}
