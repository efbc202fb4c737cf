//! What an operation says about itself.

use axum::http::StatusCode;
use serde_json::{Map, Value, json};
use utoipa::{PartialSchema, ToSchema};

use super::schemas::{Schemas, of};
use crate::http::access::Access;
use crate::http::api::problem;
use crate::identity::ADMIN;

/// A shape, and what it is made of among the components.
pub(super) type Shape = fn(&mut Schemas) -> Value;

/// How a body that cannot be read is refused.
const UNREADABLE: [u16; 4] = [400, 408, 413, 415];

struct Body {
    shape: Shape,
    kind: &'static str,
    required: bool,
    /// The statuses that refuse it.
    refuses: &'static [u16],
}

/// What can be done at a path.
pub(super) struct Operation {
    pub(super) method: &'static str,
    pub(super) path: &'static str,
    summary: &'static str,
    /// The names in the path that stand for a UUID.
    ids: Vec<&'static str>,
    parameters: Vec<Value>,
    takes: Option<Body>,
    gives: Option<Shape>,
    gives_as: &'static str,
    /// Of success; more than one where they differ by what was there.
    statuses: &'static [u16],
    refuses: Vec<u16>,
    /// A credential that may be shown where everybody may call.
    welcomes: Option<&'static str>,
    reticent: bool,
}

pub(super) fn get(path: &'static str, summary: &'static str) -> Operation {
    Operation::new("get", path, summary)
}

pub(super) fn post(path: &'static str, summary: &'static str) -> Operation {
    Operation::new("post", path, summary)
}

pub(super) fn put(path: &'static str, summary: &'static str) -> Operation {
    Operation::new("put", path, summary)
}

pub(super) fn patch(path: &'static str, summary: &'static str) -> Operation {
    Operation::new("patch", path, summary)
}

pub(super) fn delete(path: &'static str, summary: &'static str) -> Operation {
    Operation::new("delete", path, summary)
}

impl Operation {
    /// Until it says otherwise, it takes nothing and has nothing to answer.
    fn new(method: &'static str, path: &'static str, summary: &'static str) -> Self {
        Self {
            method,
            path,
            summary,
            ids: Vec::new(),
            parameters: Vec::new(),
            takes: None,
            gives: None,
            gives_as: "application/json",
            statuses: &[204],
            refuses: Vec::new(),
            welcomes: None,
            reticent: false,
        }
    }

    /// A name in the path stands for a UUID.
    pub(super) fn uuid(mut self, name: &'static str) -> Self {
        self.ids.push(name);
        self
    }

    pub(super) fn query(self, name: &str, schema: &Value) -> Self {
        self.parameter(json!({"name": name, "in": "query", "schema": schema}))
    }

    pub(super) fn header(self, name: &str, description: &str) -> Self {
        self.parameter(json!({"name": name, "in": "header", "description": description, "schema": {"type": "string"}}))
    }

    /// It answers a page: so many, and those that follow what the page before ended with.
    pub(super) fn paged(self, by: &str, description: &str, schema: &Value) -> Self {
        let limit = json!({"type": "integer", "minimum": 1, "maximum": 100, "default": 50});
        let by = json!({"name": by, "in": "query", "description": description, "schema": schema});
        self.query("limit", &limit).parameter(by).refuses(&[400])
    }

    fn parameter(mut self, parameter: Value) -> Self {
        self.parameters.push(parameter);
        self
    }

    pub(super) fn takes<T: ToSchema + PartialSchema>(self) -> Self {
        self.body(of::<T>, "application/json", true)
    }

    /// A body that may be left out.
    pub(super) fn takes_perhaps<T: ToSchema + PartialSchema>(self) -> Self {
        self.body(of::<T>, "application/json", false)
    }

    pub(super) fn takes_form<T: ToSchema + PartialSchema>(self) -> Self {
        self.body(of::<T>, "multipart/form-data", true)
    }

    /// A body that may have declared attributes besides its own members.
    pub(super) fn takes_with_attributes<T: ToSchema + PartialSchema>(self) -> Self {
        self.body(super::schemas::with_attributes::<T>, "application/json", true)
    }

    fn body(mut self, shape: Shape, kind: &'static str, required: bool) -> Self {
        self.takes = Some(Body { shape, kind, required, refuses: &UNREADABLE });
        self
    }

    /// Whatever is wrong with the body, these say it.
    pub(super) fn unreadable(mut self, statuses: &'static [u16]) -> Self {
        if let Some(body) = &mut self.takes {
            body.refuses = statuses;
        }
        self
    }

    pub(super) fn gives(self, shape: Shape) -> Self {
        self.answers(shape, &[200])
    }

    pub(super) fn creates(self, shape: Shape) -> Self {
        self.answers(shape, &[201])
    }

    /// It answers many of these, a line each.
    pub(super) fn in_lines(mut self) -> Self {
        self.gives_as = "application/jsonl";
        self
    }

