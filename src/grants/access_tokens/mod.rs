//! Access tokens as the database knows them: opaque ones, signed ones that were revoked, and whether the grant of either is
//! alive. What a presented string means at all is decided in `oauth::bearer`.

mod revocation;
mod store;

use chrono::{DateTime, Duration, Utc};
use sea_orm::FromQueryResult;
use uuid::Uuid;

use super::{Authentication, Grant, GrantError, Grants};
use crate::clients::Client;
use crate::identity::{Keep, Person, Proven, Standing};
use crate::oauth::claims_request::Requested;
use crate::platform::database::{DatabaseError, Tx};
use crate::platform::random::Random;
use crate::platform::secrets;

pub use revocation::SignedToken;
use store::Row;

pub const ACCESS_PREFIX: &str = "bfa_";

/// An opaque access token before it is stored.
pub struct NewAccessToken {
    /// Space-separated: the grant's, or a part of it.
    pub scope: String,
    pub lifetime: Duration,
}

/// An opaque access token that is stored, by its hash. Only this room makes one, so that no other is handed out.
#[derive(Debug)]
pub struct StoredAccessToken(String);

impl StoredAccessToken {
    /// Stores what there is to be stored for a grant that has just been redeemed or rotated, in that action.
    pub(super) async fn of_grant(
        tx: &Tx,
        random: &dyn Random,
        new: Option<NewAccessToken>,
        grant: &Grant,
        client_id: &str,
        now: DateTime<Utc>,
    ) -> Result<Option<Self>, DatabaseError> {
        let Some(new) = new else { return Ok(None) };
        let token = random.token(ACCESS_PREFIX);
        store::write(
            tx,
            &Row {
                token: &token,
                new: &new,
                grant: Some(grant.id),
                client_id,
                audience: grant.audience.as_deref(),
                now,
            },
        )
        .await?;
        Ok(Some(Self(token)))
    }

    pub fn into_token(self) -> String {
        self.0
    }
}

/// Whose grant a live token belongs to.
#[derive(Clone, Debug, PartialEq, Eq, FromQueryResult)]
pub struct Holder {
    #[sea_orm(nested)]
    pub person: Person,
    #[sea_orm(nested)]
    pub authentication: Authentication,
    claims: Option<String>,
}

impl Holder {
    /// The claims that the grant's request asked for by name.
    pub fn requested(&self) -> Requested {
        Requested::stored(self.claims.as_deref())
    }
}

/// The account of a live token's holder: what our own API says and decides by.
#[derive(Clone, Debug, PartialEq, Eq, FromQueryResult)]
pub struct Account {
    #[sea_orm(nested)]
    pub person: Person,
    /// Milliseconds since 1970.
    pub created_at: i64,
    #[sea_orm(nested)]
    pub by: Basis,
}

/// What a token hangs on; nothing of it where a key stands in for its owner.
#[derive(Clone, Debug, Default, PartialEq, Eq, FromQueryResult)]
pub struct Basis {
    pub grant_id: Option<Uuid>,
    pub session_id: Option<Uuid>,
    auth_time: Option<i64>,
    /// In the browser session, or where there never was one, by the grant itself.
    signed_in_at: Option<i64>,
}

impl Basis {
    /// What ends not with all the rest when somebody changes their password by this token.
    pub fn keep(&self) -> Keep {
        Keep { session: self.session_id, grant: self.grant_id }
    }

    /// When they signed in.
    pub fn proven(&self) -> Proven {
        let (auth_time, signed_in_at) = (self.auth_time.unwrap_or(0), self.signed_in_at.unwrap_or(0));
        Proven { auth_time, signed_in_at }
    }
}

/// An opaque access token that is good now, with its holder's account.
#[derive(Clone, Debug, PartialEq, Eq, FromQueryResult)]
pub struct AccountToken {
    pub client_id: String,
    pub scope: String,
    pub audience: Option<String>,
    /// `None`: a client acts for itself.
    #[sea_orm(nested)]
    pub account: Option<Account>,
    /// What the client itself may do; nothing where it acts for a person.
    #[sea_orm(nested)]
    pub service: Service,
}

