//! How often a password may be tried and how many mails an address may get, counted in the database so that every node sees it;
//! and how many requests may come from one place, counted in memory.
//!
//! An attempt is charged before the password is hashed, and given back when it was right: a success never counts, and never
//! clears what others have tried. It is charged to where it comes from first, and to the account only if that may go on: nobody
//! closes more accounts from one place than passwords may be tried from there.

mod network;
mod requests;
mod store;

use std::net::IpAddr;

use chrono::{DateTime, Duration, Utc};
use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};
use uuid::Uuid;

use crate::audit::{About, Event, Source};
use crate::platform::database::{Database, DatabaseError};
use crate::platform::random::Random;
use crate::platform::settings::{self, Millis};
use crate::trace::{self, Rule, Why};

pub use network::surroundings;
pub use requests::Requests;
pub use store::{refund, sweep};

/// The least that anybody is told to wait.
const SHORTEST_WAIT: i64 = 1_000;

/// Whose attempts those are that are counted together.
#[derive(Clone, Copy, Debug)]
pub enum Whose<'a> {
    /// The person's id where the account exists, else what was typed in its canonical form: both are throttled alike, so that
    /// throttling says nothing about who exists.
    Account(&'a str),
    /// A person's on a device that is known for them. Only its own count matters: whatever strangers do, and from wherever, its
    /// owner gets in, and who has stolen it gets no more tries than a stranger.
    Device(Uuid),
    /// Of whoever tries out names from an address.
    Guesser,
    /// Nobody's: where they come from is all there is to count.
    Nobody,
}

/// An attempt to be charged.
#[derive(Clone, Copy, Debug)]
pub struct Attempt<'a> {
    /// For the record: `sign_in`, `sign_up`, `mail`.
    pub what: &'static str,
    pub whose: Whose<'a>,
    /// Whom the record names, where there is somebody.
    pub user: Option<Uuid>,
    pub address: Option<IpAddr>,
    pub source: &'a Source,
}

/// A counter that an attempt was charged to.
#[derive(Clone, Debug, Serialize, Deserialize)]
struct Charged {
    key: Vec<u8>,
    window_ends_at: i64,
}

/// What an attempt was charged to.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Charge(Vec<Charged>);

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

/// Charges an attempt, in one action. What closes a counter is recorded in it, once a window.
pub async fn charge(
    database: &Database,
    limits: &settings::Limits,
    random: &dyn Random,
    attempt: Attempt<'_>,
    now: DateTime<Utc>,
) -> Result<Verdict, DatabaseError> {
    if !limits.enabled {
        return Ok(Verdict::Unlimited);
    }
    let plan = plan(limits, random, attempt, now);
    let what = attempt.what;
    Ok(match store::charge(database, plan, now).await? {
        store::Outcome::Charged(counters) => Verdict::Charged(Charge(
            counters.into_iter().map(|(key, window_ends_at)| Charged { key, window_ends_at }).collect(),
        )),
        store::Outcome::Over { by, window_ends_at } => {
            metrics::counter!("bonafide_throttled_total", "what" => what, "by" => by).increment(1);
            trace::fail(Rule::AttemptsLeft, || why(what, by, wait(window_ends_at, now)));
            Verdict::Throttled { retry_after: wait(window_ends_at, now) }
        }
    })
}

fn plan(limits: &settings::Limits, random: &dyn Random, attempt: Attempt<'_>, now: DateTime<Utc>) -> store::Plan {
    let Attempt { what, whose, user, address, source } = attempt;
    // Guessing names and guessing passwords come from the same people; mails have a budget of their own.
    let kind = if what == "mail" { "mail " } else { "" };
    let place = |by, network: &str, limit| store::Rule { key: key(&format!("{kind}{by}"), network), by, limit };
    let places = [
        place("address", &network::of_one(address), limits.address_failures),
        place("network", &surroundings(address, limits), limits.network_failures),
    ];
    let own = |kind, value: &str| store::Rule { key: key(kind, value), by: kind, limit: limits.account_failures };
    let (places, own) = match whose {
        Whose::Account(account) => (Some(places), Some(own("account", account))),
        Whose::Device(id) => (None, Some(own("device", &id.to_string()))),
        Whose::Guesser => (Some(places), Some(own("guesser", &network::of_one(address)))),
        Whose::Nobody => (Some(places), None),
    };
    store::Plan {
        places,
        own,
        window: limits.window,
        longest: limits.longest_window,
        event_id: random.id(now),
        what,
        about: About { user_id: user, client_id: None },
        source: source.clone(),
    }
}

/// For the trace: which counter is used up.
fn why(what: &str, by: &str, wait: Duration) -> Why {
    let setting = match by {
        "network" => "limits.network_failures",
        "address" | "guesser" => "limits.address_failures",
        _ => "limits.account_failures",
    };
    let seconds = (wait.num_milliseconds() + 999) / 1000;
    let remedy = format!("Wait {seconds} seconds; or raise {setting}, or shorten limits.window.");
    Why::new(
        format!("too many attempts ({what}), counted by {by}"),
        format!("fewer than {setting} in a window"),
        remedy,
    )
}

fn wait(until: i64, now: DateTime<Utc>) -> Duration {
    Duration::milliseconds((until - now.timestamp_millis()).max(SHORTEST_WAIT))
}

/// Counts an attempt to find out by signing up which names are taken; answers how long to wait if there were too many.
pub async fn throttle_guessing(
    database: &Database,
    limits: &settings::Limits,
    random: &dyn Random,
    address: Option<IpAddr>,
    source: &Source,
    now: DateTime<Utc>,
) -> Result<Option<Duration>, DatabaseError> {
    let attempt = Attempt { what: "sign_up", whose: Whose::Guesser, user: None, address, source };
    throttle(database, limits, random, attempt, now).await
}

/// Counts a request that has mail written, by whence it comes; answers how long to wait if there were too many.
pub async fn throttle_mail(
    database: &Database,
    limits: &settings::Limits,
    random: &dyn Random,
    address: Option<IpAddr>,
    source: &Source,
    now: DateTime<Utc>,
) -> Result<Option<Duration>, DatabaseError> {
    let attempt = Attempt { what: "mail", whose: Whose::Nobody, user: None, address, source };
    throttle(database, limits, random, attempt, now).await
}

async fn throttle(
    database: &Database,
    limits: &settings::Limits,
    random: &dyn Random,
    attempt: Attempt<'_>,
    now: DateTime<Utc>,
) -> Result<Option<Duration>, DatabaseError> {
    Ok(match charge(database, limits, random, attempt, now).await? {
        Verdict::Throttled { retry_after } => Some(retry_after),
        Verdict::Charged(_) | Verdict::Unlimited => None,
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
    let count = store::count_one(database, key("mail", address), now, Millis::new(3_600_000)).await?;
    Ok(count <= limits.mails_an_hour)
}

/// The event of a counter that closes.
fn closing(what: &'static str, by: &'static str) -> Event {
    Event::Throttled { what, by }
}

fn key(kind: &str, value: &str) -> Vec<u8> {
    Sha256::digest(format!("{kind}:{value}").as_bytes()).to_vec()
}
