//! `/roles`, `/permissions` and `/auth/{id}/roles`: what roles give, and who holds them.

use axum::http::StatusCode;
use axum::response::{IntoResponse as _, Response};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use uuid::Uuid;

use super::page::Page;
use super::{Answered, Call, Fault, Problem, people};
use crate::access::roles::{self, By, Declared, NewRole, Permission, Role, RoleFault};
use crate::http::answer;
use crate::identity::ADMIN;

#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(super) struct RoleShown {
    name: String,
    description: String,
    /// In order. Of the built-in role: everything that there is now.
    permissions: Vec<String>,
    /// It holds everything, and cannot be changed.
    built_in: bool,
}

impl From<Role> for RoleShown {
    fn from(role: Role) -> Self {
        Self { name: role.name, description: role.description, permissions: role.permissions, built_in: false }
    }
}

#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct RoleDeclaration {
    /// Left out: what it was.
    description: Option<String>,
    permissions: Vec<String>,
}

#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(super) struct PermissionShown {
    name: String,
    description: String,
    /// It means something here, and cannot be changed.
    built_in: bool,
}

impl From<Permission> for PermissionShown {
    fn from(permission: Permission) -> Self {
        let Permission { name, description, built_in } = permission;
        Self { name, description, built_in }
    }
}

#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct PermissionDeclaration {
    /// Left out: what it was.
    description: Option<String>,
}

/// What somebody holds.
#[derive(Serialize, ToSchema)]
pub(super) struct Holding {
    /// In order, also those that nobody has declared.
    roles: Vec<String>,
    /// What the roles give, in order.
    permissions: Vec<String>,
}

/// Somebody who holds a role.
#[derive(Serialize, ToSchema)]
pub(super) struct Holder {
    id: Uuid,
    username: Option<String>,
    name: Option<String>,
}

impl From<roles::Holder> for Holder {
    fn from(holder: roles::Holder) -> Self {
        Self { id: holder.id, username: holder.username, name: holder.name }
    }
}

fn by(call: &Call) -> Result<By, Fault> {
    let signed = call.signed()?;
    Ok(By { held: signed.held().clone(), person: signed.id(), operator: false })
}

fn status(declared: Declared) -> StatusCode {
    if declared == Declared::Created { StatusCode::CREATED } else { StatusCode::OK }
}

async fn administrators(call: &Call) -> Result<RoleShown, Fault> {
    let permissions = call.web.app.roles.permissions().await?.into_iter().map(|permission| permission.name).collect();
    Ok(RoleShown { name: ADMIN.to_owned(), description: String::new(), permissions, built_in: true })
}

pub(in crate::http) async fn list(call: Call) -> Response {
    let answered = listed(&call).await;
    call.answer(answered)
}

async fn listed(call: &Call) -> Answered {
    let mut shown = vec![administrators(call).await?];
    shown.extend(call.web.app.roles.all().await?.into_iter().map(RoleShown::from));
    shown.sort_by(|a, b| a.name.cmp(&b.name));
    Ok(answer::json(StatusCode::OK, &shown))
}

pub(in crate::http) async fn show(call: Call) -> Response {
    let answered = shown(&call).await;
    call.answer(answered)
}

async fn shown(call: &Call) -> Answered {
    Ok(answer::json(StatusCode::OK, &find(call).await?))
}

async fn find(call: &Call) -> Result<RoleShown, Fault> {
    let name = call.segment("name")?;
    if name == ADMIN { administrators(call).await } else { Ok(call.web.app.roles.find(name).await?.into()) }
}

pub(in crate::http) async fn declare(call: Call) -> Response {
    let answered = declared(&call).await;
    call.answer(answered)
}

async fn declared(call: &Call) -> Answered {
    let RoleDeclaration { description, permissions } = call.body()?;
    let (new, name) = (NewRole { description, permissions: Some(permissions) }, call.segment("name")?);
    let (role, declared) = call.web.app.roles.declare(&by(call)?, name, new, &call.source()).await?;
    Ok(answer::json(status(declared), &RoleShown::from(role)))
}

pub(in crate::http) async fn remove(call: Call) -> Response {
    let answered = removed(&call).await;
    call.answer(answered)
}

async fn removed(call: &Call) -> Answered {
    call.web.app.roles.remove(&by(call)?, call.segment("name")?, &call.source()).await?;
    Ok(StatusCode::NO_CONTENT.into_response())
}

