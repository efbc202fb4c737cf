//! Logs and metrics. Logs go to stderr, because stdout belongs to what commands print.

use std::io::IsTerminal as _;
use std::sync::OnceLock;

use metrics_exporter_prometheus::{Matcher, PrometheusBuilder, PrometheusHandle};
use tracing::Metadata;
use tracing_subscriber::filter::{FilterExt as _, filter_fn};
use tracing_subscriber::layer::{Layer as _, SubscriberExt as _};
use tracing_subscriber::util::SubscriberInitExt as _;
use tracing_subscriber::{EnvFilter, fmt};

use super::settings::{Log, LogFormat};
use super::spans::{self, Exporter};

/// Starts logging, and traces where there are some to be taken. Called once by the program; tests may call it again without harm.
pub fn start_logs(settings: &Log, traces: Option<&Exporter>) -> Result<(), String> {
    // The migration library tells of every step; what matters of it we say ourselves. An operator's own word wins.
    let filter = EnvFilter::try_new(format!("sea_orm_migration=warn,{}", settings.level))
        .map_err(|error| format!("log.level: {error}"))?;
    let pretty = match settings.format {
        LogFormat::Auto => std::io::stderr().is_terminal(),
        LogFormat::Pretty => true,
        LogFormat::Json => false,
    };
    let lines = fmt::layer().with_writer(std::io::stderr);
    let lines = if pretty {
        lines.with_target(false).boxed()
    } else {
        lines.json().flatten_event(true).with_current_span(true).with_span_list(false).boxed()
    };
    // What is for the collector is no matter of the log, and the other way round.
    let is_traced = |metadata: &Metadata<'_>| metadata.target() == spans::TARGET;
    let lines = lines.with_filter(filter.and(filter_fn(move |metadata| !is_traced(metadata))));
    let spans = traces.map(|traces| {
        let layer = tracing_opentelemetry::layer().with_tracer(traces.tracer());
        layer.with_location(false).with_threads(false).with_tracked_inactivity(false).with_filter(filter_fn(is_traced))
    });
    // A second start finds the first one's subscriber in place, which is what is wanted.
    let _ = tracing_subscriber::registry().with(lines).with(spans).try_init();
    Ok(())
}

const STEPS: [f64; 12] = [0.0001, 0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.1, 0.25, 1.0, 2.5, 10.0];

/// The process's metrics, in the text format of Prometheus.
pub fn metrics() -> &'static PrometheusHandle {
    static HANDLE: OnceLock<PrometheusHandle> = OnceLock::new();
    HANDLE.get_or_init(|| {
        let builder = PrometheusBuilder::new()
            .set_buckets(&[0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5])
            // From a signature to a recipient who does not answer.
            .and_then(|builder| builder.set_buckets_for_metric(Matcher::Full("bonafide_step_seconds".to_owned()), &STEPS));
        let recorder = builder.unwrap_or_else(|_| PrometheusBuilder::new()).build_recorder();
        let handle = recorder.handle();
        if metrics::set_global_recorder(recorder).is_err() {
            tracing::error!("another metrics recorder is in place; /metrics stays empty");
        }
        handle
    })
}
