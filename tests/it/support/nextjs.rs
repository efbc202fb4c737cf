//! `examples/nextjs`, built by `./test` and started beside a provider.

use std::{
    fs,
    io::{BufRead, BufReader},
    os::unix::process::CommandExt,
    path::{Path, PathBuf},
    process::{ChildStdin, Command, Stdio},
    sync::{Arc, Mutex},
    thread,
    time::Duration,
};

use tokio::time::sleep;

use super::{place::free_port, wire::Wire};

/// A running Next.js server. Dropped, it is ended.
#[derive(Debug)]
pub(crate) struct NextApp {
    /// `http://localhost:PORT`.
    pub(crate) url: String,
    port: u16,
    output: Arc<Mutex<String>>,
    /// The shell ends the server when its input ends.
    _input: ChildStdin,
}

impl NextApp {
    /// A port for one, so that its redirect URI can be registered before it starts.
    pub(crate) fn port() -> u16 {
        free_port()
    }

    /// Starts it with these variables in its environment and nothing else of ours.
    #[expect(clippy::zombie_processes, reason = "it ends when its input does, and is nobody's to wait for")]
    pub(crate) async fn start(port: u16, variables: &[(&str, &str)]) -> Self {
        // So it ends however we end.
        const UNTIL_WE_END: &str = r#"node node_modules/next/dist/bin/next start --hostname 127.0.0.1 --port "$1" <&- &
            cat
            kill -KILL 0"#;
        let url = format!("http://localhost:{port}");
        let mut command = Command::new("sh");
        command
            .args(["-c", UNTIL_WE_END, "sh", &port.to_string()])
            .current_dir(Self::folder())
            .env_clear()
            .env("NODE_ENV", "production")
            .env("NEXT_TELEMETRY_DISABLED", "1")
            .env("NEXTAUTH_URL", &url)
            .envs(variables.iter().copied())
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .process_group(0);
        if let Some(path) = std::env::var_os("PATH") {
            command.env("PATH", path);
        }
        let mut shell = command.spawn().expect("a shell");
        let output = Arc::default();
        collect(shell.stdout.take().expect("its output"), &output);
        collect(shell.stderr.take().expect("its errors"), &output);
        let app = Self { url, port, output, _input: shell.stdin.take().expect("its input") };
        for _ in 0..600 {
            if app.wire().call(reqwest::Method::GET, "/api/auth/csrf").try_send().await.is_ok() {
                return app;
            }
            sleep(Duration::from_millis(50)).await;
        }
        panic!("the example does not answer after half a minute");
    }

    /// What the build gives to browsers.
    pub(crate) fn browser_files() -> Vec<Vec<u8>> {
        fn below(folder: &Path) -> Vec<Vec<u8>> {
            let entries = fs::read_dir(folder).unwrap_or_else(|error| panic!("{}: {error}", folder.display()));
            let paths = entries.map(|entry| entry.expect("an entry").path());
            paths
                .flat_map(|path| if path.is_dir() { below(&path) } else { vec![fs::read(path).expect("a file")] })
                .collect()
        }
        below(&Self::folder().join(".next/static"))
    }

    fn folder() -> PathBuf {
        super::needed("BONAFIDE_TEST_NEXTJS", "This test needs examples/nextjs, built.").into()
    }

    pub(crate) fn wire(&self) -> Wire {
        Wire::new(&self.url, format!("127.0.0.1:{}", self.port))
    }

    /// What it has printed so far.
    pub(crate) fn output(&self) -> String {
        self.output.lock().unwrap().clone()
    }
}

impl Drop for NextApp {
    fn drop(&mut self) {
        if thread::panicking() {
            eprintln!("--- examples/nextjs\n{}", self.output());
        }
    }
}

fn collect(from: impl std::io::Read + Send + 'static, to: &Arc<Mutex<String>>) {
    let to = Arc::clone(to);
    thread::spawn(move || {
        for line in BufReader::new(from).lines().map_while(Result::ok) {
            let mut to = to.lock().unwrap();
            to.push_str(&line);
            to.push('\n');
        }
    });
}
