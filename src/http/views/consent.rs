//! What an application may do, and as whom.

use askama::Template;

use super::Frame;
use crate::platform::words::Words;

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
    pub fn sentence(&self, words: &Words) -> String {
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
            ("roles", _) => words.say("scope-roles"),
            ("permissions", _) => words.say("scope-permissions"),
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
