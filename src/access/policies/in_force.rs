//! The policies that count now: compiled once, swapped whole when others are published.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use arc_swap::ArcSwapOption;
use chrono::{DateTime, Utc};
use serde_json::json;
use tokio::sync::Mutex;
use uuid::Uuid;

use super::{Decision, Engine, Known, Question, Recorder, Uid, store};
use crate::clients::Registry;
use crate::platform::database::{Database, DatabaseError};

/// A version that decides.
#[derive(Debug)]
pub struct InForce {
    pub version: i64,
    pub engine: Engine,
}

/// The room's policies.
pub struct Policies {
    database: Database,
    in_force: ArcSwapOption<InForce>,
    /// One reading at a time: of two, the older could be stored last.
    reading: Mutex<()>,
    recorder: Recorder,
}

impl Policies {
    pub async fn load(database: Database) -> Result<Self, DatabaseError> {
        let in_force = ArcSwapOption::empty();
        let policies = Self { database, in_force, reading: Mutex::new(()), recorder: Recorder };
        policies.reload().await?;
        Ok(policies)
    }

    /// Reads what is published now, if it is another version. One that does not compile leaves what is in force.
    pub async fn reload(&self) -> Result<(), DatabaseError> {
        let _alone = self.reading.lock().await;
        let known = self.in_force().map(|known| known.version);
        if store::version(&self.database).await? == known {
            return Ok(());
        }
        let Some((version, bundle)) = store::current(&self.database).await? else { return Ok(()) };
        match tokio::task::spawn_blocking(move || Engine::compile(&bundle)).await {
            Ok(Ok(engine)) => {
                tracing::info!(version, policies = engine.len(), "policies are in force");
                self.in_force.store(Some(Arc::new(InForce { version, engine })));
            }
            Ok(Err(faults)) => tracing::error!(version, ?faults, "published policies do not compile"),
            Err(error) => tracing::error!(version, %error, "published policies were not compiled"),
        }
        Ok(())
    }

    /// `None`: nothing was ever published.
    pub fn in_force(&self) -> Option<Arc<InForce>> {
        self.in_force.load_full()
    }

    pub fn recorder(&self) -> &Recorder {
        &self.recorder
    }

    /// What the house knows of those who want something: one SELECT where there are people among them, none else.
    pub async fn known(
        &self,
        questions: &[Question],
        clients: &Registry,
    ) -> Result<HashMap<Uid, Known>, DatabaseError> {
        let (mut known, mut people) = (HashMap::new(), HashMap::<Uuid, HashSet<Uid>>::new());
        for subject in questions.iter().map(|question| &question.subject) {
            match subject.kind.as_str() {
                "user" => {
                    if let Ok(id) = Uuid::parse_str(&subject.id) {
                        // One id can be written in several ways.
                        people.entry(id).or_default().insert(subject.uid());
                    }
                }
                "service_account" => {
                    if let Some(client) = clients.find_any(&subject.id) {
                        known.insert(subject.uid(), of_client(clients, &client.id, client.disabled));
                    }
                }
                _ => {}
            }
        }
        if !people.is_empty() {
            let ids: Vec<Uuid> = people.keys().copied().collect();
            for (id, person) in store::people(&self.database, &ids).await? {
                let spellings = people.remove(&id).into_iter().flatten();
                known.extend(spellings.map(|uid| (uid, person.clone())));
            }
        }
        Ok(known)
    }

    /// Decides each by itself; nothing is allowed as long as nothing is published.
    pub fn decide(
        in_force: Option<&InForce>,
        questions: &[Question],
        known: &HashMap<Uid, Known>,
        now: DateTime<Utc>,
    ) -> Vec<Decision> {
        match in_force {
            Some(in_force) => in_force.engine.decide(questions, known, now),
            None => questions.iter().map(|_| Decision::default()).collect(),
        }
    }
}

fn of_client(clients: &Registry, id: &str, disabled: bool) -> Known {
    let (roles, held) = (clients.roles_of(id), clients.held_by(id));
    let permissions: Vec<&str> = held.names().collect();
    let attrs = [("roles", json!(roles)), ("permissions", json!(permissions))];
    Known {
        attrs: attrs.into_iter().map(|(name, value)| (name.to_owned(), value)).collect(),
        parents: store::in_roles(roles),
        disabled,
    }
}
