//! Everything that is kept of a person, read a page at a time. Each page goes on behind the key of the last row, so that what changes
//! meanwhile neither skips a row nor has one twice.

use sea_orm::{FromQueryResult, Statement, Value};
use serde::Serialize;
use uuid::Uuid;

use super::rows::{
    AccessToken, Account, Action, AdapterSession, AdapterWord, ApiKey, Code, Consent, Decision, Device, Document,
    Event, Grant, LinkedAccount, Mail, MailedLink, Picture, Role, Session, UpstreamRequest, VerificationToken,
};
use crate::platform::database::{Database, DatabaseError};

/// Rows of a page.
pub(super) const PAGE: usize = 200;

/// Rows of one member of the document.
pub(super) trait Row: FromQueryResult + Serialize + Send + Sync {
    /// The member.
    const NAME: &'static str;
    /// `$1` is the person, the key of the row before follows.
    const SQL: &'static str;

    /// What the person is called in the table.
    fn person(user: Uuid) -> Value {
        user.into()
    }

    /// A key that comes before all.
    fn start() -> Vec<Value>;
    fn key(&self) -> Vec<Value>;
}

pub(super) async fn page<R: Row>(database: &Database, user: Uuid, after: &[Value]) -> Result<Vec<R>, DatabaseError> {
    let sql = format!("{} LIMIT {PAGE}", R::SQL);
    let values = std::iter::once(R::person(user)).chain(after.iter().cloned());
    let backend = database.reader().get_database_backend();
    database.find_all(Statement::from_sql_and_values(backend, sql, values)).await
}

pub(super) async fn account(database: &Database, user: Uuid) -> Result<Option<Account>, DatabaseError> {
    let sql = "SELECT id, email, email_verified_at, username, name, profile, attributes, password_hash IS NOT NULL AS has_password, \
               password_version, revision, disabled_at, leaving_since, leaves_at, created_at, updated_at FROM users WHERE id = $1";
    database.find_one(database.statement(sql, [user.into()])).await
}

/// Whether so few rows are a person's that they are written while they wait. No table is counted further than that.
pub(in crate::exports) async fn is_small(database: &Database, user: Uuid, most: i64) -> Result<bool, DatabaseError> {
    let counted = [
        "audit_events WHERE user_id",
        "audit_events WHERE actor_id",
        "browser_sessions WHERE user_id",
        "grants WHERE user_id",
    ]
    .map(|of| format!("(SELECT count(*) FROM (SELECT 1 FROM {of} = $1 LIMIT $2 + 1) counted)"));
    let sql = format!("SELECT {} AS rows_of_them", counted.join(" + "));
    let row = database.query_one(database.statement(&sql, [user.into(), most.into()])).await?;
    let rows: i64 = row.map(|row| row.try_get("", "rows_of_them")).transpose()?.unwrap_or_default();
    Ok(rows <= most)
}

/// What a column of a key is compared with.
fn value<T: Clone + Into<Value>>(column: &T) -> Value {
    column.clone().into()
}

macro_rules! row {
    ($row:ty, $name:literal, $sql:literal, $($start:expr => $key:ident),+) => {
        impl Row for $row {
            const NAME: &'static str = $name;
            const SQL: &'static str = $sql;

            fn start() -> Vec<Value> {
                vec![$($start.into()),+]
            }

            fn key(&self) -> Vec<Value> {
                vec![$(value(&self.$key)),+]
            }
        }
    };
}

/// A hash that comes before all.
const NOTHING: &[u8] = &[];

