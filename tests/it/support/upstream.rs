//! `tests/upstream`, the provider `oidc-provider`, started beside ours, and people who sign in there.

use std::{
    collections::BTreeMap,
    io::{BufRead, BufReader},
    path::PathBuf,
    process::{Child, ChildStdin, Command, Stdio},
    sync::{Arc, Mutex, mpsc},
    thread,
    time::Duration,
};

use reqwest::{Client, Method, Response, redirect};
use serde::Deserialize;
use serde_json::{Value, json};
use url::Url;

use super::{flow::random, html, wire::Wire};

/// A running provider that is not ours. Dropped, it is ended.
#[derive(Debug)]
pub(crate) struct Upstream {
    /// `http://127.0.0.1:PORT`.
    pub(crate) issuer: String,
    /// `127.0.0.1:PORT`, for `outgoing.allow`.
    pub(crate) address: String,
    /// What a server of ours is registered as, once it is.
    pub(crate) client_id: String,
    pub(crate) client_secret: String,
    child: Child,
    output: Arc<Mutex<String>>,
    /// It ends when its input does, so it ends however we end.
    _input: ChildStdin,
}

/// What it has been asked.
#[derive(Clone, Debug, Deserialize)]
pub(crate) struct Seen {
    /// How often each path was asked for.
    pub(crate) requests: BTreeMap<String, usize>,
    /// The parameters of the last authorization request.
    pub(crate) authorization: Option<BTreeMap<String, String>>,
    /// What became of the logout tokens that it has sent.
    pub(crate) logouts: Vec<Told>,
}

/// One logout token sent.
#[derive(Clone, Debug, Deserialize)]
pub(crate) struct Told {
    pub(crate) client: String,
    pub(crate) error: Option<String>,
}

impl Upstream {
    /// Everybody's password.
    pub(crate) const PASSWORD: &str = "upstream";

    /// Starts it with these people (login → claims, `acr`, `amr`), and without clients.
    pub(crate) async fn start(people: Value) -> Self {
        Self::start_at(0, people).await
    }

    /// The same at a port where another one was.
    #[expect(clippy::unused_async, reason = "as what starts other programs here")]
    pub(crate) async fn start_at(port: u16, people: Value) -> Self {
        let settings = json!({ "port": port, "password": Self::PASSWORD, "people": people });
        let mut command = Command::new("node");
        command
            .arg("server.mjs")
            .current_dir(Self::folder())
            .env_clear()
            .env("UPSTREAM", settings.to_string())
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped());
        if let Some(path) = std::env::var_os("PATH") {
            command.env("PATH", path);
        }
        let mut child = command.spawn().unwrap_or_else(|error| panic!("node: {error}"));
        let output = Arc::default();
        let (listens, listening) = mpsc::channel();
        collect(child.stdout.take().expect("its output"), &output, Some(listens));
        collect(child.stderr.take().expect("its errors"), &output, None);
        let input = child.stdin.take().expect("its input");
        let listening = tokio::task::block_in_place(|| listening.recv_timeout(Duration::from_secs(30)));
        let Ok(issuer) = listening else {
            let _ = child.kill();
            let _ = child.wait();
            panic!("tests/upstream does not listen:\n{}", output.lock().unwrap());
        };
        let address = issuer.strip_prefix("http://").expect("an issuer").to_owned();
        let (client_id, client_secret) = ("bonafide".to_owned(), random());
        Self { issuer, address, client_id, client_secret, child, output, _input: input }
    }

    fn folder() -> PathBuf {
        super::needed("BONAFIDE_TEST_UPSTREAM", "This test needs tests/upstream with its node_modules.").into()
    }

    /// Registers these clients (RFC 7591, with `client_id`) in place of all others.
    pub(crate) async fn register(&self, clients: &Value) {
        self.control(Method::PUT, "clients", Some(clients)).await;
    }

    /// The settings that make it a provider of this name, and that let it be reached.
    pub(crate) fn settings(&self, name: &str) -> Vec<(String, String)> {
        let of = |member: &str, value: &str| (format!("providers.{name}.{member}"), value.to_owned());
        vec![
            of("issuer", &self.issuer),
            of("client_id", &self.client_id),
            of("client_secret", &self.client_secret),
            ("outgoing.allow".to_owned(), self.address.clone()),
        ]
    }

    /// Registers a server of ours, where this is a provider of that name, as its only client; `more` besides or instead, null in
    /// place of nothing.
    pub(crate) async fn register_us(&self, issuer: &str, name: &str, more: &Value) {
        let mut client = json!({
            "client_id": self.client_id,
            "client_secret": self.client_secret,
            "redirect_uris": [format!("{issuer}/providers/{name}/callback")],
            "post_logout_redirect_uris": [format!("{issuer}/providers/signed-out")],
            "backchannel_logout_uri": format!("{issuer}/providers/{name}/backchannel-logout"),
            "backchannel_logout_session_required": true,
        });
        let members = client.as_object_mut().expect("an object");
        members.extend(more.as_object().expect("an object").clone());
        members.retain(|_, value| !value.is_null());
        self.register(&json!([client])).await;
    }

    /// Has these people in place of all others.
    pub(crate) async fn people(&self, people: &Value) {
        self.control(Method::PUT, "people", Some(people)).await;
    }

    /// Signs with new keys from now on; the old ones are published no more.
    pub(crate) async fn rotate_keys(&self) {
        self.control(Method::POST, "rotate", None).await;
    }

    pub(crate) async fn seen(&self) -> Seen {
        self.control(Method::GET, "seen", None).await
    }

    async fn control(&self, method: Method, what: &str, body: Option<&Value>) -> Seen {
        let mut call = self.wire().call(method, &format!("/control/{what}"));
        if let Some(body) = body {
            call = call.json(body);
        }
        call.send().await.expect_status(200).json()
    }

    pub(crate) fn wire(&self) -> Wire {
        Wire::new(&self.issuer, &self.address)
    }

    /// Somebody's browser, as far as this provider sees it.
    pub(crate) fn visitor(&self) -> Visitor {
        let client = Client::builder().cookie_store(true).redirect(redirect::Policy::none()).no_proxy().build();
        Visitor { issuer: Url::parse(&self.issuer).expect("a URL"), client: client.expect("an HTTP client") }
    }
}

