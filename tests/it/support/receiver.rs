//! What an application has for back-channel logout: an address that takes posts, and answers as the test says.

use std::{
    sync::{Arc, Mutex},
    time::Duration,
};

use axum::{
    Router,
    body::{Bytes, to_bytes},
    extract::{Request, State},
    http::{HeaderMap, Method, StatusCode, header},
    response::{IntoResponse, Response},
};
use tokio::{net::TcpListener, time::sleep};

/// A request as it came.
#[derive(Clone, Debug)]
pub(crate) struct Received {
    pub(crate) method: Method,
    /// Path and query.
    pub(crate) target: String,
    pub(crate) headers: HeaderMap,
    pub(crate) body: Bytes,
}

/// What is answered.
#[derive(Clone, Debug)]
pub(crate) enum Say {
    Status(StatusCode),
    Redirect(String),
    /// Nothing at all.
    Nothing,
}

/// Listens on a loopback port as long as the test runs, and remembers what it was sent.
#[derive(Clone, Debug)]
pub(crate) struct Receiver {
    /// `127.0.0.1:PORT`, for `outgoing.allow`.
    pub(crate) address: String,
    state: Arc<Mutex<Told>>,
}

#[derive(Debug)]
struct Told {
    received: Vec<Received>,
    say: Say,
}

impl Receiver {
    /// Answers everything with 200.
    pub(crate) async fn listen() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a listener");
        let address = listener.local_addr().expect("an address").to_string();
        let state = Arc::new(Mutex::new(Told { received: Vec::new(), say: Say::Status(StatusCode::OK) }));
        let router = Router::new().fallback(take).with_state(Arc::clone(&state));
        tokio::spawn(async move { axum::serve(listener, router).await });
        Self { address, state }
    }

    pub(crate) fn uri(&self) -> String {
        format!("http://{}/backchannel?tenant=a", self.address)
    }

    pub(crate) fn say(&self, say: Say) {
        self.state.lock().unwrap().say = say;
    }

    pub(crate) fn received(&self) -> Vec<Received> {
        self.state.lock().unwrap().received.clone()
    }

    /// Waits until this many requests have come, ten seconds at most; stops if there are more.
    pub(crate) async fn expect(&self, count: usize) -> Vec<Received> {
        for _ in 0..1000 {
            let received = self.received();
            assert!(received.len() <= count, "more than {count}: {received:#?}");
            if received.len() == count {
                return received;
            }
            sleep(Duration::from_millis(10)).await;
        }
        panic!("not {count} requests: {:#?}", self.received());
    }

    /// Stops if anything more comes while one could have.
    pub(crate) async fn expect_no_more_than(&self, count: usize) {
        sleep(Duration::from_millis(2500)).await;
        self.expect(count).await;
    }
}

async fn take(State(state): State<Arc<Mutex<Told>>>, request: Request) -> Response {
    let (parts, body) = request.into_parts();
    let body = to_bytes(body, 1 << 20).await.expect("a body");
    let target = parts.uri.to_string();
    let say = {
        let mut told = state.lock().unwrap();
        told.received.push(Received { method: parts.method, target, headers: parts.headers, body });
        told.say.clone()
    };
    match say {
        Say::Status(status) => status.into_response(),
        Say::Redirect(to) => (StatusCode::FOUND, [(header::LOCATION, to)]).into_response(),
        Say::Nothing => std::future::pending().await,
    }
}
