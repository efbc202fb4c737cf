//! `/policies`: what is in force, its versions, publishing, and what a change would make of the decisions of late.

use std::collections::BTreeMap;
use std::num::NonZeroU32;

use axum::http::{HeaderValue, StatusCode, header};
use axum::response::Response;
use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use utoipa::ToSchema;

use super::call::LargeCall;
use super::page::Page;
use super::{Answered, Call, Fault, Problem};
use crate::access::policies::{
    Bundle, Decision, Difference, DryRun, Origin, PolicyFault, Publication, Published, Version,
};
use crate::http::answer;

/// Policies with what they are about. What is left out is empty.
#[derive(Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(super) struct Policies {
    /// The policies' texts in Cedar, by name.
    documents: BTreeMap<String, String>,
    /// In Cedar's own language.
    #[serde(default)]
    schema: String,
    /// In Cedar's JSON: `uid`, `attrs`, `parents`.
    #[serde(default)]
    #[schema(value_type = Vec<Object>)]
    entities: Vec<Value>,
    /// What changes, for those who look at the versions.
    #[serde(default)]
    note: String,
}

impl Policies {
    fn bundle(self) -> Result<Bundle, Problem> {
        let malformed = |error: serde_json::Error| {
            Problem::bad_request("api-policies-invalid").field_because("entities", error.to_string())
        };
        let entities = serde_json::from_value(Value::Array(self.entities)).map_err(malformed)?;
        Ok(Bundle { documents: self.documents, schema: self.schema, entities })
    }
}

/// A version, with what it says where one is asked for.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(super) struct PolicyVersion {
    /// 1, 2, 3 …; 0: nothing was ever published.
    version: i64,
    /// files, api or command.
    source: &'static str,
    note: String,
    /// The id of the person or service account; null: an operator, or the folder of the settings.
    published_by: Option<String>,
    published_at: Option<DateTime<Utc>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    documents: Option<BTreeMap<String, String>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    schema: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<Vec<Object>>)]
    entities: Option<Value>,
}

impl PolicyVersion {
    fn new(version: Version, bundle: Option<Bundle>) -> Self {
        let (documents, schema, entities) = match bundle {
            Some(Bundle { documents, schema, entities }) => {
                (Some(documents), Some(schema), serde_json::to_value(entities).ok())
            }
            None => (None, None, None),
        };
        Self {
            version: version.number,
            source: version.origin.name(),
            note: version.note,
            published_by: version.published_by,
            published_at: Some(version.published_at),
            documents,
            schema,
            entities,
        }
    }

    /// Before anything was published.
    fn none() -> Self {
        Self {
            version: 0,
            source: Origin::Api.name(),
            note: String::new(),
            published_by: None,
            published_at: None,
            documents: Some(BTreeMap::new()),
            schema: Some(String::new()),
            entities: Some(Value::Array(Vec::new())),
        }
    }
}

/// What became of a publication.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(super) struct PublishedVersion {
    version: i64,
    /// False: it was in force already.
    new: bool,
}

/// What policies that are not published would make of the decisions of late.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(super) struct DryRunReport {
    /// Different questions that were asked of late.
    considered: usize,
    /// How many of them would be decided otherwise.
    differing: usize,
    /// A hundred of them at most.
    differences: Vec<DecisionDifference>,
}

#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(super) struct DecisionDifference {
    /// As it was asked, by the names of AuthZEN.
    #[schema(value_type = Object)]
    question: Value,
    was: DecisionShown,
    would: DecisionShown,
    /// How often it was asked.
    times: i64,
    last_at: DateTime<Utc>,
}

#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(super) struct DecisionShown {
    decision: bool,
    policies: Vec<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    error: Option<String>,
}

impl From<Decision> for DecisionShown {
    fn from(decision: Decision) -> Self {
        Self {
            decision: decision.allowed,
            policies: decision.policies,
            error: decision.error.map(|trouble| trouble.to_string()),
        }
    }
}

impl From<Difference> for DecisionDifference {
    fn from(difference: Difference) -> Self {
        Self {
            question: serde_json::to_value(difference.question).unwrap_or_default(),
            was: difference.was.into(),
            would: difference.would.into(),
            times: difference.times,
            last_at: difference.last_at,
        }
    }
}

impl From<DryRun> for DryRunReport {
    fn from(run: DryRun) -> Self {
        Self {
            considered: run.considered,
            differing: run.differing,
            differences: run.differences.into_iter().map(Into::into).collect(),
        }
    }
}

/// What is in force.
pub(in crate::http) async fn current(call: Call) -> Response {
    let answered = in_force(&call).await;
    call.answer(answered)
}

