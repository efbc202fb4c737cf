//! Traces for a collector (OTLP, protobuf over HTTP), where `telemetry.otlp` names one. Off, nothing here costs anything; and a
//! collector that is slow or gone costs no request anything: spans wait in a bounded queue and are dropped when it is full.
//!
//! Spans carry names, methods, routes and statuses: nothing that people or applications have sent.

use std::fmt;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use async_trait::async_trait;
use axum::http::{HeaderMap, HeaderName, HeaderValue, Method, Request, Response, StatusCode};
use hyper::body::Bytes;
use opentelemetry::propagation::TextMapPropagator as _;
use opentelemetry::trace::{TraceContextExt as _, TracerProvider as _};
use opentelemetry_http::{HeaderExtractor, HttpClient, HttpError};
use opentelemetry_otlp::{SpanExporter, WithExportConfig as _, WithHttpConfig as _};
use opentelemetry_sdk::Resource;
use opentelemetry_sdk::propagation::TraceContextPropagator;
use opentelemetry_sdk::trace::{Sampler, SdkTracer, SdkTracerProvider};
use tokio::runtime::Handle;
use tracing::Span;
use tracing_opentelemetry::OpenTelemetrySpanExt as _;

use super::measure::Step;
use super::outgoing::Outgoing;
use super::settings;

/// The target of the spans that go to the collector, and of nothing else: they are no matter of the log.
pub(super) const TARGET: &str = "bonafide::traces";

/// How long an export may take, and the last one when the program stops.
const TIME_LIMIT: Duration = Duration::from_secs(5);
const LAST: Duration = Duration::from_secs(2);

const TRACEPARENT: HeaderName = HeaderName::from_static("traceparent");

static ON: AtomicBool = AtomicBool::new(false);

fn is_on() -> bool {
    ON.load(Ordering::Relaxed)
}

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
        ON.store(true, Ordering::Relaxed);
        Ok(Some(Self { provider }))
    }

    pub(super) fn tracer(&self) -> SdkTracer {
        self.provider.tracer("bonafide")
    }

    /// Sends what is left, for a moment at the most.
    pub async fn stop(self) {
        ON.store(false, Ordering::Relaxed);
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

/// The span of a request, by OpenTelemetry's conventions for HTTP servers. `trusted`: what the caller says of a trace of theirs
/// is believed.
pub fn request(method: &Method, route: &'static str, headers: &HeaderMap, trusted: bool) -> Span {
    if !is_on() {
        return Span::none();
    }
    let method = known(method);
    let span = tracing::info_span!(
        target: TARGET,
        "request",
        otel.name = format!("{method} {route}"),
        otel.kind = "server",
        otel.status_code = tracing::field::Empty,
        http.request.method = method,
        http.route = route,
        http.response.status_code = tracing::field::Empty,
    );
    if trusted && headers.get_all(TRACEPARENT).iter().count() == 1 {
        let parent = TraceContextPropagator::new().extract(&HeaderExtractor(headers));
        // A span that nobody samples has nothing to be joined to.
        let _ = span.set_parent(parent);
    }
    span
}

/// How a request ended.
pub fn answered(span: &Span, status: StatusCode) {
    if span.is_none() {
        return;
    }
    span.record("http.response.status_code", status.as_u16());
    if status.is_server_error() {
        span.record("otel.status_code", "ERROR");
    }
}

/// The span of a step.
pub(super) fn step(step: Step) -> Span {
    // The wait is a part of another step's span, not one of its own.
    if !is_on() {
        return Span::none();
    }
    tracing::info_span!(target: TARGET, "step", otel.name = step.name(), otel.kind = "internal")
}

/// The span of a request that goes out, and what the other side is told of the trace: which it is, and nothing that it carries.
pub(super) fn call(method: &Method, host: &str, headers: &mut HeaderMap) -> Span {
    if !is_on() {
        return Span::none();
    }
    let method = known(method);
    let span = tracing::info_span!(
        target: TARGET,
        "step",
        otel.name = Step::OutgoingCall.name(),
        otel.kind = "client",
        otel.status_code = tracing::field::Empty,
        http.request.method = method,
        server.address = host,
        http.response.status_code = tracing::field::Empty,
    );
    if let Some((trace, span, sampled)) = identity(&span) {
        let value = format!("00-{trace}-{span}-{:02x}", u8::from(sampled));
        if let Ok(value) = HeaderValue::from_str(&value) {
            headers.insert(TRACEPARENT, value);
        }
    }
    span
}

/// The id of the trace that a span belongs to, if it goes to the collector.
pub fn trace_id(span: &Span) -> Option<String> {
    identity(span).filter(|(_, _, sampled)| *sampled).map(|(trace, _, _)| trace)
}

fn identity(span: &Span) -> Option<(String, String, bool)> {
    if span.is_none() {
        return None;
    }
    let context = span.context();
    let known = context.span().span_context().clone();
    known.is_valid().then(|| (known.trace_id().to_string(), known.span_id().to_string(), known.is_sampled()))
}

/// Methods that the conventions know; whoever makes one up does not get into our telemetry with it.
fn known(method: &Method) -> &'static str {
    match *method {
        Method::GET => "GET",
        Method::POST => "POST",
        Method::PUT => "PUT",
        Method::PATCH => "PATCH",
        Method::DELETE => "DELETE",
        Method::HEAD => "HEAD",
        Method::OPTIONS => "OPTIONS",
        _ => "_OTHER",
    }
}

#[cfg(test)]
mod tests {
    use tracing_subscriber::layer::SubscriberExt as _;

    use super::*;

    #[test]
    fn what_goes_out_names_the_trace_and_carries_nothing_of_it() {
        let provider = SdkTracerProvider::builder().with_sampler(Sampler::AlwaysOn).build();
        let layer = tracing_opentelemetry::layer().with_tracer(provider.tracer("test"));
        ON.store(true, Ordering::Relaxed);
        tracing::subscriber::with_default(tracing_subscriber::registry().with(layer), || {
            let mut from = HeaderMap::new();
            from.insert(TRACEPARENT, "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01".parse().unwrap());
            from.insert("tracestate", "secret=1".parse().unwrap());
            from.insert("baggage", "user=ada".parse().unwrap());
            let request = |trusted| request(&Method::POST, "/token", &from, trusted);
            let of = |span: &Span| {
                let mut headers = HeaderMap::new();
                span.in_scope(|| call(&Method::GET, "op.example", &mut headers));
                assert_eq!(headers.keys().collect::<Vec<_>>(), [TRACEPARENT], "nothing else goes out");
                headers[TRACEPARENT].to_str().unwrap().to_owned()
            };
            let joined = of(&request(true));
            assert!(joined.starts_with("00-0af7651916cd43dd8448eb211c80319c-") && joined.ends_with("-01"), "{joined}");
            assert!(!joined.contains("b7ad6b7169203331"), "the span is ours: {joined}");
            let own = of(&request(false));
            assert!(own.len() == joined.len() && !own.contains("0af7651916cd43dd8448eb211c80319c"), "{own}");
        });
        ON.store(false, Ordering::Relaxed);
        let mut headers = HeaderMap::new();
        assert!(call(&Method::GET, "op.example", &mut headers).is_none() && headers.is_empty());
    }
}
