//! Messages to the outside. They are written in the transaction that causes them, and sent after it: as often as it takes
//! until they are taken, for about a day.
//!
//! [`Sender`] is a server's background work. What a kind of message takes to be delivered is a [`Courier`]'s matter; kinds
//! without one wait.

mod sender;
mod store;

use std::borrow::Cow;
use std::sync::Arc;

use async_trait::async_trait;
use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use tokio::sync::Notify;
use uuid::Uuid;

use crate::audit::About;
use crate::platform::random::Random;

pub use sender::Sender;
pub use store::{Kept, Message, Queue, drop_for, newest, queues, reword, write, write_with_token};

/// A message to be.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct NewMessage {
    id: Uuid,
    kind: Cow<'static, str>,
    recipient: String,
    payload: String,
}

impl NewMessage {
    /// `recipient` is whose queue it is in: one that does not answer holds up its own messages only.
    pub fn new(
        kind: &'static str,
        recipient: impl Into<String>,
        payload: &serde_json::Value,
        now: DateTime<Utc>,
        random: &dyn Random,
    ) -> Self {
        Self { id: random.id(now), kind: kind.into(), recipient: recipient.into(), payload: payload.to_string() }
    }
}

/// Wakes this process's sender. Whoever has committed a message rings; other processes' messages are found by looking.
#[derive(Clone, Debug, Default)]
pub struct Bell(Arc<Notify>);

impl Bell {
    pub fn ring(&self) {
        self.0.notify_one();
    }

    async fn rung(&self) {
        self.0.notified().await;
    }
}

/// How a message left us.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Delivery {
    Taken,
    /// Nobody waits for it any more.
    Obsolete,
}

/// Knows how one kind of message is delivered.
#[async_trait]
pub trait Courier: Send + Sync {
    fn kind(&self) -> &'static str;

    /// Delivers it, or says in a few words, without secrets, why not.
    async fn deliver(&self, message: &Message) -> Result<Delivery, String>;

    /// Whom it is about, for the record of those that were given up.
    fn about(&self, message: &Message) -> About;
}
