//! From what an operator writes to what decides, or to what is wrong with it.

use std::collections::HashMap;
use std::str::FromStr as _;

use cedar_policy::{
    Entities, Policy, PolicyId, PolicySet, Schema, SchemaFragment, ValidationMode, Validator,
    schema_str_to_json_with_resolved_types,
};
use serde_json::Value;

use super::Bundle;
use super::fault::{ENTITIES, Fault, SCHEMA};

/// In bytes, all documents and the schema together.
const MAX_TEXT: usize = 1024 * 1024;
const MAX_POLICIES: usize = 10_000;
const MAX_ENTITIES: usize = 10_000;

/// What is there without being declared, each unless the operator declares it.
const OURS: [(&str, &str); 3] = [
    ("role", "entity role;"),
    (
        "user",
        "entity user in [role] { roles: Set<String>, permissions: Set<String>, email?: String, email_verified?: Bool, \
         username?: String, name?: String };",
    ),
    ("service_account", "entity service_account in [role] { roles: Set<String>, permissions: Set<String> };"),
];

/// A bundle that Cedar accepts.
pub(super) struct Compiled {
    pub(super) schema: Schema,
    /// The schema in JSON, its names resolved.
    pub(super) schema_json: Value,
    pub(super) policies: PolicySet,
    pub(super) entities: Entities,
    pub(super) warnings: Vec<Fault>,
}

pub(super) fn compile(bundle: &Bundle) -> Result<Compiled, Vec<Fault>> {
    limits(bundle)?;
    let mut faults = Vec::new();
    let schema = schema(&bundle.schema).map_err(|fault| faults.push(fault)).ok();
    let (policies, origins) = policies(bundle, &mut faults);
    let Some((schema, schema_json)) = schema else { return Err(faults) };
    if !faults.is_empty() {
        return Err(faults);
    }
    let warnings = validate(&schema, &policies, &origins)?;
    let entities = entities(bundle, &schema)?;
    Ok(Compiled { schema, schema_json, policies, entities, warnings })
}

fn limits(bundle: &Bundle) -> Result<(), Vec<Fault>> {
    let size = bundle.documents.values().map(String::len).sum::<usize>() + bundle.schema.len();
    if size > MAX_TEXT {
        return Err(vec![Fault::new(
            None,
            format!("the policies and the schema are {size} bytes; {MAX_TEXT} at most"),
        )]);
    }
    let count = bundle.entities.len();
    if count > MAX_ENTITIES {
        return Err(vec![Fault::new(Some(ENTITIES), format!("{count} entities; {MAX_ENTITIES} at most"))]);
    }
    Ok(())
}

fn schema(text: &str) -> Result<(Schema, Value), Fault> {
    let (fragment, _) =
        SchemaFragment::from_cedarschema_str(text).map_err(|error| Fault::found(SCHEMA, text, &error))?;
    let declared = fragment.to_json_value().map_err(|error| Fault::new(Some(SCHEMA), error.to_string()))?;
    let mut whole = text.to_owned();
    for (name, declaration) in OURS {
        if declared.get("").and_then(|space| space.get("entityTypes")?.get(name)).is_none() {
            whole.push('\n');
            whole.push_str(declaration);
        }
    }
    let (schema, _) = Schema::from_cedarschema_str(&whole).map_err(|error| Fault::found(SCHEMA, text, &error))?;
    let (json, _) =
        schema_str_to_json_with_resolved_types(&whole).map_err(|error| Fault::found(SCHEMA, text, &error))?;
    Ok((schema, json))
}

/// All policies under their names, and which document each is from.
fn policies<'a>(bundle: &'a Bundle, faults: &mut Vec<Fault>) -> (PolicySet, HashMap<PolicyId, (&'a str, &'a str)>) {
    let mut all = PolicySet::new();
    let mut origins = HashMap::new();
    for (name, text) in &bundle.documents {
        let parsed = match PolicySet::from_str(text) {
            Ok(parsed) => parsed,
            Err(errors) => {
                faults.extend(errors.iter().map(|error| Fault::found(name, text, error)));
                continue;
            }
        };
        if parsed.num_of_templates() > 0 {
            faults.push(Fault::new(Some(name), "templates have nobody who would fill them in"));
        }
        let mut written: Vec<&Policy> = parsed.policies().collect();
        written.sort_by_key(|policy| position(policy));
        let alone = written.len() == 1;
        for (number, policy) in (1..).zip(written) {
            let id = match policy.annotation("id") {
                Some(id) => id.to_owned(),
                None if alone => name.clone(),
                None => format!("{name}.{number}"),
            };
            let id = PolicyId::new(id);
            if all.add(policy.new_id(id.clone())).is_err() {
                faults.push(Fault::new(Some(name), format!("there are two policies with the id {id}")));
            }
            origins.insert(id, (name.as_str(), text.as_str()));
        }
    }
    if all.num_of_policies() > MAX_POLICIES {
        faults.push(Fault::new(None, format!("{} policies; {MAX_POLICIES} at most", all.num_of_policies())));
    }
    (all, origins)
}

/// The parser calls them `policy0`, `policy1` and so on, as they are written.
fn position(policy: &Policy) -> usize {
    let id: &str = policy.id().as_ref();
    id.trim_start_matches("policy").parse().unwrap_or(usize::MAX)
}

fn validate(
    schema: &Schema,
    policies: &PolicySet,
    origins: &HashMap<PolicyId, (&str, &str)>,
) -> Result<Vec<Fault>, Vec<Fault>> {
    let found = |id: &PolicyId, error: &dyn miette::Diagnostic| match origins.get(id) {
        Some((document, text)) => Fault::found(document, text, error),
        None => Fault::new(None, error.to_string()),
    };
    let result = Validator::new(schema.clone()).validate(policies, ValidationMode::Strict);
    let mut faults: Vec<Fault> = result.validation_errors().map(|error| found(error.policy_id(), error)).collect();
    let mut warnings: Vec<Fault> =
        result.validation_warnings().map(|warning| found(warning.policy_id(), warning)).collect();
    let place = |fault: &Fault| (fault.document.clone(), fault.line, fault.column);
    faults.sort_by_key(place);
    warnings.sort_by_key(place);
    if faults.is_empty() { Ok(warnings) } else { Err(faults) }
}

fn entities(bundle: &Bundle, schema: &Schema) -> Result<Entities, Vec<Fault>> {
    let fault = |message: String| vec![Fault::new(Some(ENTITIES), message)];
    let json = serde_json::to_value(&bundle.entities).map_err(|error| fault(error.to_string()))?;
    Entities::from_json_value(json, Some(schema)).map_err(|error| {
        // Its own words are general; which entity and which member is in what it comes from.
        let mut message = error.to_string();
        let mut source = std::error::Error::source(&error);
        while let Some(inner) = source {
            let said = inner.to_string();
            if !message.contains(&said) {
                message = format!("{message}: {said}");
            }
            source = inner.source();
        }
        fault(message)
    })
}
