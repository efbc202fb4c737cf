//! When keys were last used, until it is written down: a batch at a time, so that no request waits for it.

use std::collections::BTreeSet;
use std::sync::{Mutex, MutexGuard, PoisonError};

use chrono::{DateTime, Utc};
use uuid::Uuid;

/// As many as a statement names without effort.
const MOST: usize = 1000;

/// Keys that were used since the last batch. They share the time of the newest use: a batch spans a second.
#[derive(Debug, Default)]
pub(super) struct Batch {
    pub(super) keys: BTreeSet<Uuid>,
    pub(super) at: DateTime<Utc>,
}

#[derive(Default)]
pub(super) struct Uses(Mutex<Batch>);

impl Uses {
    pub(super) fn note(&self, key: Uuid, now: DateTime<Utc>) {
        let mut batch = self.lock();
        batch.keys.insert(key);
        batch.at = batch.at.max(now);
    }

    /// What there is to be written, if anything; what is too much for one statement waits for the next.
    pub(super) fn take(&self) -> Option<Batch> {
        let mut noted = self.lock();
        let (at, mut keys) = (noted.at, std::mem::take(&mut noted.keys));
        if let Some(first) = keys.iter().nth(MOST).copied() {
            noted.keys = keys.split_off(&first);
        }
        (!keys.is_empty()).then_some(Batch { keys, at })
    }

    /// What could not be written joins the next batch.
    pub(super) fn put_back(&self, mut unwritten: Batch) {
        let mut batch = self.lock();
        batch.keys.append(&mut unwritten.keys);
        batch.at = batch.at.max(unwritten.at);
    }

    fn lock(&self) -> MutexGuard<'_, Batch> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_batch_is_taken_once_and_may_come_back() {
        let at = |seconds| DateTime::from_timestamp(seconds, 0).unwrap();
        let uses = Uses::default();
        assert!(uses.take().is_none());
        for seconds in [3, 1] {
            uses.note(Uuid::from_u128(1), at(seconds));
        }
        let batch = uses.take().unwrap();
        assert_eq!((batch.keys.len(), batch.at), (1, at(3)));
        assert!(uses.take().is_none());
        uses.note(Uuid::from_u128(2), at(2));
        uses.put_back(batch);
        let batch = uses.take().unwrap();
        assert_eq!((batch.keys.len(), batch.at), (2, at(3)));
        (0..1500).for_each(|n| uses.note(Uuid::from_u128(n), at(4)));
        let mut sizes = std::iter::from_fn(|| uses.take()).map(|batch| (batch.keys.len(), batch.at));
        assert_eq!((sizes.next(), sizes.next(), sizes.next()), (Some((1000, at(4))), Some((500, at(4))), None));
    }
}
