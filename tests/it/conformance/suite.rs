//! What a run of the suite needs: Bonafide as `deploy/conformance/prepare` sets it up, served over https, and somebody who
//! takes back-channel calls at the suite's address, with a certificate of its own authority.

use std::{
    fs,
    io::{BufRead as _, BufReader, Read as _, Write as _},
    net::{SocketAddr, TcpListener, TcpStream},
    os::unix::fs::symlink,
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    sync::{Arc, Mutex},
    thread,
    time::{Duration, Instant},
};

use openssl::ssl::{SslAcceptor, SslMethod, SslStream};
use serde_json::Value;
use tokio::sync::OnceCell;

use crate::support::{
    Wire,
    authority::{Authority, Pair},
    free_port,
};

/// What `prepare` may use. A new machine has these.
const TOOLS: [&str; 10] = ["bash", "openssl", "awk", "sed", "mkdir", "cat", "cp", "rm", "readlink", "dirname"];

/// Ends the server and removes the folder when the tests end, however they do: their end of the pipe closes then.
const KEEPER: &str = r#"trap '' INT HUP
"$0" --config "$1/bonafide.toml" serve >"$1/log" 2>&1 </dev/null &
read -r _
kill "$!"
wait
rm -rf "$1""#;

/// One for all tests of the module.
pub(super) struct Suite {
    pub(super) issuer: String,
    /// Where the suite is: its callbacks are below.
    pub(super) address: String,
    pub(super) folder: PathBuf,
    pub(super) wire: Wire,
    pub(super) receiver: Receiver,
    _keeper: Child,
}

impl Suite {
    pub(super) async fn get() -> &'static Self {
        static SUITE: OnceCell<Suite> = OnceCell::const_new();
        SUITE.get_or_init(Self::start).await
    }

    async fn start() -> Self {
        let authority = Authority::new();
        let receiver = Receiver::listen(&authority.issue());
        let folder = tempfile::tempdir().expect("a folder").keep();
        fs::write(folder.join("suite-ca.pem"), authority.pem()).expect("writing");
        let (issuer, address) =
            (format!("https://localhost:{}", free_port()), format!("https://localhost:{}", receiver.address.port()));
        prepare(&folder, &issuer, &address);
        let kept = fs::read(folder.join("import.toml")).expect("reading");
        // It can be run again: what is there stays.
        let said = prepare(&folder, &issuer, &address);
        assert!(said.contains("Ready in"), "{said}");
        assert_eq!(fs::read(folder.join("import.toml")).expect("reading"), kept);
        assert_eq!(fs::read(folder.join("suite-ca.pem")).expect("reading"), authority.pem());

        let management = format!("127.0.0.1:{}", free_port());
        let keeper = Command::new("bash")
            .args(["-c", KEEPER, env!("CARGO_BIN_EXE_bonafide")])
            .arg(&folder)
            .env_clear()
            .env("PATH", std::env::var_os("PATH").expect("a path"))
            .env("BONAFIDE_MANAGEMENT__LISTEN", &management)
            .stdin(Stdio::piped())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .expect("the server");
        let management = Wire::new(&format!("http://{management}"), &management);
        let deadline = Instant::now() + Duration::from_mins(1);
        while !management.call(reqwest::Method::GET, "/health/ready").try_send().await.is_ok_and(|a| a.status == 200) {
            let log = || fs::read_to_string(folder.join("log")).unwrap_or_default();
            assert!(Instant::now() < deadline, "not ready after a minute\n{}", log());
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
        let ca = fs::read(folder.join("ca.pem")).expect("the authority");
        let wire = Wire::secure(&issuer, issuer.trim_start_matches("https://"), &ca);
        Self { issuer, address, folder, wire, receiver, _keeper: keeper }
    }

    /// A configuration as it is given to the suite.
    pub(super) fn configuration(&self, name: &str) -> Value {
        let text = fs::read_to_string(self.folder.join(format!("{name}.json"))).expect("a configuration");
        serde_json::from_str(&text).unwrap_or_else(|error| panic!("{name}.json: {error}"))
    }

    /// What was imported.
    pub(super) fn import(&self) -> toml::Table {
        let text = fs::read_to_string(self.folder.join("import.toml")).expect("what was imported");
        toml::from_str(&text).unwrap_or_else(|error| panic!("import.toml: {error}"))
    }
}

