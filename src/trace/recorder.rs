//! Traces until they are written, many in one statement; how many there may be; and looking them up.

use std::collections::{HashMap, VecDeque};
use std::net::{IpAddr, Ipv6Addr};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use chrono::{DateTime, Duration, SecondsFormat, Utc};

use super::record::Trace;
use super::store;
use crate::platform::clock::Clock;
use crate::platform::database::{Database, DatabaseError};
use crate::platform::settings;

/// Traces that wait to be written, where the database does not answer; a statement has no more.
const MOST_WAITING: usize = 500;

/// A trace and whence its request came.
#[derive(Clone, Debug)]
pub(super) struct Noted {
    pub(super) trace: Trace,
    pub(super) place: String,
    pub(super) at: i64,
}

/// What was admitted in this second.
#[derive(Default)]
struct Second {
    of: i64,
    all: u32,
    by_place: HashMap<Option<IpAddr>, u32>,
}

/// Whether a refusal may be kept.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Admission {
    /// It is one of those of this second.
    Kept {
        second: i64,
    },
    Capped,
}

impl Admission {
    pub(super) fn is_kept(self) -> bool {
        self != Self::Capped
    }
}

/// The traces of this server.
pub struct Traces {
    database: Database,
    clock: Arc<dyn Clock>,
    settings: settings::Traces,
    second: Mutex<Second>,
    waiting: Mutex<VecDeque<Noted>>,
    /// One writing at a time: whoever looks a trace up waits for what is on its way.
    writing: tokio::sync::Mutex<()>,
}

impl Traces {
    pub fn new(database: Database, clock: Arc<dyn Clock>, settings: settings::Traces) -> Self {
        Self {
            database,
            clock,
            settings,
            second: Mutex::default(),
            waiting: Mutex::default(),
            writing: tokio::sync::Mutex::default(),
        }
    }

    /// Whether a refusal of now, from there, is kept: not where there have been enough in this second.
    pub(super) fn admit(&self, address: Option<IpAddr>) -> Admission {
        if self.settings.kept.get() == 0 {
            return Admission::Capped;
        }
        let now = self.clock.now().timestamp();
        let mut second = lock(&self.second);
        if second.of != now {
            second.of = now;
            second.all = 0;
            second.by_place.clear();
        }
        if second.all >= self.settings.a_second {
            return Admission::Capped;
        }
        let own = second.by_place.entry(place(address)).or_default();
        if *own >= self.settings.a_second_from_one {
            return Admission::Capped;
        }
        *own += 1;
        second.all += 1;
        Admission::Kept { second: now }
    }

    /// It was no refusal after all.
    pub(super) fn give_back(&self, admission: Admission, address: Option<IpAddr>) {
        let mut second = lock(&self.second);
        if admission == (Admission::Kept { second: second.of })
            && let Some(own) = second.by_place.get_mut(&place(address))
        {
            *own = own.saturating_sub(1);
            second.all = second.all.saturating_sub(1);
        }
    }

    /// Keeps a trace until the next writing. Where too many wait, the oldest goes.
    pub(super) fn keep(&self, trace: Trace, address: Option<IpAddr>) {
        if self.settings.kept.get() == 0 {
            return;
        }
        let place = place(address).map(|place| place.to_string()).unwrap_or_default();
        let noted = Noted { trace, place, at: self.clock.now().timestamp_millis() };
        let mut waiting = lock(&self.waiting);
        waiting.push_back(noted);
        shorten(&mut waiting);
    }

    pub(super) fn now(&self) -> String {
        self.clock.now().to_rfc3339_opts(SecondsFormat::Millis, true)
    }

    /// Writes what waits. One statement, or none.
    pub async fn write(&self) -> Result<(), DatabaseError> {
        let _alone = self.writing.lock().await;
        let noted: Vec<Noted> = lock(&self.waiting).drain(..).collect();
        if noted.is_empty() {
            return Ok(());
        }
        let again = noted.clone();
        let written = self.database.write(move |tx| Box::pin(store::add(tx, noted))).await;
        if written.is_err() {
            let mut waiting = lock(&self.waiting);
            for noted in again.into_iter().rev() {
                waiting.push_front(noted);
            }
            shorten(&mut waiting);
        }
        written
    }

    /// The trace of a reference, if it is still kept.
    pub async fn find(&self, reference: &str) -> Result<Option<Trace>, DatabaseError> {
        if !is_reference(reference) {
            return Ok(None);
        }
        self.write().await?;
        store::find(&self.database, reference, self.clock.now() - self.kept()).await
    }

    /// Removes what has been kept for long enough, and what there is too much of: of each place the oldest first, so that one
    /// that is refused all day keeps nobody else's from being found.
    pub async fn sweep(&self, now: DateTime<Utc>, batch: i64) -> Result<u64, DatabaseError> {
        store::forget(&self.database, now - self.kept(), self.settings.most, batch).await
    }

    fn kept(&self) -> Duration {
        Duration::milliseconds(self.settings.kept.get())
    }
}

/// Whether this could be a reference at all.
fn is_reference(text: &str) -> bool {
    text.len() == 12 && text.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit())
}

/// One address, or one customer's IPv6 network.
fn place(address: Option<IpAddr>) -> Option<IpAddr> {
    address.map(|address| match address.to_canonical() {
        IpAddr::V6(six) => IpAddr::V6(Ipv6Addr::from_bits(six.to_bits() >> 64 << 64)),
        four @ IpAddr::V4(_) => four,
    })
}

fn shorten(waiting: &mut VecDeque<Noted>) {
    let beyond = waiting.len().saturating_sub(MOST_WAITING);
    if beyond > 0 {
        metrics::counter!("bonafide_traces_dropped_total").increment(beyond as u64);
        waiting.drain(..beyond);
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
