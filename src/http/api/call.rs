//! A request to the JSON API, read whole: the framework's own extractors refuse in their own words.

use std::collections::BTreeMap;
use std::convert::Infallible;
use std::fmt;
use std::marker::PhantomData;
use std::sync::Arc;

use axum::RequestExt as _;
use axum::body::Bytes;
use axum::extract::{FromRequest, RawPathParams, Request};
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::Response;
use serde::de::value::MapAccessDeserializer;
use serde::de::{DeserializeOwned, MapAccess, Visitor};
use serde::{Deserialize, Deserializer};
use serde_json::Value;
use uuid::Uuid;

use super::guard::Signed;
use super::members::Strict;
use super::problem::{Answered, Fault, Problem};
use crate::audit::Source;
use crate::grants::Account;
use crate::http::caller::Caller;
use crate::http::form::{self, FormFault};
use crate::http::state::Web;
use crate::identity::AttributeValues;
use crate::oauth::parameters::Parameters;
use crate::trace::{self, Rule, Why};

pub(in crate::http) struct Call {
    pub(super) web: Arc<Web>,
    pub(super) caller: Caller,
    pub(super) headers: HeaderMap,
    query: String,
    /// `None`: the path has segments that are no text.
    segments: Option<Vec<(String, String)>>,
    signed: Option<Signed>,
    body: Result<Bytes, FormFault>,
}

impl Call {
    async fn read(mut request: Request, web: &Arc<Web>, most: usize) -> Result<Self, Infallible> {
        let segments = request.extract_parts::<RawPathParams>().await.ok();
        let segments =
            segments.map(|segments| segments.iter().map(|(name, value)| (name.to_owned(), value.to_owned())).collect());
        let caller = request.extract_parts::<Caller>().await?;
        let (parts, body) = request.into_parts();
        let body = form::bytes(&parts.headers, body, most).await;
        Ok(Self {
            web: web.clone(),
            caller,
            query: parts.uri.query().unwrap_or_default().to_owned(),
            segments,
            signed: parts.extensions.get::<Signed>().cloned(),
            headers: parts.headers,
            body,
        })
    }
}

impl FromRequest<Arc<Web>> for Call {
    type Rejection = Infallible;

    async fn from_request(request: Request, web: &Arc<Web>) -> Result<Self, Infallible> {
        Self::read(request, web, web.app.settings.http.max_body).await
    }
}

/// What is longer is not read once more for a trace.
const LONGEST_ASKED: usize = 64 << 10;

/// Bytes of a body that is larger than others: a few thousand policies.
const LARGE: usize = 4 << 20;

/// A call that may have a large body.
pub(in crate::http) struct LargeCall(pub(super) Call);

impl FromRequest<Arc<Web>> for LargeCall {
    type Rejection = Infallible;

    async fn from_request(request: Request, web: &Arc<Web>) -> Result<Self, Infallible> {
        Ok(Self(Call::read(request, web, LARGE.max(web.app.settings.http.max_body)).await?))
    }
}

/// The guard has not been here: the route's declaration and its handler do not fit.
#[derive(Debug, thiserror::Error)]
#[error("a route that declares nobody has a handler that wants somebody")]
struct Unguarded;

impl Call {
    /// Who calls.
    pub(super) fn signed(&self) -> Result<&Signed, Fault> {
        self.signed.as_ref().ok_or_else(|| Fault::broken(Unguarded))
    }

    /// The account of the person who calls.
    pub(super) fn account(&self) -> Result<&Account, Fault> {
        self.signed()?.account().ok_or_else(|| Fault::broken(Unguarded))
    }

    /// Whoever changes what another may do, or could take their account over, must be able to do all that they can.
    pub(super) async fn require_covering(&self, person: Uuid) -> Result<(), Fault> {
        let signed = self.signed()?;
        if signed.is(person) || signed.held().covers(&self.web.app.roles.held_by(person).await?) {
            return Ok(());
        }
        trace::fail(Rule::CoversOther, || {
            let given = format!("{} may do less than {person}", signed.subject());
            let remedy = "Have somebody do it who holds all roles and permissions of the other, like an administrator.";
            Why::new(given, "somebody who can do all that the other can", remedy)
        });
        Err(Problem::forbidden().into())
    }

    /// A part of the path, decoded.
    pub(super) fn segment(&self, name: &str) -> Result<&str, Problem> {
        let mut segments = self.segments.iter().flatten();
        segments.find(|(known, _)| known == name).map(|(_, value)| value.as_str()).ok_or_else(Problem::not_found)
    }

    /// A parameter of the query; one that is repeated is none.
    pub(super) fn query(&self, name: &'static str) -> Result<Option<String>, Problem> {
        let malformed = || Problem::bad_request("api-query-malformed").field(name, "api-field-malformed");
        let parameters = Parameters::parse(self.query.as_bytes()).ok_or_else(malformed)?;
        // In OAuth an empty parameter is none; here it is one that does not do.
        if form_urlencoded::parse(self.query.as_bytes()).any(|(key, value)| key == name && value.is_empty()) {
            return Err(malformed());
        }
        Ok(parameters.one(name).map_err(|_| malformed())?.map(str::to_owned))
    }

