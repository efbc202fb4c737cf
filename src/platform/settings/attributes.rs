//! What an installation wants to know about people besides the standard claims: declared by name, with a type, who may read
//! and write it, and how applications get it.

use std::collections::BTreeMap;

use serde::Deserialize;

/// More declarations than anybody needs.
const MOST: usize = 64;
/// Longest name of an attribute, a claim or a scope.
const LONGEST_NAME: usize = 64;
/// Longest text that a declaration may allow.
const LONGEST_TEXT: u32 = 10_000;

/// Claims that mean something to protocols, or are ours.
const PROTOCOL: [&str; 29] = [
    "iss",
    "sub",
    "aud",
    "exp",
    "nbf",
    "iat",
    "jti",
    "auth_time",
    "nonce",
    "acr",
    "amr",
    "azp",
    "at_hash",
    "c_hash",
    "s_hash",
    "sid",
    "cnf",
    "act",
    "may_act",
    "scope",
    "client_id",
    "events",
    "roles",
    "groups",
    "entitlements",
    "permissions",
    "grant_id",
    "_claim_names",
    "_claim_sources",
];

/// Members of a person, or of a body that makes or changes one, in any of our spellings.
const MEMBERS: [&str; 31] = [
    "id",
    "name",
    "fullname",
    "username",
    "email",
    "emailverified",
    "password",
    "newpassword",
    "passwordhash",
    "image",
    "picture",
    "role",
    "roles",
    "isadmin",
    "adminsecretkey",
    "createdat",
    "updatedat",
    "disabled",
    "attributes",
    "givenname",
    "familyname",
    "middlename",
    "nickname",
    "preferredusername",
    "profile",
    "website",
    "gender",
    "birthdate",
    "zoneinfo",
    "locale",
    "address",
];

/// Scopes of `OpenID` Connect that give claims.
const WITH_CLAIMS: [&str; 4] = ["profile", "email", "address", "phone"];
/// Scopes with a meaning of their own, which no attribute can come with.
const TAKEN: [&str; 5] = ["openid", "offline_access", "account", "roles", "permissions"];

/// What a value may be.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Kind {
    #[default]
    String,
    Integer,
    Number,
    Boolean,
    /// `YYYY-MM-DD`.
    Date,
    /// A list of texts.
    Strings,
}

/// Who reads or writes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Party {
    /// The person.
    User,
    Admin,
}

/// A declaration.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Attribute {
    #[serde(rename = "type")]
    pub kind: Kind,
    /// What pages call it; empty: its name.
    pub label: String,
    /// Characters of a text, or of each text of a list.
    pub max_length: u32,
    pub read: Vec<Party>,
    pub write: Vec<Party>,
    /// Whether people may give it when they sign up.
    pub sign_up: bool,
    /// The scope that gives it to applications; empty: none gets it.
    pub scope: String,
    /// What applications get it as; empty: its name.
    pub claim: String,
}

impl Default for Attribute {
    fn default() -> Self {
        Self {
            kind: Kind::String,
            label: String::new(),
            max_length: 200,
            read: vec![Party::User, Party::Admin],
            write: vec![Party::User, Party::Admin],
            sign_up: false,
            scope: String::new(),
            claim: String::new(),
        }
    }
}

/// The declarations, by name.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(transparent)]
pub struct Attributes(BTreeMap<String, Attribute>);

impl Attributes {
    pub fn get(&self, name: &str) -> Option<&Attribute> {
        self.0.get(name)
    }

    pub fn iter(&self) -> impl Iterator<Item = (&str, &Attribute)> {
        self.0.iter().map(|(name, attribute)| (name.as_str(), attribute))
    }

    /// Those that applications can get: claim, scope and the attribute's name.
    pub fn claims(&self) -> impl Iterator<Item = (&str, &str, &str)> {
        let given = self.iter().filter(|(_, attribute)| !attribute.scope.is_empty());
        given.map(|(name, attribute)| (attribute.claim(name), attribute.scope.as_str(), name))
    }

