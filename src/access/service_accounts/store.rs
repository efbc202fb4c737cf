//! The table `client_roles`, and service accounts in that of clients.

use sea_orm::FromQueryResult;

use super::ServiceAccount;
use crate::access::Held;
use crate::identity::Standing;
use crate::platform::database::{Database, DatabaseError, Tx, execute, fetch_one};

/// A client by what matters here.
#[derive(FromQueryResult)]
pub(super) struct Row {
    id: String,
    name: String,
    disabled_at: Option<i64>,
    previous_secret_expires_at: Option<i64>,
    created_at: i64,
    updated_at: i64,
    #[sea_orm(nested)]
    standing: Standing,
    service_accounts: i64,
    redirect_uris: i64,
    /// What operators gave it besides roles: being of the house, audiences to introspect, scopes of APIs.
    powers: i64,
}

impl Row {
    pub(super) fn is_service_account(&self) -> bool {
        self.service_accounts > 0
    }

    /// Whether people sign in to it.
    pub(super) fn is_application(&self) -> bool {
        self.redirect_uris > 0
    }

    /// All that whoever has its secret can do. What it was given besides roles only those may pass on who may do everything.
    pub(super) fn reach(&self) -> Held {
        if self.powers > 0 || self.is_application() {
            return Held::EVERYTHING;
        }
        Held::of(&self.standing)
    }
}

impl From<Row> for ServiceAccount {
    fn from(row: Row) -> Self {
        Self {
            roles: row.standing.roles(),
            id: row.id,
            name: row.name,
            disabled: row.disabled_at.is_some(),
            previous_secret_expires_at: row.previous_secret_expires_at,
            created_at: row.created_at,
            updated_at: row.updated_at,
        }
    }
}

const COLUMNS: &str = "c.id, c.name, c.disabled_at, c.previous_secret_expires_at, c.created_at, c.updated_at, \
    (SELECT string_agg(r.role, '\n') FROM client_roles r WHERE r.client_id = c.id) AS roles, \
    (SELECT string_agg(p.permission, '\n') FROM client_roles r JOIN role_permissions p ON p.role = r.role \
     WHERE r.client_id = c.id) AS permissions, \
    (SELECT count(*) FROM client_grant_types g WHERE g.client_id = c.id AND g.grant_type = 'client_credentials') \
     AS service_accounts, \
    (SELECT count(*) FROM client_redirect_uris u WHERE u.client_id = c.id) AS redirect_uris, \
    (SELECT count(*) FROM client_introspected_audiences i WHERE i.client_id = c.id) \
     + (SELECT count(*) FROM client_scopes s JOIN api_scopes a ON a.scope = s.scope WHERE s.client_id = c.id) \
     + CASE WHEN c.first_party THEN 1 ELSE 0 END AS powers";

/// Any client.
pub(super) async fn find_in(tx: &Tx, id: &str) -> Result<Option<Row>, DatabaseError> {
    fetch_one(tx, &format!("SELECT {COLUMNS} FROM clients c WHERE c.id = $1"), [id.into()]).await
}

pub(super) async fn find(database: &Database, id: &str) -> Result<Option<ServiceAccount>, DatabaseError> {
    // PostgreSQL has no text with a NUL in it; neither has a client.
    if id.contains('\0') {
        return Ok(None);
    }
    let sql = format!("SELECT {COLUMNS} FROM clients c WHERE c.id = $1");
    let row: Option<Row> = database.find_one(database.statement(&sql, [id.into()])).await?;
    Ok(row.filter(Row::is_service_account).map(Into::into))
}

pub(super) async fn page(
    database: &Database,
    after: Option<&str>,
    most: u64,
) -> Result<Vec<ServiceAccount>, DatabaseError> {
    let sql = format!(
        "SELECT {COLUMNS} FROM clients c JOIN client_grant_types s ON s.client_id = c.id \
         AND s.grant_type = 'client_credentials' WHERE c.id > $1 ORDER BY c.id LIMIT $2"
    );
    let most = i64::try_from(most).unwrap_or(i64::MAX);
    let statement = database.statement(&sql, [after.unwrap_or_default().into(), most.into()]);
    Ok(database.find_all::<Row>(statement).await?.into_iter().map(Into::into).collect())
}

pub(super) async fn delete(tx: &Tx, id: &str) -> Result<(), DatabaseError> {
    execute(tx, "DELETE FROM clients WHERE id = $1", [id.into()]).await?;
    Ok(())
}

/// Answers whether it was not there before.
pub(super) async fn give_role(tx: &Tx, id: &str, role: &str) -> Result<bool, DatabaseError> {
    let sql = "INSERT INTO client_roles (client_id, role) VALUES ($1, $2) ON CONFLICT DO NOTHING";
    Ok(execute(tx, sql, [id.into(), role.into()]).await? == 1)
}

/// Answers whether it was there.
pub(super) async fn take_role(tx: &Tx, id: &str, role: &str) -> Result<bool, DatabaseError> {
    let sql = "DELETE FROM client_roles WHERE client_id = $1 AND role = $2";
    Ok(execute(tx, sql, [id.into(), role.into()]).await? == 1)
}
