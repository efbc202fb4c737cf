//! Signing in with a password: charged to the limits first, hashed whoever it is, refused in one way.

use chrono::{DateTime, Duration, Utc};
use uuid::Uuid;

use super::devices::{Device, Visit};
use super::passwords::MOST_BYTES;
use super::proof::{ACR_PASSWORD, Proof, Rehashed};
use super::{Accounts, Leaver, canonical_login, store, why};
use crate::audit::{self, About, Event, Source};
use crate::limits::{self, Attempt, Charge, Verdict as Limit, Whose};
use crate::mail::MailError;
use crate::platform::database::DatabaseError;
use crate::platform::hashing::{HashError, Verdict};
use crate::trace::{self, Rule};

#[derive(Debug, thiserror::Error)]
pub enum SignInError {
    /// Unknown, wrong, disabled: nobody is told which.
    #[error("the name or the password is wrong")]
    Refused,
    /// Everything is right, but the address was never verified, which it has to be here.
    #[error("the address is not verified")]
    Unverified { email: String },
    /// Everything is right, but the account is on its way out: its owner may take it back.
    #[error("the account is to be deleted")]
    Leaving(Box<Leaver>),
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
        let (known, charge, outdated) = self.check_password(login, known, password, visit).await?;
        if let Some(email) = self.unverified(&known) {
            trace::fail(Rule::AddressVerified, || why::unverified(known.id));
            count(visit.device, "unverified");
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
        let proof = Proof { user_id: known.id, acr, amr, charge, password_version, rehashed, met, joining: None };
        if let (true, Some(since), Some(leaves_at)) = (known.is_leaving(), known.leaving_since, known.leaves_at) {
            return Err(SignInError::Leaving(Box::new(self.turn_back(proof, since, leaves_at, source).await?)));
        }
        Ok(proof)
    }

    /// THE check of a password, wherever one is typed: charged first, hashed whoever it is, refused in one way. `login` is what is
    /// counted where nobody is known. Answers whose it is, what to give back, and whether the stored hash is to be replaced.
    pub(super) async fn check_password(
        &self,
        login: String,
        known: Option<store::Credentials>,
        password: &str,
        visit: Visit<'_>,
    ) -> Result<(store::Credentials, Option<Charge>, bool), SignInError> {
        let (now, source) = (self.clock.now(), visit.source);
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
                count(visit.device, "throttled");
                return Err(SignInError::Throttled { retry_after });
            }
        };
        let stored = known.as_ref().and_then(|known| known.password_hash.as_deref());
        let verdict = match self.check(password, stored).await {
            Ok(verdict) => verdict,
            // Nobody has looked at the password.
            Err(error) => {
                if error == HashError::Busy {
                    count(visit.device, "busy");
                }
                self.give_back(charge).await?;
                return Err(error.into());
            }
        };
        trace::pass(Rule::AttemptsLeft);
        let has_password = stored.is_some();
        let (reason, user) = match (verdict, known) {
            (Verdict::Right { outdated }, Some(known)) if known.disabled_at.is_none() || known.is_leaving() => {
                return Ok((known, charge, outdated));
            }
            (Verdict::Right { .. }, Some(known)) => ("disabled", Some(known.id)),
            (_, Some(known)) => ("wrong_password", Some(known.id)),
            (_, None) => ("unknown", None),
        };
        trace::judge(|| why::refused(reason, user, has_password));
        count(visit.device, reason);
        self.record_refusal(reason, user, source, now).await?;
        Err(SignInError::Refused)
    }

    async fn check(&self, password: &str, stored: Option<&str>) -> Result<Verdict, HashError> {
        if password.len() > MOST_BYTES { Ok(Verdict::Wrong) } else { self.hasher.verify(password, stored).await }
    }

    pub(super) async fn give_back(&self, charge: Option<Charge>) -> Result<(), DatabaseError> {
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

    pub(super) async fn record_refusal(
        &self,
        reason: &'static str,
        user: Option<Uuid>,
        source: &Source,
        now: DateTime<Utc>,
    ) -> Result<(), DatabaseError> {
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

/// Each refused sign-in, by its cause. Sessions and grants count those that succeed.
fn count(device: Device<'_>, outcome: &'static str) {
    let way = if matches!(device, Device::Browser { .. }) { "password" } else { "json" };
    metrics::counter!("bonafide_sign_ins_total", "way" => way, "outcome" => outcome).increment(1);
}
