//! The stores of clouds, by the program's one way out and its one C crypto library instead of those that the crate would bring.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use hmac::{Hmac, Mac as _};
use http_body_util::BodyExt as _;
use object_store::aws::AmazonS3Builder;
use object_store::azure::MicrosoftAzureBuilder;
use object_store::client::{
    CryptoProvider, DigestAlgorithm, DigestContext, HmacContext, HttpClient, HttpConnector, HttpError, HttpErrorKind,
    HttpRequest, HttpResponse, HttpResponseBody, HttpService, Signer, SigningAlgorithm,
};
use object_store::gcp::GoogleCloudStorageBuilder;
use object_store::path::Path;
use object_store::{BackoffConfig, ClientOptions, ObjectStore, RetryConfig};
use openssl::hash::MessageDigest;
use openssl::pkey::{PKey, Private};
use sha2::{Digest as _, Sha256};

use super::StorageError;
use crate::platform::outgoing::{Outgoing, OutgoingError};
use crate::platform::settings::{self, Place};

/// The largest thing that is kept there.
const LARGEST: usize = 4 * 1024 * 1024;

pub(super) fn open(
    place: &Place,
    storage: &settings::Storage,
    outgoing: &settings::Outgoing,
) -> Result<(Arc<dyn ObjectStore>, Path), StorageError> {
    let way = Way(Outgoing::new(outgoing, &[])?);
    let crypto = Arc::new(OpenSsl);
    let http = storage.endpoint.starts_with("http://");
    let endpoint = Some(storage.endpoint.trim_end_matches('/')).filter(|endpoint| !endpoint.is_empty());
    let key = storage.key.expose();
    let (store, prefix): (Arc<dyn ObjectStore>, &str) = match place {
        Place::Folder(_) => return Err(StorageError::Place("is a folder".to_owned())),
        Place::S3(bucket, prefix) => {
            let mut builder = AmazonS3Builder::new()
                .with_bucket_name(bucket)
                .with_region(&storage.region)
                .with_access_key_id(&storage.key_id)
                .with_secret_access_key(key)
                .with_allow_http(http)
                // One thing at a time, which everything that speaks like S3 knows.
                .with_disable_bulk_delete(true)
                .with_retry(retry())
                .with_crypto_provider(crypto)
                .with_http_connector(way);
            if let Some(endpoint) = endpoint {
                builder = builder.with_endpoint(endpoint);
            }
            (Arc::new(builder.build()?), prefix)
        }
        Place::Azure(container, prefix) => {
            let mut builder = MicrosoftAzureBuilder::new()
                .with_container_name(container)
                .with_account(&storage.key_id)
                .with_access_key(key)
                .with_allow_http(http)
                .with_retry(retry())
                .with_crypto_provider(crypto)
                .with_http_connector(way);
            if let Some(endpoint) = endpoint {
                builder = builder.with_endpoint(endpoint.to_owned());
            }
            (Arc::new(builder.build()?), prefix)
        }
        Place::Google(bucket, prefix) => {
            let mut builder = GoogleCloudStorageBuilder::new()
                .with_bucket_name(bucket)
                .with_service_account_key(key)
                .with_client_options(ClientOptions::new().with_allow_http(http))
                .with_retry(retry())
                .with_crypto_provider(crypto)
                .with_http_connector(way);
            if let Some(endpoint) = endpoint {
                builder = builder.with_base_url(endpoint);
            }
            (Arc::new(builder.build()?), prefix)
        }
    };
    let prefix = Path::parse(prefix).map_err(|error| StorageError::Place(error.to_string()))?;
    Ok((store, prefix))
}

/// Somebody waits.
fn retry() -> RetryConfig {
    let init_backoff = Duration::from_millis(100);
    RetryConfig {
        backoff: BackoffConfig { init_backoff, max_backoff: Duration::from_secs(1), base: 2.0 },
        max_retries: 2,
        retry_timeout: Duration::from_secs(10),
    }
}

/// The guarded client, as the store's crate calls one.
#[derive(Clone)]
struct Way(Outgoing);

impl fmt::Debug for Way {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Way")
    }
}

impl HttpConnector for Way {
    fn connect(&self, _: &ClientOptions) -> object_store::Result<HttpClient> {
        Ok(HttpClient::new(self.clone()))
    }
}

#[async_trait]
impl HttpService for Way {
    async fn call(&self, request: HttpRequest) -> Result<HttpResponse, HttpError> {
        let (head, body) = request.into_parts();
        let body = body.collect().await?.to_bytes().to_vec();
        let answer = self.0.send_at_most(hyper::Request::from_parts(head, body), LARGEST).await.map_err(fault)?;
        let mut response = HttpResponse::new(HttpResponseBody::from(answer.body));
        *response.status_mut() = answer.status;
        *response.headers_mut() = answer.headers;
        Ok(response)
    }
}

