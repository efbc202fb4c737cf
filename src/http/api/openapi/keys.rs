//! API keys, one's own and those of service accounts, and service accounts themselves.

use serde_json::json;

use super::operation::{Operation, delete, get, post, put};
use super::schemas::{list_of, of};
use crate::http::api::keys::{ApiKey, GivenApiKey, NewApiKey, Rotation};
use crate::http::api::service_accounts::{GivenServiceAccount, NewServiceAccount, ServiceAccount};

pub(super) fn operations() -> Vec<Operation> {
    vec![
        get("/api-keys", "List one's own API keys").gives(list_of::<ApiKey>),
        post("/api-keys", "Make an API key for oneself")
            .takes::<NewApiKey>()
            .creates(of::<GivenApiKey>)
            .refuses(&[409]),
        delete("/api-keys/{id}", "Revoke an API key").uuid("id").refuses(&[404]),
        post("/api-keys/{id}/rotate", "Give an API key a new secret")
            .uuid("id")
            .takes_perhaps::<Rotation>()
            .gives(of::<GivenApiKey>)
            .refuses(&[404]),
        get("/service-accounts", "List service accounts")
            .paged("after", "The id of the last service account of the page before.", &json!({"type": "string"}))
            .gives(list_of::<ServiceAccount>),
        post("/service-accounts", "Make a service account")
            .takes::<NewServiceAccount>()
            .creates(of::<GivenServiceAccount>),
        get("/service-accounts/{id}", "Show a service account").gives(of::<ServiceAccount>).refuses(&[404]),
        delete("/service-accounts/{id}", "Remove a service account to which nobody signs in").refuses(&[404, 409]),
        put("/service-accounts/{id}/roles/{role}", "Give a service account a role")
            .gives(of::<ServiceAccount>)
            .refuses(&[404]),
        delete("/service-accounts/{id}/roles/{role}", "Take a role from a service account")
            .gives(of::<ServiceAccount>)
            .refuses(&[404]),
        post("/service-accounts/{id}/secret", "Give a service account a new secret")
            .takes_perhaps::<Rotation>()
            .gives(of::<GivenServiceAccount>)
            .refuses(&[404]),
        get("/service-accounts/{id}/api-keys", "List a service account's API keys")
            .gives(list_of::<ApiKey>)
            .refuses(&[404]),
        post("/service-accounts/{id}/api-keys", "Make an API key for a service account")
            .takes::<NewApiKey>()
            .creates(of::<GivenApiKey>)
            .refuses(&[404, 409]),
        delete("/service-accounts/{id}/api-keys/{key}", "Revoke a service account's API key")
            .uuid("key")
            .refuses(&[404]),
        post("/service-accounts/{id}/api-keys/{key}/rotate", "Give a service account's API key a new secret")
            .uuid("key")
            .takes_perhaps::<Rotation>()
            .gives(of::<GivenApiKey>)
            .refuses(&[404]),
    ]
}
