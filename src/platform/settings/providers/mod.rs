//! Other providers that people can sign in with: declared by name, by a preset, an issuer or endpoints.

mod check;
mod rules;

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use url::Url;

pub use rules::{AssuranceBy, AssuranceRule, Mapping, RoleRule};

use super::Secret;

/// What is known of a provider without being told.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Preset {
    #[default]
    #[serde(rename = "")]
    None,
    Google,
    GitHub,
}

/// How we prove to a provider who we are.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ClientAuth {
    #[default]
    ClientSecretBasic,
    ClientSecretPost,
    /// Signed by our own published keys.
    PrivateKeyJwt,
    None,
}

impl ClientAuth {
    pub fn needs_secret(self) -> bool {
        matches!(self, Self::ClientSecretBasic | Self::ClientSecretPost)
    }
}

/// When an address that a provider tells counts as proven.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum TrustEmail {
    /// Where the provider says so of this address.
    #[default]
    Verified,
    Always,
    Never,
}

/// A declaration. What is written out is everything but the secret.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Provider {
    pub enabled: bool,
    pub preset: Preset,
    /// What people are shown; empty: the preset's, or the name.
    pub label: String,
    /// Of an `OpenID` provider, whose metadata is discovered; empty: a provider of plain OAuth 2, by its endpoints.
    pub issuer: String,
    pub client_id: String,
    #[serde(skip_serializing)]
    pub client_secret: Secret,
    pub client_auth: ClientAuth,
    /// Further client ids whose ID tokens are taken from front ends.
    pub audiences: Vec<String>,
    /// Empty: the preset's, or `openid profile email`; of plain OAuth 2 none.
    pub scopes: Vec<String>,
    pub authorization_endpoint: String,
    pub token_endpoint: String,
    pub userinfo_endpoint: String,
    /// Answers a list of addresses as GitHub does.
    pub emails_endpoint: String,
    /// Paths of claims are dotted: `user.id`.
    pub subject_claim: String,
    pub email_claim: String,
    pub email_verified_claim: String,
    pub groups_claim: String,
    pub trust_email: TrustEmail,
    /// Of addresses whose owners are sent here from the sign-in page.
    pub domains: Vec<String>,
    /// Whether people who have no account get one.
    pub sign_up: bool,
    pub profile_at_creation: Vec<Mapping>,
    pub profile_always: Vec<Mapping>,
    pub roles: Vec<RoleRule>,
    pub assurance: Vec<AssuranceRule>,
    /// Whether signing out here goes on there.
    pub sign_out: bool,
}

impl Default for Provider {
    fn default() -> Self {
        let empty = String::new;
        Self {
            enabled: true,
            preset: Preset::None,
            label: empty(),
            issuer: empty(),
            client_id: empty(),
            client_secret: Secret::default(),
            client_auth: ClientAuth::ClientSecretBasic,
            audiences: Vec::new(),
            scopes: Vec::new(),
            authorization_endpoint: empty(),
            token_endpoint: empty(),
            userinfo_endpoint: empty(),
            emails_endpoint: empty(),
            subject_claim: empty(),
            email_claim: empty(),
            email_verified_claim: empty(),
            groups_claim: empty(),
            trust_email: TrustEmail::Verified,
            domains: Vec::new(),
            sign_up: true,
            profile_at_creation: usual_profile(),
            profile_always: Vec::new(),
            roles: Vec::new(),
            assurance: Vec::new(),
            sign_out: true,
        }
    }
}

fn usual_profile() -> Vec<Mapping> {
    ["name", "given_name", "family_name", "picture", "locale"].map(|claim| Mapping::new(claim, claim)).into()
}

fn fill(member: &mut String, with: &str) {
    if member.is_empty() {
        with.clone_into(member);
    }
}

impl Provider {
    /// With everything in it that may be left out: what the preset knows, and else what is usual. Only the label may stay empty.
    #[must_use]
    pub fn with_preset(&self) -> Self {
        let mut full = self.clone();
        match self.preset {
            Preset::None => {}
            Preset::Google => {
                fill(&mut full.label, "Google");
                fill(&mut full.issuer, "https://accounts.google.com");
            }
            Preset::GitHub => full.fill_for_github(),
        }
        if full.scopes.is_empty() && !full.issuer.is_empty() {
            full.scopes = ["openid", "profile", "email"].map(str::to_owned).into();
        }
        fill(&mut full.subject_claim, "sub");
        fill(&mut full.email_claim, "email");
        fill(&mut full.email_verified_claim, "email_verified");
        fill(&mut full.groups_claim, "groups");
        full
    }