    /// It is done later, by somebody else or not at all.
    pub(super) fn accepts(self, shape: Shape) -> Self {
        self.answers(shape, &[202])
    }

    /// 201 if it is done already, 202 if it is done later.
    pub(super) fn begins(self, shape: Shape) -> Self {
        self.answers(shape, &[201, 202])
    }

    /// It answers a document whose shape is described elsewhere.
    pub(super) fn file(self) -> Self {
        self.answers(|_| json!({"type": "object"}), &[200])
    }

    /// 201 if it was not there before.
    pub(super) fn declares(self, shape: Shape) -> Self {
        self.answers(shape, &[200, 201])
    }

    fn answers(mut self, shape: Shape, statuses: &'static [u16]) -> Self {
        self.gives = Some(shape);
        self.statuses = statuses;
        self
    }

    /// The statuses by which it refuses, besides those that its body and its access bring.
    pub(super) fn refuses(mut self, statuses: &[u16]) -> Self {
        self.refuses.extend(statuses);
        self
    }

    /// Everybody may call it; it makes a difference who shows this.
    pub(super) fn welcomes(mut self, scheme: &'static str) -> Self {
        self.welcomes = Some(scheme);
        self
    }

    /// Nobody learns of throttles by a status of their own, nor anything about faults.
    pub(super) fn reticent(mut self) -> Self {
        self.reticent = true;
        self
    }

    /// As the document has it.
    pub(super) fn described(&self, access: Access, schemas: &mut Schemas) -> Value {
        let responses = self.responses(access, schemas);
        let mut described = json!({
            "summary": summary(self.summary, access),
            "parameters": self.path_parameters().chain(self.parameters.iter().cloned()).collect::<Vec<_>>(),
            "responses": responses,
            "security": self.security(access),
        });
        if let (Some(body), Some(members)) = (&self.takes, described.as_object_mut()) {
            let content = json!({body.kind: {"schema": (body.shape)(schemas)}});
            members.insert("requestBody".to_owned(), json!({"required": body.required, "content": content}));
        }
        described
    }

    fn path_parameters(&self) -> impl Iterator<Item = Value> {
        self.path.split(['{', '}']).skip(1).step_by(2).map(|name| {
            let is_id = self.ids.contains(&name);
            let schema = if is_id { json!({"type": "string", "format": "uuid"}) } else { json!({"type": "string"}) };
            json!({"name": name, "in": "path", "required": true, "schema": schema})
        })
    }

    fn responses(&self, access: Access, schemas: &mut Schemas) -> Map<String, Value> {
        let given = match self.gives {
            Some(shape) => json!({"description": "Done.", "content": {self.gives_as: {"schema": shape(schemas)}}}),
            None => json!({"description": "Done."}),
        };
        let problem = of::<problem::Body>(schemas);
        let refused = self.refusals(access).into_iter().map(|status| {
            let name = StatusCode::from_u16(status).ok().and_then(|status| status.canonical_reason());
            let mut refused = json!({"description": name.unwrap_or_default()});
            if let (Some(members), false) = (refused.as_object_mut(), self.reticent && status >= 429) {
                members.insert("content".to_owned(), json!({"application/problem+json": {"schema": problem}}));
            }
            (status, refused)
        });
        let given = self.statuses.iter().map(|status| (*status, given.clone()));
        given.chain(refused).map(|(status, answer)| (status.to_string(), answer)).collect()
    }

    /// The statuses by which it refuses, each once and in order.
    fn refusals(&self, access: Access) -> Vec<u16> {
        let mut statuses = self.refuses.clone();
        statuses.extend([500, 503]);
        statuses.extend(self.takes.iter().flat_map(|body| body.refuses));
        match access {
            Access::AdapterSecret => statuses.push(401),
            access if access.is_guarded() => statuses.extend([401, 403]),
            _ => {}
        }
        if !self.reticent {
            statuses.push(429);
        }
        statuses.sort_unstable();
        statuses.dedup();
        statuses
    }

    fn security(&self, access: Access) -> Value {
        match (access, self.welcomes) {
            (Access::AdapterSecret, _) => json!([{"adapterSecret": []}]),
            (Access::PermissionOrSecret(_), _) => json!([{"bearer": []}, {"basic": []}]),
            (access, _) if access.is_guarded() => json!([{"bearer": ["account"]}]),
            (_, Some(scheme)) => json!([{scheme: []}, {}]),
            (_, None) => json!([]),
        }
    }
}

/// What it does, and who may have it done.
fn summary(summary: &str, access: Access) -> String {
    match access {
        Access::Permission(permission) | Access::PermissionOrSecret(permission) => {
            format!("{summary} (permission {permission})")
        }
        Access::SelfOr(permission) => format!("{summary} (oneself; of others, permission {permission})"),
        Access::Administrator => format!("{summary} (role {ADMIN})"),
        Access::Oneself => format!("{summary} (oneself, by an access token, not by an API key)"),
        Access::UserInPerson => format!("{summary} (by an access token, not by an API key)"),
        _ => summary.to_owned(),
    }
}
