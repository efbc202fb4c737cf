//! Signing in with a password: charged to the limits first, hashed whoever it is, refused in one way.

use chrono::{DateTime, Duration, Utc};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::devices::{Device, Met, Visit};
use super::passwords::MOST_BYTES;
use super::{Accounts, canonical_login, store};
use crate::audit::{self, About, Event, Source};
use crate::limits::{self, Attempt, Charge, Verdict as Limit, Whose};
use crate::mail::MailError;
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
    /// Where they sign in.
    pub(super) met: Option<Box<Met>>,
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
    #[error(transparent)]
    Mail(#[from] MailError),
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
    /// Checks a name (e-mail address or username) and a password, for a program. Verified exactly as received, without
    /// truncation.
    pub async fn prove_password(
        &self,
        login: &str,
        password: &str,
        address: Option<std::net::IpAddr>,
        source: &Source,
    ) -> Result<Proof, SignInError> {
        let visit = Visit { address, source, device: Device::Program, language: None };
        self.prove_password_in(login, password, visit).await
    }

    /// The same wherever somebody signs in. A browser that is known for them has a count of its own.
    pub async fn prove_password_in(&self, login: &str, password: &str, visit: Visit<'_>) -> Result<Proof, SignInError> {
        let (now, source) = (self.clock.now(), visit.source);
        let login = canonical_login(login);
        let device = visit.key_hash(self);
        let known = store::credentials(&self.database, &login, device, self.devices_since(now)).await?;
        let account = known.as_ref().map_or(login, |known| known.id.to_string());
        let own = known.as_ref().and_then(|known| known.device_id);
        let whose = match (visit.device, own) {
            (Device::Browser { .. }, Some(device)) => Whose::Device(device),
            // What programs are told apart by is no secret.
            _ => Whose::Account(&account),
        };
        let user = known.as_ref().map(|known| known.id);
        let attempt = Attempt { what: "sign_in", whose, user, address: visit.address, source };
        let limits = &self.settings.limits;
        let charge = match limits::charge(&self.database, limits, self.random.as_ref(), attempt, now).await? {
            Limit::Charged(charge) => Some(charge),
            Limit::Unlimited => None,
            Limit::Throttled { retry_after } => {
                metrics::counter!("bonafide_sign_ins_total", "outcome" => "throttled").increment(1);
                return Err(SignInError::Throttled { retry_after });
            }
        };
        let stored = known.as_ref().and_then(|known| known.password_hash.as_deref());
        let verdict = match self.check(password, stored).await {
            Ok(verdict) => verdict,
            // Nobody has looked at the password.
            Err(error) => {
                self.give_back(charge).await?;
                return Err(error.into());
            }
        };
        let (reason, user) = match (verdict, known) {
            (Verdict::Right { outdated }, Some(known)) if known.disabled_at.is_none() => {
                if let Some(email) = self.unverified(&known) {
                    self.refuse_unverified(known.id, charge, source, now).await?;
                    return Err(SignInError::Unverified { email });
                }
                let rehashed = match (&known.password_hash, outdated) {
                    (Some(before), true) => match self.hasher.hash(password).await {
                        Ok(after) => Some(Rehashed { before: before.clone(), after }),
                        Err(error) => {
                            self.give_back(charge).await?;
                            return Err(error.into());
                        }
                    },
                    _ => None,
                };
                let met = Some(Box::new(self.meet(&known, visit, now)?));
                let (acr, amr) = (ACR_PASSWORD.to_owned(), "pwd".to_owned());
                let password_version = Some(known.password_version);
                return Ok(Proof { user_id: known.id, acr, amr, charge, password_version, rehashed, met });
            }
            (Verdict::Right { .. }, Some(known)) => ("disabled", Some(known.id)),
            (_, Some(known)) => ("wrong_password", Some(known.id)),
            (_, None) => ("unknown", None),
        };
        self.record_refusal(reason, user, source, now).await?;
        Err(SignInError::Refused)
    }

    async fn check(&self, password: &str, stored: Option<&str>) -> Result<Verdict, HashError> {
        if password.len() > MOST_BYTES { Ok(Verdict::Wrong) } else { self.hasher.verify(password, stored).await }
    }

    async fn give_back(&self, charge: Option<Charge>) -> Result<(), DatabaseError> {
        let Some(charge) = charge else { return Ok(()) };
        self.database.write(move |tx| Box::pin(async move { limits::refund(tx, &charge).await })).await
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
        Self {
            user_id,
            acr: acr.to_owned(),
            amr: amr.to_owned(),
            charge: None,
            password_version: None,
            rehashed: None,
            met: None,
        }
    }

    /// Whether settling it may write a mail: then the bell is to be rung.
    pub fn may_mail(&self) -> bool {
        self.met.as_ref().is_some_and(|met| met.may_mail())
    }

    /// Gives the attempt back, stores the new hash and remembers the device, in the transaction of the sign-in. Answers whether
    /// the proof still holds: nobody has disabled or removed the person or changed the password since it was made, and nobody does before the
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
        if let Some(Rehashed { before, after }) = &self.rehashed
            && store::rehash(tx, self.user_id, before, after).await?
        {
            let about = About::user(self.user_id);
            audit::record(tx, random.id(now), now, &Event::PasswordRehashed, &about, source).await?;
        }
        if let Some(met) = &self.met {
            met.remember(tx, self.user_id, now).await?;
        }
        Ok(true)
    }
}
