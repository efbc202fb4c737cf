//! Policies from a folder: `*.cedar`, one `*.cedarschema`, and `entities.json` where there are entities to know.

use std::fs;
use std::path::{Path, PathBuf};

use super::bundle::Bundle;

/// What a folder of this kind never reaches.
const MOST_BYTES: u64 = 4 << 20;

/// Why a folder cannot be read.
#[derive(Debug, thiserror::Error)]
pub enum FilesFault {
    #[error("{0}: {1}")]
    Unreadable(PathBuf, std::io::Error),
    #[error("{0}: is larger than 4 MiB")]
    TooLarge(PathBuf),
    #[error("{0} and {1}: a folder has one schema")]
    TwoSchemas(PathBuf, PathBuf),
    #[error("{0}: {1}")]
    Entities(PathBuf, serde_json::Error),
}

/// Reads a folder. Files of other kinds are passed by, and so are folders in it.
pub fn read(folder: &Path) -> Result<Bundle, FilesFault> {
    let unreadable = |path: &Path| {
        let path = path.to_owned();
        move |error| FilesFault::Unreadable(path, error)
    };
    let mut bundle = Bundle::default();
    let mut schema: Option<PathBuf> = None;
    let mut paths = Vec::new();
    for entry in fs::read_dir(folder).map_err(unreadable(folder))? {
        paths.push(entry.map_err(unreadable(folder))?.path());
    }
    paths.sort();
    for path in paths {
        let stem = path.file_stem().and_then(|stem| stem.to_str()).unwrap_or_default().to_owned();
        let ending = path.extension().and_then(|ending| ending.to_str());
        // What editors and configuration volumes put beside files is hidden.
        if stem.starts_with('.') || !path.is_file() {
            continue;
        }
        match ending {
            Some("cedar") => {
                bundle.documents.insert(stem, text(&path)?);
            }
            Some("cedarschema") => {
                if let Some(other) = schema.replace(path.clone()) {
                    return Err(FilesFault::TwoSchemas(other, path));
                }
                bundle.schema = text(&path)?;
            }
            Some("json") if stem == "entities" => {
                bundle.entities =
                    serde_json::from_str(&text(&path)?).map_err(|error| FilesFault::Entities(path, error))?;
            }
            _ => {}
        }
    }
    Ok(bundle)
}

fn text(path: &Path) -> Result<String, FilesFault> {
    let failed = |error| FilesFault::Unreadable(path.to_owned(), error);
    if fs::metadata(path).map_err(failed)?.len() > MOST_BYTES {
        return Err(FilesFault::TooLarge(path.to_owned()));
    }
    fs::read_to_string(path).map_err(failed)
}
