//! Changes to an account: names, address, profile, attributes, roles.

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use uuid::Uuid;

use super::accounts::Names;
use super::{
    Accounts, AttributeValues, Email, IdentityError, Profile, ProfileFault, Refusal, User, Username, attributes,
    pictures, store,
};
use crate::audit::{self, About, Event, Source};
use crate::platform::database::{DatabaseError, Tx};
use crate::platform::hashing::{self, Verdict};
use crate::platform::settings::Attributes;

/// What is to change; what is not said stays. An empty text takes a name away.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct AccountChange {
    pub email: Option<String>,
    /// A new address is unverified unless this says otherwise.
    pub email_verified: Option<bool>,
    pub username: Option<String>,
    pub name: Option<String>,
    /// Standard claims by name (see `Profile::with`).
    pub claims: Vec<(String, Value)>,
    /// Declared attributes by name (see `attributes::with`).
    pub attributes: AttributeValues,
    /// The roles that the person has afterwards.
    pub roles: Option<Vec<String>>,
}

impl AccountChange {
    /// The profile that this makes of one, or of nothing.
    pub fn profile(&self, before: Option<&Profile>) -> Result<Profile, ProfileFault> {
        let nothing = Profile::default();
        before.unwrap_or(&nothing).with(self.claims.iter().map(|(name, value)| (name.as_str(), value.clone())))
    }

    /// The names that this makes of a person's, or of nobody's.
    fn names(&self, before: Option<&User>) -> Result<Names, Refusal> {
        let email = self.email.as_deref().or_else(|| before?.email.as_deref());
        let username = self.username.as_deref().or_else(|| before?.username.as_deref());
        // Somebody who has neither signs in by an account at another provider.
        let nameless = before.is_some_and(|user| user.email.is_none() && user.username.is_none());
        Names::read(email, username, self.name.as_deref().or_else(|| before?.name.as_deref()), nameless)
    }

    /// What it leaves of an account, and the roles that the person has afterwards.
    fn edit(self, before: &User, declared: &Attributes) -> Result<(store::Edited, Vec<String>), IdentityError> {
        let names = self.names(Some(before))?;
        let same_address = names.email.as_ref().map(|email| &email.typed) == before.email.as_ref();
        let edited = store::Edited {
            email_verified: names.email.is_some()
                && self.email_verified.unwrap_or(before.email_verified && same_address),
            profile: self.profile(Some(&before.profile))?,
            attributes: attributes::with(&before.attributes, &self.attributes, declared)?,
            email: names.email,
            username: names.username,
            name: names.name,
        };
        let mut roles = self.roles.unwrap_or_else(|| before.roles.clone());
        roles.sort();
        roles.dedup();
        Ok((edited, roles))
    }
}

impl Accounts {
    /// Whether a change, or a new account by it, would be taken; changes nothing. Answers who is there already.
    pub async fn examine(
        &self,
        who: &str,
        change: &AccountChange,
        password: Option<&str>,
    ) -> Result<Option<User>, IdentityError> {
        let before = match self.find(who).await {
            Ok(user) => Some(user),
            Err(IdentityError::Unknown(_)) => None,
            Err(error) => return Err(error),
        };
        let names = change.names(before.as_ref())?;
        change.profile(before.as_ref().map(|user| &user.profile))?;
        attributes::with(&AttributeValues::new(), &change.attributes, &self.settings.attributes)?;
        if let Some(password) = password {
            let own = [
                names.email.as_ref().map(|email| email.typed.as_str()),
                names.username.as_ref().map(|username| username.typed.as_str()),
                names.name.as_deref(),
            ];
            self.rules.check(password, &own.into_iter().flatten().collect::<Vec<_>>()).map_err(Refusal::Password)?;
        }
        let own = before.as_ref().map(|user| user.id);
        self.require_free(names.username.as_ref(), names.email.as_ref(), own).await?;
        Ok(before)
    }

    /// Whether this is the person's password now. For operators: nothing is counted.
    pub async fn has_password(&self, user: &User, password: &str) -> Result<bool, IdentityError> {
        let stored = store::password_hash(&self.database, user.id).await?;
        Ok(stored.is_some() && matches!(self.hasher.verify(password, stored.as_deref()).await?, Verdict::Right { .. }))
    }

    /// Gives somebody who has no password the one that another program has hashed. Answers whether they had none: a password that
    /// is there has been used here, and stays.
    pub async fn adopt_password_hash(&self, user: Uuid, hash: &str) -> Result<bool, IdentityError> {
        hashing::check(hash)?;
        let (hash, now) = (hash.to_owned(), self.clock.now());
        let event_id = self.random.id(now);
        let action = self.database.write(move |tx| {
            Box::pin(async move {
                let adopted = store::adopt_password(tx, user, &hash, now).await? == 1;
                if adopted {
                    let event = Event::UserChanged { what: "password_hash" };
                    audit::record(tx, event_id, now, &event, &About::user(user), &Source::default()).await?;
                }
                Ok::<_, IdentityError>(adopted)
            })
        });
        action.await
    }

    /// Changes an account, by an operator. Answers the person, and what differs.
    pub async fn update(&self, who: &str, change: AccountChange) -> Result<(User, Vec<String>), IdentityError> {
        self.update_by(who, change, &Source::default()).await
    }

    /// The same, asked for from somewhere.
    pub async fn update_by(
        &self,
        who: &str,
        change: AccountChange,
        source: &Source,
    ) -> Result<(User, Vec<String>), IdentityError> {
        let id = self.find(who).await?.id;
        let changed = self.update_if(id, change, None, source).await?;
        Ok((self.find(&id.to_string()).await?, changed))
    }

