//! E-mail addresses and usernames, and the one form of each that counts.
//!
//! Two spellings that a person takes for the same must be the same account, and none may look like somebody else's.

use unicode_normalization::UnicodeNormalization as _;

/// An e-mail address: as typed, and canonical.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Email {
    pub typed: String,
    pub canonical: String,
}

impl Email {
    /// Reads an address in the form that browsers accept (WHATWG HTML), after NFKC, so that a full-width `＠` is an `@`.
    /// No comments, no quoted local parts: nobody has them, and parsers disagree about them.
    pub fn parse(text: &str) -> Option<Self> {
        let typed = text.trim_matches(' ').to_owned();
        let canonical = typed.nfkc().collect::<String>().to_lowercase();
        let (local, domain) = canonical.split_once('@')?;
        let local_ok = (1..=64).contains(&local.len())
            && local.bytes().all(|byte| byte.is_ascii_alphanumeric() || b".!#$%&'*+/=?^_`{|}~-".contains(&byte))
            && !local.starts_with('.')
            && !local.ends_with('.')
            && !local.contains("..");
        let domain_ok = domain.len() <= 253 && domain.contains('.') && domain.split('.').all(is_label);
        // What was typed is shown and written to: it must not be another address than the one that was checked.
        let same = typed.nfkc().eq(typed.chars()) && typed.is_ascii();
        (local_ok && domain_ok && same).then_some(Self { typed, canonical })
    }
}

fn is_label(label: &str) -> bool {
    (1..=63).contains(&label.len())
        && label.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-')
        && !label.starts_with('-')
        && !label.ends_with('-')
}

/// A username: as typed, and canonical.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Username {
    pub typed: String,
    pub canonical: String,
}

impl Username {
    /// Latin letters, digits, `.`, `_` and `-`: one script, so nobody can be imitated with look-alikes; no `@`, so none
    /// is an e-mail address.
    pub fn parse(text: &str) -> Option<Self> {
        let typed = text.trim_matches(' ').to_owned();
        let ok = (2..=64).contains(&typed.len())
            && typed.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"._-".contains(&byte))
            && typed.starts_with(|first: char| first.is_ascii_alphanumeric());
        ok.then(|| Self { canonical: typed.to_lowercase(), typed })
    }
}

/// What somebody typed to sign in with, in the form that accounts are looked up by; bounded, whatever was typed.
pub fn canonical_login(text: &str) -> String {
    text.trim().chars().take(320).nfkc().collect::<String>().to_lowercase().chars().take(320).collect()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn lg_18_addresses() {
        for good in ["a@example.com", " Ada.Lovelace+x@Example.COM ", "o'hara@sub.example.co.uk"] {
            assert!(Email::parse(good).is_some(), "{good}");
        }
        assert_eq!(Email::parse(" A@X.com ").unwrap().canonical, "a@x.com");
        for bad in [
            "a＠example.com",
            "a@b@c.com",
            "victim@x.com,attacker@y.com",
            "a@x.com\r\nBcc: b@y.com",
            "\"a b\"@x.com",
            "a(c)@x.com",
            "a\u{200b}@x.com",
            "a@x.com.",
            "a@x",
            "@x.com",
            "a@",
            "",
            ".a@x.com",
            "a..b@x.com",
            "a@-x.com",
            "ä@x.com",
            "a@x .com",
        ] {
            assert_eq!(Email::parse(bad), None, "{bad}");
        }
        assert_eq!(Email::parse(&format!("{}@x.com", "a".repeat(300))), None);
    }

    #[test]
    fn lg_19_usernames() {
        assert_eq!(Username::parse("Ada").unwrap().canonical, "ada");
        assert_eq!(Username::parse("admin ").unwrap().canonical, "admin");
        for bad in ["аdmin", "a", "-ada", "ada@x.com", "ada lovelace", "", "a\u{0}b"] {
            assert_eq!(Username::parse(bad), None, "{bad}");
        }
    }

    proptest! {
        /// f_email_canon: what is canonical stays as it is, and has one `@` and no control character.
        #[test]
        fn canonical_forms_are_stable(text in "\\PC{0,12}@\\PC{0,12}(\\.com)?") {
            if let Some(email) = Email::parse(&text) {
                prop_assert_eq!(&Email::parse(&email.canonical).unwrap().canonical, &email.canonical);
                prop_assert_eq!(email.canonical.matches('@').count(), 1);
                prop_assert!(!email.canonical.chars().any(char::is_control));
                prop_assert_eq!(canonical_login(&text), email.canonical);
            }
        }
    }
}
