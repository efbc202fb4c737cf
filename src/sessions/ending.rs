//! What follows from the end of a session: every application that got tokens in it is told.

use std::collections::HashSet;

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use serde_json::json;
use uuid::Uuid;

use super::store::{self, Ended, Whose};
use crate::grants::{self, Party};
use crate::outbox::{self, NewMessage};
use crate::platform::database::{DatabaseError, Tx};
use crate::platform::random::Random;

/// The kind of message by which applications are told (OpenID Connect Back-Channel Logout 1.0).
pub const BACKCHANNEL_LOGOUT: &str = "backchannel_logout";

/// What such a message says. The token is made when it is sent, so that it is fresh however late that is.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct LogoutNotice {
    pub client_id: String,
    pub sub: Uuid,
    pub sid: String,
}

/// A page of an application that the browser opens when its session ends (OpenID Connect Front-Channel Logout 1.0).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LogoutPage {
    pub client_id: String,
    /// As registered.
    pub uri: String,
}

/// Ends every session of a person and tells the applications, in the caller's transaction. Ring the bell after it.
pub async fn end_all_of(tx: &Tx, user: Uuid, now: DateTime<Utc>, random: &dyn Random) -> Result<(), DatabaseError> {
    let ended = store::end_all_of(tx, user, now).await?;
    // No code of these sessions becomes tokens from now on; an exchange under way is waited for and seen below.
    grants::expire_codes(tx, user, now).await?;
    tell(tx, user, &ended, now, random).await?;
    Ok(())
}

/// Ends every live session of a person but one, if any, and tells the applications. Answers how many they were.
pub async fn end_others_of(
    tx: &Tx,
    user: Uuid,
    keep: Option<Uuid>,
    now: DateTime<Utc>,
    random: &dyn Random,
) -> Result<usize, DatabaseError> {
    let ended = store::end_live(tx, user, Whose::AllBut(keep), now).await?;
    grants::expire_codes_but(tx, user, keep, now).await?;
    tell(tx, user, &ended, now, random).await?;
    Ok(ended.len())
}

/// The same for a session that has just been ended. Answers what its browser is to open.
pub(super) async fn follow(
    tx: &Tx,
    ended: &Ended,
    now: DateTime<Utc>,
    random: &dyn Random,
) -> Result<Vec<LogoutPage>, DatabaseError> {
    grants::expire_codes_of_session(tx, ended.id, now).await?;
    let parties = tell(tx, ended.user_id, std::slice::from_ref(ended), now, random).await?;
    Ok(pages(parties, ended.id))
}

/// Ends every session of the one whose browser this is, in one statement: two browsers that do so at once would wait for
/// each other's else. Answers what this browser is to open, and how many sessions they were.
pub(super) async fn end_everywhere(
    tx: &Tx,
    own: &Ended,
    now: DateTime<Utc>,
    random: &dyn Random,
) -> Result<(Vec<LogoutPage>, usize), DatabaseError> {
    let ended = store::end_all_of(tx, own.user_id, now).await?;
    grants::expire_codes(tx, own.user_id, now).await?;
    let parties = tell(tx, own.user_id, &ended, now, random).await?;
    Ok((pages(parties, own.id), ended.len()))
}

/// Writes a message to each application that got tokens in one of these sessions. Answers all of those.
async fn tell(
    tx: &Tx,
    user: Uuid,
    ended: &[Ended],
    now: DateTime<Utc>,
    random: &dyn Random,
) -> Result<Vec<Party>, DatabaseError> {
    if ended.is_empty() {
        return Ok(Vec::new());
    }
    let sessions: HashSet<Uuid> = ended.iter().map(|session| session.id).collect();
    let mut parties = grants::parties(tx, user).await?;
    parties.retain(|party| sessions.contains(&party.session_id));
    notify(tx, user, &parties, now, random).await?;
    Ok(parties)
}

/// Writes a message to each of these that wants one (OpenID Connect Back-Channel Logout 1.0).
pub async fn notify(
    tx: &Tx,
    user: Uuid,
    parties: &[Party],
    now: DateTime<Utc>,
    random: &dyn Random,
) -> Result<(), DatabaseError> {
    let messages = parties.iter().filter(|party| party.backchannel_logout_uri.is_some()).map(|party| {
        let notice = json!(LogoutNotice { client_id: party.client_id.clone(), sub: user, sid: party.sid.clone() });
        NewMessage::new(BACKCHANNEL_LOGOUT, party.client_id.as_str(), &notice, now, random)
    });
    outbox::write(tx, messages.collect(), now).await
}

fn pages(parties: Vec<Party>, session: Uuid) -> Vec<LogoutPage> {
    let page = |party: Party| Some(LogoutPage { client_id: party.client_id, uri: party.frontchannel_logout_uri? });
    parties.into_iter().filter(|party| party.session_id == session).filter_map(page).collect()
}
