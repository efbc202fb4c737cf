//! Whether a provider's declaration can be meant, wherever it came from: the settings, the API, the command line.

use url::Url;

use super::super::Attributes;
use super::super::values::is_domain;
use super::Provider;
use super::rules::is_path;

/// Names that are paths of ours below `/providers`.
const TAKEN: [&str; 2] = ["link", "signed-out"];
/// Longest name.
const LONGEST_NAME: usize = 32;
/// Longest label, in characters.
const LONGEST_LABEL: usize = 60;

/// Claims that a person's account can take over.
const CLAIMS: [&str; 13] = [
    "name",
    "given_name",
    "family_name",
    "middle_name",
    "nickname",
    "preferred_username",
    "profile",
    "picture",
    "website",
    "gender",
    "birthdate",
    "zoneinfo",
    "locale",
];

type Check = Result<(), (String, String)>;

fn refuse(member: &str, why: impl Into<String>) -> Check {
    Err((member.to_owned(), why.into()))
}

impl Provider {
    /// What of this provider alone cannot be meant. `allow` is `outgoing.allow`. Errors: the member (`name` for the name
    /// itself), and why it does not do.
    pub fn check(&self, name: &str, allow: &[String], attributes: &Attributes) -> Check {
        check_name(name)?;
        let full = self.with_preset();
        full.check_client()?;
        full.check_endpoints(allow)?;
        full.check_scopes()?;
        if full.label.chars().count() > LONGEST_LABEL || full.label.chars().any(char::is_control) {
            return refuse("label", format!("has {LONGEST_LABEL} printable characters at most"));
        }
        for (member, path) in [
            ("subject_claim", &full.subject_claim),
            ("email_claim", &full.email_claim),
            ("email_verified_claim", &full.email_verified_claim),
            ("groups_claim", &full.groups_claim),
        ] {
            if !is_path(path) {
                return refuse(member, format!("{path:?} is not the path of a claim, like sub or user.id"));
            }
        }
        if full.is_openid() && full.subject_claim != "sub" {
            // Addresses and names change hands: nobody is to come into an account by somebody else's (OpenID Connect Core 1.0
            // section 5.7).
            return refuse("subject_claim", "of an OpenID provider is sub and nothing else: leave it out");
        }
        if let Some(domain) = full.domains.iter().find(|domain| !is_domain(domain)) {
            return refuse("domains", format!("{domain:?} is not a domain like example.com, in small letters"));
        }
        for (member, mappings) in
            [("profile_at_creation", &full.profile_at_creation), ("profile_always", &full.profile_always)]
        {
            let known = |target: &str| CLAIMS.contains(&target) || attributes.get(target).is_some();
            if let Some(mapping) = mappings.iter().find(|mapping| !known(&mapping.target)) {
                let why = format!("{:?} is neither a claim of a profile nor a declared attribute", mapping.target);
                return refuse(member, why);
            }
        }
        Ok(())
    }

