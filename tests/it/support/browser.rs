//! A browser without scripts: cookies, forms, and the headers that browsers add by themselves.

use std::collections::BTreeMap;

use cookie::{Cookie, Expiration, SameSite};
use reqwest::Method;
use url::Url;

use super::{
    answer::Answer,
    html::Form,
    wire::{Call, Wire},
};

/// One person's browser. Cookies are kept by name; redirects are followed only where a test says so.
#[derive(Clone, Debug)]
pub(crate) struct Browser {
    wire: Wire,
    cookies: BTreeMap<String, Cookie<'static>>,
    /// The page that is open.
    page: Option<Url>,
}

impl Browser {
    pub(crate) fn new(wire: Wire) -> Self {
        Self { wire, cookies: BTreeMap::new(), page: None }
    }

    /// Goes on with the same cookies on another node.
    pub(crate) fn move_to(&mut self, wire: Wire) {
        self.wire = wire;
    }

    /// A request to be filled in and handed to [`Browser::send`].
    #[track_caller]
    pub(crate) fn call(&self, method: Method, url: &str) -> Call {
        self.wire.call(method, url)
    }

    /// Sends a request with the cookies and with what a browser says about where it comes from; what the call names
    /// itself (`sec-fetch-site`, `origin`, `cookie`) stays as it is.
    pub(crate) async fn send(&mut self, mut call: Call) -> Answer {
        if !self.cookies.is_empty() {
            let pairs: Vec<_> = self.cookies.values().map(|cookie| cookie.stripped().to_string()).collect();
            call = call.default_header("cookie", pairs.join("; "));
        }
        let origin = call.url.origin().ascii_serialization();
        if call.method == Method::GET {
            call = call.default_header("sec-fetch-site", if self.page.is_some() { "same-origin" } else { "none" });
        } else {
            call = call.default_header("sec-fetch-site", "same-origin").default_header("origin", origin);
        }
        let answer = call
            .default_header("sec-fetch-mode", "navigate")
            .default_header("sec-fetch-dest", "document")
            .default_header("accept", "text/html,application/xhtml+xml,*/*;q=0.8")
            .default_header("accept-language", "en")
            .send()
            .await;
        self.keep_cookies(&answer);
        self.page = Some(answer.url.clone());
        answer
    }

    pub(crate) async fn get(&mut self, url: &str) -> Answer {
        self.send(self.call(Method::GET, url)).await
    }

    pub(crate) async fn post(&mut self, url: &str, fields: &[(&str, &str)]) -> Answer {
        self.send(self.call(Method::POST, url).form(fields)).await
    }

    /// Sends a form with its hidden fields, what is typed into it, and the button that is pressed (by its id).
    #[track_caller]
    pub(crate) fn submit(
        &mut self,
        form: &Form,
        button: Option<&str>,
        typed: &[(&str, &str)],
    ) -> impl Future<Output = Answer> {
        let mut fields = form.fields.clone();
        for (name, value) in typed {
            assert!(form.has(name), "the form has no field {name}: {form:#?}");
            fields.retain(|(key, _)| key != name);
            fields.push(((*name).to_owned(), (*value).to_owned()));
        }
        if let Some(id) = button {
            let button = form.button(id).unwrap_or_else(|| panic!("the form has no button {id}: {form:#?}"));
            if let Some(name) = button.attribute("name") {
                fields.push((name.to_owned(), button.attribute("value").unwrap_or_default().to_owned()));
            }
        }
        let page = self.page.clone().expect("a form is on a page");
        let mut url = page.join(&form.action).expect("the form's action");
        let call = if form.method == "POST" {
            self.call(Method::POST, url.as_str()).form(&fields)
        } else {
            url.query_pairs_mut().clear().extend_pairs(&fields);
            self.call(Method::GET, url.as_str())
        };
        self.send(call)
    }

    /// Follows redirects as long as they stay with the provider; the last answer, which may be a redirect away.
    pub(crate) async fn follow(&mut self, mut answer: Answer) -> Answer {
        for _ in 0..10 {
            if !answer.status.is_redirection() || answer.location().origin() != self.wire.url("/").origin() {
                return answer;
            }
            answer = self.get(answer.location().as_str()).await;
        }
        panic!("redirects without end: {answer:#?}");
    }

    pub(crate) fn cookies(&self) -> impl Iterator<Item = &Cookie<'static>> {
        self.cookies.values()
    }

    /// Names and values, for comparing before and after.
    pub(crate) fn cookie_pairs(&self) -> BTreeMap<String, String> {
        self.cookies.values().map(|cookie| (cookie.name().to_owned(), cookie.value().to_owned())).collect()
    }

    /// Puts a cookie in by hand, as an attacker or a restored browser would.
    pub(crate) fn set_cookie(&mut self, name: &str, value: &str) {
        self.cookies.insert(name.to_owned(), Cookie::new(name.to_owned(), value.to_owned()));
    }

    pub(crate) fn forget_cookies(&mut self) {
        self.cookies.clear();
    }

    /// What closing the browser does: session cookies go, the others stay.
    pub(crate) fn close(&mut self) {
        self.cookies.retain(|_, cookie| cookie.max_age().is_some() || cookie.expires_datetime().is_some());
        self.page = None;
    }

    fn keep_cookies(&mut self, answer: &Answer) {
        for line in answer.header_values("set-cookie") {
            let cookie = Cookie::parse(line.to_owned()).unwrap_or_else(|error| panic!("{error}: {line}"));
            expect_decent(&cookie, answer.url.scheme());
            let ended = cookie.max_age().is_some_and(|age| !age.is_positive())
                || cookie.max_age().is_none()
                    && matches!(cookie.expires(), Some(Expiration::DateTime(end)) if end.unix_timestamp() <= 0);
            if ended {
                self.cookies.remove(cookie.name());
            } else {
                self.cookies.insert(cookie.name().to_owned(), cookie);
            }
        }
    }
}

/// What holds of every cookie of the provider (row BR-09 of the list of threats).
fn expect_decent(cookie: &Cookie<'_>, scheme: &str) {
    assert_eq!(cookie.http_only(), Some(true), "{cookie}");
    assert_eq!(cookie.same_site(), Some(SameSite::Lax), "{cookie}");
    assert_eq!(cookie.path(), Some("/"), "{cookie}");
    assert_eq!(cookie.domain(), None, "{cookie}");
    if scheme == "https" {
        assert!(cookie.name().starts_with("__Host-") && cookie.secure() == Some(true), "{cookie}");
    }
}
