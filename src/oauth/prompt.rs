//! The parameter `prompt` (OpenID Connect Core section 3.1.2.1, Initiating User Registration via OpenID Connect 1.0): what
//! the person must be asked, or that they must not be asked at all.

/// What a page may or must be shown for.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[expect(clippy::struct_excessive_bools, reason = "each is a value of the parameter, and they combine")]
pub struct Prompt {
    /// No page at all.
    pub none: bool,
    pub login: bool,
    pub consent: bool,
    pub select_account: bool,
    /// The person has no account yet.
    pub create: bool,
}

impl Prompt {
    /// The values of the parameter; `create` is one only where people may sign up.
    pub fn supported(sign_up: bool) -> Vec<&'static str> {
        let mut values = vec!["none", "login", "consent", "select_account"];
        values.extend(sign_up.then_some("create"));
        values
    }

    /// Reads the parameter; values that we do not know are passed over.
    pub(super) fn parse(text: &str) -> Result<Self, &'static str> {
        let mut prompt = Self::default();
        let mut count = 0;
        for value in text.split(' ').filter(|value| !value.is_empty()) {
            count += 1;
            match value {
                "none" => prompt.none = true,
                "login" => prompt.login = true,
                "consent" => prompt.consent = true,
                "select_account" => prompt.select_account = true,
                "create" => prompt.create = true,
                _ => {}
            }
        }
        if prompt.none && count > 1 { Err("prompt=none stands alone") } else { Ok(prompt) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_combine_but_for_none() {
        let both = Prompt::parse("login consent").unwrap();
        assert!(both.login && both.consent && !both.none);
        assert!(Prompt::parse("select_account").unwrap().select_account);
        assert!(Prompt::parse("create other").unwrap().create);
        assert_eq!(Prompt::parse(""), Ok(Prompt::default()));
        assert!(Prompt::parse("none").unwrap().none);
        assert!(Prompt::parse("none login").is_err());
        assert!(Prompt::parse("other none").is_err());
    }
}
