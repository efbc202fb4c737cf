//! Verification tokens: NextAuth sends them to an address, and whoever brings one back has read what was sent there.

use chrono::{DateTime, Utc};

use super::{Adapter, store};
use crate::audit::Source;
use crate::identity::{self, canonical_login};
use crate::platform::clock::from_millis;
use crate::platform::database::DatabaseError;
use crate::platform::secrets;

/// A token as the adapter knows it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct VerificationToken {
    /// The address that it goes to.
    pub identifier: String,
    pub token: String,
    pub expires: DateTime<Utc>,
}

impl Adapter {
    /// Keeps a token's hash; a token that is there already is a conflict.
    pub async fn keep_token(&self, token: &VerificationToken) -> Result<(), DatabaseError> {
        let (hash, address) = (hash(&token.identifier, &token.token), canonical_login(&token.identifier));
        let expires = token.expires;
        self.database
            .write(move |tx| Box::pin(async move { store::keep_token(tx, hash, &address, expires).await }))
            .await
    }

    /// Uses a token, once. What it proves about the address counts for us, too. `None`: unknown, used or expired.
    pub async fn use_token(
        &self,
        identifier: &str,
        token: &str,
        source: &Source,
    ) -> Result<Option<VerificationToken>, DatabaseError> {
        let now = self.clock.now();
        let (hash, address) = (hash(identifier, token), canonical_login(identifier));
        let (random, source) = (self.random.clone(), source.clone());
        let action = self.database.write(move |tx| {
            Box::pin(async move {
                let Some(expires) = store::use_token(tx, hash, now).await? else { return Ok(None) };
                identity::address_proven(tx, &address, now, random.as_ref(), &source).await?;
                Ok::<_, DatabaseError>(Some(expires))
            })
        });
        let expires = action.await?;
        self.bell.ring();
        Ok(expires.map(|expires| VerificationToken {
            identifier: identifier.to_owned(),
            token: token.to_owned(),
            expires: from_millis(expires),
        }))
    }
}

/// Of both, so that a token is good for its address alone; the length keeps the two apart.
fn hash(identifier: &str, token: &str) -> Vec<u8> {
    let address = canonical_login(identifier);
    secrets::hash(&format!("{}:{address}{token}", address.len()))
}
