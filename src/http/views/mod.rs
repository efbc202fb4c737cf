//! What each page needs to know, and nothing else: handlers fill these in, templates lay them out, and neither has to
//! read the other. Keys are message keys of `templates/messages`.

pub mod account;
mod consent;
mod dev;
mod docs;
mod form_post;
mod home;
mod leaving;
mod link_account;
mod mailbox;
mod sign_in;
mod sign_out;
mod sign_up;
mod trouble;

use std::borrow::Cow;
use std::sync::Arc;

pub use consent::{AccountChoicePage, ConsentPage, ScopeLine};
pub use dev::{DecodedToken, DevAppPage, DevMailPage, DevMessagePage, DevTokensPage, MailLine};
pub use docs::{Call, Described, DocsPage, Group, Kind, Member, Shape};
pub use form_post::FormPostPage;
pub use home::{HomePage, ProviderChoice};
pub use leaving::LeavingPage;
pub use link_account::{Code, LinkAccountPage};
pub use mailbox::{ForgotPasswordPage, NoticePage, ResetPasswordPage, UnverifiedPage, VerifyEmailPage};
pub use sign_in::{BackToApp, ProviderLink, SignInPage};
pub use sign_out::{SignOutCall, SignOutPage, SignedOutPage};
pub use sign_up::SignUpPage;
pub use trouble::ErrorPage;

use crate::platform::words::Words;

/// The shortest password we take, shown before it is broken and told to password managers.
pub const PASSWORD_MIN: &str = "8";

/// What every page has around it.
#[derive(Clone)]
pub struct Frame {
    pub words: Words,
    pub brand: Arc<Brand>,
    /// The request id, shown where somebody may want to quote it.
    pub reference: String,
}

/// Whose pages these are.
pub struct Brand {
    pub name: String,
    /// A path of ours or an https URL; without one our own mark stands beside the name.
    pub logo: Option<String>,
    pub style_href: String,
    pub script_href: String,
    pub icon_href: String,
}

/// One refused field: key of the message and its arguments; `field` is the input's name, or "" for the whole form.
#[derive(Clone, Debug, PartialEq)]
pub struct Fault {
    pub field: Cow<'static, str>,
    pub message: &'static str,
    pub args: Vec<(&'static str, String)>,
    /// What the field is called, where its label's key is not its name.
    pub label: Option<String>,
}

impl Fault {
    pub fn new(field: impl Into<Cow<'static, str>>, message: &'static str) -> Self {
        Self { field: field.into(), message, args: Vec::new(), label: None }
    }

