//! The way back from a provider: whoever comes is expected, once, in the browser that was sent, and by the provider that it was
//! sent to (RFC 9700 sections 4.4 and 4.7, RFC 9207).

use chrono::{DateTime, Utc};

use super::begin::{Bound, Purpose};
use super::registry::Provider;
use super::store::{self, Request};
use super::{Federation, FederationError, claims};
use crate::identity::Arrival;
use crate::keys::KeySet;
use crate::oauth::parameters::Parameters;
use crate::platform::clock::from_millis;
use crate::platform::random::is_token;
use crate::platform::secrets;

/// Somebody who is back.
pub struct Returned {
    pub purpose: Purpose,
    /// When they were sent.
    pub sent_at: DateTime<Utc>,
    /// What the provider says, or why it cannot be heard.
    pub outcome: Result<Arrival, FederationError>,
}

impl Federation {
    /// Takes somebody back. What was expected of this browser is used up, whatever the provider says.
    pub async fn finish(
        &self,
        name: &str,
        parameters: &Parameters,
        browser: &str,
        keys: &KeySet,
    ) -> Result<Returned, FederationError> {
        let provider = self.find(name)?;
        let state = parameters.one("state").ok().flatten().filter(|state| is_token(state, ""));
        let state = state.ok_or(FederationError::State)?;
        let request = self.take(&provider, state, browser).await?;
        let purpose = Self::purpose(&request)?;
        let sent_at = from_millis(request.created_at);
        let outcome = self.hear(&provider, parameters, Bound::of(browser, state), sent_at, keys).await;
        Ok(Returned { purpose, sent_at, outcome })
    }

    /// What the browser was sent for.
    fn purpose(request: &Request) -> Result<Purpose, FederationError> {
        match (request.purpose.as_str(), request.user_id) {
            (store::SIGN_IN, _) => Ok(Purpose::SignIn { interaction: request.onward.clone(), then: None }),
            (store::VISIT, _) => Ok(Purpose::SignIn { interaction: None, then: request.onward.clone() }),
            (store::LINK, Some(user)) => Ok(Purpose::Link { user }),
            (store::CONFIRM, Some(user)) => {
                Ok(Purpose::Confirm { user, then: request.onward.clone().unwrap_or_default() })
            }
            _ => Err(FederationError::State),
        }
    }

    async fn take(&self, provider: &Provider, state: &str, browser: &str) -> Result<Request, FederationError> {
        let (state, browser, name) = (secrets::hash(state), secrets::hash(browser), provider.name.clone());
        let now = self.clock.now();
        let action = self
            .database
            .write(move |tx| Box::pin(async move { store::take_request(tx, state, browser, &name, now).await }));
        action.await?.ok_or(FederationError::State)
    }

    async fn hear(
        &self,
        provider: &Provider,
        parameters: &Parameters,
        bound: Bound,
        sent_at: DateTime<Utc>,
        keys: &KeySet,
    ) -> Result<Arrival, FederationError> {
        let twice = |_| FederationError::Unbelievable("a parameter comes twice".to_owned());
        self.check_issuer(provider, parameters.one("iss").map_err(twice)?).await?;
        if let Some(error) = parameters.one("error").map_err(twice)? {
            return Err(FederationError::Denied(error.chars().take(64).collect()));
        }
        let code = parameters.one("code").map_err(twice)?;
        let code = code.ok_or_else(|| FederationError::Unbelievable("there is no code".to_owned()))?;
        let said = self.exchange(provider, code, bound, keys).await?;
        let mut arrival = claims::arrival(provider, &said.claims, Some(sent_at), self.clock.now())?;
        // Only where it is shown again.
        if let Some(token) = said.id_token.filter(|_| provider.declared.sign_out) {
            arrival.id_token = self.sealing.seal(token.as_bytes(), self.random.as_ref()).ok();
        }
        Ok(arrival)
    }

    /// Of two providers, the answer of one is not taken for the other's (RFC 9207 section 2.4).
    async fn check_issuer(&self, provider: &Provider, said: Option<&str>) -> Result<(), FederationError> {
        if !provider.is_openid() {
            return Ok(());
        }
        let metadata = self.metadata(provider).await?;
        let names_itself = metadata.additional_metadata().authorization_response_iss_parameter_supported;
        match said {
            Some(said) if said == provider.declared.issuer => Ok(()),
            None if !names_itself => Ok(()),
            _ => Err(FederationError::Unbelievable("the answer is not this provider's".to_owned())),
        }
    }

    /// Who an ID token is about that a front end has got from a provider.
    pub async fn recognise(
        &self,
        name: &str,
        token: &str,
        nonce: Option<&str>,
    ) -> Result<(Arrival, bool), FederationError> {
        let provider = self.find(name)?;
        if !provider.is_openid() {
            return Err(FederationError::Unbelievable("it makes no ID tokens".to_owned()));
        }
        let said = self.presented(&provider, token, nonce).await?;
        let mut arrival = claims::arrival(&provider, &said, None, self.clock.now())?;
        if !claims::says_groups(&provider.declared, &said) {
            // Userinfo may have them, which cannot be asked here.
            arrival.roles = None;
        }
        Ok((arrival, provider.declared.sign_up))
    }
}
