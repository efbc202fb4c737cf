//! What a key is good for now: what it was made for, as far as its owner may.

use sea_orm::FromQueryResult;
use uuid::Uuid;

use super::Owner;
use crate::access::Held;
use crate::grants::Account;
use crate::identity::Standing;
use crate::oauth::scope;
use crate::platform::database::lines;

/// A key that is good now.
#[derive(Clone, Debug, PartialEq, Eq, FromQueryResult)]
pub struct LiveKey {
    pub key_id: Uuid,
    key_scope: String,
    pub audience: Option<String>,
    /// Milliseconds since 1970.
    pub issued_at: i64,
    /// When the secret that was shown expires, in milliseconds since 1970.
    pub expires_at: i64,
    /// `None`: a person's.
    pub client_id: Option<String>,
    /// `None`: a service account's.
    #[sea_orm(nested)]
    pub account: Option<Account>,
    #[sea_orm(nested)]
    limits: Limits,
}

impl LiveKey {
    pub fn owner(&self) -> Owner {
        let person = self.account.as_ref().map(|account| Owner::Person(account.person.user_id));
        person.unwrap_or_else(|| Owner::ServiceAccount(self.client_id.clone().unwrap_or_default()))
    }

    /// The roles of its owner, in order.
    pub fn roles(&self) -> Vec<String> {
        self.limits.standing.roles()
    }

    /// What it may do at our own endpoints.
    pub fn held(&self) -> Held {
        self.means().held.only(self.key_scope.split(' ').map(str::to_owned))
    }

    /// What it was made for, as far as that holds now.
    pub fn scopes(&self) -> Vec<&str> {
        let means = self.means();
        self.key_scope.split(' ').filter(|scope| means.means(scope)).collect()
    }

    /// Whether it stands for its owner at their own account.
    pub fn is_for_account(&self) -> bool {
        self.audience.is_none() && self.account.is_some() && scope::has(&self.key_scope, scope::ACCOUNT)
    }

    fn means(&self) -> Means {
        self.limits.means(&self.owner(), self.audience.is_some(), 0)
    }
}

/// What bounds the keys of an owner, as the database puts it together.
#[derive(Clone, Debug, Default, PartialEq, Eq, FromQueryResult)]
pub(super) struct Limits {
    #[sea_orm(nested)]
    standing: Standing,
    /// What the API knows.
    api_scopes: Option<String>,
    /// What the client is registered with.
    registered: Option<String>,
    /// What is a permission somewhere, of what the API knows.
    guarded: Option<String>,
    api: Option<String>,
}

impl Limits {
    pub(super) fn means(&self, owner: &Owner, elsewhere: bool, keys: i64) -> Means {
        let registered = match owner {
            Owner::Person(_) => None,
            Owner::ServiceAccount(_) => Some(lines(self.registered.as_deref())),
        };
        let api = Elsewhere {
            scopes: lines(self.api_scopes.as_deref()),
            registered,
            guarded: lines(self.guarded.as_deref()),
        };
        Means {
            held: Held::of(&self.standing),
            person: matches!(owner, Owner::Person(_)),
            audience: !elsewhere || self.api.is_some(),
            elsewhere: elsewhere.then_some(api),
            keys,
        }
    }
}

/// What an owner's key can mean.
pub(super) struct Means {
    pub(super) held: Held,
    person: bool,
    /// Whether there is such an API.
    pub(super) audience: bool,
    elsewhere: Option<Elsewhere>,
    /// How many the owner has.
    pub(super) keys: i64,
}

/// What it can mean at an API: what that declares. A service account has to be registered with it besides, as for its access
/// tokens; and what is the name of a permission too, its owner has to hold.
struct Elsewhere {
    scopes: Vec<String>,
    registered: Option<Vec<String>>,
    guarded: Vec<String>,
}

impl Means {
    pub(super) fn means(&self, asked: &str) -> bool {
        let has = |list: &[String]| list.iter().any(|item| item == asked);
        match &self.elsewhere {
            None if asked == scope::ACCOUNT => self.person,
            // Also for administrators only what has the form of one.
            None => super::super::permission::is_name(asked) && self.held.has(asked),
            Some(api) => {
                has(&api.scopes)
                    && api.registered.as_deref().is_none_or(has)
                    && (!has(&api.guarded) || self.held.has(asked))
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn standing(roles: &str) -> Standing {
        Standing::stored(Some(roles.to_owned()), Some("orders:read\nusers:read\norders:read".to_owned()))
    }

    fn limits() -> Limits {
        Limits {
            standing: standing("sales\nclerk\nsales"),
            api_scopes: Some("orders:read\norders:write\nship".to_owned()),
            registered: Some("ship".to_owned()),
            guarded: Some("orders:read\norders:write".to_owned()),
            api: Some("https://api".to_owned()),
        }
    }

    fn good(owner: &Owner, elsewhere: bool) -> Vec<&'static str> {
        let means = limits().means(owner, elsewhere, 0);
        let all = ["account", "users:read", "users:write", "orders:read", "orders:write", "ship", "other"];
        all.into_iter().filter(|scope| means.means(scope)).collect()
    }

    #[test]
    fn a_key_means_what_its_owner_may() {
        let (person, service) = (Owner::Person(Uuid::nil()), Owner::ServiceAccount("s".to_owned()));
        assert_eq!(good(&person, false), ["account", "users:read", "orders:read"]);
        assert_eq!(good(&service, false), ["users:read", "orders:read"]);
        assert_eq!(good(&person, true), ["orders:read", "ship"]);
        assert_eq!(good(&service, true), ["ship"]);
        let admin = Limits { standing: standing("admin"), ..limits() }.means(&person, false, 0);
        assert!(admin.means("users:write") && !admin.means("anything") && !admin.means(""));
        assert!(Limits { api: None, ..limits() }.means(&person, false, 0).audience);
        assert!(!Limits { api: None, ..limits() }.means(&person, true, 0).audience);
    }
}
