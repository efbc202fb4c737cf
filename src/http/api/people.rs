//! `GET /auth/me` and the people behind `/auth/{id}`: oneself, or anybody for who holds the permission.

use axum::http::{HeaderValue, StatusCode, header};
use axum::response::Response;
use uuid::Uuid;

use super::page::Page;
use super::person::{Person, ProfileChange, fault_of_change};
use super::{Answered, Call, Fault, Problem, members};
use crate::http::answer;
use crate::identity::{AccountChange, User};
use crate::platform::settings::Attribute;

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

async fn listed(call: &Call) -> Answered {
    let page = Page::asked(call)?;
    let mut users = call.web.app.accounts.page(page.after, page.reading()).await?;
    let more_after = page.cut(&mut users).then(|| users.last().map(|last| last.id)).flatten();
    let people = users.into_iter().map(|user| person(call, user)).collect::<Result<Vec<Person>, _>>()?;
    Ok(page.answer(call, "/auth", &people, more_after))
}

pub(in crate::http) async fn show(call: Call) -> Response {
    let answered = shown(&call).await;
    call.answer(answered)
}

async fn shown(call: &Call) -> Answered {
    answered(call, find(call).await?)
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
    let (expected, accounts) = (expected(call, &user)?, &call.web.app.accounts);
    let changed = accounts.change_own(user.id, change, expected, &call.source()).await;
    answered(call, changed.map_err(fault_of_change)?)
}

/// A person with what tells this state of theirs from another (RFC 9110 section 8.8.3).
fn answered(call: &Call, user: User) -> Answered {
    let tag = HeaderValue::from_str(&tag(&user)).ok();
    let person = person(call, user)?;
    Ok(answer::with_header(answer::json(StatusCode::OK, &person), header::ETAG, tag))
}

fn tag(user: &User) -> String {
    format!("\"r{}\"", user.revision)
}

/// The state that the caller insists on, if they do (RFC 9110 section 13.1.1).
fn expected(call: &Call, user: &User) -> Result<Option<i32>, Problem> {
    let given: Vec<_> = call.headers.get_all(header::IF_MATCH).iter().collect();
    let tags =
        || given.iter().filter_map(|value| value.to_str().ok()).flat_map(|value| value.split(',')).map(str::trim);
    if given.is_empty() || tags().any(|tag| tag == "*") {
        return Ok(None);
    }
    let own = tag(user);
    if tags().any(|tag| tag == own) {
        Ok(Some(user.revision))
    } else {
        Err(Problem::new(StatusCode::PRECONDITION_FAILED, "api-changed").code("changed"))
    }
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

/// The id of the person of the path. Who acts for themselves is there; the others are looked up.
pub(super) async fn known(call: &Call) -> Result<Uuid, Fault> {
    let id = Uuid::parse_str(call.segment("id")?).map_err(|_| Problem::not_found())?;
    if call.signed()?.is(id) { Ok(id) } else { Ok(find(call).await?.id) }
}

/// The same, if nothing that they may do goes beyond what the caller may.
pub(super) async fn known_to_change(call: &Call) -> Result<Uuid, Fault> {
    let id = known(call).await?;
    call.require_covering(id).await?;
    Ok(id)
}

/// The person of the path, if nothing that they may do goes beyond what the caller may.
pub(super) async fn find_to_change(call: &Call) -> Result<User, Fault> {
    let user = find(call).await?;
    call.require_covering(user.id).await?;
    Ok(user)
}
