//! The JSON API: people and their tokens for front ends that speak JSON instead of OAuth.
//!
//! A handler takes a [`Call`] and answers a `Result`; what it refuses becomes a problem document in one place. Who may call it
//! the route table says, and `guard` makes it so.

pub(super) mod adapter;
mod admin;
mod apps;
mod audit;
mod call;
mod evaluation;
mod exports;
mod guard;
mod keys;
mod leaving;
mod links;
mod members;
mod oauth_login;
mod openapi;
mod own;
mod page;
mod people;
mod person;
pub(super) mod picture;
mod policies;
mod problem;
mod providers;
mod recovery;
mod refresh;
pub(super) mod roles;
mod service_accounts;
mod sessions;
mod sign_in;
mod sign_up;
mod tokens;
mod traces;

use axum::http::{StatusCode, header};
use axum::response::{IntoResponse as _, Response};

use call::Call;
use problem::{Answered, Fault, Problem};

use super::answer;
use super::caller::Caller;
use super::state::Web;

pub(super) use admin::register as admin_register;
pub(super) use apps::{list as apps, withdraw as withdraw_app};
pub(super) use audit::{activity, export as export_audit, list as audit};
pub(super) use evaluation::{evaluation, evaluations};
pub(super) use exports::{ask as ask_for_export, fetch as fetch_export, list as exports};
pub(super) use guard::{Gate, guard};
pub(super) use keys::{create as create_key, list as keys, revoke as revoke_key, rotate as rotate_key};
pub(super) use leaving::{leave, take_back};
pub(super) use links::{list as links, unlink};
pub(super) use oauth_login::oauth_login;
pub(crate) use openapi::text as openapi_text;
pub(super) use openapi::{document as openapi_document, openapi};
pub(super) use own::{change_email, change_password};
pub(super) use people::{change, list, me, show};
pub(super) use picture::{remove as remove_picture, upload as upload_picture};
pub(super) use policies::{
    current as policies, dry_run as dry_run_policies, publish as publish_policies, restore as restore_policies,
    version as policy_version, versions as policy_versions,
};
pub(super) use providers::{
    declare as declare_provider, list as providers, remove as remove_provider, show as provider,
};
pub(super) use recovery::{forgot_password, request_verification, reset_password, verify_email};
pub(super) use refresh::{logout, refresh};
pub(super) use service_accounts::{
    create as create_service_account, create_key as create_service_account_key, give_role as give_service_account_role,
    keys as service_account_keys, list as service_accounts, remove as remove_service_account,
    revoke_key as revoke_service_account_key, rotate_key as rotate_service_account_key,
    rotate_secret as rotate_service_account_secret, show as service_account, take_role as take_service_account_role,
};
pub(super) use sessions::{end as end_session, end_others as end_other_sessions, list as sessions};
pub(super) use sign_in::{login, sign_in};
pub(super) use sign_up::{register, sign_up};
pub(crate) use traces::trace_json;
pub(super) use traces::{TraceBody, show as trace};

/// The answer to whoever sends too much of anything.
pub(super) fn throttled(web: &Web, caller: &Caller, status: StatusCode, seconds: i64) -> Response {
    Fault::from(Problem::throttled(status, chrono::Duration::seconds(seconds))).response(web, caller)
}

/// There is nothing more to be said.
fn done() -> Response {
    let mut response = StatusCode::NO_CONTENT.into_response();
    response.headers_mut().insert(header::CACHE_CONTROL, answer::NO_STORE);
    response
}

/// The fallback of these routes.
pub(super) async fn method_refused(call: Call) -> Response {
    call.answer(Err(Problem::new(StatusCode::METHOD_NOT_ALLOWED, "api-method-refused").into()))
}