    fn fill_for_github(&mut self) {
        fill(&mut self.label, "GitHub");
        fill(&mut self.authorization_endpoint, "https://github.com/login/oauth/authorize");
        fill(&mut self.token_endpoint, "https://github.com/login/oauth/access_token");
        fill(&mut self.userinfo_endpoint, "https://api.github.com/user");
        fill(&mut self.emails_endpoint, "https://api.github.com/user/emails");
        fill(&mut self.subject_claim, "id");
        if self.scopes.is_empty() {
            self.scopes = ["read:user", "user:email"].map(str::to_owned).into();
        }
        // Its claims have other names, so the usual list is nobody's choice here.
        if self.profile_at_creation == usual_profile() {
            self.profile_at_creation =
                [("name", "name"), ("preferred_username", "login"), ("picture", "avatar_url"), ("website", "blog")]
                    .map(|(target, path)| Mapping::new(target, path))
                    .into();
        }
    }

    /// Whether it speaks `OpenID` Connect, and not OAuth 2 alone.
    pub fn is_openid(&self) -> bool {
        !self.with_preset().issuer.is_empty()
    }

    /// What people are shown.
    pub fn label_of(&self, name: &str) -> String {
        let label = self.with_preset().label;
        if !label.is_empty() {
            return label;
        }
        let mut letters = name.chars();
        letters.next().map(|first| first.to_ascii_uppercase()).into_iter().chain(letters).collect()
    }

    /// What tells one provider's tokens from another's.
    pub(super) fn whence(&self) -> String {
        if self.issuer.is_empty() { self.origin() } else { self.issuer.clone() }
    }

    /// Where its tokens come from.
    pub(super) fn origin(&self) -> String {
        let url = if self.issuer.is_empty() { &self.token_endpoint } else { &self.issuer };
        Url::parse(url).map(|url| url.origin().ascii_serialization()).unwrap_or_default()
    }

    /// What links to people's accounts there are kept by: the issuer; of plain OAuth 2, which has none, the origin of the token
    /// endpoint with our name for it and the claim that tells people apart.
    pub fn identity(&self, name: &str) -> String {
        let full = self.with_preset();
        if !full.issuer.is_empty() {
            return full.issuer;
        }
        // One host may have many clubs with members of the same numbers.
        format!("{}#{name}:{}", full.origin(), full.subject_claim)
    }
}

/// The declarations, by name.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(transparent)]
pub struct Providers(BTreeMap<String, Provider>);

/// The one whose table the defaults hold, so that it may stand there half filled in.
const DOCUMENTED: &str = "google";

impl Providers {
    /// A declared one.
    pub fn get(&self, name: &str) -> Option<&Provider> {
        self.0.get(name).filter(|provider| !provider.client_id.is_empty())
    }

