//! The address of an account, and another one.

use askama::Template;

use super::Shell;
use crate::http::views::{Fault, Frame};

#[derive(Template)]
#[template(path = "account/email.html")]
pub struct EmailPage {
    pub frame: Frame,
    pub shell: Shell,
    pub address: Option<String>,
    pub verified: bool,
    /// Mail is written here; without it no address can be proven.
    pub mail: bool,
    pub email: String,
    pub faults: Vec<Fault>,
}

impl EmailPage {
    fn page_title(&self) -> String {
        self.frame.title(&self.faults, self.frame.words.say("account-email-title"))
    }
}
