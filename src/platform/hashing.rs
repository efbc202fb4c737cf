//! Password hashes (Argon2id), in a bounded pool of its own.
//!
//! A hash takes a hundred times as long as anything else here and 64 MiB of memory; a storm of sign-ins must neither slow
//! the token endpoint nor eat the machine. So few threads of low priority do it, each keeps its memory between hashes,
//! and only so many people may wait.

use std::sync::Arc;
use std::thread;
use std::time::Duration;

use argon2::password_hash::phc::{Ident, Output, ParamsString, PasswordHash, Salt};
use argon2::{Algorithm, Argon2, Block, Params, Version};
use crossbeam_channel::{Receiver, RecvTimeoutError, Sender, TrySendError};
use tokio::sync::oneshot;
use zeroize::Zeroizing;

use super::random::Random;
use super::settings;

/// A thread gives its memory back when nobody has signed in for so long.
const KEEP_MEMORY: Duration = Duration::from_secs(30);
/// Unknown people's passwords are hashed with this salt, so that they cost what known people's cost.
const NOBODY: &[u8; 16] = b"nobody-has-this.";

#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum HashError {
    #[error("too many passwords wait to be hashed")]
    Busy,
    #[error("a stored password hash cannot be read")]
    Malformed,
    #[error("the hashing threads are gone")]
    Stopped,
}

/// What became of a password.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    Right {
        /// Made with other parameters than today's: hash it anew.
        outdated: bool,
    },
    Wrong,
}

struct Job {
    password: Zeroizing<String>,
    salt: Salt,
    params: Params,
    answer: oneshot::Sender<Option<Output>>,
}

/// The pool.
#[derive(Clone)]
pub struct Hasher {
    jobs: Sender<Job>,
    params: Params,
    random: Arc<dyn Random>,
}

impl Hasher {
    /// Starts the threads. The settings have been checked to be parameters that Argon2id takes.
    pub fn start(settings: &settings::Passwords, random: Arc<dyn Random>) -> Self {
        let params = Params::new(settings.memory, settings.iterations, settings.parallelism, None).unwrap_or_default();
        let (jobs, queue) = crossbeam_channel::bounded(settings.queue);
        let threads = match settings.threads {
            0 => thread::available_parallelism().map_or(1, std::num::NonZero::get).saturating_sub(1).max(1),
            given => given,
        };
        for number in 0..threads {
            let queue = queue.clone();
            let spawned = thread::Builder::new().name(format!("password-{number}")).spawn(move || work(&queue));
            if let Err(error) = spawned {
                tracing::error!(%error, "a hashing thread did not start");
            }
        }
        Self { jobs, params, random }
    }

    /// Hashes a new password to a PHC string.
    pub async fn hash(&self, password: &str) -> Result<String, HashError> {
        let salt = Salt::new(&self.random.bytes::<16>()).map_err(|_| HashError::Malformed)?;
        let hash = self.derive(password, salt, self.params.clone()).await?;
        let params = ParamsString::try_from(self.params.clone()).map_err(|_| HashError::Malformed)?;
        let phc = PasswordHash {
            algorithm: Ident::from(Algorithm::Argon2id),
            version: Some(Version::V0x13.into()),
            params,
            salt: Some(salt),
            hash: Some(hash),
        };
        Ok(phc.to_string())
    }

    /// Compares a password with a stored hash; without one it takes as long and is wrong.
    pub async fn verify(&self, password: &str, stored: Option<&str>) -> Result<Verdict, HashError> {
        let Some(stored) = stored else {
            let salt = Salt::new(NOBODY).map_err(|_| HashError::Malformed)?;
            self.derive(password, salt, self.params.clone()).await?;
            return Ok(Verdict::Wrong);
        };
        let stored = PasswordHash::new(stored).map_err(|_| HashError::Malformed)?;
        let params = Params::try_from(&stored).map_err(|_| HashError::Malformed)?;
        let (Some(salt), Some(expected)) = (stored.salt, stored.hash) else { return Err(HashError::Malformed) };
        if stored.algorithm != Ident::from(Algorithm::Argon2id) || stored.version != Some(Version::V0x13.into()) {
            return Err(HashError::Malformed);
        }
        let same_cost =
            |a: &Params, b: &Params| (a.m_cost(), a.t_cost(), a.p_cost()) == (b.m_cost(), b.t_cost(), b.p_cost());
        let outdated = !same_cost(&params, &self.params);
        let found = self.derive(password, salt, params).await?;
        // `Output` compares in constant time.
        Ok(if found == expected { Verdict::Right { outdated } } else { Verdict::Wrong })
    }

