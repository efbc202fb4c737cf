//! Somebody comes from another provider: who are they here?

use uuid::Uuid;

use super::super::devices::Visit;
use super::super::{Accounts, Email, IdentityError, NewAccount, Proof, Proven, Refusal, User, store as people};
use super::arrival::{self, Joining};
use super::{Arrival, store};
use crate::audit::{self, About, Event, Source};
use crate::mail::{Letter, Topic};
use crate::outbox;
use crate::platform::database::DatabaseError;

/// What is to become of somebody who comes from another provider.
#[derive(Debug)]
pub enum Arrived {
    /// They are let in, by the account that is linked, or by a new one.
    In(Proof),
    /// They have something to prove first: the name of what waits.
    ToProve(String),
    /// They have no account here, and none is made for them.
    Stranger,
    /// Their account's address has to be verified first, as everybody's here.
    Unverified { email: String },
}

/// Whether a way to sign in may be added.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum MayLink {
    Yes,
    /// The account's address has to be proven first.
    Unverified,
    /// They have to sign in anew first.
    Stale,
}

/// Who comes, where from, and in the course of what.
#[derive(Clone, Copy)]
pub struct Coming<'a> {
    pub visit: Visit<'a>,
    /// Whether an account may be made for them.
    pub may_sign_up: bool,
}

/// What the address of somebody says who has no account that is linked.
enum Address {
    /// None that we may keep.
    None,
    /// The provider's word counts, and nobody has it.
    Free(Email),
    /// Somebody may have it, or we do not know whose it is.
    ToProve,
}

/// What becomes of somebody whose address we may not keep.
#[derive(Clone, Copy)]
enum Nameless {
    Welcome,
    ToProve,
}

impl Accounts {
    /// Lets somebody in by the account that is linked to theirs, makes them one, or keeps what they have to prove first for the
    /// browser that holds `browser`. An address alone opens nobody's account.
    pub async fn arrive(
        &self,
        arrival: Arrival,
        coming: Coming<'_>,
        browser: &str,
        interaction: Option<&str>,
    ) -> Result<Arrived, IdentityError> {
        Ok(match self.receive(&arrival, coming, Nameless::Welcome).await? {
            Some(arrived) => arrived,
            None => Arrived::ToProve(self.keep_pending(&arrival, browser, interaction).await?),
        })
    }

    /// The same for a program that brings no browser: nothing can be proven on the way, and nobody gets an account without an
    /// address.
    pub async fn arrive_at_once(&self, arrival: Arrival, coming: Coming<'_>) -> Result<Option<Proof>, IdentityError> {
        Ok(match self.receive(&arrival, coming, Nameless::ToProve).await? {
            Some(Arrived::In(proof)) => Some(proof),
            _ => None,
        })
    }

    /// `None`: they have something to prove first.
    async fn receive(
        &self,
        arrival: &Arrival,
        coming: Coming<'_>,
        nameless: Nameless,
    ) -> Result<Option<Arrived>, IdentityError> {
        if let Some(arrived) = self.known(arrival, coming.visit).await? {
            return Ok(Some(arrived));
        }
        match (self.address(arrival).await?, nameless) {
            (Address::Free(email), _) => self.welcome(arrival.clone(), Some(email), None, coming).await,
            (Address::None, Nameless::Welcome) => self.welcome(arrival.clone(), None, None, coming).await,
            (Address::None, Nameless::ToProve) => Ok(None),
            // The same person may have been quicker in another tab: then the address is taken by themselves.
            (Address::ToProve, _) => self.known(arrival, coming.visit).await,
        }
    }

    /// Whether somebody may add a way to sign in: not to an account whose address they could have proven and have not (it may be
    /// another's, who is yet to come), and not long after they have signed in. Times in milliseconds since 1970.
    pub async fn may_link(&self, user: Uuid, auth_time: i64, signed_in_at: i64) -> Result<MayLink, IdentityError> {
        let user = self.find(&user.to_string()).await?;
        if user.email.is_some() && !user.email_verified && self.has_mail() {
            return Ok(MayLink::Unverified);
        }
        let fresh = self.is_fresh(user.id, Proven { auth_time, signed_in_at }).await?;
        Ok(if fresh { MayLink::Yes } else { MayLink::Stale })
    }

