//! What happened, who did it and from where: typed events, written in the transaction they speak of, without secrets.

mod activity;
mod export;
mod store;

use serde::Serialize;
use uuid::Uuid;

pub use activity::{Activity, SHOWN, activity};
pub use export::export;
pub use store::{Filter, Order, Place, Recorded, list, newest, place, record, sweep, wipe};

/// Where a request came from, as far as it matters to the record. Commands have none of it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Source {
    /// Who did it: the signed-in person whose request it was.
    pub actor: Option<Uuid>,
    /// The same where a client acts for itself.
    pub actor_client: Option<String>,
    pub address: Option<String>,
    pub user_agent: Option<String>,
    pub request_id: Option<String>,
}

/// One event.
#[derive(Clone, Debug, Serialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum Event {
    SignedUp,
    SignedIn {
        amr: String,
        reauthenticated: bool,
        /// The other provider that vouched for them.
        #[serde(skip_serializing_if = "Option::is_none")]
        provider: Option<String>,
    },
    SignInRefused {
        reason: &'static str,
    },
    /// A counter has closed for its window: what was tried, and whose counter it is. Once, not for each try.
    Throttled {
        what: &'static str,
        by: &'static str,
    },
    /// A person signs in on a device that they were not seen on before.
    DeviceMet {
        mailed: bool,
    },
    SignedOut {
        sid: String,
    },
    SignedOutEverywhere {
        sessions: usize,
    },
    /// One of a person's sessions was ended from elsewhere.
    SessionEnded {
        sid: String,
    },
    /// All of a person's sessions but the one that asked.
    OtherSessionsEnded {
        sessions: usize,
    },
    MessageGivenUp {
        message: &'static str,
        attempts: i32,
        error: String,
    },
    PasswordRehashed,
    SignUpRefused {
        reason: &'static str,
    },
    PasswordResetAsked {
        mailed: bool,
    },
    PasswordReset,
    /// By whoever was signed in.
    PasswordChanged,
    EmailVerificationAsked {
        mailed: bool,
    },
    EmailVerified,
    EmailChangeAsked {
        mailed: bool,
    },
    EmailChanged,
    UserCreated {
        by: &'static str,
    },
    UserChanged {
        what: &'static str,
    },
    /// Somebody wants the account to be deleted, with how long it is still there.
    DeletionAsked {
        seconds: i64,
    },
    DeletionTakenBack,
    UserDeleted,
    ExportAsked {
        export: Uuid,
    },
    ExportReady {
        export: Uuid,
    },
    /// It could not be made in all the attempts that it has.
    ExportFailed {
        export: Uuid,
    },
    ExportFetched {
        export: Uuid,
    },
    RoleGranted {
        role: String,
    },
    RoleRevoked {
        role: String,
    },
    RoleDeclared {
        role: String,
        what: &'static str,
        permissions: Vec<String>,
    },
    /// With how many had it.
    RoleRemoved {
        role: String,
        people: u64,
        clients: u64,
    },
    PermissionDeclared {
        permission: String,
        what: &'static str,
    },
    AccountLinked {
        provider: String,
    },
    AccountUnlinked {
        provider: String,
    },
    /// A code to prove an address by, before an account of another provider is linked.
    LinkCodeMailed,
    /// Somebody who came from another provider was not let in.
    ProviderRefused {
        provider: String,
        reason: &'static str,
    },
    ProviderChanged {
        provider: String,
        what: &'static str,
    },
    ConsentGiven {
        scope: String,
    },
    ConsentDenied {
        scope: String,
    },
    GrantMade {
        grant: Uuid,
        scope: String,
    },
    GrantEnded {
        grant: Uuid,
        reason: &'static str,
    },
    /// A person has taken from an application what they had allowed it, with how many grants.
    AppWithdrawn {
        grants: usize,
    },
    AccessTokenRevoked {
        grant: Option<Uuid>,
    },
    CodeReplayed {
        grant: Uuid,
    },
    RefreshReused {
        grant: Uuid,
    },
    ClientAuthenticationFailed {
        method: &'static str,
    },
    ClientChanged {
        what: &'static str,
    },
    ApiChanged {
        audience: String,
        what: &'static str,
    },
    ApiKeyCreated {
        key: Uuid,
        scope: String,
        #[serde(skip_serializing_if = "Option::is_none")]
        audience: Option<String>,
    },
    ApiKeyRotated {
        key: Uuid,
    },
    ApiKeyRevoked {
        key: Uuid,
    },
    KeyRotated {
        kid: String,
    },
    KeyChanged {
        kid: String,
        what: &'static str,
    },
    PoliciesPublished {
        version: i64,
        source: &'static str,
    },
    MasterKeyReplaced {
        sealed: u64,
    },
}

/// Whom an event is about.
#[derive(Clone, Debug, Default)]
pub struct About {
    pub user_id: Option<Uuid>,
    pub client_id: Option<String>,
}

impl About {
    pub fn user(id: Uuid) -> Self {
        Self { user_id: Some(id), client_id: None }
    }

    pub fn client(id: &str) -> Self {
        Self { user_id: None, client_id: Some(id.to_owned()) }
    }

    pub fn both(user: Uuid, client: &str) -> Self {
        Self { user_id: Some(user), client_id: Some(client.to_owned()) }
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    /// The events of the enum above, as they are called in the record, with their members.
    fn events() -> BTreeMap<String, Vec<String>> {
        let source = include_str!("mod.rs");
        let (_, body) = source.split_once("pub enum Event {\n").unwrap();
        let (body, _) = body.split_once("\n}\n").unwrap();
        let mut events = BTreeMap::new();
        let mut last = String::new();
        for line in body.lines().filter(|line| !line.trim_start().starts_with(['/', '#'])) {
            if let Some(member) = line.strip_prefix("        ") {
                let (name, _) = member.split_once(':').unwrap();
                let members: &mut Vec<String> = events.get_mut(&last).unwrap();
                members.push(name.to_owned());
            } else if line.trim() != "}," {
                let name = line.trim().trim_end_matches(['{', ',', ' ']);
                last = name.chars().fold(String::new(), |mut snake, letter| {
                    if letter.is_ascii_uppercase() && !snake.is_empty() {
                        snake.push('_');
                    }
                    snake.push(letter.to_ascii_lowercase());
                    snake
                });
                events.insert(last.clone(), Vec::new());
            }
        }
        events
    }

    #[test]
    fn every_event_and_each_of_its_members_is_documented() {
        let document = include_str!("../../docs/audit.md");
        let rows: BTreeMap<&str, &str> =
            document.lines().filter_map(|line| line.strip_prefix("| `")?.split_once("` |")).collect();
        let events = events();
        assert!(events.len() > 40, "{events:?}");
        assert_eq!(events["throttled"], ["what", "by"]);
        for (kind, members) in &events {
            let row = rows.get(kind.as_str()).unwrap_or_else(|| panic!("docs/audit.md does not know {kind}"));
            for member in members {
                assert!(row.contains(&format!("`{member}`")), "docs/audit.md does not know {member} of {kind}");
            }
        }
        for row in rows.keys().filter(|row| !row.contains(' ')) {
            assert!(
                events.contains_key(*row) || MEMBERS.contains(row),
                "docs/audit.md knows {row}, which there is not"
            );
        }
    }

    /// What every event has, which the document explains in a table of its own.
    const MEMBERS: [&str; 9] =
        ["id", "at", "kind", "user_id", "actor_id", "client_id", "address", "request_id", "detail"];
}
