//! The client that JSON sign-in issues tokens for.

use super::{Change, Client, ClientError, Clients, Draft, GrantType, save};
use crate::oauth::scope;
use crate::platform::database::Database;

/// Whether JSON sign-in may issue tokens for this client.
fn does(client: &Client) -> bool {
    client.first_party && !client.disabled && client.may(GrantType::Credentials) && client.may(GrantType::RefreshToken)
}

/// Makes the client with this id, unless somebody has; refuses one that is not meant for this. An operator who disables it
/// turns JSON sign-in off.
pub async fn ensure(clients: &Clients, database: &Database, id: &str, change: Change) -> Result<(), ClientError> {
    match clients.registry().find_any(id) {
        Some(client) if client.disabled || does(&client) => return Ok(()),
        Some(_) => return Err(ClientError::NotForCredentials(id.to_owned())),
        None => {}
    }
    let draft = Draft {
        client_name: Some("JSON sign-in".to_owned()),
        token_endpoint_auth_method: Some("none".to_owned()),
        grant_types: Some([GrantType::Credentials, GrantType::RefreshToken].map(|kind| kind.name().to_owned()).into()),
        scope: Some(format!("{} offline_access", scope::ACCOUNT)),
        first_party: Some(true),
        ..Draft::default()
    };
    let client = draft.apply(id.to_owned(), None, &[])?;
    match save(database, client, true, change).await {
        // Another node started at the same time and was quicker.
        Ok(()) | Err(ClientError::Present(_)) => clients.reload(database).await,
        Err(error) => Err(error),
    }
}
