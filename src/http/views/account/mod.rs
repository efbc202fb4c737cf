//! `/account`: what its pages have in common, and one file a section.

mod activity;
mod apps;
mod confirm;
mod data;
mod email;
mod overview;
mod password;
mod picture;
mod profile;
mod providers;
mod sessions;

pub use activity::{ActivityLine, ActivityPage};
pub use apps::{AppLine, AppsPage};
pub use confirm::ConfirmPage;
pub use data::{DataPage, ExportLine};
pub use email::EmailPage;
pub use overview::{OverviewPage, SectionLine};
pub use password::PasswordPage;
pub use picture::PicturePage;
pub use profile::{Choice, Control, Field, Group, ProfilePage};
pub use providers::{ProvidersPage, Way};
pub use sessions::{SessionLine, SessionsPage};

use chrono::{DateTime, Utc};

use super::Frame;
use crate::platform::clock::from_millis;
use crate::platform::words::Words;

/// A section of `/account`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Section {
    /// Its path is `/account/NAME`; the overview has none.
    pub name: &'static str,
    pub title: &'static str,
}

/// All of them, in the order of the navigation.
pub const SECTIONS: &[Section] = &[
    Section { name: "", title: "account-overview" },
    Section { name: "profile", title: "account-profile-title" },
    Section { name: "picture", title: "account-picture-title" },
    Section { name: "email", title: "account-email-title" },
    Section { name: "password", title: "account-password-title" },
    Section { name: "sessions", title: "account-sessions-title" },
    Section { name: "activity", title: "account-activity-title" },
    Section { name: "apps", title: "account-apps-title" },
    Section { name: "providers", title: "account-providers-title" },
    Section { name: "data", title: "export-title" },
];

impl Section {
    /// The one of this name.
    pub fn named(name: &str) -> Option<Self> {
        SECTIONS.iter().copied().find(|section| section.name == name)
    }

    pub fn path(&self) -> String {
        if self.name.is_empty() { "/account".to_owned() } else { format!("/account/{}", self.name) }
    }
}

/// What is around every section.
#[derive(Clone)]
pub struct Shell {
    pub sections: Vec<Section>,
    /// The name of the section that is open.
    pub here: &'static str,
    /// What has just been done.
    pub note: Option<String>,
    /// For the section's forms.
    pub csrf: String,
}

/// A list that is shown a part at a time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Part {
    /// From 1.
    pub number: usize,
    pub of: usize,
}

impl Part {
    /// How much of a list a page holds, so that it stays small however long the list is.
    pub const LENGTH: usize = 20;

    /// The part of a list that was asked for, or the nearest there is.
    pub fn of(wanted: Option<&str>, length: usize) -> Self {
        let of = length.div_ceil(Self::LENGTH).max(1);
        let number = wanted.and_then(|number| number.parse().ok()).unwrap_or(1).clamp(1, of);
        Self { number, of }
    }

    pub fn cut<T>(self, list: Vec<T>) -> impl Iterator<Item = T> {
        list.into_iter().skip((self.number - 1) * Self::LENGTH).take(Self::LENGTH)
    }

    fn before(self) -> Option<usize> {
        (self.number > 1).then(|| self.number - 1)
    }

    fn after(self) -> Option<usize> {
        (self.number < self.of).then(|| self.number + 1)
    }

    fn said(self, words: &Words) -> String {
        words.say_with("account-part", &[("number", &self.number.to_string()), ("of", &self.of.to_string())])
    }
}

/// How long ago something was, as people say it: no time zone can be mistaken. Long ago: the day.
pub fn ago(words: &Words, then: i64, now: DateTime<Utc>) -> String {
    let minutes = (now - from_millis(then)).num_minutes();
    let counted = |key: &str, count: i64| words.say_with(key, &[("count", &count.to_string())]);
    match minutes {
        ..1 => words.say("account-now"),
        1..60 => counted("account-minutes-ago", minutes),
        60..1440 => counted("account-hours-ago", minutes / 60),
        1440..43_200 => counted("account-days-ago", minutes / 1440),
        _ => day(words, then),
    }
}

/// A day as the language writes it.
pub fn day(words: &Words, at: i64) -> String {
    let at = from_millis(at);
    let part = |format: &str| at.format(format).to_string();
    words.say_with("account-day", &[("year", &part("%Y")), ("month", &part("%-m")), ("day", &part("%-d"))])
}

/// The letter that stands in for a picture.
pub fn initial(name: &str) -> String {
    let first = name.chars().find(|first| first.is_alphanumeric());
    first.map(|first| first.to_uppercase().collect()).unwrap_or_default()
}

impl Frame {
    fn section(&self, section: &Section) -> String {
        self.words.say(section.title)
    }
}

#[cfg(test)]
mod tests {
    use chrono::TimeZone as _;

    use super::*;
    use crate::http::views::tests::frame;

    #[test]
    fn times_are_said_as_people_say_them() {
        let now = Utc.with_ymd_and_hms(2026, 11, 22, 12, 0, 0).unwrap();
        let said = |seconds: i64| ago(&frame().words, now.timestamp_millis() - seconds * 1000, now);
        assert_eq!(said(-5), "just now");
        assert_eq!(said(59), "just now");
        assert_eq!(said(60), "1 minute ago");
        assert_eq!(said(3_599), "59 minutes ago");
        assert_eq!(said(3_600), "1 hour ago");
        assert_eq!(said(86_400), "1 day ago");
        assert_eq!(said(29 * 86_400), "29 days ago");
        assert_eq!(said(31 * 86_400), "22 October 2026");
    }

    #[test]
    fn a_long_list_has_parts_and_a_short_one_is_one() {
        let of = |wanted: Option<&str>, length: usize| {
            let part = Part::of(wanted, length);
            let numbers: Vec<usize> = part.cut((1..=length).collect()).collect();
            (part.number, part.of, numbers.first().copied(), numbers.len())
        };
        assert_eq!(of(None, 0), (1, 1, None, 0));
        assert_eq!(of(None, 20), (1, 1, Some(1), 20));
        assert_eq!(of(Some("3"), 50), (3, 3, Some(41), 10));
        assert_eq!(of(Some("9"), 50), (3, 3, Some(41), 10));
        for odd in ["0", "-1", "x", "99999999999999999999999"] {
            assert_eq!(of(Some(odd), 50).2, Some(1), "{odd}");
        }
    }
}
