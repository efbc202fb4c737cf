//! What a provider has published: its metadata and keys, fetched when first needed and again from time to time. One that cannot
//! be reached is asked again only after a pause, and what is known of it holds for a day; one that suddenly calls itself
//! something else is not believed at all.

use std::sync::Arc;

use chrono::{DateTime, Duration, Utc};
use openidconnect::core::{
    CoreAuthDisplay, CoreClaimName, CoreClaimType, CoreClientAuthMethod, CoreGrantType, CoreJsonWebKey,
    CoreJweContentEncryptionAlgorithm, CoreJweKeyManagementAlgorithm, CoreResponseMode, CoreResponseType,
    CoreSubjectIdentifierType,
};
use openidconnect::{
    AdditionalProviderMetadata, DiscoveryError, IssuerUrl, JsonWebKeySet, ProviderMetadata, TokenUrl, UserInfoUrl,
};
use serde::{Deserialize, Serialize};
use tokio::sync::Mutex;

use super::FederationError;
use super::fetch::Fetch;
use crate::platform::outgoing::Outgoing;

/// How long what was fetched counts as new.
const FRESH: Duration = Duration::hours(1);
/// How long it holds while nothing newer can be had.
const STALE: Duration = Duration::days(1);
/// Before a provider that failed is asked again.
const PAUSE: Duration = Duration::seconds(10);
/// Between two looks at the keys for the sake of one that is unknown: somebody who makes keys up must not make us ask all the time.
const KEYS_PAUSE: Duration = Duration::minutes(1);

/// Members of the metadata that the library does not know.
#[derive(Clone, Debug, Deserialize, Serialize)]
pub(super) struct Extras {
    #[serde(default)]
    pub(super) end_session_endpoint: Option<String>,
    /// RFC 9207 section 3.
    #[serde(default)]
    pub(super) authorization_response_iss_parameter_supported: bool,
}

impl AdditionalProviderMetadata for Extras {}

pub(super) type Metadata = ProviderMetadata<
    Extras,
    CoreAuthDisplay,
    CoreClientAuthMethod,
    CoreClaimName,
    CoreClaimType,
    CoreGrantType,
    CoreJweContentEncryptionAlgorithm,
    CoreJweKeyManagementAlgorithm,
    CoreJsonWebKey,
    CoreResponseMode,
    CoreResponseType,
    CoreSubjectIdentifierType,
>;

#[derive(Default)]
struct Known {
    metadata: Option<Arc<Metadata>>,
    fetched_at: Option<DateTime<Utc>>,
    /// When somebody last looked for a key that was not among those fetched with it.
    keys_looked_for_at: Option<DateTime<Utc>>,
    failed_at: Option<DateTime<Utc>>,
    /// It called itself something else than we know it by.
    foreign: bool,
}

impl Known {
    fn within(since: Option<DateTime<Utc>>, span: Duration, now: DateTime<Utc>) -> bool {
        since.is_some_and(|since| now - since < span)
    }

    fn usable(&self, now: DateTime<Utc>) -> Option<Arc<Metadata>> {
        let lately = !self.foreign && Self::within(self.fetched_at, STALE, now);
        self.metadata.clone().filter(|_| lately)
    }
}

/// What is known of one provider. Whoever finds it outdated fetches, and the others wait for them.
#[derive(Default)]
pub(super) struct Upstream(Mutex<Known>);