    #[must_use]
    pub fn with(mut self, name: &'static str, value: impl Into<String>) -> Self {
        self.args.push((name, value.into()));
        self
    }
}

impl Frame {
    /// A sentence whose arguments a handler chose.
    fn told(&self, message: &str, args: &[(&'static str, String)]) -> String {
        let args: Vec<(&str, &str)> = args.iter().map(|(name, value)| (*name, value.as_str())).collect();
        self.words.say_with(message, &args)
    }

    /// The first thing wrong with a field: one sentence a field.
    fn fault(&self, faults: &[Fault], field: &str) -> Option<String> {
        faults.iter().find(|fault| fault.field == field).map(|fault| self.told(fault.message, &fault.args))
    }

    /// A sentence with a number in it.
    fn count(&self, message: &str, count: usize) -> String {
        self.words.say_with(message, &[("count", &count.to_string())])
    }

    /// What the label of a field says, for the summary's link to it. Fields are named like their labels' keys, but for the
    /// one that takes an email too.
    fn label(&self, fault: &Fault, username: &str) -> String {
        let key = if fault.field == "username" { username } else { &fault.field };
        fault.label.clone().unwrap_or_else(|| self.words.say(key))
    }

    /// The brand, or the app that asks.
    fn asker<'a>(&'a self, app: Option<&'a str>) -> &'a str {
        app.unwrap_or(&self.brand.name)
    }

    /// A page's title, which says first that something is to be put right.
    fn title(&self, faults: &[Fault], title: String) -> String {
        if faults.is_empty() { title } else { self.words.say_with("error-title", &[("title", &title)]) }
    }
}

/// Where the answer goes, as people know it: a host, or a native application's scheme.
pub(super) fn host_of(redirect_uri: &str) -> String {
    match url::Url::parse(redirect_uri) {
        Ok(url) => url.host_str().map_or_else(|| url.scheme().to_owned(), str::to_owned),
        Err(_) => String::new(),
    }
}

/// The faults a handler may name, and the arguments each one takes.
#[cfg(test)]
pub(crate) const FAULTS: &[(&str, &[&str])] = &[
    ("sign-in-refused", &[]),
    ("sign-in-throttled", &["minutes"]),
    ("sign-in-busy", &[]),
    ("account-disabled", &[]),
    ("sign-up-refused", &[]),
    ("sign-up-throttled", &["minutes"]),
    ("field-required", &[]),
    ("email-malformed", &[]),
    ("email-taken", &[]),
    ("username-malformed", &[]),
    ("username-taken", &[]),
    ("name-too-long", &["max"]),
    ("field-too-long", &["max"]),
    ("password-too-short", &["min"]),
    ("password-too-long", &["max"]),
    ("password-common", &[]),
    ("password-personal", &[]),
    ("form-expired", &[]),
    ("mail-throttled", &["minutes"]),
    ("code-wrong", &[]),
    ("password-wrong", &[]),
    ("password-unverified", &[]),
    ("organisation-unknown", &[]),
    ("unavailable", &[]),
    ("picture-heavy", &[]),
    ("picture-large", &[]),
    ("picture-foreign", &[]),
    ("picture-damaged", &[]),
    ("api-last-administrator", &[]),
    ("account-gone", &[]),
    ("account-overtaken", &[]),
    ("account-too-much", &[]),
    ("account-picture-missing", &[]),
    ("account-email-same", &[]),
    ("account-email-off", &[]),
    ("account-providers-last", &[]),
    ("account-phone-malformed", &[]),
    ("account-url-malformed", &[]),
    ("account-birthdate-malformed", &[]),
    ("account-date-malformed", &[]),
    ("account-zone-malformed", &[]),
    ("account-language-malformed", &[]),
    ("account-whole-number", &[]),
    ("account-number", &[]),
    ("account-yes-or-no", &[]),
    ("account-lines-many", &["max"]),
    ("leave-unsure", &[]),
    ("leave-link", &[]),
    ("export-running", &[]),
    ("export-enough", &["hours"]),
];

/// The error pages a handler may answer with: title, message, and the message's arguments.
#[cfg(test)]
pub(crate) const ERRORS: &[(&str, &str, &[&str])] = &[
    ("unknown-client-title", "unknown-client", &[]),
    ("redirect-unregistered-title", "redirect-unregistered", &["uri"]),
    ("redirect-missing-title", "redirect-missing", &[]),
    ("request-malformed-title", "request-malformed", &["parameter"]),
    ("flow-foreign-title", "flow-foreign", &[]),
    ("flow-expired-title", "flow-expired", &[]),
    ("form-refused-title", "form-refused", &[]),
    ("logout-unregistered-title", "logout-unregistered", &["uri"]),
    ("link-dead-title", "link-dead", &[]),
    ("address-taken-title", "address-taken", &[]),
    ("throttled-title", "throttled", &["minutes"]),
    ("provider-unknown-title", "provider-unknown", &["provider"]),
    ("provider-state-title", "provider-state", &["provider"]),
    ("provider-denied-title", "provider-denied", &["provider"]),
    ("provider-failed-title", "provider-failed", &["provider"]),
    ("provider-down-title", "provider-down", &["provider"]),
    ("provider-stale-title", "provider-stale", &["provider"]),
    ("provider-stranger-title", "provider-stranger", &["provider"]),
    ("provider-refused-title", "provider-refused", &["provider"]),
    ("provider-taken-title", "provider-taken", &["provider"]),
    ("provider-link-stale-title", "provider-link-stale", &[]),
    ("provider-link-unverified-title", "provider-link-unverified", &[]),
    ("account-confirm-other-title", "account-confirm-other", &["provider"]),
    ("account-confirm-stale-title", "account-confirm-stale", &["provider"]),
    ("leave-late-title", "leave-late", &[]),
    ("unavailable-title", "unavailable", &[]),
    ("server-fault-title", "server-fault", &[]),
    ("not-found-title", "not-found", &[]),
    ("method-refused-title", "method-refused", &[]),
];

#[cfg(test)]
pub(crate) fn said_by_handlers() -> impl Iterator<Item = &'static str> {
    let faults = FAULTS.iter().map(|(key, _)| *key);
    faults.chain(ERRORS.iter().flat_map(|(title, message, _)| [*title, *message]))
}

#[cfg(test)]
mod tests {
    use askama::Template as _;

