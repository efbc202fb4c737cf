//! The decisions of late, and what a change would make of them.

use std::collections::HashMap;
use std::hash::{BuildHasher as _, RandomState};
use std::sync::Mutex;

use ::entity::decisions;
use chrono::{DateTime, Duration, Utc};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::bundle::{Bundle, Uid};
use super::publish::{PolicyFault, compile};
use super::question::{Decision, Known, Question};
use super::{Policies, store};
use crate::platform::clock::from_millis;
use crate::platform::database::DatabaseError;
use crate::platform::secrets;

/// Different questions that one node notes between two writes; the rest is not noted. Writing goes on about once a second.
const MOST_NOTED: usize = 50;

/// Different questions that are kept.
const MOST_KEPT: u64 = 10_000;

/// Differences that a dry run shows.
const MOST_SHOWN: usize = 100;

/// A question with what was known when it was decided.
#[derive(Clone, Debug, Hash, Serialize, Deserialize)]
pub struct Asked {
    #[serde(flatten)]
    pub question: Question,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub known: Option<Known>,
}

impl Asked {
    /// What a decision needs of it.
    fn directory(&self) -> HashMap<Uid, Known> {
        self.known.iter().map(|known| (self.question.subject.uid(), known.clone())).collect()
    }
}

/// Notes decisions until they are written. What was asked again is one row with a count.
#[derive(Default)]
pub struct Recorder {
    hasher: RandomState,
    /// By what tells questions apart for the moment: only of those that are noted first anything more is made.
    noted: Mutex<HashMap<u64, decisions::Model>>,
}

impl Recorder {
    /// Notes a decision: no statement, and nothing where there is too much of it.
    pub fn note(&self, asked: &Asked, decision: &Decision, version: i64, now: DateTime<Utc>) {
        let (key, now) = (self.hasher.hash_one(asked), now.timestamp_millis());
        let Ok(mut noted) = self.noted.lock() else { return };
        let is_full = noted.len() >= MOST_NOTED;
        match noted.get_mut(&key) {
            Some(row) => {
                row.times += 1;
                row.last_at = now;
            }
            None if is_full => metrics::counter!("bonafide_decisions_not_noted_total").increment(1),
            None => {
                let Ok(question) = serde_json::to_string(asked) else { return };
                let policies = serde_json::to_string(&decision.policies).unwrap_or_default();
                let row = decisions::Model {
                    hash: secrets::hash(&question),
                    question,
                    allowed: decision.allowed,
                    policies,
                    version,
                    times: 1,
                    first_at: now,
                    last_at: now,
                };
                noted.insert(key, row);
            }
        }
    }

    /// In the order of their hashes: nodes that write at once hold rows in one order.
    fn take(&self) -> Vec<decisions::Model> {
        let Ok(mut noted) = self.noted.lock() else { return Vec::new() };
        let mut rows: Vec<_> = std::mem::take(&mut *noted).into_values().collect();
        rows.sort_by(|a, b| a.hash.cmp(&b.hash));
        rows
    }
}

/// What a change would make of the decisions of late.
#[derive(Debug)]
pub struct DryRun {
    /// Different questions that were asked.
    pub considered: usize,
    /// How many would be decided otherwise.
    pub differing: usize,
    /// The first of them, those that were asked last before others.
    pub differences: Vec<Difference>,
}

/// A question that would be decided otherwise.
#[derive(Debug)]
pub struct Difference {
    pub question: Question,
    pub was: Decision,
    pub would: Decision,
    pub times: i64,
    pub last_at: DateTime<Utc>,
}

impl Policies {
    /// Writes what was noted. One statement, or none.
    pub async fn write_noted(&self) -> Result<(), DatabaseError> {
        let rows = self.recorder.take();
        if rows.is_empty() {
            return Ok(());
        }
        self.database.write(move |tx| Box::pin(store::add_decisions(tx, rows))).await
    }

    /// Asks the decisions of late again, of policies that are not published.
    pub async fn dry_run(&self, bundle: Bundle) -> Result<DryRun, PolicyFault> {
        self.write_noted().await?;
        let (_, engine) = compile(bundle).await?;
        let rows = store::recent(&self.database, MOST_KEPT).await?;
        Ok(tokio::task::spawn_blocking(move || {
            let mut run = DryRun { considered: 0, differing: 0, differences: Vec::new() };
            for row in rows {
                let Ok(asked) = serde_json::from_str::<Asked>(&row.question) else { continue };
                run.considered += 1;
                let last_at = from_millis(row.last_at);
                let decided = engine.decide(std::slice::from_ref(&asked.question), &asked.directory(), last_at);
                let Some(would) = decided.into_iter().next() else { continue };
                if would.allowed == row.allowed {
                    continue;
                }
                run.differing += 1;
                if run.differences.len() < MOST_SHOWN {
                    let policies = serde_json::from_str(&row.policies).unwrap_or_default();
                    let was = Decision { allowed: row.allowed, policies, error: None };
                    run.differences.push(Difference {
                        question: asked.question,
                        was,
                        would,
                        times: row.times,
                        last_at,
                    });
                }
            }
            run
        })
        .await?)
    }

    /// Forgets the decisions that name somebody who is gone.
    pub async fn forget_naming(&self, user: Uuid) -> Result<u64, DatabaseError> {
        store::forget_naming(&self.database, user).await
    }

    /// Forgets what is not of late any more.
    pub async fn sweep(&self, now: DateTime<Utc>, kept: Duration, batch: i64) -> Result<u64, DatabaseError> {
        let most = i64::try_from(MOST_KEPT).unwrap_or(i64::MAX);
        store::forget(&self.database, now - kept, most, batch).await
    }
}
