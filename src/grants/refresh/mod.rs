//! Refresh tokens: each use replaces the token; the direct predecessor gets the same successor for a short while; anything
//! older is a theft and ends the family (RFC 9700 section 4.14.2).

mod store;

use chrono::Duration;
use zeroize::Zeroizing;

use super::store::end_grant;
use super::{Failure, Grant, GrantError, Grants, NewAccessToken, REFRESH_PREFIX, StoredAccessToken};
use crate::audit::{self, About, Event, Source};
use crate::clients::Client;
use crate::platform::secrets::{self, SealingKey};

pub use store::RefreshState;

/// Separates this use of a token from its hash.
const SUCCESSOR: &str = "bonafide refresh successor";

/// A rotated family and the token that is good now.
#[derive(Debug)]
pub struct Refreshed {
    pub grant: Grant,
    pub refresh_token: String,
    /// Where the client's access tokens are opaque.
    pub access_token: Option<StoredAccessToken>,
}

/// What became of a refresh token. `E` is what the caller's own rules say.
#[derive(Debug)]
pub enum Rotation<E> {
    Rotated(Box<Refreshed>),
    /// Unknown (`None`), expired, revoked, or another client's: nothing has changed.
    Refused(Option<Box<RefreshState>>),
    /// It was used before and too long ago: the family has ended.
    Reused(Box<RefreshState>),
    /// The token is good but the request is not; nothing has changed.
    Rejected(E),
}

impl Grants {
    /// Rotates a refresh token. `check` looks at the grant before anything is final: what it rejects is undone. It also says
    /// what is to be stored of an access token that is opaque.
    pub async fn rotate<E: Send + 'static>(
        &self,
        client: &Client,
        presented: &str,
        check: impl Fn(&Grant) -> Result<Option<NewAccessToken>, E> + Send + 'static,
        source: &Source,
    ) -> Result<Rotation<E>, GrantError> {
        let now = self.clock.now();
        let successor = self.random.token(REFRESH_PREFIX);
        // Only who holds the presented token can open the successor: whoever reads the database can walk no chain.
        let key = SealingKey::derive(presented.as_bytes(), SUCCESSOR);
        let sealed = key.seal(successor.as_bytes(), self.random.as_ref())?;
        let grace = Duration::milliseconds(client.refresh_grace.unwrap_or(self.settings.tokens.refresh_grace.get()));
        let expires_at = self.expiry(client, true, now);
        let step = store::Step {
            presented: secrets::hash(presented),
            successor: secrets::hash(&successor),
            sealed,
            client_id: client.id.clone(),
            now,
            expires_at,
            rotated_after: now - grace,
        };
        let (event_id, source) = (self.random.id(now), source.clone());
        let random = self.random.clone();
        let outcome = self
            .database
            .write(move |tx| {
                Box::pin(async move {
                    if let Some(grant) = store::rotate(tx, &step).await? {
                        let new = check(&grant).map_err(Failure::Rejected)?;
                        store::spend(tx, step.presented, grant.id, now).await?;
                        let access_token =
                            StoredAccessToken::of_grant(tx, random.as_ref(), new, &grant, &step.client_id, now).await?;
                        let refreshed = Refreshed { grant, refresh_token: successor, access_token };
                        return Ok(Rotation::Rotated(Box::new(refreshed)));
                    }
                    // Without a grace nothing is compared: nodes whose clocks differ would find one.
                    if grace > Duration::zero()
                        && let Some((grant, sealed)) = store::just_rotated(tx, &step).await?
                    {
                        let new = check(&grant).map_err(Failure::Rejected)?;
                        let opened: Zeroizing<Vec<u8>> = key.open(&sealed).map_err(GrantError::from)?;
                        let refresh_token = String::from_utf8_lossy(&opened).into_owned();
                        let access_token =
                            StoredAccessToken::of_grant(tx, random.as_ref(), new, &grant, &step.client_id, now).await?;
                        let refreshed = Refreshed { grant, refresh_token, access_token };
                        return Ok(Rotation::Rotated(Box::new(refreshed)));
                    }
                    let state = store::refresh_state(tx, &step).await?.map(Box::new);
                    let reused = state.as_ref().filter(|state| state.spent != 0 && state.client_id == step.client_id);
                    let Some((grant, user)) = reused.map(|state| (state.id, state.user_id)) else {
                        return Ok(Rotation::Refused(state));
                    };
                    if end_grant(tx, grant, "refresh_token_reused", now).await? {
                        let event = Event::RefreshReused { grant };
                        audit::record(tx, event_id, now, &event, &About::both(user, &step.client_id), &source).await?;
                    }
                    Ok(state.map_or(Rotation::Refused(None), Rotation::Reused))
                })
            })
            .await;
        match outcome {
            Ok(rotation) => {
                if matches!(rotation, Rotation::Reused(_)) {
                    tracing::warn!(client_id = client.id, "a refresh token was used again; its family ends");
                    metrics::counter!("bonafide_refresh_reuse_total").increment(1);
                }
                Ok(rotation)
            }
            Err(Failure::Rejected(reason)) => Ok(Rotation::Rejected(reason)),
            Err(Failure::Fault(error)) => Err(error),
        }
    }
}
