//! The engine by itself: what it decides, and how little it depends on.

use std::collections::{BTreeMap, HashMap};
use std::str::FromStr;

use bonafide::access::policies::{Bundle, Engine, Fault, Known, Question, Trouble, Uid};
use cedar_policy::{Authorizer, Context, Entities, EntityUid, PolicySet, Request, Schema};
use chrono::{DateTime, Utc};
use proptest::prelude::*;
use serde_json::{Value, json};

fn bundle(schema: &str, documents: &[(&str, &str)], entities: &Value) -> Bundle {
    Bundle {
        documents: documents.iter().map(|(name, text)| ((*name).to_owned(), (*text).to_owned())).collect(),
        schema: schema.to_owned(),
        entities: serde_json::from_value(entities.clone()).expect("entities"),
    }
}

fn engine(schema: &str, documents: &[(&str, &str)], entities: &Value) -> Engine {
    Engine::compile(&bundle(schema, documents, entities)).unwrap_or_else(|faults| panic!("{faults:#?}"))
}

fn faults(schema: &str, documents: &[(&str, &str)], entities: &Value) -> Vec<Fault> {
    Engine::compile(&bundle(schema, documents, entities)).expect_err("faults")
}

fn now() -> DateTime<Utc> {
    DateTime::from_timestamp(1_800_000_000, 0).expect("a time")
}

fn question(value: Value) -> Question {
    serde_json::from_value(value).expect("a question")
}

/// What one question gives: allowed, and the trouble's words.
fn ask(engine: &Engine, asked: Value) -> (bool, Option<String>) {
    let decision = engine.decide(&[question(asked)], &HashMap::new(), now()).remove(0);
    (decision.allowed, decision.error.map(|trouble| trouble.to_string()))
}

const TYPES: &str = r#"
    type Address = { street: String, number?: Long };
    entity team;
    entity employee in [team] {
        s?: String, l?: Long, b?: Bool, set?: Set<Long>, record?: { inner: { deep: String } }, friend?: employee,
        ip?: ipaddr, dec?: decimal, at?: datetime, span?: duration, address?: Address,
    };
    entity colour enum ["red", "green"];
    entity paper { wanted: String };
    action see appliesTo { principal: employee, resource: [employee, paper, colour], context: { now?: datetime, action?: { how?: String }, flag?: Bool } };
"#;

fn see(subject: &Value, context: &Value) -> Value {
    json!({
        "subject": {"type": "employee", "id": "ada", "properties": subject},
        "action": {"name": "see", "properties": {"how": "well", "more": 1}},
        "resource": {"type": "colour", "id": "red"},
        "context": context,
    })
}

#[test]
fn values_are_taken_by_their_declared_types() {
    let cases = [
        ("s", json!("x"), "principal.s == \"x\"", json!(1)),
        ("l", json!(3), "principal.l == 3", json!("3")),
        ("l", json!(i64::MIN), "principal.l < 0", json!(1.5)),
        ("b", json!(true), "principal.b", json!("true")),
        ("set", json!([1, 2, 2]), "principal.set == [2, 1]", json!(["1"])),
        ("record", json!({"inner": {"deep": "d", "undeclared": 1}}), "principal.record.inner.deep == \"d\"", json!({})),
        ("friend", json!({"type": "employee", "id": "b"}), "principal.friend == employee::\"b\"", json!("b")),
        (
            "friend",
            json!({"__entity": {"type": "employee", "id": "b"}}),
            "principal.friend == employee::\"b\"",
            json!({"type": "team", "id": "b"}),
        ),
        ("ip", json!("10.0.0.1"), "principal.ip.isInRange(ip(\"10.0.0.0/8\"))", json!("10.0.0.256")),
        ("dec", json!("1.5"), "principal.dec.lessThan(decimal(\"2.0\"))", json!("1.23456")),
        ("at", json!("2027-01-01"), "principal.at < datetime(\"2028-01-01\")", json!("yesterday")),
        ("span", json!("1h"), "principal.span < duration(\"2h\")", json!("an hour")),
        ("address", json!({"street": "s"}), "principal.address.street == \"s\"", json!({"number": 1})),
    ];
    for (name, good, condition, bad) in cases {
        let policy = format!("permit(principal, action, resource) when {{ principal has {name} && {condition} }};");
        let engine = engine(TYPES, &[("p", &policy)], &json!([]));
        let said = |value: &Value| see(&json!({name: value, "undeclared": {"a": [1]}}), &json!({}));
        assert_eq!(ask(&engine, said(&good)), (true, None), "{name}");
        assert_eq!(ask(&engine, said(&Value::Null)), (false, None), "{name}: null is nothing");
        let (allowed, trouble) = ask(&engine, said(&bad));
        let trouble = trouble.expect("a trouble");
        assert!(!allowed && trouble.starts_with(&format!("subject.properties.{name}")), "{trouble}");
    }
}

