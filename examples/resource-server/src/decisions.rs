//! What only a policy can say, because it depends on the very thing: asked of the provider (AuthZEN Authorization
//! API 1.0).

use reqwest::Client;
use serde::Deserialize;
use serde_json::{Value, json};

use crate::config::Credentials;
use crate::refusal::Refusal;
use crate::token::Subject;

pub(crate) struct Decisions {
    http: Client,
    endpoint: String,
    credentials: Credentials,
}

/// Reasons and obligations may stand beside it, and do not change it.
#[derive(Deserialize)]
struct Answer {
    decision: bool,
}

impl Decisions {
    pub(crate) fn new(http: Client, issuer: &str, credentials: Credentials) -> Self {
        Self { http, endpoint: format!("{issuer}/access/v1/evaluation"), credentials }
    }

    /// Fails closed: what cannot be asked is not allowed.
    pub(crate) async fn check(&self, subject: &Subject, action: &str, resource: Value) -> Result<(), Refusal> {
        let question = json!({"subject": subject, "action": {"name": action}, "resource": resource});
        match self.ask(&question).await {
            Ok(true) => Ok(()),
            Ok(false) => Err(Refusal::Decision),
            Err(error) => {
                eprintln!("asking for a decision: {error}");
                Err(Refusal::Unavailable)
            }
        }
    }

    async fn ask(&self, question: &Value) -> Result<bool, reqwest::Error> {
        let request = self.http.post(&self.endpoint).json(question);
        let request = match &self.credentials {
            Credentials::Client { id, secret } => request.basic_auth(id, Some(secret)),
            Credentials::ApiKey(key) => request.bearer_auth(key),
        };
        let answer: Answer = request.send().await?.error_for_status()?.json().await?;
        Ok(answer.decision)
    }
}
