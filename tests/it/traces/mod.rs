//! Why a request was refused: each rule is named with what would have made the request pass, and what is said is done here,
//! whereupon the request passes.

mod bounds;
mod development;
mod json;
mod providers;
mod requests;
mod secrets;
mod surface;
mod tokens;

use reqwest::Method;
use serde_json::Value;

use crate::{
    api_accounts::{login, text},
    support::{Answer, TestServer},
};

/// Enough for a test that is refused all the time.
pub(crate) const MANY: [(&str, &str); 3] =
    [("traces.a_second", "100000"), ("traces.a_second_from_one", "100000"), ("limits.enabled", "false")];

/// The token of somebody who may read traces.
async fn operator(server: &TestServer) -> String {
    let operator = server.person("operator").await;
    server.app().accounts.grant_role("operator", "admin").await.expect("a role");
    text(&login(server, &operator).await, "accessToken").to_owned()
}

/// The same person's token once more, where the first has expired.
async fn login_again(server: &TestServer) -> String {
    let body = serde_json::json!({"username": "operator", "password": "plum violin 42 harbour"});
    let answer = crate::api_accounts::post(server, "/auth/signin", &body).await.expect_status(200);
    text(&answer.json::<Value>(), "accessToken").to_owned()
}

/// The reference of a refusal, as whoever is refused sees it.
#[track_caller]
fn reference(answer: &Answer) -> String {
    let header = answer.header("x-request-id").to_owned();
    if answer.status.is_redirection() {
        let parameters = answer.location_parameters();
        let said = &parameters["error_description"];
        assert!(said.ends_with(&format!(" (reference {header})")), "{said}");
    } else if answer.header("content-type").contains("json") {
        assert_eq!(answer.json::<Value>()["reference"], header.as_str(), "{answer:#?}");
    }
    header
}

/// The trace of a refusal.
async fn trace(server: &TestServer, operator: &str, answer: &Answer) -> Value {
    let path = format!("/traces/{}", reference(answer));
    let answer = server.call(Method::GET, &path).bearer(operator).send().await;
    let trace: Value = answer.expect_status(200).json();
    let rules = trace["rules"].as_array().expect("rules");
    let (last, before) = rules.split_last().expect("a rule");
    assert_eq!((&last["rule"], &last["passed"]), (&trace["decided"]["rule"], &Value::Bool(false)), "{trace:#}");
    assert!(before.iter().all(|rule| rule["passed"] == true), "{trace:#}");
    for member in ["given", "expected", "remedy"] {
        assert!(!text(&trace["decided"], member).is_empty(), "{member}: {trace:#}");
    }
    trace
}

/// Stops unless this rule decided and its remedy has these words; the remedy.
async fn expect(server: &TestServer, operator: &str, answer: &Answer, rule: &str, words: &str) -> String {
    let trace = trace(server, operator, answer).await;
    let remedy = text(&trace["decided"], "remedy");
    assert_eq!(trace["decided"]["rule"], rule, "{trace:#}");
    assert!(remedy.contains(words), "{words}: {trace:#}");
    remedy.to_owned()
}

/// Runs a remedy that is a command, with these words in the place of those that it leaves open.
async fn apply(server: &TestServer, remedy: &str, open: &[(&str, &str)], input: &str) -> String {
    let mut command = remedy.to_owned();
    for (word, value) in open {
        command = command.replace(word, value);
    }
    let words = words(command.strip_prefix("bonafide ").unwrap_or_else(|| panic!("no command: {remedy}")));
    let words: Vec<&str> = words.iter().map(String::as_str).collect();
    let output = server.place().cli_with_input(&words, input).await.expect_success();
    server.app().reload().await.expect("reading it again");
    output.stdout.trim().to_owned()
}

/// A command as a shell reads it.
fn words(command: &str) -> Vec<String> {
    let (mut words, mut word, mut quoted) = (Vec::new(), String::new(), false);
    let mut letters = command.chars();
    while let Some(letter) = letters.next() {
        match letter {
            '\\' if !quoted => word.extend(letters.next()),
            '\'' => quoted = !quoted,
            ' ' if !quoted => words.push(std::mem::take(&mut word)),
            letter => word.push(letter),
        }
    }
    words.push(word);
    words
}

/// How many traces there are.
async fn count(server: &TestServer) -> usize {
    server.app().traces.write().await.expect("writing");
    server.dump_tables(&[]).await["traces"].len()
}
