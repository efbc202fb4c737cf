//! Sends what is due: to each recipient in a lane of its own, so that one who is slow or gone holds up nobody else.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use chrono::{DateTime, Utc};
use futures_util::future::join_all;
use tokio::task::{Id, JoinSet};
use tokio_util::sync::CancellationToken;

use super::{Bell, Courier, Delivery, Message, store};
use crate::audit::Event;
use crate::platform::clock::Clock;
use crate::platform::database::{Database, DatabaseError};
use crate::platform::random::Random;

/// How often a sender looks for messages that other processes have written, and for those that are due again.
const POLL: Duration = Duration::from_secs(1);
/// Recipients at once.
const LANES: usize = 64;
/// Messages to one recipient at once.
const LANE_WIDTH: u64 = 4;
/// How long a delivery may take, and how long it is nobody else's: longer than that, and than writing down what came of it.
const PATIENCE: Duration = Duration::from_secs(10);
const LEASE: chrono::Duration = chrono::Duration::seconds(20);
/// After an attempt that failed, how long until the next. Twenty-two hours in all.
const WAITS: [chrono::Duration; 8] = [
    chrono::Duration::seconds(5),
    chrono::Duration::seconds(30),
    chrono::Duration::minutes(2),
    chrono::Duration::minutes(10),
    chrono::Duration::hours(1),
    chrono::Duration::hours(3),
    chrono::Duration::hours(6),
    chrono::Duration::hours(12),
];

/// The sender of a server.
pub struct Sender {
    database: Database,
    clock: Arc<dyn Clock>,
    random: Arc<dyn Random>,
    bell: Bell,
    couriers: Vec<Arc<dyn Courier>>,
}

/// What goes one after the other: a kind of message to a recipient.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Lane {
    kind: &'static str,
    recipient: String,
}

impl Sender {
    pub fn new(
        database: Database,
        clock: Arc<dyn Clock>,
        random: Arc<dyn Random>,
        bell: Bell,
        couriers: Vec<Arc<dyn Courier>>,
    ) -> Self {
        Self { database, clock, random, bell, couriers }
    }

    /// Sends until told to stop. What is under way then is due again when its lease is over.
    pub async fn run(self, stopped: CancellationToken) {
        let sender = Arc::new(self);
        let mut lanes = JoinSet::new();
        let mut busy: HashMap<Id, Lane> = HashMap::new();
        loop {
            if let Err(error) = sender.open_lanes(&mut lanes, &mut busy).await {
                tracing::warn!(%error, "cannot see which messages are due");
            }
            tokio::select! {
                () = stopped.cancelled() => return,
                () = sender.bell.rung() => {}
                () = tokio::time::sleep(POLL) => {}
                // What came in while the lane was about to close is looked for at once.
                Some(closed) = lanes.join_next_with_id() => {
                    busy.remove(&closed.map_or_else(|error| error.id(), |(id, ())| id));
                }
            }
        }
    }

    async fn open_lanes(
        self: &Arc<Self>,
        lanes: &mut JoinSet<()>,
        busy: &mut HashMap<Id, Lane>,
    ) -> Result<(), DatabaseError> {
        for courier in &self.couriers {
            if lanes.len() >= LANES {
                return Ok(());
            }
            for recipient in store::waiting(&self.database, courier.kind(), self.clock.now()).await? {
                let lane = Lane { kind: courier.kind(), recipient };
                if lanes.len() < LANES && !busy.values().any(|open| *open == lane) {
                    let task = lanes.spawn(self.clone().serve(courier.clone(), lane.recipient.clone()));
                    busy.insert(task.id(), lane);
                }
            }
        }
        Ok(())
    }

    /// Sends what is due for one recipient, until nothing is or nothing is taken.
    async fn serve(self: Arc<Self>, courier: Arc<dyn Courier>, recipient: String) {
        if let Err(error) = self.drain(courier.as_ref(), &recipient).await {
            tracing::warn!(%error, kind = courier.kind(), recipient, "messages could not be taken from the outbox");
        }
    }

    async fn drain(&self, courier: &dyn Courier, recipient: &str) -> Result<(), DatabaseError> {
        loop {
            let now = self.clock.now();
            let messages =
                store::claim(&self.database, courier.kind(), recipient, LANE_WIDTH, now, now + LEASE).await?;
            if messages.is_empty() {
                return Ok(());
            }
            let sent = join_all(messages.iter().map(|message| self.send(courier, message))).await;
            let taken = sent.into_iter().collect::<Result<Vec<bool>, _>>()?;
            if !taken.contains(&true) {
                // What was due then: those that have just failed know their own time.
                let due = WAITS.first().map_or(now, |wait| self.clock.now() + *wait);
                return store::postpone_all(&self.database, courier.kind(), recipient, now, due).await;
            }
        }
    }

    /// One attempt; answers whether the message is done with.
    async fn send(&self, courier: &dyn Courier, message: &Message) -> Result<bool, DatabaseError> {
        let delivered = match tokio::time::timeout(PATIENCE, courier.deliver(message)).await {
            Ok(delivered) => delivered,
            Err(_) => Err(format!("no end within {} seconds", PATIENCE.as_secs())),
        };
        match delivered {
            Ok(delivery) => {
                let outcome = match delivery {
                    Delivery::Taken => "taken",
                    Delivery::Obsolete => "obsolete",
                };
                count(courier.kind(), outcome);
                store::delete(&self.database, message.id).await?;
                Ok(true)
            }
            Err(error) => {
                self.failed(courier, message, error, self.clock.now()).await?;
                Ok(false)
            }
        }
    }

    async fn failed(
        &self,
        courier: &dyn Courier,
        message: &Message,
        error: String,
        now: DateTime<Utc>,
    ) -> Result<(), DatabaseError> {
        let (kind, recipient, attempts) = (courier.kind(), message.recipient.as_str(), message.attempts);
        let wait = usize::try_from(attempts - 1).ok().and_then(|failed| WAITS.get(failed));
        if let Some(wait) = wait {
            count(kind, "failed");
            tracing::warn!(kind, recipient, attempts, error, "a message was not taken; it is sent again later");
            return store::postpone(&self.database, message, &error, now + *wait).await;
        }
        count(kind, "given_up");
        tracing::error!(kind, recipient, attempts, error, "a message was not taken in all this time and is given up");
        let event = Event::MessageGivenUp { message: kind, attempts, error };
        store::give_up(&self.database, message.id, self.random.id(now), event, courier.about(message), now).await
    }
}

fn count(kind: &'static str, outcome: &'static str) {
    metrics::counter!("bonafide_outbox_messages_total", "kind" => kind, "outcome" => outcome).increment(1);
}