fn fault(error: OutgoingError) -> HttpError {
    let kind = match &error {
        OutgoingError::Request(request) if request.is_timeout() => HttpErrorKind::Timeout,
        OutgoingError::Request(request) if request.is_connect() => HttpErrorKind::Connect,
        OutgoingError::Request(_) => HttpErrorKind::Interrupted,
        _ => HttpErrorKind::Unknown,
    };
    HttpError::new(kind, error)
}

/// What requests to these stores are signed by.
#[derive(Debug)]
struct OpenSsl;

impl CryptoProvider for OpenSsl {
    fn digest(&self, algorithm: DigestAlgorithm) -> object_store::Result<Box<dyn DigestContext>> {
        require(algorithm == DigestAlgorithm::Sha256)?;
        Ok(Box::new(Hash { running: Sha256::new(), done: [0; 32] }))
    }

    fn hmac(&self, algorithm: DigestAlgorithm, secret: &[u8]) -> object_store::Result<Box<dyn HmacContext>> {
        require(algorithm == DigestAlgorithm::Sha256)?;
        let running = Hmac::<Sha256>::new_from_slice(secret).map_err(refused)?;
        Ok(Box::new(Code { running, done: [0; 32] }))
    }

    fn sign(&self, algorithm: SigningAlgorithm, pem: &[u8]) -> object_store::Result<Box<dyn Signer>> {
        require(algorithm == SigningAlgorithm::RS256)?;
        Ok(Box::new(Rsa(PKey::private_key_from_pem(pem).map_err(refused)?)))
    }
}

struct Hash {
    running: Sha256,
    done: [u8; 32],
}

impl DigestContext for Hash {
    fn update(&mut self, data: &[u8]) {
        self.running.update(data);
    }

    fn finish(&mut self) -> object_store::Result<&[u8]> {
        self.done = self.running.finalize_reset().into();
        Ok(&self.done)
    }
}

struct Code {
    running: Hmac<Sha256>,
    done: [u8; 32],
}

impl HmacContext for Code {
    fn update(&mut self, data: &[u8]) {
        self.running.update(data);
    }

    fn finish(&mut self) -> object_store::Result<&[u8]> {
        self.done = self.running.clone().finalize().into_bytes().into();
        Ok(&self.done)
    }
}

struct Rsa(PKey<Private>);

impl Signer for Rsa {
    fn sign(&self, string_to_sign: &[u8]) -> object_store::Result<Vec<u8>> {
        let mut signer = openssl::sign::Signer::new(MessageDigest::sha256(), &self.0).map_err(refused)?;
        signer.sign_oneshot_to_vec(string_to_sign).map_err(refused)
    }
}

fn require(known: bool) -> object_store::Result<()> {
    if known { Ok(()) } else { Err(object_store::Error::NotSupported { source: "an algorithm of the store's".into() }) }
}

fn refused(error: impl std::error::Error + Send + Sync + 'static) -> object_store::Error {
    object_store::Error::Generic { store: "signing", source: Box::new(error) }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn hex(bytes: &[u8]) -> String {
        bytes.iter().fold(String::new(), |text, byte| text + format!("{byte:02x}").as_str())
    }

    /// FIPS 180-4's "abc", RFC 4231 section 4.3, and a signature that OpenSSL's verifier takes.
    #[test]
    fn digests_codes_and_signatures() {
        let mut digest = OpenSsl.digest(DigestAlgorithm::Sha256).unwrap();
        digest.update(b"a");
        digest.update(b"bc");
        let abc = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";
        assert_eq!(hex(digest.finish().unwrap()), abc);
        let mut code = OpenSsl.hmac(DigestAlgorithm::Sha256, b"Jefe").unwrap();
        code.update(b"what do ya want ");
        code.update(b"for nothing?");
        let jefe = "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843";
        assert_eq!(hex(code.finish().unwrap()), jefe);
        let key = PKey::from_rsa(openssl::rsa::Rsa::generate(2048).unwrap()).unwrap();
        let pem = key.private_key_to_pem_pkcs8().unwrap();
        let signature = OpenSsl.sign(SigningAlgorithm::RS256, &pem).unwrap().sign(b"claims").unwrap();
        let mut verifier = openssl::sign::Verifier::new(MessageDigest::sha256(), &key).unwrap();
        assert!(verifier.verify_oneshot(&signature, b"claims").unwrap());
        assert!(OpenSsl.sign(SigningAlgorithm::RS256, b"no key").is_err());
    }
}