    /// Changes an account as its owner or an administrator has it before their eyes: `expected` is the revision that they saw.
    /// Errors: somebody was quicker ([`IdentityError::Changed`]).
    pub async fn change_own(
        &self,
        user: Uuid,
        change: AccountChange,
        expected: Option<i32>,
        source: &Source,
    ) -> Result<User, IdentityError> {
        self.update_if(user, change, expected, source).await?;
        self.find(&user.to_string()).await
    }

    /// What differs afterwards. The account is held from the reading to the writing, so that of two who change different members
    /// of it neither undoes the other's.
    async fn update_if(
        &self,
        id: Uuid,
        change: AccountChange,
        expected: Option<i32>,
        source: &Source,
    ) -> Result<Vec<String>, IdentityError> {
        self.require_free_for(id, &change).await?;
        let (now, random, source) = (self.clock.now(), self.random.clone(), source.clone());
        let (declared, asked) = (self.settings.clone(), change.clone());
        let edited = self.database.write(move |tx| {
            Box::pin(async move {
                let before = store::hold_user(tx, id).await?;
                let before = before.ok_or_else(|| IdentityError::Unknown(id.to_string()))?;
                if expected.is_some_and(|expected| expected != before.revision) {
                    return Err(IdentityError::Changed);
                }
                let (edited, roles) = asked.edit(&before, &declared.attributes)?;
                let changed = differing(&before, &edited, &roles);
                if changed.is_empty() {
                    return Ok(changed);
                }
                store::update(tx, id, &edited, now).await?;
                if before.profile.picture != edited.profile.picture {
                    pictures::changed(tx, id, edited.profile.picture.as_deref(), now).await?;
                }
                let about = About::user(id);
                for role in before.roles.iter().filter(|role| !roles.contains(role)) {
                    store::revoke_role(tx, id, role).await?;
                    let event = Event::RoleRevoked { role: role.clone() };
                    audit::record(tx, random.id(now), now, &event, &about, &source).await?;
                }
                for role in roles.iter().filter(|role| !before.roles.contains(role)) {
                    store::grant_role(tx, id, role).await?;
                    let event = Event::RoleGranted { role: role.clone() };
                    audit::record(tx, random.id(now), now, &event, &about, &source).await?;
                }
                let event = Event::UserChanged { what: "profile" };
                audit::record(tx, random.id(now), now, &event, &about, &source).await?;
                Ok::<_, IdentityError>(changed)
            })
        });
        match edited.await {
            // Somebody else has taken one of the names a moment ago: say which.
            Err(IdentityError::Database(error)) if error.is_conflict() => {
                self.require_free_for(id, &change).await?;
                Err(error.into())
            }
            other => other,
        }
    }

    /// Refuses a change to names that somebody else has.
    async fn require_free_for(&self, id: Uuid, change: &AccountChange) -> Result<(), IdentityError> {
        if change.email.is_none() && change.username.is_none() {
            return Ok(());
        }
        let before = self.find(&id.to_string()).await?;
        let names = change.names(Some(&before))?;
        self.require_free(names.username.as_ref(), names.email.as_ref(), Some(id)).await
    }
}

/// What another provider says of somebody takes the place of what is here, in the transaction of their sign-in. Answers whether
/// anything differed.
pub(super) async fn take_over(
    tx: &Tx,
    id: Uuid,
    change: &AccountChange,
    now: DateTime<Utc>,
) -> Result<bool, DatabaseError> {
    let Some(before) = store::read(tx, id).await? else { return Ok(false) };
    let mut attributes = before.attributes.clone();
    attributes.extend(change.attributes.clone());
    let edited = store::Edited {
        email: before.email.as_deref().and_then(Email::parse),
        username: before.username.as_deref().and_then(Username::parse),
        name: change.name.clone().or_else(|| before.name.clone()),
        // Each of them was checked by itself; together they are as good.
        profile: change.profile(Some(&before.profile)).unwrap_or_else(|_| before.profile.clone()),
        attributes,
        email_verified: before.email_verified,
    };
    if differing(&before, &edited, &before.roles).is_empty() {
        return Ok(false);
    }
    store::update(tx, id, &edited, now).await?;
    if before.profile.picture != edited.profile.picture {
        pictures::changed(tx, id, edited.profile.picture.as_deref(), now).await?;
    }
    Ok(true)
}

/// The members of the account that differ, by the names that imports and the command line use.
fn differing(before: &User, after: &store::Edited, roles: &[String]) -> Vec<String> {
    let mut changed = Vec::new();
    let mut note = |name: &str, differs: bool| {
        if differs {
            changed.push(name.to_owned());
        }
    };
    note("email", before.email.as_ref() != after.email.as_ref().map(|email| &email.typed));
    note("email_verified", before.email_verified != after.email_verified);
    note("username", before.username.as_ref() != after.username.as_ref().map(|username| &username.typed));
    note("name", before.name != after.name);
    note("roles", before.roles != roles);
    let (old, new) = (before.profile.to_claims(), after.profile.to_claims());
    for claim in new.keys().chain(old.keys().filter(|claim| !new.contains_key(*claim))) {
        note(claim, old.get(claim) != new.get(claim));
    }
    let (old, new) = (&before.attributes, &after.attributes);
    for name in new.keys().chain(old.keys().filter(|name| !new.contains_key(*name))) {
        note(&format!("attributes.{name}"), old.get(name) != new.get(name));
    }
    changed
}
