//! Decisions, as `AuthZEN` asks for them.

use serde_json::{Map, Value, json};
use utoipa::ToSchema;

use super::operation::{Operation, get, post};
use super::schemas::{Schemas, of};
use crate::http::api::evaluation::{DecisionsTold, Told};
use crate::http::protocol::discovery::Authzen;

pub(super) fn operations() -> Vec<Operation> {
    vec![
        get("/.well-known/authzen-configuration", "Tell where to ask for decisions")
            .gives(of::<Authzen>)
            .refuses(&[429])
            .reticent(),
        post("/access/v1/evaluation", "Ask for a decision").takes::<Evaluation>().gives(of::<Told>),
        post("/access/v1/evaluations", "Ask for many decisions at once").takes::<Batch>().gives(decisions),
    ]
}

/// Whoever sends a batch with nothing in it has asked for one decision.
fn decisions(schemas: &mut Schemas) -> Value {
    json!({"oneOf": [of::<DecisionsTold>(schemas), of::<Told>(schemas)]})
}

/// May they? Members that are not named here are overlooked.
#[derive(ToSchema)]
#[expect(dead_code, reason = "the shape of a question, for the OpenAPI document")]
struct Evaluation {
    subject: Party,
    action: Action,
    resource: Party,
    context: Option<Map<String, Value>>,
}

/// Many questions, and what counts for each that does not say it itself.
#[derive(ToSchema)]
#[schema(as = Evaluations)]
#[expect(dead_code, reason = "the shape of a batch, for the OpenAPI document")]
struct Batch {
    subject: Option<Party>,
    action: Option<Action>,
    resource: Option<Party>,
    context: Option<Map<String, Value>>,
    /// Each is like an Evaluation, less what is said beside them, and is answered whatever is wrong with it. Without any of them
    /// the other members ask for one decision.
    #[schema(max_items = 200, value_type = Option<Vec<Value>>)]
    evaluations: Option<Vec<Evaluation>>,
    options: Option<Options>,
}

/// Somebody or something: a type of the policies, and which one.
#[derive(ToSchema)]
#[schema(as = EvaluationEntity)]
#[expect(dead_code, reason = "the shape of a part of a question, for the OpenAPI document")]
struct Party {
    r#type: String,
    id: String,
    properties: Option<Map<String, Value>>,
}

#[derive(ToSchema)]
#[schema(as = EvaluationAction)]
#[expect(dead_code, reason = "the shape of a part of a question, for the OpenAPI document")]
struct Action {
    name: String,
    properties: Option<Map<String, Value>>,
}

#[derive(ToSchema)]
#[schema(as = EvaluationsOptions)]
#[expect(dead_code, reason = "the shape of a part of a batch, for the OpenAPI document")]
struct Options {
    evaluations_semantic: Option<Semantic>,
}

/// Whether all are answered, or only those up to the first denial or permission.
#[derive(ToSchema)]
#[schema(as = EvaluationsSemantic, rename_all = "snake_case")]
#[expect(dead_code, reason = "the shape of a part of a batch, for the OpenAPI document")]
enum Semantic {
    ExecuteAll,
    DenyOnFirstDeny,
    PermitOnFirstPermit,
}
