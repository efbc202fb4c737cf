//! Secrets at rest: hashes of bearer secrets, and the master key that seals what must be read again.

use std::fs;
use std::io::Write as _;
use std::os::unix::fs::{DirBuilderExt as _, OpenOptionsExt as _, PermissionsExt as _};
use std::path::{Path, PathBuf};

use hmac::{Hmac, Mac as _};
use openssl::symm::{Cipher, decrypt_aead, encrypt_aead};
use sha2::{Digest as _, Sha256};
use subtle::ConstantTimeEq as _;
use zeroize::Zeroizing;

use super::random::Random;

/// SHA-256 of a bearer secret: enough for 256 random bits, and what the database holds of them.
pub fn hash(secret: &str) -> Vec<u8> {
    Sha256::digest(secret.as_bytes()).to_vec()
}

/// Compares without telling by its time where the two differ.
pub fn equal(a: &[u8], b: &[u8]) -> bool {
    a.ct_eq(b).into()
}

#[derive(Debug, thiserror::Error)]
pub enum SecretsError {
    #[error("keys.dir: {path}: {source}", path = path.display())]
    Io { path: PathBuf, source: std::io::Error },
    #[error("keys.dir: {path} is readable by others (mode {mode:o}): run `chmod 600 {path}`", path = path.display())]
    Exposed { path: PathBuf, mode: u32 },
    #[error("keys.dir: {path} does not hold 32 bytes", path = path.display())]
    Malformed { path: PathBuf },
    #[error("sealed data does not open: it was sealed under another key, or it was altered")]
    Unsealable,
}

/// A key for AES-256-GCM, wiped from memory when it goes.
#[derive(Clone)]
pub struct SealingKey(Zeroizing<[u8; 32]>);

/// The master key's file.
const FILE: &str = "master.key";
const NONCE: usize = 12;
const TAG: usize = 16;

impl SealingKey {
    /// A key that only who holds `secret` can make again; `label` separates uses.
    pub fn derive(secret: &[u8], label: &str) -> Self {
        Self(Zeroizing::new(mac(secret, &[label.as_bytes()])))
    }

    /// Encrypts and authenticates: nonce, ciphertext and tag in one piece.
    pub fn seal(&self, plain: &[u8], random: &dyn Random) -> Result<Vec<u8>, SecretsError> {
        let nonce = random.bytes::<NONCE>();
        let mut tag = [0; TAG];
        let cipher = encrypt_aead(Cipher::aes_256_gcm(), self.0.as_ref(), Some(&nonce), &[], plain, &mut tag)
            .map_err(|_| SecretsError::Unsealable)?;
        Ok([nonce.as_slice(), &cipher, &tag].concat())
    }

    pub fn open(&self, sealed: &[u8]) -> Result<Zeroizing<Vec<u8>>, SecretsError> {
        let (nonce, rest) = sealed.split_at_checked(NONCE).ok_or(SecretsError::Unsealable)?;
        let body = rest.len().checked_sub(TAG).ok_or(SecretsError::Unsealable)?;
        let (cipher, tag) = rest.split_at_checked(body).ok_or(SecretsError::Unsealable)?;
        decrypt_aead(Cipher::aes_256_gcm(), self.0.as_ref(), Some(nonce), &[], cipher, tag)
            .map(Zeroizing::new)
            .map_err(|_| SecretsError::Unsealable)
    }
}

/// The key of the house. It seals the signing keys and authenticates form tokens, each under a key of its own.
#[derive(Clone)]
pub struct MasterKey {
    sealing: SealingKey,
    forms: Zeroizing<[u8; 32]>,
}

impl MasterKey {
    /// Reads `master.key` from the folder, or makes it on first use (folder 0700, file 0600).
    pub fn load_or_create(folder: &Path, random: &dyn Random) -> Result<Self, SecretsError> {
        let path = folder.join(FILE);
        let io = |source| SecretsError::Io { path: path.clone(), source };
        if !path.exists() {
            fs::DirBuilder::new().recursive(true).mode(0o700).create(folder).map_err(io)?;
            create_once(folder, &path, &random.bytes::<32>()).map_err(io)?;
        }
        Self::read(path)
    }

    /// Reads `master.key` from the folder, if it is there.
    pub fn load(folder: &Path) -> Result<Option<Self>, SecretsError> {
        let path = folder.join(FILE);
        if path.exists() { Self::read(path).map(Some) } else { Ok(None) }
    }

    fn read(path: PathBuf) -> Result<Self, SecretsError> {
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
            sealing: SealingKey::derive(&bytes, "bonafide sealing"),
            forms: Zeroizing::new(mac(&bytes, &[b"bonafide forms"])),
        })
    }

    pub fn sealing(&self) -> &SealingKey {
        &self.sealing
    }

    /// Authenticates what a form was made for: the parts cannot run into each other.
    pub fn form_mac(&self, parts: &[&[u8]]) -> [u8; 32] {
        mac(self.forms.as_ref(), parts)
    }
}

/// Two programs may start at once: the key is written beside its place and linked there, so one wins and both read it whole.
fn create_once(folder: &Path, path: &Path, key: &[u8]) -> std::io::Result<()> {
    let draft = folder.join(format!(".master.key.{}", std::process::id()));
    let mut file = fs::OpenOptions::new().write(true).create(true).truncate(true).mode(0o600).open(&draft)?;
    file.write_all(key)?;
    file.sync_all()?;
    let linked = fs::hard_link(&draft, path);
    fs::remove_file(&draft)?;
    match linked {
        Err(error) if error.kind() != std::io::ErrorKind::AlreadyExists => Err(error),
        _ => fs::File::open(folder)?.sync_all(),
    }
}

#[expect(clippy::expect_used, reason = "HMAC takes keys of any length (RFC 2104 section 2)")]
fn mac(key: &[u8], parts: &[&[u8]]) -> [u8; 32] {
    let mut mac = Hmac::<Sha256>::new_from_slice(key).expect("HMAC takes keys of any length");
    for part in parts {
        mac.update(&u64::try_from(part.len()).unwrap_or(u64::MAX).to_be_bytes());
        mac.update(part);
    }
    mac.finalize().into_bytes().into()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::platform::random::SystemRandom;

    #[test]
    fn opens_what_it_sealed_and_nothing_else() {
        let key = SealingKey::derive(b"token", "test");
        let mut sealed = key.seal(b"successor", &SystemRandom).unwrap();
        assert_eq!(key.open(&sealed).unwrap().as_slice(), b"successor");
        assert!(SealingKey::derive(b"token", "other").open(&sealed).is_err());
        *sealed.last_mut().unwrap() ^= 1;
        assert!(key.open(&sealed).is_err());
        assert!(key.open(b"short").is_err());
    }

    #[test]
    fn refuses_a_master_key_that_others_can_read() {
        let folder = tempfile::tempdir().unwrap();
        MasterKey::load_or_create(folder.path(), &SystemRandom).unwrap();
        let path = folder.path().join("master.key");
        assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
        fs::set_permissions(&path, fs::Permissions::from_mode(0o640)).unwrap();
        assert!(matches!(
            MasterKey::load_or_create(folder.path(), &SystemRandom),
            Err(SecretsError::Exposed { mode: 0o640, .. })
        ));
    }

    #[test]
    fn parts_of_a_form_token_do_not_run_into_each_other() {
        let folder = tempfile::tempdir().unwrap();
        let key = MasterKey::load_or_create(folder.path(), &SystemRandom).unwrap();
        assert_ne!(key.form_mac(&[b"ab", b"c"]), key.form_mac(&[b"a", b"bc"]));
    }
}
