//! Brings mails to the relay.

use std::sync::Arc;

use async_trait::async_trait;
use uuid::Uuid;

use super::render::Letterhead;
use super::{Envelope, Letter, MAIL};
use crate::audit::About;
use crate::outbox::{Courier, Delivery, Message};
use crate::platform::clock::Clock;
use crate::platform::secrets::SealingKey;
use crate::platform::smtp::Smtp;

pub(crate) struct Postman {
    pub(crate) smtp: Smtp,
    pub(crate) letterhead: Letterhead,
    pub(crate) sealing: SealingKey,
    pub(crate) clock: Arc<dyn Clock>,
}

#[async_trait]
impl Courier for Postman {
    fn kind(&self) -> &'static str {
        MAIL
    }

    async fn deliver(&self, message: &Message) -> Result<Delivery, String> {
        let letter = Letter::open(&message.payload, &self.sealing).map_err(|error| error.to_string())?;
        if letter.until.is_some_and(|until| until <= self.clock.now().timestamp_millis()) {
            return Ok(Delivery::Obsolete);
        }
        self.smtp.send(self.letterhead.message(&letter, message.id)?).await?;
        Ok(Delivery::Taken)
    }

    fn about(&self, message: &Message) -> About {
        let user: Option<Uuid> = serde_json::from_str(&message.payload).ok().map(|envelope: Envelope| envelope.user);
        About { user_id: user, client_id: None }
    }
}
