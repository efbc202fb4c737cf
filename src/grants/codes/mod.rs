//! Authorization codes: given for a consent, redeemed once.

mod store;

use chrono::{DateTime, Duration, Utc};
use uuid::Uuid;

use super::store::{NewGrant, end_grant};
use super::{
    CODE_PREFIX, Failure, Grant, GrantError, Grants, NewAccessToken, REFRESH_PREFIX, StoredAccessToken, interactions,
};
use crate::audit::{self, About, Event, Source};
use crate::clients::{Client, GrantType};
use crate::oauth::scope;
use crate::platform::secrets;

pub use store::{CodeState, expire_codes, expire_codes_but, expire_codes_of_session};

/// What a code stands for (RFC 6749 section 4.1.2, RFC 7636 section 4.4).
#[derive(Clone, Debug)]
pub struct CodeRequest {
    pub client_id: String,
    pub redirect_uri: String,
    /// S256, base64url.
    pub challenge: Option<String>,
    pub scope: String,
    pub audience: Option<String>,
    pub nonce: Option<String>,
    /// Claims asked for by name, as the database keeps them.
    pub claims: Option<String>,
}

/// A code before it is stored.
pub struct NewCode {
    hash: Vec<u8>,
    grant_id: Uuid,
    request: CodeRequest,
    user_id: Uuid,
    session_id: Uuid,
    auth_time: i64,
    acr: String,
    amr: String,
    issued_at: DateTime<Utc>,
    expires_at: DateTime<Utc>,
}

/// How an interaction ended well.
pub struct Finished {
    /// The interaction that is over.
    pub interaction: String,
    /// Scopes that the person has just allowed; to be remembered.
    pub allowed: Vec<String>,
}

/// What the holder of a code shows (RFC 6749 section 4.1.3).
pub struct Exchange {
    pub code: String,
    pub redirect_uri: Option<String>,
    /// The S256 challenge of the verifier that was sent.
    pub challenge: Option<String>,
}

/// What a code was redeemed for.
pub struct Redeemed {
    pub grant: Grant,
    /// Where the client may have one.
    pub refresh_token: Option<String>,
    /// Where its access tokens are opaque.
    pub access_token: Option<StoredAccessToken>,
}

/// What became of a code. `E` is what the caller's own rules say.
pub enum Redemption<E> {
    Redeemed(Box<Redeemed>),
    /// Everything was right but the time: somebody has used it before. Its tokens have ended.
    Replayed(Box<CodeState>),
    /// Unknown (`None`), expired, or not for this client, redirect URI and verifier: nothing has changed.
    Refused(Option<Box<CodeState>>),
    /// The code is good but the request is not; nothing has changed.
    Rejected(E),
}

impl Grants {
    /// Gives a code to a signed-in person's client. One INSERT.
    pub async fn give_code(&self, request: CodeRequest, session: &crate::sessions::Live) -> Result<String, GrantError> {
        let (code, row) = self.new_code(request, session);
        self.database.run(store::insert_code(&self.database, &row)).await?;
        Ok(code)
    }

    /// Ends an interaction with the code it was for, and remembers what was allowed, in one transaction.
    pub async fn finish(
        &self,
        request: CodeRequest,
        session: &crate::sessions::Live,
        finished: Finished,
        source: &Source,
    ) -> Result<String, GrantError> {
        let (code, row) = self.new_code(request, session);
        let (now, event_id, source) = (row.issued_at, self.random.id(row.issued_at), source.clone());
        let insert = store::insert_code(&self.database, &row);
        self.database
            .write(move |tx| {
                Box::pin(async move {
                    for scope in &finished.allowed {
                        store::remember_consent(tx, row.user_id, &row.request.client_id, scope, now).await?;
                    }
                    interactions::delete_interaction(tx, secrets::hash(&finished.interaction)).await?;
                    store::write_code(tx, insert).await?;
                    if !finished.allowed.is_empty() {
                        let event = Event::ConsentGiven { scope: finished.allowed.join(" ") };
                        let about = About::both(row.user_id, &row.request.client_id);
                        audit::record(tx, event_id, now, &event, &about, &source).await?;
                    }
                    Ok::<_, GrantError>(())
                })
            })
            .await?;
        Ok(code)
    }

    fn new_code(&self, request: CodeRequest, session: &crate::sessions::Live) -> (String, NewCode) {
        let now = self.clock.now();
        let code = self.random.token(CODE_PREFIX);
        let row = NewCode {
            hash: secrets::hash(&code),
            grant_id: self.random.id(now),
            request,
            user_id: session.user_id,
            session_id: session.id,
            auth_time: session.auth_time,
            acr: session.acr.clone(),
            amr: session.amr.clone(),
            issued_at: now,
            expires_at: now + Duration::milliseconds(self.settings.tokens.code_lifetime.get()),
        };
        (code, row)
    }

