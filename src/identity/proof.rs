//! What a sign-in has proven, on its way to the session or the grant that is made from it.

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::devices::Met;
use super::links::Joining;
use super::{Arrival, store};
use crate::audit::{self, About, Event, Source};
use crate::limits::{self, Charge};
use crate::platform::clock::from_millis;
use crate::platform::database::{DatabaseError, Tx};
use crate::platform::random::Random;

/// A proof of who somebody is, to be settled in the transaction that acts on it.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Proof {
    pub user_id: Uuid,
    /// Authentication context class (OpenID Connect Core section 2).
    pub acr: String,
    /// Authentication methods of RFC 8176, space-separated.
    pub amr: String,
    pub(super) charge: Option<Charge>,
    /// Which of the person's passwords was found right; `None` where no password was asked for.
    pub(super) password_version: Option<i32>,
    /// The password hashed anew, where the stored hash has other parameters than today's or is another program's.
    pub(super) rehashed: Option<Rehashed>,
    /// Where they sign in.
    pub(super) met: Option<Box<Met>>,
    /// What another provider has said of them.
    pub(super) joining: Option<Box<Joining>>,
}

#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) struct Rehashed {
    /// What it takes the place of: another sign-in may have been quicker.
    pub(super) before: String,
    pub(super) after: String,
}

/// Assurance of a password alone.
pub(crate) const ACR_PASSWORD: &str = "urn:bonafide:acr:pwd";

impl Proof {
    /// A proof that needed no password: somebody who has just signed up.
    pub(super) fn of_new_account(user_id: Uuid) -> Self {
        Self::without_password(user_id, ACR_PASSWORD, "pwd")
    }

    /// A proof by somebody's account at another provider, by the session adapter's word: no assurance of ours.
    pub(crate) fn of_linked_account(user_id: Uuid) -> Self {
        Self::without_password(user_id, "0", "fed")
    }

    /// A proof by somebody's account at another provider, as strong as our rules for that provider have it.
    pub(super) fn of_arrival(user_id: Uuid, joining: Joining) -> Self {
        let proof = Self::without_password(user_id, &joining.arrival.acr, &joining.arrival.amr);
        Self { joining: Some(Box::new(joining)), ..proof }
    }

    /// What another provider has said of them, if they come from one.
    pub fn arrival(&self) -> Option<&Arrival> {
        self.joining.as_ref().map(|joining| &joining.arrival)
    }

    /// What is proven of when they authenticated: now, or what another provider says. None: nothing.
    pub fn auth_time(&self, now: DateTime<Utc>) -> Option<DateTime<Utc>> {
        match (self.password_version, self.arrival()) {
            (None, Some(arrival)) => {
                (arrival.auth_time > 0).then(|| from_millis(arrival.auth_time.min(now.timestamp_millis())))
            }
            _ => Some(now),
        }
    }

    fn without_password(user_id: Uuid, acr: &str, amr: &str) -> Self {
        Self {
            user_id,
            acr: acr.to_owned(),
            amr: amr.to_owned(),
            charge: None,
            password_version: None,
            rehashed: None,
            met: None,
            joining: None,
        }
    }

    /// Whether settling it may write a mail: then the bell is to be rung.
    pub fn may_mail(&self) -> bool {
        self.met.as_ref().is_some_and(|met| met.may_mail())
    }

    /// Gives the attempt back, stores the new hash and remembers the device, in the transaction of the sign-in. Answers whether
    /// the proof still holds: nobody has disabled or removed the person or changed the password since it was made, and nobody
    /// does before the transaction has committed, so that what ends everything of a person ends this sign-in too.
    pub async fn settle(
        &self,
        tx: &Tx,
        now: DateTime<Utc>,
        random: &dyn Random,
        source: &Source,
    ) -> Result<bool, DatabaseError> {
        let to_change = self.rehashed.is_some() || self.joining.is_some();
        let Some(person) = store::hold(tx, self.user_id, to_change).await? else { return Ok(false) };
        let changed = self.password_version.is_some_and(|version| version != person.password_version);
        if person.disabled_at.is_some() || changed {
            return Ok(false);
        }
        if let Some(charge) = &self.charge {
            limits::refund(tx, charge).await?;
        }
        if let Some(Rehashed { before, after }) = &self.rehashed
            && store::rehash(tx, self.user_id, before, after).await?
        {
            let about = About::user(self.user_id);
            audit::record(tx, random.id(now), now, &Event::PasswordRehashed, &about, source).await?;
        }
        if let Some(joining) = &self.joining
            && !joining.settle(tx, self.user_id, now, random, source).await?
        {
            return Ok(false);
        }
        if let Some(met) = &self.met {
            met.remember(tx, self.user_id, now, source).await?;
        }
        Ok(true)
    }
}
