//! What each page needs to know, and nothing else: handlers fill these in, templates lay them out, and neither has to
//! read the other. Keys are message keys of `templates/messages`.

use std::sync::Arc;

use askama::Template;

use super::docs::Described;
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
    pub field: &'static str,
    pub message: &'static str,
    pub args: Vec<(&'static str, String)>,
}

impl Fault {
    pub fn new(field: &'static str, message: &'static str) -> Self {
        Self { field, message, args: Vec::new() }
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
    fn label(&self, field: &str, username: &str) -> String {
        self.words.say(if field == "username" { username } else { field })
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

#[derive(Template)]
#[template(path = "sign_in.html")]
pub struct SignInPage {
    pub frame: Frame,
    /// The app that asks; nobody, when somebody came here by themselves.
    pub app: Option<String>,
    pub interaction: Option<String>,
    pub csrf: String,
    pub username: String,
    pub remember: bool,
    pub faults: Vec<Fault>,
    pub sign_up_href: Option<String>,
    pub providers: Vec<ProviderLink>,
    pub forgot_href: Option<String>,
    pub back: Option<BackToApp>,
}

impl SignInPage {
    fn heading(&self) -> String {
        self.frame.words.say_with("sign-in-title", &[("app", self.frame.asker(self.app.as_deref()))])
    }

    fn page_title(&self) -> String {
        self.frame.title(&self.faults, self.heading())
    }
}

/// Another place to sign in with.
pub struct ProviderLink {
    pub name: String,
    pub label: String,
    pub href: String,
}

/// Where the person goes next.
pub struct BackToApp {
    pub host: String,
}

#[derive(Template)]
#[template(path = "sign_up.html")]
pub struct SignUpPage {
    pub frame: Frame,
    pub app: Option<String>,
    pub interaction: Option<String>,
    pub csrf: String,
    pub email: String,
    pub username: String,
    pub name: String,
    pub faults: Vec<Fault>,
    pub sign_in_href: String,
}

impl SignUpPage {
    fn heading(&self) -> String {
        self.frame.words.say_with("sign-up-title", &[("brand", &self.frame.brand.name)])
    }

    fn page_title(&self) -> String {
        self.frame.title(&self.faults, self.heading())
    }

    /// Where typing begins; with faults the summary takes the focus instead.
    fn first_empty(&self) -> &'static str {
        match (self.faults.is_empty(), self.email.is_empty(), self.name.is_empty()) {
            (false, ..) => "summary",
            (_, true, _) => "email",
            (_, _, true) => "name",
            _ => "password",
        }
    }
}

#[derive(Template)]
#[template(path = "forgot_password.html")]
pub struct ForgotPasswordPage {
    pub frame: Frame,
    pub interaction: Option<String>,
    pub csrf: String,
    pub email: String,
    pub faults: Vec<Fault>,
    pub sign_in_href: String,
}

impl ForgotPasswordPage {
    fn page_title(&self) -> String {
        self.frame.title(&self.faults, self.frame.words.say("forgot-title"))
    }
}

#[derive(Template)]
#[template(path = "reset_password.html")]
pub struct ResetPasswordPage {
    pub frame: Frame,
    pub csrf: String,
    pub token: String,
    /// The name that managers keep the password by.
    pub email: String,
    pub faults: Vec<Fault>,
}

impl ResetPasswordPage {
    fn page_title(&self) -> String {
        self.frame.title(&self.faults, self.frame.words.say("reset-title"))
    }
}

#[derive(Template)]
#[template(path = "verify_email.html")]
pub struct VerifyEmailPage {
    pub frame: Frame,
    pub csrf: String,
    pub token: String,
    pub address: String,
    /// The account has another address now.
    pub changes: bool,
}

impl VerifyEmailPage {
    fn heading(&self) -> String {
        self.frame.words.say(if self.changes { "verify-change-title" } else { "verify-title" })
    }
}

#[derive(Template)]
#[template(path = "unverified.html")]
pub struct UnverifiedPage {
    pub frame: Frame,
    pub interaction: Option<String>,
    pub csrf: String,
    pub email: String,
    pub faults: Vec<Fault>,
}

impl UnverifiedPage {
    fn page_title(&self) -> String {
        self.frame.title(&self.faults, self.frame.words.say("unverified-title"))
    }
}

/// The JSON API.
#[derive(Template)]
#[template(path = "docs.html")]
pub struct DocsPage {
    pub frame: Frame,
    pub described: &'static Described,
}

/// Something was done, or is in the mailbox; what to do next.
#[derive(Template)]
#[template(path = "notice.html")]
pub struct NoticePage {
    pub frame: Frame,
    pub title: &'static str,
    pub message: &'static str,
    pub sign_in_href: Option<String>,
}

#[derive(Template)]
#[template(path = "consent.html")]
pub struct ConsentPage {
    pub frame: Frame,
    pub app: String,
    pub app_host: String,
    pub logo: Option<String>,
    /// The person's name or email.
    pub person: String,
    pub scopes: Vec<ScopeLine>,
    pub interaction: String,
    pub csrf: String,
}

impl ConsentPage {
    fn heading(&self) -> String {
        self.frame.words.say_with("consent-title", &[("app", &self.app)])
    }

    /// Stands in for a logo.
    fn initial(&self) -> String {
        self.app
            .chars()
            .find(|first| first.is_alphanumeric())
            .map(|first| first.to_uppercase().collect())
            .unwrap_or_default()
    }
}

/// One scope asked for; those of `OpenID` Connect have sentences of their own, an API's is shown by its name.
pub struct ScopeLine {
    pub name: String,
    pub audience: Option<String>,
    /// What it gives of the declared attributes, instead of what it gives else.
    pub attributes: Option<String>,
}

impl ScopeLine {
    fn sentence(&self, words: &Words) -> String {
        let scope = self.name.as_str();
        if let Some(attributes) = &self.attributes {
            return words.say_with("scope-attributes", &[("attributes", attributes)]);
        }
        match (scope, self.audience.as_deref()) {
            ("openid", _) => words.say("scope-openid"),
            ("profile", _) => words.say("scope-profile"),
            ("email", _) => words.say("scope-email"),
            ("address", _) => words.say("scope-address"),
            ("phone", _) => words.say("scope-phone"),
            ("offline_access", _) => words.say("scope-offline_access"),
            (_, Some(audience)) => words.say_with("scope-other-at", &[("scope", scope), ("audience", audience)]),
            (_, None) => words.say_with("scope-other", &[("scope", scope)]),
        }
    }
}

#[derive(Template)]
#[template(path = "choose_account.html")]
pub struct AccountChoicePage {
    pub frame: Frame,
    pub app: String,
    pub interaction: String,
    pub csrf: String,
    /// The person's name or email.
    pub person: String,
    /// What they sign in with, where that is something else than `person`.
    pub login: Option<String>,
}

impl AccountChoicePage {
    fn heading(&self) -> String {
        self.frame.words.say_with("choose-account-title", &[("app", &self.app)])
    }
}

#[derive(Template)]
#[template(path = "form_post.html")]
pub struct FormPostPage {
    pub frame: Frame,
    /// The script that sends the form.
    pub submit_href: String,
    pub action: String,
    pub parameters: Vec<(&'static str, String)>,
}

impl FormPostPage {
    fn heading(&self) -> String {
        self.frame.words.say_with("form-post-title", &[("host", &super::host_of(&self.action))])
    }
}

#[derive(Template)]
#[template(path = "sign_out.html")]
pub struct SignOutPage {
    pub frame: Frame,
    pub csrf: String,
    pub person: String,
    pub app: Option<String>,
    /// The request came with a proof that is none, so that nothing of it is believed.
    pub unread_hint: bool,
    /// `post_logout_redirect_uri`, `state`, `client_id`, `id_token_hint`, carried along.
    pub hidden: Vec<(String, String)>,
}

impl SignOutPage {
    fn heading(&self) -> String {
        self.frame.words.say_with("sign-out-title", &[("brand", &self.frame.brand.name)])
    }
}

#[derive(Template)]
#[template(path = "signed_out.html")]
pub struct SignedOutPage {
    pub frame: Frame,
    /// The way back, registered by the app, and the app's name.
    pub return_href: Option<(String, String)>,
    /// The browser takes that way by itself, once the apps' pages have had their time.
    pub returns: bool,
    /// Pages of apps that end their sessions in this browser.
    pub calls: Vec<SignOutCall>,
}

/// A page of an app, opened out of sight.
pub struct SignOutCall {
    pub app: String,
    pub href: String,
}

impl SignedOutPage {
    /// The frames with their names, which differ also where apps are called alike.
    fn frames(&self) -> impl Iterator<Item = (&SignOutCall, String)> {
        let count = self.calls.len().to_string();
        self.calls.iter().zip(1..).map(move |(call, number): (_, usize)| {
            let args = [("app", call.app.as_str()), ("number", &number.to_string()), ("count", &count)];
            (call, self.frame.words.say_with("signed-out-frame", &args))
        })
    }
}

#[derive(Template)]
#[template(path = "error.html")]
pub struct ErrorPage {
    pub frame: Frame,
    pub title: &'static str,
    pub message: &'static str,
    pub args: Vec<(&'static str, String)>,
    pub restart_href: Option<String>,
}

impl ErrorPage {
    fn page_title(&self) -> String {
        self.frame.words.say_with("error-title", &[("title", &self.frame.told(self.title, &self.args))])
    }
}

#[derive(Template)]
#[template(path = "home.html")]
pub struct HomePage {
    pub frame: Frame,
    pub person: Option<String>,
    pub csrf: String,
    /// Whether people may make accounts themselves.
    pub sign_up: bool,
    /// Whether the demo application and the mailbox are there.
    pub dev: bool,
}

#[derive(Template)]
#[template(path = "dev/app.html")]
pub struct DevAppPage {
    pub frame: Frame,
    pub sign_in_href: String,
    pub error: Option<String>,
}

#[derive(Template)]
#[template(path = "dev/app_tokens.html")]
pub struct DevTokensPage {
    pub frame: Frame,
    /// What was verified, and how.
    pub checks: Vec<(String, String)>,
    pub id_token: DecodedToken,
    pub access_token: DecodedToken,
    /// Pretty JSON.
    pub userinfo: String,
    pub refresh_token: Option<String>,
    pub refresh_href: String,
    pub sign_out_href: String,
}

impl DevTokensPage {
    /// Both tokens with their element id, title and hint; they are laid out alike.
    fn decoded(&self) -> [(&'static str, String, String, &DecodedToken); 2] {
        let say = |key: &str| self.frame.words.say(key);
        [
            ("id-token", say("dev-tokens-id"), say("dev-tokens-id-hint"), &self.id_token),
            ("access-token", say("dev-tokens-access"), say("dev-tokens-access-hint"), &self.access_token),
        ]
    }
}

/// A token as it came and as it reads, in pretty JSON.
pub struct DecodedToken {
    pub raw: String,
    pub header: String,
    pub claims: String,
}

impl DecodedToken {
    /// Header, claims and signature, told apart by colour.
    fn parts(&self) -> impl Iterator<Item = (usize, &str)> {
        self.raw.split('.').enumerate()
    }
}

#[derive(Template)]
#[template(path = "dev/mail.html")]
pub struct DevMailPage {
    pub frame: Frame,
    pub messages: Vec<MailLine>,
}

/// One caught mail in the list.
pub struct MailLine {
    pub href: String,
    pub to: String,
    pub subject: String,
    pub at: String,
}

#[derive(Template)]
#[template(path = "dev/mail_message.html")]
pub struct DevMessagePage {
    pub frame: Frame,
    pub to: String,
    pub from: String,
    pub subject: String,
    pub at: String,
    pub text: String,
}

impl DevMessagePage {
    /// The text in order, links told apart: (is a link, text).
    fn pieces(&self) -> impl Iterator<Item = (bool, &str)> {
        self.text.split_inclusive(char::is_whitespace).flat_map(|word| {
            let link = word.trim_end();
            let is_link = link.starts_with("https://") || link.starts_with("http://");
            let (link, rest) = word.split_at(if is_link { link.len() } else { 0 });
            [(true, link), (false, rest)].into_iter().filter(|(_, text)| !text.is_empty())
        })
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
    use super::*;
    use crate::platform::words::Catalogues;

    fn frame() -> Frame {
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

    #[test]
    fn links_of_a_mail_are_told_apart_and_nothing_is_lost() {
        let text = "Hello,\n\nhttps://a/b?c=d\nbye http://x ";
        let page = DevMessagePage {
            frame: frame(),
            to: String::new(),
            from: String::new(),
            subject: String::new(),
            at: String::new(),
            text: text.to_owned(),
        };
        assert_eq!(page.pieces().map(|(_, piece)| piece).collect::<String>(), text);
        assert_eq!(
            page.pieces().filter_map(|(link, piece)| link.then_some(piece)).collect::<Vec<_>>(),
            ["https://a/b?c=d", "http://x"]
        );
    }
}
