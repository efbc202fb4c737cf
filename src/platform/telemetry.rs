//! Logs and metrics. Logs go to stderr, because stdout belongs to what commands print.

use std::io::IsTerminal as _;
use std::sync::OnceLock;

use metrics_exporter_prometheus::{PrometheusBuilder, PrometheusHandle};
use tracing_subscriber::EnvFilter;

use super::settings::{Log, LogFormat};

/// Starts logging. Called once by the program; tests may call it again without harm.
pub fn start_logs(settings: &Log) -> Result<(), String> {
    // The migration library tells of every step; what matters of it we say ourselves. An operator's own word wins.
    let filter = EnvFilter::try_new(format!("sea_orm_migration=warn,{}", settings.level))
        .map_err(|error| format!("log.level: {error}"))?;
    let pretty = match settings.format {
        LogFormat::Auto => std::io::stderr().is_terminal(),
        LogFormat::Pretty => true,
        LogFormat::Json => false,
    };
    let builder = tracing_subscriber::fmt().with_env_filter(filter).with_writer(std::io::stderr);
    // A second start finds the first one's subscriber in place, which is what is wanted.
    let _ = if pretty {
        builder.with_target(false).try_init()
    } else {
        builder.json().flatten_event(true).with_current_span(true).with_span_list(false).try_init()
    };
    Ok(())
}

/// The process's metrics, in the text format of Prometheus.
pub fn metrics() -> &'static PrometheusHandle {
    static HANDLE: OnceLock<PrometheusHandle> = OnceLock::new();
    HANDLE.get_or_init(|| {
        let builder =
            PrometheusBuilder::new().set_buckets(&[0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5]);
        let recorder = builder.unwrap_or_else(|_| PrometheusBuilder::new()).build_recorder();
        let handle = recorder.handle();
        if metrics::set_global_recorder(recorder).is_err() {
            tracing::error!("another metrics recorder is in place; /metrics stays empty");
        }
        handle
    })
}
