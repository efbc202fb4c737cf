//! People: their accounts, names and passwords, and how they prove who they are.

mod accounts;
mod administrators;
pub(crate) mod attributes;
mod devices;
mod edit;
mod freshness;
mod leaving;
mod links;
mod mailed_tokens;
mod names;
mod own_email;
mod own_password;
mod passwords;
mod person;
mod pictures;
mod profile;
mod proof;
mod recovery;
mod registration;
mod sign_in;
mod store;
mod verification;
mod why;

use chrono::{DateTime, Utc};
use serde::Serialize;
use uuid::Uuid;

pub(crate) use accounts::address_proven;
pub use accounts::{Accounts, NewAccount, Refusal};
pub(crate) use administrators::Administrators;
pub use attributes::AttributeValues;
pub use devices::{Device, Visit};
pub use edit::AccountChange;
pub use freshness::{FRESH_SECONDS, Proven};
pub use leaving::{Leaver, Leaving};
pub(crate) use leaving::{departed, forget_departed};
pub use links::{Arrival, Arrived, Coming, Link, MayLink, Pending, PendingFault, Unlinking};
pub(crate) use links::{end_roles, store as link_store};
pub use names::{Email, Username, canonical_login};
pub use own_password::Keep;
pub use passwords::{PasswordFault, PasswordRules};
pub use person::{Person, Standing};
pub use pictures::{PictureError, PictureFault};
pub use profile::{Address, Profile, ProfileFault};
pub(crate) use proof::ACR_PASSWORD;
pub use proof::Proof;
pub use recovery::{Asking, Followed};
pub use registration::Registered;
pub use sign_in::SignInError;
pub(crate) use store::{grant_role as give_role, imported_hash, revoke_role as take_role};
pub use verification::AddressLink;

use crate::mail::MailError;
use crate::platform::database::{Database, DatabaseError};
use crate::platform::hashing::HashError;

/// The role that may do everything.
pub const ADMIN: &str = "admin";

/// A person.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct User {
    pub id: Uuid,
    pub email: Option<String>,
    pub email_verified: bool,
    #[serde(skip)]
    pub email_verified_at: Option<DateTime<Utc>>,
    pub username: Option<String>,
    pub name: Option<String>,
    #[serde(flatten)]
    pub profile: Profile,
    #[serde(skip_serializing_if = "serde_json::Map::is_empty")]
    pub attributes: AttributeValues,
    pub disabled: bool,
    /// When the account goes, where somebody has asked for that.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub leaves_at: Option<DateTime<Utc>>,
    pub roles: Vec<String>,
    /// Counts the edits: another number, another state.
    #[serde(skip)]
    pub revision: i32,
    pub created_at: DateTime<Utc>,
    pub updated_at: DateTime<Utc>,
}

#[derive(Debug, thiserror::Error)]
pub enum IdentityError {
    #[error("{0}")]
    Database(#[from] DatabaseError),
    #[error("{0}")]
    Hash(#[from] HashError),
    #[error("there is nobody called {0}: `bonafide user list` shows everybody")]
    Unknown(String),
    #[error("{0}")]
    Profile(#[from] ProfileFault),
    #[error("{0}")]
    Refused(Refusal),
    #[error("this is the last administrator: make another one first (`bonafide user grant admin WHO`)")]
    LastAdministrator,
    #[error("an administrator's account is not for other programs to change")]
    Guarded,
    #[error("somebody has changed the account in the meantime")]
    Changed,
    #[error("the account is on its way out already: `bonafide user restore WHO` takes it back")]
    Leaving,
    #[error("the account is not on its way out")]
    Staying,
    #[error(transparent)]
    Unproven(#[from] SignInError),
    #[error("the mailed link is used, replaced or too old")]
    DeadLink,
    #[error("{0}")]
    Mail(#[from] MailError),
}

impl From<Refusal> for IdentityError {
    fn from(refusal: Refusal) -> Self {
        Self::Refused(refusal)
    }
}

/// Removes at most `batch` rows of each kind that nobody can go on with; answers how many went.
pub async fn sweep(database: &Database, now: DateTime<Utc>, batch: i64) -> Result<u64, DatabaseError> {
    Ok(mailed_tokens::sweep(database, now, batch).await? + links::sweep(database, now, batch).await?)
}
