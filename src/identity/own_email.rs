//! Another address for whoever is signed in: nothing changes before somebody has opened the link that is mailed there.

use uuid::Uuid;

use super::mailed_tokens::Purpose;
use super::recovery::Asking;
use super::{Accounts, Email, IdentityError, Refusal, User, store};
use crate::audit::{self, About, Event};
use crate::mail::{Letter, Topic};
use crate::outbox::{self, NewMessage};

impl Accounts {
    /// Mails a link to a new address, and tells the address that the account has. Where existing accounts are not revealed, one that
    /// is somebody else's is answered like any other, and its owner is told that somebody tried. The caller has made sure that
    /// they have signed in a moment ago ([`Accounts::is_fresh`]).
    pub async fn ask_new_email(&self, user: Uuid, address: &str, asking: Asking<'_>) -> Result<(), IdentityError> {
        let email = Email::parse(address).ok_or(Refusal::EmailMalformed)?;
        let person = self.find(&user.to_string()).await?;
        let owner = store::at_address(&self.database, &email.canonical).await?.filter(|owner| owner.id != user);
        if owner.is_some() && self.settings.accounts.reveal_existing {
            return Err(Refusal::EmailTaken.into());
        }
        let notice = self.notice_of_change(&person, &email, asking).await?;
        if let Some(owner) = owner {
            return self.tell_taken(&owner, &email, user, asking, notice).await;
        }
        let lifetime = self.settings.mail.verify_lifetime.get();
        self.mail_link(Purpose::ChangeEmail, Some(&person), email, lifetime, asking, notice).await
    }

    /// Whoever has the address hears of it, as at a sign-up with it.
    async fn tell_taken(
        &self,
        owner: &User,
        address: &Email,
        asker: Uuid,
        asking: Asking<'_>,
        mut messages: Vec<NewMessage>,
    ) -> Result<(), IdentityError> {
        let (now, random, source) = (self.clock.now(), self.random.clone(), asking.source.clone());
        let language = owner.profile.locale.as_deref().or(asking.language);
        let to = owner.email.as_deref().unwrap_or_default();
        let letter = Letter::new(to, language, Topic::AccountExists, &source, now);
        let message = letter.message(owner.id, &self.sealing, now, random.as_ref())?;
        if self.has_mail() && self.may_mail(address).await? && !owner.disabled {
            messages.push(message);
        }
        let action = self.database.write(move |tx| {
            Box::pin(async move {
                outbox::write(tx, messages, now).await?;
                let event = Event::EmailChangeAsked { mailed: false };
                audit::record(tx, random.id(now), now, &event, &About::user(asker), &source).await
            })
        });
        action.await?;
        self.bell.ring();
        Ok(())
    }

    /// Whoever reads the mail of the address that the account has can still do something about it.
    async fn notice_of_change(
        &self,
        person: &User,
        new: &Email,
        asking: Asking<'_>,
    ) -> Result<Vec<NewMessage>, IdentityError> {
        let old = person.email.as_deref().and_then(Email::parse).filter(|old| old.canonical != new.canonical);
        let Some(old) = old.filter(|_| self.has_mail()) else { return Ok(Vec::new()) };
        if !self.may_mail(&old).await? {
            return Ok(Vec::new());
        }
        let now = self.clock.now();
        let language = person.profile.locale.as_deref().or(asking.language);
        let letter = Letter::new(&old.typed, language, Topic::EmailChangeAsked, asking.source, now);
        Ok(vec![letter.message(person.id, &self.sealing, now, self.random.as_ref())?])
    }
}
