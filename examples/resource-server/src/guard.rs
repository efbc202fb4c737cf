//! What a route needs of whoever calls.

use std::sync::Arc;

use axum::extract::{Request, State};
use axum::http::{HeaderMap, header};
use axum::middleware::{Next, from_fn_with_state};
use axum::response::Response;
use axum::routing::MethodRouter;

use crate::refusal::Refusal;
use crate::token::{Claims, Verifier};

/// What an application must have been allowed before it does anything here.
const SCOPE: &str = "notes";

#[derive(Clone, Copy)]
pub(crate) enum Need {
    /// A good token; the rest is decided later.
    Token,
    Role(&'static str),
    Permission(&'static str),
}

#[derive(Clone)]
struct Gate {
    verifier: Arc<Verifier>,
    need: Need,
}

/// The same methods for those alone who have what is needed. Handlers find who calls as `Extension<Claims>`.
pub(crate) fn guarded<S>(methods: MethodRouter<S>, verifier: &Arc<Verifier>, need: Need) -> MethodRouter<S>
where
    S: Clone + Send + Sync + 'static,
{
    methods.route_layer(from_fn_with_state(Gate { verifier: Arc::clone(verifier), need }, admit))
}

async fn admit(State(gate): State<Gate>, mut request: Request, next: Next) -> Result<Response, Refusal> {
    let token = bearer_token(request.headers()).ok_or(Refusal::NoToken)?;
    let claims = gate.verifier.verify(token).await?;
    gate.need.check(&claims)?;
    request.extensions_mut().insert(claims);
    Ok(next.run(request).await)
}

impl Need {
    fn check(self, claims: &Claims) -> Result<(), Refusal> {
        if !claims.has_scope(SCOPE) {
            return Err(Refusal::Scope(SCOPE));
        }
        match self {
            Self::Role(role) if !claims.has_role(role) => Err(Refusal::Role(role)),
            Self::Permission(permission) if !claims.has_permission(permission) => Err(Refusal::Permission(permission)),
            _ => Ok(()),
        }
    }
}

/// The one token of the Authorization header (RFC 6750 section 2.1). Tokens in addresses end in logs, and are not read.
fn bearer_token(headers: &HeaderMap) -> Option<&str> {
    let mut given = headers.get_all(header::AUTHORIZATION).iter();
    let (Some(value), None) = (given.next(), given.next()) else { return None };
    let (scheme, token) = value.to_str().ok()?.split_once(' ')?;
    scheme.eq_ignore_ascii_case("bearer").then_some(token)
}
