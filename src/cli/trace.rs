//! `bonafide trace`: why a request was refused, by the reference that its answer has.

use clap::Args;

use super::{Failure, output};
use crate::app::App;

#[derive(Args)]
#[command(after_help = "Example:\n  bonafide trace 7k2m0q9xw4hd")]
pub(super) struct Trace {
    /// As the error page or the answer shows it
    reference: String,
    /// Print a JSON object
    #[arg(long)]
    json: bool,
}

impl Trace {
    pub(super) async fn run(self, app: &App) -> Result<(), Failure> {
        let reference = self.reference.trim().to_ascii_lowercase();
        let Some(trace) = app.traces.find(&reference).await? else {
            let kept = app.settings.traces.kept;
            return Err(Failure::Other(format!(
                "there is no trace of {reference}: traces are there a second after the request and kept for {kept} (traces.kept), \
                 of refused requests only, and so many a second"
            )));
        };
        if self.json { output::json(&crate::http::trace_json(trace)) } else { output::line(&trace.text()) }
    }
}
