//! What is wrong with a bundle, and where.

use std::fmt;

use miette::Diagnostic;
use serde::Serialize;

/// What names the schema where a document's name is expected.
pub(super) const SCHEMA: &str = "schema";
/// What names the entities.
pub(super) const ENTITIES: &str = "entities";

/// Something that an operator has to mend, or in a warning should look at.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Fault {
    /// The document's name, `schema` or `entities`.
    pub document: Option<String>,
    /// Both count from 1.
    pub line: Option<u64>,
    pub column: Option<u64>,
    pub message: String,
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(document) = &self.document {
            write!(f, "{document}")?;
            if let (Some(line), Some(column)) = (self.line, self.column) {
                write!(f, ", line {line}, column {column}")?;
            }
            write!(f, ": ")?;
        }
        write!(f, "{}", self.message)
    }
}

impl Fault {
    pub(super) fn new(document: Option<&str>, message: impl Into<String>) -> Self {
        Self { document: document.map(str::to_owned), line: None, column: None, message: message.into() }
    }

    /// What Cedar found in a text.
    pub(super) fn found(document: &str, text: &str, error: &(impl Diagnostic + ?Sized)) -> Self {
        let offset = error.labels().and_then(|mut labels| labels.next()).map(|label| label.offset());
        let before = offset.and_then(|offset| text.get(..offset));
        let mut message = error.to_string();
        if let Some(help) = error.help() {
            message = format!("{message} ({help})");
        }
        Self {
            document: Some(document.to_owned()),
            line: before.map(|before| 1 + before.bytes().filter(|byte| *byte == b'\n').count() as u64),
            column: before.map(|before| 1 + before.rsplit('\n').next().unwrap_or_default().chars().count() as u64),
            message,
        }
    }
}
