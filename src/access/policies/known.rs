//! What the house knows of subjects, whatever is said of them.

use std::collections::{HashMap, HashSet};

use serde_json::json;
use uuid::Uuid;

use super::store::{self, in_roles};
use super::{Known, Policies, Question, Uid};
use crate::access::roles::Catalogue;
use crate::clients::{Client, Registry};
use crate::platform::database::DatabaseError;

impl Policies {
    /// What the house knows of those who want something: one SELECT where there are people among them, none else.
    pub async fn known(
        &self,
        questions: &[Question],
        clients: &Registry,
        catalogue: &Catalogue,
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
                        known.insert(subject.uid(), of_client(&client, catalogue));
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

fn of_client(client: &Client, catalogue: &Catalogue) -> Known {
    let attrs = [("roles", json!(client.roles)), ("permissions", json!(catalogue.permissions(&client.roles)))];
    Known {
        attrs: attrs.into_iter().map(|(name, value)| (name.to_owned(), value)).collect(),
        parents: in_roles(&client.roles),
        disabled: client.disabled,
    }
}