row!(Role, "roles", "SELECT role, provider FROM user_roles WHERE user_id = $1 AND role > $2 ORDER BY role", "" => role);
row!(
    LinkedAccount,
    "linkedAccounts",
    "SELECT provider, account_id, kind, issuer, created_at, last_used_at FROM linked_accounts \
     WHERE user_id = $1 AND (provider, account_id) > ($2, $3) ORDER BY provider, account_id",
    "" => provider, "" => account_id
);
row!(
    Session,
    "sessions",
    "SELECT s.id, s.sid, s.auth_time, s.acr, s.amr, s.remember, s.address, s.user_agent, s.created_at, s.signed_in_at, \
     s.last_seen_at, s.expires_at, s.ends_at, s.ended_at, u.provider, u.issuer, u.subject, u.sid AS provider_sid \
     FROM browser_sessions s LEFT JOIN upstream_sessions u ON u.session_id = s.id \
     WHERE s.user_id = $1 AND s.id > $2 ORDER BY s.id",
    Uuid::nil() => id
);
row!(
    Device,
    "devices",
    "SELECT id, created_at, seen_at FROM devices WHERE user_id = $1 AND id > $2 ORDER BY id",
    Uuid::nil() => id
);
row!(
    Consent,
    "consents",
    "SELECT client_id, scope, granted_at FROM consents WHERE user_id = $1 AND (client_id, scope) > ($2, $3) \
     ORDER BY client_id, scope",
    "" => client_id, "" => scope
);
row!(
    Grant,
    "grants",
    "SELECT id, client_id, session_id, sid, scope, audience, claims, auth_time, acr, amr, offline, rotated_at, created_at, \
     expires_at, ends_at, ended_at, end_reason FROM grants WHERE user_id = $1 AND id > $2 ORDER BY id",
    Uuid::nil() => id
);
row!(
    AccessToken,
    "accessTokens",
    "SELECT t.hash, t.grant_id, t.client_id, t.scope, t.audience, t.issued_at, t.expires_at FROM access_tokens t \
     JOIN grants g ON g.id = t.grant_id WHERE g.user_id = $1 AND t.hash > $2 ORDER BY t.hash",
    NOTHING => hash
);
row!(
    Code,
    "codes",
    "SELECT hash, client_id, session_id, redirect_uri, scope, audience, issued_at, expires_at, used_at FROM codes \
     WHERE user_id = $1 AND hash > $2 ORDER BY hash",
    NOTHING => hash
);
row!(
    ApiKey,
    "apiKeys",
    "SELECT id, name, scope, audience, created_at, expires_at, last_used_at, revoked_at FROM api_keys \
     WHERE user_id = $1 AND id > $2 ORDER BY id",
    Uuid::nil() => id
);
row!(
    Picture,
    "pictures",
    "SELECT name, created_at FROM pictures WHERE user_id = $1 AND name > $2 ORDER BY name",
    "" => name
);
row!(
    MailedLink,
    "mailedLinks",
    "SELECT purpose, address, created_at, expires_at, used_at FROM mailed_tokens \
     WHERE user_id = $1 AND purpose > $2 ORDER BY purpose",
    "" => purpose
);
row!(
    AdapterSession,
    "adapterSessions",
    "SELECT token_hash, created_at, expires_at FROM adapter_sessions WHERE user_id = $1 AND token_hash > $2 ORDER BY token_hash",
    NOTHING => token_hash
);
row!(
    AdapterWord,
    "adapterWords",
    "SELECT address, verified_at FROM adapter_words WHERE user_id = $1 AND address > $2 ORDER BY address",
    "" => address
);
row!(
    VerificationToken,
    "adapterVerificationTokens",
    "SELECT hash, address, expires_at, used_at FROM adapter_verification_tokens \
     WHERE address = (SELECT email_canonical FROM users WHERE id = $1) AND hash > $2 ORDER BY hash",
    NOTHING => hash
);
row!(
    UpstreamRequest,
    "upstreamRequests",
    "SELECT state_hash, provider, purpose, created_at, expires_at FROM upstream_requests \
     WHERE user_id = $1 AND state_hash > $2 ORDER BY state_hash",
    NOTHING => state_hash
);
row!(
    Event,
    "events",
    "SELECT id, at AS happened_at, kind, actor_id = user_id AS own, client_id, \
     CASE WHEN actor_id IS NULL OR actor_id = user_id THEN address END AS address, request_id, detail FROM audit_events \
     WHERE user_id = $1 AND (at, id) > ($2, $3) ORDER BY at, id",
    i64::MIN => happened_at, Uuid::nil() => id
);
row!(
    Action,
    "actions",
    "SELECT id, at AS happened_at, kind, client_id, address, request_id FROM audit_events \
     WHERE actor_id = $1 AND (user_id IS NULL OR user_id <> $1) AND (at, id) > ($2, $3) ORDER BY at, id",
    i64::MIN => happened_at, Uuid::nil() => id
);
row!(
    Document,
    "exports",
    "SELECT id, asked_at, ready_at, failed_at, expires_at, bytes FROM exports WHERE user_id = $1 AND id > $2 ORDER BY id",
    Uuid::nil() => id
);

impl Row for Mail {
    const NAME: &'static str = "mails";
    const SQL: &'static str = "SELECT id, payload, attempts, created_at, due_at FROM outbox \
                               WHERE kind = 'mail' AND recipient = $1 AND id > $2 ORDER BY id";

    fn person(user: Uuid) -> Value {
        user.to_string().into()
    }

    fn start() -> Vec<Value> {
        vec![Uuid::nil().into()]
    }

    fn key(&self) -> Vec<Value> {
        vec![self.id.into()]
    }
}

impl Row for Decision {
    const NAME: &'static str = "decisions";
    const SQL: &'static str = "SELECT hash, question, allowed, policies, version, times, first_at, last_at FROM decisions \
                               WHERE question LIKE $1 AND hash > $2 ORDER BY hash";

    fn person(user: Uuid) -> Value {
        format!("%{user}%").into()
    }

    fn start() -> Vec<Value> {
        vec![NOTHING.into()]
    }

    fn key(&self) -> Vec<Value> {
        vec![self.hash.clone().into()]
    }
}
