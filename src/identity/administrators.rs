//! That somebody is left who may do everything, whoever asks through the API. Operators can always make another one.

use uuid::Uuid;

use super::{ADMIN, IdentityError, store};
use crate::platform::database::{DatabaseError, Tx};

/// The administrators before somebody may stop being one. Of two actions that hold them the second waits for the first.
pub(crate) struct Administrators {
    were_any: bool,
}

impl Administrators {
    pub(crate) async fn hold(tx: &Tx) -> Result<Self, DatabaseError> {
        Ok(Self { were_any: !store::administrators(tx).await?.is_empty() })
    }

    /// Refuses what has just been done if nobody enabled is left.
    pub(crate) async fn require_one_left(self, tx: &Tx) -> Result<(), IdentityError> {
        if self.were_any && store::administrators(tx).await?.is_empty() {
            return Err(IdentityError::LastAdministrator);
        }
        Ok(())
    }

    /// Takes a role from somebody, unless it is the last administrator's.
    pub(crate) async fn revoke(tx: &Tx, id: Uuid, role: &str) -> Result<u64, IdentityError> {
        if role != ADMIN {
            return Ok(store::revoke_role(tx, id, role).await?);
        }
        let before = Self::hold(tx).await?;
        let taken = store::revoke_role(tx, id, role).await?;
        before.require_one_left(tx).await?;
        Ok(taken)
    }
}
