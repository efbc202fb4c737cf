//! What the house knows of subjects, whatever is said of them.

use std::collections::{HashMap, HashSet};

use serde_json::json;
use uuid::Uuid;

use super::store::{self, in_roles};
use super::{Known, Policies, Question, Uid};
use crate::clients::Registry;
use crate::platform::database::DatabaseError;

impl Policies {
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
}

fn of_client(clients: &Registry, id: &str, disabled: bool) -> Known {
    let (roles, held) = (clients.roles_of(id), clients.held_by(id));
    let permissions: Vec<&str> = held.names().collect();
    let attrs = [("roles", json!(roles)), ("permissions", json!(permissions))];
    Known {
        attrs: attrs.into_iter().map(|(name, value)| (name.to_owned(), value)).collect(),
        parents: in_roles(roles),
        disabled,
    }
}
