//! How many requests may come from one place, whatever they want: a bucket for each address, in the memory of each node. It
//! keeps one client from taking all the time there is; what has to be exact is counted in the database.

use std::collections::hash_map::DefaultHasher;
use std::hash::Hasher as _;
use std::net::IpAddr;
use std::sync::{Mutex, PoisonError};

use chrono::{DateTime, Duration, Utc};
use ipnet::IpNet;

use crate::platform::random::Random;
use crate::platform::settings::Limits;

/// Shelves of buckets; a power of two. With the buckets on each it bounds what is remembered: 32,768 addresses in half a megabyte.
const SHELVES: usize = 8192;
const BUCKETS: usize = 4;

/// A bucket by the time at which it will be full again (the generic cell rate algorithm), in microseconds since 1970.
#[derive(Clone, Copy, Debug, Default)]
struct Bucket {
    key: u64,
    full_at: i64,
}

/// The buckets. Where all of a shelf are in use, the one that is full soonest is given away: many addresses at once loosen the
/// throttle, and never take more memory.
pub struct Requests {
    shelves: Box<[Mutex<[Bucket; BUCKETS]>]>,
    /// Nobody outside can choose addresses that share a shelf.
    seed: [u8; 16],
    /// What one request takes, and what a bucket holds, in microseconds.
    cost: i64,
    depth: i64,
    unthrottled: Vec<IpNet>,
}

impl Requests {
    /// `None`: limits are off.
    pub fn new(limits: &Limits, random: &dyn Random) -> Option<Self> {
        let cost = (1_000_000 / i64::from(limits.requests_a_second)).max(1);
        limits.enabled.then(|| Self {
            shelves: (0..SHELVES).map(|_| Mutex::default()).collect(),
            seed: random.bytes(),
            cost,
            depth: cost.saturating_mul(i64::from(limits.requests_at_once)),
            unthrottled: limits.unthrottled.clone(),
        })
    }

    /// Takes one request from the bucket of this address; else answers how long it takes until there is one again.
    pub fn take(&self, address: IpAddr, now: DateTime<Utc>) -> Result<(), Duration> {
        if self.unthrottled.iter().any(|network| network.contains(&address)) {
            return Ok(());
        }
        let key = self.key(address);
        let index = usize::try_from(key).unwrap_or_default() & (SHELVES - 1);
        let Some(place) = self.shelves.get(index) else { return Ok(()) };
        let now = now.timestamp_micros();
        let mut buckets = place.lock().unwrap_or_else(PoisonError::into_inner);
        let own = buckets.iter().position(|bucket| bucket.key == key);
        let own = own.or_else(|| (0..BUCKETS).min_by_key(|index| buckets.get(*index).map(|bucket| bucket.full_at)));
        let Some(bucket) = own.and_then(|index| buckets.get_mut(index)) else { return Ok(()) };
        if bucket.key != key {
            *bucket = Bucket { key, full_at: now };
        }
        // Never emptier than empty: a clock that was set back must not close a place for as long.
        let full_at = bucket.full_at.clamp(now, now + self.depth) + self.cost;
        if full_at > now + self.depth {
            return Err(Duration::microseconds(full_at - now - self.depth));
        }
        bucket.full_at = full_at;
        Ok(())
    }

    /// An IPv6 customer has a /64.
    fn key(&self, address: IpAddr) -> u64 {
        let mut hasher = DefaultHasher::new();
        hasher.write(&self.seed);
        match address.to_canonical() {
            IpAddr::V4(ip) => hasher.write_u32(ip.to_bits()),
            IpAddr::V6(ip) => hasher.write_u128(ip.to_bits() >> 64),
        }
        hasher.finish()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::platform::random::SeededRandom;

    fn requests() -> Requests {
        Requests {
            shelves: (0..SHELVES).map(|_| Mutex::default()).collect(),
            seed: (&SeededRandom::new(1) as &dyn Random).bytes(),
            cost: 100_000,
            depth: 300_000,
            unthrottled: vec!["10.0.0.0/8".parse().unwrap()],
        }
    }

    fn at(millis: i64) -> DateTime<Utc> {
        crate::platform::clock::from_millis(1_800_000_000_000 + millis)
    }

    #[test]
    fn so_many_at_once_and_so_many_a_second() {
        let (requests, here) = (requests(), "192.0.2.1".parse().unwrap());
        for _ in 0..3 {
            requests.take(here, at(0)).unwrap();
        }
        assert_eq!(requests.take(here, at(0)), Err(Duration::milliseconds(100)));
        assert_eq!(requests.take(here, at(60)), Err(Duration::milliseconds(40)), "asking costs nothing");
        requests.take(here, at(100)).unwrap();
        requests.take(here, at(100)).unwrap_err();
        requests.take("192.0.2.2".parse().unwrap(), at(100)).unwrap();
        for _ in 0..3 {
            requests.take(here, at(10_000)).unwrap();
        }
        requests.take(here, at(10_000)).unwrap_err();
    }

    #[test]
    fn networks_clocks_and_exceptions() {
        let requests = requests();
        let six = |n: u32| format!("2001:db8:1:2::{n:x}").parse().unwrap();
        for n in 0..3 {
            requests.take(six(n), at(0)).unwrap();
        }
        requests.take(six(9), at(0)).unwrap_err();
        requests.take("2001:db8:1:3::1".parse().unwrap(), at(0)).unwrap();
        // The clock goes back by an hour: as if the bucket had just been emptied.
        assert_eq!(requests.take(six(1), at(-3_600_000)), Err(Duration::milliseconds(100)));
        for _ in 0..10 {
            requests.take("10.1.2.3".parse().unwrap(), at(0)).unwrap();
        }
    }

    #[test]
    fn rq_09_any_number_of_addresses_takes_the_same_memory() {
        let requests = requests();
        for n in 0..200_000u32 {
            requests.take(IpAddr::from(n.to_be_bytes()), at(i64::from(n / 1000))).unwrap();
        }
        assert_eq!(requests.shelves.len(), SHELVES);
        let here = IpAddr::from(199_999u32.to_be_bytes());
        requests.take(here, at(200)).unwrap();
        requests.take(here, at(200)).unwrap();
        requests.take(here, at(200)).unwrap_err();
    }
}
