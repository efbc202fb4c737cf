//! A picture of oneself.

use askama::Template;

use super::Shell;
use crate::http::views::{Fault, Frame};

#[derive(Template)]
#[template(path = "account/picture.html")]
pub struct PicturePage {
    pub frame: Frame,
    pub shell: Shell,
    pub person: String,
    /// A path of ours.
    pub picture: Option<String>,
    /// Where a picture is that is not ours to show: its host would see who looks.
    pub elsewhere: Option<String>,
    pub faults: Vec<Fault>,
}

impl PicturePage {
    fn initial(&self) -> String {
        super::initial(&self.person)
    }

    fn page_title(&self) -> String {
        self.frame.title(&self.faults, self.frame.words.say("account-picture-title"))
    }
}
