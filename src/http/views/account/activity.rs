//! What happened to somebody's account.

use askama::Template;

use super::Shell;
use crate::http::views::Frame;

#[derive(Template)]
#[template(path = "account/activity.html")]
pub struct ActivityPage {
    pub frame: Frame,
    pub shell: Shell,
    pub lines: Vec<ActivityLine>,
    /// Behind which event the next page goes on.
    pub older: Option<String>,
    /// This is not the first page.
    pub later: bool,
}

/// One thing that happened.
pub struct ActivityLine {
    pub what: String,
    /// When, and from where: in a sentence.
    pub says: String,
    /// It may have been somebody else.
    pub alarming: bool,
}
