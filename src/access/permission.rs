//! What may be done, by name: `resource:action`. Roles are sets of these.

use std::collections::BTreeSet;

use crate::identity::{ADMIN, Standing};
use crate::platform::names;

/// Reading anybody's account.
pub const USERS_READ: &str = "users:read";
/// Changing anybody's account, as far as its permissions do not go beyond one's own.
pub const USERS_WRITE: &str = "users:write";
/// Reading roles, permissions and who holds them.
pub const ROLES_READ: &str = "roles:read";
/// Declaring roles and permissions, and giving and taking roles, as far as they do not go beyond one's own.
pub const ROLES_WRITE: &str = "roles:write";
/// Reading service accounts and their API keys.
pub const SERVICE_ACCOUNTS_READ: &str = "service-accounts:read";
/// Making and removing service accounts and their API keys.
pub const SERVICE_ACCOUNTS_WRITE: &str = "service-accounts:write";
/// Reading policies, their versions, and which of them decided.
pub const POLICIES_READ: &str = "policies:read";
/// Publishing policies.
pub const POLICIES_WRITE: &str = "policies:write";
/// Reading how other providers are declared.
pub const PROVIDERS_READ: &str = "providers:read";
/// Declaring other providers.
pub const PROVIDERS_WRITE: &str = "providers:write";
/// Reading what happened, to whom and by whom.
pub const AUDIT_READ: &str = "audit:read";
/// Asking for decisions (AuthZEN).
pub const ACCESS_EVALUATE: &str = "access:evaluate";

/// The permissions that mean something here, with what they allow. Others are declared.
pub const BUILT_IN: [(&str, &str); 12] = [
    (USERS_READ, "read anybody's account"),
    (USERS_WRITE, "change anybody's account"),
    (ROLES_READ, "read roles, permissions and who holds them"),
    (ROLES_WRITE, "declare roles and permissions, give and take roles"),
    (SERVICE_ACCOUNTS_READ, "read service accounts and their API keys"),
    (SERVICE_ACCOUNTS_WRITE, "make and remove service accounts and their API keys"),
    (POLICIES_READ, "read policies, and which of them decided"),
    (POLICIES_WRITE, "publish policies"),
    (PROVIDERS_READ, "read how other providers are declared"),
    (PROVIDERS_WRITE, "declare other providers"),
    (AUDIT_READ, "read what happened, to whom and by whom"),
    (ACCESS_EVALUATE, "ask for decisions"),
];

/// Whether this could be a permission: two names of small letters, digits, `-`, `_` and `.`, a letter first, with a colon between.
pub fn is_name(text: &str) -> bool {
    let is_part = |part| names::is_name(part, b"-_.");
    text.split_once(':').is_some_and(|(resource, action)| is_part(resource) && is_part(action))
}

/// What somebody may do now.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Held {
    /// Administrators may do everything, whatever is declared later too.
    everything: bool,
    permissions: BTreeSet<String>,
}

impl Held {
    pub const EVERYTHING: Self = Self { everything: true, permissions: BTreeSet::new() };

    /// What roles give, by the permissions that they are declared with.
    pub fn by(roles: &[String], permissions: impl IntoIterator<Item = String>) -> Self {
        if roles.iter().any(|role| role == ADMIN) { Self::EVERYTHING } else { permissions.into_iter().collect() }
    }

    /// What somebody's standing gives.
    pub fn of(standing: &Standing) -> Self {
        Self::by(&standing.roles(), standing.permissions())
    }

    pub fn has(&self, permission: &str) -> bool {
        self.everything || self.permissions.contains(permission)
    }

    /// Whether nothing of the other goes beyond this: who gives more than they have would raise themselves.
    pub fn covers(&self, other: &Self) -> bool {
        self.everything || (!other.everything && other.permissions.is_subset(&self.permissions))
    }

    /// What is left of it where only some permissions are meant: an API key's.
    #[must_use]
    pub fn only(&self, named: impl IntoIterator<Item = String>) -> Self {
        Self { everything: false, permissions: named.into_iter().filter(|name| self.has(name)).collect() }
    }

    pub fn is_everything(&self) -> bool {
        self.everything
    }

    /// In order; for administrators only those that are named here.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.permissions.iter().map(String::as_str)
    }
}

impl FromIterator<String> for Held {
    fn from_iter<I: IntoIterator<Item = String>>(names: I) -> Self {
        Self { everything: false, permissions: names.into_iter().collect() }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn names() {
        for good in ["users:read", "a:b", "service-accounts:write", "todo.item:mark_done"] {
            assert!(is_name(good), "{good}");
        }
        for bad in ["", "users", ":", "users:", ":read", "Users:read", "users:read:all", "users: read", "1a:b", "ü:b"]
        {
            assert!(!is_name(bad), "{bad:?}");
        }
        for (name, _) in BUILT_IN {
            assert!(is_name(name), "{name}");
        }
    }

    fn held() -> impl Strategy<Value = Held> {
        (any::<bool>(), proptest::collection::btree_set("[a-c]:[a-c]", 0..6))
            .prop_map(|(everything, permissions)| Held { everything, permissions })
    }

    proptest! {
        /// AP-06: whoever is covered can do nothing that the other cannot.
        #[test]
        fn ap_06_covering_is_being_able_to_do_all_of_it(one in held(), other in held(), asked in "[a-d]:[a-d]") {
            if one.covers(&other) && other.has(&asked) {
                prop_assert!(one.has(&asked));
            }
            prop_assert!(one.covers(&one.only([asked.clone()])));
            prop_assert_eq!(one.only([asked.clone()]).has(&asked), one.has(&asked));
        }
    }
}
