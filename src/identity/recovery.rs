//! A new password for whoever reads the mail of the account's address.

use chrono::Duration;
use uuid::Uuid;

use super::accounts::{end_everything, unlink_all};
use super::mailed_tokens::store::Found;
use super::mailed_tokens::{self, NewToken, Purpose};
use super::{Accounts, Email, IdentityError, Refusal, User, store};
use crate::audit::{self, About, Event, Source};
use crate::limits;
use crate::mail::{Letter, Topic};
use crate::outbox::{self, NewMessage};

/// Who asks for a mail, and in the course of what.
#[derive(Clone, Copy, Debug)]
pub struct Asking<'a> {
    pub source: &'a Source,
    /// The language of the page, for people who have not chosen one.
    pub language: Option<&'a str>,
    /// The application's request that waits for the person.
    pub interaction: Option<&'a str>,
}

/// A mailed link that did what it is for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Followed {
    pub user_id: Uuid,
    /// The application's request that waited for the person when they asked for the mail.
    pub interaction: Option<String>,
}

impl Accounts {
    /// Whether mail is written at all: what needs it is offered only then.
    pub fn has_mail(&self) -> bool {
        self.settings.mail.is_on()
    }

    /// Mails a link to choose a new password by, if there is an account with this address. The answer, and what it costs, are
    /// the same if there is none, if it is disabled, and if it has got enough mails for now.
    pub async fn request_reset(&self, address: &str, asking: Asking<'_>) -> Result<(), IdentityError> {
        let email = Email::parse(address).ok_or(Refusal::EmailMalformed)?;
        let user = store::at_address(&self.database, &email.canonical).await?;
        let lifetime = self.settings.mail.reset_lifetime.get();
        self.mail_link(Purpose::ResetPassword, user.as_ref(), email, lifetime, asking, Vec::new()).await
    }

    /// Mails a link of some purpose to this address of this person, or does as much for nobody; and what else there is to be said.
    pub(super) async fn mail_link(
        &self,
        purpose: Purpose,
        user: Option<&User>,
        address: Email,
        lifetime: i64,
        asking: Asking<'_>,
        also: Vec<NewMessage>,
    ) -> Result<(), IdentityError> {
        let now = self.clock.now();
        let wanted = self.has_mail() && self.may_mail(&address).await?;
        let user_id = user.filter(|_| wanted).map_or_else(Uuid::nil, |user| user.id);
        // People who are here have typed their address in their own way; a stranger's spelling is not written to.
        let address = match (purpose, user.and_then(|user| user.email.as_deref())) {
            (Purpose::VerifyEmail | Purpose::ResetPassword, Some(own)) => Email::parse(own).unwrap_or(address),
            _ => address,
        };
        let random = self.random.clone();
        let lifetime = Duration::milliseconds(lifetime);
        let new = NewToken::new(purpose, user_id, address, asking.interaction, lifetime, now, random.as_ref());
        let language = user.and_then(|user| user.profile.locale.as_deref()).or(asking.language);
        let letter = Letter::new(&new.address.typed, language, new.topic(), asking.source, now).until(new.expires_at);
        let message = letter.message(user_id, &self.sealing, now, random.as_ref())?;
        let event = match purpose {
            Purpose::ResetPassword => Event::PasswordResetAsked { mailed: !user_id.is_nil() },
            Purpose::VerifyEmail => Event::EmailVerificationAsked { mailed: !user_id.is_nil() },
            Purpose::ChangeEmail => Event::EmailChangeAsked { mailed: !user_id.is_nil() },
        };
        let about = About { user_id: user.map(|user| user.id), client_id: None };
        let source = asking.source.clone();
        self.database
            .write(move |tx| {
                Box::pin(async move {
                    mailed_tokens::store::put(tx, &new).await?;
                    outbox::write_with_token(tx, message, &new.hash(), now).await?;
                    outbox::write(tx, also, now).await?;
                    audit::record(tx, random.id(now), now, &event, &about, &source).await
                })
            })
            .await?;
        self.bell.ring();
        Ok(())
    }

    /// Counts a mail that somebody has asked for; answers whether the address may get it.
    pub(super) async fn may_mail(&self, address: &Email) -> Result<bool, IdentityError> {
        let settings = &self.settings.limits;
        Ok(limits::allow_mail(&self.database, settings, &address.canonical, self.clock.now()).await?)
    }

    /// Whose password a link would set, as managers keep it: their address. Nothing is used up.
    pub async fn reset_link(&self, token: &str) -> Result<Option<String>, IdentityError> {
        Ok(self.link(token, &[Purpose::ResetPassword]).await?.map(|found| found.address))
    }

    pub(super) async fn link(&self, token: &str, purposes: &[Purpose]) -> Result<Option<Found>, IdentityError> {
        let Some(hash) = mailed_tokens::presented(token) else { return Ok(None) };
        let found = mailed_tokens::store::find(&self.database, hash, self.clock.now()).await?;
        Ok(found.filter(|found| purposes.iter().any(|purpose| purpose.is(&found.purpose))))
    }

    /// Sets a new password by a mailed link, once. Everything that was signed in ends, every other link is void, the address
    /// counts as verified, and its owner is told. A password that is refused leaves the link as it is.
    pub async fn reset_password(
        &self,
        token: &str,
        password: &str,
        source: &Source,
    ) -> Result<Followed, IdentityError> {
        let dead = || IdentityError::DeadLink;
        let found = self.link(token, &[Purpose::ResetPassword]).await?.ok_or_else(dead)?;
        let hash = mailed_tokens::presented(token).ok_or_else(dead)?;
        let own: Vec<&str> =
            [&found.email, &found.username, &found.name].into_iter().flatten().map(String::as_str).collect();
        self.rules.check(password, &own).map_err(Refusal::Password)?;
        let password_hash = self.hasher.hash(password).await?;
        let (now, random, sealing, source) =
            (self.clock.now(), self.random.clone(), self.sealing.clone(), source.clone());
        let followed = self
            .database
            .write(move |tx| {
                Box::pin(async move {
                    let random = random.as_ref();
                    let claim = mailed_tokens::store::take(tx, hash, Purpose::ResetPassword, now).await?;
                    let claim = claim.ok_or(IdentityError::DeadLink)?;
                    let user = claim.user_id;
                    let stranger = store::unproven(tx, Some(user), "").await?;
                    store::set_password(tx, user, &password_hash, now).await?;
                    store::set_verified(tx, user, now).await?;
                    end_everything(tx, user, "password_reset", now, random, &source).await?;
                    if stranger.is_some() {
                        unlink_all(tx, user, now, random, &source).await?;
                    }
                    let language = store::language(tx, user).await?;
                    let letter = Letter::new(&claim.address, language.as_deref(), Topic::PasswordChanged, &source, now);
                    outbox::write(tx, vec![letter.message(user, &sealing, now, random)?], now).await?;
                    let event = Event::PasswordReset;
                    audit::record(tx, random.id(now), now, &event, &About::user(user), &source).await?;
                    Ok::<_, IdentityError>(Followed { user_id: user, interaction: claim.interaction })
                })
            })
            .await?;
        self.bell.ring();
        Ok(followed)
    }
}
