//! The real browser, headless, through WebDriver; with the accessibility rules of axe-core.

use std::{
    fmt::Write as _,
    fs,
    ops::Deref,
    os::unix::process::CommandExt,
    path::{Path, PathBuf},
    process::{ChildStdin, Command, Stdio},
    time::Duration,
};

use serde::Deserialize;
use serde_json::{Value, json};
use thirtyfour::{
    By, ChromiumLikeCapabilities, DesiredCapabilities, RequestData, SessionId, WebDriver, WebElement,
    common::command::FormatRequestData, session::http::CmdResponse,
};
use tokio::{net::TcpStream, sync::OnceCell, time::sleep};

use super::place::free_port;

/// The colours a person prefers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Scheme {
    Light,
    Dark,
}

/// One browser session with an empty profile. Dereferences to thirtyfour's driver; closed when dropped.
#[derive(Debug)]
pub(crate) struct Chromium {
    driver: WebDriver,
}

impl Chromium {
    /// Opens a window of this size.
    pub(crate) async fn open(width: u32, height: u32) -> Self {
        let mut capabilities = DesiredCapabilities::chrome();
        for flag in [
            "--headless",
            "--no-sandbox",
            "--disable-gpu",
            "--disable-quic",
            "--no-first-run",
            "--disable-background-networking",
            "--disable-component-update",
            "--disable-sync",
            "--disable-dev-shm-usage",
            "--lang=en",
        ] {
            capabilities.add_arg(flag).expect("a flag");
        }
        let driver = WebDriver::new(chromedriver().await, capabilities).await.expect("a browser session");
        driver.set_script_timeout(Duration::from_secs(30)).await.expect("a time limit");
        let browser = Self { driver };
        browser.resize(width, height).await;
        browser
    }

    /// Sets the size of the page, as small as the smallest phone too (windows have a least width, emulation has none).
    pub(crate) async fn resize(&self, width: u32, height: u32) {
        let size = json!({ "width": width, "height": height, "deviceScaleFactor": 1, "mobile": false });
        self.devtools("Emulation.setDeviceMetricsOverride", size).await;
    }

    pub(crate) async fn prefer(&self, scheme: Scheme) {
        let value = if scheme == Scheme::Dark { "dark" } else { "light" };
        self.emulate_media(&[("prefers-color-scheme", value)]).await;
    }

    /// Sets media features (`prefers-color-scheme`, `prefers-reduced-motion`, `forced-colors`, …), in place of earlier ones.
    pub(crate) async fn emulate_media(&self, features: &[(&str, &str)]) {
        let features: Vec<_> = features.iter().map(|(name, value)| json!({ "name": name, "value": value })).collect();
        self.devtools("Emulation.setEmulatedMedia", json!({ "features": features })).await;
    }

    /// Switches scripts off. Finding, typing and clicking still work; axe-core does not, so judge the pages before.
    pub(crate) async fn disable_scripts(&self) {
        self.devtools("Emulation.setScriptExecutionDisabled", json!({ "value": true })).await;
    }

    /// Sends a command of Chromium's developer tools protocol.
    pub(crate) async fn devtools(&self, command: &'static str, parameters: Value) -> Value {
        let answer = self.driver.cmd(DevTools { command, parameters }).await;
        answer.and_then(CmdResponse::value).unwrap_or_else(|error| panic!("{command}: {error}"))
    }

    pub(crate) async fn visit(&self, url: &str) {
        self.driver.goto(url).await.unwrap_or_else(|error| panic!("{url}: {error}"));
    }

    /// The element with this id; waits ten seconds for it.
    pub(crate) async fn id(&self, id: &str) -> WebElement {
        self.element(By::Id(id)).await
    }

    /// The first such element; waits ten seconds for it.
    pub(crate) async fn element(&self, by: By) -> WebElement {
        for _ in 0..200 {
            if let Ok(element) = self.driver.find(by.clone()).await {
                return element;
            }
            sleep(Duration::from_millis(50)).await;
        }
        let (url, source) = (self.driver.current_url().await, self.driver.source().await);
        panic!("there is no element {by:?} at {url:?}:\n{}", source.unwrap_or_default());
    }

    /// Until no element has this id any more, ten seconds at most.
    pub(crate) async fn gone(&self, id: &str) {
        for _ in 0..200 {
            if self.driver.find(By::Id(id)).await.is_err() {
                return;
            }
            sleep(Duration::from_millis(50)).await;
        }
        panic!("{id} is still there at {:?}", self.driver.current_url().await);
    }

    /// Empties a field and types into it.
    pub(crate) async fn fill(&self, id: &str, text: &str) {
        let field = self.id(id).await;
        field.clear().await.expect("an empty field");
        field.send_keys(text).await.expect("typing");
    }

    pub(crate) async fn click(&self, id: &str) {
        self.id(id).await.click().await.unwrap_or_else(|error| panic!("clicking {id}: {error}"));
    }

