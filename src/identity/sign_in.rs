//! Signing in with a password: charged to the limits first, hashed whoever it is, refused in one way.

use chrono::{DateTime, Duration, Utc};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::passwords::MOST_BYTES;
use super::{Accounts, canonical_login, store};
use crate::audit::{self, About, Event, Source};
use crate::limits::{self, Charge, Verdict as Limit};
use crate::platform::database::{DatabaseError, Tx};
use crate::platform::hashing::{HashError, Verdict};
use crate::platform::random::Random;

/// A proof of who somebody is, to be settled in the transaction that acts on it.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Proof {
    pub user_id: Uuid,
    /// Authentication context class (OpenID Connect Core section 2).
    pub acr: String,
    /// Authentication methods of RFC 8176, space-separated.
    pub amr: String,
    charge: Option<Charge>,
    /// Which of the person's passwords was found right; `None` where no password was asked for.
    password_version: Option<i32>,
    /// The password hashed anew, where the stored hash has other parameters than today's or is another program's.
    rehashed: Option<Rehashed>,
}

#[derive(Clone, Debug, Serialize, Deserialize)]
struct Rehashed {
    /// What it takes the place of: another sign-in may have been quicker.
    before: String,
    after: String,
}

/// Assurance of a password alone.
pub(crate) const ACR_PASSWORD: &str = "urn:bonafide:acr:pwd";

#[derive(Debug, thiserror::Error)]
pub enum SignInError {
    /// Unknown, wrong, disabled: nobody is told which.
    #[error("the name or the password is wrong")]
    Refused,
    /// Everything is right, but the address was never verified, which it has to be here.
    #[error("the address is not verified")]
    Unverified { email: String },
    #[error("too many attempts")]
    Throttled { retry_after: Duration },
    /// The hashing pool is full.
    #[error("too many people sign in at once")]
    Busy,
    #[error("{0}")]
    Database(#[from] DatabaseError),
    #[error("{0}")]
    Hash(HashError),
}

impl From<HashError> for SignInError {
    fn from(error: HashError) -> Self {
        match error {
            HashError::Busy => Self::Busy,
            other => Self::Hash(other),
        }
    }
}

impl Accounts {
    /// Checks a name (e-mail address or username) and a password. Verified exactly as received, without truncation.
    pub async fn prove_password(
        &self,
        login: &str,
        password: &str,
        address: Option<std::net::IpAddr>,
        source: &Source,
    ) -> Result<Proof, SignInError> {
        let now = self.clock.now();
        let login = canonical_login(login);
        let known = store::credentials(&self.database, &login).await?;
        let account = known.as_ref().map_or(login, |known| known.id.to_string());
        let charge =
            match limits::charge(&self.database, &self.settings.limits, Charge::new(&account, address), now).await? {
                Limit::Charged(charge) => Some(charge),
                Limit::Unlimited => None,
                Limit::Throttled { retry_after } => {
                    self.record_refusal("throttled", known.map(|known| known.id), source, now).await?;
                    return Err(SignInError::Throttled { retry_after });
                }
            };
        let stored = known.as_ref().and_then(|known| known.password_hash.as_deref());
        let verdict =
            if password.len() > MOST_BYTES { Verdict::Wrong } else { self.hasher.verify(password, stored).await? };
        let (reason, user) = match (verdict, known) {
            (Verdict::Right { outdated }, Some(known)) if known.disabled_at.is_none() => {
                if let Some(email) = self.unverified(&known) {
                    self.refuse_unverified(known.id, charge, source, now).await?;
                    return Err(SignInError::Unverified { email });
                }
                let rehashed = match known.password_hash {
                    Some(before) if outdated => Some(Rehashed { before, after: self.hasher.hash(password).await? }),
                    _ => None,
                };
                let acr = ACR_PASSWORD.to_owned();
                let password_version = Some(known.password_version);
                return Ok(Proof { user_id: known.id, acr, amr: "pwd".to_owned(), charge, password_version, rehashed });
            }
            (Verdict::Right { .. }, Some(known)) => ("disabled", Some(known.id)),
            (_, Some(known)) => ("wrong_password", Some(known.id)),
            (_, None) => ("unknown", None),
        };
        self.record_refusal(reason, user, source, now).await?;
        Err(SignInError::Refused)
    }

    /// The address of somebody who has to verify it before they sign in.
    fn unverified(&self, known: &store::Credentials) -> Option<String> {
        let unverified = self.settings.accounts.require_verified_email && known.email_verified_at.is_none();
        known.email.clone().filter(|_| unverified)
    }

    /// The password was right, so the attempt is given back.
    async fn refuse_unverified(
        &self,
        user: Uuid,
        charge: Option<Charge>,
        source: &Source,
        now: DateTime<Utc>,
    ) -> Result<(), DatabaseError> {
        let (id, source) = (self.random.id(now), source.clone());
        self.database
            .write(move |tx| {
                Box::pin(async move {
                    if let Some(charge) = &charge {
                        limits::refund(tx, charge).await?;
                    }
                    let event = Event::SignInRefused { reason: "unverified" };
                    audit::record(tx, id, now, &event, &About::user(user), &source).await
                })
            })
            .await
    }

    async fn record_refusal(
        &self,
        reason: &'static str,
        user: Option<Uuid>,
        source: &Source,
        now: DateTime<Utc>,
    ) -> Result<(), DatabaseError> {
        metrics::counter!("bonafide_sign_ins_total", "outcome" => reason).increment(1);
        let (id, source) = (self.random.id(now), source.clone());
        let about = About { user_id: user, client_id: None };
        self.database
            .write(move |tx| {
                Box::pin(
                    async move { audit::record(tx, id, now, &Event::SignInRefused { reason }, &about, &source).await },
                )
            })
            .await
    }
}

impl Proof {
    /// A proof that needed no password: somebody who has just signed up.
    pub(super) fn of_new_account(user_id: Uuid) -> Self {
        Self::without_password(user_id, ACR_PASSWORD, "pwd")
    }

    /// A proof by somebody's account at another provider, by the session adapter's word: no assurance of ours.
    pub(crate) fn of_linked_account(user_id: Uuid) -> Self {
        Self::without_password(user_id, "0", "fed")
    }

    fn without_password(user_id: Uuid, acr: &str, amr: &str) -> Self {
        Self { user_id, acr: acr.to_owned(), amr: amr.to_owned(), charge: None, password_version: None, rehashed: None }
    }

    /// Gives the attempt back and stores the new hash, in the transaction of the sign-in. Answers whether the proof still
    /// holds: nobody has disabled or removed the person or changed the password since it was made, and nobody does before the
    /// transaction has committed, so that what ends everything of a person ends this sign-in too.
    pub async fn settle(
        &self,
        tx: &Tx,
        now: DateTime<Utc>,
        random: &dyn Random,
        source: &Source,
    ) -> Result<bool, DatabaseError> {
        let Some(person) = store::hold(tx, self.user_id, self.rehashed.is_some()).await? else { return Ok(false) };
        let changed = self.password_version.is_some_and(|version| version != person.password_version);
        if person.disabled_at.is_some() || changed {
            return Ok(false);
        }
        if let Some(charge) = &self.charge {
            limits::refund(tx, charge).await?;
        }
        let Some(Rehashed { before, after }) = &self.rehashed else { return Ok(true) };
        if store::rehash(tx, self.user_id, before, after).await? {
            let about = About::user(self.user_id);
            audit::record(tx, random.id(now), now, &Event::PasswordRehashed, &about, source).await?;
        }
        Ok(true)
    }
}
