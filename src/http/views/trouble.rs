//! What went wrong.

use askama::Template;

use super::Frame;
use crate::trace::{Trace, says};

#[derive(Template)]
#[template(path = "error.html")]
pub struct ErrorPage {
    pub frame: Frame,
    pub title: &'static str,
    pub message: &'static str,
    pub args: Vec<(&'static str, String)>,
    pub restart_href: Option<String>,
    /// Why, where somebody develops.
    pub trace: Option<Trace>,
}

impl ErrorPage {
    /// What the request asked, by line.
    fn asked(trace: &Trace) -> Vec<(&str, &str)> {
        let asked = &trace.asked;
        let client = asked.client.iter().map(|client| ("client", client.as_str()));
        client.chain(asked.parameters.iter().map(|(name, value)| (name.as_str(), value.as_str()))).collect()
    }

    /// The rules that were passed, with what they say.
    fn passed(trace: &Trace) -> Vec<(&str, &str)> {
        trace.passed.iter().map(|rule| (rule.as_str(), says(rule))).collect()
    }

    fn page_title(&self) -> String {
        self.frame.words.say_with("error-title", &[("title", &self.frame.told(self.title, &self.args))])
    }
}
