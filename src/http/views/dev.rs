//! What `--dev` adds.

use askama::Template;

use super::Frame;

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

#[cfg(test)]
mod tests {
    use super::super::tests::frame;
    use super::*;

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
