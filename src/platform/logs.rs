//! Logs: they go to stderr, because stdout belongs to what commands print.

use std::io::IsTerminal as _;

use tracing::Metadata;
use tracing_subscriber::filter::{FilterExt as _, filter_fn};
use tracing_subscriber::layer::{Layer as _, SubscriberExt as _};
use tracing_subscriber::util::SubscriberInitExt as _;
use tracing_subscriber::{EnvFilter, fmt};

use super::collector::Exporter;
use super::settings::{Log, LogFormat};
use super::spans;

/// Starts logging, and traces where there are some to be taken. Called once by the program; tests may call it again without harm.
pub fn start(settings: &Log, traces: Option<&Exporter>) -> Result<(), String> {
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
