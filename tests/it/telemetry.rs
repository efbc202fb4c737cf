//! What operators see: metrics with their dashboard and alerts, traces at a collector, and logs that belong together.

use std::{
    collections::BTreeSet,
    time::{Duration, Instant},
};

use opentelemetry_proto::tonic::{
    collector::trace::v1::ExportTraceServiceRequest,
    common::v1::any_value::Value as AnyValue,
    trace::v1::{Span, span::SpanKind},
};
use prost::Message as _;
use reqwest::Method;
use serde_json::{Value, json};

use crate::{
    engines::{client_credentials, service, sign_in},
    support::{Binary, Engine, Receiver, Say, in_time},
};

const DASHBOARD: &str = include_str!("../../deploy/grafana/bonafide.json");
const ALERTS: &str = include_str!("../../deploy/prometheus/alerts.yml");
const DOCUMENT: &str = include_str!("../../docs/metrics.md");

/// Names of ours in an expression, as they are called without what a histogram adds to its own.
fn names(text: &str) -> BTreeSet<String> {
    let words = text.split(|letter: char| !letter.is_ascii_alphanumeric() && letter != '_');
    let ours = words.filter(|word| word.starts_with("bonafide_"));
    ours.map(|word| {
        let base = ["_bucket", "_sum", "_count"].iter().find_map(|end| word.strip_suffix(end));
        base.unwrap_or(word).to_owned()
    })
    .collect()
}

/// The expressions of a dashboard, wherever they are.
fn expressions(value: &Value, found: &mut Vec<String>) {
    match value {
        Value::Object(members) => {
            for (name, member) in members {
                match member {
                    Value::String(text) if name == "expr" || name == "query" => found.push(text.clone()),
                    other => expressions(other, found),
                }
            }
        }
        Value::Array(items) => items.iter().for_each(|item| expressions(item, found)),
        _ => {}
    }
}

/// Whether brackets close in their order.
fn is_balanced(expression: &str) -> bool {
    let mut open = Vec::new();
    for letter in expression.chars() {
        match letter {
            '(' => open.push(')'),
            '[' => open.push(']'),
            '{' => open.push('}'),
            ')' | ']' | '}' if open.pop() != Some(letter) => return false,
            _ => {}
        }
    }
    open.is_empty()
}

