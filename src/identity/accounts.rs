//! Accounts: made, changed and removed, by people themselves and by operators.

use std::sync::Arc;

use chrono::{DateTime, Utc};
use uuid::Uuid;

use super::mailed_tokens;
use super::passwords::PasswordFault;
use super::pictures::Studio;
use super::store::Key;
use super::{
    AttributeValues, Email, IdentityError, Keep, PasswordRules, Profile, Proof, User, Username, attributes,
    canonical_login, links, store,
};
use crate::audit::{self, About, Event, Source};
use crate::mail::{self, Letter, Topic};
use crate::outbox::{self, Bell};
use crate::platform::clock::Clock;
use crate::platform::database::{Action, Database, DatabaseError, Tx};
use crate::platform::hashing::{self, Hasher};
use crate::platform::random::Random;
use crate::platform::secrets::SealingKey;
use crate::platform::settings::Settings;
use crate::platform::storage::{Storage, StorageError};
use crate::{adapter, grants, sessions};

/// Why an account is not made as asked: the field and what is wrong with it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    #[error("the e-mail address is not one we can write to")]
    EmailMalformed,
    #[error("accounts are made only for e-mail addresses of certain domains")]
    EmailUnwelcome,
    #[error("an account with this e-mail address exists")]
    EmailTaken,
    #[error("a username has 2 to 64 letters, digits, '.', '_' and '-'")]
    UsernameMalformed,
    #[error("an account with this username exists")]
    UsernameTaken,
    #[error("a name has 200 characters at most")]
    NameTooLong,
    #[error("an account needs an e-mail address or a username")]
    Nameless,
    #[error(transparent)]
    Password(PasswordFault),
}

/// A new account.
#[derive(Clone, Debug, Default)]
pub struct NewAccount {
    pub email: Option<String>,
    pub username: Option<String>,
    pub name: Option<String>,
    /// Further standard claims.
    pub profile: Profile,
    pub attributes: AttributeValues,
    /// Without one the person cannot sign in with a password.
    pub password: Option<String>,
    /// A hash of another program instead, which `hashing::check` takes.
    pub password_hash: Option<String>,
    pub email_verified: bool,
    /// Whoever signs in by an account at another provider needs no name of ours.
    pub nameless: bool,
    pub roles: Vec<String>,
}

/// The names of an account, checked. An empty text is no name.
pub(super) struct Names {
    pub(super) email: Option<Email>,
    pub(super) username: Option<Username>,
    pub(super) name: Option<String>,
}

impl Names {
    pub(super) fn read(
        email: Option<&str>,
        username: Option<&str>,
        name: Option<&str>,
        nameless: bool,
    ) -> Result<Self, Refusal> {
        let email = email.filter(|text| !text.is_empty());
        let email = email.map(|text| Email::parse(text).ok_or(Refusal::EmailMalformed)).transpose()?;
        let username = username.filter(|text| !text.is_empty());
        let username = username.map(|text| Username::parse(text).ok_or(Refusal::UsernameMalformed)).transpose()?;
        if email.is_none() && username.is_none() && !nameless {
            return Err(Refusal::Nameless);
        }
        let name = name.map(|name| name.trim().to_owned()).filter(|name| !name.is_empty());
        if name.as_ref().is_some_and(|name| name.chars().count() > 200 || name.chars().any(char::is_control)) {
            return Err(Refusal::NameTooLong);
        }
        Ok(Self { email, username, name })
    }
}

/// The people, with all that looking after them takes.
#[derive(Clone)]
pub struct Accounts {
    pub(super) database: Database,
    pub(super) clock: Arc<dyn Clock>,
    pub(super) random: Arc<dyn Random>,
    pub(super) hasher: Hasher,
    pub(super) settings: Arc<Settings>,
    pub(super) rules: Arc<PasswordRules>,
    pub(super) bell: Bell,
    /// Seals mails.
    pub(super) sealing: SealingKey,
    pub(super) studio: Studio,
}

impl Accounts {
    pub fn new(
        database: Database,
        clock: Arc<dyn Clock>,
        random: Arc<dyn Random>,
        hasher: Hasher,
        settings: Arc<Settings>,
        bell: Bell,
        sealing: SealingKey,
    ) -> Result<Self, StorageError> {
        let rules = Arc::new(PasswordRules::new(&settings.branding.name, &settings.issuer));
        let studio = Studio::new(Storage::open(&settings.storage, &settings.outgoing)?);
        Ok(Self { database, clock, random, hasher, settings, rules, bell, sealing, studio })
    }

    /// Somebody makes an account and is signed in with it.
    pub async fn sign_up(&self, account: NewAccount, source: &Source) -> Result<Proof, IdentityError> {
        let id = self.insert(account, Event::SignedUp, source).await?;
        Ok(Proof::of_new_account(id))
    }

