//! The answer to an authorization request: what it carries and how it reaches the application (RFC 6749 section 4.1.2, RFC 9207,
//! OAuth 2.0 Multiple Response Type Encoding Practices, OAuth 2.0 Form Post Response Mode).

use super::ErrorCode;

/// How the answer travels.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum ResponseMode {
    #[default]
    Query,
    Fragment,
    FormPost,
}

impl ResponseMode {
    pub const ALL: [Self; 3] = [Self::Query, Self::Fragment, Self::FormPost];

    pub const fn name(self) -> &'static str {
        match self {
            Self::Query => "query",
            Self::Fragment => "fragment",
            Self::FormPost => "form_post",
        }
    }

    pub fn parse(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|mode| mode.name() == name)
    }
}

/// Where answers go: exists only after client and redirect URI are proven.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ReplyTo {
    pub(super) redirect_uri: String,
    pub(super) mode: ResponseMode,
    pub(super) state: Option<String>,
    pub(super) issuer: String,
}

/// An answer, ready to be sent.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Reply {
    /// The browser goes to this URL.
    Redirect(String),
    /// The browser posts these parameters to that URL.
    Post { redirect_uri: String, parameters: Vec<(&'static str, String)> },
}

impl ReplyTo {
    pub fn redirect_uri(&self) -> &str {
        &self.redirect_uri
    }

    /// The answer that carries a code (RFC 6749 section 4.1.2, RFC 9207).
    pub fn code(&self, code: &str) -> Reply {
        self.with(vec![("code", code.to_owned())])
    }

    /// The answer that carries an error (section 4.1.2.1).
    pub fn error(&self, code: ErrorCode, description: &str) -> Reply {
        self.with(vec![("error", code.name().to_owned()), ("error_description", description.to_owned())])
    }

    /// In a URL: the redirect URI byte for byte, its own query kept, ours behind it.
    fn with(&self, mut parameters: Vec<(&'static str, String)>) -> Reply {
        parameters.extend(self.state.clone().map(|state| ("state", state)));
        parameters.push(("iss", self.issuer.clone()));
        let separator = match self.mode {
            ResponseMode::FormPost => return Reply::Post { redirect_uri: self.redirect_uri.clone(), parameters },
            ResponseMode::Fragment => '#',
            ResponseMode::Query if self.redirect_uri.contains('?') => '&',
            ResponseMode::Query => '?',
        };
        let encoded = form_urlencoded::Serializer::new(String::new()).extend_pairs(&parameters).finish();
        Reply::Redirect(format!("{}{separator}{encoded}", self.redirect_uri))
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        /// `state` comes back byte for byte, and the redirect URI's own query stays in front of ours.
        #[test]
        fn replies_keep_state_and_query(state in "\\PC{1,80}", query in "(\\?a=1)?", mode in 0_usize..3) {
            let mode = ResponseMode::ALL[mode];
            let reply = ReplyTo {
                redirect_uri: format!("https://app.example/cb{query}"),
                mode,
                state: Some(state.clone()),
                issuer: "https://id.example".to_owned(),
            };
            let pairs: Vec<(String, String)> = match reply.code("c") {
                Reply::Post { redirect_uri, parameters } => {
                    prop_assert_eq!(mode, ResponseMode::FormPost);
                    prop_assert_eq!(redirect_uri, reply.redirect_uri);
                    parameters.into_iter().map(|(name, value)| (name.to_owned(), value)).collect()
                }
                Reply::Redirect(location) => {
                    let url = url::Url::parse(&location).unwrap();
                    prop_assert!(location.starts_with(&reply.redirect_uri));
                    prop_assert_eq!(url.fragment().is_some(), mode == ResponseMode::Fragment);
                    let carried = url.fragment().or(url.query()).unwrap_or_default();
                    form_urlencoded::parse(carried.as_bytes()).into_owned().collect()
                }
            };
            let ours = &pairs[pairs.len() - 3..];
            prop_assert_eq!(ours, &[
                ("code".to_owned(), "c".to_owned()),
                ("state".to_owned(), state),
                ("iss".to_owned(), "https://id.example".to_owned()),
            ]);
        }
    }
}
