//! The declared roles in memory, for what must not ask the database.

use std::collections::BTreeMap;
use std::sync::Arc;

use arc_swap::ArcSwap;

use super::store;
use crate::access::Held;
use crate::platform::database::{Database, DatabaseError};

/// What each role gives, at one moment.
type Given = BTreeMap<String, Vec<String>>;

/// The declared roles, swapped whole when the snapshots' epoch moves.
pub struct Catalogue(ArcSwap<Given>);

impl Catalogue {
    pub async fn load(database: &Database) -> Result<Self, DatabaseError> {
        Ok(Self(ArcSwap::from_pointee(read(database).await?)))
    }

    pub async fn reload(&self, database: &Database) -> Result<(), DatabaseError> {
        self.0.store(Arc::new(read(database).await?));
        Ok(())
    }

    /// The permissions that roles are declared with, in order and each once.
    pub fn permissions(&self, roles: &[String]) -> Vec<String> {
        let given = self.0.load();
        let mut permissions: Vec<String> = roles.iter().filter_map(|role| given.get(role)).flatten().cloned().collect();
        permissions.sort();
        permissions.dedup();
        permissions
    }

    /// What somebody may do who has these roles and no others.
    pub fn held(&self, roles: &[String]) -> Held {
        Held::by(roles, self.permissions(roles))
    }
}

async fn read(database: &Database) -> Result<Given, DatabaseError> {
    let all = store::all(database.reader()).await?;
    Ok(all.into_iter().map(|role| (role.name, role.permissions)).collect())
}
