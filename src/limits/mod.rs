//! How often a password may be tried, for one account and from one address, and how many mails an address may get, counted in
//! the database so that every node sees it.
//!
//! An attempt is charged before the password is hashed, and given back when it was right: a success never counts, and never
//! clears what others have tried.

mod store;

use std::net::IpAddr;

use chrono::{DateTime, Duration, Utc};
use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};

use crate::platform::database::{Database, DatabaseError};
use crate::platform::settings;

pub use store::{refund, sweep};

/// What an attempt is charged to.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Charge {
    keys: [Vec<u8>; 2],
}

/// Whether an attempt may go on.
#[derive(Clone, Debug)]
pub enum Verdict {
    /// Go on; give the charge back if the password is right.
    Charged(Charge),
    /// Too many failures; the window ends after so long.
    Throttled { retry_after: Duration },
    /// Limits are off.
    Unlimited,
}

impl Charge {
    /// `account` is the person's id where the account exists, else what was typed in its canonical form: both are
    /// throttled alike, so that throttling says nothing about who exists.
    pub fn new(account: &str, address: Option<IpAddr>) -> Self {
        let address = address.map_or_else(|| "none".to_owned(), network);
        Self { keys: [key("account", account), key("address", &address)] }
    }
}

/// Charges one attempt to an account and an address, in one statement.
pub async fn charge(
    database: &Database,
    limits: &settings::Limits,
    charge: Charge,
    now: DateTime<Utc>,
) -> Result<Verdict, DatabaseError> {
    if !limits.enabled {
        return Ok(Verdict::Unlimited);
    }
    let [account, address] = store::charge(database, &charge.keys, now, limits.window).await?;
    let over = [(account, limits.account_failures), (address, limits.address_failures)]
        .into_iter()
        .filter(|(counter, limit)| counter.failures > *limit)
        .map(|(counter, _)| counter.window_ends_at)
        .max();
    Ok(match over {
        None => Verdict::Charged(charge),
        Some(end) => {
            Verdict::Throttled { retry_after: Duration::milliseconds((end - now.timestamp_millis()).max(1_000)) }
        }
    })
}

/// Counts a mail to an address that somebody has asked for; answers whether it may be written. Addresses without an account
/// are counted like others.
pub async fn allow_mail(
    database: &Database,
    limits: &settings::Limits,
    address: &str,
    now: DateTime<Utc>,
) -> Result<bool, DatabaseError> {
    if !limits.enabled {
        return Ok(true);
    }
    let counter = store::count_one(database, key("mail", address), now, settings::Millis::new(3_600_000)).await?;
    Ok(counter.failures <= limits.mails_an_hour)
}

/// Counts a request that has mail written, by whence it comes; answers how long to wait if there were too many.
pub async fn throttle_mail(
    database: &Database,
    limits: &settings::Limits,
    address: Option<IpAddr>,
    now: DateTime<Utc>,
) -> Result<Option<Duration>, DatabaseError> {
    if !limits.enabled {
        return Ok(None);
    }
    let from = address.map_or_else(|| "none".to_owned(), network);
    let counter = store::count_one(database, key("mail from", &from), now, limits.window).await?;
    let wait = Duration::milliseconds((counter.window_ends_at - now.timestamp_millis()).max(1_000));
    Ok((counter.failures > limits.address_failures).then_some(wait))
}

/// An IPv6 customer has a /64: counting single addresses would count nothing.
fn network(address: IpAddr) -> String {
    match address.to_canonical() {
        IpAddr::V4(ip) => ip.to_string(),
        IpAddr::V6(ip) => {
            let [a, b, c, d, ..] = ip.segments();
            format!("{a:x}:{b:x}:{c:x}:{d:x}::/64")
        }
    }
}

fn key(kind: &str, value: &str) -> Vec<u8> {
    Sha256::digest(format!("{kind}:{value}").as_bytes()).to_vec()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_ipv6_network_counts_as_one_address() {
        let of = |text: &str| network(text.parse().unwrap());
        assert_eq!(of("2001:db8:1:2:3:4:5:6"), of("2001:db8:1:2::1"));
        assert_ne!(of("2001:db8:1:2::1"), of("2001:db8:1:3::1"));
        assert_eq!(of("::ffff:192.0.2.1"), of("192.0.2.1"));
    }
}
