//! What a browser says of itself, in words of ours: whoever calls could write anything there. No table of a thousand browsers:
//! people know which of theirs it was.

/// Whence somebody comes. The names are what the makers call them, in every language.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Device {
    /// `None`: no browser that we know; most likely an app.
    pub browser: Option<&'static str>,
    pub system: Option<&'static str>,
    pub mobile: bool,
}

/// Marks of browsers. Most of them say that they are others too, so the first that is found counts.
const BROWSERS: [(&str, &str); 14] = [
    ("Edg/", "Edge"),
    ("EdgA/", "Edge"),
    ("EdgiOS/", "Edge"),
    ("Edge/", "Edge"),
    ("OPR/", "Opera"),
    ("OPX/", "Opera"),
    ("OPT/", "Opera"),
    ("SamsungBrowser/", "Samsung Internet"),
    ("Vivaldi/", "Vivaldi"),
    ("Firefox/", "Firefox"),
    ("FxiOS/", "Firefox"),
    ("Chrome/", "Chrome"),
    ("CriOS/", "Chrome"),
    ("Safari/", "Safari"),
];

/// Marks of systems, the narrower ones first.
const SYSTEMS: [(&str, &str); 7] = [
    ("Android", "Android"),
    ("iPhone", "iPhone"),
    ("iPad", "iPad"),
    ("Windows", "Windows"),
    ("Mac OS X", "macOS"),
    ("CrOS", "ChromeOS"),
    ("Linux", "Linux"),
];

pub fn device(user_agent: &str) -> Device {
    let find = |marks: &[(&str, &'static str)]| {
        marks.iter().find(|(mark, _)| user_agent.contains(mark)).map(|(_, name)| *name)
    };
    let system = find(&SYSTEMS);
    // A tablet with Android leaves the word out; those of Apple call themselves computers, unless they are asked not to.
    let mobile = user_agent.contains("Mobile") || system == Some("iPhone");
    // Safari's own word is there wherever its engine is; only it names its version so.
    let browser = find(&BROWSERS).filter(|name| *name != "Safari" || user_agent.contains("Version/"));
    Device { browser, system, mobile }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What they say of themselves in November 2026, and what we make of it.
    const BROWSERS_OF_TODAY: [(&str, &str, &str, bool); 18] = [
        ("Mozilla/5.0 (X11; Linux x86_64; rv:145.0) Gecko/20100101 Firefox/145.0", "Firefox", "Linux", false),
        (
            "Mozilla/5.0 (Windows NT 10.0; Win64; x64; rv:145.0) Gecko/20100101 Firefox/145.0",
            "Firefox",
            "Windows",
            false,
        ),
        ("Mozilla/5.0 (Android 15; Mobile; rv:145.0) Gecko/145.0 Firefox/145.0", "Firefox", "Android", true),
        (
            "Mozilla/5.0 (iPhone; CPU iPhone OS 18_6 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) \
             FxiOS/145.0 Mobile/15E148 Safari/605.1.15",
            "Firefox",
            "iPhone",
            true,
        ),
        (
            "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/142.0.0.0 Safari/537.36",
            "Chrome",
            "Windows",
            false,
        ),
        (
            "Mozilla/5.0 (X11; CrOS x86_64 14541.0.0) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/142.0.0.0 Safari/537.36",
            "Chrome",
            "ChromeOS",
            false,
        ),
        (
            "Mozilla/5.0 (Linux; Android 10; K) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/142.0.0.0 Mobile Safari/537.36",
            "Chrome",
            "Android",
            true,
        ),
        (
            "Mozilla/5.0 (Linux; Android 10; K) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/142.0.0.0 Safari/537.36",
            "Chrome",
            "Android",
            false,
        ),
        (
            "Mozilla/5.0 (iPhone; CPU iPhone OS 18_6 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) \
             CriOS/142.0.7444.46 Mobile/15E148 Safari/604.1",
            "Chrome",
            "iPhone",
            true,
        ),
        (
            "Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/18.6 Safari/605.1.15",
            "Safari",
            "macOS",
            false,
        ),
        (
            "Mozilla/5.0 (iPhone; CPU iPhone OS 18_6 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) \
             Version/18.6 Mobile/15E148 Safari/604.1",
            "Safari",
            "iPhone",
            true,
        ),
        (
            "Mozilla/5.0 (iPad; CPU OS 18_6 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) \
             Version/18.6 Mobile/15E148 Safari/604.1",
            "Safari",
            "iPad",
            true,
        ),
        (
            "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/142.0.0.0 \
             Safari/537.36 Edg/142.0.0.0",
            "Edge",
            "Windows",
            false,
        ),
        (
            "Mozilla/5.0 (Linux; Android 10; K) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/142.0.0.0 \
             Mobile Safari/537.36 EdgA/142.0.0.0",
            "Edge",
            "Android",
            true,
        ),
        (
            "Mozilla/5.0 (iPhone; CPU iPhone OS 18_6 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) \
             Version/18.0 EdgiOS/142.0.0.0 Mobile/15E148 Safari/604.1",
            "Edge",
            "iPhone",
            true,
        ),
        (
            "Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/141.0.0.0 \
             Safari/537.36 OPR/125.0.0.0",
            "Opera",
            "macOS",
            false,
        ),
        (
            "Mozilla/5.0 (Linux; Android 10; K) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/141.0.0.0 \
             Mobile Safari/537.36 OPR/92.0.0.0",
            "Opera",
            "Android",
            true,
        ),
        (
            "Mozilla/5.0 (Linux; Android 10; K) AppleWebKit/537.36 (KHTML, like Gecko) SamsungBrowser/29.0 \
             Chrome/136.0.0.0 Mobile Safari/537.36",
            "Samsung Internet",
            "Android",
            true,
        ),
    ];

    #[test]
    fn al_27_browsers_of_today() {
        for (user_agent, browser, system, mobile) in BROWSERS_OF_TODAY {
            let expected = Device { browser: Some(browser), system: Some(system), mobile };
            assert_eq!(device(user_agent), expected, "{user_agent}");
        }
    }

    #[test]
    fn apps_and_nonsense_are_no_browsers() {
        for user_agent in [
            "",
            "curl/8.17.0",
            "okhttp/5.3.0",
            "Example/42 CFNetwork/3826.600.41 Darwin/24.6.0",
            "python-requests/2.32.5",
            "node",
            "Call https://evil.example at once",
            "<script>alert(1)</script>",
        ] {
            assert_eq!(device(user_agent), Device::default(), "{user_agent}");
        }
        // A web view within an app, and an app that says on what it runs.
        let view = "Mozilla/5.0 (iPhone; CPU iPhone OS 18_6 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Mobile/15E148";
        assert_eq!(device(view), Device { browser: None, system: Some("iPhone"), mobile: true });
        let app = "Dalvik/2.1.0 (Linux; U; Android 15; Pixel 9 Build/BP1A)";
        assert_eq!(device(app), Device { browser: None, system: Some("Android"), mobile: false });
    }
}