    /// An operator makes an account.
    pub async fn create(&self, account: NewAccount) -> Result<User, IdentityError> {
        let id = self.insert(account, Event::UserCreated { by: "operator" }, &Source::default()).await?;
        self.find(&id.to_string()).await
    }

    /// An administrator makes an account for somebody else.
    pub async fn create_for(&self, account: NewAccount, source: &Source) -> Result<User, IdentityError> {
        let id = self.insert(account, Event::UserCreated { by: "administrator" }, source).await?;
        self.find(&id.to_string()).await
    }

    /// A program makes an account for somebody; what it does besides belongs to the same action.
    pub async fn create_by<F>(
        &self,
        by: &'static str,
        account: NewAccount,
        source: &Source,
        and: F,
    ) -> Result<Uuid, IdentityError>
    where
        F: for<'c> FnOnce(&'c Tx, Uuid) -> Action<'c, (), DatabaseError> + Send + 'static,
    {
        self.insert_and(account, Event::UserCreated { by }, source, and).await
    }

    async fn insert(&self, account: NewAccount, event: Event, source: &Source) -> Result<Uuid, IdentityError> {
        self.insert_and(account, event, source, |_, _| Box::pin(async { Ok(()) })).await
    }

    async fn insert_and<F>(
        &self,
        account: NewAccount,
        event: Event,
        source: &Source,
        and: F,
    ) -> Result<Uuid, IdentityError>
    where
        F: for<'c> FnOnce(&'c Tx, Uuid) -> Action<'c, (), DatabaseError> + Send + 'static,
    {
        let now = self.clock.now();
        let row = self.prepare(&account, now).await?;
        self.require_free(row.username.as_ref(), row.email.as_ref(), None).await?;
        let (id, again) = (row.id, row.clone());
        let (event_id, source) = (self.random.id(now), source.clone());
        let roles: Vec<_> = account.roles.into_iter().map(|role| (self.random.id(now), role)).collect();
        let inserted = self
            .database
            .write(move |tx| {
                Box::pin(async move {
                    store::insert(tx, &row).await?;
                    audit::record(tx, event_id, now, &event, &About::user(id), &source).await?;
                    for (event_id, role) in roles {
                        store::grant_role(tx, id, &role).await?;
                        let event = Event::RoleGranted { role };
                        audit::record(tx, event_id, now, &event, &About::user(id), &source).await?;
                    }
                    and(tx, id).await
                })
            })
            .await;
        match inserted {
            Ok(()) => Ok(id),
            // Somebody else was quicker: say which of the two names it was.
            Err(error) if error.is_conflict() => {
                self.require_free(again.username.as_ref(), again.email.as_ref(), None).await?;
                Err(error.into())
            }
            Err(error) => Err(error.into()),
        }
    }

    /// The row of an account: its names and its password are checked, the password is hashed.
    pub(super) async fn prepare(&self, account: &NewAccount, now: DateTime<Utc>) -> Result<store::New, IdentityError> {
        let Names { email, username, name } = Names::read(
            account.email.as_deref(),
            account.username.as_deref(),
            account.name.as_deref(),
            account.nameless,
        )?;
        let attributes = attributes::with(&AttributeValues::new(), &account.attributes, &self.settings.attributes)?;
        let password_hash = match (&account.password, &account.password_hash) {
            (None, None) => None,
            (None, Some(hash)) => {
                hashing::check(hash)?;
                Some(hash.clone())
            }
            (Some(password), _) => {
                let own = [
                    email.as_ref().map(|email| email.typed.as_str()),
                    username.as_ref().map(|name| name.typed.as_str()),
                    name.as_deref(),
                ];
                let own: Vec<&str> = own.into_iter().flatten().collect();
                self.rules.check(password, &own).map_err(Refusal::Password)?;
                Some(self.hasher.hash(password).await?)
            }
        };
        let profile = account.profile.clone();
        let email_verified = account.email_verified;
        let id = self.random.id(now);
        Ok(store::New { id, email, username, name, profile, attributes, password_hash, email_verified, now })
    }

    /// Refuses names that somebody else than `own` has.
    pub(super) async fn require_free(
        &self,
        username: Option<&Username>,
        email: Option<&Email>,
        own: Option<Uuid>,
    ) -> Result<(), IdentityError> {
        for (key, refusal) in [
            (username.map(|username| Key::Username(username.canonical.clone())), Refusal::UsernameTaken),
            (email.map(|email| Key::Email(email.canonical.clone())), Refusal::EmailTaken),
        ] {
            let Some(key) = key else { continue };
            if store::find(&self.database, key).await?.is_some_and(|holder| Some(holder.id) != own) {
                return Err(refusal.into());
            }
        }
        Ok(())
    }

    /// A person by id, e-mail address or username.
    pub async fn find(&self, who: &str) -> Result<User, IdentityError> {
        let unknown = || IdentityError::Unknown(who.to_owned());
        let login = canonical_login(who);
        let key = if let Ok(id) = Uuid::parse_str(who) {
            Key::Id(id)
        } else if login.contains('@') {
            Key::Email(login)
        } else {
            Key::Username(login)
        };
        store::find(&self.database, key).await?.ok_or_else(unknown)
    }

    pub async fn list(&self) -> Result<Vec<User>, IdentityError> {
        Ok(store::list(&self.database).await?)
    }

    /// A page of everybody: so many, oldest first, whose ids come after one.
    pub async fn page(&self, after: Option<Uuid>, most: u64) -> Result<Vec<User>, IdentityError> {
        Ok(store::page(&self.database, after, most).await?)
    }

    /// Whether nobody is here yet: a first start.
    pub async fn nobody(&self) -> Result<bool, IdentityError> {
        Ok(store::is_empty(&self.database).await?)
    }

    /// Gives a person a new password, by an operator. All their sessions and grants end.
    pub async fn set_password(&self, who: &str, password: &str) -> Result<User, IdentityError> {
        let user = self.find(who).await?;
        let own: Vec<&str> =
            [&user.email, &user.username, &user.name].into_iter().flatten().map(String::as_str).collect();
        self.rules.check(password, &own).map_err(Refusal::Password)?;
        let hash = self.hasher.hash(password).await?;
        let (id, now, random) = (user.id, self.clock.now(), self.random.clone());
        let mut messages = Vec::new();
        if let Some(email) = user.email.as_deref().filter(|_| self.has_mail()) {
            let language = user.profile.locale.as_deref();
            let letter = Letter::new(email, language, Topic::PasswordChanged, &Source::default(), now);
            messages.push(letter.message(id, &self.sealing, now, random.as_ref())?);
        }
        self.change(id, "password", &Source::default(), move |tx| {
            Box::pin(async move {
                store::set_password(tx, id, &hash, now).await?;
                outbox::write(tx, messages, now).await?;
                end_everything(tx, id, "password_reset", now, random.as_ref(), &Source::default()).await
            })
        })
        .await?;
        Ok(user)
    }

    /// How many passwords wait to be hashed.
    pub fn passwords_waiting(&self) -> usize {
        self.hasher.waiting()
    }

    /// Keeps a person out; everything they have ends at once.
    pub async fn set_disabled(&self, who: &str, disabled: bool) -> Result<User, IdentityError> {
        let user = self.find(who).await?;
        let (id, now, random) = (user.id, self.clock.now(), self.random.clone());
        self.change(id, if disabled { "disabled" } else { "enabled" }, &Source::default(), move |tx| {
            Box::pin(async move {
                store::set_disabled(tx, id, disabled, now).await?;
                if disabled {
                    end_everything(tx, id, "user_disabled", now, random.as_ref(), &Source::default()).await?;
                }
                Ok::<_, IdentityError>(())
            })
        })
        .await?;
        self.find(&id.to_string()).await
    }

    /// Removes a person with all that belongs to them.
    pub async fn delete(&self, who: &str) -> Result<User, IdentityError> {
        self.delete_by(who, &Source::default()).await
    }

    /// The same, asked for from somewhere.
    pub async fn delete_by(&self, who: &str, source: &Source) -> Result<User, IdentityError> {
        let user = self.find(who).await?;
        let (id, now, random, source) = (user.id, self.clock.now(), self.random.clone(), source.clone());
        self.database
            .write(move |tx| Box::pin(async move { remove(tx, id, now, random.as_ref(), &source).await }))
            .await?;
        self.bell.ring();
        Ok(user)
    }

    /// Whether anybody enabled may do everything.
    pub async fn has_administrator(&self) -> Result<bool, IdentityError> {
        Ok(store::has_administrator(&self.database).await?)
    }

    pub async fn grant_role(&self, who: &str, role: &str) -> Result<User, IdentityError> {
        self.role(who, role, true).await
    }

    pub async fn revoke_role(&self, who: &str, role: &str) -> Result<User, IdentityError> {
        self.role(who, role, false).await
    }

    async fn role(&self, who: &str, role: &str, grant: bool) -> Result<User, IdentityError> {
        let id = self.find(who).await?.id;
        let (now, role) = (self.clock.now(), role.to_owned());
        let event_id = self.random.id(now);
        self.database
            .write(move |tx| {
                Box::pin(async move {
                    let event = if grant {
                        store::grant_role(tx, id, &role).await?;
                        Event::RoleGranted { role }
                    } else {
                        store::revoke_role(tx, id, &role).await?;
                        Event::RoleRevoked { role }
                    };
                    audit::record(tx, event_id, now, &event, &About::user(id), &Source::default()).await?;
                    Ok::<_, IdentityError>(())
                })
            })
            .await?;
        self.find(&id.to_string()).await
    }

    pub(super) async fn change<F, E>(&self, id: Uuid, what: &'static str, source: &Source, action: F) -> Result<(), E>
    where
        F: for<'c> FnOnce(&'c Tx) -> Action<'c, (), E> + Send + 'static,
        E: From<DatabaseError> + Send + 'static,
    {
        let now = self.clock.now();
        let (event_id, source) = (self.random.id(now), source.clone());
        self.database
            .write(move |tx| {
                Box::pin(async move {
                    action(tx).await?;
                    audit::record(tx, event_id, now, &Event::UserChanged { what }, &About::user(id), &source).await?;
                    Ok::<_, E>(())
                })
            })
            .await?;
        self.bell.ring();
        Ok(())
    }
}

