//! Giving and taking roles.

use uuid::Uuid;

use super::{By, RoleFault, Roles, given_by, is_name, require, store};
use crate::audit::{self, About, Event, Source};
use crate::identity::{self, ADMIN, Administrators, IdentityError};

impl Roles {
    /// Gives a person a role, or takes it from them. Whoever does it must be able to do all that the person and the role can, and
    /// nobody below administrator does it to themselves. Answers whether anything differs now.
    pub async fn assign(
        &self,
        by: &By,
        person: Uuid,
        role: &str,
        give: bool,
        source: &Source,
    ) -> Result<bool, RoleFault> {
        let (by, role, source, now) = (by.clone(), role.to_owned(), source.clone(), self.clock.now());
        let event_id = self.random.id(now);
        if !is_name(&role) {
            return Err(RoleFault::Unknown(role));
        }
        let action = self.database.write(move |tx| {
            Box::pin(async move {
                if by.person == Some(person) && !by.held.is_everything() {
                    return Err(RoleFault::Beyond);
                }
                // Administrators are held before anybody else is, in their order.
                if !give && role == ADMIN {
                    Administrators::hold(tx).await?;
                }
                if !store::hold_person(tx, person).await? {
                    return Err(IdentityError::Unknown(person.to_string()).into());
                }
                let is_declared = role == ADMIN || store::held_role(tx, &role).await?.is_some();
                let held = store::of_person(tx, person).await?;
                let has = held.contains(&role);
                // What nobody has declared can only be taken away.
                if !is_declared && (give || !has) {
                    return Err(RoleFault::Unknown(role));
                }
                require(&by, &given_by(tx, &held).await?)?;
                require(&by, &given_by(tx, std::slice::from_ref(&role)).await?)?;
                if give {
                    // Also where a provider's groups gave it: from now on it is not theirs to take.
                    identity::give_role(tx, person, &role).await?;
                } else if by.operator {
                    identity::take_role(tx, person, &role).await?;
                } else {
                    Administrators::revoke(tx, person, &role).await?;
                }
                if has == give {
                    return Ok(false);
                }
                let event = if give { Event::RoleGranted { role } } else { Event::RoleRevoked { role } };
                audit::record(tx, event_id, now, &event, &About::user(person), &source).await?;
                Ok(true)
            })
        });
        action.await
    }
}
