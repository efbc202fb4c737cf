//! Before an account of another provider is linked to one that is here already, its owner proves that they are the same: by the
//! password, or by a code that is mailed to the address. The code is typed into the browser that asked, so that nobody who reads
//! their mail lets a stranger in by a click.

use chrono::Duration;
use sha2::{Digest as _, Sha256};

use super::super::devices::Visit;
use super::super::{Accounts, Email, IdentityError, Proof, SignInError, store as people};
use super::arrive::{Arrived, Coming};
use super::{Arrival, store};
use crate::audit::{self, About, Event, Source};
use crate::mail::{Letter, Topic};
use crate::outbox;
use crate::platform::secrets;

/// How long somebody may take.
const LIFETIME: Duration = Duration::minutes(15);
/// Tries of a code.
const TRIES: i32 = 5;

/// What somebody has to prove before they are let in.
#[derive(Clone, Debug)]
pub struct Pending {
    pub arrival: Arrival,
    /// The address whose account, or whose mailbox, it is about.
    pub address: String,
    /// Whether the password of the account will do. Never where the provider does not say whose the address is: nobody is to
    /// learn from it whether there is an account.
    pub by_password: bool,
    pub by_mail: bool,
    /// Whether a code has been mailed.
    pub mailed: bool,
    pub interaction: Option<String>,
}

