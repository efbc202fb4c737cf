//! Whose an address is: whoever opens the link that was mailed to it.

use uuid::Uuid;

use super::accounts::end_everything;
use super::mailed_tokens::{self, Purpose};
use super::recovery::{Asking, Followed};
use super::{Accounts, Email, IdentityError, Refusal, User, store};
use crate::audit::{self, About, Event, Source};
use crate::mail::{Letter, Topic};
use crate::outbox;

/// What a link for an address would do.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AddressLink {
    pub address: String,
    /// The account has another address now.
    pub changes: bool,
}

impl Accounts {
    /// Mails a person a link to verify the address they have, unless it is verified.
    pub async fn request_verification(&self, user: Uuid, asking: Asking<'_>) -> Result<(), IdentityError> {
        let user = self.find(&user.to_string()).await?;
        let Some(email) = user.email.as_deref().and_then(Email::parse) else { return Ok(()) };
        self.mail_verification(Some(user).filter(|user| !user.email_verified), email, asking).await
    }

    /// The same for whoever has this address, where nobody is signed in: the answer says nothing about who that is.
    pub async fn request_verification_of(&self, address: &str, asking: Asking<'_>) -> Result<(), IdentityError> {
        let email = Email::parse(address).ok_or(Refusal::EmailMalformed)?;
        let user = store::at_address(&self.database, &email.canonical).await?;
        self.mail_verification(user.filter(|user| !user.email_verified), email, asking).await
    }

    async fn mail_verification(&self, user: Option<User>, to: Email, asking: Asking<'_>) -> Result<(), IdentityError> {
        let lifetime = self.settings.mail.verify_lifetime.get();
        self.mail_link(Purpose::VerifyEmail, user.as_ref(), to, lifetime, asking, Vec::new()).await
    }

    /// What a mailed link would do; nothing is used up.
    pub async fn address_link(&self, token: &str) -> Result<Option<AddressLink>, IdentityError> {
        let found = self.link(token, &[Purpose::VerifyEmail, Purpose::ChangeEmail]).await?;
        Ok(found.map(|found| AddressLink { changes: Purpose::ChangeEmail.is(&found.purpose), address: found.address }))
    }

    /// Verifies the address that a link was mailed to, or changes to it, once. `here` is who is signed in where the link was
    /// opened. Whoever made the account with an address that is not theirs loses every session and grant when its owner
    /// verifies it. Errors: the link is none, or somebody else has the new address by now.
    pub async fn verify_email(
        &self,
        token: &str,
        here: Option<Uuid>,
        source: &Source,
    ) -> Result<Followed, IdentityError> {
        let link = self.address_link(token).await?.ok_or(IdentityError::DeadLink)?;
        let hash = mailed_tokens::presented(token).ok_or(IdentityError::DeadLink)?;
        if link.changes { self.change_email(hash, source).await } else { self.verify(hash, here, source).await }
    }

    async fn verify(&self, hash: Vec<u8>, here: Option<Uuid>, source: &Source) -> Result<Followed, IdentityError> {
        let (now, random, source) = (self.clock.now(), self.random.clone(), source.clone());
        let followed = self
            .database
            .write(move |tx| {
                Box::pin(async move {
                    let random = random.as_ref();
                    let claim = mailed_tokens::store::take(tx, hash, Purpose::VerifyEmail, now).await?;
                    let claim = claim.ok_or(IdentityError::DeadLink)?;
                    let user = claim.user_id;
                    if store::set_verified(tx, user, now).await? && here != Some(user) {
                        end_everything(tx, user, "email_verified", now, random, &source).await?;
                    }
                    audit::record(tx, random.id(now), now, &Event::EmailVerified, &About::user(user), &source).await?;
                    Ok::<_, IdentityError>(Followed { user_id: user, interaction: claim.interaction })
                })
            })
            .await?;
        self.bell.ring();
        Ok(followed)
    }

    async fn change_email(&self, hash: Vec<u8>, source: &Source) -> Result<Followed, IdentityError> {
        let (now, random, sealing, source) =
            (self.clock.now(), self.random.clone(), self.sealing.clone(), source.clone());
        let changed = self.database.write(move |tx| {
            Box::pin(async move {
                let random = random.as_ref();
                let claim = mailed_tokens::store::take(tx, hash, Purpose::ChangeEmail, now).await?;
                let claim = claim.ok_or(IdentityError::DeadLink)?;
                let (user, email) = (claim.user_id, Email::parse(&claim.address).ok_or(IdentityError::DeadLink)?);
                let old = store::email(tx, user).await?;
                store::set_email(tx, user, &email, now).await?;
                mailed_tokens::store::void(tx, user, now).await?;
                if let Some(old) = old {
                    let language = store::language(tx, user).await?;
                    let letter = Letter::new(&old, language.as_deref(), Topic::EmailChanged, &source, now);
                    outbox::write(tx, vec![letter.message(user, &sealing, now, random)?], now).await?;
                }
                audit::record(tx, random.id(now), now, &Event::EmailChanged, &About::user(user), &source).await?;
                Ok::<_, IdentityError>(Followed { user_id: user, interaction: claim.interaction })
            })
        });
        match changed.await {
            Err(IdentityError::Database(error)) if error.is_conflict() => Err(Refusal::EmailTaken.into()),
            Ok(followed) => {
                self.bell.ring();
                Ok(followed)
            }
            Err(error) => Err(error),
        }
    }
}
