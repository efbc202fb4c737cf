//! `/service-accounts`: clients that act for themselves, with their roles, secrets and API keys. Whoever changes one must be able
//! to do all that it may: else they would raise themselves by its secret.

use axum::http::StatusCode;
use axum::response::Response;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::keys::{create_for, list_of, overlap, revoke_of, rotate_of};
use super::page::Page;
use super::person::instant;
use super::{Answered, Call, Fault, Problem, done};
use crate::access::Held;
use crate::access::keys::Owner;
use crate::access::service_accounts::{self, ServiceAccountError};
use crate::clients::ClientError;
use crate::http::answer;
use crate::platform::clock::from_millis;

#[derive(Serialize, ToSchema)]
pub(super) struct ServiceAccount {
    client_id: String,
    name: String,
    roles: Vec<String>,
    disabled: bool,
    /// Until when the secret before is good too, RFC 3339.
    previous_secret_expires_at: Option<String>,
    /// RFC 3339.
    created_at: String,
    /// RFC 3339.
    updated_at: String,
}

impl ServiceAccount {
    fn new(account: service_accounts::ServiceAccount, call: &Call) -> Self {
        let now = call.web.app.clock.now();
        let previous = account.previous_secret_expires_at.map(from_millis).filter(|at| *at > now);
        Self {
            client_id: account.id,
            name: account.name,
            roles: account.roles,
            disabled: account.disabled,
            previous_secret_expires_at: previous.map(instant),
            created_at: instant(from_millis(account.created_at)),
            updated_at: instant(from_millis(account.updated_at)),
        }
    }
}

/// A service account with its secret.
#[derive(Serialize, ToSchema)]
pub(super) struct GivenServiceAccount {
    /// Shown this once.
    client_secret: String,
    #[serde(flatten)]
    of: ServiceAccount,
}

#[derive(Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(super) struct NewServiceAccount {
    name: String,
    roles: Option<Vec<String>>,
}

pub(in crate::http) async fn list(call: Call) -> Response {
    let answered = listed(&call).await;
    call.answer(answered)
}

async fn listed(call: &Call) -> Answered {
    let page = Page::<String>::asked_by(call, "after")?;
    let mut accounts = call.web.app.service_accounts.page(page.after.as_deref(), page.reading()).await?;
    // Ids are such that an address takes them as they are.
    let more_after = page.cut(&mut accounts).then(|| accounts.last().map(|last| last.id.clone())).flatten();
    let accounts: Vec<_> = accounts.into_iter().map(|account| ServiceAccount::new(account, call)).collect();
    Ok(page.answer(call, "/service-accounts", &accounts, more_after))
}

pub(in crate::http) async fn create(call: Call) -> Response {
    let answered = created(&call).await;
    call.answer(answered)
}

async fn created(call: &Call) -> Answered {
    let asked = call.body::<NewServiceAccount>()?;
    let name = asked.name.trim().to_owned();
    if !(1..=200).contains(&name.chars().count()) || name.chars().any(char::is_control) {
        return Err(Problem::bad_request("api-fields").field("name", "api-field-malformed").into());
    }
    let accounts = &call.web.app.service_accounts;
    let (account, client_secret) =
        accounts.create(name, asked.roles.unwrap_or_default(), by(call)?, &call.source()).await?;
    reload(call).await?;
    let given = GivenServiceAccount { client_secret, of: ServiceAccount::new(account, call) };
    Ok(answer::json(StatusCode::CREATED, &given))
}

pub(in crate::http) async fn show(call: Call) -> Response {
    let answered = shown(&call).await;
    call.answer(answered)
}

async fn shown(call: &Call) -> Answered {
    Ok(answer::json(StatusCode::OK, &find(call).await?))
}

pub(in crate::http) async fn remove(call: Call) -> Response {
    let answered = removed(&call).await;
    call.answer(answered)
}

async fn removed(call: &Call) -> Answered {
    find(call).await?;
    call.web.app.service_accounts.delete(call.segment("id")?, by(call)?, &call.source()).await?;
    reload(call).await?;
    Ok(done())
}

