//! Who may call: what the route table declares is what this layer demands, before a handler sees anything.

use std::sync::Arc;

use axum::RequestExt as _;
use axum::extract::{RawPathParams, Request, State};
use axum::http::{HeaderMap, StatusCode, header};
use axum::middleware::Next;
use axum::response::Response;
use uuid::Uuid;

use super::problem::{Fault, Problem};
use crate::access::Held;
use crate::access::keys::is_key;
use crate::access::permission::{USERS_READ, USERS_WRITE};
use crate::audit::Source;
use crate::grants::Account;
use crate::http::access::Access;
use crate::http::caller::Caller;
use crate::http::protocol::token::authenticate;
use crate::http::protocol::userinfo::bearer_token;
use crate::http::state::Web;
use crate::identity::Standing;
use crate::oauth::TokenError;
use crate::oauth::bearer::{Actor, Reader};
use crate::oauth::parameters::Parameters;
use crate::oauth::scope;
use crate::platform::secrets;
use crate::platform::settings::Party;

/// A route's declaration.
pub(in crate::http) struct Gate {
    pub(in crate::http) web: Arc<Web>,
    pub(in crate::http) access: Access,
}

/// Who calls.
#[derive(Clone)]
pub(super) enum Principal {
    Person(Box<Account>),
    /// A client that acts for itself.
    Service {
        client_id: String,
    },
}

/// By what they have shown who they are.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Means {
    AccessToken,
    /// A client's, at the endpoint itself.
    Secret,
    /// A key, which stands for its owner's own account only where it was made for that.
    ApiKey {
        account: bool,
    },
}

/// Somebody who has shown who they are, and what they may do now. Only the guard makes one.
#[derive(Clone)]
pub(super) struct Signed {
    pub(super) principal: Principal,
    roles: Vec<String>,
    held: Held,
    means: Means,
}

impl Signed {
    /// `None`: no person calls.
    pub(super) fn account(&self) -> Option<&Account> {
        match &self.principal {
            Principal::Person(account) => Some(account),
            Principal::Service { .. } => None,
        }
    }

    /// The person who calls.
    pub(super) fn id(&self) -> Option<Uuid> {
        self.account().map(|account| account.person.user_id)
    }

    /// What they are called by in tokens: the person's id, or the client's.
    pub(super) fn subject(&self) -> String {
        match &self.principal {
            Principal::Person(account) => account.person.user_id.to_string(),
            Principal::Service { client_id } => client_id.clone(),
        }
    }

    /// Whether it is this person, who acts for themselves.
    pub(super) fn is(&self, person: Uuid) -> bool {
        self.acts_for_themselves() && self.id() == Some(person)
    }

    /// The browser session of this person that the token was issued in, if it was.
    pub(super) fn session_of(&self, person: Uuid) -> Option<Uuid> {
        self.account().filter(|_| self.is(person)).and_then(|account| account.by.session_id)
    }

    pub(super) fn roles(&self) -> &[String] {
        &self.roles
    }

    pub(super) fn held(&self) -> &Held {
        &self.held
    }

    /// What they are to a person of whom they read.
    pub(super) fn reads_as(&self, person: Uuid) -> Vec<Party> {
        self.parties(person, USERS_READ)
    }

    /// What they are to a person whom they change.
    pub(super) fn writes_as(&self, person: Uuid) -> Vec<Party> {
        self.parties(person, USERS_WRITE)
    }

    fn parties(&self, person: Uuid, permission: &str) -> Vec<Party> {
        let own = self.is(person).then_some(Party::User);
        own.into_iter().chain(self.held.has(permission).then_some(Party::Admin)).collect()
    }

    /// For the record.
    pub(super) fn source(&self, source: Source) -> Source {
        match &self.principal {
            Principal::Person(account) => Source { actor: Some(account.person.user_id), ..source },
            Principal::Service { client_id } => Source { actor_client: Some(client_id.clone()), ..source },
        }
    }

    /// Whether a person calls who may act for their own account.
    fn acts_for_themselves(&self) -> bool {
        self.account().is_some() && self.means != Means::ApiKey { account: false }
    }
}

pub(in crate::http) async fn guard(
    State(gate): State<Arc<Gate>>,
    caller: Caller,
    mut request: Request,
    next: Next,
) -> Response {
    let (headers, id) = (request.headers().clone(), id_of_path(&mut request).await);
    match admit(&gate, &caller, &headers, id).await {
        Ok(None) => {}
        Ok(Some(signed)) => {
            request.extensions_mut().insert(signed);
        }
        Err(fault) => return fault.response(&gate.web, &caller),
    }
    next.run(request).await
}

/// The id that the path speaks of, if it is one.
async fn id_of_path(request: &mut Request) -> Option<Uuid> {
    let segments = request.extract_parts::<RawPathParams>().await.ok()?;
    segments.iter().find(|(name, _)| *name == "id").and_then(|(_, id)| Uuid::parse_str(id).ok())
}