/// Removes a person with all that is theirs by its table, and what waits to be sent to them.
pub(super) async fn remove(
    tx: &Tx,
    id: Uuid,
    now: DateTime<Utc>,
    random: &dyn Random,
    source: &Source,
) -> Result<(), IdentityError> {
    // Whom to tell is known only as long as the sessions are there.
    sessions::end_all_of(tx, id, now, random).await?;
    adapter::forget_addresses_of(tx, id).await?;
    store::delete(tx, id, now).await?;
    mail::drop_waiting(tx, id).await?;
    audit::record(tx, random.id(now), now, &Event::UserDeleted, &About::user(id), source).await?;
    Ok(())
}

/// Ends every session and every grant of a person, those that outlive sessions too, and every link that was mailed to them.
pub(super) async fn end_everything(
    tx: &Tx,
    user: Uuid,
    reason: &'static str,
    now: DateTime<Utc>,
    random: &dyn Random,
    source: &Source,
) -> Result<(), DatabaseError> {
    sessions::end_all_of(tx, user, now, random).await?;
    mailed_tokens::store::void(tx, user, now).await?;
    adapter::end_sessions_of(tx, user).await?;
    grants::end_all_of(tx, user, reason, now, random, source).await
}

/// The same but for where they are: that session goes on with what was granted in it, and so does that grant.
pub(super) async fn end_all_but(
    tx: &Tx,
    user: Uuid,
    keep: Keep,
    reason: &'static str,
    now: DateTime<Utc>,
    random: &dyn Random,
    source: &Source,
) -> Result<(), DatabaseError> {
    sessions::end_others_of(tx, user, keep.session, now, random).await?;
    mailed_tokens::store::void(tx, user, now).await?;
    adapter::end_sessions_of(tx, user).await?;
    grants::end_all_but(tx, user, keep, reason, now, random, source).await
}

