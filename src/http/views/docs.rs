//! The JSON API, described.

use askama::Template;

use super::Frame;

/// The JSON API.
#[derive(Template)]
#[template(path = "docs.html")]
pub struct DocsPage {
    pub frame: Frame,
    pub described: &'static Described,
}

/// Calls that belong together, under a heading of the catalogue.
pub struct Group {
    pub id: &'static str,
    pub title: &'static str,
    pub calls: Vec<Call>,
}

pub struct Call {
    pub id: String,
    pub method: String,
    pub path: String,
    pub summary: String,
    /// A sentence of the catalogue.
    pub who: &'static str,
    pub who_args: Vec<(&'static str, String)>,
    pub parameters: Vec<Member>,
    pub takes: Option<(String, Kind)>,
    pub gives: Vec<(String, Option<Kind>)>,
    /// Status and name, all with a problem document or none.
    pub refuses: Vec<(String, String)>,
}

/// A type of the document, and the shape that it is made of.
pub struct Kind {
    pub text: String,
    pub shape: Option<String>,
}

pub struct Member {
    pub name: String,
    pub kind: Kind,
    pub required: bool,
    pub description: String,
}

pub struct Shape {
    pub name: String,
    pub description: String,
    pub members: Vec<Member>,
}

/// The whole page but for its frame.
pub struct Described {
    pub groups: [Group; 2],
    pub shapes: Vec<Shape>,
}
