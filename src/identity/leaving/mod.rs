//! Accounts on their way out. From the moment that it is asked for, everything that was signed in has ended and nobody gets in; until
//! their time has come, whoever proves that the account is theirs takes it back. They are kept out by the column that keeps
//! disabled people out, so that nothing that looks at it has to know of them.

mod store;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use chrono::{DateTime, Duration, Utc};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::accounts::{end_everything, remove};
use super::{Accounts, Administrators, IdentityError, Proof, SignInError, User, store as people, why};
use crate::access::keys;
use crate::audit::{self, About, Event, Source};
use crate::mail::{Letter, MailError, Topic};
use crate::outbox::{self, NewMessage};
use crate::platform::clock::from_millis;
use crate::platform::database::DatabaseError;
use crate::platform::secrets;
use crate::trace::{self, Rule};

pub(crate) use store::{departed, forget_departed};

/// How long somebody may think about whether they keep their account, until they have to sign in again.
const THOUGHT: Duration = Duration::minutes(15);

/// Somebody who has proven that a leaving account is theirs, and may take it back by that.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Leaver {
    pub proof: Proof,
    /// What they leave since: a proof takes an account back once.
    since: i64,
    /// Milliseconds since 1970.
    pub leaves_at: i64,
}

/// What the page that asks them holds, sealed.
#[derive(Serialize, Deserialize)]
struct Ticket {
    leaver: Leaver,
    remember: bool,
    /// SHA-256 of the secret of the browser that it was made for.
    browser: Vec<u8>,
    until: i64,
}

/// Who asks for an account to go.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Leaving {
    /// Its owner, or an administrator, through a program of ours: somebody stays who may do everything.
    Guarded,
    /// An operator, who may do what nobody else may.
    Operator,
}

impl Accounts {
    /// Puts an account on its way out: every session, grant and API key ends, and its owner gets a mail that says how to keep it.
    /// Without a grace it goes at once. Answers when it goes. Errors: it is on its way already ([`IdentityError::Leaving`]), or is
    /// the last administrator's.
    pub async fn leave(&self, user: Uuid, by: Leaving, source: &Source) -> Result<DateTime<Utc>, IdentityError> {
        let person = self.find(&user.to_string()).await?;
        let (now, random, source) = (self.clock.now(), self.random.clone(), source.clone());
        let grace = Duration::milliseconds(self.settings.accounts.deletion_grace.get());
        let leaves_at = now + grace;
        let topic = Topic::AccountLeaves { leaves_at: leaves_at.timestamp_millis() };
        let messages = if grace.is_zero() { Vec::new() } else { self.letter_to(&person, topic, &source, now)? };
        let action = self.database.write(move |tx| {
            Box::pin(async move {
                let random = random.as_ref();
                let administrators = Administrators::hold(tx).await?;
                if grace.is_zero() {
                    people::hold(tx, user, true).await?.ok_or_else(|| IdentityError::Unknown(user.to_string()))?;
                    remove(tx, user, now, random, &source).await?;
                } else {
                    if !store::leave(tx, user, leaves_at, now).await? {
                        return Err(IdentityError::Leaving);
                    }
                    end_everything(tx, user, "account_leaves", now, random, &source).await?;
                    for key in keys::revoke_all_of(tx, user, now).await? {
                        let event = Event::ApiKeyRevoked { key };
                        audit::record(tx, random.id(now), now, &event, &About::user(user), &source).await?;
                    }
                    outbox::write(tx, messages, now).await?;
                    let event = Event::DeletionAsked { seconds: grace.num_seconds() };
                    audit::record(tx, random.id(now), now, &event, &About::user(user), &source).await?;
                }
                if by == Leaving::Guarded {
                    administrators.require_one_left(tx).await?;
                }
                Ok(leaves_at)
            })
        });
        let leaves_at = action.await?;
        self.bell.ring();
        Ok(leaves_at)
    }

    /// Takes an account back. Errors: it is not on its way out ([`IdentityError::Staying`]), or is gone.
    pub async fn take_back(&self, user: Uuid, source: &Source) -> Result<User, IdentityError> {
        self.take_back_since(user, None, source).await?;
        self.find(&user.to_string()).await
    }

    /// The same by whoever has just proven that it is theirs. Good once.
    pub async fn keep(&self, leaver: &Leaver, source: &Source) -> Result<(), IdentityError> {
        self.take_back_since(leaver.proof.user_id, Some(leaver.since), source).await
    }

