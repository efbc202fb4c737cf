//! Refusals (RFC 9457) with three members more: `message`, a sentence for people; `errors`, what is wrong with each field; and
//! `reference`, by which operators find out more.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::error::Error;

use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse as _, Response};
use serde::Serialize;
use utoipa::ToSchema;

use crate::http::answer;
use crate::http::caller::Caller;
use crate::http::reasons;
use crate::http::state::Web;
use crate::identity::{IdentityError, PasswordFault, Refusal, SignInError};
use crate::platform::hashing::HashError;
use crate::platform::words::Words;
use crate::trace;

const PROBLEM_JSON: HeaderValue = HeaderValue::from_static("application/problem+json");

/// What a handler answers.
pub(super) type Answered = Result<Response, Fault>;

/// A sentence of the catalogue.
#[derive(Clone, Debug)]
struct Sentence {
    key: &'static str,
    args: Vec<(&'static str, Cow<'static, str>)>,
}

impl Sentence {
    fn new(key: &'static str, args: &[(&'static str, &'static str)]) -> Self {
        Self { key, args: args.iter().map(|(name, value)| (*name, Cow::Borrowed(*value))).collect() }
    }

    fn say(&self, words: &Words) -> String {
        let args: Vec<_> = self.args.iter().map(|(name, value)| (*name, value.as_ref())).collect();
        words.say_with(self.key, &args)
    }
}

/// A refusal before it is put into words.
#[derive(Clone, Debug)]
pub(super) struct Problem {
    status: StatusCode,
    code: Option<&'static str>,
    message: Sentence,
    errors: BTreeMap<String, Vec<Sentence>>,
    retry_after: Option<i64>,
    challenge: Option<&'static str>,
    /// What is left of a body that was not read cannot be told from the next request.
    close: bool,
}

/// A refusal as it is sent.
#[derive(Serialize, ToSchema)]
#[schema(as = Problem)]
pub(super) struct Body {
    #[serde(rename = "type")]
    kind: &'static str,
    title: &'static str,
    status: u16,
    message: String,
    errors: BTreeMap<String, Vec<String>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    code: Option<&'static str>,
    /// Operators find out more by it.
    reference: String,
}

impl Problem {
    pub(super) fn new(status: StatusCode, message: &'static str) -> Self {
        Self {
            status,
            code: None,
            message: Sentence::new(message, &[]),
            errors: BTreeMap::new(),
            retry_after: None,
            challenge: None,
            close: false,
        }
    }

    pub(super) fn bad_request(message: &'static str) -> Self {
        Self::new(StatusCode::BAD_REQUEST, message)
    }

    /// Nobody is told whether it is not there or not theirs.
    pub(super) fn not_found() -> Self {
        Self::new(StatusCode::NOT_FOUND, "api-not-found")
    }

    /// They are known, and may not.
    pub(super) fn forbidden() -> Self {
        Self::new(StatusCode::FORBIDDEN, "api-forbidden").challenge("Bearer error=\"insufficient_scope\"")
    }

    /// Too many attempts.
    pub(super) fn throttled(status: StatusCode, retry_after: chrono::Duration) -> Self {
        Self::new(status, "api-throttled").code("throttled").retry_after(retry_after.num_seconds())
    }

    pub(super) fn code(mut self, code: &'static str) -> Self {
        self.code = Some(code);
        self
    }

    pub(super) fn field(self, field: &str, key: &'static str) -> Self {
        self.field_with(field, key, &[])
    }

    fn field_with(mut self, field: &str, key: &'static str, args: &[(&'static str, &'static str)]) -> Self {
        self.errors.entry(field.to_owned()).or_default().push(Sentence::new(key, args));
        self
    }

    /// What is wrong with a field that operators know by its reasons.
    pub(super) fn field_because(mut self, field: &str, reason: String) -> Self {
        let args = vec![("field", Cow::Owned(field.to_owned())), ("reason", Cow::Owned(reason))];
        self.errors.entry(field.to_owned()).or_default().push(Sentence { key: "api-field-refused", args });
        self
    }

