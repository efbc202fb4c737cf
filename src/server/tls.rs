//! TLS on the listeners, by a pair of files that is read again when they change.

use std::fs;
use std::os::unix::fs::MetadataExt as _;
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use arc_swap::ArcSwap;
use openssl::ssl::{Ssl, SslContext};
use tokio::net::TcpStream;
use tokio_openssl::SslStream;
use tokio_util::sync::CancellationToken;

use crate::platform::certificate::{Certificate, CertificateError};
use crate::platform::settings;

/// How often the files are looked at.
const LOOK: Duration = Duration::from_secs(1);

/// After so many looks the pair is made anew although nothing changed, half a day later: tickets are sealed under a key that
/// the context draws, and who finds that one should not read far back (RFC 9325 section 3.4).
const LOOKS_OF_A_CONTEXT: u32 = 12 * 60 * 60;

/// What takes TLS connections now.
pub(super) struct Tls {
    settings: settings::Tls,
    context: ArcSwap<SslContext>,
    /// The files as they were when they were first read.
    first: (Stamp, Stamp),
}

/// What tells one state of a file from another: its place on the disk, its size, its times.
type Stamp = Option<(u64, u64, u64, i64, i64, i64, i64)>;

impl Tls {
    /// Reads the pair. None where the settings name none: then we speak plain HTTP.
    pub(super) fn load(settings: &settings::Tls) -> Result<Option<Arc<Self>>, CertificateError> {
        if !settings.is_set() {
            return Ok(None);
        }
        let first = (stamp(&settings.certificate), stamp(&settings.key));
        let context = ArcSwap::from_pointee(Certificate::read(settings)?.context()?);
        Ok(Some(Arc::new(Self { settings: settings.clone(), context, first })))
    }

    /// Shakes hands; has no time limit of its own.
    pub(super) async fn accept(&self, stream: TcpStream) -> Result<SslStream<TcpStream>, openssl::ssl::Error> {
        let mut stream = SslStream::new(Ssl::new(&self.context.load())?, stream)?;
        Pin::new(&mut stream).accept().await?;
        Ok(stream)
    }

    /// Takes over a new pair when the files change. One that does not do is reported, and the old one stays in force.
    pub(super) async fn follow(self: Arc<Self>, stopped: CancellationToken) {
        let mut seen = self.first;
        let mut looks = 0;
        loop {
            tokio::select! {
                () = stopped.cancelled() => return,
                () = tokio::time::sleep(LOOK) => {}
            }
            looks += 1;
            let found = self.stamps().await;
            if found == seen && looks < LOOKS_OF_A_CONTEXT {
                continue;
            }
            (seen, looks) = (found, 0);
            let tls = self.clone();
            match tokio::task::spawn_blocking(move || Certificate::read(&tls.settings)?.context()).await {
                Ok(Ok(context)) => {
                    self.context.store(Arc::new(context));
                    tracing::info!(file = self.settings.certificate, "the certificate was read again");
                }
                Ok(Err(error)) => {
                    tracing::error!(%error, "the new certificate does not do; the old one stays in force");
                }
                Err(error) => tracing::error!(%error, "the certificate could not be read again"),
            }
        }
    }

    async fn stamps(&self) -> (Stamp, Stamp) {
        let (certificate, key) = (self.settings.certificate.clone(), self.settings.key.clone());
        tokio::task::spawn_blocking(move || (stamp(&certificate), stamp(&key))).await.unwrap_or_default()
    }
}

fn stamp(path: &str) -> Stamp {
    let file = fs::metadata(path).ok()?;
    Some((file.dev(), file.ino(), file.size(), file.mtime(), file.mtime_nsec(), file.ctime(), file.ctime_nsec()))
}
