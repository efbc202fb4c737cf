//! People, and their accounts at other providers.

use chrono::{DateTime, Utc};
use serde_json::Value;
use uuid::Uuid;

use super::store::{self, Key};
use super::{Adapter, Linking, NewLink, Person, Unlinking};
use crate::audit::{self, About, Event, Source};
use crate::identity::{
    ADMIN, AccountChange, Email, IdentityError, Link, NewAccount, Profile, Proof, canonical_login, end_roles,
    link_store,
};
use crate::platform::database::DatabaseError;

/// Somebody whom the adapter has met.
#[derive(Clone, Debug, Default)]
pub struct NewPerson {
    pub email: Option<String>,
    pub name: Option<String>,
    pub image: Option<String>,
    pub email_verified: Option<DateTime<Utc>>,
}

/// What the adapter changes; what it does not say stays.
#[derive(Clone, Debug, Default)]
pub struct PersonChange {
    pub email: Option<String>,
    pub name: Option<String>,
    pub image: Option<String>,
    pub email_verified: Option<DateTime<Utc>>,
}

impl Adapter {
    /// Makes an account without a password.
    pub async fn create(&self, new: NewPerson, source: &Source) -> Result<Option<Person>, IdentityError> {
        let address = new.email.as_deref().and_then(Email::parse).map(|email| email.canonical);
        // Of a picture that is none of ours to keep, the person can do without.
        let image = new.image.map(Value::from).map(|image| Profile::default().with([("picture", image)]));
        let account = NewAccount {
            email: new.email,
            name: new.name,
            profile: image.and_then(Result::ok).unwrap_or_default(),
            ..NewAccount::default()
        };
        let (now, word) = (self.clock.now(), new.email_verified.zip(address));
        let made = self.accounts.create_by("adapter", account, source, move |tx, id| {
            Box::pin(async move {
                let Some((at, address)) = word else { return Ok(()) };
                store::keep_word(tx, id, &address, at).await?;
                store::believe(tx, id, now).await
            })
        });
        let id = made.await?;
        Ok(self.person(id).await?)
    }

    pub async fn person(&self, id: Uuid) -> Result<Option<Person>, DatabaseError> {
        store::person(&self.database, Key::Id(id)).await
    }

    pub async fn person_by_email(&self, email: &str) -> Result<Option<Person>, DatabaseError> {
        let Some(email) = Email::parse(email) else { return Ok(None) };
        store::person(&self.database, Key::Address(email.canonical)).await
    }

    pub async fn person_by_account(&self, provider: &str, account_id: &str) -> Result<Option<Person>, DatabaseError> {
        let key = Key::Account { provider: provider.to_owned(), account_id: account_id.to_owned() };
        store::person(&self.database, key).await
    }

    /// `None`: there is nobody with this id.
    pub async fn update(
        &self,
        id: Uuid,
        change: PersonChange,
        source: &Source,
    ) -> Result<Option<Person>, IdentityError> {
        let Some(before) = self.person(id).await? else { return Ok(None) };
        let differs = |new: &Option<String>, old: Option<String>| new.is_some() && *new != old;
        let changes = differs(&change.email, before.email.clone())
            || differs(&change.name, before.name.clone())
            || differs(&change.image, before.image());
        if changes {
            self.require_unguarded(id).await?;
        }
        let profile = Profile::stored(before.profile.as_deref());
        let image = change.image.map(Value::from).filter(|image| profile.with([("picture", image.clone())]).is_ok());
        let account = AccountChange {
            email: change.email,
            name: change.name,
            claims: image.map(|image| ("picture".to_owned(), image)).into_iter().collect(),
            ..AccountChange::default()
        };
        let (user, _) = self.accounts.update_by(&id.to_string(), account, source).await?;
        let address = user.email.as_deref().and_then(Email::parse).map(|email| email.canonical);
        if let Some((at, address)) = change.email_verified.zip(address) {
            let now = self.clock.now();
            let action = self.database.write(move |tx| {
                Box::pin(async move {
                    store::keep_word(tx, id, &address, at).await?;
                    store::believe(tx, id, now).await
                })
            });
            action.await?;
        }
        Ok(self.person(id).await?)
    }