    /// What is wrong with a field, by the name of what it is about.
    pub(super) fn field_naming(mut self, field: &str, key: &'static str, name: String) -> Self {
        let sentence = Sentence { key, args: vec![("name", Cow::Owned(name))] };
        self.errors.entry(field.to_owned()).or_default().push(sentence);
        self
    }

    /// The name that the message speaks of.
    pub(super) fn naming(mut self, name: String) -> Self {
        self.message.args.push(("name", Cow::Owned(name)));
        self
    }

    pub(super) fn retry_after(mut self, seconds: i64) -> Self {
        self.retry_after = Some(seconds);
        self
    }

    pub(super) fn challenge(mut self, challenge: &'static str) -> Self {
        self.challenge = Some(challenge);
        self
    }

    pub(super) fn close(mut self) -> Self {
        self.close = true;
        self
    }

    /// As the documents' front ends need it at sign-in: they take every JSON answer but a 400 for a user.
    fn at_sign_in(mut self) -> Self {
        self.status = StatusCode::BAD_REQUEST;
        self.code = self.code.or(Some("invalid_credentials"));
        self
    }

    /// What is wrong with an account that somebody wants to have. `name` is what the endpoint calls the name.
    pub(super) fn of_refusal(refusal: Refusal, name: &str) -> Self {
        let problem = |message| Self::bad_request(message);
        let field = |field: &str, key, args: &[_]| problem("api-fields").field_with(field, key, args);
        let password = |key, args: &[_]| field("password", key, args).code("weak_password");
        match refusal {
            Refusal::EmailMalformed | Refusal::Nameless => field("email", "email-malformed", &[]).code("invalid_email"),
            Refusal::EmailUnwelcome => field("email", "email-unwelcome", &[]).code("invalid_email"),
            Refusal::EmailTaken => problem("sign-up-refused"),
            Refusal::UsernameMalformed => field("username", "username-malformed", &[]),
            Refusal::UsernameTaken => {
                problem("api-username-exists").code("username_taken").field("username", "username-taken")
            }
            Refusal::NameTooLong => field(name, "name-too-long", &[("max", "200")]),
            Refusal::Password(PasswordFault::Short) => password("password-too-short", &[("min", "8")]),
            Refusal::Password(PasswordFault::Long) => password("password-too-long", &[("max", "128")]),
            Refusal::Password(PasswordFault::Common) => password("password-common", &[]),
            Refusal::Password(PasswordFault::Personal) => password("password-personal", &[]),
        }
    }

    fn response(self, web: &Web, caller: &Caller) -> Response {
        reasons::tell(self.message.key, || {
            let named = self.errors.keys().map(String::as_str).filter(|field| trace::is_name(field));
            named.collect::<Vec<_>>().join(", ")
        });
        let words = caller.frame(web, None).words;
        let errors = self
            .errors
            .into_iter()
            .map(|(field, sentences)| (field, sentences.iter().map(|sentence| sentence.say(&words)).collect()))
            .collect();
        let body = Body {
            kind: "about:blank",
            title: self.status.canonical_reason().unwrap_or_default(),
            status: self.status.as_u16(),
            message: self.message.say(&words),
            errors,
            code: self.code,
            reference: caller.request_id.as_str().to_owned(),
        };
        let mut response = answer::json(self.status, &body);
        response.headers_mut().insert(header::CONTENT_TYPE, PROBLEM_JSON);
        if let Some(seconds) = self.retry_after {
            response = answer::retry_after(response, seconds);
        }
        let challenge = self.challenge.map(HeaderValue::from_static);
        let response = answer::with_header(response, header::WWW_AUTHENTICATE, challenge);
        answer::with_header(response, header::CONNECTION, self.close.then(|| HeaderValue::from_static("close")))
    }
}

