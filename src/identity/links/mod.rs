//! People's accounts at other providers. One is known by its provider's issuer and the subject that it has there, never by an
//! address: addresses change hands, and not every provider asks whose they are.

mod arrival;
mod arrive;
mod pending;
pub(crate) mod store;

use chrono::{DateTime, Utc};
use sea_orm::FromQueryResult;
use uuid::Uuid;

pub use arrival::Arrival;
pub(super) use arrival::Joining;
pub use arrive::{Arrived, Coming, MayLink};
pub use pending::{Pending, PendingFault};
pub(super) use store::sweep;

use super::{Accounts, Administrators, IdentityError, User};
use crate::audit::{self, About, Event, Source};
use crate::platform::database::{DatabaseError, Tx};
use crate::platform::random::Random;

/// A person's account at another provider.
#[derive(Clone, Debug, PartialEq, Eq, FromQueryResult)]
pub struct Link {
    pub user_id: Uuid,
    pub provider: String,
    /// The subject that it has there.
    pub account_id: String,
    /// As NextAuth calls it: oauth, oidc, email, …
    pub kind: String,
    /// None where the session adapter linked it: then the provider of that name is meant.
    pub issuer: Option<String>,
    /// Milliseconds since 1970.
    pub created_at: i64,
    /// Milliseconds since 1970.
    pub last_used_at: Option<i64>,
}

/// What became of taking a link away.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Unlinking {
    Unlinked(Link),
    /// There was none.
    Nothing,
    /// The person would have no way left to sign in.
    Last,
}

impl Accounts {
    /// The accounts at other providers that somebody signs in with, oldest first.
    pub async fn links(&self, user: Uuid) -> Result<Vec<Link>, DatabaseError> {
        store::list(&self.database, user).await
    }

    /// Takes a link from a person, unless they could not sign in any more. The roles that its provider gave go with it.
    pub async fn unlink(
        &self,
        user: Uuid,
        provider: &str,
        account_id: &str,
        source: &Source,
    ) -> Result<Unlinking, IdentityError> {
        let (now, random, source) = (self.clock.now(), self.random.clone(), source.clone());
        let (provider, account_id) = (provider.to_owned(), account_id.to_owned());
        let action = self.database.write(move |tx| {
            Box::pin(async move {
                let administrators = Administrators::hold(tx).await?;
                // Of two links that go at once, the later waits here and sees that the other has gone.
                if store::lock_holder(tx, &provider, &account_id).await? != Some(user) {
                    return Ok(Unlinking::Nothing);
                }
                let Some(link) = store::unlink(tx, &provider, &account_id).await? else { return Ok(Unlinking::Last) };
                let about = About::user(user);
                end_roles(tx, user, &provider, now, random.as_ref(), &source).await?;
                administrators.require_one_left(tx).await?;
                let event = Event::AccountUnlinked { provider };
                audit::record(tx, random.id(now), now, &event, &about, &source).await?;
                Ok::<_, IdentityError>(Unlinking::Unlinked(link))
            })
        });
        action.await
    }

    /// The same by an operator, who names the person, and the account there only where they have several.
    pub async fn unlink_by(
        &self,
        who: &str,
        provider: &str,
        account_id: Option<&str>,
    ) -> Result<(User, Vec<Unlinking>), IdentityError> {
        let user = self.find(who).await?;
        let links = self.links(user.id).await?;
        let chosen = links.iter().filter(|link| {
            link.provider == provider && account_id.is_none_or(|account_id| link.account_id == account_id)
        });
        let mut done = Vec::new();
        for link in chosen {
            done.push(self.unlink(user.id, &link.provider, &link.account_id, &Source::default()).await?);
        }
        Ok((user, done))
    }
}

/// The roles that a provider's groups gave go with the last account there.
pub(crate) async fn end_roles(
    tx: &Tx,
    user: Uuid,
    provider: &str,
    now: DateTime<Utc>,
    random: &dyn Random,
    source: &Source,
) -> Result<(), DatabaseError> {
    for role in store::take_roles(tx, user, provider).await? {
        let event = Event::RoleRevoked { role };
        audit::record(tx, random.id(now), now, &event, &About::user(user), source).await?;
    }
    Ok(())
}
