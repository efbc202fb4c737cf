//! Files that are too large for the database: in a folder, or in a cloud's store.

mod cloud;

use std::fs::DirBuilder;
use std::os::unix::fs::DirBuilderExt as _;
use std::path::PathBuf;
use std::sync::Arc;

use hyper::body::Bytes;
use object_store::path::Path;
use object_store::{ObjectStore, ObjectStoreExt as _};

use super::outgoing::OutgoingError;
use super::settings::{self, Place};

#[derive(Debug, thiserror::Error)]
pub enum StorageError {
    #[error("setting storage.url: {0}")]
    Place(String),
    #[error(transparent)]
    Outgoing(#[from] OutgoingError),
    #[error("the store: {0}")]
    Store(#[from] object_store::Error),
    #[error("the store's folder {path}: {source}", path = path.display())]
    Folder { path: PathBuf, source: std::io::Error },
}

/// The store of the settings.
#[derive(Clone)]
pub struct Storage {
    store: Arc<dyn ObjectStore>,
    prefix: Path,
    /// Made when something is first kept: who only looks leaves nothing behind.
    folder: Option<PathBuf>,
}

impl Storage {
    /// Connects to nothing yet.
    pub fn open(storage: &settings::Storage, outgoing: &settings::Outgoing) -> Result<Self, StorageError> {
        let place = storage.place().map_err(StorageError::Place)?;
        if let Place::Folder(folder) = place {
            let malformed = |error: &dyn std::fmt::Display| StorageError::Place(error.to_string());
            let folder = std::path::absolute(folder).map_err(|error| malformed(&error))?;
            let prefix = Path::from_absolute_path(&folder).map_err(|error| malformed(&error))?;
            // From the root, since the folder need not be there.
            let store = Arc::new(object_store::local::LocalFileSystem::new());
            return Ok(Self { store, prefix, folder: Some(folder) });
        }
        let (store, prefix) = cloud::open(&place, storage, outgoing)?;
        Ok(Self { store, prefix, folder: None })
    }

    /// Keeps something under a name that nothing else has.
    pub async fn put(&self, name: &str, content: Vec<u8>) -> Result<(), StorageError> {
        if let Some(folder) = &self.folder {
            let made = DirBuilder::new().recursive(true).mode(0o700).create(folder);
            made.map_err(|source| StorageError::Folder { path: folder.clone(), source })?;
        }
        self.store.put(&self.at(name), content.into()).await?;
        Ok(())
    }

    /// `None`: there is nothing of this name.
    pub async fn get(&self, name: &str) -> Result<Option<Bytes>, StorageError> {
        match self.store.get(&self.at(name)).await {
            Ok(found) => Ok(Some(found.bytes().await?)),
            Err(object_store::Error::NotFound { .. }) => Ok(None),
            Err(error) => Err(error.into()),
        }
    }

    /// What is not there is as good as gone.
    pub async fn delete(&self, name: &str) -> Result<(), StorageError> {
        match self.store.delete(&self.at(name)).await {
            Ok(()) | Err(object_store::Error::NotFound { .. }) => Ok(()),
            Err(error) => Err(error.into()),
        }
    }

    fn at(&self, name: &str) -> Path {
        self.prefix.clone().join(name)
    }
}