#[test]
fn the_schema_is_kept_to() {
    let engine = engine(TYPES, &[("p", "permit(principal, action, resource);")], &json!([]));
    let base = see(&json!({}), &json!({}));
    assert_eq!(ask(&engine, base.clone()), (true, None));
    for (pointer, value, said) in [
        ("/action/name", json!("hear"), "action.name"),
        ("/subject/type", json!("team"), "subject.type"),
        ("/subject/type", json!("a b"), "subject.type"),
        ("/subject/type", json!("Action"), "subject.type"),
        ("/resource/type", json!("__cedar::x"), "resource.type"),
        ("/resource/type", json!("team"), "resource.type"),
        ("/resource/id", json!("blue"), "resource.id"),
        ("/resource", json!({"type": "paper", "id": "1"}), "resource.properties.wanted is missing"),
        ("/context", json!({"flag": 1}), "context.flag"),
        ("/action/properties", json!({"how": 1}), "action.properties.how"),
    ] {
        let mut asked = base.clone();
        *asked.pointer_mut(pointer).expect("a member") = value;
        let (allowed, trouble) = ask(&engine, asked);
        assert!(!allowed && trouble.as_deref().is_some_and(|trouble| trouble.starts_with(said)), "{said}: {trouble:?}");
    }
}

#[test]
fn our_clock_and_the_actions_properties_are_context() {
    let policy = "permit(principal, action, resource) when { context.now == datetime(\"2027-01-15T08:00:00Z\") && context.action.how == \"well\" };";
    let schema = TYPES.replace("now?:", "now:").replace("action?:", "action:").replace("how?:", "how:");
    let engine = engine(&schema, &[("p", policy)], &json!([]));
    // Whatever is sent.
    let said = json!({"now": "2000-01-01", "action": {"how": "badly"}});
    assert_eq!(ask(&engine, see(&json!({}), &said)), (true, None));
    let mut later = see(&json!({}), &said);
    later["action"]["properties"]["how"] = json!("badly");
    assert_eq!(ask(&engine, later), (false, None));
}

const HOUSE: &str =
    "entity thing { owner?: user }; action use appliesTo { principal: [user, service_account], resource: thing };";

fn of_house(id: &str, properties: &Value) -> Question {
    question(json!({
        "subject": {"type": "user", "id": id, "properties": properties},
        "action": {"name": "use"},
        "resource": {"type": "thing", "id": "1"},
    }))
}

#[test]
fn ap_06_what_the_house_knows_wins() {
    let policies = "permit(principal in role::\"boss\", action, resource) when { principal.roles.contains(\"boss\") };";
    let engine = engine(HOUSE, &[("p", policies)], &json!([]));
    let claimed = json!({"roles": ["boss"], "permissions": []});
    let uid = Uid { kind: "user".to_owned(), id: "ada".to_owned() };
    let known = |roles: &[&str], disabled| {
        let attrs = json!({"roles": roles, "permissions": [], "email": null}).as_object().cloned().expect("members");
        let parents = roles.iter().map(|role| Uid { kind: "role".to_owned(), id: (*role).to_owned() }).collect();
        HashMap::from([(uid.clone(), Known { attrs, parents, disabled })])
    };
    let allowed = |known: &HashMap<Uid, Known>| engine.decide(&[of_house("ada", &claimed)], known, now()).remove(0);
    assert!(allowed(&known(&["boss"], false)).allowed);
    assert_eq!(allowed(&known(&["boss"], false)).policies, ["p"]);
    assert!(!allowed(&known(&[], false)).allowed, "claimed roles are none");
    assert!(!allowed(&known(&["boss"], true)).allowed, "who is disabled may nothing");
    assert!(!allowed(&HashMap::new()).allowed, "a claim puts nobody into a role");
}

