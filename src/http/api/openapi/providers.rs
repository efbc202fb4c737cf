//! Other providers, and people's accounts there.

use super::operation::{Operation, delete, get, put};
use super::schemas::{list_of, of};
use crate::http::api::links::LinkedProvider;
use crate::http::api::providers::{Declaration, DeclaredProvider};

pub(super) fn operations() -> Vec<Operation> {
    vec![
        get("/auth/{id}/providers", "List somebody's accounts at other providers")
            .uuid("id")
            .gives(list_of::<LinkedProvider>)
            .refuses(&[404]),
        delete("/auth/{id}/providers/{provider}/{subject}", "Unlink an account, unless it is the last way to sign in")
            .uuid("id")
            .gives(of::<LinkedProvider>)
            .refuses(&[404, 409]),
        get("/providers", "List other providers").gives(list_of::<DeclaredProvider>),
        get("/providers/{name}", "Show a provider").gives(of::<DeclaredProvider>).refuses(&[404]),
        put("/providers/{name}", "Declare a provider")
            .takes::<Declaration>()
            .declares(of::<DeclaredProvider>)
            .refuses(&[409]),
        delete("/providers/{name}", "Remove a provider").gives(of::<DeclaredProvider>).refuses(&[404, 409]),
    ]
}
