//! Mail to people. What a mail is about is written to the outbox with its cause, sealed, since it may hold a link that
//! opens an account; it becomes text when it is sent, or shown to a developer.

mod courier;
mod render;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::audit::Source;
use crate::outbox::{self, NewMessage};
use crate::platform::database::{Database, DatabaseError, Tx};
use crate::platform::random::Random;
use crate::platform::secrets::{SealingKey, SecretsError};

pub(crate) use courier::Postman;
pub(crate) use render::{Letterhead, Rendered, device};

/// The kind of message that mails are.
pub const MAIL: &str = "mail";

#[derive(Debug, thiserror::Error)]
pub enum MailError {
    #[error(transparent)]
    Database(#[from] DatabaseError),
    #[error("a mail cannot be read: {0}")]
    Malformed(#[from] serde_json::Error),
    #[error("a mail cannot be read: {0}")]
    Encoding(#[from] base64::DecodeError),
    #[error(transparent)]
    Sealed(#[from] SecretsError),
}

/// A mail to be.
#[derive(Clone, Serialize, Deserialize)]
pub struct Letter {
    /// An address that was checked.
    pub to: String,
    /// The language tag of the one who reads it.
    pub language: Option<String>,
    pub topic: Topic,
    /// Milliseconds since 1970.
    pub at: i64,
    /// When its link ends: later there is no use in sending it.
    pub until: Option<i64>,
    /// Where the request came from that caused it.
    pub address: Option<String>,
    pub user_agent: Option<String>,
}

/// What a mail is about. Nothing that a stranger could have typed is in it: our mails carry nobody else's words.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Topic {
    /// Somebody made an account with this address.
    VerifyEmail {
        token: String,
    },
    ResetPassword {
        token: String,
    },
    /// Somebody wants to use this address for their account.
    ChangeEmail {
        token: String,
    },
    /// To the address that the account has: somebody wants it to have another.
    EmailChangeAsked,
    /// To the old address: the account has another one now.
    EmailChanged,
    PasswordChanged,
    /// Somebody tried to make an account with this address, which has one.
    AccountExists,
    /// Somebody signed in to the account where its owner was not seen before.
    NewDevice,
    /// The account has another way to sign in: what people call the provider.
    WayInAdded {
        provider: String,
    },
    /// Somebody who came from another provider says that this address is theirs.
    LinkCode {
        code: String,
    },
    /// The account is to be deleted on a day, in milliseconds since 1970, unless they sign in and keep it.
    AccountLeaves {
        leaves_at: i64,
    },
    /// Somebody has signed in and kept the account.
    AccountStays,
    /// What somebody has asked for of what is kept of them can be fetched until then, in milliseconds since 1970.
    ExportReady {
        expires_at: i64,
    },
}

impl Letter {
    pub fn new(to: &str, language: Option<&str>, topic: Topic, source: &Source, now: DateTime<Utc>) -> Self {
        Self {
            to: to.to_owned(),
            language: language.map(str::to_owned),
            topic,
            at: now.timestamp_millis(),
            until: None,
            address: source.address.clone(),
            user_agent: source.user_agent.clone(),
        }
    }

    #[must_use]
    pub fn until(mut self, end: DateTime<Utc>) -> Self {
        self.until = Some(end.timestamp_millis());
        self
    }

    /// The message for the outbox, in a queue of the person's own.
    pub fn message(
        &self,
        user: Uuid,
        sealing: &SealingKey,
        now: DateTime<Utc>,
        random: &dyn Random,
    ) -> Result<NewMessage, MailError> {
        let sealed = sealing.seal(&serde_json::to_vec(self)?, random)?;
        let envelope = Envelope { user, sealed: STANDARD.encode(sealed) };
        Ok(NewMessage::new(MAIL, user.to_string(), &serde_json::to_value(envelope)?, now, random))
    }

    fn open(payload: &str, sealing: &SealingKey) -> Result<Self, MailError> {
        let envelope: Envelope = serde_json::from_str(payload)?;
        Ok(serde_json::from_slice(&sealing.open(&STANDARD.decode(envelope.sealed)?)?)?)
    }
}

/// What the outbox holds of a mail.
#[derive(Serialize, Deserialize)]
struct Envelope {
    user: Uuid,
    sealed: String,
}

/// A mail that development kept instead of sending.
pub struct Captured {
    pub id: Uuid,
    /// Milliseconds since 1970.
    pub at: i64,
    pub letter: Letter,
}

/// The latest mails that were not sent, newest first.
pub async fn captured(database: &Database, sealing: &SealingKey) -> Result<Vec<Captured>, DatabaseError> {
    let kept = outbox::newest(database, MAIL).await?.into_iter();
    let read = |kept: outbox::Kept| {
        let letter = Letter::open(&kept.payload, sealing).ok()?;
        Some(Captured { id: kept.id, at: kept.created_at, letter })
    };
    Ok(kept.filter_map(read).collect())
}

/// Removes the mails that wait for somebody, in the caller's transaction.
pub async fn drop_waiting(tx: &Tx, user: Uuid) -> Result<(), DatabaseError> {
    outbox::drop_for(tx, MAIL, &user.to_string()).await?;
    Ok(())
}

/// What a mail that waits is about, by the name of its topic.
pub fn topic_of(payload: &str, sealing: &SealingKey) -> Option<String> {
    match serde_json::to_value(Letter::open(payload, sealing).ok()?.topic).ok()? {
        serde_json::Value::String(name) => Some(name),
        serde_json::Value::Object(members) => members.keys().next().cloned(),
        _ => None,
    }
}

/// Seals the mails that wait anew, under a new master key. Answers how many.
pub async fn reseal(tx: &Tx, old: &SealingKey, new: &SealingKey, random: &dyn Random) -> Result<u64, MailError> {
    outbox::reword(tx, MAIL, |payload| {
        let mut envelope: Envelope = serde_json::from_str(payload)?;
        let plain = old.open(&STANDARD.decode(envelope.sealed)?)?;
        envelope.sealed = STANDARD.encode(new.seal(&plain, random)?);
        Ok(serde_json::to_string(&envelope)?)
    })
    .await
}