#[test]
fn a_prohibition_that_cannot_be_evaluated_is_not_passed_over() {
    let allow = ("a", "permit(principal, action, resource);");
    let forbid = (
        "f",
        "forbid(principal, action, resource) when { resource has owner && resource.owner.roles.contains(\"x\") };",
    );
    let engine = engine(HOUSE, &[allow, forbid], &json!([]));
    let mut asked = of_house("ada", &json!({"roles": [], "permissions": []}));
    assert!(engine.decide(&[asked.clone()], &HashMap::new(), now()).remove(0).allowed);
    asked.resource.properties.insert("owner".to_owned(), json!({"type": "user", "id": "nobody knows"}));
    let decision = engine.decide(&[asked], &HashMap::new(), now()).remove(0);
    assert!(!decision.allowed);
    assert!(matches!(&decision.error, Some(Trouble::Policy { policy, .. }) if policy == "f"), "{decision:?}");
}

#[test]
fn faults_say_where() {
    let place = |fault: &Fault| (fault.document.clone().unwrap_or_default(), fault.line, fault.column);
    let found = faults(
        HOUSE,
        &[("good", ""), ("bad", "permit(principal, action, resource);\n\n  permit(principal, acton, resource);")],
        &json!([]),
    );
    assert!(found.iter().any(|fault| fault.document.as_deref() == Some("bad") && fault.line == Some(3)), "{found:#?}");
    let found = faults(
        HOUSE,
        &[("typo", "permit(principal, action, resource)\n  when { principal.rols.contains(\"x\") };")],
        &json!([]),
    );
    assert_eq!(place(&found[0]), ("typo".to_owned(), Some(2), Some(10)), "{found:#?}");
    let found = faults("entity user {\n  name: Strin };", &[], &json!([]));
    assert_eq!(found[0].document.as_deref(), Some("schema"), "{found:#?}");
    let found = faults("entity user {\n  name; };", &[], &json!([]));
    assert_eq!(place(&found[0]).1, Some(2), "{found:#?}");
    let found = faults(HOUSE, &[], &json!([{"uid": {"type": "thing", "id": "1"}, "attrs": {"size": 1}}]));
    assert_eq!(found[0].document.as_deref(), Some("entities"), "{found:#?}");
    assert!(found[0].message.contains("size"), "{found:#?}");
    let same = "@id(\"same\") permit(principal, action, resource);";
    let found = faults(HOUSE, &[("a", same), ("b", same)], &json!([]));
    assert!(found[0].message.contains("same"), "{found:#?}");
    let found = faults(HOUSE, &[("t", "permit(principal == ?principal, action, resource);")], &json!([]));
    assert_eq!(found[0].document.as_deref(), Some("t"), "{found:#?}");
    let warned = engine(HOUSE, &[("w", "permit(principal is thing, action, resource);")], &json!([]));
    assert_eq!(warned.warnings()[0].document.as_deref(), Some("w"), "{:#?}", warned.warnings());
}

#[test]
fn there_is_an_end_to_everything() {
    let long = format!("// {}", "x".repeat(1024 * 1024));
    assert_eq!(faults(HOUSE, &[("long", &long)], &json!([])).len(), 1);
    let entity = |number: usize| json!({"uid": {"type": "thing", "id": number.to_string()}});
    let many: Vec<Value> = (0..10_001).map(entity).collect();
    assert_eq!(faults(HOUSE, &[], &json!(many)).len(), 1);
    engine(HOUSE, &[], &json!(many[..100]));
}

/// Policies are called by their ids, by their document, or by their place in it.
#[test]
fn policies_have_names() {
    let two = "permit(principal, action, resource);\npermit(principal, action, resource);";
    let own = "@id(\"own\") permit(principal, action, resource);";
    let engine =
        engine(HOUSE, &[("one", "permit(principal, action, resource);"), ("two", two), ("x", own)], &json!([]));
    let asked = of_house("ada", &json!({"roles": [], "permissions": []}));
    let decision = engine.decide(&[asked], &HashMap::new(), now()).remove(0);
    assert_eq!(decision.policies, ["one", "own", "two.1", "two.2"]);
}

const SMALL: &str = r"
    entity group in [group];
    entity person in [group] { n: Long, m?: Long };
    entity folder in [folder] { n: Long };
    entity doc in [folder] { n: Long };
    action any;
    action a0, a1 in [any] appliesTo { principal: person, resource: [doc, folder], context: { flag: Bool } };
    action a2 appliesTo { principal: person, resource: [doc, folder], context: { flag: Bool } };
";

