//! Other ways to sign in.

use askama::Template;

use super::Shell;
use crate::http::views::{Fault, Frame, ProviderChoice};

#[derive(Template)]
#[template(path = "account/providers.html")]
pub struct ProvidersPage {
    pub frame: Frame,
    pub shell: Shell,
    pub ways: Vec<Way>,
    pub to_link: Vec<ProviderChoice>,
    pub link_csrf: String,
    /// Whether any of them may go, so that one way in stays.
    pub may_unlink: bool,
    pub has_password: bool,
    pub faults: Vec<Fault>,
}

/// An account at another provider.
pub struct Way {
    /// For the form.
    pub provider: String,
    pub account: String,
    /// What people call the provider.
    pub label: String,
    /// Since when, and when it was last used.
    pub says: String,
}
