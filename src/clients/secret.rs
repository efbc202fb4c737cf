//! What a client proves itself by, and how one secret follows another.

use chrono::{DateTime, Duration, Utc};

use crate::platform::random::Random;
use crate::platform::secrets;

/// Tells people and secret scanners what the string is.
const PREFIX: &str = "bfs_";

/// A client secret of 256 random bits. Only its hash is stored.
pub fn new_secret(random: &dyn Random) -> String {
    random.token(PREFIX)
}

/// One case, no signs: ids are read aloud and typed, and none is taken for a flag.
pub fn new_id(random: &dyn Random) -> String {
    let random = random.token("");
    random.chars().filter(char::is_ascii_alphanumeric).map(|c| c.to_ascii_lowercase()).take(20).collect()
}

/// A secret that has a successor and is good for a while yet.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PreviousSecret {
    hash: Vec<u8>,
    /// Milliseconds since 1970.
    expires_at: i64,
}

impl PreviousSecret {
    pub(super) fn of(hash: Option<Vec<u8>>, expires_at: Option<i64>) -> Option<Self> {
        Some(Self { hash: hash?, expires_at: expires_at? })
    }

    /// Whether the secret of this hash is it, and still good.
    pub fn is(&self, presented: &[u8], now: DateTime<Utc>) -> bool {
        // Compared in any case: the time of an answer tells nobody whether there is one.
        let same = secrets::equal(&self.hash, presented);
        same && now.timestamp_millis() < self.expires_at
    }

    /// Until when it is good, in milliseconds since 1970, unless that has passed.
    pub fn good_until(&self, now: DateTime<Utc>) -> Option<i64> {
        Some(self.expires_at).filter(|at| *at > now.timestamp_millis())
    }
}

/// How long a secret goes on beside its successor. As a rule not at all.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Overlap(i64);

impl Overlap {
    /// Whoever needs longer to change over has forgotten it.
    pub const MOST: Duration = Duration::days(30);

    /// `None`: longer than 30 days, or less than nothing.
    pub fn of_millis(millis: i64) -> Option<Self> {
        (0..=Self::MOST.num_milliseconds()).contains(&millis).then_some(Self(millis))
    }

    /// Until when the secret before is good, in milliseconds since 1970; `None`: it is dead at once.
    pub fn until(self, now: DateTime<Utc>) -> Option<i64> {
        (self.0 > 0).then(|| now.timestamp_millis().saturating_add(self.0))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn overlaps_end() {
        let day = 86_400_000;
        let now = DateTime::from_timestamp_millis(5).unwrap();
        assert_eq!(Overlap::of_millis(0).and_then(|overlap| overlap.until(now)), None);
        assert_eq!(Overlap::of_millis(30 * day).and_then(|overlap| overlap.until(now)), Some(30 * day + 5));
        assert_eq!((Overlap::of_millis(30 * day + 1), Overlap::of_millis(-1)), (None, None));
        let previous = PreviousSecret::of(Some(vec![1, 2]), Some(6)).unwrap();
        assert!(previous.is(&[1, 2], now) && !previous.is(&[1, 3], now));
        assert!(!previous.is(&[1, 2], now + Duration::milliseconds(1)));
    }
}
