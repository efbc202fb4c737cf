//! The page that posts an answer to an application.

use askama::Template;

use super::{Frame, host_of};

#[derive(Template)]
#[template(path = "form_post.html")]
pub struct FormPostPage {
    pub frame: Frame,
    /// The script that sends the form.
    pub submit_href: String,
    pub action: String,
    pub parameters: Vec<(&'static str, String)>,
}

impl FormPostPage {
    fn heading(&self) -> String {
        self.frame.words.say_with("form-post-title", &[("host", &host_of(&self.action))])
    }
}
