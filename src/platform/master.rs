//! The master key: a file of the operator's that seals what the database keeps. It is made on a first start, never over an
//! old one, and replaced in an order that can break off anywhere: beside its place, the database's commit, into its place.

use std::fs;
use std::io::Write as _;
use std::os::unix::fs::{DirBuilderExt as _, OpenOptionsExt as _, PermissionsExt as _};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use arc_swap::ArcSwap;
use zeroize::Zeroizing;

use super::random::Random;
use super::secrets::{SealingKey, SecretsError, mac};

/// The master key's file.
const FILE: &str = "master.key";
/// A successor whose turn the database decides: it is the master key from the commit on that seals everything under it.
const SUCCESSOR: &str = "master.key.new";

/// The key of the house. It seals the signing keys and authenticates form tokens, each under a key of its own.
#[derive(Clone)]
pub struct MasterKey {
    folder: PathBuf,
    sealing: SealingKey,
    forms: Arc<ArcSwap<Zeroizing<[u8; 32]>>>,
}

impl MasterKey {
    /// Reads `master.key` from the folder, or makes it on first use (folder 0700, file 0600). `sealed` is what the database
    /// holds sealed, if anything: then there has been a master key, and no other one is made.
    pub fn load_or_create(folder: &Path, sealed: Option<&[u8]>, random: &dyn Random) -> Result<Self, SecretsError> {
        let path = folder.join(FILE);
        if let Some(sealed) = sealed {
            settle(folder, sealed)?;
        }
        if !path.exists() {
            if sealed.is_some() {
                return Err(SecretsError::Missing { path });
            }
            let io = |source| SecretsError::Io { path: path.clone(), source };
            fs::DirBuilder::new().recursive(true).mode(0o700).create(folder).map_err(io)?;
            create_once(folder, &path, &random.bytes::<32>()).map_err(io)?;
        }
        Self::read(folder, FILE)
    }

    /// Reads `master.key` from the folder, if it is there.
    pub fn load(folder: &Path) -> Result<Option<Self>, SecretsError> {
        if folder.join(FILE).exists() { Self::read(folder, FILE).map(Some) } else { Ok(None) }
    }

    /// Reads the file again, for a server that has run since before `key reseal`. Answers whether it opens what is sealed;
    /// if not, the key stays what it was.
    pub fn read_again(&self, sealed: &[u8]) -> Result<bool, SecretsError> {
        settle(&self.folder, sealed)?;
        let read = Self::read(&self.folder, FILE)?;
        let opens = read.sealing.open(sealed).is_ok();
        if opens {
            self.sealing.replace(&read.sealing);
            self.forms.store(read.forms.load_full());
        }
        Ok(opens)
    }

    fn read(folder: &Path, file: &str) -> Result<Self, SecretsError> {
        let path = folder.join(file);
        let io = |source| SecretsError::Io { path: path.clone(), source };
        let mode = fs::metadata(&path).map_err(io)?.permissions().mode() & 0o777;
        if mode & 0o077 != 0 {
            return Err(SecretsError::Exposed { path, mode });
        }
        let bytes = Zeroizing::new(fs::read(&path).map_err(io)?);
        if bytes.len() != 32 {
            return Err(SecretsError::Malformed { path });
        }
        Ok(Self {
            folder: folder.to_owned(),
            sealing: SealingKey::derive(&bytes, "bonafide sealing"),
            forms: Arc::new(ArcSwap::from_pointee(Zeroizing::new(mac(&bytes, &[b"bonafide forms"])))),
        })
    }

    pub fn sealing(&self) -> &SealingKey {
        &self.sealing
    }

    /// Where the key is.
    pub fn path(&self) -> PathBuf {
        self.folder.join(FILE)
    }

    /// Authenticates what a form was made for: the parts cannot run into each other.
    pub fn form_mac(&self, parts: &[&[u8]]) -> [u8; 32] {
        mac(self.forms.load().as_slice(), parts)
    }

    /// A key to come after this one.
    pub fn successor(&self, random: &dyn Random) -> Successor {
        let bytes = Zeroizing::new(random.bytes::<32>());
        let sealing = SealingKey::derive(bytes.as_slice(), "bonafide sealing");
        Successor { folder: self.folder.clone(), bytes, sealing }
    }
}

/// A master key in the making.
#[derive(Clone)]
pub struct Successor {
    folder: PathBuf,
    bytes: Zeroizing<[u8; 32]>,
    sealing: SealingKey,
}

impl Successor {
    pub fn sealing(&self) -> &SealingKey {
        &self.sealing
    }

    /// Writes the key beside the old one, durably. Call it where no other change of the master key can be under way: a
    /// successor that was left there by one that came to nothing is overwritten.
    pub fn write(&self) -> Result<(), SecretsError> {
        let path = self.folder.join(SUCCESSOR);
        let put = || {
            let draft = write_draft(&self.folder, self.bytes.as_slice())?;
            fs::rename(&draft, &path)?;
            sync(&self.folder)
        };
        put().map_err(|source| SecretsError::Io { path: path.clone(), source })
    }

