//! `POST /access/v1/evaluation` and `/access/v1/evaluations` (`AuthZEN` Authorization API 1.0): may they?

use axum::http::StatusCode;
use axum::response::Response;
use serde::Serialize;
use serde_json::{Map, Value};
use utoipa::ToSchema;

use super::{Answered, Call, Fault, Problem};
use crate::access::permission::POLICIES_READ;
use crate::access::policies::{Action, Asked, Decision, InForce, Object, Question, Trouble};
use crate::http::answer;
use crate::platform::measure::Step;

/// Questions of a batch.
const MOST: usize = 200;

/// A member that is missing or wrong, by its path.
struct Misfit {
    path: String,
    missing: bool,
}

impl Misfit {
    fn message(&self) -> String {
        format!("{} {}", self.path, if self.missing { "is missing" } else { "is malformed" })
    }

    fn problem(self) -> Problem {
        let sentence = if self.missing { "field-required" } else { "api-field-malformed" };
        Problem::bad_request("api-fields").field(&self.path, sentence)
    }
}

/// Whether they may.
#[derive(Default, Serialize, ToSchema)]
#[schema(as = Decision)]
pub(super) struct Told {
    decision: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    context: Option<Reason>,
}

/// Why it could not be decided; or else, for those who may read policies, which of them decided, and in which version.
#[derive(Default, Serialize, ToSchema)]
#[schema(as = DecisionContext)]
struct Reason {
    #[serde(skip_serializing_if = "Option::is_none")]
    error: Option<Refusal>,
    #[serde(skip_serializing_if = "Option::is_none")]
    policies: Option<Vec<String>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    version: Option<i64>,
}

#[derive(Serialize, ToSchema)]
#[schema(as = DecisionError)]
struct Refusal {
    /// As HTTP has them: 400 for a question that cannot be asked, 500 for a policy that cannot be evaluated.
    status: u16,
    message: String,
}

/// What was decided of a batch, in its order.
#[derive(Serialize, ToSchema)]
#[schema(as = Decisions)]
pub(super) struct DecisionsTold {
    evaluations: Vec<Told>,
}

/// When a batch is answered.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Semantic {
    All,
    /// Up to the first decision that is this.
    Until(bool),
}

pub(in crate::http) async fn evaluation(call: Call) -> Response {
    let answered = one(&call).await;
    call.answer(answered)
}

pub(in crate::http) async fn evaluations(call: Call) -> Response {
    let answered = many(&call).await;
    call.answer(answered)
}

async fn one(call: &Call) -> Answered {
    alone(call, &call.body()?).await
}

async fn alone(call: &Call, body: &Map<String, Value>) -> Answered {
    let question = question(body, &Map::new()).map_err(Misfit::problem)?;
    let answers = decide(call, vec![Ok(question)], Semantic::All).await?;
    Ok(answer::json(StatusCode::OK, &answers.into_iter().next().unwrap_or_default()))
}

async fn many(call: &Call) -> Answered {
    let body: Map<String, Value> = call.body()?;
    let malformed = |path: &str| Misfit { path: path.to_owned(), missing: false }.problem();
    let semantic = semantic(&body).ok_or_else(|| malformed("options.evaluations_semantic"))?;
    let asked = match body.get("evaluations") {
        None | Some(Value::Null) => return alone(call, &body).await,
        Some(Value::Array(asked)) if asked.is_empty() => return alone(call, &body).await,
        Some(Value::Array(asked)) if asked.len() <= MOST => asked,
        Some(_) => return Err(malformed("evaluations").into()),
    };
    let read = |asked: &Value| match asked.as_object() {
        Some(members) => question(members, &body).map_err(|misfit| misfit.message()),
        None => Err("the evaluation is no object".to_owned()),
    };
    let answers = decide(call, asked.iter().map(read).collect(), semantic).await?;
    Ok(answer::json(StatusCode::OK, &DecisionsTold { evaluations: answers }))
}

fn semantic(body: &Map<String, Value>) -> Option<Semantic> {
    let options = match body.get("options") {
        None | Some(Value::Null) => return Some(Semantic::All),
        Some(options) => options.as_object()?,
    };
    match options.get("evaluations_semantic") {
        None | Some(Value::Null) => Some(Semantic::All),
        Some(named) => match named.as_str()? {
            "execute_all" => Some(Semantic::All),
            "deny_on_first_deny" => Some(Semantic::Until(false)),
            "permit_on_first_permit" => Some(Semantic::Until(true)),
            _ => None,
        },
    }
}

