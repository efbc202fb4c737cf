//! `/docs`: the OpenAPI document as a page, made by the server like every other page: nothing to load, no script.

use std::sync::{Arc, LazyLock};

use axum::extract::State;
use axum::http::StatusCode;
use axum::response::Response;
use serde_json::Value;

use crate::http::access::Access;
use crate::http::answer::{self, Forms};
use crate::http::api;
use crate::http::caller::Caller;
use crate::http::router::{self, Route};
use crate::http::state::Web;
use crate::http::views::{Call, Described, DocsPage, Group, Kind, Member, Shape};

static DESCRIBED: LazyLock<Described> = LazyLock::new(|| described(&api::openapi_document()));

pub(in crate::http) async fn get(State(web): State<Arc<Web>>, caller: Caller) -> Response {
    let view = DocsPage { frame: caller.frame(&web, None), described: &DESCRIBED };
    answer::page(&web, StatusCode::OK, Forms::None, &view)
}

fn described(document: &Value) -> Described {
    let table = router::table();
    let calls = members(&document["paths"]).flat_map(|(path, item)| {
        members(item).map(|(method, operation)| call(&table, path, method, operation)).collect::<Vec<_>>()
    });
    let (adapter, accounts) = calls.partition(|call| call.path.starts_with("/adapter"));
    let shapes = members(within(document, "/components/schemas")).map(|(name, schema)| Shape {
        name: name.to_owned(),
        description: text(&schema["description"]),
        members: members_of(schema),
    });
    Described {
        groups: [
            Group { id: "accounts", title: "docs-accounts", calls: accounts },
            Group { id: "adapter", title: "docs-adapter", calls: adapter },
        ],
        shapes: shapes.collect(),
    }
}

/// Who may call what is guarded, and the permission that they need.
fn caller(access: Access) -> Option<(&'static str, &'static str)> {
    Some(match access {
        Access::User => ("docs-who-user", ""),
        Access::UserInPerson => ("docs-who-person", ""),
        Access::Oneself => ("docs-who-oneself", ""),
        Access::SelfOr(permission) => ("docs-who-self", permission),
        Access::Permission(permission) => ("docs-who-permission", permission),
        Access::PermissionOrSecret(permission) => ("docs-who-secret", permission),
        Access::Administrator => ("docs-who-administrator", ""),
        Access::AdapterSecret => ("docs-who-adapter", ""),
        _ => return None,
    })
}

/// What everybody may call who shows something, or nothing.
fn perhaps(operation: &Value) -> &'static str {
    let by =
        |scheme: &str| operation["security"].as_array().is_some_and(|all| all.iter().any(|one| !one[scheme].is_null()));
    if by("adapterSecret") {
        "docs-who-linked"
    } else if by("refresh") {
        "docs-who-refresh"
    } else {
        "docs-who-everybody"
    }
}

fn call(table: &[Route], path: &str, method: &str, operation: &Value) -> Call {
    let parameters = operation["parameters"].as_array().into_iter().flatten().map(|parameter| Member {
        name: text(&parameter["name"]),
        kind: kind(&parameter["schema"]),
        required: parameter["required"] == true,
        description: text(&parameter["description"]),
    });
    let takes = members(within(operation, "/requestBody/content")).next();
    let (mut gives, mut refuses) = (Vec::new(), Vec::new());
    for (status, answer) in members(&operation["responses"]) {
        if status.starts_with('2') {
            let content = members(&answer["content"]).next();
            gives.push((status.to_owned(), content.map(|(_, content)| kind(&content["schema"]))));
        } else {
            refuses.push((status.to_owned(), text(&answer["description"])));
        }
    }
    let access = table.iter().find(|route| route.is_for(method, path)).map(|route| route.access);
    let (who, permission) = access.and_then(caller).unwrap_or_else(|| (perhaps(operation), ""));
    let slug: String = path.chars().map(|one| if one.is_ascii_alphanumeric() { one } else { '-' }).collect();
    Call {
        id: format!("{method}{slug}"),
        method: method.to_uppercase(),
        path: path.to_owned(),
        summary: text(&operation["summary"]),
        who,
        who_args: vec![("permission", permission.to_owned())],
        parameters: parameters.collect(),
        takes: takes.map(|(media, content)| (media.to_owned(), kind(&content["schema"]))),
        gives,
        refuses,
    }
}