async fn admit(gate: &Gate, caller: &Caller, headers: &HeaderMap, id: Option<Uuid>) -> Result<Option<Signed>, Fault> {
    if !gate.access.is_guarded() {
        return Ok(None);
    }
    if gate.access == Access::AdapterSecret {
        return if shows_secret(&gate.web, headers) {
            Ok(None)
        } else {
            Err(Problem::new(StatusCode::UNAUTHORIZED, "api-unproven").into())
        };
    }
    let signed = match gate.access {
        Access::PermissionOrSecret(_) if shows_basic(headers) => by_secret(&gate.web, caller, headers).await?,
        _ => signed(&gate.web, headers).await?,
    };
    let is_admitted = match gate.access {
        Access::User => signed.acts_for_themselves(),
        Access::UserInPerson => signed.acts_for_themselves() && signed.means == Means::AccessToken,
        Access::Permission(permission) | Access::PermissionOrSecret(permission) => signed.held.has(permission),
        Access::Administrator => signed.held.is_everything(),
        Access::Oneself => {
            if !id.is_some_and(|id| signed.is(id)) {
                return Err(Problem::not_found().into());
            }
            signed.means == Means::AccessToken
        }
        Access::SelfOr(permission) => {
            let is_own = id.is_some_and(|id| signed.is(id));
            // Of others nobody hears even whether they are there.
            if !is_own && !signed.held.has(permission) {
                return Err(Problem::not_found().into());
            }
            true
        }
        // Nothing else is guarded.
        _ => false,
    };
    if is_admitted { Ok(Some(signed)) } else { Err(Problem::forbidden().into()) }
}

/// Whoever shows one good credential for ourselves, and what they may do now.
async fn signed(web: &Web, headers: &HeaderMap) -> Result<Signed, Fault> {
    let mut given = headers.get_all(header::AUTHORIZATION).iter();
    let shown = match (given.next(), given.next()) {
        (Some(header), None) => bearer_token(header),
        _ => None,
    };
    let shown = shown.ok_or_else(|| unauthorized("api-token-missing", "Bearer"))?;
    bearer(web, &shown).await
}

/// Who bears this string: THE place that tells kinds of credentials apart.
async fn bearer(web: &Web, shown: &str) -> Result<Signed, Fault> {
    if is_key(shown) { by_api_key(web, shown).await } else { by_access_token(web, shown).await }
}

/// A person's or a service account's key for ourselves: what it was made for, as far as its owner may now.
async fn by_api_key(web: &Web, shown: &str) -> Result<Signed, Fault> {
    let keys = &web.app.api_keys;
    let key = keys.live(shown).await?.filter(|key| key.audience.is_none());
    let Some(key) = key else {
        return Err(unauthorized("api-key-dead", "Bearer error=\"invalid_token\"").into());
    };
    keys.used(key.key_id);
    let (held, roles, account) = (key.held(), key.roles(), key.is_for_account());
    let principal = match (key.account, key.client_id) {
        (Some(account), _) => Principal::Person(Box::new(account)),
        (None, client_id) => Principal::Service { client_id: client_id.unwrap_or_default() },
    };
    Ok(Signed { principal, roles, held, means: Means::ApiKey { account } })
}

/// A person's token with the scope `account` from a client of the house, or a client's own.
async fn by_access_token(web: &Web, token: &str) -> Result<Signed, Fault> {
    let app = &web.app;
    let keys = app.keys.set();
    let reader = Reader { keys: &keys, issuer: web.issuer(), grants: &app.grants, now: app.clock.now() };
    let Some(live) = reader.account(token).await? else {
        return Err(unauthorized("api-token-dead", "Bearer error=\"invalid_token\"").into());
    };
    let (principal, standing) = match live.actor {
        Actor::Client(standing) => (Principal::Service { client_id: live.client_id }, standing),
        Actor::Person(account) => {
            let of_the_house = app.clients.registry().client(&live.client_id).is_some_and(|client| client.first_party);
            if !of_the_house || !scope::has(&live.scope, scope::ACCOUNT) {
                let challenge = "Bearer error=\"insufficient_scope\", scope=\"account\"";
                return Err(Problem::forbidden().challenge(challenge).into());
            }
            let standing = account.person.standing.clone();
            (Principal::Person(account), standing)
        }
    };
    Ok(Signed::new(principal, &standing, Means::AccessToken))
}

fn shows_basic(headers: &HeaderMap) -> bool {
    let scheme = headers.get(header::AUTHORIZATION).and_then(|value| value.as_bytes().get(..6));
    scheme.is_some_and(|scheme| scheme.eq_ignore_ascii_case(b"basic "))
}

/// A client that shows its secret: known in memory, with what it may do.
async fn by_secret(web: &Arc<Web>, caller: &Caller, headers: &HeaderMap) -> Result<Signed, Fault> {
    let refused = || {
        let problem = Problem::new(StatusCode::UNAUTHORIZED, "api-unproven").code("invalid_client");
        problem.challenge("Basic realm=\"bonafide\", charset=\"UTF-8\"")
    };
    let client = match authenticate(web, caller, headers, &Parameters::default()).await {
        Ok(client) if !client.is_public() => client,
        Ok(_) | Err(TokenError::Client(_)) => return Err(refused().into()),
        Err(error) => return Err(Fault::broken(error)),
    };
    let roles = client.roles.clone();
    let principal = Principal::Service { client_id: client.id.clone() };
    Ok(Signed { principal, held: web.app.catalogue.held(&roles), roles, means: Means::Secret })
}

impl Signed {
    fn new(principal: Principal, standing: &Standing, means: Means) -> Self {
        Self { principal, held: Held::of(standing), roles: standing.roles(), means }
    }
}

fn unauthorized(message: &'static str, challenge: &'static str) -> Problem {
    Problem::new(StatusCode::UNAUTHORIZED, message).code("invalid_token").challenge(challenge)
}

/// Whether the request shows the adapter's secret, once. Hashed first, so that not even its length is told.
pub(super) fn shows_secret(web: &Web, headers: &HeaderMap) -> bool {
    let secret = web.app.settings.adapter.secret.expose();
    let mut given = headers.get_all("x-auth-secret").iter();
    let (Some(shown), None) = (given.next(), given.next()) else { return false };
    let Ok(shown) = shown.to_str() else { return false };
    !secret.is_empty() && secrets::equal(&secrets::hash(secret), &secrets::hash(shown))
}
