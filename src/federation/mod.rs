//! Signing in with other providers: we are their client here (OpenID Connect Core 1.0, RFC 6749), so that applications see one
//! issuer whoever vouches for a person.
//!
//! `registry` holds who they are, `upstream` what each has published, `begin` and `finish` the way there and back, `claims` what
//! is taken of what they say, `logout` the end of their sessions and of ours.

mod begin;
mod claims;
mod exchange;
mod fetch;
mod finish;
mod logout;
mod manage;
mod registry;
mod store;
mod token;
mod upstream;

use std::sync::Arc;

use chrono::Duration;

pub use begin::{Purpose, Wish};
pub use finish::Returned;
pub use manage::{ProviderFault, StoredProvider};
pub use registry::{Origin, Provider, Providers};
pub use store::{forget, reseal, sweep};
pub use upstream::look;

use crate::audit::{self, About, Event, Source};
use crate::platform::clock::Clock;
use crate::platform::database::{Database, DatabaseError};
use crate::platform::outgoing::Outgoing;
use crate::platform::random::Random;
use crate::platform::secrets::SealingKey;
use crate::platform::settings::Settings;

/// Clocks differ a little.
const LEEWAY: Duration = Duration::seconds(60);

/// Why somebody does not get in by another provider.
#[derive(Debug, thiserror::Error)]
pub enum FederationError {
    #[error("there is no such provider, or it is switched off")]
    Unknown,
    /// Missing, used, over, or of another browser.
    #[error("nobody is expected with this state")]
    State,
    /// The provider answered with an error: its code.
    #[error("the provider answered {0}")]
    Denied(String),
    #[error("the provider cannot be reached: {0}")]
    Unavailable(String),
    /// What it says cannot be believed.
    #[error("the provider's answer does not hold: {0}")]
    Unbelievable(String),
    #[error(transparent)]
    Database(#[from] DatabaseError),
}

/// The other providers, with all that being their client takes.
pub struct Federation {
    pub providers: Providers,
    database: Database,
    clock: Arc<dyn Clock>,
    random: Arc<dyn Random>,
    settings: Arc<Settings>,
    sealing: SealingKey,
    outgoing: Outgoing,
}

impl Federation {
    pub fn new(
        providers: Providers,
        database: Database,
        clock: Arc<dyn Clock>,
        random: Arc<dyn Random>,
        settings: Arc<Settings>,
        sealing: SealingKey,
        outgoing: Outgoing,
    ) -> Self {
        Self { providers, database, clock, random, settings, sealing, outgoing }
    }

    /// Reads again what the database holds.
    pub async fn reload(&self) -> Result<(), DatabaseError> {
        self.providers.reload(&self.database, &self.sealing).await
    }

    fn find(&self, name: &str) -> Result<Arc<Provider>, FederationError> {
        self.providers.usable(name).ok_or(FederationError::Unknown)
    }

    /// Where the provider sends people back to.
    pub fn redirect_uri(&self, provider: &str) -> String {
        format!("{}/providers/{provider}/callback", self.settings.issuer)
    }

    /// Where a provider tells us that sessions have ended; those of plain OAuth 2 have no such thing.
    pub fn backchannel_logout_uri(&self, provider: &Provider) -> Option<String> {
        let issuer = &self.settings.issuer;
        provider.is_openid().then(|| format!("{issuer}/providers/{}/backchannel-logout", provider.name))
    }

    /// Puts a refusal on the record.
    pub async fn record_refusal(
        &self,
        provider: &str,
        error: &FederationError,
        source: &Source,
    ) -> Result<(), DatabaseError> {
        let reason = match error {
            FederationError::Unknown => "unknown_provider",
            FederationError::State => "state",
            FederationError::Denied(_) => "denied",
            FederationError::Unavailable(_) => "unavailable",
            FederationError::Unbelievable(_) => "unbelievable",
            FederationError::Database(_) => return Ok(()),
        };
        // Anybody may have written some of it: one line, and not a long one.
        let cause: String = error.to_string().chars().filter(|letter| !letter.is_control()).take(200).collect();
        tracing::warn!(provider, error = cause, "a sign-in by another provider was refused");
        self.note_refusal(provider, reason, source).await
    }

    /// The same where the provider has said everything, and we do not let somebody in.
    pub async fn note_refusal(
        &self,
        provider: &str,
        reason: &'static str,
        source: &Source,
    ) -> Result<(), DatabaseError> {
        metrics::counter!("bonafide_sign_ins_total", "way" => "provider", "outcome" => reason).increment(1);
        let now = self.clock.now();
        let (id, source) = (self.random.id(now), source.clone());
        let event = Event::ProviderRefused { provider: provider.chars().take(32).collect(), reason };
        let action = self.database.write(move |tx| {
            Box::pin(async move { audit::record(tx, id, now, &event, &About::default(), &source).await })
        });
        action.await
    }
}
