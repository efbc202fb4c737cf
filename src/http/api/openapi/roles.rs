//! What roles give, and who holds them.

use serde_json::json;

use super::operation::{Operation, delete, get, put};
use super::schemas::{list_of, of};
use crate::http::api::roles::{Holder, Holding, PermissionDeclaration, PermissionShown, RoleDeclaration, RoleShown};

pub(super) fn operations() -> Vec<Operation> {
    vec![
        get("/roles", "List roles").gives(list_of::<RoleShown>),
        get("/roles/{name}", "Show a role").gives(of::<RoleShown>).refuses(&[404]),
        put("/roles/{name}", "Declare a role")
            .takes::<RoleDeclaration>()
            .declares(of::<RoleShown>)
            .refuses(&[404, 409]),
        delete("/roles/{name}", "Remove a role, from whoever holds it too").refuses(&[404, 409]),
        get("/roles/{name}/people", "List who holds a role")
            .paged(
                "after",
                "The id of the last person of the page before.",
                &json!({"type": "string", "format": "uuid"}),
            )
            .gives(list_of::<Holder>)
            .refuses(&[404]),
        get("/permissions", "List permissions").gives(list_of::<PermissionShown>),
        put("/permissions/{name}", "Declare a permission")
            .takes::<PermissionDeclaration>()
            .declares(of::<PermissionShown>)
            .refuses(&[404, 409]),
        delete("/permissions/{name}", "Remove a permission that no role has").refuses(&[404, 409]),
        get("/auth/{id}/roles", "Show somebody's roles").uuid("id").gives(of::<Holding>).refuses(&[404]),
        put("/auth/{id}/roles/{role}", "Give somebody a role").uuid("id").refuses(&[404, 409]),
        delete("/auth/{id}/roles/{role}", "Take a role from somebody").uuid("id").refuses(&[404, 409]),
    ]
}
