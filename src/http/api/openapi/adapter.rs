//! The session adapter: whoever shows its secret. What is not there is null.

use serde_json::json;

use super::operation::{Operation, delete, get, patch, post};
use super::schemas::perhaps;
use crate::http::api::adapter::{
    AdapterAccount, AdapterSession, AdapterToken, AdapterUser, NewSession, SessionAndUser, SessionChange, UsedToken,
    UserData,
};

pub(super) fn operations() -> Vec<Operation> {
    let mut all = vec![post("/adapter/signup", "Make a user").takes::<UserData>().gives(perhaps::<AdapterUser>)];
    all.extend(
        ["/adapter/{id}", "/adapter/get-user/{id}"].map(|path| get(path, "Find a user").gives(perhaps::<AdapterUser>)),
    );
    all.extend(["/adapter/get-user-by-email", "/adapter/get-user-by-email/"].map(|path| {
        let operation = get(path, "Find a user by address").query("email", &json!({"type": "string"}));
        operation.gives(perhaps::<AdapterUser>).refuses(&[400])
    }));
    all.push(
        get("/adapter/get-user-by-account/{provider}/{account}", "Find a user by a linked account")
            .gives(perhaps::<AdapterUser>),
    );
    for path in ["/adapter", "/adapter/"] {
        all.extend([patch, post].map(|at| change_user(at, path)));
    }
    all.extend([post, patch].map(|at| change_user(at, "/adapter/update-user")));
    all.extend(
        ["/adapter/{id}", "/adapter/delete-user/{id}"]
            .map(|path| delete(path, "Remove a user").gives(perhaps::<AdapterUser>)),
    );
    all.extend([
        post("/adapter/link-account", "Link an account").takes::<AdapterAccount>().gives(perhaps::<AdapterAccount>),
        delete("/adapter/unlink-account/{provider}/{account}", "Unlink an account").gives(perhaps::<AdapterAccount>),
        post("/adapter/create-session", "Open a session").takes::<NewSession>().gives(perhaps::<AdapterSession>),
        get("/adapter/get-session/{token}", "Find a session and its user").gives(perhaps::<SessionAndUser>),
    ]);
    all.extend([patch, post].map(|at| {
        let operation = at("/adapter/update-session", "Move the end of a session");
        operation.takes::<SessionChange>().gives(perhaps::<AdapterSession>)
    }));
    all.extend([
        delete("/adapter/delete-session/{token}", "End a session").gives(perhaps::<AdapterSession>),
        post("/adapter/create-verification-token", "Keep a verification token")
            .takes::<AdapterToken>()
            .gives(perhaps::<AdapterToken>),
    ]);
    all.extend([patch, post].map(|at| {
        let operation = at("/adapter/use-verification-token", "Use a verification token");
        operation.takes::<UsedToken>().gives(perhaps::<AdapterToken>)
    }));
    // What they change may be somebody else's already.
    let refuses = |operation: Operation| if operation.method == "get" { operation } else { operation.refuses(&[409]) };
    all.into_iter().map(refuses).collect()
}

fn change_user(at: fn(&'static str, &'static str) -> Operation, path: &'static str) -> Operation {
    at(path, "Change a user").takes::<UserData>().gives(perhaps::<AdapterUser>)
}
