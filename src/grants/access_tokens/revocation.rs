//! Revocation (RFC 7009). A refresh token stands for its grant, which ends with all its tokens; an access token goes alone.
//! Each answers whether anything was there to be revoked: nobody outside hears it.

use chrono::{DateTime, Utc};
use uuid::Uuid;

use super::{GrantError, Grants, store};
use crate::audit::{self, About, Event, Source};
use crate::clients::Client;
use crate::platform::secrets;

/// A signed access token of a client, as far as revoking it needs.
pub struct SignedToken {
    pub jti: String,
    pub expires_at: DateTime<Utc>,
    pub grant: Option<Uuid>,
}

impl Grants {
    /// Ends the grant of a refresh token of this client, also of one that was used before.
    pub async fn revoke_refresh_token(
        &self,
        client: &Client,
        token: &str,
        source: &Source,
    ) -> Result<bool, GrantError> {
        let now = self.clock.now();
        let (hash, client_id) = (secrets::hash(token), client.id.clone());
        let (event_id, source) = (self.random.id(now), source.clone());
        let action = self.database.write(move |tx| {
            Box::pin(async move {
                let Some(ended) = store::end_grant_of(tx, &hash, &client_id, now).await? else { return Ok(false) };
                let event = Event::GrantEnded { grant: ended.id, reason: "revoked" };
                audit::record(tx, event_id, now, &event, &About::both(ended.user_id, &client_id), &source).await?;
                Ok::<_, GrantError>(true)
            })
        });
        action.await
    }

    /// Forgets an opaque access token of this client; its grant lives on.
    pub async fn revoke_opaque_token(&self, client: &Client, token: &str, source: &Source) -> Result<bool, GrantError> {
        let now = self.clock.now();
        let (hash, client_id) = (secrets::hash(token), client.id.clone());
        let (event_id, source) = (self.random.id(now), source.clone());
        let action = self.database.write(move |tx| {
            Box::pin(async move {
                let Some(grant) = store::forget(tx, &hash, &client_id).await? else { return Ok(false) };
                let event = Event::AccessTokenRevoked { grant };
                audit::record(tx, event_id, now, &event, &About::client(&client_id), &source).await?;
                Ok::<_, GrantError>(true)
            })
        });
        action.await
    }

    /// Remembers a signed access token of this client as revoked until it expires; its grant lives on.
    pub async fn revoke_signed_token(
        &self,
        client: &Client,
        token: SignedToken,
        source: &Source,
    ) -> Result<bool, GrantError> {
        let now = self.clock.now();
        let client_id = client.id.clone();
        let (event_id, source) = (self.random.id(now), source.clone());
        let action = self.database.write(move |tx| {
            Box::pin(async move {
                let new = store::remember(tx, &secrets::hash(&token.jti), token.expires_at).await?;
                if new {
                    let event = Event::AccessTokenRevoked { grant: token.grant };
                    audit::record(tx, event_id, now, &event, &About::client(&client_id), &source).await?;
                }
                Ok::<_, GrantError>(new)
            })
        });
        action.await
    }
}
