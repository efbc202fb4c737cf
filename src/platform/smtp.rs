//! The way out for mail: one relay, over TLS unless it is on this machine.

use std::time::Duration;

use lettre::transport::smtp::authentication::Credentials;
use lettre::transport::smtp::client::{Certificate, Tls, TlsParameters};
use lettre::transport::smtp::extension::ClientId;
use lettre::{AsyncSmtpTransport, AsyncTransport as _, Message, Tokio1Executor};

use super::measure::Step;
use super::settings::{Mail, Relay};

/// For each step of the conversation; the sender gives up on the whole a little later.
const TIME_LIMIT: Duration = Duration::from_secs(8);

#[derive(Debug, thiserror::Error)]
pub enum SmtpError {
    #[error("outgoing.ca: {0}")]
    Authorities(String),
    #[error("setting mail.url: {0}")]
    Relay(String),
}

/// Hands mails to the relay of the settings.
pub struct Smtp {
    transport: AsyncSmtpTransport<Tokio1Executor>,
}

impl Smtp {
    /// `ca` is a PEM file trusted besides the system's, or empty; `name` is what we call ourselves. None without a relay.
    pub fn new(mail: &Mail, ca: &str, name: &str) -> Result<Option<Self>, SmtpError> {
        let Some(relay) = mail.relay().map_err(SmtpError::Relay)? else { return Ok(None) };
        let mut builder = AsyncSmtpTransport::<Tokio1Executor>::builder_dangerous(relay.host.clone())
            .port(relay.port)
            .tls(tls(&relay, ca)?)
            .hello_name(ClientId::Domain(name.to_owned()))
            .timeout(Some(TIME_LIMIT));
        if let Some(user) = &relay.user {
            builder = builder.credentials(Credentials::new(user.clone(), mail.password.expose().to_owned()));
        }
        Ok(Some(Self { transport: builder.build() }))
    }

    /// Hands one mail over. The error is a few words that may be kept.
    pub async fn send(&self, message: Message) -> Result<(), String> {
        match Step::Mail.around(self.transport.send(message)).await {
            Ok(_) => Ok(()),
            Err(error) => Err(error.to_string().chars().take(200).collect()),
        }
    }
}

/// A relay elsewhere gets nothing in the clear: one that does not offer STARTTLS gets nothing at all.
fn tls(relay: &Relay, ca: &str) -> Result<Tls, SmtpError> {
    let mut parameters = TlsParameters::builder(relay.host.clone());
    if !ca.is_empty() {
        let refuse = |error: &dyn std::fmt::Display| SmtpError::Authorities(format!("{ca}: {error}"));
        let pem = std::fs::read(ca).map_err(|error| refuse(&error))?;
        parameters = parameters.add_root_certificate(Certificate::from_pem(&pem).map_err(|error| refuse(&error))?);
    }
    let parameters = parameters.build_native().map_err(|error| SmtpError::Relay(error.to_string()))?;
    Ok(match (relay.wrapped, relay.loopback) {
        (true, _) => Tls::Wrapper(parameters),
        (false, false) => Tls::Required(parameters),
        (false, true) => Tls::Opportunistic(parameters),
    })
}