/// Why a handler has nothing better to answer.
pub(super) enum Fault {
    Problem(Box<Problem>),
    /// The hashing pool is full.
    Busy,
    /// Ours: the cause goes to the log.
    Broken(Box<dyn Error + Send + Sync>),
}

impl Fault {
    pub(super) fn broken(error: impl Error + Send + Sync + 'static) -> Self {
        Self::Broken(Box::new(error))
    }

    pub(super) fn response(self, web: &Web, caller: &Caller) -> Response {
        match self {
            Self::Problem(problem) => problem.response(web, caller),
            Self::Busy => {
                reasons::tell("sign-in-busy", String::new);
                Problem::new(StatusCode::SERVICE_UNAVAILABLE, "unavailable").retry_after(2).response(web, caller)
            }
            Self::Broken(error) => {
                let problem = if answer::log_fault(caller, error.as_ref()) {
                    Problem::new(StatusCode::SERVICE_UNAVAILABLE, "unavailable").retry_after(1)
                } else {
                    Problem::new(StatusCode::INTERNAL_SERVER_ERROR, "api-fault")
                };
                problem.response(web, caller)
            }
        }
    }

    /// At sign-in: every refusal is a 400 with a code, and what is our fault has no JSON, so that the documents' front end
    /// throws instead of taking it for a user.
    pub(super) fn response_at_sign_in(self, web: &Web, caller: &Caller) -> Response {
        match self {
            Self::Problem(problem) => problem.at_sign_in().response(web, caller),
            Self::Busy => {
                reasons::tell("sign-in-busy", String::new);
                answer::retry_after(StatusCode::SERVICE_UNAVAILABLE.into_response(), 2)
            }
            Self::Broken(error) if answer::log_fault(caller, error.as_ref()) => {
                answer::retry_after(StatusCode::SERVICE_UNAVAILABLE.into_response(), 1)
            }
            Self::Broken(_) => StatusCode::INTERNAL_SERVER_ERROR.into_response(),
        }
    }
}

impl From<Problem> for Fault {
    fn from(problem: Problem) -> Self {
        Self::Problem(Box::new(problem))
    }
}

impl From<IdentityError> for Fault {
    fn from(error: IdentityError) -> Self {
        match error {
            IdentityError::Refused(refusal) => Problem::of_refusal(refusal, "name").into(),
            IdentityError::Hash(HashError::Busy) | IdentityError::Unproven(SignInError::Busy) => Self::Busy,
            IdentityError::LastAdministrator => Problem::new(StatusCode::CONFLICT, "api-last-administrator").into(),
            IdentityError::Unknown(_) => Problem::not_found().into(),
            IdentityError::Leaving => {
                Problem::new(StatusCode::CONFLICT, "leave-already").code("account_leaving").into()
            }
            IdentityError::Staying => Problem::new(StatusCode::CONFLICT, "leave-not").into(),
            IdentityError::Changed => {
                Problem::new(StatusCode::PRECONDITION_FAILED, "api-changed").code("changed").into()
            }
            IdentityError::Unproven(SignInError::Refused) => {
                let problem = Problem::bad_request("api-fields").code("invalid_credentials");
                problem.field("currentPassword", "api-password-wrong").into()
            }
            IdentityError::Unproven(SignInError::Throttled { retry_after }) => {
                Problem::throttled(StatusCode::TOO_MANY_REQUESTS, retry_after).into()
            }
            other => Self::broken(other),
        }
    }
}

macro_rules! broken {
    ($($error:ty),+) => {
        $(impl From<$error> for Fault {
            fn from(error: $error) -> Self {
                Self::broken(error)
            }
        })+
    };
}

broken!(
    crate::exports::ExportError,
    crate::grants::GrantError,
    crate::keys::KeyError,
    crate::platform::database::DatabaseError,
    crate::sessions::SessionError
);
