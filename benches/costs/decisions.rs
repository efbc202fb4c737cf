//! Decisions by policies: first in the bench's own process, with nothing beside them but the engine, then by the endpoint.

use std::collections::{BTreeMap, HashMap};
use std::fs;
use std::time::{Duration, Instant};

use base64::{Engine as _, prelude::BASE64_STANDARD};
use bonafide::access::policies::{Bundle, Engine, Question};
use chrono::DateTime;
use serde_json::{Value, json};

use super::clocks::cpu_ms;
use super::http::{Connection, Reply, post_json};
use super::load::{CONNECTIONS, Cost, closed_loop};
use super::provider::{Place, drop_database};
use super::report::{Row, print_table};

const KINDS: usize = 20;
const ACTIONS: usize = 10;
const ROLES: usize = 25;
const POLICIES: usize = 1000;
const ENTITIES: usize = 100;
const BATCH: usize = 50;

/// What an installation of some size has: roles that may do things with kinds of things, and owners that may more.
fn bundle() -> Bundle {
    let kinds: Vec<String> = (0..KINDS).map(|n| format!("kind{n}")).collect();
    let actions: Vec<String> = (0..ACTIONS).map(|n| format!("act{n}")).collect();
    let declare = |kind: &String| format!("entity {kind} {{ owner: user, level: Long, status?: String }};");
    let declared: Vec<String> = kinds.iter().map(declare).collect();
    let schema = format!(
        "{} action {} appliesTo {{ principal: user, resource: [{}], context: {{ ip?: ipaddr }} }};",
        declared.join("\n"),
        actions.join(", "),
        kinds.join(", ")
    );
    let policy = |n: usize| {
        let scope = format!(
            "principal in role::\"role{}\", action == Action::\"act{}\", resource is kind{}",
            n % ROLES,
            n / KINDS % ACTIONS,
            n % KINDS
        );
        let (effect, condition) = match n % 5 {
            0 => ("permit", "when { resource.owner == principal }"),
            1 => ("permit", "when { resource has status && resource.status == \"open\" }"),
            2 => ("permit", "when { resource.level < 3 && principal.permissions.contains(\"things:read\") }"),
            3 => ("permit", ""),
            _ => ("forbid", "when { resource.level > 8 && !principal.roles.contains(\"role1\") }"),
        };
        (format!("policy{n:04}"), format!("{effect}({scope}) {condition};"))
    };
    let uid = |kind: &str, id: String| json!({"type": kind, "id": id});
    let entity = |n: usize| {
        let roles = [format!("role{}", n % ROLES), format!("role{}", (n + 7) % ROLES)];
        let parents: Vec<Value> = roles.iter().map(|role| uid("role", role.clone())).collect();
        json!({
            "uid": uid("user", format!("user{n}")),
            "attrs": {"roles": roles, "permissions": ["things:read"]},
            "parents": parents,
        })
    };
    Bundle {
        documents: (0..POLICIES).map(policy).collect::<BTreeMap<_, _>>(),
        schema,
        entities: serde_json::from_value((0..ENTITIES).map(entity).collect()).expect("entities"),
    }
}

fn question(n: usize) -> Value {
    json!({
        "subject": {"type": "user", "id": format!("user{}", n % ENTITIES)},
        "action": {"name": format!("act{}", n / 3 % ACTIONS)},
        "resource": {
            "type": format!("kind{}", n % KINDS),
            "id": format!("thing{n}"),
            "properties": {"owner": {"type": "user", "id": format!("user{}", n % 7)}, "level": n % 10, "status": "open"},
        },
        "context": {"ip": "10.0.0.1"},
    })
}