impl Upstream {
    pub(super) async fn metadata(
        &self,
        issuer: &str,
        outgoing: &Outgoing,
        now: DateTime<Utc>,
    ) -> Result<Arc<Metadata>, FederationError> {
        let mut known = self.0.lock().await;
        if Known::within(known.fetched_at, FRESH, now)
            && let Some(metadata) = known.usable(now)
        {
            return Ok(metadata);
        }
        if Known::within(known.failed_at, PAUSE, now) {
            return known.usable(now).ok_or_else(|| FederationError::Unavailable("it failed a moment ago".to_owned()));
        }
        let url =
            IssuerUrl::new(issuer.to_owned()).map_err(|error| FederationError::Unbelievable(error.to_string()))?;
        match Metadata::discover_async(url, &Fetch(outgoing)).await {
            Ok(metadata) if !is_reachable(&metadata, outgoing) => {
                known.failed_at = Some(now);
                let error = FederationError::Unbelievable("one of its endpoints is on http".to_owned());
                tracing::warn!(issuer, %error, "a provider's metadata is not used");
                known.usable(now).ok_or(error)
            }
            Ok(metadata) => {
                let metadata = Arc::new(metadata);
                *known = Known {
                    metadata: Some(metadata.clone()),
                    fetched_at: Some(now),
                    keys_looked_for_at: None,
                    failed_at: None,
                    foreign: false,
                };
                Ok(metadata)
            }
            Err(error) => {
                known.failed_at = Some(now);
                known.foreign |= matches!(error, DiscoveryError::Validation(_));
                let error = refused(error);
                tracing::warn!(issuer, %error, "a provider's metadata could not be fetched");
                known.usable(now).ok_or(error)
            }
        }
    }

    /// Looks for keys that were not there before. `None`: that was done a moment ago.
    pub(super) async fn look_for_keys(
        &self,
        tried: &Arc<Metadata>,
        outgoing: &Outgoing,
        now: DateTime<Utc>,
    ) -> Option<Arc<Metadata>> {
        let mut known = self.0.lock().await;
        // Somebody else has looked while we were waiting.
        if let Some(metadata) = known.usable(now).filter(|metadata| !Arc::ptr_eq(metadata, tried)) {
            return Some(metadata);
        }
        if Known::within(known.keys_looked_for_at, KEYS_PAUSE, now) {
            return None;
        }
        known.keys_looked_for_at = Some(now);
        let metadata = known.usable(now)?;
        match JsonWebKeySet::fetch_async(metadata.jwks_uri(), &Fetch(outgoing)).await {
            Ok(keys) => {
                let metadata = Arc::new(metadata.as_ref().clone().set_jwks(keys));
                known.metadata = Some(metadata.clone());
                Some(metadata)
            }
            Err(error) => {
                tracing::warn!(issuer = metadata.issuer().as_str(), error = %refused(error), "a provider's keys could not be fetched");
                None
            }
        }
    }
}

/// Asks a provider for what it has published as a sign-in would, for operators who want to know whether it does.
pub async fn look(issuer: &str, outgoing: &Outgoing, now: DateTime<Utc>) -> Result<(), FederationError> {
    Upstream::default().metadata(issuer, outgoing, now).await.map(drop)
}

/// Whether every endpoint is on https, or where the operator allows http.
fn is_reachable(metadata: &Metadata, outgoing: &Outgoing) -> bool {
    let compulsory = [metadata.authorization_endpoint().url(), metadata.jwks_uri().url()];
    let others = [metadata.token_endpoint().map(TokenUrl::url), metadata.userinfo_endpoint().map(UserInfoUrl::url)];
    let end = metadata.additional_metadata().end_session_endpoint.as_deref();
    compulsory.into_iter().chain(others.into_iter().flatten()).all(|url| outgoing.may_reach(url))
        && end.is_none_or(|end| url::Url::parse(end).is_ok_and(|url| outgoing.may_reach(&url)))
}

fn refused(error: DiscoveryError<crate::platform::outgoing::OutgoingError>) -> FederationError {
    match error {
        DiscoveryError::Request(error) => FederationError::Unavailable(error.cause()),
        DiscoveryError::Response(status, _, _) => FederationError::Unavailable(format!("{status} for its metadata")),
        DiscoveryError::Validation(why) => FederationError::Unbelievable(format!("its metadata is another's: {why}")),
        _ => FederationError::Unbelievable("its metadata cannot be read".to_owned()),
    }
}
