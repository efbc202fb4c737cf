//! `/adapter`: what the REST adapter of the documents' NextAuth front end calls, each path in the front end's spelling and in the
//! back end's. What is not found is `null`: its client throws on a 404.

use axum::http::StatusCode;
use axum::response::Response;
use chrono::{DateTime, SecondsFormat, Utc};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use uuid::Uuid;

use super::person::instant;
use super::{Answered, Call, Fault, Problem};
use crate::adapter::{Linking, NewLink, NewPerson, Person, PersonChange, Unlinking, VerificationToken};
use crate::http::answer;
use crate::identity::{IdentityError, Refusal};
use crate::platform::clock::from_millis;
use crate::platform::database::DatabaseError;

/// A user as NextAuth knows one.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(super) struct AdapterUser {
    id: Uuid,
    name: Option<String>,
    email: Option<String>,
    /// The adapter's word, or ours; RFC 3339.
    email_verified: Option<String>,
    image: Option<String>,
}

impl From<Person> for AdapterUser {
    fn from(person: Person) -> Self {
        Self {
            id: person.id,
            image: person.image(),
            email_verified: person.email_verified().map(instant),
            name: person.name,
            email: person.email,
        }
    }
}

/// A new user, or what is to change of one; other members are dropped, as an adapter may send them.
#[derive(Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(super) struct UserData {
    /// Of a change only.
    id: Option<String>,
    name: Option<String>,
    email: Option<String>,
    email_verified: Option<DateTime<Utc>>,
    image: Option<String>,
}

/// An account at another provider; what its provider gave for it is not kept.
#[derive(Deserialize, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(super) struct AdapterAccount {
    user_id: String,
    #[serde(rename = "type", default)]
    kind: String,
    provider: String,
    provider_account_id: String,
}

#[derive(Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(super) struct NewSession {
    session_token: String,
    user_id: String,
    expires: DateTime<Utc>,
}

#[derive(Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(super) struct SessionChange {
    session_token: String,
    expires: Option<DateTime<Utc>>,
}

#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(super) struct AdapterSession {
    session_token: String,
    user_id: Uuid,
    expires: String,
}

#[derive(Serialize, ToSchema)]
pub(super) struct SessionAndUser {
    session: AdapterSession,
    user: AdapterUser,
}

#[derive(Deserialize, Serialize, ToSchema)]
pub(super) struct AdapterToken {
    identifier: String,
    token: String,
    #[serde(serialize_with = "rfc3339")]
    expires: DateTime<Utc>,
}

#[derive(Deserialize, ToSchema)]
pub(super) struct UsedToken {
    identifier: String,
    token: String,
}

fn rfc3339<S: serde::Serializer>(at: &DateTime<Utc>, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_str(&at.to_rfc3339_opts(SecondsFormat::Millis, true))
}

macro_rules! handlers {
    ($($name:ident => $work:ident),+ $(,)?) => {
        $(pub(in crate::http) async fn $name(call: Call) -> Response {
            let answered = $work(&call).await;
            call.answer(answered)
        })+
    };
}

handlers! {
    create_user => created,
    user => found,
    user_by_email => found_by_email,
    user_by_account => found_by_account,
    update_user => updated,
    delete_user => deleted,
    link_account => linked,
    unlink_account => unlinked,
    create_session => session_opened,
    session => session_found,
    update_session => session_moved,
    delete_session => session_closed,
    create_token => token_kept,
    use_token => token_used,
}

#[expect(clippy::unnecessary_wraps, reason = "so do all handlers here end")]
fn ok(body: &impl Serialize) -> Answered {
    Ok(answer::json(StatusCode::OK, body))
}

fn person(person: Option<Person>) -> Answered {
    ok(&person.map(AdapterUser::from))
}

/// Nobody has an id that is none.
fn id(text: &str) -> Uuid {
    Uuid::parse_str(text).unwrap_or_default()
}

/// Names that others give: something, not much, and nothing that a database has no text for.
fn require_text(field: &str, text: &str) -> Result<(), Problem> {
    if !text.is_empty() && text.len() <= 1024 && !text.chars().any(char::is_control) {
        return Ok(());
    }
    Err(Problem::bad_request("api-fields").field(field, "api-field-malformed"))
}

/// A part of the path that others name things by; what cannot be a name names nothing.
pub(super) fn named<'c>(call: &'c Call, segment: &str) -> Option<&'c str> {
    call.segment(segment).ok().filter(|text| require_text(segment, text).is_ok())
}

/// An address that somebody else has is a conflict here: only who shows the secret hears of it.
fn refused(error: IdentityError) -> Fault {
    match error {
        IdentityError::Refused(Refusal::EmailTaken) => {
            Problem::new(StatusCode::CONFLICT, "email-taken").field("email", "email-taken").into()
        }
        IdentityError::Guarded => guarded().into(),
        other => other.into(),
    }
}

/// An administrator's account.
fn guarded() -> Problem {
    Problem::new(StatusCode::CONFLICT, "api-account-guarded")
}

fn taken(error: DatabaseError) -> Fault {
    if error.is_conflict() { Problem::new(StatusCode::CONFLICT, "api-taken").into() } else { error.into() }
}

