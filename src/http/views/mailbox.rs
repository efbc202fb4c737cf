//! What goes by way of the mailbox: a new password, a verified address.

use askama::Template;

use super::{Fault, Frame, PASSWORD_MIN};

#[derive(Template)]
#[template(path = "forgot_password.html")]
pub struct ForgotPasswordPage {
    pub frame: Frame,
    pub interaction: Option<String>,
    pub csrf: String,
    pub email: String,
    pub faults: Vec<Fault>,
    pub sign_in_href: String,
}

impl ForgotPasswordPage {
    fn page_title(&self) -> String {
        self.frame.title(&self.faults, self.frame.words.say("forgot-title"))
    }
}

#[derive(Template)]
#[template(path = "reset_password.html")]
pub struct ResetPasswordPage {
    pub frame: Frame,
    pub csrf: String,
    pub token: String,
    /// The name that managers keep the password by.
    pub email: String,
    pub faults: Vec<Fault>,
}

impl ResetPasswordPage {
    fn page_title(&self) -> String {
        self.frame.title(&self.faults, self.frame.words.say("reset-title"))
    }
}

#[derive(Template)]
#[template(path = "verify_email.html")]
pub struct VerifyEmailPage {
    pub frame: Frame,
    pub csrf: String,
    pub token: String,
    pub address: String,
    /// The account has another address now.
    pub changes: bool,
}

impl VerifyEmailPage {
    fn heading(&self) -> String {
        self.frame.words.say(if self.changes { "verify-change-title" } else { "verify-title" })
    }
}

#[derive(Template)]
#[template(path = "unverified.html")]
pub struct UnverifiedPage {
    pub frame: Frame,
    pub interaction: Option<String>,
    pub csrf: String,
    pub email: String,
    pub faults: Vec<Fault>,
}

impl UnverifiedPage {
    fn page_title(&self) -> String {
        self.frame.title(&self.faults, self.frame.words.say("unverified-title"))
    }
}

/// Something was done, or is in the mailbox; what to do next.
#[derive(Template)]
#[template(path = "notice.html")]
pub struct NoticePage {
    pub frame: Frame,
    pub title: &'static str,
    pub message: &'static str,
    pub sign_in_href: Option<String>,
}