    async fn derive(&self, password: &str, salt: Salt, params: Params) -> Result<Output, HashError> {
        let (answer, answered) = oneshot::channel();
        let job = Job { password: Zeroizing::new(password.to_owned()), salt, params, answer };
        self.jobs.try_send(job).map_err(|error| match error {
            TrySendError::Full(_) => HashError::Busy,
            TrySendError::Disconnected(_) => HashError::Stopped,
        })?;
        answered.await.map_err(|_| HashError::Stopped)?.ok_or(HashError::Malformed)
    }
}

fn work(queue: &Receiver<Job>) {
    // Tokens are signed before passwords are hashed; where the system does not allow it, the pool's size still bounds us.
    let _ = rustix::process::setpriority_process(Some(rustix::thread::gettid()), 10);
    let mut memory: Vec<Block> = Vec::new();
    loop {
        match queue.recv_timeout(KEEP_MEMORY) {
            Ok(job) if job.answer.is_closed() => {}
            Ok(job) => {
                let hash = derive(&job, &mut memory);
                let _ = job.answer.send(hash);
            }
            Err(RecvTimeoutError::Timeout) => {
                memory = Vec::new();
                // Nothing to keep: sleep until somebody comes.
                match queue.recv() {
                    Ok(job) => {
                        let hash = derive(&job, &mut memory);
                        let _ = job.answer.send(hash);
                    }
                    Err(_) => return,
                }
            }
            Err(RecvTimeoutError::Disconnected) => return,
        }
    }
}

fn derive(job: &Job, memory: &mut Vec<Block>) -> Option<Output> {
    let blocks = job.params.block_count();
    if memory.len() < blocks {
        memory.resize(blocks, Block::default());
    }
    let mut hash = [0; Params::DEFAULT_OUTPUT_LEN];
    Argon2::new(Algorithm::Argon2id, Version::V0x13, job.params.clone())
        .hash_password_into_with_memory(
            job.password.as_bytes(),
            job.salt.as_ref(),
            &mut hash,
            memory.get_mut(..blocks)?,
        )
        .ok()?;
    Output::new(&hash).ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::platform::random::SystemRandom;

    fn hasher(memory: u32) -> Hasher {
        let settings = settings::Passwords { memory, iterations: 1, parallelism: 1, threads: 1, queue: 8 };
        Hasher::start(&settings, Arc::new(SystemRandom))
    }

    #[tokio::test]
    async fn knows_its_own_hashes_and_says_when_they_are_outdated() {
        let old = hasher(64).hash("correct horse").await.unwrap();
        assert!(old.starts_with("$argon2id$v=19$m=64,t=1,p=1$"), "{old}");
        let new = hasher(128);
        assert_eq!(new.verify("correct horse", Some(&old)).await, Ok(Verdict::Right { outdated: true }));
        assert_eq!(new.verify("Correct horse", Some(&old)).await, Ok(Verdict::Wrong));
        assert_eq!(new.verify("correct horse", None).await, Ok(Verdict::Wrong));
        assert_eq!(new.verify("x", Some("$argon2i$v=19$m=64,t=1,p=1$AAAA$AAAA")).await, Err(HashError::Malformed));
        let again = new.hash("correct horse").await.unwrap();
        assert_eq!(new.verify("correct horse", Some(&again)).await, Ok(Verdict::Right { outdated: false }));
    }
}