/// Takes the accounts at other providers from an account whose owner is here for the first time: whoever linked them was another.
pub(super) async fn unlink_all(
    tx: &Tx,
    user: Uuid,
    now: DateTime<Utc>,
    random: &dyn Random,
    source: &Source,
) -> Result<(), DatabaseError> {
    for provider in links::store::unlink_all_of(tx, user).await? {
        links::end_roles(tx, user, &provider, now, random, source).await?;
        let event = Event::AccountUnlinked { provider };
        audit::record(tx, random.id(now), now, &event, &About::user(user), source).await?;
    }
    Ok(())
}

/// Somebody has read what another program sent to an address. Where nobody had before, whoever made the account may have been
/// another: their password and everything that they opened ends, so that they do not sit in the account of the address's owner.
/// What the program itself has linked to an account without a password stays: it is on its way to be that owner's.
pub(crate) async fn address_proven(
    tx: &Tx,
    address: &str,
    now: DateTime<Utc>,
    random: &dyn Random,
    source: &Source,
) -> Result<(), DatabaseError> {
    let stranger = store::unproven(tx, None, address).await?;
    let Some(id) = store::prove_address(tx, address, false, now).await? else { return Ok(()) };
    end_everything(tx, id, "address_proven", now, random, source).await?;
    if stranger.is_some() {
        unlink_all(tx, id, now, random, source).await?;
    }
    let event = Event::UserChanged { what: "address_proven" };
    audit::record(tx, random.id(now), now, &event, &About::user(id), source).await
}

/// Somebody has read what we sent to an address ourselves. Where nobody had before, nothing that is in the account is theirs.
pub(super) async fn mailbox_proven(
    tx: &Tx,
    address: &str,
    now: DateTime<Utc>,
    random: &dyn Random,
    source: &Source,
) -> Result<(), DatabaseError> {
    let Some(id) = store::prove_address(tx, address, true, now).await? else { return Ok(()) };
    end_everything(tx, id, "address_proven", now, random, source).await?;
    unlink_all(tx, id, now, random, source).await?;
    let event = Event::UserChanged { what: "address_proven" };
    audit::record(tx, random.id(now), now, &event, &About::user(id), source).await
}
