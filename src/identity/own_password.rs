//! A new password by whoever is signed in.

use uuid::Uuid;

use super::accounts::end_all_but;
use super::devices::Visit;
use super::{Accounts, IdentityError, Refusal, SignInError, store};
use crate::audit::{self, About, Event};
use crate::limits;
use crate::mail::{Letter, Topic};
use crate::outbox;

/// Where somebody changes their own password: what of theirs goes on.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Keep {
    /// The browser session, with what was granted in it.
    pub session: Option<Uuid>,
    /// The grant of the token that they show.
    pub grant: Option<Uuid>,
}

impl Accounts {
    /// Gives somebody the password that they have chosen, ends everything of theirs but where they are, and tells them by mail.
    /// With `current`, that is their password now; the attempt counts as one to sign in. Without, the caller has made sure that
    /// they have signed in a moment ago ([`Accounts::is_fresh`]). Errors: `current` is wrong or throttled
    /// ([`IdentityError::Unproven`]), or the new one does not do.
    pub async fn change_password(
        &self,
        user: Uuid,
        current: Option<&str>,
        new: &str,
        keep: Keep,
        visit: Visit<'_>,
    ) -> Result<(), IdentityError> {
        let person = self.find(&user.to_string()).await?;
        let own: Vec<&str> =
            [&person.email, &person.username, &person.name].into_iter().flatten().map(String::as_str).collect();
        self.rules.check(new, &own).map_err(Refusal::Password)?;
        let (mut version, mut charge) = (None, None);
        if let Some(current) = current {
            let device = visit.key_hash(self);
            let known =
                store::credentials_of(&self.database, user, device, self.devices_since(self.clock.now())).await?;
            let (known, charged, _) = self.check_password(user.to_string(), known, current, visit).await?;
            (version, charge) = (Some(known.password_version), charged);
        }
        let hash = match self.hasher.hash(new).await {
            Ok(hash) => hash,
            Err(error) => {
                self.give_back(charge).await.map_err(SignInError::from)?;
                return Err(error.into());
            }
        };
        let (now, random, source) = (self.clock.now(), self.random.clone(), visit.source.clone());
        let mut messages = Vec::new();
        if let Some(email) = person.email.as_deref().filter(|_| self.has_mail()) {
            let language = person.profile.locale.as_deref().or(visit.language);
            let letter = Letter::new(email, language, Topic::PasswordChanged, &source, now);
            messages.push(letter.message(user, &self.sealing, now, random.as_ref())?);
        }
        let action = self.database.write(move |tx| {
            Box::pin(async move {
                let random = random.as_ref();
                let held = store::hold(tx, user, true).await?.filter(|held| held.disabled_at.is_none());
                let held = held.ok_or_else(|| IdentityError::Unknown(user.to_string()))?;
                if version.is_some_and(|version| version != held.password_version) {
                    return Err(SignInError::Refused.into());
                }
                if let Some(charge) = &charge {
                    limits::refund(tx, charge).await?;
                }
                store::set_password(tx, user, &hash, now).await?;
                end_all_but(tx, user, keep, "password_changed", now, random, &source).await?;
                outbox::write(tx, messages, now).await?;
                let event = Event::PasswordChanged;
                audit::record(tx, random.id(now), now, &event, &About::user(user), &source).await?;
                Ok::<_, IdentityError>(())
            })
        });
        action.await?;
        self.bell.ring();
        Ok(())
    }
}
