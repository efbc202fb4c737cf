//! The pages' style, script and icon live in the binary under names that carry their content's hash, so that a browser
//! may keep them for ever and an upgrade is seen at once. The brand's accent goes into the style here because the
//! Content-Security-Policy forbids styles inside pages.

use axum::body::Bytes;
use sha2::{Digest, Sha256};

const STYLE: &str = include_str!("../../templates/assets/style.css");
const SCRIPT: &str = include_str!("../../templates/assets/enhance.js");
/// What sends the one form of the page that posts an answer to an application.
const SUBMIT: &str = include_str!("../../templates/assets/submit.js");
const ICON: &str = include_str!("../../templates/assets/icon.svg");

/// The green of bank notes; also the colour that stands in `icon.svg`.
const OWN_ACCENT: &str = "oklch(0.46 0.094 165)";

/// The setting `branding.accent` is not a colour that we can take.
#[derive(Debug, PartialEq, thiserror::Error)]
pub enum AssetsError {
    #[error("{accent:?} is no colour: write #rgb, #rrggbb or oklch(LIGHTNESS CHROMA HUE), like oklch(0.55 0.15 250)")]
    Accent { accent: String },
}

/// One embedded file, ready to be answered.
#[derive(Clone, Debug)]
pub struct Asset {
    pub content_type: &'static str,
    pub body: Bytes,
}

/// The embedded files by their hashed paths.
#[derive(Clone, Debug)]
pub struct Assets {
    style: (String, Asset),
    script: (String, Asset),
    submit: (String, Asset),
    icon: (String, Asset),
}

impl Assets {
    /// Builds the files for a brand's accent, or for our own. Errors: the accent is no colour.
    pub fn new(accent: Option<&str>) -> Result<Self, AssetsError> {
        let accent = match accent {
            None => OWN_ACCENT.to_owned(),
            Some(text) => colour(text).ok_or_else(|| AssetsError::Accent { accent: text.to_owned() })?,
        };
        Ok(Self {
            style: named("style", "css", "text/css; charset=utf-8", format!(":root{{--accent:{accent}}}\n{STYLE}")),
            script: named("enhance", "js", "text/javascript; charset=utf-8", SCRIPT.to_owned()),
            submit: named("submit", "js", "text/javascript; charset=utf-8", SUBMIT.to_owned()),
            icon: named("icon", "svg", "image/svg+xml", ICON.replace(OWN_ACCENT, &accent)),
        })
    }

    /// The stylesheet's path, like `/assets/style.3fa9c1d2.css`.
    pub fn style_href(&self) -> &str {
        &self.style.0
    }

    /// The path of the one script, which only adds comfort.
    pub fn script_href(&self) -> &str {
        &self.script.0
    }

    /// The path of the script that sends a page's one form.
    pub fn submit_href(&self) -> &str {
        &self.submit.0
    }

    /// The icon's path.
    pub fn icon_href(&self) -> &str {
        &self.icon.0
    }

    /// The file at a path with the right hash; anything else is not there.
    pub fn find(&self, path: &str) -> Option<&Asset> {
        [&self.style, &self.script, &self.submit, &self.icon]
            .into_iter()
            .find(|(href, _)| href == path)
            .map(|(_, asset)| asset)
    }
}

fn named(name: &str, extension: &str, content_type: &'static str, text: String) -> (String, Asset) {
    use std::fmt::Write as _;
    let mut href = format!("/assets/{name}.");
    for byte in Sha256::digest(&text).iter().take(4) {
        // Writing to a String cannot fail.
        let _ = write!(href, "{byte:02x}");
    }
    href.push('.');
    href.push_str(extension);
    (href, Asset { content_type, body: Bytes::from(text) })
}

/// Writes the colour anew from what was understood of it; the setting's own text never reaches the style.
fn colour(text: &str) -> Option<String> {
    let text = text.trim();
    match text.strip_prefix('#') {
        Some(digits) => {
            let well_formed = matches!(digits.len(), 3 | 6) && digits.bytes().all(|byte| byte.is_ascii_hexdigit());
            well_formed.then(|| format!("#{}", digits.to_ascii_lowercase()))
        }
        None => oklch(text),
    }
}

fn oklch(text: &str) -> Option<String> {
    let inner = text.strip_prefix("oklch(")?.strip_suffix(')')?;
    let mut parts = inner.split_ascii_whitespace();
    let (lightness, chroma, hue) = (parts.next()?, parts.next()?, parts.next()?);
    if parts.next().is_some() {
        return None;
    }
    let lightness = match lightness.strip_suffix('%') {
        Some(percent) => decimal(percent, 100.0)? / 100.0,
        None => decimal(lightness, 1.0)?,
    };
    let chroma = decimal(chroma, 0.5)?;
    let hue = decimal(hue.strip_suffix("deg").unwrap_or(hue), 360.0)?;
    Some(format!("oklch({lightness:.4} {chroma:.4} {hue:.2})"))
}

/// Digits and one point only: no sign, exponent, `inf` or `NaN`.
fn decimal(text: &str, most: f64) -> Option<f64> {
    let plain = text.len() <= 12 && text.bytes().all(|byte| byte.is_ascii_digit() || byte == b'.');
    let number = text.parse::<f64>().ok().filter(|_| plain)?;
    (0.0..=most).contains(&number).then_some(number)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn style(accent: Option<&str>) -> String {
        let assets = Assets::new(accent).unwrap();
        String::from_utf8(assets.find(assets.style_href()).unwrap().body.to_vec()).unwrap()
    }

    #[test]
    fn files_are_found_by_their_hashed_names_only() {
        let assets = Assets::new(None).unwrap();
        for href in [assets.style_href(), assets.script_href(), assets.icon_href()] {
            assert!(assets.find(href).is_some(), "{href}");
        }
        assert!(assets.find("/assets/style.css").is_none());
        assert!(assets.find("/assets/style.00000000.css").is_none());
        assert!(ICON.contains(OWN_ACCENT), "the icon takes the accent's place by its text");
    }

    #[test]
    fn another_accent_is_another_name() {
        let (own, other) = (Assets::new(None).unwrap(), Assets::new(Some("#0B6BCB")).unwrap());
        assert_ne!(own.style_href(), other.style_href());
        assert_ne!(own.icon_href(), other.icon_href());
        assert_eq!(own.script_href(), other.script_href());
        assert!(style(Some("#0B6BCB")).starts_with(":root{--accent:#0b6bcb}\n"));
        assert!(style(Some("oklch(55% 0.15 250deg)")).starts_with(":root{--accent:oklch(0.5500 0.1500 250.00)}\n"));
    }

    #[test]
    fn what_is_no_colour_is_refused() {
        let refused = [
            "",
            "#",
            "#12",
            "#12345",
            "#1234567",
            "#ggg",
            "red",
            "#fff}body{display:none",
            "oklch(0.5 0.1)",
            "oklch(0.5 0.1 20 / 0.5)",
            "oklch(0.5 0.1 20);}",
            "oklch(1e0 0.1 20)",
            "oklch(inf 0.1 20)",
            "oklch(0.5 -0.1 20)",
            "oklch(2 0.1 20)",
            "oklch(0.5 0.1 url(x))",
            "oklch(. . .)",
            "var(--x)",
        ];
        for text in refused {
            assert_eq!(
                Assets::new(Some(text)).err(),
                Some(AssetsError::Accent { accent: text.to_owned() }),
                "{text:?}"
            );
        }
    }
}