    /// What cannot be meant beside us and the other providers. Errors: as of `check`.
    pub fn check_beside<'p>(
        &self,
        name: &str,
        own_issuer: &str,
        others: impl IntoIterator<Item = (&'p str, &'p Self)>,
    ) -> Check {
        let full = self.with_preset();
        if full.whence().trim_end_matches('/') == own_issuer {
            let member = if self.is_openid() { "issuer" } else { "token_endpoint" };
            return refuse(member, "is our own: nobody signs in with where they are");
        }
        for (other_name, other) in others.into_iter().filter(|(other_name, _)| *other_name != name) {
            if let Some(domain) = self.domains.iter().find(|domain| other.domains.contains(domain)) {
                return refuse("domains", format!("{domain} is one of {other_name} already"));
            }
            let both_on = self.enabled && other.enabled;
            if both_on && other.client_id == self.client_id && other.with_preset().whence() == full.whence() {
                return refuse("client_id", format!("is that of {other_name}, at the same provider"));
            }
        }
        Ok(())
    }

    fn check_client(&self) -> Check {
        let is_id = |id: &str| !id.is_empty() && id.bytes().all(|byte| byte.is_ascii_graphic() || byte == b' ');
        if self.client_id.is_empty() {
            return refuse("client_id", "must be set: the provider tells it to whoever registers there");
        }
        if !is_id(&self.client_id) {
            return refuse("client_id", "must have printable ASCII characters only");
        }
        if !self.audiences.iter().all(|audience| is_id(audience)) {
            return refuse("audiences", "must be client ids, of printable ASCII characters");
        }
        match (self.client_auth.needs_secret(), self.client_secret.expose().is_empty()) {
            (true, true) => refuse("client_secret", "must be set, since client_auth proves us by it"),
            (false, false) => refuse("client_secret", "must not be set, since client_auth does without"),
            _ => Ok(()),
        }
    }

    fn check_endpoints(&self, allow: &[String]) -> Check {
        let compulsory = [
            ("authorization_endpoint", &self.authorization_endpoint),
            ("token_endpoint", &self.token_endpoint),
            ("userinfo_endpoint", &self.userinfo_endpoint),
        ];
        let all = compulsory.into_iter().chain([("emails_endpoint", &self.emails_endpoint)]);
        let mut given = all.filter(|(_, url)| !url.is_empty());
        if !self.issuer.is_empty() {
            if let Some((endpoint, _)) = given.next() {
                let why = format!("is for OpenID providers, which tell their endpoints: not together with {endpoint}");
                return refuse("issuer", why);
            }
            return check_url(&self.issuer, allow).or_else(|why| refuse("issuer", why));
        }
        let Some(first) = given.next() else {
            return refuse("issuer", "must be set, or the endpoints of a provider without OpenID");
        };
        for (member, url) in [first].into_iter().chain(given) {
            check_url(url, allow).or_else(|why| refuse(member, why))?;
        }
        match compulsory.iter().find(|(_, url)| url.is_empty()) {
            Some((member, _)) => refuse(member, "must be set, since there is no issuer that would tell it"),
            None => Ok(()),
        }
    }

    fn check_scopes(&self) -> Check {
        // RFC 6749 section 3.3.
        let is_scope = |scope: &str| {
            let plain = |byte: u8| byte.is_ascii_graphic() && byte != b'"' && byte != b'\\';
            !scope.is_empty() && scope.bytes().all(plain)
        };
        if let Some(scope) = self.scopes.iter().find(|scope| !is_scope(scope)) {
            return refuse("scopes", format!("{scope:?} is not one scope: each is an item of its own, without spaces"));
        }
        if !self.issuer.is_empty() && !self.scopes.iter().any(|scope| scope == "openid") {
            return refuse("scopes", "must hold openid, since there is an issuer");
        }
        Ok(())
    }
}

fn check_name(name: &str) -> Check {
    let is_plain = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-';
    if !(1..=LONGEST_NAME).contains(&name.len()) || !name.bytes().all(is_plain) {
        let why = format!("the provider's name must have small letters, digits and - only, {LONGEST_NAME} at most");
        return refuse("name", why);
    }
    if TAKEN.contains(&name) {
        return refuse("name", "is a path of ours: the provider needs another name");
    }
    Ok(())
}

/// Where we call, or send people: never in the clear, unless the operator names the very host and port.
fn check_url(text: &str, allow: &[String]) -> Result<(), String> {
    let url = Url::parse(text).map_err(|error| format!("is not a URL: {error}"))?;
    if !text.bytes().all(|byte| byte.is_ascii_graphic() && byte != b'\\') {
        return Err("must have printable ASCII characters only".to_owned());
    }
    if !url.username().is_empty() || url.password().is_some() {
        return Err("must not hold a user or a password".to_owned());
    }
    if url.query().is_some() || url.fragment().is_some() {
        return Err("must have neither a query nor a fragment".to_owned());
    }
    if text.starts_with("https://") {
        return Ok(());
    }
    let host = url.host_str().unwrap_or_default();
    let address = format!("{host}:{}", url.port_or_known_default().unwrap_or_default());
    if text.starts_with("http://") && allow.iter().any(|entry| entry.eq_ignore_ascii_case(&address)) {
        return Ok(());
    }
    Err(format!("must begin with https:// (http:// only where outgoing.allow names {address})"))
}