fn small_entities() -> Value {
    let entity = |kind: &str, id: String, attrs: Value, parents: Vec<(&str, String)>| {
        let parents: Vec<Value> = parents.into_iter().map(|(kind, id)| json!({"type": kind, "id": id})).collect();
        json!({"uid": {"type": kind, "id": id}, "attrs": attrs, "parents": parents})
    };
    let mut all = Vec::new();
    for n in 0..3_i64 {
        let above =
            |kind: &'static str, first: &str| if n == 0 { vec![] } else { vec![(kind, format!("{first}{}", n - 1))] };
        all.push(entity("group", format!("g{n}"), json!({}), above("group", "g")));
        all.push(entity("folder", format!("f{n}"), json!({"n": n}), above("folder", "f")));
        all.push(entity("person", format!("p{n}"), json!({"n": n * 4}), vec![("group", format!("g{n}"))]));
        all.push(entity("doc", format!("d{n}"), json!({"n": n * 4}), vec![("folder", format!("f{n}"))]));
    }
    json!(all)
}

fn policy() -> impl Strategy<Value = String> {
    let principal = prop_oneof![
        Just("principal".to_owned()),
        Just("principal is person".to_owned()),
        (0..4).prop_map(|n| format!("principal == person::\"p{n}\"")),
        (0..3).prop_map(|n| format!("principal in group::\"g{n}\"")),
        (0..3).prop_map(|n| format!("principal is person in group::\"g{n}\"")),
    ];
    let action = prop_oneof![
        Just("action".to_owned()),
        (0..3).prop_map(|n| format!("action == Action::\"a{n}\"")),
        Just("action in [Action::\"a0\", Action::\"a2\"]".to_owned()),
        Just("action in Action::\"any\"".to_owned()),
    ];
    let resource = prop_oneof![
        Just("resource".to_owned()),
        Just("resource is doc".to_owned()),
        (0..4).prop_map(|n| format!("resource == doc::\"d{n}\"")),
        (0..3).prop_map(|n| format!("resource in folder::\"f{n}\"")),
        (0..3).prop_map(|n| format!("resource is doc in folder::\"f{n}\"")),
    ];
    let condition = prop_oneof![
        Just(String::new()),
        Just("when { principal.n > 3 }".to_owned()),
        Just("when { context.flag }".to_owned()),
        Just("unless { principal has m && principal.m == resource.n }".to_owned()),
        // Too much for some.
        Just("when { principal.n + 9223372036854775803 > 0 }".to_owned()),
        Just("when { doc::\"d2\".n > resource.n }".to_owned()),
        Just("when { principal in group::\"g0\" && resource in folder::\"f1\" }".to_owned()),
    ];
    (prop_oneof![3 => Just("permit"), 1 => Just("forbid")], principal, action, resource, condition).prop_map(
        |(effect, principal, action, resource, condition)| {
            format!("{effect}({principal}, {action}, {resource}) {condition};")
        },
    )
}

/// Of the bundle's entities, and of others of whom all is said.
fn asked() -> impl Strategy<Value = Value> {
    (0..4_i64, 0..3, 0..4_i64, any::<bool>(), any::<bool>(), 0..12_i64).prop_map(
        |(person, action, thing, is_doc, flag, n)| {
            let properties = |bundled: bool| if bundled { json!({}) } else { json!({"n": n}) };
            let (kind, first, bundled) = if is_doc { ("doc", "d", thing < 3) } else { ("folder", "f", thing < 3) };
            let mut subject = properties(person < 3);
            if n % 2 == 0 {
                subject["m"] = json!(n);
            }
            json!({
                "subject": {"type": "person", "id": format!("p{person}"), "properties": subject},
                "action": {"name": format!("a{action}")},
                "resource": {"type": kind, "id": format!("{first}{thing}"), "properties": properties(bundled)},
                "context": {"flag": flag},
            })
        },
    )
}

