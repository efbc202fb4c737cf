//! The devices that people have signed in on: a browser by the secret in its cookie, a program that keeps no cookies by what it
//! calls itself and the network it is in.
//!
//! A browser that is known for a person has a count of its own when they sign in there. It proves nothing: the password is
//! asked for everywhere. The secret is replaced at every sign-in, and all people of the browser go along with it: a copy that
//! somebody took, or planted, is good for nothing afterwards.

mod met;
pub(super) mod store;

use chrono::{DateTime, Utc};
use uuid::Uuid;

pub(super) use met::Met;

use super::store::{self as store_of_people, Credentials};
use super::{Accounts, IdentityError, Profile};
use crate::audit::Source;
use crate::limits;
use crate::mail::{self, Letter, MailError, Topic};
use crate::outbox::NewMessage;
use crate::platform::secrets;

/// What somebody signs in on.
#[derive(Clone, Copy)]
pub enum Device<'a> {
    Browser {
        /// The secret that its cookie holds, if it has one.
        shown: Option<&'a str>,
        /// The secret that it is given if the sign-in succeeds.
        next: &'a str,
    },
    Program,
}

/// Whence somebody signs in.
#[derive(Clone, Copy)]
pub struct Visit<'a> {
    pub address: Option<std::net::IpAddr>,
    pub source: &'a Source,
    pub device: Device<'a>,
    /// The language of the page, for people who have not chosen one.
    pub language: Option<&'a str>,
}

impl Visit<'_> {
    /// What is stored of this device if it is known.
    pub(super) fn key_hash(&self, accounts: &Accounts) -> Option<Vec<u8>> {
        match self.device {
            Device::Browser { shown, .. } => shown.map(secrets::hash),
            Device::Program => {
                let family = family(self.source.user_agent.as_deref().unwrap_or_default());
                let network = limits::surroundings(self.address, &accounts.settings.limits);
                Some(secrets::hash(&format!("program:{family}:{network}")))
            }
        }
    }

    fn met(&self, accounts: &Accounts, notice: Option<NewMessage>, now: DateTime<Utc>) -> Met {
        let shown = self.key_hash(accounts);
        let next = match self.device {
            Device::Browser { next, .. } => secrets::hash(next),
            Device::Program => shown.clone().unwrap_or_default(),
        };
        Met { id: accounts.random.id(now), event_id: accounts.random.id(now), shown, next, notice }
    }
}

impl Accounts {
    /// Since when a device has to have been seen to count as known.
    pub(super) fn devices_since(&self, now: DateTime<Utc>) -> DateTime<Utc> {
        now - chrono::Duration::milliseconds(self.settings.limits.known_device.get())
    }

    /// The device of a sign-in, with the mail to be written should the person turn out to be new on it.
    pub(super) fn meet(&self, known: &Credentials, visit: Visit<'_>, now: DateTime<Utc>) -> Result<Met, MailError> {
        let wanted = self.settings.mail.new_device_notice && self.has_mail() && known.device_id.is_none();
        // An address that nobody has proven may be a stranger's, whom mails about sign-ins would only bother.
        let address = known.email.as_deref().filter(|_| wanted && known.email_verified_at.is_some());
        let notice = address.map(|to| {
            let locale = Profile::stored(known.profile.as_deref()).locale;
            let language = locale.as_deref().or(visit.language);
            let letter = Letter::new(to, language, Topic::NewDevice, visit.source, now);
            letter.message(known.id, &self.sealing, now, self.random.as_ref())
        });
        Ok(visit.met(self, notice.transpose()?, now))
    }

    /// Remembers a device on which somebody has just proven themselves in another way than by a password.
    pub async fn remember_device(&self, user: Uuid, visit: Visit<'_>) -> Result<(), IdentityError> {
        let now = self.clock.now();
        let (met, source) = (visit.met(self, None, now), visit.source.clone());
        let action = self.database.write(move |tx| Box::pin(async move { met.remember(tx, user, now, &source).await }));
        Ok(action.await?)
    }

    /// A proof that no password gave, of somebody on a device: should it be new, they are told.
    pub(super) async fn on_device(
        &self,
        mut proof: super::Proof,
        user: Uuid,
        visit: Visit<'_>,
    ) -> Result<super::Proof, IdentityError> {
        let (now, device) = (self.clock.now(), visit.key_hash(self));
        let known = store_of_people::credentials_of(&self.database, user, device, self.devices_since(now)).await?;
        proof.met = known.map(|known| self.meet(&known, visit, now)).transpose()?.map(Box::new);
        Ok(proof)
    }

    /// The device on which somebody has just made an account.
    pub fn on_first_device(&self, mut proof: super::Proof, visit: Visit<'_>) -> super::Proof {
        proof.met = Some(Box::new(visit.met(self, None, self.clock.now())));
        proof
    }
}

/// What a program calls itself, without its version.
fn family(user_agent: &str) -> String {
    if let Some((browser, system)) = mail::device(user_agent) {
        return format!("{browser} {}", system.unwrap_or_default());
    }
    let name = user_agent.split(['/', ' ', '(']).next().unwrap_or_default();
    name.chars().take(32).collect::<String>().to_lowercase()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn programs_are_told_apart_without_their_versions() {
        assert_eq!(family("node"), "node");
        assert_eq!(family("axios/1.7.2"), family("axios/1.8.0"));
        assert_ne!(family("axios/1.7.2"), family("undici"));
        assert_eq!(
            family("Mozilla/5.0 (X11; Linux x86_64; rv:145.0) Gecko/20100101 Firefox/145.0"),
            family("Mozilla/5.0 (X11; Linux x86_64; rv:146.0) Gecko/20100101 Firefox/146.0")
        );
        assert_eq!(family(""), "");
    }
}