    /// The scope that gives a claim.
    pub fn scope_of(&self, claim: &str) -> Option<&str> {
        self.claims().find(|(known, _, _)| *known == claim).map(|(_, scope, _)| scope)
    }

    /// The scopes that are there for attributes alone, each once.
    pub fn scopes(&self) -> Vec<&str> {
        let mut scopes: Vec<&str> =
            self.claims().map(|(_, scope, _)| scope).filter(|scope| !WITH_CLAIMS.contains(scope)).collect();
        scopes.sort_unstable();
        scopes.dedup();
        scopes
    }

    /// What a scope gives, as pages call it.
    pub fn labels(&self, scope: &str) -> Vec<String> {
        let given = self.iter().filter(|(_, attribute)| !scope.is_empty() && attribute.scope == scope);
        given.map(|(name, attribute)| attribute.label(name)).collect()
    }

    /// What cannot be meant. Errors: the setting, and why it does not do.
    pub(super) fn check(&self) -> Result<(), (String, String)> {
        if self.0.len() > MOST {
            return Err(("attributes".to_owned(), format!("{MOST} attributes at most")));
        }
        for (name, attribute) in self.iter() {
            let refuse = |leaf: &str, why: String| Err((format!("attributes.{name}.{leaf}"), why));
            if let Err(why) = check_name(name) {
                return refuse("type", why);
            }
            if attribute.max_length == 0 || attribute.max_length > LONGEST_TEXT {
                return refuse("max_length", format!("must be 1 to {LONGEST_TEXT}"));
            }
            if attribute.label.chars().count() > 100 || attribute.label.chars().any(char::is_control) {
                return refuse("label", "has 100 printable characters at most".to_owned());
            }
            let unread = |party: &Party| !attribute.read.contains(party);
            if attribute.write.iter().any(unread) {
                return refuse("write", "nobody may write what they may not read".to_owned());
            }
            if attribute.sign_up && unread(&Party::User) {
                return refuse(
                    "sign_up",
                    "people may not give what they may not read: add \"user\" to read".to_owned(),
                );
            }
            if attribute.scope.is_empty() {
                if !attribute.claim.is_empty() {
                    return refuse("claim", "needs a scope that gives it".to_owned());
                }
                continue;
            }
            if unread(&Party::User) {
                let why = "applications show people what they get: add \"user\" to read, or take the scope away";
                return refuse("scope", why.to_owned());
            }
            if let Err(why) = check_scope(&attribute.scope) {
                return refuse("scope", why);
            }
            let claim = attribute.claim(name);
            if let Err(why) = check_claim(claim) {
                return refuse("claim", why);
            }
            if self.claims().any(|(other, _, owner)| other == claim && owner != name) {
                return refuse("claim", format!("{claim:?} is another attribute's too"));
            }
        }
        Ok(())
    }
}

impl Attribute {
    pub fn may_read(&self, party: Party) -> bool {
        self.read.contains(&party)
    }

    pub fn may_write(&self, party: Party) -> bool {
        self.write.contains(&party)
    }

    fn claim<'a>(&'a self, name: &'a str) -> &'a str {
        if self.claim.is_empty() { name } else { &self.claim }
    }

    /// The label, or the name in words.
    pub fn label(&self, name: &str) -> String {
        if !self.label.is_empty() {
            return self.label.clone();
        }
        let mut words = String::new();
        for character in name.chars() {
            if character == '_' || character.is_ascii_uppercase() {
                words.push(' ');
            }
            if character != '_' {
                words.push(character.to_ascii_lowercase());
            }
        }
        words.trim().to_owned()
    }
}

fn is_name(text: &str) -> bool {
    text.len() <= LONGEST_NAME
        && text.starts_with(|first: char| first.is_ascii_alphabetic())
        && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_')
}