#[derive(Debug, thiserror::Error)]
pub enum PendingFault {
    /// Unknown, of another browser, over, or used.
    #[error("there is nothing to be proven by this name")]
    Gone,
    #[error("the code is not the one that was mailed")]
    Wrong,
    #[error("too many mails")]
    Throttled,
    #[error(transparent)]
    SignIn(#[from] SignInError),
    #[error(transparent)]
    Identity(#[from] IdentityError),
}

impl From<crate::platform::database::DatabaseError> for PendingFault {
    fn from(error: crate::platform::database::DatabaseError) -> Self {
        Self::Identity(error.into())
    }
}

impl Accounts {
    /// Keeps what somebody has to prove. Answers its name for the URL.
    pub(super) async fn keep_pending(
        &self,
        arrival: &Arrival,
        browser: &str,
        interaction: Option<&str>,
    ) -> Result<String, IdentityError> {
        let (name, now) = (self.random.token(""), self.clock.now());
        let new = store::NewPending {
            name_hash: secrets::hash(&name),
            browser_hash: secrets::hash(browser),
            arrival: serde_json::to_string(arrival).unwrap_or_default(),
            interaction: interaction.map(str::to_owned),
            now,
            expires_at: now + LIFETIME,
        };
        let action = self.database.write(move |tx| Box::pin(async move { store::insert_pending(tx, &new).await }));
        action.await?;
        Ok(name)
    }

    /// What waits by this name for this browser.
    pub async fn pending(&self, name: &str, browser: &str) -> Result<Pending, PendingFault> {
        let (name, browser) = (secrets::hash(name), secrets::hash(browser));
        let row = store::find_pending(&self.database, name, browser, self.clock.now()).await?;
        let row = row.ok_or(PendingFault::Gone)?;
        let arrival: Arrival = serde_json::from_str(&row.arrival).map_err(|_| PendingFault::Gone)?;
        let address = arrival.email.as_deref().and_then(Email::parse).ok_or(PendingFault::Gone)?;
        let by_password = arrival.email_proven
            && match people::at_address(&self.database, &address.canonical).await? {
                Some(user) => people::password_hash(&self.database, user.id).await?.is_some(),
                None => false,
            };
        Ok(Pending {
            address: address.typed,
            by_password,
            by_mail: self.has_mail(),
            mailed: row.code_mac.is_some(),
            interaction: row.interaction,
            arrival,
        })
    }

    /// Mails a code to the address. It takes the place of the last one.
    pub async fn mail_link_code(
        &self,
        name: &str,
        browser: &str,
        language: Option<&str>,
        source: &Source,
    ) -> Result<(), PendingFault> {
        let pending = self.pending(name, browser).await?;
        let address = Email::parse(&pending.address).ok_or(PendingFault::Gone)?;
        if !pending.by_mail || !self.may_mail(&address).await? {
            return Err(PendingFault::Throttled);
        }
        let now = self.clock.now();
        let code = code(u64::from_be_bytes(self.random.bytes::<8>()));
        let user = people::at_address(&self.database, &address.canonical).await?;
        let chosen = user.as_ref().and_then(|user| user.profile.locale.as_deref()).or(language);
        let topic = Topic::LinkCode { code: code.clone() };
        let to = user.as_ref().and_then(|user| user.email.as_deref()).unwrap_or(&address.typed);
        let letter = Letter::new(to, chosen, topic, source, now).until(now + LIFETIME);
        let lane = user.as_ref().map_or_else(|| self.random.id(now), |user| user.id);
        let message = letter.message(lane, &self.sealing, now, self.random.as_ref()).map_err(IdentityError::from)?;
        let (hash, code_mac) = (secrets::hash(name), mac(name, &code));
        let (event_id, source) = (self.random.id(now), source.clone());
        let about = About { user_id: user.map(|user| user.id), client_id: None };
        let action = self.database.write(move |tx| {
            Box::pin(async move {
                if !store::set_code(tx, hash, code_mac).await? {
                    return Err(PendingFault::Gone);
                }
                outbox::write(tx, vec![message], now).await?;
                audit::record(tx, event_id, now, &Event::LinkCodeMailed, &about, &source).await?;
                Ok(())
            })
        });
        action.await?;
        self.bell.ring();
        Ok(())
    }

    /// Whoever has the code reads the mail of the address: its account is theirs, or they get one. What strangers have done to
    /// an account whose address nobody had proven before ends.
    pub async fn prove_by_code(
        &self,
        name: &str,
        browser: &str,
        code: &str,
        coming: Coming<'_>,
    ) -> Result<Arrived, PendingFault> {
        let now = self.clock.now();
        let typed: String = code.chars().filter(char::is_ascii_digit).collect();
        let (hash, browser_hash) = (secrets::hash(name), secrets::hash(browser));
        let tried = hash.clone();
        let expected = self
            .database
            .write(move |tx| Box::pin(async move { store::try_code(tx, tried, browser_hash, TRIES, now).await }));
        let Some(expected) = expected.await? else { return Err(PendingFault::Gone) };
        let Pending { arrival, address, .. } = self.pending(name, browser).await?;
        if !secrets::equal(&mac(name, &typed), &expected) {
            let (id, source) = (self.random.id(now), coming.visit.source.clone());
            let event = Event::ProviderRefused { provider: arrival.provider, reason: "wrong_code" };
            let action = self.database.write(move |tx| {
                Box::pin(async move { audit::record(tx, id, now, &event, &About::default(), &source).await })
            });
            action.await?;
            return Err(PendingFault::Wrong);
        }
        let address = Email::parse(&address).ok_or(PendingFault::Gone)?;
        let Some(user) = people::at_address(&self.database, &address.canonical).await? else {
            return self.welcome(arrival, Some(address), Some(hash), coming).await?.ok_or(PendingFault::Gone);
        };
        let mut joining = self.joining(arrival);
        joining.pending = Some(hash);
        joining.proven_address = Some(address.canonical);
        Ok(self.let_in(&user, joining, coming.visit).await?)
    }

    /// Whoever has the account's password is its owner.
    pub async fn prove_by_password(
        &self,
        name: &str,
        browser: &str,
        password: &str,
        visit: Visit<'_>,
    ) -> Result<Proof, PendingFault> {
        let pending = self.pending(name, browser).await?;
        if !pending.by_password {
            return Err(PendingFault::Gone);
        }
        let mut proof = self.prove_password_in(&pending.address, password, visit).await?;
        let mut joining = self.joining(pending.arrival);
        joining.pending = Some(secrets::hash(name));
        joining.verifies = Email::parse(&pending.address).map(|email| email.canonical);
        proof.joining = Some(Box::new(joining));
        Ok(proof)
    }
}

/// Eight digits.
fn code(random: u64) -> String {
    format!("{:08}", random % 100_000_000)
}

/// What is stored of a code: whoever reads the table cannot try all of them, since the name is not in it.
fn mac(name: &str, code: &str) -> Vec<u8> {
    Sha256::digest(format!("link code:{name}:{code}").as_bytes()).to_vec()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn codes_have_eight_digits_and_are_kept_by_their_name() {
        assert_eq!(code(0), "00000000");
        assert_eq!(code(123_456_789), "23456789");
        assert_ne!(mac("a", "12345678"), mac("b", "12345678"));
        assert_eq!(mac("a", "12345678"), mac("a", "12345678"));
    }
}
