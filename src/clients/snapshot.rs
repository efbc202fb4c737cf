//! The clients and APIs in memory: a token request looks a client up without asking the database.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use arc_swap::ArcSwap;
use tokio::sync::Mutex;

use super::{Api, Client, ClientError, redirect, store};
use crate::platform::clock::Clock;
use crate::platform::database::Database;
use crate::platform::settings::Attributes;

/// All clients and APIs at one moment.
#[derive(Default)]
pub struct Registry {
    clients: HashMap<String, Arc<Client>>,
    apis: HashMap<String, Arc<Api>>,
    public_origins: HashSet<String>,
    attributes: Arc<Attributes>,
}

impl Registry {
    fn new(clients: Vec<Client>, apis: Vec<Api>, attributes: Arc<Attributes>) -> Self {
        let public_origins = clients
            .iter()
            .filter(|client| client.is_public() && !client.disabled)
            .flat_map(|client| client.redirect_uris.iter().filter_map(|uri| redirect::origin_of(uri)))
            .collect();
        Self {
            clients: clients.into_iter().map(|client| (client.id.clone(), Arc::new(client))).collect(),
            apis: apis.into_iter().map(|api| (api.audience.clone(), Arc::new(api))).collect(),
            public_origins,
            attributes,
        }
    }

    /// What is declared about people, with the scopes that give it.
    pub fn attributes(&self) -> &Attributes {
        &self.attributes
    }

    /// Whether a scope is one of the standard, or gives declared attributes: whichever API a token is for, it may have it.
    pub fn is_about_people(&self, scope: &str) -> bool {
        crate::oauth::scope::STANDARD.contains(&scope)
            || crate::oauth::scope::is_standing(scope)
            || self.attributes.scopes().contains(&scope)
    }

    /// A client that may be used now.
    pub fn client(&self, id: &str) -> Option<Arc<Client>> {
        self.clients.get(id).filter(|client| !client.disabled).cloned()
    }

    pub fn api(&self, audience: &str) -> Option<Arc<Api>> {
        self.apis.get(audience).cloned()
    }

    /// Whether scripts from this origin may call the token endpoint.
    pub fn is_public_origin(&self, origin: &str) -> bool {
        self.public_origins.contains(origin)
    }

    /// Every client, disabled ones too, by id.
    pub fn all_clients(&self) -> Vec<Arc<Client>> {
        let mut clients: Vec<_> = self.clients.values().cloned().collect();
        clients.sort_by(|a, b| a.id.cmp(&b.id));
        clients
    }

    pub fn find_any(&self, id: &str) -> Option<Arc<Client>> {
        self.clients.get(id).cloned()
    }

    pub fn all_apis(&self) -> Vec<Api> {
        let mut apis: Vec<_> = self.apis.values().map(|api| api.as_ref().clone()).collect();
        apis.sort_by(|a, b| a.audience.cmp(&b.audience));
        apis
    }

    /// Whether any API or we ourselves know this scope.
    pub fn knows_scope(&self, scope: &str) -> bool {
        self.is_about_people(scope)
            || crate::oauth::scope::RESERVED.contains(&scope)
            || self.apis.values().any(|api| api.scopes.iter().any(|known| known == scope))
    }
}

/// The registry, swapped whole when it changes.
pub struct Clients {
    attributes: Arc<Attributes>,
    registry: ArcSwap<Registry>,
    /// One reading at a time: of two, the older could be stored last.
    reading: Mutex<()>,
    /// When an unknown client last made us read again: somebody who guesses ids must not make us read all the time.
    reloaded_for_unknown: Mutex<i64>,
}

/// Milliseconds between two reloads that unknown client ids may cause.
const RELOAD_PAUSE: i64 = 500;

impl Clients {
    pub async fn load(database: &Database, attributes: Attributes) -> Result<Self, ClientError> {
        let attributes = Arc::new(attributes);
        let registry = read(database, attributes.clone()).await?;
        Ok(Self {
            attributes,
            registry: ArcSwap::from_pointee(registry),
            reading: Mutex::new(()),
            reloaded_for_unknown: Mutex::new(i64::MIN),
        })
    }

    pub fn registry(&self) -> Arc<Registry> {
        self.registry.load_full()
    }

    pub async fn reload(&self, database: &Database) -> Result<(), ClientError> {
        let _alone = self.reading.lock().await;
        self.registry.store(Arc::new(read(database, self.attributes.clone()).await?));
        Ok(())
    }

    /// A client that may be used now. One that was made a moment ago on another node is found by reading again.
    pub async fn find(
        &self,
        id: &str,
        database: &Database,
        clock: &dyn Clock,
    ) -> Result<Option<Arc<Client>>, ClientError> {
        if let Some(known) = self.registry.load().clients.get(id) {
            return Ok(Some(known.clone()).filter(|client| !client.disabled));
        }
        if !plausible(id) {
            return Ok(None);
        }
        let mut last = self.reloaded_for_unknown.lock().await;
        let now = clock.now().timestamp_millis();
        if now >= last.saturating_add(RELOAD_PAUSE) {
            *last = now;
            self.reload(database).await?;
        }
        drop(last);
        Ok(self.registry().client(id))
    }
}

/// Whether a client could have this id at all.
fn plausible(id: &str) -> bool {
    (1..=128).contains(&id.len()) && id.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-_.".contains(&byte))
}

async fn read(database: &Database, attributes: Arc<Attributes>) -> Result<Registry, ClientError> {
    let (clients, apis) = store::all(database).await?;
    Ok(Registry::new(clients, apis, attributes))
}
