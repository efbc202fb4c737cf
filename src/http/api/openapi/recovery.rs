//! What mailed links do.

use super::operation::{Operation, post};
use super::schemas::of;
use crate::http::api::recovery::{Done, ForgotPassword, RequestVerification, ResetPassword};

pub(super) fn operations() -> Vec<Operation> {
    vec![
        post("/auth/forgot-password", "Mail a link to choose a new password by")
            .takes::<ForgotPassword>()
            .gives(of::<Done>)
            .refuses(&[404]),
        post("/auth/reset-password/{token}", "Choose a new password by a mailed link")
            .takes::<ResetPassword>()
            .gives(of::<Done>)
            .refuses(&[404]),
        post("/auth/request-email-verification", "Mail a link to verify one's address by")
            .takes::<RequestVerification>()
            .gives(of::<Done>)
            .refuses(&[404]),
        post("/auth/verify-email/{token}", "Verify an address by a mailed link").gives(of::<Done>).refuses(&[400, 404]),
    ]
}
