//! Signing up with mail: nobody learns which addresses have accounts, but for whoever reads their mail.

use uuid::Uuid;

use super::mailed_tokens::{self, NewToken, Purpose};
use super::recovery::Asking;
use super::{Accounts, Email, IdentityError, NewAccount, Proof, Refusal, User, store};
use crate::audit::{self, About, Event};
use crate::mail::{Letter, Topic};
use crate::outbox;

/// How a sign-up goes on.
#[derive(Clone, Debug)]
pub enum Registered {
    /// With a session.
    Here(Proof),
    /// In the mailbox; whether there was an account before is not said. The id is the new account's, or nobody's.
    ByMail { id: Uuid },
}

impl Registered {
    pub fn id(&self) -> Uuid {
        match self {
            Self::Here(proof) => proof.user_id,
            Self::ByMail { id } => *id,
        }
    }
}

impl Accounts {
    /// Somebody makes an account; with mail, a link to verify its address is written in the same transaction. Where existing
    /// accounts are not revealed, a known address is answered like a fresh one, at the same cost, and its owner is told.
    pub async fn register(&self, account: NewAccount, asking: Asking<'_>) -> Result<Registered, IdentityError> {
        let settings = &self.settings.accounts;
        self.require_welcome(account.email.as_deref())?;
        if !self.has_mail() || account.email.as_deref().is_none_or(str::is_empty) {
            return Ok(Registered::Here(self.sign_up(account, asking.source).await?));
        }
        let row = self.prepare(&account, self.clock.now()).await?;
        let Some(email) = row.email.clone() else { return Err(Refusal::EmailMalformed.into()) };
        self.require_free(row.username.as_ref(), None, None).await?;
        let owner = store::at_address(&self.database, &email.canonical).await?;
        if owner.is_some() && settings.reveal_existing {
            return Err(Refusal::EmailTaken.into());
        }
        let wanted = self.may_mail(&email).await?;
        let id = row.id;
        match owner {
            Some(owner) => self.tell_owner(&owner, wanted, asking).await?,
            None => match self.insert_with_link(row.clone(), email.clone(), wanted, asking).await {
                Ok(()) => {}
                // Somebody else was quicker with one of the two names.
                Err(IdentityError::Database(error)) if error.is_conflict() => {
                    self.require_free(row.username.as_ref(), None, None).await?;
                    let owner = store::at_address(&self.database, &email.canonical).await?;
                    match owner {
                        Some(_) if settings.reveal_existing => return Err(Refusal::EmailTaken.into()),
                        Some(owner) => self.tell_owner(&owner, wanted, asking).await?,
                        None => return Err(error.into()),
                    }
                }
                Err(error) => return Err(error),
            },
        }
        let here = settings.reveal_existing && !settings.require_verified_email;
        Ok(if here { Registered::Here(Proof::of_new_account(id)) } else { Registered::ByMail { id } })
    }

    /// Refuses whoever `accounts.sign_up_domains` leaves out. An address that is none is left to the rules of addresses.
    pub fn require_welcome(&self, address: Option<&str>) -> Result<(), Refusal> {
        let accounts = &self.settings.accounts;
        match address.map(str::trim).filter(|address| !address.is_empty()) {
            None if accounts.sign_up_domains.is_empty() => Ok(()),
            None => Err(Refusal::EmailMalformed),
            Some(address) => match Email::parse(address) {
                Some(email) if !accounts.may_sign_up(&email.canonical) => Err(Refusal::EmailUnwelcome),
                _ => Ok(()),
            },
        }
    }

    async fn insert_with_link(
        &self,
        row: store::New,
        email: Email,
        wanted: bool,
        asking: Asking<'_>,
    ) -> Result<(), IdentityError> {
        let (now, random, source) = (row.now, self.random.clone(), asking.source.clone());
        let lifetime = chrono::Duration::milliseconds(self.settings.mail.verify_lifetime.get());
        let new =
            NewToken::new(Purpose::VerifyEmail, row.id, email, asking.interaction, lifetime, now, random.as_ref());
        let letter = Letter::new(&new.address.typed, asking.language, new.topic(), &source, now).until(new.expires_at);
        let message = letter.message(row.id, &self.sealing, now, random.as_ref())?;
        self.database
            .write(move |tx| {
                Box::pin(async move {
                    store::insert(tx, &row).await?;
                    if wanted {
                        mailed_tokens::store::put(tx, &new).await?;
                        outbox::write_with_token(tx, message, &new.hash(), now).await?;
                    }
                    let about = About::user(row.id);
                    audit::record(tx, random.id(now), now, &Event::SignedUp, &about, &source).await
                })
            })
            .await?;
        self.bell.ring();
        Ok(())
    }

    /// The account that is there stays as it is.
    async fn tell_owner(&self, owner: &User, wanted: bool, asking: Asking<'_>) -> Result<(), IdentityError> {
        let (id, now): (Uuid, _) = (owner.id, self.clock.now());
        let (random, source) = (self.random.clone(), asking.source.clone());
        let language = owner.profile.locale.as_deref().or(asking.language);
        let to = owner.email.as_deref().unwrap_or_default();
        let letter = Letter::new(to, language, Topic::AccountExists, &source, now);
        let message = letter.message(id, &self.sealing, now, random.as_ref())?;
        let messages = if wanted && !owner.disabled { vec![message] } else { Vec::new() };
        self.database
            .write(move |tx| {
                Box::pin(async move {
                    outbox::write(tx, messages, now).await?;
                    let event = Event::SignUpRefused { reason: "known_address" };
                    audit::record(tx, random.id(now), now, &event, &About::user(id), &source).await
                })
            })
            .await?;
        self.bell.ring();
        Ok(())
    }
}
