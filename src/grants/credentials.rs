//! Grants of JSON sign-in: somebody has proven who they are, and our own client gets tokens without a code.

use super::{Grant, GrantError, Grants, NewAccessToken, REFRESH_PREFIX, Redeemed, StoredAccessToken, store};
use crate::audit::{self, About, Event, Source};
use crate::identity::Proof;
use crate::oauth::client_auth::AuthenticatedClient;
use crate::platform::database::DatabaseError;
use crate::platform::secrets;

impl Grants {
    /// Makes a grant for a proof, in the transaction that settles the proof. It hangs on no browser session, since there is
    /// none: it ends by logout, by its own end, and by all that ends everything of a person. `None`: the person has been
    /// disabled or removed meanwhile, or has another password.
    pub async fn give(
        &self,
        client: &AuthenticatedClient,
        proof: Proof,
        scope: &str,
        to_store: Option<NewAccessToken>,
        source: &Source,
    ) -> Result<Option<Redeemed>, GrantError> {
        let now = self.clock.now();
        let refresh = self.random.token(REFRESH_PREFIX);
        let new = store::NewGrant {
            token_hash: Some(secrets::hash(&refresh)),
            expires_at: self.expiry(client, true, now),
            ends_at: self.end(true, client, now),
            now,
        };
        let (id, client_id, scope) = (self.random.id(now), client.id.clone(), scope.to_owned());
        let (signed_in, made) = (self.random.id(now), self.random.id(now));
        let (random, source) = (self.random.clone(), source.clone());
        let way = if proof.arrival().is_some() { "provider" } else { "json" };
        let action = self.database.write(move |tx| {
            Box::pin(async move {
                if !proof.settle(tx, now, random.as_ref(), &source).await? {
                    // Nothing of it stays.
                    return Err(DatabaseError::conflict().into());
                }
                let person = store::live_person(tx, proof.user_id, &scope).await?;
                let person = person.ok_or_else(DatabaseError::conflict)?;
                let grant = Grant::by_proof(id, scope, person, &proof, now);
                store::insert_grant_by_proof(tx, &grant, &client_id, new).await?;
                let about = About::both(proof.user_id, &client_id);
                let provider = proof.arrival().map(|arrival| arrival.provider.clone());
                let event = Event::SignedIn { amr: proof.amr, reauthenticated: false, provider };
                audit::record(tx, signed_in, now, &event, &about, &source).await?;
                let event = Event::GrantMade { grant: id, scope: grant.scope.clone() };
                audit::record(tx, made, now, &event, &about, &source).await?;
                let access_token =
                    StoredAccessToken::of_grant(tx, random.as_ref(), to_store, &grant, &client_id, now).await?;
                Ok::<_, GrantError>(Some(Redeemed { grant, refresh_token: Some(refresh), access_token }))
            })
        });
        let given = match action.await {
            Err(GrantError::Database(error)) if error.is_conflict() => None,
            other => other?,
        };
        if given.is_some() {
            metrics::counter!("bonafide_sign_ins_total", "way" => way, "outcome" => "signed_in").increment(1);
        }
        Ok(given)
    }
}
