//! Who one is here, and what there is to look after.

use askama::Template;

use super::{Section, Shell};
use crate::http::views::Frame;

#[derive(Template)]
#[template(path = "account/overview.html")]
pub struct OverviewPage {
    pub frame: Frame,
    pub shell: Shell,
    pub person: String,
    /// What they sign in with, where that is something else than `person`.
    pub login: Option<String>,
    /// A path of ours.
    pub picture: Option<String>,
    pub lines: Vec<SectionLine>,
}

/// A section, and how it stands there.
pub struct SectionLine {
    pub section: Section,
    pub says: Option<String>,
}

impl OverviewPage {
    fn initial(&self) -> String {
        super::initial(&self.person)
    }
}
