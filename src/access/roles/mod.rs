//! Roles: declared sets of permissions, and who holds them.

mod store;

use uuid::Uuid;

use super::Held;
use crate::platform::database::{Database, DatabaseError};

/// The roles of the house.
pub struct Roles {
    database: Database,
}

impl Roles {
    pub fn new(database: Database) -> Self {
        Self { database }
    }

    /// What a person may do now. Two SELECTs.
    pub async fn held_by(&self, person: Uuid) -> Result<Held, DatabaseError> {
        Ok(store::held_by(self.database.reader(), person).await?)
    }

    /// What somebody may do who has these roles and no others.
    pub async fn given_by(&self, roles: &[String]) -> Result<Held, DatabaseError> {
        Ok(store::given_by(self.database.reader(), roles).await?)
    }
}
