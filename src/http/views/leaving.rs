//! An account on its way out, and its owner at the door.

use askama::Template;

use super::Frame;

#[derive(Template)]
#[template(path = "leaving.html")]
pub struct LeavingPage {
    pub frame: Frame,
    pub interaction: Option<String>,
    /// The word of the section that they came for.
    pub then: Option<&'static str>,
    pub csrf: String,
    /// What they have proven, sealed.
    pub ticket: String,
    /// On which the account goes.
    pub day: String,
}