    /// Puts the key into its place, once everything is sealed under it.
    pub fn put_in_place(self) -> Result<(), SecretsError> {
        put_in_place(&self.folder)
    }
}

/// Brings a change of the master key to its end that broke off between the database's commit and the file's renaming.
fn settle(folder: &Path, sealed: &[u8]) -> Result<(), SecretsError> {
    if !folder.join(SUCCESSOR).exists() {
        return Ok(());
    }
    match MasterKey::read(folder, SUCCESSOR) {
        Ok(successor) if successor.sealing.open(sealed).is_ok() => {
            put_in_place(folder)?;
            tracing::info!("the new master key was put into its place");
        }
        // Its commit did not come, or is yet to come.
        Ok(_) => {}
        Err(error) => tracing::warn!(%error, "a successor of the master key cannot be read"),
    }
    Ok(())
}

fn put_in_place(folder: &Path) -> Result<(), SecretsError> {
    let path = folder.join(FILE);
    let moved = match fs::rename(folder.join(SUCCESSOR), &path) {
        // Another program was quicker.
        Err(error) if error.kind() == std::io::ErrorKind::NotFound && path.exists() => Ok(()),
        other => other.and_then(|()| sync(folder)),
    };
    moved.map_err(|source| SecretsError::Io { path, source })
}

/// Two programs may start at once: the key is written beside its place and linked there, so one wins and both read it whole.
fn create_once(folder: &Path, path: &Path, key: &[u8]) -> std::io::Result<()> {
    let draft = write_draft(folder, key)?;
    let linked = fs::hard_link(&draft, path);
    fs::remove_file(&draft)?;
    match linked {
        Err(error) if error.kind() != std::io::ErrorKind::AlreadyExists => Err(error),
        _ => sync(folder),
    }
}

fn write_draft(folder: &Path, key: &[u8]) -> std::io::Result<PathBuf> {
    let draft = folder.join(format!(".{FILE}.{}", std::process::id()));
    let mut file = fs::OpenOptions::new().write(true).create(true).truncate(true).mode(0o600).open(&draft)?;
    file.write_all(key)?;
    file.sync_all()?;
    Ok(draft)
}

fn sync(folder: &Path) -> std::io::Result<()> {
    fs::File::open(folder)?.sync_all()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::platform::random::SystemRandom;

    #[test]
    fn refuses_a_master_key_that_others_can_read() {
        let folder = tempfile::tempdir().unwrap();
        MasterKey::load_or_create(folder.path(), None, &SystemRandom).unwrap();
        let path = folder.path().join("master.key");
        assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
        fs::set_permissions(&path, fs::Permissions::from_mode(0o640)).unwrap();
        assert!(matches!(
            MasterKey::load_or_create(folder.path(), None, &SystemRandom),
            Err(SecretsError::Exposed { mode: 0o640, .. })
        ));
    }

    #[test]
    fn parts_of_a_form_token_do_not_run_into_each_other() {
        let folder = tempfile::tempdir().unwrap();
        let key = MasterKey::load_or_create(folder.path(), None, &SystemRandom).unwrap();
        assert_ne!(key.form_mac(&[b"ab", b"c"]), key.form_mac(&[b"a", b"bc"]));
    }

    #[test]
    fn the_database_decides_which_of_two_master_keys_is_the_one() {
        let folder = tempfile::tempdir().unwrap();
        let old = MasterKey::load_or_create(folder.path(), None, &SystemRandom).unwrap();
        let successor = old.successor(&SystemRandom);
        successor.write().unwrap();
        let before = old.sealing().seal(b"key", &SystemRandom).unwrap();
        let after = successor.sealing().seal(b"key", &SystemRandom).unwrap();

        let opened = |sealed: &[u8]| {
            let key = MasterKey::load_or_create(folder.path(), Some(sealed), &SystemRandom).unwrap();
            key.sealing().open(sealed).is_ok()
        };
        assert!(opened(&before));
        assert!(folder.path().join(SUCCESSOR).exists(), "its commit may yet come");
        assert!(opened(&after));
        assert!(!folder.path().join(SUCCESSOR).exists());
        assert!(!opened(&before), "the old key is gone");

        let (clone, form) = (old.sealing().clone(), old.form_mac(&[b"form"]));
        assert!(old.read_again(&after).unwrap());
        assert_eq!(clone.open(&after).unwrap().as_slice(), b"key");
        assert_ne!(old.form_mac(&[b"form"]), form);
        assert!(!old.read_again(&before).unwrap());
        assert!(clone.open(&after).is_ok(), "it stays what it was");
    }

    #[test]
    fn no_master_key_is_made_beside_sealed_data() {
        let folder = tempfile::tempdir().unwrap();
        let keys = folder.path().join("keys");
        let refused = MasterKey::load_or_create(&keys, Some(b"sealed"), &SystemRandom);
        assert!(matches!(refused, Err(SecretsError::Missing { .. })));
        assert!(!keys.exists());
    }
}
