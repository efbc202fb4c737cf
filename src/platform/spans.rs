//! The spans of a trace: a request, its steps and its calls to others. Where no collector takes them, nothing here costs anything.
//!
//! Spans carry names, methods, routes and statuses: nothing that people or applications have sent.

use std::sync::atomic::{AtomicBool, Ordering};

use hyper::header::{HeaderName, HeaderValue};
use hyper::{HeaderMap, Method, StatusCode};
use opentelemetry::propagation::TextMapPropagator as _;
use opentelemetry::trace::TraceContextExt as _;
use opentelemetry_http::HeaderExtractor;
use opentelemetry_sdk::propagation::TraceContextPropagator;
use tracing::Span;
use tracing_opentelemetry::OpenTelemetrySpanExt as _;

/// The target of the spans that go to the collector, and of nothing else: they are no matter of the log.
pub(super) const TARGET: &str = "bonafide::traces";

const TRACEPARENT: HeaderName = HeaderName::from_static("traceparent");

static ON: AtomicBool = AtomicBool::new(false);

/// From now on spans are taken, or no longer.
pub(super) fn switch(on: bool) {
    ON.store(on, Ordering::Relaxed);
}

fn is_on() -> bool {
    ON.load(Ordering::Relaxed)
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
pub(super) fn step(name: &'static str) -> Span {
    if !is_on() {
        return Span::none();
    }
    tracing::info_span!(target: TARGET, "step", otel.name = name, otel.kind = "internal")
}

/// The span of a request that goes out, and what the other side is told of the trace: which it is, and nothing that it carries.
pub(super) fn call(name: &'static str, method: &Method, host: &str, headers: &mut HeaderMap) -> Span {
    if !is_on() {
        return Span::none();
    }
    let method = known(method);
    let span = tracing::info_span!(
        target: TARGET,
        "step",
        otel.name = name,
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
    use opentelemetry::trace::TracerProvider as _;
    use opentelemetry_sdk::trace::{Sampler, SdkTracerProvider};
    use tracing_subscriber::layer::SubscriberExt as _;

    use super::*;

    #[test]
    fn what_goes_out_names_the_trace_and_carries_nothing_of_it() {
        let provider = SdkTracerProvider::builder().with_sampler(Sampler::AlwaysOn).build();
        let layer = tracing_opentelemetry::layer().with_tracer(provider.tracer("test"));
        switch(true);
        tracing::subscriber::with_default(tracing_subscriber::registry().with(layer), || {
            let mut from = HeaderMap::new();
            from.insert(TRACEPARENT, "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01".parse().unwrap());
            from.insert("tracestate", "secret=1".parse().unwrap());
            from.insert("baggage", "user=ada".parse().unwrap());
            let request = |trusted| request(&Method::POST, "/token", &from, trusted);
            let of = |span: &Span| {
                let mut headers = HeaderMap::new();
                span.in_scope(|| call("call", &Method::GET, "op.example", &mut headers));
                assert_eq!(headers.keys().collect::<Vec<_>>(), [TRACEPARENT], "nothing else goes out");
                headers[TRACEPARENT].to_str().unwrap().to_owned()
            };
            let joined = of(&request(true));
            assert!(joined.starts_with("00-0af7651916cd43dd8448eb211c80319c-") && joined.ends_with("-01"), "{joined}");
            assert!(!joined.contains("b7ad6b7169203331"), "the span is ours: {joined}");
            let own = of(&request(false));
            assert!(own.len() == joined.len() && !own.contains("0af7651916cd43dd8448eb211c80319c"), "{own}");
        });
        switch(false);
        let mut headers = HeaderMap::new();
        assert!(call("call", &Method::GET, "op.example", &mut headers).is_none() && headers.is_empty());
    }
}
