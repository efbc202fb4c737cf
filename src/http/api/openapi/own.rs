//! What people do with their own accounts, besides their profile.

use super::operation::{Operation, delete, get, put};
use super::schemas::{list_of, of};
use crate::http::api::apps::ConnectedApp;
use crate::http::api::own::{ChangeEmail, ChangePassword};
use crate::http::api::recovery::Done;
use crate::http::api::sessions::{BrowserSession, Ended};

pub(super) fn operations() -> Vec<Operation> {
    vec![
        get("/auth/{id}/sessions", "List where somebody is signed in, the last 100, last seen first")
            .uuid("id")
            .gives(list_of::<BrowserSession>)
            .refuses(&[404]),
        delete("/auth/{id}/sessions", "End somebody's sessions, but for the one that the token was issued in")
            .uuid("id")
            .gives(of::<Ended>)
            .refuses(&[404]),
        delete("/auth/{id}/sessions/{session}", "End a session").uuid("id").uuid("session").refuses(&[404]),
        get("/auth/{id}/apps", "List the applications that somebody has let in, the last 100, last used first")
            .uuid("id")
            .gives(list_of::<ConnectedApp>)
            .refuses(&[404]),
        delete("/auth/{id}/apps/{client}", "Take everything from an application that somebody has allowed it")
            .uuid("id")
            .refuses(&[404]),
        put("/auth/{id}/password", "Change one's password; all other sessions and tokens end")
            .uuid("id")
            .takes::<ChangePassword>()
            .refuses(&[404]),
        put("/auth/{id}/email", "Mail a link to a new address, which becomes one's own when it is opened")
            .uuid("id")
            .takes::<ChangeEmail>()
            .accepts(of::<Done>)
            .refuses(&[404, 409]),
        delete("/auth/upload-image/{id}", "Take a picture away").uuid("id").refuses(&[404]),
    ]
}
