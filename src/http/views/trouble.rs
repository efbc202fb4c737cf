//! What went wrong.

use askama::Template;

use super::Frame;

#[derive(Template)]
#[template(path = "error.html")]
pub struct ErrorPage {
    pub frame: Frame,
    pub title: &'static str,
    pub message: &'static str,
    pub args: Vec<(&'static str, String)>,
    pub restart_href: Option<String>,
}

impl ErrorPage {
    fn page_title(&self) -> String {
        self.frame.words.say_with("error-title", &[("title", &self.frame.told(self.title, &self.args))])
    }
}