    /// Links an account to somebody who is signed in, and tells them by mail. `label` is what people call the provider. Answers
    /// whether it is theirs now: it may be another person's.
    pub async fn link_to(
        &self,
        user: Uuid,
        arrival: Arrival,
        label: &str,
        source: &Source,
    ) -> Result<bool, IdentityError> {
        let (now, random, source) = (self.clock.now(), self.random.clone(), source.clone());
        let joining = self.joining(arrival);
        let person = self.find(&user.to_string()).await?;
        let to = person.email.as_deref().filter(|_| person.email_verified && self.has_mail());
        let message = to.map(|to| {
            let topic = Topic::WayInAdded { provider: label.to_owned() };
            let letter = Letter::new(to, person.profile.locale.as_deref(), topic, &source, now);
            letter.message(user, &self.sealing, now, self.random.as_ref())
        });
        let messages: Vec<_> = message.transpose()?.into_iter().collect();
        let action = self.database.write(move |tx| {
            Box::pin(async move {
                let held = people::hold(tx, user, true).await?.is_some_and(|held| held.disabled_at.is_none());
                if !held || !joining.settle(tx, user, now, random.as_ref(), &source).await? {
                    // Nothing of it stays.
                    return Err(DatabaseError::conflict());
                }
                outbox::write(tx, messages, now).await
            })
        });
        match action.await {
            Ok(()) => {
                self.bell.ring();
                Ok(true)
            }
            Err(error) if error.is_conflict() => Ok(false),
            Err(error) => Err(error.into()),
        }
    }

    async fn known(&self, arrival: &Arrival, visit: Visit<'_>) -> Result<Option<Arrived>, IdentityError> {
        let holder = store::holder(&self.database, &arrival.issuer, &arrival.subject, &arrival.provider).await?;
        let Some(user) = holder else { return Ok(None) };
        let user = self.find(&user.to_string()).await?;
        Ok(Some(self.let_in(&user, self.joining(arrival.clone()), visit).await?))
    }

    async fn address(&self, arrival: &Arrival) -> Result<Address, IdentityError> {
        let Some(email) = arrival.email.as_deref().and_then(Email::parse) else { return Ok(Address::None) };
        if !arrival.email_proven {
            // Asked whether or not somebody has it: the answer would say who is here.
            return Ok(if self.has_mail() { Address::ToProve } else { Address::None });
        }
        Ok(match people::at_address(&self.database, &email.canonical).await? {
            Some(_) => Address::ToProve,
            None => Address::Free(email),
        })
    }

    /// Makes an account that is linked from the beginning. `None`: somebody else has taken the address a moment ago.
    pub(super) async fn welcome(
        &self,
        arrival: Arrival,
        email: Option<Email>,
        pending: Option<Vec<u8>>,
        coming: Coming<'_>,
    ) -> Result<Option<Arrived>, IdentityError> {
        let settings = &self.settings.accounts;
        let address = email.as_ref().map_or("", |email| email.canonical.as_str());
        if !settings.sign_up || !coming.may_sign_up || !settings.may_sign_up(address) {
            return Ok(Some(Arrived::Stranger));
        }
        let first = arrival::taken(&arrival.at_creation, &self.settings.attributes);
        let account = NewAccount {
            email_verified: email.is_some(),
            email: email.map(|email| email.typed),
            name: first.name.clone(),
            profile: first.profile(None)?,
            attributes: first.attributes.clone(),
            nameless: true,
            ..NewAccount::default()
        };
        let now = self.clock.now();
        let (linked, event_id, source) = (arrival.clone(), self.random.id(now), coming.visit.source.clone());
        let made = self.create_by("provider", account, coming.visit.source, move |tx, id| {
            Box::pin(async move {
                if let Some(pending) = pending
                    && !store::take_pending(tx, pending, now).await?
                {
                    return Err(DatabaseError::conflict());
                }
                if !store::insert(tx, &linked.link(id, now)).await? {
                    return Err(DatabaseError::conflict());
                }
                let event = Event::AccountLinked { provider: linked.provider };
                audit::record(tx, event_id, now, &event, &About::user(id), &source).await
            })
        });
        let id = match made.await {
            Ok(id) => id,
            // The same person was quicker in another tab, or somebody has taken the address a moment ago.
            Err(error) if is_conflict(&error) => return self.known(&arrival, coming.visit).await,
            Err(error) => return Err(error),
        };
        let proof = Proof::of_arrival(id, self.joining(arrival));
        Ok(Some(Arrived::In(self.on_first_device(proof, coming.visit))))
    }

    /// What has been proven of somebody whose account is linked, or is going to be.
    pub(super) async fn let_in(
        &self,
        user: &User,
        joining: Joining,
        visit: Visit<'_>,
    ) -> Result<Arrived, IdentityError> {
        let verified = user.email_verified || joining.verifies.is_some() || joining.proven_address.is_some();
        if let (true, false, Some(email)) = (self.settings.accounts.require_verified_email, verified, &user.email) {
            return Ok(Arrived::Unverified { email: email.clone() });
        }
        let proof = Proof::of_arrival(user.id, joining);
        Ok(Arrived::In(self.on_device(proof, user.id, visit).await?))
    }

    pub(super) fn joining(&self, arrival: Arrival) -> Joining {
        let changes = (!arrival.always.is_empty()).then(|| arrival::taken(&arrival.always, &self.settings.attributes));
        Joining { arrival, pending: None, proven_address: None, verifies: None, changes }
    }
}

fn is_conflict(error: &IdentityError) -> bool {
    match error {
        IdentityError::Database(error) => error.is_conflict(),
        IdentityError::Refused(Refusal::EmailTaken) => true,
        _ => false,
    }
}
