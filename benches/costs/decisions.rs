//! Decisions by policies, in the bench's own process: there is nothing beside them but the engine.

use std::collections::{BTreeMap, HashMap};
use std::time::{Duration, Instant};

use bonafide::access::policies::{Bundle, Engine, Question};
use chrono::DateTime;
use serde_json::{Value, json};

use super::clocks::cpu_ms;
use super::load::Cost;
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

fn question(n: usize) -> Question {
    serde_json::from_value(json!({
        "subject": {"type": "user", "id": format!("user{}", n % ENTITIES)},
        "action": {"name": format!("act{}", n / 3 % ACTIONS)},
        "resource": {
            "type": format!("kind{}", n % KINDS),
            "id": format!("thing{n}"),
            "properties": {"owner": {"type": "user", "id": format!("user{}", n % 7)}, "level": n % 10, "status": "open"},
        },
        "context": {"ip": "10.0.0.1"},
    }))
    .expect("a question")
}

pub(crate) fn measure(signature: f64, time: Duration) {
    let began = Instant::now();
    let engine = Engine::compile(&bundle()).unwrap_or_else(|faults| panic!("{faults:#?}"));
    let compiled = began.elapsed();
    let questions: Vec<Question> = (0..BATCH).map(question).collect();
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
    print_table("decisions", &rows);
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