pub(in crate::http) async fn give_role(call: Call) -> Response {
    let answered = role_changed(&call, true).await;
    call.answer(answered)
}

pub(in crate::http) async fn take_role(call: Call) -> Response {
    let answered = role_changed(&call, false).await;
    call.answer(answered)
}

async fn role_changed(call: &Call, given: bool) -> Answered {
    find(call).await?;
    let (id, role, by, source) = (call.segment("id")?, call.segment("role")?, by(call)?, call.source());
    match call.web.app.service_accounts.assign(id, role, given, by, &source).await {
        // Nothing of that name can be.
        Err(ServiceAccountError::NoRole(_)) => return Err(Problem::not_found().into()),
        changed => changed?,
    }
    reload(call).await?;
    shown(call).await
}

pub(in crate::http) async fn rotate_secret(call: Call) -> Response {
    let answered = secret_rotated(&call).await;
    call.answer(answered)
}

async fn secret_rotated(call: &Call) -> Answered {
    find(call).await?;
    let (overlap, accounts) = (overlap(call)?, &call.web.app.service_accounts);
    let client_secret = accounts.rotate_secret(call.segment("id")?, overlap, by(call)?, &call.source()).await?;
    reload(call).await?;
    let given = GivenServiceAccount { client_secret, of: find(call).await? };
    Ok(answer::json(StatusCode::OK, &given))
}

pub(in crate::http) async fn keys(call: Call) -> Response {
    let answered = keys_listed(&call).await;
    call.answer(answered)
}

async fn keys_listed(call: &Call) -> Answered {
    list_of(call, &owner(call).await?).await
}

pub(in crate::http) async fn create_key(call: Call) -> Response {
    let answered = key_created(&call).await;
    call.answer(answered)
}

async fn key_created(call: &Call) -> Answered {
    create_for(call, owner(call).await?, by(call)?).await
}

pub(in crate::http) async fn rotate_key(call: Call) -> Response {
    let answered = key_rotated(&call).await;
    call.answer(answered)
}

async fn key_rotated(call: &Call) -> Answered {
    rotate_of(call, "key", owner(call).await?, by(call)?).await
}

pub(in crate::http) async fn revoke_key(call: Call) -> Response {
    let answered = key_revoked(&call).await;
    call.answer(answered)
}

async fn key_revoked(call: &Call) -> Answered {
    revoke_of(call, "key", owner(call).await?, by(call)?).await
}

async fn find(call: &Call) -> Result<ServiceAccount, Fault> {
    let found = call.web.app.service_accounts.find(call.segment("id")?).await?;
    Ok(ServiceAccount::new(found.ok_or_else(Problem::not_found)?, call))
}

async fn owner(call: &Call) -> Result<Owner, Fault> {
    Ok(Owner::ServiceAccount(find(call).await?.client_id))
}

/// What whoever calls may do.
fn by(call: &Call) -> Result<Option<Held>, Fault> {
    Ok(Some(call.signed()?.held().clone()))
}

/// This node knows at once.
async fn reload(call: &Call) -> Result<(), Fault> {
    let app = &call.web.app;
    app.clients.reload(&app.database).await.map_err(|error| ServiceAccountError::Client(error).into())
}

impl From<ServiceAccountError> for Fault {
    fn from(error: ServiceAccountError) -> Self {
        match error {
            ServiceAccountError::Client(ClientError::Database(error)) => error.into(),
            ServiceAccountError::Client(ClientError::Unknown(_)) | ServiceAccountError::NotOne(_) => {
                Problem::not_found().into()
            }
            ServiceAccountError::NoRole(_) => {
                Problem::bad_request("api-fields").field("roles", "api-field-malformed").into()
            }
            ServiceAccountError::Beyond => Problem::forbidden().into(),
            ServiceAccountError::Application(_) => {
                Problem::new(StatusCode::CONFLICT, "api-service-account-application").into()
            }
            other @ ServiceAccountError::Client(_) => Self::broken(other),
        }
    }
}
