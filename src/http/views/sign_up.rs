//! Making an account.

use askama::Template;

use super::{Fault, Frame, PASSWORD_MIN, ProviderLink};

#[derive(Template)]
#[template(path = "sign_up.html")]
pub struct SignUpPage {
    pub frame: Frame,
    pub app: Option<String>,
    pub interaction: Option<String>,
    pub csrf: String,
    pub email: String,
    pub username: String,
    pub name: String,
    pub faults: Vec<Fault>,
    /// Those that make accounts.
    pub providers: Vec<ProviderLink>,
    pub sign_in_href: String,
}

impl SignUpPage {
    fn heading(&self) -> String {
        self.frame.words.say_with("sign-up-title", &[("brand", &self.frame.brand.name)])
    }

    fn page_title(&self) -> String {
        self.frame.title(&self.faults, self.heading())
    }

    /// Where typing begins; with faults the summary takes the focus instead.
    fn first_empty(&self) -> &'static str {
        match (self.faults.is_empty(), self.email.is_empty(), self.name.is_empty()) {
            (false, ..) => "summary",
            (_, true, _) => "email",
            (_, _, true) => "name",
            _ => "password",
        }
    }
}
