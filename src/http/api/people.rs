//! `GET /auth/me` and the people behind `/auth/{id}`: oneself, or anybody for who holds the permission.

use axum::http::{HeaderValue, StatusCode, header};
use axum::response::Response;
use uuid::Uuid;

use super::person::{Person, ProfileChange, fault_of_change};
use super::{Answered, Call, Fault, Problem, members};
use crate::http::answer;
use crate::identity::{AccountChange, User};
use crate::platform::settings::Attribute;

/// A page of a list where nobody asks for another size, and the largest.
const USUAL: u64 = 50;
const MOST: u64 = 100;

/// The holder of the token, by the statement that found the token good.
pub(in crate::http) async fn me(call: Call) -> Response {
    let answered = described(&call);
    call.answer(answered)
}

fn described(call: &Call) -> Answered {
    let (signed, account) = (call.signed()?, call.account()?);
    let parties = signed.reads_as(account.person.user_id);
    let person = Person::of_account(account, signed.roles(), &call.web.app.settings.attributes, &parties);
    Ok(answer::json(StatusCode::OK, &person))
}

pub(in crate::http) async fn list(call: Call) -> Response {
    let answered = listed(&call).await;
    call.answer(answered)
}

fn malformed(name: &str) -> Problem {
    Problem::bad_request("api-query-malformed").field(name, "api-field-malformed")
}

/// How much of a list is asked for.
pub(super) fn limit(call: &Call) -> Result<u64, Problem> {
    let Some(text) = call.query("limit")? else { return Ok(USUAL) };
    text.parse().ok().filter(|limit| (1..=MOST).contains(limit)).ok_or_else(|| malformed("limit"))
}

async fn listed(call: &Call) -> Answered {
    let limit = limit(call)?;
    let after = match call.query("after")? {
        None => None,
        Some(text) => Some(Uuid::parse_str(&text).map_err(|_| malformed("after"))?),
    };
    // One more than is shown tells whether there is a next page.
    let mut users = call.web.app.accounts.page(after, limit + 1).await?;
    let shown = usize::try_from(limit).unwrap_or(usize::MAX);
    let is_more = users.len() > shown;
    users.truncate(shown);
    let next = users
        .last()
        .filter(|_| is_more)
        .map(|last| format!("<{}/auth?limit={limit}&after={}>; rel=\"next\"", call.web.issuer(), last.id));
    let people = users.into_iter().map(|user| person(call, user)).collect::<Result<Vec<Person>, _>>()?;
    let next = next.and_then(|link| HeaderValue::from_str(&link).ok());
    Ok(answer::with_header(answer::json(StatusCode::OK, &people), header::LINK, next))
}

pub(in crate::http) async fn show(call: Call) -> Response {
    let answered = shown(&call).await;
    call.answer(answered)
}

async fn shown(call: &Call) -> Answered {
    let person = person(call, find(call).await?)?;
    Ok(answer::json(StatusCode::OK, &person))
}

pub(in crate::http) async fn change(call: Call) -> Response {
    let answered = changed(&call).await;
    call.answer(answered)
}

async fn changed(call: &Call) -> Answered {
    let user = find_to_change(call).await?;
    let parties = call.signed()?.writes_as(user.id);
    let (change, attributes) = call.body_with_attributes::<ProfileChange>()?;
    let may_set = |attribute: &Attribute| parties.iter().any(|party| attribute.may_write(*party));
    members::require_settable(&attributes, &call.web.app.settings.attributes, &parties, may_set)?;
    let name = match (&change.name, &change.full_name) {
        (Some(name), Some(full_name)) if name != full_name => {
            return Err(Problem::bad_request("api-fields").field("fullName", "api-field-malformed").into());
        }
        (name, full_name) => name.clone().or_else(|| full_name.clone()),
    };
    let change = AccountChange { name, claims: change.claims(), attributes, ..AccountChange::default() };
    let accounts = &call.web.app.accounts;
    let (user, _) = accounts.update_by(&user.id.to_string(), change, &call.source()).await.map_err(fault_of_change)?;
    let person = person(call, user)?;
    Ok(answer::json(StatusCode::OK, &person))
}

/// A person as the caller may see them.
fn person(call: &Call, user: User) -> Result<Person, Fault> {
    let parties = call.signed()?.reads_as(user.id);
    Ok(Person::new(user, &call.web.app.settings.attributes, &parties))
}

/// The person of the path. Whether the caller may know of them, the guard has judged.
pub(super) async fn find(call: &Call) -> Result<User, Fault> {
    let id = Uuid::parse_str(call.segment("id")?).map_err(|_| Problem::not_found())?;
    Ok(call.web.app.accounts.find(&id.to_string()).await?)
}

/// The same, if nothing that they may do goes beyond what the caller may.
pub(super) async fn find_to_change(call: &Call) -> Result<User, Fault> {
    let user = find(call).await?;
    call.require_covering(user.id).await?;
    Ok(user)
}
