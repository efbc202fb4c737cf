//! Password hashes (Argon2id), in a bounded pool of its own.
//!
//! A hash takes a hundred times as long as anything else here and 64 MiB of memory; a storm of sign-ins must neither slow
//! the token endpoint nor eat the machine. So few threads of low priority do it, each keeps its memory between hashes,
//! and only so many people may wait.

mod imported;

use std::sync::Arc;
use std::thread;
use std::time::Duration;

use arc_swap::ArcSwapOption;
use argon2::password_hash::phc::{Ident, Output, ParamsString, PasswordHash, Salt};
use argon2::{Algorithm, Argon2, Block, Params, Version};
use crossbeam_channel::{Receiver, RecvTimeoutError, Sender, TrySendError};
use tokio::sync::oneshot;
use tracing::Instrument as _;
use zeroize::Zeroizing;

use imported::{Imported, Method};

use super::measure::{Step, Timer};
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
    #[error("the password hash is not taken: {0}")]
    Refused(&'static str),
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

/// What a thread has to do with a password.
enum Work {
    Argon2 {
        salt: Salt,
        params: Params,
        answer: oneshot::Sender<Option<Output>>,
    },
    Compare {
        with: Imported,
        answer: oneshot::Sender<bool>,
    },
    /// Only the time that it takes matters.
    Spend {
        method: Method,
        answer: oneshot::Sender<()>,
    },
}

struct Job {
    password: Zeroizing<String>,
    work: Work,
    /// Ends when a thread takes the job.
    waiting: Timer,
}

/// What this program reads at a sign-in.
enum Stored {
    Ours { params: Params, salt: Salt, expected: Output },
    Imported(Imported),
}

/// The largest parameters of Argon2id that an import may bring: KiB, passes, lanes.
const MOST_ARGON2: (u32, u32, u32) = (262_144, 16, 16);

/// Whether a password hash may be imported: Argon2id, bcrypt or PBKDF2, at a bounded cost.
pub fn check(hash: &str) -> Result<(), HashError> {
    const OTHER: HashError = HashError::Refused("it is neither Argon2id nor bcrypt nor PBKDF2");
    match Imported::read(hash) {
        Some(Ok(_)) => return Ok(()),
        Some(Err(why)) => return Err(HashError::Refused(why)),
        None => {}
    }
    let Ok(Stored::Ours { params, .. }) = Stored::read(hash) else { return Err(OTHER) };
    let (memory, passes, lanes) = MOST_ARGON2;
    if params.m_cost() > memory || params.t_cost() > passes || params.p_cost() > lanes {
        return Err(HashError::Refused("Argon2id with 256 MiB, 16 passes and 16 lanes at most"));
    }
    Ok(())
}

impl Stored {
    fn read(text: &str) -> Result<Self, HashError> {
        if let Some(imported) = Imported::read(text) {
            return imported.map(Self::Imported).map_err(|_| HashError::Malformed);
        }
        let stored = PasswordHash::new(text).map_err(|_| HashError::Malformed)?;
        let params = Params::try_from(&stored).map_err(|_| HashError::Malformed)?;
        let (Some(salt), Some(expected)) = (stored.salt, stored.hash) else { return Err(HashError::Malformed) };
        if stored.algorithm != Ident::from(Algorithm::Argon2id) || stored.version != Some(Version::V0x13.into()) {
            return Err(HashError::Malformed);
        }
        Ok(Self::Ours { params, salt, expected })
    }
}

/// The pool.
#[derive(Clone)]
pub struct Hasher {
    jobs: Sender<Job>,
    params: Params,
    random: Arc<dyn Random>,
    /// The costliest method of another program that was met: every wrong password costs as much more, so that nobody can tell by
    /// the time whose hash was imported.
    met: Arc<ArcSwapOption<Method>>,
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
        Self { jobs, params, random, met: Arc::default() }
    }

    /// How many passwords wait for a thread.
    pub fn waiting(&self) -> usize {
        self.jobs.len()
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

    /// Remembers that there are hashes like this one.
    pub fn meet(&self, hash: &str) {
        if let Some(Ok(imported)) = Imported::read(hash) {
            self.remember(&imported.method);
        }
    }

    fn remember(&self, method: &Method) {
        if self.met.load().as_ref().is_none_or(|met| met.work() < method.work()) {
            self.met.store(Some(Arc::new(method.clone())));
        }
    }

    /// Compares a password with a stored hash; without one it takes as long and is wrong. Whatever is wrong costs the same.
    pub async fn verify(&self, password: &str, stored: Option<&str>) -> Result<Verdict, HashError> {
        match stored.map(Stored::read).transpose()? {
            Some(Stored::Imported(imported)) => {
                self.remember(&imported.method);
                if self.run(password, |answer| Work::Compare { with: imported, answer }).await? {
                    return Ok(Verdict::Right { outdated: true });
                }
                self.derive_for_nobody(password).await?;
            }
            Some(Stored::Ours { params, salt, expected }) => {
                let same_cost = |a: &Params, b: &Params| {
                    (a.m_cost(), a.t_cost(), a.p_cost()) == (b.m_cost(), b.t_cost(), b.p_cost())
                };
                let outdated = !same_cost(&params, &self.params);
                // `Output` compares in constant time.
                if self.derive(password, salt, params).await? == expected {
                    return Ok(Verdict::Right { outdated });
                }
                self.spend(password).await?;
            }
            None => {
                self.derive_for_nobody(password).await?;
                self.spend(password).await?;
            }
        }
        Ok(Verdict::Wrong)
    }

    async fn derive_for_nobody(&self, password: &str) -> Result<(), HashError> {
        let salt = Salt::new(NOBODY).map_err(|_| HashError::Malformed)?;
        self.derive(password, salt, self.params.clone()).await.map(|_| ())
    }

    /// Takes as long as an imported hash.
    async fn spend(&self, password: &str) -> Result<(), HashError> {
        let Some(method) = self.met.load_full() else { return Ok(()) };
        self.run(password, |answer| Work::Spend { method: method.as_ref().clone(), answer }).await
    }

    async fn derive(&self, password: &str, salt: Salt, params: Params) -> Result<Output, HashError> {
        self.run(password, |answer| Work::Argon2 { salt, params, answer }).await?.ok_or(HashError::Malformed)
    }

    async fn run<T>(&self, password: &str, work: impl FnOnce(oneshot::Sender<T>) -> Work) -> Result<T, HashError> {
        let (answer, answered) = oneshot::channel();
        let job = Job {
            password: Zeroizing::new(password.to_owned()),
            work: work(answer),
            waiting: Step::PasswordWait.begin(),
        };
        self.jobs.try_send(job).map_err(|error| match error {
            TrySendError::Full(_) => HashError::Busy,
            TrySendError::Disconnected(_) => HashError::Stopped,
        })?;
        let answered = answered.instrument(Step::PasswordHash.span());
        answered.await.map_err(|_| HashError::Stopped)
    }
}

fn work(queue: &Receiver<Job>) {
    // Tokens are signed before passwords are hashed; where the system does not allow it, the pool's size still bounds us.
    let _ = rustix::process::setpriority_process(Some(rustix::thread::gettid()), 10);
    let mut memory: Vec<Block> = Vec::new();
    loop {
        match queue.recv_timeout(KEEP_MEMORY) {
            Ok(job) => job.run(&mut memory),
            Err(RecvTimeoutError::Timeout) => {
                memory = Vec::new();
                // Nothing to keep: sleep until somebody comes.
                match queue.recv() {
                    Ok(job) => job.run(&mut memory),
                    Err(_) => return,
                }
            }
            Err(RecvTimeoutError::Disconnected) => return,
        }
    }
}

impl Job {
    /// Whoever has gone meanwhile is answered nothing, and nothing is done for them.
    fn run(self, memory: &mut Vec<Block>) {
        drop(self.waiting);
        let _working = Step::PasswordHash.begin();
        match self.work {
            Work::Argon2 { salt, params, answer } if !answer.is_closed() => {
                let _ = answer.send(derive(&self.password, salt, params, memory));
            }
            Work::Compare { with, answer } if !answer.is_closed() => {
                let _ = answer.send(with.is(&self.password));
            }
            Work::Spend { method, answer } if !answer.is_closed() => {
                let _ = method.derive(&self.password);
                let _ = answer.send(());
            }
            Work::Argon2 { .. } | Work::Compare { .. } | Work::Spend { .. } => {}
        }
    }
}

fn derive(password: &str, salt: Salt, params: Params, memory: &mut Vec<Block>) -> Option<Output> {
    let blocks = params.block_count();
    if memory.len() < blocks {
        memory.resize(blocks, Block::default());
    }
    let mut hash = [0; Params::DEFAULT_OUTPUT_LEN];
    Argon2::new(Algorithm::Argon2id, Version::V0x13, params)
        .hash_password_into_with_memory(password.as_bytes(), salt.as_ref(), &mut hash, memory.get_mut(..blocks)?)
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

    #[tokio::test]
    async fn h2_6_an_imported_hash_is_outdated_and_met() {
        let hasher = hasher(64);
        let imported = "$2b$04$abcdefghijklmnopqrstuuqoBmfKThyF9gvVHnYSKVa9hKeth565y";
        assert!(hasher.met.load().is_none());
        let password = "plum violin 42 harbour";
        assert_eq!(hasher.verify(password, Some(imported)).await, Ok(Verdict::Right { outdated: true }));
        assert_eq!(hasher.verify("other", Some(imported)).await, Ok(Verdict::Wrong));
        let four = hasher.met.load_full();
        assert!(four.is_some());
        hasher.meet("$pbkdf2-sha256$i=1000$MDEy$e4E5XjJyWq4VIvnfCwWtqQ");
        assert_eq!(hasher.met.load_full(), four, "the costlier one counts");
        hasher.meet("$2b$05$abcdefghijklmnopqrstuuqoBmfKThyF9gvVHnYSKVa9hKeth565y");
        assert_ne!(hasher.met.load_full(), four);
        assert_eq!(hasher.verify("other", None).await, Ok(Verdict::Wrong));
    }

    #[test]
    fn imports_bring_no_hash_that_costs_too_much() {
        let argon2 = |parameters: &str| {
            format!("$argon2id$v=19${parameters}$c29tZXNhbHRzb21l$UXVpdGUgYSBsb25nIGhhc2ggb2YgMzIgYnl0ZXM")
        };
        assert_eq!(check(&argon2("m=65536,t=3,p=1")), Ok(()));
        for text in [
            argon2("m=1048576,t=3,p=1"),
            argon2("m=65536,t=17,p=1"),
            argon2("m=65536,t=1,p=17"),
            "$argon2i$v=19$m=64,t=1,p=1$c29tZXNhbHRzb21l$UXVpdGUgYSBsb25nIGhhc2ggb2YgMzIgYnl0ZXM".to_owned(),
            "$2b$31$abcdefghijklmnopqrstuuqoBmfKThyF9gvVHnYSKVa9hKeth565y".to_owned(),
            "5f4dcc3b5aa765d61d8327deb882cf99".to_owned(),
            String::new(),
        ] {
            assert!(matches!(check(&text), Err(HashError::Refused(_))), "{text}");
        }
    }
}
