//! `bonafide serve`.

use std::io::IsTerminal as _;
use std::sync::Arc;

use clap::Args;
use tokio::signal::unix::{Signal, SignalKind, signal};

use super::{Failure, output};
use crate::platform::clock::SystemClock;
use crate::platform::collector::Exporter;
use crate::platform::logs;
use crate::platform::random::SystemRandom;
use crate::platform::settings::{Layers, Settings, Sources};
use crate::server::{Options, Server};

#[derive(Args, Default)]
#[command(after_help = "Examples:
  bonafide serve --dev
  BONAFIDE_DATABASE__URL=postgres://bonafide@db/bonafide bonafide serve --issuer https://id.example.com --listen 0.0.0.0:8080")]
pub(super) struct Serve {
    /// For trying out: plain http on loopback, a captured mailbox at /dev/mail, a demo application at /dev/app
    #[arg(long)]
    dev: bool,
    /// Refuse to start on a schema that is not up to date instead of migrating it
    #[arg(long)]
    no_migrate: bool,
    /// The public URL (setting issuer)
    #[arg(long, value_name = "URL")]
    issuer: Option<String>,
    /// Where to listen (setting listen)
    #[arg(long, value_name = "ADDRESS:PORT")]
    listen: Option<String>,
}

impl Serve {
    pub(super) fn run(self, mut sources: Sources) -> Result<(), Failure> {
        for (name, value) in [("issuer", self.issuer), ("listen", self.listen)] {
            sources.flags.extend(value.map(|value| (name.to_owned(), value)));
        }
        let layers = Layers::gather(&sources)?;
        let mut settings = layers.settings()?;
        // Whoever tries it out goes on at once; who wants to see what people will see says so.
        settings.accounts.reveal_existing |= self.dev && layers.is_default("accounts.reveal_existing");
        if self.dev && !(settings.listen.is_loopback() && settings.management.listen.is_loopback()) {
            return Err(Failure::Usage(
                "--dev listens on loopback addresses only, because its mailbox and its demo application are open to everybody: \
                 set listen and management.listen to localhost:PORT"
                    .to_owned(),
            ));
        }
        let runtime = tokio::runtime::Builder::new_multi_thread()
            .enable_all()
            .build()
            .map_err(|error| Failure::Other(error.to_string()))?;
        runtime.block_on(async {
            let traces = Exporter::start(&settings.telemetry, &settings.outgoing).map_err(Failure::Usage)?;
            logs::start(&settings.log, traces.as_ref()).map_err(Failure::Usage)?;
            let options =
                Options { migrate: !self.no_migrate, dev: self.dev, terminal: std::io::stdout().is_terminal() };
            let served = serve(settings, options).await;
            if let Some(traces) = traces {
                traces.stop().await;
            }
            served
        })
    }
}

async fn serve(settings: Settings, options: Options) -> Result<(), Failure> {
    // Asked for before anything starts: a signal during the start stops it in order too.
    let (first, second) = (Told::listen()?, Told::listen()?);
    let issuer = settings.issuer.clone();
    let server = Server::start_with(settings, Arc::new(SystemClock), Arc::new(SystemRandom), options).await?;
    if options.terminal || options.dev {
        output::line(&format!("Bonafide serves {issuer}"))?;
    }
    if options.dev {
        output::line(&format!("  demo application  {issuer}/dev/app\n  mailbox           {issuer}/dev/mail"))?;
    }
    if let Some(first) = server.first_administrator() {
        output::line(&format!(
            "  first sign-in     {} with the password {} (shown this once)",
            first.email, first.password
        ))?;
    } else if options.dev && server.app().accounts.nobody().await? {
        output::line("  first sign-in     make an account on the sign-up page, or with `bonafide user create`")?;
    }
    // Who asks twice does not want to wait for requests in flight.
    tokio::select! {
        () = server.run_until(first.times(1)) => {}
        () = second.times(2) => tracing::warn!("stopped at once: requests in flight are cut off"),
    }
    Ok(())
}

/// SIGTERM and SIGINT.
struct Told {
    terminate: Signal,
    interrupt: Signal,
}

impl Told {
    fn listen() -> Result<Self, Failure> {
        let handler = |kind| signal(kind).map_err(|error| Failure::Other(error.to_string()));
        Ok(Self { terminate: handler(SignalKind::terminate())?, interrupt: handler(SignalKind::interrupt())? })
    }

    /// Waits until one of them has come so often.
    async fn times(mut self, times: usize) {
        for _ in 0..times {
            tokio::select! {
                _ = self.terminate.recv() => {}
                _ = self.interrupt.recv() => {}
            }
        }
    }
}