impl Drop for Upstream {
    fn drop(&mut self) {
        // It may have ended by itself.
        let _ = self.child.kill();
        let _ = self.child.wait();
        if thread::panicking() {
            eprintln!("--- tests/upstream\n{}", self.output.lock().unwrap());
        }
    }
}

/// Keeps what it prints, and tells once where it listens.
fn collect(
    from: impl std::io::Read + Send + 'static,
    to: &Arc<Mutex<String>>,
    mut listens: Option<mpsc::Sender<String>>,
) {
    let to = Arc::clone(to);
    thread::spawn(move || {
        for line in BufReader::new(from).lines().map_while(Result::ok) {
            if let Some(issuer) = line.strip_prefix("issuer ")
                && let Some(listens) = listens.take()
            {
                let _ = listens.send(issuer.to_owned());
            }
            let mut to = to.lock().unwrap();
            to.push_str(&line);
            to.push('\n');
        }
    });
}

/// The cookies that somebody's browser has there.
#[derive(Clone, Debug)]
pub(crate) struct Visitor {
    issuer: Url,
    client: Client,
}

impl Visitor {
    /// Goes to this address there, signs in where it is asked to, confirms what it is asked; where it is sent in the end.
    pub(crate) async fn go(&self, url: &Url, login: &str) -> Url {
        self.walk(url, login).await.unwrap_or_else(|page| panic!("it ends there:\n{page}"))
    }

    /// The page on which it ends there, as [`Visitor::go`].
    pub(crate) async fn stay(&self, url: &Url, login: &str) -> String {
        self.walk(url, login).await.expect_err("a page there")
    }

    async fn walk(&self, url: &Url, login: &str) -> Result<Url, String> {
        let mut url = url.clone();
        let mut answer = self.get(&url).await;
        for _ in 0..12 {
            if answer.status().is_redirection() {
                let to = answer.headers()["location"].to_str().expect("text");
                url = url.join(to).expect("a URL");
                if url.origin() != self.issuer.origin() {
                    return Ok(url);
                }
                answer = self.get(&url).await;
                continue;
            }
            let status = answer.status();
            let page = answer.text().await.expect("a page");
            let Some(form) = html::forms(&page).into_iter().next().filter(|_| status.is_success()) else {
                return Err(page);
            };
            let mut fields = form.fields;
            if page.contains("upstream-sign-in") {
                assert!(!page.contains("role=\"alert\""), "{login} cannot sign in:\n{page}");
                fields = vec![
                    ("login".to_owned(), login.to_owned()),
                    ("password".to_owned(), Upstream::PASSWORD.to_owned()),
                ];
            } else if page.contains("upstream-sign-out") {
                fields.push(("logout".to_owned(), "yes".to_owned()));
            }
            url = url.join(&form.action).expect("a URL");
            answer = self.client.post(url.clone()).form(&fields).send().await.expect("an answer");
        }
        panic!("no end of it at {url}");
    }

    async fn get(&self, url: &Url) -> Response {
        self.client.get(url.clone()).send().await.unwrap_or_else(|error| panic!("{url}: {error}"))
    }
}
