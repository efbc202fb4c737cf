//! The tables `clients`, `apis` and their lists. Every change moves the snapshot's epoch in its transaction.

use std::collections::HashMap;

use ::entity::{
    api_scopes, apis, client_grant_types, client_introspected_audiences, client_post_logout_redirect_uris,
    client_redirect_uris, client_roles, client_scopes, clients,
};
use chrono::{DateTime, Utc};
use sea_orm::{ActiveModelTrait as _, ColumnTrait as _, EntityTrait as _, IntoActiveModel as _, QueryFilter as _};

use super::{Api, AuthMethod, Client, ClientError, GrantType, Overlap, PreviousSecret, TokenFormat};
use crate::audit::{self, About, Event, Source};
use crate::keys::Alg;
use crate::platform::database::{Database, DatabaseError, Tx, bump_epoch, execute};
use crate::platform::random::Random;

/// Who changes what, for the record.
#[derive(Clone)]
pub struct Change {
    pub what: &'static str,
    pub now: DateTime<Utc>,
    pub random: std::sync::Arc<dyn Random>,
}

impl Change {
    async fn record_client(&self, tx: &Tx, id: &str) -> Result<(), DatabaseError> {
        let event = Event::ClientChanged { what: self.what };
        audit::record(tx, self.random.id(self.now), self.now, &event, &About::client(id), &Source::default()).await
    }

    async fn record_api(&self, tx: &Tx, audience: &str) -> Result<(), DatabaseError> {
        let event = Event::ApiChanged { audience: audience.to_owned(), what: self.what };
        audit::record(tx, self.random.id(self.now), self.now, &event, &About::default(), &Source::default()).await
    }
}

/// Everything, for the snapshot: as it was at one moment, so that no client is there without what belongs to it.
pub(super) async fn all(database: &Database) -> Result<(Vec<Client>, Vec<Api>), DatabaseError> {
    let view = database.view().await?;
    let db = &view;
    let mut redirect_uris = group(client_redirect_uris::Entity::find().all(db).await?, |row| (row.client_id, row.uri));
    let mut post_logout =
        group(client_post_logout_redirect_uris::Entity::find().all(db).await?, |row| (row.client_id, row.uri));
    let mut grant_types =
        group(client_grant_types::Entity::find().all(db).await?, |row| (row.client_id, row.grant_type));
    let mut scopes = group(client_scopes::Entity::find().all(db).await?, |row| (row.client_id, row.scope));
    let mut introspects =
        group(client_introspected_audiences::Entity::find().all(db).await?, |row| (row.client_id, row.audience));
    let mut roles = group(client_roles::Entity::find().all(db).await?, |row| (row.client_id, row.role));
    let clients = clients::Entity::find().all(db).await?;
    let clients = clients
        .into_iter()
        .map(|row| Client {
            auth_method: AuthMethod::parse(&row.auth_method).unwrap_or(AuthMethod::ClientSecretBasic),
            id_token_alg: Alg::parse(&row.id_token_alg).unwrap_or(Alg::Rs256),
            token_format: row.token_format.as_deref().and_then(TokenFormat::parse),
            redirect_uris: redirect_uris.remove(&row.id).unwrap_or_default(),
            post_logout_redirect_uris: post_logout.remove(&row.id).unwrap_or_default(),
            grant_types: grant_types
                .remove(&row.id)
                .unwrap_or_default()
                .iter()
                .filter_map(|name| GrantType::parse(name))
                .collect(),
            scopes: scopes.remove(&row.id).unwrap_or_default(),
            introspects: introspects.remove(&row.id).unwrap_or_default(),
            roles: roles.remove(&row.id).unwrap_or_default(),
            previous_secret: PreviousSecret::of(row.previous_secret_hash, row.previous_secret_expires_at),
            name: row.name,
            secret_hash: row.secret_hash,
            first_party: row.first_party,
            pkce_required: row.pkce_required,
            claims_in_id_token: row.claims_in_id_token,
            default_audience: row.default_audience,
            refresh_grace: row.refresh_grace,
            access_token_lifetime: row.access_token_lifetime,
            refresh_token_lifetime: row.refresh_token_lifetime,
            default_max_age: row.default_max_age,
            backchannel_logout_uri: row.backchannel_logout_uri,
            frontchannel_logout_uri: row.frontchannel_logout_uri,
            backchannel_logout_session_required: row.backchannel_logout_session_required,
            frontchannel_logout_session_required: row.frontchannel_logout_session_required,
            logo_uri: row.logo_uri,
            disabled: row.disabled_at.is_some(),
            id: row.id,
        })
        .collect();
    let mut api_scopes = group(api_scopes::Entity::find().all(db).await?, |row| (row.audience, row.scope));
    let apis = apis::Entity::find().all(db).await?;
    view.commit().await?;
    let apis = apis
        .into_iter()
        .map(|row| Api {
            token_format: TokenFormat::parse(&row.token_format).unwrap_or(TokenFormat::AtJwt),
            scopes: api_scopes.remove(&row.audience).unwrap_or_default(),
            name: row.name,
            access_token_lifetime: row.access_token_lifetime,
            audience: row.audience,
        })
        .collect();
    Ok((clients, apis))
}