    /// The values of a parameter of the query that may repeat.
    pub(super) fn query_all(&self, name: &'static str) -> Result<Vec<String>, Problem> {
        let parameters = Parameters::parse(self.query.as_bytes());
        let values = || form_urlencoded::parse(self.query.as_bytes()).filter(|(key, _)| key == name);
        if parameters.is_none() || values().any(|(_, value)| value.is_empty()) {
            return Err(Problem::bad_request("api-query-malformed").field(name, "api-field-malformed"));
        }
        Ok(values().map(|(_, value)| value.into_owned()).collect())
    }

    pub(super) fn has_body(&self) -> bool {
        self.body.as_ref().is_ok_and(|body| !body.is_empty())
    }

    /// The body: JSON of this shape, and nothing more in it.
    pub(super) fn body<T: DeserializeOwned>(&self) -> Result<T, Problem> {
        let bytes = self.body.as_ref().map_err(|fault| match fault {
            FormFault::TooLarge => Problem::new(StatusCode::PAYLOAD_TOO_LARGE, "api-too-large").close(),
            _ => Problem::new(StatusCode::REQUEST_TIMEOUT, "api-incomplete").close(),
        })?;
        if !self.is_json() {
            return Err(Problem::new(StatusCode::UNSUPPORTED_MEDIA_TYPE, "api-not-json"));
        }
        let mut reader = serde_json::Deserializer::from_slice(bytes);
        let read = object(&mut reader).and_then(|body| reader.end().map(|()| body));
        let body = read.map_err(|error| malformed(&error.to_string()))?;
        body.ok_or_else(|| Problem::bad_request("api-body-malformed"))
    }

    /// Refuses a body that says anything, where none is needed.
    pub(super) fn require_nothing_said(&self) -> Result<(), Problem> {
        if self.has_body() { self.body::<Nothing>().map(|_| ()) } else { Ok(()) }
    }

    /// The same where the body may have declared attributes besides.
    pub(super) fn body_with_attributes<T: DeserializeOwned>(&self) -> Result<(T, AttributeValues), Problem> {
        let (attributes, rest) = self.body::<Strict>()?.split(&self.web.app.settings.attributes);
        let read = serde_json::from_value(rest).map_err(|error| malformed(&error.to_string()))?;
        Ok((read, attributes))
    }

    /// For the record, with who calls.
    pub(super) fn source(&self) -> Source {
        let source = self.caller.source();
        match &self.signed {
            Some(signed) => signed.source(source),
            None => source,
        }
    }

    fn is_json(&self) -> bool {
        let mut types = self.headers.get_all(header::CONTENT_TYPE).iter();
        let (Some(value), None) = (types.next(), types.next()) else { return false };
        let Ok(value) = value.to_str() else { return false };
        let (kind, parameters) = value.split_once(';').unwrap_or((value, ""));
        let charset = parameters.trim().to_ascii_lowercase();
        let utf8 = charset.is_empty() || charset.trim_start_matches("charset=").trim_matches('"') == "utf-8";
        kind.trim().eq_ignore_ascii_case("application/json") && utf8
    }

    pub(super) fn answer(&self, answered: Answered) -> Response {
        answered.unwrap_or_else(|fault| {
            self.asked();
            fault.response(&self.web, &self.caller)
        })
    }

    /// The members of the body for the trace: of most no more than that they were there.
    fn asked(&self) {
        let Ok(body) = &self.body else { return };
        trace::asked_in(|| {
            let members: BTreeMap<String, Value> =
                serde_json::from_slice(body.get(..LONGEST_ASKED).unwrap_or(body)).unwrap_or_default();
            let text = |value: Value| value.as_str().map_or_else(|| "present".to_owned(), str::to_owned);
            members.into_iter().map(|(name, value)| (name, text(value))).collect()
        });
    }

    pub(super) fn answer_sign_in(&self, answered: Answered) -> Response {
        answered.unwrap_or_else(|fault| {
            self.asked();
            fault.response_at_sign_in(&self.web, &self.caller)
        })
    }
}

/// A body without members.
#[derive(Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct Nothing {}

/// Names the member where the reader does; the rest of what it says is about its own types.
fn malformed(said: &str) -> Problem {
    let member = said.split('`').nth(1).filter(|name| name.len() <= 64);
    let problem = Problem::bad_request("api-body-malformed");
    match member {
        Some(name) if said.starts_with("unknown field") => problem.field(name, "api-field-unknown"),
        Some(name) if said.starts_with("missing field") => problem.field(name, "field-required"),
        Some(name) if said.starts_with("duplicate field") => problem.field(name, "api-field-malformed"),
        _ => problem,
    }
}

/// An object or null. What is derived for a structure takes a list of its values too, which no description of it allows.
pub(super) fn object<'de, D: Deserializer<'de>, T: Deserialize<'de>>(deserializer: D) -> Result<Option<T>, D::Error> {
    struct Object<T>(PhantomData<T>);

    impl<'de, T: Deserialize<'de>> Visitor<'de> for Object<T> {
        type Value = Option<T>;

        fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            f.write_str("an object")
        }

        fn visit_map<A: MapAccess<'de>>(self, members: A) -> Result<Self::Value, A::Error> {
            T::deserialize(MapAccessDeserializer::new(members)).map(Some)
        }

        fn visit_unit<E>(self) -> Result<Self::Value, E> {
            Ok(None)
        }
    }

    deserializer.deserialize_any(Object(PhantomData))
}
