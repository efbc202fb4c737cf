//! People, and what they or an administrator change of them.

use serde_json::json;

use super::operation::{Operation, get, post, put};
use super::schemas::{list_of, of};
use crate::http::api::{admin, person, picture};

pub(super) fn operations() -> Vec<Operation> {
    let mut all = vec![
        get("/auth", "List people")
            .paged(
                "after",
                "The id of the last person of the page before.",
                &json!({"type": "string", "format": "uuid"}),
            )
            .gives(list_of::<person::Person>),
        get("/auth/{id}", "Show a person").uuid("id").gives(of::<person::Person>).refuses(&[404]),
        put("/auth/{id}", "Change a person")
            .uuid("id")
            .header("If-Match", "The ETag of the person as they were read: somebody else's edit since then is a 412.")
            .takes_with_attributes::<person::ProfileChange>()
            .gives(of::<person::Person>)
            .refuses(&[404, 412]),
        put("/auth/upload-image/{id}", "Upload a picture")
            .uuid("id")
            .takes_form::<picture::Picture>()
            .gives(of::<picture::Uploaded>)
            .refuses(&[404, 422]),
        post("/user/admin/register", "Make an administrator")
            .takes_with_attributes::<admin::RegisterAdmin>()
            .creates(of::<person::Person>)
            .refuses(&[409]),
    ];
    all.extend(
        ["/auth/me", "/users/profile", "/user/profile"]
            .map(|path| get(path, "Show the person of the token").gives(of::<person::Person>)),
    );
    all
}
