//! What another provider has said of somebody, on its way into the transaction that lets them in.

use std::collections::BTreeMap;

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use uuid::Uuid;

use super::super::edit::{self, AccountChange};
use super::super::{AttributeValues, accounts, attributes, store as people};
use super::{Link, store};
use crate::audit::{self, About, Event, Source};
use crate::platform::database::{DatabaseError, Tx};
use crate::platform::random::Random;
use crate::platform::settings::Attributes;

/// Somebody who comes from another provider, which has proven who they are there.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Arrival {
    /// The provider's name here.
    pub provider: String,
    pub issuer: String,
    pub subject: String,
    /// As NextAuth calls it: oidc, oauth.
    pub kind: String,
    /// As the provider spells it.
    pub email: Option<String>,
    /// Whether the provider's word on the address counts here.
    pub email_proven: bool,
    /// Our claims and attributes, by name: for a new account, and at every sign-in.
    pub at_creation: BTreeMap<String, Value>,
    pub always: BTreeMap<String, Value>,
    /// The roles that the provider's groups give; none where it has not spoken of groups.
    pub roles: Option<Vec<String>>,
    pub acr: String,
    /// Methods of RFC 8176, separated by spaces.
    pub amr: String,
    /// Milliseconds since 1970 of what is proven of when they authenticated; 0: nothing.
    pub auth_time: i64,
    /// The provider's session.
    pub sid: Option<String>,
    /// Its ID token, sealed.
    pub id_token: Option<Vec<u8>>,
}

impl Arrival {
    /// The link that it stands for.
    pub(super) fn link(&self, user_id: Uuid, now: DateTime<Utc>) -> Link {
        Link {
            user_id,
            provider: self.provider.clone(),
            account_id: self.subject.clone(),
            kind: self.kind.clone(),
            issuer: Some(self.issuer.clone()),
            created_at: now.timestamp_millis(),
            last_used_at: Some(now.timestamp_millis()),
        }
    }
}

/// Our claims and attributes of a provider's: those that our rules do not take are left out.
pub(super) fn taken(values: &BTreeMap<String, Value>, declared: &Attributes) -> AccountChange {
    let mut change = AccountChange::default();
    for (name, value) in values {
        match (name.as_str(), value) {
            ("name", Value::String(text)) => {
                let text: String = text.chars().filter(|character| !character.is_control()).take(200).collect();
                change.name = Some(text.trim().to_owned()).filter(|text| !text.is_empty());
            }
            ("name", _) => {}
            (attribute, _) if declared.get(attribute).is_some() => {
                let one = AttributeValues::from_iter([(name.clone(), value.clone())]);
                if attributes::with(&AttributeValues::new(), &one, declared).is_ok() {
                    change.attributes.insert(name.clone(), value.clone());
                }
            }
            (claim, _) => {
                let one = AccountChange { claims: vec![(claim.to_owned(), value.clone())], ..AccountChange::default() };
                if one.profile(None).is_ok() {
                    change.claims.extend(one.claims);
                }
            }
        }
    }
    change
}

/// An arrival that is being settled.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(in crate::identity) struct Joining {
    pub(in crate::identity) arrival: Arrival,
    /// What the person has had to prove before, by its hash: used up with the sign-in.
    pub(super) pending: Option<Vec<u8>>,
    /// The canonical address whose mailbox they have proven.
    pub(super) proven_address: Option<String>,
    /// The canonical address that the provider has proven: the account's counts as verified, since its owner has proven the
    /// password too.
    pub(super) verifies: Option<String>,
    /// What every sign-in takes over, checked.
    pub(super) changes: Option<AccountChange>,
}

impl Joining {
    /// Links the account, and brings what its provider says up to date. Answers whether it is this person's.
    pub(in crate::identity) async fn settle(
        &self,
        tx: &Tx,
        user: Uuid,
        now: DateTime<Utc>,
        random: &dyn Random,
        source: &Source,
    ) -> Result<bool, DatabaseError> {
        if let Some(pending) = &self.pending
            && !store::take_pending(tx, pending.clone(), now).await?
        {
            return Ok(false);
        }
        if let Some(address) = &self.proven_address {
            // It may have moved on to another account since.
            if !people::has_address(tx, user, address).await? {
                return Ok(false);
            }
            accounts::mailbox_proven(tx, address, now, random, source).await?;
        }
        if let Some(address) = &self.verifies {
            people::set_verified_at(tx, user, address, now).await?;
        }
        let link = self.arrival.link(user, now);
        if !store::use_link(tx, &link, now).await? {
            if !store::insert(tx, &link).await? {
                return Ok(false);
            }
            let event = Event::AccountLinked { provider: link.provider };
            audit::record(tx, random.id(now), now, &event, &About::user(user), source).await?;
        }
        self.bring_roles(tx, user, now, random, source).await?;
        if let Some(changes) = &self.changes
            && edit::take_over(tx, user, changes, now).await?
        {
            let event = Event::UserChanged { what: "profile" };
            audit::record(tx, random.id(now), now, &event, &About::user(user), source).await?;
        }
        Ok(true)
    }

    /// The roles of the provider's groups: those that are new are given, those that it gave and gives no more are taken. What
    /// somebody here gave is not touched.
    async fn bring_roles(
        &self,
        tx: &Tx,
        user: Uuid,
        now: DateTime<Utc>,
        random: &dyn Random,
        source: &Source,
    ) -> Result<(), DatabaseError> {
        let provider = &self.arrival.provider;
        let Some(wanted) = &self.arrival.roles else { return Ok(()) };
        let held = store::roles_of_provider(tx, user, provider).await?;
        let mut events = Vec::new();
        for role in wanted.iter().filter(|role| !held.contains(role)) {
            if store::give_role(tx, user, role, provider).await? {
                events.push(Event::RoleGranted { role: role.clone() });
            }
        }
        for role in held.into_iter().filter(|role| !wanted.contains(role)) {
            // Unless somebody here has given it meanwhile.
            if store::take_role(tx, user, &role, provider).await? {
                events.push(Event::RoleRevoked { role });
            }
        }
        for event in events {
            audit::record(tx, random.id(now), now, &event, &About::user(user), source).await?;
        }
        Ok(())
    }
}
