//! What is kept of people, and the end of their accounts.

use super::operation::{Operation, delete, get, post};
use super::schemas::{list_of, of};
use crate::http::api::call::Nothing;
use crate::http::api::exports::PersonalData;
use crate::http::api::leaving::Deletion;

pub(super) fn operations() -> Vec<Operation> {
    vec![
        delete("/auth/{id}", "Have an account deleted, after a grace in which it can be taken back; everything of theirs ends at once")
            .uuid("id")
            .takes_perhaps::<Nothing>()
            .accepts(of::<Deletion>)
            .refuses(&[404, 409]),
        post("/auth/{id}/restore", "Take an account back that is to be deleted")
            .uuid("id")
            .takes_perhaps::<Nothing>()
            .refuses(&[404, 409]),
        get("/auth/{id}/exports", "List the documents of what is kept of somebody, newest first")
            .uuid("id")
            .gives(list_of::<PersonalData>)
            .refuses(&[404]),
        post("/auth/{id}/exports", "Ask for a document of everything that is kept of somebody: 201 when it is ready, 202 when it is written later")
            .uuid("id")
            .takes_perhaps::<Nothing>()
            .begins(of::<PersonalData>)
            .refuses(&[404, 409]),
        get("/auth/{id}/exports/{export}", "Fetch such a document").uuid("id").uuid("export").file().refuses(&[404]),
    ]
}