each_engine!(dashboard_alerts_and_document_speak_of_metrics_that_there_are);
async fn dashboard_alerts_and_document_speak_of_metrics_that_there_are(engine: Engine) {
    let binary = Binary::start(engine).await;
    let (client, ada) = (binary.application(&service()).await, binary.person("ada").await);
    // Until the server has heard of the client.
    for _ in 0..100 {
        if client_credentials(&binary.wire(), &client).await.status == 200 {
            break;
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    let mut browser = binary.browser();
    sign_in(&mut browser, &ada.username, "not the password").await;
    sign_in(&mut browser, &ada.username, &ada.password).await.expect_status(303);
    let login = json!({"email": ada.email, "password": "not the password"});
    binary.wire().call(Method::POST, "/auth/login").json(&login).send().await;

    let shown = binary.management().get("/metrics").await.expect_status(200).body;
    for line in [
        r#"bonafide_sign_ins_total{way="password",outcome="wrong_password"} 1"#,
        r#"bonafide_sign_ins_total{way="password",outcome="signed_in"} 1"#,
        r#"bonafide_sign_ins_total{way="json",outcome="wrong_password"} 1"#,
        r#"bonafide_sign_ins_total{way="provider",outcome="signed_in"} 0"#,
        r#"bonafide_outbox_waiting{kind="mail"} 0"#,
        r#"bonafide_signing_key_age_seconds{alg="RS256"}"#,
    ] {
        assert!(shown.contains(line), "{line}: {shown}");
    }
    for step in ["password_wait", "password_hash", "database_action", "database_query", "signature"] {
        let count = format!("bonafide_step_seconds_count{{step=\"{step}\"}} ");
        let counted = shown.lines().find_map(|line| line.strip_prefix(&count)).unwrap_or_default();
        assert!(counted.parse::<u64>().is_ok_and(|count| count > 0), "{step}: {shown}");
    }
    assert!(!shown.contains(&ada.username) && !shown.contains(&client.id), "nothing of anybody: {shown}");

    let series: String = shown.lines().filter(|line| !line.starts_with('#')).collect::<Vec<_>>().join("\n");
    let there = names(&series);
    let mut wanted = Vec::new();
    let dashboard: Value = serde_json::from_str(DASHBOARD).expect("JSON");
    expressions(&dashboard, &mut wanted);
    assert!(wanted.len() > 20, "{wanted:?}");
    let alerts: Vec<&str> = ALERTS.lines().filter_map(|line| line.trim().strip_prefix("expr: ")).collect();
    assert!(alerts.len() >= 8, "{alerts:?}");
    wanted.extend(alerts.iter().map(|expression| (*expression).to_owned()));
    for expression in &wanted {
        assert!(is_balanced(expression), "{expression}");
        let unknown: Vec<_> = names(expression).into_iter().filter(|name| !there.contains(name)).collect();
        assert!(unknown.is_empty(), "{expression} speaks of {unknown:?}, which there is not: {there:?}");
    }
    let documented = names(DOCUMENT);
    assert_eq!(there.difference(&documented).collect::<Vec<_>>(), Vec::<&String>::new(), "not documented");
    assert_eq!(documented.difference(&there).collect::<Vec<_>>(), Vec::<&String>::new(), "documented, and not there");
}

#[test]
fn every_alert_says_what_it_means_and_what_to_do() {
    let rules: Vec<&str> = ALERTS.split("      - alert: ").skip(1).collect();
    assert!(rules.len() >= 8, "{}", rules.len());
    let mut seen = BTreeSet::new();
    for rule in rules {
        let name = rule.lines().next().unwrap();
        assert!(seen.insert(name), "{name} twice");
        for member in ["expr: ", "for: ", "severity: ", "summary: ", "description: ", "runbook: "] {
            assert_eq!(rule.matches(&format!(" {member}")).count(), 1, "{name}: {member}");
        }
        assert!(rule.lines().all(|line| !line.contains('\t')), "{name}");
    }
}

#[test]
fn the_dashboard_can_be_imported_anywhere() {
    let dashboard: Value = serde_json::from_str(DASHBOARD).unwrap();
    assert!(dashboard["id"].is_null() && dashboard["uid"].is_string());
    let variable = &dashboard["templating"]["list"][0];
    assert_eq!((&variable["name"], &variable["type"]), (&json!("datasource"), &json!("datasource")));
    let panels = dashboard["panels"].as_array().unwrap();
    let rows = panels.iter().filter(|panel| panel["type"] == "row").count();
    assert_eq!(rows, 7);
    let mut ids = BTreeSet::new();
    for panel in panels {
        assert!(ids.insert(panel["id"].as_u64().unwrap()), "{panel}");
        if panel["type"] != "row" {
            assert_eq!(panel["datasource"]["uid"], "${datasource}", "{panel}");
            assert!(panel["description"].as_str().is_some_and(|text| !text.is_empty()), "{panel}");
        }
    }
}

/// What has come to the collector.
fn spans(collector: &Receiver) -> Vec<Span> {
    let requests = collector.received().into_iter().inspect(|request| {
        assert_eq!((request.method.as_str(), request.target.as_str()), ("POST", "/v1/traces"));
        assert_eq!(request.headers["content-type"], "application/x-protobuf");
    });
    let requests = requests.map(|request| ExportTraceServiceRequest::decode(request.body).expect("spans"));
    let resources = requests.flat_map(|request| request.resource_spans);
    resources.flat_map(|resource| resource.scope_spans).flat_map(|scope| scope.spans).collect()
}

fn attribute(span: &Span, name: &str) -> String {
    let value =
        span.attributes.iter().find(|attribute| attribute.key == name).and_then(|attribute| attribute.value.clone());
    match value.and_then(|value| value.value) {
        Some(AnyValue::StringValue(text)) => text,
        Some(AnyValue::IntValue(number)) => number.to_string(),
        other => panic!("{name}: {other:?} of {span:?}"),
    }
}

fn hex(id: &[u8]) -> String {
    use std::fmt::Write as _;
    id.iter().fold(String::new(), |mut text, byte| {
        let _ = write!(text, "{byte:02x}");
        text
    })
}

const TRACE: &str = "0af7651916cd43dd8448eb211c80319c";

async fn traced(collector: &Receiver, more: &[(&str, &str)]) -> Binary {
    let url = format!("http://{}", collector.address);
    let settings =
        [&[("telemetry.otlp", url.as_str()), ("log.level", "bonafide=debug"), ("log.format", "json")], more].concat();
    Binary::with(Engine::Sqlite, &settings).await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_collector_gets_the_steps_of_requests_and_nothing_of_anybody() {
    in_time(Box::pin(async {
        let collector = Receiver::listen().await;
        let mut binary = traced(&collector, &[("telemetry.sample", "1.0")]).await;
        let ada = binary.person("ada").await;
        let login = json!({"email": ada.email, "password": "not the password"});
        let parent = format!("00-{TRACE}-b7ad6b7169203331-01");
        let call = binary.wire().call(Method::POST, "/auth/login").header("traceparent", &parent).json(&login);
        let refused = call.send().await;
        let login = json!({"email": ada.email, "password": ada.password});
        let tokens = binary.wire().call(Method::POST, "/auth/login").json(&login).send().await.expect_status(200);
        assert!(binary.terminate().await.success());

        let spans = spans(&collector);
        let requests: Vec<&Span> = spans.iter().filter(|span| span.name == "POST /auth/login").collect();
        assert_eq!(requests.len(), 2, "{spans:#?}");
        for span in &requests {
            assert_eq!(span.kind(), SpanKind::Server);
            assert_eq!(attribute(span, "http.request.method"), "POST");
            assert_eq!(attribute(span, "http.route"), "/auth/login");
            // What strangers say of their traces is not believed.
            assert!(span.parent_span_id.is_empty() && hex(&span.trace_id) != TRACE, "{span:?}");
        }
        let statuses: BTreeSet<String> =
            requests.iter().map(|span| attribute(span, "http.response.status_code")).collect();
        assert_eq!(statuses, BTreeSet::from(["200".to_owned(), refused.status.as_u16().to_string()]));
        let good = requests.iter().find(|span| attribute(span, "http.response.status_code") == "200").expect("one");
        for step in ["password_hash", "database_action", "database_query", "signature"] {
            let of_it = |span: &&Span| span.name == step && span.trace_id == good.trace_id;
            let child = spans.iter().find(of_it).unwrap_or_else(|| panic!("no {step}: {spans:#?}"));
            assert!(!child.parent_span_id.is_empty(), "{child:?}");
            assert!(child.start_time_unix_nano >= good.start_time_unix_nano, "{child:?}");
        }

        // Neither what people type nor who they are.
        let whole = format!("{spans:?}");
        let tokens: Value = tokens.json();
        for secret in [&ada.id, &ada.email, &ada.username, &ada.password, "not the password", "127.0.0.1"] {
            assert!(!whole.contains(secret), "{secret}");
        }
        assert!(!whole.contains(tokens["accessToken"].as_str().expect("a token")));

        // A line of the log leads to the trace, and by the reference to the answer.
        let reference = refused.header("x-request-id").to_owned();
        let logs = binary.stderr();
        let lines: Vec<Value> = logs.lines().filter_map(|line| serde_json::from_str(line).ok()).collect();
        let line = lines.iter().find(|line| line["request_id"] == reference).unwrap_or_else(|| panic!("{logs}"));
        let traces: BTreeSet<String> = requests.iter().map(|span| hex(&span.trace_id)).collect();
        assert!(traces.contains(line["trace_id"].as_str().expect("a trace")), "{line}");
        assert!(
            lines.iter().all(|line| line["span"]["http.route"].is_null()),
            "the collector's spans are not the log's"
        );
    }))
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_traces_of_trusted_callers_are_joined_and_others_sampled() {
    in_time(Box::pin(async {
        for (trust, joined) in [("true", 1), ("false", 0)] {
            let collector = Receiver::listen().await;
            let settings = [("telemetry.sample", "0.0"), ("telemetry.trust_incoming", trust)];
            let mut binary = traced(&collector, &settings).await;
            let parent = format!("00-{TRACE}-b7ad6b7169203331-01");
            binary.wire().call(Method::GET, "/sign-in").header("traceparent", &parent).send().await;
            binary.wire().call(Method::GET, "/sign-in").send().await;
            assert!(binary.terminate().await.success());
            let spans = spans(&collector);
            let requests: Vec<&Span> = spans.iter().filter(|span| span.name == "GET /sign-in").collect();
            assert_eq!(requests.len(), joined, "{spans:#?}");
            for span in requests {
                assert_eq!(
                    (hex(&span.trace_id), hex(&span.parent_span_id)),
                    (TRACE.to_owned(), "b7ad6b7169203331".to_owned())
                );
            }
        }
    }))
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_collector_that_hangs_or_is_gone_changes_nothing() {
    in_time(Box::pin(async {
        let hanging = Receiver::listen().await;
        hanging.say(Say::Nothing);
        // Nobody listens there.
        let gone = std::net::TcpListener::bind("127.0.0.1:0").expect("a port").local_addr().expect("an address");
        for address in [hanging.address.clone(), gone.to_string()] {
            let url = format!("http://{address}");
            let settings = [("telemetry.otlp", url.as_str()), ("telemetry.sample", "1.0")];
            let mut binary = Binary::with(Engine::Sqlite, &settings).await;
            let began = Instant::now();
            for _ in 0..50 {
                binary.wire().get("/sign-in").await.expect_status(200);
            }
            assert!(began.elapsed() < Duration::from_secs(5), "{:?}", began.elapsed());
            let began = Instant::now();
            assert!(binary.terminate().await.success());
            assert!(began.elapsed() < Duration::from_secs(8), "{:?}", began.elapsed());
        }
    }))
    .await;
}