pub(in crate::http) async fn holders(call: Call) -> Response {
    let answered = held(&call).await;
    call.answer(answered)
}

async fn held(call: &Call) -> Answered {
    let (role, page, app) = (find(call).await?.name, Page::asked(call)?, &call.web.app);
    let mut people = app.roles.people(&role, page.after, page.reading().cast_signed()).await?;
    let more_after = page.cut(&mut people).then(|| people.last().map(|last| last.id)).flatten();
    let people: Vec<_> = people.into_iter().map(Holder::from).collect();
    Ok(page.answer(call, &format!("/roles/{role}/people"), &people, more_after))
}

pub(in crate::http) async fn list_permissions(call: Call) -> Response {
    let answered = permissions_listed(&call).await;
    call.answer(answered)
}

async fn permissions_listed(call: &Call) -> Answered {
    let all = call.web.app.roles.permissions().await?;
    Ok(answer::json(StatusCode::OK, &all.into_iter().map(PermissionShown::from).collect::<Vec<_>>()))
}

pub(in crate::http) async fn declare_permission(call: Call) -> Response {
    let answered = permission_declared(&call).await;
    call.answer(answered)
}

async fn permission_declared(call: &Call) -> Answered {
    let PermissionDeclaration { description } = call.body()?;
    let (name, roles) = (call.segment("name")?, &call.web.app.roles);
    let declared = roles.declare_permission(name, description, &call.source()).await?;
    let shown = roles.permissions().await?.into_iter().find(|permission| permission.name == name);
    Ok(answer::json(status(declared), &PermissionShown::from(shown.ok_or_else(Problem::not_found)?)))
}

pub(in crate::http) async fn remove_permission(call: Call) -> Response {
    let answered = permission_removed(&call).await;
    call.answer(answered)
}

async fn permission_removed(call: &Call) -> Answered {
    match call.web.app.roles.remove_permission(call.segment("name")?, &call.source()).await {
        Ok(()) => Ok(StatusCode::NO_CONTENT.into_response()),
        // Here it is what the path speaks of.
        Err(RoleFault::UnknownPermission(_)) => Err(Problem::not_found().into()),
        Err(fault) => Err(fault.into()),
    }
}

pub(in crate::http) async fn of_person(call: Call) -> Response {
    let answered = holding(&call).await;
    call.answer(answered)
}

async fn holding(call: &Call) -> Answered {
    let (user, roles) = (people::find(call).await?, &call.web.app.roles);
    let permissions = if user.roles.iter().any(|role| role == ADMIN) {
        roles.permissions().await?.into_iter().map(|permission| permission.name).collect()
    } else {
        roles.given_by(&user.roles).await?.names().map(str::to_owned).collect()
    };
    Ok(answer::json(StatusCode::OK, &Holding { roles: user.roles, permissions }))
}

pub(in crate::http) async fn assign(call: Call) -> Response {
    let answered = assigned(&call, true).await;
    call.answer(answered)
}

pub(in crate::http) async fn unassign(call: Call) -> Response {
    let answered = assigned(&call, false).await;
    call.answer(answered)
}

/// The same answer whether or not they had it before.
async fn assigned(call: &Call, give: bool) -> Answered {
    let (user, role, roles) = (people::find(call).await?, call.segment("role")?, &call.web.app.roles);
    roles.assign(&by(call)?, user.id, role, give, &call.source()).await?;
    Ok(StatusCode::NO_CONTENT.into_response())
}

impl From<RoleFault> for Fault {
    fn from(fault: RoleFault) -> Self {
        let field = |field, key| Problem::bad_request("api-fields").field(field, key).into();
        match fault {
            RoleFault::Name(_) | RoleFault::PermissionName(_) => field("name", "api-field-malformed"),
            RoleFault::Description => field("description", "api-field-malformed"),
            RoleFault::UnknownPermission(name) => {
                Problem::bad_request("api-fields").field_naming("permissions", "api-permission-unknown", name).into()
            }
            RoleFault::Unknown(_) => Problem::not_found().into(),
            RoleFault::BuiltIn(name) => Problem::new(StatusCode::CONFLICT, "api-built-in").naming(name).into(),
            RoleFault::InUse(_, role) => {
                Problem::new(StatusCode::CONFLICT, "api-permission-in-use").naming(role).into()
            }
            RoleFault::Beyond => Problem::forbidden().into(),
            RoleFault::Identity(error) => error.into(),
            RoleFault::Database(error) => error.into(),
        }
    }
}