/// The engine alone; what one decision costs it, in ms of CPU.
pub(crate) fn measure(signature: f64, time: Duration) -> f64 {
    let began = Instant::now();
    let engine = Engine::compile(&bundle()).unwrap_or_else(|faults| panic!("{faults:#?}"));
    let compiled = began.elapsed();
    let questions: Vec<Question> =
        (0..BATCH).map(question).map(serde_json::from_value).collect::<Result<_, _>>().expect("questions");
    let (known, now) = (HashMap::new(), DateTime::UNIX_EPOCH);
    let decided = engine.decide(&questions, &known, now);
    assert!(decided.iter().all(|decision| decision.error.is_none()), "{decided:#?}");
    assert!(decided.iter().any(|decision| decision.allowed), "{decided:#?}");

    let mut turn = 0;
    let one = cost(time, || {
        turn = (turn + 1) % BATCH;
        engine.decide(&questions[turn..=turn], &known, now);
    });
    let batch = cost(time, || {
        engine.decide(&questions, &known, now);
    });
    println!("\n{POLICIES} policies and {ENTITIES} entities compiled in {} ms", compiled.as_millis());
    // 1 ms where a signature costs 0.25.
    let rows = [
        Row { what: "decision", cost: one, floor: ("one signature", signature), gate: Some(4.0), goal: Some(0.4) },
        Row { what: "batch of 50", cost: batch, floor: ("one signature", signature), gate: None, goal: None },
    ];
    let alone = rows[0].cost.ms;
    print_table("decisions", &rows);
    alone
}

/// The endpoint: asked by HTTP Basic about people it has not, so that no statement is needed; `alone` is what a decision costs the engine.
pub(crate) fn measure_endpoint(engine: &str, postgres: Option<&str>, signature: f64, alone: f64, time: Duration) {
    let place = Place::new(postgres);
    let Bundle { documents, schema, entities } = bundle();
    let folder = place.folder.path().join("policies");
    fs::create_dir(&folder).expect("a folder");
    for (name, text) in documents {
        fs::write(folder.join(format!("{name}.cedar")), text).expect("writing");
    }
    fs::write(folder.join("all.cedarschema"), schema).expect("writing");
    fs::write(folder.join("entities.json"), serde_json::to_string(&entities).expect("JSON")).expect("writing");
    place.cli(&["policy", "publish", &folder.display().to_string(), "--json"], "");
    let client = place.cli(&["client", "create", "--name", "gate", "--grant", "client_credentials", "--json"], "");
    let id = client["client_id"].as_str().expect("an id");
    place.cli(&["role", "create", "pdp", "--permission", "access:evaluate", "--json"], "");
    place.cli(&["role", "assign", "pdp", id, "--client", "--json"], "");
    let credentials = BASE64_STANDARD.encode(format!("{id}:{}", client["client_secret"].as_str().expect("a secret")));
    let header = format!("authorization: Basic {credentials}\r\n");

    let provider = place.start();
    let processes = (provider.child.id(), place.database.as_deref());
    let questions: Vec<Value> = (0..BATCH).map(question).collect();
    let singly: Vec<Vec<u8>> =
        questions.iter().map(|question| post_json("/access/v1/evaluation", &header, question)).collect();
    let together = post_json("/access/v1/evaluations", &header, &json!({"evaluations": questions}));
    let mut callers: Vec<(Connection, usize)> =
        (0..CONNECTIONS).map(|n| (Connection::open(provider.address), n)).collect();
    let one = closed_loop(processes, time, &mut callers, |(connection, turn)| {
        *turn = (*turn + 1) % BATCH;
        let reply = connection.send(&singly[*turn]).expect(200);
        assert!(reply.json()["decision"].is_boolean() && reply.json().get("context").is_none());
        true
    });
    let batch = closed_loop(processes, time, &mut callers, |(connection, _)| {
        let decided: Reply = connection.send(&together).expect(200);
        assert_eq!(decided.json()["evaluations"].as_array().map(Vec::len), Some(BATCH));
        true
    });
    let beside = Cost { ms: one.ms - alone, ..one };
    let each = one.ms;
    let rows = [
        // 0.15 ms where a signature costs 0.25.
        Row {
            what: "evaluation, beside it",
            cost: beside,
            floor: ("one signature", signature),
            gate: Some(0.6),
            goal: None,
        },
        Row { what: "evaluations, 50", cost: batch, floor: ("one evaluation", each), gate: Some(10.0), goal: None },
    ];
    print_table(engine, &rows);
    drop(provider);
    drop_database(postgres, place.database.as_deref());
}

/// CPU of this thread for each.
fn cost(time: Duration, mut work: impl FnMut()) -> Cost {
    let (began, before, mut operations) = (Instant::now(), cpu_ms("/proc/thread-self/stat"), 0_u64);
    while began.elapsed() < time {
        work();
        operations += 1;
    }
    let ms = (cpu_ms("/proc/thread-self/stat") - before) / operations as f64;
    Cost { operations, ms, database_ms: 0.0, p99_ms: 0.0 }
}
