//! `POST /auth/signup` and `POST /auth/register`: somebody makes an account.

use axum::http::StatusCode;
use axum::response::Response;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use uuid::Uuid;

use super::person::{Claims, Person, fault_of_change, instant};
use super::{Answered, Call, Fault, Problem, members};
use crate::http::answer;
use crate::identity::{Asking, AttributeValues, IdentityError, NewAccount, Refusal, Registered, attributes};
use crate::limits;
use crate::platform::settings::Party;

#[derive(Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(super) struct SignUp {
    username: String,
    password: String,
    full_name: String,
    email: Option<String>,
}

#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(super) struct SignedUp {
    id: Uuid,
    username: String,
    full_name: String,
}

pub(in crate::http) async fn sign_up(call: Call) -> Response {
    let answered = signed_up(&call).await;
    call.answer(answered)
}

async fn signed_up(call: &Call) -> Answered {
    require_open(call)?;
    let (SignUp { username, password, full_name, email }, attributes) = call.body_with_attributes()?;
    require_open_attributes(call, &attributes)?;
    // Both are compulsory here, and an empty text would count for none.
    for (field, value) in [("username", &username), ("fullName", &full_name)] {
        if value.trim().is_empty() {
            return Err(Problem::bad_request("api-fields").field(field, "field-required").into());
        }
    }
    let account = NewAccount {
        email,
        username: Some(username.clone()),
        name: Some(full_name.clone()),
        attributes,
        password: Some(password),
        ..NewAccount::default()
    };
    // Nothing that the database knows: with mail, a known address is answered as a fresh one.
    let shown = |text: &str| text.trim().to_owned();
    match make(call, account).await {
        Ok(made) => {
            let body = SignedUp { id: made.id(), username: shown(&username), full_name: shown(&full_name) };
            Ok(answer::json(StatusCode::OK, &body))
        }
        Err(error) => Err(refuse(call, error, "fullName").await),
    }
}

/// Makes the account, and writes to its address where mail is on.
async fn make(call: &Call, account: NewAccount) -> Result<Registered, IdentityError> {
    let (source, frame) = (call.caller.source(), call.caller.frame(&call.web, None));
    let asking = Asking { source: &source, language: Some(frame.words.lang()), interaction: None };
    call.web.app.accounts.register(account, asking).await
}

/// Whether people may say these of themselves when they sign up.
fn require_open_attributes(call: &Call, given: &AttributeValues) -> Result<(), Problem> {
    let declared = &call.web.app.settings.attributes;
    members::require_settable(given, declared, &[Party::User], |attribute| attribute.sign_up)
}

#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct Register {
    pub(super) email: String,
    pub(super) password: String,
    pub(super) name: Option<String>,
    pub(super) username: Option<String>,
}

impl Register {
    /// The account, or what is missing.
    pub(super) fn account(self, attributes: AttributeValues) -> Result<NewAccount, Problem> {
        if self.email.trim().is_empty() {
            return Err(Problem::of_refusal(Refusal::EmailMalformed, "name"));
        }
        Ok(NewAccount {
            email: Some(self.email),
            username: self.username,
            name: self.name,
            attributes,
            password: Some(self.password),
            ..NewAccount::default()
        })
    }
}

pub(in crate::http) async fn register(call: Call) -> Response {
    let answered = registered(&call).await;
    call.answer(answered)
}

/// An address that is known gets the answer of one that is not: the password is hashed before anybody looks.
async fn registered(call: &Call) -> Answered {
    require_open(call)?;
    let reveal = call.web.app.settings.accounts.reveal_existing;
    let (body, attributes) = call.body_with_attributes::<Register>()?;
    require_open_attributes(call, &attributes)?;
    let account = body.account(attributes)?;
    let told = told(call, &account);
    match make(call, account).await {
        // Where existing accounts are revealed, whoever is answered has a new one, which may be yet to be verified.
        Ok(made) if reveal => {
            let user = call.web.app.accounts.find(&made.id().to_string()).await?;
            let person = Person::new(user, &call.web.app.settings.attributes, &[Party::User]);
            Ok(answer::json(StatusCode::CREATED, &person))
        }
        Err(IdentityError::Refused(Refusal::EmailTaken)) if reveal => {
            Err(Problem::new(StatusCode::CONFLICT, "email-taken").field("email", "email-taken").into())
        }
        Ok(_) | Err(IdentityError::Refused(Refusal::EmailTaken)) => Ok(answer::json(StatusCode::CREATED, &told)),
        Err(error) => Err(refuse(call, error, "name").await),
    }
}

/// The person as they described themselves, by nothing that the database knows.
fn told(call: &Call, account: &NewAccount) -> Person {
    let now = instant(call.web.app.clock.now());
    let declared = &call.web.app.settings.attributes;
    let attributes = attributes::with(&AttributeValues::new(), &account.attributes, declared).unwrap_or_default();
    let own = |text: &Option<String>| text.as_deref().map(str::trim).filter(|text| !text.is_empty()).map(str::to_owned);
    Person {
        id: None,
        username: own(&account.username),
        email: own(&account.email),
        name: own(&account.name),
        full_name: own(&account.name),
        email_verified: None,
        image: None,
        roles: Vec::new(),
        created_at: now.clone(),
        updated_at: now,
        claims: Claims::default(),
        attributes: attributes::readable(&attributes, declared, &[Party::User]),
    }
}

/// Whether people may make accounts at all.
fn require_open(call: &Call) -> Result<(), Problem> {
    if call.web.app.settings.accounts.sign_up { Ok(()) } else { Err(Problem::not_found()) }
}

/// Trying out which names exist is counted, as on the page.
async fn refuse(call: &Call, error: IdentityError, name: &str) -> Fault {
    let IdentityError::Refused(refusal) = error else { return fault_of_change(error) };
    if matches!(refusal, Refusal::EmailTaken | Refusal::UsernameTaken) {
        let (app, source) = (&call.web.app, call.caller.source());
        let (limits, address, now) = (&app.settings.limits, call.caller.address, app.clock.now());
        match limits::throttle_guessing(&app.database, limits, app.random.as_ref(), address, &source, now).await {
            Ok(Some(wait)) => return Problem::throttled(StatusCode::TOO_MANY_REQUESTS, wait).into(),
            Ok(None) => {}
            Err(error) => return error.into(),
        }
    }
    Problem::of_refusal(refusal, name).into()
}
