//! What somebody says about themselves: the standard claims, and what this installation asks for besides.

use askama::Template;

use super::Shell;
use crate::http::views::{Fault, Frame};

#[derive(Template)]
#[template(path = "account/profile.html")]
pub struct ProfilePage {
    pub frame: Frame,
    pub shell: Shell,
    /// Which state of the account the form is about.
    pub revision: i32,
    pub groups: Vec<Group>,
    pub faults: Vec<Fault>,
}

impl ProfilePage {
    fn page_title(&self) -> String {
        self.frame.title(&self.faults, self.frame.words.say("account-profile-title"))
    }
}

/// Fields that belong together.
pub struct Group {
    pub title: String,
    pub fields: Vec<Field>,
}

/// A field of the form.
pub struct Field {
    pub name: String,
    pub label: String,
    pub hint: Option<String>,
    pub value: String,
    pub control: Control,
    /// What browsers know it by; empty: nothing.
    pub autocomplete: &'static str,
    /// What has been saved meanwhile, where that is something else than what is typed here.
    pub meanwhile: Option<String>,
}

/// How a field is filled in.
pub enum Control {
    /// The type of the input.
    Input(&'static str),
    Lines,
    Choice(Vec<Choice>),
    /// It can be read here, and is changed by others.
    Shown,
}

/// One of several.
pub struct Choice {
    pub value: String,
    pub label: String,
}

impl Field {
    /// The type of the input, where it is one.
    fn input(&self) -> Option<&'static str> {
        match self.control {
            Control::Input(kind) => Some(kind),
            _ => None,
        }
    }

    fn choices(&self) -> Option<&[Choice]> {
        match &self.control {
            Control::Choice(choices) => Some(choices),
            _ => None,
        }
    }

    fn is_shown(&self) -> bool {
        matches!(self.control, Control::Shown)
    }

    /// What a reader is told with the field: ids of what stands beside it.
    fn told(&self, faults: &[Fault]) -> String {
        let name = &self.name;
        let told = [
            (faults.iter().any(|fault| fault.field == *name), "fault"),
            (self.hint.is_some(), "hint"),
            (self.meanwhile.is_some(), "meanwhile"),
        ];
        let ids = told.into_iter().filter(|(is_there, _)| *is_there).map(|(_, what)| format!("{name}-{what}"));
        ids.collect::<Vec<_>>().join(" ")
    }
}