async fn created(call: &Call) -> Answered {
    let UserData { id: _, name, email, email_verified, image } = call.body()?;
    let new = NewPerson { email, name, image, email_verified };
    person(call.web.app.adapter.create(new, &call.caller.source()).await.map_err(refused)?)
}

async fn found(call: &Call) -> Answered {
    person(call.web.app.adapter.person(id(call.segment("id").unwrap_or_default())).await?)
}

async fn found_by_email(call: &Call) -> Answered {
    person(call.web.app.adapter.person_by_email(&call.query("email")?.unwrap_or_default()).await?)
}

async fn found_by_account(call: &Call) -> Answered {
    match (named(call, "provider"), named(call, "account")) {
        (Some(provider), Some(account)) => person(call.web.app.adapter.person_by_account(provider, account).await?),
        _ => person(None),
    }
}

async fn updated(call: &Call) -> Answered {
    let UserData { id: who, name, email, email_verified, image } = call.body()?;
    let who = who.ok_or_else(|| Problem::bad_request("api-fields").field("id", "field-required"))?;
    let change = PersonChange { email, name, image, email_verified };
    person(call.web.app.adapter.update(id(&who), change, &call.caller.source()).await.map_err(refused)?)
}

async fn deleted(call: &Call) -> Answered {
    let who = id(call.segment("id").unwrap_or_default());
    person(call.web.app.adapter.delete(who, &call.caller.source()).await.map_err(refused)?)
}

async fn linked(call: &Call) -> Answered {
    let account: AdapterAccount = call.body()?;
    for (field, text) in [("provider", &account.provider), ("providerAccountId", &account.provider_account_id)] {
        require_text(field, text)?;
    }
    if !account.kind.is_empty() {
        require_text("type", &account.kind)?;
    }
    let link = NewLink {
        user_id: id(&account.user_id),
        provider: account.provider.clone(),
        account_id: account.provider_account_id.clone(),
        kind: account.kind.clone(),
    };
    match call.web.app.adapter.link(link, &call.caller.source()).await? {
        Linking::Linked => ok(&Some(account)),
        Linking::Nobody => ok(&None::<AdapterAccount>),
        Linking::Guarded => Err(guarded().into()),
        Linking::Foreign => Err(Problem::new(StatusCode::CONFLICT, "api-account-foreign").into()),
    }
}

async fn unlinked(call: &Call) -> Answered {
    let (Some(provider), Some(account)) = (named(call, "provider"), named(call, "account")) else {
        return ok(&None::<AdapterAccount>);
    };
    match call.web.app.adapter.unlink(provider, account, &call.caller.source()).await? {
        Unlinking::Nothing => ok(&None::<AdapterAccount>),
        Unlinking::Guarded => Err(guarded().into()),
        Unlinking::Last => Err(Problem::new(StatusCode::CONFLICT, "api-account-last").into()),
        Unlinking::Unlinked(link) => ok(&AdapterAccount {
            user_id: link.user_id.to_string(),
            kind: link.kind,
            provider: link.provider,
            provider_account_id: link.account_id,
        }),
    }
}

async fn session_opened(call: &Call) -> Answered {
    let NewSession { session_token, user_id, expires } = call.body()?;
    require_text("sessionToken", &session_token)?;
    let user_id = id(&user_id);
    let there = call.web.app.adapter.open_session(&session_token, user_id, expires).await.map_err(taken)?;
    ok(&there.then(|| AdapterSession { session_token, user_id, expires: instant(expires) }))
}

async fn session_found(call: &Call) -> Answered {
    let Some(token) = named(call, "token") else { return ok(&None::<SessionAndUser>) };
    let found = call.web.app.adapter.session(token).await?;
    ok(&found.map(|(session, user)| SessionAndUser { session: shown(token, &session), user: user.into() }))
}

async fn session_moved(call: &Call) -> Answered {
    let SessionChange { session_token, expires } = call.body()?;
    let session = call.web.app.adapter.move_session(&session_token, expires).await?;
    ok(&session.map(|session| shown(&session_token, &session)))
}

async fn session_closed(call: &Call) -> Answered {
    let Some(token) = named(call, "token") else { return ok(&None::<AdapterSession>) };
    let session = call.web.app.adapter.close_session(token).await?;
    ok(&session.map(|session| shown(token, &session)))
}

fn shown(token: &str, session: &crate::adapter::Session) -> AdapterSession {
    let expires = instant(from_millis(session.expires_at));
    AdapterSession { session_token: token.to_owned(), user_id: session.user_id, expires }
}

async fn token_kept(call: &Call) -> Answered {
    let AdapterToken { identifier, token, expires } = call.body()?;
    for (field, text) in [("identifier", &identifier), ("token", &token)] {
        require_text(field, text)?;
    }
    let kept = VerificationToken { identifier: identifier.clone(), token: token.clone(), expires };
    call.web.app.adapter.keep_token(&kept).await.map_err(taken)?;
    ok(&AdapterToken { identifier, token, expires })
}

async fn token_used(call: &Call) -> Answered {
    let UsedToken { identifier, token } = call.body()?;
    for (field, text) in [("identifier", &identifier), ("token", &token)] {
        require_text(field, text)?;
    }
    let used = call.web.app.adapter.use_token(&identifier, &token, &call.caller.source()).await?;
    ok(&used.map(|used| AdapterToken { identifier: used.identifier, token: used.token, expires: used.expires }))
}