async fn in_force(call: &Call) -> Answered {
    let shown = match call.web.app.policies.newest().await? {
        Some((version, bundle)) => PolicyVersion::new(version, Some(bundle)),
        None => PolicyVersion::none(),
    };
    let tag = HeaderValue::from_str(&format!("\"{}\"", shown.version)).ok();
    Ok(answer::with_header(answer::json(StatusCode::OK, &shown), header::ETAG, tag))
}

pub(in crate::http) async fn publish(call: LargeCall) -> Response {
    let LargeCall(call) = call;
    let answered = publish_whole(&call).await;
    call.answer(answered)
}

async fn publish_whole(call: &Call) -> Answered {
    let mut body: Policies = call.body()?;
    let note = std::mem::take(&mut body.note);
    let publication = Publication {
        bundle: body.bundle()?,
        origin: Origin::Api,
        note,
        by: Some(call.signed()?.subject()),
        expected: expected(call)?,
    };
    Ok(published(call.web.app.policies.publish(publication, &call.source()).await?))
}

fn published(published: Published) -> Response {
    let tag = HeaderValue::from_str(&format!("\"{}\"", published.version)).ok();
    let body = PublishedVersion { version: published.version, new: published.new };
    answer::with_header(answer::json(StatusCode::OK, &body), header::ETAG, tag)
}

/// The version that the caller has seen, where they say so (RFC 9110 section 13.1.1).
fn expected(call: &Call) -> Result<Option<i64>, Problem> {
    let mut given = call.headers.get_all(header::IF_MATCH).iter();
    let (Some(tag), None) = (given.next(), given.next()) else {
        return if call.headers.contains_key(header::IF_MATCH) { Err(moved()) } else { Ok(None) };
    };
    let version = tag.to_str().ok().and_then(|tag| tag.strip_prefix('"')?.strip_suffix('"')?.parse().ok());
    version.map(Some).ok_or_else(moved)
}

fn moved() -> Problem {
    Problem::new(StatusCode::PRECONDITION_FAILED, "api-policies-moved")
}

pub(in crate::http) async fn dry_run(call: LargeCall) -> Response {
    let LargeCall(call) = call;
    let answered = tried(&call).await;
    call.answer(answered)
}

async fn tried(call: &Call) -> Answered {
    let body: Policies = call.body()?;
    let report = call.web.app.policies.dry_run(body.bundle()?).await?;
    Ok(answer::json(StatusCode::OK, &DryRunReport::from(report)))
}

pub(in crate::http) async fn versions(call: Call) -> Response {
    let answered = listed(&call).await;
    call.answer(answered)
}

async fn listed(call: &Call) -> Answered {
    let page = Page::<NonZeroU32>::asked_by(call, "before")?;
    let before = page.after.map(|before| i64::from(before.get()));
    let mut found = call.web.app.policies.versions(before, page.reading()).await?;
    let more = page.cut(&mut found).then(|| found.last().map(|last| last.number)).flatten();
    let shown: Vec<_> = found.into_iter().map(|version| PolicyVersion::new(version, None)).collect();
    Ok(page.answer(call, "/policies/versions", &shown, more))
}

pub(in crate::http) async fn version(call: Call) -> Response {
    let answered = shown(&call).await;
    call.answer(answered)
}

async fn shown(call: &Call) -> Answered {
    let (version, bundle) = call.web.app.policies.version(number(call)?).await?.ok_or_else(Problem::not_found)?;
    Ok(answer::json(StatusCode::OK, &PolicyVersion::new(version, Some(bundle))))
}

pub(in crate::http) async fn restore(call: Call) -> Response {
    let answered = restored(&call).await;
    call.answer(answered)
}

async fn restored(call: &Call) -> Answered {
    let by = Some(call.signed()?.subject());
    Ok(published(call.web.app.policies.restore(number(call)?, Origin::Api, by, &call.source()).await?))
}

fn number(call: &Call) -> Result<i64, Problem> {
    call.segment("version")?.parse().map_err(|_| Problem::not_found())
}

impl From<PolicyFault> for Fault {
    fn from(fault: PolicyFault) -> Self {
        match fault {
            PolicyFault::Invalid(faults) => {
                let problem = Problem::bad_request("api-policies-invalid");
                let told = faults.into_iter().fold(problem, |problem, fault| {
                    let field = fault.document.clone().unwrap_or_else(|| "documents".to_owned());
                    problem.field_because(&field, fault.to_string())
                });
                told.into()
            }
            PolicyFault::Moved(_) => moved().into(),
            PolicyFault::Unknown(_) => Problem::not_found().into(),
            other => Self::broken(other),
        }
    }
}