fn members_of(schema: &Value) -> Vec<Member> {
    // What is put together of several shapes names them all.
    let parts = schema["allOf"].as_array();
    let parts = parts.map_or_else(|| vec![schema], |parts| parts.iter().collect());
    let mut found = Vec::new();
    for part in parts {
        if part["$ref"].is_string() {
            found
                .push(Member { name: "…".to_owned(), kind: kind(part), required: false, description: String::new() });
        }
        let required = |name: &str| part["required"].as_array().is_some_and(|all| all.iter().any(|one| one == name));
        found.extend(members(&part["properties"]).map(|(name, schema)| Member {
            name: name.to_owned(),
            kind: kind(schema),
            required: required(name),
            description: text(&schema["description"]),
        }));
    }
    found
}

fn kind(schema: &Value) -> Kind {
    let plain = |text: String| Kind { text, shape: None };
    if let Some(name) = schema["$ref"].as_str().and_then(|path| path.rsplit('/').next()) {
        return Kind { text: name.to_owned(), shape: Some(name.to_owned()) };
    }
    if let Some(choices) = schema["oneOf"].as_array().or_else(|| schema["anyOf"].as_array()) {
        let kinds: Vec<Kind> = choices.iter().map(kind).collect();
        let text = kinds.iter().map(|kind| kind.text.as_str()).collect::<Vec<_>>().join(" or ");
        return Kind { text, shape: kinds.into_iter().find_map(|kind| kind.shape) };
    }
    match &schema["type"] {
        Value::Array(types) => plain(types.iter().filter_map(Value::as_str).collect::<Vec<_>>().join(" or ")),
        Value::String(name) if name == "array" => {
            let Kind { text, shape } = kind(&schema["items"]);
            Kind { text: format!("{text}[]"), shape }
        }
        Value::String(name) => match schema["format"].as_str() {
            Some(format) => plain(format!("{name} ({format})")),
            None => plain(name.clone()),
        },
        _ => plain("any".to_owned()),
    }
}

fn members(object: &Value) -> impl Iterator<Item = (&str, &Value)> {
    object.as_object().into_iter().flatten().map(|(name, value)| (name.as_str(), value))
}

/// What lies deeper, or nothing.
fn within<'v>(value: &'v Value, pointer: &str) -> &'v Value {
    value.pointer(pointer).unwrap_or(&Value::Null)
}

fn text(value: &Value) -> String {
    value.as_str().unwrap_or_default().to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_call_is_there_and_every_link_leads_somewhere() {
        let document = api::openapi_document();
        let page = described(&document);
        let calls: Vec<&Call> = page.groups.iter().flat_map(|group| &group.calls).collect();
        let all: usize = members(&document["paths"]).map(|(_, item)| members(item).count()).sum();
        assert_eq!(calls.len(), all);
        let kinds = calls.iter().flat_map(|call| {
            let taken = call.takes.iter().map(|(_, kind)| kind);
            taken.chain(call.gives.iter().filter_map(|(_, kind)| kind.as_ref()))
        });
        let inner = page.shapes.iter().flat_map(|shape| shape.members.iter().map(|member| &member.kind));
        for shape in kinds.chain(inner).filter_map(|kind| kind.shape.as_ref()) {
            assert!(page.shapes.iter().any(|known| known.name == *shape), "{shape}");
        }
        let mut ids: Vec<&str> = calls.iter().map(|call| call.id.as_str()).collect();
        ids.sort_unstable();
        ids.dedup();
        assert!(
            calls.len() - ids.len() <= 3,
            "spellings with and without a slash at the end share an anchor at the most"
        );
    }
}
