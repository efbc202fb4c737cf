//! Parameters of a request, which remember what was said twice: web frameworks keep the first or the last silently.

use super::{TokenError, why};
use crate::trace::{self, Rule};

/// More parameters than any honest request has.
const MOST: usize = 100;

/// The parameters of a query or a form, in the order they came. Empty values count as absent (RFC 6749 section 3.1).
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Parameters(Vec<(String, String)>);

/// A parameter that may be given once was given more often (RFC 6749 section 3.1).
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("a parameter is repeated")]
pub struct Repeated;

impl From<Repeated> for TokenError {
    fn from(_: Repeated) -> Self {
        Self::request("a parameter is repeated")
    }
}

impl Parameters {
    /// Reads `application/x-www-form-urlencoded`. `None`: not UTF-8, or too many.
    pub fn parse(encoded: &[u8]) -> Option<Self> {
        if encoded.split(|byte| *byte == b'&').nth(MOST).is_some() {
            return None;
        }
        // The parser replaces what is not UTF-8; a replaced character is a broken value, not another one.
        let decoded = percent_encoding::percent_decode(encoded).collect::<Vec<u8>>();
        if std::str::from_utf8(&decoded).is_err() || decoded.contains(&0) {
            return None;
        }
        Some(Self(form_urlencoded::parse(encoded).into_owned().collect()))
    }

    /// The one value of a parameter.
    pub fn one(&self, name: &str) -> Result<Option<&str>, Repeated> {
        let mut values = self.0.iter().filter(|(key, _)| key == name);
        match (values.next(), values.next()) {
            (_, Some(_)) => Err(Repeated),
            (Some((_, value)), None) if !value.is_empty() => Ok(Some(value)),
            _ => Ok(None),
        }
    }

    /// The value of a parameter that has been found to be there at most once; nothing where it is repeated.
    pub fn get(&self, name: &str) -> Option<&str> {
        self.one(name).ok().flatten()
    }

    /// All values of a parameter that may repeat.
    pub fn all<'p>(&'p self, name: &'p str) -> impl Iterator<Item = &'p str> {
        self.0.iter().filter(move |(key, value)| key == name && !value.is_empty()).map(|(_, value)| value.as_str())
    }

    /// All of them, in the order they came.
    pub fn pairs(&self) -> impl Iterator<Item = (&str, &str)> {
        self.0.iter().map(|(name, value)| (name.as_str(), value.as_str()))
    }

    /// Whether a parameter was sent at all, be it empty: a form sends the fields that somebody has emptied too.
    pub fn has(&self, name: &str) -> bool {
        self.0.iter().any(|(key, _)| key == name)
    }

    /// Refuses any repetition, but for parameters that their standard lets repeat (`resource`, RFC 8707 section 2).
    pub fn require_single(&self) -> Result<(), Repeated> {
        for (position, (name, _)) in self.0.iter().enumerate() {
            if name != "resource" && self.0.iter().skip(position + 1).any(|(other, _)| other == name) {
                trace::fail(Rule::ParametersSingle, why::repeated);
                return Err(Repeated);
            }
        }
        Ok(())
    }

    /// Back to a form: the same parameters, so that a request can be kept and read again.
    pub fn encode(&self) -> String {
        form_urlencoded::Serializer::new(String::new()).extend_pairs(&self.0).finish()
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn ij_07_repetition_is_seen() {
        let parameters = Parameters::parse(b"a=1&b=2&a=1&resource=x&resource=y&empty=").unwrap();
        assert_eq!(parameters.one("a"), Err(Repeated));
        assert_eq!(parameters.one("b"), Ok(Some("2")));
        assert_eq!(parameters.one("empty"), Ok(None));
        assert_eq!(parameters.require_single(), Err(Repeated));
        assert_eq!(Parameters::parse(b"resource=x&resource=y").unwrap().require_single(), Ok(()));
        assert_eq!(Parameters::parse(b"a=%ff"), None);
        assert_eq!(Parameters::parse(b"a=%00"), None);
        assert_eq!(Parameters::parse("&".repeat(200).as_bytes()), None);
    }

    proptest! {
        /// f_form: never panics, and what is kept reads back the same.
        #[test]
        fn forms_read_back(bytes in proptest::collection::vec(any::<u8>(), 0..200)) {
            if let Some(parameters) = Parameters::parse(&bytes) {
                prop_assert_eq!(Parameters::parse(parameters.encode().as_bytes()).unwrap(), parameters);
            }
        }
    }
}
