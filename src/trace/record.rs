//! A trace as it is kept and shown: what was asked, which rules the request passed, and which one it did not.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use serde::{Deserialize, Serialize};

use super::{By, Rule};

/// Why a request was refused.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Trace {
    pub reference: String,
    /// RFC 3339.
    pub at: String,
    pub status: u16,
    pub asked: Asked,
    /// Names of the rules that were passed, in order.
    pub passed: Vec<String>,
    pub decided: Decided,
}

/// What was asked. Of what is or may be secret only that it was there.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Asked {
    pub method: String,
    pub path: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub address: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub client: Option<String>,
    pub parameters: BTreeMap<String, String>,
}

/// The rule that decided.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Decided {
    pub rule: String,
    pub given: String,
    pub expected: String,
    pub remedy: String,
}

impl Decided {
    /// What the rule says, for people.
    pub fn says(&self) -> &str {
        says(&self.rule)
    }

    /// What kind of thing decided.
    pub fn by(&self) -> &'static str {
        Rule::named(&self.rule).map_or(By::Request, Rule::by).name()
    }
}

/// What a rule says by its name; a newer version may have rules that this one does not know.
pub fn says(rule: &str) -> &str {
    Rule::named(rule).map_or(rule, |known| known.says())
}

impl Trace {
    /// For a terminal.
    pub fn text(&self) -> String {
        let mut text = String::new();
        let Self { reference, at, status, asked, passed, decided } = self;
        let _ = writeln!(text, "{reference}  {at}  answered {status}");
        let _ = writeln!(text, "\nasked    {} {}", asked.method, asked.path);
        for (name, value) in [("from", &asked.address), ("client", &asked.client)] {
            if let Some(value) = value {
                let _ = writeln!(text, "         {name}: {value}");
            }
        }
        for (name, value) in &asked.parameters {
            let _ = writeln!(text, "         {name}: {value}");
        }
        let _ = writeln!(text);
        for rule in passed {
            let _ = writeln!(text, "passed   {rule}: {}", says(rule));
        }
        let _ = writeln!(text, "refused  {}: {}", decided.rule, decided.says());
        let _ = writeln!(text, "\ndecided  by {}", decided.by());
        let _ = writeln!(text, "given    {}", decided.given);
        let _ = writeln!(text, "expected {}", decided.expected);
        let _ = write!(text, "remedy   {}", decided.remedy);
        text
    }
}
