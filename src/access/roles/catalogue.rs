//! The declared roles in memory, for what must not ask the database.

use std::collections::BTreeMap;
use std::sync::Arc;

use arc_swap::ArcSwap;
use tokio::sync::Mutex;

use super::store;
use crate::access::Held;
use crate::platform::database::{Database, DatabaseError};

/// What each role gives, at one moment.
type Given = BTreeMap<String, Vec<String>>;

/// The declared roles, swapped whole when the snapshots' epoch moves.
pub struct Catalogue {
    given: ArcSwap<Given>,
    /// One reading at a time: of two, the older could be stored last.
    reading: Mutex<()>,
}

impl Catalogue {
    pub async fn load(database: &Database) -> Result<Self, DatabaseError> {
        Ok(Self { given: ArcSwap::from_pointee(read(database).await?), reading: Mutex::new(()) })
    }

    pub async fn reload(&self, database: &Database) -> Result<(), DatabaseError> {
        let _alone = self.reading.lock().await;
        self.given.store(Arc::new(read(database).await?));
        Ok(())
    }

    /// The permissions that roles are declared with, in order and each once.
    pub fn permissions(&self, roles: &[String]) -> Vec<String> {
        let given = self.given.load();
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
    let all = store::all(database).await?;
    Ok(all.into_iter().map(|role| (role.name, role.permissions)).collect())
}