    /// The declared ones: those with a client id.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &Provider)> {
        let declared = self.0.iter().filter(|(_, provider)| !provider.client_id.is_empty());
        declared.map(|(name, provider)| (name.as_str(), provider))
    }

    /// What cannot be meant. Errors: the setting, and why it does not do.
    pub(super) fn check(
        &self,
        own_issuer: &str,
        allow: &[String],
        attributes: &super::Attributes,
    ) -> Result<(), (String, String)> {
        for (name, provider) in &self.0 {
            let refuse = |(member, why): (String, String)| match member.as_str() {
                "name" => (format!("providers.{name}"), why),
                member => (format!("providers.{name}.{member}"), why),
            };
            if provider.client_id.is_empty() && (name == DOCUMENTED || *provider == Provider::default()) {
                continue;
            }
            provider.check(name, allow, attributes).map_err(refuse)?;
            provider.check_beside(name, own_issuer, self.iter()).map_err(refuse)?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::platform::settings::Attributes;

    fn declared(text: &str) -> Providers {
        toml::from_str(text).unwrap()
    }

    fn check(text: &str) -> Result<(), (String, String)> {
        let attributes: Attributes = toml::from_str("[companyName]").unwrap();
        declared(text).check(
            "https://id.example.com",
            &["localhost:9000".to_owned(), "[::1]:9000".to_owned()],
            &attributes,
        )
    }

    #[test]
    fn google_needs_an_id_and_a_secret() {
        let providers = declared("[google]\npreset = 'google'\nclient_id = 'a'\nclient_secret = 'b'");
        let google = providers.get("google").unwrap();
        assert_eq!(google.label_of("google"), "Google");
        assert_eq!(google.identity("google"), "https://accounts.google.com");
        let full = google.with_preset();
        assert_eq!(full.scopes, ["openid", "profile", "email"]);
        assert_eq!((full.subject_claim.as_str(), full.email_claim.as_str()), ("sub", "email"));
        assert_eq!(full.with_preset(), full);
        assert_eq!(check("[google]\npreset = 'google'\nclient_id = 'a'\nclient_secret = 'b'"), Ok(()));
    }

    #[test]
    fn github_is_plain_oauth_2() {
        let providers = declared("[gh]\npreset = 'github'\nclient_id = 'a'\nclient_secret = 'b'");
        let github = providers.get("gh").unwrap();
        assert!(!github.is_openid());
        assert_eq!(
            (github.label_of("gh"), github.identity("gh")),
            ("GitHub".to_owned(), "https://github.com#gh:id".to_owned())
        );
        let full = github.with_preset();
        assert_eq!(full.subject_claim, "id");
        assert_eq!(full.profile_at_creation[2], Mapping::new("picture", "avatar_url"));
        assert_eq!(full.with_preset(), full);
        // An empty list is a word of the operator's: nothing is taken over.
        let none = declared("[gh]\npreset = 'github'\nclient_id = 'a'\nprofile_at_creation = []");
        assert!(none.get("gh").unwrap().with_preset().profile_at_creation.is_empty());
    }

    #[test]
    fn names_and_labels() {
        let providers = declared("[a]\nclient_id = 'x'\n[b]\nclient_id = 'y'\nlabel = 'The B'\n[c]\nlabel = 'off'");
        let labels: Vec<_> = providers.iter().map(|(name, provider)| provider.label_of(name)).collect();
        assert_eq!(labels, ["A", "The B"]);
        assert!(providers.get("c").is_none());
    }

    #[test]
    fn the_secret_is_not_written_out() {
        let text =
            "client_id = 'a'\nclient_secret = 'hunter2'\nroles = ['cn=a,ou=b=admin']\nassurance = ['amr:mfa=urn:x']";
        let provider: Provider = toml::from_str(text).unwrap();
        assert_eq!(provider.client_secret.expose(), "hunter2");
        assert!(!format!("{provider:?}").contains("hunter2"));
        let written = serde_json::to_string(&provider).unwrap();
        assert!(!written.contains("secret\":\"hunter2") && !written.contains("client_secret\":"), "{written}");
        let read: Provider = serde_json::from_str(&written).unwrap();
        assert_eq!(read, Provider { client_secret: Secret::default(), ..provider });
    }

    /// A provider that does, and what goes wrong with one member more or another instead.
    #[test]
    fn what_cannot_be_meant_is_refused_by_the_setting() {
        let openid = "client_id='a'\nclient_secret='b'\nissuer='https://op.example.com'\n";
        let plain = "client_id='a'\nclient_secret='b'\nauthorization_endpoint='https://p.example.com/a'\n\
                     token_endpoint='https://p.example.com/t'\nuserinfo_endpoint='https://p.example.com/u'\n";
        for good in [
            openid.to_owned(),
            plain.to_owned(),
            format!("{openid}scopes=['openid','groups']\naudiences=['b']\ndomains=['example.com','a-b.example.co.uk']"),
            format!("{openid}profile_always=['companyName=org.name','website']\nlabel='{}'", "ü".repeat(60)),
            format!("{plain}emails_endpoint='https://p.example.com/e'\nscopes=['read:user']\nsubject_claim='user.id'"),
            "client_id='a'\nclient_secret='b'\nissuer='http://LOCALHOST:9000/realms/a'".to_owned(),
            "client_id='a'\nclient_secret='b'\nissuer='http://[::1]:9000'".to_owned(),
            "client_id='a'\nclient_auth='private_key_jwt'\nissuer='https://op.example.com/'".to_owned(),
            "client_id='a'\nclient_auth='none'\nissuer='https://op.example.com'\nenabled=false".to_owned(),
            "client_id=''".to_owned(),
        ] {
            assert_eq!(check(&format!("[corp]\n{good}")), Ok(()), "{good}");
        }
        let url = "https://op.example.com";
        for (bad, member) in [
            ("label='x'".to_owned(), ".client_id"),
            (openid.replace("'a'", "\"a\\tb\""), ".client_id"),
            (openid.replace("'b'", "''"), ".client_secret"),
            (format!("{openid}client_auth='client_secret_post'").replace("'b'", "''"), ".client_secret"),
            (format!("{openid}client_auth='none'"), ".client_secret"),
            (format!("{openid}client_auth='private_key_jwt'"), ".client_secret"),
            ("client_id='a'\nclient_secret='b'".to_owned(), ".issuer"),
            (openid.replace(url, "op.example.com"), ".issuer"),
            (openid.replace(url, "http://op.example.com"), ".issuer"),
            (openid.replace(url, "http://localhost:9001"), ".issuer"),
            (openid.replace(url, "ftp://localhost:9000"), ".issuer"),
            (openid.replace(url, "https://op.example.com?a=b"), ".issuer"),
            (openid.replace(url, "https://op.example.com/#a"), ".issuer"),
            (openid.replace(url, "https://u:p@op.example.com"), ".issuer"),
            (openid.replace(url, "https://op.example.com/a b"), ".issuer"),
            (openid.replace(url, "https://id.example.com"), ".issuer"),
            (openid.replace(url, "https://id.example.com/"), ".issuer"),
            (format!("{openid}token_endpoint='https://op.example.com/t'"), ".issuer"),
            (format!("{openid}emails_endpoint='https://op.example.com/e'"), ".issuer"),
            (format!("{openid}preset='github'"), ".issuer"),
            (plain.replace("https://p.example.com/u", ""), ".userinfo_endpoint"),
            (plain.replace("https://p.example.com/t", "http://p.example.com/t"), ".token_endpoint"),
            (plain.replace("https://p.example.com/t", "https://id.example.com/token"), ".token_endpoint"),
            (format!("{plain}emails_endpoint='https://p.example.com/e?x'"), ".emails_endpoint"),
            (format!("{plain}subject_claim='user..id'"), ".subject_claim"),
            (format!("{openid}subject_claim='email'"), ".subject_claim"),
            (format!("{openid}scopes=['openid profile']"), ".scopes"),
            (format!("{openid}scopes=['profile']"), ".scopes"),
            (format!("{openid}audiences=['']"), ".audiences"),
            (format!("{openid}domains=['Example.com']"), ".domains"),
            (format!("{openid}domains=['@example.com']"), ".domains"),
            (format!("{openid}domains=['localhost']"), ".domains"),
            (format!("{openid}profile_at_creation=['email']"), ".profile_at_creation"),
            (format!("{openid}profile_always=['companyname']"), ".profile_always"),
            (format!("{openid}label=\"a\\nb\""), ".label"),
            (format!("{openid}label='{}'", "a".repeat(61)), ".label"),
            (format!("{openid}[corp2]\n{openid}"), ".client_id"),
            (
                format!("{openid}domains=['a.org']\n[corp2]\n{}domains=['a.org']", openid.replace("'a'", "'c'")),
                ".domains",
            ),
        ] {
            let (setting, why) = check(&format!("[corp]\n{bad}")).expect_err(&bad);
            assert_eq!(setting, format!("providers.corp{member}"), "{bad}: {why}");
        }
        for name in ["Corp", "my_corp", "'a b'", "link", "signed-out", &"a".repeat(33)] {
            let (setting, _) = check(&format!("[{name}]\n{openid}")).expect_err(name);
            assert_eq!(setting, format!("providers.{}", name.trim_matches('\'')));
        }
        // The same client twice is fine while one of the two is off.
        assert_eq!(check(&format!("[corp]\n{openid}[corp2]\n{openid}enabled=false")), Ok(()));
    }
}
