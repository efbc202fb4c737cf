//! Which passwords are taken (OWASP ASVS 5.0, 6.2): long enough, not common, not made of names that anybody would try.

use std::sync::LazyLock;

/// Characters at least, and at most.
const SHORTEST: usize = 8;
const LONGEST: usize = 128;
/// Bytes at most: what is hashed is bounded before it is hashed.
pub(super) const MOST_BYTES: usize = 1024;

/// The commonest passwords and words of eight characters and more, in small letters, sorted. Taken from the frequency
/// lists that Dropbox published with zxcvbn (MIT licence).
static COMMON: LazyLock<Vec<&str>> = LazyLock::new(|| include_str!("common-passwords.txt").lines().collect());

/// Why a password is not taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum PasswordFault {
    #[error("the password has fewer than 8 characters")]
    Short,
    #[error("the password has more than 128 characters")]
    Long,
    #[error("the password is one of the most common ones")]
    Common,
    #[error("the password is made of a name that anybody would try first")]
    Personal,
}

/// The words that no password may be made of, besides the person's own.
#[derive(Clone, Debug)]
pub struct PasswordRules {
    house: Vec<String>,
}

impl PasswordRules {
    /// `brand` is the product's name, `issuer` the public URL.
    pub fn new(brand: &str, issuer: &str) -> Self {
        let host = url::Url::parse(issuer).ok().and_then(|url| url.host_str().map(str::to_owned)).unwrap_or_default();
        let mut house = words(brand);
        house.push("bonafide".to_owned());
        house.extend(words(&host));
        Self { house }
    }

    /// Checks a new password. `own` are the person's names: e-mail address, username, full name.
    pub fn check(&self, password: &str, own: &[&str]) -> Result<(), PasswordFault> {
        let length = password.chars().count();
        if length < SHORTEST {
            return Err(PasswordFault::Short);
        }
        if length > LONGEST || password.len() > MOST_BYTES {
            return Err(PasswordFault::Long);
        }
        let small = password.to_lowercase();
        if is_common(&small) {
            return Err(PasswordFault::Common);
        }
        let mut names: Vec<String> = own.iter().flat_map(|name| words(name)).collect();
        names.extend(self.house.iter().cloned());
        if is_made_of(&small, &names) { Err(PasswordFault::Personal) } else { Ok(()) }
    }
}

/// Common as it stands, with digits and signs around it, or the same few characters over and over.
fn is_common(small: &str) -> bool {
    let bare = small.trim_matches(|c: char| !c.is_alphabetic());
    let known = |word: &str| COMMON.binary_search(&word).is_ok();
    if known(small) || known(bare) {
        return true;
    }
    let distinct: std::collections::BTreeSet<char> = small.chars().collect();
    distinct.len() <= 2 || is_run(small)
}

/// `12345678`, `abcdefgh`: each character follows the one before.
fn is_run(small: &str) -> bool {
    let steps: Vec<i64> = small
        .chars()
        .zip(small.chars().skip(1))
        .map(|(a, b)| i64::from(u32::from(b)) - i64::from(u32::from(a)))
        .collect();
    steps.iter().all(|step| *step == 1) || steps.iter().all(|step| *step == -1)
}

/// Whether names, digits and signs are all there is.
fn is_made_of(small: &str, names: &[String]) -> bool {
    let mut rest = small.to_owned();
    let mut longest_first: Vec<&String> = names.iter().filter(|name| name.chars().count() >= 3).collect();
    longest_first.sort_by_key(|name| std::cmp::Reverse(name.len()));
    for name in longest_first {
        rest = rest.replace(name.as_str(), "");
    }
    rest.len() < small.len() && rest.chars().filter(|c| c.is_alphabetic()).count() <= 2
}

/// The words of a name, in small letters, and the whole.
fn words(name: &str) -> Vec<String> {
    let small = name.to_lowercase();
    let mut words: Vec<String> = small
        .split(|c: char| !c.is_alphanumeric())
        .filter(|word| word.chars().count() >= 3)
        .map(str::to_owned)
        .collect();
    // The end of a host name is in everybody's address.
    words.retain(|word| !matches!(word.as_str(), "com" | "org" | "net" | "www"));
    if small.chars().count() >= 3 {
        words.push(small);
    }
    words
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(password: &str) -> Result<(), PasswordFault> {
        let rules = PasswordRules::new("Acme Login", "https://id.acme-corp.example");
        rules.check(password, &["ada.lovelace@example.com", "adal", "Ada Lovelace"])
    }

    #[test]
    fn lg_22_rules() {
        assert_eq!(check("short"), Err(PasswordFault::Short));
        assert_eq!(check(&"x9".repeat(65)), Err(PasswordFault::Long));
        for common in
            ["password", "Password1!", "12345678", "iloveyou", "aaaaaaaaaaaa", "87654321", "abcdefgh", "football99"]
        {
            assert_eq!(check(common), Err(PasswordFault::Common), "{common}");
        }
        for personal in
            ["lovelace1", "AdaLovelace", "ada.lovelace@example.com", "acmelogin2026", "bonafide!", "acme-corp1"]
        {
            assert_eq!(check(personal), Err(PasswordFault::Personal), "{personal}");
        }
        // No composition rules; spaces and any script count.
        for good in ["correct horse battery", "tpwqzknm", "пароль-длинный", "        x9 k   ", "🦀🦞🐙🐠🐡🦑🦐🐳"]
        {
            assert_eq!(check(good), Ok(()), "{good}");
        }
    }

    #[test]
    fn the_list_can_be_searched() {
        assert!(COMMON.len() > 3_000 && COMMON.is_sorted());
    }
}