    /// What axe-core finds wrong on the page that is open.
    pub(crate) async fn accessibility_violations(&self) -> Vec<Violation> {
        const RUN: &str = "const done = arguments[arguments.length - 1];
            axe.run(document, { resultTypes: ['violations'] }).then(found => done(found.violations), done);";
        let path = super::needed("BONAFIDE_TEST_AXE", "This test needs axe-core.");
        let axe = fs::read_to_string(&path).unwrap_or_else(|error| panic!("{path}: {error}"));
        self.driver.execute(axe, Vec::new()).await.expect("loading axe-core");
        let found = self.driver.execute_async(RUN, Vec::new()).await.expect("running axe-core");
        found.convert().unwrap_or_else(|error| panic!("axe-core: {error}: {:#}", found.json()))
    }

    /// Checks the page that is open: accessible in light and dark, nothing hidden sideways. Takes a picture of both, as
    /// `target/screenshots/NAME-light.png` and `…-dark.png`.
    pub(crate) async fn expect_well_made(&self, name: &str) {
        let mut faults = String::new();
        for (scheme, suffix) in [(Scheme::Light, "light"), (Scheme::Dark, "dark")] {
            self.prefer(scheme).await;
            // Colours glide from one scheme to the other: judged is what they come to.
            let settle = "document.getAnimations().forEach(moving => moving.finish())";
            self.driver.execute(settle, Vec::new()).await.expect("an end of what moves");
            self.screenshot(&format!("{name}-{suffix}")).await;
            for violation in self.accessibility_violations().await {
                let _ = writeln!(faults, "{name} ({suffix}): {violation:#?}");
            }
        }
        let root = "return document.documentElement.scrollWidth - document.documentElement.clientWidth";
        let hidden: i64 =
            self.driver.execute(root, Vec::new()).await.and_then(|found| found.convert()).expect("a width");
        assert!(hidden <= 0, "{name}: {hidden} px stand out sideways");
        assert!(faults.is_empty(), "{faults}");
    }

    /// Takes a picture of the whole page: `target/screenshots/NAME.png`.
    pub(crate) async fn screenshot(&self, name: &str) -> PathBuf {
        use base64::{Engine as _, prelude::BASE64_STANDARD};

        let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).with_file_name("screenshots");
        fs::create_dir_all(&folder).expect("a folder");
        let path = folder.join(format!("{name}.png"));
        let options = json!({ "format": "png", "captureBeyondViewport": true });
        let picture = self.devtools("Page.captureScreenshot", options).await;
        let bytes = BASE64_STANDARD.decode(picture["data"].as_str().expect("a picture")).expect("a picture");
        fs::write(&path, bytes).expect("writing a picture");
        path
    }
}

impl Deref for Chromium {
    type Target = WebDriver;

    fn deref(&self) -> &WebDriver {
        &self.driver
    }
}

/// A rule of axe-core that the page breaks.
#[derive(Debug, Deserialize)]
pub(crate) struct Violation {
    pub(crate) id: String,
    pub(crate) impact: Option<String>,
    pub(crate) help: String,
    pub(crate) nodes: Vec<ViolationNode>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct ViolationNode {
    pub(crate) html: String,
    pub(crate) failure_summary: Option<String>,
}

#[derive(Debug)]
struct DevTools {
    command: &'static str,
    parameters: Value,
}

impl FormatRequestData for DevTools {
    fn format_request(&self, session: &SessionId) -> RequestData {
        RequestData::new(reqwest::Method::POST, format!("/session/{session}/goog/cdp/execute"))
            .add_body(json!({ "cmd": self.command, "params": self.parameters }))
    }
}

/// The address of this process's chromedriver, started by the first test that needs it.
async fn chromedriver() -> &'static str {
    static DRIVER: OnceCell<(String, ChildStdin)> = OnceCell::const_new();
    &DRIVER.get_or_init(start_chromedriver).await.0
}

#[expect(clippy::zombie_processes, reason = "it ends after this process")]
async fn start_chromedriver() -> (String, ChildStdin) {
    // Statics are never dropped, so the shell ends the driver and its browsers when our end of its input closes: when
    // this process ends, however it ends.
    const UNTIL_WE_END: &str = r#"
        TMPDIR=$(mktemp -d) && export TMPDIR || exit 1
        "$0" --port="$1" --silent <&- &
        cat
        kill -TERM $!
        sleep 1
        rm -rf "$TMPDIR"
        kill -KILL 0"#;
    let program = super::needed("BONAFIDE_TEST_CHROMEDRIVER", "This test needs Chromium and its driver.");
    let port = free_port();
    let shell = Command::new("sh")
        .args(["-c", UNTIL_WE_END, &program, &port.to_string()])
        .stdin(Stdio::piped())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .process_group(0)
        .spawn()
        .expect("a shell");
    let input = shell.stdin.expect("its input");
    for _ in 0..200 {
        if TcpStream::connect(("127.0.0.1", port)).await.is_ok() {
            return (format!("http://127.0.0.1:{port}"), input);
        }
        sleep(Duration::from_millis(50)).await;
    }
    panic!("{program} does not listen on port {port}");
}