    async fn take_back_since(&self, user: Uuid, since: Option<i64>, source: &Source) -> Result<(), IdentityError> {
        let person = self.find(&user.to_string()).await?;
        let (now, random, source) = (self.clock.now(), self.random.clone(), source.clone());
        let messages = self.letter_to(&person, Topic::AccountStays, &source, now)?;
        let action = self.database.write(move |tx| {
            Box::pin(async move {
                if !store::stay(tx, user, since, now).await? {
                    return Err(IdentityError::Staying);
                }
                outbox::write(tx, messages, now).await?;
                let event = Event::DeletionTakenBack;
                audit::record(tx, random.id(now), now, &event, &About::user(user), &source).await?;
                Ok(())
            })
        });
        action.await?;
        self.bell.ring();
        Ok(())
    }

    /// What is to be told to somebody about their account, if mails are written and they can get one.
    fn letter_to(
        &self,
        person: &User,
        topic: Topic,
        source: &Source,
        now: DateTime<Utc>,
    ) -> Result<Vec<NewMessage>, IdentityError> {
        let Some(email) = person.email.as_deref().filter(|_| self.has_mail()) else { return Ok(Vec::new()) };
        let letter = Letter::new(email, person.profile.locale.as_deref(), topic, source, now);
        Ok(vec![letter.message(person.id, &self.sealing, now, self.random.as_ref())?])
    }

    /// Removes at most `batch` accounts whose time has come; answers how many went.
    pub async fn sweep_leavers(&self, now: DateTime<Utc>, batch: i64) -> Result<u64, IdentityError> {
        let mut gone = 0;
        for user in store::due(&self.database, now, batch).await? {
            let random = self.random.clone();
            let removal = self.database.write(move |tx| {
                Box::pin(async move {
                    if !store::hold_due(tx, user, now).await? {
                        return Ok(0);
                    }
                    remove(tx, user, now, random.as_ref(), &Source::default()).await?;
                    Ok::<_, IdentityError>(1)
                })
            });
            match removal.await {
                Ok(removed) => gone += removed,
                // The others go all the same; this one is tried again.
                Err(error) => {
                    tracing::error!(%error, user = %user, "an account whose time has come could not be removed");
                }
            }
        }
        if gone > 0 {
            self.bell.ring();
        }
        Ok(gone)
    }

    /// A proof of somebody who is on their way out, where that is all that keeps them out.
    pub async fn leaver(&self, proof: Proof) -> Result<Option<Leaver>, DatabaseError> {
        let leaving = store::leaving(&self.database, proof.user_id).await?;
        Ok(leaving.map(|(since, leaves_at)| Leaver { proof, since, leaves_at }))
    }

    /// The password was right, so the attempt is given back.
    pub(super) async fn turn_back(
        &self,
        mut proof: Proof,
        since: i64,
        leaves_at: i64,
        source: &Source,
    ) -> Result<Leaver, SignInError> {
        trace::fail(Rule::AccountStays, || why::leaving(proof.user_id));
        self.give_back(proof.charge.take()).await?;
        self.record_refusal("leaving", Some(proof.user_id), source, self.clock.now()).await?;
        Ok(Leaver { proof, since, leaves_at })
    }

    /// What the page holds that asks somebody whether they keep their account: good in this browser, and for a while.
    pub fn ticket(&self, leaver: Leaver, remember: bool, browser: &str) -> Result<String, IdentityError> {
        let until = (self.clock.now() + THOUGHT).timestamp_millis();
        let ticket = Ticket { leaver, remember, browser: secrets::hash(browser), until };
        let plain = serde_json::to_vec(&ticket).map_err(MailError::from)?;
        let sealed = self.sealing.seal(&plain, self.random.as_ref()).map_err(MailError::from)?;
        Ok(URL_SAFE_NO_PAD.encode(sealed))
    }

    /// What such a page has sent, with whether the browser is to be remembered.
    pub fn of_ticket(&self, text: &str, browser: &str) -> Option<(Leaver, bool)> {
        let sealed = URL_SAFE_NO_PAD.decode(text).ok()?;
        let ticket: Ticket = serde_json::from_slice(&self.sealing.open(&sealed).ok()?).ok()?;
        let good = from_millis(ticket.until) > self.clock.now();
        let own = !browser.is_empty() && secrets::equal(&ticket.browser, &secrets::hash(browser));
        (good && own).then_some((ticket.leaver, ticket.remember))
    }
}
