//! What is kept of somebody, to take away; and the end of their account.

use askama::Template;

use super::Shell;
use crate::http::views::{Fault, Frame};

#[derive(Template)]
#[template(path = "account/data.html")]
pub struct DataPage {
    pub frame: Frame,
    pub shell: Shell,
    pub lines: Vec<ExportLine>,
    /// How many days an account can be taken back.
    pub grace: usize,
    /// Not at all.
    pub at_once: bool,
    /// Mails are written here.
    pub mail: bool,
    pub faults: Vec<Fault>,
}

/// A document that was asked for.
pub struct ExportLine {
    /// When.
    pub asked: String,
    /// How it stands.
    pub says: String,
    /// Where it is, while it can be fetched.
    pub href: Option<String>,
}

impl DataPage {
    fn page_title(&self) -> String {
        self.frame.title(&self.faults, self.frame.words.say("export-title"))
    }
}
