//! What applications may hear of somebody.

use sea_orm::FromQueryResult;
use uuid::Uuid;

use crate::platform::database::lines;

/// A person as far as tokens and userinfo speak of them.
#[derive(Clone, Debug, PartialEq, Eq, FromQueryResult)]
pub struct Person {
    pub user_id: Uuid,
    pub name: Option<String>,
    pub username: Option<String>,
    pub email: Option<String>,
    /// Milliseconds since 1970.
    pub email_verified_at: Option<i64>,
    /// Milliseconds since 1970.
    pub updated_at: i64,
    /// Further standard claims, as the database keeps them; read only where somebody wants one.
    pub profile: Option<String>,
    /// Declared attributes, kept and read alike.
    pub attributes: Option<String>,
    #[sea_orm(nested)]
    pub standing: Standing,
}

/// The roles that somebody has now, and the permissions that these are declared with, as far as they were asked for.
#[derive(Clone, Debug, Default, PartialEq, Eq, FromQueryResult)]
pub struct Standing {
    roles: Option<String>,
    permissions: Option<String>,
}

impl Standing {
    /// As statements put them together: a line each, in any order.
    pub(crate) const fn stored(roles: Option<String>, permissions: Option<String>) -> Self {
        Self { roles, permissions }
    }

    pub fn of(roles: &[String], permissions: &[String]) -> Self {
        let joined = |names: &[String]| (!names.is_empty()).then(|| names.join("\n"));
        Self { roles: joined(roles), permissions: joined(permissions) }
    }

    /// In order.
    pub fn roles(&self) -> Vec<String> {
        lines(self.roles.as_deref())
    }

    /// In order, each once.
    pub fn permissions(&self) -> Vec<String> {
        lines(self.permissions.as_deref())
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        /// In whatever order the rows came, and however many roles give the same: one answer.
        #[test]
        fn standing_depends_on_no_order(names in proptest::collection::vec("[a-d]:[a-d]", 0..8)) {
            let (mut sorted, mut turned) = (names.clone(), names.clone());
            sorted.sort();
            sorted.dedup();
            turned.reverse();
            for given in [&names, &turned] {
                let standing = Standing::of(given, given);
                prop_assert_eq!(&standing.permissions(), &sorted);
                prop_assert_eq!(&standing.roles(), &sorted);
            }
        }
    }
}
