//! The front page.

use askama::Template;

use super::Frame;

#[derive(Template)]
#[template(path = "home.html")]
pub struct HomePage {
    pub frame: Frame,
    pub person: Option<String>,
    pub csrf: String,
    /// Whether people may make accounts themselves.
    pub sign_up: bool,
    /// Whether the demo application and the mailbox are there.
    pub dev: bool,
}

/// A provider that could be linked.
pub struct ProviderChoice {
    pub name: String,
    pub label: String,
}
