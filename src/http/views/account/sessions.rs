//! Where somebody is signed in.

use askama::Template;

use super::{Part, Shell};
use crate::http::views::{Fault, Frame};

#[derive(Template)]
#[template(path = "account/sessions.html")]
pub struct SessionsPage {
    pub frame: Frame,
    pub shell: Shell,
    pub lines: Vec<SessionLine>,
    pub part: Part,
    /// There are others than this one.
    pub others: bool,
    pub faults: Vec<Fault>,
}

/// A browser.
pub struct SessionLine {
    pub id: String,
    pub device: String,
    /// The one that looks at this page.
    pub here: bool,
    /// Last seen, address, signed in: in a sentence.
    pub says: String,
}