    /// Redeems a code once. `check` looks at the grant before anything is final: what it rejects is undone. Only then is it
    /// known what the access token is for, so it also says what is to be stored of one that is opaque.
    ///
    /// The one UPDATE names everything that must be right, so a wrong verifier or client leaves the code alone. A replay
    /// with everything right ends the tokens that the code gave (RFC 6749 section 4.1.2).
    pub async fn redeem<E: Send + 'static>(
        &self,
        client: &Client,
        exchange: Exchange,
        check: impl Fn(&Grant) -> Result<Option<NewAccessToken>, E> + Send + 'static,
        source: &Source,
    ) -> Result<Redemption<E>, GrantError> {
        let now = self.clock.now();
        let refresh = client.may(GrantType::RefreshToken).then(|| self.random.token(REFRESH_PREFIX));
        let new = NewGrant {
            token_hash: refresh.as_deref().map(secrets::hash),
            expires_at: self.expiry(client, refresh.is_some(), now),
            ends_at: self.end(refresh.is_some(), client, now),
            now,
        };
        let (client_id, event_id, source) = (client.id.clone(), self.random.id(now), source.clone());
        let random = self.random.clone();
        let outcome = self
            .database
            .write(move |tx| {
                Box::pin(async move {
                    let hash = secrets::hash(&exchange.code);
                    if let Some(code) = store::use_code(tx, &hash, &client_id, &exchange, now).await? {
                        let offline = scope::has(&code.scope, "offline_access");
                        store::insert_grant(tx, &code, &client_id, offline, new).await?;
                        let event = Event::GrantMade { grant: code.grant_id, scope: code.scope.clone() };
                        let about = About::both(code.person.user_id, &client_id);
                        audit::record(tx, event_id, now, &event, &about, &source).await?;
                        let grant = code.into_grant();
                        let new = check(&grant).map_err(Failure::Rejected)?;
                        let access_token =
                            StoredAccessToken::of_grant(tx, random.as_ref(), new, &grant, &client_id, now).await?;
                        let redeemed = Redeemed { grant, refresh_token: refresh, access_token };
                        return Ok(Redemption::Redeemed(Box::new(redeemed)));
                    }
                    let state = store::code_state(tx, &hash).await?.map(Box::new);
                    let replayed = state.as_ref().filter(|state| state.is_replayed_by(&client_id, &exchange));
                    let Some((grant, user)) = replayed.map(|state| (state.grant_id, state.user_id)) else {
                        return Ok(Redemption::Refused(state));
                    };
                    end_grant(tx, grant, "code_replayed", now).await?;
                    let event = Event::CodeReplayed { grant };
                    audit::record(tx, event_id, now, &event, &About::both(user, &client_id), &source).await?;
                    Ok(state.map_or(Redemption::Refused(None), Redemption::Replayed))
                })
            })
            .await;
        match outcome {
            Ok(Redemption::Replayed(state)) => {
                tracing::warn!(client_id = client.id, "an authorization code was used twice; its tokens end");
                metrics::counter!("bonafide_code_replays_total").increment(1);
                Ok(Redemption::Replayed(state))
            }
            Ok(other) => Ok(other),
            Err(Failure::Rejected(reason)) => Ok(Redemption::Rejected(reason)),
            Err(Failure::Fault(error)) => Err(error),
        }
    }

    /// When a grant that is not used again ends.
    pub(super) fn expiry(&self, client: &Client, refreshable: bool, now: DateTime<Utc>) -> DateTime<Utc> {
        let lifetime = if refreshable {
            client.refresh_token_lifetime.unwrap_or(self.settings.tokens.refresh_lifetime.get())
        } else {
            // Without a refresh token the grant is there for its access token alone.
            client.access_token_lifetime.unwrap_or(0).max(self.settings.tokens.access_lifetime.get())
        };
        now + Duration::milliseconds(lifetime)
    }

    /// When a grant ends however often it is used.
    pub(super) fn end(&self, refreshable: bool, client: &Client, now: DateTime<Utc>) -> DateTime<Utc> {
        if refreshable {
            let most = Duration::milliseconds(self.settings.tokens.refresh_max_lifetime.get());
            (now + most).max(self.expiry(client, true, now))
        } else {
            // APIs may have longer tokens than we know here; a day covers what userinfo is asked for.
            self.expiry(client, false, now).max(now + Duration::days(1))
        }
    }
}
