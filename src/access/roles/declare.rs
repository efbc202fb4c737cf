//! Declaring and removing roles and permissions.

use std::collections::BTreeSet;

use super::{By, Role, RoleFault, Roles, given_by, is_name, require, store};
use crate::access::Held;
use crate::access::permission::{self, BUILT_IN};
use crate::audit::{self, About, Event, Source};
use crate::identity::ADMIN;
use crate::platform::database::bump_epoch;

/// What a role is to be; what is not said stays.
#[derive(Clone, Debug, Default)]
pub struct NewRole {
    pub description: Option<String>,
    pub permissions: Option<Vec<String>>,
}

impl NewRole {
    /// What can be said without asking which permissions there are.
    pub fn check(&self, name: &str) -> Result<(), RoleFault> {
        if name == ADMIN {
            return Err(RoleFault::BuiltIn(name.to_owned()));
        }
        if !is_name(name) {
            return Err(RoleFault::Name(name.to_owned()));
        }
        check_description(self.description.as_deref())?;
        match self.permissions.iter().flatten().find(|name| !permission::is_name(name)) {
            Some(wrong) => Err(RoleFault::UnknownPermission(wrong.clone())),
            None => Ok(()),
        }
    }

    /// The members that a role would differ in.
    pub fn changes(&self, before: &Role) -> Vec<String> {
        let describes = self.description.as_ref().is_some_and(|new| *new != before.description);
        let gives = self.permissions.as_ref().is_some_and(|new| {
            let set = |names: &[String]| names.iter().cloned().collect::<BTreeSet<_>>();
            set(new) != set(&before.permissions)
        });
        let members = [("description", describes), ("permissions", gives)];
        members.into_iter().filter(|(_, differs)| *differs).map(|(name, _)| name.to_owned()).collect()
    }
}

/// Whether this can be declared as a permission.
pub fn check_permission(name: &str, description: Option<&str>) -> Result<(), RoleFault> {
    if is_built_in(name) {
        return Err(RoleFault::BuiltIn(name.to_owned()));
    }
    if !permission::is_name(name) {
        return Err(RoleFault::PermissionName(name.to_owned()));
    }
    check_description(description)
}

/// Whether something that is declared now was there before.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Declared {
    Created,
    Changed,
    Unchanged,
}

fn check_description(text: Option<&str>) -> Result<(), RoleFault> {
    let is_fine = text.is_none_or(|text| text.chars().count() <= 200 && !text.chars().any(char::is_control));
    if is_fine { Ok(()) } else { Err(RoleFault::Description) }
}

fn is_built_in(permission: &str) -> bool {
    BUILT_IN.iter().any(|(name, _)| *name == permission)
}

impl Roles {
    /// Declares a role, or changes one. Whoever does it must be able to do all that it gives, and all that it gave before.
    pub async fn declare(
        &self,
        by: &By,
        name: &str,
        new: NewRole,
        source: &Source,
    ) -> Result<(Role, Declared), RoleFault> {
        new.check(name)?;
        let (by, name, source, now) = (by.clone(), name.to_owned(), source.clone(), self.clock.now());
        let event_id = self.random.id(now);
        let action = self.database.write(move |tx| {
            Box::pin(async move {
                // Whoever assigns the role, or changes it too, waits.
                bump_epoch(tx).await?;
                let before = store::held_role(tx, &name).await?;
                let mut permissions = match (new.permissions, &before) {
                    (Some(permissions), _) => permissions,
                    (None, Some(before)) => before.permissions.clone(),
                    (None, None) => Vec::new(),
                };
                permissions.sort();
                permissions.dedup();
                for permission in permissions.iter().filter(|permission| !is_built_in(permission)) {
                    if !store::hold_permission(tx, permission).await? {
                        return Err(RoleFault::UnknownPermission(permission.clone()));
                    }
                }
                require(&by, &given_by(tx, std::slice::from_ref(&name)).await?)?;
                require(&by, &permissions.iter().cloned().collect::<Held>())?;
                let description = new.description.or_else(|| before.as_ref().map(|role| role.description.clone()));
                let role = Role { name, description: description.unwrap_or_default(), permissions };
                if before.as_ref() == Some(&role) {
                    return Ok((role, Declared::Unchanged));
                }
                store::put(tx, &role, now).await?;
                let declared = if before.is_some() { Declared::Changed } else { Declared::Created };
                let what = if before.is_some() { "changed" } else { "created" };
                let event =
                    Event::RoleDeclared { role: role.name.clone(), what, permissions: role.permissions.clone() };
                audit::record(tx, event_id, now, &event, &About::default(), &source).await?;
                Ok((role, declared))
            })
        });
        action.await
    }

