//! What came back, with the questions tests ask of it.

use std::collections::BTreeMap;

use reqwest::{StatusCode, header::HeaderMap};
use serde::de::DeserializeOwned;
use url::Url;

use super::html::{self, Element, Form};

/// One HTTP answer, read to its end.
#[derive(Clone, Debug)]
pub(crate) struct Answer {
    /// What was asked for, as the outside spells it (on a second node too).
    pub(crate) url: Url,
    pub(crate) status: StatusCode,
    pub(crate) headers: HeaderMap,
    pub(crate) body: String,
}

impl Answer {
    /// Stops unless the status is this one; shows the answer when it is not.
    #[track_caller]
    pub(crate) fn expect_status(self, status: u16) -> Self {
        assert_eq!(self.status.as_u16(), status, "{self:#?}");
        self
    }

    /// The OAuth error of a JSON answer (RFC 6749 §5.2), after checking status and code.
    #[track_caller]
    pub(crate) fn expect_error(self, status: u16, code: &str) -> Self {
        let answer = self.expect_status(status);
        assert_eq!(answer.json::<serde_json::Value>()["error"], code, "{answer:#?}");
        assert_eq!(answer.header("cache-control"), "no-store", "{answer:#?}");
        answer
    }

    /// An error page of ours (PAGE400 in the list of threats): HTML with status 400 that leads nowhere.
    #[track_caller]
    pub(crate) fn expect_error_page(self) -> Self {
        let answer = self.expect_status(400);
        assert!(answer.header("content-type").starts_with("text/html"), "{answer:#?}");
        assert!(!answer.headers.contains_key("location"), "{answer:#?}");
        assert!(!answer.headers.contains_key("set-cookie"), "{answer:#?}");
        assert!(answer.forms().iter().all(|form| form.action.starts_with('/')), "{answer:#?}");
        answer
    }

    /// The body without what is different in every answer: the request's reference.
    pub(crate) fn said(&self) -> String {
        self.body.replace(self.header("x-request-id"), "")
    }

    /// A header's value; empty when it is not there, or not text.
    pub(crate) fn header(&self, name: &str) -> &str {
        self.headers.get(name).and_then(|value| value.to_str().ok()).unwrap_or("")
    }

    /// All values of a header.
    pub(crate) fn header_values(&self, name: &str) -> Vec<&str> {
        self.headers.get_all(name).iter().filter_map(|value| value.to_str().ok()).collect()
    }

    #[track_caller]
    pub(crate) fn json<T: DeserializeOwned>(&self) -> T {
        serde_json::from_str(&self.body).unwrap_or_else(|error| panic!("{error}: {self:#?}"))
    }

    /// Where a redirect leads.
    #[track_caller]
    pub(crate) fn location(&self) -> Url {
        assert!(self.status.is_redirection(), "not a redirect: {self:#?}");
        self.url.join(self.header("location")).unwrap_or_else(|error| panic!("{error}: {self:#?}"))
    }

    /// The parameters of the query of a redirect's target; stops when one comes twice.
    #[track_caller]
    pub(crate) fn location_parameters(&self) -> BTreeMap<String, String> {
        unique_parameters(&self.location())
    }

    pub(crate) fn forms(&self) -> Vec<Form> {
        html::forms(&self.body)
    }

    /// The form that posts to this path (whatever its query).
    #[track_caller]
    pub(crate) fn form(&self, path: &str) -> Form {
        let found = self.forms().into_iter().find(|form| form.action.split('?').next() == Some(path));
        found.unwrap_or_else(|| panic!("no form posts to {path}: {self:#?}"))
    }

    /// The form that this button sends.
    #[track_caller]
    pub(crate) fn form_of(&self, button: &str) -> Form {
        let found = self.forms().into_iter().find(|form| form.button(button).is_some());
        found.unwrap_or_else(|| panic!("no form has the button {button}: {self:#?}"))
    }

    /// The element with this id.
    #[track_caller]
    pub(crate) fn element(&self, id: &str) -> Element {
        self.find_element(id).unwrap_or_else(|| panic!("no element has the id {id}: {self:#?}"))
    }

    pub(crate) fn find_element(&self, id: &str) -> Option<Element> {
        html::elements(&self.body).into_iter().find(|element| element.attribute("id") == Some(id))
    }

    /// Every start tag of this name, in order.
    pub(crate) fn elements(&self, name: &str) -> Vec<Element> {
        html::elements(&self.body).into_iter().filter(|element| element.name == name).collect()
    }

    /// The page's title.
    pub(crate) fn title(&self) -> String {
        html::title(&self.body).unwrap_or_default()
    }
}

/// The parameters of a URL's query; stops when one comes twice.
#[track_caller]
pub(crate) fn unique_parameters(url: &Url) -> BTreeMap<String, String> {
    let mut parameters = BTreeMap::new();
    for (name, value) in url.query_pairs() {
        let earlier = parameters.insert(name.to_string(), value.into_owned());
        assert!(earlier.is_none(), "{name} comes twice in {url}");
    }
    parameters
}
