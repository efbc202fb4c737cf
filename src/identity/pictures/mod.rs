//! Pictures that people upload. The store holds them under names that nobody guesses; a picture can be seen as long as it is
//! somebody's. What becomes nobody's, by another picture, another address in the profile or the end of the account, the sweeper
//! takes out of the store.

mod image;
pub(super) mod store;

use std::sync::Arc;

use chrono::{DateTime, Duration, Utc};
use hyper::body::Bytes;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use uuid::Uuid;

pub use image::PictureFault;

use super::Accounts;
use crate::audit::{self, About, Event, Source};
use crate::platform::database::{DatabaseError, Tx};
use crate::platform::storage::{Storage, StorageError};

/// Uploads at once, each with its file in memory; more are asked to come again.
const UPLOADS: usize = 16;
/// An upload that has not come to its end by then never will.
const UNFINISHED: Duration = Duration::hours(1);

#[derive(Debug, thiserror::Error)]
pub enum PictureError {
    #[error(transparent)]
    Refused(#[from] PictureFault),
    #[error("there is no such person")]
    Unknown,
    #[error("{0}")]
    Storage(#[from] StorageError),
    #[error("{0}")]
    Database(#[from] DatabaseError),
}

/// Where pictures are made and kept.
#[derive(Clone)]
pub(in crate::identity) struct Studio {
    storage: Storage,
    uploads: Arc<Semaphore>,
    /// One picture at a time: decoding takes memory, and no request waits for it but its own.
    easel: Arc<Semaphore>,
}

/// Leave to upload. Held from before the file is read until the picture is kept.
pub struct Turn(#[expect(dead_code, reason = "it counts by being there")] OwnedSemaphorePermit);

impl Studio {
    pub(in crate::identity) fn new(storage: Storage) -> Self {
        Self { storage, uploads: Arc::new(Semaphore::new(UPLOADS)), easel: Arc::new(Semaphore::new(1)) }
    }

    async fn make(&self, file: Bytes) -> Result<Vec<u8>, PictureFault> {
        let permit = self.easel.clone().acquire_owned().await;
        let made = tokio::task::spawn_blocking(move || {
            // Held by the work itself: a caller that hangs up frees nothing.
            let _permit = permit;
            image::fresh(&file)
        });
        made.await.unwrap_or_else(|error| {
            tracing::error!(%error, "a picture could not be decoded");
            Err(PictureFault::Damaged)
        })
    }
}

impl Accounts {
    /// `None`: too many others are at it.
    pub fn picture_turn(&self) -> Option<Turn> {
        self.studio.uploads.clone().try_acquire_owned().ok().map(Turn)
    }

    /// Makes a file somebody's picture, in place of the one before. Answers its address.
    pub async fn set_picture(&self, _: Turn, user: Uuid, file: Bytes, source: &Source) -> Result<String, PictureError> {
        let picture = self.studio.make(file).await?;
        let (name, now) = (self.random.token(""), self.clock.now());
        let announced = name.clone();
        self.database
            .write(move |tx| Box::pin(async move { store::announce(tx, &announced, now + UNFINISHED, now).await }))
            .await?;
        self.studio.storage.put(&name, picture).await?;
        let address = self.address_of(&name);
        let now = self.clock.now();
        let (event_id, source, shown) = (self.random.id(now), source.clone(), address.clone());
        let given = self.database.write(move |tx| {
            Box::pin(async move {
                if !store::show(tx, user, Some(&shown), now).await? || !store::give(tx, &name, user, now).await? {
                    return Err(PictureError::Unknown);
                }
                store::take_others(tx, user, Some(&name), now).await?;
                let event = Event::UserChanged { what: "picture" };
                Ok(audit::record(tx, event_id, now, &event, &About::user(user), &source).await?)
            })
        });
        given.await?;
        // The one before goes at once, if the store lets it.
        self.sweep_pictures(now, 4).await?;
        Ok(address)
    }

    /// Takes somebody's picture away, the one that they uploaded or any other.
    pub async fn remove_picture(&self, user: Uuid, source: &Source) -> Result<(), PictureError> {
        let now = self.clock.now();
        let (event_id, source) = (self.random.id(now), source.clone());
        let taken = self.database.write(move |tx| {
            Box::pin(async move {
                if !store::show(tx, user, None, now).await? {
                    return Err(PictureError::Unknown);
                }
                store::take_others(tx, user, None, now).await?;
                let event = Event::UserChanged { what: "picture_removed" };
                Ok(audit::record(tx, event_id, now, &event, &About::user(user), &source).await?)
            })
        });
        taken.await?;
        self.sweep_pictures(now, 4).await?;
        Ok(())
    }

    /// The picture of an address's last part, if it is somebody's.
    pub async fn picture(&self, file: &str) -> Result<Option<Bytes>, PictureError> {
        let Some(name) = file.strip_suffix(image::EXTENSION).filter(|name| is_name(name)) else { return Ok(None) };
        if !store::is_in_use(&self.database, name).await? {
            return Ok(None);
        }
        Ok(self.studio.storage.get(name).await?)
    }

    /// The file of a picture by its name, with its type.
    pub async fn picture_file(&self, name: &str) -> Result<Option<(&'static str, Bytes)>, PictureError> {
        Ok(self.studio.storage.get(name).await?.map(|file| (image::TYPE, file)))
    }

    /// Removes at most `batch` pictures that are nobody's; answers how many went.
    pub async fn sweep_pictures(&self, now: DateTime<Utc>, batch: i64) -> Result<u64, DatabaseError> {
        let mut gone = 0;
        for name in store::unused(&self.database, now, batch).await? {
            if let Err(error) = self.studio.storage.delete(&name).await {
                tracing::warn!(%error, "a picture that is nobody's stays in the store for now");
                break;
            }
            let forget = self.database.write(move |tx| Box::pin(async move { store::forget(tx, &name).await }));
            gone += forget.await?;
        }
        Ok(gone)
    }

    fn address_of(&self, name: &str) -> String {
        format!("{}/pictures/{name}{}", self.settings.issuer, image::EXTENSION)
    }
}

/// A profile has another picture, or none: what was uploaded before is nobody's unless it is this one.
pub(super) async fn changed(
    tx: &Tx,
    user: Uuid,
    picture: Option<&str>,
    now: DateTime<Utc>,
) -> Result<(), DatabaseError> {
    let name =
        picture.and_then(|address| address.rsplit('/').next()).and_then(|file| file.strip_suffix(image::EXTENSION));
    store::take_others(tx, user, name, now).await?;
    Ok(())
}

/// What `Random::token` makes.
fn is_name(text: &str) -> bool {
    text.len() == 43 && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-' || byte == b'_')
}
