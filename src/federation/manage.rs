//! Providers that are declared at run time: by the API and the command line, beside those of the settings.

use std::sync::Arc;

use super::registry::{Origin, Provider};
use super::{Federation, store};
use crate::audit::{self, About, Event, Source};
use crate::identity::{self, Administrators, IdentityError};
use crate::platform::database::{DatabaseError, bump_epoch};
use crate::platform::secrets::SecretsError;
use crate::platform::settings;

/// Why a declaration is not taken.
#[derive(Debug, thiserror::Error)]
pub enum ProviderFault {
    /// A member, and what is wrong with it.
    #[error("{member}: {reason}")]
    Refused { member: String, reason: String },
    #[error("the settings declare this provider: change it there")]
    OfSettings,
    #[error("there is no provider of this name")]
    Unknown,
    #[error("its groups make the last administrator: make another one first (`bonafide user grant admin WHO`)")]
    LastAdministrator,
    #[error(transparent)]
    Database(#[from] DatabaseError),
    #[error(transparent)]
    Sealing(#[from] SecretsError),
}

/// What became of a declaration.
pub struct StoredProvider {
    pub provider: Arc<Provider>,
    pub created: bool,
}

impl Federation {
    /// Declares a provider, or another in its place. A secret that is left out stays what it was, unless it would be shown to
    /// somebody else than before.
    pub async fn declare(
        &self,
        name: &str,
        mut declared: settings::Provider,
        source: &Source,
    ) -> Result<StoredProvider, ProviderFault> {
        let before = self.providers.get(name);
        if before.as_ref().is_some_and(|provider| provider.origin == Origin::Settings) {
            return Err(ProviderFault::OfSettings);
        }
        if let Some(before) = &before
            && declared.client_auth.needs_secret()
            && declared.client_secret.expose().is_empty()
            && declared.identity(name) == before.identity
        {
            declared.client_secret = before.declared.client_secret.clone();
        }
        let refuse = |(member, reason)| ProviderFault::Refused { member, reason };
        declared.check(name, &self.settings.outgoing.allow, &self.settings.attributes).map_err(refuse)?;
        let others = self.providers.all();
        let beside = others.iter().filter(|other| other.name != name);
        let beside = beside.map(|other| (other.name.as_str(), &other.declared));
        declared.check_beside(name, &self.settings.issuer, beside).map_err(refuse)?;
        let secret = declared.client_secret.expose();
        let sealed = (!secret.is_empty()).then(|| self.sealing.seal(secret.as_bytes(), self.random.as_ref()));
        let sealed = sealed.transpose()?;
        let text = serde_json::to_string(&declared).unwrap_or_default();
        let (row, now) = (name.to_owned(), self.clock.now());
        let what = if before.is_some() { "changed" } else { "created" };
        let event = Event::ProviderChanged { provider: name.to_owned(), what };
        let (id, source) = (self.random.id(now), source.clone());
        let action = self.database.write(move |tx| {
            Box::pin(async move {
                store::put(tx, &row, &text, sealed, now).await?;
                bump_epoch(tx).await?;
                audit::record(tx, id, now, &event, &About::default(), &source).await
            })
        });
        action.await?;
        self.reload().await?;
        let provider = self.providers.get(name).ok_or(ProviderFault::Unknown)?;
        Ok(StoredProvider { provider, created: before.is_none() })
    }

    /// Takes a provider out of service for good. What is linked to people stays: it counts again if the provider comes back.
    pub async fn remove(&self, name: &str, source: &Source) -> Result<(), ProviderFault> {
        match self.providers.get(name) {
            None => return Err(ProviderFault::Unknown),
            Some(provider) if provider.origin == Origin::Settings => return Err(ProviderFault::OfSettings),
            Some(_) => {}
        }
        let (row, now) = (name.to_owned(), self.clock.now());
        let event = Event::ProviderChanged { provider: name.to_owned(), what: "removed" };
        let (id, source) = (self.random.id(now), source.clone());
        let action = self.database.write(move |tx| {
            Box::pin(async move {
                if !store::delete(tx, &row).await? {
                    return Err(ProviderFault::Unknown);
                }
                let administrators = Administrators::hold(tx).await?;
                // Nobody would take back what its groups have given.
                identity::link_store::take_roles_of_provider(tx, &row).await?;
                administrators.require_one_left(tx).await.map_err(|error| match error {
                    IdentityError::Database(error) => error.into(),
                    _ => ProviderFault::LastAdministrator,
                })?;
                bump_epoch(tx).await?;
                audit::record(tx, id, now, &event, &About::default(), &source).await?;
                Ok(())
            })
        });
        action.await?;
        Ok(self.reload().await?)
    }
}
