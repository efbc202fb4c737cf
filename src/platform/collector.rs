//! The way of spans to a collector (OTLP, protobuf over HTTP), where `telemetry.otlp` names one. A collector that is slow or gone
//! costs no request anything: spans wait in a bounded queue and are dropped when it is full.

use std::fmt;
use std::time::Duration;

use async_trait::async_trait;
use hyper::body::Bytes;
use hyper::{Request, Response};
use opentelemetry::trace::TracerProvider as _;
use opentelemetry_http::{HttpClient, HttpError};
use opentelemetry_otlp::{SpanExporter, WithExportConfig as _, WithHttpConfig as _};
use opentelemetry_sdk::Resource;
use opentelemetry_sdk::trace::{Sampler, SdkTracer, SdkTracerProvider};
use tokio::runtime::Handle;

use super::outgoing::Outgoing;
use super::{settings, spans};

/// How long an export may take, and the last one when the program stops.
const TIME_LIMIT: Duration = Duration::from_secs(5);
const LAST: Duration = Duration::from_secs(2);

/// What brings spans to the collector.
pub struct Exporter {
    provider: SdkTracerProvider,
}

impl Exporter {
    /// None where no collector is named. In a runtime: the exports run there.
    pub fn start(telemetry: &settings::Telemetry, outgoing: &settings::Outgoing) -> Result<Option<Self>, String> {
        let Some(url) = telemetry.collector()? else { return Ok(None) };
        let address = format!("{}:{}", url.host_str().unwrap_or_default(), url.port_or_known_default().unwrap_or(4318));
        let refuse = |error: &dyn fmt::Display| format!("telemetry.otlp: {error}");
        // Where the operator sends traces is the operator's to say, on a private network too.
        let outgoing = Outgoing::new(outgoing, &[address]).map_err(|error| refuse(&error))?.unmeasured();
        let exporter = SpanExporter::builder()
            .with_http()
            .with_endpoint(format!("{}/v1/traces", url.as_str().trim_end_matches('/')))
            .with_timeout(TIME_LIMIT)
            .with_http_client(Collector { outgoing, runtime: Handle::current() })
            .build()
            .map_err(|error| refuse(&error))?;
        let resource = Resource::builder_empty()
            .with_service_name("bonafide")
            .with_attribute(opentelemetry::KeyValue::new("service.version", env!("CARGO_PKG_VERSION")))
            .build();
        let provider = SdkTracerProvider::builder()
            .with_batch_exporter(exporter)
            .with_sampler(Sampler::ParentBased(Box::new(Sampler::TraceIdRatioBased(telemetry.sample))))
            .with_resource(resource)
            .build();
        spans::switch(true);
        Ok(Some(Self { provider }))
    }

    pub(super) fn tracer(&self) -> SdkTracer {
        self.provider.tracer("bonafide")
    }

    /// Sends what is left, for a moment at the most.
    pub async fn stop(self) {
        spans::switch(false);
        let stopping = tokio::task::spawn_blocking(move || self.provider.shutdown_with_timeout(LAST));
        if !matches!(stopping.await, Ok(Ok(()))) {
            tracing::warn!("the last traces were not taken by the collector");
        }
    }
}

/// The way to the collector: the same guarded client as for every other call, in the runtime, since exports are asked for in a
/// thread outside it.
#[derive(Clone)]
struct Collector {
    outgoing: Outgoing,
    runtime: Handle,
}

impl fmt::Debug for Collector {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Collector")
    }
}

#[async_trait]
impl HttpClient for Collector {
    async fn send_bytes(&self, request: Request<Bytes>) -> Result<Response<Bytes>, HttpError> {
        let outgoing = self.outgoing.clone();
        let sent = self.runtime.spawn(async move { outgoing.send(request.map(|body| body.to_vec())).await });
        let answer = match sent.await {
            Ok(Ok(answer)) => Ok(answer),
            Ok(Err(error)) => Err(HttpError::from(error)),
            Err(error) => Err(HttpError::from(error)),
        };
        let taken = answer.as_ref().is_ok_and(|answer| answer.status.is_success());
        metrics::counter!("bonafide_trace_exports_total", "outcome" => if taken { "taken" } else { "failed" })
            .increment(1);
        let answer = answer?;
        let mut response = Response::new(answer.body);
        *response.status_mut() = answer.status;
        *response.headers_mut() = answer.headers;
        Ok(response)
    }
}
