//! What people have granted to applications: codes, grants with their refresh tokens, consents, and the authorization
//! requests that wait for a person.
//!
//! The statements of the `store`s are where OAuth's promises are kept: a code is good once, a refresh token has one successor,
//! and ending a grant or a session is one statement.

/// What tells the roles and permissions of a person, where the granted scope asks for them: the columns of a statement that
/// knows both. SQLite refuses DISTINCT beside a separator; whoever reads them drops what comes twice.
macro_rules! standing {
    ($scope:literal, $user:literal) => {
        concat!(
            "CASE WHEN ' ' || ",
            $scope,
            " || ' ' LIKE '% roles %' THEN (SELECT string_agg(held.role, '\n') FROM user_roles held WHERE held.user_id = ",
            $user,
            ") END AS roles, CASE WHEN ' ' || ",
            $scope,
            " || ' ' LIKE '% permissions %' THEN (SELECT string_agg(given.permission, '\n') \
             FROM user_roles held JOIN role_permissions given ON given.role = held.role WHERE held.user_id = ",
            $user,
            ") END AS permissions"
        )
    };
}

mod access_tokens;
mod apps;
mod codes;
mod credentials;
mod interactions;
mod refresh;
mod store;

use std::sync::Arc;

use chrono::{DateTime, Utc};
use sea_orm::FromQueryResult;
use uuid::Uuid;

use crate::identity::{Person, Proof};
use crate::oauth::claims_request::Requested;
use crate::outbox::Bell;
use crate::platform::clock::Clock;
use crate::platform::database::{Database, DatabaseError};
use crate::platform::random::Random;
use crate::platform::secrets::SecretsError;
use crate::platform::settings::Settings;

pub use access_tokens::{
    ACCESS_PREFIX, Account, AccountToken, Holder, NewAccessToken, OpaqueToken, RefreshToken, SignedToken,
    StoredAccessToken,
};
pub use apps::App;
pub use codes::{
    CodeRequest, CodeState, Exchange, Finished, NewCode, Redeemed, Redemption, expire_codes, expire_codes_but,
    expire_codes_of_session,
};
pub use interactions::Interaction;
pub use refresh::{RefreshState, Refreshed, Rotation};
pub use store::{Party, end_all_but, end_all_of, parties, sweep};

/// Prefixes tell people and secret scanners what a string is.
pub const CODE_PREFIX: &str = "bfc_";
pub const REFRESH_PREFIX: &str = "bfr_";

#[derive(Debug, thiserror::Error)]
pub enum GrantError {
    #[error("{0}")]
    Database(#[from] DatabaseError),
    #[error("{0}")]
    Secrets(#[from] SecretsError),
}

/// Why an action of this room is rolled back: the caller's rules, or a fault.
enum Failure<E> {
    Rejected(E),
    Fault(GrantError),
}

impl<E> From<DatabaseError> for Failure<E> {
    fn from(error: DatabaseError) -> Self {
        Self::Fault(error.into())
    }
}

impl<E> From<GrantError> for Failure<E> {
    fn from(error: GrantError) -> Self {
        Self::Fault(error)
    }
}

/// How and when the person of a grant signed in.
#[derive(Clone, Debug, PartialEq, Eq, FromQueryResult)]
pub struct Authentication {
    /// Milliseconds since 1970.
    pub auth_time: i64,
    pub acr: String,
    /// Space-separated.
    pub amr: String,
    pub sid: Option<String>,
}

/// A grant that is alive, as the token endpoint needs it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Grant {
    pub id: Uuid,
    /// Space-separated, as granted.
    pub scope: String,
    pub audience: Option<String>,
    pub authentication: Authentication,
    pub person: Person,
    /// Of the authorization request; tokens of a refresh have none.
    pub nonce: Option<String>,
    /// Claims asked for by name.
    pub claims: Requested,
    /// Only this room makes grants, so that whoever holds one has redeemed something.
    consumed: Consumed,
}

impl Grant {
    /// A grant that a proof of who somebody is was used for.
    fn by_proof(id: Uuid, scope: String, person: Person, proof: &Proof, now: DateTime<Utc>) -> Self {
        let (acr, amr) = (proof.acr.clone(), proof.amr.clone());
        let auth_time = proof.auth_time(now).map_or(0, |time| time.timestamp_millis());
        Self {
            id,
            scope,
            audience: None,
            authentication: Authentication { auth_time, acr, amr, sid: None },
            person,
            nonce: None,
            claims: Requested::default(),
            consumed: Consumed,
        }
    }
}

/// A code, a refresh token or a proof was used for this grant.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Consumed;

/// The grants, with all that keeping them takes.
#[derive(Clone)]
pub struct Grants {
    database: Database,
    clock: Arc<dyn Clock>,
    random: Arc<dyn Random>,
    settings: Arc<Settings>,
    bell: Bell,
}

impl Grants {
    pub(crate) fn now(&self) -> DateTime<Utc> {
        self.clock.now()
    }

    pub fn new(
        database: Database,
        clock: Arc<dyn Clock>,
        random: Arc<dyn Random>,
        settings: Arc<Settings>,
        bell: Bell,
    ) -> Self {
        Self { database, clock, random, settings, bell }
    }
}
