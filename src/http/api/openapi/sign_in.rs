//! Accounts, and tokens for their people.

use super::operation::{Operation, post};
use super::schemas::of;
use crate::http::api::{oauth_login, person, refresh, sign_in, sign_up, tokens};

pub(super) fn operations() -> Vec<Operation> {
    vec![
        post("/auth/signup", "Make an account with a username")
            .takes_with_attributes::<sign_up::SignUp>()
            .gives(of::<sign_up::SignedUp>)
            .refuses(&[404]),
        post("/auth/register", "Make an account with an e-mail address")
            .takes_with_attributes::<sign_up::Register>()
            .creates(of::<person::Person>)
            .refuses(&[404, 409]),
        post("/auth/signin", "Sign in with a username")
            .takes::<sign_in::SignIn>()
            .unreadable(&[400])
            .gives(of::<sign_in::SignedIn>)
            .reticent(),
        post("/auth/login", "Sign in")
            .takes::<sign_in::Login>()
            .unreadable(&[400])
            .gives(of::<sign_in::LoggedIn>)
            .reticent(),
        post("/auth/oAuthlogin", "Sign in by another provider's ID token, or by a linked account")
            .takes::<oauth_login::OAuthLogin>()
            .unreadable(&[401])
            .gives(of::<sign_in::LoggedIn>)
            .welcomes("adapterSecret"),
        post("/auth/refresh", "Replace tokens")
            .takes_perhaps::<refresh::Presented>()
            .gives(of::<tokens::Tokens>)
            .refuses(&[401])
            .welcomes("refresh"),
        post("/auth/logout", "Sign out")
            .takes_perhaps::<refresh::Presented>()
            .gives(of::<refresh::SignedOut>)
            .refuses(&[401])
            .welcomes("refresh"),
    ]
}
