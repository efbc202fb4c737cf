//! Who the other providers are: those of the settings and those of the database, in memory.

use std::collections::BTreeMap;
use std::sync::Arc;

use arc_swap::ArcSwap;
use tokio::sync::Mutex;

use super::store;
use super::upstream::Upstream;
use crate::identity::Link;
use crate::platform::database::{Database, DatabaseError};
use crate::platform::secrets::SealingKey;
use crate::platform::settings;

/// Where a provider is declared.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Origin {
    Settings,
    Database,
}

impl Origin {
    pub const fn name(self) -> &'static str {
        match self {
            Self::Settings => "settings",
            Self::Database => "database",
        }
    }
}

/// A provider, with everything filled in that may be left out.
pub struct Provider {
    pub name: String,
    pub label: String,
    pub origin: Origin,
    /// What links to its accounts are kept by.
    pub identity: String,
    pub declared: settings::Provider,
    pub(super) upstream: Upstream,
}

impl Provider {
    fn new(name: &str, declared: &settings::Provider, origin: Origin) -> Self {
        Self {
            name: name.to_owned(),
            label: declared.label_of(name),
            origin,
            identity: declared.identity(name),
            declared: declared.with_preset(),
            upstream: Upstream::default(),
        }
    }

    /// Whether an account that is linked is one of its.
    pub fn is_of(&self, link: &Link) -> bool {
        link.issuer.as_ref().map_or(link.provider == self.name, |issuer| *issuer == self.identity)
    }

    /// Whether it speaks OpenID Connect, and not OAuth 2 alone.
    pub fn is_openid(&self) -> bool {
        !self.declared.issuer.is_empty()
    }
}

#[cfg(test)]
impl Provider {
    pub(super) fn of_settings(name: &str, declared: &settings::Provider) -> Self {
        Self::new(name, declared, Origin::Settings)
    }
}

type Snapshot = BTreeMap<String, Arc<Provider>>;

/// All of them, swapped whole when one changes.
pub struct Providers {
    of_settings: Snapshot,
    all: ArcSwap<Snapshot>,
    /// One reading at a time: of two, the older could be stored last.
    reading: Mutex<()>,
}

impl Providers {
    pub async fn load(
        database: &Database,
        settings: &settings::Settings,
        sealing: &SealingKey,
    ) -> Result<Self, DatabaseError> {
        let of_settings: Snapshot = settings
            .providers
            .iter()
            .map(|(name, declared)| (name.to_owned(), Arc::new(Provider::new(name, declared, Origin::Settings))))
            .collect();
        let all = ArcSwap::from_pointee(of_settings.clone());
        let providers = Self { of_settings, all, reading: Mutex::new(()) };
        providers.reload(database, sealing).await?;
        Ok(providers)
    }

    /// Reads the database's again. A provider that has not changed keeps what is known of it.
    pub async fn reload(&self, database: &Database, sealing: &SealingKey) -> Result<(), DatabaseError> {
        let _alone = self.reading.lock().await;
        let before = self.all.load_full();
        let mut all = self.of_settings.clone();
        for (name, declared) in store::all(database, sealing).await? {
            if all.contains_key(&name) {
                tracing::warn!(provider = name, "the settings declare this provider too: theirs counts");
                continue;
            }
            let provider = Provider::new(&name, &declared, Origin::Database);
            let same = before.get(&name).filter(|known| {
                known.origin == Origin::Database && known.declared == provider.declared && known.label == provider.label
            });
            all.insert(name, same.cloned().unwrap_or_else(|| Arc::new(provider)));
        }
        self.all.store(Arc::new(all));
        Ok(())
    }

    /// Every one, those that are switched off too, by name.
    pub fn all(&self) -> Vec<Arc<Provider>> {
        self.all.load().values().cloned().collect()
    }

    pub fn get(&self, name: &str) -> Option<Arc<Provider>> {
        self.all.load().get(name).cloned()
    }

    /// One that people may sign in with now.
    pub fn usable(&self, name: &str) -> Option<Arc<Provider>> {
        self.get(name).filter(|provider| provider.declared.enabled)
    }

    /// Those that the sign-in page offers.
    pub fn offered(&self) -> Vec<Arc<Provider>> {
        self.all.load().values().filter(|provider| provider.declared.enabled).cloned().collect()
    }

    /// Whether a sign-in at one of them can be worth one of these `acr` values.
    pub fn can_give(&self, acr: &[String]) -> bool {
        let rules = |provider: &Arc<Provider>| provider.declared.assurance.iter().any(|rule| acr.contains(&rule.acr));
        self.all.load().values().filter(|provider| provider.declared.enabled).any(rules)
    }

    /// Where people with this address are sent.
    pub fn of_address(&self, address: &str) -> Option<Arc<Provider>> {
        let (_, domain) = address.trim().rsplit_once('@')?;
        let domain = domain.to_ascii_lowercase();
        self.offered().into_iter().find(|provider| provider.declared.domains.contains(&domain))
    }
}