/// In any of our spellings.
fn is_member(name: &str) -> bool {
    let bare = name.replace('_', "").to_ascii_lowercase();
    MEMBERS.contains(&bare.as_str()) || bare.starts_with("phonenumber")
}

fn check_name(name: &str) -> Result<(), String> {
    if !is_name(name) {
        return Err("the attribute's name has letters, digits and _, a letter first, 64 at most".to_owned());
    }
    if is_member(name) {
        return Err(format!("{name} is a member that every person has: the attribute needs another name"));
    }
    Ok(())
}

fn check_scope(scope: &str) -> Result<(), String> {
    if TAKEN.contains(&scope) {
        return Err(format!("{scope} has a meaning of its own"));
    }
    let plain = scope.len() <= LONGEST_NAME
        && scope.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-_.:".contains(&byte));
    if plain || WITH_CLAIMS.contains(&scope) {
        Ok(())
    } else {
        Err("a scope has letters, digits, -, _, . and :, 64 at most".to_owned())
    }
}

fn check_claim(claim: &str) -> Result<(), String> {
    if !is_name(claim) {
        return Err("a claim's name has letters, digits and _, a letter first, 64 at most".to_owned());
    }
    if is_member(claim) || PROTOCOL.contains(&claim) {
        return Err(format!("the claim {claim} has a meaning of its own"));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn declared(text: &str) -> Attributes {
        toml::from_str(text).unwrap()
    }

    #[test]
    fn names_become_words_where_nobody_labels_them() {
        let attributes = declared(
            "[companyName]\nscope = 'company'\n[founded_year]\nscope = 'company'\nlabel = 'year'\n[shoe]\nscope='profile'",
        );
        assert_eq!(attributes.labels("company"), ["company name", "year"]);
        assert_eq!(attributes.scopes(), ["company"]);
        assert_eq!(attributes.scope_of("shoe"), Some("profile"));
        assert_eq!(attributes.check(), Ok(()));
        assert!(attributes.labels("").is_empty());
    }

    #[test]
    fn what_cannot_be_meant_is_refused_by_the_setting() {
        for (text, setting) in [
            ("[email]\nsign_up = true", "attributes.email.type"),
            ("[full_name]\nsign_up = true", "attributes.full_name.type"),
            ("[phoneNumberVerified]\nsign_up = true", "attributes.phoneNumberVerified.type"),
            ("['a b']\nsign_up = true", "attributes.a b.type"),
            ("[a]\nmax_length = 0", "attributes.a.max_length"),
            ("[a]\nmax_length = 10001", "attributes.a.max_length"),
            ("[a]\nread = ['admin']", "attributes.a.write"),
            ("[a]\nread = ['admin']\nwrite = []\nsign_up = true", "attributes.a.sign_up"),
            ("[a]\nread = ['admin']\nwrite = ['admin']\nscope = 'profile'", "attributes.a.scope"),
            ("[a]\nscope = 'openid'", "attributes.a.scope"),
            ("[a]\nscope = 'account'", "attributes.a.scope"),
            ("[a]\nscope = 'two words'", "attributes.a.scope"),
            ("[a]\nclaim = 'b'", "attributes.a.claim"),
            ("[a]\nscope = 'x'\nclaim = 'sub'", "attributes.a.claim"),
            ("[a]\nscope = 'x'\nclaim = 'email'", "attributes.a.claim"),
            ("[acr]\nscope = 'x'", "attributes.acr.claim"),
            ("[a]\nscope = 'x'\nclaim = 'c'\n[b]\nscope = 'x'\nclaim = 'c'", "attributes.a.claim"),
        ] {
            let (refused, why) = declared(text).check().unwrap_err();
            assert_eq!(refused, setting, "{text}: {why}");
        }
        for text in ["[a]\nread = []\nwrite = []", "[a]\nscope = 'email'", "[a]\nread = ['user']\nwrite = ['user']"] {
            assert_eq!(declared(text).check(), Ok(()), "{text}");
        }
    }
}
