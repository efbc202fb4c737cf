//! Proving that an account, or an address, is one's own.

use askama::Template;

use super::{Fault, Frame};

/// A code by mail.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Code {
    /// There is no mail here.
    Never,
    Offered,
    Mailed,
}

#[derive(Template)]
#[template(path = "link_account.html")]
pub struct LinkAccountPage {
    pub frame: Frame,
    pub csrf: String,
    pub pending: String,
    pub interaction: Option<String>,
    /// The section of the account that they are on the way to.
    pub then: Option<&'static str>,
    /// What people call the provider that they come from.
    pub provider: String,
    pub address: String,
    /// The provider says whose the address is, and there is an account with it.
    pub proven: bool,
    pub by_password: bool,
    pub by_mail: Code,
    pub faults: Vec<Fault>,
}

impl LinkAccountPage {
    fn heading(&self) -> String {
        self.frame.words.say(if self.proven { "link-title" } else { "link-address-title" })
    }

    fn page_title(&self) -> String {
        self.frame.title(&self.faults, self.heading())
    }

    fn lead(&self) -> String {
        let key = if self.proven { "link-lead" } else { "link-address-lead" };
        self.frame.words.say_with(key, &[("provider", &self.provider)])
    }

    fn mailed(&self) -> bool {
        self.by_mail == Code::Mailed
    }

    fn send_label(&self) -> &'static str {
        if self.mailed() { "send-code-again" } else { "send-code" }
    }

    fn password_label(&self) -> String {
        self.frame.words.say_with("link-password", &[("brand", &self.frame.brand.name)])
    }
}