/// Answers in order what could be read as questions and what could not.
async fn decide(call: &Call, asked: Vec<Result<Question, String>>, semantic: Semantic) -> Result<Vec<Told>, Fault> {
    let app = &call.web.app;
    let tells = call.signed()?.held().has(POLICIES_READ);
    let mut questions = Vec::with_capacity(asked.len());
    let asked: Vec<Result<(), String>> =
        asked.into_iter().map(|asked| asked.map(|question| questions.push(question))).collect();
    let known = app.policies.known(&questions, &app.clients.registry(), &app.catalogue).await?;
    let (in_force, now) = (app.policies.current(), app.clock.now());
    let decisions = Step::Decision.during(|| in_force.decide(&questions, &known, now));
    let mut decided = questions.into_iter().zip(decisions);
    let mut answers = Vec::with_capacity(asked.len());
    let mut counted = Counted::default();
    for asked in asked {
        let (allowed, answer) = match asked {
            Ok(()) => {
                let Some((question, decision)) = decided.next() else { break };
                let known = if known.is_empty() { None } else { known.get(&question.subject.uid()).cloned() };
                app.policies.recorder.note(&Asked { question, known }, &decision, in_force.version, now);
                counted.add(&decision);
                (decision.allowed, told(&decision, &in_force, tells))
            }
            Err(message) => (false, refused(StatusCode::BAD_REQUEST, &message)),
        };
        answers.push(answer);
        if semantic == Semantic::Until(allowed) {
            break;
        }
    }
    Ok(answers)
}

/// Decisions by what came of them; they get into the metrics together.
#[derive(Default)]
struct Counted {
    allow: u64,
    deny: u64,
    error: u64,
}

impl Counted {
    fn add(&mut self, decision: &Decision) {
        match decision {
            Decision { error: Some(_), .. } => self.error += 1,
            Decision { allowed: true, .. } => self.allow += 1,
            _ => self.deny += 1,
        }
    }
}

impl Drop for Counted {
    fn drop(&mut self) {
        for (outcome, times) in [("allow", self.allow), ("deny", self.deny), ("error", self.error)] {
            if times > 0 {
                metrics::counter!("bonafide_decisions_total", "decision" => outcome).increment(times);
            }
        }
    }
}

/// What the caller hears; which policies decided is for those who may read them.
fn told(decision: &Decision, in_force: &InForce, tells: bool) -> Told {
    match &decision.error {
        Some(Trouble::Question(message)) => refused(StatusCode::BAD_REQUEST, message),
        Some(trouble @ Trouble::Policy { .. }) => {
            let message = trouble.to_string();
            refused(StatusCode::INTERNAL_SERVER_ERROR, if tells { &message } else { "a policy could not be evaluated" })
        }
        None if tells => {
            let policies = Some(decision.policies.clone());
            let reason = Reason { policies, version: Some(in_force.version), error: None };
            Told { decision: decision.allowed, context: Some(reason) }
        }
        None => Told { decision: decision.allowed, context: None },
    }
}

fn refused(status: StatusCode, message: &str) -> Told {
    let error = Refusal { status: status.as_u16(), message: message.to_owned() };
    Told { decision: false, context: Some(Reason { error: Some(error), ..Reason::default() }) }
}

/// A question, with what a batch says for all of its questions where it says nothing itself.
fn question(said: &Map<String, Value>, defaults: &Map<String, Value>) -> Result<Question, Misfit> {
    let member = |name: &str| {
        let said = said.get(name).filter(|value| !value.is_null());
        said.or_else(|| defaults.get(name).filter(|value| !value.is_null()))
    };
    let action = members(member("action"), "action")?;
    Ok(Question {
        subject: object(member("subject"), "subject")?,
        action: Action {
            name: text(action, "action", "name")?,
            properties: optional(action.get("properties"), "action.properties")?,
        },
        resource: object(member("resource"), "resource")?,
        context: optional(member("context"), "context")?,
    })
}

fn object(said: Option<&Value>, path: &str) -> Result<Object, Misfit> {
    let said = members(said, path)?;
    Ok(Object {
        kind: text(said, path, "type")?,
        id: text(said, path, "id")?,
        properties: optional(said.get("properties"), &format!("{path}.properties"))?,
    })
}

fn members<'v>(said: Option<&'v Value>, path: &str) -> Result<&'v Map<String, Value>, Misfit> {
    let misfit = |missing| Misfit { path: path.to_owned(), missing };
    said.ok_or(misfit(true))?.as_object().ok_or(misfit(false))
}

fn text(said: &Map<String, Value>, path: &str, name: &str) -> Result<String, Misfit> {
    let misfit = |missing| Misfit { path: format!("{path}.{name}"), missing };
    let value = said.get(name).filter(|value| !value.is_null()).ok_or_else(|| misfit(true))?;
    value.as_str().map(str::to_owned).ok_or_else(|| misfit(false))
}

fn optional(said: Option<&Value>, path: &str) -> Result<Map<String, Value>, Misfit> {
    match said {
        None | Some(Value::Null) => Ok(Map::new()),
        said => members(said, path).cloned(),
    }
}
