//! Links that are mailed to people: each for one purpose, bound to the address it was mailed to, good once and not for long.

pub(super) mod store;

use chrono::{DateTime, Duration, Utc};
use uuid::Uuid;

use super::Email;
use crate::mail::Topic;
use crate::platform::random::{Random, is_token};
use crate::platform::secrets;

pub(super) use store::sweep;

/// Before the 256 random bits.
const PREFIX: &str = "bfm_";

/// What a mailed link is good for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Purpose {
    VerifyEmail,
    ResetPassword,
    ChangeEmail,
}

impl Purpose {
    pub(super) fn is(self, name: &str) -> bool {
        self.name() == name
    }

    fn name(self) -> &'static str {
        match self {
            Self::VerifyEmail => "verify",
            Self::ResetPassword => "reset",
            Self::ChangeEmail => "change_email",
        }
    }
}

/// A link before it is stored and mailed. The token itself is kept nowhere.
pub(super) struct NewToken {
    token: String,
    pub(super) purpose: Purpose,
    pub(super) user_id: Uuid,
    pub(super) address: Email,
    pub(super) interaction: Option<String>,
    pub(super) now: DateTime<Utc>,
    pub(super) expires_at: DateTime<Utc>,
}

impl NewToken {
    pub(super) fn new(
        purpose: Purpose,
        user_id: Uuid,
        address: Email,
        interaction: Option<&str>,
        lifetime: Duration,
        now: DateTime<Utc>,
        random: &dyn Random,
    ) -> Self {
        let interaction = interaction.map(str::to_owned);
        Self { token: random.token(PREFIX), purpose, user_id, address, interaction, now, expires_at: now + lifetime }
    }

    pub(super) fn hash(&self) -> Vec<u8> {
        secrets::hash(&self.token)
    }

    pub(super) fn topic(&self) -> Topic {
        let token = self.token.clone();
        match self.purpose {
            Purpose::VerifyEmail => Topic::VerifyEmail { token },
            Purpose::ResetPassword => Topic::ResetPassword { token },
            Purpose::ChangeEmail => Topic::ChangeEmail { token },
        }
    }
}

/// What a presented link is looked up by, if it can be one of ours at all.
pub(super) fn presented(token: &str) -> Option<Vec<u8>> {
    is_token(token, PREFIX).then(|| secrets::hash(token))
}
