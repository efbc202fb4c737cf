//! Listeners: bind, take connections within limits, tell what they speak, let them finish.

use std::io::Cursor;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use hyper::service::service_fn;
use hyper_util::rt::{TokioExecutor, TokioIo, TokioTimer};
use hyper_util::server::conn::auto;
use hyper_util::server::graceful::{GracefulShutdown, Watcher};
use tokio::io::{AsyncRead, AsyncReadExt as _, AsyncWrite};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::Semaphore;
use tokio_openssl::SslStream;
use tokio_util::sync::CancellationToken;
use tower::ServiceExt as _;

use super::StartError;
use super::tls::Tls;
use crate::http;
use crate::platform::settings::{Http, Listen};

/// What every HTTP/2 connection begins with (RFC 9113 section 3.4).
const HTTP_2: &[u8; 24] = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";

type Builder = auto::Builder<TokioExecutor>;

/// How a listener's connections are answered.
#[derive(Clone)]
pub(super) struct Front {
    pub(super) router: Router,
    pub(super) settings: Http,
    /// Connections at once.
    pub(super) limit: Arc<Semaphore>,
    /// None: plain HTTP.
    pub(super) tls: Option<Arc<Tls>>,
}

pub(super) async fn bind(setting: &'static str, listen: &Listen) -> Result<Vec<(TcpListener, SocketAddr)>, StartError> {
    let mut bound: Vec<(TcpListener, SocketAddr)> = Vec::new();
    for mut address in listen.addresses() {
        // Port 0: the second loopback address takes the port that the first was given.
        if let (0, Some((_, first))) = (address.port(), bound.first()) {
            address.set_port(first.port());
        }
        match TcpListener::bind(address)
            .await
            .and_then(|listener| listener.local_addr().map(|address| (listener, address)))
        {
            Ok(pair) => bound.push(pair),
            // A machine without IPv6 still has `localhost`.
            Err(error)
                if address.is_ipv6() && !bound.is_empty() && error.kind() == std::io::ErrorKind::AddrNotAvailable =>
            {
                tracing::warn!(%address, "there is no IPv6 here");
            }
            Err(source) => return Err(StartError::Listen { setting, address, source }),
        }
    }
    Ok(bound)
}

/// Takes connections until told to stop, then lets those that are open finish.
pub(super) async fn accept(listener: TcpListener, front: Front, stop: CancellationToken) {
    let graceful = GracefulShutdown::new();
    let builder = builder(&front.settings);
    loop {
        // Above the limit connections wait in the kernel's queue.
        let Ok(permit) = front.limit.clone().acquire_owned().await else { break };
        let accepted = tokio::select! {
            () = stop.cancelled() => break,
            accepted = listener.accept() => accepted,
        };
        let (stream, peer) = match accepted {
            Ok(accepted) => accepted,
            Err(error) => {
                // Out of file descriptors, or a connection that was gone before it was taken.
                tracing::warn!(%error, "a connection was not accepted");
                tokio::time::sleep(Duration::from_millis(50)).await;
                continue;
            }
        };
        let (front, builder, watcher, stop) = (front.clone(), builder.clone(), graceful.watcher(), stop.clone());
        tokio::spawn(async move {
            let opened = tokio::select! {
                () = stop.cancelled() => None,
                opened = tokio::time::timeout(front.settings.header_timeout.duration(), open(stream, front.tls)) => {
                    opened.ok().flatten()
                }
            };
            match opened {
                Some(Opened::Plain(stream)) => answer(builder, stream, front.router, peer, watcher).await,
                Some(Opened::Http1(stream)) => answer(builder.http1_only(), *stream, front.router, peer, watcher).await,
                Some(Opened::Http2(stream)) => {
                    // hyper wants to read the preface itself.
                    let (reader, writer) = tokio::io::split(*stream);
                    let stream = tokio::io::join(Cursor::new(HTTP_2).chain(reader), writer);
                    answer(builder.http2_only(), stream, front.router, peer, watcher).await;
                }
                None => {}
            }
            drop(permit);
        });
    }
    drop(listener);
    graceful.shutdown().await;
}

fn builder(settings: &Http) -> Builder {
    let mut builder = Builder::new(TokioExecutor::new());
    builder
        .http1()
        .timer(TokioTimer::new())
        .header_read_timeout(settings.header_timeout.duration())
        .max_buf_size(128 * 1024);
    builder
        .http2()
        .timer(TokioTimer::new())
        .max_concurrent_streams(64)
        .max_header_list_size(64 * 1024)
        .max_pending_accept_reset_streams(20)
        .keep_alive_interval(Duration::from_secs(30))
        .keep_alive_timeout(Duration::from_secs(10));
    builder
}

/// A connection of which it is known what it speaks.
enum Opened {
    /// HTTP/1.1 or HTTP/2, as its first bytes say.
    Plain(TcpStream),
    Http1(Box<SslStream<TcpStream>>),
    /// The preface has been read.
    Http2(Box<SslStream<TcpStream>>),
}

/// Waits until it can be told what a connection speaks. What follows has time limits of its own; here there are none, and
/// callers that say nothing would hold their places for ever.
async fn open(stream: TcpStream, tls: Option<Arc<Tls>>) -> Option<Opened> {
    // Answers are small and whole: waiting for more only delays them.
    let _ = stream.set_nodelay(true);
    let Some(tls) = tls else {
        return speaks(&stream).await.then_some(Opened::Plain(stream));
    };
    let mut stream = match tls.accept(stream).await {
        Ok(stream) => Box::new(stream),
        Err(error) => {
            tracing::debug!(%error, "a connection did not come to speak TLS");
            return None;
        }
    };
    if stream.ssl().selected_alpn_protocol() != Some(b"h2") {
        return Some(Opened::Http1(stream));
    }
    let mut preface = [0; HTTP_2.len()];
    stream.read_exact(&mut preface).await.ok()?;
    (preface == *HTTP_2).then_some(Opened::Http2(stream))
}

/// Waits until the first bytes of a plain connection say what it speaks.
async fn speaks(stream: &TcpStream) -> bool {
    let mut seen = [0; HTTP_2.len()];
    loop {
        match stream.peek(&mut seen).await {
            Ok(0) | Err(_) => return false,
            Ok(length) if length == seen.len() || !seen.get(..length).is_some_and(|seen| HTTP_2.starts_with(seen)) => {
                return true;
            }
            // A part of the preface can be seen again at once, so this looks again in a while.
            Ok(_) => tokio::time::sleep(Duration::from_millis(20)).await,
        }
    }
}

async fn answer<S>(builder: Builder, stream: S, router: Router, peer: SocketAddr, watcher: Watcher)
where
    S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
{
    let service = service_fn(move |mut request: hyper::Request<hyper::body::Incoming>| {
        request.extensions_mut().insert(http::Peer(peer));
        router.clone().oneshot(request)
    });
    let connection = watcher.watch(builder.serve_connection(TokioIo::new(stream), service).into_owned());
    if let Err(error) = connection.await {
        tracing::debug!(%error, "a connection ended");
    }
}
