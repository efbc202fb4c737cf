//! A device in the transaction of a sign-in.

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::store;
use crate::audit::{self, About, Event, Source};
use crate::outbox::{self, NewMessage};
use crate::platform::database::{DatabaseError, Tx};

/// A device that somebody signs in on, to be remembered in the transaction of the sign-in.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(in crate::identity) struct Met {
    pub(super) id: Uuid,
    pub(super) event_id: Uuid,
    /// What tells it apart so far, and from now on.
    pub(super) shown: Option<Vec<u8>>,
    pub(super) next: Vec<u8>,
    /// To its owner, should it be new.
    pub(super) notice: Option<NewMessage>,
}

impl Met {
    /// Whether a mail may have to be sent.
    pub(in crate::identity) fn may_mail(&self) -> bool {
        self.notice.is_some()
    }

    /// Remembers the device. If it is new, and not the first that the person was ever seen on, they are told.
    pub(in crate::identity) async fn remember(
        &self,
        tx: &Tx,
        user: Uuid,
        now: DateTime<Utc>,
        source: &Source,
    ) -> Result<(), DatabaseError> {
        if let Some(shown) = &self.shown
            && store::move_on(tx, user, shown, &self.next, now).await?
        {
            return Ok(());
        }
        if !store::insert(tx, self.id, user, &self.next, now).await? || !store::has_others(tx, user, self.id).await? {
            return Ok(());
        }
        store::forget_oldest(tx, user).await?;
        let event = Event::DeviceMet { mailed: self.notice.is_some() };
        let source = Source { actor: Some(user), ..source.clone() };
        audit::record(tx, self.event_id, now, &event, &About::user(user), &source).await?;
        outbox::write(tx, self.notice.clone().into_iter().collect(), now).await
    }
}
