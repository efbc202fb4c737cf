//! Signing out, and the applications that are told.

use askama::Template;

use super::Frame;

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
