//! An application's callback address that somebody listens on, for real browsers.

use std::{
    collections::VecDeque,
    sync::{Arc, Mutex},
};

use axum::{
    Router,
    body::to_bytes,
    extract::{Request, State},
    http::Method,
    response::Html,
};
use tokio::{net::TcpListener, sync::Notify};
use url::Url;

/// The fragment of a call that came by POST; its query is the body then.
pub(crate) const POSTED: &str = "posted";

/// Listens on a loopback port as long as the test runs, and remembers what it was asked for.
#[derive(Clone, Debug)]
pub(crate) struct Callback {
    /// `http://127.0.0.1:PORT/callback`.
    pub(crate) uri: String,
    calls: Calls,
}

type Calls = Arc<(Mutex<VecDeque<Url>>, Notify)>;

impl Callback {
    pub(crate) async fn listen() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a listener");
        let origin = format!("http://{}", listener.local_addr().expect("an address"));
        let calls = Calls::default();
        let router = Router::new().fallback(remember).with_state((origin.clone(), Arc::clone(&calls)));
        tokio::spawn(async move { axum::serve(listener, router).await });
        Self { uri: format!("{origin}/callback"), calls }
    }

    /// The next call of the callback, waiting for it ten seconds at most.
    pub(crate) async fn next(&self) -> Url {
        let next = async {
            loop {
                let call = self.calls.0.lock().unwrap().pop_front();
                match call {
                    Some(url) => return url,
                    None => self.calls.1.notified().await,
                }
            }
        };
        tokio::time::timeout(std::time::Duration::from_secs(10), next).await.expect("the application was not called")
    }
}

async fn remember(State((origin, calls)): State<(String, Calls)>, request: Request) -> Html<&'static str> {
    let mut url = Url::parse(&format!("{origin}{}", request.uri())).expect("a URL");
    if request.method() == Method::POST {
        let body = to_bytes(request.into_body(), 65_536).await.expect("a body");
        url.set_query(std::str::from_utf8(&body).ok());
        url.set_fragment(Some(POSTED));
    }
    if url.path() == "/callback" {
        calls.0.lock().unwrap().push_back(url);
        calls.1.notify_one();
    }
    Html("<!doctype html><html lang=en><title>Back at the application</title><p>Signed in.</p>")
}
