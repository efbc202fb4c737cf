//! What NextAuth's session adapter keeps with us: people's accounts at other providers, sessions, verification tokens.
//!
//! The adapter is believed what it says of its own matters. Its word on a verified address is given back to it, and counts for
//! us only when a token that went to that address was used.
//!
//! Administrators are beyond it: whoever has its secret neither changes their accounts, nor links others to them, nor signs in as
//! one. A front end's secret is not to be worth the whole installation.

mod people;
mod sessions;
mod store;
mod tokens;

use std::sync::Arc;

use chrono::{DateTime, Utc};
use sea_orm::FromQueryResult;
use uuid::Uuid;

pub use people::{NewPerson, PersonChange};
pub use store::{end_sessions_of, forget_addresses_of, sweep};
pub use tokens::VerificationToken;

use crate::identity::{Accounts, Link};
use crate::outbox::Bell;
use crate::platform::clock::{Clock, from_millis};
use crate::platform::database::Database;
use crate::platform::random::Random;

/// A person as the adapter sees them.
#[derive(Clone, Debug, PartialEq, Eq, FromQueryResult)]
pub struct Person {
    pub id: Uuid,
    pub name: Option<String>,
    pub email: Option<String>,
    /// As the database keeps it.
    profile: Option<String>,
    /// Milliseconds since 1970: the adapter's word, or ours.
    verified_at: Option<i64>,
}

impl Person {
    pub fn email_verified(&self) -> Option<DateTime<Utc>> {
        self.verified_at.map(from_millis)
    }

    pub fn image(&self) -> Option<String> {
        crate::identity::Profile::stored(self.profile.as_deref()).picture
    }
}

/// An account at another provider that is to be a person's.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NewLink {
    pub user_id: Uuid,
    pub provider: String,
    pub account_id: String,
    /// As NextAuth calls it: oauth, oidc, email, …
    pub kind: String,
}

/// What became of a link.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Linking {
    Linked,
    /// It is somebody else's.
    Foreign,
    /// There is no such person.
    Nobody,
    /// The person is an administrator.
    Guarded,
}

/// What became of taking a link away.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Unlinking {
    Unlinked(Link),
    /// There was none.
    Nothing,
    /// The person would have no way left to sign in.
    Last,
    /// The person is an administrator.
    Guarded,
}

/// A session of the adapter, without its token.
#[derive(Clone, Debug, PartialEq, Eq, FromQueryResult)]
pub struct Session {
    pub user_id: Uuid,
    /// Milliseconds since 1970.
    pub expires_at: i64,
}

/// The adapter's matters, with all that looking after them takes.
#[derive(Clone)]
pub struct Adapter {
    database: Database,
    clock: Arc<dyn Clock>,
    random: Arc<dyn Random>,
    accounts: Accounts,
    bell: Bell,
}

impl Adapter {
    pub fn new(
        database: Database,
        clock: Arc<dyn Clock>,
        random: Arc<dyn Random>,
        accounts: Accounts,
        bell: Bell,
    ) -> Self {
        Self { database, clock, random, accounts, bell }
    }
}
