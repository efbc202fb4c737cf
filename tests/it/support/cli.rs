//! Running the program's commands to their end.

use std::{
    fmt,
    io::{Read, Write},
    process::{Command, ExitStatus, Stdio},
    thread,
    time::{Duration, Instant},
};

use serde::de::DeserializeOwned;

/// How a command ended, and what it said.
#[derive(Debug)]
pub(crate) struct CliOutput {
    pub(crate) status: ExitStatus,
    pub(crate) stdout: String,
    pub(crate) stderr: String,
}

impl CliOutput {
    /// Stops unless the command ended well.
    #[track_caller]
    pub(crate) fn expect_success(self) -> Self {
        assert!(self.status.success(), "{self}");
        self
    }

    /// Stops unless the command ended with this code (2: refused to start).
    #[track_caller]
    pub(crate) fn expect_code(self, code: i32) -> Self {
        assert_eq!(self.status.code(), Some(code), "{self}");
        self
    }

    /// What `--json` printed: the whole of standard output is one value.
    #[track_caller]
    pub(crate) fn json<T: DeserializeOwned>(&self) -> T {
        assert!(self.status.success(), "{self}");
        serde_json::from_str(&self.stdout).unwrap_or_else(|error| panic!("{error}: {self}"))
    }
}

impl fmt::Display for CliOutput {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{}\n--- stdout\n{}\n--- stderr\n{}", self.status, self.stdout, self.stderr)
    }
}

/// Runs a command to its end; one that takes more than a minute is killed, which its status shows.
pub(super) fn run(mut command: Command, input: &str) -> CliOutput {
    let mut child = command
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap_or_else(|error| panic!("{command:?}: {error}"));
    let mut stdin = child.stdin.take().expect("its input");
    let stdout = child.stdout.take().expect("its output");
    let stderr = child.stderr.take().expect("its errors");
    thread::scope(|threads| {
        // A program that does not read its input may be gone by now.
        threads.spawn(move || stdin.write_all(input.as_bytes()).ok());
        let stdout = threads.spawn(move || read_to_end(stdout));
        let stderr = threads.spawn(move || read_to_end(stderr));
        let deadline = Instant::now() + Duration::from_mins(1);
        let status = loop {
            if let Some(status) = child.try_wait().expect("waiting for the program") {
                break status;
            }
            if Instant::now() > deadline {
                child.kill().expect("killing the program");
            }
            thread::sleep(Duration::from_millis(5));
        };
        CliOutput { status, stdout: stdout.join().expect("its output"), stderr: stderr.join().expect("its errors") }
    })
}

fn read_to_end(mut from: impl Read) -> String {
    let mut bytes = Vec::new();
    from.read_to_end(&mut bytes).expect("reading what the program says");
    String::from_utf8_lossy(&bytes).into_owned()
}