    use super::*;
    use crate::platform::words::Catalogues;

    pub(super) fn frame() -> Frame {
        let brand = Brand {
            name: "Brand".to_owned(),
            logo: None,
            style_href: "/s".to_owned(),
            script_href: "/j".to_owned(),
            icon_href: "/i".to_owned(),
        };
        let words = Catalogues::load().unwrap().choose(None, None);
        Frame { words, brand: Arc::new(brand), reference: "reference-1".to_owned() }
    }

    #[test]
    fn every_sentence_of_a_handler_is_filled_in_by_its_arguments() {
        let errors = ERRORS.iter().flat_map(|(title, message, args)| [(*title, *args), (*message, *args)]);
        for (key, names) in FAULTS.iter().copied().chain(errors) {
            let args: Vec<(&'static str, String)> = names.iter().map(|name| (*name, "2".to_owned())).collect();
            let text = frame().told(key, &args);
            assert!(!text.contains(['{', '}']) && text != key, "{key}: {text}");
        }
    }

    #[test]
    fn a_refused_form_keeps_what_was_typed_but_never_the_password() {
        let page = SignUpPage {
            frame: frame(),
            app: Some("<Demo>".to_owned()),
            interaction: Some("one".to_owned()),
            csrf: "two".to_owned(),
            email: "ada@\"example".to_owned(),
            username: "ada".to_owned(),
            name: "Ada".to_owned(),
            faults: vec![Fault::new("password", "password-too-short").with("min", PASSWORD_MIN)],
            providers: Vec::new(),
            sign_in_href: "/sign-in".to_owned(),
        };
        let html = page.render().unwrap();
        assert!(html.contains("<title>Error: "), "{html}");
        assert!(html.contains("ada@&#34;example") && !html.contains("<Demo>"), "{html}");
        assert!(html.contains(r#"aria-describedby="password-fault password-hint""#), "{html}");
        assert!(html.contains(r#"tabindex="-1" autofocus"#) && html.matches("autofocus").count() == 1, "{html}");
        let password = html.split(r#"<input id="password""#).nth(1).and_then(|rest| rest.split('>').next()).unwrap();
        assert!(!password.contains("value="), "{password}");
    }

    #[test]
    fn pages_carry_no_style_or_script_of_their_own() {
        let page = ConsentPage {
            frame: frame(),
            app: "Demo".to_owned(),
            app_host: "demo.example.org".to_owned(),
            logo: None,
            person: "Ada".to_owned(),
            scopes: vec![ScopeLine {
                name: "orders:read".to_owned(),
                audience: Some("https://api".to_owned()),
                attributes: None,
            }],
            interaction: "one".to_owned(),
            csrf: "two".to_owned(),
        };
        let html = page.render().unwrap();
        assert!(html.contains("Use “orders:read” for you at https://api"), "{html}");
        assert!(!html.contains("style=") && !html.contains("<style") && html.matches("<script").count() == 1, "{html}");
    }
}