/// Runs `prepare` with the tools that it may count on and no others; what it said.
fn prepare(folder: &Path, issuer: &str, suite: &str) -> String {
    let tools = tempfile::tempdir().expect("a folder");
    let path = std::env::var_os("PATH").expect("a path");
    for name in TOOLS {
        let found = std::env::split_paths(&path).map(|folder| folder.join(name)).find(|file| file.exists());
        symlink(found.unwrap_or_else(|| panic!("{name} is not installed")), tools.path().join(name)).expect("a link");
    }
    let output = Command::new(tools.path().join("bash"))
        .arg(Path::new(env!("CARGO_MANIFEST_DIR")).join("deploy/conformance/prepare"))
        .args(["--suite", suite, "--issuer", issuer, "--bonafide", env!("CARGO_BIN_EXE_bonafide")])
        .arg("--folder")
        .arg(folder)
        .env_clear()
        .env("PATH", tools.path())
        .output()
        .expect("running prepare");
    let (said, erred) = (String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    assert!(output.status.success(), "{}\n{said}\n{erred}", output.status);
    said.into_owned()
}

/// A call as it came to the suite's address.
#[derive(Clone, Debug)]
pub(super) struct Received {
    pub(super) method: String,
    pub(super) target: String,
    /// In lower case.
    pub(super) headers: Vec<(String, String)>,
    pub(super) body: String,
    pub(super) tls: &'static str,
}

/// The suite's front, as far as it is called: TLS, answers everything with 200. In threads, since it outlives a test.
pub(super) struct Receiver {
    address: SocketAddr,
    received: Arc<Mutex<Vec<Received>>>,
}

impl Receiver {
    fn listen(pair: &Pair) -> Self {
        let mut acceptor = SslAcceptor::mozilla_intermediate_v5(SslMethod::tls_server()).expect("an acceptor");
        acceptor.set_private_key(&pair.key).expect("a key");
        acceptor.set_certificate(&pair.certificate).expect("a certificate");
        let acceptor = acceptor.build();
        let listener = TcpListener::bind("127.0.0.1:0").expect("a listener");
        let address = listener.local_addr().expect("an address");
        let received = Arc::new(Mutex::new(Vec::new()));
        let told = Arc::clone(&received);
        thread::spawn(move || {
            for stream in listener.incoming() {
                let (acceptor, told) = (acceptor.clone(), Arc::clone(&told));
                thread::spawn(move || {
                    let mut stream = acceptor.accept(stream.expect("a connection")).expect("a handshake");
                    let call = read(&mut stream);
                    told.lock().unwrap().push(call);
                    let answer = b"HTTP/1.1 200 OK\r\ncontent-length: 0\r\nconnection: close\r\n\r\n";
                    stream.write_all(answer).expect("answering");
                });
            }
        });
        Self { address, received }
    }

    /// The calls of this path, when the first has come; the suite would wait for four minutes.
    pub(super) async fn calls(&self, path: &str) -> Vec<Received> {
        for _ in 0..1000 {
            let calls: Vec<_> =
                self.received.lock().unwrap().iter().filter(|call| call.target == path).cloned().collect();
            if !calls.is_empty() {
                return calls;
            }
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
        panic!("{path} was not called: {:#?}", self.received.lock().unwrap());
    }
}

fn read(stream: &mut SslStream<TcpStream>) -> Received {
    let tls = stream.ssl().version_str();
    let mut reader = BufReader::new(stream);
    let mut line = || {
        let mut line = String::new();
        reader.read_line(&mut line).expect("a line");
        line.trim_end().to_owned()
    };
    let first = line();
    let mut words = first.split(' ').map(str::to_owned);
    let (method, target) = (words.next().expect("a method"), words.next().expect("a target"));
    let mut headers = Vec::new();
    loop {
        let line = line();
        let Some((name, value)) = line.split_once(':') else { break };
        headers.push((name.to_ascii_lowercase(), value.trim().to_owned()));
    }
    let length = headers.iter().find(|(name, _)| name == "content-length").map_or("0", |(_, value)| value);
    let mut body = vec![0; length.parse().expect("a length")];
    reader.read_exact(&mut body).expect("a body");
    Received { method, target, headers, body: String::from_utf8(body).expect("text"), tls }
}
