//! What takes a sign-in of a moment ago: a browser that was left open, or a token that was taken, gives nobody an account for good.

use chrono::Duration;
use uuid::Uuid;

use super::{Accounts, IdentityError, store};
use crate::platform::clock::from_millis;

/// How long a sign-in counts as fresh, as RFC 9470 says `max_age`.
pub const FRESH_SECONDS: i64 = 15 * 60;

/// When somebody signed in, by their session or by the grant of their token.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Proven {
    /// Milliseconds since 1970 of what is proven of when they authenticated; 0: nothing.
    pub auth_time: i64,
    /// Milliseconds since 1970; 0: nobody knows.
    pub signed_in_at: i64,
}

impl Accounts {
    /// Whether somebody has signed in a moment ago. A provider lets people in without a question: who has a password shows it, who
    /// has none has nothing else to show.
    pub async fn is_fresh(&self, user: Uuid, proven: Proven) -> Result<bool, IdentityError> {
        let since = self.clock.now() - Duration::seconds(FRESH_SECONDS);
        if proven.auth_time > 0 || from_millis(proven.signed_in_at) < since {
            return Ok(from_millis(proven.auth_time) >= since);
        }
        Ok(store::password_hash(&self.database, user).await?.is_none())
    }
}
