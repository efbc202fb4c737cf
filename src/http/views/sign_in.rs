//! Signing in.

use askama::Template;

use super::{Fault, Frame};

#[derive(Template)]
#[template(path = "sign_in.html")]
pub struct SignInPage {
    pub frame: Frame,
    /// The app that asks; nobody, when somebody came here by themselves.
    pub app: Option<String>,
    pub interaction: Option<String>,
    /// The section of their account that they came for.
    pub then: Option<&'static str>,
    pub csrf: String,
    pub username: String,
    pub remember: bool,
    pub faults: Vec<Fault>,
    pub sign_up_href: Option<String>,
    pub providers: Vec<ProviderLink>,
    /// Whether some addresses are signed in elsewhere.
    pub routed: bool,
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
