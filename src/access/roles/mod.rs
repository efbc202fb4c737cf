//! Roles: declared sets of permissions, and who holds them.

mod assign;
mod catalogue;
mod declare;
mod store;

use std::sync::Arc;

use sea_orm::FromQueryResult;
use serde::Serialize;
use uuid::Uuid;

pub use catalogue::Catalogue;
pub use declare::{Declared, NewRole, check_permission};
pub(super) use store::given_by;

use super::Held;
use super::permission::BUILT_IN;
use crate::identity::IdentityError;
use crate::platform::clock::Clock;
use crate::platform::database::{Database, DatabaseError};
use crate::platform::names;
use crate::platform::random::Random;

/// A role that is declared.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Role {
    pub name: String,
    pub description: String,
    /// In order.
    pub permissions: Vec<String>,
}

/// Something that may be done.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Permission {
    pub name: String,
    pub description: String,
    /// It means something here, and is always there.
    pub built_in: bool,
}

/// Somebody who holds a role.
#[derive(Clone, Debug, PartialEq, Eq, FromQueryResult)]
pub struct Holder {
    pub id: Uuid,
    pub username: Option<String>,
    pub name: Option<String>,
}

/// Who changes something: what they may do, and who they are if a person.
#[derive(Clone, Debug)]
pub struct By {
    pub held: Held,
    pub person: Option<Uuid>,
    /// By the command line: who has that can always make another administrator.
    pub operator: bool,
}

impl By {
    /// Whoever has the command line may do everything.
    pub const OPERATOR: Self = Self { held: Held::EVERYTHING, person: None, operator: true };
}

/// Why a change is not made.
#[derive(Debug, thiserror::Error)]
pub enum RoleFault {
    #[error("{0:?} is not a role: small letters, digits, - and _, a letter first")]
    Name(String),
    #[error("{0:?} is not a permission: RESOURCE:ACTION, each of small letters, digits, - _ and ., a letter first")]
    PermissionName(String),
    #[error("there is no role {0}: `bonafide role list` shows them")]
    Unknown(String),
    #[error(
        "there is no permission {0}: `bonafide permission list` shows them, `bonafide permission create` makes one"
    )]
    UnknownPermission(String),
    #[error("{0} is built in: it cannot be declared, changed or removed")]
    BuiltIn(String),
    #[error("the permission {0} is held by the role {1}: take it from there first")]
    InUse(String, String),
    #[error("that goes beyond what you may do yourself")]
    Beyond,
    #[error("a description is one line of 200 characters at most")]
    Description,
    #[error("{0}")]
    Identity(#[from] IdentityError),
    #[error("{0}")]
    Database(#[from] DatabaseError),
}

/// Whether this could be a role.
pub fn is_name(text: &str) -> bool {
    names::is_name(text, b"-_")
}

/// The roles of the house.
#[derive(Clone)]
pub struct Roles {
    database: Database,
    clock: Arc<dyn Clock>,
    random: Arc<dyn Random>,
}

impl Roles {
    pub fn new(database: Database, clock: Arc<dyn Clock>, random: Arc<dyn Random>) -> Self {
        Self { database, clock, random }
    }

    /// What a person may do now. Two SELECTs.
    pub async fn held_by(&self, person: Uuid) -> Result<Held, DatabaseError> {
        store::held_by(self.database.reader(), person).await
    }

    /// What somebody may do who has these roles and no others.
    pub async fn given_by(&self, roles: &[String]) -> Result<Held, DatabaseError> {
        given_by(self.database.reader(), roles).await
    }

    /// Every role that is declared, by name.
    pub async fn all(&self) -> Result<Vec<Role>, DatabaseError> {
        store::all(&self.database).await
    }

    pub async fn find(&self, name: &str) -> Result<Role, RoleFault> {
        if !is_name(name) {
            return Err(RoleFault::Unknown(name.to_owned()));
        }
        let found = store::find(self.database.reader(), name).await.map_err(DatabaseError::from)?;
        found.ok_or_else(|| RoleFault::Unknown(name.to_owned()))
    }

    /// Every permission, by name.
    pub async fn permissions(&self) -> Result<Vec<Permission>, DatabaseError> {
        let built_in = BUILT_IN.map(|(name, description)| Permission {
            name: name.to_owned(),
            description: description.to_owned(),
            built_in: true,
        });
        let declared = store::permissions(self.database.reader()).await?;
        let mut all: Vec<Permission> = built_in.into_iter().chain(declared).collect();
        all.sort_by(|a, b| a.name.cmp(&b.name));
        Ok(all)
    }

    /// The people who hold a role, in the order of their ids, after one.
    pub async fn people(&self, role: &str, after: Option<Uuid>, limit: i64) -> Result<Vec<Holder>, DatabaseError> {
        store::people(&self.database, role, after, limit).await
    }
}

/// What nobody may do whose permissions do not cover it.
fn require(by: &By, held: &Held) -> Result<(), RoleFault> {
    if by.held.covers(held) { Ok(()) } else { Err(RoleFault::Beyond) }
}