/// What a client that acts for itself has.
#[derive(Clone, Debug, Default, PartialEq, Eq, FromQueryResult)]
pub struct Service {
    service_roles: Option<String>,
    service_permissions: Option<String>,
}

impl From<Service> for Standing {
    fn from(service: Service) -> Self {
        Self::stored(service.service_roles, service.service_permissions)
    }
}

/// An opaque access token that is good now.
#[derive(Clone, Debug, PartialEq, Eq, FromQueryResult)]
pub struct OpaqueToken {
    pub client_id: String,
    pub scope: String,
    pub audience: Option<String>,
    /// Milliseconds since 1970.
    pub issued_at: i64,
    /// Milliseconds since 1970.
    pub expires_at: i64,
    /// `None`: a client acts for itself.
    #[sea_orm(nested)]
    pub holder: Option<Holder>,
    /// What the client itself may do, as far as the scope tells it; nothing where it acts for a person.
    #[sea_orm(nested)]
    pub service: Service,
}

/// A refresh token that is good now.
#[derive(Clone, Debug, PartialEq, Eq, FromQueryResult)]
pub struct RefreshToken {
    pub scope: String,
    /// Milliseconds since 1970.
    pub issued_at: i64,
    /// Milliseconds since 1970.
    pub expires_at: i64,
    #[sea_orm(nested)]
    pub holder: Holder,
}

impl Grants {
    /// Stores an opaque access token of a client that acts for itself. One INSERT.
    pub async fn store_access_token(
        &self,
        client: &Client,
        audience: Option<&str>,
        new: &NewAccessToken,
    ) -> Result<StoredAccessToken, GrantError> {
        let token = self.random.token(ACCESS_PREFIX);
        let now = self.clock.now();
        let row = Row { token: &token, new, grant: None, client_id: &client.id, audience, now };
        self.database.run(store::insert(&self.database, &row)).await?;
        Ok(StoredAccessToken(token))
    }

    /// An opaque access token, if it is good now: unexpired, its grant alive, its client in use. One SELECT.
    pub async fn opaque_token(&self, token: &str) -> Result<Option<OpaqueToken>, GrantError> {
        Ok(store::opaque_token(&self.database, &secrets::hash(token), self.clock.now()).await?)
    }

    /// The holder of a signed token's grant, if the grant is alive and the token was not revoked. One SELECT.
    pub async fn holder(&self, grant: Uuid, jti: &str) -> Result<Option<Holder>, GrantError> {
        Ok(store::holder(&self.database, grant, &secrets::hash(jti), self.clock.now()).await?)
    }

    /// The same with the holder's account. One SELECT.
    pub async fn opaque_account_token(&self, token: &str) -> Result<Option<AccountToken>, GrantError> {
        Ok(store::opaque_token(&self.database, &secrets::hash(token), self.clock.now()).await?)
    }

    /// The account of the holder of a signed token's grant, under the same conditions. One SELECT.
    pub async fn account(&self, grant: Uuid, jti: &str) -> Result<Option<Account>, GrantError> {
        Ok(store::holder(&self.database, grant, &secrets::hash(jti), self.clock.now()).await?)
    }

    /// What a client may do that still acts for itself by a signed token of its own. One SELECT.
    pub async fn service(&self, client_id: &str, jti: &str) -> Result<Option<Standing>, GrantError> {
        Ok(store::service(&self.database, client_id, &secrets::hash(jti)).await?)
    }

    /// A refresh token of this client, if it is the one of its family that is good now. One SELECT.
    pub async fn refresh_token(&self, client: &Client, token: &str) -> Result<Option<RefreshToken>, GrantError> {
        Ok(store::refresh_token(&self.database, &secrets::hash(token), &client.id, self.clock.now()).await?)
    }
}
