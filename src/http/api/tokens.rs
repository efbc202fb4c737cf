//! The tokens of JSON sign-in: those of any other grant, for the client of the house.

use chrono::{DateTime, Utc};
use serde::Serialize;
use utoipa::ToSchema;

use super::Problem;
use super::call::Call;
use super::problem::Fault;
use crate::app::App;
use crate::clients::Client;
use crate::grants::{Grant, Redeemed, RefreshState, Refreshed, Rotation, StoredAccessToken};
use crate::identity::Proof;
use crate::oauth::client_auth::AuthenticatedClient;
use crate::oauth::mint::{self, Mint, SenderConstraint, Warrant};
use crate::oauth::{scope, why};
use crate::trace;

#[derive(Clone, Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(super) struct Tokens {
    pub(super) access_token: String,
    pub(super) refresh_token: String,
    /// When the access token expires, in milliseconds since 1970.
    pub(super) expires_in: i64,
}

/// The client that these tokens are for; an operator may have taken it out of service.
pub(super) fn client(app: &App) -> Option<AuthenticatedClient> {
    let id = &app.settings.credentials.client_id;
    app.clients.registry().client(id).and_then(AuthenticatedClient::of_json_sign_in)
}

/// Signs a person in. `None`: they have been disabled or removed meanwhile.
pub(super) async fn give(call: &Call, proof: Proof) -> Result<Option<Tokens>, Fault> {
    let app = &call.web.app;
    let client = client(app).ok_or_else(|| Problem::bad_request("api-sign-in-off"))?;
    // What somebody may do, to clients that an operator has registered with it.
    let standing = [scope::ROLES, scope::PERMISSIONS].into_iter().filter(|scope| client.may_ask_for(scope));
    let scope = [scope::ACCOUNT, "offline_access"].into_iter().chain(standing).collect::<Vec<_>>().join(" ");
    let to_store = mint::to_store(&client, None, &scope, &app.settings);
    let given = app.grants.give(&client, proof, &scope, to_store, &call.caller.source()).await?;
    let Some(Redeemed { grant, refresh_token: Some(refresh_token), access_token }) = given else { return Ok(None) };
    Ok(Some(mint(app, client, grant, access_token, refresh_token)?))
}

/// Rotates a refresh token. `None`: it is unknown, used, revoked, or another client's.
pub(super) async fn rotate(call: &Call, presented: &str) -> Result<Option<Tokens>, Fault> {
    let app = &call.web.app;
    let Some(client) = client(app) else { return Ok(None) };
    let (asking, settings) = (client.clone(), app.settings.clone());
    let check =
        move |grant: &Grant| Ok::<_, std::convert::Infallible>(mint::to_store(&asking, None, &grant.scope, &settings));
    match app.grants.rotate(&client, presented, check, &call.caller.source()).await? {
        Rotation::Rotated(refreshed) => {
            let Refreshed { grant, refresh_token, access_token } = *refreshed;
            Ok(Some(mint(app, client, grant, access_token, refresh_token)?))
        }
        Rotation::Refused(state) => {
            refused(state.as_deref(), &client, app.clock.now());
            Ok(None)
        }
        Rotation::Reused(state) => {
            refused(Some(&state), &client, app.clock.now());
            Ok(None)
        }
        Rotation::Rejected(never) => match never {},
    }
}

/// Tells the trace why a refresh token was not taken.
fn refused(state: Option<&RefreshState>, client: &Client, now: DateTime<Utc>) {
    trace::client(|| Some(client.id.as_str().into()));
    trace::judge(|| why::refresh(state, client, now));
}

fn mint(
    app: &App,
    client: AuthenticatedClient,
    grant: Grant,
    access_token: Option<StoredAccessToken>,
    refresh_token: String,
) -> Result<Tokens, Fault> {
    let scope = grant.scope.clone();
    let warrant = Warrant::of_grant(client, grant, scope, SenderConstraint::Bearer, access_token);
    let keys = app.keys.set();
    let mint = Mint { settings: &app.settings, keys: &keys, random: app.random.as_ref(), now: app.clock.now() };
    let expires_in = |seconds: i64| (mint.now.timestamp() + seconds) * 1000;
    let tokens = mint.tokens(warrant, None, None)?;
    metrics::counter!("bonafide_tokens_total", "grant" => "credentials").increment(1);
    Ok(Tokens { access_token: tokens.access_token, refresh_token, expires_in: expires_in(tokens.expires_in) })
}