    /// Removes a person at once. `None`: there is nobody with this id.
    pub async fn delete(&self, id: Uuid, source: &Source) -> Result<Option<Person>, IdentityError> {
        let Some(person) = self.person(id).await? else { return Ok(None) };
        self.require_unguarded(id).await?;
        match self.accounts.delete_by(&id.to_string(), source).await {
            Ok(_) => Ok(Some(person)),
            Err(IdentityError::Unknown(_)) => Ok(None),
            Err(error) => Err(error),
        }
    }

    async fn require_unguarded(&self, id: Uuid) -> Result<(), IdentityError> {
        let user = self.accounts.find(&id.to_string()).await?;
        if user.roles.iter().any(|role| role == ADMIN) { Err(IdentityError::Guarded) } else { Ok(()) }
    }

    /// Links an account of another provider to a person, unless it is somebody else's.
    pub async fn link(&self, new: NewLink, source: &Source) -> Result<Linking, DatabaseError> {
        let (now, source) = (self.clock.now(), source.clone());
        let NewLink { user_id, provider, account_id, kind } = new;
        let (created_at, issuer, last_used_at) = (now.timestamp_millis(), None, None);
        let link = Link { user_id, provider, account_id, kind, issuer, created_at, last_used_at };
        let event_id = self.random.id(now);
        let action = self.database.write(move |tx| {
            Box::pin(async move {
                if !store::is_there(tx, link.user_id).await? {
                    return Ok(Linking::Nobody);
                }
                if store::is_guarded(tx, link.user_id).await? {
                    return Ok(Linking::Guarded);
                }
                if !link_store::put(tx, &link).await? {
                    return Ok(Linking::Foreign);
                }
                let (about, event) = (About::user(link.user_id), Event::AccountLinked { provider: link.provider });
                audit::record(tx, event_id, now, &event, &about, &source).await?;
                Ok::<_, DatabaseError>(Linking::Linked)
            })
        });
        action.await
    }

    /// Takes a link away, unless its person could not sign in any more.
    pub async fn unlink(&self, provider: &str, account_id: &str, source: &Source) -> Result<Unlinking, DatabaseError> {
        let (now, source) = (self.clock.now(), source.clone());
        let random = self.random.clone();
        let (provider, account_id) = (provider.to_owned(), account_id.to_owned());
        let action = self.database.write(move |tx| {
            Box::pin(async move {
                // Of two links that go at once, the later waits here and sees that the other has gone.
                let Some(user) = link_store::lock_holder(tx, &provider, &account_id).await? else {
                    return Ok(Unlinking::Nothing);
                };
                if store::is_guarded(tx, user).await? {
                    return Ok(Unlinking::Guarded);
                }
                let Some(link) = link_store::unlink(tx, &provider, &account_id).await? else {
                    return Ok(Unlinking::Last);
                };
                end_roles(tx, user, &provider, now, random.as_ref(), &source).await?;
                let (about, event) = (About::user(link.user_id), Event::AccountUnlinked { provider });
                audit::record(tx, random.id(now), now, &event, &about, &source).await?;
                Ok::<_, DatabaseError>(Unlinking::Unlinked(link))
            })
        });
        action.await
    }

    /// A proof of who somebody is by the adapter's word that they have signed in to an account linked to that very person.
    pub async fn prove(&self, email: &str, provider: &str, account_id: &str) -> Result<Option<Proof>, DatabaseError> {
        let holder = store::holder(&self.database, provider, account_id, &canonical_login(email)).await?;
        Ok(holder.map(Proof::of_linked_account))
    }
}
