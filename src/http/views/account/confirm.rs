//! Somebody shows once more that it is they.

use askama::Template;

use super::Shell;
use crate::http::views::{Fault, Frame, ProviderChoice};

#[derive(Template)]
#[template(path = "account/confirm.html")]
pub struct ConfirmPage {
    pub frame: Frame,
    pub shell: Shell,
    /// The section that they are on the way to.
    pub then: &'static str,
    pub person: String,
    /// The name that managers keep the password by; none: there is no password.
    pub username: Option<String>,
    pub providers: Vec<ProviderChoice>,
    pub forgot_href: Option<&'static str>,
    pub faults: Vec<Fault>,
}

impl ConfirmPage {
    fn page_title(&self) -> String {
        self.frame.title(&self.faults, self.frame.words.say("account-confirm-title"))
    }
}
