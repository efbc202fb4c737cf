//! Which applications may do something for somebody.

use askama::Template;

use super::{Part, Shell};
use crate::http::views::{Fault, Frame};

#[derive(Template)]
#[template(path = "account/apps.html")]
pub struct AppsPage {
    pub frame: Frame,
    pub shell: Shell,
    pub lines: Vec<AppLine>,
    pub part: Part,
    pub faults: Vec<Fault>,
}

/// An application.
pub struct AppLine {
    pub client_id: String,
    pub name: String,
    /// Since when, and when it was last used.
    pub says: String,
    /// What it may do, as the consent page says it.
    pub may: Vec<String>,
}