/// The list items of each owner, sorted.
fn group<M>(rows: Vec<M>, split: impl Fn(M) -> (String, String)) -> HashMap<String, Vec<String>> {
    let mut groups: HashMap<String, Vec<String>> = HashMap::new();
    for row in rows {
        let (owner, item) = split(row);
        groups.entry(owner).or_default().push(item);
    }
    for items in groups.values_mut() {
        items.sort();
    }
    groups
}

/// Whether a client is there, by the database and not by a snapshot.
pub async fn exists(database: &Database, id: &str) -> Result<bool, DatabaseError> {
    Ok(clients::Entity::find_by_id(id.to_owned()).one(database.reader()).await?.is_some())
}

/// Creates a client, or changes one where `create` is false.
pub async fn save(database: &Database, client: Client, create: bool, change: Change) -> Result<(), ClientError> {
    database
        .write(move |tx| {
            Box::pin(async move {
                write(tx, &client, create, change.now).await?;
                change.record_client(tx, &client.id).await?;
                Ok(())
            })
        })
        .await
}

/// Creates a client as a part of a greater action, which records it.
pub(crate) async fn create_in(tx: &Tx, client: &Client, now: DateTime<Utc>) -> Result<(), ClientError> {
    write(tx, client, true, now).await
}

async fn write(tx: &Tx, client: &Client, create: bool, now: DateTime<Utc>) -> Result<(), ClientError> {
    bump_epoch(tx).await?;
    let present = clients::Entity::find_by_id(client.id.clone()).one(tx).await.map_err(DatabaseError::from)?;
    match (&present, create) {
        (Some(_), true) => return Err(ClientError::Present(client.id.clone())),
        (None, false) => return Err(ClientError::Unknown(client.id.clone())),
        _ => {}
    }
    let row = row_of(client, present.as_ref(), now).into_active_model().reset_all();
    if create { row.insert(tx).await } else { row.update(tx).await }.map_err(DatabaseError::from)?;
    Ok(save_lists(tx, client).await?)
}

fn row_of(client: &Client, present: Option<&clients::Model>, now: DateTime<Utc>) -> clients::Model {
    let now = now.timestamp_millis();
    // With a secret of another hand nothing that was before goes on; least of all where the client has none any more.
    let same_secret = present.filter(|row| row.secret_hash == client.secret_hash);
    clients::Model {
        id: client.id.clone(),
        name: client.name.clone(),
        secret_hash: client.secret_hash.clone(),
        previous_secret_hash: same_secret.and_then(|row| row.previous_secret_hash.clone()),
        previous_secret_expires_at: same_secret.and_then(|row| row.previous_secret_expires_at),
        auth_method: client.auth_method.name().to_owned(),
        first_party: client.first_party,
        pkce_required: client.pkce_required,
        claims_in_id_token: client.claims_in_id_token,
        id_token_alg: client.id_token_alg.name().to_owned(),
        token_format: client.token_format.map(|format| format.name().to_owned()),
        default_audience: client.default_audience.clone(),
        refresh_grace: client.refresh_grace,
        access_token_lifetime: client.access_token_lifetime,
        refresh_token_lifetime: client.refresh_token_lifetime,
        default_max_age: client.default_max_age,
        backchannel_logout_uri: client.backchannel_logout_uri.clone(),
        frontchannel_logout_uri: client.frontchannel_logout_uri.clone(),
        backchannel_logout_session_required: client.backchannel_logout_session_required,
        frontchannel_logout_session_required: client.frontchannel_logout_session_required,
        logo_uri: client.logo_uri.clone(),
        disabled_at: client.disabled.then(|| present.and_then(|row| row.disabled_at).unwrap_or(now)),
        created_at: present.map_or(now, |row| row.created_at),
        updated_at: now,
    }
}

async fn save_lists(tx: &Tx, client: &Client) -> Result<(), DatabaseError> {
    let grant_types: Vec<String> = client.grant_types.iter().map(|grant| grant.name().to_owned()).collect();
    for (table, column, items) in [
        ("client_redirect_uris", "uri", &client.redirect_uris),
        ("client_post_logout_redirect_uris", "uri", &client.post_logout_redirect_uris),
        ("client_grant_types", "grant_type", &grant_types),
        ("client_scopes", "scope", &client.scopes),
        ("client_introspected_audiences", "audience", &client.introspects),
    ] {
        replace_list(tx, table, "client_id", column, &client.id, items).await?;
    }
    Ok(())
}

async fn replace_list(
    tx: &Tx,
    table: &str,
    owner_column: &str,
    column: &str,
    owner: &str,
    items: &[String],
) -> Result<(), DatabaseError> {
    execute(tx, &format!("DELETE FROM {table} WHERE {owner_column} = $1"), [owner.into()]).await?;
    for item in items {
        let sql = format!("INSERT INTO {table} ({owner_column}, {column}) VALUES ($1, $2) ON CONFLICT DO NOTHING");
        execute(tx, &sql, [owner.into(), item.as_str().into()]).await?;
    }
    Ok(())
}

