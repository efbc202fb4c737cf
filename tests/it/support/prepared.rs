//! A first start takes seconds (keys, schema), so it happens once a test process and engine; tests get copies.

use std::{
    fs,
    io::Write,
    os::unix::fs::{OpenOptionsExt, PermissionsExt},
    path::{Path, PathBuf},
};

use bonafide::platform::clock::ManualClock;
use chrono::Utc;
use tokio::sync::OnceCell;

use super::{
    database::Engine,
    place::{Listen, Place},
    server,
};

/// What a first start left behind.
pub(super) struct Prepared {
    /// Keys, and on SQLite the database, kept in memory so that nothing is left over when the process ends.
    files: Vec<File>,
    /// The PostgreSQL database to copy.
    pub(super) template: Option<String>,
}

struct File {
    /// Relative to the place's folder.
    path: PathBuf,
    mode: u32,
    bytes: Vec<u8>,
}

impl Prepared {
    pub(super) async fn get(engine: Engine) -> &'static Self {
        static SQLITE: OnceCell<Prepared> = OnceCell::const_new();
        static POSTGRES: OnceCell<Prepared> = OnceCell::const_new();
        let cell = match engine {
            Engine::Sqlite => &SQLITE,
            Engine::Postgres => &POSTGRES,
        };
        cell.get_or_init(|| Self::make(engine)).await
    }

    async fn make(engine: Engine) -> Self {
        let place = Place::empty(engine, &[]).await;
        let server = server::start(place.settings(Listen::AsSet), &ManualClock::new(Utc::now())).await;
        // The costly keys are made after the start; tests take copies of them too.
        let deadline = std::time::Instant::now() + std::time::Duration::from_mins(1);
        while !server.app().keys.set().is_complete() {
            assert!(std::time::Instant::now() < deadline, "not every signing key was made within a minute");
            tokio::time::sleep(std::time::Duration::from_millis(20)).await;
        }
        server::stop(server).await;
        let mut files = Vec::new();
        collect(place.path(), place.path(), &mut files);
        Self { files, template: place.into_template().await }
    }

    pub(super) fn write_to(&self, folder: &Path) {
        for file in &self.files {
            let path = folder.join(&file.path);
            fs::create_dir_all(path.parent().expect("a folder")).expect("a folder");
            let mut new =
                fs::OpenOptions::new().create_new(true).write(true).mode(file.mode).open(path).expect("a file");
            new.write_all(&file.bytes).expect("writing");
        }
    }
}

fn collect(top: &Path, folder: &Path, files: &mut Vec<File>) {
    for entry in fs::read_dir(folder).expect("a folder") {
        let path = entry.expect("an entry").path();
        // SQLite makes its shared memory file anew.
        if path.is_dir() {
            collect(top, &path, files);
        } else if path.extension().is_none_or(|extension| extension != "db-shm") {
            files.push(File {
                bytes: fs::read(&path).expect("reading"),
                mode: path.metadata().expect("its mode").permissions().mode() & 0o777,
                path: path.strip_prefix(top).expect("below the folder").to_owned(),
            });
        }
    }
}
