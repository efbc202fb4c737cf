//! Publishing: what does not validate changes nothing; what does is a version, in force on every node within a second.

use std::path::Path;
use std::sync::Arc;

use chrono::{DateTime, Utc};

use super::bundle::Bundle;
use super::engine::Engine;
use super::fault::Fault;
use super::files::{self, FilesFault};
use super::{InForce, Policies, store};
use crate::audit::{self, About, Event, Source};
use crate::platform::database::{DatabaseError, bump_epoch};
use crate::platform::secrets;

/// Where a version came from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Origin {
    /// The folder of the settings.
    Files,
    Api,
    Command,
}

impl Origin {
    pub const fn name(self) -> &'static str {
        match self {
            Self::Files => "files",
            Self::Api => "api",
            Self::Command => "command",
        }
    }

    pub(super) fn parse(name: &str) -> Self {
        [Self::Files, Self::Api].into_iter().find(|origin| origin.name() == name).unwrap_or(Self::Command)
    }
}

/// A version, without what it says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Version {
    /// 1, 2, 3 …
    pub number: i64,
    pub origin: Origin,
    pub note: String,
    /// The id of the person or service account; none: an operator by the command line, or the folder.
    pub published_by: Option<String>,
    pub published_at: DateTime<Utc>,
}

/// What is to be published, and how.
pub struct Publication {
    pub bundle: Bundle,
    pub origin: Origin,
    pub note: String,
    pub by: Option<String>,
    /// The version that this was made of; another one in force: nothing is published.
    pub expected: Option<i64>,
}

/// What became of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Published {
    pub version: i64,
    /// Whether it is a new version: publishing again what is in force changes nothing.
    pub new: bool,
}

/// Why nothing was published.
#[derive(Debug, thiserror::Error)]
pub enum PolicyFault {
    #[error("the policies do not validate: {}", listed(.0))]
    Invalid(Vec<Fault>),
    #[error("version {0} is in force by now: look at it, and publish again")]
    Moved(i64),
    #[error("there is no version {0}: `bonafide policy versions` shows them")]
    Unknown(i64),
    #[error("{0}")]
    Files(#[from] FilesFault),
    #[error("the policies could not be read: {0}")]
    Task(#[from] tokio::task::JoinError),
    #[error("{0}")]
    Database(#[from] DatabaseError),
}

fn listed(faults: &[Fault]) -> String {
    faults.iter().map(ToString::to_string).collect::<Vec<_>>().join("; ")
}

impl Policies {
    /// Publishes, unless it does not validate or somebody else was quicker.
    pub async fn publish(&self, publication: Publication, source: &Source) -> Result<Published, PolicyFault> {
        let hash = hash(&publication.bundle);
        let bundle = check(publication.bundle.clone()).await?;
        let Publication { origin, note, by, expected, .. } = publication;
        let (now, source) = (self.clock.now(), source.clone());
        let id = self.random.id(now);
        let action = self.database.write(move |tx| {
            Box::pin(async move {
                // Holds the epoch's row: of two that publish, one is first.
                bump_epoch(tx).await?;
                let newest = store::newest_hash(tx).await?;
                let before = newest.as_ref().map_or(0, |(version, _)| *version);
                if expected.is_some_and(|expected| expected != before) {
                    return Err(PolicyFault::Moved(before));
                }
                // A folder that lags behind on one node does not bring back what was replaced.
                let again = origin == Origin::Files && store::was_published(tx, &hash).await?;
                if again || newest.is_some_and(|(_, newest)| newest == hash) {
                    return Ok(Published { version: before, new: false });
                }
                let version = Version { number: before + 1, origin, note, published_by: by, published_at: now };
                store::insert(tx, &version, &bundle, &hash).await?;
                let event = Event::PoliciesPublished { version: version.number, source: origin.name() };
                audit::record(tx, id, now, &event, &About::default(), &source).await?;
                Ok(Published { version: version.number, new: true })
            })
        });
        let published = action.await?;
        self.reload().await?;
        Ok(published)
    }

    /// Publishes an older version once more.
    pub async fn restore(
        &self,
        version: i64,
        origin: Origin,
        by: Option<String>,
        source: &Source,
    ) -> Result<Published, PolicyFault> {
        let (_, bundle) = self.version(version).await?.ok_or(PolicyFault::Unknown(version))?;
        let note = format!("version {version} again");
        self.publish(Publication { bundle, origin, note, by, expected: None }, source).await
    }

    /// Publishes what a folder holds, if it holds something that was never published. Answers whether it did.
    pub async fn publish_folder(&self, folder: &Path) -> Result<Option<Published>, PolicyFault> {
        let folder = folder.to_owned();
        let bundle = tokio::task::spawn_blocking(move || files::read(&folder)).await??;
        let (hash, mut seen) = (hash(&bundle), self.seen.lock().await);
        if seen.as_ref() == Some(&hash) {
            return Ok(None);
        }
        let mut published = None;
        if !store::was_published(self.database.reader(), &hash).await? {
            let (origin, note) = (Origin::Files, String::new());
            let publication = Publication { bundle, origin, note, by: None, expected: None };
            published = Some(self.publish(publication, &Source::default()).await?);
        }
        *seen = Some(hash);
        Ok(published.filter(|published| published.new))
    }

    /// A version with what it says.
    pub async fn version(&self, version: i64) -> Result<Option<(Version, Bundle)>, PolicyFault> {
        Ok(store::find(&self.database, version).await?)
    }

    /// The version in force with what it says, by the database.
    pub async fn newest(&self) -> Result<Option<(Version, Bundle)>, PolicyFault> {
        Ok(store::newest(&self.database).await?)
    }

    /// Versions, the newest first, those before one.
    pub async fn versions(&self, before: Option<i64>, limit: u64) -> Result<Vec<Version>, PolicyFault> {
        Ok(store::page(&self.database, before, limit).await?)
    }

    /// Takes over what is in force by the database. What another program has written and does not compile here leaves in force
    /// what was.
    pub async fn reload(&self) -> Result<(), PolicyFault> {
        let _alone = self.reading.lock().await;
        if store::newest_number(&self.database).await?.unwrap_or(0) == self.current().version {
            return Ok(());
        }
        let Some((version, bundle)) = store::newest(&self.database).await? else { return Ok(()) };
        let engine = match compile(bundle).await {
            Ok((_, engine)) => engine,
            Err(fault @ PolicyFault::Invalid(_)) => {
                tracing::error!(version = version.number, %fault, "published policies do not compile here");
                return Ok(());
            }
            Err(fault) => return Err(fault),
        };
        self.current.store(Arc::new(InForce { version: version.number, engine }));
        tracing::info!(version = version.number, "policies are in force");
        Ok(())
    }
}

/// The bundle, if it does.
pub(super) async fn check(bundle: Bundle) -> Result<Bundle, PolicyFault> {
    Ok(compile(bundle).await?.0)
}

/// Thousands of policies take a while: not where requests are answered.
pub(super) async fn compile(bundle: Bundle) -> Result<(Bundle, Engine), PolicyFault> {
    let compiled = tokio::task::spawn_blocking(move || Engine::compile(&bundle).map(|engine| (bundle, engine))).await?;
    compiled.map_err(PolicyFault::Invalid)
}

/// What tells bundles apart.
fn hash(bundle: &Bundle) -> Vec<u8> {
    secrets::hash(&serde_json::to_string(bundle).unwrap_or_default())
}