/// Gives a client a new secret. The old one is dead at once, or goes on for the overlap; one before it is dead in any case.
pub async fn rotate_secret(
    database: &Database,
    id: String,
    hash: Vec<u8>,
    overlap: Overlap,
    change: Change,
) -> Result<(), ClientError> {
    database
        .write(move |tx| {
            Box::pin(async move {
                rotate_secret_in(tx, &id, hash, overlap, change.now).await?;
                change.record_client(tx, &id).await?;
                Ok(())
            })
        })
        .await
}

/// The same as a part of a greater action, which records it.
pub(crate) async fn rotate_secret_in(
    tx: &Tx,
    id: &str,
    hash: Vec<u8>,
    overlap: Overlap,
    now: DateTime<Utc>,
) -> Result<(), ClientError> {
    bump_epoch(tx).await?;
    let until = overlap.until(now);
    let before = if until.is_some() { "secret_hash" } else { "NULL" };
    let sql = format!(
        "UPDATE clients SET previous_secret_hash = {before}, previous_secret_expires_at = $4, secret_hash = $2, \
         updated_at = $3 WHERE id = $1 AND auth_method <> 'none'"
    );
    let values = [id.into(), hash.into(), now.timestamp_millis().into(), until.into()];
    if execute(tx, &sql, values).await? == 1 {
        return Ok(());
    }
    let known = clients::Entity::find_by_id(id).one(tx).await.map_err(DatabaseError::from)?;
    Err(if known.is_some() { ClientError::Public(id.to_owned()) } else { ClientError::Unknown(id.to_owned()) })
}

/// Takes a client out of service, or puts it back.
pub async fn set_disabled(database: &Database, id: String, disabled: bool, change: Change) -> Result<(), ClientError> {
    database
        .write(move |tx| {
            Box::pin(async move {
                bump_epoch(tx).await?;
                let now = change.now.timestamp_millis();
                let at = disabled.then_some(now);
                let sql = "UPDATE clients SET disabled_at = $2, updated_at = $3 WHERE id = $1";
                if execute(tx, sql, [id.clone().into(), at.into(), now.into()]).await? == 0 {
                    return Err(ClientError::Unknown(id));
                }
                change.record_client(tx, &id).await?;
                Ok(())
            })
        })
        .await
}

/// Removes a client with all that was granted to it.
pub async fn delete(database: &Database, id: String, change: Change) -> Result<(), ClientError> {
    database
        .write(move |tx| {
            Box::pin(async move {
                bump_epoch(tx).await?;
                if execute(tx, "DELETE FROM clients WHERE id = $1", [id.clone().into()]).await? == 0 {
                    return Err(ClientError::Unknown(id));
                }
                change.record_client(tx, &id).await?;
                Ok(())
            })
        })
        .await
}

pub async fn create_api(database: &Database, api: Api, change: Change) -> Result<(), ClientError> {
    write_api(database, api, true, change).await
}

pub async fn save_api(database: &Database, api: Api, change: Change) -> Result<(), ClientError> {
    write_api(database, api, false, change).await
}

async fn write_api(database: &Database, api: Api, create: bool, change: Change) -> Result<(), ClientError> {
    database
        .write(move |tx| {
            Box::pin(async move {
                bump_epoch(tx).await?;
                let present =
                    apis::Entity::find_by_id(api.audience.clone()).one(tx).await.map_err(DatabaseError::from)?;
                match (&present, create) {
                    (Some(_), true) => return Err(ClientError::PresentApi(api.audience)),
                    (None, false) => return Err(ClientError::UnknownApi(api.audience)),
                    _ => {}
                }
                let row = apis::Model {
                    audience: api.audience.clone(),
                    name: api.name.clone(),
                    token_format: api.token_format.name().to_owned(),
                    access_token_lifetime: api.access_token_lifetime,
                    created_at: present.map_or(change.now.timestamp_millis(), |row| row.created_at),
                };
                let row = row.into_active_model().reset_all();
                if create { row.insert(tx).await } else { row.update(tx).await }.map_err(DatabaseError::from)?;
                replace_list(tx, "api_scopes", "audience", "scope", &api.audience, &api.scopes).await?;
                change.record_api(tx, &api.audience).await?;
                Ok(())
            })
        })
        .await
}

pub async fn delete_api(database: &Database, audience: String, change: Change) -> Result<(), ClientError> {
    database
        .write(move |tx| {
            Box::pin(async move {
                bump_epoch(tx).await?;
                let used = clients::Entity::find().filter(clients::Column::DefaultAudience.eq(audience.clone()));
                if used.one(tx).await.map_err(DatabaseError::from)?.is_some() {
                    return Err(ClientError::ApiInUse(audience));
                }
                if execute(tx, "DELETE FROM apis WHERE audience = $1", [audience.clone().into()]).await? == 0 {
                    return Err(ClientError::UnknownApi(audience));
                }
                change.record_api(tx, &audience).await?;
                Ok(())
            })
        })
        .await
}
