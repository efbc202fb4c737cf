//! Who may call: what the route table declares is what this layer demands, before a handler sees anything.

use std::sync::Arc;

use axum::extract::{Request, State};
use axum::http::{HeaderMap, StatusCode, header};
use axum::middleware::Next;
use axum::response::Response;
use uuid::Uuid;

use super::problem::{Fault, Problem};
use crate::grants::Account;
use crate::http::access::Access;
use crate::http::caller::Caller;
use crate::http::protocol::userinfo::bearer_token;
use crate::http::state::Web;
use crate::identity::ADMIN;
use crate::oauth::bearer::Reader;
use crate::oauth::scope;
use crate::platform::secrets;
use crate::platform::settings::Party;

/// A route's declaration.
pub(in crate::http) struct Gate {
    pub(in crate::http) web: Arc<Web>,
    pub(in crate::http) access: Access,
}

/// Who has shown a token for their account. Only the guard makes one.
#[derive(Clone)]
pub(super) struct Signed {
    pub(super) account: Account,
    roles: Vec<String>,
}

impl Signed {
    pub(super) fn id(&self) -> Uuid {
        self.account.person.user_id
    }

    pub(super) fn roles(&self) -> &[String] {
        &self.roles
    }

    pub(super) fn is_admin(&self) -> bool {
        self.has(ADMIN)
    }

    /// What they are to a person.
    pub(super) fn parties(&self, person: Uuid) -> Vec<Party> {
        let own = (person == self.id()).then_some(Party::User);
        own.into_iter().chain(self.is_admin().then_some(Party::Admin)).collect()
    }

    fn has(&self, role: &str) -> bool {
        self.roles.iter().any(|held| held == role)
    }
}

pub(in crate::http) async fn guard(
    State(gate): State<Arc<Gate>>,
    caller: Caller,
    mut request: Request,
    next: Next,
) -> Response {
    let headers = request.headers().clone();
    match admit(&gate, &headers).await {
        Ok(None) => {}
        Ok(Some(signed)) => {
            request.extensions_mut().insert(signed);
        }
        Err(fault) => return fault.response(&gate.web, &caller),
    }
    next.run(request).await
}

async fn admit(gate: &Gate, headers: &HeaderMap) -> Result<Option<Signed>, Fault> {
    match gate.access {
        Access::Public | Access::Client | Access::Token | Access::Browser | Access::Development => Ok(None),
        Access::User => Ok(Some(signed(&gate.web, headers).await?)),
        Access::Role(role) => {
            let signed = signed(&gate.web, headers).await?;
            if signed.has(role) { Ok(Some(signed)) } else { Err(forbidden("Bearer error=\"insufficient_scope\"")) }
        }
        Access::AdapterSecret => {
            if shows_secret(&gate.web, headers) {
                Ok(None)
            } else {
                Err(Problem::new(StatusCode::UNAUTHORIZED, "api-unproven").into())
            }
        }
    }
}

/// Whoever bears a token for ourselves with the scope `account`, from a client of the house, and what they may do now.
async fn signed(web: &Web, headers: &HeaderMap) -> Result<Signed, Fault> {
    let unauthorized =
        |message, challenge| Problem::new(StatusCode::UNAUTHORIZED, message).code("invalid_token").challenge(challenge);
    let mut given = headers.get_all(header::AUTHORIZATION).iter();
    let token = match (given.next(), given.next()) {
        (Some(header), None) => bearer_token(header),
        _ => None,
    };
    let token = token.ok_or_else(|| unauthorized("api-token-missing", "Bearer"))?;
    let app = &web.app;
    let keys = app.keys.set();
    let reader = Reader { keys: &keys, issuer: web.issuer(), grants: &app.grants, now: app.clock.now() };
    let Some(live) = reader.account(&token).await? else {
        return Err(unauthorized("api-token-dead", "Bearer error=\"invalid_token\"").into());
    };
    let of_the_house = app.clients.registry().client(&live.client_id).is_some_and(|client| client.first_party);
    match live.account {
        Some(account) if of_the_house && scope::has(&live.scope, scope::ACCOUNT) => {
            let roles = account.roles();
            Ok(Signed { account, roles })
        }
        _ => Err(forbidden("Bearer error=\"insufficient_scope\", scope=\"account\"")),
    }
}

fn forbidden(challenge: &'static str) -> Fault {
    Problem::new(StatusCode::FORBIDDEN, "api-forbidden").challenge(challenge).into()
}

/// Whether the request shows the adapter's secret, once. Hashed first, so that not even its length is told.
pub(super) fn shows_secret(web: &Web, headers: &HeaderMap) -> bool {
    let secret = web.app.settings.adapter.secret.expose();
    let mut given = headers.get_all("x-auth-secret").iter();
    let (Some(shown), None) = (given.next(), given.next()) else { return false };
    let Ok(shown) = shown.to_str() else { return false };
    !secret.is_empty() && secrets::equal(&secrets::hash(secret), &secrets::hash(shown))
}