/// The same by Cedar alone, with every policy and every entity: allowed, who decided, who erred first.
fn plain(policies: &[String], asked: &Value) -> (bool, Vec<String>, Option<String>) {
    let (schema, _) = Schema::from_cedarschema_str(SMALL).expect("a schema");
    let mut all = small_entities();
    for side in ["subject", "resource"] {
        let said = &asked[side];
        let uid = json!({"type": said["type"], "id": said["id"]});
        let list = all.as_array_mut().expect("a list");
        match list.iter_mut().find(|entity| entity["uid"] == uid) {
            Some(entity) => {
                for (name, value) in said["properties"].as_object().expect("members") {
                    if entity["attrs"].get(name).is_none() {
                        entity["attrs"][name] = value.clone();
                    }
                }
            }
            None => list.push(json!({"uid": uid, "attrs": said["properties"], "parents": []})),
        }
    }
    let entities = Entities::from_json_value(all, Some(&schema)).expect("entities");
    let uid = |value: &Value| EntityUid::from_json(json!({"type": value["type"], "id": value["id"]})).expect("a uid");
    let action = EntityUid::from_str(&format!("Action::{}", asked["action"]["name"])).expect("an action");
    let context = Context::from_json_value(asked["context"].clone(), Some((&schema, &action))).expect("a context");
    let request = Request::new(uid(&asked["subject"]), action, uid(&asked["resource"]), context, Some(&schema));
    let text: Vec<String> =
        policies.iter().enumerate().map(|(n, policy)| format!("@name(\"n{n}\") {policy}")).collect();
    let set = PolicySet::from_str(&text.join("\n")).expect("policies");
    let response = Authorizer::new().is_authorized(&request.expect("a request"), &set, &entities);
    let name = |id: &cedar_policy::PolicyId| set.annotation(id, "name").expect("a name").to_owned();
    let errors = response.diagnostics().errors().map(|error| match error {
        cedar_policy::AuthorizationError::PolicyEvaluationError(error) => name(error.policy_id()),
    });
    let erred: Option<String> = errors.min();
    let mut decided: Vec<String> = response.diagnostics().reason().map(name).collect();
    decided.sort();
    match erred {
        Some(erred) => (false, Vec::new(), Some(erred)),
        None => (response.decision() == cedar_policy::Decision::Allow, decided, None),
    }
}

fn any_json() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        any::<f64>().prop_map(Value::from),
        "\\PC{0,12}".prop_map(Value::from),
        Just(json!({"__extn": {"fn": "ip", "arg": "x"}})),
        Just(json!({"__entity": {"type": "a b", "id": ""}})),
        Just(json!({"type": "employee", "id": "x"})),
    ];
    leaf.prop_recursive(5, 40, 5, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..5).prop_map(Value::from),
            prop::collection::btree_map("[a-z_]{1,8}|s|l|set|record|inner|friend|ip", inner, 0..5)
                .prop_map(|members: BTreeMap<String, Value>| json!(members)),
        ]
    })
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 32, ..ProptestConfig::default() })]

    /// Which policies are looked at, their order, and the rest of a batch change no decision.
    #[test]
    fn a_decision_depends_on_nothing_else(policies in prop::collection::vec(policy(), 1..24), asked in prop::collection::vec(asked(), 1..8)) {
        let named = |name: fn(usize, usize) -> String| -> Bundle {
            let documents = policies.iter().enumerate().map(|(n, text)| (name(n, policies.len()), format!("@id(\"n{n}\") {text}")));
            Bundle { documents: documents.collect(), schema: SMALL.to_owned(), entities: serde_json::from_value(small_entities()).expect("entities") }
        };
        let forwards = Engine::compile(&named(|n, _| format!("{n:03}"))).expect("an engine");
        let backwards = Engine::compile(&named(|n, all| format!("{:03}", all - n))).expect("an engine");
        let questions: Vec<Question> = asked.iter().cloned().map(question).collect();
        let together = forwards.decide(&questions, &HashMap::new(), now());
        let reversed: Vec<Question> = questions.iter().rev().cloned().collect();
        let mut other = backwards.decide(&reversed, &HashMap::new(), now());
        other.reverse();
        prop_assert_eq!(&together, &other);
        for ((question, asked), decision) in questions.iter().zip(&asked).zip(&together) {
            let alone = forwards.decide(std::slice::from_ref(question), &HashMap::new(), now()).remove(0);
            prop_assert_eq!(&alone, decision);
            let erred = match &decision.error {
                Some(Trouble::Policy { policy, .. }) => Some(policy.clone()),
                Some(Trouble::Question(message)) => return Err(TestCaseError::fail(message.clone())),
                None => None,
            };
            prop_assert_eq!((decision.allowed, decision.policies.clone(), erred), plain(&policies, asked));
        }
    }

    /// Whatever is said, there is an answer.
    #[test]
    fn anything_may_be_said(kind in "employee|a b|Action|__cedar::x|\\PC{0,8}", id in "\\PC{0,40}", said in any_json(), context in any_json()) {
        let engine = engine(TYPES, &[("p", "permit(principal, action, resource) when { principal has friend };")], &json!([]));
        let members = |value: &Value| value.as_object().cloned().unwrap_or_default();
        let asked = json!({
            "subject": {"type": kind, "id": id, "properties": members(&said)},
            "action": {"name": "see", "properties": members(&context)},
            "resource": {"type": "employee", "id": id, "properties": members(&said)},
            "context": members(&context),
        });
        prop_assert_eq!(engine.decide(&[question(asked)], &HashMap::new(), now()).len(), 1);
    }
}