    /// Removes a role, from whoever has it too. Answers what it was.
    pub async fn remove(&self, by: &By, name: &str, source: &Source) -> Result<Role, RoleFault> {
        if name == ADMIN {
            return Err(RoleFault::BuiltIn(name.to_owned()));
        }
        if !is_name(name) {
            return Err(RoleFault::Unknown(name.to_owned()));
        }
        let (by, name, source, now) = (by.clone(), name.to_owned(), source.clone(), self.clock.now());
        let event_id = self.random.id(now);
        let action = self.database.write(move |tx| {
            Box::pin(async move {
                bump_epoch(tx).await?;
                let Some(role) = store::held_role(tx, &name).await? else { return Err(RoleFault::Unknown(name)) };
                require(&by, &role.permissions.iter().cloned().collect::<Held>())?;
                let (people, clients) = store::remove(tx, &name).await?;
                let event = Event::RoleRemoved { role: name, people, clients };
                audit::record(tx, event_id, now, &event, &About::default(), &source).await?;
                Ok(role)
            })
        });
        action.await
    }

    /// Declares a permission, or describes one anew.
    pub async fn declare_permission(
        &self,
        name: &str,
        description: Option<String>,
        source: &Source,
    ) -> Result<Declared, RoleFault> {
        check_permission(name, description.as_deref())?;
        let (name, source, now) = (name.to_owned(), source.clone(), self.clock.now());
        let event_id = self.random.id(now);
        let action = self.database.write(move |tx| {
            Box::pin(async move {
                bump_epoch(tx).await?;
                let before = store::permission(tx, &name).await?;
                let description = description.or_else(|| before.clone()).unwrap_or_default();
                if before.as_ref() == Some(&description) {
                    return Ok(Declared::Unchanged);
                }
                store::put_permission(tx, &name, &description, now).await?;
                let (declared, what) = match before {
                    Some(_) => (Declared::Changed, "changed"),
                    None => (Declared::Created, "created"),
                };
                let event = Event::PermissionDeclared { permission: name, what };
                audit::record(tx, event_id, now, &event, &About::default(), &source).await?;
                Ok(declared)
            })
        });
        action.await
    }

    /// Removes a permission that no role has.
    pub async fn remove_permission(&self, name: &str, source: &Source) -> Result<(), RoleFault> {
        if is_built_in(name) {
            return Err(RoleFault::BuiltIn(name.to_owned()));
        }
        if !permission::is_name(name) {
            return Err(RoleFault::UnknownPermission(name.to_owned()));
        }
        let (name, source, now) = (name.to_owned(), source.clone(), self.clock.now());
        let event_id = self.random.id(now);
        let action = self.database.write(move |tx| {
            Box::pin(async move {
                bump_epoch(tx).await?;
                if !store::remove_permission(tx, &name).await? {
                    return Err(RoleFault::UnknownPermission(name));
                }
                if let Some(role) = store::role_with(tx, &name).await? {
                    return Err(RoleFault::InUse(name, role));
                }
                let event = Event::PermissionDeclared { permission: name, what: "removed" };
                audit::record(tx, event_id, now, &event, &About::default(), &source).await?;
                Ok(())
            })
        });
        action.await
    }
}
