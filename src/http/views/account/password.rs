//! Another password, or a first one.

use askama::Template;

use super::Shell;
use crate::http::views::{Fault, Frame, PASSWORD_MIN};

#[derive(Template)]
#[template(path = "account/password.html")]
pub struct PasswordPage {
    pub frame: Frame,
    pub shell: Shell,
    /// Whether there is one, which has to be shown first.
    pub has_password: bool,
    /// The name that managers keep the password by.
    pub username: String,
    pub forgot_href: Option<&'static str>,
    pub faults: Vec<Fault>,
}

impl PasswordPage {
    fn page_title(&self) -> String {
        self.frame.title(&self.faults, self.frame.words.say("account-password-title"))
    }

    /// Where typing begins; with faults the summary takes the focus instead.
    fn first(&self) -> &'static str {
        match (self.faults.is_empty() && self.shell.note.is_none(), self.has_password) {
            (false, _) => "summary",
            (_, true) => "current_password",
            _ => "password",
        }
    }
}
